//! What the presets say of incidents: the examples of the documents and more, `tests/cases/sev/*.toml`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test reads its files and ends at what it did not expect"
)]

mod decision_common;

use std::collections::BTreeSet;

use decision_common::{decided, facts, in_crate, read};
use hotfix_core::policy::Policy;
use serde_json::{Map, Value, json};

/// A file of `tests/cases/sev`; `enterprise.toml` there describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: String,
    #[serde(default)]
    quiet: Map<String, Value>,
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default)]
    quiet: bool,
    facts: Map<String, Value>,
    #[serde(default)]
    unknown: Vec<String>,
    #[serde(default)]
    expect: Map<String, Value>,
    #[serde(default)]
    decide: Map<String, Value>,
}

fn files() -> Vec<File> {
    let folder = std::fs::read_dir(in_crate("tests/cases/sev")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let parse = |file: std::path::PathBuf| {
        toml::from_str(&read(&file)).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    };
    files.into_iter().map(parse).collect()
}

impl Case {
    /// The facts of the case, over those of the file that it takes.
    fn known(&self, quiet: &Map<String, Value>) -> Value {
        let mut known = if self.quiet { quiet.clone() } else { Map::new() };
        known.extend(self.facts.clone());
        for fact in &self.unknown {
            known.remove(fact);
        }
        Value::Object(known)
    }
}

/// What a case may expect of a classification, from its document: "" for null.
fn classified(document: &Value, key: &str) -> Value {
    let value = document.get(key).unwrap_or_else(|| panic!("`{key}` is nothing that is answered"));
    match (key, value) {
        ("rules" | "undecided", Value::Array(rules)) => {
            rules.iter().map(|rule| rule["id"].clone()).collect()
        }
        (_, Value::Null) => json!(""),
        (_, other) => other.clone(),
    }
}

/// Equal, with 1 and 1.0 alike.
fn same(got: &Value, expected: &Value) -> bool {
    match (got, expected) {
        (Value::Number(got), Value::Number(expected)) => got.as_f64() == expected.as_f64(),
        (Value::Object(got), Value::Object(expected)) => {
            got.len() == expected.len()
                && got.iter().all(|(key, got)| expected.get(key).is_some_and(|e| same(got, e)))
        }
        _ => got == expected,
    }
}

#[test]
fn sev_3_every_case_is_classified_and_decided_as_the_document_says() {
    let mut wrong = Vec::new();
    for file in files() {
        let policy = Policy::preset(&file.policy).unwrap();
        for case in &file.case {
            let facts = facts(&policy, &case.known(&file.quiet));
            let answer = serde_json::to_value(policy.classify(&facts)).unwrap();
            let decision = serde_json::to_value(policy.decide(&facts)).unwrap();
            let expect = case.expect.iter().map(|(key, e)| (key, e, classified(&answer, key)));
            let decide = case.decide.iter().map(|(key, e)| (key, e, decided(&decision, key)));
            for (key, expected, got) in expect.chain(decide) {
                if !same(&got, expected) {
                    let (file, id) = (&file.policy, &case.id);
                    wrong.push(format!("{file}, {id}: {key} is {got}, expected {expected}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules, exclusions and severities are no dead letter: each rule of each preset fires in a case, alone or first.
#[test]
fn sev_3_every_rule_of_every_preset_fires_in_a_case() {
    let mut missing = Vec::new();
    let files = files();
    let told: BTreeSet<&str> = files.iter().map(|file| file.policy.as_str()).collect();
    assert_eq!(told, Policy::presets().iter().copied().collect());
    for file in &files {
        let policy = Policy::preset(&file.policy).unwrap();
        let mut fired = BTreeSet::new();
        for case in &file.case {
            let facts = facts(&policy, &case.known(&file.quiet));
            let answer = policy.classify(&facts);
            fired.extend(answer.rules().iter().map(|verdict| verdict.rule.id.to_string()));
            let contradictory = !answer.contradictions().is_empty();
            let said = case.expect.contains_key("contradictions");
            assert!(!contradictory || said, "{}: its facts contradict each other", case.id);
        }
        let rules = policy.rules().iter().map(|rule| rule.id.to_string());
        missing.extend(rules.filter(|id| !fired.contains(id)).map(|id| (file.policy.clone(), id)));
    }
    assert!(missing.is_empty(), "{missing:?}");
}
