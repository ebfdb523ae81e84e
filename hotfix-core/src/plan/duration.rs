//! Durations: one chain of times, from the detection to the end of the procedure.
//!
//! First the steps before the deployment, then the deployment until the fix is live, then what is left of
//! the rollout. Where a policy gives two times for the same part, those of the procedure's steps and
//! those of the phases, the later end counts.
//!
//! In a procedure, the fix goes live at the step `deploy`, or at one whose id begins with
//! `deploy_`. The change is reviewed and tested at the steps `review` and `test`.

use serde::Serialize;

use crate::grade::{Moment, ReviewTime, Severity, StepClock, WatchedFrom};
use crate::policy::section::{Phase, ProcedureStep, SeverityLevel};
use crate::unit::{Name, Span};

use super::Plan;
use super::load::Load;

/// A part of a longer time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepTime {
    /// What it is: a step of the procedure, a phase, a review.
    pub step: String,
    /// Its least time. Zero if not given. A phase lasts until the reading at which its metrics can
    /// be judged and, where it waits for evidence of no harm, half of the healthy releases have
    /// shown it, as far as that can be computed.
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
    /// From the detection until the fix is live, for the plan's severity. None if nothing is known
    /// of the time before the deployment.
    pub until_live: Option<Times>,
    /// From the detection to the end of the final validation. None if nothing is known of the time
    /// before the deployment.
    pub until_complete: Option<Times>,
    /// From the detection to the end of the procedure's steps or of the rollout, whichever is later.
    /// None if the procedure has no times. A review or a test without its own time takes that of the
    /// severity, a deployment at least that of the phases.
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
    /// assert_eq!((procedure.least.to_string(), procedure.most.to_string()), ("28min".into(), "40min".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn duration(&self) -> Duration {
        let schedule = self.schedule();
        Duration {
            rollout: rollout(self.load()),
            until_live: Some(schedule.until_live()).filter(|sum| schedule.is_known(sum)),
            until_complete: self.until_complete(self.severity()),
            procedure: schedule.whole(),
        }
    }

    /// From the detection to the end of the final validation at this severity; None if nothing is
    /// known of the time before the deployment.
    pub(crate) fn until_complete(&self, severity: Option<Severity>) -> Option<Times> {
        let level = severity.and_then(|severity| self.policy().severity(severity));
        let schedule = Schedule { load: self.load(), level };
        Some(schedule.until_complete()).filter(|sum| schedule.is_known(sum))
    }

    pub(super) fn schedule(&self) -> Schedule<'_> {
        Schedule { load: self.load(), level: self.level() }
    }

    /// The longest planned time of the rollout: the change record's estimate, else that of the phases.
    pub(crate) fn planned_duration(&self) -> Span {
        let estimate = self.policy().change_record().and_then(|record| record.estimate);
        let most = estimate.and_then(|estimate| estimate.most);
        most.unwrap_or_else(|| rollout(self.load()).most)
    }
}

impl Times {
    /// Adds a part, unless its time is zero. Returns whether it was added.
    pub(crate) fn add(&mut self, step: &str, least: Option<Span>, most: Option<Span>) -> bool {
        let least = least.unwrap_or_default();
        let most = most.unwrap_or(least);
        if !most.is_zero() {
            self.push(step, least, most);
        }
        !most.is_zero()
    }

    /// Two parts of the same name in a row are one.
    fn push(&mut self, step: &str, least: Span, most: Span) {
        match self.parts.last_mut().filter(|last| last.step == step) {
            Some(last) => (last.least, last.most) = (last.least + least, last.most + most),
            None => self.parts.push(StepTime { step: step.to_owned(), least, most }),
        }
        (self.least, self.most) = (self.least + least, self.most + most);
    }

    /// Adds a step with a time of its own: a duration, or start and end since the detection.
    fn step(&mut self, step: &ProcedureStep) {
        match step.clock {
            StepClock::Duration => _ = self.add(step.id.as_str(), step.least, step.most),
            StepClock::Position => {
                let ends = step.most.or(step.least).unwrap_or_default();
                let least = step.least.unwrap_or_default() - self.least;
                self.push(step.id.as_str(), least, ends - self.most);
            }
        }
    }

