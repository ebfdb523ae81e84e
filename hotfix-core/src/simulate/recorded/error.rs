//! Errors of a recording, of its mapping, and of a backtest.

use crate::code::coded;
use crate::document::{DocumentCodes, DocumentErrors, DocumentFault, FaultFamily, Place};
use crate::text::did_you_mean;
use crate::unit::{MetricName, Timestamp};

use super::mapping::TimeUnit;

/// An invalid recording or mapping; all faults of a mapping. Nothing was run. Never empty.
pub type RecordedErrors = DocumentErrors<RecordedFault>;

coded! {
    /// What is wrong.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum RecordedFault;

    /// A fault of the mapping that a document of any kind may have.
    #[error("in the mapping: {0}")]
    Document(fault: #[from] DocumentFault) => fault.code(&DOCUMENT),
    /// The mapping does not fit the format of the recording.
    #[error("the mapping cannot be used: {fault}")]
    Mapping { fault: String } => "HF-REC-001",
    /// The parts that a mapping names for an arm do not form a reading.
    #[error("the {arm} of `{metric}` {fault}")]
    ArmMetrics { metric: MetricName, arm: &'static str, fault: &'static str } => "HF-REC-002",
    /// An unknown format.
    #[error("`{got}` is not a format of recordings: use csv, json_lines or prometheus")]
    Format { got: String } => "HF-REC-003",
    /// The recording is too large.
    #[error("the recording is too large: at most {most} {what} are read; shorten it")]
    TooMuch { what: &'static str, most: usize } => "HF-REC-004",
    /// An invalid line of CSV.
    #[error("the line is not valid CSV: {fault}")]
    Csv { fault: String } => "HF-REC-005",
    /// A column that is missing in the header.
    #[error("the header has no column `{column}`: {}name one that it has", did_you_mean(nearest.as_deref()))]
    NoColumn {
        /// As the mapping names it.
        column: String,
        nearest: Option<String>,
    } => "HF-REC-006",
    /// An invalid time in the unit of the mapping.
    #[error("`{got}` is not a valid time in {unit}{}", how(unit))]
    Time { got: String, unit: &'static str } => "HF-REC-007",
    /// An invalid number.
    #[error("`{got}` is not a valid number")]
    Number { got: String } => "HF-REC-008",
    /// A text that is not JSON, or a line that is not an observation.
    #[error("it cannot be read: {fault}")]
    Json { fault: String } => "HF-REC-009",
    /// A response that is not that of a range query.
    #[error("the text is not a response to `query_range`: {fault}")]
    NoRange { fault: String } => "HF-REC-010",
    /// Several series for one part.
    #[error(
        "more than one series matches the {arm} of `{metric}`: add labels that distinguish them, or sum them in the query"
    )]
    SeveralSeries { metric: MetricName, arm: &'static str } => "HF-REC-011",
    /// A number by instance without the name of its instance.
    #[error("it has no `{name}`, which names its instance by the mapping{known}")]
    NoInstance {
        /// The column or label.
        name: String,
        /// The labels that it has, after a semicolon.
        known: String,
    } => "HF-REC-018",
    /// No history by instance of a metric that one calibrates.
    #[error("there is no history by instance{missing}{left_out}")]
    NoHistory {
        /// Which metrics need their instances, after a colon; empty where all were left out.
        missing: String,
        /// What was left out and why, each part after a semicolon.
        left_out: String,
    } => "HF-REC-019",
    /// No reading.
    #[error("the recording has no reading of the metrics that the mapping names{without}")]
    Nothing {
        /// The sources that nothing matches, after a colon.
        without: String,
    } => "HF-REC-012",
    /// A time without readings.
    #[error("{}: the readings are from {first} to {last}", match (until < from, from < last) {
        // Where no `until` is given, it is the last reading.
        (true, true) => format!("`until`, {until}, is before `from`, {from}"),
        (true, false) => format!("the recording has no reading after {from}"),
        (false, _) => format!("the recording has no reading after {from} and up to {until}"),
    })]
    NoReadingAfter {
        /// The assumed time of the deployment.
        from: Timestamp,
        until: Timestamp,
        first: Timestamp,
        last: Timestamp,
    } => "HF-REC-013",
    /// None of the recorded metrics decides in the policy.
    #[error(
        "none of the recorded metrics decides in `{policy}`, whose deciding metrics are {metrics}: add one of them"
    )]
    NothingDecides { policy: String, metrics: String } => "HF-REC-014",
    /// The policy is not valid without the metrics that were not recorded.
    #[error("`{policy}` cannot be run on this recording: {fault}")]
    Policy { policy: String, fault: String } => "HF-REC-015",
    /// Too many evaluations, for example because of a wrong year.
    #[error(
        "`{policy}` would make {evaluations} evaluations between {from} and {until}, and at most {most} are run: set `from` and `until`, \
         and correct a time that is off"
    )]
    TooLong {
        policy: String,
        evaluations: u64,
        most: u64,
        /// The assumed time of the deployment.
        from: Timestamp,
        until: Timestamp,
    } => "HF-REC-017",
    /// No policy was given, or too many.
    #[error("give 1 to {most} policies, not {got}")]
    Policies { got: usize, most: usize } => "HF-REC-016",
}

/// How a time is written that is not a number.
fn how(unit: &str) -> &'static str {
    if unit == TimeUnit::Rfc3339.as_str() {
        ": write it with its zone, such as `2026-03-03T14:00:00Z`, or give the `unit` of `time`"
    } else {
        ": correct it, or the `unit` of `time`"
    }
}

const DOCUMENT: DocumentCodes = DocumentCodes::all("HF-REC-001");

impl FaultFamily for RecordedFault {
    const BY_LINE: bool = true;
}

impl RecordedFault {
    /// At a line and a column, both from 1.
    pub(super) fn at_line(self, line: u64, column: usize) -> RecordedErrors {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        let mut errors = RecordedErrors::new();
        errors.push_at(Place::new(0, line, column), "", self);
        errors
    }

    pub(super) fn at(self, pointer: impl AsRef<str>) -> RecordedErrors {
        RecordedErrors::of(pointer.as_ref(), self)
    }

    /// An error of the whole.
    pub(crate) fn anywhere(self) -> RecordedErrors {
        RecordedErrors::of("", self)
    }
}

impl RecordedErrors {
    /// The place of the first error: a JSON Pointer, `line 3, column 2` of a text without
    /// pointers, or nothing. In CSV, the column is that of the table.
    pub fn place(&self) -> String {
        let Some(first) = self.first() else { return String::new() };
        match (first.path(), first.line(), first.column()) {
            ("", Some(line), Some(column)) => format!("line {line}, column {column}"),
            (path, _, _) => path.to_owned(),
        }
    }
}
