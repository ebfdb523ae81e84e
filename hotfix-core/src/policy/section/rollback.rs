//! The rollback: methods, times, steps.

use crate::grade::{OnFailure, RevertTo, RollbackMethod};
use crate::unit::{Share, Span};

use super::TimeRange;

/// The rollback: its methods, its times, and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollback {
    /// How long metrics are watched at least after a rollback is complete.
    pub watch: Span,
    /// How long a rollback may be unconfirmed, or metrics not recovered, before someone is paged;
    /// at least `watch`.
    pub returned_within: Span,
    /// The rollback methods that the policy knows, with their times. A release that names no
    /// methods of its own is rolled back with these, the fastest first.
    pub methods: Vec<RollbackWay>,
    /// How long it takes to decide on a rollback.
    pub assess: Option<TimeRange>,
    /// How long the rollback itself takes.
    pub execute: Option<TimeRange>,
    /// How long it takes to verify the rollback.
    pub verify: Option<TimeRange>,
    /// How long the whole rollback is expected to take.
    pub estimate: Option<TimeRange>,
    /// Whether a rollback point has to be recorded before the deployment. Default false.
    pub point: bool,
    /// What people do after a rollback, in order.
    pub aftercare: Vec<String>,
    /// What happens if a verdict, a report or a failed action demands a rollback. Default
    /// `roll_back`.
    pub on_failure: OnFailure,
    /// To which versions a person may revert at once. Default `any`.
    pub revert: RevertTo,
    /// The steps in which the old version gets its traffic back, if all of it at once could
    /// overload it: rising shares, then all traffic. Empty: all traffic at once.
    pub steps: Vec<RollbackStep>,
}

/// A step of the rollback: a share of the traffic and how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollbackStep {
    /// The share of the traffic that the old version gets; above 0, below 100%.
    pub share: Share,
    /// How long this share is kept.
    pub wait: Span,
}

/// A rollback method of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollbackWay {
    /// The method.
    pub kind: RollbackMethod,
    /// The shortest time it takes; none: unknown.
    pub least: Option<Span>,
    /// The longest time it takes, at least `least`; none: unknown.
    pub most: Option<Span>,
    /// When the method can be used, for people; none: always.
    pub condition: Option<String>,
}
