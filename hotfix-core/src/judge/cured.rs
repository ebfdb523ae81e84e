//! Failures that the fix has ended, and their latency.
//!
//! A request that fails is often answered at once: a live version that fails half of its requests
//! has a lower latency than one that works, and a fix that ends the outage looks slower. A histogram does
//! not say which requests failed. So where many more fail than with the fix, the rollback test of a
//! latency leaves out as many of the live version's requests as fail, as if they had been the quickest
//! ones. See `docs/decisions/quick-failures.md`.

use crate::stats::Counts;

use super::bracket::{BASELINE, CANARY};
use super::prepared::Increment;
use super::watched::Watched;

/// Fewer cannot make a fix look slower than tolerated: without a tenth of its requests the live version
/// has 1.11 times the share of slow ones. At 1.25 times the time it is at least 1.1 times, even at the
/// median of a log-normal distribution with σ = 2.
const MANY: f64 = 0.1;

/// The share of the live version's requests that fail, where that is at least [`MANY`] more than of the
/// canary's: by the proportion with the most requests, over the trailing window and with what an
/// observation adds. Otherwise, and where one of both is not known, 0.
pub(super) fn cured_failures(watched: &[Watched], increments: &[Increment]) -> f64 {
    let mut most: Option<(usize, Counts)> = None;
    for (index, of) in watched.iter().enumerate() {
        if of.metric().kind.is_fraction() {
            let live = of.live_with(increments.get(index));
            if most.is_none_or(|(_, most)| live.trials > most.trials) {
                most = Some((index, live));
            }
        }
    }
    match most {
        Some((index, live)) if live.events >= MANY * live.trials && live.trials > 0.0 => {
            let canary = watched[index].counts_with(CANARY, increments.get(index));
            let failing = live.events / live.trials;
            let cured = canary.trials > 0.0 && failing - canary.events / canary.trials >= MANY;
            if cured { failing } else { 0.0 }
        }
        _ => 0.0,
    }
}

impl Watched {
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
        Counts::new(self.bad(events, trials), trials)
    }

    /// The same of the live version; where it has none, its level over the rollout.
    #[inline]
    fn live_with(&self, increment: Option<&Increment>) -> Counts {
        let counts = self.counts_with(BASELINE, increment);
        if counts.trials > 0.0 {
            return counts;
        }
        let level = &self.totals().level;
        Counts::new(self.bad(level[0], level[1]), level[1])
    }
}
