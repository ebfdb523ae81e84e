//! The decision tree: questions about facts, answers, leaves.

use super::Due;
use crate::fact::{Comparison, Condition, FactId};
use crate::grade::Severity;
use crate::unit::Name;

/// A decision tree. Its targets exist. The linter reports targets that cannot be reached, and
/// cycles.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// Where the tree starts.
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
    /// The id, unique among questions and leaves.
    pub id: Name,
    /// The question for a person.
    pub ask: String,
    /// Where the answers lead.
    pub branches: Branches,
}

impl Question {
    /// The targets of its answers, in the order of the answers, with repetitions.
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
        /// The condition that is asked about.
        when: Condition,
        /// Where yes leads, if anywhere.
        yes: Option<Target>,
        /// Where no leads, if anywhere.
        no: Option<Target>,
    },
    /// A value of one fact; the first answer that accepts it is used.
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
    /// The comparisons that a value has to satisfy; at least one.
    pub accepts: Vec<Comparison>,
    /// Where it leads.
    pub to: Target,
}

impl Answer {
    /// The values that it accepts, as a condition.
    pub fn condition(&self) -> Condition {
        match self.accepts.as_slice() {
            [only] => Condition::Compare(only.clone()),
            several => Condition::All(several.iter().cloned().map(Condition::Compare).collect()),
        }
    }
}

/// A leaf: the decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// The id, unique among questions and leaves.
    pub id: Name,
    /// The decision, for people.
    pub title: String,
    /// The severity; none: the tree gives none.
    pub severity: Option<Severity>,
    /// Whether a hot-fix is needed; otherwise a scheduled release.
    pub hotfix: bool,
    /// By when the fix has to be live; none: the tree gives no deadline.
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
