//! What to ask next.

use std::cmp::Ordering;

use super::{Decision, Open, alike, walk};
use crate::fact::{FactId, FactKind};
use crate::policy::reasoning::End;
use crate::policy::section::{Branches, Leaf, Question, Tree};

/// How many steps may be taken through the tree with values of unknown facts where there is no diagram.
const MOST_STEPS: u64 = 1 << 21;

/// The unknown fact that settles most.
#[derive(Clone, Debug, PartialEq)]
pub struct NextQuestion<'a> {
    /// The fact.
    pub fact: FactId,
    /// The question that asks a person for it.
    pub ask: &'a str,
    /// What its values are.
    pub kind: FactKind,
    /// What would be left for each value, or range of values, that the policy tells from the others and that is possible.
    pub if_known: Vec<Remaining<'a>>,
}

/// What one value of a fact would leave open.
#[derive(Clone, Debug, PartialEq)]
pub struct Remaining<'a> {
    /// The value, or the range of values, in words: `true`, `50%`, `above 5%, below 50%`.
    pub value: String,
    /// The leaves that would still be possible.
    pub leaves: Vec<&'a Leaf>,
    /// The questions that might have no answer.
    pub gaps: Vec<&'a Question>,
}

/// How much asking for a fact would leave open, over the classes of values that are possible; the less, the better.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    classes: u64,
    outcomes: Left,
    ends: Left,
}

#[derive(Clone, Copy, Debug, Default)]
struct Left {
    sum: u64,
    most: u64,
}

impl Left {
    fn add(&mut self, left: u64) {
        self.sum += left;
        self.most = self.most.max(left);
    }
}

impl Cost {
    fn compare(&self, other: &Self) -> Ordering {
        let mean = |a: Left, b: Left| (a.sum * other.classes).cmp(&(b.sum * self.classes));
        mean(self.outcomes, other.outcomes)
            .then(self.outcomes.most.cmp(&other.outcomes.most))
            .then_with(|| mean(self.ends, other.ends))
            .then(self.ends.most.cmp(&other.ends.most))
    }
}

impl<'a> Decision<'a> {
    /// What to ask next; none where the decision is settled.
    ///
    /// Of the unknown facts that still matter it is the one that leaves the fewest different outcomes (severity, hot-fix
    /// or not, deadline; each missing answer is one, too) on average over the classes of values that are possible, each
    /// counting the same. Of equals, the one that leaves the fewest at worst; then the one that leaves the fewest leaves
    /// and gaps, on average and at worst; then the one that the tree asks for first.
    ///
    /// Whatever the answer, fewer facts matter afterwards: there are at most as many questions as facts that matter. The
    /// rule looks one question ahead, so another order may need fewer: `docs/decisions/next-question.md` has how many.
    ///
    /// Where the decision is not [`exact`](Self::exact), the tree is walked for each value; facts that would take too many
    /// steps are not compared, and where that is so for all, the first is asked for, without what would be left.
    ///
    /// Shows DEC-4.
    pub fn next_question(&self) -> Option<NextQuestion<'a>> {
        let tree = self.tree()?;
        let kinds = kinds(tree);
        let mut best: Option<(usize, Cost)> = None;
        let asked = self.worth_asking(tree);
        let first = asked.first().copied();
        let mut left = if self.exact() { u64::MAX } else { MOST_STEPS };
        for variable in asked {
            let steps = u64::from(self.reasoning.space.classes(variable));
            let Some(rest) = left.checked_sub(steps.saturating_mul(self.steps(tree))) else {
                continue;
            };
            left = rest;
            let mut cost = Cost::default();
            self.each_class(variable, |_, ends| {
                cost.classes += 1;
                let mut outcomes: Vec<usize> =
                    ends.iter().map(|end| kinds[end.code(tree) as usize]).collect();
                outcomes.sort_unstable();
                outcomes.dedup();
                cost.outcomes.add(outcomes.len() as u64);
                cost.ends.add(ends.len() as u64);
            });
            let better = best.is_none_or(|(_, least)| cost.compare(&least).is_lt());
            if cost.classes > 0 && better {
                best = Some((variable, cost));
            }
        }
        let space = &self.reasoning.space;
        let variable = best.map(|(variable, _)| variable).or(first)?;
        let fact = space.fact(variable);
        let mut if_known = Vec::new();
        if best.is_some() {
            self.each_class(variable, |class, ends| {
                let Open { leaves, gaps } = Open::of(ends, tree);
                if_known.push(Remaining { value: space.describe(variable, class), leaves, gaps });
            });
        }
        let vocabulary = &self.policy.vocabulary;
        let (ask, kind) = (vocabulary.question(fact), vocabulary.kind(fact));
        Some(NextQuestion { fact, ask, kind, if_known })
    }

    /// How many steps a walk through the tree takes, with the implications that are looked at first.
    fn steps(&self, tree: &Tree) -> u64 {
        let answers = tree.questions.iter().map(|question| match &question.branches {
            Branches::Condition { .. } => 1,
            Branches::Values { fact, answers } => {
                let space = &self.reasoning.space;
                let classes = space.variable(*fact).map_or(0, |v| space.classes(v));
                answers.len() as u64 + u64::from(classes)
            }
        });
        answers.sum::<u64>() + self.policy.implications.len() as u64
    }

    /// The unknown facts that still matter, in the order of the tree; without diagrams those that questions on the way ask
    /// for.
    fn worth_asking(&self, tree: &Tree) -> Vec<usize> {
        if self.settled() {
            return Vec::new();
        }
        if let Some(diagram) = self.diagram() {
            return diagram.support(&self.placed).variables;
        }
        let space = &self.reasoning.space;
        let mut variables = Vec::new();
        for question in walk::unanswered(tree, space, self.facts) {
            for fact in tree.questions[question].facts() {
                let unknown = space.variable(fact).filter(|v| self.placed.get(*v).is_none());
                variables.extend(unknown.filter(|variable| !variables.contains(variable)));
            }
        }
        variables
    }

    /// Calls `visit` with each class of a fact's values that is possible, and where the tree may end then.
    fn each_class(&self, variable: usize, mut visit: impl FnMut(u32, &[End])) {
        let space = &self.reasoning.space;
        let mut placed = self.placed.clone();
        for class in 0..space.classes(variable) {
            placed.set(variable, Some(class));
            let ends = if self.exact() {
                self.ends(&placed, self.facts)
            } else {
                let mut facts = self.facts.clone();
                facts.set(space.fact(variable), space.value(variable, class));
                if !self.contradictory && self.policy.contradicted(&facts).next().is_some() {
                    continue;
                }
                self.ends(&placed, &facts)
            };
            if !ends.is_empty() {
                visit(class, &ends);
            }
        }
    }
}

/// By the code of an end: the first end with the same outcome.
fn kinds(tree: &Tree) -> Vec<usize> {
    let leaves = tree.leaves.iter().enumerate().map(|(at, leaf)| {
        tree.leaves[..at].iter().position(|before| alike(before, leaf)).unwrap_or(at)
    });
    let others = tree.leaves.len()..=tree.leaves.len() + tree.questions.len();
    leaves.chain(others).collect()
}
