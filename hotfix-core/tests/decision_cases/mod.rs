//! The cases of `tests/cases/decision` beside a decision's document: for Rust and C alike.

use std::path::Path;

use serde_json::{Value, json};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) policy: String,
    pub(crate) facts: Value,
    expect: serde_json::Map<String, Value>,
}

impl Case {
    /// Every case of a folder.
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        #[derive(serde::Deserialize)]
        struct File {
            case: Vec<Case>,
        }
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let parse = |file: std::path::PathBuf| {
            let text = std::fs::read_to_string(&file).unwrap();
            toml::from_str::<File>(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
        };
        files.into_iter().flat_map(|file| parse(file).case).collect()
    }

    /// What differs.
    pub(crate) fn faults(&self, document: &Value) -> Vec<String> {
        let wrong = self.expect.iter().filter_map(|(key, expected)| {
            let got = told(document, key);
            (got != *expected).then(|| format!("{}: {key} is {got}, expected {expected}", self.id))
        });
        wrong.collect()
    }
}

/// What a case may expect, from the document.
fn told(document: &Value, key: &str) -> Value {
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
