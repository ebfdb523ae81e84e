//! What follows from an input: the machine's decisions, state by state. Reads the case, writes [`Changes`].

use crate::gate::approval::demands;
use crate::grade::{GateMode, Response, Role, Sign, Strategy};
use crate::judge::{Against, Decision, Reason};
use crate::metric::Band;
use crate::policy::section::{Checklist, Contingency, Phase};
use crate::text::quoted;
use crate::unit::{MetricName, RoleName, Share, Span, Timestamp};

use super::Rollout;
use super::action::{Act, Audience, MessageKind};
use super::back::in_words;
use super::explain::Question;
use super::input::Command;
use super::state::{Resume, RollbackCause, Stage, Step, WayBack};

/// Who hears how a rollout goes; what concerns responders alone says so.
pub(super) const TOLD: [Audience; 2] = [Audience::Responders, Audience::Stakeholders];

impl Rollout {
    /// Concludes one input that was folded. `resolved` is the action that a `confirm` or `failed` was about.
    pub(super) fn conclude(&mut self, at: Timestamp, command: &Command, resolved: Option<&Act>) {
        // A severity that rises asks more people; nobody is asked twice.
        let begins_anew = matches!(command, Command::Supersede { .. } | Command::Retry { .. });
        if self.case.seq == 1 && !begins_anew
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
                Stage::Complete { ending: Some(_), .. } => {
                    self.act(Act::SetTraffic { share: Share::ALL });
                }
                Stage::Gate { step, .. } | Stage::Monitoring(step) => self.pass(at, step.index),
                // In a later window a word that settles an objection is enough; after the last nothing else is waited for.
                Stage::Complete { since, ending: None } if self.watch_is_over(at, since) => {
                    self.end_watch(at, since, None);
                }
                _ => {}
            },
            Command::Hold { .. } => self.end_veto(),
            Command::Pause { .. } => self.pause(at),
            Command::Resume { .. } => self.resume(at),
            Command::Abort { .. } => self.abort(at),
            Command::RollBack { .. } => self.go_back(at, RollbackCause::Person),
            Command::Revert { version, .. } => {
                self.go_back(at, RollbackCause::Revert { version: version.clone() });
            }
            Command::Supersede { .. } | Command::Retry { .. } => self.begin_anew(),
            Command::Report { signal, .. } => {
                match self.plan.policy().triggers().response(*signal) {
                    Response::RollBack => {
                        self.fail(at, RollbackCause::Signal { signal: *signal });
                    }
                    // On the way back there is no such question, and whoever is asked one is not woken any more.
                    Response::Ask if matches!(self.case.stage, Stage::RollingBack(_)) => {}
                    Response::Ask => {
                        self.ask(format!("`{signal}` was reported: go on, or roll back?"));
                        self.end_veto();
                    }
                    Response::Hold => self.pause(at),
                    Response::Continue => {}
                }
            }
            Command::Approve { role, .. } => self.tell(at, Some(*role)),
            // What was said before may be the approval that another severity asks for.
            Command::SetSeverity { .. } | Command::SetFacts { .. } => {
                if !self.state().is_final() {
                    self.tell(at, None);
                }
            }
            Command::Deny { role, .. } => self.doubt(*role, "denied the plan"),
            Command::Withdraw { role, .. } => self.doubt(*role, "took an approval back"),
            Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::Acknowledge { .. }
            | Command::Done { .. }
            | Command::SetTimes { .. }
            | Command::Note { .. } => {}
        }
        if let (Stage::Deploying(step), None) = (&self.case.stage, &self.changes.to) {
            let step = *step;
            self.await_deployment(at, step);
        }
    }

    pub(super) fn act(&mut self, act: Act) {
        self.changes.acts.push(act);
    }

    pub(super) fn notify(&mut self, message: MessageKind, audiences: &[Audience]) {
        for &audience in audiences {
            self.act(Act::Notify { audience, message, duty: None });
        }
        self.act(Act::UpdateStatusPage { message, duty: None });
    }

    pub(super) fn ask(&mut self, question: String) {
        self.act(Act::AskDecision { question });
    }

    /// Whom to wake: whoever may approve first, else the incident commander.
    pub(super) fn page(&mut self, why: String) {
        let first = demands(self.plan.policy(), self.severity()).next();
        let approver = first.and_then(|(_, demand)| demand.any_of.first()).copied();
        if let Some(role) = approver.or_else(|| RoleName::try_new("incident_commander").ok()) {
            self.act(Act::Page { role, why, duty: None });
        }
    }

    fn request_approvals(&mut self) {
        if !self.state().is_final() {
            self.request_missing_approvals();
        }
    }

    /// Whatever the state, which another attempt is about to leave.
    pub(super) fn request_missing_approvals(&mut self) {
        for any_of in self.case.readiness.unrequested(self.plan.policy()) {
            self.act(Act::RequestApproval { any_of });
        }
    }

    /// Whom the policy wants told of an approval hears of it as soon as the demand is met (GATE-1). `speaker` is who approves
    /// now; where a demand is met by what another said before, that one is named.
    fn tell(&mut self, at: Timestamp, speaker: Option<RoleName>) {
        for demand in self.case.readiness.untold(self.plan.policy(), Some(at)) {
            let speaker = speaker.filter(|role| demand.approvers().any(|of| of == *role));
            let Some(approver) = speaker.or_else(|| demand.approvers().last()) else { continue };
            for told in demand.told {
                let why = format!("`{approver}` approved the plan, and you are to know at once");
                self.act(Act::Page { role: told, why, duty: None });
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
                self.end_veto();
            }
            Stage::Preparing
            | Stage::Closed
            | Stage::RollingBack(_)
            | Stage::RolledBack
            | Stage::Frozen { .. }
            | Stage::Aborted
            | Stage::Failed => {}
        }
    }

    /// An objection ends the veto window: from here a person says go.
    pub(super) fn end_veto(&mut self) {
        if let Stage::Gate { step, until: Some(_) } = self.case.stage {
            self.changes.to = Some(Stage::Gate { step, until: None });
        }
    }

    fn phase_at(&self, index: usize) -> Option<&Phase> {
        self.plan.policy().phases().get(index)
    }

    fn step(&self, index: usize, since: Timestamp) -> Option<Step> {
        self.phase_at(index).map(|phase| Step { index, phase: phase.name, since })
    }

    fn start(&mut self, at: Timestamp) {
        self.notify(MessageKind::DeploymentStarted, &TOLD);
        self.changes.to = self.step(0, at).map(Stage::Deploying);
        match self.plan.policy().strategy() {
            // Traffic moves once the version is there. With two sides it is deployed to the idle one, and instance by
            // instance or all at once are phases whose shares say how much has it.
            Strategy::Canary | Strategy::BlueGreen | Strategy::Rolling | Strategy::Immediate => {
                let version = self.plan.subject().release.version.clone();
                self.act(Act::Deploy { version, validate: self.plan.validations().to_vec() });
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
            (Some(act), Stage::RollingBack(way)) => {
                let way = way.clone();
                self.came_back(at, act, &way);
            }
            // The hold-back has the fix as well: nothing is left to compare with.
            (Some(Act::SetTraffic { .. }), Stage::Complete { .. }) => self.close(),
            // A superseded action's late result, or one that no stage waits for.
            _ => {}
        }
    }

    fn failed(&mut self, at: Timestamp, resolved: Option<&Act>) {
        match (resolved, &self.case.stage) {
            (Some(act), Stage::RollingBack(way)) => {
                let way = way.clone();
                self.could_not_go_back(at, act, &way);
            }
            // The former release keeps its traffic: the old version is brought back.
            (Some(Act::SetTraffic { share: Share::NONE }), Stage::Preparing) => {
                self.withdraw(at, RollbackCause::ActionFailed);
            }
            (Some(Act::SetTraffic { .. }), Stage::Complete { .. }) => {
                self.ask("the hold-back could not be given the fix: `promote` tries again, or roll back?".to_owned());
            }
            (Some(Act::Deploy { .. }), _) if self.case.share == Share::NONE => {
                self.changes.to = Some(Stage::Failed);
                self.notify(MessageKind::Update, &TOLD);
                self.page("the deployment failed before any traffic moved".to_owned());
            }
            // What a freeze left under way did not come: traffic is as it was.
            (Some(Act::SetTraffic { .. }), Stage::Preparing) => {}
            (Some(Act::Deploy { .. } | Act::SetTraffic { .. }), _) => {
                self.fail(at, RollbackCause::ActionFailed);
            }
            _ => {}
        }
    }

    /// Asks the judge, where something is watched.
    fn assess(&mut self, at: Timestamp) {
        let Some(question) = Question::of(&self.case, &self.plan, at) else { return };
        let before = self.case.verdict.decision;
        self.case.judge.assess(&question.moment(&self.plan), &mut self.case.verdict);
        let now = self.case.verdict.decision;
        // Whoever was asked whether to go back is not asked again because it is less bad now.
        let is_milder = before == Decision::RollBack && now == Decision::Ask;
        self.changes.turned = now != before && !is_milder;
        let is_after =
            matches!(self.case.stage, Stage::FinalValidation { .. } | Stage::Complete { .. });
        self.case.verdict.against = is_after.then_some(if self.case.share < Share::ALL {
            Against::HoldBack
        } else {
            Against::Record
        });
        self.changes.judged = Some(question);
    }

    /// What a verdict, or time, leads to.
    fn watch(&mut self, at: Timestamp) {
        let decision = self.case.verdict.decision;
        let asked_before = self.changes.acts.len();
        if self.changes.judged.is_some() && decision == Decision::RollBack {
            let causes = self.case.verdict.causes.clone();
            self.fail(at, RollbackCause::Verdict { causes });
            if self.changes.to.is_some() {
                return;
            }
        }
        // Where a person decides, time goes on for what a person let pass before.
        let asks_now = self.changes.acts.len() > asked_before;
        match &self.case.stage {
            &Stage::Monitoring(step) if decision == Decision::Promote => self.reach_gate(at, step),
            &Stage::Gate { step, until: Some(until) }
                if at >= until && decision == Decision::Promote =>
            {
                self.pass(at, step.index);
            }
            Stage::FinalValidation { .. } if decision == Decision::Promote => self.validate(at),
            // Who objected, or was asked, says when that is settled.
            &Stage::Complete { since, ending }
                if !self.case.objected && !asks_now && self.watch_is_over(at, since) =>
            {
                self.end_watch(at, since, ending);
            }
            Stage::RollingBack(way) => {
                let way = way.clone();
                self.watch_return(at, &way);
            }
            _ => {}
        }
        self.await_traffic(at);
        let closes = self.changes.to == Some(Stage::Closed);
        // Where it is frozen somebody was woken, and acts.
        let frozen = matches!(self.case.stage, Stage::Frozen { .. });
        let is_news =
            !frozen && (self.changes.turned || !self.case.asked || self.validation_ends(at));
        let asks = self.changes.judged.is_some() && decision == Decision::Ask;
        if asks && is_news && !closes {
            self.ask_about_verdict(at);
        }
    }

    /// Whether the least time of the final validation ends with this look: it is asked again what a person let pass before.
    pub(super) fn validation_ends(&self, at: Timestamp) -> bool {
        matches!(self.case.stage, Stage::FinalValidation { since }
            if self.comes_now(at, since + self.plan.policy().final_validation().watch))
    }

    /// Whether the last window after the end is over.
    fn watch_is_over(&self, at: Timestamp, since: Timestamp) -> bool {
        self.plan.policy().watched_until().is_none_or(|last| at.since(since) >= last)
    }

    fn ask_about_verdict(&mut self, at: Timestamp) {
        let least = self.plan.policy().final_validation().watch;
        if matches!(self.case.stage, Stage::FinalValidation { since } if at.since(since) >= least) {
            self.ask_at_the_end();
            return;
        }
        let verdict = &self.case.verdict;
        if let Some(contingency) = self.waits_for_data() {
            let (when, causes) = (&contingency.when, in_words(&verdict.causes));
            self.ask(format!(
                "{when}, and the plan waits until that is mended: mend it, or roll back? {causes}"
            ));
            return;
        }
        // Where nothing judges what is read, whoever decides has to look.
        let step = self.case.stage.step().filter(|_| verdict.has(Reason::NotJudged));
        let look = step.and_then(|step| self.phase_at(step.index)).map(to_look_at);
        let causes = in_words(&verdict.causes);
        self.ask(format!("go on, or roll back? {causes}{}", look.unwrap_or_default()));
    }

    /// When a deployment has taken twice as long as it was expected to; None where nobody said how long, or where nothing
    /// is under way any more: what failed was asked about.
    pub(super) fn late_deployment_at(&self, step: Step) -> Option<Timestamp> {
        let expected = self.phase_at(step.index)?.deploy;
        let is_under_way =
            !self.case.pending.is_empty() || self.changes.acts.iter().any(Act::awaits);
        (expected > Span::ZERO && is_under_way).then(|| step.since + expected + expected)
    }

    /// A deployment that takes twice as long as it was expected to is nobody's silent hang.
    fn await_deployment(&mut self, at: Timestamp, step: Step) {
        let Some(late) = self.late_deployment_at(step) else { return };
        if at >= late && self.case.at.is_none_or(|last| last < late) {
            let expected = self.phase_at(step.index).map(|phase| phase.deploy).unwrap_or_default();
            self.ask(format!(
                "phase `{}` was expected to take {expected} to deploy, and is not confirmed after twice that: wait, or roll back?",
                step.phase
            ));
        }
    }

    /// Traffic that is taken from a former release, or given at the end of a hold-back, is watched by nobody until that is
    /// confirmed.
    fn await_traffic(&mut self, at: Timestamp) {
        if self.late_traffic_at().is_some_and(|late| self.comes_now(at, late)) {
            self.page("a change of traffic has not been confirmed in time".to_owned());
        }
    }

    /// Whether a moment has come since time was looked at last.
    pub(super) fn comes_now(&self, at: Timestamp, moment: Timestamp) -> bool {
        at >= moment && self.case.looked_at.is_none_or(|looked| looked < moment)
    }

    /// When that is late.
    pub(super) fn late_traffic_at(&self) -> Option<Timestamp> {
        match self.case.stage {
            Stage::Preparing | Stage::Complete { ending: Some(_), .. } => {
                Some(self.case.pending_since? + self.plan.policy().rollback().returned_within)
            }
            _ => None,
        }
    }

    /// Who lets it pass: a person, where one objected or was asked and has not said go.
    const fn gate(&self, planned: GateMode) -> GateMode {
        if self.case.objected { GateMode::Manual } else { planned }
    }

    fn reach_gate(&mut self, at: Timestamp, step: Step) {
        let Some(phase) = self.phase_at(step.index) else { return };
        let (gate, veto) = (phase.gate, phase.veto);
        let look = to_look_at(phase);
        match self.gate(gate) {
            GateMode::Automatic => self.pass(at, step.index),
            GateMode::Manual => {
                self.changes.to = Some(Stage::Gate { step, until: None });
                self.ask(format!("phase `{}` has shown what it must: promote?{look}", step.phase));
            }
            GateMode::Veto => {
                let until = at + veto;
                self.changes.to = Some(Stage::Gate { step, until: Some(until) });
                self.ask(format!(
                    "phase `{}` is promoted at {until} unless somebody holds it{look}",
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

    /// The metrics have shown what they must: what people have to see comes with it (MET-7).
    fn validate(&mut self, at: Timestamp) {
        let manual = self.gate(self.plan.policy().final_validation().gate) == GateMode::Manual;
        if self.unvalidated().is_empty() && !manual && !self.is_unproven() {
            self.complete(at);
        } else if !self.case.asked || self.changes.turned {
            self.ask_at_the_end();
        }
    }

    /// The question at the end, with all that speaks against a yes.
    fn ask_at_the_end(&mut self) {
        let open = self.unvalidated();
        let open = if open.is_empty() { open } else { format!(" (still open: {open})") };
        let mut against = in_words(&self.case.verdict.causes);
        if self.is_unproven() {
            let so = "the fix is not shown to work, so `promote` needs a reason";
            against = if against.is_empty() { so.to_owned() } else { format!("{so}; {against}") };
        }
        let against = if against.is_empty() { against } else { format!("; {against}") };
        self.ask(format!("the final validation is over{open}{against}: is the incident resolved?"));
    }

    /// Whether the policy claims that the fix works, and nothing has shown it although both versions ran side by side
    /// (STAT-5).
    pub(super) fn is_unproven(&self) -> bool {
        let compared = self.plan.phases().iter().any(|phase| phase.share < Share::ALL);
        compared && self.case.verdict.efficacy.is_some_and(|efficacy| !efficacy.shown)
    }

    /// What the plan waits for while nothing is read: a contingency of this severity (PLAN-4).
    pub(super) fn waits_for_data(&self) -> Option<&Contingency> {
        let (policy, severity) = (self.plan.policy(), self.severity()?);
        let waits = |contingency: &&Contingency| {
            contingency.sign == Some(Sign::NoData) && contingency.waits.contains(&severity)
        };
        let contingency = policy.contingencies().iter().find(waits)?;
        let decides = |id: MetricName| {
            policy.metric(id.as_str()).is_some_and(|metric| metric.role == Role::Decide)
        };
        let seen = &self.case.verdict.metrics;
        let mut deciding = seen.iter().filter(|(id, _)| decides(*id)).peekable();
        let blind = deciding.peek().is_some()
            && deciding.all(|(_, seen)| matches!(seen.band, Band::NoData | Band::Stale));
        blind.then_some(contingency)
    }

    /// The items for which the end of the final validation waits.
    pub(super) fn unvalidated(&self) -> String {
        let policy = self.plan.policy();
        let open = self.case.readiness.open_items(policy, Checklist::holds_completion);
        let open: Vec<_> = open.map(|(_, item, _)| item.id).collect();
        quoted(&open, ", ")
    }

    fn complete(&mut self, at: Timestamp) {
        self.notify(MessageKind::Deployed, &TOLD);
        self.changes.to = Some(Stage::Complete { since: at, ending: None });
    }

    /// The last window is over. What was held back for comparison gets the fix first; who closes does not wait for metrics.
    fn end_watch(&mut self, at: Timestamp, since: Timestamp, ending: Option<Timestamp>) {
        if self.case.share == Share::ALL {
            self.close();
        } else if ending.is_none() {
            self.act(Act::SetTraffic { share: Share::ALL });
            self.changes.to = Some(Stage::Complete { since, ending: Some(at) });
        }
    }

    fn close(&mut self) {
        self.changes.to = Some(Stage::Closed);
        self.notify(MessageKind::Resolved, &[Audience::Responders]);
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
        // Time in a pause is not time watched; what began in it has waited since then.
        let later =
            |step: Step| Step { since: step.since + at.since(since.max(step.since)), ..step };
        self.changes.to = Some(match from {
            Resume::Deploying(step) => Stage::Deploying(later(step)),
            Resume::Monitoring(step) => Stage::Monitoring(later(step)),
            Resume::Gate(step) => {
                let veto = self
                    .phase_at(step.index)
                    .filter(|p| self.gate(p.gate) == GateMode::Veto)
                    .map(|p| at + p.veto);
                Stage::Gate { step: later(step), until: veto }
            }
            Resume::FinalValidation { since: validated } => {
                Stage::FinalValidation { since: validated + at.since(since) }
            }
        });
    }

    fn abort(&mut self, at: Timestamp) {
        match &self.case.stage {
            // What an attempt before has, or may still get, is taken back; somebody sees to it that it is.
            Stage::Preparing if self.case.share > Share::NONE || !self.case.pending.is_empty() => {
                self.withdraw(at, RollbackCause::Abort);
            }
            Stage::Preparing => self.changes.to = Some(Stage::Aborted),
            Stage::RollingBack(way) => {
                self.changes.to = Some(Stage::RollingBack(WayBack { abort: true, ..way.clone() }));
            }
            _ => self.go_back(at, RollbackCause::Abort),
        }
    }
}

/// What no metric says, a person says with the answer (MET-7).
fn to_look_at(phase: &Phase) -> String {
    match phase.watch_for.as_slice() {
        [] => String::new(),
        what => format!(" (people look at: {})", what.join("; ")),
    }
}
