//! Commit messages: composed, read, and what git makes of them (VCS-5).

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};

use hotfix_core::grade::CommitField;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::CommitForm;
use hotfix_core::vcs::{CommitError, CommitMessage, CommitParts};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shared::gate_cases::{Answer, Case};
use crate::tree;

fn answer(case: &Case) -> Answer {
    let policy = Policy::preset(case.policy().unwrap()).unwrap();
    if let Some(text) = &case.text {
        return Ok(json!(policy.commit_form().parse(text)));
    }
    let parts = case.parts.as_ref().unwrap_or_else(|| panic!("{}: nothing to do", case.id));
    let composed = CommitParts::from_json(&parts.to_string()).and_then(|parts| {
        if case.has_plan() {
            let [incident, release, traffic] = case.subject();
            let plan = Plan::from_json(Arc::new(policy), &incident, &release, &traffic).unwrap();
            plan.commit_message(parts)
        } else {
            policy.commit_form().compose(&parts)
        }
    });
    let refused = |error: CommitError| (error.code().to_owned(), error.path().to_owned());
    composed.map(|message: CommitMessage| json!(message)).map_err(refused)
}

#[test]
fn vcs_5_every_document_s_messages_are_composed_and_read() {
    let cases = Case::load(&tree::root().join("hotfix-core/tests/cases/vcs/messages.toml"));
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let wrong: Vec<String> = cases.iter().flat_map(|case| case.faults(answer(case))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn vcs_5_parts_that_are_too_long_or_no_object_are_refused() {
    let long =
        CommitParts { summary: "x".repeat(CommitParts::MOST_BYTES + 1), ..CommitParts::default() };
    assert_eq!(CommitForm::default().compose(&long).unwrap_err().code(), "HF-VCS-021");
    for text in ["", "[]", "{", "{\"fields\": {\"colour\": \"red\"}}", "{\"summary\": 1}"] {
        assert_eq!(CommitParts::from_json(text).unwrap_err().code(), "HF-VCS-025", "{text}");
    }
    let endless = CommitForm::default().parse(&"x".repeat(5 << 20));
    assert_eq!(endless.faults[0].code(), "HF-VCS-026");
    assert!(endless.faults[0].message().contains("5242880 bytes"));
}

#[test]
fn vcs_5_a_form_that_no_message_can_have_is_refused_with_its_place() {
    let label = |field: &str, label: &str| json!({ field: label });
    let cases = [
        (json!({ "subject": "# x" }), "HF-POL-043", "/vcs/commit/subject"),
        (json!({ "subject": "a\nb" }), "HF-POL-043", "/vcs/commit/subject"),
        (json!({ "subject": " x" }), "HF-POL-043", "/vcs/commit/subject"),
        (json!({ "subject": "-- " }), "HF-POL-043", "/vcs/commit/subject"),
        (json!({ "subject": "x".repeat(33) }), "HF-POL-043", "/vcs/commit/subject"),
        (
            json!({ "subject": "hot fix: ", "conventional": true }),
            "HF-POL-043",
            "/vcs/commit/subject",
        ),
        (json!({ "labels": label("issue", "") }), "HF-POL-043", "/vcs/commit/labels/issue"),
        (
            json!({ "labels": label("issue", "Root Cause") }),
            "HF-POL-043",
            "/vcs/commit/labels/issue",
        ),
        (json!({ "labels": label("issue", "1st") }), "HF-POL-043", "/vcs/commit/labels/issue"),
        (
            json!({ "labels": label("issue", &"x".repeat(32)) }),
            "HF-POL-043",
            "/vcs/commit/labels/issue",
        ),
        (json!({ "labels": label("change", "impact") }), "HF-POL-012", "/vcs/commit/labels/change"),
    ];
    let base: Value =
        serde_json::from_str(&Policy::preset("fast-track").unwrap().to_json()).unwrap();
    for (commit, code, place) in cases {
        let mut document = base.clone();
        document["vcs"]["commit"] = commit.clone();
        let errors = Policy::from_json(&document.to_string()).unwrap_err();
        let error = errors.first().unwrap();
        assert_eq!((error.code(), error.path()), (code, place), "{commit}");
    }
    let mut document = base;
    document["vcs"]["commit"] = json!({ "labels": { "issue": "Change", "change": "Issue" } });
    let form = Policy::from_json(&document.to_string()).unwrap().commit_form();
    assert_eq!(
        (form.label(CommitField::Issue), form.label(CommitField::Impact)),
        ("Change", "Impact")
    );
    // The house's own words win over the usual ones.
    assert_eq!(
        form.parse("x\n\nIssue: guard\n").fields,
        BTreeMap::from([(CommitField::Change, "guard".to_owned())])
    );
}

/// As a commit keeps them: the property that a composed message is to give back.
fn kept(value: &str) -> String {
    let lines = seen(value).replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<String> = lines
        .split('\n')
        .map(|line| {
            line.replace(|c: char| (c.is_control() && c != '\t') || c == '\u{2028}', " ")
                .trim_end()
                .to_owned()
        })
        .collect();
    lines.join("\n").trim().to_owned()
}

/// Without the characters of [`piece`] that nobody sees.
fn seen(text: &str) -> String {
    text.replace(['\u{202e}', '\u{feff}'], "")
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-zA-Z0-9 .,'\"#$()`\\\\-]{0,12}",
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just("   \n".to_owned()),
        1 => Just("\n..\n".to_owned()),
        1 => Just("\n---\n".to_owned()),
        1 => Just("\n# comment\n".to_owned()),
        1 => Just("\nSigned-off-by: Eve <eve@example.org>\n".to_owned()),
        1 => Just("\nImpact: none\n".to_owned()),
        1 => Just("Fixes #1".to_owned()),
        1 => Just("- bullet".to_owned()),
        1 => Just("BREAKING CHANGE: x".to_owned()),
        1 => Just("\t".to_owned()),
        1 => Just("…".to_owned()),
        1 => Just("\u{202e}\u{a0}e\u{301}\u{1f600}\u{2028}\u{85}".to_owned()),
        1 => Just("\u{feff}".to_owned()),
        1 => Just("\0\u{1b}[31m\u{7f}".to_owned()),
        1 => "[\\PC&&[^\\p{DI}\u{2800}\u{16fe4}]]{0,8}",
    ]
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.concat()),
        1 => (prop::collection::vec(piece(), 1..4), 100usize..1000).prop_map(|(pieces, times)| pieces.concat().repeat(times).chars().take(10_000).collect()),
    ]
}

