//! The rollback workflow, and how long its ways take (ROLL-5, PLAN-5).

use crate::grade::{OnFailure, RevertTo, RollbackMethod};
use crate::unit::{Share, Span};

use super::TimeRange;

/// The rollback workflow (ROLL-5).
#[derive(Clone, Debug, PartialEq)]
pub struct Rollback {
    /// The least time to watch metrics after the way back is done.
    pub watch: Span,
    /// When metrics have not returned by then, someone is paged; at least `watch`.
    pub returned_within: Span,
    /// The ways back that the policy knows, and how long each takes. What a release has is in its plan.
    pub methods: Vec<RollbackWay>,
    /// How long it takes to find out whether to go back.
    pub assess: Option<TimeRange>,
    /// How long going back takes.
    pub execute: Option<TimeRange>,
    /// How long it takes to see that it helped.
    pub verify: Option<TimeRange>,
    /// How long the whole is expected to take.
    pub estimate: Option<TimeRange>,
    /// Whether a point to go back to is recorded before the deployment. Default false.
    pub point: bool,
    /// What is done once the old version is back.
    pub aftercare: Vec<String>,
    /// What follows a failure where everything of the release can go back. Default `roll_back` (FIELD-6).
    pub on_failure: OnFailure,
    /// To which versions a person may revert at once. Default `any` (FIELD-7).
    pub revert: RevertTo,
    /// How the old version gets its traffic back where all of it at once could overwhelm it: shares that rise, and then
    /// all of it. Empty: all at once (FIELD-6).
    pub steps: Vec<RollbackStep>,
}

/// A step of the way back (FIELD-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollbackStep {
    /// How much of the traffic the old version has in it; above 0, below 100%.
    pub share: Share,
    /// How long it is left at that.
    pub wait: Span,
}

/// A way back as the policy knows it (PLAN-5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackWay {
    /// Which.
    pub kind: RollbackMethod,
    /// The least time it takes; none: not said.
    pub least: Option<Span>,
    /// The most time it takes, at least `least`; none: not said.
    pub most: Option<Span>,
    /// When it can be taken, in words; none: always.
    pub condition: Option<String>,
}
