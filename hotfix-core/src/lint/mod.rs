//! The linter: finds settings of a policy that are valid but doubtful.
//!
//! [`Policy::lint`](crate::policy::Policy::lint) returns a [`Finding`] for each.
//!
//! A finding has a stable code, a level, a place, a sentence, a remedy and, where there can be one,
//! an example that shows the fault when it is fed back to the engine.

mod bounds;
mod deadlines;
mod fault;
mod finding;
mod format;
mod logic;
mod messages;
mod phases;
mod roles;
mod source_control;

pub use crate::plan::StepTime;
pub(crate) use fault::findings;
pub use fault::{Fault, SettingFault};
pub use finding::{Example, Finding, Level};

use crate::grade::Strategy;
use crate::plan::{Subject, instances_of_two, phases_of};
use crate::policy::Policy;
use crate::sorting::sort_by_key;
use crate::unit::Timestamp;

impl Policy {
    /// The findings in this policy, in the order of the codes, and within a code in the order of
    /// the document.
    ///
    /// `at` is the current time; without it overdue checks are skipped.
    pub fn lint(&self, at: Option<Timestamp>) -> Vec<Finding> {
        let mut findings = Vec::new();
        logic::find(self, &mut findings);
        bounds::find(self, &mut findings);
        phases::find(self, &mut findings);
        self.lint_other_strategies(&mut findings);
        deadlines::find(self, at, &mut findings);
        roles::find(self, &mut findings);
        messages::find(self, &mut findings);
        source_control::find(self, &mut findings);
        sort_by_key(&mut findings, |finding: &Finding| finding.code());
        let document = self.document();
        for finding in &mut findings {
            finding.item = document.item_at(&finding.path).map(str::to_owned);
        }
        findings
    }

    /// What is doubtful about the phases of another strategy, but not about the policy's own.
    fn lint_other_strategies(&self, findings: &mut Vec<Finding>) {
        if self.instead_of().is_some() {
            return;
        }
        // The phases of `rolling` follow the instances.
        let mut subject = Subject::default();
        subject.traffic.instances = Some(instances_of_two(self));
        let others = Strategy::ALL.iter().filter(|strategy| **strategy != self.strategy());
        for &strategy in others.filter(|strategy| self.strategy_settings(**strategy).is_some()) {
            let Ok(phases) = phases_of(self, strategy, &subject) else { continue };
            let chosen = self.choosing(strategy, phases.into_owned());
            let mut found = Vec::new();
            phases::find(&chosen, &mut found);
            for of in found.into_iter().filter(|of| of.level() != Level::Deny) {
                if !findings.iter().any(|known| known.code() == of.code()) {
                    findings.push(Finding { path: format!("/strategies/{strategy}"), ..of });
                }
            }
        }
    }

    /// The findings of level `deny`, a line each; with one no plan starts. Computed once.
    pub fn denials(&self) -> &[String] {
        self.reasoned.denials(|| {
            let denied = self.lint(None).into_iter().filter(|f| f.level() == Level::Deny);
            denied
                .map(|f| format!("{} at {}: {}; {}", f.code(), f.path, f.message(), f.remedy()))
                .collect()
        })
    }
}
