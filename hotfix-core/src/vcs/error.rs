//! A source-control plan that cannot be made.

use crate::code::code;
use crate::grade::{Flow, VcsStep};
use crate::unit::RefFault;

/// Why there is no source-control plan, name or version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VcsError {
    /// The policy has no `vcs`.
    #[error("the policy has no source control: add a table `vcs`")]
    NotSaid,
    /// The plan has no release yet, so there is nothing to name.
    #[error("there is no release yet: give it with the input `release`")]
    NoRelease,
    /// A flow that the policy does not allow.
    #[error(
        "the policy does not allow the flow `{flow}`: use one of {allowed}, or add it to `vcs.also`"
    )]
    Flow {
        /// The requested one.
        flow: Flow,
        /// The allowed flows.
        allowed: String,
    },
    /// An alternative that the policy does not have.
    #[error("the policy has no alternative `{way}` in `vcs.ways`: {}", known_ways(known))]
    Way {
        /// The requested one.
        way: String,
        /// The known ones, in backticks.
        known: String,
    },
    /// A text that is not a valid name of a branch or a tag.
    #[error(
        "`{got}` is not a valid name of a {what}: {fault}; use one that `git check-ref-format` accepts"
    )]
    Name {
        /// Its place, as a JSON Pointer into a plan's parts.
        field: &'static str,
        /// A branch, a tag, …
        what: &'static str,
        /// What came.
        got: String,
        /// What is wrong.
        fault: RefFault,
    },
    /// A text without any letter or digit for a branch name.
    #[error("`{got}` has no letter or digit for a branch name: describe the fix in a few words")]
    NoName {
        /// What came.
        got: String,
    },
    /// One name for two references.
    #[error("`{name}` is {one} and also {other}: git cannot keep both, so rename one")]
    SameName {
        /// The name.
        name: String,
        /// One of them.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A text that is not a semantic version.
    #[error("`{got}` is not a valid semantic version: write it as in 1.2.3, without `v`")]
    Version {
        /// What came.
        got: String,
    },
    /// A version without a clear next version.
    #[error("`{got}` has no clear next version ({why}): choose the version yourself")]
    NoNext {
        /// The version.
        got: String,
        /// Why.
        why: &'static str,
    },
    /// A text that is not a commit hash.
    #[error("`{got}` is not a valid commit hash: write 7 to 64 hexadecimal digits")]
    Commit {
        /// What came.
        got: String,
    },
    /// Steps in an order that is not possible.
    #[error(transparent)]
    Order(#[from] OrderFault),
    /// A text that a command line cannot contain safely.
    #[error("a command would have {fault}: shorten or correct the text")]
    Text {
        /// What the command would contain.
        fault: &'static str,
    },
}

/// Why an order of steps is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderFault {
    /// A step that is always needed is missing.
    #[error("the order of steps has no `{step}`: add it")]
    Missing {
        /// The step.
        step: VcsStep,
    },
    /// A step is before one that it needs.
    #[error("the step `{step}` needs `{needs}` before it: change the order")]
    Before {
        /// The step.
        step: VcsStep,
        /// What it needs.
        needs: VcsStep,
    },
    /// A branch is deleted without being merged.
    #[error("`delete_branch` needs `merge` or `merge_back` before it: the fix would be lost")]
    Lost,
    /// A merge has no target.
    #[error("`{step}` has no target branch: name it in `merge_back`")]
    Nowhere {
        /// The step.
        step: VcsStep,
    },
}

fn known_ways(known: &str) -> String {
    if known.is_empty() {
        "it has none, so omit `way`, or add it to `vcs.ways`".to_owned()
    } else {
        format!("use one of {known}, or add it to `vcs.ways`")
    }
}

impl VcsError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSaid => code! {HF-VCS-001},
            Self::Flow { .. } => code! {HF-VCS-002},
            Self::Way { .. } => code! {HF-VCS-003},
            Self::Name { .. } => code! {HF-VCS-004},
            Self::NoName { .. } => code! {HF-VCS-005},
            Self::SameName { .. } => code! {HF-VCS-006},
            Self::Version { .. } => code! {HF-VCS-007},
            Self::NoNext { .. } => code! {HF-VCS-008},
            Self::Commit { .. } => code! {HF-VCS-009},
            Self::Order(_) => code! {HF-VCS-010},
            Self::Text { .. } => code! {HF-VCS-011},
            Self::NoRelease => code! {HF-VCS-033},
        }
    }

    /// The place of the error: a JSON Pointer into `{"incident", "release", "policy"}`. Empty if it
    /// is not a single field.
    pub const fn path(&self) -> &'static str {
        match self {
            Self::NotSaid | Self::Order(_) => "/policy/vcs",
            Self::NoRelease => "/release",
            Self::Flow { .. } => "/release/flow",
            Self::Way { .. } => "/release/way",
            Self::Name { field, .. } => field,
            Self::NoName { .. } => "/release/description",
            Self::SameName { .. } => "/release/branch",
            Self::Version { .. } | Self::NoNext { .. } => "/release/version",
            Self::Commit { .. } => "/release/commit",
            Self::Text { .. } => "",
        }
    }
}
