//! What follows from an input: the machine's decisions, state by state. Reads the case, writes [`Changes`].

use crate::gate::approval::demands;
use crate::grade::{GateMode, Response, RollbackMethod, Strategy};
use crate::judge::Decision;
use crate::policy::section::{Phase, Rollback};
use crate::unit::{RoleName, Share, Timestamp};

use super::Rollout;
use super::action::{Act, Audience, MessageKind};
use super::explain::Question;
use super::input::Command;
use super::state::{Resume, RollbackCause, Stage, Step, WayBack};

impl Rollout {
    /// Concludes one input that was folded. `resolved` is the action that a `confirm` or `failed` was about.
    pub(super) fn conclude(&mut self, at: Timestamp, command: &Command, resolved: Option<&Act>) {
        // A severity that rises asks more people; nobody is asked twice.
        if self.case.seq == 1
            || matches!(command, Command::SetSeverity { .. } | Command::SetFacts { .. })
        {
            self.request_approvals();
        }
        match command {
            Command::Start => self.start(at),
            Command::Confirm { .. } => self.confirmed(at, resolved),
            Command::Failed { .. } => self.failed(at, resolved),
            Command::Observe { .. } | Command::Tick => {
                self.assess(at);
                self.watch(at);
            }
            Command::Promote { .. } => match self.case.stage {
                Stage::FinalValidation { .. } => self.complete(at),
                Stage::Gate { step, .. } | Stage::Monitoring(step) => self.pass(at, step.index),
                _ => {}
            },
            Command::Hold { .. } => {
                // An objection ends the veto window: from here a person says go.
                if let Stage::Gate { step, until: Some(_) } = self.case.stage {
                    self.changes.to = Some(Stage::Gate { step, until: None });
                }
            }
            Command::Pause { .. } => self.pause(at),
            Command::Resume { .. } => self.resume(at),
            Command::Abort { .. } => self.abort(at),
            Command::RollBack { .. } => self.go_back(at, RollbackCause::Person),
            Command::Revert { version, .. } => {
                self.go_back(at, RollbackCause::Revert { version: version.clone() });
            }
            Command::Report { signal, .. } => {
                match self.plan.policy().triggers().response(*signal) {
                    Response::RollBack => {
                        self.go_back(at, RollbackCause::Signal { signal: *signal });
                    }
                    Response::Ask => {
                        self.ask(format!("`{signal}` was reported: go on, or roll back?"));
                    }
                    Response::Hold => self.pause(at),
                    Response::Continue => {}
                }
            }
            Command::Approve { role, .. } => self.tell(at, *role),
            Command::Deny { role, .. } => self.doubt(*role, "denied the plan"),
            Command::Withdraw { role, .. } => self.doubt(*role, "took an approval back"),
            Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::SetSeverity { .. }
            | Command::SetFacts { .. }
            | Command::Note { .. } => {}
        }
    }

    fn act(&mut self, act: Act) {
        self.changes.acts.push(act);
    }

    fn notify(&mut self, message: MessageKind, audiences: &[Audience]) {
        for &audience in audiences {
            self.act(Act::Notify { audience, message });
        }
        self.act(Act::UpdateStatusPage { message });
    }

    fn ask(&mut self, question: String) {
        self.act(Act::AskDecision { question });
    }

    /// Whom to wake: whoever may approve first, else the incident commander.
    fn page(&mut self, why: String) {
        let first = demands(self.plan.policy(), self.severity()).next();
        let approver = first.and_then(|(_, demand)| demand.any_of.first()).copied();
        if let Some(role) = approver.or_else(|| RoleName::try_new("incident_commander").ok()) {
            self.act(Act::Page { role, why });
        }
    }

    fn request_approvals(&mut self) {
        if self.state().is_final() {
            return;
        }
        for any_of in self.case.readiness.unrequested(self.plan.policy()) {
            self.act(Act::RequestApproval { any_of });
        }
    }

    /// Whom the policy wants told of an approval hears of it as soon as the demand is met (GATE-1).
    fn tell(&mut self, at: Timestamp, role: RoleName) {
        for demand in self.case.readiness.untold(self.plan.policy(), Some(at)) {
            for told in demand.told {
                let why = format!("`{role}` approved the plan, and you are to know at once");
                self.act(Act::Page { role: told, why });
            }
        }
    }

    /// What was approved afterwards, or was to be, is doubted while the fix is on its way or live: a person decides.
    fn doubt(&mut self, role: RoleName, what: &str) {
        match self.case.stage {
            Stage::Deploying(_)
            | Stage::Monitoring(_)
            | Stage::Gate { .. }
            | Stage::FinalValidation { .. }
            | Stage::Complete { .. }
            | Stage::Paused { .. } => {
                self.ask(format!("`{role}` {what} after the start: go on, or roll back?"));
            }
            Stage::Preparing
            | Stage::Closed
            | Stage::RollingBack(_)
            | Stage::RolledBack
            | Stage::Frozen
            | Stage::Aborted
            | Stage::Failed => {}
        }
    }

