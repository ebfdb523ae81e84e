//! The policy's procedure for this plan: steps with their times, and known remedies.

use serde::Serialize;

use crate::fact::Truth;
use crate::grade::{StepClock, closed_set};
use crate::policy::section::{ProcedureStep, TimeRange};
use crate::unit::{Name, RoleName, Span};

use super::Plan;
use super::duration::{Times, has_time};

/// The steps of people, in order, and immediate remedies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Procedure<'a> {
    /// The steps, in order.
    pub steps: Vec<PlannedStep<'a>>,
    /// Remedies for known faults that match the incident, or may match it.
    pub remedies: Vec<PlannedRemedy<'a>>,
}

/// One step of the procedure with its times in this plan. A rollout records under its id whether
/// it is done.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedStep<'a> {
    /// Its id.
    pub id: Name,
    /// Its title for people.
    pub title: &'a str,
    /// Its goal. Empty if not given.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub goal: &'a str,
    /// The criterion for its completion. Empty if not given.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub done_when: &'a str,
    /// Who does it.
    pub role: Option<RoleName>,
    /// The meaning of its time: a duration, or start and end since the detection.
    pub clock: StepClock,
    /// Its duration, or its start and end: its own time, or else the time that the severity gives for
    /// a review or a test. A deployment takes at least as long as the phases. None if unknown.
    pub time: Option<TimeRange>,
    /// When it starts, since the detection. None before the first step with a time.
    pub starts: Option<TimeRange>,
    /// When it ends, since the detection.
    pub ends: Option<TimeRange>,
    /// Whether it may be later, because an earlier step has no time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_be_later: bool,
}

closed_set! {
    /// Whether a condition holds by the known facts.
    Holds {
        Yes = "yes",
        /// Unknown.
        Maybe = "maybe",
    }
}

/// A remedy for a known fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedRemedy<'a> {
    /// Its id.
    pub id: Name,
    /// What to do.
    pub text: &'a str,
    /// Whether the remedy matches the incident.
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
    pub fn procedure(&self) -> Procedure<'_> {
        let informed = self.policy().classify(self.facts()).informed();
        let remedies = self.policy().remedies().iter().filter_map(|remedy| {
            let holds = match informed.holds(&remedy.when) {
                Truth::Yes => Holds::Yes,
                Truth::Unknown => Holds::Maybe,
                Truth::No => return None,
            };
            Some(PlannedRemedy { id: remedy.id, text: &remedy.text, holds })
        });
        Procedure { steps: self.steps(), remedies: remedies.collect() }
    }

    pub(super) fn steps(&self) -> Vec<PlannedStep<'_>> {
        let schedule = self.schedule();
        let mut reached = Times::default();
        let (mut timed, mut may_be_later) = (false, false);
        let steps = self.policy().procedure().iter().enumerate();
        steps
            .map(|(index, step)| {
                let before = (reached.least, reached.most);
                let known = schedule.advance(index, step, &mut reached);
                let ends = (reached.least, reached.most);
                let time = time_of(step, before, ends);
                may_be_later |= !known;
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
                    ends: timed.then(|| range(ends)),
                    may_be_later: timed && may_be_later,
                }
            })
            .collect()
    }
}

/// A step's own time; or the time between its start and its end, if another part of the policy
/// gives the time or makes it end later.
fn time_of(step: &ProcedureStep, before: (Span, Span), ends: (Span, Span)) -> Option<TimeRange> {
    let (least, most) = (ends.0 - before.0, ends.1 - before.1);
    let own = TimeRange { least: step.least, most: step.most };
    match step.clock {
        StepClock::Position if has_time(step) => {
            let later = own.most.map(|end| if most.is_zero() { end } else { end.max(ends.1) });
            Some(TimeRange { most: later, ..own })
        }
        _ if (step.least.unwrap_or_default(), step.most.or(step.least)) == (least, Some(most)) => {
            Some(own)
        }
        _ => {
            let some = |span: Span| Some(span).filter(|span| !span.is_zero());
            some(most).map(|_| TimeRange { least: some(least), most: some(most) })
        }
    }
}
