//! Calibration of the tests with your own history: threshold, cap and hold level by metric and
//! phase.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::{Digest, digest};
use crate::grade::EvidenceMode;
use crate::policy::Policy;
use crate::policy::section::{Metric, Model, Phase};
use crate::stats::StatError;
use crate::stats::replay::{Calibration, CalibrationSettings, History, calibrate};
use crate::unit::{MetricName, PhaseName, Share, Span};

use super::{ErrorBudget, PlanError};

/// The counts of each instance in normal operation, by metric:
/// `{metric: {instance: [[events, trials], …]}}`, one pair per tick of the policy's cadence. Events
/// are those that the metric counts, as in observations.
pub type Histories = BTreeMap<MetricName, BTreeMap<String, Vec<[f64; 2]>>>;

/// The calibrations of one metric's rollback test. The plan keeps these, but not the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricCalibration {
    /// SHA-256 of the history in canonical JSON.
    pub history: Digest,
    /// One for each phase with a live arm to compare with, in order.
    pub phases: Vec<PhaseCalibration>,
}

/// The calibration of one metric for one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseCalibration {
    /// The phase.
    pub phase: PhaseName,
    /// Its limits. Absent if the history gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Box<Calibration>>,
    /// Why the history gives none: a code and a sentence. The policy's `otherwise` is then used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
}

impl MetricCalibration {
    /// The limits of a phase, if there are any.
    pub fn of(&self, phase: PhaseName) -> Option<&Calibration> {
        self.phases.iter().find(|p| p.phase == phase)?.calibration.as_deref()
    }
}

impl Metric {
    /// Whether limits can be calibrated for its test: only the rate-ratio test has them.
    pub fn is_replayed(&self) -> bool {
        self.is_rate() && self.model == Model::Poisson
    }
}

impl Policy {
    /// Whether a history calibrates the test of a metric under this policy.
    pub(crate) fn uses_history(&self, metric: &Metric) -> bool {
        let mode = self.settings(metric).mode;
        metric.is_replayed() && matches!(mode, EvidenceMode::Replay | EvidenceMode::Both)
    }

    /// Whether all traffic moves at once: no phase has a live arm, and the fix is compared with what
    /// was read before the start.
    pub(crate) fn moves_at_once(&self) -> bool {
        self.phases().iter().all(|phase| phase.share == Share::ALL)
    }

    /// The number of ticks that the tests are planned for: all phases with something to compare
    /// with, each for as long as it may take. At least 1.
    pub fn planned_ticks(&self) -> u32 {
        let budget = ErrorBudget::new(self);
        let compared = self.phases().iter().filter(|phase| budget.spends(phase));
        let ticks = compared.map(|phase| self.ticks_of(phase)).fold(0, u32::saturating_add);
        ticks.max(1)
    }

    /// The ticks of a phase: for its most time, or its least time if it has no most time. At least
    /// 1.
    pub fn ticks_of(&self, phase: &Phase) -> u32 {
        let cadence = self.watch().cadence.as_millis().max(1);
        let lasts: Span = phase.watch_most.unwrap_or(phase.watch);
        u32::try_from(lasts.as_millis() / cadence).unwrap_or(u32::MAX).max(1)
    }
}

/// Calibrates each metric that has a history.
///
/// # Errors
/// A [`PlanError`] for a metric without a test to calibrate, an unusable history, or a mode that
/// uses none.
pub(super) fn calibrations(
    policy: &Policy,
    histories: Histories,
) -> Result<BTreeMap<MetricName, MetricCalibration>, PlanError> {
    let mut calibrations = BTreeMap::new();
    for (metric, counts) in histories {
        let tested = policy.metrics().iter().filter(|m| m.is_replayed());
        let Some(known) = tested.clone().find(|m| m.id == metric) else {
            let known = tested.map(|m| m.id.to_string()).collect::<Vec<_>>().join(", ");
            return Err(PlanError::HistoryMetric { metric, known });
        };
        if !policy.uses_history(known) {
            let mode = policy.settings(known).mode;
            return Err(PlanError::HistoryUnused { metric, mode });
        }
        let fault = |fault| PlanError::History { metric, fault };
        let history = History::try_new(bad_events(known, counts)).map_err(fault)?;
        let phases = policy.phases().iter().filter(|phase| phase.share < Share::ALL);
        let phases = phases.map(|phase| of_phase(policy, known, phase, &history)).collect();
        calibrations.insert(metric, MetricCalibration { history: digest(&history)?, phases });
    }
    Ok(calibrations)
}

/// The input of the metric's test: failures if it counts successes. Later checks find values that
/// are not counts.
fn bad_events(
    metric: &Metric,
    mut counts: BTreeMap<String, Vec<[f64; 2]>>,
) -> BTreeMap<String, Vec<[f64; 2]>> {
    for [events, trials] in counts.values_mut().flatten() {
        *events = metric.worse.bad(*events, *trials);
    }
    counts
}

fn of_phase(
    policy: &Policy,
    metric: &Metric,
    phase: &Phase,
    history: &History,
) -> PhaseCalibration {
    let evidence = policy.evidence();
    let settings = CalibrationSettings {
        alpha: ErrorBudget::new(policy).sequential(),
        tolerated: policy.settings(metric).tolerated.value(),
        horizon: evidence.change_point.then(|| policy.planned_ticks()),
        tick_seconds: policy.watch().cadence.as_seconds(),
        ..CalibrationSettings::new(phase.share.as_fraction(), policy.ticks_of(phase))
    };
    let phase = phase.name;
    match calibrate(history, &settings) {
        Ok(calibration) => {
            PhaseCalibration { phase, calibration: Some(Box::new(calibration)), without: None }
        }
        Err(error) => {
            PhaseCalibration { phase, calibration: None, without: Some(with_code(&error)) }
        }
    }
}

fn with_code(error: &StatError) -> String {
    format!("{}: {error}", error.code())
}
