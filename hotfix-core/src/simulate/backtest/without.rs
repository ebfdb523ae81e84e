//! A policy without the metrics that were not recorded.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::grade::Role;
use crate::policy::Policy;
use crate::simulate::recorded::{RecordedErrors, RecordedFault};
use crate::sorting::remove;
use crate::text;
use crate::unit::MetricName;

use super::environment::refused;

/// The deciding metrics of a policy that are not among the recorded ones.
pub(super) fn unrecorded(
    policy: &Policy,
    recorded: &BTreeSet<MetricName>,
) -> Result<Vec<MetricName>, RecordedErrors> {
    let decide = policy.metrics().iter().filter(|metric| metric.role == Role::Decide);
    let deciding: Vec<MetricName> = decide.map(|metric| metric.id).collect();
    let (known, unknown): (Vec<_>, Vec<_>) =
        deciding.iter().copied().partition(|id| recorded.contains(id));
    if known.is_empty() {
        let (policy, metrics) = (policy.name().to_string(), text::quoted(&deciding, ", "));
        return Err(RecordedFault::NothingDecides { policy, metrics }.anywhere());
    }
    Ok(unknown)
}

/// The policy in which these metrics are only watched. The weights of the other tests are scaled up
/// to the whole budget, and a claim on one of these metrics that the fix works is dropped.
pub(super) fn without(
    policy: &Arc<Policy>,
    left_out: &[MetricName],
) -> Result<Arc<Policy>, RecordedErrors> {
    if left_out.is_empty() {
        return Ok(Arc::clone(policy));
    }
    let mut document: Value =
        serde_json::from_str(&policy.to_json()).map_err(|error| refused(policy, &error))?;
    let kept = policy.metrics().iter().filter(|metric| !left_out.contains(&metric.id));
    let sum: f64 = kept.map(|metric| metric.weight).sum();
    for metric in policy.metrics() {
        let entry = document.pointer_mut(&format!("/metrics/{}", metric.id));
        let Some(entry) = entry.and_then(Value::as_object_mut) else { continue };
        if left_out.contains(&metric.id) {
            entry.insert("role".to_owned(), Value::from(Role::Watch.as_str()));
            remove(entry, "weight");
        } else if metric.weight > 0.0 {
            entry.insert("weight".to_owned(), Value::from(metric.weight / sum));
        }
    }
    if policy.efficacy().is_some_and(|claim| left_out.contains(&claim.metric))
        && let Some(document) = document.as_object_mut()
    {
        remove(document, "efficacy");
    }
    Policy::from_value(&document).map(Arc::new).map_err(|errors| refused(policy, &errors))
}
