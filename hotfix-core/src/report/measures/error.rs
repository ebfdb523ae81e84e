//! Errors of computing measures from logs.

use crate::code::{code, coded};
use crate::fact::FactErrors;
use crate::rollout::LogError;

coded! {
    /// Error of computing measures, a trend or similar incidents from logs.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum MeasureError;

    /// One of the logs cannot be read.
    #[error("log {}: {error}", .index + 1)]
    Log {
        /// Index of the log, from 0.
        index: usize,
        error: LogError,
    } => error.fault.code(),
    #[error(
        "logs {} and {} are of the same incident: give each incident once, the longer log of the two",
        .first + 1,
        .second + 1
    )]
    Twice {
        /// Index of the first log, from 0.
        first: usize,
        second: usize,
    } => code! {HF-REP-020},
    #[error(
        "the text does not begin with the opening line of a log: concatenate whole logs, each with its opening line"
    )]
    NoOpening => code! {HF-REP-021},
    #[error("the incident is neither a log nor a JSON object of facts: {fault}")]
    Subject {
        /// Error of the JSON parser.
        fault: String,
    } => code! {HF-REP-022},
    /// Facts that the policy does not declare, or of another type.
    #[error("{0}")]
    Facts(error: #[from] FactErrors) => code! {HF-REP-023},
}
