//! What the presets say of incidents: the examples of the documents and more, `tests/cases/sev/*.toml`.

use std::collections::BTreeSet;

use hotfix_core::policy::Policy;

use crate::crate_files::in_crate;
use crate::decision_common::facts;
use crate::shared::answer_cases::SeverityFile;

fn files() -> Vec<SeverityFile> {
    SeverityFile::load(&in_crate("tests/cases/sev"))
}

#[test]
fn sev_3_every_case_is_classified_and_decided_as_the_document_says() {
    let mut wrong = Vec::new();
    for file in files() {
        let policy = Policy::preset(&file.policy).unwrap();
        for case in &file.case {
            let facts = facts(&policy, &case.known(&file.quiet));
            let answer = serde_json::to_value(policy.classify(&facts)).unwrap();
            let decision = serde_json::to_value(policy.decide(&facts)).unwrap();
            let faults = case.faults(&answer, &decision);
            wrong.extend(faults.into_iter().map(|fault| format!("{}, {fault}", file.policy)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules, exclusions and severities are no dead letter: each rule of each preset fires in a case, alone or first.
#[test]
fn sev_3_every_rule_of_every_preset_fires_in_a_case() {
    let mut missing = Vec::new();
    let files = files();
    let told: BTreeSet<&str> = files.iter().map(|file| file.policy.as_str()).collect();
    assert_eq!(told, Policy::presets().iter().copied().collect());
    for file in &files {
        let policy = Policy::preset(&file.policy).unwrap();
        let mut fired = BTreeSet::new();
        for case in &file.case {
            let facts = facts(&policy, &case.known(&file.quiet));
            let answer = policy.classify(&facts);
            fired.extend(answer.rules().iter().map(|verdict| verdict.rule.id.to_string()));
            let contradictory = !answer.contradictions().is_empty();
            let said = case.expect.contains_key("contradictions");
            assert!(!contradictory || said, "{}: its facts contradict each other", case.id);
        }
        let rules = policy.rules().iter().map(|rule| rule.id.to_string());
        missing.extend(rules.filter(|id| !fired.contains(id)).map(|id| (file.policy.clone(), id)));
    }
    assert!(missing.is_empty(), "{missing:?}");
}
