//! The folded state of a rollout: everything that the log has, and nothing else.

use crate::deadline::{Agenda, Replan};
use crate::grade::Response;
use crate::judge::{Decision, Judge, PhaseRecord, Use, Verdict};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::stats::StatError;
use crate::unit::{Share, Timestamp};

use super::action::{Act, Action, ActionId};
use super::downtime::Outage;
use super::explain::{Kept, Question};
use super::input::{Command, Input, InputKind};
use super::intervention::Interventions;
use super::keys::Keys;
use super::readiness::Readiness;
use super::stage::{Resume, RollbackCause, RollbackProgress, Stage, State, Step};
use super::unanswered::Unanswered;

/// What an input leads to, before it is recorded.
#[derive(Debug, Default, educe::Educe)]
#[educe(Clone)]
pub(super) struct Changes {
    pub(super) to: Option<Stage>,
    pub(super) acts: Vec<Act>,
    /// Changes of the plan of duties.
    pub(super) replans: Vec<Replan>,
    /// The question to the judge, where a verdict was made.
    pub(super) judged: Option<Question>,
    /// The decision differs from the last one, and is not milder.
    pub(super) turned: bool,
}

impl Changes {
    pub(super) fn clear(&mut self) {
        self.to = None;
        self.acts.clear();
        self.replans.clear();
        self.judged = None;
        self.turned = false;
    }
}

/// The folded state.
#[derive(Debug, PartialEq, educe::Educe)]
#[educe(Clone)]
pub(super) struct RolloutState {
    pub(super) stage: Stage,
    /// Since when it is being rolled back, or is rolled back.
    pub(super) turned_back_at: Option<Timestamp>,
    /// Why; None where the deployment failed before any traffic moved.
    pub(super) turned_back_for: Option<RollbackCause>,
    /// The number of the next event.
    pub(super) seq: u64,
    /// The time of the last input.
    pub(super) at: Option<Timestamp>,
    pub(super) share: Share,
    /// The number of the attempt: 1, and one more with each `supersede` and each `retry`.
    pub(super) attempt: u32,
    pub(super) readiness: Readiness,
    pub(super) agenda: Agenda,
    /// Actions that await their result.
    pub(super) pending: Vec<Action>,
    /// The actions of the last accepted input.
    pub(super) last: Vec<Action>,
    /// Since when an action is pending.
    pub(super) pending_since: Option<Timestamp>,
    /// The time of the last `observe` or `tick`.
    pub(super) looked_at: Option<Timestamp>,
    /// Superseded actions: a late result is recorded and changes nothing.
    pub(super) overtaken: Vec<ActionId>,
    /// A person has been asked or paged about the present degradation.
    pub(super) asked: bool,
    /// A person objected, or was asked about a report or a withdrawn approval: from here on a
    /// person has to promote.
    pub(super) objected: bool,
    /// The status page was asked for: the public reads of the incident.
    pub(super) on_status_page: bool,
    /// The last question, while nobody has answered it.
    pub(super) unanswered: Option<Unanswered>,
    pub(super) interventions: Interventions,
    pub(super) keys: Keys,
    pub(super) judge: Judge,
    pub(super) verdict: Verdict,
    /// The question of the last verdict, while the judge's data are unchanged.
    pub(super) question: Option<Question>,
    /// From a rollback on: the judge as it was before.
    pub(super) kept: Option<Box<Kept>>,
    /// The readings of each phase that has ended.
    pub(super) phases: Vec<PhaseRecord>,
    /// When the service was reported down.
    pub(super) outages: Vec<Outage>,
    /// The last logged refusal of each code, by minute.
    pub(super) refusals: Vec<(String, i64)>,
}

/// The action of a `confirm` or `failed`, unless it was superseded.
pub(super) type Resolved = Option<Act>;

impl RolloutState {
    pub(super) fn try_new(plan: &Plan) -> Result<Self, StatError> {
        Ok(Self {
            stage: Stage::Preparing,
            turned_back_at: None,
            turned_back_for: None,
            seq: 0,
            at: None,
            share: Share::NONE,
            attempt: 1,
            readiness: Readiness::new(plan),
            agenda: Agenda::new(plan.policy()),
            pending: Vec::new(),
            last: Vec::new(),
            pending_since: None,
            looked_at: None,
            overtaken: Vec::new(),
            asked: false,
            objected: false,
            on_status_page: false,
            unanswered: None,
            interventions: Interventions::default(),
            keys: Keys::new(),
            judge: Judge::try_new(plan)?,
            verdict: Verdict::default(),
            question: None,
            kept: None,
            phases: Vec::new(),
            outages: Vec::new(),
            refusals: Vec::new(),
        })
    }

