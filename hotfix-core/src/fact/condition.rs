//! Conditions as data, evaluated in Kleene's three-valued logic.

use std::collections::BTreeSet;

use super::facts::{FactId, FactValue, Facts};
use crate::grade::closed_set;

closed_set! {
    /// Operator of a comparison of a fact with a value.
    Operator {
        Is = "is",
        Above = "above",
        AtLeast = "at_least",
        Below = "below",
        AtMost = "at_most",
    }
    /// A truth value that may be unknown.
    #[derive(Default)]
    Truth {
        Yes = "yes",
        No = "no",
        /// The known facts do not decide it.
        #[default]
        Unknown = "unknown",
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// A comparison of one fact with one value of the fact's own type.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The fact.
    pub fact: FactId,
    /// The operator; flags and texts only have `is`.
    pub operator: Operator,
    /// The value that it is compared with.
    pub value: FactValue,
}

impl Comparison {
    /// Whether a value satisfies it; false for a value of another type.
    pub fn accepts(&self, value: &FactValue) -> bool {
        match (value.as_number(), self.value.as_number()) {
            (Some(value), Some(bound)) => self.operator.holds(value, bound),
            (None, None) => self.operator == Operator::Is && *value == self.value,
            _ => false,
        }
    }
}

impl Operator {
    /// Whether `value` satisfies the operator with `bound`.
    pub const fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Is => value == bound,
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
        }
    }
}

/// A condition on facts, as a policy writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// One comparison.
    Compare(Comparison),
    /// All conditions hold; true for an empty list.
    All(Vec<Self>),
    /// At least one condition holds; false for an empty list.
    Any(Vec<Self>),
    /// The condition does not hold.
    Not(Box<Self>),
}

impl Condition {
    /// The condition that a flag is true.
    pub const fn flag(fact: FactId) -> Self {
        Self::Compare(Comparison { fact, operator: Operator::Is, value: FactValue::Flag(true) })
    }

    /// The condition that all of these comparisons hold.
    pub(crate) fn every(comparisons: &[Comparison]) -> Self {
        match comparisons {
            [only] => Self::Compare(only.clone()),
            several => Self::All(several.iter().cloned().map(Self::Compare).collect()),
        }
    }

    /// Whether the condition holds for the known facts, in Kleene's logic: sound, but not complete
    /// (`a or not a` of an unknown `a` is unknown). The policy's diagrams give the exact answer.
    ///
    /// ```
    /// use hotfix_core::fact::{Condition, Fact, FactId, FactValue, Facts, Truth};
    /// let down = Condition::flag(FactId::BuiltIn(Fact::ServiceDown));
    /// let mut facts = Facts::default();
    /// assert_eq!(down.holds(&facts), Truth::Unknown);
    /// facts.set(FactId::BuiltIn(Fact::ServiceDown), FactValue::Flag(false));
    /// assert_eq!(down.holds(&facts), Truth::No);
    /// ```
    pub fn holds(&self, facts: &Facts) -> Truth {
        self.judged(&|comparison| {
            let value = facts.get(comparison.fact);
            value.map_or(Truth::Unknown, |value| comparison.accepts(value).into())
        })
    }

    /// Whether the condition holds, given that for its comparisons.
    pub(super) fn judged(&self, by: &impl Fn(&Comparison) -> Truth) -> Truth {
        match self {
            Self::Compare(comparison) => by(comparison),
            Self::All(of) => Truth::of(of.iter().map(|one| one.judged(by)), Truth::No),
            Self::Any(of) => Truth::of(of.iter().map(|one| one.judged(by)), Truth::Yes),
            Self::Not(condition) => !condition.judged(by),
        }
    }

    /// The facts that it depends on, each once, in the order of the text.
    pub(crate) fn facts(&self) -> Vec<FactId> {
        let (mut seen, mut facts) = (BTreeSet::new(), Vec::new());
        self.comparisons(&mut |comparison| {
            if seen.insert(comparison.fact) {
                facts.push(comparison.fact);
            }
        });
        facts
    }

    /// Calls `visit` on each comparison, in the order of the text.
    pub fn comparisons<'c>(&'c self, visit: &mut impl FnMut(&'c Comparison)) {
        match self {
            Self::Compare(comparison) => visit(comparison),
            Self::All(conditions) | Self::Any(conditions) => {
                for condition in conditions {
                    condition.comparisons(visit);
                }
            }
            Self::Not(condition) => condition.comparisons(visit),
        }
    }
}

impl Truth {
    /// `decided` if one truth is that, else unknown if one is unknown, else the opposite. With `No`
    /// it is whether all hold, with `Yes` whether any does.
    pub(crate) fn of(truths: impl IntoIterator<Item = Self>, decided: Self) -> Self {
        let mut truth = !decided;
        for held in truths {
            match held {
                held if held == decided => return decided,
                Self::Unknown => truth = Self::Unknown,
                Self::Yes | Self::No => {}
            }
        }
        truth
    }
}
