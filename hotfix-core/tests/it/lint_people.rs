//! The linter on approvals, roles, updates and messages: each finding once, with a near miss.

#![allow(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "tables of cases, whose JSON is made where it is used"
)]

use hotfix_core::policy::Policy;
use serde_json::{Value, json};

use crate::lint_patch::{Patch, Row, check, now, patched, row, row_on};

pub(crate) fn severity(name: &'static str, approvals: Value) -> (&'static str, Value) {
    let place = if name == "P0" { "/severities/P0" } else { "/severities/P1" };
    (place, json!({ "label": name, "hotfix": true, "approvals": approvals }))
}

fn role(title: &str, holder: Option<&str>, stand_ins: Value) -> Value {
    let holders: Vec<Value> = holder.iter().map(|name| json!({ "name": name })).collect();
    json!({ "title": title, "holders": holders, "stand_ins": stand_ins })
}

pub(crate) fn duties(all: Value) -> Patch {
    vec![("/duties", all)]
}

pub(crate) fn message(kind: &str, audience: &str, text: &str, more: Value) -> Value {
    let mut message = json!({ "id": "news", "kind": kind, "audience": audience, "text": text });
    for (key, value) in more.as_object().unwrap() {
        message[key.as_str()] = value.clone();
    }
    message
}

#[test]
fn gate_1_demands_that_contradict_each_other_are_found() {
    let matrix = |told: Value| {
        vec![severity(
            "P0",
            json!([
                { "any_of": ["cto", "engineering_manager"] },
                { "any_of": ["primary_on_call"], "notified": told },
            ]),
        )]
    };
    let unheld = vec![severity("P0", json!([{ "any_of": ["cto"] }]))];
    let place = "/severities/P0/approvals/1/notified";
    check(
        "standard",
        vec![
            // S4: told of it, and asked.
            Row {
                code: "HF-LINT-044",
                place,
                says: &["`cto`, `engineering_manager`", "`primary_on_call`", "only notifies"],
                base: vec![],
                fault: matrix(json!(["engineering_manager"])),
                near: matrix(json!(["team_lead"])),
            },
            // S2: both have to approve, nobody is merely told.
            Row {
                code: "HF-LINT-044",
                place,
                says: &[],
                base: vec![],
                fault: matrix(json!(["cto"])),
                near: matrix(json!([])),
            },
            // One of the two does not hold the rollout up.
            Row {
                code: "HF-LINT-044",
                place,
                says: &[],
                base: matrix(json!(["cto"])),
                fault: vec![],
                near: vec![("/severities/P0/approvals/0/blocking", json!(false))],
            },
            // One of the two may follow the start.
            Row {
                code: "HF-LINT-044",
                place,
                says: &[],
                base: matrix(json!(["cto"])),
                fault: vec![],
                near: vec![("/severities/P0/approvals/0/after_the_fact", json!("1d"))],
            },
            Row {
                code: "HF-LINT-048",
                place: "/severities/P0/approvals",
                says: &["P0"],
                base: vec![severity("P0", json!([]))],
                fault: vec![],
                near: vec![("/approvals", json!([{ "any_of": ["cto"], "blocking": false }]))],
            },
            Row {
                code: "HF-LINT-101",
                place: "/severities/P2/approvals",
                says: &["a P2 is answered without a hot-fix"],
                base: vec![],
                fault: vec![(
                    "/severities/P2",
                    json!({ "label": "P2", "hotfix": false, "approvals": [{ "any_of": ["cto"] }] }),
                )],
                near: vec![("/severities/P2", json!({ "label": "P2", "hotfix": false }))],
            },
            Row {
                code: "HF-LINT-048",
                place: "/severities/P0/approvals",
                says: &[],
                base: vec![severity("P0", json!([]))],
                fault: vec![],
                near: unheld,
            },
        ],
    );
}

/// DEC-5: an entry that names what its list is about.
#[test]
fn dec_5_entries_without_an_effect_are_found() {
    let stand_ins = |role: &str| {
        let cto = json!({ "title": "CTO", "stand_ins": [role] });
        vec![("/roles", json!({ "cto": cto, "lead": { "title": "lead" } }))]
    };
    let alternative = |strategy: &str| {
        vec![("/alternatives", json!([{ "strategy": strategy, "why": "no canary" }]))]
    };
    check(
        "standard",
        vec![
            row(
                "HF-LINT-107",
                "/roles/cto/stand_ins/0",
                &["`cto` is its own stand-in"],
                stand_ins("cto"),
                stand_ins("lead"),
            ),
            row(
                "HF-LINT-107",
                "/alternatives/0/strategy",
                &["`canary` is the policy's own strategy"],
                alternative("canary"),
                alternative("rolling"),
            ),
        ],
    );
}

