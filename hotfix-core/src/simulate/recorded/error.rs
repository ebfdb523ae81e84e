//! What makes a recording, or what is asked of it, unreadable.

use std::fmt;

use crate::unit::{MetricName, Timestamp};

/// Where in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// It is about the whole.
    #[default]
    Whole,
    /// A line and a column of the text, both from 1. In CSV the column is that of the table.
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

/// A recording, or a mapping, that is none; nothing was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedError {
    /// Where.
    pub place: Place,
    /// What is wrong there.
    pub fault: RecordedFault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedFault {
    /// The mapping is no JSON of its shape.
    #[error("the mapping cannot be read: {fault}")]
    Mapping {
        /// What is wrong.
        fault: String,
    },
    /// What a mapping names for an arm makes no reading.
    #[error("the {arm} of `{metric}` {fault}")]
    Arm {
        /// The metric.
        metric: MetricName,
        /// Which arm.
        arm: &'static str,
        /// What is wrong, with the remedy.
        fault: &'static str,
    },
    /// A format that is none.
    #[error("`{got}` is no format of a recording: give csv, json_lines or prometheus")]
    Format {
        /// As given.
        got: String,
    },
    /// More than the reader takes.
    #[error("a recording has at most {most} {what}: cut it, or record less often")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A line of CSV that is none.
    #[error("the line is no CSV: {fault}")]
    Csv {
        /// What is wrong.
        fault: String,
    },
    /// A column that the header lacks.
    #[error("the header has no column `{column}`{}", nearest.as_ref().map_or_else(String::new, |n| format!(": did you mean `{n}`?")))]
    NoColumn {
        /// As the mapping names it.
        column: String,
        /// The nearest that there is.
        nearest: Option<String>,
    },
    /// A time that is none in the unit of the mapping.
    #[error("`{got}` is no time in {unit}")]
    Time {
        /// As it stands.
        got: String,
        /// The unit.
        unit: &'static str,
    },
    /// A number that is none.
    #[error("`{got}` is no number")]
    Number {
        /// As it stands.
        got: String,
    },
    /// A text that is no JSON, or a line that is no observation.
    #[error("it cannot be read: {fault}")]
    Json {
        /// What is wrong.
        fault: String,
    },
    /// An answer that is not that of a range query.
    #[error("it is no answer to `query_range`: {fault}")]
    NoRange {
        /// What is wrong.
        fault: String,
    },
    /// Several series where one is meant.
    #[error(
        "more than one series is the {arm} of `{metric}`: name labels that tell them apart, or sum them in the query"
    )]
    SeveralSeries {
        /// The metric.
        metric: MetricName,
        /// Which arm.
        arm: &'static str,
    },
    /// No reading at all.
    #[error("it has no reading of a metric that the mapping names")]
    Nothing,
    /// A time that the recording does not have.
    #[error("no reading comes after {from} and up to {until}: the recording has {first} to {last}")]
    NoReadingAfter {
        /// When the deployment is assumed.
        from: Timestamp,
        /// When watching ends.
        until: Timestamp,
        /// The first reading.
        first: Timestamp,
        /// The last reading.
        last: Timestamp,
    },
    /// The policy decides by none of the metrics that were recorded.
    #[error("`{policy}` decides by none of the recorded metrics: it decides by {metrics}")]
    NothingDecides {
        /// The policy's name.
        policy: String,
        /// Its deciding metrics.
        metrics: String,
    },
    /// The policy cannot do without the metrics that were not recorded.
    #[error("`{policy}` cannot be run on this recording: {fault}")]
    Policy {
        /// The policy's name.
        policy: String,
        /// What is wrong.
        fault: String,
    },
    /// A time that is years off would be played to its end.
    #[error(
        "`{policy}` would look {looks} times between {from} and {until}, at most {most} are played: set `from` and `until`, \
         and correct a time that is off"
    )]
    TooLong {
        /// The policy's name.
        policy: String,
        /// How often it would look.
        looks: u64,
        /// How often it may.
        most: u64,
        /// When the deployment is assumed.
        from: Timestamp,
        /// When watching ends.
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

    /// About the whole.
    pub(crate) const fn anywhere(self) -> RecordedError {
        RecordedError { place: Place::Whole, fault: self }
    }
}

impl RecordedError {
    /// The stable code; codes are never reused.
    pub const fn code(&self) -> &'static str {
        match self.fault {
            RecordedFault::Mapping { .. } => "HF-REC-001",
            RecordedFault::Arm { .. } => "HF-REC-002",
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
