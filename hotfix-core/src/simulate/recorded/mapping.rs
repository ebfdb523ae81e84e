//! What in a recording is which metric, and what a backtest assumes.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::grade::{Severity, closed_set};
use crate::unit::{MetricName, Timestamp};

use super::error::{RecordedError, RecordedFault};

closed_set! {
    /// How times are written.
    TimeUnit {
        /// RFC 3339 in any zone.
        Rfc3339 = "rfc3339",
        /// Seconds since 1970, with or without a fraction.
        Seconds = "seconds",
        /// Whole milliseconds since 1970.
        Milliseconds = "milliseconds",
    }
    /// What becomes of a metric that the policy decides by and that was not recorded.
    Unrecorded {
        /// It does not decide; the weights of the others are scaled up to the whole budget. A finding says so.
        LeaveOut = "leave_out",
        /// It decides as in the policy, which takes it for missing data.
        Decide = "decide",
    }
    /// What becomes of a gate at which the policy asks a person.
    Gates {
        /// Somebody says go at once.
        Pass = "pass",
        /// Nobody answers.
        Wait = "wait",
    }
}

/// Which columns, series and labels are which metric, and what a backtest assumes.
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
/// # Ok::<(), hotfix_core::simulate::recorded::RecordedError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What is assumed of the deployment that was not one.
    #[serde(default)]
    pub assume: Assumptions,
    /// Where each metric stands. JSON Lines carry the ids themselves.
    #[serde(default)]
    pub metrics: BTreeMap<MetricName, MetricSource>,
    /// Where the time stands in CSV, and the unit of numbers in JSON Lines.
    #[serde(default)]
    pub time: TimeSource,
}

/// What is assumed of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assumptions {
    /// When the fix got its first traffic. Without it: one usual step before the first reading, so that all count. Earlier
    /// readings do not count, but that running totals begin with them.
    ///
    /// The phases follow each other as the policy has it, each deployment as long as it is expected to take. Their shares
    /// are the rollout's alone: the recording's canary arm is taken as it stands, whatever traffic it had.
    pub from: Option<Timestamp>,
    /// When watching ends. Without it: with the last reading.
    pub until: Option<Timestamp>,
    /// What becomes of metrics that were not recorded. Default: they are left out.
    pub unrecorded: Unrecorded,
    /// What becomes of gates. Default: somebody says go.
    pub gates: Gates,
    /// The incident's severity. Without it: the policy's first.
    pub severity: Option<Severity>,
}

#[expect(clippy::derivable_impls, reason = "the macro of closed sets marks no default")]
impl Default for Unrecorded {
    fn default() -> Self {
        Self::LeaveOut
    }
}

#[expect(clippy::derivable_impls, reason = "the macro of closed sets marks no default")]
impl Default for Gates {
    fn default() -> Self {
        Self::Pass
    }
}

/// Where the time stands.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeSource {
    /// The column of a CSV. Default `time`.
    pub from: String,
    /// How it is written. Default RFC 3339.
    pub unit: TimeUnit,
}

impl Default for TimeSource {
    fn default() -> Self {
        Self { from: "time".to_owned(), unit: TimeUnit::Rfc3339 }
    }
}

/// Where a metric stands.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricSource {
    /// The arm that ran the fix, or the only one there was.
    pub canary: Option<ArmSource>,
    /// The live arm; without it the policy compares with its record.
    pub baseline: Option<ArmSource>,
    /// The numbers are running totals; resets are handled.
    pub totals: bool,
}

/// Where an arm's numbers stand: `events` and `trials`, `value`, `sample`, or `buckets` with `count`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArmSource {
    /// What the metric counts.
    pub events: Option<Source>,
    /// Requests; for a count the seconds of exposure.
    pub trials: Option<Source>,
    /// A level: a gauge, or requests per minute.
    pub value: Option<Source>,
    /// One latency in seconds a row.
    pub sample: Option<Source>,
    /// Cumulative buckets.
    pub buckets: Vec<Source>,
    /// All requests of the histogram; without it those of the bucket `+Inf`.
    pub count: Option<Source>,
}

/// A column or a series; as plain text its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// The column of a CSV; of Prometheus the name of the answer, or the series' `__name__`.
    pub from: Option<String>,
    /// The columns or labels that tell it apart, with their values.
    pub matching: BTreeMap<String, String>,
    /// For a bucket: its upper bound in seconds, or the column or label that has it.
    pub le: Option<Edge>,
    /// What each number is multiplied with: 0.01 for per cent, 0.001 for milliseconds.
    pub times: Option<f64>,
    /// What is added then: with `times` of -0.01 and 1 a success rate in per cent becomes an error rate.
    pub plus: Option<f64>,
}

