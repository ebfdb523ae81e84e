//! Failures that the fix has ended, and their latency.
//!
//! A request that fails is often answered at once: a live version that fails half of its requests
//! has a lower latency than one that works, and a fix that ends the outage looks slower. A histogram does
//! not say which requests failed. So where many more fail than with the fix, the rollback test of a
//! latency leaves out as many of the live version's requests as fail, as if they had been the quickest
//! ones. See `docs/decisions/quick-failures.md`.

use crate::grade::Role;
use crate::stats::Counts;

use super::bracket::{BASELINE, CANARY};
use super::prepared::Increment;
use super::watched::Watched;

/// Fewer cannot make a fix look slower than tolerated: without a tenth of its requests the live version
/// has 1.11 times the share of slow ones. At 1.25 times the time it is at least 1.1 times, even at the
/// median of a log-normal distribution with σ = 2.
const MANY: f64 = 0.1;

/// Index of the metric whose trials are the traffic: of the proportions that decide the one with the most
/// requests, over the trailing window and with what an observation adds. None without one.
pub(super) fn traffic(watched: &[Watched], increments: &[Increment]) -> Option<usize> {
    let mut most = None;
    for (index, of) in watched.iter().enumerate() {
        let metric = of.metric();
        if metric.role == Role::Decide && metric.kind.is_fraction() {
            let increment = increments.get(index);
            let live = of.live_with(increment);
            let requests = live.trials + of.counts_with(CANARY, increment).trials;
            if most.is_none_or(|(_, most)| requests > most) {
                most = Some((index, requests));
            }
        }
    }
    most.map(|(index, _)| index)
}

impl Watched {
    /// The share of the live version's requests that fail, where that is at least [`MANY`] more than of the
    /// canary's: of the metric whose trials are the [`traffic`], over the trailing window and with what an
    /// observation adds. Otherwise, and where one of both is not known, 0.
    pub(super) fn cured_failures(&self, increment: Option<&Increment>) -> f64 {
        let live = self.live_with(increment);
        if live.trials <= 0.0 || live.events < MANY * live.trials {
            return 0.0;
        }
        let canary = self.counts_with(CANARY, increment);
        let failing = live.events / live.trials;
        let cured = canary.trials > 0.0 && failing - canary.events / canary.trials >= MANY;
        if cured { failing } else { 0.0 }
    }

    /// Bad events and trials of an arm of a proportion in the trailing window, with what an observation
    /// adds.
    #[inline]
    fn counts_with(&self, arm: usize, increment: Option<&Increment>) -> Counts {
        let of_arm = |row: &[f64]| [row[2 * arm], row[2 * arm + 1]];
        let [mut events, mut trials] = of_arm(self.window().sums());
        if let Some(increment) = increment.filter(|increment| increment.reading.is_some()) {
            let tick = of_arm(&increment.tick.row);
            (events, trials) = (events + tick[0], trials + tick[1]);
        }
        self.bad_counts(&[events, trials])
    }

    /// As [`counts_with`](Self::counts_with), of the live version; without trials, its level.
    #[inline]
    fn live_with(&self, increment: Option<&Increment>) -> Counts {
        let counts = self.counts_with(BASELINE, increment);
        if counts.trials > 0.0 { counts } else { self.bad_counts(&self.totals().level) }
    }
}
