//! What calibrated plans and the evidence of a metric promise: nulls, UTF-8, poison, and nothing half done.

use std::ffi::c_char;
use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::plan::*;
use hotfix::rollout::hotfix_recording;
use hotfix::status::hotfix_status;
use hotfix::view::hotfix_rollout_evidence;
use serde_json::Value;

use crate::common::{Failed, NOTHING, Plan, Policy, Rollout, buffer, call, plan_view, raw};

const INCIDENT: &str = r#"{"id": "INC-1"}"#;
const RELEASE: &str = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;

/// Forty ticks of two pods: enough for S1's ten, one a minute.
fn history() -> String {
    let pod: Vec<[u32; 2]> = (0..40).map(|tick| [u32::from(tick % 9 == 0), 100]).collect();
    serde_json::json!({"error_rate": {"a": pod, "b": pod, "c": pod}}).to_string()
}

fn plan(history: &str) -> Result<Plan, Failed> {
    let policy = Policy::preset("phased-canary").unwrap();
    Plan::calibrated(&policy, [INCIDENT, RELEASE, "", history])
}

#[test]
fn plan_7_a_calibrated_plan_says_what_it_makes_of_the_history() {
    let plan = plan(&history()).unwrap();
    let text = plan_view(&plan, "calibration", "").unwrap();
    let seen: Value = serde_json::from_str(&text).unwrap();
    let phases = seen["error_rate"]["phases"].as_array().unwrap();
    assert_eq!(phases.len(), 2);
    assert!(phases[0]["calibration"]["threshold"].as_f64().unwrap() > 4.6);
    assert_eq!(plan_view(&Plan::any(), "calibration", "").unwrap(), "{}");
}

#[test]
fn plan_7_a_history_that_is_none_has_a_place() {
    for (history, code, path) in [
        (r#"{"latency_p95": {"a": [], "b": []}}"#, "HF-PLAN-006", "/calibration/latency_p95"),
        (r#"{"error_rate": {"a": [[0, 1]]}}"#, "HF-PLAN-007", "/calibration/error_rate"),
        ("[]", "HF-PLAN-001", "/calibration"),
    ] {
        let failed = plan(history).err().unwrap();
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Plan, code));
        assert_eq!(failed.path, path);
    }
}

#[test]
fn stat_4_evidence_is_there_on_demand() {
    let rollout = Rollout::new(&plan(&history()).unwrap(), hotfix_recording::Off);
    let evidence = |metric: &str| {
        let (at, len) = raw(metric);
        // SAFETY: live handle, text and slot.
        buffer(|out, error| unsafe { hotfix_rollout_evidence(rollout.0, at, len, out, error) })
    };
    let seen: Value = serde_json::from_str(&evidence("error_rate").unwrap()).unwrap();
    assert_eq!((&seen["mode"], &seen["guarantee"]), (&"replay".into(), &"calibrated".into()));
    assert!(seen["threshold"].as_f64().unwrap() > 4.6 && seen["cap"].is_f64());
    assert_eq!((&seen["log_e"], &seen["decided"]), (&0.into(), &false.into()));
    let seen: Value = serde_json::from_str(&evidence("payment_success").unwrap()).unwrap();
    assert_eq!((&seen["mode"], &seen["guarantee"]), (&"plain".into(), &"assumed".into()));
    for metric in ["latency_p95", "request_volume"] {
        assert_eq!(evidence(metric).unwrap(), "null", "{metric}");
    }
    for (metric, code) in
        [("eror_rate", "HF-MET-001"), ("No Such Metric", "HF-UNIT-008"), ("", "HF-UNIT-008")]
    {
        let failed = evidence(metric).unwrap_err();
        assert_eq!((&*failed.code, &*failed.path), (code, "metric"), "{}", failed.message);
    }
}

#[test]
fn null_and_what_is_no_text_are_refused() {
    let policy = Policy::preset("phased-canary").unwrap();
    let rollout = Rollout::new(&Plan::any(), hotfix_recording::Off);
    let ((incident, a), (release, b), (none, zero)) = (raw(INCIDENT), raw(RELEASE), NOTHING);
    let bytes = [0xff_u8];
    let odd = bytes.as_ptr().cast::<c_char>();
    let (mut plan, mut buf) = (null_mut(), hotfix_buf { data: null_mut(), len: 0 });
    let is = |wanted: hotfix_status, result: Result<(), Failed>| {
        let failed = result.unwrap_err();
        assert_eq!(failed.status, wanted, "{failed:?}");
    };
    let make = |policy, text, len, out| {
        // SAFETY: each argument is live, or what is tested.
        call(|e| unsafe {
            hotfix_plan_new_calibrated(
                policy, incident, a, release, b, none, zero, text, len, out, e,
            )
        })
    };
    is(hotfix_status::Null, make(null(), none, zero, &raw mut plan));
    is(hotfix_status::Null, make(policy.0, none, zero, null_mut()));
    is(hotfix_status::Null, make(policy.0, null(), 1, &raw mut plan));
    is(hotfix_status::Utf8, make(policy.0, odd, 1, &raw mut plan));
    assert!(plan.is_null());
    let out = &raw mut buf;
    // SAFETY: as above.
    unsafe {
        is(hotfix_status::Null, call(|e| hotfix_rollout_evidence(null(), incident, a, out, e)));
        is(hotfix_status::Null, call(|e| hotfix_rollout_evidence(rollout.0, null(), 1, out, e)));
        let nowhere = null_mut();
        is(hotfix_status::Null, call(|e| hotfix_rollout_evidence(rollout.0, odd, 1, nowhere, e)));
        is(hotfix_status::Utf8, call(|e| hotfix_rollout_evidence(rollout.0, odd, 1, out, e)));
    }
    assert!(buf.data.is_null());
}
