//! Steps of a source-control plan.

use serde::Serialize;

use super::Command;
use crate::grade::closed_set;

closed_set! {
    /// What a step does.
    VcsStepKind {
        /// Makes the branch of the fix, or takes it up.
        Branch = "branch",
        /// Brings the trunk up to date.
        TakeUp = "take_up",
        /// Commits the fix.
        Commit = "commit",
        /// Raises the version by a commit of its own.
        VersionCommit = "version_commit",
        /// Pushes.
        Push = "push",
        /// Opens the pull request.
        PullRequest = "pull_request",
        /// Merges the fix.
        Merge = "merge",
        /// Tags the version.
        Tag = "tag",
        /// Deploys it.
        Deploy = "deploy",
        /// Merges the fix into another branch.
        MergeBack = "merge_back",
        /// Deletes the branch.
        DeleteBranch = "delete_branch",
        /// Turns a feature flag off.
        FlagOff = "flag_off",
        /// Turns it on again.
        FlagOn = "flag_on",
        /// Looks whether the harm is gone.
        Verify = "verify",
        /// Plans the lasting fix.
        ProperFix = "proper_fix",
        /// Gets what others have pushed, records included.
        Fetch = "fetch",
        /// Puts the previous version into production.
        DeployPrevious = "deploy_previous",
        /// Takes the fix out of a branch.
        Revert = "revert",
        /// Brings a fix back that was taken out.
        RevertRevert = "revert_revert",
        /// Corrects the fix, and goes through the plan again.
        GoOn = "go_on",
    }
    /// A program that can stand in for a step's commands.
    Tool {
        /// The command line of one host of repositories.
        Gh = "gh",
    }
}

/// A step: first the condition, then what people do, then the commands, in order. Nothing is run here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it does.
    pub kind: VcsStepKind,
    /// In a few words.
    pub title: String,
    /// Why, or what to mind; empty where the title says it all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The branch, tag or version that it is about, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// When it is taken; always, where that is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// What people do, or a tool that is not git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<String>,
    /// The commands, for any host of repositories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// The same by another tool, where people have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<Instead>,
}

/// A step is taken where this command's exit status is zero, or where it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What tells.
    pub command: Command,
    /// Whether its exit status must be zero.
    pub succeeds: bool,
}

/// Commands that do a step's work by another tool than git alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instead {
    /// Which.
    pub tool: Tool,
    /// In place of the step's own commands.
    pub commands: Vec<Command>,
}

impl Step {
    pub(super) fn new(kind: VcsStepKind, title: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            why: String::new(),
            of: None,
            condition: None,
            people: None,
            commands: Vec::new(),
            instead: None,
        }
    }

    pub(super) fn why(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    pub(super) fn of(self, of: impl Into<String>) -> Self {
        Self { of: Some(of.into()), ..self }
    }

    pub(super) fn people(self, people: impl Into<String>) -> Self {
        Self { people: Some(people.into()), ..self }
    }

    pub(super) fn run(self, commands: Vec<Command>) -> Self {
        Self { commands, ..self }
    }

    pub(super) fn only_if(self, command: Command, succeeds: bool) -> Self {
        Self { condition: Some(Condition { command, succeeds }), ..self }
    }
}
