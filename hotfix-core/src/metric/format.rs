//! A metric's figures as people read them.

use crate::grade::{BoundBase, MetricKind, Worse};
use crate::metric_kind::Unit;
use crate::policy::section::{Bound, BoundValue, Metric};
use crate::stats::quantile::INTERPOLATION_ERROR;
use crate::text;

use super::bound_figure;

/// A metric's value with its unit.
pub(crate) fn in_unit(kind: MetricKind, value: f64) -> String {
    kind.unit().shown(value)
}

impl Unit {
    pub(crate) fn shown(self, value: f64) -> String {
        self.shown_to(value, 4)
    }

    pub(crate) fn shown_to(self, value: f64, digits: usize) -> String {
        let figure = |value: f64| text::figure(value, digits);
        match self {
            Self::Fraction => format!("{}%", figure(value * 100.0)),
            Self::Seconds => format!("{} ms", figure(value * 1e3)),
            Self::PerMinute => format!("{}/min", figure(value)),
            Self::Number => figure(value),
        }
    }
}

/// A metric's reading with its unit. `edges` are those of its histogram, none for other kinds: a
/// quantile is `about 262 ms`, or in the first and the open bucket `at most 100 ms`, `at least 5000 ms`.
pub(crate) fn measured(kind: MetricKind, edges: &[f64], value: f64) -> String {
    match edges {
        [] => in_unit(kind, value),
        [first, ..] if value <= *first => format!("at most {}", in_unit(kind, *first)),
        [.., last] if value >= *last => format!("at least {}", in_unit(kind, *last)),
        [..] => about(value),
    }
}

/// A reading and the bound that it is compared with, with the digits in which they differ.
pub(crate) fn compared(kind: MetricKind, edges: &[f64], value: f64, bound: f64) -> [String; 2] {
    let shown = [measured(kind, edges, value), in_unit(kind, bound)];
    let more = |digits| [value, bound].map(|figure| kind.unit().shown_to(figure, digits));
    let differ = |[value, bound]: &[String; 2]| value != bound;
    if differ(&shown) { shown } else { (5..=17).map(more).find(differ).unwrap_or(shown) }
}

/// An interpolated latency: more digits than the error allows would mislead.
fn about(value: f64) -> String {
    format!("about {} ms", text::figure(value * 1e3, 3))
}

/// A latency in seconds that was interpolated inside its bucket: `about 262 ms (± 10%, interpolated between
/// 250 ms and 300 ms)`.
pub(crate) fn interpolated(value: f64, edges: [f64; 2]) -> String {
    let [low, high] = edges.map(|edge| Unit::Seconds.shown(edge));
    let error = text::figure(INTERPOLATION_ERROR * 100.0, 2);
    format!("{} (± {error}%, interpolated between {low} and {high})", about(value))
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
    let side = metric.worse.side();
    let both = if bound.unless_both_arms { ", unless both versions are" } else { "" };
    format!("{side} {}{both}", bound_in_words(metric, bound))
}
