//! Source control: branches, versions, tags, commit messages. Nothing of it is run (VCS-1 to VCS-6).

mod message;

pub use message::{
    CommitError, CommitFault, CommitFaultKind, CommitLater, CommitMessage, CommitNote, CommitParts,
    CommitTrailer, ParsedCommit,
};
