//! The sequential rollback test of one metric in one phase, foreseen.

use crate::grade::{EvidenceMode, Otherwise, Response};
use crate::metric::CONFIRMS;
use crate::plan::{MetricCalibration, Plan};
use crate::policy::Policy;
use crate::policy::section::{Metric, MetricSettings, Model, NewInstances};
use crate::stats::numeric::{exp, larger, ln, smaller, sum};
use crate::stats::planning::Comparison;
use crate::stats::replay::CountModel;

use super::POWER;
use super::watch::Watching;

/// Most times at which a chance is asked that is not followed tick by tick.
const POINTS: usize = 240;
/// The chance of the smallest ratio that is found may be below the wanted power by this.
const CLOSE: f64 = 5e-3;
/// The smallest ratio that is found is known to this factor, and searched in steps of up to this one.
const NEAR: f64 = 1.005;
const STEP: f64 = 1.15;

/// A ratio that is found in most phases: for what new instances cost, before the ratio is known.
const ABOUT_FOUND: f64 = 5.0;

/// What the rollback test of a metric is, in one phase.
pub(super) struct Test<'a> {
    watching: &'a Watching<'a>,
    pub(super) comparison: Comparison,
    /// What the threshold is higher by because of a history.
    noise: f64,
    /// Most that a tick adds to a bet because of a history.
    cap: Option<f64>,
    /// Minutes by which the test decides later because the arms are read at different times.
    delay: f64,
    /// What the canary may fail while its instances are new.
    new: Option<NewInstances>,
    /// Of the Bernoulli test only the formula is known.
    model: CountModel,
}

/// By the end of the phase; both are approximate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) chance: f64,
    /// Minutes until it is found or the phase's least time is over, on average.
    pub(super) minutes: f64,
}

/// What a crossing calls for, where there is a test at all.
pub(super) fn response(plan: &Plan, metric: &Metric) -> Option<Response> {
    if metric.model == Model::None || metric.weight <= 0.0 {
        return None;
    }
    let MetricSettings { mode, otherwise, .. } = plan.policy().settings(metric);
    let calibration = plan.calibrations().get(&metric.id);
    let calibrated = calibration.is_some_and(MetricCalibration::has_limits);
    let asks = match mode {
        EvidenceMode::Plain => false,
        EvidenceMode::Replay => !calibrated && otherwise == Otherwise::Ask,
        EvidenceMode::Randomised | EvidenceMode::Both => otherwise == Otherwise::Ask,
    };
    Some(if asks { Response::Ask } else { Response::RollBack })
}

impl<'a> Test<'a> {
    /// None where the phase has no live arm, or the metric no test.
    pub(super) fn try_new(plan: &Plan, watching: &'a Watching<'a>) -> Option<Self> {
        let metric = watching.metric;
        response(plan, metric)?;
        let limits = plan.calibrations().get(&metric.id).and_then(|c| c.of(watching.phase.name));
        let budget = plan.error_budget();
        // Evidence that noise reaches is subtracted before metrics are combined.
        let noise = limits.map_or(0.0, |l| l.threshold - budget.threshold());
        // Half of the stake of a bet on a late change is on one from the start.
        let change_point = plan.policy().evidence().change_point;
        let late = if change_point { core::f64::consts::LN_2 } else { 0.0 };
        let own = budget.sequential_of(metric);
        let test = Self::at_level(plan.policy(), watching, own, -ln(own) + noise + late)?;
        let cap = limits.map(|limits| limits.cap);
        Some(Self { noise, cap, ..test })
    }

    /// The evidence that a rollback bound waits for, where it is one of both arms. None as for a test.
    pub(super) fn confirming(policy: &Policy, watching: &'a Watching<'a>) -> Option<Self> {
        Self::at_level(policy, watching, exp(-CONFIRMS), CONFIRMS)
    }

    fn at_level(
        policy: &Policy,
        watching: &'a Watching<'a>,
        alpha: f64,
        threshold: f64,
    ) -> Option<Self> {
        let &Watching { metric, rate, .. } = watching;
        let (share, exposure) = watching.exposure();
        if !(share > 0.0 && share < 1.0) {
            return None;
        }
        // Events a minute are trials of a thousandth each, so that no rate is over 1.
        let counted = metric.kind.has_exposure();
        let (requests, base) =
            if counted { (exposure * rate / 60.0 * 1e6, 1e-6) } else { (exposure, rate) };
        let comparison = Comparison {
            tolerated: policy.settings(metric).tolerated.value(),
            alpha,
            tick_seconds: watching.cadence,
            threshold: Some(threshold),
            ..Comparison::new(requests, share, base)
        };
        let watch = policy.watch();
        let delay = watch.evidence_delay().as_seconds() / 60.0;
        let new = watch.new_instances;
        let model = metric.model.of_counts()?;
        Some(Self { watching, comparison, noise: 0.0, cap: None, delay, new, model })
    }

