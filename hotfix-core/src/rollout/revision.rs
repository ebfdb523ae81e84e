//! Beginning anew: another release takes the place of the one under way, or what ended is tried again (FIELD-9, FIELD-13).
//!
//! What was watched of one attempt says nothing of the next: it starts at the first phase with tests that have seen nothing,
//! and its approvals are its own. What is known of the incident, and what is due, stays.

use std::sync::Arc;

use crate::grade::MessageKind;
use crate::judge::{Judge, Verdict};
use crate::plan::{Plan, PlanError};
use crate::unit::{Share, Timestamp};

use super::Rollout;
use super::action::Act;
use super::case::Resolved;
use super::conclude::TOLD;
use super::input::{Command, Input};
use super::state::Stage;

/// What another attempt begins with.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    plan: Plan,
    judge: Judge,
    /// It is the release that was tried before.
    same_release: bool,
}

impl Rollout {
    /// Makes the plan of an input that begins anew, so that one that cannot be made changes nothing.
    pub(super) fn prepare_revision(&mut self, command: &Command) -> Result<(), PlanError> {
        self.revision = None;
        let release = match command {
            Command::Supersede { release, .. } => Some(release.as_ref()),
            Command::Retry { release, .. } => release.as_deref(),
            _ => return Ok(()),
        };
        let plan = match release {
            Some(release) => self.plan.with_release(release.clone())?,
            None => Plan::clone(&self.plan),
        };
        let same_release = plan.subject().release == self.plan.subject().release;
        let judge = Judge::try_new(&plan)?;
        self.revision = Some(Box::new(Revision { plan, judge, same_release }));
        Ok(())
    }

    /// Folds an input that was checked; one that begins anew takes its plan into force.
    pub(super) fn fold(&mut self, at: Timestamp, input: &Input, author: bool) -> Resolved {
        let resolved = self.case.fold(&self.plan, at, input, author);
        if let Some(revision) = self.revision.take() {
            let Revision { plan, judge, same_release } = *revision;
            self.plan = Arc::new(plan);
            let case = &mut self.case;
            case.judge = judge;
            case.attempt += 1;
            case.readiness.begin_anew(&self.plan, same_release);
            case.verdict = Verdict::default();
            (case.question, case.kept) = (None, None);
            case.phases.clear();
        }
        resolved
    }

    /// Back to where the start is prepared. Traffic that the former release has is taken from it, but where it is frozen:
    /// there the old version may not be able to take it.
    pub(super) fn begin_anew(&mut self) {
        let frozen = matches!(self.case.stage, Stage::Frozen { .. });
        // What is under way may still give it some.
        let has_traffic = self.case.share > Share::NONE
            || self.case.pending.iter().any(|action| matches!(action.act, Act::SetTraffic { .. }));
        if has_traffic && !frozen {
            self.act(Act::SetTraffic { share: Share::NONE });
        }
        self.changes.to = Some(Stage::Preparing);
        self.notify(MessageKind::Update, &TOLD);
        self.request_missing_approvals();
    }
}
