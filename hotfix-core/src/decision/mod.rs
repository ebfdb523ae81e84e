//! Decisions by the policy's decision tree, from the known facts of an incident.
//!
//! [`Policy::decide`](crate::policy::Policy::decide) returns a [`Decision`]: the outcome where it
//! is certain, the path, what is still possible, and the next question to ask.

mod export;
mod path;
mod question;

use serde::{Serialize, Serializer};

use crate::fact::{Diagram, Facts, Placed};
use crate::getters::object;
use crate::grade::Severity;
use crate::policy::Policy;
use crate::policy::reasoning::{End, Order, Reasoning, graph};
use crate::policy::section::{Due, Implication, Leaf, Question, Tree};
use crate::unit::Name;

pub use path::Step;
pub use question::{NextQuestion, Remaining};

/// Decision of the policy's tree for an incident, from the known facts.
///
/// The outcome is computed at once; the path, the open leaves and the next question are computed on
/// request.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    policy: &'a Policy,
    reasoning: &'a Reasoning,
    facts: &'a Facts,
    placed: Placed,
    contradictory: bool,
    /// The possible ends, in the order of the tree; without a tree, none.
    ends: Vec<End>,
}

/// Outcome of a decision: a leaf of the tree.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct DecisionOutcome<'a> {
    /// The leaf's id.
    pub id: Name,
    /// The leaf's title: what has to be done.
    pub title: &'a str,
    /// Severity, where the tree sets one.
    pub severity: Option<Severity>,
    /// Whether a hot-fix is needed; else the normal process.
    pub hotfix: bool,
    /// Deadline: that of the leaf, else that of the policy's duty to fix this severity.
    pub deadline: Option<Due>,
}

impl<'a> DecisionOutcome<'a> {
    fn of(leaf: &'a Leaf) -> Self {
        let Leaf { id, title, severity, hotfix, deadline } = leaf;
        Self { id: *id, title, severity: *severity, hotfix: *hotfix, deadline: *deadline }
    }
}

/// Whether two leaves have the same outcome, perhaps with different titles.
fn alike(a: &Leaf, b: &Leaf) -> bool {
    (a.severity, a.hotfix, a.deadline) == (b.severity, b.hotfix, b.deadline)
}

impl Policy {
    /// Decides what has to be done about an incident, by the policy's tree; where it has none, by
    /// the tree that follows from its rules. A policy without either decides nothing.
    ///
    /// The answer is exact: it is certain if and only if it is the same for all values of the
    /// unknown facts that the policy's implications allow. If the known facts contradict each
    /// other, the answer is marked as contradictory and computed without the implications.
    ///
    /// ```
    /// use hotfix_core::fact::Facts;
    /// use hotfix_core::policy::Policy;
    ///
    /// let mut document = serde_json::to_value(Policy::preset("standard")?)?;
    /// document["tree"] = serde_json::json!({
    ///     "root": "down",
    ///     "questions": [
    ///         { "id": "down", "ask": "Is nobody served?", "when": "service_down", "yes": "now", "no": "lost" },
    ///         { "id": "lost", "ask": "Is anything lost?", "when": "data_corruption", "yes": "now", "no": "later" },
    ///     ],
    ///     "leaves": [
    ///         { "id": "now", "title": "a hot-fix at once", "severity": "P0", "hotfix": true, "deadline": 0 },
    ///         { "id": "later", "title": "the next release", "hotfix": false, "deadline": "next_release" },
    ///     ],
    /// });
    /// let policy = Policy::from_json(&document.to_string())?;
    /// let known = serde_json::from_str(r#"{"service_down": false}"#)?;
    /// let facts = Facts::read(&known, policy.vocabulary())?;
    /// let decision = policy.decide(&facts);
    /// assert_eq!(decision.outcome(), None);
    /// assert_eq!(decision.reachable().len(), 2);
    /// assert_eq!(decision.path()[0].answer, "no");
    /// assert_eq!(decision.next_question().unwrap().ask, "Is data corrupted or lost?");
    ///
    /// let known = serde_json::from_str(r#"{"data_corruption": true}"#)?;
    /// let facts = Facts::read(&known, policy.vocabulary())?;
    /// // Whether or not the service is down.
    /// assert_eq!(policy.decide(&facts).outcome().unwrap().id.as_str(), "now");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decide<'a>(&'a self, facts: &'a Facts) -> Decision<'a> {
        let reasoning = self.reasoning();
        let placed = reasoning.space.place(facts);
        let tree = reasoning.tree.as_ref();
        let mut ends = Vec::new();
        let visit = |code| ends.extend(tree.map(|tree| End::of(code, tree)));
        let contradictory = match &reasoning.exact {
            Some(exact) => exact.tree.visit(&placed, visit),
            None => self.contradicted(facts).next().is_some(),
        };
        let mut decision = Decision { policy: self, reasoning, facts, placed, contradictory, ends };
        if reasoning.exact.is_none() {
            decision.ends = decision.ends_by_facts();
        }
        decision
    }
}

