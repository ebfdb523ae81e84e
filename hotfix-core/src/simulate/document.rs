//! Reader of a scenario's values: units as in policies, every error with its place.

use std::ops::RangeInclusive;

use crate::document::{DocumentErrors, DocumentReader, Node, Value};
use crate::policy::Policy;
use crate::text::{nearest, shown};
use crate::unit::{MetricName, PerMinute, Proportion, Ratio, Share, Span, UnitError};

use super::error::{SimulationErrors, SimulationFault};

pub(super) type ScenarioReader = DocumentReader<SimulationFault>;

/// A delay. None: never.
pub(super) type Delay = Option<Span>;

/// Reads TOML, or JSON if it begins with a brace.
pub(super) fn parse(text: &str) -> Result<Node, SimulationErrors> {
    let document = Node::from_text(text, 0).map_err(DocumentErrors::of_family)?;
    document.check_depth().map_err(DocumentErrors::of_family)?;
    Ok(document)
}

/// The largest figures of a scenario. With larger ones its counts would not be finite numbers.
const MOST_PER_MINUTE: f64 = 1e12;
const MOST_TIMES: f64 = 1e6;

impl ScenarioReader {
    pub(super) const fn new() -> Self {
        Self::knowing(())
    }

    /// Records that a key has no meaning together with others.
    pub(super) fn meaningless(&mut self, key: &str, detail: impl Into<String>) {
        self.fail_at::<()>(key, SimulationFault::Meaningless { detail: detail.into() });
    }

    /// A unit that is written as a number or as a text.
    fn unit<T: std::str::FromStr<Err = UnitError>>(
        &mut self,
        node: &Node,
        expected: &'static str,
        number: impl FnOnce(f64) -> Result<T, UnitError>,
    ) -> Option<T> {
        let read = match &node.value {
            Value::Number(n) => number(*n).ok(),
            Value::Text(text) => shown(text).parse().ok(),
            _ => None,
        };
        read.or_else(|| self.wrong(expected, node))
    }

    pub(super) fn span(&mut self, node: &Node) -> Option<Span> {
        self.unit(node, "a duration, as in \"10min\" or seconds", Span::try_from_seconds)
    }

    pub(super) fn lasting(&mut self, node: &Node) -> Option<Span> {
        let span = Some(self.span(node)?).filter(|span| !span.is_zero());
        span.or_else(|| self.out_of_range("a duration above 0", node))
    }

    /// A duration, or `"never"`.
    pub(super) fn delay(&mut self, node: &Node) -> Option<Delay> {
        match node.as_text() {
            Some("never") => Some(None),
            _ => self.unit(node, "a duration, or \"never\"", Span::try_from_seconds).map(Some),
        }
    }

    pub(super) fn chance(&mut self, node: &Node) -> Option<f64> {
        let expected = "a share, as in 0.1 or \"10%\"";
        let read = self.unit(node, expected, Proportion::try_from_fraction)?;
        Some(read.as_fraction())
    }

    pub(super) fn share(&mut self, node: &Node) -> Option<Share> {
        self.unit(node, "a share, as in 0.1 or \"10%\"", Share::try_from_fraction)
    }

    pub(super) fn per_minute(&mut self, node: &Node) -> Option<f64> {
        let expected = "a frequency, as in \"5/min\" or a number per minute";
        let number = self.unit(node, expected, PerMinute::try_new)?.value();
        let number = Some(number).filter(|number| *number <= MOST_PER_MINUTE);
        number.or_else(|| self.out_of_range("at most 1e12 per minute", node))
    }

    pub(super) fn amount(&mut self, node: &Node) -> Option<f64> {
        let number = Some(self.number(node)?).filter(|number| *number >= 0.0);
        number.or_else(|| self.out_of_range("a number of at least 0", node))
    }

    pub(super) fn ratio(&mut self, node: &Node) -> Option<f64> {
        let ratio = Ratio::try_new(self.number(node)?).ok().map(Ratio::value);
        let ratio = ratio.filter(|ratio| *ratio <= MOST_TIMES);
        ratio.or_else(|| self.out_of_range("a number above 0 and at most 1000000", node))
    }

    /// The standard deviation of a logarithm, at most 3: with more, one tick in a thousand would
    /// have more than ten thousand times the usual number.
    pub(super) fn deviation(&mut self, node: &Node) -> Option<f64> {
        let number = Some(self.amount(node)?).filter(|number| *number <= 3.0);
        number.or_else(|| self.out_of_range("a number from 0 to 3", node))
    }

    /// A whole number in a range that a double represents exactly.
    pub(super) fn whole(
        &mut self,
        node: &Node,
        within: RangeInclusive<u64>,
        range: &'static str,
    ) -> Option<u64> {
        match node.value {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole, and in range afterwards"
            )]
            Value::Number(n) if n.fract() == 0.0 && n >= 0.0 && within.contains(&(n as u64)) => {
                Some(n as u64)
            }
            _ => self.out_of_range(range, node),
        }
    }

    /// A whole number of at least 1 and at most ten thousand.
    pub(super) fn count(&mut self, node: &Node) -> Option<u32> {
        let whole = self.whole(node, 1..=10_000, "a whole number from 1 to 10000")?;
        u32::try_from(whole).ok()
    }

    /// A seed that every JSON reader represents exactly: 2^53 + 1 would be rounded to 2^53.
    pub(super) fn seed(&mut self, node: &Node) -> Option<u64> {
        self.whole(node, 0..=(1 << 53) - 1, "a whole number from 0 to 2^53 - 1")
    }
}

pub(super) fn unknown_metric(policy: &Policy, metric: MetricName) -> SimulationFault {
    let names = policy.metrics().iter().map(|metric| metric.id.as_str());
    SimulationFault::UnknownMetric {
        metric: metric.to_string(),
        nearest: nearest(metric.as_str(), names).map(str::to_owned),
    }
}
