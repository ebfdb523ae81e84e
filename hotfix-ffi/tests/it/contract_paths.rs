//! Where an error is: each one of an input or a reading names its field, its metric or the parameter.

use std::ptr::null;

use hotfix::audit::hotfix_audit;
use hotfix::reading::*;
use hotfix::rollout::*;
use hotfix::status::hotfix_status;

use crate::common::{Failed, NOW, Rollout, buffer, call, outcome, raw};

fn handle(rollout: &Rollout, input: &str) -> Result<(), Failed> {
    let ((input, len), mut out) = (raw(input), outcome());
    // SAFETY: a live handle, text and struct.
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, NOW, input, len, &raw mut out, e) })
}

fn observe(
    rollout: &Rollout,
    readings: &[hotfix_reading],
    sender: *const hotfix_sender,
) -> Result<(), Failed> {
    let (at, count, mut out) = (readings.as_ptr(), readings.len(), outcome());
    // SAFETY: a live handle and structs.
    call(|e| unsafe { hotfix_rollout_observe(rollout.0, NOW, at, count, sender, &raw mut out, e) })
}

fn place(failed: &Failed) -> (hotfix_status, &str, &str) {
    (failed.status, &failed.code, &failed.path)
}

#[test]
fn met_6_running_totals_of_samples_are_refused_at_their_metric() {
    let rollout = Rollout::any();
    handle(&rollout, r#"{"kind": "start", "by": "lena"}"#).unwrap();
    let (metric, metric_len) = raw("latency_p95");
    let samples = [0.1, 0.2];
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_reading = unsafe { std::mem::zeroed() };
    let totals = hotfix_reading {
        struct_size: size_of::<hotfix_reading>(),
        metric,
        metric_len,
        form: hotfix_form::Samples as i32,
        flags: HOTFIX_READING_CANARY | HOTFIX_READING_TOTALS,
        canary_samples: samples.as_ptr(),
        canary_samples_len: samples.len(),
        ..zero
    };
    let failed = observe(&rollout, &[totals], null()).unwrap_err();
    assert_eq!(
        place(&failed),
        (hotfix_status::Refused, "HF-MET-007", "/metrics/latency_p95/canary"),
        "{failed:?}"
    );
}

#[test]
fn field_10_an_input_that_is_none_names_its_field() {
    let rollout = Rollout::any();
    for (input, code, path) in [
        (r#"{"kind": "note", "by": "lena", "text": "hm", "key": ""}"#, "HF-IN-006", "/key"),
        (r#"{"kind": "note", "by": "lena"}"#, "HF-IN-003", "/text"),
        (r#"{"kind": "nte"}"#, "HF-IN-002", "/kind"),
        (r#"{"kind": "tick", "text": "hm"}"#, "HF-IN-004", "/text"),
        (
            r#"{"kind": "observe", "metrics": {"error_rate": {"canary": [1, 2], "eu": {}}}}"#,
            "HF-IN-001",
            "/metrics/error_rate/eu",
        ),
        ("[]", "HF-IN-001", ""),
    ] {
        let failed = handle(&rollout, input).unwrap_err();
        assert_eq!(place(&failed), (hotfix_status::Input, code, path), "{input}: {failed:?}");
    }
}

#[test]
fn field_10_a_head_that_is_no_digest_names_its_parameter() {
    let rollout = Rollout::any();
    let (expected_head, expected_head_len) = raw("c0ffee");
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_sender = unsafe { std::mem::zeroed() };
    let struct_size = size_of::<hotfix_sender>();
    let sender = hotfix_sender { struct_size, expected_head, expected_head_len, ..zero };
    let wanted = (hotfix_status::Unit, "HF-JSON-014", "expected_head");
    let failed = observe(&rollout, &[], &raw const sender).unwrap_err();
    assert_eq!(place(&failed), wanted, "{failed:?}");
    // SAFETY: live text and buffer.
    let audited = buffer(|out, e| unsafe {
        hotfix_audit(null(), 0, expected_head, expected_head_len, out, e)
    });
    let failed = audited.unwrap_err();
    assert_eq!(place(&failed), wanted, "{failed:?}");
}
