//! What callers read of a rollout; nothing changes.

use std::fmt::{self, Write};

use crate::canonical::Digest;
use crate::deadline::Duties;
use crate::fact::Facts;
use crate::gate::checklist::{self, ItemState, ListStatus, StepStatus};
use crate::getters::getters;
use crate::grade::{ChecklistMoment, MessageKind, Moment, Severity};
use crate::judge::{
    self, Comparison, Forecast, Harm, Judge, MetricEvidence, Moment as JudgeMoment, PhaseRecord,
    Verdict, Why,
};
use crate::metric::Window;
use crate::plan::{Commanded, Plan, PlanChangeRecord, PlanStatus, PlannedCommands};
use crate::policy::section::{Checklist, ChecklistItem};
use crate::unit::{MetricName, PhaseName, Share, Timestamp};

use super::action::{Act, Action};
use super::blocker::{Approvals, Blocker, blockers};
use super::conclude::{Changes, Conclusion};
use super::downtime::Downtime;
use super::input::InputKind;
use super::intervention::Intervention;
use super::question::OpenQuestion;
use super::stage::{RollbackCause, Stage, State};
use super::state::Assessed;
use super::{Rollout, poll};

impl Rollout {
    /// A metric's evidence and its basis; None for a metric without a test, or a latency that was
    /// never read. It is computed for each call: do not call it at every tick.
    pub fn evidence(&self, metric: MetricName) -> Option<MetricEvidence> {
        MetricEvidence::of(self.case.judged.judge(), metric, &self.plan)
    }

    /// The version that a rollback restores, or restored: the release's `previous`, unless a
    /// `revert` names another one. None without a release.
    pub fn back_to(&self) -> Option<&str> {
        let previous = &self.plan.release()?.previous;
        Some(self.case.place.back_to(previous))
    }

    /// The actions of the last accepted input, and of those that a train sent after it; also after a
    /// replay. A refusal or a repeated delivery does not change them.
    ///
    /// After a crash between append and act none, some or all of them may have been done. Those
    /// that await their result are among [`pending_actions`](Self::pending_actions); of the others
    /// only the caller can know. Repeat what is not known to be done, before the next input replaces
    /// the list: the ids are the same, so a receiver can recognise a repetition.
    pub fn last_actions(&self) -> &[Action] {
        self.case.actions.last()
    }

