//! The part of a snapshot that is an agenda's state, without what follows from the policy.

use serde::{Deserialize, Serialize};

use crate::fact::Truth;
use crate::grade::{Calendar, Moment, Severity};
use crate::policy::Policy;
use crate::unit::Timestamp;

use super::item_state::DutyState;
use super::{Agenda, Answered, Call};

/// How often a duty can have been settled: once with each line of a log.
const MOST_TIMES: u64 = 1 << 53;

/// The state of an agenda.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgendaState {
    courses: Vec<DutyState>,
    ladders: Vec<Option<Answered>>,
    moments: [Option<Timestamp>; Moment::ALL.len()],
    days: [Option<Timestamp>; Calendar::ALL.len()],
    severity: Option<Severity>,
    stop_gap: Truth,
    opened: Option<Timestamp>,
    now: Option<Timestamp>,
    reopened: Option<Timestamp>,
    calls: Vec<Call>,
    fix_by: Option<Timestamp>,
    next: Option<Timestamp>,
    next_holds: bool,
}

impl Agenda {
    /// The state. Every field is named, so that a new one has to be added here.
    pub(crate) fn state(&self) -> AgendaState {
        let Self {
            // They follow from the policy.
            obligations: _,
            courses,
            ladders,
            moments,
            days,
            severity,
            stop_gap,
            opened,
            now,
            reopened,
            calls,
            fix_by,
            next,
            next_holds,
            // What the last call gave.
            announced: _,
        } = self;
        AgendaState {
            courses: courses.clone(),
            ladders: ladders.clone(),
            moments: *moments,
            days: *days,
            severity: *severity,
            stop_gap: *stop_gap,
            opened: *opened,
            now: *now,
            reopened: *reopened,
            calls: calls.clone(),
            fix_by: *fix_by,
            next: *next,
            next_holds: *next_holds,
        }
    }

    /// The agenda of this policy with this state; None where they do not fit.
    pub(crate) fn restored(policy: &Policy, state: AgendaState) -> Option<Self> {
        let fresh = Self::new(policy);
        let AgendaState {
            courses,
            ladders,
            moments,
            days,
            severity,
            stop_gap,
            opened,
            now,
            reopened,
            calls,
            fix_by,
            next,
            next_holds,
        } = state;
        let fits = courses.len() == fresh.courses.len()
            && ladders.len() == fresh.ladders.len()
            && calls.len() <= fresh.obligations.len()
            && courses.iter().all(|course| course.times <= MOST_TIMES);
        fits.then_some(Self {
            obligations: fresh.obligations,
            announced: fresh.announced,
            courses,
            ladders,
            moments,
            days,
            severity,
            stop_gap,
            opened,
            now,
            reopened,
            calls,
            fix_by,
            next,
            next_holds,
        })
    }
}
