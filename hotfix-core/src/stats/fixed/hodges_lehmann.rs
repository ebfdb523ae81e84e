//! Hodges–Lehmann: by how much is one arm larger?

use serde::{Deserialize, Serialize};

use super::mann_whitney::FEW;
use super::sample::sorted;
use super::{Assumption, Assumptions, StatError};
use crate::stats::Range;
use crate::stats::distribution::RankSums;
use crate::stats::interval::{Interval, check_level};
use crate::stats::numeric::normal_quantile;

/// Result of [`hodges_lehmann`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// Median of all differences `x - y`, in the unit of the values.
    pub shift: f64,
    /// Covers the shift at least with the confidence asked for; infinite ends where the samples are
    /// too small for it.
    pub interval: Interval,
    /// Whether the interval's ends are from the exact law rather than from the normal
    /// approximation.
    pub exact: bool,
    /// Properties of the data.
    pub assumptions: Assumptions,
}

/// The Hodges–Lehmann estimate of the shift of `x` against `y`, and its interval.
///
/// The interval holds the shifts that [`mann_whitney_u`](super::mann_whitney_u) would not reject,
/// by the exact law where an arm has at most 8 values. Differences that do not lie within the range
/// of `f64` are infinite. Takes time in proportion to the sum of the sample sizes, not to their
/// product.
///
/// # Errors
/// [`StatError`] for an empty sample, a value that is not finite, or a
/// confidence that is not above 0 and below 1.
///
/// Source: Hodges and Lehmann (1963), Annals of Mathematical Statistics 34(2); the interval:
/// Lehmann (1963), same volume.
///
/// ```
/// use hotfix_core::stats::fixed::hodges_lehmann;
/// let slower = hodges_lehmann(&[14.0, 15.0, 16.0, 18.0], &[10.0, 11.0, 12.0, 13.0], 0.9)?;
/// assert_eq!(slower.shift, 4.0);
/// assert!(slower.interval.contains(4.0) && slower.interval.low > 0.0);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
pub fn hodges_lehmann(x: &[f64], y: &[f64], confidence: f64) -> Result<Shift, StatError> {
    let level = check_level(Range::CONFIDENCE, confidence)?;
    let (x, y) = (sorted("x", x)?, sorted("y", y)?);
    let differences = Differences { x: &x, y: &y };
    let (n_x, n_y) = (x.len(), y.len());
    let pairs = n_x as u128 * n_y as u128;
    let few = n_x.min(n_y) <= FEW;
    let law = few.then(|| RankSums::new(n_x, n_y)).flatten();
    let rank = match &law {
        Some(law) => exact_rank(law, 0.5 * level, n_x * n_y),
        None => normal_rank(n_x as f64, n_y as f64, level),
    };
    let interval = if rank == 0 {
        Interval { low: f64::NEG_INFINITY, high: f64::INFINITY }
    } else {
        Interval { low: differences.at(rank, &[]), high: differences.at(pairs + 1 - rank, &[]) }
    };
    let upper = differences.at(pairs / 2 + 1, &[]);
    let shift =
        if pairs % 2 == 1 { upper } else { 0.5 * differences.at(pairs / 2, &[]) + 0.5 * upper };
    let assumptions = Assumptions::NONE
        .with(Assumption::Ties, differences.tied())
        .with(Assumption::AllEqual, differences.all_equal())
        .with(Assumption::FewSamples, few && law.is_none());
    Ok(Shift { shift, interval, exact: law.is_some(), assumptions })
}

/// The largest rank whose difference, counted from either end, leaves at most `level` outside; 0
/// for none.
fn exact_rank(law: &RankSums, level: f64, pairs: usize) -> u128 {
    let (mut enough, mut too_many) = (0, pairs / 2 + 1);
    // At rank k the chance of `U` below k is outside.
    while too_many - enough > 1 {
        let middle = usize::midpoint(enough, too_many);
        // `1 - confidence` may lack its last bit.
        if law.at_most(middle - 1) <= level * (1.0 + 1e-12) {
            enough = middle;
        } else {
            too_many = middle;
        }
    }
    enough as u128
}