    /// Everything that prevents the start, each with who can clear it, and how. Empty where `start`
    /// would be accepted at the time of the last input, and after the start.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{BlockerKind, Input, Recording,
    ///     Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("emergency-command")?),
    ///     r#"{"id": "INC-2041"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let blockers = rollout.blockers();
    /// let approval = blockers.iter().find(|b| b.kind == BlockerKind::Approval);
    /// let approval = approval.ok_or("no approval is needed")?;
    /// assert_eq!(approval.sentence, "the approval of `senior_engineer` is missing: ask for it");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn blockers(&self) -> Vec<Blocker> {
        blockers(&self.plan, &self.case)
    }

    /// Each demand for approval with its state: who stated what, when, where, and about which plan.
    pub fn approvals(&self) -> Approvals {
        let policy = self.plan.policy();
        Approvals {
            demands: self.case.readiness.demands(policy, self.now()),
            unasked: self.case.readiness.unasked(policy),
        }
    }

    /// Each checklist, whether it applies to the incident, and the state of its items.
    pub fn checklists(&self) -> Vec<ListStatus> {
        let readiness = &self.case.readiness;
        let policy = self.plan.policy();
        let point_is_known = self.plan.names_rollback_point();
        let came = |moment| self.case.agenda.came(moment);
        checklist::lists(policy, readiness.situation(), readiness.marks(), point_is_known, came)
    }

    /// The questions and pages that wait for an answer: at most one about the rollout, and one about
    /// the severity.
    pub fn questions(&self) -> Vec<OpenQuestion> {
        let changes = &mut Changes::default();
        Conclusion { plan: &self.plan, case: &self.case, changes }.questions(&self.accepted())
    }

    /// The organisation's own commands for an action, with the values of the plan: those of
    /// [`Plan::commands`](crate::plan::Plan::commands) that belong to it. Nothing is run.
    ///
    /// - `set_traffic`: the commands of the phase that gets the traffic.
    /// - An action of a duty with a checklist: those of the list's items.
    /// - `ask_decision` about the rollout once all traffic has the fix: those of the items that hold the end
    ///   of the final validation.
    /// - A notice that the fix was rolled back: those of the lists after a rollback.
    /// - Each: those of the step of the procedure whose id is the kind of the action, such as
    ///   `deploy`; those of `roll_back` with the policy's first rollback method only.
    ///
    /// `previous` in them is [`back_to`](Self::back_to), with `roll_back` the action's version.
    ///
    /// Ask while the action is the newest or still pending: it is computed for each call, from the
    /// present stage.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("fast-track")?),
    ///     r#"{"id": "INC-2041"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0", "branch": "hotfix/empty-method"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// # let at = "2026-03-03T14:06:00Z".parse()?;
    /// # while let Some(item) = rollout.blockers().first().and_then(|blocker| blocker.item) {
    /// #     let check = format!(
    /// #         r#"{{"kind": "check_item", "by": "omar", "item": "{item}", "evidence": "deployment 7"}}"#
    /// #     );
    /// #     rollout.handle(at, &Input::from_json(&check)?)?;
    /// # }
    /// rollout.handle(at, &Input::from_json(r#"{"kind": "start", "by": "lena"}"#)?)?;
    /// let deploy = &rollout.pending_actions()[0];
    /// let commands = rollout.commands(deploy);
    /// assert_eq!(commands[0].commands[0].line, "git checkout hotfix/empty-method");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commands<'a>(&'a self, action: &'a Action) -> Vec<PlannedCommands<'a>> {
        // Traffic is withdrawn from a superseded release, and its rollback is by its own plan.
        let withdraws = matches!(action.act, Act::SetTraffic { share: Share::NONE });
        let plan = if withdraws { self.canary_plan() } else { self.plan_of_rollback() };
        let policy = plan.policy();
        let mut owners: Vec<Commanded<'_>> = Vec::new();
        let mut previous = self.back_to();
        let mut with_step = true;
        match &action.act {
            Act::RollBack { method, version } => {
                previous = Some(version);
                let methods = &policy.rollback().methods;
                owners
                    .extend(methods.iter().find(|way| way.kind == *method).map(Commanded::Method));
                // Another method is for where the procedure's have failed, or do not apply.
                with_step = methods.first().is_none_or(|first| first.kind == *method);
            }
            Act::SetTraffic { share } => {
                // In a rollback there is no phase, whatever its steps' shares are.
                let step = self.stage().step();
                let phase = step.and_then(|step| policy.phases().get(step.index));
                let phase = phase.filter(|phase| phase.share == *share);
                owners.extend(phase.map(Commanded::Phase));
            }
            act => {
                let duty = policy.duties().iter().find(|duty| act.duty() == Some(&duty.id));
                let of_duty = duty.and_then(|duty| duty.checklist);
                let is_shown = |list: &Checklist| match act {
                    // Not a question about the severity: no item answers it.
                    Act::AskDecision { question } => {
                        list.holds_completion()
                            && self.stage().is_deployed(policy.phases().len())
                            && !self.is_about_severity(question)
                    }
                    _ => of_duty == Some(list.id),
                };
                // A list of the attempt is about the fix: it is checked before the rollback.
                let of_rollback = |list: &Checklist| match act {
                    Act::Notify { message: MessageKind::RollingBack, .. } => list.is_of_attempt(),
                    Act::Notify { message: MessageKind::RolledBack, .. } => true,
                    _ => false,
                };
                let marks = self.case.readiness.marks();
                let is_open = |item: &ChecklistItem| marks.state(item.id) == ItemState::Open;
                for list in policy.checklists() {
                    let shown = is_shown(list);
                    let open = list.at == ChecklistMoment::RolledBack && of_rollback(list);
                    let items = list.items.iter();
                    let items = items.filter(|item| shown || open && is_open(item));
                    owners.extend(items.map(Commanded::Item));
                }
            }
        }
        let step = policy.procedure().iter().find(|step| step.id.as_str() == action.act.kind());
        owners.extend(step.filter(|_| with_step).map(Commanded::Step));
        owners.into_iter().filter_map(|of| plan.commands_of(of, previous)).collect()
    }

    /// The next moment at which time alone can change something: arm one timer with it and send a
    /// `tick`.
    ///
    /// It covers phases, windows, rollbacks, duties, and questions and requests for approval that
    /// nobody has answered, but not observations: send those at the
    /// policy's cadence; forecasts, and readings that leave a window, are evaluated with them. None
    /// where nothing waits for time. After a `resume` it is now: what was asked before the pause is
    /// asked again. Before the first input it is the beginning of 1970: send a
    /// `tick` with the current time, which raises what is due from the beginning, such as requests
    /// for approval.
    pub fn poll_at(&self) -> Option<Timestamp> {
        poll::poll_at(&self.plan, &self.case)
    }

    /// The duties at a time, by list: due, overdue, next, later, undated and done.
    ///
    /// A time before the last input is read as the time of that input. Times of the incident in the
    /// plan's documents count from the first logged input on; before it no duty is listed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("enterprise")?),
    ///     r#"{"id": "INC-2041", "severity": "P0", "detected_at": "2026-03-03T14:06:00Z"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "payments fail"}"#)?;
    /// let outcome = rollout.handle("2026-03-03T14:08:00Z".parse()?, &note)?;
    /// let paged = outcome.actions.iter().filter_map(|action| action.act.duty());
    /// assert!(paged.into_iter().any(|duty| duty.as_str() == "p0_on_call"));
    /// let acknowledge = r#"{"kind": "acknowledge", "by": "omar", "duty": "p0_on_call"}"#;
    /// let acknowledge = Input::from_json(acknowledge)?;
    /// rollout.handle("2026-03-03T14:10:00Z".parse()?, &acknowledge)?;
    /// let duties = rollout.duties("2026-03-03T14:20:00Z".parse()?);
    /// assert_eq!(duties.due[0].id.as_str(), "p0_update");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn duties(&self, at: Timestamp) -> Duties<'_> {
        self.case.agenda.duties(self.plan.policy(), self.not_before_last(at))
    }

    pub(super) fn not_before_last(&self, at: Timestamp) -> Timestamp {
        self.now().map_or(at, |last| last.max(at))
    }

    /// When a moment of the incident happened, from which duties count; None while it has not, or
    /// its time is not known.
    pub fn moment(&self, moment: Moment) -> Option<Timestamp> {
        self.case.agenda.came(moment)
    }

    /// The downtime of the service up to a moment not before the last line.
    ///
    /// It counts from when the fact `service_down` becomes yes until it becomes no, at the latest
    /// until the incident is resolved. A value known with the first input counts from the beginning of the
    /// incident (`began`, else `detected`, else `at_least` from `declared`). Periods add up. One that begins after
    /// the incident was resolved counts only if the incident is reopened. None where it was not
    /// stated whether the service was down, or only after the deployment began that it is up: it may have
    /// been down before.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout},
    ///     unit::Span};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("enterprise")?),
    ///     r#"{"id": "INC-2041", "began_at": "2026-03-03T14:02:00Z",
    ///         "facts": {"service_down": true}}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Off, "")?;
    /// let up = r#"{"kind": "set_facts", "by": "omar", "facts": {"service_down": false}}"#;
    /// let up = Input::from_json(up)?;
    /// rollout.handle("2026-03-03T14:32:00Z".parse()?, &up)?;
    /// let downtime = rollout.downtime("2026-03-03T15:00:00Z".parse()?).ok_or("not known")?;
    /// assert_eq!((downtime.whole, downtime.goes_on()), (Span::from_seconds(1_800), false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn downtime(&self, at: Timestamp) -> Option<Downtime> {
        Downtime::of(&self.case, self.plan.policy(), at)
    }

    /// Writes all that the answer to any input may depend on, but for the policy, the log's head
    /// and the number of the next event. For the model check of the tests; what it reads like is
    /// nobody's to rely on.
    ///
    /// # Errors
    /// Those of the writer.
    #[doc(hidden)]
    pub fn write_behaviour(&self, into: &mut dyn Write) -> fmt::Result {
        // With another release the plan is another.
        write!(into, "{:?}", self.plan.digest())?;
        self.case.write_behaviour(into)
    }

    /// The judge, question and verdict in force: the last ones, or those before a rollback.
    fn judged(&self) -> Option<(&Judge, JudgeMoment<'_>, &Verdict)> {
        let Assessed { judge, verdict, question } = self.case.judged.explained();
        Some((judge, question.as_ref()?.moment(&self.plan), verdict))
    }

    /// The explanation of the last verdict: numbers, rules, and the smallest change that would have
    /// changed it.
    ///
    /// From a rollback on it explains the verdict before. None before the first verdict, and
    /// between a change of traffic and the next evaluation. The same after a replay. It searches,
    /// so it may take milliseconds.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::judge::{Counterfactual, Decision};
    /// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let plan = Plan::from_json(
    ///     Arc::new(Policy::preset("phased-canary")?),
    ///     r#"{"id": "INC-2041", "severity": "P1"}"#,
    ///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
    ///     "",
    /// )?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// # while let Some(blocker) = rollout.blockers().first() {
    /// #     let input = match (&blocker.item, blocker.roles.first()) {
    /// #         (Some(item), _) => format!(r#"{{"kind":"check_item","by":"omar","item":"{item}"}}"#),
    /// #         (None, Some(role)) => format!(r#"{{"kind":"approve","by":"iris","role":"{role}"}}"#),
    /// #         (None, None) => return Err(blocker.sentence.clone().into()),
    /// #     };
    /// #     rollout.handle("2026-03-03T14:34:00Z".parse()?, &Input::from_json(&input)?)?;
    /// # }
    /// // Approved, and all items checked.
    /// let start = Input::from_json(r#"{"kind": "start", "by": "lena"}"#)?;
    /// rollout.handle("2026-03-03T14:40:00Z".parse()?, &start)?;
    /// while let Some(action) = rollout.pending_actions().first() {
    ///     let done = format!(r#"{{"kind": "confirm", "by": "tool", "action": "{}"}}"#, action.id);
    ///     rollout.handle("2026-03-03T14:42:00Z".parse()?, &Input::from_json(&done)?)?;
    /// }
    /// let metrics = r#"{"kind": "observe",
    ///     "metrics": {"error_rate": {"canary": [6, 100], "baseline": [3, 900]}}}"#;
    /// rollout.handle("2026-03-03T14:43:00Z".parse()?, &Input::from_json(metrics)?)?;
    ///
    /// let why = rollout.why().ok_or("nothing was judged")?;
    /// let error_rate = why.metrics.iter().find(|m| m.metric.as_str() == "error_rate");
    /// let error_rate = error_rate.ok_or("not judged")?;
    /// // Six of a hundred are beyond the rollback bound of 5%; with five the evidence is enough.
    /// let events = Counterfactual::Events { from: 6.0, to: 4.0, then: Decision::Hold };
    /// assert_eq!(error_rate.counterfactual, events);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn why(&self) -> Option<Why> {
        self.judged().map(|(judge, moment, verdict)| Why::of(judge, &moment, verdict))
    }

    /// The impact of each version per minute, over the trailing window. While a rollback is not
    /// confirmed it is that of the last reading; once the fix has no traffic any more, that of the
    /// verdict before the rollback. None where there is neither.
    pub fn harm(&self) -> Option<Harm> {
        if let Some(question) = self.case.read_since_verdict() {
            return Some(Harm::of(self.case.judged.judge(), &question.moment(&self.plan)));
        }
        self.judged().map(|(judge, moment, _)| Harm::of(judge, &moment))
    }

    /// The forecast for the rest of the phase; None where no phase is watched.
    pub fn forecast(&self) -> Option<Forecast> {
        let question = self.case.judged.question()?;
        Forecast::of(self.case.judged.judge(), &question.moment(&self.plan), self.plan.policy())
    }

    /// Each metric, its baseline and what each phase read; the phase under way as far as it is.
    pub fn comparison(&self) -> Comparison {
        let (place, judge) = (&self.case.place, self.case.judged.judge());
        let mut records = self.case.happened.phases().to_vec();
        let under_way = place.stage().watched_step();
        records.extend(
            under_way.map(|step| PhaseRecord::of(judge, step.index, step.since, place.share())),
        );
        Comparison::of(judge, self.plan.policy().phases(), &records)
    }

    /// The plan's change record with its present status. A branch, build or artifact that the release
    /// does not name is the one that was noted with an item of a checklist.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Plan, PlanStatus}, policy::Policy, rollout::{Input, Recording,
    ///     Rollout}};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let release = r#"{"version": "2", "previous": "1"}"#;
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "")?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let abort = Input::from_json(r#"{"kind": "abort", "by": "lena", "why": "not needed"}"#)?;
    /// rollout.handle("2026-03-03T14:40:00Z".parse()?, &abort)?;
    /// assert_eq!(rollout.change_record().status, PlanStatus::Stopped);
    /// assert_eq!(rollout.plan().change_record().status, PlanStatus::Drafted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn change_record(&self) -> PlanChangeRecord<'_> {
        let status = match self.state() {
            // What is rolled back is an earlier attempt; this one was not deployed.
            State::RollingBack | State::RolledBack if self.former_version().is_some() => {
                PlanStatus::Stopped
            }
            state => state.plan_status(),
        };
        let mut record = PlanChangeRecord { status, ..self.plan.change_record() };
        for (name, value) in [
            ("branch", &mut record.branch),
            ("build", &mut record.build),
            ("artifact", &mut record.artifact),
        ] {
            if value.is_none() {
                *value = self.recorded(name);
                record.missing.retain(|missing| *missing != name || value.is_none());
            }
        }
        record
    }
}

