//! The behaviour of each metric without faults.

use crate::document::document_table;
use crate::grade::{MetricKind, Worse};
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::stats::numeric::normal_quantile;
use crate::unit::{MetricName, Span};

use super::document::ScenarioReader;
use super::traffic::Noise;

document_table! {
    ScenarioReader;
    /// A scenario's settings of a metric. Absent ones follow from the policy.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub(super) struct MetricSpec {
        /// The rate of a proportion.
        pub(super) rate: Option<f64> = ScenarioReader::chance;
        /// The share of requests that a proportion counts.
        pub(super) of: Option<f64> = ScenarioReader::chance;
        /// A count's events per minute with all traffic.
        pub(super) per_minute: Option<f64> = ScenarioReader::per_minute;
        /// A latency at the policy's quantile.
        pub(super) time: Option<Span> = ScenarioReader::lasting;
        /// The standard deviation of a latency's logarithm.
        pub(super) spread: Option<f64> = ScenarioReader::deviation;
        /// The mean of a gauge.
        pub(super) level: Option<f64> = ScenarioReader::amount;
        /// The standard deviation of a gauge as a share of its mean.
        pub(super) deviation: Option<f64> = ScenarioReader::amount;
        /// The factor by which the fix changes a rate.
        pub(super) fixed: Option<f64> = ScenarioReader::amount;
        pub(super) noise: Noise = Noise::from_node, or Noise::default();
        pub(super) instances: Option<Instances> = Instances::from_node;
    }
    /// Instances that differ.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) struct Instances {
        pub(super) count: u32 = ScenarioReader::count, needed;
        /// The standard deviation of the logarithm of each one's rate.
        pub(super) deviation: f64 = ScenarioReader::deviation, or 0.0;
        /// Readings are sent by instance.
        pub(super) sent: bool = ScenarioReader::flag, or false;
    }
}

impl MetricSpec {
    /// The keys without a meaning for this kind of metric.
    pub(super) fn out_of_place(&self, kind: MetricKind) -> Vec<&'static str> {
        let fitting: &[&str] = match kind.data() {
            Data::Trials => &["rate", "of", "fixed", "instances", "noise"],
            Data::Exposure => &["per_minute", "fixed", "instances", "noise"],
            Data::Buckets => &["time", "spread", "noise"],
            Data::Level if kind.is_traffic() => &[],
            Data::Level => &["level", "deviation", "noise"],
        };
        let given = [
            ("rate", self.rate.is_some()),
            ("of", self.of.is_some()),
            ("per_minute", self.per_minute.is_some()),
            ("time", self.time.is_some()),
            ("spread", self.spread.is_some()),
            ("level", self.level.is_some()),
            ("deviation", self.deviation.is_some()),
            ("fixed", self.fixed.is_some()),
            ("instances", self.instances.is_some()),
            ("noise", self.noise != Noise::default()),
        ];
        let misplaced = given.into_iter().filter(|(key, given)| *given && !fitting.contains(key));
        misplaced.map(|(key, _)| key).collect()
    }
}

/// A metric without faults.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HealthyService {
    pub(super) id: MetricName,
    pub(super) kind: MetricKind,
    /// Whether it is the bug's metric.
    pub(super) is_bug: bool,
    pub(super) scaled: bool,
    /// Whether a proportion counts successes.
    pub(super) counts_good: bool,
    pub(super) worse: Worse,
    /// Bad events per request or per minute; the median in seconds; the value of a gauge.
    pub(super) base: f64,
    /// The share of requests that it counts.
    pub(super) of: f64,
    /// The factor by which the fix changes `base`.
    pub(super) fixed: f64,
    /// Standard deviation of a latency's logarithm, or of a gauge as a share of its mean.
    pub(super) spread: f64,
    pub(super) noise: Noise,
    pub(super) instances: Option<Instances>,
    /// Instances of both arms, if known.
    pub(super) served_by: Option<u32>,
    /// A latency's boundaries in seconds.
    pub(super) edges: Vec<f64>,
}

/// The default rate of the bug before the fix: events per minute, or share of the requests.
const BUG: (f64, f64) = (12.0, 0.02);
/// Defaults without a reference: share of failures, latency in seconds, gauge.
const FAILURES: f64 = 0.005;
const SLOW: f64 = 0.25;
const LEVEL: f64 = 0.5;
/// Default spread of a latency, about that of real response times.
const SPREAD: f64 = 0.6;

impl HealthyService {
    /// `served_by`: the instances of all the traffic, if known.
    pub(super) fn new(
        metric: &Metric,
        spec: &MetricSpec,
        is_bug: bool,
        served_by: Option<u32>,
    ) -> Self {
        let counts_good = metric.kind.is_fraction() && metric.worse == Worse::Lower;
        let mut spread = 0.0;
        let base = match metric.kind.data() {
            Data::Trials => {
                let share = spec.rate.or(metric.reference.filter(|_| !is_bug));
                let bad = share.map(|share| if counts_good { 1.0 - share } else { share });
                bad.unwrap_or(if is_bug { BUG.1 } else { FAILURES })
            }
            Data::Exposure => {
                let known = spec.per_minute.or(metric.reference.filter(|_| !is_bug));
                known.unwrap_or(if is_bug { BUG.0 } else { 0.0 })
            }
            Data::Buckets => {
                spread = spec.spread.unwrap_or(SPREAD);
                let at = spec.time.map(Span::as_seconds).or(metric.reference).unwrap_or(SLOW);
                // The median of the distribution with this quantile.
                at * libm::exp(-spread * normal_quantile(metric.quantile.as_fraction()))
            }
            Data::Level if metric.kind.is_traffic() => metric.reference.unwrap_or_default(),
            Data::Level => {
                spread = spec.deviation.unwrap_or(0.02);
                spec.level.or(metric.reference).unwrap_or(LEVEL)
            }
        };
        let mut edges = metric.boundaries.clone();
        if metric.kind.has_buckets() && edges.is_empty() {
            edges = EDGES.to_vec();
        }
        Self {
            id: metric.id,
            kind: metric.kind,
            is_bug,
            scaled: metric.scaled,
            counts_good,
            worse: metric.worse,
            base,
            of: spec.of.unwrap_or(1.0),
            fixed: spec.fixed.unwrap_or(if is_bug { 0.0 } else { 1.0 }),
            spread,
            noise: spec.noise,
            instances: spec.instances,
            served_by: spec.instances.map(|of| of.count).or(served_by),
            edges,
        }
    }

    /// Whether the fix makes it worse by itself.
    pub(super) fn is_worsened(&self) -> bool {
        let is_worse = if self.falls() { self.fixed < 1.0 } else { self.fixed > 1.0 };
        self.base > 0.0 && is_worse
    }

    /// Whether it is a gauge or a count that is worse when lower. The `base` of a proportion is
    /// always its bad rate.
    pub(super) fn falls(&self) -> bool {
        self.worse == Worse::Lower && !self.kind.counts_requests()
    }
}

/// Prometheus' usual buckets, in seconds.
const EDGES: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
