//! Durations of phases, procedure steps, reviews and tests.
//!
//! In a procedure, the fix goes live at the step `deploy`, or at one whose id begins with
//! `deploy_`. The change is reviewed and tested at the steps `review` and `test`.

use serde::Serialize;

use crate::grade::{Moment, ReviewTime, StepClock, WatchedFrom};
use crate::policy::Policy;
use crate::policy::section::{Phase, ProcedureStep, SeverityLevel};
use crate::unit::{Name, Span};

use super::Plan;
use super::load::Load;

/// A part of a longer time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepTime {
    /// What it is: a step of the procedure, a phase, a review.
    pub step: String,
    /// Its least time. Zero if not given. Of a phase that waits for evidence of no harm, the time in
    /// which half of the healthy releases have shown it, as far as that can be foreseen.
    pub least: Span,
    /// Its most time. The same as `least` if not given.
    pub most: Span,
}

/// A time made of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// The parts. Their least and most times add up to those of the whole.
    pub parts: Vec<StepTime>,
    /// The least time of the whole.
    pub least: Span,
    /// The most time of the whole.
    pub most: Span,
    /// Steps of the procedure without a known time. Their time is to be added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untimed: Vec<Name>,
}

/// How long a plan takes.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duration {
    /// From the first deployment to the end of the final validation. The most time is the sum of
    /// the phases' most times; a phase without one counts with its least time. Veto windows are
    /// included, time that people take at manual gates is not.
    pub rollout: Times,
    /// From the detection until the fix is live, for the plan's severity. None if unknown.
    pub until_live: Option<Times>,
    /// The whole procedure from the detection. None if it has no times. A review, a test or a
    /// deployment without its own time takes the time of the severity or the phases.
    pub procedure: Option<Times>,
}

impl Plan {
    /// The duration of the rollout, and of the procedure from the detection.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("fast-track")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let procedure = plan.duration().procedure.ok_or("its steps have times")?;
    /// assert_eq!((procedure.least.to_string(), procedure.most.to_string()), ("18min".into(), "35min".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn duration(&self) -> Duration {
        Duration {
            rollout: rollout(self.load()),
            until_live: until_live(self.load(), self.level()),
            procedure: self.whole_procedure(),
        }
    }

    /// The longest planned time of the rollout: the change record's estimate, else that of the phases.
    pub(crate) fn planned_duration(&self) -> Span {
        let estimate = self.policy().change_record().and_then(|record| record.estimate);
        let most = estimate.and_then(|estimate| estimate.most);
        most.unwrap_or_else(|| rollout(self.load()).most)
    }

    pub(super) fn whole_procedure(&self) -> Option<Times> {
        procedure(self.policy(), |index| elsewhere(self.load(), self.level(), index))
    }

    /// The least and the most time from the detection to the end of the rollout, where that is later than
    /// the end of the procedure's steps.
    pub(super) fn until_rolled_out(&self, steps: &Times) -> Option<(Span, Span)> {
        let (load, level) = (self.load(), self.level());
        let count = going_live(load.policy)?;
        let before = first_steps(load.policy, count, |index| elsewhere(load, level, index));
        let rollout = rollout(load);
        let least = steps.least.max(before.least + rollout.least);
        let most = steps.most.max(before.most + rollout.most);
        ((least, most) != (steps.least, steps.most)).then_some((least, most))
    }
}

impl Times {
    /// Adds a part. Adds nothing without a time.
    pub(crate) fn add(&mut self, step: &str, least: Option<Span>, most: Option<Span>) {
        let least = least.unwrap_or(Span::ZERO);
        let most = most.unwrap_or(least);
        if !most.is_zero() {
            self.parts.push(StepTime { step: step.to_owned(), least, most });
            (self.least, self.most) = (self.least + least, self.most + most);
        }
    }

