//! The next question to ask.

use std::cmp::Ordering;

use serde::Serializer;

use super::{Decision, Open, alike, walk};
use crate::fact::{FactId, FactKind};
use crate::policy::reasoning::End;
use crate::policy::section::{Branches, Leaf, Question, Tree};

/// Most steps through the tree with values of unknown facts, without a diagram.
const MOST_STEPS: u64 = 1 << 21;

/// The next question: the unknown fact that leaves the fewest outcomes open.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct NextQuestion<'a> {
    /// The fact.
    pub fact: FactId,
    /// The question that asks a person for the fact.
    pub ask: &'a str,
    /// Type of the fact's values.
    pub kind: FactKind,
    /// What each possible value, or range of values that the policy distinguishes, would leave
    /// open.
    #[serde(serialize_with = "by_value")]
    pub if_known: Vec<Remaining<'a>>,
}

/// The ids of the leaves by value, from the smallest value to the largest.
fn by_value<S: Serializer>(if_known: &[Remaining<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    let ids = |left: &Remaining<'_>| left.leaves.iter().map(|leaf| leaf.id).collect::<Vec<_>>();
    serializer.collect_map(if_known.iter().map(|left| (&left.value, ids(left))))
}

/// Leaves and gaps that one value of a fact would leave open.
#[derive(Clone, Debug, PartialEq)]
pub struct Remaining<'a> {
    /// The value or the range of values, as text: `true`, `50%`, `above 5%, below 50%`.
    pub value: String,
    /// The leaves that would still be possible.
    pub leaves: Vec<&'a Leaf>,
    /// The questions that might have no answer.
    pub gaps: Vec<&'a Question>,
}

/// What a question would leave open, over the possible classes of values; less is better.
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
    /// The next question to ask; `None` where the decision is settled.
    ///
    /// It asks for the unknown fact that leaves the fewest different outcomes (severity, hot-fix,
    /// deadline; a missing answer counts as one) on average over the possible classes of its
    /// values, with equal weights. Ties are broken by the fewest outcomes in the worst case, then
    /// by the fewest leaves and gaps on average and in the worst case, then by the order of the
    /// tree.
    ///
    /// Each answer reduces the number of facts that matter, so there are at most as many questions
    /// as facts that matter. The rule considers only one question at a time, so another order may
    /// need fewer: see `docs/decisions/next-question.md`.
    ///
    /// Where the decision is not [`exact`](Self::exact), the tree is evaluated for each value.
    /// Facts that would take too many steps are not compared; if that applies to all of them, the
    /// first one is returned, without `if_known`.
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
        let vocabulary = &self.policy.facts;
        let (ask, kind) = (vocabulary.question(fact), vocabulary.kind(fact));
        Some(NextQuestion { fact, ask, kind, if_known })
    }

    /// Number of steps through the tree, including the implications that are checked first.
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

    /// The unknown facts that still matter, in the order of the tree; without diagrams, those that
    /// questions on the path ask for.
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

    /// Calls `visit` with each possible class of a fact and the ends that it leaves possible.
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

/// For each end, by its code, the first end with the same outcome.
fn kinds(tree: &Tree) -> Vec<usize> {
    let leaves = tree.leaves.iter().enumerate().map(|(at, leaf)| {
        tree.leaves[..at].iter().position(|before| alike(before, leaf)).unwrap_or(at)
    });
    let others = tree.leaves.len()..=tree.leaves.len() + tree.questions.len();
    leaves.chain(others).collect()
}
