//! Ceiling test: shows that a small rate is below a ceiling, without a baseline.
//!
//! Where errors are so rare that canary and baseline cannot be compared, the test shows that the
//! canary's rate is below a ceiling `p`. The null hypothesis is 'every request fails with chance
//! `p` or more', and
//!
//! ```text
//! E = Σ_j w_j (q_j/p)^x ((1 - q_j)/(1 - p))^(n - x),   q_j = p × {0.5, 0.2, 0.05, 0}
//! ```
//!
//! Each request's factor falls in its chance of failing and has mean 1 at `p`, so its mean is at
//! most 1 under the null hypothesis. Without errors 690 requests are enough for 0.5% at α 0.05. It
//! depends on sums alone: order does not matter, and states merge.

use super::grid::{Grid, hashed, threshold};
use super::numeric::{larger, ln, ln1p, log_mean_exp, whole_between};
use super::{Counts, Evidence, MAX_GRID, Range, StatError, Watch, check_version};
use serde::{Deserialize, Serialize};

/// Default rates of the alternatives, as shares of the ceiling; evenly weighted.
pub const DEFAULT_GRID: [f64; 4] = [0.5, 0.2, 0.05, 0.0];
/// Lowest ceiling: below it requests cannot be counted that would show it.
pub const LEAST_CEILING: f64 = 1e-15;

/// Settings of a ceiling test. See [`Ceiling`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeilingSettings {
    /// The rate that the canary's is to be shown below, from [`LEAST_CEILING`] and below 1.
    pub ceiling: f64,
    /// Chance of ever deciding while the rate is at the ceiling or above it, above 0 and below 1.
    #[serde(default = "usual_alpha")]
    pub alpha: f64,
    /// Rates of the alternatives as shares of the ceiling, from 0 and below 1, at most
    /// [`MAX_GRID`].
    pub grid: Option<Vec<f64>>,
    /// One weight a rate, summing to 1. Absent: even.
    pub weights: Option<Vec<f64>>,
}

const fn usual_alpha() -> f64 {
    0.05
}

impl CeilingSettings {
    /// At α 0.05 with the default alternatives.
    pub const fn below(ceiling: f64) -> Self {
        Self { ceiling, alpha: usual_alpha(), grid: None, weights: None }
    }
}

/// A checked test. Shared by any number of states.
#[derive(Clone, Debug, PartialEq)]
pub struct CeilingDesign {
    ceiling: f64,
    weights: Grid,
    /// `ln(q/p)`: what an error gains; negative infinity for a rate of 0.
    loud: [f64; MAX_GRID],
    /// `ln((1 - q)/(1 - p))`: what any other request gains.
    quiet: [f64; MAX_GRID],
    threshold: f64,
    id: u32,
}

impl CeilingDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`StatError`] if a setting is out of range: alpha, grid, weights,
    /// ceiling, or a rate of the grid.
    pub fn try_new(settings: &CeilingSettings) -> Result<Self, StatError> {
        let threshold = threshold(settings.alpha)?;
        let ceiling = settings.ceiling;
        // Within rounding of 1 nothing is left of the complement.
        let leaves_both = ceiling >= LEAST_CEILING && 1.0 - ceiling >= LEAST_CEILING;
        Range::CEILING.check(leaves_both, ceiling)?;
        let grid = settings.grid.as_deref().unwrap_or(&DEFAULT_GRID);
        let mut this = Self {
            ceiling,
            weights: Grid::weighted(grid.len(), settings.weights.as_deref())?,
            loud: [0.0; MAX_GRID],
            quiet: [0.0; MAX_GRID],
            threshold,
            id: 0,
        };
        for (j, &share) in grid.iter().enumerate() {
            let is_below = share == 0.0 || (share.is_normal() && share > 0.0 && share < 1.0);
            Range::CEILING_SHARE.check(is_below, share)?;
            this.loud[j] = ln(share);
            // (1 - q)/(1 - p) = 1 + (p - q)/(1 - p): no digits cancel for tiny rates.
            this.quiet[j] = ln1p((ceiling - share * ceiling) / (1.0 - ceiling));
        }
        this.id = this.fingerprint();
        Ok(this)
    }

    /// The log evidence that decides: `ln(1/α)`.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// How many requests without an error are enough to decide: what a plan has to find room for.
    /// Infinite where all shares of the grid are too close to 1 to be distinguished from the
    /// ceiling.
    pub fn clean_trials(&self) -> f64 {
        let enough =
            |trials: f64| self.log_e(&self.terms(Counts::new(0.0, trials))) >= self.threshold;
        let mut most = 1.0;
        while most < f64::INFINITY && !enough(most) {
            most *= 2.0;
        }
        let mut few = 0.0;
        while let Some(middle) = whole_between(few, most) {
            if enough(middle) { most = middle } else { few = middle }
        }
        most
    }

    fn terms(&self, totals: Counts) -> [f64; MAX_GRID] {
        let others = totals.trials - totals.events;
        let mut terms = self.weights.start();
        for (j, term) in terms.iter_mut().enumerate().take(self.weights.len) {
            let loud = if totals.events == 0.0 { 0.0 } else { totals.events * self.loud[j] };
            *term = loud + others * self.quiet[j];
        }
        terms
    }

    /// `ln E`; the lowest finite number for `E = 0`, which only a rate of 0 as alternative gives.
    fn log_e(&self, terms: &[f64; MAX_GRID]) -> f64 {
        larger(log_mean_exp(terms, &self.weights.weight), f64::MIN)
    }

    /// FNV-1a over what a state depends on, as [`Grid::fingerprint`].
    fn fingerprint(&self) -> u32 {
        let Self { weights: Grid { len, weight, .. }, loud, ceiling, threshold, .. } = self;
        let numbers = loud[..*len].iter().chain(&weight[..*len]);
        hashed([], numbers.chain([ceiling, threshold]))
    }
}

