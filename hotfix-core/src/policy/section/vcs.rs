//! Source control: branches, versions, tags, commits.

use crate::grade::{CommitField, Flow, MergeKind, TagForm, VcsStep, Versioning};
use crate::unit::Name;

/// The path of a fix through source control.
#[derive(Clone, Debug, PartialEq)]
pub struct Vcs {
    /// The branching model.
    pub flow: Flow,
    /// Other branching models that the policy allows, each with its own steps.
    pub also: Vec<Flow>,
    /// Alternative paths that the policy allows; each has its own id.
    pub ways: Vec<VcsWay>,
    /// The steps in their order, each once; empty: the order of the flow.
    pub order: Vec<VcsStep>,
    /// What the branch is created from: a branch, or `production_tag` for the tag of the live
    /// version. Default `main`.
    pub base: String,
    /// The prefix of the branch name. Default `hotfix/`.
    pub prefix: String,
    /// How the next version is numbered. Default patch.
    pub version: Versioning,
    /// Other version schemes that the policy allows.
    pub also_version: Vec<Versioning>,
    /// How the tag is named. Default version.
    pub tag: TagForm,
    /// Whether the tag is annotated. Default true.
    pub annotated: bool,
    /// How the branch is merged. Default with a merge commit.
    pub merge: MergeKind,
    /// The branches into which the fix has to be merged; each once.
    pub merge_back: Vec<String>,
    /// The form of the commit message.
    pub commit: CommitForm,
    /// The form of the pull request; none: no pull request.
    pub pull_request: Option<PullRequest>,
}

/// An alternative path through source control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VcsWay {
    /// The id of the path, unique.
    pub id: Name,
    /// The name of the path for people.
    pub title: String,
    /// The branching model.
    pub flow: Flow,
    /// The steps in their order, each once; empty: the order of the flow.
    pub order: Vec<VcsStep>,
    /// What the branch is created from; none: the policy's `base`.
    pub base: Option<String>,
}

/// The form of a commit message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitForm {
    /// The start of the subject.
    pub subject: String,
    /// The fields of the body, in this order; each once.
    pub fields: Vec<CommitField>,
    /// Whether the subject is a conventional commit, as in `fix(payments): …`. Default false.
    pub conventional: bool,
    /// Whether the version is increased in a separate commit. Default false.
    pub version_commit: bool,
    /// Labels of the fields that differ from the defaults. None: all defaults.
    pub labels: Option<CommitLabels>,
}

/// Labels of the fields of a commit message that differ from the defaults, see
/// [`CommitForm::label`].
///
/// Labels are tokens of git trailers: a letter, then at most 30 letters, digits and hyphens. No two
/// may be equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitLabels {
    /// `Issue`.
    pub issue: Option<String>,
    /// `Severity`.
    pub severity: Option<String>,
    /// `Impact`.
    pub impact: Option<String>,
    /// `Root-Cause`.
    pub cause: Option<String>,
    /// `Change`.
    pub change: Option<String>,
    /// `Solution`.
    pub solution: Option<String>,
    /// `Tested`.
    pub tested: Option<String>,
    /// `Approved-By`.
    pub approved_by: Option<String>,
    /// `Deployed-By`.
    pub deployed_by: Option<String>,
}

impl CommitForm {
    /// The label of a field in a message: that of the policy, or the default.
    pub fn label(&self, field: CommitField) -> &str {
        let own = self.labels.as_ref().and_then(|labels| labels.own(field));
        own.unwrap_or_else(|| CommitLabels::usual(field))
    }
}

impl CommitLabels {
    /// The default label.
    pub const fn usual(field: CommitField) -> &'static str {
        match field {
            CommitField::Issue => "Issue",
            CommitField::Severity => "Severity",
            CommitField::Impact => "Impact",
            CommitField::Cause => "Root-Cause",
            CommitField::Change => "Change",
            CommitField::Solution => "Solution",
            CommitField::Tested => "Tested",
            CommitField::ApprovedBy => "Approved-By",
            CommitField::DeployedBy => "Deployed-By",
        }
    }

    /// The label that is set here.
    pub fn own(&self, field: CommitField) -> Option<&str> {
        match field {
            CommitField::Issue => self.issue.as_deref(),
            CommitField::Severity => self.severity.as_deref(),
            CommitField::Impact => self.impact.as_deref(),
            CommitField::Cause => self.cause.as_deref(),
            CommitField::Change => self.change.as_deref(),
            CommitField::Solution => self.solution.as_deref(),
            CommitField::Tested => self.tested.as_deref(),
            CommitField::ApprovedBy => self.approved_by.as_deref(),
            CommitField::DeployedBy => self.deployed_by.as_deref(),
        }
    }
}

/// The form of an emergency pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// The start of the title; empty: none.
    pub title: String,
    /// Its label.
    pub label: Option<String>,
    /// Who reviews it, for people; empty: not given.
    pub reviewers: String,
    /// Whether it is merged as one commit. Default false.
    pub squash: bool,
}
