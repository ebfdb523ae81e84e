//! Phases and the final validation.

use crate::grade::{GateMode, PromotionRule, Response, WatchedFrom};
use crate::unit::{PhaseName, Share, Span, Timestamp};

/// One phase of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Its name, unique.
    pub name: PhaseName,
    /// What the phase has to show.
    pub objective: String,
    /// The share of the traffic that gets the fix.
    pub share: Share,
    /// How long the deployment is expected to take.
    pub deploy: Span,
    /// How long the phase is watched at least, before its gate.
    pub watch: Span,
    /// How long the phase is watched at most; then `inconclusive` applies. None: no limit.
    pub watch_most: Option<Span>,
    /// The criterion for promotion.
    pub promotion: PromotionRule,
    /// What happens if `watch` is over and a success bound is missed.
    pub criteria_missed: Response,
    /// What happens if `watch_most` is over without a decision.
    pub inconclusive: Response,
    /// Who promotes the phase.
    pub gate: GateMode,
    /// With `gate = "veto"`: how long a person may veto the promotion.
    pub veto: Span,
    /// Whether a person may promote the phase while it is still watched, before its gate.
    pub early_promotion: bool,
    /// What people check in addition to the metrics.
    pub watch_for: Vec<String>,
    /// The commands of the phase, with placeholders; see [`CommandField`](super::CommandField).
    pub commands: Vec<String>,
}

/// A window after the last phase in which the system is checked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaterWatch {
    /// When it ends, counted from `from`.
    pub until: Span,
    /// The moment from which it counts.
    pub from: WatchedFrom,
    /// What is checked; empty: the metrics.
    pub watch: Vec<String>,
}

impl LaterWatch {
    /// When it ends.
    pub fn ends(&self, deployed: Timestamp, verified: Timestamp) -> Timestamp {
        let from = match self.from {
            WatchedFrom::Deployed => deployed,
            WatchedFrom::Verified => verified,
        };
        from + self.until
    }
}

/// The final validation after the last phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FinalValidation {
    /// How long it takes.
    pub watch: Span,
    /// Who ends it.
    pub gate: GateMode,
}