impl<'a> Decision<'a> {
    /// The outcome, where it is certain: all possible paths end at one leaf, or at leaves with the
    /// same severity, hot-fix and deadline; then the first of these leaves.
    pub fn outcome(&self) -> Option<DecisionOutcome<'a>> {
        let tree = self.tree()?;
        let leaf = |end: &End| match *end {
            End::Leaf(leaf) => tree.leaves.get(leaf),
            End::Gap(_) | End::Loop => None,
        };
        let first = leaf(self.ends.first()?)?;
        let same = |end: &End| leaf(end).is_some_and(|leaf| alike(leaf, first));
        self.ends.iter().all(same).then(|| DecisionOutcome::of(first))
    }

    /// Whether no unknown fact can change the end of the path. A question without an answer is an
    /// end, too, so a settled decision may have no outcome.
    pub const fn settled(&self) -> bool {
        self.ends.len() <= 1
    }

    /// Whether the known facts contradict each other by the policy's implications.
    pub const fn contradictory(&self) -> bool {
        self.contradictory
    }

    /// The implications that the known facts break; where none is broken on its own, all that
    /// mention a known fact, or else all.
    pub fn contradictions(&self) -> Vec<&'a Implication> {
        if self.contradictory { self.policy.contradictions(self.facts) } else { Vec::new() }
    }

    /// Whether the answer is exact. If not, the policy's conditions are too complex for an exact
    /// answer: it is never wrongly certain, but may be uncertain although it need not be.
    pub const fn exact(&self) -> bool {
        self.reasoning.exact.is_some()
    }

    /// The leaves that are still possible, in the order of the tree; where the answer is not
    /// [`exact`](Self::exact), perhaps with others.
    pub fn reachable(&self) -> Vec<&'a Leaf> {
        self.open().leaves
    }

    /// The questions that may have no answer for this incident, in the order of the tree.
    pub fn gaps(&self) -> Vec<&'a Question> {
        self.open().gaps
    }

    /// Whether the path may contain a cycle; the linter refuses such trees.
    pub fn circular(&self) -> bool {
        self.ends.contains(&End::Loop)
    }

    fn tree(&self) -> Option<&'a Tree> {
        self.reasoning.tree.as_ref()
    }

    fn diagram(&self) -> Option<&'a Diagram> {
        let exact = self.reasoning.exact.as_ref()?;
        Some(exact.tree.of(self.contradictory))
    }

    fn open(&self) -> Open<'a> {
        self.tree().map_or_else(Open::default, |tree| Open::of(&self.ends, tree))
    }

    /// The possible ends by the known facts alone, for conditions that have no diagram: the one that
    /// they lead to, or else every end of the tree.
    fn ends_by_facts(&self) -> Vec<End> {
        let Some(tree) = self.tree() else { return Vec::new() };
        if let (_, Ok(end)) = self.walked(tree) {
            return vec![end];
        }
        let gaps = (0..tree.questions.len())
            .filter(|question| tree.questions[*question].may_lack_answer(&self.reasoning.space));
        let circular = Order::of(tree, &graph(tree)).circular.then_some(End::Loop);
        (0..tree.leaves.len()).map(End::Leaf).chain(gaps.map(End::Gap)).chain(circular).collect()
    }
}

impl Serialize for Decision<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let open = self.open();
        let leaves: Vec<Name> = open.leaves.iter().map(|leaf| leaf.id).collect();
        let gaps: Vec<Name> = open.gaps.iter().map(|question| question.id).collect();
        let contradictions: Vec<Name> = self.contradictions().iter().map(|of| of.id).collect();
        object!(serializer, Decision:
            outcome = self.outcome(), settled = self.settled(), path = self.path(),
            reachable = leaves, gaps = gaps, circular = self.circular(),
            next_question = self.next_question(), contradictions = contradictions,
            exact = self.exact()
        )
    }
}

/// The leaves and gaps that are still possible.
#[derive(Clone, Debug, Default)]
struct Open<'a> {
    leaves: Vec<&'a Leaf>,
    gaps: Vec<&'a Question>,
}

impl<'a> Open<'a> {
    fn of(ends: &[End], tree: &'a Tree) -> Self {
        let mut open = Self::default();
        for end in ends {
            match *end {
                End::Leaf(leaf) => open.leaves.extend(tree.leaves.get(leaf)),
                End::Gap(question) => open.gaps.extend(tree.questions.get(question)),
                End::Loop => {}
            }
        }
        open
    }
}
