//! The shared cases of recorded metrics and backtests through the C function (FIELD-12), and its contract.

use std::ptr::null_mut;

use hotfix::backtest::{hotfix_backtest, hotfix_history};
use hotfix::buffer::hotfix_buf;
use hotfix::policy::hotfix_policy_from_toml;
use hotfix::status::hotfix_status;
use serde_json::{Value, json};

use crate::common::{Failed, Policy, buffer, call, in_crate, raw, taken};
use crate::shared::recorded_cases::Case;

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

fn history(policy: &Policy, case: &Case) -> Result<Value, Failed> {
    let ((text, a), (format, b), (mapping, c)) =
        (raw(&case.text), raw(&case.format), raw(&case.mapping));
    let mut history = hotfix_buf { data: null_mut(), len: 0 };
    let findings = buffer(|findings, e| {
        let out = &raw mut history;
        // SAFETY: live handle, texts and buffers.
        unsafe { hotfix_history(policy.0, text, a, format, b, mapping, c, out, findings, e) }
    });
    let history = taken(&mut history);
    assert_eq!(history.is_some(), findings.is_ok(), "a failure leaves no history");
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    Ok(json!({ "findings": json(&findings?), "history": json(&history.unwrap_or_default()) }))
}

#[test]
fn field_17_a_history_is_read_from_a_recording_in_c() {
    let mut wrong = Vec::new();
    for case in Case::load_histories(&in_crate("../hotfix-core/tests/cases/recorded")) {
        let answer = history(&policy(&case), &case).map_err(|failed| {
            assert_eq!(failed.status, hotfix_status::Simulate, "{failed:?}");
            (failed.code, failed.path)
        });
        wrong.extend(case.faults(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
