//! The linter on deadlines, estimates, promises and ways back: each finding once, with a near miss.

#![allow(clippy::too_many_lines, reason = "tables of cases")]

use serde_json::{Value, json};

use crate::lint_patch::{Row, check, patched, row};
use crate::lint_people::{duties, message, severity};

fn step(id: &str, least: u32, most: u32, clock: &str) -> Value {
    json!({ "id": id, "title": id, "least": least * 60, "most": most * 60, "clock": clock })
}

fn fix(minutes: u32, from: &str) -> Value {
    json!({ "id": "live", "kind": "fix", "title": "live", "severities": ["P0"], "from": from, "within": minutes * 60 })
}

fn p0() -> (&'static str, Value) {
    (
        "/severities/P0",
        json!({ "label": "critical", "hotfix": true, "approvals": [{ "any_of": ["cto"] }] }),
    )
}

#[test]
fn dec_5_deadlines_that_their_steps_cannot_meet_are_found() {
    let of = |minutes: u32| ("/duties", json!([fix(minutes, "detected")]));
    // S4: 5 min, 10 to 15, 15 to 20, a review of at most 15 that may follow, 5 to 10 of deploying.
    let mut matrix = vec![p0(), ("/deploying", json!({ "least": 300, "most": 600 }))];
    matrix.push(("/severities/P0/review", json!({ "time": "any", "most": 900 })));
    matrix.push((
        "/procedure",
        json!([
            { "id": "verify", "title": "verify", "most": 300 },
            step("cause", 10, 15, "duration"),
            step("test", 15, 20, "duration"),
            { "id": "review", "title": "review" },
            { "id": "deploy", "title": "deploy" },
            step("watch_build", 5, 10, "duration"),
        ]),
    ));
    let mut without = matrix[1..].to_vec();
    without.remove(1);
    let for_all = |minutes: u32| {
        let mut fix = fix(minutes, "detected");
        fix["severities"] = json!([]);
        ("/duties", json!([fix]))
    };
    // S2: positions until 2 h, then 15 to 30 min.
    let positions = vec![
        p0(),
        (
            "/procedure",
            json!([
                step("detect", 0, 5, "position"),
                step("assemble", 5, 10, "position"),
                step("respond", 10, 30, "position"),
                step("develop", 30, 120, "position"),
                step("deploy", 15, 30, "duration"),
                step("verify", 15, 30, "duration"),
            ]),
        ),
    ];
    let place = "/duties/0/within";
    let objective = |severity: &str| {
        let slo = json!({ "name": "live", "within": 7200, "from": "detected", "to": "deployed", "severities": [severity] });
        ("/change_record", json!({ "slo": slo }))
    };
    check(
        "standard",
        vec![
            Row {
                code: "HF-LINT-040",
                place,
                says: &["15min", "1h 5min to 2h 4min", "P0", "`detected`"],
                base: matrix.clone(),
                fault: vec![of(15)],
                near: vec![of(124)],
            },
            Row {
                code: "HF-LINT-040",
                place,
                says: &["1h 10min to 3h 9min"],
                base: positions.clone(),
                fault: vec![of(120)],
                near: vec![of(189)],
            },
            // What comes before the work on the fix began is not in its time: that cannot be told.
            Row {
                code: "HF-LINT-040",
                place,
                says: &[],
                base: positions,
                fault: vec![of(120)],
                near: vec![("/duties", json!([fix(60, "fix_started")]))],
            },
            // 2 + 10, 2 + 23 and 3 minutes until the last phase is reached.
            Row {
                code: "HF-LINT-042",
                place,
                says: &["`live`", "39min", "40min"],
                base: vec![p0()],
                fault: vec![("/duties", json!([fix(39, "approved")]))],
                near: vec![("/duties", json!([fix(40, "approved")]))],
            },
            // A policy without severities.
            row(
                "HF-LINT-040",
                place,
                &["`live` requires the fix live within 15min of `detected`"],
                [without.clone(), vec![for_all(15)]].concat(),
                [without.clone(), vec![for_all(124)]].concat(),
            ),
            row("HF-LINT-042", place, &["39min"], vec![for_all(39)], vec![for_all(40)]),
            Row {
                code: "HF-LINT-062",
                place: "/severities/P0",
                says: &["P0"],
                base: vec![p0()],
                fault: vec![("/duties", json!([fix(60, "deployed")]))],
                near: vec![("/duties", json!([fix(60, "approved")]))],
            },
            // An objective of another severity is no deadline of this one.
            Row {
                code: "HF-LINT-062",
                place: "/severities/P0",
                says: &["P0"],
                base: vec![
                    p0(),
                    ("/severities/P1", json!({ "label": "high", "hotfix": true })),
                    ("/duties", json!([fix(60, "deployed")])),
                ],
                fault: vec![objective("P1")],
                near: vec![objective("P0")],
            },
        ],
    );
}

