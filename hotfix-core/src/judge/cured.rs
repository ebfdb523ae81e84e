//! Failures that the fix has ended, and their latency.
//!
//! A request that fails is often answered at once: a live version that fails half of its requests
//! has a lower latency than one that works, and a fix that ends the outage looks slower. A histogram does
//! not say which requests failed. So where many more fail than with the fix, the rollback test of a
//! latency leaves out as many of the live version's requests as fail, as if they had been the quickest
//! ones. See `docs/decisions/quick-failures.md`.

use crate::stats::Counts;

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
    // Of several with as many, the first.
    let each = watched.iter().enumerate().rev();
    let proportions = each.filter(|(_, watched)| watched.metric().kind.is_fraction());
    let most = proportions
        .map(|(index, watched)| watched.arms_with(increments.get(index)))
        .max_by(|a, b| a[1].trials.total_cmp(&b[1].trials));
    match most {
        Some([canary, live]) if canary.trials > 0.0 && live.trials > 0.0 => {
            let [with, without] = [canary, live].map(|arm| arm.events / arm.trials);
            if without - with >= MANY { without } else { 0.0 }
        }
        _ => 0.0,
    }
}

impl Watched {
    /// Bad events and trials of both arms in the trailing window, with what an observation adds. Where
    /// the live version has none, its level over the rollout.
    fn arms_with(&self, increment: Option<&Increment>) -> [Counts; 2] {
        let mut arms = self.window_counts();
        if let Some(increment) = increment.filter(|increment| increment.reading.is_some()) {
            let tick = self.counts(&increment.tick.row);
            for (arm, tick) in arms.iter_mut().zip(tick) {
                arm.events += tick.events;
                arm.trials += tick.trials;
            }
        }
        if arms[1].trials <= 0.0 {
            let level = &self.totals().level;
            arms[1] = Counts::new(self.bad(level[0], level[1]), level[1]);
        }
        arms
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn none_were_cured(share: &f64) -> bool {
    *share == 0.0
}
