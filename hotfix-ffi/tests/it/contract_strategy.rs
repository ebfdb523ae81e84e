//! The answers of a plan about its strategy and its rollback are JSON.

use serde_json::Value;

use crate::common::{Plan, plan_view};

#[test]
fn plan_2_phases_are_a_list_and_the_answers_are_objects() {
    let plan = Plan::any();
    let answers =
        ["phases", "strategy", "recommendation", "rollback"].map(|name| plan_view(&plan, name, ""));
    let [phases, rest @ ..] =
        answers.map(|text| serde_json::from_str::<Value>(&text.unwrap()).unwrap());
    let shares: Vec<_> = phases.as_array().unwrap().iter().map(|phase| &phase["share"]).collect();
    assert_eq!(shares, [0.1, 0.5, 1.0]);
    assert!(rest.iter().all(Value::is_object));
}
