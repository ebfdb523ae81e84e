//! Imports through the C function: what it promises, and the cases that all languages share (FIELD-5).

use std::ptr::{null, null_mut};

use hotfix::interop::hotfix_convert;
use hotfix::policy::hotfix_policy_to_json;
use hotfix::status::hotfix_status;
use serde_json::{Value, json};

use crate::common::{self, Failed, Policy, buffer, in_crate, raw};
use crate::shared::convert_cases::{Answer, Case};

fn convert(text: &str, kind: &str) -> Result<(Policy, Value), Failed> {
    let ((text, text_len), (kind, kind_len)) = (raw(text), raw(kind));
    let mut policy = std::ptr::dangling_mut();
    let told = buffer(|findings, e| {
        // SAFETY: live text, slot and buffer.
        unsafe { hotfix_convert(text, text_len, kind, kind_len, &raw mut policy, findings, e) }
    });
    assert_eq!(told.is_err(), policy.is_null(), "a failure leaves no policy");
    let told = told?;
    Ok((Policy(policy), serde_json::from_str(&told).unwrap()))
}

fn answer(case: &Case) -> Answer {
    match convert(&case.text, case.kind.as_deref().unwrap_or_default()) {
        Ok((policy, told)) => {
            // SAFETY: a live policy and buffer.
            let json = buffer(|out, e| unsafe { hotfix_policy_to_json(policy.0, out, e) }).unwrap();
            let policy: Value = serde_json::from_str(&json).unwrap();
            Ok(json!({ "kind": told["kind"], "findings": told["findings"], "policy": policy }))
        }
        Err(failed) => {
            assert_eq!(failed.status, hotfix_status::Convert, "{failed:?}");
            assert_eq!(failed.code, failed.json["errors"][0]["code"], "{failed:?}");
            Err(failed.json["errors"].as_array().unwrap().clone())
        }
    }
}

#[test]
fn field_5_every_document_is_imported_in_c_as_its_case_says() {
    let cases = Case::load(&in_crate("../hotfix-core/tests/cases/convert"));
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let faults: Vec<String> = cases.iter().flat_map(|case| case.faults(answer(case))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_kind_that_is_none_names_those_there_are() {
    let Err(failed) = convert("a: 1", "argo") else { panic!("it is no kind") };
    assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Enum, "HF-FFI-004"));
    assert!(failed.message.contains("argo_rollouts, flagger, kayenta, openslo"), "{failed:?}");
}

#[test]
fn nulls_and_bad_text_are_refused_and_nothing_is_left_behind() {
    let ((text, len), bad) = (raw("kind: Rollout"), [b'a', 0xff]);
    let bad = bad.as_ptr().cast();
    let arguments = [
        (null(), 1, null(), 0, hotfix_status::Null),
        (text, len, null(), 1, hotfix_status::Null),
        (bad, 2, null(), 0, hotfix_status::Utf8),
        (text, len, bad, 2, hotfix_status::Utf8),
    ];
    for (text, len, kind, kind_len, status) in arguments {
        let mut policy = std::ptr::dangling_mut();
        let failed = buffer(|findings, e| {
            // SAFETY: what is not null is live.
            unsafe { hotfix_convert(text, len, kind, kind_len, &raw mut policy, findings, e) }
        });
        assert_eq!(failed.unwrap_err().status, status);
        assert!(policy.is_null());
    }
    let failed = buffer(|findings, e| {
        // SAFETY: the slot is null, which is refused.
        unsafe { hotfix_convert(text, len, null(), 0, null_mut(), findings, e) }
    });
    assert_eq!(failed.unwrap_err().status, hotfix_status::Null);
    let mut policy = std::ptr::dangling_mut();
    let failed = common::call(|e| {
        // SAFETY: the buffer is null, which is refused.
        unsafe { hotfix_convert(text, len, null(), 0, &raw mut policy, null_mut(), e) }
    });
    let failed = failed.unwrap_err();
    assert_eq!((failed.status, failed.path.as_str()), (hotfix_status::Null, "findings"));
    assert!(policy.is_null());
}
