//! What a train shows between inputs: all of it follows from the rollouts.

use std::ops::Deref;

use serde::Serialize;

use crate::grade::closed_set;
use crate::rollout::{Action, Rollout, State};
use crate::unit::Timestamp;

use super::Train;
use super::back::{Course, Holder};
use super::error::TrainFinding;

closed_set! {
    /// Where a train is.
    TrainState {
        /// None of its services has started.
        Waiting = "waiting",
        /// Some have started, not all are complete.
        Running = "running",
        /// All are complete; some are still watched.
        Complete = "complete",
        /// All are closed.
        Closed = "closed",
        /// One went back, and others are to follow or on their way.
        RollingBack = "rolling_back",
        /// As `rolling_back`, and nothing moves until a person acts on a service that is frozen, or that its plan keeps.
        Frozen = "frozen",
        /// One went back, and all that had started are back, but for those that were closed.
        RolledBack = "rolled_back",
    }
    /// Where a service is in its train.
    Place {
        /// It waits for others to be complete.
        Waiting = "waiting",
        /// It may start, as far as the train goes.
        Next = "next",
        /// It has not started, and does not, as the train goes back.
        Held = "held",
        /// It has started.
        Running = "running",
        /// All its traffic is on the fix.
        Complete = "complete",
        /// Complete, and its watch is over: it cannot go back.
        Closed = "closed",
        /// It goes back once those that wait for it have.
        InTurn = "in_turn",
        /// The train goes back, and its plan leaves to a person what it does.
        Kept = "kept",
        /// On its way back.
        RollingBack = "rolling_back",
        /// No way back has worked, or something cannot go back: a person has to act.
        Frozen = "frozen",
        /// The version before is live; its metrics may still be watched.
        Back = "back",
    }
}

/// A service in its train.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing<'t> {
    /// Its name.
    pub service: &'t str,
    /// Where it is in the train.
    pub place: Place,
    /// The state of its rollout.
    pub state: State,
    /// Those that it waits for: to be complete, or on the way back, to be back.
    pub waits_for: Vec<&'t str>,
    /// On the way back: until when it waits at the latest, where every one that it waits for has a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl<R: Deref<Target = Rollout>> Train<R> {
    /// Where the train is.
    pub fn state(&self) -> TrainState {
        let any =
            |wanted: &[Place]| self.places().any(|place| wanted.contains(&self.stands(place)));
        if self.turned().next().is_some() {
            let unsettled = |place| {
                // The last look of a way back belongs to it.
                self.at(place).is_some_and(|rollout| rollout.state() == State::RollingBack)
            };
            return if any(&[Place::InTurn, Place::Running]) || self.places().any(unsettled) {
                TrainState::RollingBack
            } else if any(&[Place::Frozen, Place::Kept]) {
                TrainState::Frozen
            } else {
                TrainState::RolledBack
            };
        }
        if !any(&[Place::Running, Place::Complete, Place::Closed]) {
            TrainState::Waiting
        } else if any(&[Place::Running, Place::Waiting, Place::Next]) {
            TrainState::Running
        } else if any(&[Place::Complete]) {
            TrainState::Complete
        } else {
            TrainState::Closed
        }
    }

    fn stands(&self, place: usize) -> Place {
        let goes_back = self.turned().next().is_some();
        match self.course(place) {
            Course::Waiting if goes_back => Place::Held,
            Course::Waiting if self.waits_for(place).next().is_some() => Place::Waiting,
            Course::Waiting => Place::Next,
            Course::Running | Course::Complete if goes_back && self.is_kept(place) => Place::Kept,
            Course::Running => Place::Running,
            Course::Complete if goes_back => Place::InTurn,
            Course::Complete => Place::Complete,
            Course::Closed => Place::Closed,
            Course::Turning => Place::RollingBack,
            Course::Frozen => Place::Frozen,
            Course::Back => Place::Back,
        }
    }

    /// The last time that any of its rollouts knows.
    pub fn now(&self) -> Option<Timestamp> {
        self.rollouts.iter().filter_map(|rollout| rollout.now()).max()
    }

    /// Each service, as they were named, with where it is and what it waits for.
    pub fn services(&self) -> Vec<Standing<'_>> {
        let standing = |place: usize| {
            let stands = self.stands(place);
            let holders =
                if stands == Place::InTurn { self.present_holders(place) } else { Vec::new() };
            let waits_for: Vec<usize> = match stands {
                Place::Waiting => self.waits_for(place).collect(),
                _ => holders.iter().map(|holder| holder.place).collect(),
            };
            let until: Option<Vec<Timestamp>> = holders.iter().map(|holder| holder.until).collect();
            Some(Standing {
                service: self.order.name(place),
                place: stands,
                state: self.at(place)?.state(),
                waits_for: waits_for.into_iter().map(|place| self.order.name(place)).collect(),
                until: until.and_then(|until| until.into_iter().max()),
            })
        };
        self.places().filter_map(standing).collect()
    }

    fn present_holders(&self, place: usize) -> Vec<Holder> {
        self.now().map(|now| self.holders(place, now)).unwrap_or_default()
    }

    /// The services that may start now, as far as the train goes: what their own rollouts still miss is in
    /// [`blockers`](Rollout::blockers).
    pub fn next(&self) -> Vec<&str> {
        let next = self.places().filter(|place| self.stands(*place) == Place::Next);
        next.map(|place| self.order.name(place)).collect()
    }

    /// By service: the actions that await `confirm` or `failed`. After a crash these are to be done, or found done.
    pub fn pending_actions(&self) -> Vec<(&str, &[Action])> {
        self.places()
            .filter_map(|place| Some((self.order.name(place), self.at(place)?.pending_actions())))
            .filter(|(_, actions)| !actions.is_empty())
            .collect()
    }

    /// The next moment at which time alone can change something in any of the services: arm one timer with it and call
    /// [`tick`](Self::tick).
    pub fn poll_at(&self) -> Option<Timestamp> {
        let rollouts = self.rollouts.iter().filter_map(|rollout| rollout.poll_at());
        let in_turn = self.places().filter(|place| self.stands(*place) == Place::InTurn);
        let waits = in_turn.flat_map(|place| self.present_holders(place));
        rollouts.chain(waits.filter_map(|holder| holder.until)).min()
    }

    /// What stands for a person to know: services that do not go back as the others do.
    pub fn findings(&self) -> Vec<TrainFinding> {
        if self.turned().next().is_none() {
            return Vec::new();
        }
        let finding = |place: usize| {
            let service = self.order.name(place);
            match self.stands(place) {
                Place::Frozen => Some(TrainFinding::frozen(service, &self.told_held(place))),
                Place::Closed => Some(TrainFinding::closed(service)),
                Place::Kept => Some(TrainFinding::kept(service, &self.told_held(place))),
                _ => None,
            }
        };
        self.places().filter_map(finding).collect()
    }

    /// Who waits for this one on the way back, and until when.
    fn told_held(&self, place: usize) -> String {
        let in_turn = self.places().filter(|held| self.stands(*held) == Place::InTurn);
        let holds = |held: usize| {
            self.present_holders(held).into_iter().find(|holder| holder.place == place)?.until
        };
        let held: Vec<(String, Timestamp)> = in_turn
            .filter_map(|held| Some((format!("`{}`", self.order.name(held)), holds(held)?)))
            .collect();
        let until = held.iter().map(|(_, until)| *until).max();
        let names: Vec<String> = held.into_iter().map(|(name, _)| name).collect();
        until.map_or_else(String::new, |until| {
            format!(
                "; until {until} {} waits for it, and then goes back all the same",
                names.join(", ")
            )
        })
    }
}
