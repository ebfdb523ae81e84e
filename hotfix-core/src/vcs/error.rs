//! A source-control plan that cannot be made.

use crate::grade::{Flow, VcsStep};
use crate::unit::RefFault;

/// Why there is no source-control plan, name or version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VcsError {
    /// The policy has no `vcs`.
    #[error("the policy says nothing of source control: add a table `vcs`")]
    NotSaid,
    /// A flow that the policy does not allow.
    #[error(
        "the policy does not allow the flow `{flow}`: take one of {allowed}, or add it to `vcs.also`"
    )]
    Flow {
        /// What was asked for.
        flow: Flow,
        /// What is allowed.
        allowed: String,
    },
    /// A way that the policy does not have.
    #[error("the policy has no way `{way}`: {}", known_ways(known))]
    Way {
        /// What was asked for.
        way: String,
        /// What is there, in backticks.
        known: String,
    },
    /// A text that is no name of a branch or a tag.
    #[error("`{got}` is no name of a {what}: {fault}; write one that `git check-ref-format` takes")]
    Name {
        /// Where it stands, as a JSON Pointer into a plan's parts.
        field: &'static str,
        /// A branch, a tag, …
        what: &'static str,
        /// What came.
        got: String,
        /// What is wrong.
        fault: RefFault,
    },
    /// Nothing that a branch could be named after.
    #[error(
        "`{got}` has no letter or digit that a branch could be named after: describe the fix in a few words"
    )]
    NoName {
        /// What came.
        got: String,
    },
    /// Two things of one name.
    #[error("`{name}` is both {one} and {other}: git could not tell them apart, so rename one")]
    SameName {
        /// The name.
        name: String,
        /// One of them.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// What is no version.
    #[error("`{got}` is no semantic version: write one as in 1.2.3, without `v`")]
    Version {
        /// What came.
        got: String,
    },
    /// A version whose next one is not clear.
    #[error("what follows `{got}` is the house's choice: {why}; name the version yourself")]
    NoNext {
        /// The version.
        got: String,
        /// Why.
        why: &'static str,
    },
    /// What is no hash of a commit.
    #[error("`{got}` is no hash of a commit: write 7 to 64 hexadecimal digits")]
    Commit {
        /// What came.
        got: String,
    },
    /// Steps in an order in which they cannot be taken.
    #[error(transparent)]
    Order(#[from] OrderFault),
    /// A text that no command line can hold safely.
    #[error("a command would have {fault}: shorten or correct the text")]
    Text {
        /// What it would have.
        fault: &'static str,
    },
}

/// Why steps cannot be taken in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderFault {
    /// A step that everything needs is not there.
    #[error("the order of steps has no `{step}`: add it")]
    Missing {
        /// The step.
        step: VcsStep,
    },
    /// A step stands before one that it needs.
    #[error("the step `{step}` needs `{needs}` before it: change the order")]
    Before {
        /// The step.
        step: VcsStep,
        /// What it needs.
        needs: VcsStep,
    },
    /// A branch that is never merged is deleted.
    #[error("`delete_branch` needs `merge` or `merge_back` before it: the fix would be lost")]
    Lost,
    /// Nothing to merge into.
    #[error("`{step}` has no branch to go to: name it in `merge_back`")]
    Nowhere {
        /// The step.
        step: VcsStep,
    },
}

fn known_ways(known: &str) -> String {
    if known.is_empty() {
        "it has none, so leave `way` out, or add it to `vcs.ways`".to_owned()
    } else {
        format!("take one of {known}, or add it to `vcs.ways`")
    }
}

impl VcsError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSaid => "HF-VCS-001",
            Self::Flow { .. } => "HF-VCS-002",
            Self::Way { .. } => "HF-VCS-003",
            Self::Name { .. } => "HF-VCS-004",
            Self::NoName { .. } => "HF-VCS-005",
            Self::SameName { .. } => "HF-VCS-006",
            Self::Version { .. } => "HF-VCS-007",
            Self::NoNext { .. } => "HF-VCS-008",
            Self::Commit { .. } => "HF-VCS-009",
            Self::Order(_) => "HF-VCS-010",
            Self::Text { .. } => "HF-VCS-011",
        }
    }

    /// Where it is wrong: a JSON Pointer into `{"incident", "release", "policy"}`; empty where it is no single field.
    pub const fn path(&self) -> &'static str {
        match self {
            Self::NotSaid | Self::Order(_) => "/policy/vcs",
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
