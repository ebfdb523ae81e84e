//! Reads any bytes as a policy: it is refused with places, or it is loaded and all answers are
//! consistent.

use hotfix_core::fact::{FactKind, Facts, Vocabulary};
use hotfix_core::grade::{Hotfix, Severity};
use hotfix_core::policy::{Policy, PolicyErrors};
use serde_json::{Map, Value, json};

/// Reads the bytes as TOML.
pub fn toml(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    check(data, Policy::from_toml_with(text, |name| again(name, text)));
}

/// Reads the bytes as JSON.
pub fn json(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    check(data, Policy::from_json_with(text, |name| again(name, text)));
}

/// The only known name besides the presets is the document's own: a cycle.
fn again(name: &str, text: &str) -> Option<String> {
    (name == "again").then(|| text.to_owned())
}

fn check(data: &[u8], read: Result<Policy, PolicyErrors>) {
    match read {
        Ok(policy) => check_policy(data, &policy),
        Err(errors) => check_errors(&errors),
    }
}

fn check_errors(errors: &PolicyErrors) {
    assert!(errors.first().is_some(), "refused without an error");
    for error in errors {
        assert!(error.code().starts_with("HF-"), "{error}");
        assert!(error.path().is_empty() || error.path().starts_with('/'), "{error}");
        assert!(!error.sentence().is_empty() && !error.sentence().contains('\n'), "{error:?}");
    }
}

fn check_policy(data: &[u8], policy: &Policy) {
    check_written(policy);
    for finding in policy.lint("2026-03-03T14:40:00Z".parse().ok()) {
        let document = serde_json::to_value(&finding).expect("a finding is a document");
        assert!(finding.path.is_empty() || finding.path.starts_with('/'), "{document}");
        assert!(!finding.message().is_empty() && !finding.remedy().is_empty(), "{document}");
    }
    policy.tree_mermaid();
    policy.tree_dot();
    let mut bytes = Bytes(data, 0);
    for _ in 0..4 {
        let mut known = Map::new();
        let few = facts(policy.vocabulary(), &mut known, &mut bytes);
        let more = facts(policy.vocabulary(), &mut known, &mut bytes);
        check_classification(policy, &few, &more);
        check_decision(policy, &few, &more);
    }
}

/// A written policy reads back equal, with the same digest.
fn check_written(policy: &Policy) {
    let digest = policy.digest();
    let wire = policy.to_json();
    // As in a log, where the text has no maximum length.
    let logged: Policy = serde_json::from_str(&wire).expect("a written policy reads back");
    assert_eq!((&logged, logged.digest()), (policy, digest));
    let human = policy.to_toml();
    // With all its defaults a policy may exceed the maximum length of a text.
    if human.len() <= 1 << 20 {
        let again = Policy::from_toml(&human).unwrap_or_else(|e| panic!("{e} in\n{human}"));
        assert_eq!((&again, again.digest()), (policy, digest));
    }
}

/// More known facts never make the answer less certain.
fn check_classification(policy: &Policy, few: &Facts, more: &Facts) {
    let (before, after) = (policy.classify(few), policy.classify(more));
    for answer in [&before, &after] {
        serde_json::to_value(answer).expect("an answer is a document");
        assert!(badness(answer.at_worst()) >= badness(answer.severity()));
        assert!(!answer.settled() || answer.decisive().is_empty());
    }
    if before.contradictory() || after.contradictory() {
        return;
    }
    assert!(badness(after.severity()) >= badness(before.severity()));
    assert!(badness(after.at_worst()) <= badness(before.at_worst()));
    if before.settled() {
        assert!(after.settled() && after.hotfix() == before.hotfix());
    }
    if before.hotfix() != Hotfix::Unknown {
        assert_eq!(after.hotfix(), before.hotfix());
    }
}

fn check_decision(policy: &Policy, few: &Facts, more: &Facts) {
    let (before, after) = (policy.decide(few), policy.decide(more));
    for decision in [&before, &after] {
        serde_json::to_value(decision).expect("a decision is a document");
        assert!(!decision.settled() || decision.next_question().is_none());
    }
    if before.contradictory() || after.contradictory() {
        return;
    }
    assert!(after.reachable().iter().all(|leaf| before.reachable().contains(leaf)));
    if let Some(outcome) = before.outcome() {
        let later = after.outcome().expect("what was certain stays certain");
        assert_eq!(
            (later.severity, later.hotfix, later.deadline),
            (outcome.severity, outcome.hotfix, outcome.deadline)
        );
    }
}

/// A more severe severity has a larger number.
fn badness(severity: Option<Severity>) -> usize {
    severity.map_or(0, |severity| Severity::ALL.len() - severity as usize)
}

/// Adds some of the facts that are not known yet.
fn facts(vocabulary: &Vocabulary, known: &mut Map<String, Value>, bytes: &mut Bytes<'_>) -> Facts {
    for name in vocabulary.names() {
        if bytes.next().is_multiple_of(4) && !known.contains_key(name) {
            let kind = vocabulary.find(name).map(|fact| vocabulary.kind(fact));
            known.insert(name.to_owned(), value(kind.expect("a name that is listed"), bytes));
        }
    }
    Facts::read(known, vocabulary).expect("values of the right kind")
}

fn value(kind: FactKind, bytes: &mut Bytes<'_>) -> Value {
    let byte = bytes.next();
    let share = [0.0, 0.01, 0.05, 0.1, 0.5, 0.51, 1.0];
    let share = share.get(usize::from(byte) % 10).copied().unwrap_or(f64::from(byte) / 255.0);
    match kind {
        FactKind::Flag => json!(byte.is_multiple_of(2)),
        FactKind::Share => json!(share),
        FactKind::Duration => json!(share * 10.0),
        FactKind::Number => json!((share - 0.5) * 1000.0),
        FactKind::Text => json!(["payments", "", "x"][usize::from(byte) % 3]),
        FactKind::Time => json!("2026-03-03T14:06:00Z"),
    }
}

/// Reproducible choices from the input; they depend on every byte of it.
struct Bytes<'d>(&'d [u8], u64);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        if self.1 == 0 {
            let fold =
                |state: u64, byte: &u8| (state ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            self.1 = self.0.iter().fold(0xcbf2_9ce4_8422_2325, fold) | 1;
        }
        // SplitMix64.
        self.1 = self.1.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.1 ^ (self.1 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 56) as u8
    }
}
