//! Kolmogorov–Smirnov: do two arms have one distribution?

use serde::{Deserialize, Serialize};

use super::kolmogorov;
use super::sample::{Group, Groups, buckets, sorted};
use super::{Alternative, Assumption, Assumptions, Method, StatError};
use crate::stats::numeric::{exp, larger, smaller, whole};

/// Pairs up to which [`Method::Auto`] is exact: 10,000 against 10,000, as in `SciPy`.
const EXACT_PAIRS: f64 = 1e8;
/// Pairs up to which [`Method::Exact`] is taken: some seconds.
const MOST_PAIRS: f64 = 1e10;

/// Result of [`ks_2samp`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KolmogorovSmirnov {
    /// Effect size: the largest difference of the two distribution functions in the direction
    /// asked, 0 to 1.
    pub statistic: f64,
    /// Chance of such a difference, or a larger one, under one continuous distribution; 0 to 1.
    pub p_value: f64,
    /// Whether the p-value is exact rather than an approximation for large samples.
    pub exact: bool,
    /// Properties of the data. With ties the p-value is too large rather than too small.
    pub assumptions: Assumptions,
}

/// The Kolmogorov–Smirnov test of two samples.
///
/// As in `SciPy`, `Greater` says that the *distribution function* of `x` is greater somewhere, that
/// is, that values of `x` tend to be *smaller*. [`Method::Auto`] is exact for up to 10⁸ pairs
/// (10,000 against 10,000), where `SciPy`'s is, and for more uneven samples beyond. The asymptotic
/// p-values are `SciPy`'s, too: two-sided that of one sample of the effective size `n m / (n + m)`,
/// rounded (`kstwo`), and one-sided with Hodges' correction. They are 0 where the samples do not
/// overlap; one value against one, for which `SciPy` has no number, has 1.
///
/// # Errors
/// [`StatError`] for an empty sample, a value that is not finite, or
/// [`Method::Exact`] with more than 10¹⁰ pairs.
///
/// Source: Hodges (1958), Arkiv för Matematik 3(43); the exact law as shares of lattice paths that
/// leave the band, all terms positive: Viehmann (2021), arXiv:2102.08037.
///
/// ```
/// use hotfix_core::stats::fixed::{Alternative, Method, ks_2samp};
/// let test = ks_2samp(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], Alternative::TwoSided, Method::Auto)?;
/// assert!(test.exact && test.statistic == 1.0 && (test.p_value - 0.1).abs() < 1e-15);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn ks_2samp(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    method: Method,
) -> Result<KolmogorovSmirnov, StatError> {
    let (sorted_x, sorted_y) = (sorted("x", x)?, sorted("y", y)?);
    let groups = Groups::new(&sorted_x, &sorted_y);
    of_groups(groups, [x.len() as f64, y.len() as f64], alternative, method, Assumptions::NONE)
}

/// The Kolmogorov–Smirnov test of two histograms: counts of the same buckets, in order.
///
/// The distribution functions are compared at the boundaries only, so the statistic is at most that
/// of the samples, and the p-value errs on the safe side.
///
/// # Errors
/// [`StatError`] for histograms of different length, an empty one, counts
/// that are not whole or out of range, or too many pairs as in [`ks_2samp`].
///
/// ```
/// use hotfix_core::stats::fixed::{Alternative, Method, ks_from_counts};
/// let test = ks_from_counts(&[5.0, 40.0, 55.0], &[50.0, 35.0, 15.0], Alternative::Less,
///     Method::Auto)?;
/// assert!((test.statistic - 0.45).abs() < 1e-15 && test.p_value < 1e-7);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn ks_from_counts(
    x: &[f64],
    y: &[f64],
    alternative: Alternative,
    method: Method,
) -> Result<KolmogorovSmirnov, StatError> {
    let (groups, n_x, n_y) = buckets(x, y)?;
    let binned = Assumptions::NONE.with(Assumption::Binned, true);
    of_groups(groups.into_iter(), [n_x, n_y], alternative, method, binned)
}

