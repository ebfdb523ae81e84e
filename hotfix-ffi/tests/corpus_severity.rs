//! The shared cases of presets, severities, decisions and findings through the C functions.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]
#![allow(clippy::result_large_err, reason = "a test reads the whole error")]

mod common;
#[path = "../../hotfix-core/tests/decision_cases/mod.rs"]
mod decision_cases;
#[path = "../../hotfix-core/tests/preset_common/mod.rs"]
mod preset_common;

use std::ptr::null_mut;

use common::{Policy, buffer, call, in_crate, raw};
use hotfix::policy::{hotfix_policy_from_toml, hotfix_policy_presets, hotfix_policy_to_json};
use hotfix::severity::{hotfix_policy_classify, hotfix_policy_decide};
use serde_json::{Map, Value};

const CORE: &str = "../hotfix-core/tests";

fn read(path: &str) -> String {
    let path = in_crate(CORE).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn presets() -> Vec<String> {
    // SAFETY: a live buffer.
    let names = buffer(|out, e| unsafe { hotfix_policy_presets(out, e) });
    serde_json::from_str(&names.unwrap()).unwrap()
}

/// A preset, else a policy of `tests/policies`.
fn policy(name: &str) -> Policy {
    if presets().iter().any(|preset| preset == name) {
        return Policy::preset(name).unwrap();
    }
    let (toml, mut out) = (read(&format!("policies/{name}.toml")), null_mut());
    let (at, len) = raw(&toml);
    // SAFETY: live text and slot.
    call(|e| unsafe { hotfix_policy_from_toml(at, len, &raw mut out, e) }).unwrap();
    Policy(out)
}

fn classify(policy: &Policy, facts: &Value) -> Value {
    let facts = facts.to_string();
    let (at, len) = raw(&facts);
    // SAFETY: live handle, text and buffer.
    let text = buffer(|out, e| unsafe { hotfix_policy_classify(policy.0, at, len, out, e) });
    serde_json::from_str(&text.unwrap()).unwrap()
}

fn decide(policy: &Policy, facts: &Value) -> Value {
    let facts = facts.to_string();
    let (at, len) = raw(&facts);
    // SAFETY: live handle, text and buffer.
    let text = buffer(|out, e| unsafe { hotfix_policy_decide(policy.0, at, len, out, e) });
    serde_json::from_str(&text.unwrap()).unwrap()
}

#[test]
fn field_5_every_preset_has_its_figures_in_c() {
    let mut faults = Vec::new();
    for name in presets() {
        let file: preset_common::File =
            toml::from_str(&read(&format!("cases/preset/{name}.toml"))).unwrap();
        // SAFETY: a live handle and buffer.
        let json = buffer(|out, e| unsafe { hotfix_policy_to_json(policy(&name).0, out, e) });
        let document = serde_json::from_str(&json.unwrap()).unwrap();
        faults.extend(file.case.iter().flat_map(|case| case.faults(&document)));
        assert_eq!((&file.policy, file.case.is_empty()), (&name, false));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn dec_4_every_case_is_decided_as_expected_in_c() {
    let cases = decision_cases::Case::load(&in_crate(CORE).join("cases/decision"));
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .flat_map(|case| case.faults(&decide(&policy(&case.policy), &case.facts)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `cases/sev/scenario.toml` describes the form.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    policy: String,
    facts: Value,
    #[serde(default)]
    expect: Map<String, Value>,
    #[serde(default)]
    none: Vec<String>,
    #[serde(default)]
    decide: Map<String, Value>,
}

/// Whether an answer is as expected: numbers as doubles, objects by some of their members or by their id.
fn told(got: &Value, expected: &Value) -> bool {
    match (got, expected) {
        (Value::Number(got), Value::Number(expected)) => got.as_f64() == expected.as_f64(),
        (Value::Object(got), Value::Object(expected)) => {
            expected.iter().all(|(key, e)| got.get(key).is_some_and(|g| told(g, e)))
        }
        (Value::Object(got), Value::String(_)) => got.get("id") == Some(expected),
        (Value::Array(got), Value::Array(expected)) => {
            got.len() == expected.len() && got.iter().zip(expected).all(|(g, e)| told(g, e))
        }
        _ => got == expected,
    }
}

impl Case {
    fn faults(&self) -> Vec<String> {
        let policy = policy(&self.policy);
        let (severity, decision) = (classify(&policy, &self.facts), decide(&policy, &self.facts));
        let null = self.none.iter().map(|key| (&severity, key, &Value::Null));
        let told_of = |(document, key, expected): (&Value, &String, &Value)| {
            let got = document.get(key);
            let same = got.is_some_and(|got| told(got, expected));
            (!same).then(|| format!("{}: {key} is {got:?}, expected {expected}", self.id))
        };
        let checks: Vec<_> = (self.expect.iter().map(|(key, e)| (&severity, key, e)))
            .chain(self.decide.iter().map(|(key, e)| (&decision, key, e)))
            .chain(null)
            .collect();
        assert!(!checks.is_empty(), "{}: looks at nothing", self.id);
        checks.into_iter().filter_map(told_of).collect()
    }
}

#[test]
fn sev_5_every_case_is_classified_as_expected_in_c() {
    #[derive(serde::Deserialize)]
    struct File {
        case: Vec<Case>,
    }
    let mut faults = Vec::new();
    for folder in ["sev", "dec"] {
        let Ok(files) = std::fs::read_dir(in_crate(CORE).join("cases").join(folder)) else {
            continue;
        };
        for path in files.map(|file| file.unwrap().path()) {
            let text = std::fs::read_to_string(&path).unwrap();
            let file: File =
                toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert!(!file.case.is_empty(), "{}", path.display());
            faults.extend(file.case.iter().flat_map(Case::faults));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
