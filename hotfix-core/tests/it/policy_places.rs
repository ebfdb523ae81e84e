//! The line and column of a policy's errors, the longest text and the deepest condition.

use hotfix_core::policy::{Policy, PolicyError};
use serde_json::json;

#[test]
fn field_5_an_error_has_the_line_and_column_of_its_value_in_the_document_that_has_it() {
    let own = "extends = ['standard', 'base']\nname = 'ours'\n\n[watch]\ncadence = 'ä'\nwarm = 1\n\n[[phases]]\nname = 'canary'\n";
    let base = "{\"title\": \"ä\", \"clock\": {\n  \"a\": [1, \"]}\\\"\"], \"behind\": null}}";
    let errors = Policy::from_toml_with(own, |name| (name == "base").then(|| base.to_owned()));
    let errors = errors.unwrap_err();
    let got: Vec<_> = errors
        .iter()
        .map(|e| (e.path(), e.line().unwrap(), e.column().unwrap(), e.base()))
        .collect();
    let expected = [
        ("/clock/a", 2, 3, Some("base")),
        ("/clock/behind", 2, 21, Some("base")),
        ("/watch/warm", 6, 1, None),
        ("/watch/cadence", 5, 11, None),
    ];
    assert_eq!(got, expected);
    let all = errors.to_string();
    for line in [
        "HF-POL-006 at line 2, column 21 of `base` (/clock/behind): ",
        "HF-POL-006 at line 6, column 1 (/watch/warm): ",
    ] {
        assert!(all.contains(line), "{all}");
    }
    let json = serde_json::to_value(errors.iter().last().unwrap()).unwrap();
    let place = ["path", "line", "column", "base"].map(|key| json[key].clone());
    assert_eq!(place, [json!("/watch/cadence"), json!(5), json!(11), json!(null)]);
    let errors = Policy::from_toml_with(
        "name = 'x'\nextends = ['standard',\n 'base']\n[watch]\n c = {remove = true}",
        |name| {
            Some(if name == "base" { "{\n\"a\": }" } else { "[a]\nb = {remove = true}" }.to_owned())
        },
    );
    let errors = errors.unwrap_err();
    let places: Vec<_> =
        errors.iter().map(|e| (e.code(), e.line(), e.column(), e.base())).collect();
    let all = [
        ("HF-POL-035", Some(2), Some(5), Some("standard")),
        ("HF-POL-001", Some(2), Some(6), Some("base")),
    ];
    assert_eq!(places, all);
    let syntax = Policy::from_json("{\n\"a\": }").unwrap_err();
    assert_eq!(syntax.first().unwrap().line(), Some(2));
    // The parser of JSON counts bytes.
    for (text, place) in [
        ("{\"name\": \"ééééé\", \"x\": }", (1, 24)),
        ("{\n\"é\": \"é\" \"b\": 1}", (2, 10)),
        ("{\"é\": 1", (1, 7)),
    ] {
        let errors = Policy::from_json(text).unwrap_err();
        let first = errors.first().unwrap();
        assert_eq!((first.line().unwrap(), first.column().unwrap()), place, "{text}");
    }
    // A key that is there twice, at the second.
    let twice = Policy::from_json("{\"metrics\": {\"a\": {},\n\"a\": {}}}").unwrap_err();
    let twice = twice.iter().find(|error| error.code() == "HF-POL-004").unwrap();
    assert_eq!((twice.path(), twice.line(), twice.column()), ("/metrics/a", Some(2), Some(1)));
    let in_a_log = serde_json::from_str::<Policy>("{\"format\": 1}").unwrap_err().to_string();
    assert!(in_a_log.contains("HF-POL-007 at the document: "), "{in_a_log}");
    let no_text = json!({ "format": 1, "watch": { "warm": 1 } });
    let no_text = serde_json::from_value::<Policy>(no_text).unwrap_err().to_string();
    assert!(no_text.contains("HF-POL-006 at /watch/warm: "), "{no_text}");
}

/// A key that is missing because the document itself removes it.
#[test]
fn field_5_a_missing_key_that_was_removed_has_the_place_of_its_removal() {
    let removals = "rollback = { remove = true }\n[metrics.error_rate]\nkind = { remove = true }\n";
    let errors = Policy::from_toml(&format!("extends = 'standard'\nname = 'x'\n\n{removals}"));
    let errors = errors.unwrap_err();
    let places: Vec<_> = errors.iter().map(|e| (e.code(), e.path(), e.line())).collect();
    let missing = [("HF-POL-007", "/metrics/error_rate", Some(6)), ("HF-POL-007", "", Some(4))];
    assert_eq!(places, missing, "{errors}");
}

#[test]
fn field_5_texts_that_are_too_long_are_not_read() {
    let long = " ".repeat((1 << 20) + 1);
    for read in [Policy::from_toml(&long), Policy::from_json(&long)] {
        let errors = read.unwrap_err();
        assert_eq!(errors.iter().map(PolicyError::code).collect::<Vec<_>>(), ["HF-POL-002"]);
    }
}

#[test]
fn field_5_the_deepest_condition_that_is_read_is_written_no_deeper() {
    let range = "{ fact = 'users_affected', above = 0.1, below = 0.5 }";
    let nested = |depth: usize| {
        let (open, close) = ("{ not = ".repeat(depth), " }".repeat(depth));
        let when = format!("{open}{range}{close}");
        let remedy = format!("[[remedies]]\nid = 'r'\ntext = 't'\nwhen = {when}");
        Policy::from_toml(&format!("extends = 'standard'\nname = 'x'\n{remedy}"))
    };
    assert_eq!(nested(29).unwrap_err().first().unwrap().code(), "HF-POL-003");
    let deepest = nested(28).unwrap();
    assert_eq!(Policy::from_json(&deepest.to_json()).unwrap(), deepest);
    assert_eq!(Policy::from_toml(&deepest.to_toml()).unwrap(), deepest);
}
