//! Findings without a search over all facts: each question, leaf and rule by itself, and severities that nothing gives.

use super::super::fault::Fault;
use super::super::finding::{Example, Finding, put};
use super::super::format::{hotfix, quoted};
use super::cycle::connected;
use super::questions::{idle_answer, left_out, values};
use super::rules;
use crate::fact::{Builder, Condition, Cut, Facts, Ref, Space, Truth};
use crate::policy::Policy;
use crate::policy::reasoning::graph;
use crate::policy::section::{Answer, Branches, Effect, Target, Tree};
use crate::sorting::set_of;

/// The most nodes of one condition.
const MOST_NODES: usize = 1_000;

/// Missing answers of the questions that answers lead to from the root. Whether facts do is not checked.
pub(super) fn questions(tree: &Tree, found: &mut Vec<Finding>) {
    let connected = connected(tree, &graph(tree));
    for (index, question) in tree.questions.iter().enumerate() {
        if !connected[index] {
            continue;
        }
        match &question.branches {
            Branches::Condition { when, yes, no } => {
                // What Kleene's logic gives without any fact holds for all facts.
                let always = when.holds(&Facts::default());
                let answers = [("yes", yes, Truth::No), ("no", no, Truth::Yes)];
                for (answer, to, never) in answers {
                    if to.is_none() && always != never {
                        let answer = quoted(answer);
                        let question = question.id;
                        let fault = Fault::Unanswered { question, answer, listed: String::new() };
                        put(found, Tree::path(Target::Question(index)), fault);
                    }
                }
            }
            Branches::Values { answers, .. } => {
                // A list of thousands of ranges is skipped.
                let _ = by_value(tree, index, answers, found);
            }
        }
    }
}

fn by_value(
    tree: &Tree,
    index: usize,
    answers: &[Answer],
    found: &mut Vec<Finding>,
) -> Result<(), Cut> {
    let conditions: Vec<Condition> = answers.iter().map(Answer::condition).collect();
    let space = Space::new(&conditions);
    let mut builder = Builder::new(&space, 20 * MOST_NODES);
    let never = builder.constant(0);
    let mut left: Ref = builder.constant(1);
    for (answer, condition) in conditions.iter().enumerate() {
        let own = builder.condition(condition)?;
        if builder.and(own, left)? == never {
            found.push(idle_answer(tree, index, answer, own == never));
        }
        let not = builder.not(own)?;
        left = builder.and(left, not)?;
    }
    if left == never || space.is_empty() {
        return Ok(());
    }
    let diagram = builder.finish(left);
    let mut placed = space.unknown();
    let mut is_left = |class: &u32| {
        placed.set(0, Some(*class));
        diagram.decided(&placed) == Some(1)
    };
    let classes: Vec<u32> = (0..space.classes(0)).filter(|class| is_left(class)).collect();
    let Some(first) = classes.first() else { return Ok(()) };
    let mut facts = Facts::default();
    let value = space.value(0, *first);
    let kind = value.kind();
    facts.set(space.fact(0), value);
    let words = values(&space, 0, &classes);
    let fault = left_out(tree.questions[index].id, kind, words, String::new());
    let path = Tree::path(Target::Question(index));
    found.push(Finding::new(path, fault, Some(Example::Facts(facts))));
    Ok(())
}

/// Rules whose condition contradicts itself.
pub(super) fn rules(policy: &Policy, found: &mut Vec<Finding>) {
    for (index, rule) in policy.rules.iter().enumerate() {
        let space = Space::new([&rule.when]);
        let mut builder = Builder::new(&space, MOST_NODES);
        let never = builder.constant(0);
        if builder.condition(&rule.when) == Ok(never) {
            found.push(rules::never_fires(index, rule, true));
        }
    }
}

pub(super) fn findings(policy: &Policy, found: &mut Vec<Finding>) {
    severities(policy, found);
    leaves(policy, found);
}

/// Severities that no rule and no leaf gives; none if the policy gives no severity at all, because
/// the incident then has it.
fn severities(policy: &Policy, found: &mut Vec<Finding>) {
    let by_rule = policy.rules.iter().filter_map(|rule| match rule.effect {
        Effect::Severity(severity) => Some(severity),
        Effect::Admit | Effect::Exclude => None,
    });
    let leaves = policy.tree.iter().flat_map(|tree| &tree.leaves);
    let given = set_of(by_rule.chain(leaves.filter_map(|leaf| leaf.severity)));
    if given.is_empty() {
        return;
    }
    for level in policy.severities.iter().filter(|level| !given.contains(&level.severity)) {
        let severity = level.severity;
        put(found, format!("/severities/{severity}"), Fault::UnusedSeverity { severity });
    }
}

fn leaves(policy: &Policy, found: &mut Vec<Finding>) {
    for (index, leaf) in policy.tree.iter().flat_map(|tree| &tree.leaves).enumerate() {
        let level = leaf.severity.and_then(|severity| policy.severity(severity));
        if let Some(level) = level.filter(|level| level.hotfix != leaf.hotfix) {
            let fault = Fault::LeafHotfix {
                leaf: leaf.id,
                hotfix: hotfix(leaf.hotfix),
                severity: level.severity,
                answered: hotfix(level.hotfix),
            };
            put(found, format!("{}/hotfix", Tree::path(Target::Leaf(index))), fault);
        }
        if let (Some(severity), Some(deadline)) = (leaf.severity, leaf.deadline)
            && let Some(due) = policy.fix_due(severity).filter(|due| *due != deadline)
        {
            let fault = Fault::LeafDeadline { leaf: leaf.id, deadline, severity, due };
            put(found, format!("{}/deadline", Tree::path(Target::Leaf(index))), fault);
        }
    }
}
