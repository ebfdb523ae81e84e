//! Dos, don'ts and pitfalls, each with what ensures it in this plan.

use serde::Serialize;

use crate::grade::{AdviceCheck, AdviceKind, DutyKind, Response};
use crate::policy::Policy;
use crate::policy::section::SeverityLevel;
use crate::unit::Name;

use super::Plan;

const METHODS: &str = "the rollback methods";

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
    pub seen_to_by: Option<&'static str>,
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
    /// assert_eq!(blind.seen_to_by, Some("the deciding metrics, and the rules for missing readings"));
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

    fn ensured_by(&self, check: AdviceCheck) -> Option<&'static str> {
        // The release and its strategy may have rollback methods that the policy does not name.
        if check == AdviceCheck::Rollback && self.methods().len() > 1 {
            return Some(METHODS);
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
fn found(
    policy: &Policy,
    level: Option<&SeverityLevel>,
    check: AdviceCheck,
) -> Option<&'static str> {
    let has_step = |id: &str| policy.procedure().iter().any(|step| step.id.as_str() == id);
    let concerns = |severity| level.is_none_or(|level| level.severity == severity);
    let (has_it, words) = match check {
        AdviceCheck::Scope => (policy.scope().is_some(), "the scope guard"),
        AdviceCheck::Testing if level.is_some_and(|level| level.testing.is_some()) => {
            (true, "required tests")
        }
        AdviceCheck::Testing => (has_step("test"), "the step `test`"),
        AdviceCheck::Review if level.is_some_and(|level| level.review.is_some()) => {
            (true, "a required review")
        }
        AdviceCheck::Review => (has_step("review"), "the step `review`"),
        AdviceCheck::Approvals => {
            let own = level.iter().flat_map(|level| &level.approvals);
            let mut all = own.chain(policy.approvals());
            let required = all.any(|one| one.blocking || one.after_the_fact.is_some());
            (required, "required approvals")
        }
        AdviceCheck::Monitoring => {
            let ignored = policy.watch().no_data.then == Response::Continue;
            let words = if ignored && policy.on_silence().is_none() {
                "the deciding metrics"
            } else {
                "the deciding metrics, and the rules for missing readings"
            };
            (policy.deciding().next().is_some(), words)
        }
        AdviceCheck::Messages if !policy.messages().is_empty() => (true, "messages"),
        AdviceCheck::Messages => {
            let has_duty = policy.duties().iter().any(|duty| {
                matches!(duty.kind, DutyKind::Notify | DutyKind::Update)
                    && (duty.severities.is_empty() || duty.severities.iter().any(|s| concerns(*s)))
            });
            (has_duty, "duties to notify")
        }
        AdviceCheck::Rollback => (!policy.rollback().methods.is_empty(), METHODS),
        AdviceCheck::MergeBack => {
            (policy.vcs().is_some_and(|vcs| !vcs.merge_back.is_empty()), "the merge back")
        }
        AdviceCheck::Report => (policy.report().is_some(), "the incident report"),
        AdviceCheck::Drill => {
            let drills = |id: &str| id == "drill" || id.starts_with("drill_");
            (policy.duties().iter().any(|duty| drills(duty.id.as_str())), "a drill")
        }
    };
    has_it.then_some(words)
}
