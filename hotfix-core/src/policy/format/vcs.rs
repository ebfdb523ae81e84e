//! Source control (VCS-1 to VCS-6).

use super::entries::{Entries, Entry};
use super::list::{Once, empty, none};
use super::phase::no_rules;
use crate::grade::{CommitField, Flow, MergeKind, TagForm, VcsStep, Versioning};
use crate::policy::error::{Problem, shown};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::{CommitForm, CommitLabels, PullRequest, Vcs, VcsWay};
use crate::unit::{Name, RefName};
use schemars::{Schema, SchemaGenerator, json_schema};

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
    CommitForm from CommitFormDraft, commit_rules {
        /// What the subject starts with: one line of at most 32 characters, of a conventional commit its type.
        subject: String, [default ""];
        /// What the body says, in this order, each once.
        fields: Once<CommitField>, [default none()];
        /// Whether the subject is a conventional commit, as in `fix(payments): …`.
        conventional: bool, [default false];
        /// Whether the version is raised by a commit of its own.
        version_commit: bool, [default false];
        /// What the facts are called, where not as usual.
        labels: CommitLabels, [optional];
    }
}

/// The longest beginning of a subject, in characters: with a scope it leaves room for words.
const MOST_SUBJECT: usize = 32;

fn commit_rules(form: &CommitFormDraft, reader: &mut Reader) {
    let Some(subject) = &form.subject else { return };
    let refuse = |reader: &mut Reader, expected: &'static str| {
        reader.fail_at::<()>("subject", Problem::CommitText { got: shown(subject), expected });
    };
    // Git takes a line that starts with `#` for a comment, and one that starts with `---` for the end.
    let plain = subject.chars().count() <= MOST_SUBJECT
        && !subject.chars().any(char::is_control)
        && !subject.starts_with(['#', '-'])
        && !subject.starts_with(char::is_whitespace);
    if !plain {
        refuse(
            reader,
            "one line of at most 32 characters that starts with none of `#`, `-` and space",
        );
        return;
    }
    let kind = subject.trim_end().trim_end_matches(':');
    let is_kind = kind.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if form.conventional == Some(true) && !is_kind {
        refuse(reader, "the type of a conventional commit, as in `fix: `");
    }
}

section! {
    plain
    /// What the facts of a commit message are called, where not as usual: tokens of git's trailers.
    CommitLabels from CommitLabelsDraft, label_rules {
        /// The incident or ticket. Without it: `Issue`.
        issue: Label, [optional];
        /// How bad it is. Without it: `Severity`.
        severity: Label, [optional];
        /// Who or what is affected. Without it: `Impact`.
        impact: Label, [optional];
        /// Why it happened. Without it: `Root-Cause`.
        cause: Label, [optional];
        /// What was changed. Without it: `Change`.
        change: Label, [optional];
        /// How that solves it. Without it: `Solution`.
        solution: Label, [optional];
        /// How it was tested. Without it: `Tested`.
        tested: Label, [optional];
        /// Who approved it. Without it: `Approved-By`.
        approved_by: Label, [optional];
        /// Who deployed it. Without it: `Deployed-By`.
        deployed_by: Label, [optional];
    }
}

fn label_rules(labels: &CommitLabelsDraft, reader: &mut Reader) {
    let drafts = [
        &labels.issue,
        &labels.severity,
        &labels.impact,
        &labels.cause,
        &labels.change,
        &labels.solution,
        &labels.tested,
        &labels.approved_by,
        &labels.deployed_by,
    ];
    let named: Vec<(String, String)> = CommitField::ALL
        .iter()
        .zip(drafts)
        .map(|(field, own)| {
            let own = own.as_ref().and_then(Option::as_deref);
            let label = own.unwrap_or_else(|| CommitLabels::usual(*field));
            (format!("{}/{field}", reader.path()), label.to_ascii_lowercase())
        })
        .collect();
    let named: Vec<(String, &str)> =
        named.iter().map(|(path, label)| (path.clone(), label.as_str())).collect();
    reader.unique("label", &named);
}

/// The token of a trailer.
pub(super) struct Label;

impl Field for Label {
    type Out = String;

    fn read(node: &Node, reader: &mut Reader) -> Option<String> {
        let Node::Text(text) = node else { return reader.wrong_type("a text", node) };
        let fits = (1..=31).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits {
            return Some(text.clone());
        }
        let expected = "a letter, then at most 30 letters, digits and hyphens, as in `Root-Cause`";
        reader.fail(Problem::CommitText { got: shown(text), expected })
    }
    fn write(value: &String, _: Style) -> Node {
        Node::Text(value.clone())
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]{0,30}$" })
    }
    fn example() -> &'static str {
        "\"Root-Cause\""
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
