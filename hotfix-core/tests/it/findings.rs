//! What the linter finds in each preset, all of it, in order; and its examples fed back (DEC-5).

use hotfix_core::lint::{Example, Finding};
use hotfix_core::policy::Policy;

use crate::crate_files::in_crate;
use crate::lint_common::{Model, shows};
use crate::lint_patch::{feed_back, now};
use crate::shared::lint_cases::{NOW, PresetFindings};

#[test]
fn dec_5_every_finding_of_every_preset() {
    let mut wrong = Vec::new();
    for preset in Policy::presets() {
        let found = Policy::preset(preset).unwrap().lint(Some(NOW.parse().unwrap()));
        let cases = PresetFindings::load(&in_crate("tests/cases/findings"), preset);
        wrong.extend(cases.faults(&serde_json::to_value(found).unwrap()));
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
    assert!(fed_back >= 20, "{fed_back} examples");
}
