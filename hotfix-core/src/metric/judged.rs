//! The value that bounds are compared with: a number, or a quantile between the edges of a bucket.

use crate::grade::Worse;
use crate::stats::quantile::{Bucket, INTERPOLATION_ERROR};
use crate::unit::Ratio;

/// A value with its lower and upper limit, which are equal unless it comes from histogram buckets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// At least this.
    pub low: f64,
    /// At most this.
    pub high: f64,
    /// The counts at both limits, and the quantile, where it can be interpolated.
    inside: Option<Inside>,
}

/// Counts at the edges of the bucket that holds a quantile.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Inside {
    quantile: f64,
    below: f64,
    at_or_below: f64,
    count: f64,
}

impl Judged {
    /// A value known exactly.
    pub const fn exactly(value: f64) -> Self {
        Self { low: value, high: value, inside: None }
    }

    /// A value that is known to be in this range.
    pub(crate) const fn between(low: f64, high: f64) -> Self {
        Self { low, high, inside: None }
    }

    /// The quantile of cumulative bucket counts: the edges of the bucket it falls in. None without
    /// requests.
    ///
    /// `counts[i]` requests are at or below `edges[i]`; in the open last bucket the upper end is
    /// infinite.
    pub fn quantile(quantile: f64, count: f64, counts: &[f64], edges: &[f64]) -> Option<Self> {
        if count <= 0.0 {
            return None;
        }
        // Counts are whole, the product is not: a half-ulp must not push an exact hit into the next
        // bucket.
        let rank = quantile * count * (1.0 - 1e-12);
        let bucket = counts.iter().position(|&at_or_below| at_or_below >= rank);
        Some(match bucket {
            Some(0) => Self { low: 0.0, high: edges[0], inside: None },
            Some(i) => {
                let inside =
                    Inside { quantile, below: counts[i - 1], at_or_below: counts[i], count };
                Self { low: edges[i - 1], high: edges[i], inside: Some(inside) }
            }
            None => {
                let low = edges.last().copied().unwrap_or(0.0);
                Self { low, high: f64::INFINITY, inside: None }
            }
        })
    }

    /// The number to show: the value itself, or the interpolated quantile. Where nothing shows where
    /// in its bucket the quantile lies, the edge that is known: the upper one of the first bucket,
    /// the lower one of the open bucket.
    pub fn shown(self) -> f64 {
        self.estimate().unwrap_or(if self.low > 0.0 { self.middle() } else { self.high })
    }

    /// The number to show, if it is finite.
    pub(crate) fn finite(self) -> Option<f64> {
        Some(self.shown()).filter(|value| value.is_finite())
    }

    /// The number to compute with at each tick: the value itself, or the middle of the bucket; in the
    /// open bucket its lower edge. Interpolation takes longer than the rest of a tick.
    pub(crate) fn middle(self) -> f64 {
        if self.high.is_finite() { 0.5 * (self.low + self.high) } else { self.low }
    }

    /// The value itself, or the quantile interpolated inside its bucket, with an error of 10%. None
    /// in the first and in the open bucket, where nothing shows where the quantile lies.
    pub fn estimate(self) -> Option<f64> {
        if self.low >= self.high {
            return Some(self.low);
        }
        let Inside { quantile, below, at_or_below, count } = self.inside?;
        let bucket = Bucket { low: self.low, high: self.high, below, at_or_below, count };
        bucket.interpolated(quantile)
    }

    /// The number that an interpolated quantile is compared with.
    pub(super) fn likely(self) -> f64 {
        self.estimate().unwrap_or_else(|| self.middle())
    }

    /// The limits, times a ratio.
    pub(super) fn times(self, ratio: Ratio) -> Self {
        let ratio = ratio.value();
        Self { low: self.low * ratio, high: self.high * ratio, inside: None }
    }

