//! The cases of `cases/gate/scope.toml`, `cases/gate/demands.toml` and `cases/vcs/messages.toml`, for Rust and C alike.

use std::path::Path;

use serde_json::{Value, json};

use super::preset_common;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// `scope.toml` describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    policy: String,
    incident: Option<Value>,
    release: Option<Value>,
    traffic: Option<Value>,
    pub(crate) parts: Option<Value>,
    pub(crate) text: Option<String>,
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

/// What was answered, or refused: a code and a place.
pub(crate) type Answer = Result<Value, (String, String)>;

impl Case {
    pub(crate) fn load(path: &Path) -> Vec<Self> {
        let text = std::fs::read_to_string(path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        file.case
    }

    /// A preset's name, or the text of a policy.
    pub(crate) fn policy(&self) -> Result<&str, &str> {
        if self.policy.contains('\n') { Err(&self.policy) } else { Ok(&self.policy) }
    }

    /// Whether it asks a plan.
    pub(crate) const fn has_plan(&self) -> bool {
        self.incident.is_some() || self.release.is_some()
    }

    /// Incident, release and traffic as texts.
    pub(crate) fn subject(&self) -> [String; 3] {
        let with = |mut value: Value, more: Option<&Value>| {
            for (key, member) in more.and_then(Value::as_object).into_iter().flatten() {
                value[key] = member.clone();
            }
            value.to_string()
        };
        [
            with(json!({ "id": "INC-2041" }), self.incident.as_ref()),
            with(json!({ "version": "2.3.1", "previous": "2.3.0" }), self.release.as_ref()),
            with(json!({}), self.traffic.as_ref()),
        ]
    }

    /// What differs from what is expected.
    pub(crate) fn faults(&self, answer: Answer) -> Vec<String> {
        match (answer, &self.error) {
            (Err(got), Some(expected)) if got == *expected => Vec::new(),
            (Err(got), _) => vec![format!("{}: refused with {got:?}", self.id)],
            (Ok(_), Some(expected)) => vec![format!("{}: not refused with {expected:?}", self.id)],
            (Ok(answer), None) => {
                let looks = json!({ "id": self.id, "at": self.at, "count": self.count, "says": self.says, "absent": self.absent });
                let case: preset_common::Case = serde_json::from_value(looks).unwrap();
                case.faults(&answer)
            }
        }
    }
}
