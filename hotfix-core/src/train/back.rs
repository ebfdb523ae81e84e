//! The way back: who is asked when. `docs/decisions/train.md` has the reasons.

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};

use crate::grade::OnFailure;
use crate::rollout::{Command, Input, InputKind, Refusal, Rollout, Stage};
use crate::unit::{Share, Timestamp};

use super::Train;
use super::error::TrainFinding;
use super::outcome::{Move, TrainOutcome};

/// Who asks, in the logs.
pub(super) const TRAIN: &str = "train";

/// Where a rollout is, as far as the others are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Not started.
    Waiting,
    /// Started and not complete.
    Running,
    /// All traffic is on the fix, and it can go back.
    Complete,
    /// Complete, and it cannot.
    Closed,
    /// The way back is asked for and not confirmed.
    Turning,
    /// The version before is live again, or the new one never was; metrics may still be watched.
    Back,
    /// A person has to act.
    Frozen,
}

pub(super) const fn course(stage: &Stage) -> Course {
    match stage {
        Stage::Preparing => Course::Waiting,
        Stage::Deploying(_)
        | Stage::Monitoring(_)
        | Stage::Gate { .. }
        | Stage::FinalValidation { .. }
        | Stage::Paused { .. } => Course::Running,
        Stage::Complete { .. } => Course::Complete,
        Stage::Closed => Course::Closed,
        Stage::RollingBack(way) if way.watching.is_none() => Course::Turning,
        Stage::RollingBack(_) | Stage::RolledBack | Stage::Aborted | Stage::Failed => Course::Back,
        Stage::Frozen { .. } => Course::Frozen,
    }
}

/// Why the train goes back, in no more bytes than an input has: services for which there is no room are counted.
fn reason(causes: &[String]) -> String {
    // What is to be said of the rest, at most.
    const REST: usize = " and 18446744073709551615 more".len();
    let mut reason = "the train goes back because of ".to_owned();
    for (number, cause) in causes.iter().enumerate() {
        let between = if number == 0 { "" } else { ", " };
        if reason.len() + between.len() + cause.len() + REST > Input::LONGEST {
            let _ = write!(reason, " and {} more", causes.len() - number);
            break;
        }
        reason.extend([between, cause]);
    }
    reason
}

/// What keeps a service from going back for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Which service.
    pub(super) place: usize,
    /// Until when at the latest, where that is known: one that waits itself has no time yet.
    pub(super) until: Option<Timestamp>,
}

impl<R: Deref<Target = Rollout>> Train<R> {
    pub(super) fn course(&self, place: usize) -> Course {
        self.at(place).map_or(Course::Waiting, |rollout| course(rollout.stage()))
    }

    pub(super) fn places(&self) -> std::ops::Range<usize> {
        0..self.rollouts.len()
    }

    /// Those that went back, by themselves or because the train asked.
    pub(super) fn turned(&self) -> impl Iterator<Item = usize> {
        self.places().filter(|place| self.has_turned(*place))
    }

    pub(super) fn has_turned(&self, place: usize) -> bool {
        self.at(place).is_some_and(|rollout| rollout.stage().has_turned_back())
    }

    /// Whether the service's plan leaves it to a person to go back: a failure freezes it, or is asked about.
    pub(super) fn is_kept(&self, place: usize) -> bool {
        self.at(place).is_some_and(|r| r.plan().on_failure() != OnFailure::RollBack)
    }

    /// Those that have to be off their new version before this one goes back.
    pub(super) fn holders(&self, place: usize, at: Timestamp) -> Vec<Holder> {
        let dependents = self.order.dependents_of(place).iter();
        dependents.filter_map(|dependent| self.holder(*dependent, at)).collect()
    }

    /// A service holds those that it waits for until its way back is confirmed, but no longer than its policy gives a way
    /// back: nothing stays half-way for ever.
    fn holder(&self, place: usize, at: Timestamp) -> Option<Holder> {
        let rollout = self.at(place)?;
        let since = match self.course(place) {
            // What was superseded has not started again, and its traffic may still be on the way back.
            Course::Waiting if rollout.share() > Share::NONE => self.turned_at(),
            Course::Waiting | Course::Closed | Course::Back => return None,
            Course::Turning | Course::Frozen => rollout.turned_back_at(),
            Course::Running | Course::Complete if self.is_kept(place) => self.turned_at(),
            Course::Running | Course::Complete => return Some(Holder { place, until: None }),
        };
        let until =
            since.map(|since| since + rollout.plan().policy().rollback().returned_within)?;
        (at < until).then_some(Holder { place, until: Some(until) })
    }

    /// When the first one turned back.
    fn turned_at(&self) -> Option<Timestamp> {
        self.turned().filter_map(|place| self.at(place)?.turned_back_at()).min()
    }

    /// Those to be asked now, the one that started last first.
    fn due(&self, at: Timestamp) -> Vec<usize> {
        if self.turned().next().is_none() {
            return Vec::new();
        }
        let is_due = |place: &usize| match self.course(*place) {
            // What is not complete has no dependents that started, and it must not be promoted meanwhile.
            Course::Running => !self.is_kept(*place) || !self.stands_still(*place),
            Course::Complete => !self.is_kept(*place) && self.holders(*place, at).is_empty(),
            Course::Waiting | Course::Closed | Course::Turning | Course::Back | Course::Frozen => {
                false
            }
        };
        let mut due: Vec<usize> = self.places().filter(is_due).collect();
        due.sort_by_key(|place| std::cmp::Reverse(self.started(*place)));
        due
    }

