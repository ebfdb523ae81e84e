//! What a history of a metric is worth to its test, and what it costs to have none.

use std::fmt::Write as _;

use serde::Serialize;

use crate::plan::{MetricCalibration, Plan};
use crate::policy::section::{Metric, Model, Phase};
use crate::stats::numeric::larger;
use crate::stats::replay::{Advice as Short, Calibration};
use crate::text::{quoted, sentence as sentence_of};
use crate::unit::PhaseName;

use super::format::{figure, lasting};
use super::test::Test;
use super::watch::{Watching, bad_rate};

/// The fault of rare events by which the thresholds with and without a history are compared.
const RATIO: f64 = 5.0;
/// The same of proportions with the model `bernoulli`, which are seldom below 5%.
const RATIO_OF_SHARES: f64 = 2.0;

/// Multiples of the history's traffic from which on a history of more traffic is asked for.
const LESS_TRAFFIC: f64 = 2.0;
/// Why a history calibrates nothing where no phase has a live arm.
const AT_ONCE: &str =
    "all traffic moves at once, and the history is for a comparison with a live arm";
/// Multiples of the reference's share of bad events with which a history is not of the same.
const CONTRADICTS: f64 = 10.0;

/// What bursts in the history mean for a rollback bound.
const BOUND_WAITS: &str = " Its bursts let a rollback bound wait for up to four minutes where a breach \
                           may be one of them, and for the evidence.";

/// Whether a history calibrates the test of a metric, and what follows.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HistoryWorth {
    /// Whether the plan has one that calibrates a phase.
    pub calibrated: bool,
    /// The variance of errors in the history over that of independent errors: its upper confidence
    /// limit (95%). Absent without a history, or without an error in it.
    pub dispersion: Option<f64>,
    /// How long a fault takes to be found with its threshold. Absent without a history.
    pub delay: Option<CalibratedDelay>,
    /// The same in sentences.
    pub sentence: String,
}

/// How long a fault takes to be found, with and without the history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibratedDelay {
    /// The first calibrated phase.
    pub phase: PhaseName,
    /// The fault's rate as a multiple of the reference's: 5, with the model `bernoulli` 2.
    pub ratio: f64,
    /// Average minutes to find it at the calibrated threshold of sums over the arms, by the formula.
    pub minutes: f64,
    /// The same at the threshold for independent errors.
    pub minutes_independent: f64,
}

impl CalibratedDelay {
    /// `by_instance`: where counts come by instance, whose threshold is lower.
    fn sentence(&self, by_instance: Option<Self>) -> String {
        let Self { phase, ratio, minutes, minutes_independent } = *self;
        let (sums, without) = (lasting(minutes), lasting(minutes_independent));
        let found = match by_instance.map(|of| lasting(of.minutes)).filter(|of| *of != sums) {
            Some(of) => format!(
                "{of} on average where counts come by instance, and {sums} where sums over the arms do, as \
                 in the table,"
            ),
            None => format!("{sums} on average,"),
        };
        format!(
            "In `{phase}`, {ratio} times the reference rate is found after {found} instead of {without} \
             without the history."
        )
    }
}

impl Plan {
    /// Whether a history calibrates a test of the metric under this policy.
    fn may_use_history(&self, metric: &Metric) -> bool {
        self.policy().uses_history(metric) && metric.weight > 0.0
    }

    /// The same of a latency, in sentences. None for other metrics, and where no history calibrates
    /// its test.
    pub(super) fn history_of_times(&self, metric: &Metric) -> Option<String> {
        if !(metric.is_replayed_by_times() && self.may_use_history(metric)) {
            return None;
        }
        let calibrated = self.calibrations().get(&metric.id);
        let tolerated = figure(self.tolerated(metric));
        let Some(slow) = calibrated.and_then(|of| of.slow.as_deref()) else {
            let why = calibrated.map(|of| self.why_without(of.without.as_deref()));
            let why = why.unwrap_or_default();
            return Some(format!(
                "No history calibrates its test{why}: that arms of one version stay within \
                 {tolerated} times of each other's response times is assumed."
            ));
        };
        let cadence = self.policy().watch().cadence.as_seconds();
        // The first readings are left out.
        let warm_up = self.policy().settings(metric).warm_up.as_seconds();
        let late = larger((warm_up / cadence).ceil() - 1.0, 0.0);
        let [half_more, twice] = slow.delays.map(|ticks| lasting((late + ticks) * cadence / 60.0));
        let mut sentences = format!(
            "A history calibrates its test: a canary up to {tolerated} times as slow is tolerated. Of \
             canaries cut out of it, one that is 1.5 times as slow is found after about {half_more} on \
             average, one twice as slow after {twice}."
        );
        for advice in &slow.advice {
            let _ = write!(sentences, " {}.", sentence_of(&advice.to_string()));
        }
        Some(sentences)
    }