    pub(super) fn state(&self, plan: &Plan) -> State {
        match &self.stage {
            // Traffic of the previous attempt is rolled back first.
            Stage::Preparing if !self.pending.is_empty() => State::Drafted,
            Stage::Preparing => self.readiness.state(plan),
            Stage::Deploying(_) => State::Deploying,
            Stage::Monitoring(_) => State::Monitoring,
            Stage::Gate { .. } => State::Gate,
            Stage::FinalValidation { .. } => State::FinalValidation,
            Stage::Complete { .. } => State::Complete,
            Stage::Closed => State::Closed,
            Stage::RollingBack(_) => State::RollingBack,
            Stage::RolledBack => State::RolledBack,
            Stage::Paused { .. } => State::Paused,
            Stage::Frozen { .. } => State::Frozen,
            Stage::Aborted => State::Aborted,
            Stage::Failed => State::Failed,
        }
    }

    /// What an observation is for at this stage.
    const fn purpose(&self) -> Use {
        match &self.stage {
            Stage::Monitoring(_)
            | Stage::Gate { .. }
            | Stage::FinalValidation { .. }
            | Stage::Complete { .. }
            | Stage::Paused {
                from: Resume::Monitoring(_) | Resume::Gate(_) | Resume::FinalValidation { .. },
                ..
            } => Use::Watch,
            // Before any traffic moves, the deployment's own checks decide. Where all traffic moves
            // at once, these are the only readings of the level before.
            Stage::Preparing
            | Stage::Deploying(_)
            | Stage::Paused { from: Resume::Deploying(_), .. }
                if matches!(self.share, Share::NONE) =>
            {
                Use::Level
            }
            Stage::Deploying(_)
            | Stage::Paused { from: Resume::Deploying(_), .. }
            | Stage::Frozen { .. } => Use::Move,
            Stage::RollingBack(RollbackProgress { watching: Some(_), .. }) => Use::Return,
            Stage::RollingBack(_)
            | Stage::Preparing
            | Stage::Closed
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => Use::Ignore,
        }
    }

    /// Whether missing data mean anything at this stage.
    pub(super) const fn is_watched(&self) -> bool {
        // While traffic moves, the judge is asked as well.
        matches!(self.purpose(), Use::Watch | Use::Move)
    }

    /// Folds the opening line.
    pub(super) fn open(&mut self, plan: &Plan, at: Timestamp) {
        self.seq = 1;
        self.at = Some(at);
        self.looked_at = Some(at);
        self.open_agenda(plan, at);
        self.note_outage(at, true);
    }

    /// Folds an input that was checked; `author`: it comes from the author of the fix. It is the
    /// first half of an event, and cannot fail.
    pub(super) fn fold(
        &mut self,
        plan: &Plan,
        at: Timestamp,
        input: &Input,
        author: bool,
    ) -> Resolved {
        self.readiness.fold(plan, at, input, author);
        match &input.command {
            Command::Observe { metrics } => {
                let purpose = self.purpose();
                if purpose == Use::Ignore {
                    self.keep_verdict();
                }
                self.judge.take(at, self.share, metrics, purpose);
                self.end_phase(at);
            }
            Command::Tick => self.end_phase(at),
            Command::Confirm { action } => {
                let act = self.resolve(*action);
                let share = match &act {
                    Some(Act::SetTraffic { share }) => *share,
                    Some(Act::RollBack { .. }) => Share::NONE,
                    _ => self.share,
                };
                if share != self.share {
                    self.share = share;
                    self.judge.move_traffic(at);
                }
                return act;
            }
            Command::Failed { action, .. } => return self.resolve(*action),
            Command::SetFacts { .. } => self.note_outage(at, false),
            Command::Approve { .. }
            | Command::Deny { .. }
            | Command::Withdraw { .. }
            | Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::SetSeverity { .. }
            | Command::Release { .. }
            | Command::Start
            | Command::Promote { .. }
            | Command::Hold { .. }
            | Command::Pause { .. }
            | Command::Resume { .. }
            | Command::Abort { .. }
            | Command::RollBack { .. }
            | Command::Revert { .. }
            | Command::Supersede { .. }
            | Command::Retry { .. }
            | Command::Report { .. }
            | Command::Acknowledge { .. }
            | Command::Done { .. }
            | Command::SetTimes { .. }
            | Command::Note { .. } => {}
        }
        None
    }

    /// Notifies the judge when the least time of a watched phase is over.
    fn end_phase(&mut self, at: Timestamp) {
        if let Stage::Monitoring(step) = &self.stage {
            self.judge.end_phase(at, step.index, step.since);
        }
    }

