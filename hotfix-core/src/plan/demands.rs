//! The demands of a plan's severity, its scope guard, and the reasons for the normal process.

use super::{Plan, PlanFinding, PlanFindingKind};
use crate::fact::Facts;
use crate::gate::approval::{self, DemandId};
use crate::gate::checklist::Situation;
use crate::gate::{Demands, ScopeInput, ScopeReport, SeverityBasis};
use crate::grade::{Exclusions, Hotfix, Severity};
use crate::policy::section::{Approval, Effect, Rule};
use crate::severity::RuleVerdict;
use crate::text::{joined, quoted};
use crate::unit::RoleName;

/// A sentence: only the author of the fix holds these roles, and what to do about it.
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

impl Plan {
    /// [`normal_process`](Self::normal_process) by the plan's own severity and facts.
    pub(crate) fn normal_at_first(&self) -> Vec<PlanFinding> {
        let given = self.subject().incident.severity.is_some();
        self.normal_process(self.severity(), given, [self.facts(); 2])
    }

    /// What decides which checklists apply before the start, by the plan's own severity and facts.
    pub(crate) fn situation(&self) -> Situation<'_> {
        let (severity, now) = (self.severity(), self.facts());
        Situation { severity, now, worst: now, started: false }
    }

    /// Why the policy calls for the normal process, one finding for each reason; empty for a
    /// hot-fix, and while that is open and no exclusion applies. `given`: a person gave the
    /// severity. `facts`: those known now, and the worst that were known.
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

    /// Why the rules call for the normal process: each exclusion that applies and does not yield, and that no rule
    /// calls for a hot-fix if the policy answers that with none. Each is a finding of its own, so that a waiver
    /// covers only those that it was given for. `given`: a person gave a severity that is answered with a hot-fix.
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
        let calls = |rule: &Rule| rule.effect() != Effect::Exclude;
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
