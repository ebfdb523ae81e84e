//! Calibration of the tests with your own history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::{Digest, digest};
use crate::document::{read_document, read_part};
use crate::grade::{EvidenceMode, PromotionRule, Worse};
use crate::policy::Policy;
use crate::policy::section::{Metric, Model, Phase};
use crate::sorting::retain;
use crate::stats::StatError;
pub use crate::stats::bursts::HistoryBursts;
use crate::stats::bursts::Live;
use crate::stats::latency::{
    SlowCalibration, SlowCalibrationSettings, SlowHistory, SlowPromotion, calibrate_slow,
};
use crate::stats::numeric::larger;
use crate::stats::replay::{Calibration, CalibrationSettings, CountModel, History, calibrate};
use crate::text::joined;
use crate::unit::{MetricName, PhaseName, Share, Span, Timestamp};

use super::{ErrorBudget, Plan, PlanError};

/// Name of the document with the histories, in the paths of errors.
const CALIBRATION: &str = "calibration";

/// The counts of each instance in normal operation, by metric:
/// `{metric: {instance: [[events, trials], …]}}`, one pair per tick of the policy's cadence. Events
/// are those that the metric counts, as in observations.
pub type Histories = BTreeMap<MetricName, BTreeMap<String, Vec<[f64; 2]>>>;

/// The request times of each instance in normal operation, by latency metric:
/// `{metric: {instance: [[up to the first boundary, …, all], …]}}`, one row per tick, of requests up to
/// each of the metric's `boundaries` and of all, as in a [`SlowHistory`].
pub type SlowHistories = BTreeMap<MetricName, BTreeMap<String, Vec<Vec<f64>>>>;

/// What was recorded in normal operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PlanHistories {
    /// Of proportions and counts.
    #[serde(flatten)]
    pub counts: Histories,
    /// Of latencies.
    #[serde(flatten)]
    pub times: SlowHistories,
}

impl From<Histories> for PlanHistories {
    fn from(counts: Histories) -> Self {
        Self { counts, times: SlowHistories::new() }
    }
}

impl PlanHistories {
    /// Reads `{metric: history}`: rows of request times for a latency with a test, pairs of counts
    /// for any other metric.
    pub(super) fn from_json(policy: &Policy, text: &str) -> Result<Self, PlanError> {
        let mut read = Self::default();
        if text.trim().is_empty() {
            return Ok(read);
        }
        let unreadable = |faults| PlanError::Values { faults };
        let histories: BTreeMap<MetricName, Value> =
            read_document(CALIBRATION, text).map_err(unreadable)?;
        for (metric, history) in histories {
            let place = format!("{CALIBRATION}/{metric}");
            if policy.is_replayed_by_times(metric) {
                let rows = read_part(&place, &history).map_err(unreadable)?;
                read.times.insert(metric, rows);
            } else {
                let counts = read_part(&place, &history).map_err(unreadable)?;
                read.counts.insert(metric, counts);
            }
        }
        Ok(read)
    }
}

/// The calibrations of one metric's rollback test. The plan keeps these, but not the history.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricCalibration {
    /// SHA-256 of the history in canonical JSON.
    pub history: Digest,
    /// One for each phase with a live arm to compare with, in order. Empty for a latency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseCalibration>,
    /// Bursts of failures in the history, of a rare proportion; absent without any. A rollback bound
    /// waits while a breach may be one of them.
    pub bursts: Option<HistoryBursts>,
    /// The calibration of a latency, for all phases together.
    pub slow: Option<Box<SlowCalibration>>,
    /// Why the history of a latency gives no limits: a code and a sentence. The policy's `otherwise`
    /// is then used.
    pub without: Option<String>,
}

/// The calibration of one metric for one phase.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseCalibration {
    /// The phase.
    pub phase: PhaseName,
    /// Its limits. Absent if the history gives none.
    pub calibration: Option<Box<Calibration>>,
    /// Why the history gives none: a code and a sentence. The policy's `otherwise` is then used.
    pub without: Option<String>,
}

impl MetricCalibration {
    /// Whether it has limits for any phase.
    pub fn has_limits(&self) -> bool {
        self.slow.is_some() || self.phases.iter().any(|phase| phase.calibration.is_some())
    }

    /// The limits of a phase, if there are any.
    pub fn of(&self, phase: PhaseName) -> Option<&Calibration> {
        self.phases.iter().find(|p| p.phase == phase)?.calibration.as_deref()
    }
}

impl Metric {
    /// Whether it has a test that a history of counts calibrates.
    pub fn is_replayed(&self) -> bool {
        self.count_model().is_some()
    }