    /// Removes an action from the pending ones.
    fn resolve(&mut self, id: ActionId) -> Resolved {
        self.overtaken.retain(|overtaken| *overtaken != id);
        let place = self.pending.iter().position(|action| action.id == id)?;
        Some(self.pending.remove(place).act)
    }

    /// Whether the result of this action is awaited, or may still come.
    pub(super) fn may_end(&self, id: ActionId) -> bool {
        self.pending.iter().any(|action| action.id == id) || self.overtaken.contains(&id)
    }

    /// Folds the recorded outcome: the second half of an event.
    pub(super) fn settle(
        &mut self,
        plan: &Plan,
        at: Timestamp,
        input: &Input,
        to: &mut Option<Stage>,
        actions: &[Action],
        judged: Option<Question>,
    ) {
        if let Some(key) = &input.key {
            self.keys.remember(key, input.command.kind(), actions);
        }
        self.last.clear();
        self.last.extend_from_slice(actions);
        self.at = Some(at);
        if matches!(input.command, Command::Observe { .. } | Command::Tick) {
            self.looked_at = self.at;
        }
        self.seq += 1;
        self.interventions.note(at, input);
        self.note_objection(plan.policy(), &input.command);
        let notifies = matches!(
            input.command.kind(),
            InputKind::Approve | InputKind::SetSeverity | InputKind::SetFacts
        );
        // As recorded: an earlier release notified nobody when the severity changed.
        if notifies
            && actions.iter().any(|action| matches!(action.act, Act::Page { duty: None, .. }))
        {
            self.readiness.note_notified(plan.policy(), self.at);
        }
        if judged.is_some() {
            self.judge.note(at, &self.verdict);
            // Where a failure is not rolled back automatically, a person was asked. After
            // completion the same verdict does not overrule the person who promoted in spite of it.
            let asks = actions.iter().any(|action| matches!(action.act, Act::AskDecision { .. }));
            let accepted = matches!(self.stage, Stage::Complete { .. }) && self.asked && !asks;
            self.objected |= self.verdict.decision == Decision::RollBack && !accepted;
            self.question = judged;
            // At the end a person is asked although nothing is wrong, and may take a few ticks to
            // answer.
            let at_the_end = matches!(self.stage, Stage::FinalValidation { .. })
                && self.verdict.decision == Decision::Promote;
            // Where the policy waits for a person, one question stays open until the verdict
            // changes.
            let is_open = matches!(self.verdict.decision, Decision::Ask | Decision::RollBack);
            if !is_open && !at_the_end {
                self.asked = false;
            }
        }
        let by_time = matches!(input.command, Command::Observe { .. } | Command::Tick);
        let is_settled = to.is_some() || self.is_settled_by(&input.command);
        if let Some(to) = to.take() {
            self.enter(at, to);
            self.asked |= self.is_answered(&input.command);
        }
        if is_settled || !self.needs_answer() {
            self.unanswered = None;
        }
        if is_settled || !by_time {
            let is_over = self.stage.is_final();
            self.readiness.see_requests(plan.policy(), at, is_over);
        }
        for action in actions {
            match &action.act {
                // A page about an approval or a duty is not a question about the rollout.
                Act::Page { .. } if notifies => {}
                Act::Page { duty: Some(_), .. } => {}
                Act::AskDecision { question } => {
                    self.asked = true;
                    self.note_question(at, question);
                }
                Act::Page { .. } => self.asked = true,
                Act::UpdateStatusPage { .. } => self.on_status_page = true,
                Act::RequestApproval { .. } => self.readiness.note_requests(plan.policy(), at),
                act if act.awaits() => {
                    self.pending.push(action.clone());
                    self.pending_since = Some(at);
                }
                _ => {}
            }
        }
        if self.pending.is_empty() {
            self.pending_since = None;
        }
    }

    /// Records what stops automatic promotion, and what allows it again.
    fn note_objection(&mut self, policy: &Policy, command: &Command) {
        match command {
            Command::Hold { .. } => self.objected = true,
            Command::Report { signal, .. } => {
                // Also a response `roll_back` where a failure asks.
                self.objected |= policy.triggers().response(*signal) >= Response::Ask;
            }
            Command::Deny { .. } | Command::Withdraw { .. } => {
                self.objected |= !matches!(self.stage, Stage::Preparing);
            }
            Command::Release { .. }
            | Command::Start
            | Command::Promote { .. }
            | Command::Supersede { .. }
            | Command::Retry { .. } => self.objected = false,
            Command::Approve { .. }
            | Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::Confirm { .. }
            | Command::Failed { .. }
            | Command::Observe { .. }
            | Command::Tick
            | Command::Pause { .. }
            | Command::Resume { .. }
            | Command::Abort { .. }
            | Command::RollBack { .. }
            | Command::Revert { .. }
            | Command::SetSeverity { .. }
            | Command::SetFacts { .. }
            | Command::Acknowledge { .. }
            | Command::Done { .. }
            | Command::SetTimes { .. }
            | Command::Note { .. } => {}
        }
    }

