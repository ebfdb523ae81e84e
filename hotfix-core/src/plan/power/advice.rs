//! Advice that improves the power: longer phases, more traffic, more instances.

use serde::Serialize;

use crate::plan::Plan;
use crate::plan::healthy::trials;
use crate::policy::section::Metric;
use crate::stats::numeric::larger;
use crate::unit::{MetricName, PhaseName, Share};

use super::format::{cases, lasting};
use super::test::Test;
use super::watch::{Watching, minutes_of};
use super::{MetricPower, POWER};

/// Largest factor of time or traffic that is advised.
const MOST_TIMES: f64 = 1_000.0;
/// Smallest factor of time or traffic that is advised.
const LEAST_TIMES: f64 = 1.01;

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// The metric concerned.
    pub metric: MetricName,
    /// The phases concerned.
    pub phases: Vec<PhaseName>,
    /// What is needed.
    #[serde(flatten)]
    pub need: Need,
    /// The advice in sentences.
    pub sentence: String,
}

/// What is needed.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Need {
    /// Enough trials for a band. The gate waits without them.
    Trials {
        /// Length of a trailing window that has them, in minutes.
        window_minutes: Option<f64>,
        /// Traffic that has them.
        requests_per_minute: Option<f64>,
    },
    /// What finds a fault of the policy's margin with the wanted power. Each value is enough by
    /// itself, and approximate.
    Fault {
        /// The margin.
        ratio: f64,
        /// Present chance to find it.
        chance: f64,
        /// Minutes of the phase.
        minutes: Option<f64>,
        /// Requests per minute.
        requests_per_minute: Option<f64>,
        /// Share of the traffic.
        share: Option<f64>,
        /// Canary instances, out of the instances of the traffic.
        instances: Option<u32>,
    },
}

/// What gates that wait for trials need.
pub(super) fn for_gates(plan: &Plan, metric: &Metric, seen: &MetricPower) -> Vec<Advice> {
    let phases = plan.phases().iter().zip(&seen.phases).filter(|(_, seen)| seen.waits_for_trials);
    let watching = phases.filter_map(|(phase, _)| Watching::try_new(plan, metric, phase));
    watching.map(|watching| more_trials(plan, &watching)).collect()
}

