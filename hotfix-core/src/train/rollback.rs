//! The rollback of a train: which service is rolled back when, and how all are kept open until the end so
//! that each can be rolled back.
//! `docs/decisions/train.md` has the reasons.

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};

use crate::grade::OnFailure;
use crate::rollout::{
    Command, Input, InputKind, Refusal, Rollout, Stage, State, TRAIN, TrainNotice,
};
use crate::sorting::sort_by_key;
use crate::text::{LONGEST, words};
use crate::unit::Timestamp;

use super::Train;
use super::error::TrainFinding;
use super::outcome::{Move, TrainOutcome};

/// The state of a service as far as it matters to the other services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberState {
    /// Not started.
    Waiting,
    /// Started and not complete.
    Running,
    /// All traffic is on the fix, and it can be rolled back.
    Complete,
    /// Complete, and it cannot be rolled back.
    Closed,
    /// The rollback is under way and not confirmed.
    Turning,
    /// The previous version is live again, or the new one never was; metrics may still be watched.
    Back,
    /// A person has to act.
    Frozen,
}

/// Why the train is rolled back, for its stakeholders, at most as long as a text of an input may be: of
/// services for which there is no room only the number is given.
fn reason(causes: &[String]) -> String {
    // The longest text for services without room.
    const REST: usize = " and 18446744073709551615 more".len();
    let rolled_back = match causes {
        [_] => "a service that belongs with it had to be rolled back: ",
        _ => "services that belong with it had to be rolled back: ",
    };
    let mut reason = rolled_back.to_owned();
    for (number, cause) in causes.iter().enumerate() {
        let between = if number == 0 { "" } else { ", " };
        if reason.len() + between.len() + cause.len() + REST > LONGEST {
            let _ = write!(reason, " and {} more", causes.len() - number);
            break;
        }
        reason.extend([between, cause]);
    }
    reason
}

/// A service that delays the rollback of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) place: usize,
    /// Until when at the latest; None where it waits for others and has no time yet.
    pub(super) until: Option<Timestamp>,
}

impl<R: Deref<Target = Rollout>> Train<R> {
    pub(super) fn member_state(&self, place: usize) -> MemberState {
        match self.at(place).stage() {
            Stage::Preparing => MemberState::Waiting,
            Stage::Deploying(_)
            | Stage::Monitoring(_)
            | Stage::Gate { .. }
            | Stage::FinalValidation { .. }
            | Stage::Paused { .. } => MemberState::Running,
            Stage::Complete { .. } => MemberState::Complete,
            Stage::Closed => MemberState::Closed,
            Stage::RollingBack(progress) if progress.watching.is_none() => MemberState::Turning,
            Stage::RollingBack(_) | Stage::RolledBack | Stage::Aborted | Stage::Failed => {
                MemberState::Back
            }
            Stage::Frozen { .. } => MemberState::Frozen,
        }
    }

    pub(super) fn places(&self) -> std::ops::Range<usize> {
        0..self.rollouts.len()
    }

    /// The services that were rolled back, by themselves or by the train.
    pub(super) fn turned(&self) -> impl Iterator<Item = usize> {
        self.places().filter(|place| self.has_turned(*place))
    }

    pub(super) fn has_turned(&self, place: usize) -> bool {
        self.at(place).stage().has_turned_back()
    }

    /// Whether the service's plan leaves the rollback to a person: a failure freezes it, or asks.
    pub(super) fn is_kept(&self, place: usize) -> bool {
        self.at(place).plan().on_failure() != OnFailure::RollBack
    }

    /// The services that have to be rolled back before this one, and are not yet.
    pub(super) fn holders(&self, place: usize, at: Timestamp) -> Vec<Holder> {
        let dependents = self.order.services[place].dependents.iter();
        dependents.filter_map(|dependent| self.holder(*dependent, at)).collect()
    }

    /// How this service delays those that it waits for: until its rollback is confirmed, but no longer
    /// than its policy allows for a rollback; None where it does not.
    fn holder(&self, place: usize, at: Timestamp) -> Option<Holder> {
        let rollout = self.at(place);
        let since = match self.member_state(place) {
            // A superseded release, which has not started again, may still have traffic.
            MemberState::Waiting if rollout.reach().is_any() => self.turned_at(),
            MemberState::Waiting | MemberState::Closed | MemberState::Back => return None,
            MemberState::Turning | MemberState::Frozen => rollout.turned_back_at(),
            MemberState::Running | MemberState::Complete if self.is_kept(place) => self.turned_at(),
            MemberState::Running | MemberState::Complete => {
                return Some(Holder { place, until: None });
            }
        };
        let until =
            since.map(|since| since + rollout.plan().policy().rollback().returned_within)?;
        (at < until).then_some(Holder { place, until: Some(until) })
    }

