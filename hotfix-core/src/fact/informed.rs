//! The known facts, with what follows from them.

use super::catalogue::Fact;
use super::condition::{Comparison, Condition, Truth};
use super::facts::{FactId, FactValue, Facts};
use super::space::{Deduced, Placed, Space};

/// The known facts, and of each other one the values that the policy's implications leave: those of
/// one class of the policy's space. A condition that the space was not built from may hold for some
/// values of a class and not for others; it is then unknown.
#[derive(Debug)]
pub(crate) struct Informed<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) space: &'a Space,
    /// The classes of known and of deduced facts.
    pub(crate) placed: Placed,
}

impl Informed<'_> {
    /// Whether a condition holds.
    pub(crate) fn holds(&self, condition: &Condition) -> Truth {
        condition.judged(&|comparison| self.judged(comparison))
    }

    fn judged(&self, comparison: &Comparison) -> Truth {
        let known = self.facts.get(comparison.fact).map(|value| comparison.accepts(value).into());
        let deduced = || {
            let (variable, class) = self.class(comparison.fact)?;
            Some(self.space.judged(variable, class, comparison))
        };
        known.or_else(deduced).unwrap_or_default()
    }

    /// The variable of a fact, and the class of its values; None where the class is not known.
    fn class(&self, fact: FactId) -> Option<(usize, u32)> {
        let variable = self.space.variable(fact)?;
        Some((variable, self.placed.get(variable)?))
    }

    /// What is known of a fact.
    pub(crate) fn get(&self, fact: FactId) -> Option<Deduced> {
        let deduced = || self.class(fact).map(|(of, class)| self.space.deduced(of, class));
        self.facts.get(fact).cloned().map(Deduced::Value).or_else(deduced)
    }

    /// Whether a flag is set; None where that is not known.
    pub(crate) fn flag(&self, fact: Fact) -> Option<bool> {
        match self.get(FactId::BuiltIn(fact)) {
            Some(Deduced::Value(FactValue::Flag(is_set))) => Some(is_set),
            _ => None,
        }
    }

    /// The facts of a condition without which it is not known whether it holds, each once.
    pub(crate) fn missing(&self, condition: &Condition) -> Vec<FactId> {
        let mut missing = Vec::new();
        if self.holds(condition) == Truth::Unknown {
            condition.comparisons(&mut |comparison| {
                let is_open = self.judged(comparison) == Truth::Unknown;
                if is_open && !missing.contains(&comparison.fact) {
                    missing.push(comparison.fact);
                }
            });
        }
        missing
    }
}
