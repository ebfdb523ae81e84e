//! The scope guard of a plan.

use super::Plan;
use crate::gate::{ScopeInput, ScopeReport};

impl Plan {
    /// Whether the release is as small as the policy requires: the figures of its diff and the
    /// author's statements against the policy's `[scope]`. See [`ScopeReport::new`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{fact::Truth, plan::Plan, policy::Policy};
    ///
    /// let release = r#"{"version": "2.3.1", "previous": "2.3.0", "numstat": "6\t2\tsrc/pay.rs\n3\t1\tCargo.lock\n",
    ///     "change": {"fixes": 1, "features": false, "tidying": "none"}}"#;
    /// let policy = Arc::new(Policy::preset("standard")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-2041"}"#, release, "")?;
    /// let report = plan.scope();
    /// assert_eq!(report.content, Some(Truth::Unknown)); // is Cargo.lock the fix?
    /// assert_eq!(report.unknown[0].would_tell[0], "/release/change/dependencies_are_the_fix");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scope(&self) -> ScopeReport {
        let input = ScopeInput {
            diff: self.diff.as_ref(),
            change: self.release().and_then(|release| release.change.as_ref()),
            schema_change: self.subject.traffic.schema_change,
        };
        ScopeReport::new(self.policy.scope(), input)
    }
}