fn of_groups(
    groups: impl Iterator<Item = Group>,
    [n_x, n_y]: [f64; 2],
    alternative: Alternative,
    method: Method,
    assumptions: Assumptions,
) -> Result<KolmogorovSmirnov, StatError> {
    // Differences of the distribution functions, times both sizes: whole numbers up to 2^53.
    let (mut above, mut below, mut ties, mut values) = (0.0, 0.0, false, 0_usize);
    let (mut so_far_x, mut so_far_y) = (0.0, 0.0);
    for Group { x, y } in groups {
        so_far_x += x;
        so_far_y += y;
        let difference = so_far_x * n_y - so_far_y * n_x;
        above = larger(above, difference);
        below = larger(below, -difference);
        ties |= x + y > 1.0;
        values += 1;
    }
    let reached = match alternative {
        Alternative::Greater => above,
        Alternative::Less => below,
        Alternative::TwoSided => larger(above, below),
    };
    let pairs = n_x * n_y;
    let exact = match method {
        Method::Asymptotic => false,
        Method::Auto => pairs <= EXACT_PAIRS,
        Method::Exact if pairs > MOST_PAIRS => {
            return Err(StatError::ExactTooLarge { what: "Kolmogorov-Smirnov" });
        }
        Method::Exact => true,
    };
    // Not -0 where the functions do not differ in that direction.
    let statistic = reached / pairs + 0.0;
    let p_value = if exact {
        leaving_paths([n_x, n_y], reached, alternative == Alternative::TwoSided)
    } else if alternative == Alternative::TwoSided {
        limit([n_x, n_y], statistic)
    } else {
        one_sided([n_x, n_y], statistic)
    };
    let assumptions =
        assumptions.with(Assumption::Ties, ties).with(Assumption::AllEqual, values == 1 && ties);
    Ok(KolmogorovSmirnov { statistic, p_value: smaller(p_value, 1.0), exact, assumptions })
}

/// Share of the lattice paths from (0, 0) to (n, m) that reach `|i m - j n| ≥ reached`; one-sided,
/// without the bars.
///
/// A path to (i, j) comes from (i-1, j) with chance `i/(i+j)`; outside the band the share is 1.
/// Read backwards, a path has its differences with the other sign: both sides have one law, and so
/// the sizes may be exchanged for the shorter row.
fn leaving_paths(sizes: [f64; 2], reached: f64, two_sided: bool) -> f64 {
    let (n, m) = (larger(sizes[0], sizes[1]), smaller(sizes[0], sizes[1]));
    if reached <= 0.0 {
        return 1.0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1e10")]
    let (rows, columns) = (n as u64, m as usize);
    // Shares of the row before, in place. The band moves to the right: what no row has written yet
    // is outside, and what is left of the band is not read again.
    let mut shares = vec![1.0_f64; columns + 1];
    for row in 0..=rows {
        let i = row as f64;
        // Inside: i m - j n < reached, and two-sided j n - i m < reached.
        let first = ((i * m - reached) / n).floor() + 1.0;
        let last = if two_sided { ((i * m + reached) / n).ceil() - 1.0 } else { m };
        let (first, last) = (larger(first, 0.0), smaller(last, m));
        let (from, to) = (whole(first), whole(last));
        let mut left = if from == 0 { 0.0 } else { 1.0 };
        let mut j = first;
        for share in shares.get_mut(from..=to).unwrap_or_default() {
            let both = i + j;
            let (weight_up, weight_left) =
                if both > 0.0 { (i / both, j / both) } else { (0.0, 0.0) };
            left = *share * weight_up + left * weight_left;
            *share = left;
            j += 1.0;
        }
    }
    shares.last().copied().unwrap_or(1.0)
}

/// Two-sided: as far as one sample of the effective size, which is rounded as `SciPy` rounds it.
fn limit([n, m]: [f64; 2], statistic: f64) -> f64 {
    let size = (n * m / (n + m)).round_ties_even();
    // One value against one says nothing.
    if size < 1.0 { 1.0 } else { kolmogorov::two_sided(size, statistic) }
}

/// One-sided, with the first correction term.
fn one_sided([n, m]: [f64; 2], statistic: f64) -> f64 {
    let (many, few) = (larger(n, m), smaller(n, m));
    let z = (many * (few / (many + few))).sqrt() * statistic;
    let correction = 2.0 / 3.0 * z * (many + 2.0 * few) / (many * few * (many + few)).sqrt();
    exp(-2.0 * z * z - correction)
}
