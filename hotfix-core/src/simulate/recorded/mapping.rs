//! The mapping of a recording to metrics, and the assumptions of a backtest.

use std::collections::BTreeMap;

use crate::document::{DocumentErrors, DocumentFault, DocumentReader, Node, Value, document_table};
use crate::grade::{Severity, closed_set};
use crate::sorting::map_of;
use crate::unit::{MetricName, Timestamp};

use super::error::{RecordedErrors, RecordedFault};

closed_set! {
    /// The format of times.
    TimeUnit {
        /// RFC 3339 in any zone.
        Rfc3339 = "rfc3339",
        /// Seconds since 1970, with or without a fraction.
        Seconds = "seconds",
        /// Whole milliseconds since 1970.
        Milliseconds = "milliseconds",
    }
}

document_table! {
    MappingReader;
    /// The columns, series and labels of each metric, and the assumptions of a backtest.
    ///
    /// ```
    /// use hotfix_core::simulate::recorded::Mapping;
    ///
    /// let mapping = Mapping::from_json(
    ///     r#"{"time": {"from": "ts", "unit": "milliseconds"},
    ///         "metrics": {
    ///             "error_rate": {
    ///                 "totals": true,
    ///                 "canary": {"events": {"from": "errors", "where": {"track": "canary"}},
    ///                            "trials": {"from": "requests", "where": {"track": "canary"}}}},
    ///             "latency_p95": {
    ///                 "canary": {"buckets": [{"from": "le_100ms", "le": 0.1}, {"from": "le_500ms", "le": 0.5}],
    ///                            "count": "requests"}},
    ///             "cpu": {"canary": {"value": {"from": "cpu_percent", "times": 0.01}}}},
    ///         "assume": {"from": "2026-03-03T14:42:00Z"}}"#,
    /// )?;
    /// assert_eq!(mapping.metrics.len(), 3);
    /// # Ok::<(), hotfix_core::simulate::recorded::RecordedErrors>(())
    /// ```
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Mapping {
        /// The assumptions about the deployment.
        pub assume: Assumptions = Assumptions::from_node, or Assumptions::default();
        /// The source of each metric. JSON Lines contain the ids themselves.
        pub metrics: BTreeMap<MetricName, MetricSource> = MappingReader::metrics, or BTreeMap::new();
        /// The column of the time in CSV, and the unit of numeric times in JSON Lines.
        pub time: TimeSource = TimeSource::from_node, or TimeSource::default();
    }
    /// The assumptions about the deployment.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Assumptions {
        /// When the fix got its first traffic. Default: of a rollout's log, when that was confirmed;
        /// else one usual step before the canary's first requests. Earlier readings are those before
        /// the start.
        ///
        /// The phases follow the policy, and each deployment takes its expected time, or as long as
        /// in the log. The shares are those of the simulated rollout: the recorded canary arm is used
        /// unchanged, whatever its traffic was.
        pub from: Option<Timestamp> = MappingReader::time, nullable;
        /// The end of the watch. Default: the last reading.
        pub until: Option<Timestamp> = MappingReader::time, nullable;
        /// The incident's severity. Default: that of a rollout's log, else the policy's first.
        pub severity: Option<Severity> = MappingReader::one_of, nullable;
    }
    /// The source of the time.
    #[derive(Clone, Debug, PartialEq, educe::Educe)]
    #[educe(Default)]
    pub struct TimeSource {
        /// The column of a CSV. Default `time`.
        #[educe(Default = "time")]
        pub from: String = MappingReader::text, or Self::default().from;
        /// Its format. Default RFC 3339.
        #[educe(Default = TimeUnit::Rfc3339)]
        pub unit: TimeUnit = MappingReader::one_of, or Self::default().unit;
    }
    /// The sources of an arm's numbers: `events` and `trials`, `value`, `sample`, or `buckets` with
    /// `count`.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct ArmSource {
        /// The events that the metric counts.
        pub events: Option<Source> = MappingReader::source, nullable;
        /// Requests. For a count, the seconds of exposure.
        pub trials: Option<Source> = MappingReader::source, nullable;
        /// The column or label that names the instance, if `events` and `trials` are of each instance.
        pub instance: Option<String> = MappingReader::text, nullable;
        /// A gauge, or requests per minute.
        pub value: Option<Source> = MappingReader::source, nullable;
        /// One latency in seconds a row.
        pub sample: Option<Source> = MappingReader::source, nullable;
        /// Cumulative buckets.
        pub buckets: Vec<Source> = MappingReader::source, list;
        /// All requests of the histogram. Without it, those of the bucket `+Inf`.
        pub count: Option<Source> = MappingReader::source, nullable;
    }
    /// A column or a series. A plain text is its name.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Source {
        /// The column of a CSV. For Prometheus, the name of the response, or the series' `__name__`.
        pub from: Option<String> = MappingReader::text, nullable;
        /// The columns or labels that identify it, with their values.
        pub matching as "where": BTreeMap<String, String> = MappingReader::labels, or BTreeMap::new();
        /// For a bucket: its upper bound in seconds, or the column or label that has it.
        pub le: Option<Edge> = MappingReader::edge, nullable;
        /// The factor of each number: 0.01 for per cent, 0.001 for milliseconds.
        pub times: Option<f64> = MappingReader::number, nullable;
        /// The number that is added then: `times` -0.01 and `plus` 1 turn a success rate in per cent
        /// into an error rate.
        pub plus: Option<f64> = MappingReader::number, nullable;
    }
}

