//! Findings about rules and implications: rules that never fire or contradict each other, answers
//! that stay open, and impossible implications.

use super::super::fault::Fault;
use super::super::finding::Finding;
use super::cross_checks;
use super::search::{MOST_NODES, Search};
use crate::fact::{Builder, Cut, Ref};
use crate::grade::{Exclusions, Hotfix, Severity};
use crate::policy::Policy;
use crate::policy::reasoning::{End, consistent};
use crate::policy::section::Effect;

/// Where each rule fires.
pub(super) fn conditions(search: &mut Search<'_>) -> Result<Vec<Ref>, Cut> {
    let policy = search.policy;
    policy.rules.iter().map(|rule| search.builder.condition(&rule.when)).collect()
}

/// `fired`: where each rule fires.
pub(super) fn findings(fired: &[Ref], search: &mut Search<'_>) -> Result<(), Cut> {
    silent(fired, search)?;
    if search.policy.classification.exclusions == Exclusions::Ask {
        excluded(fired, search)?;
    }
    let policy = search.policy;
    for (index, (rule, when)) in policy.rules.iter().zip(fired).enumerate() {
        if search.builder.and(*when, search.consistent)? == search.never {
            let why = if *when == search.never {
                "its condition contradicts itself"
            } else {
                "the implications rule its condition out"
            };
            let fault = Fault::NeverFires { rule: rule.id, why };
            search.found.push(Finding::new(format!("/rules/{index}"), fault, None));
        }
    }
    Ok(())
}

/// The first implication that makes every combination impossible.
pub(super) fn impossible(policy: &Policy, found: &mut Vec<Finding>) -> Result<(), Cut> {
    let mut builder = Builder::new(&policy.reasoning().space, MOST_NODES);
    let (mut all, never) = (builder.constant(1), builder.constant(0));
    for (index, implication) in policy.implications.iter().enumerate() {
        let this = consistent(std::slice::from_ref(implication), &mut builder)?;
        all = builder.and(all, this)?;
        if all == never {
            let fault = Fault::Impossible { implication: implication.id };
            found.push(Finding::new(format!("/implications/{index}"), fault, None));
            break;
        }
    }
    Ok(())
}

fn silent(fired: &[Ref], search: &mut Search<'_>) -> Result<(), Cut> {
    let policy = search.policy;
    if policy.rules.is_empty() || policy.classification.otherwise != Hotfix::Unknown {
        return Ok(());
    }
    let mut region = search.builder.constant(1);
    for fires in fired {
        let not = search.builder.not(*fires)?;
        region = search.builder.and(region, not)?;
    }
    let mut tree = "";
    if policy.tree.is_some() {
        let nowhere = search.ended(|end| !matches!(end, End::Leaf(_)))?;
        region = search.builder.and(region, nowhere)?;
        tree = " and the tree has no answer";
    }
    if let Some(example) = search.example(region)? {
        let path = "/classification/otherwise".to_owned();
        search.found.push(Finding::new(path, Fault::Silent { tree }, Some(example)));
    }
    Ok(())
}

/// For each excluding rule: each severity that calls for a hot-fix, then the rules that admit one.
fn excluded(fired: &[Ref], search: &mut Search<'_>) -> Result<(), Cut> {
    let policy = search.policy;
    let calls = |severity: Option<Severity>| {
        severity.and_then(|severity| policy.severity(severity)).is_some_and(|level| level.hotfix)
    };
    let mut called = Vec::new();
    for level in policy.severities.iter().filter(|level| level.hotfix) {
        let region = search.listed(|outcome| outcome.severity == Some(level.severity))?;
        let region = search.builder.and(region, search.consistent)?;
        called.push((Effect::Severity(level.severity), region));
    }
    let otherwise = search.listed(|outcome| !calls(outcome.severity))?;
    let admitted = search.admitted(fired)?;
    let admitted = search.builder.and(admitted, search.consistent)?;
    called.push((Effect::Admit, search.builder.and(otherwise, admitted)?));
    for (index, (rule, excludes)) in policy.rules.iter().zip(fired).enumerate() {
        if rule.effect() != Effect::Exclude {
            continue;
        }
        for (effect, called) in &called {
            let region = search.builder.and(*excludes, *called)?;
            if region == search.never {
                continue;
            }
            let (rules, one) =
                cross_checks::rules(|r| r.effect() == *effect, fired, region, search)?;
            let graded = match effect {
                Effect::Severity(severity) => format!(" ({severity})"),
                Effect::Admit | Effect::Exclude => String::new(),
            };
            let called = format!("{rules}{graded} {}", if one { "calls" } else { "call" });
            let fault = Fault::Excluded { exclusion: rule.id, called };
            let example = search.example(region)?;
            search.found.push(Finding::new(format!("/rules/{index}"), fault, example));
        }
    }
    Ok(())
}