/// The evidence that a rate is below a ceiling: plain data, cheap to copy.
///
/// ```
/// use hotfix_core::stats::{Counts, ceiling::{Ceiling, CeilingDesign, CeilingSettings}};
/// let design = CeilingDesign::try_new(&CeilingSettings::below(0.005))?;
/// let mut test = Ceiling::new(&design);
/// assert!(!test.update(&design, Counts::new(0.0, 689.0))?);
/// assert!(test.update(&design, Counts::new(0.0, 1.0))?);
/// # Ok::<(), hotfix_core::stats::StatError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedState", into = "SavedState")]
pub struct Ceiling {
    totals: Counts,
    watch: Watch,
    design: u32,
}

impl Ceiling {
    /// No data yet: `E = 1`.
    pub fn new(design: &CeilingDesign) -> Self {
        Self { totals: Counts::default(), watch: Watch::START, design: design.id }
    }

    /// Checks that a state, such as one read from a document, was made for this design; otherwise it is
    /// [`StatError::DesignMismatch`].
    pub fn check(&self, design: &CeilingDesign) -> Result<(), StatError> {
        if self.design == design.id { Ok(()) } else { Err(StatError::DesignMismatch) }
    }

    /// Takes in one tick of the canary and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for counts that are not
    /// finite, negative, more than the trials or too large, or for another design's state.
    pub fn update(&mut self, design: &CeilingDesign, canary: Counts) -> Result<bool, StatError> {
        canary.check_proportion()?;
        self.check(design)?;
        self.totals.add(canary);
        Ok(self.evaluate(design))
    }

    /// Adds another state's counts; the maximum and decision of `other` are dropped.
    ///
    /// # Errors
    /// [`StatError`] if the states belong to another design.
    pub fn merge(&mut self, design: &CeilingDesign, other: &Self) -> Result<bool, StatError> {
        self.check(design)?;
        other.check(design)?;
        self.totals.add(other.totals);
        Ok(self.evaluate(design))
    }

    fn evaluate(&mut self, design: &CeilingDesign) -> bool {
        let terms = design.terms(self.totals);
        let CeilingDesign { weights, threshold, .. } = design;
        let exact = || design.log_e(&terms);
        self.watch = self.watch.evaluated(weights.bound(&terms), weights.slack, *threshold, exact);
        self.watch.decided
    }

    /// Log of the e-value, exact; 0 without data.
    pub fn log_e(&self, design: &CeilingDesign) -> f64 {
        design.log_e(&design.terms(self.totals))
    }

    /// The canary's rate over the ceiling, with 0.5 for no errors; absent without trials.
    pub fn ratio(&self, design: &CeilingDesign) -> Option<f64> {
        let Counts { events, trials } = self.totals;
        let events = if events > 0.0 { events } else { 0.5 };
        let ratio = events / trials / design.ceiling;
        (trials > 0.0).then(|| super::numeric::smaller(ratio, f64::MAX))
    }

    /// The evidence as a verdict reports it; its ratio is to the ceiling.
    pub fn evidence(&self, design: &CeilingDesign) -> Evidence {
        self.watch.evidence(self.log_e(design), self.ratio(design))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState {
    version: u32,
    design: u32,
    totals: Counts,
    highest: f64,
    decided: bool,
}

impl From<Ceiling> for SavedState {
    fn from(state: Ceiling) -> Self {
        let Ceiling { totals, watch, design } = state;
        Self { version: 1, design, totals, highest: watch.highest, decided: watch.decided }
    }
}

impl TryFrom<SavedState> for Ceiling {
    type Error = StatError;

    fn try_from(read: SavedState) -> Result<Self, StatError> {
        check_version(read.version, 1)?;
        let Counts { events, trials } = read.totals;
        // Sums may be beyond what one tick may hold.
        if !(events >= 0.0 && events <= trials && trials.is_finite()) {
            return Err(StatError::BadState { what: "totals" });
        }
        let watch = Watch::restored(read.highest, read.decided)?;
        Ok(Self { totals: read.totals, watch, design: read.design })
    }
}
