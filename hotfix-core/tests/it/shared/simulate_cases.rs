//! The cases of `cases/simulate`, for Rust and C alike; `simulate.toml` there describes the form.

use std::path::Path;

use serde_json::{Value, json};

use super::preset_common;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    policy: String,
    second: Option<String>,
    #[serde(default)]
    pub(crate) scenario: Value,
    #[serde(default)]
    pub(crate) question: Value,
    #[serde(default)]
    pub(crate) seed: u64,
    #[serde(default)]
    pub(crate) runs: u64,
    #[serde(default)]
    at: Vec<(String, Value)>,
    #[serde(default)]
    count: Vec<(String, usize)>,
    #[serde(default)]
    says: Vec<(String, String)>,
    #[serde(default)]
    absent: Vec<String>,
    error: Option<(String, String)>,
}

/// A preset's name, or else the text of a policy.
fn named(policy: &str) -> Result<&str, &str> {
    if policy.contains('\n') { Err(policy) } else { Ok(policy) }
}

impl Case {
    /// Those of `simulate`, `compare` or `advise`.
    pub(crate) fn load(folder: &Path, what: &str) -> Vec<Self> {
        let path = folder.join(what).with_extension("toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let text_of = |policy: String| {
            let file = Path::new(&policy).extension().map(|_| folder.join(&policy));
            file.map_or(policy, |file| std::fs::read_to_string(file).unwrap())
        };
        let resolved = |mut case: Self| {
            case.policy = text_of(case.policy);
            case.second = case.second.map(text_of);
            case
        };
        file.case.into_iter().map(resolved).collect()
    }

    pub(crate) fn policy(&self) -> Result<&str, &str> {
        named(&self.policy)
    }

    pub(crate) fn second(&self) -> Result<&str, &str> {
        named(self.second.as_deref().unwrap_or_else(|| panic!("{}: no second", self.id)))
    }

    /// Where the runs are split into two parts.
    pub(crate) const fn split(&self) -> u64 {
        self.runs / 3
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
