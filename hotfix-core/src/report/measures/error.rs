//! Why logs give no measures.

use crate::fact::FactErrors;
use crate::rollout::LogError;

/// Logs, or what is compared with them, that cannot be read together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// One of the logs is broken.
    #[error("log {}: {error}", .index + 1)]
    Log {
        /// Its place, from 0.
        index: usize,
        /// What is wrong with it.
        error: LogError,
    },
    /// The same incident would count twice.
    #[error(
        "logs {} and {} begin with the same line: give each incident once, the longer log of the two",
        .first + 1,
        .second + 1
    )]
    Twice {
        /// The place of the first, from 0.
        first: usize,
        /// The place of the other.
        second: usize,
    },
    /// No logs are told apart in a text.
    #[error(
        "the text does not begin with the opening line of a log: put whole logs one after another"
    )]
    NoOpening,
    /// What an incident is like is no object of facts.
    #[error("the incident is neither a log nor a JSON object of facts: {fault}")]
    Subject {
        /// What is wrong.
        fault: String,
    },
    /// Facts that the policy does not know, or of another type.
    #[error("{0}")]
    Facts(FactErrors),
}

impl MeasureError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Log { error, .. } => error.fault.code(),
            Self::Twice { .. } => "HF-REP-020",
            Self::NoOpening => "HF-REP-021",
            Self::Subject { .. } => "HF-REP-022",
            Self::Facts(_) => "HF-REP-023",
        }
    }

    /// What a single log gives.
    pub(crate) const fn of_log(index: usize, error: LogError) -> Self {
        Self::Log { index, error }
    }
}
