//! The policy of one plan: the policy with the strategy that a release chose.

use super::Policy;
use super::section::{InsteadOf, Phase};
use crate::grade::Strategy;

impl Policy {
    /// This policy with another strategy and its phases; keeps the original ones in `instead_of`.
    pub(crate) fn choosing(&self, strategy: Strategy, phases: Vec<Phase>) -> Self {
        let instead_of = InsteadOf {
            strategy: self.strategy,
            why: self.strategy_why.clone(),
            phases: self.phases.clone(),
        };
        Self {
            strategy,
            phases,
            strategy_why: String::new(),
            instead_of: Some(instead_of),
            reasoned: self.reasoned.with_other_phases(),
            ..self.clone()
        }
    }

    /// The original policy; none if this is the original.
    pub(crate) fn before_choice(&self) -> Option<Self> {
        let InsteadOf { strategy, why, phases } = self.instead_of.clone()?;
        Some(Self {
            strategy,
            phases,
            strategy_why: why,
            instead_of: None,
            reasoned: self.reasoned.with_other_phases(),
            ..self.clone()
        })
    }
}
