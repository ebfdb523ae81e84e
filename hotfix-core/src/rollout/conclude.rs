//! What follows from an input: the decisions of the state machine, state by state. Reads the state,
//! writes [`Changes`].

use crate::deadline::Replan;
use crate::grade::{GateMode, OnFailure, Response, Signal, Strategy};
use crate::judge::Decision;
use crate::plan::Plan;
use crate::policy::section::Phase;
use crate::text::brief;
use crate::unit::{Share, Timestamp};

use super::action::{Act, ActionId, Audience, MessageKind};
use super::input::{Command, Input};
use super::stage::{Resume, RollbackCause, RollbackProgress, Stage, Step};
use super::state::{Objection, Question, Resolved, RolloutState};
use super::{describe, poll};

/// Who is notified of the rollout's progress; what concerns responders alone goes to them alone.
pub(super) const FOLLOWERS: [Audience; 2] = [Audience::Responders, Audience::Stakeholders];

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
    /// How many causes of the verdict, the first ones, lead to its decision.
    leading: usize,
}

impl Changes {
    /// Whether a person is asked.
    pub(super) fn asks(&self) -> bool {
        self.questions().next().is_some()
    }

    pub(super) fn questions(&self) -> impl Iterator<Item = &str> {
        self.acts.iter().filter_map(|act| match act {
            Act::AskDecision { question } => Some(question.as_str()),
            _ => None,
        })
    }

    pub(super) fn clear(&mut self) {
        self.to = None;
        self.acts.clear();
        self.replans.clear();
        self.judged = None;
        self.turned = false;
        self.leading = 0;
    }

    /// Notes a verdict: the question that it answers, how many of its causes lead to its decision,
    /// and the decisions `before` and `now`.
    pub(super) fn judge(
        &mut self,
        (question, leading): (Question, usize),
        before: Decision,
        now: Decision,
    ) {
        // A verdict that is less severe than the one asked about does not repeat the question.
        let is_milder = before == Decision::RollBack && now == Decision::Ask;
        self.turned = now != before && !is_milder;
        self.judged = Some(question);
        self.leading = leading;
    }
}

/// Decides: reads plan and state, and writes the changes. What it raises is in `raise.rs`, the
/// questions to people in `question.rs`, the steps of a rollback in `rollback.rs`.
pub(super) struct Conclusion<'a> {
    pub(super) plan: &'a Plan,
    pub(super) case: &'a RolloutState,
    pub(super) changes: &'a mut Changes,
}

