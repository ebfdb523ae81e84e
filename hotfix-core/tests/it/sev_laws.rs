//! Laws of the classification, on random policies and on the presets, against going through every combination of values.

use std::collections::BTreeSet;

use hotfix_core::fact::{Fact, FactId, FactValue, Facts, Placed, Space};
use hotfix_core::grade::Hotfix;
use hotfix_core::lint::Finding;
use hotfix_core::policy::Policy;
use hotfix_core::severity::Classification;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::classify_common::{
    Truths, entangled, few, holds, listed, numbered, possible, rank, rule, space, tables,
    with_tables,
};
use crate::fact_common::{facts, house};

/// Going through more is too slow.
const MOST: u64 = 800;

fn ids(names: Vec<hotfix_core::severity::RuleVerdict<'_>>) -> BTreeSet<String> {
    names.into_iter().map(|verdict| verdict.rule.id.to_string()).collect()
}

/// Every public answer against the truth.
fn check(
    policy: &Policy,
    space: &Space,
    placed: &Placed,
    truths: &Truths,
) -> Result<(), TestCaseError> {
    let facts = space.facts(placed);
    let answer = policy.classify(&facts);
    prop_assert!(answer.exact());
    prop_assert_eq!(answer.contradictory(), truths.contradictory);
    prop_assert_eq!(answer.contradictions().is_empty(), !truths.contradictory);
    prop_assert_eq!(answer.severity(), truths.severity());
    prop_assert_eq!(answer.at_worst(), truths.at_worst());
    prop_assert_eq!(answer.hotfix(), truths.hotfix());
    prop_assert_eq!(answer.settled(), truths.answers.len() == 1);
    prop_assert_eq!(answer.decisive().is_empty(), answer.settled());
    let known: BTreeSet<FactId> = facts.iter().map(|(fact, _)| fact).collect();
    prop_assert!(answer.decisive().iter().chain(&answer.unknown()).all(|f| !known.contains(f)));

    // Why: what fired is true of every incident, and what neither fired nor is open of none.
    let (fired, open) = (ids(answer.rules()), ids(answer.undecided()));
    for rule in policy.rules() {
        let id = rule.id.to_string();
        let mut truth = truths.incidents.iter().map(|each| holds(&rule.when, &space.facts(each)));
        prop_assert!(!fired.contains(&id) || truth.clone().all(|holds| holds), "{} fired", id);
        prop_assert!(
            fired.contains(&id) || open.contains(&id) || truth.all(|holds| !holds),
            "{id} did not fire"
        );
    }
    if !truths.contradictory {
        let said = answer.deduced();
        for variable in placed.unknown() {
            let left: BTreeSet<_> =
                truths.incidents.iter().map(|each| each.get(variable)).collect();
            let deduced = said.iter().find(|(fact, _)| *fact == space.fact(variable));
            let only = left.first().copied().flatten().filter(|_| left.len() == 1);
            prop_assert_eq!(
                deduced.map(|(_, value)| value.clone()),
                only.map(|class| space.deduced(variable, class))
            );
        }
    }
    Ok(())
}

/// What two answers have in common where one knows more.
fn summary(answer: &Classification<'_>) -> (usize, usize, Hotfix, bool) {
    (rank(answer.severity()), rank(answer.at_worst()), answer.hotfix(), answer.settled())
}

