//! Reads any bytes as a diff's figures and as commit messages: they are refused with a line, or
//! they are read and all answers are consistent.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hotfix_core::fact::Truth;
use hotfix_core::gate::{Numstat, ScopeInput, ScopeReport};
use hotfix_core::grade::CommitField;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::CommitForm;
use hotfix_core::vcs::{CommitError, CommitParts};

/// Loaded once: a fuzzer calls often.
static PRESETS: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let load = |name: &&'static str| Policy::preset(name).expect("a preset loads");
    Policy::presets().iter().map(load).collect()
});

/// Reads the bytes as a diff's figures.
pub fn numstat(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let diff = match Numstat::parse(text) {
        Ok(diff) => diff,
        Err(error) => {
            assert!(error.code().starts_with("HF-GATE-"), "{error}");
            assert!(error.line().is_none_or(|line| line >= 1), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
            return;
        }
    };
    assert!(diff.files.iter().all(|file| !file.path.is_empty()));
    let mut half = diff.clone();
    half.files.truncate(diff.files.len() / 2);
    for policy in PRESETS.iter() {
        let judge = |diff: &Numstat| {
            let input = ScopeInput { diff: Some(diff), ..ScopeInput::default() };
            ScopeReport::new(policy.scope(), input)
        };
        let (less, more) = (judge(&half), judge(&diff));
        for report in [&less, &more] {
            serde_json::to_value(report).expect("a report is a document");
            assert!(report.content != Some(Truth::Yes), "the number of fixes is not known");
        }
        for breach in &less.breaches {
            assert!(more.breaches.iter().any(|other| other.rule == breach.rule), "{breach:?}");
        }
        if let Some(figures) = more.figures {
            assert!(figures.files <= diff.files.len() as u64);
            assert_eq!(figures.lines, figures.added + figures.deleted);
        }
    }
}

/// Reads the bytes as a commit message, and as parts of one that are composed and read again.
pub fn commit_message(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for policy in PRESETS.iter() {
        let form = policy.commit_form();
        check_read(&form, text);
        check_composed(&form, text);
    }
}

fn check_read(form: &CommitForm, text: &str) {
    let read = form.parse(text);
    serde_json::to_value(&read).expect("what was read is a document");
    let lines = text.lines().count().max(1);
    assert!(read.faults.iter().all(|fault| (1..=lines).contains(&fault.line)), "{read:?}");
    assert!(read.faults.windows(2).all(|pair| pair[0].line <= pair[1].line), "{read:?}");
    assert!(read.fields.values().all(|value| !value.is_empty()), "{read:?}");
    for field in &form.fields {
        let places = [
            read.fields.contains_key(field),
            read.missing.contains(field),
            read.later.contains(field),
        ];
        assert_eq!(places.iter().filter(|there| **there).count(), 1, "{field}");
    }
}

/// The summary and a fact for each piece between NULs.
fn check_composed(form: &CommitForm, text: &str) {
    let mut pieces = text.split('\0');
    let summary = pieces.next().unwrap_or_default().to_owned();
    let fields: BTreeMap<CommitField, String> =
        CommitField::ALL.iter().copied().zip(pieces.map(str::to_owned)).collect();
    let parts = CommitParts { summary, fields, ..CommitParts::default() };
    let message = match form.compose(&parts) {
        Ok(message) => message,
        Err(error) => {
            let known = matches!(
                error,
                CommitError::NoSummary
                    | CommitError::Beginning { .. }
                    | CommitError::TooLong { .. }
            );
            assert!(known, "{error}");
            return;
        }
    };
    assert!(message.subject.chars().count() <= 72, "{}", message.subject);
    assert!(message.text.lines().all(|line| line.trim_end() == line), "{}", message.text);
    let read = form.parse(&message.text);
    assert_eq!((read.body.as_str(), read.others.len()), ("", 0), "{}", message.text);
    assert_eq!(read.missing, message.missing);
    // What was read is what is composed again, to the letter.
    let again =
        CommitParts { summary: read.summary, fields: read.fields, ..CommitParts::default() };
    let again = form.compose(&again).expect("what was read can be composed");
    assert_eq!(again.text, message.text);
}
