//! The form of the cases of strategies, recommendations and ways back, for Rust and C alike; `strategies.toml` in
//! `cases/plan` describes it.

use std::path::Path;

use serde_json::{Value, json};

/// The files of these cases.
pub(crate) const FILES: [&str; 4] =
    ["strategies.toml", "recommendation.toml", "rollback.toml", "limits.toml"];

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) policy: String,
    #[serde(default)]
    set: Vec<(String, Value)>,
    #[serde(default)]
    incident: Value,
    #[serde(default)]
    release: Value,
    #[serde(default)]
    traffic: Value,
    /// Code, place and a part of the sentence of what refuses the plan.
    pub(crate) refused: Option<(String, String, String)>,
    #[serde(default)]
    has: Vec<(String, Value)>,
    #[serde(default)]
    says: Vec<(String, String)>,
    #[serde(default)]
    lacks: Vec<String>,
}

pub(crate) fn load(folder: &Path) -> Vec<Case> {
    #[derive(serde::Deserialize)]
    struct File {
        case: Vec<Case>,
    }
    let read = |name: &&str| {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        toml::from_str::<File>(&text).unwrap_or_else(|e| panic!("{name}: {e}")).case
    };
    FILES.iter().flat_map(read).collect()
}

fn laid_over(mut base: Value, over: &Value) -> Value {
    for (key, value) in over.as_object().into_iter().flatten() {
        base[key] = value.clone();
    }
    base
}

impl Case {
    /// The policy's document, changed as the case says.
    pub(crate) fn change(&self, document: &mut Value) {
        for (pointer, value) in &self.set {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent =
                document.pointer_mut(parent).unwrap_or_else(|| panic!("{}: {pointer}", self.id));
            match parent {
                Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
                table => table[key] = value.clone(),
            }
        }
    }

    /// Incident, release and traffic.
    pub(crate) fn documents(&self) -> [Value; 3] {
        [
            laid_over(json!({ "id": "INC-2041" }), &self.incident),
            laid_over(json!({ "version": "2.3.1", "previous": "2.3.0" }), &self.release),
            laid_over(json!({}), &self.traffic),
        ]
    }

    /// What of the plan's document is not as the case says.
    pub(crate) fn faults(&self, answer: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        for (pointer, expected) in &self.has {
            let got = at(answer, pointer);
            if !got.as_ref().is_some_and(|got| same(got, expected)) {
                faults.push(format!("{}: {pointer} is {got:?}, not {expected}", self.id));
            }
        }
        for (pointer, part) in &self.says {
            let got = at(answer, pointer);
            let text = got.as_ref().map(Value::to_string).unwrap_or_default();
            if !text.contains(part) {
                faults.push(format!("{}: {pointer} does not say `{part}`: {text}", self.id));
            }
        }
        for pointer in &self.lacks {
            if let Some(got) = at(answer, pointer) {
                faults.push(format!("{}: {pointer} is there: {got}", self.id));
            }
        }
        faults
    }
}

/// What stands at a pointer. A step into a list is a number, or the `strategy`, `kind`, `code`, `move` or `name` of its
/// first such member; `*` takes what stands there in every member that has it.
fn at(value: &Value, pointer: &str) -> Option<Value> {
    let Some((step, rest)) = pointer
        .strip_prefix('/')
        .map(|steps| steps.split_at(steps.find('/').unwrap_or(steps.len())))
    else {
        return Some(value.clone());
    };
    let member = match value {
        Value::Array(list) if step == "*" => {
            return Some(list.iter().filter_map(|member| at(member, rest)).collect());
        }
        Value::Array(list) => match step.parse::<usize>() {
            Ok(index) => list.get(index),
            Err(_) => list.iter().find(|member| {
                ["strategy", "kind", "code", "move", "name"]
                    .iter()
                    .find_map(|key| member.get(key))
                    .is_some_and(|name| name == step)
            }),
        },
        other => other.get(step),
    };
    at(member?, rest)
}

/// Equal, with 1 and 1.0 alike.
fn same(got: &Value, expected: &Value) -> bool {
    match (got, expected) {
        (Value::Number(got), Value::Number(expected)) => got.as_f64() == expected.as_f64(),
        (Value::Array(got), Value::Array(expected)) => {
            got.len() == expected.len() && got.iter().zip(expected).all(|(g, e)| same(g, e))
        }
        (Value::Object(got), Value::Object(expected)) => {
            got.len() == expected.len()
                && got.iter().all(|(key, g)| expected.get(key).is_some_and(|e| same(g, e)))
        }
        _ => got == expected,
    }
}
