//! What an incident asks for at first, and reasons for the normal process instead of a hot-fix.

use crate::fact::Facts;
use crate::gate::checklist::Situation;
use crate::grade::{Exclusions, Hotfix, Severity};
use crate::policy::section::Effect;
use crate::text::joined;

use super::{Plan, PlanFinding, PlanFindingKind};

impl Plan {
    /// Why the policy wants the normal process by what the incident gives.
    pub(crate) fn normal_at_first(&self) -> Vec<PlanFinding> {
        let given = self.subject().incident.severity.is_some();
        self.normal_process(self.severity(), given, [self.facts(); 2])
    }

    /// What decides which lists apply, by what the incident gives.
    pub(crate) fn situation(&self) -> Situation<'_> {
        let (severity, now) = (self.severity(), self.facts());
        Situation { severity, now, worst: now, started: false }
    }

    /// Why the policy wants the normal process, a sentence each; empty for a hot-fix, and where it is
    /// not known and no exclusion is either. `given`: a person gave the severity. The facts are those
    /// that are known `now` and the `worst` of them.
    pub(crate) fn normal_process(
        &self,
        severity: Option<Severity>,
        given: bool,
        [now, worst]: [&Facts; 2],
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
            None => match policy.classify(now).hotfix() {
                // Without rules, the severity alone says whether there is a hot-fix.
                Hotfix::No if level.is_some() && policy.rules().is_empty() => {}
                Hotfix::No => put(
                    PlanFindingKind::NoHotfixByRules,
                    format!("the rules of `{name}` do not call for a hot-fix"),
                ),
                Hotfix::Unknown => {
                    // A severity for hot-fixes that a person gave, or that was certain: it is one.
                    let is_wanted = (given && level.is_some())
                        || policy.classify(worst).hotfix() == Hotfix::Yes;
                    let decides = policy.classifier().exclusions == Exclusions::Ask || !is_wanted;
                    if let Some(text) = self.exclusion_to_decide(now).filter(|_| decides) {
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

    /// The exclusions that apply for certain, about which a person decides.
    fn exclusion_to_decide(&self, facts: &Facts) -> Option<String> {
        let policy = self.policy();
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