#[test]
fn dec_5_figures_of_the_policy_itself_are_held_against_its_steps() {
    let record =
        |most: u32| ("/change_record", json!({ "estimate": { "least": 60, "most": most * 60 } }));
    let slo = |most: u32, to: &str| {
        (
            "/change_record",
            json!({ "slo": { "name": "live", "within": most * 60, "from": "declared", "to": to } }),
        )
    };
    let steps = (
        "/procedure",
        json!([
            step("prepare", 3, 5, "duration"),
            step("test", 5, 10, "duration"),
            step("deploy", 5, 10, "duration"),
            step("validate", 2, 5, "duration"),
            step("clean_up", 3, 5, "duration"),
        ]),
    );
    check(
        "standard",
        vec![
            Row {
                code: "HF-LINT-041",
                place: "/change_record/estimate/most",
                says: &["2h 26min", "1h 8min to 2h 27min"],
                base: vec![steps.clone()],
                fault: vec![record(146)],
                near: vec![record(147)],
            },
            // Until it is live: 8 to 15 minutes before the phases, and 40 to 69 until the last one.
            Row {
                code: "HF-LINT-041",
                place: "/change_record/slo/within",
                says: &["objective", "1h 23min", "48min to 1h 24min"],
                base: vec![steps],
                fault: vec![slo(83, "deployed")],
                near: vec![slo(84, "deployed")],
            },
            row(
                "HF-LINT-042",
                "/change_record/estimate/most",
                &["59min", "at least 1h"],
                vec![record(59)],
                vec![record(60)],
            ),
            row(
                "HF-LINT-042",
                "/change_record/slo/within",
                &["39min", "40min"],
                vec![slo(39, "deployed")],
                vec![slo(40, "deployed")],
            ),
            row(
                "HF-LINT-042",
                "/change_record/slo/within",
                &["objective is 59min"],
                vec![slo(59, "resolved")],
                vec![slo(60, "resolved")],
            ),
        ],
    );
    // S3's phases take 25 minutes, and are watched for 30 more; before them come 8 to 15.
    let found = |to: &str, most: u32| -> Vec<String> {
        let policy = patched("fast-track", &[&vec![slo(most, to)]]);
        let findings = policy.lint(None).into_iter();
        findings.filter(|f| f.path == "/change_record/slo/within").map(|f| f.message()).collect()
    };
    assert_eq!(
        found("closed", 30),
        [
            "the objective is 30min, but the steps and the phases and the watch after them take 58min to 1h 10min",
            "the objective is 30min, but the phases and the watch after them alone take at least 55min",
        ]
    );
    assert_eq!(found("closed", 69).len(), 1);
    assert!(found("closed", 70).is_empty());
    let steps = "the objective is 30min, but the steps and the phases take 28min to 40min";
    assert_eq!(found("resolved", 30), [steps]);
}

