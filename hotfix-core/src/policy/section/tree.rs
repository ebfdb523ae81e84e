//! A decision tree as data: questions on facts, answers, leaves (DEC-1).

use super::Due;
use crate::fact::{Comparison, Condition, FactId};
use crate::grade::Severity;
use crate::unit::Name;

/// A decision tree. Its targets exist; whether they can be reached, and whether they lead round in a circle, is the
/// linter's to say (DEC-5).
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// Where it begins.
    pub root: Target,
    /// The questions, in the order of the policy.
    pub questions: Vec<Question>,
    /// The leaves, in the order of the policy.
    pub leaves: Vec<Leaf>,
}

/// Where an answer leads: an index of [`Tree::questions`] or [`Tree::leaves`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// To a question.
    Question(usize),
    /// To a leaf.
    Leaf(usize),
}

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its id, unique among questions and leaves.
    pub id: Name,
    /// What a person is asked.
    pub ask: String,
    /// Where the answers lead.
    pub branches: Branches,
}

impl Question {
    /// Where its answers lead, in the order of the answers; the same target may stand twice.
    pub fn targets(&self) -> Vec<Target> {
        match &self.branches {
            Branches::Condition { yes, no, .. } => yes.iter().chain(no).copied().collect(),
            Branches::Values { answers, .. } => answers.iter().map(|answer| answer.to).collect(),
        }
    }
}

/// The answers to a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Branches {
    /// Yes or no.
    Condition {
        /// Whether this holds.
        when: Condition,
        /// Where yes leads, if anywhere.
        yes: Option<Target>,
        /// Where no leads, if anywhere.
        no: Option<Target>,
    },
    /// A value of one fact; the first answer that accepts it counts.
    Values {
        /// The fact.
        fact: FactId,
        /// The answers, at least one.
        answers: Vec<Answer>,
    },
}

/// One answer to a question about a fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The values it stands for: those that satisfy every comparison; at least one.
    pub accepts: Vec<Comparison>,
    /// Where it leads.
    pub to: Target,
}

impl Answer {
    /// The values it stands for, as a condition.
    pub fn condition(&self) -> Condition {
        match self.accepts.as_slice() {
            [only] => Condition::Compare(only.clone()),
            several => Condition::All(several.iter().cloned().map(Condition::Compare).collect()),
        }
    }
}

/// Where the tree ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Its id, unique among questions and leaves.
    pub id: Name,
    /// What is to be done, in words.
    pub title: String,
    /// How bad it is, where the tree says.
    pub severity: Option<Severity>,
    /// Hot-fix or scheduled release.
    pub hotfix: bool,
    /// By when, where the tree says.
    pub deadline: Option<Due>,
}

impl Tree {
    /// The id of a question or leaf.
    pub fn id(&self, target: Target) -> Name {
        match target {
            Target::Question(index) => self.questions[index].id,
            Target::Leaf(index) => self.leaves[index].id,
        }
    }

    /// Its place in the policy, as a JSON Pointer.
    pub fn path(target: Target) -> String {
        match target {
            Target::Question(index) => format!("/tree/questions/{index}"),
            Target::Leaf(index) => format!("/tree/leaves/{index}"),
        }
    }
}
