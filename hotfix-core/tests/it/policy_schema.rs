//! The JSON Schema of the policy format: committed, valid, and in step with the reader.

use std::collections::BTreeSet;

use hotfix_core::document::DocumentFault;
use hotfix_core::policy::{Policy, Problem};
use serde_json::{Value, json};

use crate::crate_files::{in_crate, read};
use crate::policy_common::{apply, example, parse_cases, schema, whole};

#[test]
fn field_5_the_committed_schema_is_the_generated_one() {
    let file = in_crate("policies/policy.schema.json");
    let generated = hotfix_core::policy::schema();
    if std::env::var_os("HOTFIX_BLESS").is_some() {
        std::fs::write(&file, &generated).unwrap();
    }
    assert!(
        read(&file) == generated,
        "policies/policy.schema.json is out of date: HOTFIX_BLESS=1 rewrites it"
    );
}

#[test]
fn field_5_presets_and_examples_fit_the_schema_as_written_and_as_stored() {
    jsonschema::meta::validate(&schema()).unwrap_or_else(|error| panic!("{error}"));
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let preset = |name: &&str| read(&in_crate(&format!("policies/{name}.toml")));
    let mut texts: Vec<String> = Policy::presets().iter().map(preset).collect();
    texts.extend(["payments", "lab"].map(example));
    texts.push(whole());
    for text in texts {
        let policy = Policy::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}"));
        let written: Value = toml::from_str(&text).unwrap();
        let human: Value = toml::from_str(&policy.to_toml()).unwrap();
        let wire: Value = serde_json::from_str(&policy.to_json()).unwrap();
        for document in [written, human, wire] {
            let faults: Vec<String> = validator
                .iter_errors(&document)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{}: {faults:#?}", policy.name());
        }
    }
}

/// The place of every table of the format in a document that has them all.
const TABLES: &[&str] = &[
    "",
    "/advice/0",
    "/after/1",
    "/alternatives/0",
    "/approvals/0",
    "/checklists/0",
    "/checklists/0/items/0",
    "/classification",
    "/clock",
    "/contingencies/0",
    "/deploying",
    "/duties/0",
    "/duties/2/lasts",
    "/efficacy",
    "/evidence",
    "/facts/checkout_blocked",
    "/extends/0",
    "/final_validation",
    "/implications/0",
    "/instead_of",
    "/messages/0",
    "/messages/0/promises/0",
    "/metrics/error_rate",
    "/metrics/error_rate/alert",
    "/phases/0",
    "/procedure/0",
    "/change_record",
    "/change_record/estimate",
    "/change_record/review",
    "/change_record/slo",
    "/remedies/0",
    "/report",
    "/risks/0",
    "/roles/engineering_manager",
    "/roles/engineering_manager/holders/0",
    "/rollback",
    "/rollback/assess",
    "/rollback/methods/0",
    "/rollback/steps/0",
    "/rules/0",
    "/scope",
    "/severities",
    "/severities/P0",
    "/severities/P0/approvals/0",
    "/severities/P0/review",
    "/severities/P0/testing",
    "/success/0",
    "/strategies",
    "/strategies/rolling",
    "/tree",
    "/tree/leaves/0",
    "/tree/questions/0",
    "/triggers",
    "/vcs",
    "/vcs/commit",
    "/vcs/commit/labels",
    "/vcs/pull_request",
    "/vcs/ways/0",
    "/vendors/0",
    "/watch",
    "/watch/new_instances",
    "/watch/no_data",
];

