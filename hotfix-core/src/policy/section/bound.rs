//! Bounds of a metric. The unit of a figure depends on the metric's kind.

use crate::policy::schema::{Definitions, Schema};
use serde_json::json;

use crate::document::{Node, Value};
use crate::grade::{BoundBase, MetricKind};
use crate::metric_kind::Unit;
use crate::policy::error::Problem;
use crate::policy::field::{Lasting, Number};
use crate::policy::reader::{Draft as _, Field, Narrowed, PolicyReader, Style, section};
use crate::unit::{PerMinute, Proportion, Ratio, Span};

/// The bounds of one metric, each optional.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// The success bound: met at or on the good side of it.
    pub success: Option<Bound>,
    /// The alert bound: breached beyond it.
    pub alert: Option<Bound>,
    /// The rollback bound: breached beyond it.
    pub rollback: Option<Bound>,
}

/// One bound with its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The figure or the ratio.
    pub value: BoundValue,
    /// Whether the bound is suppressed while the live baseline arm exceeds it too, as in a shock to
    /// both arms. Never of a success bound.
    pub unless_both_arms: bool,
}

/// The value of a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BoundValue {
    /// A figure in the unit of the metric.
    Absolute(f64),
    /// A ratio to the reference or to the live baseline arm; never with `BoundBase::Absolute`.
    Relative(Ratio, BoundBase),
}

impl Bounds {
    /// The bounds that are set, by name, the mildest first.
    pub(crate) fn named(self) -> impl Iterator<Item = (&'static str, Bound)> {
        let named = [("success", self.success), ("alert", self.alert), ("rollback", self.rollback)];
        named.into_iter().filter_map(|(name, bound)| Some((name, bound?)))
    }

    /// The bounds that are set, the mildest first.
    pub fn all(self) -> impl Iterator<Item = Bound> {
        self.named().map(|(_, bound)| bound)
    }
}

section! {
    draft
    /// A bound as a table: a ratio, or a figure with `unless_both_arms`.
    Bound as BoundDraft {
        /// The figure, in the unit of the kind of the metric.
        value: Level, [optional];
        /// The ratio to `of`, instead of `value`.
        ratio: Ratio, [optional];
        /// What the ratio refers to: the `reference` from before the incident, or the live baseline
        /// arm.
        of: BoundBase, [optional];
        /// For `alert` and `rollback`: whether the bound is suppressed while the live baseline arm exceeds
        /// it too. A rollback bound with it then also needs evidence that the canary is worse, if the
        /// metric is tested. Without a live arm, one that the live version exceeded when it was last
        /// read asks instead, unless the canary is worse than that. A success bound that is to move with
        /// the live version is a `ratio` of it.
        unless_both_arms: bool, [default false];
    }
}

/// A figure whose unit depends on the metric's kind; read when the kind is known.
pub(super) struct Level;
/// A bound in one of its three forms; read when the kind is known.
pub(super) struct BoundForm;
/// The seconds of a latency, above 0. Latencies below a millisecond are real: they are kept as written.
pub(super) struct Latency;

impl Field for Latency {
    type Out = f64;

    fn read(node: &Node, reader: &mut PolicyReader) -> Option<f64> {
        let seconds = match &node.value {
            Value::Number(seconds) => Some(*seconds),
            Value::Text(text) => Span::seconds_of(text).ok(),
            _ => None,
        };
        let is_valid = |seconds: &f64| *seconds > 0.0 && Span::try_from_seconds(*seconds).is_ok();
        seconds.filter(is_valid).or_else(|| Lasting::read(node, reader).map(Span::as_seconds))
    }
    fn write(value: &f64, style: Style) -> Node {
        // Text is in whole milliseconds.
        let span = Span::try_from_seconds(*value).ok();
        let exact = span.filter(|span| span.as_seconds() == *value && !span.is_zero());
        exact.map_or(Node::from(*value), |span| Lasting::write(&span, style))
    }
    fn schema(definitions: &mut Definitions) -> Schema {
        Lasting::schema(definitions)
    }
}