    fn extend(&mut self, more: &Self) {
        more.parts.iter().for_each(|part| self.push(&part.step, part.least, part.most));
        self.untimed.extend_from_slice(&more.untimed);
    }

    /// The sum that ends later. If the longest time of the other one is longer still, its last part
    /// is added with the difference.
    fn later(self, other: Self) -> Self {
        let is_later = (other.least, other.most) > (self.least, self.most);
        let (mut later, other) = if is_later { (other, self) } else { (self, other) };
        if let Some(last) = other.parts.last() {
            later.add(&last.step, None, Some(other.most - later.most));
        }
        if other.untimed.len() > later.untimed.len() {
            later.untimed = other.untimed;
        }
        later
    }
}

/// The times of a policy's procedure and rollout, from the detection on.
#[derive(Clone, Copy)]
pub(crate) struct Schedule<'a> {
    pub(crate) load: Load<'a>,
    /// The severity of the incident, which gives times of reviews and tests.
    pub(crate) level: Option<&'a SeverityLevel>,
}

impl Schedule<'_> {
    /// From the detection to a moment. None for one that the rollout does not lead to.
    pub(crate) fn until(self, to: Moment) -> Option<Times> {
        match to {
            Moment::Deployed => Some(self.until_live()),
            Moment::Verified | Moment::Resolved => Some(self.until_complete()),
            Moment::Closed => Some(closed(self.until_complete(), self.until_live(), self.load)),
            _ => None,
        }
    }

    /// The time between two moments. A clock that starts before the steps of people includes them, and one from
    /// `began` also the time until the detection. None if the rollout does not lead from one to the other.
    pub(super) fn between(
        self,
        from: Moment,
        to: Moment,
        undetected: Option<Span>,
    ) -> Option<Times> {
        if !from.is_early() {
            return phases_until(self.load, to).filter(|_| from < Moment::Deployed);
        }
        let mut sum = Times::default();
        if from == Moment::Began {
            sum.add("until the detection", undetected, None);
        }
        sum.extend(&self.until(to)?);
        Some(sum)
    }

    fn until_live(self) -> Times {
        if let Some(index) = self.deploys() {
            return self.first_steps(index + 1);
        }
        let mut sum = self.without_steps();
        sum.extend(&phases_until_live(self.load));
        sum
    }

    fn until_complete(self) -> Times {
        let mut sum = self.until_live();
        sum.extend(&after_live(self.load));
        // Without a step that deploys, any step may come before.
        if self.deploys().is_some() { sum } else { sum.later(self.all_steps()) }
    }

    /// All steps and the whole rollout. None if the procedure has no times.
    pub(crate) fn whole(self) -> Option<Times> {
        let steps = self.all_steps();
        (!steps.most.is_zero()).then(|| self.until_complete().later(steps))
    }

    /// Whether at least one time before the deployment is known.
    pub(crate) fn is_known(self, sum: &Times) -> bool {
        let before = match self.deploys() {
            Some(index) => index == 0 || sum.untimed.len() < index,
            None => !self.without_steps().parts.is_empty(),
        };
        before && !sum.most.is_zero()
    }

    /// The index of the step at which the fix goes live.
    fn deploys(self) -> Option<usize> {
        self.load.policy.procedure().iter().position(|step| {
            let id = step.id.as_str();
            id == "deploy" || id.starts_with("deploy_")
        })
    }

    /// The time before the deployment of a policy without a procedure.
    fn without_steps(self) -> Times {
        let mut sum = Times::default();
        if self.load.policy.procedure().is_empty() {
            self.review(&mut sum);
            self.testing(&mut sum);
        }
        sum
    }

    fn all_steps(self) -> Times {
        self.first_steps(self.load.policy.procedure().len())
    }

    fn first_steps(self, count: usize) -> Times {
        let mut sum = Times::default();
        for (index, step) in self.load.policy.procedure().iter().enumerate().take(count) {
            if !self.advance(index, step, &mut sum) {
                sum.untimed.push(step.id);
            }
        }
        sum
    }

    /// Advances by one step of the procedure. Returns whether its time is known.
    pub(super) fn advance(self, index: usize, step: &ProcedureStep, reached: &mut Times) -> bool {
        let before = (self.deploys() == Some(index)).then(|| reached.clone());
        let known = match step.id.as_str() {
            _ if has_time(step) => {
                reached.step(step);
                true
            }
            "review" => self.review(reached),
            "test" => self.testing(reached),
            _ => false,
        };
        // The deployment takes its own time or that of the phases, whichever ends later. A single phase
        // has one time for it: the upper end of a range that the step has.
        let Some(mut phases) = before else { return known };
        phases.extend(&phases_until_live(self.load));
        if !known || self.load.phases.len() > 1 || phases.most != reached.most {
            *reached = phases.later(std::mem::take(reached));
        }
        true
    }

    /// Adds the review. Returns whether its time before the deployment is known.
    fn review(self, sum: &mut Times) -> bool {
        let Some(review) = self.level.and_then(|level| level.review.as_ref()) else { return false };
        match review.time {
            ReviewTime::Before => sum.add("review", review.least, review.most),
            // It may be done afterwards.
            ReviewTime::Any => sum.add("review", None, review.most),
            ReviewTime::After => true,
        }
    }

    /// Adds the tests. They are always before the deployment.
    fn testing(self, sum: &mut Times) -> bool {
        let testing = self.level.and_then(|level| level.testing.as_ref());
        testing.is_some_and(|testing| sum.add("testing", testing.least, testing.most))
    }
}

