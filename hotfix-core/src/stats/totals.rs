//! Totals by planned split, updated each tick, from which the interval of the ratio is computed.

use super::{Counts, Range, StatError, Totals, check_both};
use serde::{Deserialize, Serialize};

/// Planned splits that there is room for; a rollout has one a phase.
pub const MAX_SPLITS: usize = 16;

/// Sums of what both arms had under each planned split, in a place of fixed size.
///
/// Ticks of one planned split may be summed, those of different ones never: a shock that comes with
/// a larger share would look like a worse canary (`docs/statistics.md`, A7). Where a rollout plans
/// more than [`MAX_SPLITS`], ticks of the further ones are left out: the interval stays valid, as
/// which ticks count was fixed before they were seen, and is wider than it could be. Ticks in which
/// an arm has no trials say nothing and are left out, too.
///
/// ```
/// use hotfix_core::stats::{Counts, SplitTotals, interval::ratio_interval};
/// let mut totals = SplitTotals::new();
/// // As good as the baseline; a shock comes with the larger share.
/// totals.add(0.1, Counts::new(30.0, 1e4), Counts::new(270.0, 9e4))?;
/// totals.add(0.5, Counts::new(1500.0, 5e4), Counts::new(1500.0, 5e4))?;
/// let strata: Vec<_> = totals.totals().copied().collect();
/// let interval = ratio_interval(&strata, 0.99)?;
/// assert!(interval.contains(1.0) && interval.high < 1.2);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SplitTotals {
    /// In the order in which they came; the free places are last.
    parts: [Option<ArmTotals>; MAX_SPLITS],
}

impl SplitTotals {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { parts: [None; MAX_SPLITS] }
    }

    /// Adds one tick, and returns whether it could be stored. Shares are compared exactly.
    ///
    /// # Errors
    /// The sums are unchanged. [`StatError`] for invalid counts, or a
    /// planned share that is not above 0 and at most 1 (at 1 a hold-back may be the baseline).
    pub fn add(
        &mut self,
        planned_share: f64,
        canary: Counts,
        baseline: Counts,
    ) -> Result<bool, StatError> {
        Range::SHARE.check(planned_share > 0.0 && planned_share <= 1.0, planned_share)?;
        check_both(canary, baseline)?;
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return Ok(true);
        }
        let fits = |part: &&mut Option<ArmTotals>| part.is_none_or(|of| of.share == planned_share);
        let Some(part) = self.parts.iter_mut().find(fits) else { return Ok(false) };
        let new = ArmTotals { share: planned_share, totals: Totals::default() };
        part.get_or_insert(new).totals.add(canary, baseline);
        Ok(true)
    }

    /// The sums, in the order in which the splits came.
    pub fn totals(&self) -> impl Iterator<Item = &Totals> {
        self.parts.iter().flatten().map(|part| &part.totals)
    }
}

/// What came under one planned split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArmTotals {
    share: f64,
    totals: Totals,
}
