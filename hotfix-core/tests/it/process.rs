//! What a policy says of the process around a rollout: messages, windows after it, strategies.

use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{MESSAGE_FIELDS, TimeRange};
use hotfix_core::rollout::{Input, Recording, Rollout, State};
use hotfix_core::unit::{Name, Span};
use serde_json::{Value, json};

use crate::policy_common;
use crate::ready;

const INCIDENT: &str = r#"{"id":"INC-2041","service":"payments","severity":"P1"}"#;
const RELEASE: &str = r#"{"version":"2.3.1","previous":"2.3.0"}"#;

/// `phased-canary` with these values at these places.
fn with(set: &[(&str, Value)]) -> Policy {
    let mut document: Value =
        serde_json::from_str(&Policy::preset("phased-canary").unwrap().to_json()).unwrap();
    let set: Vec<(String, Value)> =
        set.iter().map(|(place, value)| ((*place).to_owned(), value.clone())).collect();
    policy_common::apply(&mut document, &set, &[]);
    Policy::from_json(&document.to_string()).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn field_5_the_fields_of_a_text_are_named_in_its_order() {
    let message =
        |text: &str| json!([{ "id": "m", "kind": "update", "audience": "business", "text": text }]);
    for (text, fields) in [
        ("no braces, { one } and }} two", vec![]),
        ("{{title}}", vec!["title"]),
        ("{{ title }}{{\n title\t}} é {{severity}}", vec!["title", "title", "severity"]),
        (
            "{% if eta %}{{ now | default(\"-\") }}{% elif not title %}{% endif %}",
            vec!["eta", "now", "title"],
        ),
    ] {
        let policy = with(&[("/messages", message(text))]);
        assert_eq!(policy.messages()[0].fields(), fields, "{text}");
    }
}

#[test]
fn field_5_the_fields_of_messages_are_names_each_once() {
    for (i, field) in MESSAGE_FIELDS.iter().enumerate() {
        let name = field.name;
        assert!(Name::try_new(name).is_ok(), "{name}");
        assert!(!MESSAGE_FIELDS[..i].iter().any(|before| before.name == name), "{name}");
    }
}

#[test]
fn roll_6_a_window_that_names_nothing_is_written_as_its_end() {
    let after = json!(["30min", { "until": "4h", "watch": ["late effects"] }, { "until": "1d" }]);
    let policy = with(&[("/after", after)]);
    let wire: Value = serde_json::from_str(&policy.to_json()).unwrap();
    let late = json!({ "from": "verified", "until": 14_400, "watch": ["late effects"] });
    assert_eq!(wire["after"], json!([1_800, late, 86_400]));
    let human: Value = toml::from_str(&policy.to_toml()).unwrap();
    let late = json!({ "from": "verified", "until": "4h", "watch": ["late effects"] });
    assert_eq!(human["after"], json!(["30min", late, "1d"]));
}

#[test]
fn plan_5_a_time_of_the_way_back_may_have_one_end() {
    let policy = with(&[("/rollback/assess", json!({ "least": "2min" }))]);
    let least = Some(Span::from_seconds(120));
    assert_eq!(policy.rollback().assess, Some(TimeRange { least, most: None }));
    assert_eq!(policy.rollback().verify, None);
}

#[test]
fn field_5_what_is_left_out_has_the_value_that_is_documented() {
    use hotfix_core::grade::{Flow, MergeKind, StepClock, TagForm};
    let policy = with(&[
        ("/vcs", json!({ "flow": "trunk" })),
        ("/procedure", json!([{ "id": "a", "title": "a" }])),
        ("/change_record", json!({ "review": {} })),
    ]);
    let vcs = policy.vcs().unwrap();
    assert_eq!((vcs.flow, vcs.base.as_str(), vcs.prefix.as_deref()), (Flow::Trunk, "main", None));
    assert_eq!((vcs.version, vcs.tag, vcs.annotated), (None, TagForm::Version, true));
    assert_eq!((vcs.merge, vcs.order.len(), &vcs.pull_request), (MergeKind::NoFf, 0, &None));
    assert!(!vcs.commit.conventional && !vcs.commit.version_commit && vcs.commit.fields.is_empty());
    assert_eq!(policy.procedure()[0].clock, StepClock::Duration);
    let review = policy.change_record().unwrap().review.unwrap();
    assert_eq!((review.every, review.after_each), (None, false));
    let lab = Policy::from_toml(&policy_common::example("lab")).unwrap();
    assert!(!lab.rollback().point && lab.strategy_why().is_empty());
}

/// The kinds of action that a start leads to, each confirmed before the next.
fn acts_of_the_start(strategy: &str) -> (Vec<String>, State) {
    let phased = with(&[("/strategy", json!(strategy))]);
    let full = phased.phases().last().unwrap();
    // All at once is one phase.
    let phases = ("/phases", json!([full]));
    let policy = if strategy == "immediate" {
        with(&[("/strategy", json!(strategy)), phases])
    } else {
        phased
    };
    let policy = Arc::new(policy);
    let plan = Plan::from_json(policy, INCIDENT, RELEASE, "").unwrap();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "pepper").unwrap();
    let mut at = "2026-03-03T14:40:00Z".parse().unwrap();
    ready::make(&mut rollout, at);
    let mut input = r#"{"kind":"start","by":"lena"}"#.to_owned();
    let mut acts = Vec::new();
    loop {
        rollout.handle(at, &Input::from_json(&input).unwrap()).unwrap();
        at = at + Span::from_seconds(1);
        let Some(action) = rollout.pending_actions().first() else { break };
        let document = serde_json::to_value(action).unwrap();
        acts.push(document["kind"].as_str().unwrap().to_owned());
        input = format!(r#"{{"kind":"confirm","by":"tool","action":"{}"}}"#, action.id);
    }
    (acts, rollout.state())
}

#[test]
fn roll_1_every_strategy_deploys_where_it_must_and_then_moves_traffic() {
    for (strategy, acts) in [
        ("canary", vec!["deploy", "set_traffic"]),
        ("feature_flag", vec!["set_traffic"]),
        ("blue_green", vec!["deploy", "set_traffic"]),
        ("rolling", vec!["deploy", "set_traffic"]),
        ("immediate", vec!["deploy", "set_traffic"]),
    ] {
        let acts: Vec<String> = acts.into_iter().map(str::to_owned).collect();
        assert_eq!(acts_of_the_start(strategy), (acts, State::Monitoring), "{strategy}");
    }
}
