//! The tables of `docs/inputs.md` are what the code takes.

use std::collections::{BTreeMap, BTreeSet};

use hotfix_core::gate::Change;
use hotfix_core::plan::{ChangeRecord, Incident, Release, RollbackPoint, Traffic};
use hotfix_core::rollout::{Input, InputKind};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::tree;

const PAGE: &str = "docs/inputs.md";

/// Words in back-ticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The rows of the tables under a heading, up to the next one.
fn rows<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let (_, rest) = page.split_once(&format!("\n{heading}\n")).unwrap();
    rest.lines()
        .take_while(|line| !line.starts_with('#'))
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells = line.trim_start_matches('|').trim_end_matches('|');
            cells.split('|').map(str::trim).collect()
        })
        .collect()
}

/// A value that each field takes.
fn values() -> BTreeMap<&'static str, Value> {
    let digest = "0".repeat(64);
    let values = json!({
        "action": "7.1",
        "channel": "phone",
        "correction": true,
        "duty": "look",
        "evidence": "seen",
        "facts": {"service_down": true},
        "heard_by": "iris",
        "item": "branch",
        "items": ["tests", "review"],
        "metrics": {"error_rate": {"canary": [0, 10], "baseline": [0, 10]}},
        "note": "words",
        "plan_digest": digest,
        "release": {"version": "2", "previous": "1"},
        "role": "on_call",
        "severity": "P1",
        "signal": "doubt",
        "status": "done",
        "text": "words",
        "times": {"began": null},
        "version": "1",
        "why": "words",
    });
    let values = values.as_object().unwrap().clone();
    values.into_iter().map(|(key, value)| (&*key.leak(), value)).collect()
}

/// What comes of an input of this kind with these fields: the code, and the field that it is about.
fn fault(kind: &str, fields: &[&str], values: &BTreeMap<&str, Value>) -> Option<String> {
    let mut document = json!({"kind": kind, "by": "lena"});
    for field in fields {
        document[*field] = values[*field].clone();
    }
    // The only status that a waiver gives.
    if kind == "waive_item" && fields.contains(&"status") {
        document["status"] = json!("waived");
    }
    let error = Input::from_value(document).err()?;
    Some(format!("{} {error}", error.code()))
}

#[test]
fn field_5_the_page_of_inputs_has_what_each_kind_takes() {
    let page = tree::read(&tree::root().join(PAGE));
    let values = values();
    let rows = rows(&page, "## Inputs");
    let (kinds, fields): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.len() > 2);
    let told: BTreeSet<&str> = kinds.iter().flat_map(|row| names(row[0])).collect();
    assert_eq!(told, InputKind::ALL.iter().map(|kind| kind.as_str()).collect());
    let of_fields: BTreeSet<&str> = fields.iter().flat_map(|row| names(row[0])).collect();
    assert_eq!(of_fields, values.keys().copied().collect());

    for row in &kinds {
        let (kind, must) = (names(row[0])[0], row.get(2).map_or_else(Vec::new, |cell| names(cell)));
        let may = row.get(3).map_or_else(Vec::new, |cell| names(cell));
        let all = [must.clone(), may.clone()].concat();
        assert_eq!(fault(kind, &must, &values), None, "{kind} needs no more");
        assert_eq!(fault(kind, &all, &values), None, "{kind} may have all of them");
        for field in &must {
            let others: Vec<_> = must.iter().copied().filter(|other| other != field).collect();
            let fault = fault(kind, &others, &values).unwrap();
            assert!(fault.starts_with("HF-IN-003") && fault.contains(*field), "{kind}: {fault}");
        }
        for field in values.keys().filter(|field| !all.contains(field)) {
            // What shows something may be said as `why` instead.
            if *field == "why" && may.contains(&"evidence") {
                continue;
            }
            let fault = fault(kind, &[must.clone(), vec![field]].concat(), &values);
            let fault = fault.unwrap_or_else(|| panic!("{kind} takes {field}"));
            assert!(fault.starts_with("HF-IN-004") && fault.contains(*field), "{kind}: {fault}");
        }
    }
}

/// The keys that a document may have, as the reader's own error lists them.
fn keys<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<T>(json!({"no such key": 0})) else {
        panic!("any key is taken")
    };
    let error = error.to_string();
    let (_, expected) = error.split_once("expected one of ").unwrap();
    names(expected).into_iter().map(str::to_owned).collect()
}

#[test]
fn field_5_the_page_of_inputs_has_the_keys_of_the_plans_documents() {
    let page = tree::read(&tree::root().join(PAGE));
    let first = |heading| -> BTreeSet<String> {
        let rows = rows(&page, heading);
        rows.iter().flat_map(|row| names(row[0])).map(str::to_owned).collect()
    };
    assert_eq!(first("## Incident"), keys::<Incident>());
    assert_eq!(first("## Release"), keys::<Release>());
    assert_eq!(first("## Traffic"), keys::<Traffic>());
    let release = rows(&page, "## Release");
    let told = |key: &str| -> BTreeSet<&str> {
        let row = release.iter().find(|row| names(row[0]).contains(&key)).unwrap();
        names(row[1]).into_iter().collect()
    };
    for key in keys::<Change>() {
        assert!(told("change").contains(key.as_str()), "{key}");
    }
    for key in keys::<ChangeRecord>() {
        assert!(told("change_record").contains(key.as_str()), "{key}");
    }
    let error = serde_json::from_value::<RollbackPoint>(json!({"no such key": 0})).unwrap_err();
    for key in told("point") {
        assert!(error.to_string().contains(key), "{key}: {error}");
    }
}
