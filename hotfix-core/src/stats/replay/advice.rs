//! Advice on the reliability of a calibration.

use super::{CalibrationSettings, CountModel, History, LEAVE_ONE_OUT, Traffic};
use crate::stats::Counts;
use crate::stats::numeric::{percentile, smaller, whole};
use crate::stats::randomisation::choices;
use serde::{Deserialize, Serialize};

/// Hours of history that a calibration wants.
const HOURS: f64 = 6.0;
/// This part of them is enough: six hours of readings a minute apart lack one minute.
const ENOUGH: f64 = 0.99;
/// From this multiple of the history's traffic on, limits are raised with the traffic.
const MORE_TRAFFIC: f64 = 1.25;
/// Fewest independent windows above the fitted quantile that make a tail.
const FEWEST_IN_TAIL: f64 = 5.0;
/// From this dispersion on the noise is worth a remark.
const NOISY: f64 = 2.0;
/// Ratio by which the simulated canaries' share of the traffic may differ from the planned one.
const SHARE_OFF: f64 = 1.5;
/// Seconds of a stretch in which an incident is looked for.
const STRETCH: f64 = 300.0;
/// At this many times the usual rate events are an incident, if there are at least as many.
const INCIDENT: f64 = 20.0;
/// Subsets that randomisation wants.
const SUBSETS: f64 = 2_000.0;

/// A remark on a calibration: data for a program, a sentence by `Display`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum Advice {
    /// Less history than six hours.
    #[error("{hours:.1} hours of history, {wanted} are wanted: false rollbacks may exceed alpha")]
    ShortHistory { hours: f64, wanted: f64 },
    /// No event in the history: it says nothing about noise.
    #[error(
        "no event in the history: it calibrates nothing, the threshold is that of independent \
         errors"
    )]
    NoEvents,
    /// Few windows that do not overlap: the tail of the maxima is extrapolated from next to
    /// nothing.
    #[error(
        "the threshold rests on {independent:.1} independent windows: record a longer history or \
         shorten the phase"
    )]
    FewWindows { independent: f64 },
    /// Errors come in bursts or differ between instances.
    #[error(
        "errors vary at most {dispersion:.1} times as much as independent ones (95%): the threshold is \
         higher, detection slower"
    )]
    Noisy { dispersion: f64 },
    /// For a stretch of the history, events were so frequent that it was an incident, which is no
    /// ordinary operation. In minutes from its beginning.
    #[error(
        "in minutes {from:.0} to {until:.0} of the history events are {times:.0} times as frequent as \
         usual: leave incidents out"
    )]
    Incident { from: f64, until: f64, times: f64 },
    /// Too few canary instances to distinguish a bad release from one bad instance.
    #[error(
        "{instances} canary instance{}: from {wanted} on, one bad instance cannot roll back a \
         release",
        if *instances == 1 { "" } else { "s" }
    )]
    FewCanaryInstances { instances: usize, wanted: usize },
    /// Instances are so few that a group of them carries another share than the canary will.
    #[error(
        "the canary will have {planned:.3} of the traffic, the replayed groups had \
         {replayed:.3}: more and smaller instances calibrate better"
    )]
    ShareDiffers { planned: f64, replayed: f64 },
    /// Instances are so many that randomisation, which assumes nothing about noise, is possible.
    #[error(
        "{canary} of {instances} instances: draw them at random and use mode `randomised`, too, \
         which assumes nothing about noise"
    )]
    Randomise { instances: usize, canary: usize },
    /// The phase finds no ratio with power 0.8.
    #[error(
        "no ratio is found with power 0.8 in this phase: lengthen it or give the canary more \
         traffic"
    )]
    Blind,
    /// Of a latency: the noise of the history calls for a larger tolerance than the policy's.
    #[error(
        "instances differ by more than {policy} times: a canary that is up to {tolerated} times \
         as slow is tolerated"
    )]
    MoreTolerated { policy: f64, tolerated: f64 },
    /// Of a latency: the history has the instances of one arm.
    #[error(
        "a history of one arm does not show how far two arms of one version wander apart: that \
         they stay within {tolerated} times is assumed"
    )]
    OneArm { tolerated: f64 },
    /// The traffic is more than the history's, and the limits are as much higher.
    #[error("the traffic is {times:.1} times the history's: the limits are as much higher")]
    MoreTraffic { times: f64 },
}

/// What advice depends on.
pub(super) struct Seen<'a> {
    pub(super) settings: &'a CalibrationSettings,
    pub(super) history: &'a History,
    pub(super) canary_instances: usize,
    pub(super) traffic: &'a Traffic,
    pub(super) incident: Option<Advice>,
    pub(super) dispersion: Option<f64>,
    pub(super) independent: f64,
    pub(super) detectable: Option<f64>,
}

