//! How long things take: the steps of a procedure, reviews, tests, and the phases.
//!
//! A procedure says by a step with the id `deploy`, or one that begins with `deploy_`, where the fix goes live. One that has
//! no such step is held against no deadline.

use super::finding::{Example, StepTime};
use crate::grade::{ReviewTime, StepClock};
use crate::policy::Policy;
use crate::policy::section::{Phase, ProcedureStep, SeverityLevel};
use crate::unit::Span;

/// A time made of parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    parts: Vec<StepTime>,
    pub(super) least: Span,
    pub(super) most: Span,
}

impl Sum {
    /// Adds a part; nothing where no time is said.
    pub(super) fn add(&mut self, step: &str, least: Option<Span>, most: Option<Span>) {
        let least = least.unwrap_or(Span::ZERO);
        let most = most.unwrap_or(least);
        if !most.is_zero() {
            self.parts.push(StepTime { step: step.to_owned(), least, most });
            (self.least, self.most) = (self.least + least, self.most + most);
        }
    }

    /// Goes on to a step that runs from one time to another since the detection.
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

    fn step(&mut self, step: &ProcedureStep) {
        match step.clock {
            StepClock::Duration => self.add(step.id.as_str(), step.least, step.most),
            StepClock::Position => self.reach(step.id.as_str(), step.least, step.most),
        }
    }

    /// What shows that this does not fit a limit.
    pub(super) fn example(self, limit: Span) -> Example {
        let Self { parts, least, most } = self;
        Example::Times { steps: parts, least, most, limit }
    }
}

/// The whole procedure; none where it has no times.
pub(super) fn procedure(policy: &Policy) -> Option<Sum> {
    let mut sum = Sum::default();
    policy.procedure().iter().for_each(|step| sum.step(step));
    (!sum.most.is_zero()).then_some(sum)
}

/// From the detection until the fix is live, for a severity. A review, a test or a deployment that the procedure names
/// without a time takes what the severity or the policy says of it. None where nothing tells.
pub(super) fn until_live(policy: &Policy, level: Option<&SeverityLevel>) -> Option<Sum> {
    let mut sum = Sum::default();
    let steps = policy.procedure();
    if steps.is_empty() {
        review(&mut sum, level);
        testing(&mut sum, level);
        // What people do before the deployment is not said at all.
        if sum.parts.is_empty() {
            return None;
        }
        deployment(&mut sum, policy);
        return Some(sum);
    }
    let deploys = |step: &ProcedureStep| {
        let id = step.id.as_str();
        id == "deploy" || id.starts_with("deploy_")
    };
    let deploy = steps.iter().position(deploys)?;
    for (index, step) in steps.iter().enumerate().take(deploy + 1) {
        if step.least.is_some() || step.most.is_some() {
            sum.step(step);
        } else if index == deploy {
            deployment(&mut sum, policy);
        } else if step.id.as_str() == "review" {
            review(&mut sum, level);
        } else if step.id.as_str() == "test" {
            testing(&mut sum, level);
        }
    }
    (!sum.most.is_zero()).then_some(sum)
}

fn review(sum: &mut Sum, level: Option<&SeverityLevel>) {
    let Some(review) = level.and_then(|level| level.review.as_ref()) else { return };
    match review.time {
        ReviewTime::Before => sum.add("review", review.least, review.most),
        // It may be left for afterwards.
        ReviewTime::Any => sum.add("review", None, review.most),
        ReviewTime::After => {}
    }
}

fn testing(sum: &mut Sum, level: Option<&SeverityLevel>) {
    if let Some(testing) = level.and_then(|level| level.testing.as_ref()) {
        sum.add("testing", testing.least, testing.most);
    }
}

fn deployment(sum: &mut Sum, policy: &Policy) {
    let known = policy.deploying().filter(|known| known.least.is_some() || known.most.is_some());
    if let Some(known) = known {
        sum.add("deploying", known.least, known.most);
    } else {
        let phases = phases_until_live(policy);
        sum.parts.extend(phases.parts);
        (sum.least, sum.most) = (sum.least + phases.least, sum.most + phases.most);
    }
}

/// The phases until the last of them is reached.
pub(super) fn phases_until_live(policy: &Policy) -> Sum {
    let mut sum = Sum::default();
    let last = policy.phases().len().saturating_sub(1);
    for (index, phase) in policy.phases().iter().enumerate() {
        if index == last {
            sum.add(phase.name.as_str(), Some(phase.deploy), None);
        } else {
            whole(&mut sum, phase);
        }
    }
    sum
}

/// The whole plan: every phase and the final validation.
pub(super) fn plan(policy: &Policy) -> Sum {
    let mut sum = Sum::default();
    policy.phases().iter().for_each(|phase| whole(&mut sum, phase));
    sum.add("final validation", Some(policy.final_validation().watch), None);
    sum
}

fn whole(sum: &mut Sum, phase: &Phase) {
    let least = phase.deploy + phase.watch;
    let most = phase.watch_most.map_or(least, |most| phase.deploy + most);
    sum.add(phase.name.as_str(), Some(least), Some(most));
}
