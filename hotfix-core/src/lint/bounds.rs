//! Bounds of metrics: their order, and how often a healthy release breaches them by chance.

use super::fault;
use super::finding::{Example, Finding, found, put, report};
use super::format::chance;
use crate::grade::{BoundBase, Response, Role, Worse};
use crate::metric::{BoundInBucket, Unjudged};
use crate::metric_kind::Unit;
use crate::plan::healthy::{Law, OFTEN, at_gate, figure, in_a_row, in_window, traffic};
use crate::plan::power::kept_by_rollback;
use crate::policy::Policy;
use crate::policy::section::{Bound, BoundValue, Bounds, Metric, Phase};
use crate::text::{self, pointer_step, quoted};
use crate::unit::{PhaseName, Share, Span};

/// Longer times of requests are probably milliseconds without a unit.
const LONGEST: Span = Span::from_seconds(60);
/// A rollback bound is doubtful if it rolls back more healthy releases than this in a phase: as
/// many as all tests together usually may.
const DOUBTFUL_ROLLBACK: f64 = 0.01;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    for metric in policy.metrics() {
        live_arm(policy, metric, findings);
        ratio_of_zero(metric, findings);
        times(metric, findings);
        if metric.role == Role::Watch {
            watched(metric, findings);
        } else {
            order(metric, findings);
            wrong_side(policy, metric, findings);
            missed_by_chance(policy, metric, findings);
            alerts_by_chance(policy, metric, findings);
            rolled_back_by_chance(policy, metric, findings);
        }
    }
    sick_live_arm(policy, findings);
    unjudged(policy, findings);
}

/// Bounds that would alert or roll back, of a metric that decides nothing.
fn watched(metric: &Metric, findings: &mut Vec<Finding>) {
    let acts = metric.bounds.named().filter(|(bound, _)| *bound != "success");
    let acts: Vec<&str> = acts.map(|(bound, _)| bound).collect();
    if let Some(first) = acts.first() {
        report! { findings, place(metric, first), fault::WATCHED_BOUND,
            "the `role` of `{}` is `watch`: nothing is decided by its {}",
            metric.id, quoted(&acts, " and ")
        }
    }
}

fn place(metric: &Metric, bound: &str) -> String {
    format!("/metrics/{}/{bound}", pointer_step(metric.id.as_str()))
}

/// The names of the bounds that are a ratio to this base.
fn relative(metric: &Metric, to: BoundBase) -> impl Iterator<Item = &'static str> {
    let is_relative =
        move |bound: Bound| matches!(bound.value, BoundValue::Relative(_, base) if base == to);
    metric.bounds.named().filter(move |(_, bound)| is_relative(*bound)).map(|(name, _)| name)
}

fn order(metric: &Metric, findings: &mut Vec<Finding>) {
    let (id, Bounds { success, alert, rollback }) = (metric.id, metric.bounds);
    // Two figures, or two ratios of the live arm, can be compared: both as texts, whether the first
    // is worse, and whether the second is.
    let compared = |first: Option<Bound>, second: Option<Bound>| {
        let (first, second) = (first?, second?);
        let (a, b, unit) = match (first.value, second.value) {
            (
                BoundValue::Relative(a, BoundBase::Live),
                BoundValue::Relative(b, BoundBase::Live),
            ) => (a.value(), b.value(), " times the live arm"),
            _ => (figure(metric, first)?, figure(metric, second)?, ""),
        };
        // Six digits hide rounding errors.
        let at = [a, b].map(|at| format!("{}{unit}", text::figure(at, 6)));
        Some((at, metric.worse.is_beyond(a, b), metric.worse.is_beyond(b, a)))
    };
    let mut out_of_order = |[first, second]: [&'static str; 2], at: [String; 2], so| {
        let [first_at, second_at] = at;
        report! { findings, place(metric, first), fault::BOUND_ORDER,
            "`{first}` of `{id}` is at {first_at}, at or beyond `{second}` at {second_at}: {so}"
        }
    };
    if let Some((at, true, _)) = compared(success, alert) {
        out_of_order(["success", "alert"], at, "values that meet the first may alert");
    }
    if let Some((at, _, false)) = compared(alert, rollback) {
        let so = "the release is rolled back before anybody is alerted";
        out_of_order(["alert", "rollback"], at, so);
    }
    if let Some(([success, rollback], true, _)) = compared(success, rollback) {
        report! { findings, place(metric, "success"), fault::SUCCESS_BEYOND_ROLLBACK,
            "`success` of `{id}` at {success} allows values for which `rollback` at {rollback} rolls back"
        }
    }
}

