//! The fuzz targets' own functions on the committed corpus, on the presets and on the policies of tests and examples.

#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "what a target did not expect is what it finds"
)]
#[path = "../../../fuzz/src/convert.rs"]
mod convert;
#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "what a target did not expect is what it finds"
)]
#[path = "../../../fuzz/src/gate.rs"]
mod gate;
#[expect(
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    reason = "what a target did not expect is what it finds"
)]
#[path = "../../../fuzz/src/policy.rs"]
mod policy;
#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "what a target did not expect is what it finds"
)]
#[path = "../../../fuzz/src/recorded.rs"]
mod recorded;
#[expect(unreachable_pub, clippy::panic, reason = "what a target did not expect is what it finds")]
#[path = "../../../fuzz/src/rollout.rs"]
mod rollout;
#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "what a target did not expect is what it finds"
)]
#[path = "../../../fuzz/src/template.rs"]
mod template;

use std::collections::BTreeSet;

use hotfix_core::policy::Policy;
use serde_json::Value;

use crate::tree;

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

#[test]
fn field_5_the_corpus_of_figures_is_read_or_refused() {
    assert!(run("fuzz/corpus/numstat", "", gate::numstat) >= 20);
}

#[test]
fn field_5_the_corpus_of_commit_messages_is_read_and_composed() {
    assert!(run("fuzz/corpus/commit_message", "", gate::commit_message) >= 15);
}

#[test]
fn field_12_the_corpus_of_recordings_is_read_or_refused() {
    assert!(run("fuzz/corpus/recorded", "", recorded::recording) >= 20);
}

#[test]
fn field_5_the_corpus_of_other_tools_documents_is_imported_or_refused() {
    assert!(run("fuzz/corpus/convert_argo", "", convert::argo) >= 20);
    assert!(run("fuzz/corpus/convert_flagger", "", convert::flagger) >= 8);
    assert!(run("fuzz/corpus/convert_kayenta", "", convert::kayenta) >= 6);
    assert!(run("fuzz/corpus/convert_openslo", "", convert::openslo) >= 5);
}

#[test]
fn comm_2_the_corpus_of_templates_is_refused_or_written() {
    assert!(run("fuzz/corpus/template", "", template::template) >= 30);
}

#[test]
fn roll_1_the_corpus_of_sequences_breaks_no_law() {
    assert!(run("fuzz/corpus/rollout", "", rollout::sequence) >= 20);
}

/// Keys and codes of the format, for a fuzzer that would not come upon them by chance.
#[test]
fn field_5_the_dictionary_has_the_words_of_the_format() {
    fn collect(value: &Value, words: &mut BTreeSet<String>) {
        if let Some(keys) = value["properties"].as_object() {
            words.extend(keys.keys().cloned());
        }
        let codes = value["enum"].as_array().into_iter().flatten();
        words.extend(codes.filter_map(Value::as_str).map(str::to_owned));
        let inner = value.as_object().into_iter().flat_map(|table| table.values());
        let inner = inner.chain(value.as_array().into_iter().flatten());
        inner.filter(|value| !value.is_null()).for_each(|value| collect(value, words));
    }
    let mut words = BTreeSet::new();
    let schema: Value = serde_json::from_str(&hotfix_core::policy::schema()).unwrap();
    collect(&schema, &mut words);
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    let words = words.concat();
    let head = "# The words of the policy format: its keys and codes.\n";
    tree::committed("fuzz/policy.dict", &format!("{head}{words}"));
}
