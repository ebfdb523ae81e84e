//! Proportions above about 5%: the two-sample Bernoulli e-process.
//!
//! Bets each tick on a simple alternative whose baseline rate is estimated from past ticks only, against
//! the closest point of the null; a mixture over a grid of ratios. Valid at every base rate, the
//! estimate steers its power alone. No bet is made where the alternative lies in the null itself, which
//! is what makes efficacy claims valid (STAT-5). Finds a ratio of 1.5 at 10% in 33 ticks where
//! [`rate_ratio`](super::rate_ratio) takes 38 (statistics, section 2). Source: Turner, Ly and Grünwald on
//! two-sample e-variables; the gain is regrouped, see the code.
//!
//! The evidence depends on the order of the ticks, so it does not merge.

use super::grid::{self, Grid, Hypothesis};
use super::kernel::Kernel;
use super::numeric::{largest, log_mean_exp};
use super::{Bounds, Counts, Direction, Evidence, MAX_GRID, StatError, Totals, Watch};
use serde::{Deserialize, Serialize};

/// Default ratios.
pub const DEFAULT_GRID: [f64; 8] = [1.2, 1.5, 2.0, 3.0, 5.0, 8.0, 14.0, 30.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 8] = [0.125; 8];
/// Events that the plug-in starts with.
pub(super) const PRIOR_EVENTS: f64 = 0.5;
/// Version of the state document.
const VERSION: u32 = 1;

/// What a Bernoulli test is asked.
///
/// ```
/// use hotfix_core::stats::bernoulli::{BernoulliDesign, BernoulliSettings};
/// // Efficacy: the canary's errors are at most half of the live baseline's.
/// assert!(BernoulliDesign::try_new(&BernoulliSettings::better(0.5)).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BernoulliSettings {
    /// What is to be shown.
    pub direction: Direction,
    /// Chance of ever deciding while the null holds, above 0 and below 1.
    pub alpha: f64,
    /// `r0`, at least 1: the ratio that is tolerated; the null of worse is `r ≤ r0`.
    pub tolerated: f64,
    /// `d`: the null of better is `r ≥ d`; over 1 'not worse', up to 1 'cut at least to d'.
    pub margin: f64,
    /// Ratios over the null's, above 1, at most [`MAX_GRID`]; inverted for better. Absent: the default.
    pub grid: Option<Vec<f64>>,
    /// One weight a ratio, summing to 1. Absent: even.
    pub weights: Option<Vec<f64>>,
    /// Trials that the plug-in rate starts with, beside half an event.
    pub prior_trials: f64,
}

impl Default for BernoulliSettings {
    /// Rollback at α 0.01, nothing tolerated, default grid, 50 prior trials.
    fn default() -> Self {
        Self {
            direction: Direction::Worse,
            alpha: 0.01,
            tolerated: 1.0,
            margin: 2.0,
            grid: None,
            weights: None,
            prior_trials: 50.0,
        }
    }
}

impl BernoulliSettings {
    /// The promotion test at α 0.05 against a margin; a margin up to 1 is an efficacy claim.
    pub fn better(margin: f64) -> Self {
        Self { direction: Direction::Better, alpha: 0.05, margin, ..Self::default() }
    }
}

/// Checks the trials that a plug-in starts with.
pub(super) fn check_prior(prior_trials: f64) -> Result<f64, StatError> {
    if (1.0..=1e9).contains(&prior_trials) {
        Ok(prior_trials)
    } else {
        Err(StatError::BadPriorTrials { prior_trials })
    }
}

/// A checked test with everything precomputed that no tick changes. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::{Counts, bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings}};
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// let design = BernoulliDesign::try_new(&BernoulliSettings::default())?;
/// let mut test = Bernoulli::new(&design);
/// for _ in 0..4 {
///     // 30% of the canary's requests fail, 10% of the baseline's.
///     test.update(&design, Counts::new(30.0, 100.0), Counts::new(90.0, 900.0))?;
/// }
/// assert!(test.decided());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BernoulliDesign {
    grid: Grid,
    kernel: Kernel,
    hypothesis: Hypothesis,
    prior_trials: f64,
    id: u32,
}

impl BernoulliDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// `HF-STAT-001` alpha, `-006` and `-007` grid, `-008` to `-010` weights, `-011` tolerated ratio,
    /// `-012` margin, `-013` prior trials.
    pub fn try_new(settings: &BernoulliSettings) -> Result<Self, StatError> {
        let BernoulliSettings { direction, alpha, tolerated, margin, .. } = *settings;
        let hypothesis = Hypothesis::try_new(direction, alpha, tolerated, margin)?;
        let prior_trials = check_prior(settings.prior_trials)?;
        let (ratios, weights) = (settings.grid.as_deref(), settings.weights.as_deref());
        let default = (DEFAULT_GRID.as_slice(), DEFAULT_WEIGHTS.as_slice());
        let grid = Grid::try_new(direction, ratios, weights, default)?;
        let kernel = Kernel::new(&grid, hypothesis.null_ratio, direction);
        let id = grid.fingerprint(2, &[hypothesis.null_ratio, hypothesis.threshold, prior_trials]);
        Ok(Self { grid, kernel, hypothesis, prior_trials, id })
    }

    /// What the test is to show.
    pub fn direction(&self) -> Direction {
        self.hypothesis.direction
    }

    /// `ln(1/α)`: the log evidence that decides.
    pub fn threshold(&self) -> f64 {
        self.hypothesis.threshold
    }

    /// The ratio at the edge of the null: `r0` for worse, `d` for better.
    pub fn null_ratio(&self) -> f64 {
        self.hypothesis.null_ratio
    }
}