/// Bounds on the wrong side of the reference or of the live arm, and bounds that no value is beyond.
fn wrong_side(policy: &Policy, metric: &Metric, findings: &mut Vec<Finding>) {
    let (id, worse) = (metric.id, metric.worse);
    let better = |first: f64, second: f64| worse.is_beyond(second, first);
    // The worst and the best values that are possible.
    let (end, best) = match (metric.kind.unit(), worse) {
        (Unit::Fraction, Worse::Higher) => (Some(1.0), Some(0.0)),
        (Unit::Fraction, Worse::Lower) => (Some(0.0), Some(1.0)),
        (Unit::PerMinute | Unit::Seconds, Worse::Higher) => (None, Some(0.0)),
        (Unit::PerMinute | Unit::Seconds, Worse::Lower) => (Some(0.0), None),
        (Unit::Number, _) => (None, None),
    };
    let all_move = policy.phases().iter().any(|phase| phase.share == Share::ALL);
    // The metric of the bug is worse in the live version, so it may have a better bound.
    let is_bug = policy.efficacy().is_some_and(|efficacy| efficacy.metric == id);
    for (bound, value) in metric.bounds.named() {
        let is_criterion = bound == "success";
        let so = if is_criterion { "misses it" } else { "breaches it" };
        if let (BoundValue::Relative(ratio, BoundBase::Live), false) = (value.value, is_bug) {
            let ratio = ratio.value();
            // Of two equal arms about half of the readings are beyond each other.
            if !better(1.0, ratio) {
                report! { findings, place(metric, bound), fault::BEYOND_THE_LIVE_ARM,
                    "`{bound}` of `{id}` is {ratio} times the live arm, where {worse} is worse: a release that is as good as the live version {so}"
                }
            }
        }
        let Some(figure) = figure(metric, value) else { continue };
        if end.is_some_and(|end| !better(figure, end)) {
            let so = if is_criterion { "every release meets it" } else { "nothing breaches it" };
            report! { findings, place(metric, bound), fault::BOUND_AT_THE_END,
                "`{bound}` of `{id}` is {figure}, and no value is {worse}: {so}"
            }
        }
        let suppressed = value.unless_both_arms && !all_move;
        let Some(reference) = metric.reference.filter(|_| !suppressed) else { continue };
        let side = if better(figure, reference) {
            "beyond"
        } else if figure == reference && !is_criterion && best != Some(figure) {
            "at"
        } else {
            continue;
        };
        report! { findings, place(metric, bound), fault::BEYOND_ITS_REFERENCE,
            "the `reference` of `{id}`, {reference}, is {side} its `{bound}` of {figure}: a release that is as good as before {so}"
        }
    }
}

/// Bounds of a latency that are not among its boundaries, and times of requests that are longer than
/// anybody waits: milliseconds without a unit.
fn times(metric: &Metric, findings: &mut Vec<Finding>) {
    if !metric.kind.has_buckets() {
        return;
    }
    let mut check = |key: &str, is: Span| {
        let is_long = is > LONGEST;
        if is_long {
            put(findings, place(metric, key), fault::wrong_unit(is, "long"));
        }
        is_long
    };
    let bounds = metric.bounds.named().filter_map(|(name, bound)| match bound.value {
        BoundValue::Absolute(figure) => Some((name, figure)),
        BoundValue::Relative(..) => None,
    });
    for (name, figure) in bounds.chain(metric.reference.map(|figure| ("reference", figure))) {
        if let Ok(is) = Span::try_from_seconds(figure) {
            check(name, is);
        }
    }
    // A histogram of slow requests has buckets below a second as well.
    if let [first, .., last] = *metric.boundaries
        && first >= 1.0
        && Span::try_from_seconds(last).is_ok_and(|last| check("boundaries", last))
    {
        return;
    }
    for fault in BoundInBucket::of(metric) {
        let kind =
            if fault.is_beyond() { fault::BOUND_BEYOND_BUCKETS } else { fault::BOUND_IN_BUCKET };
        report! { findings, place(metric, fault.bound), kind, "{fault}" }
    }
}

