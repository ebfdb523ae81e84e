//! Which facts reach each question and leaf of the tree.

use petgraph::graph::DiGraph;

use super::search::{MOST_NODES, STEP, Search};
use crate::fact::{Cut, Ref};
use crate::policy::reasoning::{Order, answers, graph, place};
use crate::policy::section::{Branches, Question, Target, Tree};

/// The most passes over a tree with cycles.
const MOST_ROUNDS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Given {
    Yes,
    No,
    /// One of several, from 0.
    Value(usize),
    /// A value that no answer accepts.
    Rest,
}

/// An answer of a question, with the facts that give it.
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) given: Given,
    /// Where it leads, if anywhere.
    pub(super) to: Option<Target>,
    /// The facts that give it.
    pub(super) taken: Ref,
    /// The facts that the answer accepts, including those that an earlier answer accepts. A `no`
    /// that leads to another question accepts all.
    pub(super) own: Ref,
}

impl Edge {
    pub(super) fn named(&self, tree: &Tree) -> String {
        let question = tree.questions[self.from].id;
        match self.given {
            Given::Yes => format!("`yes` of `{question}`"),
            Given::No => format!("`no` of `{question}`"),
            Given::Value(index) => format!("answer {} of `{question}`", index + 1),
            Given::Rest => format!("no answer of `{question}`"),
        }
    }
}

/// The tree with the facts that reach each part.
pub(super) struct Walk<'p> {
    pub(super) tree: &'p Tree,
    pub(super) graph: DiGraph<Target, ()>,
    /// By question.
    pub(super) edges: Vec<Vec<Edge>>,
    /// The possible facts that reach each question, then each leaf.
    reached: Vec<Ref>,
    /// The possible facts that satisfy every answer on some path there.
    claimed: Vec<Ref>,
}

impl<'p> Walk<'p> {
    pub(super) fn try_new(tree: &'p Tree, search: &mut Search<'_>) -> Result<Self, Cut> {
        let questions = tree.questions.iter().enumerate();
        let edges = questions.map(|(from, question)| edges(from, question, search));
        let edges = edges.collect::<Result<Vec<_>, _>>()?;
        let graph = graph(tree);
        let reached = spread(tree, &graph, &edges, |edge| edge.taken, search)?;
        let claimed = spread(tree, &graph, &edges, |edge| edge.own, search)?;
        Ok(Self { tree, graph, edges, reached, claimed })
    }

    pub(super) fn reached(&self, target: Target) -> Ref {
        self.reached[place(self.tree, target)]
    }

    pub(super) fn claimed(&self, leaf: usize) -> Ref {
        self.claimed[place(self.tree, Target::Leaf(leaf))]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().flatten()
    }
}

fn edges(from: usize, question: &Question, search: &mut Search<'_>) -> Result<Vec<Edge>, Cut> {
    let builder = &mut search.builder;
    let answers = answers(question, builder)?;
    let last = answers.len() - 1;
    let mut left = builder.constant(1);
    let mut edges = Vec::with_capacity(answers.len());
    for (index, (accepted, to)) in answers.into_iter().enumerate() {
        let given = match question.branches {
            Branches::Condition { .. } if index < last => Given::Yes,
            Branches::Condition { .. } => Given::No,
            Branches::Values { .. } if index < last => Given::Value(index),
            Branches::Values { .. } => Given::Rest,
        };
        let taken = builder.and(accepted, left)?;
        let is_rest = index == last && !matches!(to, Some(Target::Question(_)));
        let own = if is_rest { taken } else { accepted };
        edges.push(Edge { from, given, to, taken, own });
        let not = builder.not(accepted)?;
        left = builder.and(left, not)?;
    }
    Ok(edges)
}

/// The facts that reach each question and leaf, given the facts that pass each answer.
fn spread(
    tree: &Tree,
    graph: &DiGraph<Target, ()>,
    edges: &[Vec<Edge>],
    passes: impl Fn(&Edge) -> Ref,
    search: &mut Search<'_>,
) -> Result<Vec<Ref>, Cut> {
    let mut there = vec![search.never; tree.questions.len() + tree.leaves.len()];
    let Some(root) = there.get_mut(place(tree, tree.root)) else { return Ok(there) };
    *root = search.consistent;
    let order = Order::of(tree, graph);
    let rounds = if order.circular { MOST_ROUNDS } else { 1 };
    for round in 1..=rounds {
        let before = order.circular.then(|| there.clone());
        for question in &order.questions {
            for edge in &edges[*question] {
                let Some(to) = edge.to else { continue };
                search.pay(STEP)?;
                let through = search.builder.and(there[*question], passes(edge))?;
                let at = place(tree, to);
                there[at] = search.builder.or(there[at], through)?;
            }
        }
        if before.as_ref() == Some(&there) {
            break;
        }
        if order.circular && round == rounds {
            // Given up, as after too many nodes.
            return Err(Cut { budget: MOST_NODES });
        }
    }
    Ok(there)
}
