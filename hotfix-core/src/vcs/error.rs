//! Why there is no source-control plan, and the findings of one.

use super::CommitError;
use crate::code::{code, coded};
use crate::getters::members;
use crate::grade::{CommitField, Flow, VcsStep};
use crate::text::quoted;
use crate::unit::RefFault;

coded! {
    /// Why there is no source-control plan, name or version.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum VcsError;

    /// The place of the error: a JSON Pointer into `{"incident", "release", "policy"}`. Empty if it
    /// is not a single field.
    pub const fn path;

    #[error("the policy has no source control: add a table `vcs`")]
    NotSaid => code! {HF-VCS-001}, "/policy/vcs";

    #[error("there is no release yet: give it with the input `release`")]
    NoRelease => code! {HF-VCS-033}, "/release";

    #[error(
        "the policy does not allow the flow `{flow}`: use one of {allowed}, or add it to `vcs.also`"
    )]
    Flow { flow: Flow, allowed: String } => code! {HF-VCS-002}, "/release/flow";

    #[error("the policy has no alternative `{way}` in `vcs.ways`: {}", known_ways(known))]
    Way { way: String, known: String } => code! {HF-VCS-003}, "/release/way";

    #[error(
        "`{got}` is not a valid name of a {what}: {fault}; use one that `git check-ref-format` accepts"
    )]
    Name {
        /// Its place, as a JSON Pointer into a plan's parts.
        field: &'static str,
        what: &'static str,
        got: String,
        fault: RefFault,
    } => code! {HF-VCS-004}, field;

    #[error("`{got}` has no letter or digit for a branch name: describe the fix in a few words")]
    NoName { got: String } => code! {HF-VCS-005}, "/release/description";

    #[error("`{name}` is {one} and also {other}: git cannot keep both, so rename one")]
    SameName { name: String, one: &'static str, other: &'static str }
        => code! {HF-VCS-006}, "/release/branch";

    #[error("`{got}` is not a valid semantic version: write it as in 1.2.3, without `v`")]
    Version { got: String } => code! {HF-VCS-007}, "/release/version";

    #[error("`{got}` has no clear next version ({why}): choose the version yourself")]
    NoNext { got: String, why: &'static str } => code! {HF-VCS-008}, "/release/version";

    #[error("`{got}` is not a valid commit hash: write 7 to 64 hexadecimal digits")]
    Commit { got: String } => code! {HF-VCS-009}, "/release/commit";

    /// Steps in an order that is not possible.
    #[error(transparent)]
    Order(fault: #[from] OrderFault) => code! {HF-VCS-010}, "/policy/vcs";

    #[error("a command would have {fault}: shorten or correct the text")]
    Text { fault: &'static str } => code! {HF-VCS-011}, "";
}

/// Why an order of steps is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum OrderFault {
    /// A step that is always needed is missing.
    #[error("the order of steps has no `{step}`: add it")]
    Missing { step: VcsStep },
    /// A step is before one that it needs.
    #[error("the step `{step}` needs `{needs}` before it: change the order")]
    Before { step: VcsStep, needs: VcsStep },
    /// A branch is deleted without being merged.
    #[error("`delete_branch` needs `merge` or `merge_back` before it: the fix would be lost")]
    Lost,
    /// A merge has no target.
    #[error("`{step}` has no target branch: name it in `merge_back`")]
    Nowhere { step: VcsStep },
}

fn known_ways(known: &str) -> String {
    if known.is_empty() {
        "it has none, so omit `way`, or add it to `vcs.ways`".to_owned()
    } else {
        format!("use one of {known}, or add it to `vcs.ways`")
    }
}

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
