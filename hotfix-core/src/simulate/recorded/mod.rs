//! Recorded metrics: CSV, JSON Lines and Prometheus range queries, read into observations.
//!
//! Readers accept text and read no file. Malformed text is refused with its place; an anomaly that
//! can be accepted is a finding. Nothing is filled in: an empty cell or a time without a point is a
//! missing reading, not zero.

mod csv;
mod error;
mod finding;
mod history;
mod json_lines;
mod mapping;
mod merge;
mod points;
mod prometheus;
mod steps;

pub use error::{RecordedErrors, RecordedFault};
pub use finding::RecordedFinding;
pub(super) use finding::{Anomalies, Anomaly};
pub use history::RecordedHistory;
use json_lines::Moves;
pub use mapping::{
    ArmSource, Assumptions, Edge, Mapping, MetricSource, Source, TimeSource, TimeUnit,
};
pub(super) use merge::{Merge, add_up};

use crate::getters::getters;
use crate::grade::{Severity, closed_set};
use crate::metric::{Arms, Observation, Sample};
use crate::plan::{MetricCalibration, Release, Traffic};
use crate::policy::Policy;
use crate::text;
use crate::unit::{MetricName, Share, Span, Timestamp};
use std::collections::BTreeMap;

/// The addition to the error if only single parts of readings were found.
const NEVER_WHOLE: &str = ": no time has all parts of a reading, for example both `events` and `trials`. Query them with \
     the same start and step; where there is no series before the first error, join the requests times 0 to it";

closed_set! {
    /// The format of a recording.
    Format {
        /// Comma-separated values (RFC 4180) with a header line, wide or long.
        Csv = "csv",
        /// One JSON object per line, with `at` and `metrics`. A rollout's own log is also accepted.
        JsonLines = "json_lines",
        /// The response of Prometheus to `query_range`, or an object of several by name.
        Prometheus = "prometheus",
    }
}

impl Format {
    /// The format of this name.
    ///
    /// # Errors
    /// An error for an unknown name.
    pub fn named(name: &str) -> Result<Self, RecordedErrors> {
        let refused = |_| RecordedFault::Format { got: text::shown(name) }.at("format");
        name.parse().map_err(refused)
    }
}

/// A reading at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedReading {
    /// Its time.
    pub at: Timestamp,
    /// What was read: increments since the previous reading, running totals, or gauges.
    pub metrics: Observation,
}

impl RecordedReading {
    /// Whether the arms of any metric satisfy this.
    pub(super) fn has(&self, is_so: impl Fn(&Arms) -> bool) -> bool {
        self.metrics.iter().any(|(_, reading)| reading.strata().any(&is_so))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Logged {
    pub(super) release: Release,
    /// The incident's severity before the first traffic.
    pub(super) severity: Option<Severity>,
    pub(super) traffic: Traffic,
    pub(super) calibrated: Option<(Policy, BTreeMap<MetricName, MetricCalibration>)>,
}

/// Recorded metrics in the order of time, with findings.
///
/// ```
/// use hotfix_core::simulate::recorded::{Format, Mapping, RecordedMetrics};
///
/// let mapping = Mapping::from_json(
///     r#"{"time": {"from": "time", "unit": "seconds"},
///         "metrics": {"error_rate": {"canary": {"events": "errors", "trials": "requests"}}}}"#,
/// )?;
/// let recording = RecordedMetrics::read(Format::Csv, "time,errors,requests\n60,3,1000\n120,,\n180,4,990\n", &mapping)?;
/// assert_eq!(recording.readings().len(), 2);
/// # Ok::<(), hotfix_core::simulate::recorded::RecordedErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedMetrics {
    readings: Vec<RecordedReading>,
    findings: Vec<RecordedFinding>,
    /// By metric, when the canary first had requests, even if its errors or other parts are
    /// missing. The seconds of a count look like requests.
    first_of_canary: BTreeMap<MetricName, Timestamp>,
    /// The plan of the log's rollout, if the recording is a log.
    planned: Option<Box<Logged>>,
    /// The moves of traffic, if the recording is a rollout's log.
    moves: Moves,
}

getters! {
    pub RecordedMetrics: self;

    /// Observations in the order of time: one for each time, or in JSON Lines one for each line.
    readings: &[RecordedReading] = self.readings.as_slice();
    /// The findings of the text. What depends on a policy is a finding of its backtest or history.
    findings: &[RecordedFinding] = self.findings.as_slice();
}

impl RecordedMetrics {
    /// Most bytes of text: 64 MiB.
    pub const MOST_BYTES: usize = 64 << 20;
    /// Most numbers that are read.
    pub const MOST_POINTS: usize = 2_000_000;