impl Conclusion<'_> {
    /// Decides what follows from a folded input; `resolved`: the result of the fold.
    pub(super) fn decide(&mut self, at: Timestamp, input: &Input, resolved: &Resolved) {
        let (command, Resolved { act, relapse }) = (&input.command, resolved);
        self.ask_for_approvals(command);
        match command {
            Command::Start => self.start(at),
            Command::Confirm { action, .. } => self.confirmed(at, *action, act.as_ref()),
            Command::Failed { action, why } => {
                self.failed(at, *action, act.as_ref(), why.as_deref());
            }
            Command::Observe { .. } | Command::Tick => {
                self.watch(at);
                self.ask_before_start(at, false);
                self.ask_again(at);
                self.correct_end(at);
                if matches!(command, Command::Observe { .. }) {
                    self.notify_out_of_reach(at);
                }
            }
            Command::Promote { .. } => match *self.case.place.stage() {
                Stage::FinalValidation { .. } => self.complete(at),
                Stage::Complete { ending: Some(_), .. } => {
                    self.act(Act::SetTraffic { share: Share::ALL });
                }
                Stage::Gate { step, .. } | Stage::Monitoring(step) => self.pass(at, step.index),
                // The answer settles an objection, and the watch continues; once its last window is
                // over, the watch ends.
                Stage::Complete { since, ending: None } if self.watch_is_over(at, since) => {
                    self.end_watch(at, since, None);
                }
                _ => {}
            },
            Command::Hold { .. } => self.hold(at),
            Command::Pause { why } => {
                let paused = format!("the rollout is paused{}", describe::given(why.as_deref()));
                self.pause(at, &paused);
            }
            Command::Resume { .. } => self.resume(at),
            Command::Abort { why } => self.abort(at, why.as_deref()),
            Command::RollBack { .. } => self.begin_rollback(at, RollbackCause::Person),
            Command::Revert { version, .. } => {
                self.begin_rollback(at, RollbackCause::Revert { version: version.clone() });
            }
            Command::Release { .. } | Command::Supersede { .. } | Command::Retry { .. } => {
                self.begin_attempt();
            }
            Command::Report { signal, note } => {
                let reported = describe::reported(signal.as_str(), note.as_deref());
                match self.response_to(*signal) {
                    Response::RollBack => {
                        let why = RollbackCause::Signal { signal: *signal };
                        self.fail(at, why, Some(reported));
                    }
                    // During a rollback the question is settled, and nobody is paged about it
                    // again.
                    Response::Ask if matches!(self.case.place.stage(), Stage::RollingBack(_)) => {}
                    Response::Ask => self.object(at, command),
                    Response::Hold => {
                        self.pause(at, &format!("{reported}, and the rollout is paused"));
                    }
                    Response::Continue => {}
                }
            }
            Command::Approve { role, .. } => {
                self.notify_approval(at, Some(*role));
                self.request_another(*role);
            }
            // An earlier statement may be the approval that the new severity needs.
            Command::SetSeverity { .. } | Command::SetFacts { .. } => {
                if !self.case.state(self.plan).is_final() {
                    self.notify_approval(at, None);
                }
                self.ask_whether_it_is_back(at, command, relapse);
                self.ask_with_other_answers(at);
            }
            // Before the start a denial or withdrawal is a blocker.
            Command::Deny { .. } | Command::Withdraw { .. } if self.case.place.stage().is_out() => {
                self.object(at, command);
            }
            Command::Deny { .. }
            | Command::Withdraw { .. }
            | Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::Acknowledge { .. }
            | Command::Done { .. }
            | Command::SetTimes { .. }
            | Command::Note { .. } => {}
        }
        self.ask_before_start(at, matches!(command, Command::Deny { .. }));
        if self.deployment_is_late_now(at) && self.changes.to.is_none() && !self.changes.asks() {
            let question = self.question_about_verdict(at);
            self.ask(&question);
        }
    }

    /// Requests approvals with the first input, and where changed severity or facts demand more;
    /// not once the incident has ended without a fix.
    fn ask_for_approvals(&mut self, command: &Command) {
        let is_first = self.case.place.seq() == 1
            && !command.changes_the_plan()
            && !matches!(command, Command::Abort { .. });
        let changes = matches!(command, Command::SetSeverity { .. } | Command::SetFacts { .. });
        if is_first || changes && !self.case.has_ended() {
            self.request_approvals();
        }
    }

    /// The policy's response to a signal. Where no traffic has moved there is nothing to roll back:
    /// a person decides whether to start.
    fn response_to(&self, signal: Signal) -> Response {
        let response = self.case.place.stage().response_to(self.plan.policy(), signal);
        let is_out =
            !matches!(self.case.place.stage(), Stage::Preparing) || self.case.has_traffic();
        if is_out { response } else { response.min(Response::Ask) }
    }

    /// Asks a person about a report, or about a denial or withdrawn approval while the fix is being
    /// deployed or live. The question repeats earlier objections that nobody has answered.
    fn object(&mut self, at: Timestamp, stated: &Command) {
        let open = self.case.people.unanswered();
        let mut all = open.map_or_else(Vec::new, |open| open.stated.clone());
        if let Some(objection) = Objection::of(stated) {
            objection.add_to(&mut all);
        }
        let stated = self.case.stated(&all).unwrap_or_default();
        self.ask(&format!("{stated}. {}", self.choices(at, true)));
        self.end_veto();
    }

    /// Ends the veto window after an objection: from here on a person has to promote.
    pub(super) fn end_veto(&mut self) {
        if let Stage::Gate { step, until: Some(_) } = *self.case.place.stage() {
            self.changes.to = Some(Stage::Gate { step, until: None });
        }
    }

    /// Holds the phase: whoever held it may leave, so in a veto window somebody is asked to promote it.
    fn hold(&mut self, at: Timestamp) {
        self.end_veto();
        if let Stage::Gate { step, until: Some(_) } = *self.case.place.stage() {
            self.ask(&format!("phase `{}` is held. {}", step.phase, self.choices(at, true)));
        }
    }

    pub(super) fn phase_at(&self, index: usize) -> Option<&Phase> {
        self.plan.policy().phases().get(index)
    }

    fn step(&self, index: usize, since: Timestamp) -> Option<Step> {
        self.phase_at(index).map(|phase| Step { index, phase: phase.name, since })
    }

    fn start(&mut self, at: Timestamp) {
        // Without a release the start is blocked.
        let Some(release) = self.plan.release() else { return };
        let version = release.version.clone();
        self.notify(MessageKind::DeploymentStarted, &FOLLOWERS);
        self.changes.to = self.step(0, at).map(Stage::Deploying);
        match self.plan.policy().strategy() {
            // Traffic moves once the version is deployed. Blue-green deploys it to the idle side;
            // with rolling and immediate the shares of the phases say how much has it.
            Strategy::Canary | Strategy::BlueGreen | Strategy::Rolling | Strategy::Immediate => {
                self.act(Act::Deploy { version, validate: self.plan.validations().to_vec() });
            }
            // With a feature flag the version is deployed already.
            Strategy::FeatureFlag => self.move_traffic(0),
        }
        self.name_silence(at);
        self.name_objections();
    }

    fn move_traffic(&mut self, index: usize) {
        if let Some(share) = self.phase_at(index).map(|phase| phase.share) {
            self.act(Act::SetTraffic { share });
        }
    }

    fn confirmed(&mut self, at: Timestamp, id: ActionId, resolved: Option<&Act>) {
        match (resolved, self.case.place.stage()) {
            (Some(Act::Deploy { .. }), Stage::Deploying(step)) => self.move_traffic(step.index),
            // A pause holds: the traffic is asked for with `resume`.
            (Some(Act::Deploy { .. }), Stage::Paused { since, from: Resume::Deploying(step) }) => {
                let from = Resume::Deployed(*step);
                self.changes.to = Some(Stage::Paused { since: *since, from });
            }
            (Some(Act::SetTraffic { .. }), Stage::Deploying(step)) => {
                self.changes.to = Some(Stage::Monitoring(Step { since: at, ..*step }));
            }
            (
                Some(Act::SetTraffic { .. }),
                Stage::Paused { since, from: Resume::Deploying(step) },
            ) => {
                let from = Resume::Monitoring(Step { since: at, ..*step });
                self.changes.to = Some(Stage::Paused { since: *since, from });
            }
            (Some(act), Stage::RollingBack(progress)) => {
                self.rollback_confirmed(at, act, progress);
            }
            (Some(Act::SetTraffic { .. }), Stage::Frozen { .. }) => self.frozen_confirmed(),
            // The rollback that superseded this change of traffic has failed.
            (None, Stage::Frozen { .. }) if self.case.actions.is_unsettled(id) => {
                self.frozen_confirmed();
            }
            (None, _) => self.confirmed_too_late(id),
            // The hold-back has the fix as well: nothing is left to compare with.
            (Some(Act::SetTraffic { .. }), &Stage::Complete { since, .. }) => {
                let closes = !self.case.is_kept_open() && self.watch_is_over(at, since);
                let goes_on = Stage::Complete { since, ending: None };
                self.changes.to = Some(if closes { Stage::Closed } else { goes_on });
            }
            // A superseded action's late result, or one that no stage waits for.
            _ => {}
        }
    }

    /// Decides what follows from a failed action; `resolved` is None for a superseded one. `why`: the reason.
    fn failed(&mut self, at: Timestamp, id: ActionId, resolved: Option<&Act>, why: Option<&str>) {
        let failed = |act| describe::failed(id, act, why);
        // Readings show requests of the fix although no traffic was confirmed.
        let is_read = self.case.sees_unconfirmed_traffic();
        let goes_back = is_read && self.plan.on_failure() == OnFailure::RollBack
            || self.plan.is_deployed_by_merge();
        match (resolved, self.case.place.stage()) {
            (Some(act), Stage::RollingBack(progress)) => self.rollback_failed(at, act, progress),
            // The former release keeps its traffic: roll back to the previous version.
            (Some(Act::SetTraffic { share: Share::NONE }), Stage::Preparing) => {
                self.roll_back_now(at, RollbackCause::ActionFailed);
            }
            (Some(act @ Act::SetTraffic { .. }), Stage::Complete { .. }) => {
                let (failed, share) = (failed(act), self.case.reach());
                let version = brief(self.version());
                let choices = if self.case.people.train_rolls_back() {
                    self.choices(at, true)
                } else {
                    "Send `promote` to try again, or `roll_back`.".to_owned()
                };
                self.ask(&format!("{failed}, and {version} has {share} of the traffic. {choices}"));
            }
            (Some(act @ Act::Deploy { .. }), _) if !self.case.has_traffic() && !goes_back => {
                let ended = if is_read {
                    let version = brief(self.version());
                    format!(
                        ", and the rollout ended, but requests of {version} are read: remove it by hand"
                    )
                } else {
                    " before any traffic moved, and the rollout ended".to_owned()
                };
                let failed = failed(act);
                let merged = if self.plan.is_merged_first() {
                    " By the plan the fix is on the branch that is deployed: unless it is tried again, revert \
                     it there, or the next deployment has it."
                } else {
                    ""
                };
                self.changes.to = Some(Stage::Failed);
                self.notify(MessageKind::Update, &FOLLOWERS);
                self.page(&format!(
                    "{failed}{ended}.{merged} Find the cause, then send `retry`; if the incident is over, \
                     send `set_times` with `resolved`."
                ));
            }
            // A change of traffic that a freeze left pending: a person has to act in any case.
            (Some(Act::SetTraffic { .. }), Stage::Preparing) => {}
            (Some(act @ (Act::Deploy { .. } | Act::SetTraffic { .. })), _) => {
                self.fail(at, RollbackCause::ActionFailed, Some(failed(act)));
            }
            _ => {}
        }
    }

    /// Decides what follows from a verdict, or from time that has passed.
    fn watch(&mut self, at: Timestamp) {
        let decision = self.case.judged.verdict().decision;
        let asked_before = self.changes.acts.len();
        if self.changes.judged.is_some() && decision == Decision::RollBack {
            let causes = self.case.judged.verdict().causes.clone();
            self.fail(at, RollbackCause::Verdict { causes }, None);
            if self.changes.to.is_some() {
                return;
            }
        }
        // While it is frozen, somebody was paged and acts.
        let frozen = matches!(self.case.place.stage(), Stage::Frozen { .. });
        let asks = self.changes.judged.is_some() && decision == Decision::Ask && !frozen;
        let asks = asks && self.is_news(at);
        // A question that is raised now keeps the watch after the completion open.
        let asks_now = asks || self.changes.acts.len() > asked_before;
        match self.case.place.stage() {
            &Stage::Monitoring(step) if decision == Decision::Promote => self.reach_gate(at, step),
            // Where a hold has outlasted the veto window, a new window is announced.
            &Stage::Gate { step, until: Some(until) }
                if at >= until && decision == Decision::Promote =>
            {
                let is_announced = self.case.place.comes_now(at, until);
                if is_announced && !self.case.people.bars_promotion() {
                    self.pass(at, step.index);
                } else {
                    self.reach_gate(at, step);
                }
            }
            Stage::FinalValidation { .. } if decision == Decision::Promote => self.validate(at),
            // An objection or a question ends only when a person answers it.
            &Stage::Complete { since, ending }
                if !self.case.is_kept_open() && !asks_now && self.watch_is_over(at, since) =>
            {
                self.end_watch(at, since, ending);
            }
            Stage::RollingBack(progress) => self.watch_recovery(at, progress),
            _ => {}
        }
        self.await_traffic(at);
        // A question about the verdict names a late deployment as well.
        if asks || !asks_now && self.deployment_is_late_now(at) {
            let question = self.question_about_verdict(at);
            self.ask(&question);
        }
    }

    /// Whether people are asked about the verdict: it turned, nobody was asked so far, a leading
    /// cause is new, or the minimum time of the final validation ends now.
    pub(super) fn is_news(&self, at: Timestamp) -> bool {
        let people = &self.case.people;
        let mut leading = self.case.judged.verdict().causes.iter().take(self.changes.leading);
        self.changes.turned
            || !people.asked()
            || leading.any(|cause| people.is_news(cause))
            || self.case.place.validation_ends(self.plan.policy(), at)
    }

    fn watch_is_over(&self, at: Timestamp, since: Timestamp) -> bool {
        poll::watch_is_over(self.plan.policy(), &self.case.agenda, at, since)
    }

    /// Says that the incident is open again, to all who read that it was resolved. Where the fix is being
    /// deployed or live, a person is asked whether to go on; where nothing is being done, somebody is paged.
    pub(super) fn reopen(&mut self, at: Timestamp) {
        self.notify_readers(MessageKind::Update, &FOLLOWERS, true);
        let stage = self.case.place.stage();
        if stage.is_out() {
            self.ask(&self.reopened(at));
            self.end_veto();
        } else if stage.is_final() {
            self.page(
                "the incident is open again, and no fix is live. Find the cause, then send `retry`; if \
                 the incident is over, send `set_times` with `resolved`.",
            );
        }
    }

    /// Whether the action that the deployment waits for is late from this input on.
    fn deployment_is_late_now(&self, at: Timestamp) -> bool {
        let Stage::Deploying(step) = *self.case.place.stage() else { return false };
        let late = poll::late_deployment_at(self.plan.policy(), self.case, step);
        let is_now = |late| at >= late && self.case.place.at().is_none_or(|last| last < late);
        late.is_some_and(is_now)
    }

    /// Pages somebody where a change of traffic is late: one that withdraws a former release, or
    /// that ends a hold-back. Nothing is watched until it is confirmed.
    fn await_traffic(&mut self, at: Timestamp) {
        let late = poll::late_traffic_at(self.plan.policy(), self.case);
        if late.is_some_and(|late| self.case.place.comes_now(at, late)) {
            let within = self.plan.policy().rollback().returned_within;
            let Some((id, act)) = self.awaited() else { return };
            self.page(&describe::unconfirmed(self.plan.policy(), id, act, within));
        }
    }

    /// The gate mode in force: manual after an objection or a verdict that demands a rollback, else
    /// the planned one.
    fn gate_mode(&self, planned: GateMode) -> GateMode {
        if self.case.people.bars_promotion() { GateMode::Manual } else { planned }
    }

    fn passes_by_itself(&self, step: Step) -> bool {
        let phase = self.phase_at(step.index);
        phase.is_some_and(|phase| self.gate_mode(phase.gate) == GateMode::Automatic)
    }

    /// Opens the gate of a phase that has met its criteria, or passes it.
    fn reach_gate(&mut self, at: Timestamp, step: Step) {
        let Some(phase) = self.phase_at(step.index) else { return };
        let (gate, veto) = (phase.gate, phase.veto);
        match self.gate_mode(gate) {
            GateMode::Automatic => self.pass(at, step.index),
            GateMode::Manual => {
                self.changes.to = Some(Stage::Gate { step, until: None });
                self.ask(&self.question_at_the_gate(step));
            }
            GateMode::Veto => {
                let until = at + veto;
                self.changes.to = Some(Stage::Gate { step, until: Some(until) });
                self.ask(&self.question_in_the_window(at, step, until));
            }
        }
    }

    /// Promotes a phase: to the next one, or to the final validation.
    fn pass(&mut self, at: Timestamp, index: usize) {
        self.notify(MessageKind::PhasePassed, &[Audience::Responders]);
        self.changes.to = match self.step(index + 1, at) {
            Some(next) => {
                self.move_traffic(next.index);
                Some(Stage::Deploying(next))
            }
            None => Some(Stage::FinalValidation { since: at }),
        };
    }

    /// The metrics pass the final validation: completes it, or asks for what people have to
    /// confirm.
    fn validate(&mut self, at: Timestamp) {
        if poll::ends_by_itself(self.plan, self.case) {
            self.complete(at);
        } else if !self.case.people.asked() || self.changes.turned {
            let question = self.question_about_the_end();
            self.ask(&question);
        }
    }

    fn complete(&mut self, at: Timestamp) {
        self.changes.to = Some(Stage::Complete { since: at, ending: None });
    }

    /// Ends the last watch window. The traffic that was held back for comparison gets the fix
    /// first.
    fn end_watch(&mut self, at: Timestamp, since: Timestamp, ending: Option<Timestamp>) {
        if self.case.place.share() == Share::ALL {
            self.changes.to = Some(Stage::Closed);
        } else if ending.is_none() {
            self.act(Act::SetTraffic { share: Share::ALL });
            self.changes.to = Some(Stage::Complete { since, ending: Some(at) });
        }
    }

    /// Returns to the preparation of a start. Traffic that the former release has is withdrawn,
    /// except where the rollout is frozen: there the old version may not be able to serve it.
    fn begin_attempt(&mut self) {
        let frozen = matches!(self.case.place.stage(), Stage::Frozen { .. });
        if self.case.has_traffic() && !frozen {
            self.act(Act::SetTraffic { share: Share::NONE });
        }
        self.changes.to = Some(Stage::Preparing);
        // Another attempt is announced only to followers who have read of the incident. Where it
        // reopens a resolved incident, everybody who read of the end reads of it.
        let mut readers = FOLLOWERS.to_vec();
        readers.retain(|audience| self.case.has_read(*audience));
        let reopens = self.case.place.stage().is_final() && self.case.is_resolved();
        self.notify_readers(MessageKind::Update, &readers, reopens);
        self.request_approvals();
    }

    /// Pauses, and asks when to continue; `what`: the reason.
    fn pause(&mut self, at: Timestamp, what: &str) {
        let from = match *self.case.place.stage() {
            Stage::Deploying(step) => Resume::Deploying(step),
            Stage::Monitoring(step) => Resume::Monitoring(step),
            Stage::Gate { step, .. } => Resume::Gate(step),
            Stage::FinalValidation { since } => Resume::FinalValidation { since },
            _ => return,
        };
        self.changes.to = Some(Stage::Paused { since: at, from });
        self.ask(&format!("{what}. {}", self.after_pause()));
    }

    fn resume(&mut self, at: Timestamp) {
        let Stage::Paused { since, from } = *self.case.place.stage() else { return };
        // A pause does not count as watched time, from its start or that of a phase that began in it.
        let later =
            |step: Step| Step { since: step.since + at.since(since.max(step.since)), ..step };
        self.changes.to = Some(match from {
            Resume::Deploying(step) => Stage::Deploying(later(step)),
            Resume::Deployed(step) => {
                self.move_traffic(step.index);
                Stage::Deploying(later(step))
            }
            Resume::Monitoring(step) => Stage::Monitoring(later(step)),
            // The pause has answered the gate's question, so it is asked again. A phase that needs
            // no person is watched until the next good reading passes it.
            Resume::Gate(step) if self.passes_by_itself(step) => Stage::Monitoring(later(step)),
            Resume::Gate(step) => return self.reach_gate(at, later(step)),
            Resume::FinalValidation { since: validated } => {
                Stage::FinalValidation { since: validated + at.since(since) }
            }
        });
        if let Some(open) = self.case.people.set_aside() {
            self.act(Act::AskDecision { question: open.repeated(&open.text) });
        }
        // The pause has answered the question about a late deployment, so it is asked again.
        if let Resume::Deploying(step) = from
            && let Some(text) = self.stalled(at, later(step))
        {
            self.ask(&text);
        }
    }

    fn abort(&mut self, at: Timestamp, why: Option<&str>) {
        match self.case.place.stage() {
            // Traffic that an earlier attempt has, or may still get, is rolled back first.
            Stage::Preparing if self.case.has_traffic() => {
                self.roll_back_now(at, RollbackCause::Abort);
            }
            Stage::Preparing => {
                self.changes.to = Some(Stage::Aborted);
                self.stop_before_start(why);
            }
            Stage::RollingBack(progress) => {
                self.changes.to =
                    Some(Stage::RollingBack(RollbackProgress { abort: true, ..progress.clone() }));
            }
            _ => self.begin_rollback(at, RollbackCause::Abort),
        }
    }
}