/// The evidence of one Bernoulli test: plain data, cheap to copy and to try on.
///
/// Every method that computes takes the design that the state was made for. Ticks in which an arm has
/// no trials are left out, of the plug-in too. See [`BernoulliDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Bernoulli {
    /// `l_j`; negative infinity in unused places.
    terms: [f64; MAX_GRID],
    totals: Totals,
    watch: Watch,
    design: u32,
}

impl Bernoulli {
    /// No data yet: `E = 1`.
    pub fn new(design: &BernoulliDesign) -> Self {
        Self {
            terms: design.grid.start(),
            totals: Totals::default(),
            watch: Watch::START,
            design: design.id,
        }
    }

    /// Takes in one tick and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// Leaves the state as it was. `HF-STAT-002` to `-005` for counts that are not finite, negative,
    /// more than the trials or too large; `HF-STAT-017` for another design's state.
    pub fn update(
        &mut self,
        design: &BernoulliDesign,
        canary: Counts,
        baseline: Counts,
    ) -> Result<bool, StatError> {
        canary.check_proportion()?;
        baseline.check_proportion()?;
        if self.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return Ok(self.watch.decided);
        }
        let split = design.kernel.split(canary.trials, baseline.trials);
        let plug_in = plug_in(&self.totals, design.prior_trials);
        let gains = design.kernel.gains(&split, plug_in, canary, baseline);
        for (term, gain) in self.terms.iter_mut().zip(gains) {
            *term += gain;
        }
        self.totals.add(canary, baseline);
        let mut watch = self.watch;
        let lower = design.grid.bound(&self.terms);
        let threshold = design.hypothesis.threshold;
        let decided = watch.look(lower, design.grid.slack, threshold, || self.log_e(design));
        self.watch = watch;
        Ok(decided)
    }

    /// Log of the e-value, exact; 0 without data.
    pub fn log_e(&self, design: &BernoulliDesign) -> f64 {
        log_mean_exp(&self.terms, &design.grid.weight)
    }

    /// `max_j (ln w_j + l_j)`: at most [`log_e`](Self::log_e), and less by at most `ln J`.
    #[inline]
    pub fn log_e_bound(&self, design: &BernoulliDesign) -> f64 {
        design.grid.bound(&self.terms)
    }

    /// Both bounds of the log of the e-value, for [`combine`](super::combine).
    #[inline]
    pub fn bounds(&self, design: &BernoulliDesign) -> Bounds {
        Bounds { lower: design.grid.bound(&self.terms), upper: largest(&self.terms) }
    }

    /// `min(1, 1/max E)` from the running maximum of the bound: valid at every look.
    pub fn p_value(&self) -> f64 {
        self.watch.p_value()
    }

    /// Whether the evidence has ever reached `ln(1/α)`.
    pub fn decided(&self) -> bool {
        self.watch.decided
    }

    /// Estimated canary rate over baseline rate, see [`Totals::ratio`].
    pub fn ratio(&self) -> Option<f64> {
        self.totals.ratio()
    }

    /// What was compared so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What a verdict reports.
    pub fn evidence(&self, design: &BernoulliDesign) -> Evidence {
        Evidence {
            log_e: self.log_e(design),
            p_value: self.p_value(),
            ratio: self.ratio(),
            decided: self.watch.decided,
        }
    }
}

/// The rate that past ticks of both arms give, with a little prior.
#[inline]
fn plug_in(past: &Totals, prior_trials: f64) -> f64 {
    let Totals { canary, baseline } = past;
    (canary.events + baseline.events + PRIOR_EVENTS)
        / (canary.trials + baseline.trials + prior_trials)
}

/// The state as a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    design: u32,
    terms: Vec<f64>,
    totals: Totals,
    highest: f64,
    decided: bool,
}

impl From<Bernoulli> for Document {
    fn from(state: Bernoulli) -> Self {
        Self {
            version: VERSION,
            design: state.design,
            terms: grid::used(&state.terms),
            totals: state.totals,
            highest: state.watch.highest,
            decided: state.watch.decided,
        }
    }
}

impl TryFrom<Document> for Bernoulli {
    type Error = StatError;

    fn try_from(read: Document) -> Result<Self, StatError> {
        if read.version != VERSION {
            return Err(StatError::StateVersion { version: read.version });
        }
        read.totals.check()?;
        Ok(Self {
            terms: Grid::terms_from(&read.terms)?,
            totals: read.totals,
            watch: Watch::restored(read.highest, read.decided)?,
            design: read.design,
        })
    }
}
