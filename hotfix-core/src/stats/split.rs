//! Sample-ratio test: traffic that does not fit its planned share. A finding, never a cause for
//! rollback.
//!
//! Under the plan each request goes to the canary with chance `w`. The evidence against it is the
//! mean of two [`rate_ratio`](super::rate_ratio) tests with requests for events and the planned
//! shares for exposure, one for too much and one for too little traffic: given the number of
//! requests that is a binomial e-process with odds `w/(1 - w)`, valid at every evaluation and for
//! shares that change. A tolerated factor on the odds keeps harmless roundings of a splitter from
//! being found in much traffic.
//!
//! Requests that come in clusters (sticky sessions) are not independent; then it is only a hint.

use super::grid::check_share;
use super::numeric::{ln, log_add_exp};
use super::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use super::{Counts, Direction, MAX_RATIO, Range, StatError, Watch};
use core::f64::consts::LN_2;
use serde::{Deserialize, Serialize};

/// Default odds ratios over the tolerated one.
pub const DEFAULT_GRID: [f64; 5] = [1.1, 1.3, 2.0, 5.0, 20.0];
/// Default tolerated factor on the odds.
pub const DEFAULT_TOLERATED: f64 = 1.1;

/// Settings of a test of the split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitSettings {
    /// Chance of ever finding a split wrong that is right, above 0 and below 1.
    pub alpha: f64,
    /// Factor, at least 1, by which the odds may be off either way; 1 for exactly the plan.
    pub tolerated: f64,
}

impl Default for SplitSettings {
    /// α 0.001, because every rollout has this test; odds 1.1 times the plan's are tolerated.
    fn default() -> Self {
        Self { alpha: 0.001, tolerated: DEFAULT_TOLERATED }
    }
}

/// A checked test of the split.
///
/// ```
/// use hotfix_core::stats::split::{Split, SplitDesign, SplitSettings};
/// let design = SplitDesign::try_new(&SplitSettings::default())?;
/// let mut split = Split::new(&design);
/// assert!(!split.update(&design, 0.1, 103.0, 897.0)?);
/// assert!(split.update(&design, 0.1, 300.0, 700.0)?, "three tenths where one was planned");
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SplitDesign {
    above: RateRatioDesign,
    below: RateRatioDesign,
    threshold: f64,
}

impl SplitDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`StatError`] if alpha or the tolerated factor is out of range.
    pub fn try_new(settings: &SplitSettings) -> Result<Self, StatError> {
        let SplitSettings { alpha, tolerated } = *settings;
        Range::TOLERATED.check((1.0..=MAX_RATIO).contains(&tolerated), tolerated)?;
        let side = |direction| {
            RateRatioDesign::try_new(&RateRatioSettings {
                direction,
                alpha,
                tolerated,
                margin: 1.0 / tolerated,
                grid: Some(DEFAULT_GRID.to_vec()),
                ..RateRatioSettings::default()
            })
        };
        let (above, below) = (side(Direction::Worse)?, side(Direction::Better)?);
        let threshold = above.threshold();
        Ok(Self { above, below, threshold })
    }
}

/// The evidence against a planned split. See [`SplitDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    above: RateRatio,
    below: RateRatio,
    watch: Watch,
}

impl Split {
    /// No data yet: `E = 1`.
    pub fn new(design: &SplitDesign) -> Self {
        Self {
            above: RateRatio::new(&design.above),
            below: RateRatio::new(&design.below),
            watch: Watch::START,
        }
    }

    /// Takes in one tick's trials and the canary's planned share of them; says whether a wrong
    /// split has been found, now or before.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for invalid trials, another
    /// design's state, or a share that is not above 0 and below 1.
    pub fn update(
        &mut self,
        design: &SplitDesign,
        share: f64,
        canary_trials: f64,
        baseline_trials: f64,
    ) -> Result<bool, StatError> {
        check_share(share)?;
        let canary = Counts::new(canary_trials, share);
        let baseline = Counts::new(baseline_trials, 1.0 - share);
        // Checked first: nothing may be refused once `above` is updated.
        self.below.check_design(&design.below)?;
        self.above.update(&design.above, canary, baseline)?;
        self.below.update(&design.below, canary, baseline)?;
        let (above, below) = (self.above.bounds(&design.above), self.below.bounds(&design.below));
        let lower = super::numeric::larger(above.lower, below.lower) - LN_2;
        let upper = super::numeric::larger(above.upper, below.upper);
        self.watch =
            self.watch.evaluated(lower, upper - lower, design.threshold, || self.log_e(design));
        Ok(self.watch.decided)
    }

    /// Checks that a state, such as one read from a document, was made for this design.
    pub fn check(&self, design: &SplitDesign) -> Result<(), StatError> {
        self.above.check(&design.above)?;
        self.below.check(&design.below)
    }

    /// Log of the e-value against the plan; 0 without data.
    pub fn log_e(&self, design: &SplitDesign) -> f64 {
        let (above, below) = (self.above.log_e(&design.above), self.below.log_e(&design.below));
        if above == below { above } else { log_add_exp(above, below) - LN_2 }
    }

    /// Trials of canary and baseline so far.
    pub fn trials(&self) -> (f64, f64) {
        let totals = self.above.totals();
        (totals.canary.events, totals.baseline.events)
    }
}

/// Log likelihood of one tick's trials with the arms swapped over that of the plan.
///
/// `(n_c - n_b) ln((1 - w)/w)` for planned share `w`: large where the canary has the baseline's
/// traffic; 0 at a share of a half, where arms cannot be distinguished by their volume. Its sum
/// over ticks is a log e-value against the plan.
///
/// # Errors
/// [`StatError`] for invalid trials, or a share that is not above 0 and below 1.
///
/// ```
/// use hotfix_core::stats::split::arms_swapped;
/// assert!(arms_swapped(0.1, 900.0, 100.0).is_ok_and(|log_ratio| log_ratio > 1000.0));
/// ```
pub fn arms_swapped(
    share: f64,
    canary_trials: f64,
    baseline_trials: f64,
) -> Result<f64, StatError> {
    check_share(share)?;
    Counts::new(canary_trials, baseline_trials).check()?;
    Ok((canary_trials - baseline_trials) * (ln(1.0 - share) - ln(share)))
}
