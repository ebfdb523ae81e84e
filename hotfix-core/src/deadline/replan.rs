//! Changes of the plan of duties, as they are logged.

use serde::{Deserialize, Serialize};

use super::Agenda;
use super::input::Input;
use super::item_state::Planned;
use super::obligations::Source;
use super::status::Phase;
use crate::fact::Truth;
use crate::grade::{Flow, Moment, Severity, closed_set};
use crate::unit::{Name, Timestamp};

/// The known data that changed a plan.
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
    /// How the release gets to its branches has changed: by its branching model, or by its steps.
    Flow {
        /// Its branching model now.
        flow: Option<Flow>,
    },
    /// A rollback ended.
    Moment {
        /// `rolled_back`.
        moment: Moment,
    },
    /// A moment was revoked.
    TakenBack {
        /// The moment.
        moment: Moment,
    },
}

impl Cause {
    /// The data that an input changes; `was`: the severity before. None for an event that the plan waited
    /// for.
    pub(super) const fn of(input: &Input<'_>, was: Option<Severity>) -> Option<Self> {
        Some(match *input {
            Input::Severity(severity) => Self::Severity { was, severity },
            Input::Assumed(assumed) => Self::Assumed { assumed },
            Input::Facts(_) => Self::Facts,
            Input::StopGap(stop_gap) => Self::StopGap { stop_gap },
            Input::Flow { flow, .. } => Self::Flow { flow },
            Input::Moment { moment: moment @ Moment::RolledBack, .. } => Self::Moment { moment },
            Input::NotNeeded => Self::Moment { moment: Moment::RolledBack },
            Input::TakenBack(moment) => Self::TakenBack { moment },
            Input::TurnedBack
            | Input::AnotherAttempt
            | Input::AnotherRelease
            | Input::Reverted
            | Input::Moment { .. }
            | Input::Stated { .. }
            | Input::ByFact { .. }
            | Input::Day { .. }
            | Input::Acted { .. }
            | Input::Approval { .. }
            | Input::Checklist { .. }
            | Input::Acknowledge { .. }
            | Input::Done { .. } => return None,
        })
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
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replan {
    /// The known data that it changed; absent for an event that the plan waited for, which is not logged.
    pub cause: Option<Cause>,
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