    /// When the first service was rolled back.
    fn turned_at(&self) -> Option<Timestamp> {
        self.turned().filter_map(|place| self.at(place).turned_back_at()).min()
    }

    /// The services to roll back now, the one that started last first.
    fn due(&self, at: Timestamp) -> Vec<usize> {
        if self.turned().next().is_none() {
            return Vec::new();
        }
        let is_due = |place: &usize| match self.member_state(*place) {
            // A service that is not complete has no started dependents, and must not be promoted
            // meanwhile.
            MemberState::Running => {
                let is_paused = matches!(self.at(*place).stage(), Stage::Paused { .. });
                !(self.is_kept(*place) && is_paused)
            }
            MemberState::Complete => !self.is_kept(*place) && self.holders(*place, at).is_empty(),
            MemberState::Waiting
            | MemberState::Closed
            | MemberState::Turning
            | MemberState::Back
            | MemberState::Frozen => false,
        };
        let mut due: Vec<usize> = self.places().filter(is_due).collect();
        sort_by_key(&mut due, |place| std::cmp::Reverse(self.started(*place)));
        due
    }

    /// A key that sorts the services by their start.
    fn started(&self, place: usize) -> (Option<Timestamp>, usize) {
        (self.at(place).started_at(), self.order.services[place].rank)
    }

    /// Whether the watch of a service is over, or is kept open only for the others.
    fn is_watched_out(&self, place: usize) -> bool {
        match self.at(place).stage() {
            Stage::Closed => true,
            Stage::Complete { since, .. } => {
                let rollout = self.at(place);
                let held = rollout.intervention(InputKind::Hold);
                let by_train =
                    held.is_some_and(|of| of.by.as_deref() == Some(TRAIN) && of.at >= *since);
                by_train && rollout.is_kept_open_without_question()
            }
            _ => false,
        }
    }

    /// What a service is to be notified of about its train; None where it knows that already.
    fn notice(&self, place: usize) -> Option<TrainNotice> {
        let (state, known) = (self.member_state(place), self.at(place).train_notice());
        let waits = match state {
            MemberState::Waiting => self.waits_for(place).next().is_some(),
            MemberState::Complete | MemberState::Frozen => false,
            // Paused, because its plan leaves the rollback to a person.
            MemberState::Running if self.is_kept(place) => false,
            _ => return None,
        };
        let notice = match known {
            _ if self.turned().any(|turned| turned != place) => TrainNotice::RollsBack,
            _ if waits => TrainNotice::Waits,
            Some(TrainNotice::RollsBack) => TrainNotice::Continues,
            Some(TrainNotice::Waits) => TrainNotice::Next,
            _ => return None,
        };
        (known != Some(notice)).then_some(notice)
    }

    /// The other services that were rolled back by themselves or by a person; all, where names were
    /// redacted in the logs. How far a rollback is changes, so the text does not have it.
    fn causes(&self, of: usize) -> Vec<String> {
        let named = |place: usize| match (self.order.name(place), self.at(place).state()) {
            (name, State::RollingBack | State::RolledBack) => name.to_owned(),
            (name, state) => format!("{name} ({})", words(state.as_str())),
        };
        let others = || self.turned().filter(|place| *place != of);
        let by_itself = others().filter(|place| !self.was_asked(*place));
        let mut causes: Vec<String> = by_itself.map(named).collect();
        if causes.is_empty() {
            causes = others().map(named).collect();
        }
        causes
    }

    /// Whether the train itself ordered this service's last rollback.
    fn was_asked(&self, place: usize) -> bool {
        let rollout = self.at(place);
        let started = rollout.started_at();
        rollout
            .intervention(InputKind::RollBack)
            .is_some_and(|order| order.by.as_deref() == Some(TRAIN) && Some(order.at) >= started)
    }
}

impl<R: DerefMut<Target = Rollout>> Train<R> {
    /// Rolls back each service whose turn it is, closes all once each is watched to its end, and notifies
    /// services of what the train does. Repeating it changes nothing.
    pub(super) fn do_due(&mut self, at: Timestamp, outcome: &mut TrainOutcome) {
        let mut asked = Vec::new();
        while let Some(place) = self.due(at).into_iter().find(|place| !asked.contains(place)) {
            asked.push(place);
            self.roll_back(place, at, outcome);
        }
        if self.places().all(|place| self.is_watched_out(place)) {
            let open = |place: &usize| self.member_state(*place) == MemberState::Complete;
            let open: Vec<usize> = self.places().filter(open).collect();
            for place in open {
                let why = Some("all services of the train are watched to their end".to_owned());
                self.instruct(place, Command::Promote { why }, at, outcome);
            }
        }
        for place in self.places() {
            self.inform(place, at, outcome);
        }
    }

