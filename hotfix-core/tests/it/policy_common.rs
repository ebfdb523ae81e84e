//! What the policy tests share: case files, patches, the schema.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use hotfix_core::policy::Policy;
use serde_json::Value;

use crate::crate_files::{in_crate, read};

/// A case of `tests/cases/policy`; `keys.toml` and `extends.toml` there describe the form.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) policy: Option<String>,
    pub(crate) toml: Option<String>,
    pub(crate) json: Option<String>,
    #[serde(default)]
    pub(crate) set: Vec<(String, Value)>,
    #[serde(default)]
    pub(crate) remove: Vec<String>,
    pub(crate) errors: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) says: Vec<String>,
    #[serde(default)]
    pub(crate) bases: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) has: Vec<(String, Value)>,
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
    pub(crate) same_as: Option<String>,
}

impl Case {
    /// What of the outcome is not as the case says.
    pub(crate) fn faults_of(&self, outcome: &Value, digest: &str) -> Vec<String> {
        let has = |(place, value): &(String, Value)| {
            let got = outcome.pointer(place);
            // TOML writes 4.0 where JSON writes 4.
            let number = got.and_then(Value::as_f64);
            let same = got == Some(value) || (number.is_some() && number == value.as_f64());
            (!same).then(|| format!("{}: {place} is {got:?}, expected {value}", self.id))
        };
        let lacks = |place: &String| {
            outcome.pointer(place).map(|got| format!("{}: {place} is there: {got}", self.id))
        };
        let other = self
            .same_as
            .as_ref()
            .filter(|preset| Policy::preset(preset).unwrap().digest().to_string() != digest);
        let other = other.map(|preset| format!("{}: not the same as {preset}", self.id));
        let wrong = self.has.iter().filter_map(has);
        wrong.chain(self.lacks.iter().filter_map(lacks)).chain(other).collect()
    }
}

/// A policy of `examples/policies`.
pub(crate) fn example(name: &str) -> String {
    read(&in_crate(&format!("../examples/policies/{name}.toml")))
}

/// A policy with every table and every key of the format.
pub(crate) fn whole() -> String {
    read(&in_crate("tests/policies/whole.toml"))
}

pub(crate) fn parse_cases() -> Vec<Case> {
    #[derive(serde::Deserialize)]
    struct File {
        case: Vec<Case>,
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(in_crate("tests/cases/policy"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let parse = |file: PathBuf| {
        toml::from_str::<File>(&read(&file)).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    };
    files.into_iter().flat_map(|file| parse(file).case).collect()
}

/// Sets and removes values at JSON Pointers.
pub(crate) fn apply(document: &mut Value, set: &[(String, Value)], remove: &[String]) {
    for (pointer, value) in set {
        let (parent, key) = split(pointer);
        match document.pointer_mut(parent) {
            Some(Value::Object(table)) => {
                table.insert(key, value.clone());
            }
            Some(Value::Array(list)) if key == "-" => list.push(value.clone()),
            Some(Value::Array(list)) => list[key.parse::<usize>().unwrap()] = value.clone(),
            _ => panic!("nothing at `{parent}` to set `{key}` in"),
        }
    }
    for pointer in remove {
        let (parent, key) = split(pointer);
        match document.pointer_mut(parent) {
            Some(Value::Object(table)) => {
                table.remove(&key).unwrap_or_else(|| panic!("nothing at `{pointer}`"));
            }
            Some(Value::Array(list)) => {
                list.remove(key.parse().unwrap());
            }
            _ => panic!("nothing at `{parent}`"),
        }
    }
}

fn split(pointer: &str) -> (&str, String) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    (parent, key.replace("~1", "/").replace("~0", "~"))
}

pub(crate) fn schema() -> Value {
    serde_json::from_str(&hotfix_core::policy::schema()).unwrap()
}

/// What is read must fit the schema; what the schema refuses must be refused.
pub(crate) fn validated(document: &Value, what: &str) {
    static VALIDATOR: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());
    let loads = Policy::from_json(&document.to_string()).is_ok();
    let faults: Vec<String> = VALIDATOR.iter_errors(document).map(|e| e.to_string()).collect();
    assert!(!loads || faults.is_empty(), "{what} loads, but the schema says {faults:?}");
}
