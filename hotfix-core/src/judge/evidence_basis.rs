//! Basis of a metric's rollback evidence: the mode in force, its limits, and the guarantee that
//! follows.

use educe::Educe;

use crate::grade::{EvidenceMode, Otherwise, closed_set};
use crate::plan::{HistoryBursts, Plan};
use crate::policy::section::{Metric, MetricSettings};
use crate::stats::latency::{SlowCalibration, ToleranceLimits};
use crate::stats::numeric::ln;
use crate::stats::replay::{ByInstance, Calibration, Clip, LEAVE_ONE_OUT};
use crate::unit::Share;

closed_set! {
    /// Basis of the false-rollback rate.
    Guarantee {
        /// The random draw of the canary's instances: holds for any noise.
        Guaranteed = "guaranteed",
        /// The organisation's own history: holds for noise that resembles it, and always for
        /// independent errors.
        Calibrated = "calibrated",
        /// An assumption: that errors are independent.
        Assumed = "assumed",
    }
}

/// Mode and guarantee of a metric's rollback evidence at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assurance {
    pub(super) mode: EvidenceMode,
    pub(super) guarantee: Guarantee,
    /// Whether a crossing rolls back; if not, it asks a person.
    pub(super) acts: bool,
}

/// Limits from the calibration of a phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Those of the test.
    pub(super) test: ToleranceLimits,
    /// Log e from which it holds.
    pub(super) hold: f64,
}

/// Limits of a test of counts, which has no evidence of gross faults: the most that a tick may add.
pub(super) const fn of_counts(threshold: f64, cap: f64) -> ToleranceLimits {
    ToleranceLimits { threshold, cap, gross_less: 0.0 }
}

/// Limits of a phase, by how readings give the counts.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PhaseLimits {
    /// For sums over an arm.
    summed: Limits,
    /// For counts of both arms by instance, with the least number of canary instances for which
    /// they are calibrated.
    by_instance: Option<(Limits, Clip, usize)>,
}

impl From<&Calibration> for PhaseLimits {
    fn from(of: &Calibration) -> Self {
        let limits = |threshold, cap, hold| Limits { test: of_counts(threshold, cap), hold };
        let summed = limits(of.threshold, of.cap, of.hold);
        let least = if of.leave_one_out { LEAVE_ONE_OUT } else { 0 };
        let by_instance = of.by_instance.and_then(|of| {
            let ByInstance { threshold, cap, hold, clip_rate } = of;
            // A rate that was read from a document may be any number.
            let clip = Clip::try_new(clip_rate).ok()?;
            Some((limits(threshold, cap, hold), clip, least))
        });
        Self { summed, by_instance }
    }
}

impl From<&SlowCalibration> for PhaseLimits {
    fn from(of: &SlowCalibration) -> Self {
        let summed = Limits { test: of.limits, hold: of.hold };
        Self { summed, by_instance: None }
    }
}

/// The history of a latency.
#[derive(Clone, Debug, PartialEq)]
struct Slow {
    /// Boundaries of the history, in seconds.
    boundaries: Vec<f64>,
    usual: Usual,
}

/// What the policy says of a latency, which applies without its history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    /// How many times as slow is tolerated.
    pub(super) tolerated: f64,
    /// Of the promotion test.
    pub(super) margin: f64,
}

/// Evidence basis of one metric over the whole rollout.
#[derive(Debug, Educe, PartialEq)]
#[educe(Clone)]
pub(super) struct EvidenceBasis {
    mode: EvidenceMode,
    otherwise: Otherwise,
    /// Limits by phase. A phase at 100% has no live arm to compare with and keeps the limits of the
    /// phase before.
    limits: Vec<Option<PhaseLimits>>,
    /// The history of a latency; None without one.
    slow: Option<Slow>,
    /// Bounds the counts of each instance at the reference's rate, where no history does.
    by_reference: Option<Clip>,
    /// The phase whose limits are in force.
    pub(super) phase: usize,
    /// Number of the canary's instances if all counts that were read came by instance; else None.
    instances: Option<usize>,
    /// Log e-value that decides without a history.
    usual: f64,
    /// Added to a threshold where the metric decides alone: -ln of its weight; infinite without a weight.
    alone: f64,
    /// Bursts in the history.
    pub(super) bursts: Option<HistoryBursts>,
    /// Factor on the promotion test's increments under the same noise; 1 without a history.
    pub(super) temper: f64,
}

impl EvidenceBasis {
    /// The basis of a metric under this plan, in the first phase.
    pub(super) fn new(metric: &Metric, plan: &Plan) -> Self {
        let policy = plan.policy();
        let calibrated = plan.calibrations().get(&metric.id);
        let mut limits: Vec<Option<PhaseLimits>> = Vec::with_capacity(policy.phases().len());
        // The smallest of all phases, because a state keeps one temper.
        let slow = calibrated.and_then(|of| of.slow.as_deref());
        let mut temper = slow.and_then(|of| of.promotion).map_or(1.0, |of| of.temper);
        for phase in policy.phases() {
            let calibration = calibrated.and_then(|c| c.of(phase.name));
            if let Some(calibration) = calibration {
                temper = temper.min(calibration.promotion_temper());
            }
            limits.push(match calibration {
                Some(calibration) => Some(calibration.into()),
                None if phase.share == Share::ALL => limits.last().copied().flatten(),
                None => slow.map(PhaseLimits::from),
            });
        }
        let MetricSettings { mode, otherwise, tolerated, margin, .. } = policy.settings(metric);
        let usual = Usual { tolerated: tolerated.value(), margin: margin.value() };
        let slow = slow.map(|of| Slow { boundaries: of.boundaries.clone(), usual });
        let budget = plan.error_budget();
        let (usual, alone) = (budget.threshold(), -ln(budget.weight(metric)));
        let is_clipped = metric.kind.is_fraction() && metric.is_read_by_instance();
        let rate = metric.reference.filter(|_| is_clipped);
        let by_reference = rate.and_then(|rate| Clip::try_new(metric.worse.bad(rate, 1.0)).ok());
        let instances = Some(0);
        Self {
            mode,
            otherwise,
            limits,
            slow,
            by_reference,
            phase: 0,
            instances,
            usual,
            alone,
            bursts: calibrated.and_then(|of| of.bursts),
            temper,
        }
    }

