//! Events as the official SDK of `CDEvents` reads them, which was made from the published schemas (POST-3).

use std::collections::BTreeSet;

use cdevents_sdk::CDEvent;
use hotfix_core::interop::cdevents;
use serde_json::{Value, json};

use crate::measure_cases::{incidents, path};
use crate::tree;

/// The events on file, and those with a ticket, which the files lack.
fn events() -> Vec<Value> {
    let mut all = Vec::new();
    for incident in incidents() {
        let file = tree::read(&tree::root().join(path(&format!("{}.cdevents.json", incident.id))));
        all.extend(serde_json::from_str::<Vec<Value>>(&file).unwrap());
        let options =
            cdevents::Options { ticket: Some("https://t.example/1"), ..Default::default() };
        all.extend(cdevents::events(incident.log.as_bytes(), &options).unwrap());
    }
    all
}

fn read(event: &Value) -> Result<CDEvent, String> {
    serde_json::from_value(event["data"].clone()).map_err(|error| error.to_string())
}

/// Changes of an event that its schema forbids.
fn broken(event: &Value) -> Vec<Value> {
    let changed = |path: &str, value: Value| {
        let mut changed = event.clone();
        *changed.pointer_mut(path).unwrap() = value;
        changed
    };
    let mut all = vec![
        changed("/data/context/id", Value::Null),
        changed("/data/context/timestamp", json!("yesterday")),
        changed("/data/context/source", json!("a b")),
        changed("/data/subject/id", Value::Null),
    ];
    let mut added = event.clone();
    added["data"]["subject"]["content"]["more"] = json!("x");
    all.push(added);
    let content = event["data"]["subject"]["content"].as_object().unwrap();
    for (key, value) in content {
        if value.is_object() {
            all.push(changed(&format!("/data/subject/content/{key}/id"), Value::Null));
        }
        all.push(changed(&format!("/data/subject/content/{key}"), json!(7)));
    }
    all
}

#[test]
fn post_3_the_sdk_of_cdevents_reads_every_event_as_it_was_written() {
    let mut kinds = BTreeSet::new();
    for event in events() {
        let read = read(&event).unwrap_or_else(|error| panic!("{error}: {event}"));
        assert_eq!(
            (read.version(), read.ty()),
            (cdevents::SPEC_VERSION, event["type"].as_str().unwrap())
        );
        let mut again = serde_json::to_value(&read).unwrap();
        // The SDK writes a time without the zeros at its end.
        let written = again.pointer("/context/timestamp").unwrap().as_str().unwrap();
        let time: hotfix_core::unit::Timestamp = written.parse().unwrap();
        again["context"]["timestamp"] = json!(time.to_string());
        assert_eq!(again, event["data"]);
        kinds.insert(read.ty().to_owned());
    }
    assert_eq!(kinds.len(), 11, "{kinds:?}");
}

#[test]
fn post_3_the_sdk_of_cdevents_would_see_a_fault() {
    for event in events() {
        for changed in broken(&event) {
            assert!(read(&changed).is_err(), "{changed}");
        }
    }
}