pub(super) fn of(seen: &Seen<'_>) -> Vec<Advice> {
    let Seen { settings, history, canary_instances, traffic, .. } = *seen;
    let mut advice = Vec::new();
    advice.extend(Advice::short_history(hours_of(history.ticks(), settings.tick_seconds)));
    if traffic.events == 0.0 {
        advice.push(Advice::NoEvents);
    } else {
        advice.extend(Advice::few_windows(seen.independent));
    }
    advice.extend(seen.incident.clone());
    if let Some(dispersion) = seen.dispersion.filter(|dispersion| *dispersion >= NOISY) {
        advice.push(Advice::Noisy { dispersion });
    }
    let reads_instances = settings.model.reads_instances();
    if reads_instances && canary_instances < LEAVE_ONE_OUT {
        let (instances, wanted) = (canary_instances, LEAVE_ONE_OUT);
        advice.push(Advice::FewCanaryInstances { instances, wanted });
    }
    let (planned, replayed) = (settings.share, traffic.shard_share);
    if traffic.trials > 0.0 && !(planned / SHARE_OFF..=planned * SHARE_OFF).contains(&replayed) {
        advice.push(Advice::ShareDiffers { planned, replayed });
    }
    let (instances, canary) = (history.instances(), canary_instances);
    if reads_instances && settings.zones.is_none() && choices(instances, canary, SUBSETS) >= SUBSETS
    {
        advice.push(Advice::Randomise { instances, canary });
    }
    if seen.detectable.is_none() && traffic.events > 0.0 {
        advice.push(Advice::Blind);
    }
    advice
}

/// The gravest incident in a history, and the usual rate (the median over stretches) beside it.
pub(super) fn incident(settings: &CalibrationSettings, all: &[Counts]) -> Option<(Advice, f64)> {
    let length = whole((STRETCH / settings.tick_seconds).ceil()).max(1);
    let stretches: Vec<Counts> = all.chunks(length).map(|ticks| ticks.iter().sum()).collect();
    let rate = |of: &Counts| of.events / of.trials;
    let mut rates: Vec<f64> = stretches.iter().filter(|of| of.trials > 0.0).map(rate).collect();
    rates.sort_unstable_by(f64::total_cmp);
    // If most stretches have no event, the usual rate is that of the whole history.
    let usual = percentile(&rates, 0.5).filter(|usual| *usual > 0.0);
    let usual = usual.unwrap_or_else(|| rate(&all.iter().sum()));
    let limit = match settings.model {
        CountModel::Poisson => INCIDENT * usual,
        CountModel::Bernoulli => smaller(INCIDENT * usual, f64::midpoint(1.0, usual)),
    };
    // Events without trials have no rate.
    let is_grave =
        |of: &Counts| of.events >= INCIDENT && of.events > limit * of.trials && of.trials > 0.0;
    let grave = stretches.iter().enumerate().filter(|(_, of)| is_grave(of));
    let (worst, _) = grave.max_by(|(_, a), (_, b)| rate(a).total_cmp(&rate(b)))?;
    // It lasts while the rate is more than halfway from the usual one to the limit.
    let goes_on = |of: &&Counts| of.events > f64::midpoint(usual, limit) * of.trials;
    let (before, after) = stretches.split_at(worst);
    let from = worst - before.iter().rev().take_while(goes_on).count();
    let until = worst + after.iter().take_while(goes_on).count();
    let times = rate(&stretches[from..until].iter().sum()) / usual;
    let minutes =
        |stretch: usize| (stretch * length).min(all.len()) as f64 * settings.tick_seconds / 60.0;
    Some((Advice::Incident { from: minutes(from), until: minutes(until), times }, usual))
}

impl Advice {
    pub(in crate::stats) fn short_history(hours: f64) -> Option<Self> {
        (hours < ENOUGH * HOURS).then_some(Self::ShortHistory { hours, wanted: HOURS })
    }

    pub(in crate::stats) fn more_traffic(times: f64) -> Option<Self> {
        (times > MORE_TRAFFIC).then_some(Self::MoreTraffic { times })
    }

    pub(in crate::stats) fn few_windows(independent: f64) -> Option<Self> {
        (independent < FEWEST_IN_TAIL).then_some(Self::FewWindows { independent })
    }
}

pub(in crate::stats) fn hours_of(ticks: usize, tick_seconds: f64) -> f64 {
    ticks as f64 * tick_seconds / 3600.0
}