    /// Whether it is strictly on the worse side of a figure; None if the bucket of either cannot
    /// decide it.
    #[inline]
    pub(super) fn beyond(self, figure: Self, worse: Worse) -> Option<bool> {
        // A ratio of the reference differs from the edge at the same figure by its last bits.
        let at_least = |edge: f64, figure: f64| edge >= figure * (1.0 - Worse::LAST_BITS);
        let (surely, surely_not) = match worse {
            // A bucket's requests are above its lower edge: a figure there means beyond.
            Worse::Higher if self.low < self.high => {
                (at_least(self.low, figure.high), at_least(figure.low, self.high))
            }
            Worse::Higher => {
                (worse.is_beyond(self.low, figure.high), !worse.is_beyond(self.low, figure.low))
            }
            Worse::Lower if self.low < self.high => {
                (self.high < figure.low, at_least(self.low, figure.high))
            }
            Worse::Lower => {
                (worse.is_beyond(self.high, figure.low), !worse.is_beyond(self.high, figure.high))
            }
        };
        surely.then_some(true).or(surely_not.then_some(false))
    }
}

/// Whether an interpolated value is beyond a figure by more than its error.
pub(super) fn clearly_beyond(estimate: f64, figure: f64, worse: Worse) -> bool {
    let error = 1.0 + INTERPOLATION_ERROR;
    match worse {
        Worse::Higher => estimate > figure * error,
        Worse::Lower => estimate < figure / error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_3_a_quantile_inside_a_bucket_is_between_its_edges() {
        let (counts, edges) = ([61.0, 95.0, 99.0], [0.1, 0.25, 0.5]);
        let beyond = |of: Judged, figure| of.beyond(Judged::exactly(figure), Worse::Higher);
        let p95 = Judged::quantile(0.95, 100.0, &counts, &edges).unwrap();
        assert_eq!((p95.low, p95.high), (0.1, 0.25));
        assert_eq!(beyond(p95, 0.25), Some(false));
        assert_eq!(beyond(p95, 0.1), Some(true));
        assert_eq!(beyond(p95, 0.2), None);
        let tail = Judged::quantile(0.999, 100.0, &counts, &edges).unwrap();
        assert_eq!((tail.low, tail.high, tail.estimate()), (0.5, f64::INFINITY, None));
        assert_eq!(Judged::quantile(0.95, 0.0, &[0.0, 0.0, 0.0], &edges), None);
    }

    #[test]
    fn field_18_a_ratio_of_a_bucket_is_decided_by_the_edges_alone() {
        let (edges, counts) = ([0.1, 0.2, 0.3], [50.0, 97.0, 99.0]);
        let live = Judged::quantile(0.95, 100.0, &counts, &edges).unwrap();
        let twice = live.times(Ratio::try_new(2.0).unwrap());
        assert_eq!(Judged::exactly(0.39).beyond(twice, Worse::Higher), None);
        assert_eq!(Judged::exactly(0.41).beyond(twice, Worse::Higher), Some(true));
        assert_eq!(Judged::exactly(0.2).beyond(twice, Worse::Higher), Some(false));
    }

    #[test]
    fn field_18_an_edge_at_a_ratio_of_the_reference_decides() {
        let (edges, bound) = ([0.1, 0.22, 0.3], Judged::exactly(0.2 * 1.1));
        assert!(bound.low > edges[1]);
        let above = Judged::quantile(0.95, 100.0, &[50.0, 90.0, 99.0], &edges).unwrap();
        assert_eq!(above.beyond(bound, Worse::Higher), Some(true));
    }

    #[test]
    fn met_1_success_includes_its_value_and_alert_does_not() {
        let at = |v: f64, worse| Judged::exactly(v).beyond(Judged::exactly(0.02), worse);
        assert_eq!((at(0.02, Worse::Higher), at(0.021, Worse::Higher)), (Some(false), Some(true)));
        assert_eq!((at(0.02, Worse::Lower), at(0.019, Worse::Lower)), (Some(false), Some(true)));
    }
}