    /// Whether it has the rate-ratio test, which limits the counts of each instance.
    pub(crate) fn is_read_by_instance(&self) -> bool {
        self.count_model() == Some(CountModel::Poisson)
    }

    fn count_model(&self) -> Option<CountModel> {
        self.model.of_counts().filter(|_| self.is_rate())
    }

    /// Whether it has a test that a history of request times calibrates.
    pub fn is_replayed_by_times(&self) -> bool {
        self.kind.has_buckets() && self.model != Model::None
    }
}

impl Model {
    /// The test of counts for this model.
    pub(crate) const fn of_counts(self) -> Option<CountModel> {
        match self {
            Self::Poisson => Some(CountModel::Poisson),
            Self::Bernoulli => Some(CountModel::Bernoulli),
            Self::None => None,
        }
    }
}

impl Plan {
    /// How many times as bad as the baseline the canary may be: by the policy, or by the calibration of a latency.
    pub fn tolerated(&self, metric: &Metric) -> f64 {
        let policy = self.policy().settings(metric).tolerated.value();
        self.slow_calibration(metric).map_or(policy, |slow| slow.tolerated)
    }

    /// The margin of a metric's promotion test: the policy's, or that of a latency's calibration,
    /// which is lower where noise alone moves the arms apart.
    pub(crate) fn margin(&self, metric: &Metric) -> f64 {
        let policy = self.policy().settings(metric).margin.value();
        let limits = self.slow_calibration(metric).and_then(|slow| slow.promotion);
        limits.map_or(policy, |limits| limits.margin)
    }

    fn slow_calibration(&self, metric: &Metric) -> Option<&SlowCalibration> {
        self.calibrations().get(&metric.id)?.slow.as_deref()
    }
}

impl Policy {
    /// Whether the history of the metric of this name is one of request times.
    pub fn is_replayed_by_times(&self, metric: MetricName) -> bool {
        self.metrics().iter().any(|known| known.id == metric && known.is_replayed_by_times())
    }

    /// Whether a history calibrates the test of a metric under this policy.
    pub(crate) fn uses_history(&self, metric: &Metric) -> bool {
        let mode = self.settings(metric).mode;
        (metric.is_replayed() || metric.is_replayed_by_times())
            && matches!(mode, EvidenceMode::Replay | EvidenceMode::Both)
    }

    /// Whether a phase ends by evidence that the fix does no harm.
    pub(crate) fn promotes_by_evidence(&self) -> bool {
        self.phases().iter().any(|phase| phase.promotion == PromotionRule::EvidenceOfNoHarm)
    }

    /// Whether all traffic moves at once: no phase has a live arm, and the fix is compared with what
    /// was read before the start.
    pub(crate) fn moves_at_once(&self) -> bool {
        self.phases().iter().all(|phase| phase.share == Share::ALL)
    }

    /// What people read of a value that is not the fix's: `without it`, or `before it` where nothing
    /// runs beside the fix.
    pub(crate) fn without_the_fix(&self) -> &'static str {
        if self.moves_at_once() { "before it" } else { "without it" }
    }

    /// The number of ticks that the tests are planned for: all phases with something to compare
    /// with, each for as long as it may take. At least 1.
    pub fn planned_ticks(&self) -> u32 {
        let budget = ErrorBudget::new(self);
        let compared = self.phases().iter().filter(|phase| budget.spends(phase));
        let ticks = compared.map(|phase| self.ticks_of(phase)).fold(0, u32::saturating_add);
        ticks.max(1)
    }

    /// The ticks of a phase, at least 1: for its most time, or else its least.
    pub fn ticks_of(&self, phase: &Phase) -> u32 {
        let cadence = self.watch().cadence.as_millis().max(1);
        let lasts: Span = phase.longest();
        u32::try_from(lasts.as_millis() / cadence).unwrap_or(u32::MAX).max(1)
    }
}