/// GATE-1: one approval counts for each demand that its role may give.
#[test]
fn gate_1_an_approval_that_is_demanded_twice_is_found() {
    let approvals = |all: Value| ("/approvals", all);
    let of_p0 = |all: Value| severity("P0", all);
    let (lead, cto) = (json!({ "any_of": ["lead"] }), json!({ "any_of": ["cto"] }));
    let says = &["is the same as the one at `/approvals/0`", "one approval meets both"];
    check(
        "standard",
        vec![
            row(
                "HF-LINT-106",
                "/approvals/1",
                says,
                vec![approvals(json!([lead, lead]))],
                vec![approvals(json!([lead, cto]))],
            ),
            row(
                "HF-LINT-106",
                "/severities/P0/approvals/0",
                says,
                vec![approvals(json!([lead])), of_p0(json!([lead]))],
                vec![approvals(json!([cto])), of_p0(json!([lead]))],
            ),
        ],
    );
}

#[test]
fn time_4_roles_that_nobody_holds_are_found() {
    let base = vec![severity("P0", json!([{ "any_of": ["cto"] }]))];
    let roles = |cto: Value| {
        vec![(
            "/roles",
            json!({
                "cto": cto,
                "ceo": role("CEO", Some("Ada"), json!([])),
                "clerk": role("clerk", None, json!([])),
            }),
        )]
    };
    let nobody = role("CTO", None, json!([]));
    let called = |clerk: Value| {
        let mut patch = roles(role("CTO", Some("Eve"), json!([])));
        patch[0].1["clerk"] = clerk;
        let duty = json!([{ "id": "call", "kind": "page", "title": "call", "role": "clerk", "from": "declared", "within": "5min" }]);
        patch.push(("/duties", duty));
        patch
    };
    let two_at = |demanded: &'static str, clerk: &str| {
        let mut patch = roles(role("CTO", Some("Ada"), json!(["ceo"])));
        patch[0].1["clerk"] = role("clerk", Some(clerk), json!([]));
        let demands = json!([{ "any_of": ["cto"] }, { "any_of": ["clerk"] }]);
        patch.push((demanded, demands));
        patch
    };
    let two = |clerk: &str| two_at("/severities/P0/approvals", clerk);
    let in_all = |clerk: &str| {
        let mut patch = two_at("/approvals", clerk);
        patch.push(("/severities", Value::Null));
        patch
    };
    let row = row_on(&base);
    check(
        "standard",
        vec![
            // Nothing names the clerk.
            row(
                "HF-LINT-045",
                "/roles",
                &["without holders, so anybody may approve in them: `cto`"],
                roles(nobody),
                roles(role("CTO", Some("Eve"), json!([]))),
            ),
            // Somebody is called, and anybody may approve all the same.
            row(
                "HF-LINT-045",
                "/roles",
                &["`cto`"],
                roles(role("CTO", None, json!(["ceo"]))),
                roles(role("CTO", Some("Eve"), json!(["ceo"]))),
            ),
            row(
                "HF-LINT-045",
                "/roles",
                &["`cto`"],
                roles(json!({ "title": "CTO", "reach": "pager 7" })),
                roles(role("CTO", Some("Eve"), json!([]))),
            ),
            // In a role that is only called nobody approves.
            row(
                "HF-LINT-045",
                "/roles",
                &["`clerk`"],
                called(role("clerk", None, json!([]))),
                called(json!({ "title": "clerk", "reach": "pager 7" })),
            ),
            row(
                "HF-LINT-100",
                "/severities/P0/approvals/0",
                &["for `cto`, `ceo` and for `clerk`, and Ada alone holds these roles"],
                two("Ada <ada@example.org>"),
                two("Eve"),
            ),
            // A policy without severities.
            row("HF-LINT-100", "/approvals/0", &["Ada alone"], in_all("Ada"), in_all("Eve")),
            row(
                "HF-LINT-046",
                "/severities/P0/approvals/0/any_of/0",
                &["`cto`"],
                vec![("/roles", json!({ "ceo": { "title": "CEO" } }))],
                vec![("/roles", json!({}))],
            ),
            row(
                "HF-LINT-046",
                "/roles/cto/stand_ins/0",
                &["`coo`"],
                roles(role("CTO", None, json!(["coo"]))),
                roles(role("CTO", None, json!(["clerk"]))),
            ),
        ],
    );
    // A circle of stand-ins ends, and is nobody.
    let circle = (
        "/roles",
        json!({ "cto": role("CTO", None, json!(["ceo"])), "ceo": role("CEO", None, json!(["cto"])) }),
    );
    let found = patched("standard", &[&base, &vec![circle]]).lint(None);
    assert!(
        found.iter().any(|f| f.code() == "HF-LINT-045" && f.message().ends_with("`ceo`, `cto`"))
    );
}