    /// Minutes by which a fault is found later: arms are read apart, new instances may fail.
    fn delay(&self, ratio: f64) -> f64 {
        let &Watching { warm, least, .. } = self.watching;
        let lost = sum((warm..least).map(|tick| 1.0 - self.counts(tick, ratio)));
        self.delay + lost * self.watching.cadence / 60.0
    }

    /// The part of a tick's evidence against a fault of this ratio that counts.
    fn counts(&self, tick: usize, ratio: f64) -> f64 {
        let (share, tolerated) = (self.comparison.share, self.comparison.tolerated);
        let began = tick as f64 * self.watching.cadence;
        self.new.map_or(1.0, |new| new.counts(began, ratio, tolerated, share))
    }

    /// Average minutes until a fault is found, without an end of the phase; None if it never is.
    pub(super) fn time_to_detect(&self, ratio: f64) -> Option<f64> {
        let expected = self.comparison.expected_minutes(self.model, ratio, self.cap).ok()?;
        Some(expected + self.delay(ratio)).filter(|minutes| minutes.is_finite())
    }

    /// The test at a threshold that is so much higher than that for independent errors, with the cap of such noise.
    pub(super) fn at_noise(mut self, noise: f64, cap: Option<f64>) -> Self {
        let more = noise - self.noise;
        self.comparison.threshold = self.comparison.threshold.map(|nats| nats + more);
        (self.noise, self.cap) = (noise, cap);
        self
    }

    /// Whether the formula finds this ratio with the wanted power, at another share of the traffic and
    /// with so many minutes of data.
    pub(super) fn finds_at(&self, share: f64, ratio: f64, minutes: f64) -> bool {
        let comparison = Comparison { share, ..self.comparison };
        let chance = comparison.chance_by_formula(self.model, ratio, minutes);
        chance.is_ok_and(|chance| chance >= POWER)
    }

    /// The chance that a canary of so many times the record's rate is found, and how soon.
    pub(super) fn finds(&self, ratio: f64) -> Option<Found> {
        let decided = self.decided(ratio)?;
        let ticks = decided.len().saturating_sub(1);
        let open = sum(decided.iter().take(ticks).map(|chance| 1.0 - chance));
        let chance = decided.last().copied().unwrap_or(0.0);
        let minutes = open * self.watching.cadence / 60.0;
        Some(Found { chance, minutes })
    }

    /// The chance that it is found by the end of 0, 1, 2, … ticks.
    pub(super) fn decided(&self, ratio: f64) -> Option<Vec<f64>> {
        let (watching, tick) = (self.watching, self.watching.cadence / 60.0);
        let ticks = watching.least;
        // Minutes of data that the test has by the end of each tick.
        let mut minutes = vec![-self.delay];
        for at in 0..ticks {
            let counts = if at < watching.warm { 0.0 } else { self.counts(at, ratio) };
            minutes.push(minutes[at] + counts * tick);
        }
        let every = ticks.div_ceil(POINTS).max(1);
        let asked = (0..ticks).step_by(every).chain([ticks]);
        let asked: Vec<f64> = asked.map(|at| larger(minutes[at], 0.0)).collect();
        let chances: Vec<f64> = if self.model == CountModel::Bernoulli {
            let formula = |at: &f64| self.comparison.chance_by_formula(self.model, ratio, *at).ok();
            asked.iter().map(formula).collect::<Option<_>>()?
        } else {
            let chances = self.comparison.chances_to_decide(ratio, &asked).ok()?;
            chances.into_iter().map(|found| found.chance).collect()
        };
        // Between two of these times the chance rises evenly.
        let between = |at: usize| {
            let (point, since) = (at / every, (at % every) as f64);
            let lasts = every.min(ticks - point * every) as f64;
            chances[point] + (chances[point + 1] - chances[point]) * since / lasts
        };
        let last = chances.last().copied();
        Some((0..ticks).map(between).chain(last).collect())
    }

    /// The smallest ratio that is found with this chance, which was computed for it.
    pub(super) fn smallest_ratio(&self, power: f64) -> Option<f64> {
        let minutes = larger(self.watching.minutes_counted() - self.delay(ABOUT_FOUND), 0.0);
        let first = self.comparison.detectable(self.model, minutes, power).ok()??;
        if self.model == CountModel::Bernoulli {
            return Some(first);
        }
        let most = 1.0 / self.comparison.base_rate;
        let found =
            |ratio: f64| self.finds(ratio).is_some_and(|found| found.chance >= power - CLOSE);
        let (mut low, mut high) = (self.comparison.tolerated, first);
        while !found(high) {
            if high >= most {
                return None;
            }
            (low, high) = (high, smaller(high * STEP, most));
        }
        while high > low * NEAR {
            let middle = larger((low * high).sqrt(), high / STEP);
            if found(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }
}
