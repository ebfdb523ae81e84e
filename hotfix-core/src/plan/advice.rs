//! Dos, don'ts and pitfalls, each with what ensures it in this plan.

use serde::Serialize;

use crate::grade::{AdviceCheck, AdviceKind, DutyKind};
use crate::policy::Policy;
use crate::policy::section::SeverityLevel;
use crate::text::{counted, words};
use crate::unit::Name;

use super::Plan;

/// One do, don't or pitfall, with what ensures it.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedAdvice<'a> {
    /// Its id.
    pub id: Name,
    /// Its kind.
    pub kind: AdviceKind,
    /// The advice.
    pub text: &'a str,
    /// The check that the policy names for it.
    pub shown_by: Option<AdviceCheck>,
    /// What ensures it in this plan, in words. None if it is advice to people.
    pub seen_to_by: Option<String>,
}

impl Plan {
    /// The dos, don'ts and pitfalls of the policy, in its order, each with what ensures it in this
    /// plan.
    ///
    /// If the plan's severity does not have the check that the policy names, the item is advice to
    /// people.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{grade::AdviceCheck, plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("fast-track")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let advice = plan.advice();
    /// let blind = advice.iter().find(|advice| advice.id.as_str() == "no_blind_deploy").ok_or("fast-track has it")?;
    /// assert_eq!(blind.shown_by, Some(AdviceCheck::Monitoring));
    /// assert_eq!(blind.seen_to_by.as_deref(), Some("2 deciding metrics; once readings have stopped, the start is asked about; without their data the rollout asks after 5min"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn advice(&self) -> Vec<PlannedAdvice<'_>> {
        let advice = self.policy().advice().iter().map(|advice| PlannedAdvice {
            id: advice.id,
            kind: advice.kind,
            text: &advice.text,
            shown_by: advice.shown_by,
            seen_to_by: advice.shown_by.and_then(|check| self.ensured_by(check)),
        });
        advice.collect()
    }

    fn ensured_by(&self, check: AdviceCheck) -> Option<String> {
        // The release and its strategy may have rollback methods that the policy does not name.
        let methods = self.methods();
        if let (AdviceCheck::Rollback, [first, _, ..]) = (check, methods) {
            let first = words(first.kind.as_str());
            return Some(format!("{} rollback methods, {first} first", methods.len()));
        }
        found(self.policy(), self.level(), check)
    }
}

/// Whether the policy has this check at one severity at least.
pub(crate) fn has_check(policy: &Policy, check: AdviceCheck) -> bool {
    let levels = policy.severities().iter().map(Some);
    levels.chain([None]).any(|level| found(policy, level, check).is_some())
}

/// What the policy has for this check at a severity, in words. None if it has nothing.
fn found(policy: &Policy, level: Option<&SeverityLevel>, check: AdviceCheck) -> Option<String> {
    let step = |id: &str| {
        let known = policy.procedure().iter().any(|step| step.id.as_str() == id);
        known.then(|| format!("the step `{id}`"))
    };
    let duties = |kinds: &[DutyKind]| {
        let concerns = |severity| level.is_none_or(|level| level.severity == severity);
        let of_level = policy.duties().iter().filter(|duty| {
            kinds.contains(&duty.kind)
                && (duty.severities.is_empty() || duty.severities.iter().any(|s| concerns(*s)))
        });
        of_level.count()
    };
    match check {
        AdviceCheck::Scope => policy.scope().map(|_| "the scope guard".to_owned()),
        AdviceCheck::Testing => {
            let demands = level.and_then(|level| level.testing.as_ref());
            demands
                .map(|testing| {
                    counted(testing.demands.len().max(1), "required test", "required tests")
                })
                .or_else(|| step("test"))
        }
        AdviceCheck::Review => {
            let demand = level.and_then(|level| level.review.as_ref());
            demand
                .map(|review| counted(review.approvers, "required reviewer", "required reviewers"))
                .or_else(|| step("review"))
        }
        AdviceCheck::Approvals => {
            let own = level.iter().flat_map(|level| &level.approvals);
            let all = own.chain(policy.approvals());
            let required = all.filter(|one| one.blocking || one.after_the_fact.is_some());
            some(required.count(), "required approval", "required approvals")
        }
        AdviceCheck::Monitoring => {
            let deciding = policy.deciding().count();
            let mut metrics = some(deciding, "deciding metric", "deciding metrics")?;
            if let Some(silence) = policy.on_silence() {
                let waits = level.is_some_and(|level| silence.waits.contains(&level.severity));
                metrics.push_str("; once readings have stopped, the start ");
                metrics.push_str(if waits { "waits" } else { "is asked about" });
            }
            let no_data = policy.watch().no_data;
            let then = match no_data.then {
                crate::grade::Response::Continue => return Some(metrics),
                crate::grade::Response::Hold => "holds",
                crate::grade::Response::Ask => "asks",
                crate::grade::Response::RollBack => "rolls back",
            };
            let after = crate::text::time(no_data.after);
            Some(format!("{metrics}; without their data the rollout {then} after {after}"))
        }
        AdviceCheck::Messages => {
            let duties = duties(&[DutyKind::Notify, DutyKind::Update]);
            some(policy.messages().len(), "message", "messages")
                .or_else(|| some(duties, "duty to notify", "duties to notify"))
        }
        AdviceCheck::Rollback => {
            some(policy.rollback().methods.len(), "rollback method", "rollback methods")
        }
        AdviceCheck::MergeBack => {
            let branches = policy.vcs().map(|vcs| vcs.merge_back.join(", "));
            branches.filter(|names| !names.is_empty()).map(|names| format!("merged into {names}"))
        }
        AdviceCheck::Report => policy.report().map(|_| "the incident report".to_owned()),
        AdviceCheck::Drill => {
            let drills = |id: &str| id == "drill" || id.starts_with("drill_");
            let drill = policy.duties().iter().find(|duty| drills(duty.id.as_str()));
            drill.map(|duty| format!("the duty `{}`", duty.id))
        }
    }
}

fn some(number: usize, one: &str, many: &str) -> Option<String> {
    (number > 0).then(|| counted(number, one, many))
}
