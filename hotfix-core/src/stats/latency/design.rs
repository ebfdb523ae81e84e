//! Settings of a latency test, and the checked design.

use super::boundaries::check_number;
use super::joint::{Stakes, WEIGHTS};
use super::{MAX_BOUNDARIES, clustered};
use crate::grade::closed_set;
use crate::stats::bernoulli::check_prior;
use crate::stats::grid::{Grid, Hypothesis, settings};
use crate::stats::kernel::Kernel;
use crate::stats::mixture::Limits;
use crate::stats::numeric::{exp, ln};
use crate::stats::{Direction, StatError};

/// Default ratios at each boundary, where the test is one at each.
pub const DEFAULT_GRID: [f64; 8] = [1.15, 1.35, 1.7, 2.2, 3.0, 5.0, 10.0, 25.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 8] = [0.125; 8];
/// Default number of prior trials of the estimated shares of slow requests.
pub(super) const PRIOR_TRIALS: f64 = 5.0;
/// Prior shares slower than the first and than the last boundary, for the joint bet.
const PRIOR_SHARES: (f64, f64) = (0.5, 0.002);
/// Prior share slower than a single boundary.
const PRIOR_SHARE: f64 = 0.1;

closed_set! {
    /// What may be assumed of the requests of one tick.
    #[derive(Default)]
    LatencyMode {
        /// That they are independent given what both arms share.
        #[default]
        Independent = "independent",
        /// Nothing.
        Clustered = "clustered",
    }
    /// How a test bets; follows from its settings.
    LatencyForm {
        /// With all buckets at once.
        Joint = "joint",
        /// At each boundary by itself, averaged.
        Boundaries = "boundaries",
        /// On the difference of shares at each boundary, averaged.
        Clustered = "clustered",
    }
}

settings! {
    /// Settings of a latency test. See [`LatencyDesign`] for an example.
    LatencySettings {
        /// For better, above 0 and below 1: the claim has to be shown at each boundary up to the
        /// first at or above this quantile of the baseline; the e-value is the least of theirs.
        /// None: the average over boundaries, so that one alone may be enough.
        #[serde(skip_serializing_if = "Option::is_none")]
        quantile: Option<f64> = None,
        /// Number of boundaries, 1 to [`MAX_BOUNDARIES`].
        boundaries: usize = 6,
        /// Prior trials of the estimated shares of slow requests.
        prior_trials: f64 = PRIOR_TRIALS,
        /// What may be assumed of the requests of one tick. `clustered` does not use the grid.
        mode: LatencyMode = LatencyMode::Independent,
    }
}

/// A checked test with everything precomputed that no tick changes. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
/// let settings = LatencySettings { boundaries: 2, ..LatencySettings::default() };
/// let design = LatencyDesign::try_new(&settings)?;
/// let mut test = Latency::new(&design);
/// for _ in 0..5 {
///     // Slower than 100 ms and than 250 ms; every canary request takes half as long again.
///     let (canary, baseline) = ([75.0, 22.0], [450.0, 45.0]);
///     test.update(&design, SlowCounts::new(&canary, 100.0), SlowCounts::new(&baseline, 900.0))?;
/// }
/// assert!(test.decided());
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyDesign {
    pub(super) bet: Bet,
    pub(super) hypothesis: Hypothesis,
    pub(super) limits: Limits,
    pub(super) quantile: Option<f64>,
    pub(super) boundaries: usize,
    /// `ln` of the number of boundaries, over which e-values are averaged; 0 with a `quantile`,
    /// where the least counts.
    pub(super) ln_boundaries: f64,
    pub(super) prior_trials: f64,
    /// For the joint bet: prior trials slower than each boundary.
    pub(super) prior_slow: [f64; MAX_BOUNDARIES],
    pub(super) id: u32,
}

/// How the gains of a tick are computed, and the weights of their terms.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bet {
    Joint(Stakes),
    Boundaries(Grid, Box<Kernel>),
    Clustered(Grid),
}

impl Bet {
    /// The grid, where each boundary has a row of terms.
    #[inline]
    pub(super) const fn grid(&self) -> Option<&Grid> {
        match self {
            Self::Joint(_) => None,
            Self::Boundaries(grid, _) | Self::Clustered(grid) => Some(grid),
        }
    }
}

