//! What an observation of plain structs promises: readings that are none change nothing, and who sends it.

use std::ptr::null;

use hotfix::outcome::hotfix_outcome;
use hotfix::reading::*;
use hotfix::rollout::{hotfix_rollout_handle, hotfix_rollout_observe};
use hotfix::status::hotfix_status;

use crate::common::{Failed, NOW, Rollout, call, outcome, raw, text};

fn reading(metric: &str) -> hotfix_reading {
    // SAFETY: all zero bytes are a value of this struct.
    let zero: hotfix_reading = unsafe { std::mem::zeroed() };
    hotfix_reading {
        struct_size: size_of::<hotfix_reading>(),
        metric: metric.as_ptr().cast(),
        metric_len: metric.len(),
        form: hotfix_form::Pair as i32,
        flags: HOTFIX_READING_CANARY | HOTFIX_READING_BASELINE,
        canary: [0.0, 100.0],
        baseline: [3.0, 900.0],
        ..zero
    }
}

fn observe(
    rollout: &Rollout,
    readings: &[hotfix_reading],
    sender: *const hotfix_sender,
) -> Result<hotfix_outcome, Failed> {
    let mut out = outcome();
    // SAFETY: live structs.
    call(|e| unsafe {
        hotfix_rollout_observe(
            rollout.0,
            NOW,
            readings.as_ptr(),
            readings.len(),
            sender,
            &raw mut out,
            e,
        )
    })?;
    Ok(out)
}

#[test]
fn met_6_readings_that_are_none_change_nothing() {
    let rollout = Rollout::any();
    let mut start = outcome();
    let (input, len) = raw(r#"{"kind": "start", "by": "lena"}"#);
    // SAFETY: live handle and text.
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, NOW, input, len, &raw mut start, e) })
        .unwrap();
    let good = reading("error_rate");
    let histogram =
        hotfix_reading { form: hotfix_form::Histogram as i32, le_len: 3, ..reading("latency_p95") };
    let samples = hotfix_reading {
        form: hotfix_form::Samples as i32,
        canary_samples_len: 3,
        ..reading("latency_p95")
    };
    let none = hotfix_reading { flags: 0, canary: [0.0; 2], baseline: [0.0; 2], ..good };
    let cases = [
        (hotfix_reading { form: 0, ..good }, hotfix_status::Enum, "/metrics/error_rate"),
        (hotfix_reading { form: 5, ..good }, hotfix_status::Enum, "/metrics/error_rate"),
        (hotfix_reading { flags: 8, ..good }, hotfix_status::Enum, "/metrics/error_rate"),
        (hotfix_reading { form: 77, ..none }, hotfix_status::Enum, "/metrics/error_rate"),
        (hotfix_reading { struct_size: 40, ..good }, hotfix_status::Struct, "readings"),
        (hotfix_reading { metric: null(), ..good }, hotfix_status::Null, "/readings/0/metric"),
        (reading("Error Rate"), hotfix_status::Unit, "/readings/0/metric"),
        (reading(""), hotfix_status::Unit, "/readings/0/metric"),
        (histogram, hotfix_status::Null, "/metrics/latency_p95"),
        (samples, hotfix_status::Null, "/metrics/latency_p95"),
        (reading("error_rat"), hotfix_status::Refused, "/metrics/error_rat"),
    ];
    for (number, (reading, status, path)) in cases.into_iter().enumerate() {
        let failed = observe(&rollout, &[reading], null()).unwrap_err();
        assert_eq!(
            (failed.status, failed.path.as_str()),
            (status, path),
            "case {number}: {failed:?}"
        );
    }
    let twice = observe(&rollout, &[good, good], null()).unwrap_err();
    assert_eq!((twice.status, twice.path.as_str()), (hotfix_status::Input, "/readings/1/metric"));
    assert_eq!(text(observe(&rollout, &[good], null()).unwrap().events).lines().count(), 1);
    // What was read before a failure does not come back as if it had been read again.
    observe(&rollout, &[good, good], null()).unwrap_err();
    let nothing = text(observe(&rollout, &[], null()).unwrap().events);
    assert!(nothing.contains(r#""metrics":{}"#), "{nothing}");
}

#[test]
fn field_10_an_observation_may_carry_key_actor_and_head() {
    let rollout = Rollout::any();
    let (by, key, head) = ("scraper", "k-1", "0".repeat(64));
    let mut sender = hotfix_sender {
        struct_size: size_of::<hotfix_sender>(),
        by: raw(by).0,
        by_len: by.len(),
        key: raw(key).0,
        key_len: key.len(),
        expected_head: raw(&head).0,
        expected_head_len: head.len(),
    };
    sender.expected_head_len = 3;
    assert_eq!(observe(&rollout, &[], &raw const sender).unwrap_err().status, hotfix_status::Unit);
    sender.expected_head_len = 0;
    let (input, len) = raw(r#"{"kind": "start", "by": "lena"}"#);
    let mut out = outcome();
    // SAFETY: live handle and text.
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, NOW, input, len, &raw mut out, e) })
        .unwrap();
    sender.expected_head_len = head.len();
    let failed = observe(&rollout, &[], &raw const sender).unwrap_err();
    assert_eq!(failed.code, "HF-ROLL-004", "the head moved on");
    sender.expected_head_len = 0;
    assert_eq!(observe(&rollout, &[], &raw const sender).unwrap().repeated, 0);
    let again = observe(&rollout, &[], &raw const sender).unwrap();
    assert_eq!((again.repeated, again.events.len), (1, 0));
    let long = "k".repeat(257);
    (sender.key, sender.key_len) = raw(&long);
    let failed = observe(&rollout, &[], &raw const sender).unwrap_err();
    assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Input, "HF-IN-005"));
}
