//! The metadata of a policy.

use super::TimeRange;
use super::list::none;
use super::severity::NamedSeverities;
use crate::getters::getters;
use crate::grade::{Moment, Severity};
use crate::policy::field::{Lasting, TextOrNone};
use crate::policy::reader::section;
use crate::unit::{Date, Span};

section! {
    plain
    /// Metadata of the policy.
    pub Record: Default from RecordDraft {
        /// The document or policy that it is based on, in short.
        document: String as TextOrNone, [default ""];
        /// Who maintains the policy.
        owner: String as TextOrNone, [default ""];
        /// The day of its last change. Without this key it is unknown.
        changed: Date, [optional];
        /// What starts the procedure, for people.
        trigger: String as TextOrNone, [default ""];
        /// The service-level objective for the whole hot-fix.
        slo: Slo, [optional];
        /// How long the whole hot-fix is expected to take.
        estimate: TimeRange, [optional];
        /// When the policy has to be reviewed.
        review: ReviewCycle, [optional];
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

section! {
    plain
    /// A service-level objective: a time limit between two moments.
    pub Slo: Eq from SloDraft {
        /// What is measured, for people.
        name: String, [required];
        /// The time allowed.
        within: Span as Lasting, [required];
        /// The moment at which the clock starts.
        from: Moment, [required];
        /// The moment at which it stops.
        to: Moment, [required];
        /// The severities for which it applies; empty: all.
        severities: Vec<Severity> as NamedSeverities, [default none()];
    }
}

impl Slo {
    /// Whether it applies to a hot-fix of this severity; also while that is unknown.
    pub(crate) fn is_for(&self, severity: Option<Severity>) -> bool {
        self.severities.is_empty() || severity.is_none_or(|of| self.severities.contains(&of))
    }
}

section! {
    plain
    /// When a policy has to be reviewed.
    pub ReviewCycle: Copy + Eq from ReviewCycleDraft {
        /// The longest time between the last change and the next review. Without this key there is
        /// no limit.
        every: Span as Lasting, [optional];
        /// Whether the policy also has to be reviewed after each hot-fix: an action item of the
        /// report.
        after_each: bool, [default false];
    }
}

getters! {
    pub fn Record: self;

    /// The document that the policy is based on.
    document: Option<&str> = given(&self.document);
    /// Who maintains the policy.
    owner: Option<&str> = given(&self.owner);
    /// What starts the procedure.
    trigger: Option<&str> = given(&self.trigger);
}
