//! What a rate-ratio test is asked, checked.

use serde::{Deserialize, Serialize};

use crate::stats::bernoulli::BernoulliSettings;
use crate::stats::grid;
use crate::stats::mixture::Mixture;
use crate::stats::{Direction, MAX_GRID, StatError};

/// Default ratios; found the best of eight sets on 18 scenarios.
pub const DEFAULT_GRID: [f64; 4] = [2.0, 4.0, 8.0, 20.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 4] = [0.4, 0.25, 0.2, 0.15];

/// What a rate-ratio test is asked. See [`RateRatioDesign`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateRatioSettings {
    /// What is to be shown.
    pub direction: Direction,
    /// Chance of ever deciding while the null holds, above 0 and below 1.
    pub alpha: f64,
    /// `r0`, at least 1: the ratio that is tolerated; the null of worse is `r ≤ r0`.
    pub tolerated: f64,
    /// `d`: the null of better is `r ≥ d`; over 1 'not worse', up to 1 'cut at least to d'.
    pub margin: f64,
    /// Ratios over the null's, above 1, at most [`MAX_GRID`]; inverted for better. Absent: the
    /// default.
    pub grid: Option<Vec<f64>>,
    /// One weight a ratio, summing to 1. Absent: the default's, even for a grid of one's own.
    pub weights: Option<Vec<f64>>,
    /// Factor on every gain, above 0 and at most 1: evidence under noise is worth less.
    pub temper: f64,
    /// Most log evidence that a tick may add to a term, after `temper`; above 0. Absent: no cap.
    pub cap: Option<f64>,
    /// Log evidence that decides, above 0. Absent: `ln(1/α)`. The chance of ever deciding while the
    /// null holds is at most `e^-threshold`, by Ville's inequality: a lower one than `ln(1/α)`
    /// gives `α` up.
    pub threshold: Option<f64>,
    /// Planned ticks, at least 1: turns the change-point mixture on, which finds faults that start
    /// late (`docs/statistics.md`, A4). Ticks without data count, so feed them. Absent: the plain
    /// test.
    pub horizon: Option<u32>,
}

impl Default for RateRatioSettings {
    /// Rollback at α 0.01, nothing tolerated, default grid.
    fn default() -> Self {
        Self::from(&BernoulliSettings::default())
    }
}

impl RateRatioSettings {
    /// The promotion test at α 0.05 against a margin; a margin up to 1 is an efficacy claim.
    pub fn better(margin: f64) -> Self {
        Self { direction: Direction::Better, alpha: 0.05, margin, ..Self::default() }
    }
}

/// A checked test with everything precomputed that no tick changes. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::{Counts, rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings}};
/// let design = RateRatioDesign::try_new(&RateRatioSettings::default())?;
/// let mut test = RateRatio::new(&design);
/// for _ in 0..6 {
///     // Ten seconds at a share of 0.1: 3% errors in the canary, 0.3% in the baseline.
///     test.update(&design, Counts::new(2.0, 67.0), Counts::new(2.0, 600.0))?;
/// }
/// let evidence = test.evidence(&design);
/// assert!(evidence.decided && evidence.p_value < 0.01);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RateRatioDesign {
    pub(super) mixture: Mixture,
    /// `g_j - 1`, what the logarithms need.
    pub(super) excess: [f64; MAX_GRID],
    pub(super) id: u32,
}

impl RateRatioDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`StatError`] if a setting is out of range: alpha, grid, weights,
    /// tolerated ratio, margin, cap, temper, threshold or horizon.
    pub fn try_new(settings: &RateRatioSettings) -> Result<Self, StatError> {
        let mixture = Mixture::try_new(settings, (&DEFAULT_GRID, &DEFAULT_WEIGHTS))?;
        let excess = mixture.grid.excess();
        let id = mixture.fingerprint(1, &[]);
        Ok(Self { mixture, excess, id })
    }

    /// `π`: the canary's share of the exposure at the edge of the null.
    #[inline]
    pub(super) fn share(&self, canary: f64, baseline: f64) -> f64 {
        grid::share_of_events(self.mixture.hypothesis.null_ratio, canary, baseline)
    }
}