/// Bounds that refer to the live arm, in a phase that has none.
fn live_arm(policy: &Policy, metric: &Metric, findings: &mut Vec<Finding>) {
    let Some(phase) = policy.phases().iter().find(|phase| phase.share == Share::ALL) else {
        return;
    };
    // A volume is compared with its own level before.
    if metric.has_own_level() {
        return;
    }
    let (id, phase) = (metric.id, phase.name);
    for bound in relative(metric, BoundBase::Live) {
        let (kind, so) = if metric.reference.is_some() {
            (fault::NO_LIVE_ARM, ": there it uses the reference")
        } else if metric.role == Role::Decide {
            let so = ", and there is no reference: the bound judges nothing there";
            (fault::NO_REFERENCE, so)
        } else {
            continue;
        };
        report! { findings, place(metric, bound), kind,
            "`{bound}` of `{id}` is a ratio of the live arm, which `{phase}` does not have{so}"
        }
    }
}

/// Bounds that are a ratio of a reference of 0.
fn ratio_of_zero(metric: &Metric, findings: &mut Vec<Finding>) {
    if metric.reference != Some(0.0) {
        return;
    }
    for bound in relative(metric, BoundBase::Reference) {
        report! { findings, place(metric, bound), fault::RATIO_OF_ZERO,
            "`{bound}` of `{}` is a ratio of its `reference`, which is 0: so is the bound, whatever the ratio",
            metric.id
        }
    }
}

/// Success bounds that a healthy release often misses by chance at a gate.
fn missed_by_chance(policy: &Policy, metric: &Metric, findings: &mut Vec<Finding>) {
    let Some(bound) = metric.bounds.success.and_then(|bound| figure(metric, bound)) else { return };
    let (mut back, mut waits) = (Vec::new(), Vec::new());
    let mut passes = 1.0;
    let mut example = [None, None];
    for phase in policy.phases() {
        let Some(law) = at_gate(policy, metric, phase, traffic(policy)) else { continue };
        let Some((bad, missed)) = law.beyond(metric, bound) else { continue };
        let of = usize::from(phase.criteria_missed != Response::RollBack);
        if phase.criteria_missed == Response::RollBack {
            passes *= 1.0 - missed;
        }
        if missed <= OFTEN {
            continue;
        }
        let list = if of == 0 { &mut back } else { &mut waits };
        list.push(missed_in(phase.name, law.expected(), missed));
        example[of].get_or_insert_with(|| counts(metric, phase, law, bad, missed));
    }
    let [first, second] = example;
    let misses = format!(
        "a release that is as good as the reference misses `success` of `{}` by chance alone and",
        metric.id
    );
    if !back.is_empty() {
        let fault = found! { fault::COIN_TOSS,
            "{misses} is rolled back: {}; it passes all such gates in {} cases",
            back.join("; "), chance(passes)
        };
        findings.push(Finding::new(place(metric, "success"), fault, first));
    }
    if !waits.is_empty() {
        let fault = found! { fault::WAITS_BY_CHANCE, "{misses} waits: {}", waits.join("; ") };
        findings.push(Finding::new(place(metric, "success"), fault, second));
    }
}

/// The probability that a healthy release misses a criterion in a phase, and what is expected there.
fn missed_in(phase: PhaseName, expected: f64, missed: f64) -> String {
    let (expected, missed) = ((expected * 100.0).round() / 100.0, chance(missed));
    format!("{missed} in `{phase}`, where {expected} bad events are expected")
}