#[test]
fn dec_7_a_policy_whose_review_is_overdue_is_found() {
    let review = |changed: &str| {
        ("/change_record", json!({ "changed": changed, "review": { "every": 90 * 86_400 } }))
    };
    // Today is the 20th of November, noon: 90 days ago it was the 22nd of August, and what is due today
    // is not overdue.
    check(
        "standard",
        vec![row(
            "HF-LINT-050",
            "/change_record/review/every",
            &["2026-08-21", "90d"],
            vec![review("2026-08-21")],
            vec![review("2026-08-22")],
        )],
    );
    // Without the present time nothing is said of it.
    let overdue = patched("standard", &[&vec![review("2020-01-01")]]);
    assert!(overdue.lint(None).iter().all(|finding| finding.code() != "HF-LINT-050"));
}

#[test]
fn dec_5_ways_back_that_do_not_fit_their_times_are_found() {
    let parts = |estimate: u32| {
        vec![
            ("/rollback/assess", json!({ "least": 120, "most": 300 })),
            ("/rollback/execute", json!({ "least": 300, "most": 900 })),
            ("/rollback/verify", json!({ "least": 300, "most": 600 })),
            ("/rollback/estimate", json!({ "most": estimate * 60 })),
        ]
    };
    let ways = (
        "/rollback/methods",
        json!([
            { "kind": "feature_flag", "most": 0 },
            { "kind": "git_revert", "most": 900 },
            { "kind": "platform", "most": 600 },
        ]),
    );
    check(
        "standard",
        vec![
            row(
                "HF-LINT-060",
                "/rollback/estimate/most",
                &["29min", "30min"],
                parts(29),
                parts(30),
            ),
            Row {
                code: "HF-LINT-061",
                place: "/rollback/returned_within",
                says: &["`git_revert`", "15min"],
                base: vec![ways],
                fault: vec![("/rollback/returned_within", json!(899))],
                near: vec![("/rollback/returned_within", json!(900))],
            },
        ],
    );
}

#[test]
fn dec_5_duties_that_nobody_can_keep_or_settle_are_found() {
    let duty = |patch: Value| {
        let mut duty = json!({ "id": "look", "kind": "watch", "title": "look", "from": "resolved", "within": "1h" });
        duty.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        vec![("/duties", json!([duty]))]
    };
    let lasts = |least: &str| duty(json!({ "lasts": { "least": least } }));
    let until = |until: &str| duty(json!({ "every": "1min", "until": until }));
    let escalate = |from: &str| {
        duty(json!({ "kind": "escalate", "level": 1, "role": "incident_commander", "from": from }))
    };
    let list = |id: &str| {
        let mut patch = duty(json!({ "checklist": id }));
        let item = json!({ "id": "logs", "text": "the logs were read" });
        patch.push((
            "/checklists",
            json!([{ "id": "signs", "at": "after", "title": "Signs", "items": [item] }]),
        ));
        patch
    };
    let due = |within: &str| {
        let item = json!({ "id": "quiet", "text": "no new error", "lasts": "30min" });
        let list = json!({ "id": "signs", "at": "deployed", "title": "Signs", "within": within, "items": [item] });
        vec![("/checklists", json!([list]))]
    };
    let objective = |from: &str, to: &str| {
        let slo = json!({ "name": "live", "within": "4h", "from": from, "to": to });
        vec![("/change_record", json!({ "slo": slo }))]
    };
    let afterwards = vec![("/approvals", json!([{ "any_of": ["lead"], "after_the_fact": "4h" }]))];
    let (never, often) = ("HF-LINT-093", "HF-LINT-095");
    let (ask, cadence) = ("/ask_again", "/watch/cadence");
    check(
        "standard",
        vec![
            row(never, "/duties/0/within", &["`look`", "2h", "1h"], lasts("2h"), lasts("1h")),
            row(never, "/duties/0/until", &["`detected`"], until("detected"), until("deployed")),
            row(never, "/duties/0/until", &["`resolved`"], until("resolved"), until("closed")),
            row(
                never,
                "/duties/0/from",
                &["`look`", "begins with `resolved`, and the end of the incident ends"],
                escalate("resolved"),
                escalate("declared"),
            ),
            row(
                never,
                "/duties/0/from",
                &["`look` can be kept only where `set_times` sends `verified` before"],
                escalate("verified"),
                escalate("deployed"),
            ),
            row(
                never,
                "/checklists/0/within",
                &["the list `signs`", "`quiet` has to have lasted 30min", "due after 29min"],
                due("29min"),
                due("30min"),
            ),
            row(
                never,
                "/change_record/slo/to",
                &["the objective can never be kept: it ends at `detected`"],
                objective("declared", "detected"),
                objective("detected", "declared"),
            ),
            // An approval may follow the start, where the policy says so, and people state when they work
            // on the fix.
            row(
                never,
                "/change_record/slo/to",
                &["it ends at `approved`"],
                objective("approved", "approved"),
                [objective("deploy_started", "approved"), afterwards.clone()].concat(),
            ),
            row(
                never,
                "/change_record/slo/to",
                &["it ends at `approved`, which is not after `deployed`"],
                objective("deployed", "approved"),
                [objective("deployed", "approved"), afterwards].concat(),
            ),
            row(
                never,
                "/change_record/slo/to",
                &["it ends at `fix_started`, which is not after `deployed`"],
                objective("deployed", "fix_started"),
                objective("resolved", "fix_started"),
            ),
            row(never, "/duties/0/until", &["`ready`"], until("ready"), until("fix_started")),
            row("HF-LINT-094", "/duties/0/checklist", &["`sings`"], list("sings"), list("signs")),
            row(often, "/duties/0/every", &["59s"], duty(json!({ "every": 59 })), until("closed")),
            row(
                often,
                "/clock/most_ahead",
                &["48s"],
                vec![("/clock/most_ahead", json!(48))],
                vec![("/clock/most_ahead", json!("48h"))],
            ),
            row(often, ask, &["1ms"], vec![(ask, json!(0.001))], vec![(ask, json!(60))]),
            row(
                often,
                cadence,
                &["999ms"],
                vec![(cadence, json!(0.999))],
                vec![(cadence, json!(1))],
            ),
        ],
    );
}