fn more_trials(plan: &Plan, watching: &Watching<'_>) -> Advice {
    let Watching { metric, phase, .. } = watching;
    let watch = plan.policy().watch();
    let (window, least) = (minutes_of(watch.window), watch.least_trials);
    let share = phase.share_of_fewer(metric.compares_live());
    let requests = plan.requests_per_minute().filter(|_| metric.kind.is_fraction());
    let a_minute = requests.map(|requests| requests * share.as_fraction());
    let few = requests.is_some_and(|of| trials(of, share, watch.window) < least);
    let window_minutes = a_minute.filter(|of| few && *of > 0.0).map(|trials| least / trials);
    let needed = window_minutes.map(|_| (least / (share.as_fraction() * window)).ceil());
    let why = match (a_minute, window_minutes, needed) {
        (Some(trials), Some(minutes), Some(needed)) => format!(
            "a window of {} has about {} of the {least} trials that a band needs; {needed} requests per minute have them, or a window and a phase of {}",
            lasting(window),
            (trials * window).round(),
            lasting(minutes.ceil()),
        ),
        (Some(trials), ..) => {
            let counted = watching.minutes_counted().min(window);
            let long_enough = minutes_of(watching.lasts) + least / trials - counted;
            format!(
                "without the warm-up, about {} of the {least} trials that a band needs are counted by then; watch for at least {}",
                (trials * counted).round(),
                lasting(long_enough.ceil()),
            )
        }
        (None, ..) => {
            let window = lasting(window);
            format!("its window is longer than the phase; watch for at least {window}")
        }
    };
    let sentence = format!("`{}`: the gate of `{}` waits: {why}", metric.id, phase.name);
    let need = Need::Trials { window_minutes, requests_per_minute: needed };
    Advice { metric: metric.id, phases: vec![phase.name], need, sentence }
}
/// Advice for a fault of the policy's margin, for each phase with a live arm.
pub(super) fn faults(plan: &Plan, metric: &Metric, seen: &MetricPower) -> Vec<Advice> {
    let margin = plan.policy().settings(metric).margin.value();
    let mut advice = Vec::new();
    for (phase, of) in plan.phases().iter().zip(&seen.phases) {
        let Some(watching) = Watching::try_new(plan, metric, phase) else { continue };
        let Some(test) = Test::try_new(plan, &watching) else { continue };
        let asked = of.faults.iter().find(|fault| fault.ratio == margin);
        let known = asked.and_then(|fault| fault.sequential).map(|found| found.chance);
        let found = known.or_else(|| test.finds(margin).map(|found| found.chance));
        let Some(chance) = found.filter(|chance| *chance < POWER) else { continue };
        let minutes = watching.minutes_counted();
        let times = times_as_long(&test, margin, minutes);
        let longer = times.map(|times| (minutes * times + of.minutes - minutes).ceil());
        let is_counted = metric.kind.is_fraction();
        let requests = times.zip(plan.requests_per_minute().filter(|_| is_counted));
        let requests_per_minute = requests.map(|(times, requests)| (requests * times).ceil());
        let share = share_needed(&test, margin, minutes).filter(|_| is_counted);
        let all = plan.subject().traffic.instances;
        let instances =
            share.zip(all).and_then(|(share, all)| instances(share, all, &test, margin, minutes));
        let mut ways = Vec::new();
        ways.extend(longer.map(lasting));
        ways.extend(requests_per_minute.map(|requests| format!("{requests} requests per minute")));
        ways.extend(match (instances, all, share) {
            (Some(some), Some(all), _) => Some(format!("{some} of the {all} instances")),
            (_, _, share) => share.map(|share| format!("{:.0}% of the traffic", 100.0 * share)),
        });
        let needs = if ways.is_empty() {
            "even a phase a thousand times as long is not enough at this rate".to_owned()
        } else {
            format!("{} of 100 need about {}", 100.0 * POWER, ways.join(", or "))
        };
        let sentence = format!(
            "`{}`: the test finds a fault of {margin} × the reference within the {} of `{}` in {}; {needs}",
            metric.id,
            lasting(of.minutes),
            phase.name,
            cases(chance)
        );
        let need = Need::Fault {
            ratio: margin,
            chance,
            minutes: longer,
            requests_per_minute,
            share,
            instances,
        };
        advice.push(Advice { metric: metric.id, phases: vec![phase.name], need, sentence });
    }
    advice
}

/// The factor of time or traffic that finds the fault. None up to a thousand. It is above 1 also
/// if the formula is satisfied with 1, because the exact distribution may have shown otherwise.
fn times_as_long(test: &Test<'_>, ratio: f64, minutes: f64) -> Option<f64> {
    let finds = |times: f64| test.finds_at(test.comparison.share, ratio, minutes * times);
    if minutes <= 0.0 || ratio <= test.comparison.tolerated || !finds(MOST_TIMES) {
        return None;
    }
    let (mut low, mut high) = (0.0, MOST_TIMES);
    while high - low > 1e-3 * high {
        let middle = 0.5 * (low + high);
        if finds(middle) { high = middle } else { low = middle }
    }
    Some(larger(high, LEAST_TIMES))
}

/// The smallest share above the present one, in whole percent, that finds the fault.
fn share_needed(test: &Test<'_>, ratio: f64, minutes: f64) -> Option<f64> {
    let most = Share::ALL.as_fraction();
    let mut share = ((test.comparison.share * 100.0 + 1e-6).floor() + 1.0) / 100.0;
    while share < most {
        if test.finds_at(share, ratio, minutes) {
            return Some(share);
        }
        share = ((share + 0.01) * 100.0).round() / 100.0;
    }
    None
}

/// The fewest instances whose share finds the fault.
fn instances(share: f64, all: u32, test: &Test<'_>, ratio: f64, minutes: f64) -> Option<u32> {
    let of = |some: u32| f64::from(some) / f64::from(all);
    let present = test.comparison.share;
    let more = |some: u32| of(some) >= share - 0.01 && of(some) > present + 1e-8;
    let first = (1..all).find(|some| more(*some))?;
    (first..all).find(|some| test.finds_at(of(*some), ratio, minutes))
}
