//! The procedure of the policy for this plan: its steps with their times, and known remedies (PLAN-8).

use serde::Serialize;

use crate::fact::Truth;
use crate::grade::{StepClock, closed_set};
use crate::policy::section::{ProcedureStep, TimeRange};
use crate::unit::{Name, RoleName, Span};

use super::Plan;
use super::duration::{Times, elsewhere, has_time};

/// What people do, in order, and what helps at once (PLAN-8).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Procedure<'a> {
    /// The steps, in order.
    pub steps: Vec<PlannedStep<'a>>,
    /// What helps against faults that are known already: of those that the incident is, or may be.
    pub remedies: Vec<PlannedRemedy<'a>>,
}

/// One step of the procedure, with its times in this plan. A rollout keeps whether it is done, under its id.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedStep<'a> {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub title: &'a str,
    /// What it is for; empty: not said.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub goal: &'a str,
    /// How one knows that it is done; empty: not said.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub done_when: &'a str,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// What its own times say: how long it takes, or from when to when it runs since the detection.
    pub clock: StepClock,
    /// How long it takes, or from when to when it runs: its own time, else what the severity or the phases say of a review, a
    /// test or a deployment. None: nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeRange>,
    /// When it starts, counted from the detection; none before the first step with a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<TimeRange>,
    /// When it ends, counted from the detection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<TimeRange>,
    /// Whether it may be later than is said here: a step until then has no time.
    #[serde(skip_serializing_if = "is_false")]
    pub may_be_later: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

closed_set! {
    /// Whether something holds on what is known.
    Holds {
        /// It does.
        Yes = "yes",
        /// What is known does not tell.
        Maybe = "maybe",
    }
}

/// What helps against a fault that is known already.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedRemedy<'a> {
    /// Its id.
    pub id: Name,
    /// What to do.
    pub text: &'a str,
    /// Whether the incident is one that it is for.
    pub holds: Holds,
}

impl Plan {
    /// The policy's procedure with its times in this plan, and the remedies that may help.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("enterprise")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let steps = plan.procedure().steps;
    /// assert_eq!((steps.len(), steps[3].title), (6, "Hot-fix development"));
    /// let ends = steps[3].ends.and_then(|ends| ends.most).ok_or("it has a time")?;
    /// assert_eq!(ends.to_string(), "2h");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows PLAN-8.
    pub fn procedure(&self) -> Procedure<'_> {
        let informed = self.policy().classify(self.facts()).informed();
        let remedies = self.policy().remedies().iter().filter_map(|remedy| {
            let holds = match remedy.when.holds(&informed) {
                Truth::Yes => Holds::Yes,
                Truth::Unknown => Holds::Maybe,
                Truth::No => return None,
            };
            Some(PlannedRemedy { id: remedy.id, text: &remedy.text, holds })
        });
        Procedure { steps: self.steps(), remedies: remedies.collect() }
    }

    pub(super) fn steps(&self) -> Vec<PlannedStep<'_>> {
        let mut reached = Times::default();
        let (mut timed, mut may_be_later) = (false, false);
        let steps = self.policy().procedure().iter().enumerate();
        steps
            .map(|(index, step)| {
                let before = (reached.least, reached.most);
                let time = self.time_of(index, step, &mut reached);
                may_be_later |= time.is_none();
                timed |= time.is_some();
                let starts = match (step.clock, step.least) {
                    (StepClock::Position, Some(from)) => (from, from),
                    _ => before,
                };
                let range = |(least, most)| TimeRange { least: Some(least), most: Some(most) };
                PlannedStep {
                    id: step.id,
                    title: &step.title,
                    goal: &step.goal,
                    done_when: &step.done_when,
                    role: step.role,
                    clock: step.clock,
                    time,
                    starts: timed.then(|| range(starts)),
                    ends: timed.then(|| range((reached.least, reached.most))),
                    may_be_later: timed && may_be_later,
                }
            })
            .collect()
    }

    /// Goes on by one step; its time.
    fn time_of(
        &self,
        index: usize,
        step: &ProcedureStep,
        reached: &mut Times,
    ) -> Option<TimeRange> {
        if has_time(step) {
            reached.step(step);
            return Some(TimeRange { least: step.least, most: step.most });
        }
        let found = elsewhere(self.policy(), self.level(), index)?;
        let some = |span: Span| Some(span).filter(|span| !span.is_zero());
        let range = TimeRange { least: some(found.least), most: some(found.most) };
        reached.extend(found);
        range.most.map(|_| range)
    }
}
