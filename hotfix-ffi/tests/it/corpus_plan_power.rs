//! PLAN-6: the shared cases of what a plan's phases see, through the C functions.

use std::ptr::{null, null_mut};

use hotfix::plan::hotfix_plan_power;
use hotfix::policy::{hotfix_policy_from_json, hotfix_policy_to_json};
use hotfix::status::hotfix_status;
use serde_json::Value;

use crate::common::{Plan, Policy, buffer, call, plan_view, raw};
use crate::shared::power_cases::Case;

const INCIDENT: &str = r#"{"id": "INC-2041"}"#;
const RELEASE: &str = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;

fn policy(case: &Case) -> Policy {
    let preset = Policy::preset(&case.policy).unwrap();
    // SAFETY: live handle, text, slot and buffer.
    unsafe {
        let text = buffer(|out, e| hotfix_policy_to_json(preset.0, out, e)).unwrap();
        let mut document: Value = serde_json::from_str(&text).unwrap();
        case.change(&mut document);
        let text = document.to_string();
        let ((at, len), mut out) = (raw(&text), null_mut());
        call(|e| hotfix_policy_from_json(at, len, &raw mut out, e)).unwrap();
        Policy(out)
    }
}

#[test]
fn plan_6_cases_come_out_in_c_as_they_say() {
    let mut faults = Vec::new();
    for case in Case::all() {
        let policy = policy(&case);
        let traffic = case.traffic.to_string();
        let plan = Plan::new(&policy, [INCIDENT, RELEASE, &traffic]).unwrap();
        // SAFETY: a live handle and buffer.
        let text = buffer(|out, e| unsafe { hotfix_plan_power(plan.0, out, e) }).unwrap();
        let page = plan_view(&plan, "power_markdown", "").unwrap();
        faults.extend(case.faults(&serde_json::from_str(&text).unwrap(), &page));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn plan_6_without_a_plan_nothing_is_written() {
    // SAFETY: null is taken for a handle that is not there.
    let seen = buffer(|out, e| unsafe { hotfix_plan_power(null(), out, e) });
    assert_eq!(seen.unwrap_err().status, hotfix_status::Null);
}
