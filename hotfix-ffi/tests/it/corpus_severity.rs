//! The shared cases of presets, severities, decisions and findings through the C functions.

use std::path::Path;
use std::ptr::{null, null_mut};

use hotfix::policy::{hotfix_policy_from_toml, hotfix_policy_presets, hotfix_policy_to_json};
use hotfix::severity::{hotfix_policy_classify, hotfix_policy_decide, hotfix_policy_lint};
use serde_json::Value;

use crate::common::{Policy, buffer, call, in_crate, raw};
use crate::shared::answer_cases::{self, DecisionCase, SeverityFile};
use crate::shared::lint_cases::{self, LintCase, NOW, PresetFindings};
use crate::shared::preset_common;

const CORE: &str = "../hotfix-core/tests";

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(path: &str) -> String {
    text_of(&in_crate(CORE).join(path))
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
    from_toml(&read(&format!("policies/{name}.toml")))
}

fn from_toml(text: &str) -> Policy {
    let ((at, len), mut out) = (raw(text), null_mut());
    // SAFETY: live text and slot.
    call(|e| unsafe { hotfix_policy_from_toml(at, len, &raw mut out, e) }).unwrap();
    Policy(out)
}

fn to_json(policy: &Policy) -> Value {
    // SAFETY: a live handle and buffer.
    let text = buffer(|out, e| unsafe { hotfix_policy_to_json(policy.0, out, e) });
    serde_json::from_str(&text.unwrap()).unwrap()
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
        let document = to_json(&policy(&name));
        faults.extend(file.case.iter().flat_map(|case| case.faults(&document)));
        assert_eq!((&file.policy, file.case.is_empty()), (&name, false));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn dec_4_every_case_is_decided_as_expected_in_c() {
    let cases: Vec<DecisionCase> = answer_cases::load(&in_crate(CORE).join("cases/decision"));
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .flat_map(|case| case.faults(&decide(&policy(&case.policy), &case.facts)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sev_3_every_case_is_classified_and_decided_in_c_as_the_document_says() {
    let files = SeverityFile::load(&in_crate(CORE).join("cases/sev"));
    assert_eq!(files.len(), presets().len());
    let mut wrong = Vec::new();
    for file in files {
        let policy = Policy::preset(&file.policy).unwrap();
        for case in &file.case {
            let facts = case.known(&file.quiet);
            wrong.extend(case.faults(&classify(&policy, &facts), &decide(&policy, &facts)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dec_5_each_fault_is_found_in_c_and_nothing_that_is_none() {
    let lab = to_json(&from_toml(&text_of(&in_crate("../examples/policies/lab.toml"))));
    let cases = LintCase::load(&in_crate(CORE).join("cases/lint/tree.toml"));
    assert!(cases.len() > 20, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let policy =
            Policy::from_json(&lint_cases::with(lab.clone(), &case.policy).to_string()).unwrap();
        // SAFETY: a live handle and buffer.
        let found = buffer(|out, e| unsafe { hotfix_policy_lint(policy.0, null(), 0, out, e) });
        wrong.extend(case.faults(&serde_json::from_str(&found.unwrap()).unwrap()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dec_5_every_finding_of_every_preset_in_c() {
    let mut wrong = Vec::new();
    let (at, len) = raw(NOW);
    for name in presets() {
        let policy = Policy::preset(&name).unwrap();
        // SAFETY: live handle, text and buffer.
        let found = buffer(|out, e| unsafe { hotfix_policy_lint(policy.0, at, len, out, e) });
        let cases = PresetFindings::load(&in_crate(CORE).join("cases/findings"), &name);
        let faults = cases.faults(&serde_json::from_str(&found.unwrap()).unwrap());
        wrong.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
