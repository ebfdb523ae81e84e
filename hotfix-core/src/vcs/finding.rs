//! Findings of a source-control plan.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::CommitError;
use crate::code::code;
use crate::grade::CommitField;
use crate::text::quoted;

/// A finding of a source-control plan. It does not prevent the plan from being followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VcsFinding {
    /// A version with a hot-fix identifier is a pre-release by semantic versioning.
    #[error(
        "`{version}` ranks below `{release}` by semantic versioning: tools that select the newest version keep the old one"
    )]
    RanksBelow {
        /// The version.
        version: String,
        /// The version that it ranks below.
        release: String,
    },
    /// The release does not rank above the previous version.
    #[error("`{version}` does not rank above the previous version `{previous}`")]
    NotAbove {
        /// The version.
        version: String,
        /// The previous version.
        previous: String,
    },
    /// Versions that cannot be compared.
    #[error(
        "`{version}` or `{previous}` is not a valid semantic version, so it is unknown which is newer"
    )]
    NoSemver {
        /// The version.
        version: String,
        /// The previous version.
        previous: String,
    },
    /// The version does not follow the policy's numbering.
    #[error("`{version}` is not the policy's next version, {}", quoted(expected, " or "))]
    OtherVersion {
        /// The version.
        version: String,
        /// The policy's next versions.
        expected: Vec<String>,
    },
    /// No step merges the fix into a branch that must have it.
    #[error(
        "no step brings the fix to `{branch}`: the next release from that branch would lack it"
    )]
    NotHome {
        /// The branch.
        branch: String,
    },
    /// The description gives no branch name.
    #[error(
        "the description has no letter or digit for a branch name: the branch is named after {after}"
    )]
    NamedAfter {
        /// What the branch is named after.
        after: &'static str,
    },
    /// Facts that the policy's form requires are missing.
    #[error("the commit message lacks {}, which the policy requires", quoted(missing, ", "))]
    MessageLacks {
        /// The facts.
        missing: Vec<CommitField>,
    },
    /// The plan cannot compose a message in the policy's form.
    #[error("the commit message is not in the policy's form: {fault}")]
    MessageWithoutForm {
        /// Why.
        fault: CommitError,
    },
}

impl VcsFinding {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RanksBelow { .. } => code! {HF-VCS-012},
            Self::NotAbove { .. } => code! {HF-VCS-013},
            Self::NoSemver { .. } => code! {HF-VCS-014},
            Self::OtherVersion { .. } => code! {HF-VCS-015},
            Self::NotHome { .. } => code! {HF-VCS-016},
            Self::NamedAfter { .. } => code! {HF-VCS-017},
            Self::MessageLacks { .. } => code! {HF-VCS-018},
            Self::MessageWithoutForm { .. } => code! {HF-VCS-019},
        }
    }

    /// The remedy.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::RanksBelow { .. } => {
                "use the next patch version, or make sure that no tool selects the newest version automatically"
            }
            Self::NotAbove { .. } => "use a higher version",
            Self::NoSemver { .. } => {
                "number releases as in 1.2.3, or make sure that no tool selects the newest version automatically"
            }
            Self::OtherVersion { .. } => {
                "use that version, or allow the other numbering in the policy"
            }
            Self::NotHome { .. } => "run the commands that the plan lists for this branch",
            Self::NamedAfter { .. } => {
                "describe the fix in a few words in Latin letters, or name the branch"
            }
            Self::MessageLacks { .. } => {
                "add a line for each to the last paragraph of the message before you commit"
            }
            Self::MessageWithoutForm { .. } => "write the message by hand, in the policy's form",
        }
    }
}

impl Serialize for VcsFinding {
    /// `{"code", "message", "remedy"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut finding = serializer.serialize_struct("VcsFinding", 3)?;
        finding.serialize_field("code", self.code())?;
        finding.serialize_field("message", &self.to_string())?;
        finding.serialize_field("remedy", self.remedy())?;
        finding.end()
    }
}