    /// Notifies a service of what the train does about it, so that its questions offer what the train accepts,
    /// and its messages promise nothing else. A note holds nothing and answers nothing.
    fn inform(&mut self, place: usize, at: Timestamp, outcome: &mut TrainOutcome) {
        let Some(notice) = self.notice(place).filter(|_| self.at(place).now().is_some()) else {
            return;
        };
        let why = (notice == TrainNotice::RollsBack).then(|| reason(&self.causes(place)));
        let text = notice.text().to_owned();
        self.instruct(place, Command::Note { text, why }, at, outcome);
    }

    /// Keeps a service open that this input would close, so that it can be rolled back in its turn. The end
    /// of a hold-back cannot be put off: while the train is rolled back, that service is rolled back at once.
    pub(super) fn keep_open(
        &mut self,
        place: usize,
        at: Timestamp,
        kind: InputKind,
        outcome: &mut TrainOutcome,
    ) {
        if !self.at(place).would_close(at, kind) {
            return;
        }
        let turned = self.turned().next().is_some();
        if kind == InputKind::Confirm {
            if turned && !self.is_kept(place) {
                self.roll_back(place, at, outcome);
            }
            return;
        }
        let mut others = self.places().filter(|other| *other != place);
        if turned || others.any(|other| !self.is_watched_out(other)) {
            let why = Some("the train is not finished: its services close together".to_owned());
            self.instruct(place, Command::Hold { why }, at, outcome);
        }
    }

    /// Rolls back one service, or pauses it where its plan leaves the rollback to a person.
    fn roll_back(&mut self, place: usize, at: Timestamp, outcome: &mut TrainOutcome) {
        let why = Some(reason(&self.causes(place)));
        let command = if self.is_kept(place) {
            // The question about the pause offers what the train accepts.
            self.inform(place, at, outcome);
            Command::Pause { why }
        } else {
            Command::RollBack { why }
        };
        self.instruct(place, command, at, outcome);
    }

    /// Sends an input of the train itself to a rollout.
    fn instruct(
        &mut self,
        place: usize,
        command: Command,
        at: Timestamp,
        outcome: &mut TrainOutcome,
    ) {
        // The key is the head of the log, so the input is accepted once.
        let key = self.at(place).head().map(|head| format!("{TRAIN}:{head}"));
        let input = Input { key, ..Input::new(command).by(TRAIN) };
        // The rollout has to accept the time; `roll_back` is urgent and accepted at any time.
        let rollout = self.at(place);
        let most_ahead = rollout.plan().policy().clock().most_ahead;
        let at = rollout.now().map_or(at, |now| at.clamp(now, now + most_ahead));
        match self.give(place, at, &input, true) {
            Ok(made) => outcome.moves.push(made),
            Err(refusal) => self.decline(place, refusal, true, outcome),
        }
    }

    /// Reports that a rollout refused an input of the train. Its refusal is appended to the log
    /// like any other line.
    pub(super) fn decline(
        &self,
        place: usize,
        refusal: Refusal,
        by_train: bool,
        outcome: &mut TrainOutcome,
    ) {
        let service = self.order.name(place).to_owned();
        let message = format!("`{service}` refused an input of its train: {}", refusal.reason);
        outcome.findings.push(TrainFinding::new("HF-TRAIN-015", &service, message));
        let Refusal { events, state, .. } = refusal;
        let actions = Vec::new();
        outcome.moves.push(Move { service, events, actions, state, repeated: false, by_train });
    }

    /// Sends an input to a rollout; `by_train`: it is the train's own.
    pub(super) fn give(
        &mut self,
        place: usize,
        at: Timestamp,
        input: &Input,
        by_train: bool,
    ) -> Result<Move, Refusal> {
        let rollout = &mut self.rollouts[place];
        let outcome = rollout.handle(at, input)?;
        let (events, actions) = (outcome.events.to_owned(), outcome.actions.to_vec());
        let repeated = outcome.repeated;
        let (service, state) = (self.order.name(place).to_owned(), rollout.state());
        Ok(Move { service, events, actions, state, repeated, by_train })
    }
}
