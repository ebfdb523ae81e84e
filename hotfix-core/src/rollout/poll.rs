//! The one moment at which the host has to call again.

use crate::unit::Timestamp;

use super::{Returning, Rollout, Stage, WayBack};

impl Rollout {
    /// The next moment at which time alone can change something; the host arms one timer with it and sends a `tick`.
    ///
    /// A phase, a window, a way back, or a duty. Observations are the host's own business: they come at the policy's
    /// cadence, and with them is seen what is foreseen and what follows when older readings leave a window. None where nothing
    /// waits for time. Before the first input it is the beginning of 1970, which has long come: whatever is due from the
    /// beginning, such as asking for approvals, comes with a `tick` of the present time.
    pub fn poll_at(&self) -> Option<Timestamp> {
        let Some(now) = self.case.at else { return Some(Timestamp::default()) };
        let policy = self.plan.policy();
        let (mut next, mut found) = (Timestamp::MAX, false);
        // What has come since time was looked at last waits for a `tick` now.
        let looked = self.case.looked_at.unwrap_or(now);
        let mut consider = |at: Timestamp| {
            if at > looked && at <= next {
                (next, found) = (at, true);
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
            Stage::Complete { since, ending: None } => {
                if let Some(last) = policy.watched_until() {
                    consider(*since + last);
                }
            }
            Stage::RollingBack(WayBack {
                returning: Some(Returning { step, reached }),
                since,
                ..
            }) => {
                let steps = &policy.rollback().steps;
                match (reached, steps.get(*step)) {
                    (Some(reached), Some(step)) => consider(*reached + step.wait),
                    _ => consider(*since + policy.rollback().returned_within),
                }
            }
            Stage::RollingBack(way) => match way.watching {
                None => consider(way.since + policy.rollback().returned_within),
                Some(since) => {
                    consider(since + policy.rollback().watch);
                    consider(since + policy.rollback().returned_within);
                }
            },
            Stage::Deploying(step) => {
                self.late_deployment_at(*step).into_iter().for_each(&mut consider);
            }
            Stage::Preparing => {
                let record = self.plan.subject().release.record.as_ref();
                if let Some(window) = record.and_then(|record| record.window) {
                    consider(window.from);
                }
            }
            Stage::Gate { until: None, .. }
            | Stage::Complete { ending: Some(_), .. }
            | Stage::Closed
            | Stage::RolledBack
            | Stage::Paused { .. }
            | Stage::Frozen { .. }
            | Stage::Aborted
            | Stage::Failed => {}
        }
        if self.case.is_watched() {
            self.case.judge.silences(policy.watch(), &mut consider);
        }
        self.late_traffic_at().into_iter().for_each(consider);
        let duty = self.case.agenda.next_moment(now);
        let next = found.then(|| next.max(now));
        next.into_iter().chain(duty).min()
    }
}
