//! Source control: branches, versions, tags, commits.

use super::list::{Entries, Once, empty, none};
use crate::document::Node;
use crate::grade::{CommitField, Flow, MergeKind, TagForm, VcsStep, Versioning};
use crate::policy::error::{Problem, shown};
use crate::policy::field::TextOrNone;
use crate::policy::reader::{Narrowed, PolicyReader, section};
use crate::policy::schema::{Definitions, Schema};
use crate::unit::{Name, RefName};
use serde_json::json;

impl CommitForm {
    /// The label of a field in a message: that of the policy, or the default.
    pub fn label(&self, field: CommitField) -> &str {
        let own = self.labels.as_ref().and_then(|labels| labels.own(field));
        own.unwrap_or_else(|| CommitLabels::usual(field))
    }
}

impl Vcs {
    /// The prefix of the branches that the plan names: that of the policy, or the default.
    pub(crate) fn prefix_or_default(&self) -> &str {
        self.prefix.as_deref().unwrap_or("hotfix/")
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
            CommitField::Change => self.change.as_deref(),
            CommitField::Severity
            | CommitField::Impact
            | CommitField::Cause
            | CommitField::Solution
            | CommitField::Tested
            | CommitField::ApprovedBy
            | CommitField::DeployedBy => None,
        }
    }
}

section! {
    plain
    /// The path of a fix through source control. The plan lists the commands; hotfix runs none.
    pub Vcs from VcsDraft, vcs_rules {
        /// The branching model.
        flow: Flow, [required];
        /// Other branching models that the policy allows, each once and with its own steps. One
        /// without a merge back only has the branch that it starts from.
        also: Vec<Flow> as Once<Flow>, [default none()];
        /// Alternative paths that the policy allows: a release names one by its id, or uses the
        /// first one of its flow.
        ways: Vec<VcsWay> as Entries<VcsWay>, [default none()];
        /// The steps in their order, each once; empty: the order of the flow. `git_flow`: `branch`,
        /// `commit`, `push`, `merge`, `tag`, `deploy`, `merge_back`, `delete_branch`. `github_flow`:
        /// `branch`, `commit`, `push`, `pull_request`, `merge`, `deploy`. `trunk`: `commit`, `push`,
        /// `deploy`. `production_tag`: `branch`, `commit`, `tag`, `push`, `deploy`, `merge_back`,
        /// `delete_branch`.
        order: Vec<VcsStep> as Once<VcsStep>, [default none()];
        /// What the branch is created from: the name of a branch, or `production_tag` for the tag
        /// of the live version.
        base: String, [default "main"];
        /// The prefix of the branch name, with which the branch of a release has to begin, too. Without
        /// this key `hotfix/`, and a release may name any branch.
        prefix: String as TextOrNone, [optional];
        /// How the next version is numbered. Without this key each version is accepted, and the one that
        /// the plan of another attempt names is numbered by `patch`.
        version: Versioning, [optional];
        /// Other version schemes that the policy allows, each once.
        also_version: Vec<Versioning> as Once<Versioning>, [default none()];
        /// How the tag is named: `v` and the version, the version as it is (`plain`), or the time in
        /// UTC.
        tag: TagForm, [default "version"];
        /// Whether the tag is annotated.
        annotated: bool, [default true];
        /// How the branch is merged. Where the steps have `pull_request` and its `squash` is true, as
        /// `squash`.
        merge: MergeKind, [default "no_ff"];
        /// The branches into which the fix has to be merged, each once.
        merge_back: Vec<String> as Once<String>, [default none()];
        /// The form of the commit message.
        commit: CommitForm, [default empty()];
        /// The form of the pull request, where the steps have `pull_request`. Without this key it has
        /// neither a label nor reviewers.
        pull_request: PullRequest, [optional];
    }
}

fn vcs_rules(vcs: &VcsDraft, reader: &mut PolicyReader) {
    if let Some(base) = &vcs.base {
        reference(reader, "base", "branch", base, base);
    }
    if let Some(Some(prefix)) = &vcs.prefix {
        let (what, name) = ("prefix of branch names", format!("{prefix}x"));
        reference(reader, "prefix", what, prefix, &name);
    }
    for (index, name) in vcs.merge_back.iter().flatten().enumerate() {
        let index = index.to_string();
        reader.within("merge_back", |reader| reference(reader, &index, "branch", name, name));
    }
}

fn way_rules(way: &VcsWayDraft, reader: &mut PolicyReader) {
    if let Some(Some(base)) = &way.base {
        reference(reader, "base", "branch", base, base);
    }
}

