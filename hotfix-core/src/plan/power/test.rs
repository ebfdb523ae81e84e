//! The sequential rollback test of one metric in one phase, foreseen.

use crate::grade::{EvidenceMode, Otherwise, Response};
use crate::plan::{MetricCalibration, Plan};
use crate::policy::section::{Metric, MetricSettings, Model, NewInstances};
use crate::stats::numeric::{ln, sum, whole};
use crate::stats::planning::Comparison;
use crate::stats::planning::evaluations::Frontier;

use super::Chance;
use super::watch::Watching;

/// Expected events up to which the law is followed from event to event.
const MOST_EVENTS: f64 = 3_000.0;
/// Points at which the formula is asked when a chance is summed over time.
const POINTS: usize = 24;

/// A ratio that is found in most phases: for what new instances cost, before the ratio is known.
const ABOUT_FOUND: f64 = 5.0;

/// What the rollback test of a metric is, in one phase.
pub(super) struct Test<'a> {
    watching: &'a Watching<'a>,
    comparison: Comparison,
    /// What the threshold is higher by because of a history.
    noise: f64,
    /// Minutes by which the test decides later because the arms are read at different times.
    delay: f64,
    /// What the canary may fail while its instances are new.
    new: Option<NewInstances>,
    frontier: Option<Frontier>,
    /// It is the Bernoulli test, of which only the formula is known.
    of_shares: bool,
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
        let &Watching { metric, phase, rate, .. } = watching;
        response(plan, metric)?;
        let (evidence, settings) = (plan.policy().evidence(), plan.policy().settings(metric));
        let (share, exposure) = watching.exposure();
        if !(share > 0.0 && share < 1.0) {
            return None;
        }
        let limits = plan.calibrations().get(&metric.id).and_then(|c| c.of(phase.name));
        let budget = plan.error_budget();
        let own = budget.sequential_of(metric);
        // Evidence that noise reaches is subtracted before metrics are combined.
        let noise = limits.map_or(0.0, |l| l.threshold - budget.threshold());
        // Half of the stake of a bet on a late change is on one from the start.
        let late = if evidence.change_point { core::f64::consts::LN_2 } else { 0.0 };
        let threshold = -ln(own) + noise + late;
        // Events a minute are taken as trials of a thousandth each, so that no ratio makes a rate
        // of them over 1.
        let counted = metric.kind.has_exposure();
        let (requests, base) =
            if counted { (exposure * rate / 60.0 * 1e6, 1e-6) } else { (exposure, rate) };
        let comparison = Comparison {
            tolerated: settings.tolerated.value(),
            alpha: own,
            tick_seconds: watching.cadence,
            threshold: Some(threshold),
            ..Comparison::new(requests, share, base)
        };
        let watch = plan.policy().watch();
        let delay = watch.evidence_delay().as_seconds() / 60.0;
        let new = watch.new_instances;
        let about = limits.is_some()
            || evidence.change_point
            || evidence.phase_end_test
            || metric.model != Model::Poisson
            || delay > 0.0
            || new.is_some_and(|new| new.ratio.value() > 1.0)
            || matches!(settings.mode, EvidenceMode::Randomised | EvidenceMode::Both);
        let frontier = (metric.model == Model::Poisson)
            .then(|| Frontier::try_new(comparison.tolerated, share, threshold).ok())
            .flatten();
        let of_shares = metric.model == Model::Bernoulli;
        Some(Self { watching, comparison, noise, delay, new, frontier, of_shares, about })
    }

    /// Minutes of data that the test has against this ratio by the end of the phase.
    fn minutes(&self, ratio: f64) -> f64 {
        let minutes = self.watching.minutes_counted() - self.delay(ratio);
        if minutes > 0.0 { minutes } else { 0.0 }
    }

    /// Minutes by which a fault of this ratio is found later, because the arms are read at different
    /// times and new instances may fail.
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
        let time = self.comparison(ratio).time_to_detect(ratio).ok()?;
        Some(time.expected + self.delay(ratio)).filter(|minutes| minutes.is_finite())
    }

    /// The test at a threshold that is so much higher than that for independent errors.
    pub(super) fn at_noise(mut self, noise: f64) -> Self {
        let more = noise - self.noise;
        self.comparison.threshold = self.comparison.threshold.map(|nats| nats + more);
        (self.noise, self.frontier) = (noise, None);
        self
    }

    /// What the formula for a fault of this ratio is about.
    pub(super) fn comparison(&self, ratio: f64) -> Comparison {
        if self.of_shares { self.comparison.of_shares(ratio) } else { self.comparison }
    }

    /// The chance that a canary of so many times the record's rate is found, and how long that
    /// takes.
    pub(super) fn finds(&mut self, ratio: f64) -> Option<Found> {
        let (minutes, tick) = (self.minutes(ratio), self.watching.cadence / 60.0);
        let (watching, rate) = (self.watching, self.watching.rate);
        let late = whole((self.delay * 60.0 / watching.cadence).ceil());
        let counts: Vec<f64> = (0..watching.least).map(|tick| self.counts(tick, ratio)).collect();
        let followed = self.frontier.as_mut().and_then(|frontier| {
            let mut draws = watching.draws(rate * ratio, rate);
            draws.truncate(draws.len().saturating_sub(late));
            for ((canary, live), counts) in draws.iter_mut().zip(&counts) {
                (*canary, *live) = (canary.part(*counts), live.part(*counts));
            }
            frontier.decided(&draws)
        });
        if let Some(decided) = followed {
            let ticks = decided.len().saturating_sub(1);
            let open = sum(decided.iter().take(ticks).map(|chance| 1.0 - chance));
            let chance = decided.last().copied().unwrap_or(0.0);
            let chance = Chance { chance, approximate: self.about };
            let minutes = open * tick + self.delay;
            return Some(Found { chance, minutes });
        }
        let comparison = self.comparison(ratio);
        let chance = if comparison.events(ratio, minutes) <= MOST_EVENTS && !self.of_shares {
            comparison.chance_to_decide(ratio, minutes).ok()?.chance
        } else {
            comparison.chance_by_formula(ratio, minutes).ok()?
        };
        let mut open = 0.0;
        for point in 0..POINTS {
            let at = (point as f64 + 0.5) / POINTS as f64 * minutes;
            open += 1.0 - comparison.chance_by_formula(ratio, at).ok()?;
        }
        let counted = self.watching.minutes_counted();
        let warm = self.watching.least as f64 * tick - counted;
        let lasts = open / POINTS as f64 * minutes + warm + tick + self.delay(ratio);
        let most = counted + warm;
        let lasts = if lasts < most { lasts } else { most };
        Some(Found { chance: Chance { chance, approximate: true }, minutes: lasts })
    }

    /// The smallest ratio that is found with this chance: the formula's, made better by the law
    /// itself where that can be followed.
    pub(super) fn smallest_ratio(&mut self, power: f64) -> Option<f64> {
        let minutes = self.minutes(ABOUT_FOUND);
        if self.of_shares {
            return self.comparison.detectable_share_ratio(minutes, power).ok()?;
        }
        let most =
            if self.comparison.base_rate > 0.0 { 1.0 / self.comparison.base_rate } else { 1.0 };
        let mut ratio = self.comparison.detectable_ratio(minutes, power).ok()??;
        for _ in 0..=1 {
            let found = self.finds(ratio)?;
            let miss = power - found.chance.chance;
            if self.frontier.is_none() || miss.abs() < 5e-3 {
                break;
            }
            // Slightly beyond, the canary's rate may exceed 1: then the formula's ratio is kept.
            let (Ok(further), Ok(here)) = (
                self.comparison.chance_by_formula(ratio * 1.02, minutes),
                self.comparison.chance_by_formula(ratio, minutes),
            ) else {
                break;
            };
            let slope = (further - here) / 0.02;
            if slope < 0.05 {
                break;
            }
            let step = (miss / slope).clamp(-0.3, 0.3);
            ratio = (ratio * (1.0 + step)).clamp(self.comparison.tolerated * 1.001, most);
        }
        Some(ratio)
    }
}
