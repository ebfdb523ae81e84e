//! The next moment at which the caller has to send a `tick`.

use crate::unit::Timestamp;

use super::{Returning, RollbackProgress, Rollout, Stage};

impl Rollout {
    /// The next moment at which time alone can change something: arm one timer with it and send a
    /// `tick`.
    ///
    /// It covers phases, windows, rollbacks, duties, and questions and requests for approval that
    /// nobody has answered, but not observations: send those at the
    /// policy's cadence; forecasts, and readings that leave a window, are evaluated with them. None
    /// where nothing waits for time. Before the first input it is the beginning of 1970: send a
    /// `tick` with the current time, which raises what is due from the beginning, such as requests
    /// for approval.
    pub fn poll_at(&self) -> Option<Timestamp> {
        let Some(now) = self.case.at else { return Some(Timestamp::default()) };
        let policy = self.plan.policy();
        let (mut next, mut found) = (Timestamp::MAX, false);
        // A moment since the last `observe` or `tick` is due now.
        let last = self.case.looked_at.unwrap_or(now);
        let mut consider = |at: Timestamp| {
            if at > last && at <= next {
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
                self.watch_ends(*since).into_iter().for_each(&mut consider);
            }
            Stage::RollingBack(RollbackProgress {
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
            Stage::RollingBack(progress) => match progress.watching {
                None => consider(progress.since + policy.rollback().returned_within),
                Some(since) => {
                    consider(since + policy.rollback().watch);
                    consider(since + policy.rollback().returned_within);
                }
            },
            Stage::Deploying(step) => {
                self.late_deployment_at(*step).into_iter().for_each(&mut consider);
            }
            Stage::Preparing => {
                if let Some(window) = self.change_window() {
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
        self.late_traffic_at().into_iter().for_each(&mut consider);
        let asked = self.case.unanswered.as_ref().map(|open| open.asked_at);
        let asked = asked.into_iter().chain(self.case.readiness.requested_at);
        asked.map(|asked| asked + policy.ask_again()).for_each(consider);
        let duty = self.case.agenda.next_moment(now);
        let next = found.then(|| next.max(now));
        next.into_iter().chain(duty).min()
    }
}
