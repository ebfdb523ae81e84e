//! Texts of pages and questions: service, incident, what was observed, and what to do next.
//!
//! A text is made when its action is raised, never at each tick.

use std::borrow::Cow;

use crate::grade::BoundBase;
use crate::judge::{Cause, Reason, Verdict};
use crate::metric::{bound_figure, in_unit, interpolated};
use crate::plan::Incident;
use crate::policy::Policy;
use crate::policy::section::{Bound, BoundValue, Metric};
use crate::text::{shown, words};
use crate::unit::{MetricName, Span};

use super::action::{Act, ActionId};

/// The text with the service and the incident in front of it.
pub(super) fn addressed(incident: &Incident, text: &str) -> String {
    let names = [incident.service.as_deref(), Some(incident.id.as_str())];
    let names: Vec<String> =
        names.into_iter().flatten().filter(|name| !name.is_empty()).map(shown).collect();
    if names.is_empty() { text.to_owned() } else { format!("{}: {text}", names.join(", ")) }
}

/// An action with its id: `the change of traffic to 10% (action 7.0)`.
pub(super) fn action(id: ActionId, act: &Act) -> String {
    let what = match act {
        Act::SetTraffic { share } => format!("the change of traffic to {share}"),
        Act::Deploy { version, .. } => format!("the deployment of {}", shown(version)),
        Act::RollBack { method, version } => {
            format!("the rollback to {} by {}", shown(version), words(method.as_str()))
        }
        _ => return format!("action {id}"),
    };
    format!("{what} (action {id})")
}

/// Asks for the result of an action that was not confirmed in time.
pub(super) fn unconfirmed(id: ActionId, act: &Act, within: Span) -> String {
    let check = match act {
        Act::SetTraffic { .. } => "Check the load balancer",
        Act::RollBack { .. } => "Check which version is live",
        _ => "Check the deployment",
    };
    format!(
        "{} was not confirmed within {within}. {check}, then send `confirm` or `failed` for \
         action {id}.",
        action(id, act)
    )
}

/// The causes of a verdict, by metric, each with what was measured. Metrics with the same text are
/// named together: `bug, error_rate: the last reading is too old`.
pub(super) fn causes(policy: &Policy, verdict: &Verdict, causes: &[Cause]) -> String {
    let mut by_metric: Vec<(Option<MetricName>, Vec<String>)> = Vec::new();
    for cause in causes {
        let metric = cause.metric.and_then(|id| policy.metric(id.as_str()));
        let mut reason = reason(cause.reason, metric).into_owned();
        if let Some(instance) = &cause.instance {
            reason = format!("instance {}: {reason}", shown(instance));
        }
        match by_metric.iter_mut().find(|(id, _)| *id == cause.metric) {
            Some((_, reasons)) => reasons.push(reason),
            None => by_metric.push((cause.metric, vec![reason])),
        }
    }
    let mut sentences: Vec<(Vec<MetricName>, String)> = Vec::new();
    for (id, reasons) in by_metric {
        let reasons = reasons.join(", ");
        let text = match id.and_then(|id| measured(policy, verdict, id)) {
            Some(measured) => format!("{measured} ({reasons})"),
            None => reasons,
        };
        match sentences.iter_mut().find(|(_, known)| *known == text) {
            Some((metrics, _)) => metrics.extend(id),
            None => sentences.push((id.into_iter().collect(), text)),
        }
    }
    let sentence = |(metrics, text): &(Vec<MetricName>, String)| {
        let names: Vec<&str> = metrics.iter().map(MetricName::as_str).collect();
        if names.is_empty() { text.clone() } else { format!("{}: {text}", names.join(", ")) }
    };
    sentences.iter().map(sentence).collect::<Vec<_>>().join("; ")
}

/// What a metric shows for both versions: `6% with the fix, 0.3% without it`.
fn measured(policy: &Policy, verdict: &Verdict, id: MetricName) -> Option<String> {
    let (metric, seen) = (policy.metric(id.as_str())?, verdict.metric(id)?);
    let canary = match seen.bucket {
        Some(edges) => interpolated(seen.canary?, edges),
        None => in_unit(metric.kind, seen.canary?),
    };
    Some(match seen.baseline {
        Some(baseline) => {
            format!("{canary} with the fix, {} without it", in_unit(metric.kind, baseline))
        }
        None => format!("{canary} with the fix"),
    })
}

/// The reason, with the bound where it is a figure.
fn reason(reason: Reason, metric: Option<&Metric>) -> Cow<'static, str> {
    let crossed = metric.and_then(|metric| {
        let (name, bound) = match reason {
            Reason::RollbackBand => ("rollback", metric.bounds.rollback),
            Reason::AlertBand => ("alert", metric.bounds.alert),
            _ => return None,
        };
        Some(format!("beyond the {name} bound of {}", figure(metric, bound?)?))
    });
    match crossed {
        Some(crossed) => Cow::Owned(crossed),
        None if reason == Reason::NotJudged && metric.is_none() => {
            Cow::Borrowed("no metric decides")
        }
        None => Cow::Borrowed(reason.describe()),
    }
}

/// A bound as a figure; None where it depends on the live arm or the traffic.
fn figure(metric: &Metric, bound: Bound) -> Option<String> {
    let is_fixed =
        !metric.scaled && !matches!(bound.value, BoundValue::Relative(_, BoundBase::Live));
    bound_figure(metric, bound, None).filter(|_| is_fixed).map(|at| in_unit(metric.kind, at))
}
