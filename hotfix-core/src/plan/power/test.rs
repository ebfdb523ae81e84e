//! The sequential rollback test of one metric in one phase, foreseen.

use crate::grade::{EvidenceMode, Otherwise, Response};
use crate::metric::CONFIRMS;
use crate::plan::{MetricCalibration, Plan};
use crate::policy::Policy;
use crate::policy::section::{Metric, MetricSettings, Model, NewInstances};
use crate::stats::numeric::{exp, larger, ln, normal_quantile, smaller, sum, whole};
use crate::stats::planning::Comparison;
use crate::stats::planning::evaluations::Frontier;
use crate::stats::replay::CountModel;

use super::watch::Watching;
use super::{Chance, POWER};

/// Most times at which a chance is asked that is not followed tick by tick.
const POINTS: usize = 240;
/// The chance of the smallest ratio that is found may be off the wanted power by this.
const NEAR: f64 = 5e-3;
/// Most ratios that are tried for it.
const MOST_TRIES: usize = 16;
/// Requests of the canary a tick below which their split is too random to be taken as planned: the test
/// finds 67 instead of 76 of 100 at one, 73 instead of 77 at 2.5.
const FEW: f64 = 5.0;

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
    frontier: Option<Frontier>,
    /// Of the Bernoulli test only the formula is known.
    model: CountModel,
    /// Something about it is left out.
    about: bool,
}

