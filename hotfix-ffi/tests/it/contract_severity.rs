//! What the questions on an incident promise: nulls, UTF-8, facts that cannot be read, poison, answers.

use std::ptr::{null, null_mut};

use hotfix::buffer::*;
use hotfix::hook::*;
use hotfix::policy::*;
use hotfix::severity::*;
use hotfix::status::*;
use serde_json::{Value, json};

use crate::common::{Failed, NOTHING, Policy, buffer, call, fails, raw};

/// A policy with two rules, from which a tree follows.
const RULES: &str = "
extends = 'phased-canary'
[severities.P0]
label = 'critical'
hotfix = true
[severities.P1]
label = 'high'
hotfix = true
[[rules]]
id = 'down'
title = 'nobody is served'
severity = 'P0'
when = 'service_down'
[[rules]]
id = 'many'
title = 'many are hit'
severity = 'P1'
when = { fact = 'users_affected', above = '25%' }
";

fn policy() -> Policy {
    let ((at, len), mut out) = (raw(RULES), null_mut());
    // SAFETY: live text and slot.
    call(|e| unsafe { hotfix_policy_from_toml(at, len, &raw mut out, e) }).unwrap();
    Policy(out)
}

fn classify(policy: &Policy, facts: &str) -> Result<Value, Failed> {
    let (at, len) = raw(facts);
    // SAFETY: live handle, text and buffer.
    let text = buffer(|out, e| unsafe { hotfix_policy_classify(policy.0, at, len, out, e) })?;
    Ok(serde_json::from_str(&text).unwrap())
}

fn decide(policy: &Policy, facts: &str) -> Result<Value, Failed> {
    let (at, len) = raw(facts);
    // SAFETY: live handle, text and buffer.
    let text = buffer(|out, e| unsafe { hotfix_policy_decide(policy.0, at, len, out, e) })?;
    Ok(serde_json::from_str(&text).unwrap())
}

fn lint(policy: &Policy, at: &str) -> Result<Value, Failed> {
    let (at, len) = raw(at);
    // SAFETY: live handle, text and buffer.
    let text = buffer(|out, e| unsafe { hotfix_policy_lint(policy.0, at, len, out, e) })?;
    Ok(serde_json::from_str(&text).unwrap())
}

#[test]
fn sev_3_a_null_pointer_is_an_error_to_the_questions_on_an_incident() {
    let (policy, (json, len)) = (policy(), raw("{}"));
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let buf = &raw mut buf;
    fails! { Null:
        hotfix_policy_classify(null(), json, len, buf);
        hotfix_policy_classify(policy.0, null(), 1, buf);
        hotfix_policy_classify(policy.0, json, len, null_mut());
        hotfix_policy_decide(null(), json, len, buf);
        hotfix_policy_decide(policy.0, null(), 1, buf);
        hotfix_policy_decide(policy.0, json, len, null_mut());
        hotfix_policy_lint(null(), null(), 0, buf);
        hotfix_policy_lint(policy.0, null(), 1, buf);
        hotfix_policy_lint(policy.0, null(), 0, null_mut());
        hotfix_policy_tree_mermaid(null(), buf);
        hotfix_policy_tree_mermaid(policy.0, null_mut());
        hotfix_policy_tree_dot(null(), buf);
        hotfix_policy_tree_dot(policy.0, null_mut());
    }
}

#[test]
fn sev_3_text_and_lengths_that_are_none_are_errors() {
    let (policy, bad) = (policy(), b"{\"service_down\": \"\xff\"}");
    let (at, len) = (bad.as_ptr().cast(), bad.len());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let buf = &raw mut buf;
    fails! { Utf8:
        hotfix_policy_classify(policy.0, at, len, buf);
        hotfix_policy_decide(policy.0, at, len, buf);
        hotfix_policy_lint(policy.0, at, len, buf);
    }
    fails! { Range:
        hotfix_policy_classify(policy.0, at, usize::MAX, buf);
        hotfix_policy_decide(policy.0, at, usize::MAX, buf);
        hotfix_policy_lint(policy.0, at, usize::MAX, buf);
    }
    let failed = lint(&policy, "tomorrow").unwrap_err();
    assert_eq!(
        (failed.status, &*failed.code, &*failed.path),
        (hotfix_status::Unit, "HF-UNIT-003", "at")
    );
}

