//! Risks, contingencies, alternatives, and success beyond the metrics (PLAN-1, PLAN-4, MET-7).

use super::entries::Entry;
use super::list::none;
use super::metric::is_known;
use super::phase::no_rules;
use super::severity::NamedSeverities;
use crate::grade::{Grade, Sign, Strategy, SuccessGroup};
use crate::policy::error::Problem;
use crate::policy::field::{HowMany, List};
use crate::policy::reader::{Reader, section};
use crate::policy::section::{Alternative, Contingency, Risk, SuccessCriterion};
use crate::unit::{MetricName, Name};

section! {
    plain
    /// One entry of the risk register (PLAN-4).
    Risk from RiskDraft, no_rules {
        /// Its id, unique.
        id: Name, [required];
        /// What may happen.
        risk: String, [required];
        /// How likely it is.
        likelihood: Grade, [required];
        /// How much it would matter.
        impact: Grade, [required];
        /// What is done against it beforehand.
        mitigation: String, [default ""];
    }
}

impl Entry for Risk {
    const WHAT: &'static str = "risk";
}

section! {
    plain
    /// What is done when something else fails (PLAN-4).
    Contingency from ContingencyDraft, contingency_rules {
        /// Its id, unique.
        id: Name, [required];
        /// What has happened, for people.
        when: String, [required];
        /// What is done then, in order; at least one where nothing waits.
        actions: List<String>, [default none()];
        /// The severities for which the deployment waits until it is mended, each once.
        waits: NamedSeverities, [default none()];
        /// What the engine sees of it: while that is so, nobody promotes a phase of a severity in `waits`. Without it
        /// people see it.
        sign: Sign, [optional];
    }
}

fn contingency_rules(contingency: &ContingencyDraft, reader: &mut Reader) {
    if let (Some(actions), Some(waits)) = (&contingency.actions, &contingency.waits)
        && actions.is_empty()
        && waits.is_empty()
    {
        reader.fail_at::<()>("actions", Problem::Empty { what: "action" });
    }
}

impl Entry for Contingency {
    const WHAT: &'static str = "contingency";
}

section! {
    plain
    /// A strategy that was not chosen (PLAN-1).
    Alternative from AlternativeDraft, alternative_rules {
        /// The strategy, each once.
        strategy: Strategy, [required];
        /// Why it was not chosen, or when it would be.
        why: String, [required];
        /// With `rolling`: how many instances at a time. Without it: not said.
        batch: HowMany, [optional];
    }
}

fn alternative_rules(alternative: &AlternativeDraft, reader: &mut Reader) {
    if let (Some(strategy), Some(Some(_))) = (alternative.strategy, alternative.batch)
        && strategy != Strategy::Rolling
    {
        let (key, strategy) = ("batch", strategy.as_str());
        reader.fail_at::<()>(key, Problem::NotForStrategy { key, strategy });
    }
}

impl Entry for Alternative {
    const KEY: &'static str = "strategy";
    const WHAT: &'static str = "alternative";
}

section! {
    plain
    /// What success means beyond the bounds of metrics (MET-7).
    SuccessCriterion from SuccessCriterionDraft, success_criterion_rules {
        /// Its id, unique.
        id: Name, [required];
        /// Which side of success it is about.
        group: SuccessGroup, [required];
        /// The criterion in a sentence.
        text: String, [required];
        /// The metric of this policy that shows it. Without it: a person says.
        metric: MetricName, [optional];
    }
}

fn success_criterion_rules(criterion: &SuccessCriterionDraft, reader: &mut Reader) {
    if let Some(Some(name)) = criterion.metric {
        is_known(reader, name);
    }
}

impl Entry for SuccessCriterion {
    const WHAT: &'static str = "criterion";
}
