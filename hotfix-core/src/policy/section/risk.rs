//! Risks, contingencies, alternatives, and success criteria beyond the metrics.

use crate::grade::{Grade, Severity, Sign, Strategy, SuccessGroup};
use crate::unit::{MetricName, Name};

/// One entry of the risk register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The id of the risk, unique.
    pub id: Name,
    /// What may happen, in a sentence.
    pub risk: String,
    /// How likely it is.
    pub likelihood: Grade,
    /// How severe the consequences would be.
    pub impact: Grade,
    /// What is done to reduce the risk; empty: nothing.
    pub mitigation: String,
}

/// What to do if something other than the fix fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contingency {
    /// The id of the contingency, unique.
    pub id: Name,
    /// What has failed, for people.
    pub when: String,
    /// What to do then, in order; empty only if `waits` is not.
    pub actions: Vec<String>,
    /// The severities for which the deployment waits until the failure is repaired; each once.
    pub waits: Vec<Severity>,
    /// How the engine detects the failure, so that it refuses `promote` for `waits`. None: only
    /// people can detect it.
    pub sign: Option<Sign>,
}

/// A strategy that was not chosen, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// The strategy, each once.
    pub strategy: Strategy,
    /// Why it was not chosen, or when it would be better.
    pub why: String,
    /// With `rolling`: how many instances are updated at a time, at least 1.
    pub batch: Option<u32>,
}

/// A success criterion, in addition to the bounds of the metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessCriterion {
    /// The id of the criterion, unique.
    pub id: Name,
    /// The group to which the criterion belongs.
    pub group: SuccessGroup,
    /// The criterion in a sentence.
    pub text: String,
    /// The metric of the policy that shows it; none: a person states whether it is met.
    pub metric: Option<MetricName>,
}