pub(super) const fn has_time(step: &ProcedureStep) -> bool {
    step.least.is_some() || step.most.is_some()
}

/// From the first deployment until the fix is live: the time of the phases, or the one that the policy
/// gives for a deployment, whichever ends later.
pub(crate) fn phases_until_live(load: Load<'_>) -> Times {
    let mut own = Times::default();
    if let Some(deploying) = load.policy.deploying() {
        own.add("deploying", deploying.least, deploying.most);
    }
    let mut sum = Times::default();
    let Some((last, before)) = load.phases.split_last() else { return own };
    for phase in before {
        let (least, most) = watched(load, phase);
        sum.add(phase.name.as_str(), Some(phase.deploy + least), Some(phase.deploy + most));
    }
    sum.add(last.name.as_str(), Some(last.deploy), None);
    sum.later(own)
}

/// What is left of the rollout once the last phase is reached.
fn after_live(load: Load<'_>) -> Times {
    let mut sum = Times::default();
    if let Some(last) = load.phases.last() {
        let (least, most) = watched(load, last);
        sum.add(last.name.as_str(), Some(least), Some(most));
    }
    sum.add("final validation", Some(load.policy.final_validation().watch), None);
    sum
}

/// The usual and the longest time of a phase after its deployment, with the veto window.
fn watched(load: Load<'_>, phase: &Phase) -> (Span, Span) {
    let usual = load.watch(phase);
    (usual + phase.veto_window(), load.longest(phase) + phase.veto_window())
}

/// Every phase and the final validation.
pub(crate) fn rollout(load: Load<'_>) -> Times {
    let mut sum = phases_until_live(load);
    sum.extend(&after_live(load));
    sum
}

/// The phases until a moment. None for a moment that they do not lead to.
pub(crate) fn phases_until(load: Load<'_>, to: Moment) -> Option<Times> {
    match to {
        Moment::Deployed => Some(phases_until_live(load)),
        Moment::Verified | Moment::Resolved => Some(rollout(load)),
        Moment::Closed => Some(closed(rollout(load), phases_until_live(load), load)),
        _ => None,
    }
}

/// The time until every watch afterwards is over: some count from the end of the final validation
/// (`verified`), some from the last phase (`live`).
fn closed(mut verified: Times, mut live: Times, load: Load<'_>) -> Times {
    for (sum, from) in [(&mut verified, WatchedFrom::Verified), (&mut live, WatchedFrom::Deployed)]
    {
        let later = load.policy.after().iter().filter(|later| later.from == from);
        sum.add("watch afterwards", later.map(|later| later.until).max(), None);
    }
    verified.later(live)
}
