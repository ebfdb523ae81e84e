//! What is doubtful in a source-control plan.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::CommitError;
use crate::grade::CommitField;
use crate::text::quoted;

/// Something that a plan should be read with. Nothing of it keeps the plan from being followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VcsFinding {
    /// By semantic versioning a hot-fix identifier is a pre-release (VCS-3, C26).
    #[error(
        "`{version}` ranks below `{release}` by semantic versioning: what looks for the newest version keeps the old one"
    )]
    RanksBelow {
        /// The version.
        version: String,
        /// What it ranks below.
        release: String,
    },
    /// The release does not rank above the version before it.
    #[error("`{version}` does not rank above `{previous}`, the version before it")]
    NotAbove {
        /// The version.
        version: String,
        /// The one before.
        previous: String,
    },
    /// Versions that cannot be compared.
    #[error("`{version}` or `{previous}` is no semantic version: nothing says which is newer")]
    NoSemver {
        /// The version.
        version: String,
        /// The one before.
        previous: String,
    },
    /// The policy numbers otherwise.
    #[error(
        "`{version}` is not the version that the policy gives next, {}",
        quoted(expected, " or ")
    )]
    OtherVersion {
        /// The version.
        version: String,
        /// What the policy gives.
        expected: Vec<String>,
    },
    /// The fix goes live and a branch that must have it does not get it (VCS-6).
    #[error("no step brings the fix to `{branch}`: the next release from there is without it")]
    NotHome {
        /// The branch.
        branch: String,
    },
    /// The description gave no name.
    #[error(
        "the description has no letter or digit to name a branch after: it is named after {after}"
    )]
    NamedAfter {
        /// After what.
        after: &'static str,
    },
    /// The policy's form asks for facts that nobody has given (VCS-5).
    #[error("the commit message lacks {}, which the policy asks for", quoted(missing, ", "))]
    MessageLacks {
        /// The facts.
        missing: Vec<CommitField>,
    },
    /// What the plan knows makes no message in the policy's form.
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
            Self::RanksBelow { .. } => "HF-VCS-012",
            Self::NotAbove { .. } => "HF-VCS-013",
            Self::NoSemver { .. } => "HF-VCS-014",
            Self::OtherVersion { .. } => "HF-VCS-015",
            Self::NotHome { .. } => "HF-VCS-016",
            Self::NamedAfter { .. } => "HF-VCS-017",
            Self::MessageLacks { .. } => "HF-VCS-018",
            Self::MessageWithoutForm { .. } => "HF-VCS-019",
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::RanksBelow { .. } => {
                "take the next patch version, or see to it that nothing picks the newest by itself"
            }
            Self::NotAbove { .. } => "take a higher version",
            Self::NoSemver { .. } => {
                "number releases as in 1.2.3, or see to it that nothing picks the newest by itself"
            }
            Self::OtherVersion { .. } => "take that one, or allow the other way of numbering",
            Self::NotHome { .. } => "follow the way home once the fix holds",
            Self::NamedAfter { .. } => {
                "describe the fix in a few words of Latin letters, or name the branch"
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
