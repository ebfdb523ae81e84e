//! The form of `cases/plan/power.toml`. The runner of the C functions reads it with this file, too.

use std::path::Path;

use serde_json::Value;

/// A plan, and what its phases see.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) policy: String,
    #[serde(default)]
    set: Vec<(String, Value)>,
    #[serde(default)]
    pub(crate) traffic: Value,
    #[serde(default)]
    near: Vec<(String, f64)>,
    #[serde(default)]
    about: Vec<(String, f64)>,
    #[serde(default)]
    has: Vec<(String, Value)>,
    #[serde(default)]
    lacks: Vec<String>,
    #[serde(default)]
    says: Vec<String>,
}

impl Case {
    pub(crate) fn all() -> Vec<Self> {
        #[derive(serde::Deserialize)]
        struct File {
            case: Vec<Case>,
        }
        // The packages that read it are not equally deep in the workspace.
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|folder| folder.join("hotfix-core/tests/cases/plan/power.toml"))
            .find(|path| path.is_file())
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut file: File = toml::from_str(&text).unwrap();
        for case in &mut file.case {
            if case.traffic.is_null() {
                case.traffic = serde_json::json!({});
            }
        }
        file.case
    }

    /// Changes the preset's document.
    pub(crate) fn change(&self, document: &mut Value) {
        for (pointer, value) in &self.set {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match document.pointer_mut(parent) {
                Some(Value::Object(table)) => {
                    if value == "absent" {
                        table.remove(key);
                    } else {
                        table.insert(key.to_owned(), value.clone());
                    }
                }
                Some(Value::Array(list)) => list[key.parse::<usize>().unwrap()] = value.clone(),
                _ => panic!("{}: nothing at `{parent}`", self.id),
            }
        }
    }

    /// What does not come out as the case says.
    pub(crate) fn faults(&self, power: &Value, page: &str) -> Vec<String> {
        let id = &self.id;
        let mut faults = Vec::new();
        for (pointer, wanted) in &self.near {
            let got = power.pointer(pointer).and_then(Value::as_f64);
            if !got.is_some_and(|got| (got - wanted).abs() <= 1e-6 * wanted.abs() + 1e-8) {
                faults.push(format!("{id}: {pointer} is {got:?}, expected {wanted}"));
            }
        }
        for (pointer, wanted) in &self.about {
            let got = power.pointer(pointer).and_then(Value::as_f64);
            if !got.is_some_and(|got| (got - wanted).abs() <= 0.02) {
                faults.push(format!("{id}: {pointer} is {got:?}, expected about {wanted}"));
            }
        }
        for (pointer, wanted) in &self.has {
            let got = power.pointer(pointer);
            // JSON does not tell 3 from 3.0.
            let numbers = got.and_then(Value::as_f64).zip(wanted.as_f64());
            if got != Some(wanted) && numbers.is_none_or(|(got, wanted)| got != wanted) {
                faults.push(format!("{id}: {pointer} is {got:?}, expected {wanted}"));
            }
        }
        for pointer in &self.lacks {
            if let Some(got) = power.pointer(pointer) {
                faults.push(format!("{id}: {pointer} is {got}, expected nothing"));
            }
        }
        for part in &self.says {
            if !page.contains(part.as_str()) {
                faults.push(format!("{id}: the page does not say `{part}`:\n{page}"));
            }
        }
        faults
    }
}