getters! {
    pub Rollout: self;

    /// The present stage with its data.
    stage: &Stage = self.case.place.stage();
    /// The canary's confirmed share of the traffic in this attempt; what a superseded fix still has does not count.
    share: Share = self.case.place.share();
    /// The number of the attempt: 1, and one more with each `supersede` and each `retry`.
    attempt: u32 = self.case.place.attempt();
    /// The last verdict.
    verdict: &Verdict = self.case.judged.verdict();
    /// The time of the last input.
    now: Option<Timestamp> = self.case.place.at();
    /// Since when the rollout has turned back: see [`Stage::has_turned_back`]; None otherwise.
    turned_back_at: Option<Timestamp> = self.case.place.turned_back_at();
    /// Since when a rollback is under way or done. Unlike [`turned_back_at`](Self::turned_back_at)
    /// it is None where none was begun: for a freeze, a failed deployment or an abort before the
    /// start.
    rolled_back_since: Option<Timestamp> = self.case.place.rolled_back_since();
    /// Why it has turned back; None where it has not, or where the deployment failed before any traffic moved.
    turned_back_for: Option<&RollbackCause> = self.case.place.turned_back_for();
    /// The severity in force: given, set since, or derived by the policy from the facts.
    severity: Option<Severity> = self.case.readiness.severity();
    /// The facts of the incident known so far.
    facts: &Facts = self.case.readiness.facts();
}

