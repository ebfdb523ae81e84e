//! The states that messages are written from: the scenario's hot-fix, and a short run of any preset.

use std::sync::Arc;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::{Format, Rendered, Request};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout};
use serde_json::{Value, json};

use crate::tree;

/// What stands in every place that a person, a machine or an outsider fills in.
pub(crate) fn marked(place: &str) -> String {
    format!("SECRET-{place}")
}

/// A message of any state, whether it is true there or not.
pub(crate) fn draft(
    rollout: &Rollout,
    kind: MessageKind,
    audience: Audience,
    format: Format,
) -> Rendered {
    let request = Request { audience, format, draft: true, ..Request::new(kind) };
    rollout.message_for(&request).unwrap()
}

fn read(path: &str) -> String {
    tree::read(&tree::root().join(path))
}

/// One rollout, played by time of day.
pub(crate) struct Play {
    pub(crate) rollout: Rollout,
    observations: Value,
}

impl Play {
    pub(crate) fn new(policy: &Value, incident: &Value, release: &Value) -> Self {
        let policy = Policy::from_json(&policy.to_string()).unwrap_or_else(|e| panic!("{e}"));
        let traffic = r#"{"requests_per_minute": 1000}"#;
        let [incident, release] = [incident, release].map(Value::to_string);
        let plan = Plan::from_json(Arc::new(policy), &incident, &release, traffic).unwrap();
        let file: Value = toml::from_str(&read("hotfix-core/tests/cases/roll/after.toml")).unwrap();
        let rollout = Rollout::try_new(plan, Recording::Keep, "pepper").unwrap();
        Self { rollout, observations: file["observations"].clone() }
    }

    /// Hands an input over, at `14:40` or `14:40:30` of the scenario's day.
    pub(crate) fn say(&mut self, at: &str, input: &Value) {
        let seconds = if at.len() == 5 { ":00" } else { "" };
        let at = format!("2026-03-03T{at}{seconds}Z").parse().unwrap();
        let input = Input::from_json(&input.to_string()).unwrap();
        self.rollout.handle(at, &input).unwrap_or_else(|refusal| panic!("{refusal}"));
    }

    pub(crate) fn see(&mut self, at: &str, observation: &str) {
        let metrics = self.observations[observation].clone();
        self.say(at, &json!({ "kind": "observe", "metrics": metrics }));
    }

    /// Confirms all that is waited for.
    pub(crate) fn confirm(&mut self, at: &str) {
        while let Some(action) = self.rollout.pending_actions().first() {
            let id = action.id.to_string();
            self.say(at, &json!({ "kind": "confirm", "by": "tool", "action": id }));
        }
    }
}

fn minutes(from: u32, count: u32) -> impl Iterator<Item = String> {
    (from..from + count).map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60))
}

/// The lists and the rollback point hold nothing up, so that a story is short.
fn without_lists(policy: &mut Value) {
    policy["rollback"]["point"] = json!(false);
    for list in policy["checklists"].as_array_mut().into_iter().flatten() {
        if list["at"] == "start" {
            list["at"] = json!("before");
        }
        list.as_object_mut().unwrap().remove("holds");
    }
}

/// The scenario, with people: the house policy of the examples.
fn scenario() -> Play {
    let text = read("examples/policies/payments.toml");
    let policy = Policy::from_toml(&text).unwrap_or_else(|e| panic!("{e}"));
    let mut policy: Value = serde_json::from_str(&policy.to_json()).unwrap();
    without_lists(&mut policy);
    policy["roles"] = json!({
        "incident_commander": { "title": "incident commander", "holders": [{ "name": "Nora" }] },
        "engineering_lead": { "title": "engineering lead", "holders": [{ "name": "Iris" }] },
        "on_call_manager": { "title": "on-call manager", "holders": [{ "name": "Kai" }] },
        "product_manager": { "title": "product manager", "holders": [{ "name": "Omar" }] },
    });
    let incident = json!({
        "id": "INC-2041", "service": "payments", "title": "customers cannot pay", "severity": "P1",
        "began_at": "2026-03-03T14:02:00Z", "detected_at": "2026-03-03T14:06:00Z",
        "facts": {
            "payment_failure_share": 0.55, "revenue_impact": true, "service_down": false, "data_corruption": false,
            "security_vulnerability": false, "preceding_deploy": "2.3.0",
        },
    });
    let release = json!({
        "version": "2.3.1", "previous": "2.3.0", "branch": "hotfix/payment-null-check", "author": "Lena <lena@example.org>",
        "description": "no null pointer where no payment method is stored",
        "methods": [{ "kind": "feature_flag", "seconds": 5 }, { "kind": "redeploy", "seconds": 150 }],
    });
    Play::new(&policy, &incident, &release)
}

