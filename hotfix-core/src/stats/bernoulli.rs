//! Two-sample Bernoulli e-process, for proportions above about 5%.
//!
//! Bets each tick on a simple alternative whose baseline rate is estimated from past ticks only,
//! against the closest point of the null hypothesis; a mixture over a grid of ratios. It is valid
//! at every base rate; the estimate affects its power only. No bet is made where the alternative is
//! part of the null hypothesis, which makes efficacy claims valid. It detects a ratio of 1.5 at 10%
//! in 33 ticks where [`rate_ratio`](super::rate_ratio) takes 38 (proof: `docs/statistics.md`, A2).
//! Source: Turner, Ly and Grünwald on two-sample e-variables; the gain is regrouped, see the code.
//!
//! The evidence depends on the order of the ticks, so states cannot be merged.

use super::grid::settings;
use super::kernel::Kernel;
use super::mixture::Mixture;
use super::mixture_state::{MixtureState, over_mixture};
use super::replay::CountModel;
use super::{Counts, Range, StatError, Totals};
use crate::unit::is_default;
use serde::{Deserialize, Serialize};

/// Default ratios.
pub const DEFAULT_GRID: [f64; 8] = [1.2, 1.5, 2.0, 3.0, 5.0, 8.0, 14.0, 30.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 8] = [0.125; 8];
/// Default number of prior trials of the plug-in, the estimated baseline rate.
const PRIOR_TRIALS: f64 = 50.0;
/// Prior events of the plug-in.
pub(super) const PRIOR_EVENTS: f64 = 0.5;

settings! {
    /// Settings of a test of counts, for either model.
    CountSettings {
        /// Which test is meant, where it may be either; a design does not read it.
        #[serde(skip_serializing_if = "is_default")]
        model: CountModel = CountModel::Poisson,
        /// Of the Bernoulli test: prior trials of the estimated baseline rate (the plug-in), with half
        /// a prior event.
        #[serde(skip_serializing_if = "is_usual_prior")]
        prior_trials: f64 = PRIOR_TRIALS,
        /// Planned ticks, at least 1: turns the change-point mixture on, which finds faults that start
        /// late (`docs/statistics.md`, A4). Ticks without data count, so feed them. Absent: the plain
        /// test.
        horizon: Option<u32> = None,
    }
}

/// Settings of a Bernoulli test. See [`BernoulliDesign`] for an example.
pub type BernoulliSettings = CountSettings;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_usual_prior(prior_trials: &f64) -> bool {
    *prior_trials == PRIOR_TRIALS
}

/// Checks a number of prior trials: 1 to 1e9.
pub(super) fn check_prior(prior_trials: f64) -> Result<f64, StatError> {
    Range::PRIOR_TRIALS.check((1.0..=1e9).contains(&prior_trials), prior_trials)?;
    Ok(prior_trials)
}

/// A checked test with everything precomputed that no tick changes. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::{Counts, bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings}};
/// let design = BernoulliDesign::try_new(&BernoulliSettings::default())?;
/// let mut test = Bernoulli::new(&design);
/// for _ in 0..4 {
///     // 30% of the canary's requests fail, 10% of the baseline's.
///     test.update(&design, Counts::new(30.0, 100.0), Counts::new(90.0, 900.0))?;
/// }
/// assert!(test.decided());
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BernoulliDesign {
    mixture: Mixture,
    kernel: Kernel,
    prior_trials: f64,
    id: u32,
}

impl BernoulliDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`StatError`] if a setting is out of range: alpha, grid, weights,
    /// tolerated ratio, margin, prior trials, cap, temper, threshold or horizon.
    pub fn try_new(settings: &BernoulliSettings) -> Result<Self, StatError> {
        let mixture = Mixture::try_new(settings, (&DEFAULT_GRID, &DEFAULT_WEIGHTS))?;
        let prior_trials = check_prior(settings.prior_trials)?;
        let null_ratio = mixture.hypothesis.null_ratio;
        let kernel = Kernel::new(&mixture.grid, null_ratio, mixture.hypothesis.direction);
        let id = mixture.fingerprint(2, &[prior_trials]);
        Ok(Self { mixture, kernel, prior_trials, id })
    }
}

/// The evidence of one Bernoulli test: plain data, cheap to copy.
///
/// Every method that computes takes the design that the state was made for. Ticks in which an arm
/// has no trials are ignored, also by the plug-in. See [`BernoulliDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bernoulli(MixtureState);

impl Bernoulli {
    /// No data yet: `E = 1`.
    pub fn new(design: &BernoulliDesign) -> Self {
        Self(MixtureState::new(&design.mixture, design.id))
    }

    /// Checks that a state, such as one read from a document, was made for this design; otherwise it is
    /// [`StatError::DesignMismatch`].
    pub fn check(&self, design: &BernoulliDesign) -> Result<(), StatError> {
        self.0.check(&design.mixture, design.id)
    }

    /// Takes in one tick and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for counts that are not
    /// finite, negative, more than the trials or too large, or for another design's state.
    pub fn update(
        &mut self,
        design: &BernoulliDesign,
        canary: Counts,
        baseline: Counts,
    ) -> Result<bool, StatError> {
        self.update_allowing(design, canary, baseline, 1.0)
    }

    /// Takes in one tick in which the canary may be `allowed` times as bad as is tolerated, such as
    /// while its instances are new: only what is worse counts. Given that the canary is no worse,
    /// the mean of `E` is at most 1, as long as `allowed` does not depend on the tick's counts.
    ///
    /// # Errors
    /// As for [`update`](Self::update), and [`StatError`] for `allowed` below 1 or not finite, or
    /// above 1 in a test of better; the state is then unchanged.
    pub fn update_allowing(
        &mut self,
        design: &BernoulliDesign,
        canary: Counts,
        baseline: Counts,
        allowed: f64,
    ) -> Result<bool, StatError> {
        canary.check_proportion()?;
        baseline.check_proportion()?;
        design.mixture.check_allowed(allowed)?;
        self.0.check_design(design.id)?;
        let BernoulliDesign { mixture, kernel, .. } = design;
        self.0.open_tick(mixture);
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return Ok(self.decided());
        }
        let split = kernel.split(canary.trials, baseline.trials);
        let plug_in = plug_in(&self.0.totals, design.prior_trials);
        let gains = if allowed == 1.0 {
            kernel.gains(&split, plug_in, canary, baseline)
        } else {
            kernel.allowing(allowed).gains(&split, plug_in, canary, baseline)
        };
        self.0.totals.add(canary, baseline);
        Ok(self.0.add(mixture, gains))
    }
}

over_mixture! { BernoulliDesign, Bernoulli.0 }

/// The plug-in: events over trials of both arms in past ticks, with the prior.
#[inline]
fn plug_in(past: &Totals, prior_trials: f64) -> f64 {
    let Totals { canary, baseline } = past;
    let (events, trials) = (canary.events + baseline.events, canary.trials + baseline.trials);
    (events + PRIOR_EVENTS) / (trials + prior_trials)
}
