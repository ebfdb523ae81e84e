//! Settings of single strategies, and the strategy that a release replaced.

use super::Phase;
use crate::grade::{GateMode, PromotionRule, Response, Strategy};
use crate::unit::Span;

/// Settings of one strategy.
///
/// The policy's own strategy has its phases in the policy's `phases`. Another one uses the `phases`
/// here, if there are any. Otherwise its phases are derived from those of the policy:
///
/// | strategy | phases |
/// |---|---|
/// | canary, feature flag | those of the policy if its strategy is the other of the two; otherwise those that are set here for the other of the two; otherwise none |
/// | blue-green | one, `switch`, with all traffic: the policy's last phase |
/// | immediate | one, `all`, with all traffic: the policy's last phase |
/// | rolling | one for each batch of instances: the policy's first phase, for the last batch its last phase |
///
/// `changes` then replace settings of the derived phases.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategySettings {
    /// The strategy.
    pub strategy: Strategy,
    /// Whether a release may choose it. Default true.
    pub allowed: bool,
    /// Its phases, with shares that rise to 100%; empty: they are derived.
    pub phases: Vec<Phase>,
    /// With `rolling`: how many instances are updated at a time.
    pub batch: Option<u32>,
    /// With `blue_green`: what is checked on the idle side before the traffic is switched.
    pub validate: Vec<String>,
    /// Settings that replace those of the derived phases.
    pub changes: PhaseChanges,
}

/// Settings that replace those of a derived phase. None: unchanged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseChanges {
    /// How long the deployment is expected to take.
    pub deploy: Option<Span>,
    /// How long the phase is watched at least. The last batch of `rolling` is always watched as
    /// long as the policy's last phase.
    pub watch: Option<Span>,
    /// How long the phase is watched at most; a shorter time than the least one counts as the
    /// least.
    pub watch_most: Option<Span>,
    /// The criterion for promotion.
    pub promotion: Option<PromotionRule>,
    /// What happens if a success bound is missed.
    pub criteria_missed: Option<Response>,
    /// What happens if `watch_most` is over without a decision.
    pub inconclusive: Option<Response>,
    /// Who promotes the phase.
    pub gate: Option<GateMode>,
    /// With `gate = "veto"`: how long a person may veto the promotion.
    pub veto: Option<Span>,
}

/// The original strategy and phases, in the policy of a plan whose release chose another strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct InsteadOf {
    /// The policy's own strategy; with another batch the same one.
    pub strategy: Strategy,
    /// Why the policy chose it.
    pub why: String,
    /// Its phases; at least one.
    pub phases: Vec<Phase>,
}
