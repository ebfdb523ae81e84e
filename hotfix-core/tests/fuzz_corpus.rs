//! The fuzz targets' own functions on the committed corpus, on the presets and on the policies of tests and examples.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[expect(
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    reason = "what a target did not expect is what it finds"
)]
#[path = "../../fuzz/src/policy.rs"]
mod policy;
mod tree;

use hotfix_core::policy::Policy;

/// Runs the files of a folder with an ending and says how many there were.
fn run(folder: &str, ending: &str, target: fn(&[u8])) -> usize {
    let files = tree::files(&tree::root().join(folder), &|file| {
        ending.is_empty() || file.extension().is_some_and(|extension| extension == ending)
    });
    for file in &files {
        println!("{}", tree::shown(file));
        target(&std::fs::read(file).unwrap());
    }
    files.len()
}

#[test]
fn field_5_the_corpus_of_toml_loads_or_is_refused_and_holds_together() {
    assert!(run("fuzz/corpus/policy_toml", "", policy::toml) >= 20);
    assert!(run("hotfix-core/policies", "toml", policy::toml) >= Policy::presets().len());
    assert!(run("hotfix-core/tests/policies", "toml", policy::toml) >= 1);
    assert!(run("examples/policies", "toml", policy::toml) >= 2);
}

#[test]
fn field_5_the_corpus_of_json_loads_or_is_refused_and_holds_together() {
    assert!(run("fuzz/corpus/policy_json", "", policy::json) >= 20);
    for name in Policy::presets() {
        policy::json(Policy::preset(name).unwrap().to_json().as_bytes());
    }
}
