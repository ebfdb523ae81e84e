//! The contract of what a plan says of its strategy and its way back: null is an error, and an answer is JSON.

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::status::hotfix_status;
use hotfix::strategy::*;
use serde_json::Value;

use crate::common::{Plan, buffer, call};

#[test]
fn plan_1_what_a_plan_says_takes_a_plan_and_a_buffer() {
    let plan = Plan::any();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    // SAFETY: null where that is refused, else live.
    let refused = unsafe {
        [
            call(|e| hotfix_plan_phases(null(), out, e)),
            call(|e| hotfix_plan_phases(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_strategy(null(), out, e)),
            call(|e| hotfix_plan_strategy(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_recommendation(null(), out, e)),
            call(|e| hotfix_plan_recommendation(plan.0, null_mut(), e)),
            call(|e| hotfix_plan_rollback(null(), out, e)),
            call(|e| hotfix_plan_rollback(plan.0, null_mut(), e)),
        ]
    };
    for result in refused {
        assert_eq!(result.unwrap_err().status, hotfix_status::Null);
    }
    assert!(buf.data.is_null());
    // SAFETY: null is refused, and nobody asked for the error.
    assert_eq!(unsafe { hotfix_plan_phases(null(), out, null_mut()) }, hotfix_status::Null);
}

#[test]
fn plan_2_phases_are_a_list_and_the_answers_are_objects() {
    let plan = Plan::any();
    // SAFETY: live handles and buffers.
    let answers = unsafe {
        [
            buffer(|out, e| hotfix_plan_phases(plan.0, out, e)),
            buffer(|out, e| hotfix_plan_strategy(plan.0, out, e)),
            buffer(|out, e| hotfix_plan_recommendation(plan.0, out, e)),
            buffer(|out, e| hotfix_plan_rollback(plan.0, out, e)),
        ]
    };
    let [phases, rest @ ..] =
        answers.map(|text| serde_json::from_str::<Value>(&text.unwrap()).unwrap());
    let shares: Vec<_> = phases.as_array().unwrap().iter().map(|phase| &phase["share"]).collect();
    assert_eq!(shares, [0.1, 0.5, 1.0]);
    assert!(rest.iter().all(Value::is_object));
}