#[test]
fn field_5_the_schema_has_the_keys_that_the_reader_knows() {
    let schema = schema();
    // A condition has forms, no table of keys; the cases show them.
    let mut visited = BTreeSet::from(["Condition".to_owned()]);
    let whole = Policy::from_toml(&whole()).unwrap().to_json();
    for table in TABLES {
        let mut document: Value = serde_json::from_str(&whole).unwrap();
        if table.starts_with("/extends") {
            document["extends"] = json!([{ "policy": "standard" }]);
        }
        apply(&mut document, &[(format!("{table}/no_such_key"), json!(0))], &[]);
        let errors = Policy::from_json(&document.to_string()).unwrap_err();
        let known = errors.iter().find_map(|error| match error.fault() {
            Problem::Document(DocumentFault::UnknownKey { known, .. }) => Some(*known),
            _ => None,
        });
        let reader: BTreeSet<&str> = known.unwrap().iter().copied().collect();
        let (name, described) = at(&schema, table);
        visited.extend(name);
        assert_eq!(described["additionalProperties"], json!(false), "{table}");
        let described = described["properties"].as_object().unwrap();
        assert_eq!(
            described.keys().map(String::as_str).collect::<BTreeSet<_>>(),
            reader,
            "{table}"
        );
        for (key, value) in described {
            let text = value["description"].as_str().unwrap_or_default();
            assert!(text.len() > 8, "{table}/{key} has no description");
        }
    }
    let of_parts = |name: &&String| name.ends_with("Part") || *name == "Removal";
    let all = schema["$defs"].as_object().unwrap().keys().filter(|name| !of_parts(name));
    assert_eq!(visited, all.cloned().collect(), "every definition is compared");
}

#[test]
fn field_5_a_part_has_the_same_keys_and_requires_none() {
    let schema = schema();
    let keys = |schema: &Value| -> BTreeSet<String> {
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let definitions = schema["$defs"].as_object().unwrap();
    let parts =
        definitions.iter().filter_map(|(name, part)| Some((name.strip_suffix("Part")?, part)));
    let mut count = 0;
    for (name, part) in parts {
        let mut expected = keys(&definitions[name]);
        if part["properties"].get("remove").is_some() {
            expected.insert("remove".to_owned());
        }
        assert_eq!(keys(part), expected, "{name}");
        assert_eq!(part["additionalProperties"], json!(false), "{name}");
        assert!(part.get("required").is_none(), "{name}");
        count += 1;
    }
    // All but `Base`, which `extends` itself is made of, `Condition`, which is inherited as a whole, and `Removal`.
    assert_eq!(2 * count + 3, definitions.len());
}

#[test]
fn field_5_a_document_that_extends_fits_the_schema_where_it_loads() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let faults = |document: &Value| -> Vec<String> {
        validator.iter_errors(document).map(|fault| fault.to_string()).collect()
    };
    let mut tried = 0;
    for case in parse_cases() {
        if !case.errors.is_empty() {
            continue;
        }
        let document: Value = match (&case.toml, &case.json) {
            (Some(text), _) => toml::from_str(text).unwrap(),
            (_, Some(text)) => serde_json::from_str(text).unwrap(),
            _ => continue,
        };
        if document.get("extends").is_some() {
            assert!(faults(&document).is_empty(), "{}: {:#?}", case.id, faults(&document));
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried} cases extend and load");
    assert_eq!(faults(&json!({ "extends": "standard" })), Vec::<String>::new());
    for wrong in [
        json!({}),
        json!({ "extends": 1 }),
        json!({ "extends": [] }),
        json!({ "extends": [{ "polic": "standard" }] }),
        json!({ "extends": ["standard"], "tilte": "x" }),
        json!({ "extends": [{ "policy": "standard", "take": ["extends"] }] }),
        json!({ "extends": "standard", "phases": [{ "name": "canary", "wach": "1min" }] }),
        json!({ "extends": "standard", "efficacy": { "remove": true, "alpha": 0.5 } }),
    ] {
        assert!(!faults(&wrong).is_empty(), "{wrong}");
        assert!(Policy::from_json(&wrong.to_string()).is_err(), "{wrong}");
    }
}

/// The schema of a place, and its name where it is a definition.
fn at<'s>(schema: &'s Value, place: &str) -> (Option<String>, &'s Value) {
    let mut found = (Some("Policy".to_owned()), &schema["$defs"]["Policy"]);
    for step in place.split('/').skip(1) {
        let next = match step.parse::<usize>() {
            Ok(_) => &found.1["items"],
            Err(_) => found.1["properties"].get(step).unwrap_or(&found.1["additionalProperties"]),
        };
        let forms = next["anyOf"].as_array();
        let next = forms.and_then(|f| f.iter().find(|f| f.get("$ref").is_some())).unwrap_or(next);
        found = match next["$ref"].as_str() {
            Some(reference) => {
                let name = reference.trim_start_matches("#/$defs/");
                (Some(name.to_owned()), &schema["$defs"][name])
            }
            None => (None, next),
        };
    }
    found
}
