//! Implications: facts that follow from other facts.

use crate::fact::{Condition, Operator};
use crate::unit::Name;

/// An implication: if `when` holds, `then` holds. Facts that violate it contradict each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Implication {
    /// The id of the implication, unique.
    pub id: Name,
    /// The premise.
    pub when: Condition,
    /// The conclusion.
    pub then: Condition,
    /// Whether the premise also follows from the conclusion.
    pub iff: bool,
}

/// The operators as keys of a comparison.
pub(in crate::policy) const OPERATORS: [&str; Operator::ALL.len()] = {
    let mut names = [""; Operator::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = Operator::ALL[i].as_str();
        i += 1;
    }
    names
};