    /// Advances to a step with start and end since the detection.
    fn reach(&mut self, step: &str, starts: Option<Span>, ends: Option<Span>) {
        let until = |reached: Span, position: Option<Span>| {
            let position = position.map_or(0, Span::as_millis);
            Span::from_millis(position.saturating_sub(reached.as_millis()))
        };
        let least = until(self.least, starts);
        let most = until(self.most, ends.or(starts));
        self.parts.push(StepTime { step: step.to_owned(), least, most });
        (self.least, self.most) = (self.least + least, self.most + most);
    }

    pub(super) fn step(&mut self, step: &ProcedureStep) {
        match step.clock {
            StepClock::Duration => self.add(step.id.as_str(), step.least, step.most),
            StepClock::Position => self.reach(step.id.as_str(), step.least, step.most),
        }
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.parts.extend(more.parts);
        self.untimed.extend(more.untimed);
        (self.least, self.most) = (self.least + more.least, self.most + more.most);
    }
}

/// The whole procedure. None if it has no times. `elsewhere` gives the time of a step without its
/// own, by index.
pub(crate) fn procedure(
    policy: &Policy,
    fallback: impl Fn(usize) -> Option<Times>,
) -> Option<Times> {
    let sum = first_steps(policy, policy.procedure().len(), fallback);
    (!sum.most.is_zero()).then_some(sum)
}

/// The first steps of the procedure, this many.
fn first_steps(policy: &Policy, count: usize, fallback: impl Fn(usize) -> Option<Times>) -> Times {
    let mut sum = Times::default();
    for (index, step) in policy.procedure().iter().enumerate().take(count) {
        if has_time(step) {
            sum.step(step);
        } else {
            match fallback(index) {
                Some(known) => sum.extend(known),
                None => sum.untimed.push(step.id),
            }
        }
    }
    sum
}

/// The steps, or, where the phases take longer than those from the deployment on, the steps before
/// it and the phases.
pub(super) fn with_phases(
    load: Load<'_>,
    level: Option<&SeverityLevel>,
    steps: Times,
    phases: Times,
) -> Times {
    let before = going_live(load.policy).unwrap_or_default();
    let mut sum = first_steps(load.policy, before, |index| elsewhere(load, level, index));
    if phases.least.as_millis() <= steps.most.as_millis().saturating_sub(sum.most.as_millis()) {
        return steps;
    }
    sum.extend(phases);
    sum
}

/// From the detection until the fix is live, for a severity. A review, a test or a deployment that
/// the procedure names without a time takes what the severity or the policy says of it. None where
/// nothing gives one.
pub(crate) fn until_live(load: Load<'_>, level: Option<&SeverityLevel>) -> Option<Times> {
    let policy = load.policy;
    if policy.procedure().is_empty() {
        let mut sum = Times::default();
        review(&mut sum, level);
        testing(&mut sum, level);
        // Nothing is given about the work of people before the deployment.
        if sum.parts.is_empty() {
            return None;
        }
        sum.extend(deployment(load));
        return Some(sum);
    }
    let deploy = going_live(policy)?;
    let sum = first_steps(policy, deploy + 1, |index| elsewhere(load, level, index));
    // At least one time before the deployment must be known.
    let tells = deploy == 0 || sum.untimed.len() < deploy;
    (tells && !sum.most.is_zero()).then_some(sum)
}

/// The index of the step at which the fix goes live.
pub(super) fn going_live(policy: &Policy) -> Option<usize> {
    policy.procedure().iter().position(|step| {
        let id = step.id.as_str();
        id == "deploy" || id.starts_with("deploy_")
    })
}

pub(super) const fn has_time(step: &ProcedureStep) -> bool {
    step.least.is_some() || step.most.is_some()
}

/// The time of a step without its own time, from other parts of the policy, if one has it.
pub(super) fn elsewhere(
    load: Load<'_>,
    level: Option<&SeverityLevel>,
    index: usize,
) -> Option<Times> {
    if going_live(load.policy) == Some(index) {
        return Some(deployment(load));
    }
    let mut sum = Times::default();
    let after = match load.policy.procedure().get(index)?.id.as_str() {
        "review" => review(&mut sum, level),
        "test" => testing(&mut sum, level),
        _ => false,
    };
    (after || !sum.parts.is_empty()).then_some(sum)
}

