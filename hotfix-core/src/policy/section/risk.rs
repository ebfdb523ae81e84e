//! Risks, contingencies, alternatives, and success criteria beyond the metrics.

use super::list::none;
use super::metric::is_known;
use super::severity::NamedSeverities;
use crate::grade::{CriterionAnswer, Grade, Severity, Sign, Strategy, SuccessGroup};
use crate::policy::error::Problem;
use crate::policy::field::{HowMany, List, TextOrNone};
use crate::policy::reader::{PolicyReader, section};
use crate::text::{joined, line};
use crate::unit::{MetricName, Name};

section! {
    plain
    /// One entry of the risk register.
    pub Risk: Eq from RiskDraft {
        /// The id of the risk, unique.
        id: Name, [required];
        /// What may happen, in a sentence.
        risk: String, [required];
        /// How likely it is.
        likelihood: Grade, [required];
        /// How severe the consequences would be.
        impact: Grade, [required];
        /// What is done to reduce the risk.
        mitigation: String as TextOrNone, [default ""];
    }
}

section! {
    plain
    /// What to do if something other than the fix fails.
    pub Contingency: Eq from ContingencyDraft, contingency_rules {
        /// The id of the contingency, unique.
        id: Name, [required];
        /// What has failed, for people.
        when: String, [required];
        /// What to do then, in order; at least one entry unless `waits` has one.
        actions: Vec<String> as List<String>, [default none()];
        /// The severities for which the deployment waits until the failure is repaired, each once.
        waits: Vec<Severity> as NamedSeverities, [default none()];
        /// How the engine detects the failure. With `no_data`, `start` and `promote` are refused
        /// meanwhile for the severities in `waits`; before the start, where readings had come. With
        /// `rollback_failed`, who is on call is paged with `actions` once a rollback method has
        /// failed. Without this key only people can detect it.
        sign: Sign, [optional];
    }
}

impl Contingency {
    /// What to do; None where the policy has nothing.
    pub(crate) fn to_do(&self) -> Option<String> {
        let actions = joined(self.actions.iter().map(|action| line(action)), "; ");
        (!actions.is_empty()).then_some(actions)
    }

    /// What to do, as a sentence with a space before it; empty where the policy has nothing.
    pub(crate) fn then(&self) -> String {
        self.to_do().map_or_else(String::new, |to_do| format!(" Then: {to_do}."))
    }
}

fn contingency_rules(contingency: &ContingencyDraft, reader: &mut PolicyReader) {
    if let (Some(actions), Some(waits)) = (&contingency.actions, &contingency.waits)
        && actions.is_empty()
        && waits.is_empty()
    {
        reader.fail_at::<()>("actions", Problem::Empty { what: "action" });
    }
}

section! {
    plain
    /// A strategy that was not chosen.
    pub Alternative: Eq from AlternativeDraft, alternative_rules {
        /// The strategy; each at most once.
        strategy: Strategy, [required];
        /// Why it was not chosen, or when it would be better.
        why: String, [required];
        /// With `rolling`: how many instances are updated at a time. Without this key no number is
        /// given.
        batch: u32 as HowMany, [optional];
    }
}

fn alternative_rules(alternative: &AlternativeDraft, reader: &mut PolicyReader) {
    if let (Some(strategy), Some(Some(_))) = (alternative.strategy, alternative.batch)
        && strategy != Strategy::Rolling
    {
        let (key, strategy) = ("batch", strategy.as_str());
        reader.fail_at::<()>(key, Problem::NotForStrategy { key, strategy });
    }
}

section! {
    plain
    /// A success criterion, in addition to the bounds of the metrics.
    pub SuccessCriterion: Eq from SuccessCriterionDraft, success_criterion_rules {
        /// The id of the criterion, unique.
        id: Name, [required];
        /// The group to which the criterion belongs.
        group: SuccessGroup, [required];
        /// The criterion in a sentence.
        text: String, [required];
        /// The metric of this policy that shows it to whoever confirms it; the page of the plan names it
        /// with the criterion.
        metric: MetricName, [optional];
        /// What of the log answers it: a person cannot confirm it where the log says otherwise. A check
        /// before the completion does not count, and a rollback opens it again.
        answered_by: CriterionAnswer, [optional];
    }
}

fn success_criterion_rules(criterion: &SuccessCriterionDraft, reader: &mut PolicyReader) {
    if let Some(Some(name)) = criterion.metric {
        is_known(reader, name);
    }
}
