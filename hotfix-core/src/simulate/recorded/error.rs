//! Errors of a recording, of its mapping, and of a backtest.

use std::fmt;

use crate::unit::{MetricName, Timestamp};

/// A place in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The whole text.
    #[default]
    Whole,
    /// A line and a column of the text, both from 1. In CSV, the column of the table.
    Line {
        /// The line.
        line: u64,
        /// The column.
        column: usize,
    },
    /// A JSON Pointer.
    Pointer(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Line { line, column } => write!(f, "line {line}, column {column}"),
            Self::Pointer(pointer) => f.write_str(pointer),
        }
    }
}

/// An invalid recording or mapping. Nothing was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedError {
    /// The place.
    pub place: Place,
    /// The fault.
    pub fault: RecordedFault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedFault {
    /// The mapping is not JSON of its shape.
    #[error("the mapping cannot be read: {fault}")]
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
    #[error("the header has no column `{column}`{}", nearest.as_ref().map_or_else(String::new, |n| format!(": did you mean `{n}`?")))]
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
        "there is no history by instance: give the `instance` of {known}, whose tests a history calibrates in `{policy}`"
    )]
    NoHistory {
        /// The policy's name.
        policy: String,
        /// The metrics that may have one, or that there is none.
        known: String,
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

impl RecordedFault {
    /// At a line and a column, both from 1.
    pub(crate) const fn at_line(self, line: u64, column: usize) -> RecordedError {
        RecordedError { place: Place::Line { line, column }, fault: self }
    }

    /// At a JSON Pointer.
    pub(crate) fn at(self, pointer: impl Into<String>) -> RecordedError {
        RecordedError { place: Place::Pointer(pointer.into()), fault: self }
    }

    /// An error of the whole.
    pub(crate) const fn anywhere(self) -> RecordedError {
        RecordedError { place: Place::Whole, fault: self }
    }
}

impl RecordedError {
    /// The stable code; codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self.fault {
            RecordedFault::Mapping { .. } => "HF-REC-001",
            RecordedFault::ArmMetrics { .. } => "HF-REC-002",
            RecordedFault::Format { .. } => "HF-REC-003",
            RecordedFault::TooMuch { .. } => "HF-REC-004",
            RecordedFault::Csv { .. } => "HF-REC-005",
            RecordedFault::NoColumn { .. } => "HF-REC-006",
            RecordedFault::Time { .. } => "HF-REC-007",
            RecordedFault::Number { .. } => "HF-REC-008",
            RecordedFault::Json { .. } => "HF-REC-009",
            RecordedFault::NoRange { .. } => "HF-REC-010",
            RecordedFault::SeveralSeries { .. } => "HF-REC-011",
            RecordedFault::Nothing => "HF-REC-012",
            RecordedFault::NoReadingAfter { .. } => "HF-REC-013",
            RecordedFault::NothingDecides { .. } => "HF-REC-014",
            RecordedFault::Policy { .. } => "HF-REC-015",
            RecordedFault::Policies { .. } => "HF-REC-016",
            RecordedFault::TooLong { .. } => "HF-REC-017",
            RecordedFault::NoInstance => "HF-REC-018",
            RecordedFault::NoHistory { .. } => "HF-REC-019",
        }
    }

    /// The place as text: `line 3, column 2`, a JSON Pointer, or nothing.
    pub fn path(&self) -> String {
        self.place.to_string()
    }
}

impl fmt::Display for RecordedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Whole => {}
            place => write!(f, "{place}: ")?,
        }
        self.fault.fmt(f)
    }
}

impl std::error::Error for RecordedError {}
