//! The examples of the linter's findings, fed back to what they are about; order and places of the findings.

use hotfix_core::lint::Finding;
use hotfix_core::policy::Policy;
use serde_json::{Value, json};

use crate::lint_patch::{feed_back, now, patched};

const ERRORS: &str = "/metrics/error_rate/success";

/// Policies with findings of every kind that has an example.
fn with_examples() -> Vec<Policy> {
    let mut policies: Vec<Policy> =
        Policy::presets().iter().map(|name| Policy::preset(name).unwrap()).collect();
    let toss = json!({ "ratio": 1.0, "of": "reference" });
    policies.push(patched(
        "standard",
        &[&vec![
            (ERRORS, toss.clone()),
            ("/metrics/payment_success/success", toss),
            ("/metrics/payment_success/alert", json!(0.99)),
            ("/metrics/payment_success/rollback", json!(0.985)),
            ("/metrics/bug/reference", json!(1.25)),
            ("/metrics/bug/success", json!(1.5)),
            ("/metrics/bug/rollback", json!(20)),
            ("/metrics/bug/alert", json!(6)),
            ("/change_record", json!({ "estimate": { "most": 3000 } })),
        ]],
    ));
    policies
}

#[test]
fn dec_5_every_example_shows_its_fault() {
    let mut shown = Vec::new();
    for policy in with_examples() {
        let found = policy.lint(Some(now()));
        for finding in found.iter().filter(|finding| finding.example.is_some()) {
            feed_back(&policy, finding);
            shown.push(finding.code());
        }
    }
    for code in ["HF-LINT-022", "HF-LINT-023", "HF-LINT-024", "HF-LINT-033", "HF-LINT-042"] {
        assert!(shown.contains(&code), "no example of {code}");
    }
}

#[test]
fn dec_5_the_standard_policy_has_few_findings_and_every_list_is_in_order() {
    let codes = |found: &[Finding]| found.iter().map(Finding::code).collect::<Vec<_>>();
    let standard = Policy::preset("standard").unwrap().lint(Some(now()));
    let graver = |finding: &&Finding| finding.level() != hotfix_core::lint::Level::Note;
    assert_eq!(standard.iter().filter(graver).count(), 0, "{:?}", codes(&standard));
    for policy in with_examples() {
        let found = policy.lint(Some(now()));
        assert!(found.is_sorted_by_key(Finding::code), "{:?}", codes(&found));
        assert_eq!(found, policy.lint(Some(now())));
        for finding in &found {
            let document: Value = serde_json::from_str(&policy.to_json()).unwrap();
            assert!(document.pointer(&finding.path).is_some(), "nothing at {}", finding.path);
            assert!(!finding.remedy().is_empty());
        }
    }
}
