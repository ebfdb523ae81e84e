//! Steps of a source-control plan, and command lines: their arguments, and their quoted form.

use serde::Serialize;

use super::VcsError;
use crate::grade::closed_set;
use crate::unit::is_invisible;

closed_set! {
    /// The kind of a step.
    VcsStepKind {
        /// Creates the branch of the fix, or switches to it.
        Branch = "branch",
        /// Updates the trunk.
        TakeUp = "take_up",
        Commit = "commit",
        /// Raises the version in a separate commit.
        VersionCommit = "version_commit",
        Push = "push",
        PullRequest = "pull_request",
        Merge = "merge",
        Tag = "tag",
        Deploy = "deploy",
        MergeBack = "merge_back",
        DeleteBranch = "delete_branch",
        /// Fetches branches, tags and the recorded references.
        Fetch = "fetch",
        DeployPrevious = "deploy_previous",
        Revert = "revert",
        /// Restores a reverted fix.
        RevertRevert = "revert_revert",
        /// Corrects the fix and follows a new plan.
        GoOn = "go_on",
    }
    /// A program that can replace a step's commands.
    Tool {
        /// GitHub's command-line tool.
        Gh = "gh",
    }
}

/// A step: first the condition, then the work of people, then the commands, in order. This library
/// runs none of them.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its kind.
    pub kind: VcsStepKind,
    /// Its title.
    pub title: String,
    /// The reason, or a note. Empty if the title is enough.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The branch, tag or version concerned, if there is one.
    pub of: Option<String>,
    /// The condition of the step. Absent: always.
    pub condition: Option<Condition>,
    /// The work of people, or of a tool other than git.
    pub people: Option<String>,
    /// The git commands, for any repository server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// Commands of another tool that replace them, if it is available.
    pub instead: Option<Instead>,
}

/// The condition of a step: whether this command's exit status is zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The command.
    pub command: Command,
    /// Whether its exit status must be zero for the step.
    pub succeeds: bool,
}

/// Commands of another tool that do a step's work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instead {
    /// The tool.
    pub tool: Tool,
    /// The commands that replace the step's own.
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

    /// Adds these commands at the end.
    pub(super) fn run(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        self.commands.extend(commands);
        self
    }

    pub(super) fn or_with_gh(self, commands: impl IntoIterator<Item = Command>) -> Self {
        let commands = commands.into_iter().collect();
        Self { instead: Some(Instead { tool: Tool::Gh, commands }), ..self }
    }

    pub(super) fn only_if(self, command: Command, succeeds: bool) -> Self {
        Self { condition: Some(Condition { command, succeeds }), ..self }
    }
}

/// A command. This library does not run it.
///
/// `shown` is `argv` quoted for a POSIX shell: a shell reads exactly these arguments, whatever they
/// contain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    argv: Vec<String>,
    shown: String,
}

impl Command {
    /// Longest argument, in bytes. Linux accepts 128 KiB.
    pub const MOST_BYTES: usize = 100_000;

    /// Quotes a command.
    ///
    /// # Errors
    /// [`VcsError::Text`] if an argument has more than 100,000 bytes or an invisible character,
    /// which a terminal may interpret as a key. Line feeds are allowed.
    ///
    /// ```
    /// use hotfix_core::vcs::Command;
    ///
    /// let commit = Command::try_new(["git", "commit", "-m", "fix: don't $(reboot)"])?;
    /// assert_eq!(commit.shown(), r#"git commit -m "fix: don't "'$(reboot)'"#);
    /// assert!(Command::try_new(["git", "commit", "-m", "a\u{1b}[2Jb"]).is_err());
    /// # Ok::<(), hotfix_core::vcs::VcsError>(())
    /// ```
    pub fn try_new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Result<Self, VcsError> {
        let command = Self::new(argv);
        command.check()?;
        Ok(command)
    }

    /// A command that is still to be [checked](Self::check).
    pub(super) fn new<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        let argv: Vec<String> = argv.into_iter().map(Into::into).collect();
        // Only a NUL cannot be quoted, which the check refuses.
        let shown = shlex::try_join(argv.iter().map(String::as_str)).unwrap_or_default();
        Self { argv, shown }
    }

    pub(super) fn check(&self) -> Result<(), VcsError> {
        if self.argv.iter().any(|argument| argument.len() > Self::MOST_BYTES) {
            return Err(VcsError::Text { fault: "an argument of more than 100,000 bytes" });
        }
        let unseen = |c: char| c != '\n' && is_invisible(c);
        if self.argv.iter().any(|argument| argument.contains(unseen)) {
            return Err(VcsError::Text { fault: "an argument with an invisible character" });
        }
        Ok(())
    }

    /// The program and its arguments.
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// The line to show.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

pub(super) fn git(arguments: &[&str]) -> Command {
    Command::new(std::iter::once("git").chain(arguments.iter().copied()))
}

/// Records the newest commit as a reference.
pub(super) fn record(reference: &str) -> Command {
    git(&["update-ref", reference, "HEAD"])
}

/// Succeeds if the branch or reference has the commit; fails also if one of them is not known.
pub(super) fn is_ancestor(commit: &str, of: &str) -> Command {
    git(&["merge-base", "--is-ancestor", commit, of])
}
