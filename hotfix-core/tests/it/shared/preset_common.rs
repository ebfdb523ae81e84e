//! What stands in a preset's document, beside what a case says: for Rust and C alike.

use serde_json::Value;

/// A file of `tests/cases/preset`; `phased-canary.toml` there describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "who reads cases of another form uses the looks alone")]
pub(crate) struct File {
    pub(crate) policy: String,
    pub(crate) case: Vec<Case>,
}

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    at: Vec<(String, Value)>,
    #[serde(default)]
    count: Vec<(String, usize)>,
    #[serde(default)]
    says: Vec<(String, String)>,
    #[serde(default)]
    absent: Vec<String>,
}

fn members(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(list) => Some(list.iter().collect()),
        Value::Object(table) => Some(table.values().collect()),
        _ => None,
    }
}

/// What stands at a pointer. A step into a list is a number or the `id` of a member; `*` takes every member, and the
/// answer is the list of what stands there, without the members that lack the rest.
fn at(value: &Value, pointer: &str) -> Option<Value> {
    let Some((step, rest)) = pointer.strip_prefix('/').map(|steps| {
        let end = steps.find('/').unwrap_or(steps.len());
        steps.split_at(end)
    }) else {
        return Some(value.clone());
    };
    if step == "*" {
        return Some(members(value)?.into_iter().filter_map(|member| at(member, rest)).collect());
    }
    let member = match value {
        Value::Array(list) => match step.parse::<usize>() {
            Ok(index) => list.get(index),
            Err(_) => list.iter().find(|member| member.get("id").is_some_and(|id| id == step)),
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

impl Case {
    /// What differs in a policy's document.
    pub(crate) fn faults(&self, policy: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, got: Option<Value>, expected: String| {
            let got = got.map_or_else(|| "not there".to_owned(), |got| got.to_string());
            faults.push(format!("{}: {pointer} is {got}, {expected}", self.id));
        };
        for (pointer, expected) in &self.at {
            let got = at(policy, pointer);
            if !got.as_ref().is_some_and(|got| same(got, expected)) {
                fault(pointer, got, format!("not {expected}"));
            }
        }
        for (pointer, expected) in &self.count {
            let got = at(policy, pointer);
            let count = got.as_ref().and_then(members).map(|members| members.len());
            if count != Some(*expected) {
                fault(pointer, got, format!("{count:?} members, not {expected}"));
            }
        }
        for (pointer, part) in &self.says {
            let got = at(policy, pointer);
            if !got.as_ref().and_then(Value::as_str).is_some_and(|text| text.contains(part)) {
                fault(pointer, got, format!("without `{part}`"));
            }
        }
        for pointer in &self.absent {
            let got = at(policy, pointer);
            let empty = |got: &Value| {
                got.is_null() || got == "" || members(got).is_some_and(|members| members.is_empty())
            };
            if !got.as_ref().is_none_or(empty) {
                fault(pointer, got, "not absent".to_owned());
            }
        }
        let checks = self.at.len() + self.count.len() + self.says.len() + self.absent.len();
        if checks == 0 {
            faults.push(format!("{}: looks at nothing", self.id));
        }
        faults
    }
}
