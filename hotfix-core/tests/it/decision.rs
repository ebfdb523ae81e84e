//! The decision: case tables, its document.

use std::sync::Arc;

use hotfix_core::fact::{FactKind, Facts};
use hotfix_core::plan::{Plan, PlanFindingKind};
use hotfix_core::policy::Policy;
use serde_json::json;

use crate::crate_files::in_crate;
use crate::decision_common::{self, facts, policy, with_tables};
use crate::shared::answer_cases::{DecisionCase, load};

#[test]
fn dec_4_every_case_is_decided_as_expected() {
    let mut wrong = Vec::new();
    for case in load::<DecisionCase>(&in_crate("tests/cases/decision")) {
        let policy = policy(&case.policy);
        let facts = facts(&policy, &case.facts);
        let document = serde_json::to_value(policy.decide(&facts)).unwrap();
        wrong.extend(case.faults(&document));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dec_4_the_document_has_the_whole_answer() {
    let policy = policy("house-tree");
    let facts =
        facts(&policy, &json!({ "payment_failure_share": 0.2, "security_exploited": true }));
    let expected = json!({
        "outcome": null,
        "settled": false,
        "path": [{
            "id": "money", "ask": "Do payments fail?", "answer": "no", "to": "tickets",
            "facts": { "payment_failure_share": 0.2, "payments_down": false },
            "deduced": ["payments_down"],
        }],
        "reachable": ["web_team", "ticket", "nothing"],
        "gaps": [],
        "circular": false,
        "next_question": {
            "fact": "tickets", "ask": "How many tickets came in?", "kind": "number",
            "if_known": {
                "below 3": ["ticket", "nothing"], "3": ["ticket"], "above 3, below 20": ["ticket"],
                "20": ["web_team"], "above 20": ["web_team"],
            },
        },
        "contradictions": [],
        "exact": true,
    });
    let decision = policy.decide(&facts);
    assert_eq!(serde_json::to_value(&decision).unwrap(), expected);
    // From the least value to the greatest.
    let text = serde_json::to_string(&decision).unwrap();
    let at = |value: &str| text.find(value).unwrap();
    assert!(at("below 3") < at("\"3\"") && at("\"3\"") < at("above 3, below 20"));
}

#[test]
fn dec_4_what_follows_is_no_made_up_figure() {
    let policy = policy("matrix-tree");
    let facts = facts(&policy, &json!({ "service_down": false }));
    let document = serde_json::to_value(policy.decide(&facts)).unwrap();
    // The error rate is below 100% then, but no question asks for it and nothing says which it is.
    assert_eq!(document["path"][0]["facts"], json!({ "service_down": false }));

    let tree = json!({
        "root": "all", "questions": [
            { "id": "all", "ask": "Does every request fail?", "when": { "fact": "error_rate", "at_least": 1.0 }, "yes": "now", "no": "later" },
        ],
        "leaves": [{ "id": "now", "title": "now", "hotfix": true }, { "id": "later", "title": "later", "hotfix": false }],
    });
    let implications = json!([{ "id": "all_fail", "when": { "fact": "error_rate", "at_least": 1.0 }, "then": "service_down" }]);
    let policy = with_tables(&json!({ "implications": implications, "tree": tree }));
    let facts = decision_common::facts(&policy, &json!({ "service_down": false }));
    let document = serde_json::to_value(policy.decide(&facts)).unwrap();
    let step = &document["path"][0];
    assert_eq!(step["facts"], json!({ "error_rate": "below 100%" }));
    assert_eq!(step["deduced"], json!(["error_rate"]));
    assert_eq!(document["outcome"]["id"], "later");
}

#[test]
fn dec_4_a_question_that_hangs_together_is_answered() {
    // Kleene's logic cannot tell; whatever the attack is, one of the two holds.
    let tree = json!({
        "root": "either", "questions": [
            { "id": "either", "ask": "Either?", "when": { "any": ["payments_down", { "not": "payments_down" }] }, "yes": "now", "no": "later" },
        ],
        "leaves": [{ "id": "now", "title": "now", "hotfix": true }, { "id": "later", "title": "later", "hotfix": false }],
    });
    let policy = with_tables(&json!({ "tree": tree }));
    let facts = Facts::default();
    let decision = policy.decide(&facts);
    assert_eq!(decision.path()[0].answer, "yes");
    assert_eq!(decision.outcome().unwrap().id.as_str(), "now");
}

#[test]
fn dec_4_a_tree_that_goes_round_says_so() {
    let tree = json!({
        "root": "a", "questions": [
            { "id": "a", "ask": "A?", "when": "service_down", "yes": "b", "no": "now" },
            { "id": "b", "ask": "B?", "when": "payments_down", "yes": "a", "no": "now" },
        ],
        "leaves": [{ "id": "now", "title": "now", "hotfix": true }],
    });
    let policy = with_tables(&json!({ "tree": tree }));
    let known = facts(&policy, &json!({ "service_down": true, "payments_down": true }));
    let round = policy.decide(&known);
    assert!(round.circular() && round.settled() && round.outcome().is_none());
    assert_eq!(round.path().len(), 2);
    let facts = Facts::default();
    let open = policy.decide(&facts);
    assert!(open.circular() && !open.settled());
}

#[test]
fn dec_4_no_two_classes_of_a_value_have_the_same_words() {
    let tree = json!({
        "root": "which", "questions": [
            { "id": "which", "ask": "Which?", "fact": "service", "answers": [{ "is": "another", "to": "now" }, { "is": "web", "to": "later" }] },
        ],
        "leaves": [{ "id": "now", "title": "now", "hotfix": true }, { "id": "later", "title": "later", "hotfix": false }],
    });
    let policy = with_tables(&json!({ "tree": tree }));
    let facts = Facts::default();
    let next = policy.decide(&facts).next_question().unwrap();
    let values: Vec<_> = next.if_known.iter().map(|remaining| remaining.value.as_str()).collect();
    assert_eq!(values, ["another 2", "another", "web"]);
}

/// A tree that is inherited does not ask for what an added rule asks: the plan says so. Without it, the
/// tree follows from the rules.
#[test]
fn dec_5_a_rule_that_an_inherited_tree_does_not_know() {
    let found = |tree: &str| {
        let text = format!(
            "extends = \"standard\"\nname = \"own\"\n{tree}\n[facts.carts_lost]\nkind = \"share\"\nask = \"How many carts are lost?\"\n[[rules]]\nid = \"carts_gone\"\ntitle = \"carts are lost\"\nseverity = \"P0\"\nwhen = {{ fact = \"carts_lost\", above = \"20%\" }}\n"
        );
        let policy = Arc::new(Policy::from_toml(&text).unwrap());
        let mut known = json!({ "carts_lost": 0.25 });
        let hotfix = loop {
            let facts = facts(&policy, &known);
            let decision = policy.decide(&facts);
            match (decision.outcome(), decision.next_question()) {
                (None, Some(next)) => {
                    let is_flag = next.kind == FactKind::Flag;
                    known[next.fact.as_str()] = if is_flag { json!(false) } else { json!(0) };
                }
                (outcome, _) => break outcome.map(|outcome| outcome.hotfix),
            }
        };
        let incident = json!({ "id": "INC-1", "facts": known }).to_string();
        let release = r#"{"version": "2", "previous": "1"}"#;
        let plan = Plan::from_json(policy, &incident, release, "").unwrap();
        let found = plan.findings().into_iter().map(|finding| finding.kind);
        (hotfix, found.filter(|kind| *kind == PlanFindingKind::TreeDisagrees).count())
    };
    assert_eq!(found(""), (Some(false), 1));
    assert_eq!(found("tree = { remove = true }"), (Some(true), 0));
}
