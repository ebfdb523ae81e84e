//! Evaluation of the tree by Kleene's logic, for policies whose conditions are too complex for a
//! diagram: all possible ends, perhaps with some that are not possible.

use std::collections::BTreeSet;

use petgraph::algo::toposort;
use petgraph::graph::DiGraph;

use crate::fact::{Comparison, FactValue, Facts, Space, Truth};
use crate::policy::reasoning::End;
use crate::policy::section::{Branches, Target, Tree};

pub(super) fn ends(tree: &Tree, space: &Space, facts: &Facts) -> Vec<End> {
    let walk = Walk::new(tree, space, facts);
    walk.ends.into_iter().collect()
}

/// The reachable questions that the known facts do not answer, in the order of the walk.
pub(super) fn unanswered(tree: &Tree, space: &Space, facts: &Facts) -> Vec<usize> {
    Walk::new(tree, space, facts).unanswered
}

struct Walk {
    ends: BTreeSet<End>,
    unanswered: Vec<usize>,
}

impl Walk {
    fn new(tree: &Tree, space: &Space, facts: &Facts) -> Self {
        let mut walk = Self { ends: BTreeSet::new(), unanswered: Vec::new() };
        let mut steps: DiGraph<(), ()> = DiGraph::new();
        let nodes: Vec<_> = tree.questions.iter().map(|_| steps.add_node(())).collect();
        let mut met = vec![false; tree.questions.len()];
        let mut open = vec![tree.root];
        while let Some(target) = open.pop() {
            let question = match target {
                Target::Leaf(leaf) => {
                    walk.ends.insert(End::Leaf(leaf));
                    continue;
                }
                Target::Question(question) => question,
            };
            if std::mem::replace(&mut met[question], true) {
                continue;
            }
            let answers = answers(&tree.questions[question].branches, space, facts);
            if answers.len() > 1 {
                walk.unanswered.push(question);
            }
            for answer in answers.into_iter().rev() {
                match answer.and_then(|at| tree.questions[question].leads(at)) {
                    Some(to) => {
                        if let Target::Question(next) = to {
                            steps.add_edge(nodes[question], nodes[next], ());
                        }
                        open.push(to);
                    }
                    None => {
                        walk.ends.insert(End::Gap(question));
                    }
                }
            }
        }
        // Without recursion: a tree may have more questions than the thread has stack.
        if toposort(&steps, None).is_err() {
            walk.ends.insert(End::Loop);
        }
        walk
    }
}

/// The possible answers by number (no is 0 and yes is 1; else in the policy's order); `None`, for
/// none of the answers, comes last.
pub(super) fn answers(branches: &Branches, space: &Space, facts: &Facts) -> Vec<Option<usize>> {
    match branches {
        Branches::Condition { when, .. } => match when.holds(facts) {
            Truth::Yes => vec![Some(1)],
            Truth::No => vec![Some(0)],
            Truth::Unknown => vec![Some(1), Some(0)],
        },
        Branches::Values { fact, answers } => {
            let first = |value: &FactValue| {
                let accepts = |c: &Comparison| c.accepts(value);
                answers.iter().position(|answer| answer.accepts.iter().all(accepts))
            };
            if let Some(value) = facts.get(*fact) {
                return vec![first(value)];
            }
            let Some(variable) = space.variable(*fact) else {
                return (0..answers.len()).map(Some).chain([None]).collect();
            };
            // For each class, the next one that no answer has taken. Each class is taken once,
            // however many answers there are.
            let end = space.classes(variable);
            let mut free: Vec<u32> = (0..=end).collect();
            let mut possible = Vec::new();
            for (at, answer) in answers.iter().enumerate() {
                let ranges = answer.accepts.iter().filter_map(|c| Some(space.accepted(c)?.1));
                let range =
                    ranges.fold(0..end, |all, one| all.start.max(one.start)..all.end.min(one.end));
                let mut class = next_free(&mut free, range.start);
                if class < range.end {
                    possible.push(Some(at));
                }
                while class < range.end {
                    free[class as usize] = class + 1;
                    class = next_free(&mut free, class);
                }
            }
            if next_free(&mut free, 0) < end {
                possible.push(None);
            }
            possible
        }
    }
}

/// The first class from here on that is not taken. The path to it is compressed for later calls.
fn next_free(free: &mut [u32], from: u32) -> u32 {
    let mut at = from;
    while free[at as usize] != at {
        let over = free[free[at as usize] as usize];
        free[at as usize] = over;
        at = over;
    }
    at
}