/// Calibrates each metric that has a history. `seed` is for drawing instances; `requests` are those
/// of the whole service per minute, if known.
///
/// # Errors
/// A [`PlanError`] for a metric without a test to calibrate, an unusable history, or a mode that
/// uses none.
pub(super) fn calibrations(
    policy: &Policy,
    histories: PlanHistories,
    (seed, requests): (u64, Option<f64>),
) -> Result<BTreeMap<MetricName, MetricCalibration>, PlanError> {
    let mut calibrations = BTreeMap::new();
    let recorded = requests_of(policy, &histories);
    let traffic = requests.filter(|_| recorded > 0.0).map_or(1.0, |requests| requests / recorded);
    for (metric, counts) in histories.counts {
        let known = known(policy, metric, Metric::is_replayed)?;
        let fault = |fault| PlanError::History { metric, fault };
        let history = bad_events(known, counts).map_err(fault)?;
        let model = known.count_model().unwrap_or_default();
        let phases = policy.phases().iter().filter(|phase| phase.share < Share::ALL);
        // The trials of a count are seconds, so its requests are not known.
        let traffic = if known.kind.is_fraction() { traffic } else { 1.0 };
        let phases =
            phases.map(|phase| of_phase(policy, (known, model), phase, (&history, traffic)));
        let phases = phases.collect();
        let bursts = bursts_of(policy, known, &history);
        let history = digest(&history)?;
        let (slow, without) = (None, None);
        calibrations.insert(metric, MetricCalibration { history, phases, bursts, slow, without });
    }
    for (metric, rows) in histories.times {
        let known = known(policy, metric, Metric::is_replayed_by_times)?;
        let history = digest(&rows)?;
        let fault = |fault| PlanError::History { metric, fault };
        let expected = known.boundaries.len();
        if expected > 1 && rows.values().flatten().all(|row| row.len() == 2) {
            let (width, known) = (expected + 1, names(policy, Metric::is_replayed));
            return Err(PlanError::HistoryPairs { metric, width, known });
        }
        let rows = SlowHistory::try_new(rows).map_err(fault)?;
        let got = rows.boundaries();
        if got != expected {
            return Err(fault(StatError::BoundaryMismatch { got, expected }));
        }
        let (slow, without) =
            limits(calibrate_slow(&rows, &times_settings(policy, known, seed, traffic)));
        let (phases, bursts) = (Vec::new(), None);
        calibrations.insert(metric, MetricCalibration { history, phases, bursts, slow, without });
    }
    Ok(calibrations)
}

/// Requests per minute in the histories, by the metric with the most: others may count a part only.
fn requests_of(policy: &Policy, histories: &PlanHistories) -> f64 {
    let minutes = policy.watch().cadence.as_seconds() / 60.0;
    let each = |trials: f64, ticks: usize| trials / (larger(ticks as f64, 1.0) * minutes);
    let counts = histories.counts.iter().filter(|(metric, _)| {
        policy.metrics().iter().any(|of| of.id == **metric && of.kind.is_fraction())
    });
    let counts = counts.map(|(_, instances)| {
        let trials = instances.values().flatten().map(|[_, trials]| trials).sum();
        each(trials, instances.values().next().map_or(0, Vec::len))
    });
    let times = histories.times.values().map(|instances| {
        let trials = instances.values().flatten().filter_map(|row| row.last()).sum();
        each(trials, instances.values().next().map_or(0, Vec::len))
    });
    counts.chain(times).fold(0.0, larger)
}

/// Bursts over all instances in a history of a rare proportion. None for other metrics.
fn bursts_of(policy: &Policy, metric: &Metric, history: &History) -> Option<HistoryBursts> {
    if !(metric.kind.is_fraction() && metric.is_read_by_instance()) {
        return None;
    }
    let (mut version, mut at) = (Live::default(), Timestamp::default());
    for counts in history.all() {
        version.learn(at, counts);
        at = at + policy.watch().cadence;
    }
    version.had()
}

/// The calibrations, made for the policy `made_for`, whose tests have the same settings under
/// `policy`, in phases of the same name.
pub(crate) fn still_fitting(
    policy: &Policy,
    made_for: &Policy,
    mut calibrations: BTreeMap<MetricName, MetricCalibration>,
) -> BTreeMap<MetricName, MetricCalibration> {
    retain(&mut calibrations, |metric, of| {
        let known = |policy: &Policy| policy.metrics().iter().find(|m| m.id == *metric).cloned();
        let (Some(now), Some(then)) = (known(policy), known(made_for)) else { return false };
        let is_used = policy.uses_history(&now) && made_for.uses_history(&then);
        let is_same = (now.kind, now.worse, now.model) == (then.kind, then.worse, then.model);
        if of.slow.is_some() || of.phases.is_empty() {
            let asked = |policy: &Policy, metric: &Metric| times_settings(policy, metric, 0, 1.0);
            return is_used && is_same && asked(policy, &now) == asked(made_for, &then);
        }
        let model = now.count_model().unwrap_or_default();
        of.phases.retain(|of| {
            let phase = policy.phases().iter().find(|phase| phase.name == of.phase);
            let asked = phase.map(|phase| counts_settings(policy, (&now, model), phase));
            let made = of.calibration.as_ref().map(|of| &of.settings);
            made.is_none_or(|made| asked.as_ref() == Some(made))
        });
        is_used && is_same && !of.phases.is_empty()
    });
    calibrations
}

