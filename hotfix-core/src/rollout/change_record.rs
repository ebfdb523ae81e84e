//! The change record of a rollout, with what people noted in it.

use crate::plan::{PlanChangeRecord, PlanStatus};

use super::Rollout;
use super::stage::State;

impl Rollout {
    /// The plan's change record with its present status. A branch, build or artifact that the release
    /// does not name is the one that was noted with an item of a checklist.
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
        let status = match self.state() {
            // What is rolled back is an earlier attempt; this one was not deployed.
            State::RollingBack | State::RolledBack if self.former_version().is_some() => {
                PlanStatus::Stopped
            }
            state => state.plan_status(),
        };
        let mut record = PlanChangeRecord { status, ..self.plan.change_record() };
        for (name, value) in [
            ("branch", &mut record.branch),
            ("build", &mut record.build),
            ("artifact", &mut record.artifact),
        ] {
            if value.is_none() {
                *value = self.recorded(name);
                record.missing.retain(|missing| *missing != name || value.is_none());
            }
        }
        record
    }

    /// The value that was noted last with an item that records one of this name.
    pub(crate) fn recorded(&self, name: &str) -> Option<&str> {
        self.case.readiness.marks().recorded(self.plan.policy(), name)
    }
}
