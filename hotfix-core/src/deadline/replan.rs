//! What a change does to the plan, so that it can be logged (TIME-3).

use serde::{Deserialize, Serialize};

use super::Agenda;
use super::course::Planned;
use super::standing::Phase;
use super::terms::Source;
use crate::fact::Truth;
use crate::grade::{Calendar, Moment, Severity, closed_set};
use crate::unit::{Name, Timestamp};

/// Why a plan changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The severity that is acted on.
    Severity {
        /// Before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<Severity>,
        /// Now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
    },
    /// What is known of the incident.
    Facts,
    /// Whether the fix is a stop-gap.
    StopGap {
        /// Now.
        stop_gap: Truth,
    },
    /// A moment came, or its time was corrected.
    Moment {
        /// Which.
        moment: Moment,
    },
    /// A moment was taken back.
    TakenBack {
        /// Which.
        moment: Moment,
    },
    /// The host gave a day.
    Day {
        /// Which.
        day: Calendar,
    },
    /// An approval was given or taken back.
    Approval {
        /// Its place among the demands.
        demand: usize,
    },
    /// Somebody took it on: a ladder waits.
    Acknowledge {
        /// Which duty.
        duty: Name,
    },
    /// Something was done.
    Done {
        /// Which duty.
        duty: Name,
    },
}

impl Cause {
    /// Whether what was known is otherwise now, as after a way back; anything else is what the plan waited for.
    pub const fn is_news(&self) -> bool {
        matches!(
            self,
            Self::Severity { .. }
                | Self::Facts
                | Self::StopGap { .. }
                | Self::TakenBack { .. }
                | Self::Moment { moment: Moment::RolledBack }
        )
    }
}

closed_set! {
    /// What became of a duty in a new plan.
    Changed {
        /// It is asked for now, and was not.
        Added = "added",
        /// It is asked for no longer, and was not done.
        Dropped = "dropped",
        /// It is due at another time, or its time became known or unknown.
        Moved = "moved",
    }
}

/// One duty that a new plan has otherwise. Of something repeated the times are those of its first occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its id.
    pub id: Name,
    /// Where it comes from.
    pub source: Source,
    /// What became of it.
    pub changed: Changed,
    /// When it was due; absent where it was not asked for or had no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Timestamp>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// What an input did to the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replan {
    /// Why.
    pub cause: Cause,
    /// What changed, in the order of the policy; empty where nothing did. What was done stays done and is not among it.
    pub changes: Vec<Change>,
}

impl Agenda {
    /// Compares what is planned now with what was, and keeps what is.
    pub(super) fn compare(&mut self, at: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for index in 0..self.courses.len() {
            let now = self.planned(index, at);
            let (Some(terms), Some(course)) = (self.terms.get(index), self.courses.get_mut(index))
            else {
                continue;
            };
            let (changed, was, due) = match (course.planned, now) {
                (Planned::Not | Planned::Settled, Planned::Due(due)) => (Changed::Added, None, due),
                (Planned::Due(was), Planned::Not) => (Changed::Dropped, was, None),
                (Planned::Due(was), Planned::Due(due)) if differ(was, due) => {
                    (Changed::Moved, was, due)
                }
                _ => {
                    course.planned = now;
                    continue;
                }
            };
            course.planned = now;
            changes.push(Change { id: terms.id, source: terms.source, changed, was, due });
        }
        changes
    }

    // Not inlined, for the same reason as `differ`.
    #[inline(never)]
    fn planned(&self, index: usize, at: Timestamp) -> Planned {
        let Some(standing) = self.standing(index, at) else { return Planned::Not };
        let first = || {
            let (terms, course) = (self.terms.get(index)?, self.courses.get(index)?);
            Some(self.grid(terms, course)?.first)
        };
        match standing.phase {
            Phase::Done(_) => Planned::Settled,
            _ => Planned::Due(first().or(standing.due)),
        }
    }
}

/// Whether two times, each of which may be unknown, are different.
///
/// Not inlined, and over numbers: else the times are compared before anything has said that there are any. Nothing rests on the
/// result then, but valgrind reports the branch to hosts that run under it.
#[inline(never)]
fn differ(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    let number = |time: Option<Timestamp>| time.map_or(i64::MIN, Timestamp::as_millis);
    number(one) != number(other)
}
