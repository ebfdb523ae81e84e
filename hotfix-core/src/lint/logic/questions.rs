//! Single questions: those that no facts reach, and those without an answer.

use std::collections::BTreeSet;

use petgraph::graph::NodeIndex;
use petgraph::visit::{Dfs, Reversed};

use super::super::fault::Fault;
use super::super::finding::Finding;
use super::super::format::{enumerated, quoted};
use super::search::Search;
use super::walk::{Edge, Given, Walk};
use crate::fact::{Condition, Cut, FactId, FactKind, Space};
use crate::policy::reasoning::place;
use crate::policy::section::{Branches, Target, Tree};

pub(super) fn findings(walk: &Walk<'_>, search: &mut Search<'_>) -> Result<(), Cut> {
    let tree = walk.tree;
    let questions = (0..tree.questions.len()).map(Target::Question);
    let leaves = (0..tree.leaves.len()).map(Target::Leaf);
    let mut leading: Vec<Vec<&Edge>> = vec![Vec::new(); tree.questions.len() + tree.leaves.len()];
    for edge in walk.all() {
        if let Some(to) = edge.to {
            leading[place(tree, to)].push(edge);
        }
    }
    for target in questions.chain(leaves) {
        if walk.reached(target) == search.never {
            unreached(walk, target, &leading[place(tree, target)], search)?;
        }
    }
    for edge in walk.all() {
        match (edge.given, edge.to) {
            (Given::Value(index), _) if is_idle(edge, search) => {
                let empty = edge.own == search.never;
                search.found.push(idle_answer(tree, edge.from, index, empty));
            }
            (_, None) => unanswered(walk, edge, search)?,
            _ => {}
        }
    }
    Ok(())
}

/// Reports a question or leaf that no facts reach, but only if a question that facts reach leads to
/// it: the others follow from that.
fn unreached(
    walk: &Walk<'_>,
    target: Target,
    leading: &[&Edge],
    search: &mut Search<'_>,
) -> Result<(), Cut> {
    let from = |edge: &Edge| walk.reached(Target::Question(edge.from));
    let mut leading: Vec<&Edge> = leading.to_vec();
    leading.retain(|edge| from(edge) != search.never);
    // An answer that is never used is a separate finding.
    if leading.iter().all(|edge| is_idle(edge, search)) {
        return Ok(());
    }
    let mut why = Vec::new();
    for edge in leading {
        if !search.meet(edge.taken, search.consistent)? {
            why.push(format!("no facts give {}", edge.named(walk.tree)));
            continue;
        }
        search.pay(walk.graph.node_count())?;
        let there = NodeIndex::new(edge.from);
        let mut before = vec![false; walk.graph.node_count()];
        let mut visit = Dfs::new(Reversed(&walk.graph), there);
        while let Some(node) = visit.next(Reversed(&walk.graph)) {
            before[node.index()] = true;
        }
        let mut takers = Vec::new();
        for other in walk.all() {
            let goes_on = other.to.is_some_and(|to| before[place(walk.tree, to)]);
            if !goes_on {
                let through = search.builder.and(from(other), other.taken)?;
                if search.meet(through, edge.taken)? {
                    takers.push(other.named(walk.tree));
                }
            }
        }
        let taken_by = enumerated(&takers);
        why.push(format!(
            "the facts for {} are already accepted by {taken_by}",
            edge.named(walk.tree)
        ));
    }
    let fault = Fault::Unreached { id: walk.tree.id(target), why: why.join("; ") };
    search.found.push(Finding::new(Tree::path(target), fault, None));
    Ok(())
}

fn is_idle(edge: &Edge, search: &Search<'_>) -> bool {
    matches!(edge.given, Given::Value(_)) && edge.taken == search.never
}

/// An answer for which no value is left, or (`empty`) that no value satisfies.
fn idle_answer(tree: &Tree, question: usize, index: usize, empty: bool) -> Finding {
    let path = format!("{}/answers/{index}", Tree::path(Target::Question(question)));
    let why = if empty { "no value satisfies it" } else { "earlier answers accept all its values" };
    let question = tree.questions[question].id;
    Finding::new(path, Fault::IdleAnswer { question, answer: index + 1, why }, None)
}

fn unanswered(walk: &Walk<'_>, edge: &Edge, search: &mut Search<'_>) -> Result<(), Cut> {
    let reached = walk.reached(Target::Question(edge.from));
    let region = search.builder.and(reached, edge.taken)?;
    let Some(example) = search.example(region)? else { return Ok(()) };
    let listed = search.worst(region)?;
    let listed =
        listed.map_or_else(String::new, |worst| format!("; the rules give up to {worst} there"));
    let question = &walk.tree.questions[edge.from];
    let fault = match &question.branches {
        Branches::Condition { when, .. } => {
            let answer = quoted(if edge.given == Given::Yes { "yes" } else { "no" });
            let answer = match only_number(when) {
                Some(fact) => {
                    let variable = search.space.variable(fact).unwrap_or_default();
                    let classes = search.classes(region, variable)?;
                    format!("{answer}, with `{fact}` {}", values(search.space, variable, &classes))
                }
                None => answer,
            };
            Fault::Unanswered { question: question.id, answer, listed }
        }
        Branches::Values { fact, .. } => {
            let Some(variable) = search.space.variable(*fact) else { return Ok(()) };
            let classes = search.classes(region, variable)?;
            let values = values(search.space, variable, &classes);
            let question = question.id;
            match search.policy.facts.kind(*fact) {
                FactKind::Flag | FactKind::Text | FactKind::Time => {
                    Fault::Unanswered { question, answer: values, listed }
                }
                FactKind::Share | FactKind::Duration | FactKind::Number => {
                    Fault::Gap { question, ranges: values, listed }
                }
            }
        }
    };
    search.found.push(Finding::new(Tree::path(Target::Question(edge.from)), fault, Some(example)));
    Ok(())
}

/// The fact that a condition uses, if it is only one and a number.
fn only_number(when: &Condition) -> Option<FactId> {
    let mut facts = BTreeSet::new();
    let mut number = true;
    when.comparisons(&mut |comparison| {
        facts.insert(comparison.fact);
        number &= comparison.value.as_number().is_some();
    });
    facts.first().copied().filter(|_| number && facts.len() == 1)
}

/// Classes of a variable in words; adjacent ones as one range.
fn values(space: &Space, variable: usize, classes: &[u32]) -> String {
    let kind = space.value(variable, 0).kind();
    let words: Vec<String> = match kind {
        FactKind::Flag => classes.iter().map(|c| quoted(space.describe(variable, *c))).collect(),
        FactKind::Text | FactKind::Time => {
            let text = |class: &u32| match class {
                0 => "any other text".to_owned(),
                class => quoted(space.describe(variable, *class)),
            };
            classes.iter().map(text).collect()
        }
        FactKind::Share | FactKind::Duration | FactKind::Number => {
            let runs = classes.chunk_by(|a, b| a + 1 == *b);
            let ends = runs.filter_map(|run| Some((*run.first()?, *run.last()?)));
            ends.map(|(first, last)| space.describe_run(variable, first, last)).collect()
        }
    };
    enumerated(&words)
}