#[test]
fn time_2_two_times_for_one_thing_are_found() {
    let base = vec![severity("P0", json!([{ "any_of": ["cto"] }]))];
    let review = |second: Value, kind: &str| {
        duties(json!([
            { "id": "review", "kind": "review", "title": "review", "from": "resolved", "within": 86_400 },
            { "id": "meeting", "kind": kind, "title": "meeting", "from": "resolved", "within": second },
        ]))
    };
    let found = patched(
        "standard",
        &[&vec![severity("P1", json!([]))], &base, &review(json!(172_800), "meet")],
    );
    let found = found.lint(None);
    assert_eq!(found.iter().filter(|f| f.code() == "HF-LINT-051").count(), 1, "said once");
    let update = |every: u32, audience: &str| {
        duties(json!([
            { "id": "often", "kind": "update", "title": "often", "from": "detected", "within": 900, "every": 900, "audience": "stakeholders" },
            { "id": "seldom", "kind": "update", "title": "seldom", "from": "detected", "within": 900, "every": every, "audience": audience },
        ]))
    };
    let unnamed = |every: u32| {
        let mut patch = update(every, "responders");
        patch.extend([
            ("/duties/0/audience", json!("responders")),
            ("/duties/1/audience", Value::Null),
        ]);
        patch
    };
    let row = row_on(&base);
    check(
        "standard",
        vec![
            row(
                "HF-LINT-051",
                "/duties/1",
                &["P0", "1d", "2d", "`resolved`"],
                review(json!(172_800), "meet"),
                review(json!(86_400), "meet"),
            ),
            row(
                "HF-LINT-051",
                "/duties/1",
                &["next_sprint"],
                review(json!("next_sprint"), "review"),
                review(json!(172_800), "write"),
            ),
            row(
                "HF-LINT-052",
                "/duties/1/every",
                &["15min", "1d", "stakeholders"],
                update(86_400, "stakeholders"),
                update(86_400, "business"),
            ),
            row(
                "HF-LINT-052",
                "/duties/1/every",
                &[],
                update(86_400, "stakeholders"),
                update(900, "stakeholders"),
            ),
            // Without an audience it is for the responders.
            row(
                "HF-LINT-052",
                "/duties/1/every",
                &["for responders"],
                unnamed(86_400),
                unnamed(900),
            ),
        ],
    );
}

#[test]
fn vcs_5_a_commit_that_says_what_comes_later_is_found() {
    let commit = |fields: Value| ("/vcs/commit/fields", fields);
    let late = ("/severities/P0/review/time", json!("after"));
    let early = ("/severities/P0/review/time", json!("before"));
    let row = |says, base, fault, near| Row {
        code: "HF-LINT-067",
        place: "/vcs/commit/fields",
        says,
        base,
        fault,
        near,
    };
    let before = |fields: Value| vec![commit(fields)];
    check(
        "severity-matrix",
        vec![
            row(
                &["`deployed_by`"],
                vec![],
                before(json!(["deployed_by"])),
                before(json!(["tested"])),
            ),
            row(
                &["`approved_by`"],
                before(json!(["issue", "approved_by"])),
                vec![late],
                vec![early],
            ),
        ],
    );
}

/// COMM-1: the first text that fits is used, and what another one promises is of no account.
#[test]
fn comm_1_a_message_behind_one_that_always_fits_is_found() {
    let never = json!({ "promises": [{ "of": "review", "most": 60 }], "severities": ["P0"] });
    let hidden = message("resolved", "stakeholders", "t", never);
    let texts = |mut first: Value, hidden: &Value| {
        first["id"] = json!("first");
        vec![
            severity("P0", json!([])),
            severity("P1", json!([])),
            ("/messages", json!([first, hidden])),
        ]
    };
    let first = |more: Value| message("resolved", "stakeholders", "t", more);
    let row = |near: Value| {
        let says = &["`news` is never used: `first` comes before it"];
        let fault = texts(first(json!({})), &hidden);
        row("HF-LINT-105", "/messages/1", says, fault, texts(near, &hidden))
    };
    check(
        "standard",
        vec![
            row(first(json!({ "severities": ["P1"] }))),
            row(first(json!({ "when": "service_down" }))),
            row(message("resolved", "responders", "t", json!({}))),
            row(message("deployed", "stakeholders", "t", json!({}))),
        ],
    );
    let found = patched("standard", &[&texts(first(json!({})), &hidden)]).lint(None);
    assert!(found.iter().all(|f| !f.path.contains("promises")), "{found:?}");
}

#[test]
fn dec_5_a_finding_on_the_wire_has_code_level_place_sentence_and_remedy() {
    let policy = patched("standard", &[&vec![severity("P0", json!([]))]]);
    let found = policy.lint(Some(now()));
    let finding = found.iter().find(|f| f.code() == "HF-LINT-048").unwrap();
    let wire = serde_json::to_value(finding).unwrap();
    assert_eq!(
        wire,
        json!({
            "code": "HF-LINT-048",
            "level": "warn",
            "path": "/severities/P0/approvals",
            "message": "a P0 is answered with a hot-fix, but needs no approval",
            "remedy": "add an approval, with `after_the_fact` if it may follow the start",
            "example": null,
        })
    );
    let late =
        patched("standard", &[&vec![("/change_record", json!({ "estimate": { "most": 3540 } }))]]);
    let found = late.lint(None);
    let finding = found.iter().find(|f| f.code() == "HF-LINT-042").unwrap();
    let times = &serde_json::to_value(finding).unwrap()["example"]["times"];
    assert_eq!((&times["least"], &times["limit"]), (&json!(3600.0), &json!(3540.0)));
    assert_eq!(times["steps"][0], json!({ "step": "canary", "least": 720.0, "most": 1380.0 }));
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
