//! The status of a train between inputs, derived from its rollouts.

use std::ops::Deref;

use serde::Serialize;

use crate::grade::closed_set;
use crate::rollout::{Act, Action, Rollout, State};
use crate::text::{brief, moment};
use crate::unit::{Share, Span, Timestamp};

use super::Train;
use super::error::TrainFinding;
use super::rollback::{Holder, MemberState};

closed_set! {
    /// The state of a train.
    TrainState {
        /// None of its services has started.
        Waiting = "waiting",
        /// Some have started, not all are complete.
        Running = "running",
        /// All are complete; some are still watched.
        Complete = "complete",
        /// All are closed.
        Closed = "closed",
        /// One was rolled back, and others follow or are being rolled back.
        RollingBack = "rolling_back",
        /// One was rolled back, and nothing moves until a person acts on those that still have the
        /// fix: they are frozen, kept or closed.
        Frozen = "frozen",
        /// All services that had started are rolled back.
        RolledBack = "rolled_back",
    }
    /// The place of a service in its train.
    Place {
        /// It waits for others to be complete.
        Waiting = "waiting",
        /// It may start, as far as the train goes.
        Next = "next",
        /// It has not started and may not, because the train is being rolled back or it was aborted.
        Held = "held",
        Running = "running",
        /// All its traffic is on the fix.
        Complete = "complete",
        /// Complete, and its watch has ended: it cannot be rolled back.
        Closed = "closed",
        /// It is rolled back once the services that wait for it are.
        InTurn = "in_turn",
        /// The train is being rolled back, and its plan leaves its own rollback to a person.
        Kept = "kept",
        /// A rollback is under way.
        RollingBack = "rolling_back",
        /// All rollback methods failed, or no automatic rollback is allowed, or a release that was
        /// superseded keeps its traffic: a person has to act.
        Frozen = "frozen",
        /// The previous version is live; its metrics may still be watched.
        Restored = "restored",
    }
}

