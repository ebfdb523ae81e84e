//! A metric's figures as people read them.

use crate::grade::{BoundBase, MetricKind, Worse};
use crate::policy::section::{Bound, BoundValue, Metric};
use crate::text;

use super::bound_figure;

/// A metric's value with its unit.
pub(crate) fn in_unit(kind: MetricKind, value: f64) -> String {
    let figure = |value: f64| text::figure(value, 4);
    match kind {
        MetricKind::Proportion => format!("{}%", figure(value * 100.0)),
        MetricKind::Latency => format!("{} ms", figure(value * 1e3)),
        MetricKind::Count | MetricKind::Volume => format!("{}/min", figure(value)),
        MetricKind::Gauge => figure(value),
    }
}

/// A bound without its side: `275 ms (1.1 × the reference)`, or `1.1 × the reference`, where the
/// reference is not known.
fn bound_in_words(metric: &Metric, bound: Bound) -> String {
    let figure = bound_figure(metric, bound, None).map(|figure| in_unit(metric.kind, figure));
    let ratio = match bound.value {
        BoundValue::Absolute(_) => None,
        BoundValue::Relative(ratio, base) => {
            let base = match base {
                BoundBase::Live => "the live version",
                BoundBase::Reference | BoundBase::Absolute => "the reference",
            };
            Some(format!("{} × {base}", text::figure(ratio.value(), 4)))
        }
    };
    match (figure, ratio) {
        (Some(figure), Some(ratio)) => format!("{figure} ({ratio})"),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => String::new(),
    }
}

/// The good side of a success bound, which includes its value: `at most 275 ms`.
pub(crate) fn within(metric: &Metric, bound: Bound) -> String {
    let side = match metric.worse {
        Worse::Higher => "at most",
        Worse::Lower => "at least",
    };
    format!("{side} {}", bound_in_words(metric, bound))
}

/// The bad side of an alert or rollback bound, which excludes its value: `above 300 ms`.
pub(crate) fn beyond(metric: &Metric, bound: Bound) -> String {
    let side = match metric.worse {
        Worse::Higher => "above",
        Worse::Lower => "below",
    };
    let both = if bound.unless_both_arms { ", unless both versions are" } else { "" };
    format!("{side} {}{both}", bound_in_words(metric, bound))
}
