//! The contract of a plan's views, its page and commit messages: null is an error, and an answer is JSON or text.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod common;

use std::ptr::{null, null_mut};

use common::{Plan, Policy, buffer, call};
use hotfix::buffer::hotfix_buf;
use hotfix::commit::*;
use hotfix::plan::*;
use hotfix::plan_page::*;
use hotfix::scope::*;
use hotfix::status::hotfix_status;
use serde_json::Value;

#[test]
fn plan_6_views_of_a_plan_take_a_plan_and_a_buffer() {
    let plan = Plan::any();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    // SAFETY: null where that is refused, else live.
    let refused = unsafe {
        [
            call(|e| hotfix_plan_sight(null(), out, e)),
            call(|e| hotfix_plan_sight(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_sight_markdown(null(), out, e)),
            call(|e| hotfix_plan_sight_markdown(plan.0, null_mut(), e)),
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
        ]
    };
    for result in refused {
        assert_eq!(result.unwrap_err().status, hotfix_status::Null);
    }
    assert!(buf.data.is_null());
    // SAFETY: live handles and buffers.
    let answers = unsafe {
        [
            buffer(|out, e| hotfix_plan_sight(plan.0, out, e)),
            buffer(|out, e| hotfix_plan_scope(plan.0, out, e)),
            buffer(|out, e| hotfix_plan_demands(plan.0, out, e)),
            buffer(|out, e| hotfix_plan_json(plan.0, out, e)),
        ]
    };
    for text in answers {
        assert!(serde_json::from_str::<Value>(&text.unwrap()).unwrap().is_object());
    }
    let start = "2026-03-03T14:40:00Z";
    // SAFETY: live handles and buffers; the text outlives the call.
    let texts = unsafe {
        [
            buffer(|out, e| hotfix_plan_sight_markdown(plan.0, out, e)),
            buffer(|out, e| hotfix_plan_markdown(plan.0, null(), 0, out, e)),
            buffer(|out, e| hotfix_plan_gantt(plan.0, start.as_ptr().cast(), start.len(), out, e)),
        ]
    };
    for (text, part) in texts.into_iter().zip(["| phase |", "# Hot-fix plan", "gantt"]) {
        let text = text.unwrap();
        assert!(text.contains(part), "{text}");
    }
    let never = "at noon";
    // SAFETY: live handles and buffers; the text outlives the call.
    let refused = unsafe {
        buffer(|out, e| hotfix_plan_markdown(plan.0, never.as_ptr().cast(), never.len(), out, e))
    };
    assert_eq!(refused.unwrap_err().code, "HF-UNIT-003");
}

#[test]
fn vcs_5_messages_take_a_form_parts_and_a_buffer() {
    let (policy, plan) = (Policy::preset("standard").unwrap(), Plan::any());
    let parts = r#"{"summary": "check the method"}"#;
    let (data, len) = (parts.as_ptr().cast(), parts.len());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    // SAFETY: null where that is refused, else live.
    let refused = unsafe {
        [
            call(|e| hotfix_policy_commit_message(null(), data, len, out, e)),
            call(|e| hotfix_policy_commit_message(policy.0, null(), 1, out, e)),
            call(|e| hotfix_policy_commit_message(policy.0, data, len, null_mut(), e)),
            call(|e| hotfix_plan_commit_message(null(), data, len, out, e)),
            call(|e| hotfix_plan_commit_message(plan.0, null(), 1, out, e)),
            call(|e| hotfix_plan_commit_message(plan.0, data, len, null_mut(), e)),
            call(|e| hotfix_policy_parse_commit_message(null(), data, len, out, e)),
            call(|e| hotfix_policy_parse_commit_message(policy.0, null(), 1, out, e)),
            call(|e| hotfix_policy_parse_commit_message(policy.0, data, len, null_mut(), e)),
        ]
    };
    for result in refused {
        assert_eq!(result.unwrap_err().status, hotfix_status::Null);
    }
    assert!(buf.data.is_null());
    // SAFETY: live handles and buffers; the texts outlive the calls.
    let composed = unsafe {
        [
            buffer(|out, e| hotfix_policy_commit_message(policy.0, data, len, out, e)),
            buffer(|out, e| hotfix_plan_commit_message(plan.0, data, len, out, e)),
        ]
    };
    for text in composed {
        let message: Value = serde_json::from_str(&text.unwrap()).unwrap();
        assert!(message["text"].as_str().unwrap().contains("check the method"), "{message}");
    }
    let text = "fix: check the method\n";
    // SAFETY: live handles and buffers; the text outlives the call.
    let parsed = unsafe {
        buffer(|out, e| {
            hotfix_policy_parse_commit_message(policy.0, text.as_ptr().cast(), text.len(), out, e)
        })
    };
    let parsed: Value = serde_json::from_str(&parsed.unwrap()).unwrap();
    assert_eq!(parsed["summary"], "check the method");
}
