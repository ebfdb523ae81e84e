//! Errors of computing measures from logs.

use crate::fact::FactErrors;
use crate::rollout::LogError;

/// Error of computing measures, a trend or similar incidents from logs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// One of the logs cannot be read.
    #[error("log {}: {error}", .index + 1)]
    Log {
        /// Index of the log, from 0.
        index: usize,
        /// Error in the log.
        error: LogError,
    },
    /// Two logs belong to the same incident.
    #[error(
        "logs {} and {} begin with the same line: give each incident once, the longer log of the two",
        .first + 1,
        .second + 1
    )]
    Twice {
        /// Index of the first log, from 0.
        first: usize,
        /// Index of the second log.
        second: usize,
    },
    /// A text with several logs does not begin with an opening line.
    #[error(
        "the text does not begin with the opening line of a log: concatenate whole logs, each with its opening line"
    )]
    NoOpening,
    /// The incident is neither a log nor an object of facts.
    #[error("the incident is neither a log nor a JSON object of facts: {fault}")]
    Subject {
        /// Error of the JSON parser.
        fault: String,
    },
    /// Facts that the policy does not declare, or of another type.
    #[error("{0}")]
    Facts(FactErrors),
}

impl MeasureError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Log { error, .. } => error.fault.code(),
            Self::Twice { .. } => "HF-REP-020",
            Self::NoOpening => "HF-REP-021",
            Self::Subject { .. } => "HF-REP-022",
            Self::Facts(_) => "HF-REP-023",
        }
    }

    /// The error of one log.
    pub(crate) const fn of_log(index: usize, error: LogError) -> Self {
        Self::Log { index, error }
    }
}