#[test]
fn comm_1_promises_are_held_against_the_plan() {
    let promise = |kind: &str, of: &str, least: Option<u32>, most: u32| {
        let least = least.map_or(json!({}), |least| json!({ "least": least * 60 }));
        let mut promise = json!({ "of": of, "most": most * 60 });
        if let Some(least) = least.get("least") {
            promise["least"] = least.clone();
        }
        vec![(
            "/messages",
            json!([message(kind, "stakeholders", "{{ title }}", json!({ "promises": [promise] }))]),
        )]
    };
    let steps = vec![(
        "/procedure",
        json!([
            { "id": "test", "title": "test", "least": 480, "most": 1200 },
            { "id": "deploy", "title": "deploy", "least": 600, "most": 900 },
        ]),
    )];
    let update = |every: u32| {
        vec![(
            "/duties",
            json!([{ "id": "update", "kind": "update", "title": "update", "from": "detected", "within": 900, "every": every * 60, "audience": "stakeholders" }]),
        )]
    };
    let review = |hours: u32| {
        vec![(
            "/duties",
            json!([{ "id": "review", "kind": "review", "title": "review", "from": "resolved", "within": hours * 3600 }]),
        )]
    };
    let from = |moment: &str| vec![("/duties/0/from", json!(moment))];
    let of_p0_and_p1 = |p0: u32, p1: u32| {
        let of = |every: u32, severity: &str| {
            let mut of = update(every)[0].1[0].clone();
            (of["id"], of["severities"]) = (json!(severity.to_lowercase()), json!([severity]));
            of
        };
        let severities = ["P0", "P1"].map(|name| severity(name, json!([])));
        [severities.to_vec(), duties(json!([of(p0, "P0"), of(p1, "P1")]))].concat()
    };
    let estimate = vec![("/rollback/estimate", json!({ "least": 120, "most": 240 }))];
    let steps_back = vec![("/rollback/steps", json!([{ "share": 0.5, "wait": 60 }]))];
    // S1's phases, the last with a veto window.
    let veto = vec![("/phases/2/gate", json!("veto")), ("/phases/2/veto", json!(600))];
    let row = |says, base, fault, near| Row {
        code: "HF-LINT-043",
        place: "/messages/0/promises/0",
        says,
        base,
        fault,
        near,
    };
    let started = "deployment_started";
    check(
        "standard",
        vec![
            // S1: about 30 minutes for a plan of 60.
            row(
                &["`news`", "30min", "at least 1h"],
                vec![],
                promise(started, "duration", None, 30),
                promise(started, "duration", None, 60),
            ),
            row(
                &["59min"],
                vec![],
                promise(started, "eta", None, 59),
                promise(started, "eta", None, 60),
            ),
            row(
                &["1h 10min"],
                veto,
                promise(started, "duration", None, 69),
                promise(started, "duration", None, 70),
            ),
            // In an update much of it is over.
            row(&[], vec![], promise(started, "eta", None, 59), promise("update", "eta", None, 59)),
            row(
                &["1h 8min to 2h 32min"],
                steps.clone(),
                promise("alert", "eta", None, 151),
                promise("alert", "eta", None, 152),
            ),
            // Watched for 30 min, 33 with the validation, later until 1, 4 and 24 hours.
            row(
                &["2h", "30min", "4h"],
                vec![],
                promise("deployed", "watch", None, 120),
                promise("deployed", "watch", None, 60),
            ),
            row(
                &[],
                vec![],
                promise("deployed", "watch", Some(61), 239),
                promise("deployed", "watch", Some(61), 240),
            ),
            row(
                &["after up to 30min"],
                update(30),
                promise("alert", "update", None, 29),
                promise("alert", "update", None, 30),
            ),
            // The first is due after 15 minutes.
            row(
                &["after up to 15min"],
                update(10),
                promise("alert", "update", None, 14),
                promise("update", "update", None, 14),
            ),
            row(
                &["no duty"],
                vec![],
                promise("alert", "update", None, 30),
                [promise("alert", "update", None, 30), update(15)].concat(),
            ),
            row(
                &["no duty"],
                [update(15), vec![("/duties/0/audience", Value::Null)]].concat(),
                promise("alert", "update", None, 30),
                [
                    promise("alert", "update", None, 30),
                    vec![("/messages/0/audience", json!("responders"))],
                ]
                .concat(),
            ),
            row(
                &["4min"],
                estimate.clone(),
                promise("rolling_back", "rollback", Some(2), 3),
                promise("rolling_back", "rollback", Some(2), 4),
            ),
            row(
                &["5min"],
                [estimate, steps_back].concat(),
                promise("rolling_back", "rollback", Some(2), 4),
                promise("rolling_back", "rollback", Some(2), 5),
            ),
            row(
                &["2d"],
                review(48),
                promise("resolved", "review", None, 1440),
                promise("resolved", "review", None, 2880),
            ),
            // Only if data are corrupt; to a P1 seldom; only after a rollback.
            row(
                &["no duty always sends updates"],
                [update(15), vec![("/duties/0/when", json!("data_corruption"))]].concat(),
                promise("alert", "update", None, 30),
                [
                    promise("alert", "update", None, 30),
                    vec![("/messages/0/when", json!("data_corruption"))],
                ]
                .concat(),
            ),
            row(
                &["the next update of a P1 is due after up to 4h"],
                of_p0_and_p1(30, 240),
                promise("update", "update", None, 239),
                promise("update", "update", None, 240),
            ),
            row(
                &["no review is always due"],
                review(24),
                [promise("resolved", "review", None, 1440), from("rolled_back")].concat(),
                [promise("resolved", "review", None, 1440), from("verified")].concat(),
            ),
            row(
                &["no review is always due"],
                vec![],
                promise("resolved", "review", None, 1440),
                [
                    promise("resolved", "review", None, 1440),
                    vec![("/report", json!({ "within": 86_400 }))],
                ]
                .concat(),
            ),
        ],
    );
}
