//! The events of a release at the reference rate, and the chance that it crosses a bound.
//!
//! If a plan has no traffic, it is the reference of the policy's volume metric. Each request
//! is assumed to be a trial of each proportion. A metric with fewer trials varies more than
//! computed here, not less.

use crate::grade::Worse;
use crate::metric::bound_figure;
use crate::metric_kind::Data;
use crate::policy::Policy;
use crate::policy::section::{Bound, BoundValue, Metric, Phase};
use crate::stats::numeric::whole;
use crate::stats::planning::chances::{Draw, Limit};
use crate::stats::planning::gate::count_chance;
use crate::unit::{Share, Span};

/// Chances that a healthy fix meets an advised bound in all phases. The first that any bound reaches is used.
pub(crate) const SURE: [f64; 3] = [0.99, 0.95, 0.9];

/// The volume metric that counts all requests, deciding or watched, with its reference in requests
/// per minute over all arms. It is the one with the largest reference: others count a part, such as
/// orders. None if no volume metric has a reference.
pub(crate) fn traffic_metric(policy: &Policy) -> Option<(&Metric, f64)> {
    let volumes = policy.metrics().iter().filter(|metric| metric.kind.is_traffic());
    let known = volumes.filter_map(|metric| Some((metric, metric.reference?)));
    known.filter(|(_, reference)| *reference > 0.0).max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Requests per minute over all arms, by the reference of the [metric that counts them](traffic_metric).
pub(crate) fn traffic(policy: &Policy) -> Option<f64> {
    traffic_metric(policy).map(|(_, reference)| reference)
}

/// Trials of an arm with this share in a time, as a whole number.
pub(crate) fn trials(traffic: f64, share: Share, time: Span) -> f64 {
    // Against rounding errors: a tenth of 1,000 is 100, not 99.
    (traffic * share.as_fraction() * time.as_seconds() / 60.0 * (1.0 + 1e-12)).floor()
}

/// A bound's figure, if it does not depend on the live arm.
pub(crate) fn figure(metric: &Metric, bound: Bound) -> Option<f64> {
    match bound.value {
        BoundValue::Relative(_, crate::grade::BoundBase::Live) => None,
        _ => bound_figure(metric, bound, None),
    }
}

/// The distribution of a healthy release's counts at the gate of a phase, with exactly so many requests a
/// minute as planned: bounds are stated for that number. None below the least trials: the gate then waits.
pub(crate) fn at_gate(
    policy: &Policy,
    metric: &Metric,
    phase: &Phase,
    traffic: Option<f64>,
) -> Option<Law> {
    let (after, warm_up) = (policy.gate_after(phase), policy.settings(metric).warm_up);
    let watched = Span::from_millis(after.as_millis().checked_sub(warm_up.as_millis())?);
    let trials = traffic.map(|traffic| trials(traffic, phase.share, watched));
    let law = Law::of(metric, phase.share, watched, (trials, policy.watch().least_trials))?;
    Some(law.as_planned())
}

/// The distribution of a healthy release's counts in a full window of a phase. None below the least trials.
pub(crate) fn in_window(
    policy: &Policy,
    metric: &Metric,
    phase: &Phase,
    traffic: Option<f64>,
) -> Option<Law> {
    let watch = policy.watch();
    let trials = traffic.map(|of| trials(of, phase.share, watch.window));
    Law::of(metric, phase.share, watch.window, (trials, watch.least_trials))
}

/// The probability of as many breaches in a row as the policy requires, if one has this chance.
/// Only those at least a window apart count, since nearer ones share data.
pub(crate) fn in_a_row(policy: &Policy, chance: f64) -> f64 {
    let watch = policy.watch();
    let between = (watch.consecutive_breaches - 1.0) * watch.reads_every().as_seconds();
    let apart = (between / watch.window.as_seconds()).floor();
    power(chance, apart + 1.0)
}

/// A chance to the power of a whole number of times.
fn power(chance: f64, times: f64) -> f64 {
    let (mut power, mut done) = (1.0, 0.0);
    while done < times && power > 0.0 {
        power *= chance;
        done += 1.0;
    }
    power
}

/// The distribution of an arm's bad events in some time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Law {
    /// Trials, each bad with the chance `rate`. With a `least`, their number is random with the
    /// mean `trials`, and no bound is evaluated below `least`; without, it is exact.
    Trials { trials: f64, rate: f64, least: Option<f64> },
    /// A number of expected events in a number of seconds of exposure.
    Events { seconds: f64, expected: f64 },
}

impl Law {
    /// The distribution at the reference rate for an arm with this share, in a time or a number of
    /// trials. None for a metric that is not counted or has no reference, and for fewer trials than
    /// the least.
    pub(crate) fn of(
        metric: &Metric,
        share: Share,
        time: Span,
        (trials, least): (Option<f64>, f64),
    ) -> Option<Self> {
        let reference = metric.reference?;
        match (metric.kind.data(), metric.worse) {
            (Data::Trials, worse) => {
                let rate = if worse == Worse::Higher { reference } else { 1.0 - reference };
                let trials = trials.filter(|trials| *trials >= least)?;
                Some(Self::Trials { trials, rate, least: Some(least) })
            }
            (Data::Exposure, Worse::Higher) => {
                let scale = if metric.scaled { share.as_fraction() } else { 1.0 };
                let seconds = time.as_seconds() * scale;
                Some(Self::Events { seconds, expected: reference * seconds / 60.0 })
            }
            (Data::Exposure | Data::Buckets | Data::Level, _) => None,
        }
    }

    /// With exactly as many trials as planned.
    fn as_planned(self) -> Self {
        match self {
            Self::Trials { trials, rate, .. } => Self::Trials { trials, rate, least: None },
            events @ Self::Events { .. } => events,
        }
    }

    pub(crate) fn expected(self) -> f64 {
        match self {
            Self::Trials { trials, rate, .. } => trials * rate,
            Self::Events { expected, .. } => expected,
        }
    }

    /// The fewest bad events beyond a figure among the planned trials, and the chance to be beyond
    /// the figure, over the numbers of trials that may come. None if it cannot be exceeded.
    pub(crate) fn beyond(self, metric: &Metric, figure: f64) -> Option<(f64, f64)> {
        match self {
            Self::Trials { trials, rate, least } => {
                let bad = if metric.worse == Worse::Higher { figure } else { 1.0 - figure };
                if !(0.0..1.0).contains(&bad) || trials < 1.0 {
                    return None;
                }
                let most = (bad * trials * (1.0 + 1e-12)).floor();
                let planned = Limit::certain(whole(most));
                let limit =
                    least.map_or(planned, |least| Limit::drawn(planned.most, bad, trials, least));
                let all = Draw::Trials { trials, rate };
                let missed = 1.0 - limit.mean(|most| all.at_most(most));
                (most < trials).then_some((most + 1.0, missed))
            }
            Self::Events { seconds, expected } => {
                let most = (figure * seconds / 60.0 * (1.0 + 1e-12)).floor();
                Some((most + 1.0, 1.0 - count_chance(expected, most).ok()?))
            }
        }
    }

    /// The pair of a reading with so many bad events: events and trials, or events and seconds.
    pub(crate) fn counts(self, metric: &Metric, bad: f64) -> (f64, f64) {
        match self {
            Self::Trials { trials, .. } => (metric.worse.bad(bad, trials), trials),
            Self::Events { seconds, .. } => (bad, seconds),
        }
    }
}
