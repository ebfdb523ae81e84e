//! Errors of a recording, of its mapping, and of a backtest.

use crate::document::{DocumentCodes, DocumentErrors, DocumentFault, FaultFamily, Place};
use crate::text::did_you_mean;
use crate::unit::{MetricName, Timestamp};

/// An invalid recording or mapping; all faults of a mapping. Nothing was run. Never empty.
pub type RecordedErrors = DocumentErrors<RecordedFault>;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedFault {
    /// A fault of the mapping that a document of any kind may have.
    #[error("in the mapping: {0}")]
    Document(#[from] DocumentFault),
    /// The mapping does not fit the format of the recording.
    #[error("the mapping cannot be used: {fault}")]
    Mapping {
        /// The fault.
        fault: String,
    },
    /// The parts that a mapping names for an arm do not form a reading.
    #[error("the {arm} of `{metric}` {fault}")]
    ArmMetrics {
        /// The metric.
        metric: MetricName,
        /// The arm.
        arm: &'static str,
        /// The fault and its remedy.
        fault: &'static str,
    },
    /// An unknown format.
    #[error("`{got}` is not a format of recordings: use csv, json_lines or prometheus")]
    Format {
        /// As given.
        got: String,
    },
    /// The recording is too large.
    #[error(
        "the recording is too large: at most {most} {what} are read; shorten it, or record less often"
    )]
    TooMuch {
        /// What is counted.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// An invalid line of CSV.
    #[error("the line is not valid CSV: {fault}")]
    Csv {
        /// The fault.
        fault: String,
    },
    /// A column that is missing in the header.
    #[error("the header has no column `{column}`: {}name one that it has", did_you_mean(nearest.as_deref()))]
    NoColumn {
        /// As the mapping names it.
        column: String,
        /// The nearest existing one.
        nearest: Option<String>,
    },
    /// An invalid time in the unit of the mapping.
    #[error("`{got}` is not a valid time in {unit}")]
    Time {
        /// The given text.
        got: String,
        /// The unit.
        unit: &'static str,
    },
    /// An invalid number.
    #[error("`{got}` is not a valid number")]
    Number {
        /// The given text.
        got: String,
    },
    /// A text that is not JSON, or a line that is not an observation.
    #[error("it cannot be read: {fault}")]
    Json {
        /// The fault.
        fault: String,
    },
    /// A response that is not that of a range query.
    #[error("the text is not a response to `query_range`: {fault}")]
    NoRange {
        /// The fault.
        fault: String,
    },
    /// Several series for one part.
    #[error(
        "more than one series matches the {arm} of `{metric}`: add labels that distinguish them, or sum them in the query"
    )]
    SeveralSeries {
        /// The metric.
        metric: MetricName,
        /// The arm.
        arm: &'static str,
    },
    /// A number by instance without the name of its instance.
    #[error("it has no instance: the mapping says where each number has the name of its own")]
    NoInstance,
    /// No history by instance of a metric that one calibrates.
    #[error(
        "there is no history by instance: give the `instance` of {known}, whose tests a history calibrates in `{policy}`{left_out}"
    )]
    NoHistory {
        /// The policy's name.
        policy: String,
        /// The metrics that may have one, or that there is none.
        known: String,
        /// What was left out and why, each part after a semicolon.
        left_out: String,
    },
    /// No reading.
    #[error("the recording has no reading of the metrics that the mapping names")]
    Nothing,
    /// A time without readings.
    #[error(
        "the recording has no reading after {from} and up to {until}: it has readings from {first} to {last}"
    )]
    NoReadingAfter {
        /// The assumed time of the deployment.
        from: Timestamp,
        /// The end of the watch.
        until: Timestamp,
        /// The first reading.
        first: Timestamp,
        /// The last reading.
        last: Timestamp,
    },
    /// None of the recorded metrics decides in the policy.
    #[error(
        "none of the recorded metrics decides in `{policy}`, whose deciding metrics are {metrics}: add one of them"
    )]
    NothingDecides {
        /// The policy's name.
        policy: String,
        /// Its deciding metrics.
        metrics: String,
    },
    /// The policy is not valid without the metrics that were not recorded.
    #[error("`{policy}` cannot be run on this recording: {fault}")]
    Policy {
        /// The policy's name.
        policy: String,
        /// The fault.
        fault: String,
    },
    /// Too many evaluations, for example because of a wrong year.
    #[error(
        "`{policy}` would make {evaluations} evaluations between {from} and {until}, and at most {most} are run: set `from` and `until`, \
         and correct a time that is off"
    )]
    TooLong {
        /// The policy's name.
        policy: String,
        /// The number of evaluations.
        evaluations: u64,
        /// The most evaluations.
        most: u64,
        /// The assumed time of the deployment.
        from: Timestamp,
        /// The end of the watch.
        until: Timestamp,
    },
    /// No policy was given, or too many.
    #[error("give 1 to {most} policies, not {got}")]
    Policies {
        /// How many were given.
        got: usize,
        /// How many there may be.
        most: usize,
    },
}

/// The codes of the faults that a document of any kind may have.
const DOCUMENT: DocumentCodes = DocumentCodes::all("HF-REC-001");

impl FaultFamily for RecordedFault {
    const BY_LINE: bool = true;

    fn code(&self) -> &'static str {
        match self {
            Self::Document(fault) => fault.code(&DOCUMENT),
            Self::Mapping { .. } => "HF-REC-001",
            Self::ArmMetrics { .. } => "HF-REC-002",
            Self::Format { .. } => "HF-REC-003",
            Self::TooMuch { .. } => "HF-REC-004",
            Self::Csv { .. } => "HF-REC-005",
            Self::NoColumn { .. } => "HF-REC-006",
            Self::Time { .. } => "HF-REC-007",
            Self::Number { .. } => "HF-REC-008",
            Self::Json { .. } => "HF-REC-009",
            Self::NoRange { .. } => "HF-REC-010",
            Self::SeveralSeries { .. } => "HF-REC-011",
            Self::Nothing => "HF-REC-012",
            Self::NoReadingAfter { .. } => "HF-REC-013",
            Self::NothingDecides { .. } => "HF-REC-014",
            Self::Policy { .. } => "HF-REC-015",
            Self::Policies { .. } => "HF-REC-016",
            Self::TooLong { .. } => "HF-REC-017",
            Self::NoInstance => "HF-REC-018",
            Self::NoHistory { .. } => "HF-REC-019",
        }
    }
}

impl RecordedFault {
    /// At a line and a column, both from 1.
    pub(super) fn at_line(self, line: u64, column: usize) -> RecordedErrors {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        let mut errors = RecordedErrors::new();
        errors.push_at(Place::new(0, line, column), "", self);
        errors
    }

    /// At a JSON Pointer.
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