    /// Reads a recording. JSON Lines need no metrics in the mapping, because they contain the ids.
    ///
    /// # Errors
    /// An error for too much text or too many numbers, and for invalid text with line and column or
    /// a JSON Pointer.
    pub fn read(format: Format, text: &str, mapping: &Mapping) -> Result<Self, RecordedErrors> {
        if text.len() > Self::MOST_BYTES {
            let (what, most) = ("bytes of text", Self::MOST_BYTES);
            return Err(RecordedFault::TooMuch { what, most }.anywhere());
        }
        let recording = match format {
            Format::Csv => csv::read(text, mapping)?,
            Format::JsonLines => json_lines::read(text, mapping)?,
            Format::Prometheus => prometheus::read(text, mapping)?,
        };
        if recording.readings.is_empty() {
            let apart = Anomaly::Incomplete.code();
            let apart = recording.findings.iter().any(|finding| finding.code == apart);
            let without = if apart { NEVER_WHOLE.to_owned() } else { String::new() };
            return Err(RecordedFault::Nothing { without }.anywhere());
        }
        Ok(recording)
    }

    /// Reads a recording from texts, as other languages have them: the name of its format, and the
    /// mapping as JSON. Also returns the mapping's assumptions.
    ///
    /// # Errors
    /// Those of [`Format::named`], [`Mapping::from_json`] and [`read`](Self::read).
    pub fn from_texts(
        format: &str,
        text: &str,
        mapping: &str,
    ) -> Result<(Self, Assumptions), RecordedErrors> {
        let format = Format::named(format)?;
        let mapping = Mapping::from_json(mapping)?;
        let recorded = Self::read(format, text, &mapping)?;
        Ok((recorded, mapping.assume))
    }

    /// The text of a recording that is in bytes.
    ///
    /// # Errors
    /// An error for an unknown format, and for bytes that are not UTF-8 with their line.
    pub fn text_of<'b>(format: &str, bytes: &'b [u8]) -> Result<&'b str, RecordedErrors> {
        let format = Format::named(format)?;
        std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.iter().take(error.valid_up_to());
            let line = before.filter(|byte| **byte == b'\n').count() + 1;
            let fault = "it is not UTF-8: save the recording as UTF-8".to_owned();
            let fault = match format {
                Format::Csv => RecordedFault::Csv { fault },
                Format::JsonLines | Format::Prometheus => RecordedFault::Json { fault },
            };
            fault.at_line(line as u64, 1)
        })
    }

    /// Readings after `from` and at or before `until`.
    pub(super) fn between(&self, from: Timestamp, until: Timestamp) -> &[RecordedReading] {
        let start = self.readings.partition_point(|reading| reading.at <= from);
        let end = self.readings.partition_point(|reading| reading.at <= until);
        self.readings.get(start..end.max(start)).unwrap_or_default()
    }

    /// When the canary first had requests, by the metrics that `counts` names, or else its first reading.
    pub(super) fn first_of_canary(&self, counts: impl Fn(MetricName) -> bool) -> Option<Timestamp> {
        let first = self.first_of_canary.iter().filter(|(metric, _)| counts(**metric));
        first.map(|(_, at)| *at).min().or_else(|| {
            let mut readings = self.readings.iter();
            Some(readings.find(|reading| reading.has(|arms| arms.canary.is_some()))?.at)
        })
    }

    /// Whether the log's rollout moved its first traffic in this moment, and read the metrics only after that.
    pub(super) fn read_after_traffic(&self, at: Timestamp) -> bool {
        !self.read_before_move(at) && self.moves().first().is_some_and(|(moved, _)| *moved == at)
    }

    /// Whether the log's rollout moved traffic in this moment, and read the metrics before that.
    pub(super) fn read_before_move(&self, at: Timestamp) -> bool {
        self.moves.read_first.contains(&at)
    }

    /// Longer gaps than the usual step and than the shortest step between readings of these policies.
    pub(super) fn gaps<'p>(
        &self,
        policies: impl Iterator<Item = &'p Policy>,
    ) -> Option<RecordedFinding> {
        let least = policies.map(|policy| policy.watch().reads_every()).min();
        points::gaps(&self.readings, least.unwrap_or_default())
    }

    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        let at = |reading: Option<&RecordedReading>| reading.map(|r| r.at).unwrap_or_default();
        (at(self.readings.first()), at(self.readings.last()))
    }
}