    /// The phase that is watched; None outside of a phase's watch.
    pub(super) const fn watched_step(&self) -> Option<Step> {
        match &self.stage {
            Stage::Monitoring(step)
            | Stage::Gate { step, .. }
            | Stage::Paused { from: Resume::Monitoring(step) | Resume::Gate(step), .. } => {
                Some(*step)
            }
            _ => None,
        }
    }

    fn enter(&mut self, at: Timestamp, to: Stage) {
        let was_watched = self.watched_step().is_some();
        let still_watched =
            matches!(to, Stage::Monitoring(_) | Stage::Gate { .. } | Stage::Paused { .. });
        let is_new_attempt = matches!(to, Stage::Preparing);
        if let Some(step) = self.watched_step().filter(|_| !still_watched && !is_new_attempt) {
            let record = self.judge.record_phase(step.index, step.since, Some(at), self.share);
            self.phases.push(record);
        }
        match (&self.stage, &to) {
            (_, Stage::Deploying(step)) => self.judge.enter_phase(step.index),
            (_, Stage::Monitoring(_) | Stage::Paused { from: Resume::Monitoring(_), .. })
                if !was_watched =>
            {
                self.question = None;
                self.judge.start_phase(at);
            }
            (Stage::RollingBack(before), Stage::RollingBack(now)) => {
                if before.watching.is_none() && now.watching.is_some() {
                    self.judge.start_phase(at);
                } else if before.method != now.method
                    || before.why != now.why
                    || before.returning != now.returning
                {
                    self.overtake();
                }
            }
            (_, Stage::RollingBack(_)) => {
                self.keep_verdict();
                self.overtake();
            }
            // Pending actions may still happen: their result shows where the traffic is.
            (_, Stage::Frozen { .. }) => self.keep_verdict(),
            (Stage::Frozen { .. }, Stage::Preparing) => {
                // Traffic is not withdrawn there, so a pending change may still be confirmed.
                let moves = |action: &Action| matches!(action.act, Act::SetTraffic { .. });
                let (under_way, gone): (Vec<_>, Vec<_>) = self.pending.drain(..).partition(moves);
                self.pending = under_way;
                self.overtaken.extend(gone.iter().map(|action| action.id));
            }
            (_, Stage::Preparing) => self.overtake(),
            _ => {}
        }
        self.asked &= self.stage.goes_on_as(&to);
        self.turned_back_at = to.has_turned_back().then(|| self.turned_back_at.unwrap_or(at));
        self.turned_back_for = match &to {
            Stage::RollingBack(RollbackProgress { why, .. }) | Stage::Frozen { why, .. } => {
                Some(why.clone())
            }
            Stage::Aborted => self.turned_back_for.take().or(Some(RollbackCause::Abort)),
            Stage::RolledBack | Stage::Failed => self.turned_back_for.take(),
            _ => None,
        };
        self.stage = to;
    }

    /// Whether a person promoted in spite of a bad verdict: then the same verdict does not ask
    /// again until the next phase is watched.
    const fn is_answered(&self, command: &Command) -> bool {
        matches!(command, Command::Promote { .. })
            && matches!(self.verdict.decision, Decision::Ask | Decision::RollBack)
            && matches!(
                self.stage,
                Stage::Deploying(_) | Stage::FinalValidation { .. } | Stage::Complete { .. }
            )
    }

    /// Supersedes the pending actions: a late result changes nothing.
    fn overtake(&mut self) {
        self.overtaken.extend(self.pending.drain(..).map(|action| action.id));
    }

    /// Whether a refusal of this code has not been logged in this minute.
    pub(super) fn is_news(&self, code: &str, at: Timestamp) -> bool {
        let minute = at.as_millis().div_euclid(60_000);
        !self.refusals.iter().any(|(known, last)| known == code && *last == minute)
    }

    /// Folds a logged refusal: only the record of refusals changes.
    pub(super) fn note_refusal(&mut self, code: &str, at: Timestamp) {
        let minute = at.as_millis().div_euclid(60_000);
        self.seq += 1;
        match self.refusals.iter_mut().find(|(known, _)| known == code) {
            Some((_, last)) => *last = minute,
            None => self.refusals.push((code.to_owned(), minute)),
        }
    }
}
