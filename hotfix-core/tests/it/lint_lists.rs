//! The linter on what a severity demands and no list asks for: each finding once, with a near miss.

use hotfix_core::policy::Policy;
use serde_json::{Value, json};

use crate::lint_patch::{Row, check};

#[test]
fn gate_3_demands_that_no_list_asks_for_are_found() {
    let level = |more: Value| {
        let mut level =
            json!({ "label": "P0", "hotfix": true, "approvals": [{ "any_of": ["cto"] }] });
        level.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("/severities/P0", level)
    };
    let list = |at: &str, id: &str, severity: &str| {
        let item = json!({ "id": id, "text": id });
        let list = json!({ "id": "asked", "title": "Asked", "at": at, "severities": [severity], "items": [item] });
        vec![("/checklists", json!([list]))]
    };
    let review = |time: &str| level(json!({ "review": { "time": time } }));
    let staging = level(json!({ "testing": { "staging": true } }));
    let other = json!({ "label": "P1", "hotfix": true, "approvals": [{ "any_of": ["cto"] }] });
    let other = ("/severities/P1", other);
    let one = |place, says: &'static [&'static str], base, fault, near| Row {
        code: "HF-LINT-103",
        place,
        says,
        base,
        fault,
        near,
    };
    let reviewed = "/severities/P0/review";
    let staged = "/severities/P0/testing/staging";
    check(
        "standard",
        vec![
            one(
                reviewed,
                &["a P0 demands", "`review` in its id, in a list at `start` or"],
                vec![review("before")],
                list("deployed", "code_reviewed", "P0"),
                list("start", "code_reviewed", "P0"),
            ),
            one(
                reviewed,
                &["a P0 demands", "at `start`, `before` or `deployed`"],
                vec![review("any")],
                list("start", "previewed", "P0"),
                list("deployed", "review", "P0"),
            ),
            one(
                reviewed,
                &["a P0 demands", "`review` in its id, in a list at `deployed`"],
                vec![review("after")],
                list("after", "reviewed", "P0"),
                list("deployed", "reviewed", "P0"),
            ),
            one(
                staged,
                &["a P0 demands", "`staging` in its id, in a list at `start` or"],
                vec![staging.clone()],
                list("start", "tested", "P0"),
                list("start", "staging_tested", "P0"),
            ),
            one(
                staged,
                &["a P0 demands", "`staging` in its id, in a list at `start` or"],
                vec![staging, other],
                list("start", "on_staging", "P1"),
                list("before", "on_staging", "P0"),
            ),
        ],
    );
}

/// Nobody knows the index of an item in a list that was merged.
#[test]
fn dec_5_a_finding_in_a_list_names_the_item() {
    let text = "extends = 'standard'\nname = 'x'\n[[duties]]\nid = 'p1_update'\nrole = 'nobody'";
    let found = Policy::from_toml(text).unwrap().lint(None);
    let unknown = found.iter().find(|finding| finding.code() == "HF-LINT-046").unwrap();
    let message = "in `p1_update`: the role `nobody` is named here, but not declared under `roles`";
    assert_eq!(unknown.message(), message);
}
