//! How strategies go that are not the policy's own, and what a release chose (PLAN-1).

use super::Phase;
use crate::grade::{GateMode, PromotionRule, Response, Strategy};
use crate::unit::Span;

/// What a policy says of one strategy besides its own phases (PLAN-1).
///
/// The policy's own strategy has its phases in `phases`. Another one goes by `phases` here where there are any; else its
/// phases are derived from the policy's own:
///
/// | strategy | phases |
/// |---|---|
/// | canary, feature flag | the policy's own where its strategy is the other of the two, else those that are written here for the other of the two; else there are none |
/// | blue-green | one, `switch`, with all traffic: the own last phase |
/// | immediate | one, `all`, with all traffic: the own last phase |
/// | rolling | one a batch of instances: the own first phase, for the last batch the own last phase |
///
/// `changes` are then laid over the derived phases.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// The strategy.
    pub strategy: Strategy,
    /// Whether a release may choose it. Default true.
    pub allowed: bool,
    /// Its phases, shares rising to 100%; empty: they are derived.
    pub phases: Vec<Phase>,
    /// With `rolling`: how many instances at a time.
    pub batch: Option<u32>,
    /// With `blue_green`: what is looked at on the idle side before traffic is switched.
    pub validate: Vec<String>,
    /// What the derived phases have instead.
    pub changes: PhaseChanges,
}

/// What a derived phase has instead of what the policy's own phase says. None: as there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseChanges {
    /// How long the deployment is expected to take.
    pub deploy: Option<Span>,
    /// The least time to watch. A rolling one's last batch is watched as long as the policy's own last phase, whatever
    /// stands here.
    pub watch: Option<Span>,
    /// The most time to watch; what is shorter than the least counts as that.
    pub watch_most: Option<Span>,
    /// What passing it claims.
    pub promotion: Option<PromotionRule>,
    /// What follows when a success bound is missed.
    pub missed: Option<Response>,
    /// What follows when the most time is over without a decision.
    pub undecided: Option<Response>,
    /// Who lets it pass.
    pub gate: Option<GateMode>,
    /// With `gate = "veto"`: how long a person may say hold.
    pub veto: Option<Span>,
}

/// What a policy has for every release, kept in the policy of a plan whose release chose another strategy (PLAN-1).
#[derive(Clone, Debug, PartialEq)]
pub struct InsteadOf {
    /// The policy's own strategy; with another batch the same one.
    pub strategy: Strategy,
    /// Why the policy has it.
    pub why: String,
    /// Its phases; at least one.
    pub phases: Vec<Phase>,
}