    /// Why a history gives no limits, in brackets.
    fn why_without(&self, why: Option<&str>) -> String {
        let why = if self.policy().moves_at_once() { Some(AT_ONCE) } else { why };
        why.map_or_else(String::new, |why| format!(" ({why})"))
    }

    /// None for a metric whose test no history calibrates under this policy.
    pub(super) fn history_worth(&self, metric: &Metric) -> Option<HistoryWorth> {
        if !self.may_use_history(metric) {
            return None;
        }
        let metric_calibrations = self.calibrations().get(&metric.id);
        let phases = self.policy().phases().iter();
        let phases: Vec<_> = phases
            .filter_map(|phase| Some((phase, metric_calibrations?.of(phase.name)?)))
            .collect();
        Some(match (metric_calibrations, phases.first()) {
            (Some(of), Some(_)) => self.calibrated_worth(metric, of, &phases),
            (of, _) => HistoryWorth {
                sentence: self.without_history(metric, of),
                ..HistoryWorth::default()
            },
        })
    }

    /// What it means that no history calibrates a test.
    fn without_history(&self, metric: &Metric, of: Option<&MetricCalibration>) -> String {
        let alpha = figure(100.0 * self.error_budget().alpha());
        let first = |of: &MetricCalibration| {
            self.why_without(of.phases.first().and_then(|of| of.without.as_deref()))
        };
        let why = of.map(first).unwrap_or_default();
        // The simulations were made with 1%.
        let dependent = match metric.model {
            _ if alpha != "1" => "more where they are not",
            Model::Bernoulli => "9% to 29% in simulations of errors with 4 times their variance",
            Model::Poisson | Model::None => {
                "7% to 18% in simulations of errors with 3 times their variance"
            }
        };
        format!(
            "No history calibrates its test{why}: at most {alpha}% false rollbacks while errors are \
             independent; {dependent}."
        )
    }

    fn calibrated_worth(
        &self,
        metric: &Metric,
        of: &MetricCalibration,
        phases: &[(&Phase, &Calibration)],
    ) -> HistoryWorth {
        let dispersion = phases.iter().filter_map(|(_, limits)| limits.dispersion).reduce(larger);
        let mut sentence = match dispersion {
            Some(times) if times > 1.0 => format!(
                "A history calibrates its test: the variance of errors is at most {} times that of \
                 independent ones (95%).",
                figure(times)
            ),
            Some(_) => {
                "A history calibrates its test: errors are as good as independent.".to_owned()
            }
            None => "A history calibrates its test.".to_owned(),
        };
        let first = phases.first();
        let delay =
            first.and_then(|(phase, of)| self.delay_at((of.threshold, of.cap), metric, phase));
        if let (Some((phase, limits)), Some(delay)) = (first, delay) {
            let by_instance = limits.by_instance;
            let by_instance =
                by_instance.and_then(|of| self.delay_at((of.threshold, of.cap), metric, phase));
            let _ = write!(sentence, " {}", delay.sentence(by_instance));
        }
        let mut advice = phases.iter().flat_map(|(_, of)| &of.advice);
        if let Some(more) = advice.find(|of| matches!(of, Short::MoreTraffic { .. })) {
            let _ = write!(sentence, " {}.", sentence_of(&more.to_string()));
        }
        if metric.bounds.rollback.is_some() && of.bursts.is_some() {
            sentence += BOUND_WAITS;
        }
        HistoryWorth { calibrated: true, dispersion, delay, sentence }
    }

    fn delay_at(
        &self,
        (threshold, cap): (f64, f64),
        metric: &Metric,
        of: &Phase,
    ) -> Option<CalibratedDelay> {
        let watching = Watching::try_new(self, metric, of)?;
        let noise = threshold - self.error_budget().threshold();
        let test = Test::try_new(self, &watching)?.at_noise(noise, Some(cap));
        let ratio = if metric.model == Model::Bernoulli { RATIO_OF_SHARES } else { RATIO };
        let minutes = test.time_to_detect(ratio)?;
        let minutes_independent = test.at_noise(0.0, None).time_to_detect(ratio)?;
        Some(CalibratedDelay { phase: of.name, ratio, minutes, minutes_independent })
    }

