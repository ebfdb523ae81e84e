//! The demands of a plan's severity, and its scope guard.

use super::Plan;
use crate::gate::approval::{self, DemandId};
use crate::gate::{Demands, ScopeInput, ScopeReport, SeverityBasis};
use crate::grade::Severity;
use crate::policy::section::Approval;
use crate::text::quoted;
use crate::unit::RoleName;

/// That only the author of the fix holds these roles and what to do about it.
pub(crate) fn only_author(any_of: &[RoleName]) -> String {
    format!(
        "the start waits for the approval of {}, and only the author of the fix may give it, who may not approve \
         alone: name another holder or a stand-in in the policy, or set `author_alone` for this approval",
        quoted(any_of, " or ")
    )
}

impl Plan {
    /// The demands of the plan's severity, as [`Demands::new`] has them for any: approvals, review
    /// and testing, and whether staging may be skipped.
    ///
    /// If the severity is not certain, `basis` shows it, and `would_tell` has the facts that decide
    /// it.
    pub fn demands(&self) -> Demands {
        Demands::new(&self.policy, self.severity, self.severity_basis(), &self.facts)
    }

    /// The approvals that the start waits for and that nobody may give who did not write the fix.
    pub(crate) fn only_for_author(
        &self,
        severity: Option<Severity>,
    ) -> impl Iterator<Item = (DemandId, &Approval)> {
        let author = self.release().and_then(|release| release.author.as_deref());
        author
            .into_iter()
            .flat_map(move |author| approval::only_for_author(&self.policy, severity, author))
    }

    pub(super) fn severity_basis(&self) -> SeverityBasis {
        let answer = self.policy.classify(&self.facts);
        if self.subject.incident.severity.is_some() {
            SeverityBasis::Given
        } else if self.severity.is_none() {
            SeverityBasis::Unknown
        } else if answer.severity() == self.severity && answer.at_worst() == self.severity {
            SeverityBasis::Settled
        } else {
            SeverityBasis::Assumed
        }
    }

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