#[test]
fn sev_2_facts_that_cannot_be_read_are_refused_with_code_and_place() {
    let policy = policy();
    for (facts, code, path) in [
        ("{", "HF-JSON-007", ""),
        ("[]", "HF-JSON-007", ""),
        ("null", "HF-JSON-007", ""),
        ("{} {}", "HF-JSON-007", ""),
        (r#"{"users_affected": NaN}"#, "HF-JSON-007", ""),
        (r#"{"service_down": true, "service_down": false}"#, "HF-JSON-003", ""),
        (r#"{"service_dwon": true}"#, "HF-FACT-001", "/service_dwon"),
        (r#"{"a/b~": true}"#, "HF-FACT-001", "/a~1b~0"),
        (r#"{"service_down": "yes"}"#, "HF-FACT-002", "/service_down"),
        (r#"{"service_down": [true]}"#, "HF-FACT-002", "/service_down"),
        (r#"{"users_affected": 3}"#, "HF-UNIT-005", "/users_affected"),
    ] {
        for failed in [classify(&policy, facts).unwrap_err(), decide(&policy, facts).unwrap_err()] {
            let got = (failed.status, &*failed.code, &*failed.path);
            assert_eq!(got, (hotfix_status::Fact, code, path), "{facts}: {}", failed.message);
            assert!(!failed.message.is_empty(), "{facts}");
            let of = &failed.json["errors"][0];
            assert_eq!((&of["code"], &of["path"]), (&json!(code), &json!(path)), "{facts}");
        }
    }
    let failed = classify(&policy, r#"{"users_affected": 3, "service_dwon": 1}"#).unwrap_err();
    assert_eq!(failed.json["count"], 2);
    let paths: Vec<&Value> =
        failed.json["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
    assert_eq!(paths, ["/service_dwon", "/users_affected"]);
    assert!(failed.json["errors"][0]["message"].as_str().unwrap().contains("`service_down`"));
}

#[test]
fn sev_5_nothing_known_is_no_error_and_no_answer() {
    let policy = policy();
    let (at, len) = NOTHING;
    // SAFETY: live handle and buffer; no text.
    let text = buffer(|out, e| unsafe { hotfix_policy_classify(policy.0, at, len, out, e) });
    let nothing: Value = serde_json::from_str(&text.unwrap()).unwrap();
    assert_eq!(nothing, classify(&policy, "{}").unwrap());
    assert_eq!(nothing, classify(&policy, r#"{"service_down": null}"#).unwrap());
    assert_eq!(
        (&nothing["severity"], &nothing["at_worst"], &nothing["settled"]),
        (&Value::Null, &json!("P0"), &json!(false))
    );
}

#[test]
fn sev_4_the_answers_are_the_documents_of_the_core() {
    let policy = policy();
    let known = classify(&policy, r#"{"users_affected": "30%"}"#).unwrap();
    assert_eq!((&known["severity"], &known["at_worst"]), (&json!("P1"), &json!("P0")));
    assert_eq!(known["rules"][0]["id"], "many");
    assert_eq!(known["if_known"]["service_down"], json!({"false": "P1", "true": "P0"}));
    let open = decide(&policy, r#"{"users_affected": 0.3}"#).unwrap();
    assert_eq!(open["outcome"], Value::Null);
    assert_eq!(open["next_question"]["fact"], "service_down");
    let settled = decide(&policy, r#"{"service_down": true}"#).unwrap();
    assert_eq!(
        (&settled["outcome"]["severity"], &settled["settled"]),
        (&json!("P0"), &json!(true))
    );
}

#[test]
fn dec_6_a_policy_without_a_tree_gives_empty_text() {
    let tree = |policy: &Policy| {
        // SAFETY: live handles and buffers.
        let [mermaid, dot] = unsafe {
            [
                buffer(|out, e| hotfix_policy_tree_mermaid(policy.0, out, e)),
                buffer(|out, e| hotfix_policy_tree_dot(policy.0, out, e)),
            ]
        };
        (mermaid.unwrap(), dot.unwrap())
    };
    let (mermaid, dot) = tree(&policy());
    assert!(mermaid.starts_with("flowchart TD\n"), "{mermaid}");
    assert!(dot.starts_with("digraph tree {\n"), "{dot}");
    assert_eq!(tree(&Policy::preset("phased-canary").unwrap()), (String::new(), String::new()));
}

#[test]
fn dec_5_findings_come_as_a_list() {
    let policy = policy();
    for at in ["", "2026-03-03T14:40:00Z"] {
        let found = lint(&policy, at).unwrap();
        assert_ne!(found, json!([]));
        for finding in found.as_array().unwrap() {
            for key in ["code", "level", "path", "message", "remedy"] {
                assert!(finding[key].is_string(), "{finding}");
            }
        }
    }
}

#[test]
fn a_poisoned_policy_answers_no_question() {
    let policy = policy();
    // SAFETY: a live handle.
    assert!(call(|e| unsafe { hotfix_hook_panic_policy(policy.0, e) }).is_err());
    let (json, len) = raw("{}");
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let buf = &raw mut buf;
    fails! { Poisoned:
        hotfix_policy_classify(policy.0, json, len, buf);
        hotfix_policy_decide(policy.0, json, len, buf);
        hotfix_policy_lint(policy.0, null(), 0, buf);
        hotfix_policy_tree_mermaid(policy.0, buf);
        hotfix_policy_tree_dot(policy.0, buf);
    }
}
