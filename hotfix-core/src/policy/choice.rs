//! The policy of one plan: the policy with the strategy that a release chose.

use super::Policy;
use super::section::{InsteadOf, Phase};
use crate::grade::Strategy;

impl Policy {
    /// This policy with another strategy and its phases; keeps the original ones in `instead_of`.
    pub(crate) fn choosing(&self, strategy: Strategy, phases: Vec<Phase>) -> Self {
        let why = self.strategy_why.clone();
        let own = InsteadOf { strategy: self.strategy, why, phases: self.phases.clone() };
        self.following(InsteadOf { strategy, why: String::new(), phases }, Some(own))
    }

    /// The original policy; none if this is the original.
    pub(crate) fn before_choice(&self) -> Option<Self> {
        Some(self.following(self.instead_of.clone()?, None))
    }

    fn following(&self, course: InsteadOf, instead_of: Option<InsteadOf>) -> Self {
        let InsteadOf { strategy, why: strategy_why, phases } = course;
        let reasoned = self.reasoned.with_other_phases();
        Self { reasoned, strategy, strategy_why, instead_of, phases, ..self.clone() }
    }
}
