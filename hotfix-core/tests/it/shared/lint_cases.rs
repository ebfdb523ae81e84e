//! The cases of `tests/cases/lint` beside findings as documents: for Rust and C alike.

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

/// The present time of `tests/cases/findings`.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

/// A finding of `tests/cases/findings`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    code: String,
    level: String,
    path: String,
    /// Each is part of the sentence.
    says: Vec<String>,
}

/// A file of `tests/cases/findings`: all that is found in the preset that it is named for, in order.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresetFindings {
    #[serde(default)]
    finding: Vec<Expected>,
}

impl PresetFindings {
    pub(crate) fn load(folder: &Path, preset: &str) -> Self {
        let path = folder.join(format!("{preset}.toml"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// What differs.
    pub(crate) fn faults(&self, findings: &Value) -> Vec<String> {
        let found = findings.as_array().unwrap();
        let head = |of: &Value| ["code", "level", "path"].map(|key| of[key].clone());
        let heads: Vec<_> = found.iter().map(head).collect();
        let wanted: Vec<_> = (self.finding.iter())
            .map(|e| [&e.code, &e.level, &e.path].map(|text| json!(text)))
            .collect();
        let mut faults = Vec::new();
        if heads != wanted {
            faults.push(format!("found {heads:#?}, expected {wanted:#?}"));
        }
        for (found, expected) in found.iter().zip(&self.finding) {
            let said = found["message"].as_str().unwrap();
            for part in expected.says.iter().filter(|part| !said.contains(part.as_str())) {
                faults.push(format!("`{said}` does not say `{part}`"));
            }
        }
        faults
    }
}