    fn stands_still(&self, place: usize) -> bool {
        self.at(place).is_some_and(|rollout| matches!(rollout.stage(), Stage::Paused { .. }))
    }

    /// What orders the services by their start.
    fn started(&self, place: usize) -> (Option<Timestamp>, usize) {
        (self.at(place).and_then(Rollout::started_at), self.order.rank(place))
    }

    /// Whether this input would end the watch over a service that waits for its turn: it could not go back any more.
    pub(super) fn would_close(&self, place: usize, at: Timestamp, kind: InputKind) -> bool {
        let Some(rollout) = self.at(place) else { return false };
        let Stage::Complete { since, ending } = rollout.stage() else { return false };
        let last = rollout.plan().policy().watched_until();
        let is_last = match kind {
            InputKind::Observe | InputKind::Tick => {
                last.is_none_or(|last| at.since(*since) >= last)
            }
            // What was held back has the fix: that is the end.
            InputKind::Confirm => ending.is_some(),
            _ => false,
        };
        is_last && !self.is_kept(place) && self.turned().next().is_some()
    }

    /// Those that went back by themselves, or by a person; all that went back where names were taken out of the logs.
    fn causes(&self) -> Vec<String> {
        let told = |place: usize| {
            self.at(place).map(|r| format!("`{}` ({})", self.order.name(place), r.state()))
        };
        let by_itself = self.turned().filter(|place| !self.was_asked(*place));
        let mut causes: Vec<String> = by_itself.filter_map(told).collect();
        if causes.is_empty() {
            causes = self.turned().filter_map(told).collect();
        }
        causes
    }

    fn was_asked(&self, place: usize) -> bool {
        let Some(rollout) = self.at(place) else { return false };
        let started = rollout.started_at();
        rollout.intents().iter().any(|intent| {
            intent.kind == InputKind::RollBack
                && intent.by.as_deref() == Some(TRAIN)
                && Some(intent.at) >= started
        })
    }

    /// An input of the train's own. Its key is made of the log's head, so that the same input to the same log is one.
    fn own_input(&self, place: usize, command: Command) -> Input {
        let head = self.at(place).and_then(Rollout::head);
        let key = head.map(|head| format!("{TRAIN}:{head}"));
        Input { key, ..Input::new(command).by(TRAIN) }
    }
}

impl<R: DerefMut<Target = Rollout>> Train<R> {
    /// Asks everyone whose turn it is. Again and again changes nothing: a rollout that was asked has turned.
    pub(super) fn go_back(&mut self, at: Timestamp, outcome: &mut TrainOutcome) {
        let mut asked = Vec::new();
        while let Some(place) = self.due(at).into_iter().find(|place| !asked.contains(place)) {
            asked.push(place);
            self.take_back(place, at, outcome);
        }
    }

    /// Asks one service to go back, or to stand still where its plan leaves the way back to a person.
    pub(super) fn take_back(&mut self, place: usize, at: Timestamp, outcome: &mut TrainOutcome) {
        let why = Some(reason(&self.causes()));
        let command =
            if self.is_kept(place) { Command::Pause { why } } else { Command::RollBack { why } };
        let input = self.own_input(place, command);
        // `pause` is taken at a time that the rollout believes; `roll_back` is urgent and taken at any.
        let at = match self.at(place).and_then(|r| Some((r.now()?, r.plan().policy().clock()))) {
            Some((now, clock)) => at.clamp(now, now + clock.most_ahead),
            None => at,
        };
        match self.give(place, at, &input, true) {
            Some(Ok(made)) => outcome.moves.push(made),
            Some(Err(refusal)) => self.decline(place, refusal, true, outcome),
            None => {}
        }
    }

    /// Tells that a rollout declined an input that the train gave it. The refusal's line is to be appended like any other.
    pub(super) fn decline(
        &self,
        place: usize,
        refusal: Refusal,
        by_train: bool,
        outcome: &mut TrainOutcome,
    ) {
        let service = self.order.name(place).to_owned();
        outcome.findings.push(TrainFinding::declined(&service, &refusal.reason.to_string()));
        let Refusal { events, state, .. } = refusal;
        let actions = Vec::new();
        outcome.moves.push(Move { service, events, actions, state, repeated: false, by_train });
    }

    /// Gives an input to a rollout.
    pub(super) fn give(
        &mut self,
        place: usize,
        at: Timestamp,
        input: &Input,
        by_train: bool,
    ) -> Option<Result<Move, Refusal>> {
        let rollout = self.rollouts.get_mut(place)?;
        let outcome = match rollout.handle(at, input) {
            Ok(outcome) => outcome,
            Err(refusal) => return Some(Err(refusal)),
        };
        let (events, actions) = (outcome.events.to_owned(), outcome.actions.to_vec());
        let repeated = outcome.repeated;
        let (service, state) = (self.order.name(place).to_owned(), rollout.state());
        Some(Ok(Move { service, events, actions, state, repeated, by_train }))
    }
}
