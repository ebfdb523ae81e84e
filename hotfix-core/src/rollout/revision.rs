//! Another plan in the same rollout: the first release is known, another release replaces the one
//! under way, or an ended rollout is tried again.
//!
//! It starts at the first phase, with its own approvals, and is about the incident as it is known
//! then. A new attempt has new tests. What is known of the incident and the duties stay.

use crate::grade::Moment;
use crate::judge::Judge;
use crate::plan::{Incident, Plan, PlanError};

use super::input::Command;
use super::stage::Stage;
use super::state::RolloutState;

/// The plan that an input puts in force, and its judge.
#[derive(Debug)]
pub(super) struct Revision {
    pub(super) plan: Plan,
    pub(super) judge: Judge,
    pub(super) kept: Kept,
}

/// Which marks of items and steps another plan keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// All but reviews, because nobody can have reviewed the first release before it was known.
    AllButReviews,
    /// Those about incident and code, because the same release is tried again.
    OfRelease,
    /// As `OfRelease`, without those about the branch, on which the rollback reverted the fix.
    OfReverted,
    /// Those of lists for after a rollback: another release is tried.
    OfRollback,
}

impl Revision {
    /// The plan that an input puts in force, made before anything changes, so that an error changes
    /// nothing. None for an input that changes no plan.
    pub(super) fn of(
        present: &Plan,
        case: &RolloutState,
        command: &Command,
    ) -> Result<Option<Box<Self>>, PlanError> {
        let release = match command {
            Command::Release { release, .. } | Command::Supersede { release, .. } => {
                Some(release.as_ref())
            }
            Command::Retry { release, .. } => release.as_deref(),
            _ => return Ok(None),
        };
        let (place, judged) = (&case.place, case.judged.judge());
        let plan = present.again(known(present, case), release, place.restored())?;
        let former = present.release();
        let kept = match former {
            None => Kept::AllButReviews,
            Some(_) if former != plan.release() => Kept::OfRollback,
            Some(_) if place.is_reverted() => Kept::OfReverted,
            Some(_) => Kept::OfRelease,
        };
        let mut judge = Judge::try_new(&plan)?;
        let is_before = matches!(place.stage(), Stage::Preparing);
        // What was read before the start is the level of the live version, unless the release changes
        // the tests.
        if is_before && judge == Judge::try_new(present)? {
            judge.clone_from(judged);
        } else if plan.subject().previous() == present.subject().previous() {
            judge.keep_live(judged, case.has_traffic());
        }
        Ok(Some(Box::new(Self { plan, judge, kept })))
    }
}

/// The incident by what is known now: the plan that people approve is about that, and not about what
/// was known when the rollout was opened.
fn known(plan: &Plan, case: &RolloutState) -> Incident {
    let RolloutState { readiness, agenda, .. } = case;
    let opened = plan.subject().incident.clone();
    if case.place.at().is_none() {
        return opened;
    }
    // Facts that nobody changed keep the form in which they were given.
    let is_changed = readiness.facts() != plan.facts();
    Incident {
        facts: if is_changed { readiness.facts().document() } else { opened.facts },
        // A time that a fact gives is among the facts.
        began_at: agenda.stated(Moment::Began),
        detected_at: agenda.stated(Moment::Detected),
        severity: readiness.severity_beyond_facts(plan.policy()),
        ..opened
    }
}
