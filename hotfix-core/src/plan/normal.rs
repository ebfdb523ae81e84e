//! Reasons for the normal process instead of a hot-fix: severity, rules, scope.

use crate::fact::Facts;
use crate::grade::{Exclusions, Hotfix, Severity};
use crate::policy::section::Effect;
use crate::text::joined;

use super::{Plan, PlanFinding, PlanFindingKind};

impl Plan {
    /// Why the policy wants the normal process, a sentence each; empty for a hot-fix or unknown.
    pub(crate) fn normal_process(
        &self,
        severity: Option<Severity>,
        facts: &Facts,
    ) -> Vec<PlanFinding> {
        let policy = self.policy();
        let name = policy.name();
        let mut reasons = Vec::new();
        let mut put = |kind, text: String| reasons.push(PlanFinding { kind, text });
        let level = severity.and_then(|severity| policy.severity(severity));
        match level.filter(|level| !level.hotfix) {
            Some(level) => put(
                PlanFindingKind::NoHotfixForSeverity,
                format!(
                    "the policy `{name}` has the normal process for {}, not a hot-fix",
                    level.severity
                ),
            ),
            None => match policy.classify(facts).hotfix() {
                // Without rules, the severity alone says whether there is a hot-fix.
                Hotfix::No if level.is_some() && policy.rules().is_empty() => {}
                Hotfix::No => put(
                    PlanFindingKind::NoHotfixByRules,
                    format!("the rules of `{name}` do not call for a hot-fix"),
                ),
                Hotfix::Unknown => {
                    if let Some(text) = self.exclusion_to_decide(facts) {
                        put(PlanFindingKind::ExclusionToDecide, text);
                    }
                }
                Hotfix::Yes => {}
            },
        }
        let breaches = self.scope().breaches;
        if !breaches.is_empty() {
            let breaches = joined(breaches.into_iter().map(|breach| breach.message), "; ");
            put(
                PlanFindingKind::OutOfScope,
                format!("the change exceeds what `{name}` allows in a hot-fix: {breaches}"),
            );
        }
        reasons
    }

    /// The exclusions that apply for certain, where the policy lets a person decide about them.
    fn exclusion_to_decide(&self, facts: &Facts) -> Option<String> {
        let policy = self.policy();
        if policy.classifier().exclusions != Exclusions::Ask {
            return None;
        }
        let fired = policy.classify(facts).rules();
        let fired = fired.iter().filter(|fired| fired.rule.effect == Effect::Exclude);
        let titles = fired.map(|fired| format!("`{}` ({})", fired.rule.id, fired.rule.title));
        let titles = joined(titles, ", ");
        (!titles.is_empty()).then(|| {
            format!(
                "a person decides whether a hot-fix is right, because exclusions of `{}` apply: {titles}",
                policy.name()
            )
        })
    }
}
