//! Totals by planned split, updated each tick, from which the interval of the ratio is computed.

use super::{Counts, StatError, Totals, check_both};
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
/// let interval = ratio_interval(totals.totals(), 0.99)?;
/// assert!(interval.contains(1.0) && interval.high < 1.2);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Default(expression = Self::new()))]
#[serde(try_from = "Vec<ArmTotals>", into = "Vec<ArmTotals>")]
pub struct SplitTotals {
    shares: [f64; MAX_SPLITS],
    totals: [Totals; MAX_SPLITS],
    len: usize,
}

impl SplitTotals {
    /// Nothing yet.
    pub const fn new() -> Self {
        let none = Totals { canary: Counts::new(0.0, 0.0), baseline: Counts::new(0.0, 0.0) };
        Self { shares: [0.0; MAX_SPLITS], totals: [none; MAX_SPLITS], len: 0 }
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
        if !(planned_share > 0.0 && planned_share <= 1.0) {
            return Err(StatError::BadShare { share: planned_share });
        }
        check_both(canary, baseline)?;
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return Ok(true);
        }
        let known = self.shares[..self.len].iter().rposition(|share| *share == planned_share);
        let at = known.unwrap_or(self.len);
        let Some(totals) = self.totals.get_mut(at) else { return Ok(false) };
        totals.add(canary, baseline);
        if known.is_none() {
            self.shares[at] = planned_share;
            self.len += 1;
        }
        Ok(true)
    }

    /// The sums, in the order in which the splits came.
    pub fn totals(&self) -> &[Totals] {
        &self.totals[..self.len]
    }
}

/// One planned split of a document.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArmTotals {
    share: f64,
    totals: Totals,
}

impl From<SplitTotals> for Vec<ArmTotals> {
    fn from(sums: SplitTotals) -> Self {
        let parts = sums.shares.into_iter().zip(sums.totals).take(sums.len);
        parts.map(|(share, totals)| ArmTotals { share, totals }).collect()
    }
}

impl TryFrom<Vec<ArmTotals>> for SplitTotals {
    type Error = StatError;

    fn try_from(parts: Vec<ArmTotals>) -> Result<Self, StatError> {
        let mut sums = Self::new();
        for ArmTotals { share, totals } in parts {
            totals.check()?;
            let twice = sums.shares[..sums.len].contains(&share);
            if twice || sums.len == MAX_SPLITS || !(share > 0.0 && share <= 1.0) {
                return Err(StatError::BadState { what: "splits" });
            }
            (sums.shares[sums.len], sums.totals[sums.len]) = (share, totals);
            sums.len += 1;
        }
        Ok(sums)
    }
}
