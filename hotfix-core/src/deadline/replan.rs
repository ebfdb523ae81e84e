//! Changes of the plan of duties, as they are logged.

use serde::{Deserialize, Serialize};

use super::Agenda;
use super::item_state::Planned;
use super::obligations::Source;
use super::status::Phase;
use crate::fact::Truth;
use crate::grade::{Calendar, Flow, Moment, Severity, closed_set};
use crate::unit::{Name, RoleName, Timestamp};

/// Why a plan changed.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// The severity in force changed.
    Severity {
        /// The severity before.
        was: Option<Severity>,
        /// The severity now.
        severity: Option<Severity>,
    },
    /// Whether the severity is only assumed.
    Assumed {
        /// Whether it is now.
        assumed: bool,
    },
    /// The known facts changed.
    Facts,
    /// Whether the fix is a stop-gap.
    StopGap {
        /// Whether it is one now.
        stop_gap: Truth,
    },
    /// The branching model of the release changed.
    Flow {
        /// What it is now.
        flow: Option<Flow>,
    },
    /// Another release is tried.
    AnotherRelease,
    /// The fix is to be rolled back: that it is live ends no call any more.
    TurnedBack,
    /// A moment happened, or its time was corrected.
    Moment {
        /// The moment.
        moment: Moment,
    },
    /// A moment was revoked.
    TakenBack {
        /// The moment.
        moment: Moment,
    },
    /// The caller gave a day.
    Day {
        /// The day.
        day: Calendar,
    },
    /// An approval was given or withdrawn.
    Approval {
        /// Its place among the demands.
        demand: usize,
    },
    /// A checklist was completed or reopened.
    Checklist {
        /// Its place in the policy.
        list: usize,
    },
    /// Somebody acknowledged a page: the escalation waits.
    Acknowledge {
        /// The duty.
        duty: Name,
    },
    /// Somebody in a role that was paged acts on the incident.
    Acted {
        /// The role.
        role: RoleName,
    },
    /// Something was done.
    Done {
        /// The duty.
        duty: Name,
    },
}

impl Cause {
    /// Whether known data changed, as after a rollback; any other cause is an event that the plan
    /// waited for.
    pub const fn is_news(&self) -> bool {
        matches!(
            self,
            Self::Severity { .. }
                | Self::Assumed { .. }
                | Self::Facts
                | Self::StopGap { .. }
                | Self::Flow { .. }
                | Self::TakenBack { .. }
                | Self::Moment { moment: Moment::RolledBack }
        )
    }
}

closed_set! {
    /// What became of a duty in a new plan.
    Changed {
        /// It applies now, and did not before.
        Added = "added",
        /// It no longer applies, and was not done.
        Dropped = "dropped",
        /// It is due at another time, or its time became known or unknown.
        Moved = "moved",
    }
}

/// One duty that a new plan changes. For a repeated duty the times are those of its first
/// occurrence.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its id.
    pub id: Name,
    /// Where it comes from.
    pub source: Source,
    /// What became of it.
    pub changed: Changed,
    /// When it was due; absent where it did not apply or had no time.
    pub was: Option<Timestamp>,
    /// When it is due.
    pub due: Option<Timestamp>,
}

/// What an input changed in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replan {
    /// Why it changed.
    pub cause: Cause,
    /// What changed, in the order of the policy; empty where nothing did. What was done stays done
    /// and is not among it.
    pub changes: Vec<Change>,
}

impl Agenda {
    /// Compares the new plan with the previous one, and keeps the new one.
    pub(super) fn compare(&mut self, at: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for index in 0..self.state.courses.len() {
            let now = self.planned(index, at);
            let (Some(obligation), Some(course)) =
                (self.obligations.get(index), self.state.courses.get_mut(index))
            else {
                continue;
            };
            let before = std::mem::replace(&mut course.planned, now);
            let (changed, was, due) = match (before, now) {
                (Planned::Not | Planned::Settled, Planned::Due(due)) => (Changed::Added, None, due),
                (Planned::Due(was), Planned::Not) => (Changed::Dropped, was, None),
                (Planned::Due(was), Planned::Due(due)) if differ(was, due) => {
                    (Changed::Moved, was, due)
                }
                _ => continue,
            };
            let (id, source) = (obligation.id, obligation.source);
            changes.push(Change { id, source, changed, was, due });
        }
        changes
    }

    // Not inlined, for the same reason as `differ`.
    #[inline(never)]
    fn planned(&self, index: usize, at: Timestamp) -> Planned {
        let Some(status) = self.status(index, at) else { return Planned::Not };
        match status.phase {
            Phase::Done(_) => Planned::Settled,
            _ => Planned::Due(self.grid(index).map(|grid| grid.first).or(status.due)),
        }
    }
}

/// Whether two times, each of which may be unknown, are different.
///
/// Not inlined, and over numbers: otherwise the times are compared before it is known whether there
/// are any. The result is not used then, but valgrind reports the branch to programs that run under
/// it.
#[inline(never)]
fn differ(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    let number = |time: Option<Timestamp>| time.map_or(i64::MIN, Timestamp::as_millis);
    number(one) != number(other)
}
