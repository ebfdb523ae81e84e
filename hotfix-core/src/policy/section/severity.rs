//! What each severity asks for: approvals, review, testing (SEV-1, SEV-6, GATE-1, GATE-3).

use crate::fact::Condition;
use crate::grade::{ReviewTime, Severity};
use crate::unit::{RoleName, Span};

/// A severity as the policy has it, with what it asks for.
///
/// What is due, and when, stands in the duties: see [`Duty`](super::Duty).
#[derive(Clone, Debug, PartialEq)]
pub struct SeverityLevel {
    /// Which one.
    pub severity: Severity,
    /// What the house calls it.
    pub label: String,
    /// What belongs to it, in a sentence.
    pub definition: String,
    /// Whether it is answered with a hot-fix; else it goes through the normal process.
    pub hotfix: bool,
    /// How its process departs from the normal one.
    pub process: String,
    /// Its demands for approval, beside those of the whole policy; all must be met.
    pub approvals: Vec<Approval>,
    /// The review that it asks for.
    pub review: Option<Review>,
    /// The testing that it asks for.
    pub testing: Option<Testing>,
}

/// One demand for approval: any one of these roles (GATE-1). All demands must be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The roles, any of which will do; at least one.
    pub any_of: Vec<RoleName>,
    /// Whether the spoken word will do. Default false.
    pub verbal: bool,
    /// How long after the start it may still be given. None: not after the start.
    pub after_the_fact: Option<Span>,
    /// The roles that are told of it.
    pub told: Vec<RoleName>,
    /// Whether the rollout waits for it. Default true.
    pub blocking: bool,
    /// Whether whoever wrote the fix may give it. Default false.
    pub author_alone: bool,
}

impl Approval {
    /// Whether the start waits for it: it is blocking, and may not be given afterwards.
    pub const fn holds_start(&self) -> bool {
        self.blocking && self.after_the_fact.is_none()
    }
}

/// The review of a change (GATE-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Before or after the deployment.
    pub time: ReviewTime,
    /// How many people review it, from 1. Default 1.
    pub approvers: u32,
    /// The role that reviews. None: anybody but the author.
    pub role: Option<RoleName>,
    /// How long it takes at least.
    pub least: Option<Span>,
    /// How long it may take; at least `least`.
    pub most: Option<Span>,
    /// What reviewers ask themselves.
    pub questions: Vec<String>,
}

/// The testing of a change (GATE-3).
#[derive(Clone, Debug, PartialEq)]
pub struct Testing {
    /// How long it takes at least.
    pub least: Option<Span>,
    /// How long it may take; at least `least`.
    pub most: Option<Span>,
    /// Whether the fix passes staging first. Default false.
    pub staging: bool,
    /// Staging may be left out where this holds; only where `staging` is true. None: never.
    pub skip_staging_when: Option<Condition>,
    /// What is tested, or shown by a test.
    pub demands: Vec<String>,
}
