//! What may go wrong, what is done then, what success is, and what else could have been chosen (PLAN-1, PLAN-4, MET-7).

use crate::grade::{Grade, Severity, Sign, Strategy, SuccessGroup};
use crate::unit::{MetricName, Name};

/// One entry of the risk register (PLAN-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// Its id, unique among the risks.
    pub id: Name,
    /// What may happen.
    pub risk: String,
    /// How likely it is.
    pub likelihood: Grade,
    /// How much it would matter.
    pub impact: Grade,
    /// What is done against it beforehand; empty: nothing.
    pub mitigation: String,
}

/// What is done when something else fails (PLAN-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingency {
    /// Its id, unique among the contingencies.
    pub id: Name,
    /// What has happened, in words.
    pub when: String,
    /// What is done then, in order; empty only where `waits` says something.
    pub actions: Vec<String>,
    /// The severities for which the deployment waits until it is mended; each once.
    pub waits: Vec<Severity>,
    /// What the engine sees of it, so that it holds what waits. None: people see it.
    pub sign: Option<Sign>,
}

/// A strategy that was not chosen, and why (PLAN-1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The strategy, each once.
    pub strategy: Strategy,
    /// Why it was not chosen, or when it would be.
    pub why: String,
    /// With `rolling`: how many instances at a time, at least 1.
    pub batch: Option<u32>,
}

/// What success means beyond the bounds of metrics (MET-7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessCriterion {
    /// Its id, unique among the criteria.
    pub id: Name,
    /// Which side of success it is about.
    pub group: SuccessGroup,
    /// The criterion in a sentence.
    pub text: String,
    /// The metric of the policy that shows it; none: a person says.
    pub metric: Option<MetricName>,
}