/// The source of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricSource {
    /// The arm that ran the fix, or the only arm.
    pub canary: Option<ArmSource>,
    /// The live arm. Without it, the policy compares with its reference.
    pub baseline: Option<ArmSource>,
    /// Whether the numbers are running totals. Resets are handled.
    pub totals: bool,
}

/// The upper bound of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub enum Edge {
    /// In seconds.
    At(f64),
    /// The column or label that has it.
    Read(String),
}

impl Source {
    /// A number in the metric's unit.
    pub(super) fn value(&self, number: f64) -> f64 {
        number * self.times.unwrap_or(1.0) + self.plus.unwrap_or(0.0)
    }
}

/// The arms, in the library's order.
pub(super) const ARMS: [&str; 2] = ["canary", "baseline"];

impl Mapping {
    /// Most columns or series of a mapping.
    pub const MOST_SOURCES: usize = 1_024;

    /// Reads a mapping. An empty text has no metrics and the default assumptions.
    ///
    /// # Errors
    /// All faults, each with line and column: `HF-REC-001` for text that is not JSON of this shape,
    /// `HF-REC-002` if the parts of an arm do not form a reading, `HF-REC-004` for too many sources.
    pub fn from_json(text: &str) -> Result<Self, RecordedErrors> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let document = Node::from_json(text, 0).map_err(DocumentErrors::of_family)?;
        MappingReader::knowing(()).read(&document, Self::checked)
    }

    /// Reads a mapping that is JSON already.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), without line and column.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, RecordedErrors> {
        MappingReader::knowing(()).read(&Node::from_value(value), Self::checked)
    }

    fn checked(reader: &mut MappingReader, root: &Node) -> Option<Self> {
        let mapping = Self::from_node(reader, root)?;
        let sources: usize = mapping.arms().map(|(_, _, arm)| arm.sources().count()).sum();
        if sources > Self::MOST_SOURCES {
            let (what, most) = ("sources in its mapping", Self::MOST_SOURCES);
            return reader.fail_at("metrics", RecordedFault::TooMuch { what, most });
        }
        Some(mapping)
    }

    /// Every named arm: its metric, 0 for the canary or 1 for the baseline, and its sources.
    pub(super) fn arms(&self) -> impl Iterator<Item = (MetricName, usize, &ArmSource)> {
        self.metrics.iter().flat_map(|(metric, of)| {
            let arms = [&of.canary, &of.baseline].into_iter().enumerate();
            arms.filter_map(|(arm, source)| Some((*metric, arm, source.as_ref()?)))
        })
    }
}

type MappingReader = DocumentReader<RecordedFault>;

impl MappingReader {
    fn metrics(&mut self, node: &Node) -> Option<BTreeMap<MetricName, MetricSource>> {
        Some(map_of(self.each_named(node, Self::metric)?))
    }

    fn metric(&mut self, name: &str, node: &Node) -> Option<(MetricName, MetricSource)> {
        let metric = self.metric_name(&Node::from(name))?;
        let before = self.faults();
        let table = self.table_of(node, &["canary", "baseline", "totals"])?;
        let [canary, baseline] = ARMS.map(|name| {
            self.unless_null(table, name, |reader, arm| reader.arm((metric, name), arm))
        });
        let is_null = |node: &Node| node.value == Value::Null;
        // A misspelt arm has its own error, and is not reported as missing.
        if self.faults() == before && ARMS.iter().all(|arm| table.key(arm).is_none_or(is_null)) {
            let (arm, fault) = (ARMS[0], "is not named: give the source of its numbers");
            self.fail::<()>(RecordedFault::ArmMetrics { metric, arm, fault });
        }
        if canary.is_some() && canary == baseline {
            let fault = "has the source of the canary: omit one of the two, or give `where`";
            self.fail::<()>(RecordedFault::ArmMetrics { metric, arm: ARMS[1], fault });
        }
        let totals = self.key(table, "totals", Self::flag).unwrap_or_default();
        Some((metric, MetricSource { canary, baseline, totals }))
    }

