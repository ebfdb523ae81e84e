//! The plan's change record while the rollout runs.

use crate::plan::{PlanChangeRecord, PlanStatus};

use super::{Rollout, State};

impl Rollout {
    /// The plan's change record with its present status.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Plan, PlanStatus}, policy::Policy, rollout::{Input, Recording,
    /// Rollout}};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let release = r#"{"version": "2", "previous": "1"}"#;
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, release, "")?;
    /// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
    /// let abort = Input::from_json(r#"{"kind": "abort", "by": "lena", "why": "not needed"}"#)?;
    /// rollout.handle("2026-03-03T14:40:00Z".parse()?, &abort)?;
    /// assert_eq!(rollout.change_record().status, PlanStatus::Stopped);
    /// assert_eq!(rollout.plan().change_record().status, PlanStatus::Drafted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn change_record(&self) -> PlanChangeRecord<'_> {
        PlanChangeRecord { status: status(self.state()), ..self.plan().change_record() }
    }
}

/// The status of a plan in a state of its rollout. A rollback under way is still in progress.
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
