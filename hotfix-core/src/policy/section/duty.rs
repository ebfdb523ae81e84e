//! What somebody has to do, and by when (SEV-6, TIME-1, TIME-2, POST-2, POST-4).

use super::{Due, TimeRange};
use crate::fact::Condition;
use crate::grade::{Audience, DutyKind, Moment, Severity};
use crate::unit::{Name, RoleName, Span};

/// Something that is due, once or again and again.
///
/// Response times, escalation rungs, updates, reviews and follow-ups are all duties; they differ by their kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Duty {
    /// Its id, unique.
    pub id: Name,
    /// What is to be done.
    pub kind: DutyKind,
    /// What people call it.
    pub title: String,
    /// The severities that it is due for, the most severe first; empty: for all.
    pub severities: Vec<Severity>,
    /// The moment from which its time counts.
    pub from: Moment,
    /// When it is due, the first time where it is repeated.
    pub within: Due,
    /// How often it is repeated from then on. None: it is done once.
    pub every: Option<Span>,
    /// The moment that ends the repeating. None: until it is called off.
    pub until: Option<Moment>,
    /// Who does it; with `page` and `escalate` who is woken.
    pub role: Option<RoleName>,
    /// Who is told.
    pub audience: Option<Audience>,
    /// With kind `escalate`, and never without: its rung of the ladder, from 1.
    pub step: Option<u32>,
    /// How long it takes, as for a meeting.
    pub lasts: Option<TimeRange>,
    /// It is due only where this holds. None: always.
    pub when: Option<Condition>,
    /// Whether it is due only where the fix is a stop-gap. Default false.
    pub stop_gap: bool,
}

impl Duty {
    /// Whether it is due for incidents of this severity.
    pub fn is_for(&self, severity: Severity) -> bool {
        self.severities.is_empty() || self.severities.contains(&severity)
    }
}
