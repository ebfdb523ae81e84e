//! Bounds of a latency between the boundaries of its histogram.

use std::fmt;

use crate::grade::Worse;
use crate::metric_kind::Unit;
use crate::policy::section::{Bound, Metric};
use crate::stats::quantile::INTERPOLATION_ERROR;
use crate::unit::MetricName;

use super::{Judged, bound_figure};

/// A bound strictly inside a bucket, which a histogram's counts alone cannot decide: in a closed
/// bucket the quantile is interpolated, in the first and in the open last one that is impossible.
///
/// The metric's boundaries are what the policy knows of the histogram. Raw durations are counted at the
/// bounds, too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundInBucket {
    /// The metric.
    pub metric: MetricName,
    /// The bound: `success`, `alert` or `rollback`.
    pub bound: &'static str,
    /// Its figure, in seconds.
    pub figure: f64,
    /// The lower edge of the bucket, in seconds; 0 for the first.
    pub low: f64,
    /// The upper edge, in seconds; infinite for the last.
    pub high: f64,
    /// The direction that is worse.
    pub worse: Worse,
}

impl BoundInBucket {
    /// Such bounds of a metric, the mildest first. A bound that is a ratio of the live version has
    /// no figure beforehand.
    pub fn of(metric: &Metric) -> impl Iterator<Item = Self> {
        Self::within(metric, &metric.boundaries).into_iter()
    }

    /// Such bounds of a metric whose histogram has these boundaries, in seconds.
    pub(crate) fn within(metric: &Metric, edges: &[f64]) -> Vec<Self> {
        let bounds = metric.bounds.named();
        bounds.filter_map(|(name, bound)| Self::find(metric, edges, name, bound)).collect()
    }

    fn find(metric: &Metric, edges: &[f64], name: &'static str, bound: Bound) -> Option<Self> {
        let on_live = bound.is_on_live();
        if !metric.kind.has_buckets() || on_live {
            return None;
        }
        let figure = bound_figure(metric, bound, None::<Judged>)?;
        let (mut low, mut high) = (0.0, f64::INFINITY);
        for &edge in edges {
            if (edge - figure).abs() <= Worse::LAST_BITS * figure {
                return None;
            }
            if edge < figure {
                low = edge;
            } else {
                high = high.min(edge);
            }
        }
        let (metric, worse) = (metric.id, metric.worse);
        Some(Self { metric, bound: name, figure, low, high, worse })
    }

    /// Whether its bucket is the first or the open last one, so that nothing can be interpolated.
    pub(crate) fn is_beyond(&self) -> bool {
        self.low <= 0.0 || self.high.is_infinite()
    }
}

impl fmt::Display for BoundInBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, bound, figure, low, high, worse } = *self;
        let ms = |value: f64| Unit::Seconds.shown(value);
        let at = ms(figure);
        write!(f, "`{bound}` of `{metric}` is at {at}, ")?;
        if low <= 0.0 {
            write!(
                f,
                "below the first boundary {}: of a value below that boundary, a histogram does not \
                 show whether it is beyond the bound, so the phase waits for a person",
                ms(high)
            )?;
        } else if high.is_infinite() {
            let then =
                if bound == "success" { "the phase waits for a person" } else { "it does not act" };
            write!(
                f,
                "above the last boundary {}: of a value above that boundary, a histogram does not \
                 show whether it is beyond the bound, so {then}",
                ms(low)
            )?;
        } else {
            let (error, edge) = match worse {
                Worse::Higher => (1.0 + INTERPOLATION_ERROR, high),
                Worse::Lower => (1.0 / (1.0 + INTERPOLATION_ERROR), low),
            };
            write!(f, "inside the bucket from {} to {}: ", ms(low), ms(high))?;
            if bound == "rollback" {
                write!(f, "with a histogram it acts only beyond {}", ms(edge))?;
            } else {
                write!(
                    f,
                    "with a histogram the quantile is interpolated there, and the bound acts only \
                     beyond {}",
                    ms(figure * error)
                )?;
            }
        }
        write!(f, "; add {at} to the boundaries")
    }
}