impl LatencyDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`StatError`] if a setting is out of range: alpha, grid, weights, tolerated ratio, margin,
    /// quantile, prior trials, number of boundaries, temper, cap or threshold.
    pub fn try_new(settings: &LatencySettings) -> Result<Self, StatError> {
        let LatencySettings { direction, alpha, tolerated, margin, quantile, .. } = *settings;
        let boundaries = settings.boundaries;
        let hypothesis = Hypothesis::try_new(direction, alpha, tolerated, margin)?;
        let prior_trials = check_prior(settings.prior_trials)?;
        if let Some(value) = quantile {
            let fits = direction == Direction::Better && value > 0.0 && value < 1.0;
            let expected = "above 0 and below 1, in a test of better";
            StatError::unless(fits, "quantile", value, expected)?;
        }
        check_number(boundaries)?;
        let usual = hypothesis.threshold;
        let temper = settings.temper;
        let limits = Limits::try_new(temper, settings.cap, settings.threshold, usual)?;
        let (ratios, weights) = (settings.grid.as_deref(), settings.weights.as_deref());
        let own = Grid::try_new(direction, ratios, weights, (&DEFAULT_GRID, &DEFAULT_WEIGHTS))?;
        let is_joint = direction == Direction::Worse && hypothesis.null_ratio == 1.0;
        let is_default = ratios.is_none() && weights.is_none();
        let sign = if direction == Direction::Worse { 1.0 } else { -1.0 };
        let mut rest = vec![hypothesis.null_ratio, usual, prior_trials, boundaries as f64, sign];
        // Left out if unused, so that states from before they were settings still fit.
        rest.extend(Some(temper).filter(|temper| *temper != 1.0));
        rest.extend(quantile);
        let (bet, id) = match settings.mode {
            LatencyMode::Clustered => {
                let even = [1.0 / clustered::STAKES.len() as f64; clustered::STAKES.len()];
                let grid = Grid::of_weights(&even);
                let id = grid.fingerprint(6, &rest);
                (Bet::Clustered(grid), id)
            }
            LatencyMode::Independent if is_joint && is_default => {
                let id = own.fingerprint(5, &[&rest[..], &WEIGHTS].concat());
                (Bet::Joint(Stakes::new()), id)
            }
            LatencyMode::Independent => {
                let kernel = Kernel::new(&own, hypothesis.null_ratio, direction);
                let id = own.fingerprint(3, &rest);
                (Bet::Boundaries(own, Box::new(kernel)), id)
            }
        };
        let ln_boundaries = if quantile.is_some() { 0.0 } else { ln(boundaries as f64) };
        let prior_slow = prior_shares(boundaries).map(|share| share * prior_trials);
        Ok(Self {
            bet,
            hypothesis,
            limits,
            quantile,
            boundaries,
            ln_boundaries,
            prior_trials,
            prior_slow,
            id,
        })
    }

    /// How the test bets.
    pub fn form(&self) -> LatencyForm {
        match self.bet {
            Bet::Joint(_) => LatencyForm::Joint,
            Bet::Boundaries(..) => LatencyForm::Boundaries,
            Bet::Clustered(_) => LatencyForm::Clustered,
        }
    }

    /// What the test is to show.
    pub const fn direction(&self) -> Direction {
        self.hypothesis.direction
    }

    /// The log evidence that decides: `ln(1/α)` unless the settings name another.
    pub const fn threshold(&self) -> f64 {
        self.limits.threshold
    }

    /// The ratio at the edge of the null: `r0` for worse, `d` for better.
    pub const fn null_ratio(&self) -> f64 {
        self.hypothesis.null_ratio
    }

    /// How many boundaries the test has.
    pub const fn boundaries(&self) -> usize {
        self.boundaries
    }
}

/// Shares slower than each boundary that are expected before the first tick: falling evenly on the
/// log scale.
pub(super) fn prior_shares(boundaries: usize) -> [f64; MAX_BOUNDARIES] {
    let mut shares = [0.0; MAX_BOUNDARIES];
    if boundaries == 1 {
        shares[0] = PRIOR_SHARE;
    } else {
        let (first, last) = PRIOR_SHARES;
        let step = ln(last / first) / (boundaries - 1) as f64;
        for (k, share) in shares.iter_mut().enumerate().take(boundaries) {
            *share = first * exp(step * k as f64);
        }
    }
    shares
}
