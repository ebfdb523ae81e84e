//! Commit messages in a policy's form: composed, and parsed.
//!
//! The facts of a message are trailers in its last paragraph, for `git interpret-trailers`:
//! `Root-Cause: …`. A value of several lines is folded: each further line starts with a space. Git
//! would end the paragraph at a blank line and strips blanks at line ends, so a blank line is
//! written as a dot, and a line of dots with one dot more, as in Debian's control files
//! (deb-control(5)).

mod compose;
mod fold;
mod parse;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::code::{code, coded};
use crate::document::{ValueFault, read_json};
use crate::grade::CommitField;
use crate::sorting::map_of;
use crate::text::quoted;

pub use parse::{CommitFault, CommitFaultKind, CommitTrailer, ParsedCommit};

const MOST_SUBJECT: usize = 72;

/// The mark at the end of a cut subject, and before its rest.
const CUT: char = '…';

/// The parts of a commit message. Absent or empty parts are missing.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitParts {
    /// What the fix does, in one line. Line breaks become spaces.
    #[serde(default)]
    pub summary: String,
    /// The part of the software, for conventional commits. Other forms leave it out.
    pub scope: Option<String>,
    /// The new version, for forms that raise it in a separate commit.
    pub version: Option<String>,
    /// The facts. In a document, `null` and absent mean unknown.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<CommitField, String>,
}

fn known<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<CommitField, String>, D::Error> {
    let all = BTreeMap::<CommitField, Option<String>>::deserialize(deserializer)?;
    Ok(map_of(all.into_iter().filter_map(|(field, value)| Some((field, value?)))))
}

impl CommitParts {
    /// Most bytes of all texts together.
    pub const MOST_BYTES: usize = 1 << 20;

    /// Reads `{"summary", "scope", "version", "fields": {"issue": "…", …}}`. All members are
    /// optional.
    ///
    /// # Errors
    /// [`CommitError::Syntax`] for text that is not JSON of this shape.
    pub fn from_json(text: &str) -> Result<Self, CommitError> {
        read_json(text).map_err(|faults| CommitError::Syntax { faults })
    }
}

/// A commit message, and its missing facts.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitMessage {
    /// The whole message for `git commit -F -`; ends with a line break.
    pub text: String,
    /// Its first line.
    pub subject: String,
    /// The facts that the policy's form requires and that were not given. The message has no lines
    /// for them.
    pub missing: Vec<CommitField>,
    /// Facts that are known only after the commit: who deployed it, and testing and approval if
    /// they are not known yet.
    pub later: Vec<CommitLater>,
    /// The note with those that are known. Absent if none is known.
    pub note: Option<CommitNote>,
    /// The message of the commit that raises the version. Absent if the form has none, or if no
    /// version was given.
    pub version_commit: Option<String>,
    /// Whether the form has such a commit but no version was given.
    pub version_missing: bool,
}

/// A fact that is added to the commit later, as a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitLater {
    /// The fact.
    pub field: CommitField,
    /// Its name in the note.
    pub label: String,
    /// Its value. Absent while unknown: give it to
    /// [`CommitForm::note`](crate::policy::section::CommitForm::note) later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A note for a commit: `git notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommitNote {
    /// Its text: trailers, as in the message.
    pub text: String,
    /// The commands that add it to the commit and push it to `origin`, quoted for a POSIX shell. They
    /// append, so that facts can be added at different times. The commit is the one that is checked
    /// out; of a plan with source control the fix, as its steps record it.
    pub command: String,
}

impl CommitNote {
    /// The note for this commit.
    pub(crate) fn of(text: String, commit: &str) -> Option<Self> {
        // A NUL could not be quoted, but control characters have become spaces.
        let add = shlex::try_join(["git", "notes", "append", "-m", &text, commit]).ok()?;
        Some(Self { text, command: format!("{add} && git push origin refs/notes/commits") })
    }
}

coded! {
    /// Invalid parts of a commit message.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum CommitError;

    /// The place of the error: a JSON Pointer into the parts. Empty for the whole.
    pub const fn path;

    #[error("the summary is missing: describe in one line what the fix does")]
    NoSummary => code! {HF-VCS-020}, "/summary";

    #[error("the parts have {bytes} bytes: shorten them to at most {most}")]
    TooLong { bytes: usize, most: usize } => code! {HF-VCS-021}, "";

    #[error("`{got}` is not a valid scope: write at most 24 letters, digits and {}", quoted(&['-', '_', '.', '/'], ", "))]
    Scope { got: String } => code! {HF-VCS-022}, "/scope";

    #[error(
        "`{got}` begins with `#` or `-`, which git may read as a comment or a separator: begin with a word, or give the policy's commits a `subject`"
    )]
    Beginning { got: String } => code! {HF-VCS-023}, "/summary";

    #[error("`{got}` is not a valid version: write at most 40 letters, digits and {}", quoted(&['.', '-', '+', '_'], ", "))]
    Version { got: String } => code! {HF-VCS-024}, "/version";

    #[error("the parts of the commit message cannot be read: {}", ValueFault::list(faults))]
    Syntax { faults: Vec<ValueFault> } => code! {HF-VCS-025}, match faults.as_slice() {
        [first, ..] => first.path.as_str(),
        [] => "",
    };
}

const fn may_come_later(field: CommitField) -> bool {
    matches!(field, CommitField::Tested | CommitField::ApprovedBy | CommitField::DeployedBy)
}
