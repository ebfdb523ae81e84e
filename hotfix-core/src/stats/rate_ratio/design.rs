//! Settings and design of a rate-ratio test.

use crate::stats::bernoulli::CountSettings;
use crate::stats::grid;
use crate::stats::mixture::Mixture;
use crate::stats::{MAX_GRID, StatError};

/// Default ratios; found the best of eight sets on 18 scenarios.
pub const DEFAULT_GRID: [f64; 4] = [2.0, 4.0, 8.0, 20.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 4] = [0.4, 0.25, 0.2, 0.15];

/// Settings of a rate-ratio test. See [`RateRatioDesign`] for an example.
pub type RateRatioSettings = CountSettings;

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
