//! A policy's own record, and times that are given as a range (DEC-7).

use serde::Serialize;

use crate::grade::Moment;
use crate::unit::{Date, Span};

/// From a least to a most time, each of which may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TimeRange {
    /// The least; none: not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<Span>,
    /// The most, at least `least`; none: not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<Span>,
}

/// What a policy says of itself: where it comes from, who keeps it, when it is looked at again (DEC-7).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The document that it is made from, in short; empty: none.
    pub document: String,
    /// Who keeps it; empty: not said.
    pub owner: String,
    /// The day of the last change.
    pub changed: Option<Date>,
    /// What sets it in motion; empty: not said.
    pub trigger: String,
    /// What the whole hot-fix is to be done within.
    pub slo: Option<Slo>,
    /// How long the whole is expected to take.
    pub estimate: Option<TimeRange>,
    /// When it is looked at again.
    pub review: Option<ReviewCycle>,
}

/// A service-level objective of the procedure, with the clock that it is measured by (POST-3).
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

/// When a policy is looked at again (DEC-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewCycle {
    /// At the latest this long after its last change; none: no rhythm.
    pub every: Option<Span>,
    /// After each hot-fix, too. Default false.
    pub after_each: bool,
}
