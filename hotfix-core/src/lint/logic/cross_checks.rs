//! Compares leaves with each other, and rules with the tree.

use super::super::fault::Fault;
use super::super::finding::Finding;
use super::super::format::{enumerated, hotfix, quoted, severity};
use super::search::Search;
use super::walk::Walk;
use crate::fact::{Cut, Ref};
use crate::grade::{Hotfix, Severity};
use crate::policy::reasoning::{End, RuleOutcome};
use crate::policy::section::{Effect, Rule, Target, Tree};

/// `fired`: where each rule fires.
pub(super) fn findings(walk: &Walk<'_>, fired: &[Ref], search: &mut Search<'_>) -> Result<(), Cut> {
    for leaf in 0..walk.tree.leaves.len() {
        shadowed(walk, leaf, search)?;
    }
    if !search.policy.rules.is_empty() {
        for leaf in 0..walk.tree.leaves.len() {
            differing(walk, leaf, fired, search)?;
        }
    }
    Ok(())
}

/// The rank of a severity: the more severe, the lower; no severity is the highest.
fn rank(severity: Option<Severity>) -> usize {
    severity.map_or(usize::MAX, |severity| severity as usize)
}

/// Facts that satisfy the answers on a path to this leaf, but end at a less severe one.
fn shadowed(walk: &Walk<'_>, leaf: usize, search: &mut Search<'_>) -> Result<(), Cut> {
    let leaves = &walk.tree.leaves;
    let Some(bad) = leaves[leaf].severity else { return Ok(()) };
    let less = |other: usize| rank(leaves[other].severity) > rank(Some(bad));
    let elsewhere = search.ended(|end| matches!(end, End::Leaf(other) if less(other)))?;
    let all = search.builder.and(elsewhere, walk.claimed(leaf))?;
    for code in search.values(search.ends, all)? {
        let End::Leaf(by) = End::of(code, walk.tree) else { continue };
        let region = search.builder.and(walk.claimed(leaf), walk.reached(Target::Leaf(by)))?;
        let mut answers = Vec::new();
        for edge in walk.all().filter(|edge| edge.to == Some(Target::Leaf(by))) {
            let through =
                search.builder.and(walk.reached(Target::Question(edge.from)), edge.taken)?;
            if search.meet(through, region)? {
                answers.push(edge.named(walk.tree));
            }
        }
        let fault = Fault::Shadowed {
            leaf: leaves[leaf].id,
            severity: bad,
            by: leaves[by].id,
            less: severity(leaves[by].severity),
            answers: enumerated(&answers),
        };
        let example = search.example(region)?;
        search.found.push(Finding::new(Tree::path(Target::Leaf(leaf)), fault, example));
    }
    Ok(())
}

/// Facts that end at this leaf, while the rules give another severity.
fn differing(
    walk: &Walk<'_>,
    leaf: usize,
    fired: &[Ref],
    search: &mut Search<'_>,
) -> Result<(), Cut> {
    let said = &walk.tree.leaves[leaf];
    let target = Target::Leaf(leaf);
    // Rules that only admit or exclude give no severity that could differ.
    let grading =
        search.policy.rules.iter().any(|rule| matches!(rule.effect(), Effect::Severity(_)));
    let differs = |outcome: RuleOutcome| {
        grading && said.severity.is_some() && outcome.severity != said.severity
    };
    let codes = search.values(search.list, walk.reached(target))?;
    let outcomes: Vec<RuleOutcome> = codes.into_iter().map(RuleOutcome::of).collect();
    let mut severities: Vec<Option<Severity>> =
        outcomes.iter().filter(|outcome| differs(**outcome)).map(|o| o.severity).collect();
    severities.dedup();
    for listed in severities {
        let Some(severity) = said.severity else { continue };
        let region = search.listed(|outcome| outcome.severity == listed)?;
        let region = search.builder.and(region, walk.reached(target))?;
        let by = |rule: &Rule| matches!(rule.effect(), Effect::Severity(severity) if Some(severity) == listed);
        let list = match listed {
            Some(listed) => {
                let (rules, one) = rules(by, fired, region, search)?;
                format!("{rules} {} {listed}", if one { "gives" } else { "give" })
            }
            None => "no rule gives a severity".to_owned(),
        };
        let fault = Fault::SeverityDiffers { list, leaf: said.id, severity };
        let example = search.example(region)?;
        search.found.push(Finding::new(Tree::path(target), fault, example));
    }
    hotfix_differs(walk, leaf, &outcomes, differs, fired, search)
}