getters! {
    pub fn Rollout: self;

    /// The plan, by what was known when it was made: with the rollout, or with the last `release`,
    /// `supersede` or `retry`.
    plan: &Plan = &self.plan;
    /// The name of the present state.
    state: State = self.case.state(&self.plan);
    /// The phase that is deployed, watched or decided on.
    phase: Option<PhaseName> = self.stage().step().map(|step| step.phase);
    /// When it was last started.
    started_at: Option<Timestamp> = self.intervention(InputKind::Start).map(|start| start.at);
    /// The version that has the canary's share, or had it when it was rolled back: the release's,
    /// or that of an earlier attempt. None without a release.
    canary_version: Option<&str> = Some(self.canary_plan().release()?.version.as_str());
    /// Actions that await `confirm` or `failed`, oldest first. After a crash do them, or find out
    /// that they were done.
    pending_actions: &[Action] = self.case.actions.pending();
    /// The hash of the last line, 64 zeros before the first; None where no log is written.
    head: Option<Digest> = self.journal.is_on().then_some(self.journal.head);
    /// Every line so far; empty unless [`Recording::Keep`](super::Recording::Keep).
    log: &str = self.journal.log();
    /// Each step of the procedure with its state. Steps block nothing: `check_item` records their
    /// progress.
    procedure: Vec<StepStatus> = checklist::steps(self.plan.policy(), self.case.readiness.marks());
    /// The last accepted intent of each kind: who wanted what, when and why, whatever came of it.
    interventions: Vec<Intervention> = self.case.people.interventions().all();
    /// When the incident began: as stated, else when it was detected, else when it was declared.
    beginning: Option<(Moment, Timestamp)> = self.origin(Moment::Began);
    /// What each metric's trailing window reads now, in the metric's unit: the new version, and the
    /// live one. Absent where an arm has no reading in it.
    levels: impl Iterator<Item = (MetricName, [Option<f64>; 2])> =
        judge::values(self.case.judged.judge(), self.share(), Window::sums);
}
