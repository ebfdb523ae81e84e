//! Findings about escalation levels: gaps, two of one number, and those that are only for some incidents (TIME-1).

#![allow(clippy::needless_pass_by_value, reason = "JSON is made where it is used")]

use serde_json::{Value, json};

use crate::lint_patch::{Patch, check, patched, row_on};
use crate::lint_people::{duties, severity};

fn rung(id: &str, step: u32, minutes: u32, severities: Value) -> Value {
    json!({ "id": id, "kind": "escalate", "title": id, "level": step, "from": "detected", "within": minutes * 60, "severities": severities })
}

#[test]
fn time_1_ladders_with_holes_are_found() {
    let base = vec![
        severity("P0", json!([{ "any_of": ["cto"] }])),
        severity("P1", json!([{ "any_of": ["cto"] }])),
    ];
    let all = || json!([]);
    let ladder = |steps: &[(u32, u32)]| {
        let rungs: Vec<Value> = steps
            .iter()
            .enumerate()
            .map(|(index, (step, minutes))| rung(&format!("rung_{index}"), *step, *minutes, all()))
            .collect();
        duties(json!(rungs))
    };
    let good = || ladder(&[(1, 0), (2, 15), (3, 30)]);
    let row = row_on(&base);
    check(
        "standard",
        vec![
            row(
                "HF-LINT-049",
                "/duties/1/level",
                &["no level 2", "`rung_1`"],
                ladder(&[(1, 0), (3, 15)]),
                good(),
            ),
            row(
                "HF-LINT-049",
                "/duties/0/level",
                &["no level 1"],
                ladder(&[(2, 0), (3, 15)]),
                good(),
            ),
            row(
                "HF-LINT-063",
                "/duties/2/within",
                &["15min"],
                ladder(&[(1, 0), (2, 15), (3, 15)]),
                good(),
            ),
            row(
                "HF-LINT-064",
                "/duties/2/level",
                &["`rung_1` and `rung_2`", "level 2"],
                ladder(&[(1, 0), (2, 15), (2, 30)]),
                good(),
            ),
            row(
                "HF-LINT-065",
                "/severities/P1",
                &["P1"],
                duties(json!([rung("first", 1, 0, json!(["P0"]))])),
                duties(json!([rung("first", 1, 0, json!(["P0", "P1"]))])),
            ),
        ],
    );
    let level = |id: &str, step: u32, minutes: u32, when: Value| {
        let mut level = rung(id, step, minutes, json!([]));
        level["when"] = when;
        level
    };
    let by_day = |day: (u32, u32), night: (u32, u32), last: (u32, u32)| {
        duties(json!([
            level("day", day.0, day.1, json!({ "not": "service_down" })),
            level("night", night.0, night.1, json!("service_down")),
            rung("last", last.0, last.1, json!([])),
        ]))
    };
    let codes = |duties: &Patch| -> Vec<String> {
        let found = patched("standard", &[&base, duties]).lint(None);
        let of_levels = ["HF-LINT-049", "HF-LINT-063", "HF-LINT-064", "HF-LINT-065"];
        let found = found.iter().filter(|f| of_levels.contains(&f.code()));
        found.map(|f| format!("{} {}", f.code(), f.path)).collect()
    };
    // Levels that are only for some incidents count as levels.
    assert!(codes(&by_day((1, 0), (1, 5), (2, 30))).is_empty());
    assert!(codes(&by_day((1, 0), (2, 5), (3, 30))).is_empty());
    assert_eq!(codes(&by_day((1, 0), (1, 5), (3, 30))), ["HF-LINT-049 /duties/2/level"]);
    assert_eq!(codes(&by_day((1, 0), (1, 30), (2, 30))), ["HF-LINT-063 /duties/2/within"]);
    // Those for the day are not compared with those for the night; two for the night are.
    assert!(codes(&by_day((1, 10), (2, 5), (3, 30))).is_empty());
    let two = json!([
        level("one", 1, 0, json!("service_down")),
        level("two", 1, 5, json!("service_down")),
    ]);
    assert_eq!(codes(&duties(two)), ["HF-LINT-064 /duties/1/level"]);
    // A policy without severities has one ladder.
    let found = patched("standard", &[&ladder(&[(1, 0), (3, 15)])]).lint(None);
    let hole = found.iter().find(|f| f.code() == "HF-LINT-049").unwrap();
    assert_eq!(hole.message(), "the escalation policy has no level 2 before `rung_1`, its level 3");
    // One rung of two severities is one fault.
    let found = patched("standard", &[&base, &ladder(&[(1, 0), (3, 15)])]).lint(None);
    assert_eq!(found.iter().filter(|f| f.code() == "HF-LINT-049").count(), 1);
}
