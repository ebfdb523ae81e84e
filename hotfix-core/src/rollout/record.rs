//! The plan's record while the rollout runs (PLAN-7).

use crate::plan::{PlanRecord, PlanStatus};

use super::{Rollout, State};

impl Rollout {
    /// The plan's record with how far it is now.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Plan, PlanStatus}, policy::Policy, rollout::{Input, Recording, Rollout}};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let abort = Input::from_json(r#"{"kind": "abort", "by": "lena", "why": "no longer needed"}"#)?;
    /// rollout.handle("2026-03-03T14:40:00Z".parse()?, &abort)?;
    /// assert_eq!(rollout.record().status, PlanStatus::Stopped);
    /// assert_eq!(rollout.plan().record().status, PlanStatus::Drafted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Shows PLAN-7.
    pub fn record(&self) -> PlanRecord<'_> {
        PlanRecord { status: status(self.state()), ..self.plan().record() }
    }
}

/// How far a plan is in a state of its rollout. A way back under way is still in progress.
const fn status(state: State) -> PlanStatus {
    match state {
        State::Drafted => PlanStatus::Drafted,
        State::AwaitingApproval => PlanStatus::AwaitingApproval,
        State::Ready => PlanStatus::Ready,
        State::Deploying
        | State::Monitoring
        | State::Gate
        | State::FinalValidation
        | State::RollingBack
        | State::Paused
        | State::Frozen => PlanStatus::InProgress,
        State::Complete | State::Closed => PlanStatus::Complete,
        State::RolledBack => PlanStatus::RolledBack,
        State::Aborted | State::Failed => PlanStatus::Stopped,
    }
}
