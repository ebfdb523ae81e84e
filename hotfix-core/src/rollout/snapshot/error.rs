//! Why a snapshot is not made or not taken up.

use std::fmt::Display;

use crate::plan::PlanError;
use crate::stats::StatError;

use super::SNAPSHOT_FORMAT;
use crate::rollout::log::LogError;

/// A snapshot that cannot be made or taken up. The log is the truth: it can be replayed in any case.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It begins otherwise.
    #[error("the bytes are no snapshot: replay the log")]
    Foreign,
    /// Another release wrote it.
    #[error(
        "the snapshot has format {found}, and this release reads format {SNAPSHOT_FORMAT}: replay the log"
    )]
    Format {
        /// The number it has.
        found: u32,
    },
    /// Bytes are missing or too many.
    #[error("the snapshot is not as long as it says: replay the log")]
    Length,
    /// Its digest is another.
    #[error("the snapshot was changed since it was made: replay the log")]
    Changed,
    /// Its content is no state.
    #[error("the snapshot's content cannot be read: {fault}: replay the log")]
    Content {
        /// What is wrong.
        fault: String,
    },
    /// Its state is none of its plan.
    #[error("the snapshot does not fit its own plan in {what}: replay the log")]
    Misfit {
        /// Which part.
        what: &'static str,
    },
    /// No log is made.
    #[error("a rollout without a log has no snapshot: choose a recording that makes lines")]
    NoLog,
    /// A value that no snapshot can hold.
    #[error("the rollout cannot be written as a snapshot: {fault}: keep the log")]
    Unwritten {
        /// What is wrong.
        fault: String,
    },
    /// The plan it holds cannot be made.
    #[error("the snapshot's plan cannot be made: {0}: replay the log")]
    Plan(#[from] PlanError),
    /// The policy's figures are no test's.
    #[error("the snapshot's policy has no test: {0}: replay the log")]
    Test(#[from] StatError),
    /// The tail cannot be taken up.
    #[error("in the log after the snapshot, {0}")]
    Tail(#[from] LogError),
}

impl SnapshotError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Foreign => "HF-SNAP-001",
            Self::Format { .. } => "HF-SNAP-002",
            Self::Length => "HF-SNAP-003",
            Self::Changed => "HF-SNAP-004",
            Self::Content { .. } => "HF-SNAP-005",
            Self::Misfit { .. } => "HF-SNAP-006",
            Self::NoLog => "HF-SNAP-007",
            Self::Unwritten { .. } => "HF-SNAP-008",
            Self::Plan(error) => error.code(),
            Self::Test(error) => error.code(),
            Self::Tail(error) => error.code(),
        }
    }
}

pub(super) fn unreadable(fault: impl Display) -> SnapshotError {
    SnapshotError::Content { fault: crate::text::shown(&fault.to_string()) }
}

pub(super) fn unwritten(fault: impl Display) -> SnapshotError {
    SnapshotError::Unwritten { fault: fault.to_string() }
}
