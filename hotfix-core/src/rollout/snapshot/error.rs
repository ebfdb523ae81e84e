//! Errors of making and restoring a snapshot.

use std::fmt::Display;

use crate::plan::PlanError;
use crate::stats::StatError;

use super::SNAPSHOT_FORMAT;
use crate::rollout::log::LogError;

/// A snapshot that cannot be made or restored. The log can be replayed in any case.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It does not begin like a snapshot.
    #[error("the bytes are not a snapshot: replay the log")]
    Foreign,
    /// Another release wrote it.
    #[error(
        "the snapshot has format {found}, and this release reads format {SNAPSHOT_FORMAT}: replay \
         the log"
    )]
    Format {
        /// The number it has.
        found: u32,
    },
    /// Bytes are missing or too many.
    #[error("the snapshot is not as long as its header says: replay the log")]
    Length,
    /// Its digest does not match.
    #[error("the snapshot was changed since it was made: replay the log")]
    Changed,
    /// Its content is not a valid state.
    #[error("the snapshot's content cannot be read: {fault}: replay the log")]
    Content {
        /// What is wrong.
        fault: String,
    },
    /// Its state does not fit its plan or its log.
    #[error("the snapshot does not fit its plan or its log ({what}): replay the log")]
    Misfit {
        /// Which part.
        what: &'static str,
    },
    /// The rollout writes no log.
    #[error("a rollout without a log has no snapshot: choose `Keep` or `HandOut` as recording")]
    NoLog,
    /// A value that no snapshot can hold.
    #[error("the rollout cannot be written as a snapshot: {fault}: keep the log")]
    Unwritten {
        /// What is wrong.
        fault: String,
    },
    /// Its plan is not valid.
    #[error("the snapshot's plan is not valid: {0}: replay the log")]
    Plan(#[from] PlanError),
    /// A test cannot be built from the policy's figures.
    #[error("a test cannot be built from the snapshot's policy: {0}: replay the log")]
    Test(#[from] StatError),
    /// The tail of the log cannot be read.
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
