//! The next question to ask.

use std::cmp::Ordering;

use serde::Serializer;

use super::{Decision, Open, alike};
use crate::fact::{FactId, FactKind};
use crate::policy::reasoning::End;
use crate::policy::section::{Leaf, Question, Tree};

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
    /// Where the decision is not [`exact`](Self::exact), it is the first unknown fact of the question
    /// at which the path stops, without `if_known`.
    pub fn next_question(&self) -> Option<NextQuestion<'a>> {
        let tree = self.tree()?;
        let kinds = kinds(tree);
        let mut best: Option<(usize, Cost)> = None;
        let matter = self.diagram().map(|diagram| diagram.support(&self.placed));
        for variable in matter.into_iter().flatten() {
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
        let mut if_known = Vec::new();
        let fact = if let Some((variable, _)) = best {
            self.each_class(variable, |class, ends| {
                let Open { leaves, gaps } = Open::of(ends, tree);
                if_known.push(Remaining { value: space.describe(variable, class), leaves, gaps });
            });
            space.fact(variable)
        } else {
            self.first_unknown(tree)?
        };
        let vocabulary = &self.policy.facts;
        let (ask, kind) = (vocabulary.question(fact), vocabulary.kind(fact));
        Some(NextQuestion { fact, ask, kind, if_known })
    }

    /// Without diagrams, the first unknown fact of the question at which the path stops.
    fn first_unknown(&self, tree: &'a Tree) -> Option<FactId> {
        if self.exact() || self.settled() {
            return None;
        }
        let open = self.walked(tree).1.err()?;
        tree.questions[open].facts().into_iter().find(|fact| self.facts.get(*fact).is_none())
    }

    /// Calls `visit` with each possible class of a fact and the ends that it leaves possible, by the
    /// diagrams.
    fn each_class(&self, variable: usize, mut visit: impl FnMut(u32, &[End])) {
        let (Some(tree), Some(diagram)) = (self.tree(), self.diagram()) else { return };
        let mut placed = self.placed.clone();
        for class in 0..self.reasoning.space.classes(variable) {
            placed.set(variable, Some(class));
            let mut ends = Vec::new();
            diagram.reachable(&placed, |code| ends.push(End::of(code, tree)));
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
