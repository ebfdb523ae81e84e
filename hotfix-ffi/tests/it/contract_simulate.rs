//! POST-5: simulations through the C functions, and their contract.

use std::ptr::{null, null_mut};

use hotfix::advise::*;
use hotfix::buffer::hotfix_buf;
use hotfix::simulate::*;
use hotfix::status::hotfix_status;
use serde_json::{Value, json};

use crate::common::{self, Plan, Policy, buffer, call, raw};

const FAULT: &str =
    r#"{"faults": [{"kind": "errors", "times": 30.0}], "expect": {"ended": ["rolled_back"]}}"#;

fn play(plan: &Plan, from: u64, count: u64) -> Value {
    let (text, len) = raw(FAULT);
    // SAFETY: a live plan, text and buffer.
    let json = unsafe {
        buffer(|out, e| hotfix_simulate(plan.0, text, len, 3, from, count, out, e)).unwrap()
    };
    serde_json::from_str(&json).unwrap()
}

#[test]
fn post_5_runs_split_between_hosts_merge_to_the_same() {
    let plan = Plan::any();
    let whole = play(&plan, 0, 9);
    assert_eq!(whole["outcome"]["runs"], 9);
    assert_eq!(whole["outcome"]["missed_faults"]["count"], 0);
    let parts = json!([play(&plan, 4, 5)["tally"], play(&plan, 0, 4)["tally"]]).to_string();
    let (text, len) = raw(&parts);
    // SAFETY: live text and buffer.
    let merged = unsafe { buffer(|out, e| hotfix_simulate_merge(text, len, out, e)).unwrap() };
    assert_eq!(serde_json::from_str::<Value>(&merged).unwrap(), whole);
    for (text, code) in [("[]", "HF-SIM-003"), ("[1]", "HF-SIM-001"), ("", "HF-SIM-001")] {
        let (text, len) = raw(text);
        // SAFETY: live text and buffer.
        let error = unsafe { buffer(|out, e| hotfix_simulate_merge(text, len, out, e)) };
        let error = error.unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (hotfix_status::Simulate, code));
    }
}

#[test]
fn post_5_a_drill_and_a_comparison_are_documents() {
    let (plan, (text, len)) = (Plan::any(), raw(FAULT));
    // SAFETY: a live plan, text and buffer.
    let (drill, table) = unsafe {
        (
            buffer(|out, e| hotfix_drill(plan.0, text, len, 3, 2, out, e)).unwrap(),
            buffer(|out, e| hotfix_simulate_compare(plan.0, plan.0, text, len, 3, 0, 4, out, e))
                .unwrap(),
        )
    };
    let drill: Value = serde_json::from_str(&drill).unwrap();
    assert_eq!((&drill["unmet"], &drill["run"]["ended"]), (&json!([]), &json!("rolled_back")));
    assert!(drill["log"].as_str().unwrap().lines().count() > 10);
    let table: Value = serde_json::from_str(&table).unwrap();
    assert_eq!((&table["runs"], &table["affected_each"]["mean"]), (&json!(4), &json!(0.0)));
}

fn advise(question: &Value) -> Result<Value, common::Failed> {
    let policy = Policy::preset("phased-canary").unwrap();
    let question = question.to_string();
    let (text, len) = raw(&question);
    // SAFETY: a live policy, text and buffer.
    let json = unsafe { buffer(|out, e| hotfix_simulate_advise(policy.0, text, len, out, e)) };
    json.map(|json| serde_json::from_str(&json).unwrap())
}