fn reference(reader: &mut PolicyReader, key: &str, what: &'static str, got: &str, name: &str) {
    if let Err(fault) = RefName::try_new(name) {
        let (got, fault) = (shown(got), fault.to_string());
        reader.fail_at::<()>(key, Problem::RefName { got, what, fault });
    }
}

section! {
    plain
    /// An alternative path through source control.
    pub VcsWay: Eq from VcsWayDraft, way_rules {
        /// The id of the path, unique.
        id: Name, [required];
        /// The name of the path for people.
        title: String, [required];
        /// The branching model.
        flow: Flow, [required];
        /// The steps in their order, each once; empty: the order of the flow.
        order: Vec<VcsStep> as Once<VcsStep>, [default none()];
        /// What the branch is created from. Without this key the `base` of the policy.
        base: String, [optional];
    }
}

section! {
    plain
    /// The form of the commit message.
    pub CommitForm: Default + Eq from CommitFormDraft, commit_rules {
        /// The start of the subject, with its colon and space, such as `"HOTFIX: "`: one line of at most
        /// 32 characters; of a conventional commit its type.
        subject: String as TextOrNone, [default ""];
        /// The fields of the body, in this order, each once.
        fields: Vec<CommitField> as Once<CommitField>, [default none()];
        /// Whether the subject is a conventional commit, as in `fix(payments): …`.
        conventional: bool, [default false];
        /// Whether the version is increased in a separate commit; not in a branching model of `also`,
        /// which has its own steps.
        version_commit: bool, [default false];
        /// Labels of the fields that differ from the defaults.
        labels: CommitLabels as DistinctLabels, [optional];
    }
}

/// The longest start of a subject, in characters: it leaves room for a scope and a description.
const MOST_SUBJECT: usize = 32;

fn commit_rules(form: &CommitFormDraft, reader: &mut PolicyReader) {
    let Some(subject) = &form.subject else { return };
    let refuse = |reader: &mut PolicyReader, expected: &'static str| {
        reader.fail_at::<()>("subject", Problem::CommitText { got: shown(subject), expected });
    };
    // Git takes a line that starts with `#` for a comment, and one that starts with `---` for the
    // end.
    let plain = subject.chars().count() <= MOST_SUBJECT
        && !subject.chars().any(char::is_control)
        && !subject.starts_with(['#', '-'])
        && !subject.starts_with(char::is_whitespace);
    if !plain {
        refuse(
            reader,
            "one line of at most 32 characters that does not start with `#`, `-` or a space",
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
    /// Labels of two fields of a commit message: tokens of git trailers. The others have the usual ones.
    pub CommitLabels: Default + Eq from CommitLabelsDraft {
        /// The incident or ticket. Default: `Issue`.
        issue: String as Label, [optional];
        /// What was changed. Default: `Change`.
        change: String as Label, [optional];
    }
}

/// Labels of which no two are the same, defaults included.
pub(super) struct DistinctLabels;

impl Narrowed for DistinctLabels {
    type Of = CommitLabels;

    fn look(node: &Node, reader: &mut PolicyReader) {
        let labels = CommitField::ALL.iter().map(|field| {
            let own = node.key(field.as_str()).and_then(Node::as_text);
            let label = own.unwrap_or_else(|| CommitLabels::usual(*field));
            (format!("{}/{field}", reader.path()), label.to_ascii_lowercase())
        });
        let labels: Vec<(String, String)> = labels.collect();
        let named: Vec<_> = labels.iter().map(|(path, label)| (path.clone(), &**label)).collect();
        reader.unique("label", &named);
    }
}

/// The token of a trailer.
pub(super) struct Label;

impl Narrowed for Label {
    type Of = TextOrNone;

    fn check(text: String, _: &Node, reader: &mut PolicyReader) -> Option<String> {
        let fits = (1..=31).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits {
            return Some(text);
        }
        let expected = "a letter, then at most 30 letters, digits and hyphens, as in `Root-Cause`";
        reader.fail(Problem::CommitText { got: shown(&text), expected })
    }

    fn schema_of(_: &mut Definitions) -> Schema {
        json!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9-]{0,30}$" })
    }
}

section! {
    plain
    /// The form of the emergency pull request.
    pub PullRequest: Default + Eq from PullRequestDraft {
        /// The start of its title.
        title: String as TextOrNone, [default ""];
        /// Its label. Without this key none.
        label: String, [optional];
        /// Who reviews it, for people.
        reviewers: String as TextOrNone, [default ""];
        /// Whether it is merged as one commit. Then `merge` of `vcs` is as if it was `squash`, also for the
        /// branches that are merged without a request.
        squash: bool, [default false];
    }
}
