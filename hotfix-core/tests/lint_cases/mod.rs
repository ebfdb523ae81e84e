//! The cases of `tests/cases/lint` beside findings as documents: for Rust and C alike.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::Path;

use serde_json::{Value, json};

/// A policy's document with these keys put in.
pub(crate) fn with(mut document: Value, keys: &Value) -> Value {
    let all = json!({
        "P0": { "label": "critical", "hotfix": true },
        "P1": { "label": "high", "hotfix": true },
        "P2": { "label": "medium", "hotfix": false },
    });
    // One that nothing gives is a fault of its own.
    let mut severities = serde_json::Map::new();
    for giving in [&keys["rules"], &keys["tree"]["leaves"]] {
        for severity in
            giving.as_array().into_iter().flatten().filter_map(|g| g["severity"].as_str())
        {
            severities.insert(severity.to_owned(), all[severity].clone());
        }
    }
    document["severities"] = severities.into();
    for (key, value) in keys.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

/// A case of `tests/cases/lint/tree.toml`, which describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LintCase {
    pub(crate) id: String,
    pub(crate) policy: Value,
    pub(crate) finds: Vec<(String, String)>,
    #[serde(default)]
    says: Vec<String>,
}

impl LintCase {
    /// Every case of a file.
    pub(crate) fn load(file: &Path) -> Vec<Self> {
        #[derive(serde::Deserialize)]
        struct File {
            case: Vec<LintCase>,
        }
        let text = std::fs::read_to_string(file).unwrap();
        toml::from_str::<File>(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display())).case
    }

    /// What differs in the findings on tree and rules.
    pub(crate) fn faults(&self, findings: &Value) -> Vec<String> {
        let text = |of: &Value, key: &str| of[key].as_str().unwrap().to_owned();
        let mut found = findings.as_array().unwrap().clone();
        found.retain(|finding| text(finding, "code").as_str() <= "HF-LINT-019");
        let finds: Vec<_> = found.iter().map(|f| (text(f, "code"), text(f, "path"))).collect();
        let mut faults = Vec::new();
        if finds != self.finds {
            faults.push(format!("{}: {found:#?}", self.id));
        }
        let said: Vec<String> = found.iter().map(|finding| text(finding, "message")).collect();
        for part in self.says.iter().filter(|part| !said.iter().any(|said| said.contains(*part))) {
            faults.push(format!("{}: none says {part}: {said:#?}", self.id));
        }
        faults
    }
}
