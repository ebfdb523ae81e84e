//! What an incident asks for at first, and reasons for the normal process instead of a hot-fix.

use crate::fact::Facts;
use crate::gate::checklist::Situation;
use crate::grade::{Exclusions, Hotfix, Severity};
use crate::policy::section::{Effect, Rule};
use crate::severity::RuleVerdict;
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
        facts: [&Facts; 2],
    ) -> Vec<PlanFinding> {
        let policy = self.policy();
        let name = policy.name();
        let level = severity.and_then(|severity| policy.severity(severity));
        let mut reasons = match level {
            Some(level) if !level.hotfix => {
                let kind = PlanFindingKind::NoHotfixForSeverity;
                let level = level.severity;
                let text = format!(
                    "the policy `{name}` has the normal process for {level}, not a hot-fix"
                );
                vec![PlanFinding { kind, text }]
            }
            // Without rules, the severity alone says whether there is a hot-fix.
            Some(_) if policy.rules().is_empty() => Vec::new(),
            _ => self.normal_by_rules(given && level.is_some(), facts),
        };
        let breaches = self.scope().breaches;
        if !breaches.is_empty() {
            let breaches = joined(breaches.into_iter().map(|breach| breach.message), "; ");
            let kind = PlanFindingKind::OutOfScope;
            let text = format!("the change exceeds what `{name}` allows in a hot-fix: {breaches}");
            reasons.push(PlanFinding { kind, text });
        }
        reasons
    }

    /// Why the rules want the normal process: each exclusion that applies and does not yield, and that no
    /// rule calls for a hot-fix where that means none. Each is a sentence of its own, so that a waiver
    /// covers those that it was given for. `given`: a person gave a severity that is answered with a
    /// hot-fix.
    fn normal_by_rules(&self, given: bool, [now, worst]: [&Facts; 2]) -> Vec<PlanFinding> {
        let (policy, answer) = (self.policy(), self.policy().classify(now));
        let kind = match answer.hotfix() {
            Hotfix::Yes => return Vec::new(),
            Hotfix::No => PlanFindingKind::NoHotfixByRules,
            Hotfix::Unknown => PlanFindingKind::ExclusionToDecide,
        };
        let (name, classifier) = (policy.name(), policy.classifier());
        let yields = classifier.exclusions == Exclusions::Yield
            && (given || policy.classify(worst).hotfix() == Hotfix::Yes);
        let calls = |rule: &Rule| rule.effect != Effect::Exclude;
        let fired = answer.rules();
        let excluded = fired.iter().filter(|of| !calls(of.rule) && !yields);
        let mut texts: Vec<String> = excluded
            .map(|RuleVerdict { rule: Rule { id, title, .. }, .. }| {
                format!("the exclusion `{id}` of `{name}` applies ({title})")
            })
            .collect();
        // With an exclusion, one of the rules that call for a hot-fix may still apply.
        let open = if fired.is_empty() { Vec::new() } else { answer.undecided() };
        let is_left = !fired.iter().chain(&open).any(|of| calls(of.rule));
        if is_left && answer.hotfix() == Hotfix::No && classifier.otherwise == Hotfix::No {
            let mut all = policy.rules().iter().filter(|rule| calls(rule));
            texts.push(match (all.next(), all.next()) {
                (Some(Rule { id, title, .. }), None) => {
                    format!("`{id}` of `{name}` does not apply ({title})")
                }
                _ => format!("no rule of `{name}` calls for a hot-fix"),
            });
        }
        texts.into_iter().map(|text| PlanFinding { kind, text }).collect()
    }
}