/// Adds the review. Returns whether it takes no time before the deployment because it comes after.
fn review(sum: &mut Times, level: Option<&SeverityLevel>) -> bool {
    let Some(review) = level.and_then(|level| level.review.as_ref()) else { return false };
    match review.time {
        ReviewTime::Before => sum.add("review", review.least, review.most),
        // It may be done afterwards.
        ReviewTime::Any => sum.add("review", None, review.most),
        ReviewTime::After => return true,
    }
    false
}

/// Adds the tests. They are always before the deployment.
fn testing(sum: &mut Times, level: Option<&SeverityLevel>) -> bool {
    if let Some(testing) = level.and_then(|level| level.testing.as_ref()) {
        sum.add("testing", testing.least, testing.most);
    }
    false
}

fn deployment(load: Load<'_>) -> Times {
    let known =
        load.policy.deploying().filter(|known| known.least.is_some() || known.most.is_some());
    let Some(known) = known else { return phases_until_live(load) };
    let mut sum = Times::default();
    sum.add("deploying", known.least, known.most);
    sum
}

/// The phases until the last one is reached.
pub(crate) fn phases_until_live(load: Load<'_>) -> Times {
    let mut sum = Times::default();
    let phases = load.policy.phases();
    let last = phases.len().saturating_sub(1);
    for (index, phase) in phases.iter().enumerate() {
        if index == last {
            sum.add(phase.name.as_str(), Some(phase.deploy), None);
        } else {
            whole(&mut sum, load, phase);
        }
    }
    sum
}

/// Every phase and the final validation.
pub(crate) fn rollout(load: Load<'_>) -> Times {
    let mut sum = Times::default();
    load.policy.phases().iter().for_each(|phase| whole(&mut sum, load, phase));
    sum.add("final validation", Some(load.policy.final_validation().watch), None);
    sum
}

/// The phases until a moment. None for a moment that they do not lead to.
pub(crate) fn phases_until(load: Load<'_>, to: Moment) -> Option<Times> {
    match to {
        Moment::Deployed => Some(phases_until_live(load)),
        Moment::Verified | Moment::Resolved => Some(rollout(load)),
        Moment::Closed => Some(and_watched(rollout(load), load.policy)),
        _ => None,
    }
}

/// The steps of the procedure until a moment, for a severity. `whole` is all of them.
pub(crate) fn steps_until(
    load: Load<'_>,
    to: Moment,
    level: Option<&SeverityLevel>,
    whole: Option<Times>,
) -> Option<Times> {
    match to {
        Moment::Deployed => until_live(load, level),
        Moment::Verified | Moment::Resolved => whole,
        Moment::Closed => whole.map(|steps| and_watched(steps, load.policy)),
        _ => None,
    }
}

/// Adds the watch afterwards, until the incident is closed.
fn and_watched(mut sum: Times, policy: &Policy) -> Times {
    // The end of the final validation is the zero of these times.
    let last = policy.phases().last().map(|phase| phase.watch + phase.veto_window());
    let last = last.unwrap_or_default();
    let passed = last + policy.final_validation().watch;
    let left = policy.after().iter().map(|later| match later.from {
        WatchedFrom::Verified => later.until,
        WatchedFrom::Deployed => {
            Span::from_millis(later.until.as_millis().saturating_sub(passed.as_millis()))
        }
    });
    sum.add("watch afterwards", left.max(), None);
    sum
}

fn whole(sum: &mut Times, load: Load<'_>, phase: &Phase) {
    let usual = load.lasts(phase);
    let most = phase.deploy + phase.longest() + phase.veto_window();
    sum.add(phase.name.as_str(), Some(usual), Some(most.max(usual)));
}
