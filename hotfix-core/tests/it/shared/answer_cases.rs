//! The cases of `tests/cases/sev` and `tests/cases/decision` beside the documents of an answer: for Rust and C alike.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The files of a folder, in the order of their names.
fn read<T: DeserializeOwned>(folder: &Path) -> Vec<T> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let parse = |file: std::path::PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    };
    files.into_iter().map(parse).collect()
}

/// Every case of a folder.
pub(crate) fn load<C: DeserializeOwned>(folder: &Path) -> Vec<C> {
    #[derive(serde::Deserialize)]
    struct File<C> {
        case: Vec<C>,
    }
    read::<File<C>>(folder).into_iter().flat_map(|file| file.case).collect()
}

/// A case of `tests/cases/decision`; `matrix.toml` there describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionCase {
    pub(crate) id: String,
    pub(crate) policy: String,
    pub(crate) facts: Value,
    expect: Map<String, Value>,
}

impl DecisionCase {
    /// What differs.
    pub(crate) fn faults(&self, document: &Value) -> Vec<String> {
        let wrong = self.expect.iter().filter_map(|(key, expected)| {
            let got = decided(document, key);
            (got != *expected).then(|| format!("{}: {key} is {got}, expected {expected}", self.id))
        });
        wrong.collect()
    }
}

/// A file of `tests/cases/sev`; `enterprise.toml` there describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeverityFile {
    pub(crate) policy: String,
    #[serde(default)]
    pub(crate) quiet: Map<String, Value>,
    pub(crate) case: Vec<SeverityCase>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeverityCase {
    pub(crate) id: String,
    #[serde(default)]
    quiet: bool,
    facts: Map<String, Value>,
    #[serde(default)]
    unknown: Vec<String>,
    #[serde(default)]
    pub(crate) expect: Map<String, Value>,
    #[serde(default)]
    decide: Map<String, Value>,
}

impl SeverityFile {
    /// Every file of a folder.
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        read(folder)
    }
}

impl SeverityCase {
    /// The facts of the case, over those of the file that it takes.
    pub(crate) fn known(&self, quiet: &Map<String, Value>) -> Value {
        let mut known = if self.quiet { quiet.clone() } else { Map::new() };
        known.extend(self.facts.clone());
        for fact in &self.unknown {
            known.remove(fact);
        }
        Value::Object(known)
    }

    /// What differs.
    pub(crate) fn faults(&self, answer: &Value, decision: &Value) -> Vec<String> {
        let expect = self.expect.iter().map(|(key, e)| (key, e, classified(answer, key)));
        let decide = self.decide.iter().map(|(key, e)| (key, e, decided(decision, key)));
        let mut faults = Vec::new();
        for (key, expected, got) in expect.chain(decide) {
            if !same(&got, expected) {
                faults.push(format!("{}: {key} is {got}, expected {expected}", self.id));
            }
        }
        faults
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

/// What a case may expect of a decision, from its document: "" for null.
pub(crate) fn decided(document: &Value, key: &str) -> Value {
    let or_empty = |value: &Value| if value.is_null() { json!("") } else { value.clone() };
    match key {
        "outcome" => or_empty(&document["outcome"]["id"]),
        "severity" | "hotfix" | "deadline" => or_empty(&document["outcome"][key]),
        "next" => or_empty(&document["next_question"]["fact"]),
        "path" => {
            let steps = document["path"].as_array().unwrap().iter();
            steps.flat_map(|step| [step["id"].clone(), step["answer"].clone()]).collect()
        }
        "settled" | "reachable" | "gaps" | "contradictions" | "exact" => document[key].clone(),
        _ => panic!("`{key}` is nothing that a case expects"),
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
