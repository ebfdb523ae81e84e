//! What a metric's rollback evidence stands on: the mode in force, its limits, and what that guarantees (statistics,
//! section 4).

use crate::grade::{EvidenceMode, Otherwise, closed_set};
use crate::plan::Plan;
use crate::policy::section::Metric;
use crate::stats::numeric::ln;
use crate::stats::replay::Calibration;
use crate::unit::{Share, clone_in_place};

closed_set! {
    /// What the chance of a false rollback is known by.
    Guarantee {
        /// By how the canary's instances were drawn: whatever the noise.
        Guaranteed = "guaranteed",
        /// By the house's own history: for noise that resembles it, and for independent errors whatever it says.
        Calibrated = "calibrated",
        /// It is not: errors are taken to be independent.
        Assumed = "assumed",
    }
}

/// How a metric's rollback evidence is to be read at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Assurance {
    pub(super) mode: EvidenceMode,
    pub(super) guarantee: Guarantee,
    /// Whether a crossing rolls back; else it asks.
    pub(super) acts: bool,
}

/// What a phase's calibration asks of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Log evidence that rolls back.
    pub(super) threshold: f64,
    /// Most that one tick may add.
    pub(super) cap: f64,
    /// Log evidence that holds.
    pub(super) hold: f64,
}

impl From<&Calibration> for Limits {
    fn from(of: &Calibration) -> Self {
        Self { threshold: of.threshold, cap: of.cap, hold: of.hold }
    }
}

/// What one metric's evidence stands on, over the whole rollout.
#[derive(Debug, PartialEq)]
pub(super) struct Footing {
    mode: EvidenceMode,
    otherwise: Otherwise,
    /// By phase. One at 100% has no live arm to be worse than: the limits of the phase before stay.
    limits: Vec<Option<Limits>>,
    phase: usize,
    /// `ln(1/α)`.
    usual: f64,
    /// What the promotion test's increments are worth under the same noise; 1 without a history.
    pub(super) temper: f64,
}

clone_in_place!(Footing { mode, otherwise, limits, phase, usual, temper });

impl Footing {
    /// The footing of a metric under this plan, in the first phase.
    pub(super) fn new(metric: &Metric, plan: &Plan) -> Self {
        let policy = plan.policy();
        let evidence = policy.evidence();
        let calibrated = plan.calibrations().get(&metric.id);
        let mut limits: Vec<Option<Limits>> = Vec::with_capacity(policy.phases().len());
        // The smallest of all phases, as a state keeps one temper.
        let mut temper: f64 = 1.0;
        for phase in policy.phases() {
            let calibration = calibrated.and_then(|c| c.of(phase.name));
            if let Some(calibration) = calibration {
                temper = temper.min(calibration.promotion_temper());
            }
            limits.push(match calibration {
                Some(calibration) => Some(calibration.into()),
                None if phase.share == Share::ALL => limits.last().copied().flatten(),
                None => None,
            });
        }
        let (mode, otherwise) = (evidence.mode, evidence.otherwise);
        let usual = -ln(evidence.alpha.as_fraction());
        Self { mode, otherwise, limits, phase: 0, usual, temper }
    }

    /// Another phase begins.
    pub(super) const fn enter(&mut self, phase: usize) {
        self.phase = phase;
    }

    /// The phase whose limits are in force.
    pub(super) const fn phase(&self) -> usize {
        self.phase
    }

    /// What history asks of the test in the present phase.
    pub(super) fn limits(&self) -> Option<Limits> {
        self.limits.get(self.phase).copied().flatten()
    }

    /// How many times as much evidence it takes to name an instance bad as it would without bursts; none where bursts are
    /// reckoned with and no history tells how large they are.
    pub(super) fn noise(&self) -> Option<f64> {
        match (self.limits(), self.mode) {
            (Some(limits), _) => Some(limits.threshold / self.usual),
            (None, EvidenceMode::Plain | EvidenceMode::Replay) => Some(1.0),
            (None, EvidenceMode::Randomised | EvidenceMode::Both) => None,
        }
    }

    /// Whether instances are compared with each other, where readings name them.
    pub(super) const fn randomises(&self) -> bool {
        matches!(self.mode, EvidenceMode::Randomised | EvidenceMode::Both)
    }

    /// Why the plain test is in force.
    pub(super) const fn why_plain(&self) -> &'static str {
        match self.mode {
            EvidenceMode::Plain => "the policy takes errors to be independent of each other",
            EvidenceMode::Replay => {
                "no history of this metric calibrates this phase: errors are taken to be independent"
            }
            EvidenceMode::Randomised | EvidenceMode::Both => {
                "too few instances are known to draw from: errors are taken to be independent"
            }
        }
    }

    /// The mode in force. `randomised`: the canary's instances are being compared with other choices of as many.
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
