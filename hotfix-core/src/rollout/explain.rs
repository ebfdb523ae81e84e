//! Explanations of a verdict and forecasts, on demand.

use serde::{Deserialize, Serialize};

use crate::judge::{Comparison, Forecast, Harm, Judge, Moment, Running, Verdict, Why};
use crate::plan::Plan;
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::Rollout;
use super::stage::{Stage, Step};
use super::state::RolloutState;

/// The question to the judge for a verdict: enough to ask it again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    at: Timestamp,
    share: Share,
    /// The phase that is due, by index, and whether its longest time is over.
    pub(super) due: Option<(usize, bool)>,
    /// The phase under way and since when.
    pub(super) running: Option<Step>,
    needs_efficacy: bool,
}

/// The judge as it was when the rollback began, for later explanations.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) judge: Judge,
    pub(super) question: Question,
    pub(super) verdict: Verdict,
}

impl Question {
    /// The question for a verdict at this time; None where nothing is judged.
    pub(super) fn of(case: &RolloutState, plan: &Plan, at: Timestamp) -> Option<Self> {
        let policy = plan.policy();
        let of_phase = |step: &Step| {
            let phase = policy.phases().get(step.index)?;
            let watched = at.since(step.since);
            let over = phase.watch_most.is_some_and(|most| watched >= most);
            (watched >= phase.watch).then_some((step.index, over))
        };
        let last = policy.phases().len().saturating_sub(1);
        let due = match &case.stage {
            Stage::Monitoring(step) => of_phase(step),
            Stage::Gate { step, .. } => Some((step.index, false)),
            Stage::FinalValidation { since } => policy.phases().last().and_then(|phase| {
                let (lasted, least) = (at.since(*since), policy.final_validation().watch);
                // It has no longest time: after the longest time of the last phase a person
                // decides.
                let most = least + phase.watch_most.unwrap_or(phase.watch);
                (lasted >= least).then_some((last, lasted >= most))
            }),
            Stage::Deploying(_)
            | Stage::Paused { .. }
            | Stage::Complete { .. }
            | Stage::Frozen { .. } => None,
            Stage::Preparing
            | Stage::Closed
            | Stage::RollingBack(_)
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => return None,
        };
        let running = match &case.stage {
            Stage::Monitoring(step) => Some(*step),
            _ => None,
        };
        let needs_efficacy = case.share < Share::ALL && plan.efficacy().is_some_and(|e| e.required);
        Some(Self { at, share: case.share, due, running, needs_efficacy })
    }

    /// The question in the judge's form.
    pub(super) fn moment<'a>(&self, plan: &'a Plan) -> Moment<'a> {
        let policy = plan.policy();
        let phase = |index: usize| policy.phases().get(index);
        let left = |step: &Step, whole: Span| {
            let watched = self.at.since(step.since);
            Span::from_millis(whole.as_millis().saturating_sub(watched.as_millis()))
        };
        Moment {
            at: self.at,
            share: self.share,
            watch: policy.watch(),
            due: self.due.and_then(|(index, _)| phase(index)),
            overdue: self.due.is_some_and(|(_, over)| over),
            needs_efficacy: self.needs_efficacy,
            running: self.running.as_ref().and_then(|step| {
                let phase = phase(step.index)?;
                Some(Running {
                    phase,
                    until_due: left(step, phase.watch),
                    until_overdue: phase.watch_most.map(|most| left(step, most)),
                    traffic: plan.subject().traffic.requests_per_minute,
                })
            }),
        }
    }
}

impl RolloutState {
    /// Keeps the judge before windows are cleared and ticks no longer count.
    pub(super) fn keep_verdict(&mut self) {
        if let Some(question) = self.question.take() {
            let (judge, verdict) = (self.judge.clone(), self.verdict.clone());
            self.kept = Some(Box::new(Kept { judge, question, verdict }));
        }
    }
}

impl Rollout {
    /// The judge, question and verdict in force: the last ones, or those before a rollback.
    fn judged(&self) -> Option<(&Judge, Moment<'_>, &Verdict)> {
        let case = &self.case;
        match (&case.question, &case.kept) {
            (Some(question), _) => Some((&case.judge, question.moment(&self.plan), &case.verdict)),
            (None, Some(kept)) => {
                Some((&kept.judge, kept.question.moment(&self.plan), &kept.verdict))
            }
            (None, None) => None,
        }
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
        self.judged().map(|(judge, moment, verdict)| judge.why(&moment, verdict))
    }

    /// The impact of each version per minute, over the phase so far. None where [`why`](Self::why)
    /// is None.
    pub fn harm(&self) -> Option<Harm> {
        self.judged().map(|(judge, moment, _)| judge.harm(&moment))
    }

    /// The forecast for the rest of the phase; None where no phase is watched.
    pub fn forecast(&self) -> Option<Forecast> {
        let question = self.case.question.as_ref()?;
        self.case.judge.forecast(&question.moment(&self.plan), self.plan.policy())
    }

    /// What each metric's trailing window reads now, in the metric's unit: the new version, and the
    /// live one. Absent where an arm has no reading in it.
    pub fn levels(&self) -> impl Iterator<Item = (MetricName, [Option<f64>; 2])> {
        self.case.judge.levels(self.case.share)
    }

    /// Each metric, its baseline and what each phase read; the phase under way as far as it is.
    pub fn comparison(&self) -> Comparison {
        let case = &self.case;
        let mut records = case.phases.clone();
        records.extend(
            case.watched_step()
                .map(|step| case.judge.record_phase(step.index, step.since, None, case.share)),
        );
        case.judge.comparison(self.plan.policy().phases(), &records)
    }
}