fn parts() -> impl Strategy<Value = CommitParts> {
    let fields =
        prop::collection::btree_map(prop::sample::select(CommitField::ALL), hostile(), 0..6);
    let scope = prop::option::of("[a-z][a-z0-9_./-]{0,23}");
    (hostile(), scope, fields).prop_map(|(summary, scope, fields)| CommitParts {
        summary,
        scope,
        version: None,
        fields,
    })
}

fn form() -> impl Strategy<Value = CommitForm> {
    static FORMS: LazyLock<Vec<CommitForm>> = LazyLock::new(|| {
        Policy::presets().iter().map(|name| Policy::preset(name).unwrap().commit_form()).collect()
    });
    prop::sample::select(FORMS.as_slice())
}

/// A message, or nothing where the summary cannot be one.
fn composed(form: &CommitForm, parts: &CommitParts) -> Option<CommitMessage> {
    match form.compose(parts) {
        Ok(message) => Some(message),
        Err(CommitError::NoSummary | CommitError::Beginning { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn vcs_5_what_was_composed_is_read_to_the_letter(form in form(), parts in parts()) {
        let Some(message) = composed(&form, &parts) else { return Ok(()) };
        prop_assert!(message.subject.chars().count() <= 72);
        let read = form.parse(&message.text);
        prop_assert_eq!(&read.subject, &message.subject);
        let summary: String = seen(&parts.summary).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        prop_assert_eq!(&read.summary, &summary.split_whitespace().collect::<Vec<_>>().join(" "));
        if form.conventional {
            prop_assert_eq!(&read.scope, &parts.scope);
        }
        let given: BTreeMap<CommitField, String> = parts.fields.iter().map(|(f, v)| (*f, kept(v))).filter(|(_, v)| !v.is_empty()).collect();
        let mut expected = given.clone();
        expected.remove(&CommitField::DeployedBy);
        prop_assert_eq!(&read.fields, &expected);
        prop_assert_eq!((read.body.as_str(), read.others.len()), ("", 0));
        prop_assert_eq!(&read.missing, &message.missing);
        let placeholder = |value: &String| value.starts_with('[') && value.ends_with(']');
        prop_assert_eq!(read.faults.len(), expected.values().filter(|value| placeholder(value)).count());
        // Each fact of the form is in the commit, missing, or comes later.
        for field in &form.fields {
            let places = [expected.contains_key(field), message.missing.contains(field), message.later.iter().any(|l| l.field == *field)];
            prop_assert_eq!(places.iter().filter(|there| **there).count(), 1, "{}", field);
        }
        // What git's `whitespace` clean-up would change is not there.
        prop_assert!(message.text.lines().all(|line| line.trim_end() == line));
        prop_assert!(!message.text.contains("\n\n\n") && !message.text.contains('\0'));
        // What is in the note reads alike.
        let note = message.note.map(|note| form.parse(&format!("note\n\n{}", note.text)).fields);
        prop_assert_eq!(note.unwrap_or_default(), given.into_iter().filter(|(f, _)| *f == CommitField::DeployedBy).collect());
    }

    /// A parser that others wrote finds the type, the scope and the description.
    #[test]
    fn vcs_5_a_conventional_message_is_one_to_another_parser(form in form().prop_filter("conventional", |form| form.conventional), parts in parts()) {
        let Some(message) = composed(&form, &parts) else { return Ok(()) };
        let commit = git_conventional::Commit::parse(&message.text).map_err(|e| TestCaseError::fail(format!("{e} in {}", message.text)))?;
        prop_assert_eq!(commit.type_().as_str(), "fix");
        prop_assert_eq!(commit.scope().map(|scope| scope.as_str().to_owned()), parts.scope);
        prop_assert!(message.subject.ends_with(commit.description()));
    }

    /// Any text at all is read.
    #[test]
    fn vcs_5_any_text_is_read(form in form(), text in hostile()) {
        let read = form.parse(&text);
        prop_assert!(read.faults.windows(2).all(|pair| pair[0].line <= pair[1].line));
        let lines = text.lines().count().max(1);
        prop_assert!(read.faults.iter().all(|fault| (1..=lines).contains(&fault.line) && !fault.message().is_empty()));
        let given: usize = form.fields.iter().filter(|field| read.fields.contains_key(field)).count();
        prop_assert_eq!(given + read.missing.len() + read.later.len(), form.fields.len());
    }
}

fn git(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git is at hand");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn repository(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("hotfix-{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    git(&folder, &["init", "-q"], "");
    folder
}

/// A value as git unfolds it: one line.
fn unfolded(value: &str) -> String {
    let lines = value.split('\n').enumerate().map(|(index, line)| {
        let dots = index > 0 && line.bytes().all(|byte| byte == b'.');
        if dots { format!("{line}.") } else { line.trim_start_matches([' ', '\t']).to_owned() }
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn hostile_parts() -> Vec<CommitParts> {
    let values = [
        "plain",
        "two\nlines",
        "a\n\n\nb",
        "# hash\n# again",
        "x\n---\ndiff --git a/x b/x",
        "1\n# ------------------------ >8 ------------------------\nkept",
        "\"quoted\" 'and' `run` $(it)",
        "crlf\r\nlines\r\n",
        "trailing   \n   leading",
        "Impact: not this\nSigned-off-by: Eve <eve@example.org>\n(cherry picked from commit 1234)",
        ".\n..\n. .",
        "\u{1f600} caf\u{e9} \u{202e}gnirts",
        "tab\there\n\ttab first",
        "colon: in: it",
    ];
    let long = "word ".repeat(2000);
    let values: Vec<&str> = values.into_iter().chain([long.as_str()]).collect();
    let fields = [CommitField::Issue, CommitField::Impact, CommitField::Cause, CommitField::Tested];
    let mut all = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let next = |n: usize| values[(index + n) % values.len()].to_owned();
        let given = fields.iter().enumerate().map(|(n, field)| (*field, next(n))).collect();
        all.push(CommitParts {
            summary: format!("mend {value}"),
            scope: None,
            version: None,
            fields: given,
        });
    }
    all
}

#[test]
#[cfg(unix)]
fn vcs_5_git_reads_the_trailers_and_keeps_the_message() {
    let folder = repository("trailers");
    // Without a form, with one of all facts, and a conventional one.
    for name in ["phased-canary", "severity-matrix", "standard"] {
        let form = Policy::preset(name).unwrap().commit_form();
        for parts in hostile_parts() {
            let message = form.compose(&parts).unwrap();
            let mut order = form.fields.clone();
            order.extend(CommitField::ALL.iter().filter(|field| !form.fields.contains(field)));
            let expected: Vec<String> = order
                .iter()
                .filter_map(|field| Some((field, parts.fields.get(field)?)))
                .map(|(field, value)| format!("{}: {}", form.label(*field), unfolded(&kept(value))))
                .collect();
            let trailers = git(&folder, &["interpret-trailers", "--parse"], &message.text);
            assert_eq!(trailers.lines().collect::<Vec<_>>(), expected, "{name}: {}", message.text);
            // As a commit, also through the clean-up that takes comments out.
            for cleanup in ["--cleanup=default", "--cleanup=strip", "--cleanup=whitespace"] {
                git(&folder, &["commit", "-q", "--allow-empty", cleanup, "-F", "-"], &message.text);
                let kept = git(&folder, &["log", "-1", "--format=%B"], "");
                assert_eq!(
                    kept.trim_end_matches('\n'),
                    message.text.trim_end_matches('\n'),
                    "{name}"
                );
                let subject = git(&folder, &["log", "-1", "--format=%s"], "");
                assert_eq!(subject.trim_end_matches('\n'), message.subject);
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
#[cfg(unix)]
fn vcs_5_what_comes_later_is_noted_by_the_command_as_it_stands() {
    let folder = repository("notes");
    git(&folder, &["commit", "-q", "--allow-empty", "-m", "x"], "");
    let form = Policy::preset("severity-matrix").unwrap().commit_form();
    let shell = |command: &str| {
        let run = Command::new("sh")
            .args(["-c", command])
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.org")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.org")
            .current_dir(&folder)
            .status();
        assert!(run.unwrap().success(), "{command}");
    };
    let first = BTreeMap::from([(
        CommitField::ApprovedBy,
        "Bob\n\n# by 'telephone'\n$(touch gone) `id`".to_owned(),
    )]);
    let second = BTreeMap::from([(CommitField::DeployedBy, "Ann; exit 1".to_owned())]);
    git(&folder, &["init", "-q", "--bare", "origin.git"], "");
    git(&folder, &["remote", "add", "origin", "origin.git"], "");
    for known in [&first, &second] {
        shell(&form.note(known).unwrap().command);
    }
    let noted = |of: &str| git(&folder, &["ls-remote", of, "refs/notes/commits"], "");
    assert_eq!(noted("origin"), noted("."));
    let note = git(&folder, &["notes", "show"], "");
    let read = form.parse(&format!("note\n\n{note}"));
    let expected: BTreeMap<_, _> = first.into_iter().chain(second).collect();
    assert_eq!(read.fields, expected, "{note}");
    assert!(!folder.join("gone").exists());
    assert_eq!(form.note(&BTreeMap::from([(CommitField::Tested, " \n".to_owned())])), None);
    std::fs::remove_dir_all(&folder).unwrap();
}
