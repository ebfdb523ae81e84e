//! The shared cases of recorded metrics and backtests through the C function (FIELD-12), and its contract.

use std::ptr::null_mut;

use hotfix::backtest::hotfix_backtest;
use hotfix::policy::hotfix_policy_from_toml;
use hotfix::status::hotfix_status;

use crate::common::{Failed, Policy, buffer, call, in_crate, raw};
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
