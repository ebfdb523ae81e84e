//! Another plan in the same rollout: the first release is known, another release replaces the one
//! under way, or an ended rollout is tried again.
//!
//! It starts at the first phase, with its own approvals. A new attempt has new tests. The facts of
//! the incident and the duties stay.

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

/// The plan that an input puts in force, and its judge.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    plan: Plan,
    judge: Judge,
    /// No other release was tried before, so what was checked stays checked.
    keeps_items: bool,
}

impl Rollout {
    /// Makes the plan that an input puts in force before anything changes, so that an error changes
    /// nothing.
    pub(super) fn prepare_revision(&mut self, command: &Command) -> Result<(), PlanError> {
        self.revision = None;
        let release = match command {
            Command::Release { release, .. } | Command::Supersede { release, .. } => {
                Some(release.as_ref())
            }
            Command::Retry { release, .. } => release.as_deref(),
            _ => return Ok(()),
        };
        let plan = match release {
            Some(release) => self.plan.with_release(release.clone())?,
            None => Plan::clone(&self.plan),
        };
        let former = self.plan.release();
        let keeps_items = former.is_none() || former == plan.release();
        let mut judge = Judge::try_new(&plan)?;
        // What was read before the first release is the level of the live version, unless that
        // release changes the tests.
        if former.is_none() && judge == Judge::try_new(&self.plan)? {
            judge.clone_from(&self.case.judge);
        }
        self.revision = Some(Box::new(Revision { plan, judge, keeps_items }));
        Ok(())
    }

    /// Folds an input that was checked, and puts its plan in force.
    pub(super) fn fold(&mut self, at: Timestamp, input: &Input, author: bool) -> Resolved {
        let resolved = self.case.fold(&self.plan, at, input, author);
        if let Some(revision) = self.revision.take() {
            let Revision { plan, judge, keeps_items } = *revision;
            self.plan = Arc::new(plan);
            let case = &mut self.case;
            case.judge = judge;
            case.attempt += u32::from(input.command.is_new_attempt());
            case.readiness.begin_attempt(&self.plan, keeps_items);
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
