//! Phases and the final validation.

use crate::grade::{GateMode, PromotionRule, Response};
use crate::unit::{PhaseName, Share, Span};

/// One phase of a rollout (PLAN-2).
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Its name, unique.
    pub name: PhaseName,
    /// What it is to show.
    pub objective: String,
    /// The canary's share of the traffic; phases never go down.
    pub share: Share,
    /// How long the deployment is expected to take.
    pub deploy: Span,
    /// The least time to watch before its gate.
    pub watch: Span,
    /// The most time to watch; then `undecided` applies. None: no limit.
    pub watch_most: Option<Span>,
    /// What passing it claims.
    pub promotion: PromotionRule,
    /// What follows when the least time is over and a success bound is missed: S1 rolls back.
    pub missed: Response,
    /// What follows when the most time is over without a decision.
    pub undecided: Response,
    /// Who lets it pass.
    pub gate: GateMode,
    /// With `gate = "veto"`: how long a person may say hold.
    pub veto: Span,
    /// Whether a person may promote while it is still watched, before its gate.
    pub early_promotion: bool,
    /// What people look at besides the metrics (MET-7).
    pub watch_for: Vec<String>,
}

/// A window after the last phase in which somebody looks again (ROLL-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaterWatch {
    /// When it ends, counted from the end of the last phase.
    pub until: Span,
    /// What is looked at; empty: the metrics.
    pub watch: Vec<String>,
}

/// The last look after the last phase (S1: T+57 to T+60).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FinalValidation {
    /// How long it takes.
    pub watch: Span,
    /// Who ends it.
    pub gate: GateMode,
}