/// The policy's metric of this name. Err if no history of this form calibrates its test.
fn known(
    policy: &Policy,
    metric: MetricName,
    applies: impl Fn(&Metric) -> bool,
) -> Result<&Metric, PlanError> {
    let Some(known) = policy.metrics().iter().find(|m| m.id == metric && applies(m)) else {
        let known = names(policy, |m| m.is_replayed() || m.is_replayed_by_times());
        return Err(PlanError::HistoryMetric { metric, known });
    };
    if policy.uses_history(known) {
        Ok(known)
    } else {
        Err(PlanError::HistoryUnused { metric, mode: policy.settings(known).mode })
    }
}

fn names(policy: &Policy, applies: impl Fn(&Metric) -> bool) -> String {
    let named = policy.metrics().iter().filter(|metric| applies(metric));
    joined(named.map(|metric| metric.id.as_str()), ", ")
}

fn times_settings(
    policy: &Policy,
    metric: &Metric,
    seed: u64,
    traffic: f64,
) -> SlowCalibrationSettings {
    let (cadence, budget) = (policy.watch().cadence, ErrorBudget::new(policy));
    let settings = policy.settings(metric);
    let promotion = policy.promotes_by_evidence().then(|| SlowPromotion {
        alpha: budget.promotion(),
        margin: settings.margin.value(),
        quantile: metric.quantile.as_fraction(),
    });
    let compared = policy.phases().iter().filter(|phase| phase.share < Share::ALL);
    SlowCalibrationSettings {
        alpha: budget.sequential(),
        weight: Some(budget.weight(metric)).filter(|weight| *weight > 0.0).unwrap_or(1.0),
        tolerated: settings.tolerated.value(),
        boundaries: metric.boundaries.clone(),
        block: policy.watch().block(),
        phases: compared.map(|phase| (phase.share.as_fraction(), policy.ticks_of(phase))).collect(),
        renewed: policy.watch().renewal(),
        promotion,
        traffic,
        tick_seconds: cadence.as_seconds(),
        seed,
    }
}

/// The history as bad events: failures if the metric counts successes. Err for a proportion with
/// more events than trials.
fn bad_events(
    metric: &Metric,
    counts: BTreeMap<String, Vec<[f64; 2]>>,
) -> Result<History, StatError> {
    let history = History::try_new(counts)?;
    if metric.kind.is_fraction() {
        history.check_proportion()?;
    }
    match metric.worse {
        Worse::Higher => Ok(history),
        worse @ Worse::Lower => history.with_events(|events, trials| worse.bad(events, trials)),
    }
}

fn counts_settings(
    policy: &Policy,
    (metric, model): (&Metric, CountModel),
    phase: &Phase,
) -> CalibrationSettings {
    let evidence = policy.evidence();
    CalibrationSettings {
        model,
        alpha: ErrorBudget::new(policy).sequential(),
        tolerated: policy.settings(metric).tolerated.value(),
        horizon: evidence.change_point.then(|| policy.planned_ticks()),
        tick_seconds: policy.watch().cadence.as_seconds(),
        ..CalibrationSettings::new(phase.share.as_fraction(), policy.ticks_of(phase))
    }
}

/// Calibrates one metric for one phase. `traffic`: the planned traffic over that of the history.
fn of_phase(
    policy: &Policy,
    (metric, model): (&Metric, CountModel),
    phase: &Phase,
    (history, traffic): (&History, f64),
) -> PhaseCalibration {
    let settings = counts_settings(policy, (metric, model), phase);
    let phase = phase.name;
    // A history without events says nothing about noise: the threshold would be that of independent errors.
    let has_events = |of: &Calibration| of.base_rate.is_some_and(|rate| rate > 0.0);
    let calibrated = calibrate(history, &settings).and_then(|calibration| {
        let quiet = StatError::EmptyHistory { what: "events" };
        if has_events(&calibration) { Ok(calibration.with_traffic(traffic)) } else { Err(quiet) }
    });
    let (calibration, without) = limits(calibrated);
    PhaseCalibration { phase, calibration, without }
}

/// The limits that a history gives, or why it gives none: a code and a sentence.
fn limits<T>(calibrated: Result<T, StatError>) -> (Option<Box<T>>, Option<String>) {
    match calibrated {
        Ok(limits) => (Some(Box::new(limits)), None),
        Err(error) => (None, Some(format!("{}: {error}", error.code()))),
    }
}
