//! The contract of a plan's views, its page and commit messages: null is an error, and an answer is a text.

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::commit::*;
use hotfix::plan::*;
use hotfix::plan_page::*;
use hotfix::scope::*;
use hotfix::status::hotfix_status;

use crate::common::{Plan, Policy, buffer, call};

const PARTS: &str = r#"{"summary": "read the secret"}"#;

#[test]
fn plan_7_views_take_a_plan_and_a_buffer() {
    let (plan, policy) = (Plan::any(), Policy::preset("phased-canary").unwrap());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    let (parts, len) = (PARTS.as_ptr().cast(), PARTS.len());
    // SAFETY: null where that is refused, else live.
    let refused = unsafe {
        [
            call(|e| hotfix_plan_power(null(), out, e)),
            call(|e| hotfix_plan_power(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_power_markdown(null(), out, e)),
            call(|e| hotfix_plan_power_markdown(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_scope(null(), out, e)),
            call(|e| hotfix_plan_scope(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_demands(null(), out, e)),
            call(|e| hotfix_plan_demands(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_json(null(), out, e)),
            call(|e| hotfix_plan_json(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_markdown(null(), null(), 0, out, e)),
            call(|e| hotfix_plan_markdown(plan.0, null(), 1, out, e)),
            call(|e| hotfix_plan_markdown(plan.0, null(), 0, null_mut(), e)),
            call(|e| hotfix_plan_gantt(null(), null(), 0, out, e)),
            call(|e| hotfix_plan_gantt(plan.0, null(), 1, out, e)),
            call(|e| hotfix_plan_gantt(plan.0, null(), 0, null_mut(), e)),
            call(|e| hotfix_plan_commit_message(null(), parts, len, out, e)),
            call(|e| hotfix_plan_commit_message(plan.0, null(), 1, out, e)),
            call(|e| hotfix_plan_commit_message(plan.0, parts, len, null_mut(), e)),
            call(|e| hotfix_policy_commit_message(null(), parts, len, out, e)),
            call(|e| hotfix_policy_commit_message(policy.0, null(), 1, out, e)),
            call(|e| hotfix_policy_commit_message(policy.0, parts, len, null_mut(), e)),
            call(|e| hotfix_policy_parse_commit_message(null(), parts, len, out, e)),
            call(|e| hotfix_policy_parse_commit_message(policy.0, null(), 1, out, e)),
            call(|e| hotfix_policy_parse_commit_message(policy.0, parts, len, null_mut(), e)),
        ]
    };
    for (at, result) in refused.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status, hotfix_status::Null, "{at}");
    }
    assert!(buf.data.is_null());
    // SAFETY: null is refused, and nobody asked for the error.
    assert_eq!(unsafe { hotfix_plan_json(null(), out, null_mut()) }, hotfix_status::Null);
}

#[test]
fn plan_7_views_are_texts() {
    let (plan, policy) = (Plan::any(), Policy::preset("phased-canary").unwrap());
    let (parts, len) = (PARTS.as_ptr().cast(), PARTS.len());
    // SAFETY: live handles, buffers and texts.
    let (json, page) = unsafe {
        (
            [
                buffer(|out, e| hotfix_plan_json(plan.0, out, e)),
                buffer(|out, e| hotfix_plan_scope(plan.0, out, e)),
                buffer(|out, e| hotfix_plan_demands(plan.0, out, e)),
                buffer(|out, e| hotfix_plan_power(plan.0, out, e)),
                buffer(|out, e| hotfix_plan_commit_message(plan.0, parts, len, out, e)),
                buffer(|out, e| hotfix_policy_commit_message(policy.0, parts, len, out, e)),
            ],
            buffer(|out, e| hotfix_plan_markdown(plan.0, null(), 0, out, e)).unwrap(),
        )
    };
    let [document, rest @ ..] =
        json.map(|text| serde_json::from_str::<serde_json::Value>(&text.unwrap()).unwrap());
    for view in ["strategy", "recommendation", "rollback", "scope", "demands"] {
        assert!(document[view].is_object(), "{view}");
    }
    assert!(document.get("power").is_none());
    assert!(rest.iter().all(serde_json::Value::is_object));
    assert!(
        page.starts_with("# Hot-fix plan for ") && page.contains("## What each phase can detect")
    );
}