/// A service in its train.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberStatus<'t> {
    /// Its name.
    pub service: &'t str,
    /// Its place in the train.
    pub place: Place,
    /// The state of its rollout.
    pub state: State,
    /// The services that it waits for: to be complete or, in a rollback, to be rolled back.
    pub waits_for: Vec<&'t str>,
    /// In a rollback: until when it waits at the latest, where every service that it waits for has
    /// a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl<R: Deref<Target = Rollout>> Train<R> {
    /// The state of the train.
    pub fn state(&self) -> TrainState {
        let any =
            |wanted: &[Place]| self.places().any(|place| wanted.contains(&self.status(place)));
        if self.turned().next().is_some() {
            // The check of the metrics belongs to the rollback.
            let unsettled = |place| self.at(place).state() == State::RollingBack;
            return if any(&[Place::InTurn, Place::Running, Place::RollingBack])
                || self.places().any(unsettled)
            {
                TrainState::RollingBack
            } else if any(&[Place::Frozen, Place::Kept, Place::Closed]) {
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

    fn status(&self, place: usize) -> Place {
        let rolls_back = self.turned().next().is_some();
        match self.member_state(place) {
            MemberState::Waiting if rolls_back && self.at(place).reach().is_any() => {
                let withdraws = |act: &Act| matches!(act, Act::SetTraffic { share: Share::NONE });
                let mut pending = self.at(place).pending_actions().iter();
                let is_withdrawn = pending.any(|action| withdraws(&action.act));
                if is_withdrawn { Place::RollingBack } else { Place::Frozen }
            }
            MemberState::Waiting if rolls_back => Place::Held,
            MemberState::Waiting if self.waits_for(place).next().is_some() => Place::Waiting,
            MemberState::Waiting => Place::Next,
            MemberState::Running | MemberState::Complete if rolls_back && self.is_kept(place) => {
                Place::Kept
            }
            MemberState::Running => Place::Running,
            MemberState::Complete if rolls_back => Place::InTurn,
            MemberState::Complete => Place::Complete,
            MemberState::Closed => Place::Closed,
            MemberState::Turning => Place::RollingBack,
            MemberState::Frozen => Place::Frozen,
            // Aborted before its start: it never left the previous version.
            MemberState::Back if self.at(place).started_at().is_none() => Place::Held,
            MemberState::Back => Place::Restored,
        }
    }

    /// The latest time of an input in any of its rollouts.
    pub fn now(&self) -> Option<Timestamp> {
        self.rollouts.iter().filter_map(|rollout| rollout.now()).max()
    }

    /// Each service, as they were named, with where it is and what it waits for.
    pub fn services(&self) -> Vec<MemberStatus<'_>> {
        let member = |place: usize| {
            let status = self.status(place);
            let holders =
                if status == Place::InTurn { self.present_holders(place) } else { Vec::new() };
            let waits_for: Vec<usize> = match status {
                Place::Waiting => self.waits_for(place).collect(),
                _ => holders.iter().map(|holder| holder.place).collect(),
            };
            let until: Option<Vec<Timestamp>> = holders.iter().map(|holder| holder.until).collect();
            MemberStatus {
                service: self.order.name(place),
                place: status,
                state: self.at(place).state(),
                waits_for: waits_for.into_iter().map(|place| self.order.name(place)).collect(),
                until: until.and_then(|until| until.into_iter().max()),
            }
        };
        self.places().map(member).collect()
    }

    fn present_holders(&self, place: usize) -> Vec<Holder> {
        self.now().map(|now| self.holders(place, now)).unwrap_or_default()
    }

    /// The services that the train lets start now; what blocks their own rollouts is in
    /// [`blockers`](Rollout::blockers).
    pub fn next(&self) -> Vec<&str> {
        let next = self.places().filter(|place| self.status(*place) == Place::Next);
        next.map(|place| self.order.name(place)).collect()
    }

    /// By service: the actions that await `confirm` or `failed`. After a crash these are to be
    /// done, or found done.
    pub fn pending_actions(&self) -> Vec<(&str, &[Action])> {
        self.places()
            .map(|place| (self.order.name(place), self.at(place).pending_actions()))
            .filter(|(_, actions)| !actions.is_empty())
            .collect()
    }

    /// The next moment at which time alone can change something in any of the services: arm one
    /// timer with it and call [`tick`](Self::tick).
    pub fn poll_at(&self) -> Option<Timestamp> {
        let rollouts = self.rollouts.iter().filter_map(|rollout| rollout.poll_at());
        let in_turn = self.places().filter(|place| self.status(*place) == Place::InTurn);
        let waits = in_turn.flat_map(|place| self.present_holders(place));
        let late = self.places().filter_map(|place| self.late_at(place));
        let late = late.filter(|late| self.now().is_some_and(|now| *late > now));
        rollouts.chain(waits.filter_map(|holder| holder.until)).chain(late).min()
    }

    /// The present findings for a person: services that are not rolled back like the others.
    pub fn findings(&self) -> Vec<TrainFinding> {
        if self.turned().next().is_none() {
            return Vec::new();
        }
        let is_late = |place| self.late_at(place).is_some_and(|late| self.now() >= Some(late));
        let finding = |place: usize| {
            let service = self.order.name(place);
            let (code, message) = match self.status(place) {
                Place::Frozen => {
                    let rollout = self.at(place);
                    let what = if rollout.state() == State::Frozen {
                        "is frozen, so a person has to act: send `roll_back`".to_owned()
                    } else {
                        let version = rollout.canary_version().map(brief).unwrap_or_default();
                        let share = rollout.reach();
                        format!("still has {share} of the traffic on {version}: send `roll_back`")
                    };
                    ("HF-TRAIN-012", format!("`{service}` {what}{}", self.held_by(place)))
                }
                Place::RollingBack if is_late(place) => (
                    "HF-TRAIN-012",
                    format!(
                        "the rollback of `{service}` is not confirmed: send `confirm` or `failed` \
                         once it is known which version is live{}",
                        self.held_by(place)
                    ),
                ),
                Place::Closed => (
                    "HF-TRAIN-013",
                    format!(
                        "the train is being rolled back, but the watch of `{service}` has ended \
                         and it stays: decide whether to deploy its previous version by hand"
                    ),
                ),
                // Its plan does not allow an automatic rollback.
                Place::Kept => (
                    "HF-TRAIN-014",
                    format!(
                        "the train is being rolled back, but the plan of `{service}` leaves that \
                         to a person, and its `promote` and `resume` are refused meanwhile: send \
                         `roll_back` to roll it back{}",
                        self.held_by(place)
                    ),
                ),
                _ => return None,
            };
            Some(TrainFinding::new(code, service, message))
        };
        self.places().filter_map(finding).collect()
    }

    /// Until when others wait for this service in a rollback; None where none does.
    fn held_until(&self, place: usize) -> Option<Timestamp> {
        let in_turn = self.places().filter(|held| self.status(*held) == Place::InTurn);
        let holders = in_turn.flat_map(|held| self.present_holders(held));
        holders.filter(|holder| holder.place == place).filter_map(|holder| holder.until).max()
    }

    /// That others wait for this service, as the end of a sentence; empty where none does.
    fn held_by(&self, place: usize) -> String {
        self.held_until(place).map_or_else(String::new, |until| {
            format!(
                "; others wait for it until {}, and are then rolled back without it",
                moment(until)
            )
        })
    }

    /// From when on it is a finding that the rollback of this service is not confirmed: half of the
    /// time for which others wait for it. Earlier it would be one of each rollback.
    fn late_at(&self, place: usize) -> Option<Timestamp> {
        let is_under_way = self.status(place) == Place::RollingBack;
        let until = is_under_way.then(|| self.held_until(place)).flatten()?;
        let within = self.at(place).plan().policy().rollback().returned_within;
        Some(until - Span::from_millis(within.as_millis() / 2))
    }
}
