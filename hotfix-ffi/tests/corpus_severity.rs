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
use hotfix::severity::hotfix_policy_decide;
use serde_json::Value;

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