/// One more known fact only narrows, and never changes what is settled.
fn narrower(before: &Classification<'_>, after: &Classification<'_>) -> Result<(), TestCaseError> {
    let (was, is) = (summary(before), summary(after));
    prop_assert!(is.0 >= was.0, "what is certain fell from {was:?} to {is:?}");
    prop_assert!(is.1 <= was.1, "the worst rose from {was:?} to {is:?}");
    prop_assert!(was.2 == Hotfix::Unknown || is.2 == was.2, "{was:?} became {is:?}");
    prop_assert!(!was.3 || is == was, "settled {was:?} became {is:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sev_5_the_answer_is_what_all_values_of_the_unknown_facts_give(tables in tables(), facts in facts()) {
        let policy = with_tables(&tables);
        let space = space(&policy);
        let placed = few(&space, &facts, MOST);
        check(&policy, &space, &placed, &Truths::new(&policy, &space, &placed))?;
    }

    #[test]
    fn sev_5_one_more_known_fact_never_changes_what_is_settled(tables in tables(), facts in facts()) {
        let policy = with_tables(&tables);
        let space = space(&policy);
        let placed = space.place(&facts);
        let facts = space.facts(&placed);
        let before = policy.classify(&facts);
        if before.contradictory() {
            return Ok(());
        }
        let mut consistent = 0;
        for variable in placed.unknown() {
            for class in 0..space.classes(variable) {
                let mut more = facts.clone();
                more.set(space.fact(variable), space.value(variable, class));
                let after = policy.classify(&more);
                if !after.contradictory() {
                    consistent += 1;
                    narrower(&before, &after)?;
                }
            }
        }
        prop_assert!(consistent > 0 || placed.unknown().next().is_none());
    }

    #[test]
    fn sev_3_one_more_rule_of_a_severity_never_lowers_it(
        tables in tables(), another in rule(), severity in select(vec!["P0", "P1", "P2", "P3"]), facts in facts(),
    ) {
        let mut another = another;
        another.as_object_mut().unwrap().remove("hotfix");
        another["severity"] = json!(severity);
        let mut longer = tables.clone();
        let mut rules = tables["rules"].as_array().unwrap().clone();
        rules.push(another);
        longer["rules"] = numbered("r", rules);
        let (policy, longer) = (with_tables(&tables), with_tables(&longer));
        let (before, after) = (policy.classify(&facts), longer.classify(&facts));
        prop_assert!(rank(after.severity()) >= rank(before.severity()));
        prop_assert!(rank(after.at_worst()) >= rank(before.at_worst()));
    }

    #[test]
    fn sev_5_what_would_follow_is_what_follows(tables in tables(), facts in facts()) {
        let policy = with_tables(&tables);
        let space = space(&policy);
        let facts = space.facts(&space.place(&facts));
        let before = policy.classify(&facts);
        for (fact, changes) in before.if_known() {
            let variable = space.variable(fact).unwrap();
            let mut expected = Vec::new();
            for class in 0..space.classes(variable) {
                let mut more = facts.clone();
                more.set(fact, space.value(variable, class));
                let after = policy.classify(&more);
                if before.contradictory() || !after.contradictory() {
                    expected.push((after.severity(), after.at_worst(), after.hotfix()));
                }
            }
            let said: Vec<_> = changes.iter().map(|c| (c.severity, c.at_worst, c.hotfix)).collect();
            prop_assert_eq!(said, expected);
            let words: BTreeSet<&String> = changes.iter().map(|change| &change.value).collect();
            prop_assert_eq!(words.len(), changes.len(), "{:?}", changes);
        }
    }

    #[test]
    fn dec_4_the_tree_of_the_rules_agrees_with_them(tables in tables(), facts in facts()) {
        let policy = with_tables(&tables);
        let space = space(&policy);
        let placed = few(&space, &facts, MOST / 4);
        let truths = Truths::new(&policy, &space, &placed);
        for each in &truths.incidents {
            let facts = space.facts(each);
            let (severity, hotfix) = listed(&policy, &facts);
            let decision = policy.decide(&facts);
            let outcome = decision.outcome();
            prop_assert_eq!(outcome.is_some(), hotfix != Hotfix::Unknown);
            if let Some(outcome) = outcome {
                prop_assert_eq!(outcome.hotfix, hotfix == Hotfix::Yes);
                prop_assert!(outcome.severity.is_none() || outcome.severity == severity);
            }
        }
        // The same while facts are unknown.
        let facts = space.facts(&placed);
        let decision = policy.decide(&facts);
        prop_assert_eq!(decision.contradictory(), truths.contradictory);
        if let Some(outcome) = decision.outcome() {
            let hotfix = if outcome.hotfix { Hotfix::Yes } else { Hotfix::No };
            prop_assert_eq!(policy.classify(&facts).hotfix(), hotfix);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sev_5_without_diagrams_nothing_is_wrongly_certain(
        tables in tables(), facts in facts(), open in any::<bool>(),
    ) {
        let policy = with_tables(&entangled(tables));
        let space = space(&policy);
        let mut facts = facts;
        for at in usize::from(open)..17 {
            for letter in ["first_", "second_"] {
                facts.set(house(&format!("{letter}{at}")), FactValue::Flag(false));
            }
        }
        let placed = few(&space, &facts, MOST / 8);
        let truths = Truths::new(&policy, &space, &placed);
        let facts = space.facts(&placed);
        let answer = policy.classify(&facts);
        prop_assert!(!answer.exact());
        if !truths.contradictory {
            prop_assert!(!answer.contradictory());
        }
        prop_assert!(rank(answer.severity()) <= rank(truths.severity()));
        prop_assert!(rank(answer.at_worst()) >= rank(truths.at_worst()));
        prop_assert!(answer.hotfix() == Hotfix::Unknown || answer.hotfix() == truths.hotfix());
        prop_assert!(!answer.settled() || truths.answers.len() == 1);
        for rule in answer.rules() {
            prop_assert!(truths.incidents.iter().all(|each| holds(&rule.rule.when, &space.facts(each))));
        }
        // With everything known it is as good.
        let incident = space.facts(&truths.incidents[0]);
        let answer = policy.classify(&incident);
        prop_assert_eq!((answer.severity(), answer.hotfix()), listed(&policy, &incident));
        prop_assert_eq!(answer.contradictory(), truths.contradictory);
        prop_assert!(answer.settled() && answer.decisive().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dec_5_a_random_policy_and_what_it_writes_have_the_same_findings(tables in tables()) {
        let policy = with_tables(&tables);
        let findings = policy.lint(None);
        let codes: Vec<&str> = findings.iter().map(Finding::code).collect();
        prop_assert!(codes.is_sorted());
        // It loads again as it was, and the same is found.
        let again = Policy::from_json(&policy.to_json()).unwrap();
        prop_assert_eq!(again.lint(None), findings);
    }
}

/// An incident that keeps the policy's implications: each fact in turn gets the first value, from a random one on, that is
/// possible. And the order in which its facts become known.
fn incident(policy: &Policy, space: &Space, draws: &[(Index, Index)]) -> (Facts, Vec<usize>) {
    let mut facts = Facts::default();
    let mut order: Vec<usize> = (0..space.len()).collect();
    for (at, (_, place)) in draws.iter().enumerate().take(order.len()) {
        let to = at + place.index(order.len() - at);
        order.swap(at, to);
    }
    for (variable, (value, _)) in order.iter().zip(draws) {
        let classes = space.classes(*variable);
        let first = u32::try_from(value.index(classes as usize)).unwrap();
        let possible = (0..classes).map(|step| (first + step) % classes).find(|class| {
            let mut more = facts.clone();
            more.set(space.fact(*variable), space.value(*variable, *class));
            !policy.classify(&more).contradictory()
        });
        let class = possible.expect("each fact has a value that is possible with the others");
        facts.set(space.fact(*variable), space.value(*variable, class));
    }
    (facts, order)
}

fn draws() -> impl Strategy<Value = Vec<(Index, Index)>> {
    prop::collection::vec(any::<(Index, Index)>(), 48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sev_5_in_the_presets_what_is_learnt_only_narrows_the_answer(draws in draws()) {
        for name in Policy::presets() {
            let policy = Policy::preset(name).unwrap();
            let space = space(&policy);
            prop_assert!(space.len() <= draws.len());
            let (incident, order) = incident(&policy, &space, &draws);
            prop_assert!(possible(&policy, &incident));
            let mut facts = Facts::default();
            for variable in order {
                let fact = space.fact(variable);
                let mut more = facts.clone();
                more.set(fact, incident.get(fact).unwrap().clone());
                narrower(&policy.classify(&facts), &policy.classify(&more))?;
                facts = more;
            }
            let answer = policy.classify(&facts);
            prop_assert!(answer.settled());
            prop_assert_eq!((answer.severity(), answer.hotfix()), listed(&policy, &facts));
        }
    }

    #[test]
    fn sev_5_in_the_presets_the_answer_is_what_all_values_give(draws in draws(), hidden in 0..9_usize) {
        for name in Policy::presets() {
            let policy = Policy::preset(name).unwrap();
            let space = space(&policy);
            let (mut facts, order) = incident(&policy, &space, &draws);
            for variable in order.iter().take(hidden) {
                facts.forget(space.fact(*variable));
            }
            let placed = few(&space, &facts, MOST);
            check(&policy, &space, &placed, &Truths::new(&policy, &space, &placed))?;
        }
    }
}

#[test]
fn sev_5_a_policy_without_rules_says_nothing() {
    let policy = Policy::preset("phased-canary").unwrap();
    assert!(policy.rules().is_empty() && policy.tree().is_none());
    let mut facts = Facts::default();
    facts.set(FactId::BuiltIn(Fact::ServiceDown), FactValue::Flag(true));
    let answer = policy.classify(&facts);
    assert_eq!(
        (answer.severity(), answer.at_worst(), answer.hotfix()),
        (None, None, Hotfix::Unknown)
    );
    assert!(answer.settled() && answer.rules().is_empty() && answer.decisive().is_empty());
    let decision = policy.decide(&facts);
    assert!(
        decision.outcome().is_none() && decision.settled() && decision.next_question().is_none()
    );
}
