//! Bounds and responses that can never act, whatever a release does.

use super::fault::FigureFault;
use super::finding::{Finding, put};
use crate::grade::{Response, Role};
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::unit::{MetricName, Span};

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    in_no_phase(policy, findings);
    for (index, phase) in policy.phases().iter().enumerate() {
        warm_up(policy, index, phase, findings);
        window(policy, index, phase, findings);
    }
}

fn deciding(policy: &Policy) -> impl Iterator<Item = &Metric> {
    policy.metrics().iter().filter(|metric| metric.role == Role::Decide)
}

/// What takes longer than every phase.
fn in_no_phase(policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(longest) = policy.phases().iter().map(Phase::longest).max() else { return };
    let watch = policy.watch();
    let takes = Span::try_from_seconds(watch.consecutive_breaches * watch.cadence.as_seconds());
    let acts = deciding(policy).any(|of| of.bounds.alert.or(of.bounds.rollback).is_some());
    // A time that is too long for a span is longer than any phase.
    if acts && !takes.is_ok_and(|takes| takes <= longest) {
        let (breaches, cadence) = (watch.consecutive_breaches, watch.cadence);
        let fault = FigureFault::TooManyBreaches { breaches, cadence, longest };
        put(findings, "/watch/consecutive_breaches", fault);
    }
    let then = watch.no_data.then;
    let limits = [("/watch/no_data/after", watch.no_data.after), ("/watch/stale", watch.stale)];
    for (path, after) in limits {
        if then != Response::Hold && after > longest {
            put(findings, path, FigureFault::NoDataTooLate { after, then, longest });
        }
    }
}

/// Metrics that ignore all of a phase.
fn warm_up(policy: &Policy, index: usize, phase: &Phase, findings: &mut Vec<Finding>) {
    let (name, longest) = (phase.name, phase.longest());
    let ignored = |of: &&Metric| policy.settings(of).warm_up >= longest;
    let metrics: Vec<MetricName> = deciding(policy).filter(ignored).map(|of| of.id).collect();
    if !metrics.is_empty() {
        let fault = FigureFault::WarmUpTooLong { metrics, phase: name, longest };
        put(findings, format!("/phases/{index}"), fault);
    }
}

/// Metrics that need a full window, in a phase that is shorter than it.
fn window(policy: &Policy, index: usize, phase: &Phase, findings: &mut Vec<Finding>) {
    let (name, longest, window) = (phase.name, phase.longest(), policy.watch().window);
    if window <= longest {
        return;
    }
    let needs_all = |of: &&Metric| !of.kind.counts_requests();
    let metrics: Vec<MetricName> = deciding(policy).filter(needs_all).map(|of| of.id).collect();
    if !metrics.is_empty() {
        let fault = FigureFault::WindowTooLong { metrics, window, phase: name, longest };
        put(findings, format!("/phases/{index}"), fault);
    }
}