    fn arm(&mut self, (metric, arm): (MetricName, &'static str), node: &Node) -> Option<ArmSource> {
        let before = self.faults();
        let source = ArmSource::from_node(self, node)?;
        // A part with an error of its own would be reported as missing, too.
        if self.faults() == before
            && let Err(fault) = source.check()
        {
            return self.fail(RecordedFault::ArmMetrics { metric, arm, fault });
        }
        Some(source)
    }

    fn source(&mut self, node: &Node) -> Option<Source> {
        if let Some(name) = node.as_text() {
            return Some(Source { from: Some(name.to_owned()), ..Source::default() });
        }
        if !matches!(node.value, Value::Table(_)) {
            return self.wrong("a name, or a table with `from` or `where`", node);
        }
        let source = Source::from_node(self, node)?;
        if node.key("from").is_none() && node.key("where").is_none_or(|w| w.members().is_empty()) {
            let example = "it, or `where`".to_owned();
            return self.fail(DocumentFault::MissingKey { key: "from", example });
        }
        Some(source)
    }

    fn labels(&mut self, node: &Node) -> Option<BTreeMap<String, String>> {
        let label = |reader: &mut Self, name: &str, value: &Node| {
            Some((name.to_owned(), reader.text(value)?))
        };
        Some(map_of(self.each_named(node, label)?))
    }

    fn edge(&mut self, node: &Node) -> Option<Edge> {
        match &node.value {
            Value::Number(bound) => Some(Edge::At(*bound)),
            Value::Text(name) => Some(Edge::Read(name.clone())),
            _ => self.wrong("a bound in seconds, or the column or label that has it", node),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LabelPart {
    Events,
    Trials,
    Value,
    Sample,
    Count,
    /// Its bound as bits. Bounds are above zero, so bits and numbers have the same order.
    Bucket(u64),
}

impl ArmSource {
    /// Whether the parts form one kind of reading.
    fn check(&self) -> Result<(), &'static str> {
        let pair = self.events.is_some() || self.trials.is_some();
        let histogram = self.count.is_some() || !self.buckets.is_empty();
        let kinds = [pair, self.value.is_some(), self.sample.is_some(), histogram];
        if kinds.iter().filter(|kind| **kind).count() != 1 {
            return Err(
                "has parts of no kind of reading, or of several: give `events` and `trials`, `value`, `sample`, or `buckets`",
            );
        }
        if pair && (self.events.is_none() || self.trials.is_none()) {
            return Err("has only one of `events` and `trials`: give both");
        }
        if self.instance.is_some() && !pair {
            return Err("has `instance`, but only `events` and `trials` are by instance: omit it");
        }
        if histogram && self.buckets.is_empty() {
            return Err("has a `count` without `buckets`: give both");
        }
        let wrong = |source: &Source| match &source.le {
            None => true,
            Some(Edge::At(bound)) => !(*bound > 0.0 && bound.is_finite()),
            Some(Edge::Read(_)) => false,
        };
        if self.buckets.iter().any(wrong) {
            return Err(
                "has a bucket without `le`: give its bound in seconds above 0, or the column or label that has it",
            );
        }
        let is_bucket = |part: LabelPart| matches!(part, LabelPart::Bucket(_));
        if self.sources().any(|(part, source)| source.le.is_some() != is_bucket(part)) {
            return Err("has `le` on a part that is not a bucket: omit it");
        }
        Ok(())
    }

    /// Every part with its source. A bucket whose bound is read from the data is `Bucket(0)`.
    pub(super) fn sources(&self) -> impl Iterator<Item = (LabelPart, &Source)> {
        let bucket = |source: &'_ Source| match source.le {
            Some(Edge::At(bound)) => LabelPart::Bucket(bound.to_bits()),
            _ => LabelPart::Bucket(0),
        };
        [
            (LabelPart::Events, &self.events),
            (LabelPart::Trials, &self.trials),
            (LabelPart::Value, &self.value),
            (LabelPart::Sample, &self.sample),
            (LabelPart::Count, &self.count),
        ]
        .into_iter()
        .filter_map(|(part, source)| Some((part, source.as_ref()?)))
        .chain(self.buckets.iter().map(move |source| (bucket(source), source)))
    }
}
