//! The incidents of `cases/measures` and the logs that they leave.

use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout};
use hotfix_core::unit::Timestamp;
use serde_json::{Value, json};

use crate::ready;
use crate::shared::roll_common::Case;
use crate::tree;

/// What is measured of an incident.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) state: Option<String>,
    pub(crate) attempts: Option<u64>,
    pub(crate) measures: Vec<Value>,
}

/// An incident, its log and what is measured of it.
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) log: String,
    pub(crate) rollout: Rollout,
    pub(crate) expected: Expected,
}

/// A file beside the cases.
pub(crate) fn path(name: &str) -> String {
    format!("hotfix-core/tests/cases/measures/{name}")
}

/// Every incident, played.
pub(crate) fn incidents() -> Vec<Incident> {
    let text = tree::read(&tree::root().join(path("incidents.toml")));
    let file: Value = toml::from_str(&text).unwrap();
    file["incident"].as_array().unwrap().iter().map(|case| play(case, &file)).collect()
}

fn play(document: &Value, file: &Value) -> Incident {
    let mut document = document.clone();
    let fields = document.as_object_mut().unwrap();
    let mut expected = json!({});
    for key in ["state", "attempts", "measures"] {
        if let Some(value) = fields.remove(key) {
            expected[key] = value;
        }
    }
    for step in fields["steps"].as_array_mut().unwrap() {
        if let Some(name) = step.as_object_mut().unwrap().remove("observe") {
            let metrics = &file["observations"][name.as_str().unwrap()];
            step["input"] = json!({"kind": "observe", "metrics": metrics});
        }
    }
    let case: Case = serde_json::from_value(document).unwrap();
    let policy = Policy::preset(&case.policy).unwrap().to_json();
    let mut policy: Value = serde_json::from_str(&policy).unwrap();
    if policy["facts"].is_null() {
        policy["facts"] = json!({});
    }
    if policy["change_record"].is_null() {
        policy["change_record"] = json!({});
    }
    case.change(&mut policy);
    let policy =
        Policy::from_json(&policy.to_string()).unwrap_or_else(|e| panic!("{}: {e}", case.id));
    let [incident, release, traffic] = case.subject().map(|document| document.to_string());
    let plan = Plan::from_json(Arc::new(policy), &incident, &release, &traffic).unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "pepper").unwrap();
    for step in &case.steps {
        for at in step.moments() {
            let at = Timestamp::try_from_millis(at).unwrap();
            take(&mut rollout, at, step.input.as_ref().unwrap(), &case.id);
        }
    }
    let expected = serde_json::from_value(expected).unwrap();
    Incident { id: case.id, log: rollout.log().to_owned(), rollout, expected }
}

fn take(rollout: &mut Rollout, at: Timestamp, input: &Value, id: &str) {
    let give = |rollout: &mut Rollout, input: &Value| {
        let typed = Input::from_json(&input.to_string()).unwrap();
        if let Err(refusal) = rollout.handle(at, &typed) {
            panic!("{id} at {at}: {input}: {}", refusal.reason);
        }
    };
    match input["kind"].as_str().unwrap() {
        "confirm_all" => {
            while let Some(action) = rollout.pending_actions().first() {
                let action = action.id.to_string();
                give(rollout, &json!({"kind": "confirm", "by": "tool", "action": action}));
            }
        }
        "make_ready" => {
            while let Some(input) = ready::next(rollout) {
                give(rollout, &input);
            }
        }
        "check_all" => {
            let lists = rollout.checklists();
            for item in lists.iter().flat_map(|list| &list.items) {
                let id = item.id.to_string();
                give(
                    rollout,
                    &json!({"kind": "check_item", "by": "omar", "item": id, "status": "done"}),
                );
            }
        }
        _ => give(rollout, input),
    }
}
