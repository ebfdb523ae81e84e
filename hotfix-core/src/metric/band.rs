//! Bands: the zone of a value between its bounds.

use crate::grade::{BoundBase, Worse, closed_set};
use crate::policy::section::{Bound, BoundValue, Metric};

closed_set! {
    /// Zone of a metric's value between its bounds, or why it has no zone.
    Band {
        /// At or on the good side of the success bound.
        Success = "success",
        /// Neither success nor alert, or too few trials.
        Hold = "hold",
        /// A bound falls inside the histogram bucket that holds the quantile: not a pass.
        Between = "between",
        /// Beyond the alert bound.
        Alert = "alert",
        /// Beyond the rollback bound.
        Rollback = "rollback",
        /// It was read, and nothing judges it: no bound has its reference, and no test has a live
        /// arm.
        NotJudged = "not_judged",
        /// It was not read in this phase.
        NoData = "no_data",
        /// The last reading is too old.
        Stale = "stale",
        /// A number was NaN or infinite.
        NotFinite = "not_finite",
    }
}

/// A value with its lower and upper limit, which are equal unless it comes from histogram buckets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// At least this.
    pub low: f64,
    /// At most this.
    pub high: f64,
}

impl Judged {
    /// A value known exactly.
    pub const fn exactly(value: f64) -> Self {
        Self { low: value, high: value }
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
            Some(0) => Self { low: 0.0, high: edges[0] },
            Some(i) => Self { low: edges[i - 1], high: edges[i] },
            None => Self { low: edges.last().copied().unwrap_or(0.0), high: f64::INFINITY },
        })
    }

    /// The number to show: the middle, or the lower end of the open bucket.
    pub fn shown(self) -> f64 {
        if self.high.is_finite() { 0.5 * (self.low + self.high) } else { self.low }
    }

    /// Whether it is strictly on the worse side of `figure`; None if the bucket cannot decide it.
    fn beyond(self, figure: f64, worse: Worse) -> Option<bool> {
        let (surely, surely_not) = match worse {
            // A bucket's requests are above its lower edge: `low >= figure` means beyond.
            Worse::Higher if self.low < self.high => (self.low >= figure, self.high <= figure),
            Worse::Higher => (self.low > figure, self.low <= figure),
            Worse::Lower if self.low < self.high => (self.high < figure, self.low >= figure),
            Worse::Lower => (self.high < figure, self.high >= figure),
        };
        if surely {
            Some(true)
        } else if surely_not {
            Some(false)
        } else {
            None
        }
    }
}

/// The present figure of a bound; None if its reference is missing.
pub(crate) fn bound_figure(metric: &Metric, bound: Bound, live: Option<Judged>) -> Option<f64> {
    match bound.value {
        BoundValue::Absolute(figure) => Some(figure),
        BoundValue::Relative(ratio, BoundBase::Live) => {
            live.map(Judged::shown).or(metric.reference).map(|r| r * ratio.value())
        }
        BoundValue::Relative(ratio, _) => metric.reference.map(|r| r * ratio.value()),
    }
}

impl Bound {
    /// Whether it depends on the live arm.
    pub(crate) const fn compares_live(self) -> bool {
        self.unless_both_arms || matches!(self.value, BoundValue::Relative(_, BoundBase::Live))
    }
}

impl Metric {
    /// Whether the canary is beyond a bound; None if the bucket cannot decide it, or the reference
    /// is missing.
    pub(crate) fn crossed(
        &self,
        bound: Bound,
        canary: Judged,
        live: Option<Judged>,
    ) -> Option<bool> {
        let figure = bound_figure(self, bound, live)?;
        let both = bound.unless_both_arms
            && live.is_some_and(|live| live.beyond(figure, self.worse) == Some(true));
        if both { Some(false) } else { canary.beyond(figure, self.worse) }
    }

    /// Whether any bound depends on the live arm.
    pub(crate) fn compares_live(&self) -> bool {
        self.bounds.all().any(Bound::compares_live)
    }

    /// The figures of all bounds that do not need the live arm, in the metric's unit.
    pub fn bound_figures(&self) -> impl Iterator<Item = f64> {
        self.bounds.all().filter_map(|bound| bound_figure(self, bound, None))
    }
}

/// Whether anything judges a value: a bound with a figure, or a test with a live arm.
pub(super) fn is_judged(metric: &Metric, live: Option<Judged>, tested: bool) -> bool {
    (tested && live.is_some())
        || metric.bounds.all().any(|bound| bound_figure(metric, bound, live).is_some())
}

/// The band of the canary's value. `live` is the baseline arm's, where there is one; `tested`: a
/// test compares them.
///
/// A bound on the live arm falls back on the reference without a live arm, as at 100% traffic. If
/// no bound has a figure and no test compares, nothing judges the value, however good or bad it is.
pub fn judge_bounds(metric: &Metric, canary: Judged, live: Option<Judged>, tested: bool) -> Band {
    if !is_judged(metric, live, tested) {
        return Band::NotJudged;
    }
    let crossed = |bound: Option<Bound>| match bound {
        Some(bound) => metric.crossed(bound, canary, live),
        None => Some(false),
    };
    let rollback = crossed(metric.bounds.rollback);
    if rollback == Some(true) {
        return Band::Rollback;
    }
    let alert = crossed(metric.bounds.alert);
    if alert == Some(true) {
        return Band::Alert;
    }
    let missed = crossed(metric.bounds.success.map(|b| Bound { unless_both_arms: false, ..b }));
    match (rollback, alert, missed) {
        (None, _, _) | (_, None, _) | (_, _, None) => Band::Between,
        (_, _, Some(true)) => Band::Hold,
        (_, _, Some(false)) => Band::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_3_a_quantile_inside_a_bucket_is_between_its_edges() {
        let (counts, edges) = ([61.0, 95.0, 99.0], [0.1, 0.25, 0.5]);
        let p95 = Judged::quantile(0.95, 100.0, &counts, &edges).unwrap();
        assert_eq!(p95, Judged { low: 0.1, high: 0.25 });
        assert_eq!(p95.beyond(0.25, Worse::Higher), Some(false));
        assert_eq!(p95.beyond(0.1, Worse::Higher), Some(true));
        assert_eq!(p95.beyond(0.2, Worse::Higher), None);
        let tail = Judged::quantile(0.999, 100.0, &counts, &edges).unwrap();
        assert_eq!(tail, Judged { low: 0.5, high: f64::INFINITY });
        assert_eq!(Judged::quantile(0.95, 0.0, &[0.0, 0.0, 0.0], &edges), None);
    }

    #[test]
    fn met_1_success_includes_its_value_and_alert_does_not() {
        let at = |v: f64, worse| Judged::exactly(v).beyond(0.02, worse);
        assert_eq!((at(0.02, Worse::Higher), at(0.021, Worse::Higher)), (Some(false), Some(true)));
        assert_eq!((at(0.02, Worse::Lower), at(0.019, Worse::Lower)), (Some(false), Some(true)));
    }
}
