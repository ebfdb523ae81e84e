//! The figures and facts of the documents, as their presets have them: `tests/cases/preset/*.toml`.

use std::collections::BTreeSet;

use hotfix_core::policy::Policy;
use serde_json::Value;

use crate::crate_files::{in_crate, read};
use crate::shared::preset_common::{Case, File};

fn file(name: &str) -> File {
    let path = in_crate(&format!("tests/cases/preset/{name}.toml"));
    toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn check(name: &str) {
    let File { policy, case: cases } = file(name);
    assert_eq!(policy, name, "the file is named for its preset");
    let preset = Policy::preset(name).unwrap_or_else(|error| panic!("{error}"));
    let document: Value = serde_json::from_str(&preset.to_json()).unwrap();
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len(), "{name}: two cases have one id");
    let faults: Vec<String> = cases.iter().flat_map(|case| case.faults(&document)).collect();
    assert!(faults.is_empty(), "{name}\n{}", faults.join("\n"));
}

#[test]
fn plan_2_the_figures_of_s1() {
    check("phased-canary");
}

#[test]
fn sev_6_the_figures_of_s2() {
    check("enterprise");
}

#[test]
fn plan_3_the_figures_of_s3() {
    check("fast-track");
}

#[test]
fn sev_4_the_figures_of_s4() {
    check("severity-matrix");
}

#[test]
fn met_5_the_figures_of_s5() {
    check("emergency-command");
}

#[test]
fn dec_5_what_our_own_merge_takes() {
    check("standard");
}

#[test]
fn plan_2_a_case_fails_on_another_figure() {
    let policy = r#"{ "a": [{ "b": 1, "c": [] }, { "b": 2.0, "id": "z" }], "d": "x y", "n": null, "t": "" }"#;
    let policy: Value = serde_json::from_str(policy).unwrap();
    for (text, faults) in [
        (r#"at = [["/a/*/b", [1.0, 2]], ["/a/0", { b = 1, c = [] }], ["/a/z/b", 2]]"#, 0),
        (r#"at = [["/a/*/c", [[]]], ["/a/*/e", []]]"#, 0),
        (r#"at = [["/a/*/b", [1, 3]], ["/a/*/b", [1]], ["/a/2", 1], ["/a/0", { b = 1 }]]"#, 4),
        (r#"at = [["/a/y/b", 2], ["/d/*", ["x y"]], ["/a/*/c/*", []], ["/d", "x"]]"#, 4),
        (r#"count = [["/a", 2], ["/a/z", 3], ["/a/0/c", 1], ["/d", 1], ["/e", 0]]"#, 4),
        (r#"says = [["/d", "y"], ["/d", "z"], ["/a", "x"], ["/e", "x"]]"#, 3),
        (r#"absent = ["/e", "/a/0/c", "/n", "/t", "/a", "/d"]"#, 2),
        ("", 1),
    ] {
        let case: Case = toml::from_str(&format!("id = \"PLAN-2.x\"\n{text}")).unwrap();
        assert_eq!(case.faults(&policy).len(), faults, "{text}");
    }
}
