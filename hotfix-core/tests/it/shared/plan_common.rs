//! The cases of `tests/cases/plan` beside the document of a plan: for Rust and C alike.

use std::path::Path;

use serde_json::Value;

use super::preset_common;

/// The files; other families of cases may stand in the same folder.
pub(crate) const FILES: [&str; 6] = ["timelines", "slo", "procedure", "risks", "record", "people"];

/// What a case gives and what it expects; `timelines.toml` describes the form.
pub(crate) struct PlanCase {
    pub(crate) id: String,
    pub(crate) policy: String,
    /// Incident, release and traffic.
    pub(crate) parts: [String; 3],
    pub(crate) start: Option<String>,
    pub(crate) utc: Vec<String>,
    /// Code and place where no plan can be made.
    pub(crate) error: Option<(String, String)>,
    expected: preset_common::Case,
}

impl PlanCase {
    /// Every case below a folder.
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        let mut cases = Vec::new();
        for name in FILES {
            let path = folder.join(format!("{name}.toml"));
            let text = std::fs::read_to_string(&path).unwrap();
            let mut file: toml::Table =
                toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let toml::Value::Array(list) = file.remove("case").unwrap() else { panic!("{name}") };
            cases.extend(list.into_iter().map(Self::read));
        }
        cases
    }

    fn read(case: toml::Value) -> Self {
        let toml::Value::Table(mut case) = case else { panic!("{case}") };
        let mut document = |key: &str, without: &str| {
            let document: Option<Value> = case.remove(key).map(|value| value.try_into().unwrap());
            document.map_or_else(|| without.to_owned(), |document| document.to_string())
        };
        let parts = [
            document("incident", r#"{"id": "INC-2041"}"#),
            document("release", r#"{"version": "2.3.1", "previous": "2.3.0"}"#),
            document("traffic", ""),
        ];
        let mut take = |key: &str| case.remove(key);
        let text = |value: toml::Value| value.as_str().unwrap().to_owned();
        let policy = text(take("policy").unwrap());
        let start = take("start").map(text);
        let utc = take("utc").map_or_else(Vec::new, |list| list.try_into().unwrap());
        let error = take("error").map(|pair| pair.try_into().unwrap());
        let expected: preset_common::Case = toml::Value::Table(case).try_into().unwrap();
        Self { id: expected.id.clone(), policy, parts, start, utc, error, expected }
    }

    /// What differs in a plan's document.
    pub(crate) fn faults(&self, document: &Value) -> Vec<String> {
        self.expected.faults(document)
    }

    /// What differs in the times of a timeline.
    pub(crate) fn time_faults(&self, timeline: &Value) -> Vec<String> {
        let times: Vec<&str> =
            timeline.as_array().unwrap().iter().filter_map(|step| step["at"].as_str()).collect();
        let wrong = times != self.utc;
        wrong
            .then(|| format!("{}: at {times:?}, expected {:?}", self.id, self.utc))
            .into_iter()
            .collect()
    }
}
