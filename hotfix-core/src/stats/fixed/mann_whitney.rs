//! Mann–Whitney: does one arm tend to have the larger values?

use serde::{Deserialize, Serialize};

use super::sample::{Group, Groups, buckets, sorted};
use super::{Alternative, Assumption, Assumptions, Method, StatError};
use crate::stats::distribution::RankSums;
use crate::stats::numeric::{larger, normal_cdf, smaller, whole};

/// With at most this many values in an arm, and no ties, [`Method::Auto`] is exact, as in `SciPy`.
pub(super) const FEW: usize = 8;

/// Result of [`mann_whitney_u`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MannWhitney {
    /// Pairs in which `x` is the larger value, equal ones counted half.
    pub u: f64,
    /// Chance of such a `u`, or one further out, if neither arm tended to be larger; 0 to 1.
    pub p_value: f64,
    /// Effect size: chance that a value of `x` is larger than one of `y`, equal ones counted half.
    pub common_language: f64,
    /// Effect size from -1 (all of `x` is smaller) to 1: `2 common_language - 1`.
    pub rank_biserial: f64,
    /// Whether the p-value is exact rather than from the normal approximation.
    pub exact: bool,
    /// Properties of the data.
    pub assumptions: Assumptions,
}

/// The Mann–Whitney U test of two samples.
///
/// `Greater`: values of `x` tend to be larger than those of `y`. [`Method::Auto`] is exact where an
/// arm has at most 8 values and none is tied. Otherwise the normal approximation corrected for
/// ties, `continuity` moving `u` by a half towards its mean. All values equal: `p = 1`.
///
/// # Errors
/// [`StatError`] for an empty sample or a value that is not finite; with [`Method::Exact`] also for
/// ties and for samples that are too large (about 60 against 60, or 8 against 250,000).
///
/// Source: Mann and Whitney (1947), Annals of Mathematical Statistics 18(1); effect size:
/// `McGraw` and Wong (1992), Psychological Bulletin 111(2).
///
/// ```
/// use hotfix_core::stats::fixed::{Alternative, Method, mann_whitney_u};
/// let test = mann_whitney_u(&[9.0, 8.0, 7.5], &[1.0, 2.0, 3.0, 7.0], Alternative::Greater,
///     Method::Auto, true)?;
/// assert_eq!((test.u, test.common_language), (12.0, 1.0));
/// assert!((test.p_value - 1.0 / 35.0).abs() < 1e-15);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn mann_whitney_u(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    method: Method,
    continuity: bool,
) -> Result<MannWhitney, StatError> {
    let (sorted_x, sorted_y) = (sorted("x", x)?, sorted("y", y)?);
    let (n_x, n_y) = (x.len(), y.len());
    let sums = Sums::of(Groups::new(&sorted_x, &sorted_y), n_x as f64, n_y as f64);
    let few = n_x.min(n_y) <= FEW;
    let law = match method {
        Method::Exact if sums.ties => return Err(StatError::ExactTies),
        Method::Exact => {
            let law = RankSums::new(n_x, n_y);
            Some(law.ok_or(StatError::ExactTooLarge { what: "rank sum" })?)
        }
        Method::Auto if few && !sums.ties => RankSums::new(n_x, n_y),
        Method::Auto | Method::Asymptotic => None,
    };
    let p_value = match &law {
        Some(law) => sums.exact(law, alternative),
        None => sums.asymptotic(alternative, continuity),
    };
    let assumptions = Assumptions::NONE.with(Assumption::FewSamples, few && law.is_none());
    Ok(sums.report(p_value, law.is_some(), assumptions))
}

