//! Source control: branches, versions, tags, commits (VCS-1 to VCS-6).

use crate::grade::{CommitField, Flow, MergeKind, TagForm, VcsStep, Versioning};
use crate::unit::Name;

/// How a fix goes through source control.
#[derive(Clone, Debug, PartialEq)]
pub struct Vcs {
    /// How branches are used.
    pub flow: Flow,
    /// Other flows that the policy allows, each with its own steps.
    pub also: Vec<Flow>,
    /// Other ways that the policy allows; each has its own id.
    pub ways: Vec<VcsWay>,
    /// The steps in their order, each once; empty: the flow's own.
    pub order: Vec<VcsStep>,
    /// What the branch is made from: a branch, or `production_tag` for the tag that is live. Default `main`.
    pub base: String,
    /// What the name of the branch starts with. Default `hotfix/`.
    pub prefix: String,
    /// How the next version is numbered. Default patch.
    pub version: Versioning,
    /// Other ways that the policy allows.
    pub also_version: Vec<Versioning>,
    /// How the tag is named. Default version.
    pub tag: TagForm,
    /// Whether the tag is annotated. Default true.
    pub annotated: bool,
    /// How the branch is merged. Default with a merge commit.
    pub merge: MergeKind,
    /// The branches that must have the fix in the end; each once.
    pub merge_back: Vec<String>,
    /// The commit message.
    pub commit: CommitForm,
    /// The pull request, where there is one.
    pub pull_request: Option<PullRequest>,
}

/// Another way through source control than the policy's first (VCS-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VcsWay {
    /// Unique in the policy.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// How branches are used.
    pub flow: Flow,
    /// The steps in their order, each once; empty: the flow's own.
    pub order: Vec<VcsStep>,
    /// What the branch is made from, where that is not the policy's `base`.
    pub base: Option<String>,
}

/// What a commit message looks like (VCS-5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitForm {
    /// What the subject starts with.
    pub subject: String,
    /// What the body says, in this order; each once.
    pub fields: Vec<CommitField>,
    /// Whether the subject is a conventional commit, as in `fix(payments): …`. Default false.
    pub conventional: bool,
    /// Whether the version is raised by a commit of its own. Default false.
    pub version_commit: bool,
    /// What the facts are called, where not as usual. None: all as usual.
    pub labels: Option<CommitLabels>,
}

/// What the facts of a commit message are called, where not as usual: [`CommitForm::label`].
///
/// Labels are trailers' tokens: a letter, then at most 30 letters, digits and hyphens; no two are alike.
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
    /// What a fact is called in a message: the policy's label, or the usual one.
    pub fn label(&self, field: CommitField) -> &str {
        let own = self.labels.as_ref().and_then(|labels| labels.own(field));
        own.unwrap_or_else(|| CommitLabels::usual(field))
    }
}

impl CommitLabels {
    /// The usual label.
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

/// What an emergency pull request looks like (VCS-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// What the title starts with; empty: nothing of its own.
    pub title: String,
    /// Its label.
    pub label: Option<String>,
    /// Who reviews it, in words; empty: not said.
    pub reviewers: String,
    /// Whether it is merged as one commit. Default false.
    pub squash: bool,
}
