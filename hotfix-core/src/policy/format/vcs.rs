//! Source control (VCS-1 to VCS-6).

use super::list::{Once, empty, none};
use super::phase::no_rules;
use crate::grade::{CommitField, Flow, MergeKind, TagForm, VcsStep, Versioning};
use crate::policy::reader::section;
use crate::policy::section::{CommitForm, PullRequest, Vcs};

section! {
    plain
    /// How a fix goes through source control; nothing of it is run (VCS-1).
    Vcs from VcsDraft, no_rules {
        /// How branches are used.
        flow: Flow, [required];
        /// Other flows that the policy allows, each once.
        also: Once<Flow>, [default none()];
        /// The steps in their order, each once. Where it is empty: the flow's own order.
        order: Once<VcsStep>, [default none()];
        /// What the branch is made from: the name of a branch, or `production_tag` for the tag that is live.
        base: String, [default "main"];
        /// What the name of the branch starts with.
        prefix: String, [default "hotfix/"];
        /// How the next version is numbered.
        version: Versioning, [default "patch"];
        /// Other ways of numbering that the policy allows, each once.
        also_version: Once<Versioning>, [default none()];
        /// How the tag is named.
        tag: TagForm, [default "version"];
        /// Whether the tag is annotated.
        annotated: bool, [default true];
        /// How the branch is merged.
        merge: MergeKind, [default "no_ff"];
        /// The branches that must have the fix in the end, each once.
        merge_back: Once<String>, [default none()];
        /// The commit message.
        commit: CommitForm, [default empty()];
        /// The pull request. Without it there is none.
        pull_request: PullRequest, [optional];
    }
}

section! {
    plain
    /// What a commit message looks like (VCS-5).
    CommitForm from CommitFormDraft, no_rules {
        /// What the subject starts with.
        subject: String, [default ""];
        /// What the body says, in this order, each once.
        fields: Once<CommitField>, [default none()];
        /// Whether the subject is a conventional commit, as in `fix(payments): …`.
        conventional: bool, [default false];
        /// Whether the version is raised by a commit of its own.
        version_commit: bool, [default false];
    }
}

section! {
    plain
    /// What an emergency pull request looks like (VCS-1).
    PullRequest from PullRequestDraft, no_rules {
        /// What its title starts with.
        title: String, [default ""];
        /// Its label. Without it: none.
        label: String, [optional];
        /// Who reviews it, for people.
        reviewers: String, [default ""];
        /// Whether it is merged as one commit.
        squash: bool, [default false];
    }
}
