//! What the policy knows of facts: its own, and what follows from what.

use crate::fact::{Condition, Operator};
use crate::unit::Name;

/// Where `when` holds, `then` holds, too; facts that break it contradict each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Implication {
    /// Its id, unique.
    pub id: Name,
    /// The premise.
    pub when: Condition,
    /// What follows.
    pub then: Condition,
    /// Whether the premise follows from the conclusion, too.
    pub iff: bool,
}

/// The operators, as keys of a comparison.
pub(in crate::policy) const OPERATORS: [&str; Operator::ALL.len()] = {
    let mut names = [""; Operator::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = Operator::ALL[i].as_str();
        i += 1;
    }
    names
};