/// The rollout of the scenario at the moment of each kind of message.
pub(crate) fn moments() -> Vec<(MessageKind, Rollout)> {
    let mut told = Vec::new();
    let mut play = scenario();
    play.say("14:08", &json!({ "kind": "note", "by": "Nora", "text": "payments fail" }));
    play.say(
        "14:12",
        &json!({ "kind": "set_facts", "by": "Nora", "facts": { "authentication_down": false } }),
    );
    told.push((MessageKind::Alert, play.rollout.clone()));
    for (at, by, role) in
        [("14:31", "Iris", "engineering_lead"), ("14:34", "Omar", "product_manager")]
    {
        play.say(at, &json!({ "kind": "approve", "by": by, "role": role }));
    }
    play.say("14:40", &json!({ "kind": "start", "by": "Lena" }));
    told.push((MessageKind::DeploymentStarted, play.rollout.clone()));
    play.confirm("14:42");
    for at in minutes(14 * 60 + 43, 10) {
        play.see(&at, "healthy");
    }
    told.push((MessageKind::PhasePassed, play.rollout.clone()));
    // Readings go on while traffic moves.
    play.see("14:53", "healthy");
    play.see("14:54", "healthy");
    play.confirm("14:54");
    play.see("14:55", "half");
    told.push((MessageKind::Update, play.rollout.clone()));
    let mut bad = Play { rollout: play.rollout.clone(), observations: play.observations.clone() };
    let failing = json!({ "error_rate": { "canary": [60, 500], "baseline": [2, 500] } });
    bad.say("14:56", &json!({ "kind": "observe", "metrics": failing }));
    told.push((MessageKind::RollingBack, bad.rollout.clone()));
    bad.confirm("14:57");
    // The live version has all of the requests again.
    let mut again = bad.observations["half"].clone();
    again["request_volume"] = json!({ "baseline": 1000 });
    for at in minutes(14 * 60 + 58, 6) {
        bad.say(&at, &json!({ "kind": "observe", "metrics": again }));
    }
    assert_eq!(bad.rollout.state().as_str(), "rolled_back");
    told.push((MessageKind::RolledBack, bad.rollout.clone()));
    for at in minutes(14 * 60 + 56, 9) {
        play.see(&at, "half");
    }
    play.confirm("15:07");
    told.push((MessageKind::Deployed, play.rollout.clone()));
    for at in minutes(15 * 60 + 8, 33) {
        play.see(&at, "all");
    }
    assert_eq!(play.rollout.state().as_str(), "complete");
    told.push((MessageKind::Resolved, play.rollout.clone()));
    told.sort_by_key(|(kind, _)| *kind);
    told
}

/// Rollouts of a preset in several states, with a mark in every place that is filled in from outside.
pub(crate) fn marked_states(preset: &str) -> Vec<Rollout> {
    let mut policy: Value =
        serde_json::from_str(&Policy::preset(preset).unwrap().to_json()).unwrap();
    without_lists(&mut policy);
    policy["approvals"] = json!([{ "any_of": ["engineering_lead"], "verbal": true }]);
    for level in policy["severities"].as_object_mut().into_iter().flatten() {
        level.1["approvals"] = json!([]);
    }
    for metric in policy["metrics"].as_array_mut().into_iter().flatten() {
        metric["title"] = json!(marked("metric-title"));
    }
    let holder = json!([{ "name": marked("holder"), "reach": marked("reach") }]);
    let role = json!({ "title": marked("role"), "holders": holder });
    policy["roles"] = json!({ "incident_commander": role, "engineering_lead": role });
    policy["vendors"] = json!([{ "name": marked("vendor"), "support": marked("support") }]);
    for phase in policy["phases"].as_array_mut().into_iter().flatten() {
        phase["objective"] = json!(marked("objective"));
        phase["watch_for"] = json!([marked("watch-for")]);
    }
    policy["after"] = json!([{ "until": 3600, "watch": [marked("after")] }]);
    let incident = json!({
        "id": "INC-1", "service": "Card payments", "title": marked("title"), "severity": "P0",
        "began_at": "2026-03-03T14:02:00Z", "detected_at": "2026-03-03T14:06:00Z",
        "facts": { "service_down": true, "preceding_deploy": marked("deploy"), "users_affected": 0.5, "service": marked("service-fact") },
    });
    let incident = if policy["severities"].get("P0").is_some() {
        incident
    } else {
        let mut other = incident;
        other["severity"] = policy["severities"]
            .as_object()
            .and_then(|s| s.keys().next().cloned())
            .map_or(Value::Null, Value::from);
        other
    };
    let release = json!({
        "version": marked("version"), "previous": marked("previous"), "branch": "hotfix/SECRET-branch", "commit": marked("commit"),
        "author": format!("{} <{}@host>", marked("author"), marked("mail")), "description": marked("description"),
        "change_record": { "build": marked("build"), "artifact": marked("host"), "prepared_by": { "name": marked("preparer"), "kind": "person" },
            "links": { "diagnosis": marked("link") } },
        "methods": [{ "kind": "redeploy", "seconds": 150 }],
    });
    let mut play = Play::new(&policy, &incident, &release);
    let few = json!({ "kind": "observe", "metrics": { "error_rate": { "canary": [0, 100], "baseline": [3, 900] } } });
    let mut states = Vec::new();
    play.say("14:08", &json!({ "kind": "note", "by": marked("noter"), "text": marked("note") }));
    states.push(play.rollout.clone());
    let approve = json!({
        "kind": "approve", "by": marked("holder"), "role": "engineering_lead", "channel": marked("channel"),
        "heard_by": marked("hearer"), "why": marked("approve-why"),
    });
    play.say("14:30", &approve);
    states.push(play.rollout.clone());
    play.say("14:40", &json!({ "kind": "start", "by": marked("starter") }));
    states.push(play.rollout.clone());
    play.confirm("14:42");
    // Of the first one the warm-up may leave out all.
    play.say("14:42:30", &few);
    play.say("14:43", &few);
    states.push(play.rollout.clone());
    play.say(
        "14:44",
        &json!({ "kind": "pause", "by": marked("pauser"), "why": marked("pause-why") }),
    );
    states.push(play.rollout.clone());
    play.say(
        "14:45",
        &json!({ "kind": "roll_back", "by": marked("returner"), "why": marked("back-why") }),
    );
    states.push(play.rollout.clone());
    play.confirm("14:46");
    for at in minutes(14 * 60 + 47, 14) {
        play.say(&at, &few);
    }
    play.say("15:02", &json!({ "kind": "tick" }));
    states.push(play.rollout.clone());
    states
}