/// The upper bound of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub enum Edge {
    /// In seconds.
    At(f64),
    /// The column or label that has it.
    Read(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceDocument {
    from: Option<String>,
    #[serde(default, rename = "where")]
    matching: BTreeMap<String, String>,
    le: Option<Edge>,
    times: Option<f64>,
    plus: Option<f64>,
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Source;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or {\"from\", \"where\", \"le\", \"times\", \"plus\"}")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Source, E> {
                Ok(Source { from: Some(name.to_owned()), ..Source::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Source, A::Error> {
                let read = SourceDocument::deserialize(MapAccessDeserializer::new(map))?;
                if read.from.is_none() && read.matching.is_empty() {
                    return Err(A::Error::custom("a source needs `from` or `where`"));
                }
                let SourceDocument { from, matching, le, times, plus } = read;
                Ok(Source { from, matching, le, times, plus })
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl Visitor<'_> for Forms {
            type Value = Edge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a bound in seconds, or the column or label that has it")
            }
            fn visit_f64<E: Error>(self, bound: f64) -> Result<Edge, E> {
                Ok(Edge::At(bound))
            }
            fn visit_u64<E: Error>(self, bound: u64) -> Result<Edge, E> {
                Ok(Edge::At(bound as f64))
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Edge, E> {
                Ok(Edge::Read(name.to_owned()))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl Source {
    /// A number as the metric has it.
    pub(super) fn value(&self, number: f64) -> f64 {
        number * self.times.unwrap_or(1.0) + self.plus.unwrap_or(0.0)
    }
}

/// The arms in the order of the library's columns.
pub(super) const ARMS: [&str; 2] = ["canary", "baseline"];

impl Mapping {
    /// Most columns or series that it may name.
    pub const MOST_SOURCES: usize = 1_024;

    /// Reads a mapping; an empty text is one that assumes nothing and names nothing.
    ///
    /// # Errors
    /// `HF-REC-001` with line and column for what is no JSON of its shape, `HF-REC-002` with a JSON Pointer for an arm whose
    /// parts make no reading, `HF-REC-004` for too many sources.
    pub fn from_json(text: &str) -> Result<Self, RecordedError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mapping: Self = serde_json::from_str(text).map_err(|error| {
            let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
            let fault = super::told(&error);
            RecordedFault::Mapping { fault }.at_line(line, error.column())
        })?;
        mapping.check()?;
        Ok(mapping)
    }

    fn check(&self) -> Result<(), RecordedError> {
        let mut sources = 0;
        for (metric, arm, source) in self.arms() {
            source.form().map_err(|fault| {
                let arm = ARMS[arm];
                let pointer = format!("/metrics/{metric}/{arm}");
                RecordedFault::Arm { metric, arm, fault }.at(pointer)
            })?;
            sources += source.sources().count();
        }
        if let Some((metric, _)) =
            self.metrics.iter().find(|(_, of)| of.canary.is_none() && of.baseline.is_none())
        {
            let (arm, fault) = (ARMS[0], "is not named: say where its numbers stand");
            let fault = RecordedFault::Arm { metric: *metric, arm, fault };
            return Err(fault.at(format!("/metrics/{metric}")));
        }
        if sources > Self::MOST_SOURCES {
            let (what, most) = ("sources in its mapping", Self::MOST_SOURCES);
            return Err(RecordedFault::TooMuch { what, most }.at("/metrics"));
        }
        Ok(())
    }

    /// Every arm that is named: metric, 0 for the canary and 1 for the baseline, where it stands.
    pub(super) fn arms(&self) -> impl Iterator<Item = (MetricName, usize, &ArmSource)> {
        self.metrics.iter().flat_map(|(metric, of)| {
            let arms = [&of.canary, &of.baseline].into_iter().enumerate();
            arms.filter_map(|(arm, source)| Some((*metric, arm, source.as_ref()?)))
        })
    }
}

/// What an arm's parts make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Pair,
    Level,
    Samples,
    Histogram,
}

/// A part of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Events,
    Trials,
    Value,
    Sample,
    Count,
    /// Its bound as bits: bounds are above zero, so their order is that of the numbers.
    Bucket(u64),
}

impl ArmSource {
    /// What the parts make, or what is wrong with them.
    pub(super) fn form(&self) -> Result<Form, &'static str> {
        let pair = self.events.is_some() || self.trials.is_some();
        let histogram = self.count.is_some() || !self.buckets.is_empty();
        let forms = [pair, self.value.is_some(), self.sample.is_some(), histogram];
        if forms.iter().filter(|form| **form).count() != 1 {
            return Err(
                "has parts of no form, or of several: give `events` and `trials`, `value`, `sample`, or `buckets`",
            );
        }
        if pair && (self.events.is_none() || self.trials.is_none()) {
            return Err("has `events` or `trials` alone: give both");
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
                "has a bucket without `le`: give its bound in seconds above 0, or where it stands",
            );
        }
        if self
            .sources()
            .any(|(part, source)| source.le.is_some() != matches!(part, Part::Bucket(_)))
        {
            return Err("has `le` beside what is no bucket: leave it out");
        }
        Ok(match (pair, self.value.is_some(), self.sample.is_some()) {
            (true, _, _) => Form::Pair,
            (_, true, _) => Form::Level,
            (_, _, true) => Form::Samples,
            _ => Form::Histogram,
        })
    }

    /// Every part with its source; a bucket whose bound is read is `Bucket(0)`.
    pub(super) fn sources(&self) -> impl Iterator<Item = (Part, &Source)> {
        let bucket = |source: &'_ Source| match source.le {
            Some(Edge::At(bound)) => Part::Bucket(bound.to_bits()),
            _ => Part::Bucket(0),
        };
        [
            (Part::Events, &self.events),
            (Part::Trials, &self.trials),
            (Part::Value, &self.value),
            (Part::Sample, &self.sample),
            (Part::Count, &self.count),
        ]
        .into_iter()
        .filter_map(|(part, source)| Some((part, source.as_ref()?)))
        .chain(self.buckets.iter().map(move |source| (bucket(source), source)))
    }
}
