//! Severities with their demands: approvals, review, testing.

use crate::fact::Condition;
use crate::grade::{ReviewTime, Severity};
use crate::unit::{RoleName, Span};

/// A severity of the policy, with its demands for approval, review and testing.
///
/// Times are in the duties, see [`Duty`](super::Duty).
#[derive(Clone, Debug, PartialEq)]
pub struct SeverityLevel {
    /// The severity.
    pub severity: Severity,
    /// The label of the severity, such as `critical`.
    pub label: String,
    /// What belongs to this severity, in a sentence.
    pub definition: String,
    /// Whether it is answered with a hot-fix; otherwise the fix goes through the normal process.
    pub hotfix: bool,
    /// How its process differs from the normal one, for people.
    pub process: String,
    /// The approvals that are needed, in addition to those of the whole policy; all must be given.
    pub approvals: Vec<Approval>,
    /// The review that it demands.
    pub review: Option<Review>,
    /// The testing that it demands.
    pub testing: Option<Testing>,
}

/// One approval that is needed, from any one of these roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The roles of which any one may give the approval; at least one.
    pub any_of: Vec<RoleName>,
    /// Whether verbal approval is accepted. Default false.
    pub verbal: bool,
    /// How long after the start it may be given. None: it is needed before the start.
    pub after_the_fact: Option<Span>,
    /// The roles that are notified of the approval.
    pub notified: Vec<RoleName>,
    /// Whether the rollout waits for the approval. Default true.
    pub blocking: bool,
    /// Whether the author of the fix may give the approval. Default false.
    pub author_alone: bool,
}

impl Approval {
    /// Whether the start waits for the approval: it is blocking, and may not be given afterwards.
    pub const fn holds_start(&self) -> bool {
        self.blocking && self.after_the_fact.is_none()
    }
}

/// The review of the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// When the review takes place: before or after the deployment.
    pub time: ReviewTime,
    /// How many people have to review the change, from 1. Default 1.
    pub approvers: u32,
    /// The role that reviews. None: anybody except the author.
    pub role: Option<RoleName>,
    /// The shortest time.
    pub least: Option<Span>,
    /// The longest time allowed; at least `least`.
    pub most: Option<Span>,
    /// The questions that reviewers have to answer.
    pub questions: Vec<String>,
}

/// The testing of the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Testing {
    /// The shortest time.
    pub least: Option<Span>,
    /// The longest time allowed; at least `least`.
    pub most: Option<Span>,
    /// Whether the fix has to pass staging first. Default false.
    pub staging: bool,
    /// The condition under which staging may be skipped; only if `staging` is true. None: never.
    pub skip_staging_when: Option<Condition>,
    /// The tests that are demanded, for people.
    pub demands: Vec<String>,
}