    fn phase_at(&self, index: usize) -> Option<&Phase> {
        self.plan.policy().phases().get(index)
    }

    fn step(&self, index: usize, since: Timestamp) -> Option<Step> {
        self.phase_at(index).map(|phase| Step { index, phase: phase.name, since })
    }

    fn start(&mut self, at: Timestamp) {
        self.notify(
            MessageKind::DeploymentStarted,
            &[Audience::Responders, Audience::Stakeholders],
        );
        self.changes.to = self.step(0, at).map(Stage::Deploying);
        match self.plan.policy().strategy() {
            // Traffic moves once the version is there. With two sides it is deployed to the idle one, and instance by
            // instance or all at once are phases whose shares say how much has it.
            Strategy::Canary | Strategy::BlueGreen | Strategy::Rolling | Strategy::Immediate => {
                let version = self.plan.subject().release.version.clone();
                self.act(Act::Deploy { version });
            }
            // With a flag the version is there already.
            Strategy::FeatureFlag => self.move_traffic(0),
        }
    }

    fn move_traffic(&mut self, index: usize) {
        if let Some(share) = self.phase_at(index).map(|phase| phase.share) {
            self.act(Act::SetTraffic { share });
        }
    }

    fn confirmed(&mut self, at: Timestamp, resolved: Option<&Act>) {
        match (resolved, &self.case.stage) {
            (Some(Act::Deploy { .. }), stage) => {
                if let Some(step) = stage.step() {
                    self.move_traffic(step.index);
                }
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
            (Some(Act::RollBack { .. }), Stage::RollingBack(way)) => {
                let way = WayBack { watching: Some(at), ..way.clone() };
                self.changes.to = Some(Stage::RollingBack(way));
            }
            // A superseded action's late result, or one that no stage waits for.
            _ => {}
        }
    }

    fn failed(&mut self, at: Timestamp, resolved: Option<&Act>) {
        match (resolved, &self.case.stage) {
            (Some(Act::Deploy { .. }), _) if self.case.share == Share::NONE => {
                self.changes.to = Some(Stage::Failed);
                self.notify(MessageKind::Update, &[Audience::Responders, Audience::Stakeholders]);
                self.page("the deployment failed before any traffic moved".to_owned());
            }
            (Some(Act::Deploy { .. } | Act::SetTraffic { .. }), _) => {
                self.go_back(at, RollbackCause::ActionFailed);
            }
            (Some(Act::RollBack { .. }), Stage::RollingBack(way)) => {
                // Where a method fails the next is taken (PLAN-5).
                let next = WayBack { method: way.method + 1, ..way.clone() };
                self.try_method(next);
            }
            _ => {}
        }
    }

    /// Asks the judge, where something is watched.
    fn assess(&mut self, at: Timestamp) {
        let Some(question) = Question::of(&self.case, &self.plan, at) else { return };
        self.case.judge.assess(&question.moment(&self.plan), &mut self.case.verdict);
        self.changes.judged = Some(question);
    }

    /// What a verdict, or time, leads to.
    fn watch(&mut self, at: Timestamp) {
        let decision = self.case.verdict.decision;
        let stage = self.case.stage.clone();
        if self.changes.judged.is_some()
            && decision == Decision::RollBack
            && !matches!(stage, Stage::Frozen)
        {
            let causes = self.case.verdict.causes.clone();
            self.go_back(at, RollbackCause::Verdict { causes });
            return;
        }
        match stage {
            Stage::Monitoring(step) if decision == Decision::Promote => self.reach_gate(at, step),
            Stage::Gate { step, until: Some(until) }
                if at >= until && decision == Decision::Promote =>
            {
                self.pass(at, step.index);
            }
            Stage::FinalValidation { .. } if decision == Decision::Promote => {
                match self.plan.policy().final_validation().gate {
                    GateMode::Automatic | GateMode::Veto => self.complete(at),
                    GateMode::Manual if !self.case.asked => {
                        self.ask(
                            "the final validation is over: is the incident resolved?".to_owned(),
                        );
                    }
                    GateMode::Manual => {}
                }
            }
            Stage::Complete { since } => {
                let last = self.plan.policy().after().iter().map(|watch| watch.until).max();
                if last.is_none_or(|last| at.since(since) >= last) {
                    self.changes.to = Some(Stage::Closed);
                    self.notify(MessageKind::Resolved, &[Audience::Responders]);
                }
            }
            Stage::RollingBack(way) => self.watch_return(at, &way),
            _ => {}
        }
        if self.changes.judged.is_some() && decision == Decision::Ask && !self.case.asked {
            self.ask_about_verdict();
        }
    }

    fn ask_about_verdict(&mut self) {
        let causes: Vec<String> = self
            .case
            .verdict
            .causes
            .iter()
            .map(|cause| match cause.metric {
                Some(metric) => format!("{metric}: {}", cause.reason),
                None => cause.reason.to_string(),
            })
            .collect();
        self.ask(format!("go on, or roll back? {}", causes.join(", ")));
    }

    fn reach_gate(&mut self, at: Timestamp, step: Step) {
        let Some(phase) = self.phase_at(step.index) else { return };
        let (gate, veto) = (phase.gate, phase.veto);
        match gate {
            GateMode::Automatic => self.pass(at, step.index),
            GateMode::Manual => {
                self.changes.to = Some(Stage::Gate { step, until: None });
                self.ask(format!("phase `{}` has shown what it must: promote?", step.phase));
            }
            GateMode::Veto => {
                let until = at + veto;
                self.changes.to = Some(Stage::Gate { step, until: Some(until) });
                self.ask(format!(
                    "phase `{}` is promoted at {until} unless somebody holds it",
                    step.phase
                ));
            }
        }
    }

    /// A phase is passed: on to the next one, or to the final validation.
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

    fn complete(&mut self, at: Timestamp) {
        self.notify(MessageKind::Deployed, &[Audience::Responders, Audience::Stakeholders]);
        self.changes.to = Some(Stage::Complete { since: at });
    }

    fn pause(&mut self, at: Timestamp) {
        let from = match self.case.stage {
            Stage::Deploying(step) => Resume::Deploying(step),
            Stage::Monitoring(step) => Resume::Monitoring(step),
            Stage::Gate { step, .. } => Resume::Gate(step),
            Stage::FinalValidation { since } => Resume::FinalValidation { since },
            _ => return,
        };
        self.changes.to = Some(Stage::Paused { since: at, from });
    }

    fn resume(&mut self, at: Timestamp) {
        let Stage::Paused { since, from } = self.case.stage else { return };
        // Time in a pause is not time watched.
        let paused = at.since(since);
        let later = |step: Step| Step { since: step.since + paused, ..step };
        self.changes.to = Some(match from {
            Resume::Deploying(step) => Stage::Deploying(later(step)),
            Resume::Monitoring(step) => Stage::Monitoring(later(step)),
            Resume::Gate(step) => {
                let veto = self
                    .phase_at(step.index)
                    .filter(|p| p.gate == GateMode::Veto)
                    .map(|p| at + p.veto);
                Stage::Gate { step: later(step), until: veto }
            }
            Resume::FinalValidation { since } => Stage::FinalValidation { since: since + paused },
        });
    }

    fn abort(&mut self, at: Timestamp) {
        match &self.case.stage {
            Stage::Preparing => self.changes.to = Some(Stage::Aborted),
            Stage::RollingBack(way) => {
                self.changes.to = Some(Stage::RollingBack(WayBack { abort: true, ..way.clone() }));
            }
            _ => self.go_back(at, RollbackCause::Abort),
        }
    }

    /// The way back begins. One that is under way is not begun again, but a revert names another version.
    fn go_back(&mut self, at: Timestamp, why: RollbackCause) {
        let to_other_version = matches!(why, RollbackCause::Revert { .. });
        match &self.case.stage {
            Stage::Preparing
            | Stage::Closed
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => return,
            Stage::RollingBack(_) if !to_other_version => return,
            _ => {}
        }
        let abort = why == RollbackCause::Abort;
        let way = WayBack { abort, method: 0, since: at, watching: None, why };
        // The way back does not wait for messages.
        self.try_method(way);
        self.notify(MessageKind::RollingBack, &[Audience::Responders, Audience::Stakeholders]);
    }

    /// Tries one method, or says that there is none left.
    fn try_method(&mut self, way: WayBack) {
        if let Some(act) = self.method(&way) {
            self.changes.to = Some(Stage::RollingBack(way));
            self.act(act);
        } else {
            self.changes.to = Some(Stage::Frozen);
            self.page("every way back has failed: a person has to act".to_owned());
        }
    }

    /// The method that this way back is at. A version other than the previous one can only be deployed.
    fn method(&self, way: &WayBack) -> Option<Act> {
        let previous = &self.plan.subject().release.previous;
        match &way.why {
            RollbackCause::Revert { version } if version != previous => {
                (way.method == 0).then(|| Act::RollBack {
                    method: RollbackMethod::Redeploy,
                    version: version.clone(),
                })
            }
            _ => self
                .plan
                .methods()
                .get(way.method)
                .map(|method| Act::RollBack { method: method.kind, version: previous.clone() }),
        }
    }

    /// Do metrics return (ROLL-5)? A way back always ends or wakes somebody.
    fn watch_return(&mut self, at: Timestamp, way: &WayBack) {
        let Rollback { watch, returned_within, .. } = *self.plan.policy().rollback();
        let Some(since) = way.watching else {
            if at.since(way.since) >= returned_within && !self.case.asked {
                self.page("the way back has not been confirmed in time".to_owned());
            }
            return;
        };
        let watched = at.since(since);
        let returned = watched >= watch && self.case.judge.returned();
        if returned || watched >= returned_within {
            if !returned {
                self.page(
                    "the old version is back, but metrics are not at their level before".to_owned(),
                );
            }
            self.notify(MessageKind::RolledBack, &[Audience::Responders, Audience::Stakeholders]);
            self.changes.to = Some(if way.abort { Stage::Aborted } else { Stage::RolledBack });
        }
    }
}
