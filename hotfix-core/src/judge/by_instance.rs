//! Counts that all come by instance: what is clipped, which limits apply, and the statistic that
//! decides. See `docs/decisions/replay-by-instance.md`.

use crate::metric::Tick;
use crate::stats::replay::statistic;
use crate::stats::{Counts, Totals};

use super::watched::Watched;

impl Watched {
    /// The bad events of each arm in this tick that are above the bound for an instance, where all
    /// counts come by instance.
    pub(super) fn clip(&mut self, tick: &Tick) -> [f64; 2] {
        let mut clipped = [0.0; 2];
        if !self.metric.is_read_by_instance() {
            return clipped;
        }
        self.instances.read(self.trials_of(tick), &tick.instances);
        if self.basis.read_by(self.instances.known()) {
            self.limit();
        }
        let Some(clip) = self.basis.clip() else { return clipped };
        for (clipped, instances) in clipped.iter_mut().zip(&tick.instances) {
            for &[events, trials] in instances {
                let bad = self.metric.worse.bad(events, trials);
                *clipped += clip.excess(Counts::new(bad, trials));
            }
        }
        clipped
    }

    /// Puts the limits that apply into the rollback test.
    pub(super) fn limit(&mut self) {
        self.tests.limit(self.basis.limits());
    }

    /// The statistic that decides, from the log e-value of harm: it also counts the evidence
    /// without each one of the canary's instances.
    pub(super) fn statistic(&self, log_e: f64) -> f64 {
        let leaves_out = self.basis.leaves_out();
        statistic(log_e, leaves_out.then(|| self.log_e_without_any()).flatten())
    }

    /// What the rollback test compared so far, with what it did not count; None for latency.
    pub(super) fn compared(&self) -> Option<Totals> {
        Some(self.totals.with_uncounted(self.tests.worse()?.totals()?))
    }

    /// Estimated rate ratio.
    pub(super) fn ratio(&self) -> Option<f64> {
        if self.totals.counts_all() {
            self.tests.worse()?.ratio()
        } else {
            self.compared()?.ratio()
        }
    }
}
