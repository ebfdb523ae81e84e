//! The events of a release at the reference rate, and the chance that it crosses a bound.
//!
//! If a plan has no traffic, it is the reference of the policy's volume metric. Each request
//! is assumed to be a trial of each proportion. A metric with fewer trials varies more than
//! computed here, not less.

use crate::grade::Worse;
use crate::metric::bound_figure;
use crate::policy::Policy;
use crate::policy::section::{Bound, Metric, Phase};
use crate::stats::numeric::whole;
use crate::stats::planning::chances::{Draw, Limit};
use crate::unit::{Share, Span};

/// A bound is named where chance makes a healthy fix miss it more often than this, and a phase where chance
/// leaves a larger part of its windows without the least trials.
pub(crate) const OFTEN: f64 = 0.05;
/// Chances that a healthy fix meets an advised bound in all phases. The first that any bound reaches is used.
pub(crate) const SURE: [f64; 3] = [0.99, 0.95, 0.9];

/// A bound is given up only if it cannot be met with this many times the planned or observed traffic
/// either (`docs/decisions/forecast.md`).
pub(crate) const MOST_TRAFFIC: f64 = 1.5;

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
    // A tenth of 1,000 is 100, whatever the last bit says.
    (traffic * share.as_fraction() * time.as_seconds() / 60.0 * (1.0 + 1e-12)).floor()
}

/// A bound's figure, if it does not depend on the live arm.
pub(crate) fn figure(metric: &Metric, bound: Bound) -> Option<f64> {
    bound_figure(metric, bound, None).filter(|_| !bound.is_on_live())
}

/// The counts of a healthy release that the gate of a phase gets with exactly so many requests a minute: the documents
/// state their bounds in such figures. None with fewer than the least trials: then the gate waits and does not judge.
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
    Some(Law { least: None, ..law })
}

/// The counts of a healthy release in a full window of a phase; none below the least trials.
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

/// The probability of all breaches in a row that are needed: those at least a window apart share no
/// data.
pub(crate) fn in_a_row(policy: &Policy, chance: f64) -> f64 {
    let watch = policy.watch();
    let between = (watch.consecutive_breaches - 1.0) * watch.reads_every().as_seconds();
    let apart = (between / watch.window.as_seconds()).floor();
    let (mut all, mut done) = (chance, 0.0);
    while done < apart && all > 0.0 {
        (all, done) = (all * chance, done + 1.0);
    }
    all
}

/// Bad events a trial, or a minute of exposure, of a release that is as good as the record. None for what is
/// not counted, or of which fewer are worse.
pub(crate) fn bad_rate(metric: &Metric) -> Option<f64> {
    let record = metric.reference.filter(|_| metric.counts_bad_events())?;
    Some(metric.worse.bad(record, 1.0))
}

/// Bad events in so many trials, or seconds of exposure.
pub(crate) fn draw(metric: &Metric, trials: f64, rate: f64) -> Draw {
    if metric.kind.has_exposure() {
        Draw::Events { expected: rate * trials / 60.0 }
    } else {
        Draw::Trials { trials, rate: rate.min(1.0) }
    }
}

/// Most bad events that are not beyond a figure, as chance decides how many of so many trials come; with fewer
/// than `least` it is not asked. None where no number is beyond it.
pub(crate) fn limit(metric: &Metric, figure: f64, trials: f64, least: f64) -> Option<Limit> {
    let most = most_within(metric, figure, trials)?;
    let drawn = || Limit::drawn(most, metric.worse.bad(figure, 1.0), trials, least);
    Some(if metric.kind.has_exposure() { Limit::certain(most) } else { drawn() })
}

/// Most bad events among exactly so many trials whose value is not beyond the figure, computed as the judge
/// computes it; none where no number is.
pub(crate) fn most_within(metric: &Metric, figure: f64, trials: f64) -> Option<usize> {
    let count = metric.kind.has_exposure();
    // Where values begin to be beyond it: of many trials, far more bad events than the figure has.
    let by = if metric.worse == Worse::Higher { Worse::LAST_BITS } else { -Worse::LAST_BITS };
    let edge = figure * (1.0 + by);
    let bad = if count { edge * trials / 60.0 } else { metric.worse.bad(edge, 1.0) * trials };
    let crosses = |bad: f64| {
        let value = metric.worse.bad(bad, trials) / trials;
        let value = if count { bad / trials * 60.0 } else { value };
        metric.worse.is_beyond(value, figure)
    };
    // Beyond 2^53 a number and the next are one, and the steps below would never end.
    if trials <= 0.0 || (!count && !crosses(trials)) || bad >= 9e15 {
        return None;
    }
    let mut most = bad.floor().max(0.0);
    while most > 0.0 && crosses(most) {
        most -= 1.0;
    }
    while (count || most < trials) && !crosses(most + 1.0) {
        most += 1.0;
    }
    Some(whole(most))
}

/// The distribution of an arm's bad events in some time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Law {
    pub(crate) draw: Draw,
    /// Trials, or seconds of exposure.
    trials: f64,
    /// With fewer trials no bound is asked. None where there are exactly as many as planned.
    least: Option<f64>,
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
        let rate = bad_rate(metric)?;
        let trials = if metric.kind.has_exposure() {
            time.as_seconds() * if metric.scaled { share.as_fraction() } else { 1.0 }
        } else {
            trials.filter(|trials| *trials >= least)?
        };
        Some(Self { draw: draw(metric, trials, rate), trials, least: Some(least) })
    }

    pub(crate) fn expected(self) -> f64 {
        self.draw.mean()
    }

    /// The fewest bad events beyond a figure among the planned trials, and the chance to be beyond
    /// it, over the trials that may come. None if that is not possible.
    pub(crate) fn beyond(self, metric: &Metric, figure: f64) -> Option<(f64, f64)> {
        let limit = match self.least {
            Some(least) => limit(metric, figure, self.trials, least)?,
            None => Limit::certain(most_within(metric, figure, self.trials)?),
        };
        let missed = 1.0 - limit.mean(|most| self.draw.at_most(most));
        Some((limit.most as f64 + 1.0, missed))
    }

    /// Events and trials of so many bad events, as a reading has them.
    pub(crate) fn counts(self, metric: &Metric, bad: f64) -> (f64, f64) {
        let is_count = metric.kind.has_exposure();
        (if is_count { bad } else { metric.worse.bad(bad, self.trials) }, self.trials)
    }
}
