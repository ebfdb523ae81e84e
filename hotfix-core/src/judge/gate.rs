//! How time decides at the gate of a phase: what follows if something holds it for too long, and
//! whether waiting helps a metric.

use crate::grade::Response;
use crate::policy::section::Phase;
use crate::unit::{Share, Span};

use super::call::Call;
use super::watched::Watched;
use super::{Moment, Reason};

impl Moment<'_> {
    /// Whether the phase has lasted so long that it is decided by what was read, although readings cover
    /// less than its least time. Never if the policy makes the rollout wait for readings.
    pub(super) const fn time_decides(&self) -> bool {
        self.overdue && !self.waits_for_readings
    }

    /// The response to evidence that holds a phase: a question if no reading can change it any more.
    pub(super) fn held(&self, is_final: bool) -> Response {
        let is_watched = self.running.is_some() || self.due.is_some();
        if is_final && is_watched { Response::Ask } else { Response::Hold }
    }

    /// The response to something that has held the phase for too long.
    pub(super) fn held_too_long(&self, phase: &Phase, call: &Call<'_>) -> Response {
        // Nothing but a person ends a phase that has no longest time.
        let is_endless = phase.watch_most.is_none() && !self.after_the_phases;
        let then = if is_endless { Response::Ask } else { phase.inconclusive };
        let asks = self.running.is_none_or(|running| running.until_asked.is_zero());
        let then = if asks { then.max(Response::Ask) } else { then };
        let waits = self.waits_for_readings && call.has(Reason::Gaps);
        if waits { then.min(Response::Ask) } else { then }
    }
}

impl Watched {
    /// Whether nothing but readings from before the deployment judged it, and these are used up.
    pub(super) fn is_used_up(&self) -> bool {
        self.pre_deployment().is_used_up()
            && self.trailing().is_none()
            && self.metric().bound_figures().next().is_none()
    }

    /// Whether no reading can change the metric's evidence any more: all of the traffic has the fix, and
    /// no reading of the live version is beside the canary's, be it new or from before the deployment.
    pub(super) fn is_final(&self, share: Share) -> bool {
        let (canary, live) = self.window().sums().split_at(self.columns());
        let has_any = |arm: &[f64]| arm.iter().any(|value| *value > 0.0);
        share == Share::ALL && has_any(canary) && !has_any(live) && !self.pre_deployment().goes_on()
    }

    /// Whether the mean rate of the phase is too low for a window to have the least trials, by three
    /// standard errors of a Poisson count: then waiting does not help. Where it only just suffices,
    /// a fuller window comes.
    pub(super) fn stays_short(&self) -> bool {
        let (canary, baseline) = self.window().phase().split_at(self.columns());
        let (Some(canary), Some(baseline)) = (self.trials(canary), self.trials(baseline)) else {
            return false;
        };
        let fewer =
            if self.compares_live() && baseline > 0.0 { canary.min(baseline) } else { canary };
        // What a warm-up left out brought no trials, and what totals count since they were read last
        // is not known yet.
        let waits = self.scrape(self.readings().totals).unwrap_or(Span::ZERO).as_seconds();
        let learned = self.readings().learned.as_seconds() - waits;
        let windows = learned / self.watch().window.as_seconds();
        fewer + 3.0 * fewer.sqrt() < self.watch().least_trials * windows
    }
}