getters! {
    pub(super) fn RecordedMetrics: self;

    planned: Option<&Logged> = self.planned.as_deref();
    /// The usual step between readings: the median, or a minute if there is only one reading.
    step: Span = points::usual_step(&self.readings).unwrap_or(Span::from_seconds(60));
    /// Findings about running totals that are read as counts, and the opposite.
    misnamed: Vec<RecordedFinding> = steps::misnamed(&self.readings);
    /// When traffic was moved, and to which share.
    moves: &[(Timestamp, Share)] = &self.moves.made;
    /// When the log's rollout began to roll back.
    rolled_back: Option<Timestamp> = self.moves.rolled_back;
}

/// Whether a sample counts requests. A level leaves that open: 0 may be a rate without an error.
fn shows_requests(sample: &Sample) -> bool {
    match sample {
        Sample::Pair(_, trials) => *trials > 0.0,
        Sample::Level(_) => false,
        Sample::Histogram(histogram) => histogram.count > 0.0,
        Sample::Samples(samples) => !samples.is_empty(),
        Sample::Instances(instances) => instances.values().any(|[_, trials]| *trials > 0.0),
    }
}

/// A number as spreadsheets and Prometheus write it. `NaN` and `Inf` are accepted, so that the log
/// shows them.
fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" | "nan" => Some(f64::NAN),
        "+Inf" | "Inf" | "Infinity" => Some(f64::INFINITY),
        "-Inf" | "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust would also accept `nan`, `inf` and `infinity` in any case.
        _ if text.bytes().any(|b| b.is_ascii_alphabetic() && !matches!(b, b'e' | b'E')) => None,
        _ => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

fn moment(text: &str, unit: TimeUnit) -> Option<Timestamp> {
    match unit {
        TimeUnit::Rfc3339 => text.parse().ok(),
        TimeUnit::Seconds => seconds(number(text)?),
        TimeUnit::Milliseconds => milliseconds(text.parse().ok()?),
    }
}

/// A time in milliseconds since 1970. None for a number that is probably in seconds: as
/// milliseconds, it would be a time before 1974.
fn milliseconds(since_1970: i64) -> Option<Timestamp> {
    const SECONDS_SINCE_2001: std::ops::Range<i64> = 1_000_000_000..100_000_000_000;
    let is_seconds = SECONDS_SINCE_2001.contains(&since_1970);
    Timestamp::try_from_millis(since_1970).ok().filter(|_| !is_seconds)
}

/// Seconds since 1970, to the nearest millisecond.
fn seconds(since_1970: f64) -> Option<Timestamp> {
    let millis = (since_1970 * 1e3).round();
    // Beyond that milliseconds are not exact, and no year has four digits.
    if millis.is_nan() || millis.abs() >= 9.007_199_254_740_992e15 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    let millis = millis as i64;
    Timestamp::try_from_millis(millis).ok()
}

/// The message of serde on one line of bounded length, without the place, which is given
/// separately.
fn message_of(error: &serde_json::Error) -> String {
    const MOST: usize = 200;
    let text = error.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    text.chars().take(MOST).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
