//! What an agenda knows, apart from what follows from its policy: its part of a snapshot (ROLL-7).

use serde::{Deserialize, Serialize};

use crate::fact::Truth;
use crate::grade::{Calendar, Moment, Severity};
use crate::policy::Policy;
use crate::unit::Timestamp;

use super::course::Course;
use super::{Agenda, Answered, Call};

/// How often something can have been settled: once with each line of a log.
const MOST_TIMES: u64 = 1 << 53;

/// What an agenda knows.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgendaState {
    courses: Vec<Course>,
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
    /// What it knows. Every field is named, so that a new one has to find its place here.
    pub(crate) fn state(&self) -> AgendaState {
        let Self {
            // They follow from the policy.
            terms: _,
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

    /// The agenda of this policy that knew that; none where it cannot be one's.
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
            && calls.len() <= fresh.terms.len()
            && courses.iter().all(|course| course.times <= MOST_TIMES);
        fits.then_some(Self {
            terms: fresh.terms,
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
