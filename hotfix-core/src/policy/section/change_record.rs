//! The metadata of a policy, and time ranges.

use serde::Serialize;

use crate::grade::Moment;
use crate::unit::{Date, Span};

/// A range of time; each end may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimeRange {
    /// The shortest time; none: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<Span>,
    /// The longest time, at least `least`; none: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<Span>,
}

/// Metadata of a policy: source, owner, last change, objective, estimate and review cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The document or policy that it is based on, in short; empty: none.
    pub document: String,
    /// Who maintains the policy; empty: not given.
    pub owner: String,
    /// The day of the last change.
    pub changed: Option<Date>,
    /// What starts the procedure; empty: not given.
    pub trigger: String,
    /// The service-level objective for the whole hot-fix.
    pub slo: Option<Slo>,
    /// How long the whole hot-fix is expected to take.
    pub estimate: Option<TimeRange>,
    /// When the policy has to be reviewed.
    pub review: Option<ReviewCycle>,
}

/// A service-level objective: a time limit between two moments of the procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slo {
    /// What is measured.
    pub name: String,
    /// The time allowed.
    pub within: Span,
    /// Where the clock starts.
    pub from: Moment,
    /// Where it stops.
    pub to: Moment,
}

/// When a policy has to be reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewCycle {
    /// The longest time between the last change and the next review; none: no limit.
    pub every: Option<Span>,
    /// Whether it also has to be reviewed after each hot-fix. Default false.
    pub after_each: bool,
}
