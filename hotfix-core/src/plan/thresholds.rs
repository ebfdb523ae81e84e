//! What is watched: the bounds of each metric, with their units.

use serde::Serialize;

use crate::grade::Role;
use crate::metric::{beyond, bound_figure, in_unit, within};
use crate::policy::section::{Bound, Metric};
use crate::unit::MetricName;

use super::Plan;

/// A metric and its bounds.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Thresholds<'a> {
    /// The metric.
    pub metric: MetricName,
    /// Its title for people.
    pub title: &'a str,
    /// Whether it decides or is only watched.
    pub role: Role,
    /// Whether its bounds scale with the share of the traffic: they are those of 100%.
    pub scaled: bool,
    /// Its value before the incident.
    pub reference: Option<Threshold>,
    /// The success bound.
    pub success: Option<Threshold>,
    /// The alert bound.
    pub alert: Option<Threshold>,
    /// The rollback bound.
    pub rollback: Option<Threshold>,
}

/// A figure of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// In the metric's unit: a fraction, seconds, events per minute, or a number. None: it needs a
    /// reference that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figure: Option<f64>,
    /// With side and unit: `at most 275 ms (1.1 × the reference)`.
    pub text: String,
}

impl Plan {
    /// The bounds of each metric, in the order of their names.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::Plan, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("phased-canary")?);
    /// let plan = Plan::from_json(policy, r#"{"id": "INC-1"}"#, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// let thresholds = plan.thresholds();
    /// let latency = thresholds.iter().find(|of| of.metric.as_str() == "latency_p95");
    /// let rollback = latency.and_then(|of| of.rollback.as_ref()).ok_or("it has a bound")?;
    /// assert_eq!(rollback.text, "above 500 ms (2 × the reference)");
    /// assert_eq!(rollback.figure, Some(0.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn thresholds(&self) -> Vec<Thresholds<'_>> {
        self.policy().metrics().iter().map(Thresholds::of).collect()
    }
}

impl<'a> Thresholds<'a> {
    fn of(metric: &'a Metric) -> Self {
        let threshold = |bound: Option<Bound>, text: fn(&Metric, Bound) -> String| {
            let figure = bound.and_then(|bound| bound_figure(metric, bound, None));
            bound.map(|bound| Threshold { figure, text: text(metric, bound) })
        };
        let reference = metric
            .reference
            .map(|value| Threshold { figure: Some(value), text: in_unit(metric.kind, value) });
        Self {
            metric: metric.id,
            title: &metric.title,
            role: metric.role,
            scaled: metric.scaled,
            reference,
            success: threshold(metric.bounds.success, within),
            alert: threshold(metric.bounds.alert, beyond),
            rollback: threshold(metric.bounds.rollback, beyond),
        }
    }
}