#[test]
fn post_5_advice_is_a_document_and_a_bad_question_has_its_code_and_place() {
    let good = json!({
        "scenarios": [{}, {"faults": [{"kind": "errors", "times": 30.0}]}],
        "axes": [{"path": "/phases/0/share", "values": ["4%", "8%"]}],
        "bound": 0.5, "runs": 9, "seed": 3,
    });
    let advice = advise(&good).unwrap();
    assert_eq!((&advice["runs"], &advice["most_false_rollbacks"]), (&json!(9), &json!(0.5)));
    let candidates = advice["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 3);
    assert_eq!(candidates[2]["changes"], json!({"/phases/0/share": "8%"}));
    let path = |path: &str| json!([{"path": path, "values": [1]}]);
    for (key, value, code, place) in [
        ("axes", path("/phasse/0"), "HF-SIM-009", "/axes/0/path"),
        ("axes", json!([]), "HF-SIM-012", "/axes"),
        ("axes", json!({"/phases/0/share": [0.1]}), "HF-SIM-004", "/axes"),
        ("axes", json!([{"values": [1]}]), "HF-SIM-003", "/axes/0"),
        ("bound", json!(1.5), "HF-SIM-004", "/bound"),
        ("bound", json!(null), "HF-SIM-004", "/bound"),
        ("runs", json!(0), "HF-SIM-006", "/runs"),
        ("scenarios", json!({}), "HF-SIM-004", "/scenarios"),
        ("scenarios", json!([]), "HF-SIM-012", "/scenarios"),
        ("scenarios", json!([{}, {"until": "soon"}]), "HF-SIM-004", "/scenarios/1/until"),
        ("scenarios", json!(["until ="]), "HF-SIM-001", "/scenarios/0"),
        ("run", json!(1), "HF-SIM-002", "/run"),
    ] {
        let mut bad = good.clone();
        bad[key] = value;
        let error = advise(&bad).unwrap_err();
        assert_eq!(error.status, hotfix_status::Simulate, "{bad}");
        assert_eq!((error.code.as_str(), error.path.as_str()), (code, place), "{bad}");
    }
}

#[test]
fn post_5_what_is_wrong_with_a_scenario_comes_at_once() {
    let (plan, (text, len)) = (Plan::any(), raw("sed = 1\nuntil = 'soon'"));
    // SAFETY: a live plan, text and buffer.
    let error = unsafe {
        buffer(|out, e| hotfix_simulate(plan.0, text, len, 0, 0, 1, out, e)).unwrap_err()
    };
    assert_eq!(error.status, hotfix_status::Simulate);
    assert_eq!(error.json["count"], 2);
}

#[test]
fn post_5_null_and_bad_text_are_errors() {
    let (plan, policy) = (Plan::any(), Policy::preset("standard").unwrap());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let (out, no) = (&raw mut buf, null_mut::<hotfix_buf>());
    let ((text, len), (bad, n)) = (raw(FAULT), (c"ab\xff".as_ptr(), 3));
    let p = plan.0;
    // SAFETY: null where that is refused, else live.
    let (nulls, texts) = unsafe {
        (
            [
                call(|e| hotfix_simulate(null(), text, len, 0, 0, 1, out, e)),
                call(|e| hotfix_simulate(p, null(), 1, 0, 0, 1, out, e)),
                call(|e| hotfix_simulate(p, text, len, 0, 0, 1, no, e)),
                call(|e| hotfix_simulate_merge(null(), 1, out, e)),
                call(|e| hotfix_simulate_merge(text, len, no, e)),
                call(|e| hotfix_simulate_compare(null(), p, text, len, 0, 0, 1, out, e)),
                call(|e| hotfix_simulate_compare(p, null(), text, len, 0, 0, 1, out, e)),
                call(|e| hotfix_simulate_compare(p, p, null(), 1, 0, 0, 1, out, e)),
                call(|e| hotfix_simulate_compare(p, p, text, len, 0, 0, 1, no, e)),
                call(|e| hotfix_drill(null(), text, len, 0, 0, out, e)),
                call(|e| hotfix_drill(p, null(), 1, 0, 0, out, e)),
                call(|e| hotfix_drill(p, text, len, 0, 0, no, e)),
                call(|e| hotfix_simulate_advise(null(), text, len, out, e)),
                call(|e| hotfix_simulate_advise(policy.0, null(), 1, out, e)),
                call(|e| hotfix_simulate_advise(policy.0, text, len, no, e)),
            ],
            [
                call(|e| hotfix_simulate(p, bad, n, 0, 0, 1, out, e)),
                call(|e| hotfix_simulate_merge(bad, n, out, e)),
                call(|e| hotfix_simulate_compare(p, p, bad, n, 0, 0, 1, out, e)),
                call(|e| hotfix_drill(p, bad, n, 0, 0, out, e)),
                call(|e| hotfix_simulate_advise(policy.0, bad, n, out, e)),
            ],
        )
    };
    for (at, result) in nulls.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status, hotfix_status::Null, "{at}");
    }
    for (at, result) in texts.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status, hotfix_status::Utf8, "{at}");
    }
    assert!(buf.data.is_null());
    // SAFETY: null is refused, and nobody asked for the error.
    let status = unsafe { hotfix_drill(null(), text, len, 0, 0, out, null_mut()) };
    assert_eq!(status, hotfix_status::Null);
}