impl Field for Level {
    type Out = Node;

    fn read(node: &Node, _: &mut PolicyReader) -> Option<Node> {
        Some(node.clone())
    }
    fn write(value: &Node, _: Style) -> Node {
        value.clone()
    }
    fn schema(_: &mut Definitions) -> Schema {
        json!({ "type": ["number", "string"] })
    }
}

impl Narrowed for BoundForm {
    type Of = Level;

    fn schema_of(definitions: &mut Definitions) -> Schema {
        let table = Bound::refer(definitions);
        json!({ "anyOf": [{ "type": ["number", "string"] }, table] })
    }
}

/// A figure in the unit of a kind.
pub(super) fn level(kind: MetricKind, node: &Node, reader: &mut PolicyReader) -> Option<f64> {
    match kind.unit() {
        Unit::Fraction => Proportion::read(node, reader).map(Proportion::as_fraction),
        Unit::PerMinute => PerMinute::read(node, reader).map(PerMinute::value),
        Unit::Number => Number::read(node, reader),
        Unit::Seconds => Latency::read(node, reader),
    }
}

pub(super) fn level_written(kind: MetricKind, value: f64, style: Style) -> Node {
    let written = match kind.unit() {
        Unit::Fraction => {
            Proportion::try_from_fraction(value).map(|p| Proportion::write(&p, style))
        }
        Unit::PerMinute => PerMinute::try_new(value).map(|f| PerMinute::write(&f, style)),
        Unit::Number => Ok(Node::from(value)),
        Unit::Seconds => Ok(Latency::write(&value, style)),
    };
    written.unwrap_or(Node::from(value))
}

pub(super) fn read_bound(
    bound: &'static str,
    kind: MetricKind,
    no_reference: bool,
    node: &Node,
    reader: &mut PolicyReader,
) -> Option<Bound> {
    let Value::Table(entries) = &node.value else {
        let value = BoundValue::Absolute(level(kind, node, reader)?);
        return Some(Bound { value, unless_both_arms: false });
    };
    let draft = BoundDraft::read(entries, reader);
    let figure = draft.value?.map(|node| reader.within("value", |r| level(kind, &node, r)));
    let form = |detail, reader: &mut PolicyReader| reader.fail(Problem::BoundForm { detail });
    let value = match (figure, draft.ratio?, draft.of?) {
        (None, Some(_), Some(BoundBase::Reference)) if no_reference => {
            return reader.fail(Problem::NoReference {});
        }
        (Some(figure), None, None) => BoundValue::Absolute(figure?),
        (None, Some(ratio), Some(of)) => BoundValue::Relative(ratio, of),
        (Some(_), _, _) => return form("a bound is a figure or a ratio, not both", reader),
        (None, Some(_), None) => return form("the ratio has no `of`", reader),
        (None, None, _) => return form("the bound has neither `value` nor `ratio`", reader),
    };
    let unless_both_arms = draft.unless_both_arms?;
    if unless_both_arms && bound == "success" {
        let (key, what) = ("unless_both_arms", "bound");
        return reader.fail_at(key, Problem::NoMeaning { key, what, of: bound });
    }
    Some(Bound { value, unless_both_arms })
}

pub(super) fn bound_written(kind: MetricKind, bound: &Bound, style: Style) -> Node {
    let (value, ratio, of) = match bound.value {
        BoundValue::Absolute(figure) => (Some(level_written(kind, figure, style)), None, None),
        BoundValue::Relative(ratio, of) => (None, Some(ratio), Some(of)),
    };
    if let (Some(figure), false) = (&value, bound.unless_both_arms) {
        return figure.clone();
    }
    let unless_both_arms = bound.unless_both_arms.then_some(true);
    let (value, ratio, of) = (Some(value), Some(ratio), Some(of));
    BoundDraft { value, ratio, of, unless_both_arms }.write(style)
}
