//! What the linter finds in each preset, all of it, in order; and its examples fed back (DEC-5).

mod lint_cases;
mod lint_common;
mod lint_patch;
mod policy_common;

use hotfix_core::lint::{Example, Finding};
use hotfix_core::policy::Policy;
use lint_common::{Model, in_crate, shows};
use lint_patch::{feed_back, now};

/// A finding of `tests/cases/findings`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    code: String,
    level: String,
    path: String,
    /// Each is part of the sentence.
    says: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    finding: Vec<Expected>,
}

fn expected(preset: &str) -> Vec<Expected> {
    let path = in_crate(&format!("tests/cases/findings/{preset}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    toml::from_str::<File>(&text).unwrap_or_else(|e| panic!("{preset}: {e}")).finding
}

#[test]
fn dec_5_every_finding_of_every_preset() {
    let mut wrong = Vec::new();
    for preset in Policy::presets() {
        let (found, expected) =
            (Policy::preset(preset).unwrap().lint(Some(now())), expected(preset));
        let heads: Vec<_> =
            found.iter().map(|f| (f.code(), f.level().as_str(), f.path.as_str())).collect();
        let wanted: Vec<_> =
            expected.iter().map(|e| (e.code.as_str(), e.level.as_str(), e.path.as_str())).collect();
        if heads != wanted {
            wrong.push(format!("{preset}: found {heads:#?}, expected {wanted:#?}"));
        }
        for (found, expected) in found.iter().zip(&expected) {
            let said = found.message();
            for part in expected.says.iter().filter(|part| !said.contains(part.as_str())) {
                wrong.push(format!("{preset}: `{said}` does not say `{part}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dec_5_every_example_of_every_preset_shows_its_fault() {
    let mut fed_back = 0;
    for preset in Policy::presets() {
        let policy = Policy::preset(preset).unwrap();
        let model = Model::large(&policy);
        for finding in policy.lint(Some(now())) {
            match &finding.example {
                Some(Example::Facts(facts)) => {
                    let some = model.some(&model.space.place(facts));
                    assert!(!some.is_empty(), "{preset}: nothing possible beside {facts:?}");
                    let shown = |finding: &Finding| some.iter().all(|f| shows(&model, finding, f));
                    assert!(shown(&finding), "{preset}: {finding:?}");
                }
                Some(_) => feed_back(&policy, &finding),
                None => continue,
            }
            fed_back += 1;
        }
    }
    assert!(fed_back > 30, "{fed_back} examples");
}
