//! New attempts: another release replaces the one under way, or an ended rollout is tried again.
//!
//! A new attempt starts at the first phase, with new tests and its own approvals. The facts of the
//! incident and the duties stay.

use std::sync::Arc;

use crate::grade::MessageKind;
use crate::judge::{Judge, Verdict};
use crate::plan::{Plan, PlanError};
use crate::unit::{Share, Timestamp};

use super::Rollout;
use super::action::Act;
use super::conclude::FOLLOWERS;
use super::input::{Command, Input};
use super::stage::Stage;
use super::state::Resolved;

/// The plan and the judge of a new attempt.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    plan: Plan,
    judge: Judge,
    /// It is the release that was tried before.
    same_release: bool,
}

impl Rollout {
    /// Makes the plan of a new attempt before anything changes, so that an error changes nothing.
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

    /// Folds an input that was checked; a new attempt puts its plan in force.
    pub(super) fn fold(&mut self, at: Timestamp, input: &Input, author: bool) -> Resolved {
        let resolved = self.case.fold(&self.plan, at, input, author);
        if let Some(revision) = self.revision.take() {
            let Revision { plan, judge, same_release } = *revision;
            self.plan = Arc::new(plan);
            let case = &mut self.case;
            case.judge = judge;
            case.attempt += 1;
            case.readiness.begin_attempt(&self.plan, same_release);
            case.verdict = Verdict::default();
            (case.question, case.kept) = (None, None);
            case.phases.clear();
        }
        resolved
    }

    /// Returns to the preparation of a start. Traffic that the former release has is withdrawn,
    /// except where the rollout is frozen: there the old version may not be able to serve it.
    pub(super) fn begin_attempt(&mut self) {
        let frozen = matches!(self.case.stage, Stage::Frozen { .. });
        // A pending change may still give it some.
        let has_traffic = self.case.share > Share::NONE
            || self.case.pending.iter().any(|action| matches!(action.act, Act::SetTraffic { .. }));
        if has_traffic && !frozen {
            self.act(Act::SetTraffic { share: Share::NONE });
        }
        self.changes.to = Some(Stage::Preparing);
        self.notify(MessageKind::Update, &FOLLOWERS);
        self.request_missing_approvals();
    }
}
