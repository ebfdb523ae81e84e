//! The cases of `cases/recorded`, for Rust and C alike; `csv.toml` there describes the form.

use std::path::Path;

use serde_json::{Value, json};

use super::preset_common;

/// The files.
pub(crate) const FILES: [&str; 4] =
    ["csv.toml", "json_lines.toml", "prometheus.toml", "backtest.toml"];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) format: String,
    #[serde(default)]
    pub(crate) mapping: String,
    pub(crate) text: String,
    policy: Option<String>,
    /// What is read, one observation a line; for Rust alone.
    pub(crate) readings: Option<String>,
    #[serde(default)]
    at: Vec<(String, Value)>,
    #[serde(default)]
    count: Vec<(String, usize)>,
    #[serde(default)]
    says: Vec<(String, String)>,
    #[serde(default)]
    absent: Vec<String>,
    pub(crate) error: Option<(String, String)>,
}

impl Case {
    /// The cases of backtests.
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        FILES.iter().flat_map(|file| Self::read(&folder.join(file))).collect()
    }

    /// The cases of histories.
    pub(crate) fn load_histories(folder: &Path) -> Vec<Self> {
        Self::read(&folder.join("history.toml"))
    }

    fn read(path: &Path) -> Vec<Self> {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        file.case
    }

    /// A preset's name, or the text of a policy.
    pub(crate) fn policy(&self) -> Result<&str, &str> {
        let policy = self.policy.as_deref().unwrap_or("phased-canary");
        if policy.contains('\n') { Err(policy) } else { Ok(policy) }
    }

    /// What differs from what is expected.
    pub(crate) fn faults(&self, answer: Result<Value, (String, String)>) -> Vec<String> {
        match (answer, &self.error) {
            (Err(got), Some(expected)) if got == *expected => Vec::new(),
            (Err(got), _) => vec![format!("{}: refused with {got:?}", self.id)],
            (Ok(_), Some(expected)) => vec![format!("{}: not refused with {expected:?}", self.id)],
            (Ok(answer), None) => {
                let looks = json!({ "id": self.id, "at": self.at, "count": self.count, "says": self.says, "absent": self.absent });
                let case: preset_common::Case = serde_json::from_value(looks).unwrap();
                let faults = case.faults(&answer);
                if faults.is_empty() { faults } else { [faults, vec![answer.to_string()]].concat() }
            }
        }
    }
}
