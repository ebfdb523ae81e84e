//! Duties: what somebody has to do, and by when.

use super::{Due, TimeRange};
use crate::fact::Condition;
use crate::grade::{Audience, DutyKind, Moment, Severity};
use crate::unit::{Name, RoleName, Span};

/// A duty: what somebody has to do by a time, once or repeatedly.
///
/// Response times, escalation levels, updates, reviews and follow-ups are all duties; they differ
/// by their kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Duty {
    /// The id of the duty, unique.
    pub id: Name,
    /// The kind of the duty.
    pub kind: DutyKind,
    /// The name of the duty for people.
    pub title: String,
    /// The severities for which it is due, the most severe first; empty: all.
    pub severities: Vec<Severity>,
    /// The moment from which `within` counts.
    pub from: Moment,
    /// When it is due; for a repeated duty the first time.
    pub within: Due,
    /// The interval at which it is repeated from then on. None: it is due once.
    pub every: Option<Span>,
    /// The moment that ends the repetition. None: it is repeated until somebody cancels it.
    pub until: Option<Moment>,
    /// The role that does it; with `page` and `escalate` the role that is paged.
    pub role: Option<RoleName>,
    /// The audience that is notified.
    pub audience: Option<Audience>,
    /// With kind `escalate`, and only then: the escalation level, from 1.
    pub level: Option<u32>,
    /// With kind `escalate`: whether the level is paged at its time even if somebody has
    /// acknowledged an earlier one, while the fix is not live. Default false.
    pub even_if_acknowledged: bool,
    /// The checklist that settles it once no required item of it is open.
    pub checklist: Option<Name>,
    /// How long it takes, such as the length of a meeting.
    pub lasts: Option<TimeRange>,
    /// The condition under which it is due. None: always.
    pub when: Option<Condition>,
    /// Whether it is due only if the fix is a stop-gap. Default false.
    pub stop_gap: bool,
}

impl Duty {
    /// Whether it is due for incidents of this severity.
    pub fn is_for(&self, severity: Severity) -> bool {
        self.severities.is_empty() || self.severities.contains(&severity)
    }
}
