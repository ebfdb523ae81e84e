//! Commit messages in the forms that policies have: composed, and read back (VCS-5).
//!
//! The facts of a message are its last paragraph, as trailers that `git interpret-trailers` reads: `Root-Cause: …`. A value
//! of several lines is folded: each further line starts with a space. Git would end the paragraph at a blank line and
//! strips what is blank at a line's end, so a blank line is written as a dot, and a line of dots with one more, as Debian's
//! control files do it (deb-control(5)).

mod compose;
mod fold;
mod parse;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::grade::CommitField;
use crate::text::quoted;

pub use parse::{CommitFault, CommitFaultKind, CommitTrailer, ParsedCommit};

/// The longest subject, in characters: what `git log` shows on one line, and what its own manual shows.
const MOST_SUBJECT: usize = 72;

/// What stands where a subject was cut, and before the rest of it.
const CUT: char = '…';

/// What a commit message is made of. What is absent or empty is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitParts {
    /// What the fix does, in one line. Line breaks become spaces.
    #[serde(default)]
    pub summary: String,
    /// What part of the software it is about, for forms that are conventional commits; others leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The new version, for forms that raise it by a commit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The facts. In a document `null` is unknown, as is what is absent.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<CommitField, String>,
}

fn known<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<CommitField, String>, D::Error> {
    let all = BTreeMap::<CommitField, Option<String>>::deserialize(deserializer)?;
    Ok(all.into_iter().filter_map(|(field, value)| Some((field, value?))).collect())
}

impl CommitParts {
    /// How long all texts together may be, in bytes.
    pub const MOST_BYTES: usize = 1 << 20;

    /// Reads `{"summary", "scope", "version", "fields": {"issue": "…", …}}`; all of it may be absent.
    ///
    /// # Errors
    /// `HF-VCS-025` for text that is not JSON of this shape.
    pub fn from_json(text: &str) -> Result<Self, CommitError> {
        // A list would be read as members in order.
        if !text.trim_start().starts_with('{') {
            return Err(CommitError::Syntax { fault: "it is no JSON object".to_owned() });
        }
        serde_json::from_str(text).map_err(|error| CommitError::Syntax { fault: error.to_string() })
    }
}

/// A commit message, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitMessage {
    /// The whole message for `git commit -F -`; ends with a line break.
    pub text: String,
    /// Its first line.
    pub subject: String,
    /// The facts that the policy's form asks for and that were not given. Nothing stands in the message for them.
    pub missing: Vec<CommitField>,
    /// What does not go into the commit, as it is known only later: who deployed it, and how it was tested and who approved
    /// it while that is not known.
    pub later: Vec<CommitLater>,
    /// The note with those of them that are known. Absent where none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<CommitNote>,
    /// The message of the commit that raises the version. Absent where the form has none, or no version was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_commit: Option<String>,
    /// Whether the form has such a commit, and no version was given.
    pub version_missing: bool,
}

/// A fact that is written to the commit later, as a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitLater {
    /// Which.
    pub field: CommitField,
    /// What the note calls it.
    pub label: String,
    /// What was given. Absent: not known yet; give it to [`CommitForm::note`](crate::policy::section::CommitForm::note)
    /// when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A note to a commit: `git notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitNote {
    /// Its text: trailers, as in the message.
    pub text: String,
    /// The command that writes it to the commit that is checked out, quoted for a POSIX shell. It appends, so that what is
    /// known at different times comes together.
    pub command: String,
}

/// Parts that make no commit message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Nothing for the subject.
    #[error("there is no summary: say in one line what the fix does")]
    NoSummary,
    /// More than anybody reads.
    #[error("the parts have {bytes} bytes: shorten them to {most}, or less")]
    TooLong {
        /// Their length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A scope that a conventional commit cannot have.
    #[error("`{got}` is no scope: write at most 24 letters, digits and {}", quoted(&['-', '_', '.', '/'], ", "))]
    Scope {
        /// What came.
        got: String,
    },
    /// A subject that git takes for a comment or the end of the message.
    #[error(
        "`{got}` begins with `#` or `-`, which git takes for a comment or an end: begin with a word, or give the policy's commits a `subject`"
    )]
    Beginning {
        /// What came.
        got: String,
    },
    /// What is no version.
    #[error("`{got}` is no version: write at most 40 letters, digits and {}", quoted(&['.', '-', '+', '_'], ", "))]
    Version {
        /// What came.
        got: String,
    },
    /// Text that is not JSON of the parts' shape.
    #[error("the parts of the commit message cannot be read: {fault}")]
    Syntax {
        /// What is wrong.
        fault: String,
    },
}

impl CommitError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSummary => "HF-VCS-020",
            Self::TooLong { .. } => "HF-VCS-021",
            Self::Scope { .. } => "HF-VCS-022",
            Self::Beginning { .. } => "HF-VCS-023",
            Self::Version { .. } => "HF-VCS-024",
            Self::Syntax { .. } => "HF-VCS-025",
        }
    }

    /// Where: a JSON Pointer into the parts; empty for the whole.
    pub const fn path(&self) -> &'static str {
        match self {
            Self::NoSummary | Self::Beginning { .. } => "/summary",
            Self::Scope { .. } => "/scope",
            Self::Version { .. } => "/version",
            Self::TooLong { .. } | Self::Syntax { .. } => "",
        }
    }
}

/// Whether a fact may be known only after the commit.
const fn may_come_later(field: CommitField) -> bool {
    matches!(field, CommitField::Tested | CommitField::ApprovedBy | CommitField::DeployedBy)
}