fn counts(metric: &Metric, phase: &Phase, law: Law, bad: f64, chance: f64) -> Example {
    let (events, trials) = law.counts(metric, bad);
    Example::Counts { metric: metric.id, phase: phase.name, events, trials, chance }
}

/// A full window of the first phase in which a healthy release breaches a bound: its counts, the fewest
/// bad events that do, and the probability. None if the bound has no figure or the metric no distribution.
fn first_window<'a>(
    policy: &'a Policy,
    metric: &Metric,
    bound: Bound,
) -> Option<(&'a Phase, Law, f64, f64)> {
    let phase = policy.phases().first()?;
    let law = in_window(policy, metric, phase, traffic(policy))?;
    let (bad, chance) = law.beyond(metric, figure(metric, bound)?)?;
    Some((phase, law, bad, chance))
}

/// Alert bounds that a healthy release often breaches by chance in a window of the first phase.
fn alerts_by_chance(policy: &Policy, metric: &Metric, findings: &mut Vec<Finding>) {
    let window = metric.bounds.alert.and_then(|bound| first_window(policy, metric, bound));
    let Some((phase, law, bad, by_chance)) = window else { return };
    let trips = in_a_row(policy, by_chance);
    if trips > OFTEN {
        let fault = found! { fault::ALERT_BY_CHANCE,
            "a release that is as good as the reference breaches `alert` of `{}` in {} windows of `{}`",
            metric.id, chance(trips), phase.name
        };
        let example = Some(counts(metric, phase, law, bad, by_chance));
        findings.push(Finding::new(place(metric, "alert"), fault, example));
    }
}

/// Rollback bounds that often roll back a healthy release by chance.
fn rolled_back_by_chance(policy: &Policy, metric: &Metric, findings: &mut Vec<Finding>) {
    let Some(bound) = metric.bounds.rollback else { return };
    let traffic = traffic(policy);
    let phases = policy.phases().iter().filter_map(|phase| {
        let missed = 1.0 - kept_by_rollback(policy, traffic, metric, bound, phase)?;
        let expected = at_gate(policy, metric, phase, traffic)?.expected();
        (missed > DOUBTFUL_ROLLBACK).then(|| missed_in(phase.name, expected, missed))
    });
    let phases: Vec<String> = phases.collect();
    if !phases.is_empty() {
        let window = first_window(policy, metric, bound);
        let example =
            window.map(|(phase, law, bad, chance)| counts(metric, phase, law, bad, chance));
        let fault = found! { fault::ROLLBACK_BY_CHANCE,
            "a release that is as good as the reference is beyond `rollback` of `{}` by chance alone and is rolled back: about {}",
            metric.id, phases.join("; ")
        };
        findings.push(Finding::new(place(metric, "rollback"), fault, example));
    }
}

/// The rollback bound of the bug's metric is suppressed because the live version has the bug.
fn sick_live_arm(policy: &Policy, findings: &mut Vec<Finding>) {
    let bug = policy.efficacy().and_then(|e| policy.metric(e.metric.as_str()));
    let Some(metric) = bug else { return };
    let Some(bound) = metric.bounds.rollback.filter(|bound| bound.unless_both_arms) else { return };
    let compared = policy.phases().iter().any(|phase| phase.share < Share::ALL);
    if let (BoundValue::Absolute(figure), true) = (bound.value, compared) {
        report! { findings, place(metric, "rollback"), fault::SICK_LIVE_ARM,
            "`rollback` of `{}`, the metric of the bug, is suppressed while the live version exceeds {figure}, which it does as long as it has the bug",
            metric.id
        }
    }
}

fn unjudged(policy: &Policy, findings: &mut Vec<Finding>) {
    for unjudged in Unjudged::of(policy) {
        report! { findings, "/metrics", fault::NOTHING_JUDGES, "{unjudged}" }
    }
}
