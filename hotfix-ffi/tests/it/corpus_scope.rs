//! The shared cases of the scope guard, of demands and of commit messages through the C functions (GATE-3, GATE-4, VCS-5).

use std::ptr::{null, null_mut};

use hotfix::commit::{
    hotfix_plan_commit_message, hotfix_policy_commit_message, hotfix_policy_parse_commit_message,
};
use hotfix::policy::hotfix_policy_from_toml;
use hotfix::status::hotfix_status;

use crate::common::{Failed, Plan, Policy, buffer, call, in_crate, plan_view, raw};
use crate::shared::gate_cases::{Answer, Case};

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

fn answer(answer: Result<String, Failed>) -> Answer {
    let refused = |error: Failed| {
        assert_eq!(error.status, hotfix_status::Plan, "{error:?}");
        (error.code, error.path)
    };
    answer.map(|text| serde_json::from_str(&text).unwrap()).map_err(refused)
}

fn plan(case: &Case, policy: &Policy) -> Result<Plan, Failed> {
    let [incident, release, traffic] = case.subject();
    Plan::new(policy, [&incident, &release, &traffic])
}

fn check(file: &str, view: &str) {
    let mut wrong = Vec::new();
    for case in Case::load(&in_crate("../hotfix-core/tests/cases/scope").join(file)) {
        let asked = plan(&case, &policy(&case)).and_then(|plan| plan_view(&plan, view, ""));
        wrong.extend(case.faults(answer(asked)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn gate_4_every_document_s_rules_are_judged_in_c() {
    check("scope.toml", "scope");
}

#[test]
fn gate_3_every_severity_says_what_it_asks_for_in_c() {
    check("demands.toml", "demands");
}

fn message(case: &Case) -> Result<String, Failed> {
    let policy = policy(case);
    if let Some(text) = &case.text {
        let (at, len) = raw(text);
        return buffer(|out, e| {
            // SAFETY: live handle, text and buffer.
            unsafe { hotfix_policy_parse_commit_message(policy.0, at, len, out, e) }
        });
    }
    let parts = case.parts.as_ref().unwrap().to_string();
    let (at, len) = raw(&parts);
    if case.has_plan() {
        let plan = plan(case, &policy)?;
        // SAFETY: live handle, text and buffer.
        return buffer(|out, e| unsafe { hotfix_plan_commit_message(plan.0, at, len, out, e) });
    }
    // SAFETY: live handle, text and buffer.
    buffer(|out, e| unsafe { hotfix_policy_commit_message(policy.0, at, len, out, e) })
}

#[test]
fn vcs_5_every_document_s_messages_are_composed_and_read_in_c() {
    let cases = Case::load(&in_crate("../hotfix-core/tests/cases/vcs/messages.toml"));
    let wrong: Vec<String> =
        cases.iter().flat_map(|case| case.faults(answer(message(case)))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn vcs_5_null_and_text_that_is_none_are_refused_in_c() {
    let policy = Policy::preset("standard").unwrap();
    let (at, len) = raw("{}");
    // SAFETY: null is refused.
    let gone = buffer(|out, e| unsafe { hotfix_policy_commit_message(null(), at, len, out, e) });
    assert_eq!(gone.unwrap_err().status, hotfix_status::Null);
    let broken = [0x66_u8, 0xff];
    // SAFETY: live handle and bytes.
    let utf8 = buffer(|out, e| unsafe {
        hotfix_policy_parse_commit_message(policy.0, broken.as_ptr().cast(), 2, out, e)
    });
    assert_eq!(utf8.unwrap_err().status, hotfix_status::Utf8);
    // SAFETY: live handle; no text.
    let empty =
        buffer(|out, e| unsafe { hotfix_policy_commit_message(policy.0, null(), 0, out, e) });
    assert_eq!(empty.unwrap_err().code, "HF-VCS-025");
}