fn normal_rank(n_x: f64, n_y: f64, level: f64) -> u128 {
    let sd = (n_x * n_y * (n_x + n_y + 1.0) / 12.0).sqrt();
    let rank = (0.5 * n_x * n_y + normal_quantile(0.5 * level) * sd + 0.5).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below the number of pairs; a negative rank saturates to 0, which is what it means"
    )]
    {
        rank as u128
    }
}

/// All differences `x - y` of two ascending samples, without storing them.
pub(crate) struct Differences<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) y: &'a [f64],
}

impl Differences<'_> {
    /// The difference of the given rank, counted from 1, by bisection over the doubles. `near`: where to
    /// try first.
    pub(crate) fn at(&self, rank: u128, near: &[f64]) -> f64 {
        let ends = |values: &[f64]| {
            [values.first(), values.last()].map(|end| end.copied().unwrap_or_default())
        };
        let ([x_low, x_high], [y_low, y_high]) = (ends(self.x), ends(self.y));
        let (mut low, mut high) = (x_low - y_high, x_high - y_low);
        let mut near = near.iter().copied();
        while low < high {
            // Rounded down, so that it is below `high`.
            let middle = || number(u64::midpoint(order(low), order(high)));
            let limit = near.next().unwrap_or_else(middle);
            let limit = if limit < high { limit.max(low) } else { low };
            let (count, below, above) = self.around(limit);
            if count >= rank { high = below } else { low = above }
        }
        // A difference of 0 has no sign.
        low + 0.0
    }

    /// How many differences are at most `limit`, the largest of them, and the smallest of the others.
    /// Rounded subtraction is monotone, so one pass does.
    fn around(&self, limit: f64) -> (u128, f64, f64) {
        let (mut count, mut below, mut above) = (0_u128, f64::NEG_INFINITY, f64::INFINITY);
        let mut rest = self.y;
        let mut last = None;
        // As x grows, the y for which x - y ≤ limit are fewer.
        for x in self.x {
            while let Some((y, after)) = rest.split_first().filter(|(y, _)| *x - **y > limit) {
                (last, rest) = (Some(y), after);
            }
            count += rest.len() as u128;
            above = last.map_or(above, |y| above.min(x - y));
            below = rest.first().map_or(below, |y| below.max(x - y));
        }
        (count, below, above)
    }

    fn tied(&self) -> bool {
        let within = |values: &[f64]| values.windows(2).any(|pair| pair[0] == pair[1]);
        within(self.x)
            || within(self.y)
            || super::sample::Groups::new(self.x, self.y).any(|group| group.x + group.y > 1.0)
    }

    fn all_equal(&self) -> bool {
        self.x.first() == self.x.last()
            && self.y.first() == self.y.last()
            && self.x.first() == self.y.first()
    }
}

/// The place of a double among all doubles, so that bisection halves how many are left.
fn order(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn number(order: u64) -> f64 {
    f64::from_bits(if order >> 63 == 1 { order & !(1 << 63) } else { !order })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_1_order_statistics_of_the_differences() {
        let x = [-1.5, 0.0, 0.0, 1e-9, 2.0, 64.0];
        let y = [-3.0, -3.0, 0.25, 1.0, 1.0];
        let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        all.sort_unstable_by(f64::total_cmp);
        let differences = Differences { x: &x, y: &y };
        for near in [&[][..], &[-1e9], &[0.0, 1.0], &[f64::NAN, 1e9]] {
            for (index, expected) in all.iter().enumerate() {
                assert_eq!(
                    differences.at(index as u128 + 1, near),
                    *expected,
                    "rank {}",
                    index + 1
                );
            }
        }
    }
}
