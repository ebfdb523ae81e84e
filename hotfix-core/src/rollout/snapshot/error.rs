//! Errors of making and restoring a snapshot.

use std::fmt::Display;

use crate::code::coded;
use crate::plan::PlanError;
use crate::stats::StatError;

use super::SNAPSHOT_FORMAT;
use crate::rollout::log::{LogError, LogFault};

coded! {
    /// A snapshot that cannot be made or restored. The log can be replayed in any case.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum SnapshotError;

    /// It does not begin like a snapshot.
    #[error("the bytes are not a snapshot: replay the log")]
    Foreign => "HF-SNAP-001",
    /// Another release wrote it.
    #[error(
        "the snapshot has format {found}, and this release reads format {SNAPSHOT_FORMAT}: replay \
         the log"
    )]
    Format { found: u32 } => "HF-SNAP-002",
    /// Bytes are missing or too many.
    #[error("the snapshot is not as long as its header says: replay the log")]
    Length => "HF-SNAP-003",
    /// Its digest does not match.
    #[error("the snapshot was changed since it was made: replay the log")]
    Changed => "HF-SNAP-004",
    /// Its content is not a valid state.
    #[error("the snapshot's content cannot be read: {fault}: replay the log")]
    Content { fault: String } => "HF-SNAP-005",
    /// Its state does not fit its plan or its log.
    #[error("the snapshot does not fit its plan or its log ({what}): replay the log")]
    Misfit { what: &'static str } => "HF-SNAP-006",
    /// The rollout writes no log.
    #[error("a rollout without a log has no snapshot: make it with a recording that writes one")]
    NoLog => "HF-SNAP-007",
    /// A value that no snapshot can hold.
    #[error("the rollout cannot be written as a snapshot: {fault}: keep the log")]
    Unwritten { fault: String } => "HF-SNAP-008",
    /// Its plan is not valid.
    #[error("the snapshot's plan is not valid: {0}: replay the log")]
    Plan(error: #[from] PlanError) => error.code(),
    /// A test cannot be built from the policy's figures.
    #[error("a test cannot be built from the snapshot's policy: {0}: replay the log")]
    Test(error: #[from] StatError) => error.code(),
    /// The tail of the log cannot be read.
    #[error("in the log after the snapshot, {}{}", .0, another(.0))]
    Tail(error: #[from] LogError) => error.code(),
}

/// Another possible reason why the first line after a snapshot does not follow; else empty.
fn another(error: &LogError) -> &'static str {
    match (error.line, &error.fault) {
        (1, LogFault::Chain { .. }) => ", or these lines belong to another snapshot",
        _ => "",
    }
}

pub(super) fn unreadable(fault: impl Display) -> SnapshotError {
    SnapshotError::Content { fault: crate::text::shown(&fault.to_string()) }
}

pub(super) fn unwritten(fault: impl Display) -> SnapshotError {
    SnapshotError::Unwritten { fault: fault.to_string() }
}