    /// What the histories lack, a sentence each.
    pub(in crate::plan) fn weak_histories(&self) -> Vec<String> {
        let mut weak = Vec::new();
        for metric in self.policy().metrics().iter().filter(|of| self.may_use_history(of)) {
            let Some(of) = self.calibrations().get(&metric.id) else { continue };
            let of_metric = format!("the history of `{}`", metric.id);
            if self.policy().moves_at_once() {
                weak.push(format!("{of_metric} calibrates nothing: {AT_ONCE}"));
                continue;
            }
            if let Some(why) = &of.without {
                weak.push(format!("{of_metric} does not calibrate its test: {why}"));
            }
            let without = || of.phases.iter().filter(|phase| phase.calibration.is_none());
            if let Some(why) = without().next_back().and_then(|of| of.without.as_deref()) {
                let phases: Vec<PhaseName> = without().map(|of| of.phase).collect();
                let phases = quoted(&phases, ", ");
                weak.push(format!("{of_metric} does not calibrate its test in {phases}: {why}"));
            }
            let of_phases = of.phases.iter().filter_map(|of| of.calibration.as_deref());
            let rate = of_phases.clone().find_map(|of| of.base_rate);
            if let (Some(rate), Some(record)) = (rate, bad_rate(metric))
                && metric.kind.is_fraction()
                && rate > CONTRADICTS * record
            {
                weak.push(format!(
                    "{of_metric} has {} times the bad events of its reference: check whether its columns are \
                     swapped, and the `reference`",
                    figure(rate / record)
                ));
            }
            weak.extend(of_advice(of, &of_metric));
            weak.extend(self.noisy(metric, of, &of_metric));
        }
        weak
    }

    /// That a history hides faults.
    fn noisy(&self, metric: &Metric, of: &MetricCalibration, of_metric: &str) -> Option<String> {
        let sums = |limits: &Calibration| (limits.threshold, limits.cap);
        let least = |limits: &Calibration| {
            let of = limits.by_instance.filter(|of| of.threshold < limits.threshold);
            of.map_or(sums(limits), |of| (of.threshold, of.cap))
        };
        let (which, what, delay) = if let Some(delay) = self.too_noisy(metric, of, least) {
            (
                "",
                "; find out what varies so much, for example running totals that were read as counts",
                delay,
            )
        } else {
            let delay = self.too_noisy(metric, of, sums)?;
            (" by sums over the arms", ": send counts by instance", delay)
        };
        let CalibratedDelay { phase, ratio, minutes, minutes_independent } = delay;
        let (with, without) = (lasting(minutes), lasting(minutes_independent));
        Some(format!(
            "with {of_metric} no phase finds {ratio} times the reference rate{which}: in `{phase}` that \
             takes {with} on average, instead of {without} without the history{what}"
        ))
    }

    /// Of the last phase that has limits, where in all of them a fault is not found by the end, but
    /// would be without the history.
    fn too_noisy(
        &self,
        metric: &Metric,
        of: &MetricCalibration,
        limits_of: impl Fn(&Calibration) -> (f64, f64),
    ) -> Option<CalibratedDelay> {
        let mut last = None;
        for phase in self.policy().phases() {
            let Some(limits) = of.of(phase.name) else { continue };
            let delay = self.delay_at(limits_of(limits), metric, phase)?;
            let longest = phase.longest().as_seconds() / 60.0;
            if delay.minutes <= longest {
                return None;
            }
            last = Some(delay).filter(|delay| delay.minutes_independent <= longest).or(last);
        }
        last
    }
}

/// That a history is short, has an incident, or is of less traffic.
fn of_advice(of: &MetricCalibration, of_metric: &str) -> Vec<String> {
    let advice = of.phases.iter().filter_map(|of| of.calibration.as_deref());
    let advice = advice.flat_map(|of| &of.advice).chain(of.slow.iter().flat_map(|of| &of.advice));
    let mut weak = Vec::new();
    if let Some(short) = advice.clone().find(|of| matches!(of, Short::ShortHistory { .. })) {
        weak.push(format!("{of_metric} is short: {short}"));
    }
    if let Some(incident) = advice.clone().find(|of| matches!(of, Short::Incident { .. })) {
        weak.push(format!("{of_metric} has an incident: {incident}"));
    }
    let is_less =
        |of: &&Short| matches!(of, Short::MoreTraffic { times } if *times >= LESS_TRAFFIC);
    if let Some(more) = advice.clone().find(is_less) {
        weak.push(format!(
            "{of_metric} has less traffic: {more}; take one of hours with the traffic of a rollout"
        ));
    }
    weak
}
