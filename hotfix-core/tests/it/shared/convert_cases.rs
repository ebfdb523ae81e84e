//! The cases of imports; the form is described at the head of `cases/convert/argo.toml`.

use std::path::Path;

use serde_json::{Value, json};

#[derive(serde::Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) kind: Option<String>,
    #[serde(default)]
    is: String,
    #[serde(default)]
    phases: Vec<Value>,
    #[serde(default)]
    metrics: Vec<String>,
    #[serde(default)]
    at: Vec<(String, Value)>,
    #[serde(default)]
    findings: Vec<String>,
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    says: Vec<String>,
}

/// `{"kind", "policy", "findings"}`, or the errors.
pub(crate) type Answer = Result<Value, Vec<Value>>;

impl Case {
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        #[derive(serde::Deserialize)]
        struct File {
            case: Vec<Case>,
        }
        let mut cases = Vec::new();
        for name in ["argo", "flagger", "kayenta", "openslo", "text"] {
            let path = folder.join(format!("{name}.toml"));
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let file: File = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            cases.extend(file.case);
        }
        cases
    }

    /// Whether it is imported.
    pub(crate) fn is_good(&self) -> bool {
        self.errors.is_empty()
    }

    /// What is not as it says.
    pub(crate) fn faults(&self, answer: Answer) -> Vec<String> {
        let mut faults = Vec::new();
        let mut differ = |what: &str, got: Value, expected: Value| {
            if !same(&got, &expected) {
                faults.push(format!("{}: {what} is {got:#}, not {expected:#}", self.id));
            }
        };
        let (told, most) = match &answer {
            Err(errors) => (errors.clone(), 1),
            Ok(imported) => {
                (imported["findings"].as_array().cloned().unwrap_or_default(), usize::MAX)
            }
        };
        for part in &self.says {
            let said = |one: &Value| one["message"].as_str().is_some_and(|m| m.contains(part));
            let found = told.iter().take(most).any(said);
            differ("what it says", json!([found, told]), json!([true, told]));
        }
        match answer {
            Err(errors) => {
                let got: Vec<String> = errors.iter().map(placed).collect();
                differ("errors", got.into(), self.errors.clone().into());
            }
            Ok(imported) => {
                let policy = &imported["policy"];
                differ("kind", imported["kind"].clone(), self.is.clone().into());
                let phase = |p: &Value| {
                    Value::from(vec![p["share"].clone(), p["watch"].clone(), p["gate"].clone()])
                };
                let phases: Vec<Value> =
                    policy["phases"].as_array().into_iter().flatten().map(phase).collect();
                differ("phases", phases.into(), self.phases.clone().into());
                let mut metrics: Vec<String> = policy["metrics"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(id, _)| id.clone())
                    .collect();
                metrics.sort();
                differ("metrics", metrics.into(), self.metrics.clone().into());
                for (pointer, expected) in &self.at {
                    let got = policy.pointer(pointer).cloned().unwrap_or_default();
                    differ(pointer, got, expected.clone());
                }
                let findings = imported["findings"].as_array().into_iter().flatten();
                let got: Vec<String> = findings.map(placed).collect();
                differ("findings", got.into(), self.findings.clone().into());
            }
        }
        faults
    }
}

/// `HF-CONV-020 0 12:3 /spec/x`
fn placed(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let (document, line, column) = (&finding["document"], &finding["line"], &finding["column"]);
    format!("{} {document} {line}:{column} {}", text("code"), text("path")).trim_end().to_owned()
}

/// Equal, where 1 and 1.0 are one number.
fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => one == two,
    }
}
