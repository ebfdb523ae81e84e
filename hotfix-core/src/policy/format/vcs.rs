//! Source control (VCS-1 to VCS-6).

use super::entries::{Entries, Entry};
use super::list::{Once, empty, none};
use super::phase::no_rules;
use crate::grade::{CommitField, Flow, MergeKind, TagForm, VcsStep, Versioning};
use crate::policy::error::{Problem, shown};
use crate::policy::reader::{Reader, section};
use crate::policy::section::{CommitForm, PullRequest, Vcs, VcsWay};
use crate::unit::{Name, RefName};

section! {
    plain
    /// How a fix goes through source control; nothing of it is run (VCS-1).
    Vcs from VcsDraft, vcs_rules {
        /// How branches are used.
        flow: Flow, [required];
        /// Other flows that the policy allows, each once and with its own steps.
        also: Once<Flow>, [default none()];
        /// Other ways that the policy allows: a release names one by its id, or takes the first of its flow.
        ways: Entries<VcsWay>, [default none()];
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

fn vcs_rules(vcs: &VcsDraft, reader: &mut Reader) {
    if let Some(base) = &vcs.base {
        branch(reader, "base", base);
    }
    if let Some(prefix) = &vcs.prefix
        && let Err(fault) = RefName::try_new(format!("{prefix}x"))
    {
        let (got, fault) = (shown(prefix), fault.to_string());
        reader.fail_at::<()>("prefix", Problem::RefName { got, what: "prefix of branches", fault });
    }
    for (index, name) in vcs.merge_back.iter().flatten().enumerate() {
        reader.within("merge_back", |reader| branch(reader, &index.to_string(), name));
    }
}

fn way_rules(way: &VcsWayDraft, reader: &mut Reader) {
    if let Some(Some(base)) = &way.base {
        branch(reader, "base", base);
    }
}

fn branch(reader: &mut Reader, key: &str, name: &str) {
    if let Err(fault) = RefName::try_new(name) {
        let (got, fault) = (shown(name), fault.to_string());
        reader.fail_at::<()>(key, Problem::RefName { got, what: "branch", fault });
    }
}

section! {
    plain
    /// Another way through source control than the policy's first (VCS-1).
    VcsWay from VcsWayDraft, way_rules {
        /// Unique in the policy.
        id: Name, [required];
        /// What people call it.
        title: String, [required];
        /// How branches are used.
        flow: Flow, [required];
        /// The steps in their order, each once. Where it is empty: the flow's own order.
        order: Once<VcsStep>, [default none()];
        /// What the branch is made from. Without it: as the policy's `base`.
        base: String, [optional];
    }
}

impl Entry for VcsWay {
    const WHAT: &'static str = "way";
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