/// Facts that end at this leaf while the rules differ on whether there is a hot-fix. Not reported if
/// the severity `differs`, too, which has its own finding.
fn hotfix_differs(
    walk: &Walk<'_>,
    leaf: usize,
    outcomes: &[RuleOutcome],
    differs: impl Fn(RuleOutcome) -> bool,
    fired: &[Ref],
    search: &mut Search<'_>,
) -> Result<(), Cut> {
    let said = &walk.tree.leaves[leaf];
    let policy = search.policy;
    let admitted = search.admitted(fired)?;
    for outcome in outcomes.iter().filter(|outcome| !differs(**outcome)) {
        let level = outcome.severity.and_then(|severity| policy.severity(severity));
        let by_severity = level.is_some_and(|level| level.hotfix);
        let here = search.listed(|other| other == *outcome)?;
        let mut region = search.builder.and(here, walk.reached(Target::Leaf(leaf)))?;
        let calls = match (outcome.hotfix, said.hotfix) {
            (Hotfix::Yes, false) => true,
            (Hotfix::No, true) => false,
            // The rules let a person decide, and the tree denies it without asking.
            (Hotfix::Unknown, false) => {
                if !by_severity {
                    region = search.builder.and(region, admitted)?;
                }
                true
            }
            _ => continue,
        };
        let Some(example) = search.example(region)? else { continue };
        let by = |rule: &Rule| match rule.effect() {
            Effect::Severity(severity) => {
                Some(severity) == outcome.severity && by_severity == calls
            }
            Effect::Admit => calls,
            Effect::Exclude => !calls,
        };
        let (rules, one) = rules(by, fired, region, search)?;
        let list = if rules.is_empty() {
            format!("if no rule fires, the policy answers {}", hotfix(calls))
        } else {
            let graded = outcome.severity.map_or_else(String::new, |s| format!(" ({s})"));
            let but = match outcome.hotfix {
                Hotfix::Unknown => ", though others exclude one",
                Hotfix::Yes | Hotfix::No => "",
            };
            let ask = if one { "asks" } else { "ask" };
            format!("{rules} {ask} for {}{graded}{but}", hotfix(calls))
        };
        let fault = Fault::HotfixDiffers { list, leaf: said.id, hotfix: hotfix(said.hotfix) };
        search.found.push(Finding::new(Tree::path(Target::Leaf(leaf)), fault, Some(example)));
    }
    Ok(())
}

/// Rules of some effect that fire somewhere in a region, in words, and whether it is only one.
pub(super) fn rules(
    wanted: impl Fn(&Rule) -> bool,
    fired: &[Ref],
    region: Ref,
    search: &mut Search<'_>,
) -> Result<(String, bool), Cut> {
    let mut names = Vec::new();
    let policy = search.policy;
    let region = search.builder.and(region, search.consistent)?;
    for (rule, fires) in policy.rules.iter().zip(fired) {
        if wanted(rule) && search.meet(*fires, region)? {
            names.push(quoted(rule.id));
        }
    }
    let one = names.len() == 1;
    let names = enumerated(&names);
    Ok(match names.as_str() {
        "" => (names, one),
        _ if one => (format!("the rule {names}"), one),
        _ => (format!("the rules {names}"), one),
    })
}
