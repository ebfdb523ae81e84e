//! The one moment at which the host has to call again.

use crate::unit::Timestamp;

use super::{Rollout, Stage};

impl Rollout {
    /// The next moment at which time alone can change something; the host arms one timer with it and sends a `tick`.
    ///
    /// Observations are the host's own business: they come at the policy's cadence. None before the start and at the end,
    /// or where nothing waits for time.
    pub fn poll_at(&self) -> Option<Timestamp> {
        let now = self.case.at?;
        let policy = self.plan.policy();
        let mut next: Option<Timestamp> = None;
        let mut consider = |at: Timestamp| {
            if at > now && next.is_none_or(|known| at < known) {
                next = Some(at);
            }
        };
        match &self.case.stage {
            Stage::Monitoring(step) => {
                if let Some(phase) = policy.phases().get(step.index) {
                    consider(step.since + phase.watch);
                    if let Some(most) = phase.watch_most {
                        consider(step.since + most);
                    }
                }
            }
            Stage::Gate { until: Some(until), .. } => consider(*until),
            Stage::FinalValidation { since } => consider(*since + policy.final_validation().watch),
            Stage::Complete { since } => {
                if let Some(last) = policy.after().iter().map(|watch| watch.until).max() {
                    consider(*since + last);
                }
            }
            Stage::RollingBack(way) => match way.watching {
                None => consider(way.since + policy.rollback().returned_within),
                Some(since) => {
                    consider(since + policy.rollback().watch);
                    consider(since + policy.rollback().returned_within);
                }
            },
            Stage::Preparing
            | Stage::Deploying(_)
            | Stage::Gate { until: None, .. }
            | Stage::Closed
            | Stage::RolledBack
            | Stage::Paused { .. }
            | Stage::Frozen
            | Stage::Aborted
            | Stage::Failed => {}
        }
        if self.case.is_watched() {
            self.case.judge.silences(policy.watch()).for_each(consider);
        }
        next
    }
}
