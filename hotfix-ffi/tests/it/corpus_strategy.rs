//! The shared cases of strategies, recommendations and ways back through the C functions.

use hotfix::plan_page::hotfix_plan_json;
use hotfix::policy::hotfix_policy_to_json;
use hotfix::status::hotfix_status;
use serde_json::Value;

use crate::common::{Failed, Plan, Policy, buffer, in_crate, plan_view};
use crate::shared::plan_cases::{self, Case};

fn parsed(text: Result<String, Failed>) -> Value {
    serde_json::from_str(&text.unwrap()).unwrap()
}

fn answer(plan: &Plan) -> Value {
    // SAFETY: a live handle and buffer.
    let mut document = parsed(buffer(|out, e| unsafe { hotfix_plan_json(plan.0, out, e) }));
    for name in ["phases", "strategy", "recommendation", "rollback"] {
        document[name] = parsed(plan_view(plan, name, ""));
    }
    document
}

fn faults(case: &Case) -> Vec<String> {
    let preset = Policy::preset(&case.policy).unwrap();
    // SAFETY: a live handle and buffer.
    let mut document = parsed(buffer(|out, e| unsafe { hotfix_policy_to_json(preset.0, out, e) }));
    case.change(&mut document);
    let policy = Policy::from_json(&document.to_string()).unwrap();
    let parts = case.documents().map(|part| part.to_string());
    let made = Plan::new(&policy, [&parts[0], &parts[1], &parts[2]]);
    match (made, &case.refused) {
        (Ok(plan), None) => case.faults(&answer(&plan)),
        (Ok(_), Some(_)) => vec![format!("{}: it can be planned", case.id)],
        (Err(error), None) => vec![format!("{}: {error:?}", case.id)],
        (Err(error), Some((code, place, part))) => {
            let as_expected = error.code == *code
                && error.path == *place
                && error.message.contains(part)
                && error.status == hotfix_status::Plan;
            if as_expected { Vec::new() } else { vec![format!("{}: {error:?}", case.id)] }
        }
    }
}

#[test]
fn plan_1_every_case_of_strategies_recommendations_and_ways_back_in_c() {
    let cases = plan_cases::load(&in_crate("../hotfix-core/tests/cases/plan"));
    assert!(cases.len() > 60, "{} cases", cases.len());
    let wrong: Vec<String> = cases.iter().flat_map(faults).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
