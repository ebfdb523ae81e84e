//! The shared cases of recorded metrics and backtests through the C function (FIELD-12), and its contract.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]
#![allow(clippy::result_large_err, reason = "a test reads the whole error")]

mod common;
#[allow(dead_code, reason = "only its cases are used here")]
#[path = "../../hotfix-core/tests/preset_common/mod.rs"]
mod preset_common;
#[path = "../../hotfix-core/tests/recorded_cases/mod.rs"]
mod recorded_cases;

use std::ptr::{null, null_mut};

use common::{Failed, Policy, buffer, call, in_crate, raw};
use hotfix::backtest::hotfix_backtest;
use hotfix::buffer::hotfix_buf;
use hotfix::policy::hotfix_policy_from_toml;
use hotfix::status::hotfix_status;
use recorded_cases::Case;

fn policy(case: &Case) -> Policy {
    match case.policy() {
        Ok(name) => Policy::preset(name).unwrap(),
        Err(text) => {
            let ((at, len), mut out) = (raw(text), null_mut());
            // SAFETY: live text and slot.
            call(|e| unsafe { hotfix_policy_from_toml(at, len, &raw mut out, e) }).unwrap();
            Policy(out)
        }
    }
}

fn run(policy: &Policy, text: &str, format: &str, mapping: &str) -> Result<String, Failed> {
    let ((text, a), (format, b), (mapping, c)) = (raw(text), raw(format), raw(mapping));
    buffer(|out, e| {
        // SAFETY: live handle, texts and buffer.
        unsafe { hotfix_backtest(policy.0, text, a, format, b, mapping, c, out, e) }
    })
}

#[test]
fn field_12_recordings_are_read_or_refused_in_c() {
    let mut wrong = Vec::new();
    for case in Case::load(&in_crate("../hotfix-core/tests/cases/recorded")) {
        let answer = run(&policy(&case), &case.text, &case.format, &case.mapping);
        let answer = answer.map(|text| serde_json::from_str(&text).unwrap()).map_err(|failed| {
            assert_eq!(failed.status, hotfix_status::Simulate, "{failed:?}");
            (failed.code, failed.path)
        });
        wrong.extend(case.faults(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn field_12_a_backtest_refuses_null_and_bad_text() {
    let policy = Policy::preset("standard").unwrap();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    let (json, n) = raw("{}");
    let broken = [0x66_u8, 0xff];
    let bad = broken.as_ptr().cast();
    // SAFETY: null where that is refused, else live.
    let (nulls, texts) = unsafe {
        (
            [
                call(|e| hotfix_backtest(null(), json, n, json, n, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, null(), 1, json, n, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, null(), 1, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, json, n, null(), 1, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, json, n, json, n, null_mut(), e)),
            ],
            [
                call(|e| hotfix_backtest(policy.0, bad, 2, json, n, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, bad, 2, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, json, n, bad, 2, out, e)),
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
    // A recording without a mapping, and one that is none.
    let line =
        r#"{"at": "2026-03-03T14:40:00Z", "metrics": {"error_rate": {"canary": [1, 1000]}}}"#;
    let ((text, a), (format, b)) = (raw(line), raw("json_lines"));
    let told = buffer(|out, e| {
        // SAFETY: live handle, texts and buffer; no mapping.
        unsafe { hotfix_backtest(policy.0, text, a, format, b, null(), 0, out, e) }
    });
    assert!(told.unwrap().contains(r#""readings":1"#));
    assert_eq!(run(&policy, "", "json_lines", "").unwrap_err().code, "HF-REC-012");
}