/// By the end of the phase. The minutes are as approximate as the chance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) chance: Chance,
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
        Some(Self { noise, cap, about: test.about || limits.is_some(), ..test })
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
        let (evidence, settings) = (policy.evidence(), policy.settings(metric));
        let (share, exposure) = watching.exposure();
        if !(share > 0.0 && share < 1.0) {
            return None;
        }
        // Events a minute are trials of a thousandth each, so that no rate is over 1.
        let counted = metric.kind.has_exposure();
        let (requests, base) =
            if counted { (exposure * rate / 60.0 * 1e6, 1e-6) } else { (exposure, rate) };
        let comparison = Comparison {
            tolerated: settings.tolerated.value(),
            alpha,
            tick_seconds: watching.cadence,
            threshold: Some(threshold),
            ..Comparison::new(requests, share, base)
        };
        let watch = policy.watch();
        let delay = watch.evidence_delay().as_seconds() / 60.0;
        let new = watch.new_instances;
        let about = evidence.change_point
            || (!counted && exposure * share * watching.cadence / 60.0 < FEW)
            || evidence.phase_end_test
            || metric.model != Model::Poisson
            || delay > 0.0
            || new.is_some_and(|new| new.ratio.value() > 1.0)
            || matches!(settings.mode, EvidenceMode::Randomised | EvidenceMode::Both);
        let model = metric.model.of_counts()?;
        let frontier = (model == CountModel::Poisson)
            .then(|| Frontier::try_new(comparison.tolerated, share, threshold).ok())
            .flatten();
        Some(Self {
            watching,
            comparison,
            noise: 0.0,
            cap: None,
            delay,
            new,
            frontier,
            model,
            about,
        })
    }

    /// Minutes of data that the test has against this ratio by the end of the phase.
    fn minutes(&self, ratio: f64) -> f64 {
        let minutes = self.watching.minutes_counted() - self.delay(ratio);
        if minutes > 0.0 { minutes } else { 0.0 }
    }

    /// Minutes by which a fault is found later: arms are read apart, new instances may fail.
    fn delay(&self, ratio: f64) -> f64 {
        let ticks = self.watching.least;
        let warm = ticks - self.watching.ticks_counted();
        let lost = sum((warm..ticks).map(|tick| 1.0 - self.counts(tick, ratio)));
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
        (self.noise, self.cap, self.frontier) = (noise, cap, None);
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
    pub(super) fn finds(&mut self, ratio: f64) -> Option<Found> {
        let (decided, approximate) = self.decided(ratio)?;
        let ticks = decided.len().saturating_sub(1);
        let open = sum(decided.iter().take(ticks).map(|chance| 1.0 - chance));
        let chance = decided.last().copied().unwrap_or(0.0);
        let minutes = open * self.watching.cadence / 60.0;
        Some(Found { chance: Chance { chance, approximate }, minutes })
    }

    /// The chance that it is found by the end of 0, 1, 2, … ticks, and whether these are approximate.
    pub(super) fn decided(&mut self, ratio: f64) -> Option<(Vec<f64>, bool)> {
        let (watching, tick) = (self.watching, self.watching.cadence / 60.0);
        let (rate, ticks) = (watching.rate, watching.least);
        let late = whole((self.delay / tick).ceil()).min(ticks);
        let counts: Vec<f64> = (0..ticks).map(|tick| self.counts(tick, ratio)).collect();
        let followed = self.frontier.as_mut().and_then(|frontier| {
            let mut draws = watching.draws(rate * ratio, rate);
            draws.truncate(ticks - late);
            for ((canary, live), counts) in draws.iter_mut().zip(&counts) {
                (*canary, *live) = (canary.part(*counts), live.part(*counts));
            }
            frontier.decided(&draws)
        });
        if let Some(followed) = followed {
            let mut decided = vec![0.0; late];
            decided.extend(followed);
            return Some((decided, self.about));
        }
        let comparison = self.comparison;
        // Minutes of data that the test has by the end of each tick.
        let warm = ticks - watching.ticks_counted();
        let mut minutes = vec![-self.delay];
        for (at, counts) in counts.iter().enumerate() {
            minutes.push(minutes[at] + if at < warm { 0.0 } else { counts * tick });
        }
        let every = ticks.div_ceil(POINTS).max(1);
        let asked = (0..ticks).step_by(every).chain([ticks]);
        let asked: Vec<f64> = asked.map(|at| larger(minutes[at], 0.0)).collect();
        let chances: Vec<f64> = if self.model == CountModel::Bernoulli {
            let formula = |at: &f64| comparison.chance_by_formula(self.model, ratio, *at);
            let chances = asked.iter().map(formula);
            chances.collect::<Result<_, _>>().ok()?
        } else {
            let chances = comparison.chances_to_decide(ratio, &asked).ok()?;
            chances.into_iter().map(|found| found.chance).collect()
        };
        // Between two of these times the chance rises evenly.
        let between = |at: usize| {
            let (point, since) = (at / every, (at % every) as f64);
            let lasts = every.min(ticks - point * every) as f64;
            chances[point] + (chances[point + 1] - chances[point]) * since / lasts
        };
        let last = chances.last().copied();
        Some(((0..ticks).map(between).chain(last).collect(), true))
    }

    /// The smallest ratio that is found with this chance, which was computed for it.
    pub(super) fn smallest_ratio(&mut self, power: f64) -> Option<f64> {
        let minutes = self.minutes(ABOUT_FOUND);
        if self.model == CountModel::Bernoulli {
            return self.comparison.detectable(self.model, minutes, power).ok()?;
        }
        let Comparison { base_rate, tolerated, .. } = self.comparison;
        let most = if base_rate > 0.0 { 1.0 / base_rate } else { 1.0 };
        let first = self.comparison.detectable_ratio(minutes, power).ok()??;
        // Chances are taken as those of a normal law of the ratio's logarithm.
        let score = |chance: f64| normal_quantile(chance.clamp(1e-6, 1.0 - 1e-6));
        let (mut below, mut above) = (None, None);
        let mut at = first;
        for _ in 0..MOST_TRIES {
            let Some(found) = self.finds(at) else { break };
            let chance = found.chance.chance;
            if (chance - power).abs() < NEAR {
                return Some(at);
            }
            let side = if chance < power { &mut below } else { &mut above };
            *side = Some((ln(at), score(chance) - score(power)));
            let next = match (below, above) {
                (Some((low, misses)), Some((high, exceeds))) => {
                    let part = (misses / (misses - exceeds)).clamp(0.05, 0.95);
                    exp(low + (high - low) * part)
                }
                (Some((low, misses)), None) => exp(low + smaller(0.02 - 0.25 * misses, 0.15)),
                (None, Some((high, exceeds))) => exp(high - smaller(0.02 + 0.25 * exceeds, 0.15)),
                (None, None) => break,
            };
            let next = smaller(larger(next, tolerated * 1.001), most);
            if next == at {
                break;
            }
            at = next;
        }
        above.map(|(high, _)| exp(high))
    }
}
