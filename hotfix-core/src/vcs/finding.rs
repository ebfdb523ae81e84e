//! Findings of a source-control plan.

use super::CommitError;
use crate::code::{code, coded};
use crate::getters::members;
use crate::grade::CommitField;
use crate::text::quoted;

coded! {
    /// A finding of a source-control plan. It does not prevent the plan from being followed.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum VcsFinding;

    /// The remedy.
    pub const fn remedy;

    #[error(
        "`{version}` ranks below `{release}` by semantic versioning: tools that select the newest version keep the old one"
    )]
    RanksBelow { version: String, release: String } => code! {HF-VCS-012},
        "use the next patch version, or make sure that no tool selects the newest version automatically";

    #[error("`{version}` does not rank above the previous version `{previous}`")]
    NotAbove { version: String, previous: String } => code! {HF-VCS-013}, "use a higher version";

    #[error(
        "`{version}` or `{previous}` is not a valid semantic version, so it is unknown which is newer"
    )]
    NoSemver { version: String, previous: String } => code! {HF-VCS-014},
        "number releases as in 1.2.3, or make sure that no tool selects the newest version automatically";

    #[error("`{version}` is not the policy's next version, {}", quoted(expected, " or "))]
    OtherVersion { version: String, expected: Vec<String> } => code! {HF-VCS-015},
        "use that version, or allow the other numbering in the policy";

    #[error("the branch `{branch}` does not begin with `{prefix}`, as the policy's branches do")]
    OtherPrefix { branch: String, prefix: String } => code! {HF-VCS-034},
        "rename the branch, or correct `vcs.prefix`";

    #[error(
        "no step brings the fix to `{branch}`: the next release from that branch would lack it"
    )]
    NotHome { branch: String } => code! {HF-VCS-016},
        "run the commands that the plan lists for this branch";

    #[error(
        "the description has no letter or digit for a branch name: the branch is named after {after}"
    )]
    NamedAfter { after: &'static str } => code! {HF-VCS-017},
        "describe the fix in a few words in Latin letters, or name the branch";

    #[error("the commit message lacks {}, which the policy requires", quoted(missing, ", "))]
    MessageLacks { missing: Vec<CommitField> } => code! {HF-VCS-018},
        "add a line for each to the last paragraph of the message before you commit";

    #[error("the commit message is not in the policy's form: {fault}")]
    MessageWithoutForm { fault: CommitError } => code! {HF-VCS-019},
        "write the message by hand, in the policy's form";
}

members! {
    VcsFinding: self;
    code = self.code(), message = self.to_string(), remedy = self.remedy(),
}