/// The Mann–Whitney U test of two histograms: counts of the same buckets, in order.
///
/// Counts per bucket, not cumulated. Values in one bucket are tied, so this is the normal
/// approximation corrected for ties, and the same as [`mann_whitney_u`] of samples that only know
/// their bucket.
///
/// # Errors
/// [`StatError`] for histograms of different length, an empty one, or
/// counts that are not whole or out of range.
///
/// ```
/// use hotfix_core::stats::fixed::{Alternative, Assumption, mann_whitney_from_counts};
/// let test = mann_whitney_from_counts(&[5.0, 40.0, 55.0], &[50.0, 35.0, 15.0],
///     Alternative::Greater, true)?;
/// assert!(test.p_value < 1e-9 && test.assumptions.contains(Assumption::Binned));
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn mann_whitney_from_counts(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    continuity: bool,
) -> Result<MannWhitney, StatError> {
    let (groups, n_x, n_y) = buckets(x, y)?;
    let sums = Sums::of(groups.into_iter(), n_x, n_y);
    let few = smaller(n_x, n_y) <= FEW as f64;
    let assumptions =
        Assumptions::NONE.with(Assumption::Binned, true).with(Assumption::FewSamples, few);
    Ok(sums.report(sums.asymptotic(alternative, continuity), false, assumptions))
}

/// What one pass over the distinct values gives.
#[derive(Clone, Copy, Debug)]
struct Sums {
    n_x: f64,
    n_y: f64,
    /// Twice the difference of `u` and its mean.
    twice_excess: f64,
    /// Variance of `u`, corrected for ties; zero where all values are equal.
    variance: f64,
    ties: bool,
}

impl Sums {
    fn of(groups: impl Iterator<Item = Group>, n_x: f64, n_y: f64) -> Self {
        let n = n_x + n_y;
        let (mut before, mut twice_excess, mut spread, mut ties) = (0.0, 0.0, 0.0, false);
        for Group { x, y } in groups {
            let tied = x + y;
            // Those of y before less those after it.
            twice_excess += x * (before - (n_y - before - y));
            before += y;
            // n³ - Σ t³ as a sum of positive terms: nothing cancels where one group has nearly all.
            spread += tied * (n - tied) * (n + tied);
            ties |= tied > 1.0;
        }
        let variance = if n > 1.0 { n_x * n_y / 12.0 * (spread / (n * (n - 1.0))) } else { 0.0 };
        Self { n_x, n_y, twice_excess, variance, ties }
    }

    fn asymptotic(&self, alternative: Alternative, continuity: bool) -> f64 {
        if self.variance == 0.0 {
            return 1.0;
        }
        let excess = 0.5
            * match alternative {
                Alternative::Greater => self.twice_excess,
                Alternative::Less => -self.twice_excess,
                Alternative::TwoSided => self.twice_excess.abs(),
            };
        let correction = if continuity { 0.5 } else { 0.0 };
        let tail = normal_cdf((correction - excess) / self.variance.sqrt());
        if alternative == Alternative::TwoSided { smaller(2.0 * tail, 1.0) } else { tail }
    }

    /// Without ties `u` is whole.
    fn exact(&self, law: &RankSums, alternative: Alternative) -> f64 {
        let u = whole(self.u());
        let (greater, less) = (law.at_least(u), law.at_most(u));
        match alternative {
            Alternative::Greater => greater,
            Alternative::Less => less,
            Alternative::TwoSided => smaller(2.0 * smaller(greater, less), 1.0),
        }
    }

    fn u(&self) -> f64 {
        0.5 * (self.n_x * self.n_y + self.twice_excess)
    }

    fn report(&self, p_value: f64, exact: bool, assumptions: Assumptions) -> MannWhitney {
        let rank_biserial = (self.twice_excess / self.n_x / self.n_y).clamp(-1.0, 1.0);
        let all_equal = self.variance == 0.0;
        MannWhitney {
            u: larger(self.u(), 0.0),
            p_value,
            common_language: 0.5 * (1.0 + rank_biserial),
            rank_biserial,
            exact,
            assumptions: assumptions
                .with(Assumption::Ties, self.ties)
                .with(Assumption::AllEqual, all_equal && self.ties),
        }
    }
}
