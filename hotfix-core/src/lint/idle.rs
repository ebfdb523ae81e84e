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
        in_phase(policy, index, phase, findings);
    }
}

fn deciding(policy: &Policy) -> impl Iterator<Item = &Metric> {
    policy.metrics().iter().filter(|metric| metric.role == Role::Decide)
}

/// What takes longer than every phase, although a phase waits while a bound is breached or data are
/// missing.
fn in_no_phase(policy: &Policy, findings: &mut Vec<Finding>) {
    let held: Option<Vec<Span>> = policy.phases().iter().map(Phase::longest_held).collect();
    let Some(longest) = held.and_then(|held| held.into_iter().max()) else { return };
    let watch = policy.watch();
    let every = watch.reads_every();
    let takes = Span::try_from_seconds(watch.consecutive_breaches * every.as_seconds());
    let acts = deciding(policy).any(|of| of.bounds.alert.or(of.bounds.rollback).is_some());
    // A time that is too long for a span is longer than any phase.
    if acts && !takes.is_ok_and(|takes| takes <= longest) {
        let breaches = watch.consecutive_breaches;
        let fault = FigureFault::TooManyBreaches { breaches, every, longest };
        put(findings, "/watch/consecutive_breaches", fault);
    }
    // Readings count as missing once they are stale.
    let then = watch.no_data.then;
    let (path, after) = if watch.stale > watch.no_data.after {
        ("/watch/stale", watch.stale)
    } else {
        ("/watch/no_data/after", watch.no_data.after)
    };
    if then != Response::Hold && after > longest {
        put(findings, path, FigureFault::NoDataTooLate { after, then, longest });
    }
}

/// Metrics that ignore all of a phase, those that need a full window in one that is shorter, and those
/// for which it waits longer than `watch`.
fn in_phase(policy: &Policy, index: usize, phase: &Phase, findings: &mut Vec<Finding>) {
    let (name, longest, watch) = (phase.name, phase.longest(), policy.watch());
    let (window, held) = (watch.window, phase.longest_held());
    let metrics = |is_idle: &dyn Fn(&Metric) -> bool| -> Vec<MetricName> {
        deciding(policy).filter(|of| is_idle(of)).map(|of| of.id).collect()
    };
    let ignore = metrics(&|of| held.is_some_and(|held| policy.settings(of).warm_up >= held));
    if !ignore.is_empty() {
        let fault = FigureFault::WarmUpTooLong { metrics: ignore, phase: name, longest };
        put(findings, format!("/phases/{index}"), fault);
    }
    let wait = metrics(&|of| {
        let breached = of.bounds.alert.or(of.bounds.rollback).is_some();
        let in_a_row = if breached { watch.consecutive_breaches - 1.0 } else { 0.0 };
        let full = policy.judged_after(of).as_seconds();
        let acts = full + in_a_row * watch.reads_every().as_seconds();
        !of.kind.counts_requests() && held.is_some_and(|held| acts > held.as_seconds())
    });
    if !wait.is_empty() {
        let fault = FigureFault::WindowTooLong { metrics: wait, window, phase: name, longest };
        put(findings, format!("/phases/{index}"), fault);
    }
    let is_late = |of: &&Metric| {
        let after = policy.judged_after(of);
        after > phase.watch && held.is_none_or(|held| after <= held)
    };
    let late: Vec<&Metric> = deciding(policy).filter(is_late).collect();
    if let Some(lasts) = late.iter().map(|of| policy.judged_after(of)).max() {
        let metrics = late.iter().map(|of| of.id).collect();
        let fault =
            FigureFault::WatchedLonger { metrics, phase: name, watch: phase.watch, lasts, window };
        put(findings, format!("/phases/{index}/watch"), fault);
    }
}