    /// Discards the history of a latency if it has other boundaries than these, in seconds. Returns
    /// the policy's settings, which apply then; None if nothing was discarded.
    pub(super) fn discard_history_of_others(&mut self, boundaries: &[f64]) -> Option<Usual> {
        let near = |(one, other): (&f64, &f64)| (one - other).abs() <= 1e-9 * one;
        let is_of = |of: &Slow| {
            of.boundaries.len() == boundaries.len()
                && of.boundaries.iter().zip(boundaries).all(near)
        };
        let discarded = self.slow.take_if(|of| !is_of(of))?;
        self.limits.fill(None);
        Some(discarded.usual)
    }

    fn of_phase(&self) -> Option<&PhaseLimits> {
        self.limits.get(self.phase)?.as_ref()
    }

    /// The limits by instance, where they apply.
    fn by_instance(&self) -> Option<&(Limits, Clip, usize)> {
        let by_instance = self.of_phase()?.by_instance.as_ref()?;
        (self.instances? >= by_instance.2).then_some(by_instance)
    }

    /// The limits from history in the present phase; None without a history for it.
    pub(super) fn limits(&self) -> Option<Limits> {
        self.by_instance().map(|of| of.0).or_else(|| self.of_phase().map(|of| of.summed))
    }

    /// Log e-value with which the metric decides by its own part of the error probability.
    pub(super) fn own_threshold(&self) -> f64 {
        self.limits().map_or(self.usual, |limits| limits.test.threshold) + self.alone
    }

    /// Log e-value from which the metric alone holds. `usual`: that from which all together hold.
    pub(super) fn own_hold(&self, usual: f64) -> f64 {
        self.limits().map_or(usual + self.alone, |limits| limits.hold)
    }

    /// Bounds the counts of each instance in a reading; None unless all counts come by instance.
    #[inline]
    pub(super) fn clip(&self) -> Option<Clip> {
        self.instances?;
        match self.of_phase() {
            Some(limits) => limits.by_instance.map(|of| of.1),
            None => self.by_reference,
        }
    }

    /// Whether nothing is known of the noise, so that errors are assumed to be independent.
    pub(super) fn knows_no_noise(&self) -> bool {
        self.of_phase().is_none() && self.clip().is_none() && !self.randomises()
    }

    /// Records how many instances the canary has; None if some counts did not come by instance.
    /// Returns whether other limits may apply now.
    #[inline]
    pub(super) fn read_by(&mut self, instances: Option<usize>) -> bool {
        let changed = self.instances != instances;
        self.instances = instances;
        changed
    }

    /// Factor on the evidence that is needed to report an instance as bad, because of bursts; None
    /// where bursts are expected and no history gives their size.
    pub(super) fn noise(&self) -> Option<f64> {
        // Here an instance with bursts is looked for, so nothing is clipped and the limits of sums apply.
        match (self.of_phase(), self.mode) {
            (Some(limits), _) => Some(limits.summed.test.threshold / self.usual),
            (None, EvidenceMode::Plain | EvidenceMode::Replay) => Some(1.0),
            (None, EvidenceMode::Randomised | EvidenceMode::Both) => None,
        }
    }

    /// Whether instances are compared with each other if readings name them.
    pub(super) const fn randomises(&self) -> bool {
        matches!(self.mode, EvidenceMode::Randomised | EvidenceMode::Both)
    }

    /// Why the plain test is in force.
    pub(super) const fn why_plain(&self, before_and_after: bool) -> &'static str {
        match self.mode {
            _ if before_and_after => {
                "the baseline is what was read before the deployment: errors are assumed to be \
                 independent of each other, and traffic to be alike before and after"
            }
            EvidenceMode::Plain => "the policy assumes that errors are independent of each other",
            EvidenceMode::Replay => {
                "no history of this metric calibrates this phase: errors are assumed to be \
                 independent"
            }
            EvidenceMode::Randomised | EvidenceMode::Both => {
                "too few instances are known to draw from: errors are assumed to be independent"
            }
        }
    }

    /// The mode in force. `randomised`: the canary's instances are compared with other choices of
    /// as many.
    pub(super) fn assurance(&self, randomised: bool) -> Assurance {
        let replayed = self.limits().is_some();
        let mode = match (self.mode, replayed, randomised) {
            (EvidenceMode::Both, true, true) => EvidenceMode::Both,
            (EvidenceMode::Randomised | EvidenceMode::Both, _, true) => EvidenceMode::Randomised,
            (EvidenceMode::Replay | EvidenceMode::Both, true, _) => EvidenceMode::Replay,
            _ => EvidenceMode::Plain,
        };
        let guarantee = match mode {
            EvidenceMode::Plain => Guarantee::Assumed,
            EvidenceMode::Replay => Guarantee::Calibrated,
            EvidenceMode::Randomised | EvidenceMode::Both => Guarantee::Guaranteed,
        };
        let acts = mode != EvidenceMode::Plain
            || self.mode == EvidenceMode::Plain
            || self.otherwise == Otherwise::Plain;
        Assurance { mode, guarantee, acts }
    }
}
