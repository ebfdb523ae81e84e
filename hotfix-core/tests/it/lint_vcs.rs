//! The linter on source control: orders in which no fix gets through, each with a near miss.

#![allow(
    clippy::needless_pass_by_value,
    reason = "tables of cases, whose JSON is made where it is used"
)]

use hotfix_core::grade::Flow;
use hotfix_core::vcs::own_order;
use serde_json::{Value, json};

use crate::lint_patch::{check, patched, row};

/// VCS-1: an order that cannot be followed is no order.
#[test]
fn vcs_1_steps_that_cannot_be_taken_in_their_order_are_found() {
    let vcs = |flow: &str, order: Value, more: Value| {
        let mut vcs = json!({ "flow": flow, "order": order });
        for (key, value) in more.as_object().unwrap() {
            vcs[key.as_str()] = value.clone();
        }
        vec![("/vcs", vcs)]
    };
    let good = || vcs("git_flow", json!(["branch", "commit", "merge", "deploy"]), json!({}));
    let bad = |says: &'static [&'static str], flow: &str, order: Value| {
        row("HF-LINT-068", "/vcs/order", says, vcs(flow, order, json!({})), good())
    };
    check(
        "standard",
        vec![
            bad(&["no `commit`"], "git_flow", json!(["branch", "merge"])),
            bad(&["no `branch`"], "github_flow", json!(["commit", "merge"])),
            bad(&["`tag` needs `commit`"], "git_flow", json!(["branch", "tag", "commit"])),
            bad(&["`merge` needs `branch`"], "trunk", json!(["commit", "merge"])),
            bad(
                &["`pull_request` needs `push`"],
                "git_flow",
                json!(["branch", "commit", "pull_request"]),
            ),
            bad(
                &["would be lost"],
                "git_flow",
                json!(["branch", "commit", "delete_branch", "merge"]),
            ),
            bad(
                &["`delete_branch` needs `merge_back`"],
                "git_flow",
                json!(["branch", "commit", "merge", "delete_branch", "merge_back"]),
            ),
            bad(
                &["`delete_branch` needs `push`"],
                "git_flow",
                json!(["branch", "commit", "merge", "delete_branch", "push"]),
            ),
            row(
                "HF-LINT-068",
                "/vcs/order",
                &["`delete_branch` needs `deploy`"],
                vcs(
                    "production_tag",
                    json!(["branch", "commit", "push", "merge_back", "delete_branch", "deploy"]),
                    json!({ "merge_back": ["main"] }),
                ),
                vcs(
                    "production_tag",
                    json!([
                        "branch",
                        "commit",
                        "push",
                        "tag",
                        "merge_back",
                        "delete_branch",
                        "deploy"
                    ]),
                    json!({ "merge_back": ["main"] }),
                ),
            ),
            bad(
                &["`merge` has no target branch"],
                "production_tag",
                json!(["branch", "commit", "merge"]),
            ),
            bad(
                &["`merge_back` has no target branch"],
                "git_flow",
                json!(["branch", "commit", "merge_back"]),
            ),
        ],
    );
    // The flow's own order.
    let bare = patched("standard", &[&vec![("/vcs", json!({ "flow": "git_flow" }))]]).lint(None);
    let bare = bare.iter().find(|of| of.code() == "HF-LINT-068").unwrap();
    assert_eq!(bare.path, "/vcs/merge_back");
    let way =
        json!([{ "id": "by_hand", "title": "by hand", "flow": "git_flow", "order": ["commit"] }]);
    let found = patched(
        "standard",
        &[&vcs("git_flow", json!([]), json!({ "ways": way, "merge_back": ["main"] }))],
    );
    let found: Vec<String> = found
        .lint(None)
        .into_iter()
        .filter(|f| f.code() == "HF-LINT-068")
        .map(|f| f.path)
        .collect();
    assert_eq!(found, ["/vcs/ways/0/order"]);
}

/// VCS-1: the key `order` says what happens without it.
#[test]
fn vcs_1_the_reference_lists_the_order_of_each_flow() {
    let schema = crate::policy_common::schema();
    let text = schema["$defs"]["Vcs"]["properties"]["order"]["description"].as_str().unwrap();
    for flow in Flow::ALL {
        let steps: Vec<String> = own_order(*flow).iter().map(|step| format!("`{step}`")).collect();
        let listed = format!("`{flow}`: {}.", steps.join(", "));
        assert!(text.contains(&listed), "{listed} is not in {text}");
    }
}
