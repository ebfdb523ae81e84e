//! Where a policy answers with the normal process: by severity, by its rules, by its scope (DEC-3, GATE-4).

use crate::fact::Facts;
use crate::grade::{Hotfix, Severity};

use super::{Plan, Remark, RemarkKind};

impl Plan {
    /// Why the policy answers an incident like this with the normal process and no hot-fix, each reason in a sentence; empty
    /// where it does not, or does not know.
    pub(crate) fn normal_process(&self, severity: Option<Severity>, facts: &Facts) -> Vec<Remark> {
        let policy = self.policy();
        let name = policy.name();
        let mut reasons = Vec::new();
        let mut put = |kind, text: String| reasons.push(Remark { kind, text });
        let level = severity.and_then(|severity| policy.severity(severity));
        match level.filter(|level| !level.hotfix) {
            Some(level) => put(
                RemarkKind::NoHotfixForSeverity,
                format!(
                    "`{name}` answers a {} with the normal process and no hot-fix",
                    level.severity
                ),
            ),
            None if policy.classify(facts).hotfix() == Hotfix::No => put(
                RemarkKind::NoHotfixByRules,
                format!("the rules of `{name}` call for no hot-fix"),
            ),
            None => {}
        }
        let breaches = self.scope().breaches;
        if !breaches.is_empty() {
            let breaches: Vec<String> = breaches.into_iter().map(|breach| breach.message).collect();
            let breaches = breaches.join("; ");
            put(
                RemarkKind::OutOfScope,
                format!("more than `{name}` lets a hot-fix change: {breaches}"),
            );
        }
        reasons
    }
}
