//! The figures and facts of the documents, as their presets have them: `tests/cases/preset/*.toml`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test reads its files and ends at what it did not expect"
)]

mod policy_common;

use std::collections::BTreeSet;

use hotfix_core::policy::Policy;
use policy_common::{in_crate, read};
use serde_json::Value;

/// A file of `tests/cases/preset`; `phased-canary.toml` there describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: String,
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default)]
    at: Vec<(String, Value)>,
    #[serde(default)]
    count: Vec<(String, usize)>,
    #[serde(default)]
    says: Vec<(String, String)>,
    #[serde(default)]
    absent: Vec<String>,
}

fn file(name: &str) -> File {
    let path = in_crate(&format!("tests/cases/preset/{name}.toml"));
    toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{name}: {error}"))
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
    fn faults(&self, policy: &Value) -> Vec<String> {
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

fn check(name: &str) {
    let File { policy, case: cases } = file(name);
    assert_eq!(policy, name, "the file is named for its preset");
    let preset = Policy::preset(name).unwrap_or_else(|error| panic!("{error}"));
    let document: Value = serde_json::from_str(&preset.to_json()).unwrap();
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len(), "{name}: two cases have one id");
    let faults: Vec<String> = cases.iter().flat_map(|case| case.faults(&document)).collect();
    assert!(faults.is_empty(), "{name}\n{}", faults.join("\n"));
}

#[test]
fn plan_2_the_figures_of_s1() {
    check("phased-canary");
}

#[test]
fn sev_6_the_figures_of_s2() {
    check("enterprise");
}

#[test]
fn plan_3_the_figures_of_s3() {
    check("fast-track");
}

#[test]
fn sev_4_the_figures_of_s4() {
    check("severity-matrix");
}

#[test]
fn met_5_the_figures_of_s5() {
    check("emergency-command");
}

#[test]
fn dec_5_what_our_own_merge_takes() {
    check("standard");
}

#[test]
fn plan_2_a_case_fails_on_another_figure() {
    let policy = r#"{ "a": [{ "b": 1, "c": [] }, { "b": 2.0, "id": "z" }], "d": "x y", "n": null, "t": "" }"#;
    let policy: Value = serde_json::from_str(policy).unwrap();
    for (text, faults) in [
        (r#"at = [["/a/*/b", [1.0, 2]], ["/a/0", { b = 1, c = [] }], ["/a/z/b", 2]]"#, 0),
        (r#"at = [["/a/*/c", [[]]], ["/a/*/e", []]]"#, 0),
        (r#"at = [["/a/*/b", [1, 3]], ["/a/*/b", [1]], ["/a/2", 1], ["/a/0", { b = 1 }]]"#, 4),
        (r#"at = [["/a/y/b", 2], ["/d/*", ["x y"]], ["/a/*/c/*", []], ["/d", "x"]]"#, 4),
        (r#"count = [["/a", 2], ["/a/z", 3], ["/a/0/c", 1], ["/d", 1], ["/e", 0]]"#, 4),
        (r#"says = [["/d", "y"], ["/d", "z"], ["/a", "x"], ["/e", "x"]]"#, 3),
        (r#"absent = ["/e", "/a/0/c", "/n", "/t", "/a", "/d"]"#, 2),
        ("", 1),
    ] {
        let case: Case = toml::from_str(&format!("id = \"PLAN-2.x\"\n{text}")).unwrap();
        assert_eq!(case.faults(&policy).len(), faults, "{text}");
    }
}
