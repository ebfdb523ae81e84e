//! Counts and rare proportions: the rate-ratio e-process, the default test.
//!
//! Per tick, with `x` events in `n` trials or exposure of canary and baseline and `m = x_c + x_b`:
//!
//! ```text
//! l_j += x_c ln g_j + m (ln(r0 n_c + n_b) - ln(r0 g_j n_c + n_b))
//! ln E = logsumexp_j(ln w_j + l_j)
//! ```
//!
//! Its mean is at most 1 under the null given the trials, whatever the base rate does and however the
//! split changes (statistics, section 1, has the proof): STAT-2 for worse, STAT-3 and STAT-5 for
//! better. The logarithms depend on the canary's share of the exposure alone,
//! `π = r0 n_c/(r0 n_c + n_b)`, as `ln1p((g_j - 1) π)`; they are kept while the split stays as it is.

use super::grid::{self, Grid, Hypothesis};
use super::numeric::{largest, ln1p_each, log_mean_exp};
use super::{Bounds, Counts, Direction, Evidence, MAX_GRID, StatError, Totals, Watch};
use serde::{Deserialize, Serialize};

/// Default ratios; found the best of eight sets on 18 scenarios (statistics, section 1).
pub const DEFAULT_GRID: [f64; 4] = [2.0, 4.0, 8.0, 20.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 4] = [0.4, 0.25, 0.2, 0.15];
/// Points that the short form of the update handles.
const SHORT: usize = 4;
/// Version of the state document.
const VERSION: u32 = 1;

/// What a rate-ratio test is asked.
///
/// ```
/// use hotfix_core::stats::rate_ratio::{RateRatioDesign, RateRatioSettings};
/// let settings = RateRatioSettings { tolerated: 1.25, ..RateRatioSettings::default() };
/// assert!(RateRatioDesign::try_new(&settings).is_ok());
/// ```
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
    /// Ratios over the null's, above 1, at most [`MAX_GRID`]; inverted for better. Absent: the default.
    pub grid: Option<Vec<f64>>,
    /// One weight a ratio, summing to 1. Absent: the default's, even for a grid of one's own.
    pub weights: Option<Vec<f64>>,
}

impl Default for RateRatioSettings {
    /// Rollback at α 0.01, nothing tolerated, default grid.
    fn default() -> Self {
        Self {
            direction: Direction::Worse,
            alpha: 0.01,
            tolerated: 1.0,
            margin: 2.0,
            grid: None,
            weights: None,
        }
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
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// let design = RateRatioDesign::try_new(&RateRatioSettings::default())?;
/// let mut test = RateRatio::new(&design);
/// for _ in 0..6 {
///     // Ten seconds at a share of 0.1: 3% errors in the canary, 0.3% in the baseline.
///     test.update(&design, Counts::new(2.0, 67.0), Counts::new(2.0, 600.0))?;
/// }
/// let evidence = test.evidence(&design);
/// assert!(evidence.decided && evidence.p_value < 0.01);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RateRatioDesign {
    grid: Grid,
    /// `g_j - 1`, what the logarithms need.
    excess: [f64; MAX_GRID],
    hypothesis: Hypothesis,
    id: u32,
}

impl RateRatioDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// `HF-STAT-001` alpha, `-006` and `-007` grid, `-008` to `-010` weights, `-011` tolerated ratio,
    /// `-012` margin.
    pub fn try_new(settings: &RateRatioSettings) -> Result<Self, StatError> {
        let RateRatioSettings { direction, alpha, tolerated, margin, .. } = *settings;
        let hypothesis = Hypothesis::try_new(direction, alpha, tolerated, margin)?;
        let (ratios, weights) = (settings.grid.as_deref(), settings.weights.as_deref());
        let default = (DEFAULT_GRID.as_slice(), DEFAULT_WEIGHTS.as_slice());
        let grid = Grid::try_new(direction, ratios, weights, default)?;
        let excess = grid.ratio.map(|ratio| ratio - 1.0);
        let id = grid.fingerprint(1, &[hypothesis.null_ratio, hypothesis.threshold]);
        Ok(Self { grid, excess, hypothesis, id })
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

/// The evidence of one rate-ratio test: plain data of at most 256 bytes, cheap to copy and to try on.
///
/// Every method that computes takes the design that the state was made for. Counts of ticks in which
/// an arm has no trials are left out altogether; ticks without events add trials and no evidence.
/// See [`RateRatioDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct RateRatio {
    /// `l_j`; negative infinity in unused places.
    terms: [f64; MAX_GRID],
    /// `ln1p((g_j - 1) π)` for the split below.
    losses: [f64; MAX_GRID],
    /// Trials of the last tick with events, and the share `π` that they give; zero at the start.
    split: (f64, f64, f64),
    totals: Totals,
    watch: Watch,
    design: u32,
}

impl RateRatio {
    /// No data yet: `E = 1`.
    pub fn new(design: &RateRatioDesign) -> Self {
        Self {
            terms: design.grid.start(),
            losses: [0.0; MAX_GRID],
            split: (0.0, 0.0, 0.0),
            totals: Totals::default(),
            watch: Watch::START,
            design: design.id,
        }
    }

    /// Takes in one tick and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// Leaves the state as it was. `HF-STAT-002`, `-003`, `-005` for counts that are not finite,
    /// negative or too large; `HF-STAT-017` for another design's state. More events than trials are
    /// taken, as trials may be an exposure; check proportions with [`Counts::check_proportion`].
    #[inline]
    pub fn update(
        &mut self,
        design: &RateRatioDesign,
        canary: Counts,
        baseline: Counts,
    ) -> Result<bool, StatError> {
        canary.check()?;
        baseline.check()?;
        if self.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return Ok(self.watch.decided);
        }
        self.totals.add(canary, baseline);
        let events = canary.events + baseline.events;
        if events == 0.0 {
            return Ok(self.watch.decided);
        }
        let same_split = canary.trials == self.split.0 && baseline.trials == self.split.1;
        let lower = if design.grid.len <= SHORT {
            if !same_split {
                self.resplit::<SHORT>(design, canary.trials, baseline.trials);
            }
            self.advance::<SHORT>(design, canary.events, events)
        } else {
            if !same_split {
                self.resplit::<MAX_GRID>(design, canary.trials, baseline.trials);
            }
            self.advance::<MAX_GRID>(design, canary.events, events)
        };
        Ok(self.look(design, lower))
    }

    /// Adds another state's evidence, as if its counts came as one further tick.
    ///
    /// Log evidence and totals are those of one state fed with both. `self` has been looked at, `other`
    /// has not: the running maximum and the decision are `self`'s and that of the sum.
    ///
    /// # Errors
    /// `HF-STAT-017` where the states are not of this design.
    pub fn merge(&mut self, design: &RateRatioDesign, other: &Self) -> Result<bool, StatError> {
        if self.design != design.id || other.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        for (term, more) in self.terms.iter_mut().zip(other.terms) {
            *term += more;
        }
        self.totals.add(other.totals.canary, other.totals.baseline);
        Ok(self.look(design, design.grid.bound(&self.terms)))
    }

    /// Log of the e-value, exact; 0 without data.
    pub fn log_e(&self, design: &RateRatioDesign) -> f64 {
        if design.grid.len <= SHORT {
            let ([t0, t1, t2, t3, ..], [w0, w1, w2, w3, ..]) = (self.terms, design.grid.weight);
            log_mean_exp(&[t0, t1, t2, t3], &[w0, w1, w2, w3])
        } else {
            log_mean_exp(&self.terms, &design.grid.weight)
        }
    }

    /// `max_j (ln w_j + l_j)`: at most [`log_e`](Self::log_e), and less by at most `ln J`.
    #[inline]
    pub fn log_e_bound(&self, design: &RateRatioDesign) -> f64 {
        design.grid.bound(&self.terms)
    }

    /// Both bounds of the log of the e-value, for [`combine`](super::combine).
    #[inline]
    pub fn bounds(&self, design: &RateRatioDesign) -> Bounds {
        let lower = design.grid.bound(&self.terms);
        Bounds { lower, upper: largest(&self.terms) }
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
    pub fn evidence(&self, design: &RateRatioDesign) -> Evidence {
        Evidence {
            log_e: self.log_e(design),
            p_value: self.p_value(),
            ratio: self.ratio(),
            decided: self.watch.decided,
        }
    }

    /// Computes the logarithms of a new split for the first `N` points.
    #[inline]
    fn resplit<const N: usize>(&mut self, design: &RateRatioDesign, canary: f64, baseline: f64) {
        let weighted = design.hypothesis.null_ratio * canary;
        let share = weighted / (weighted + baseline);
        if share != self.split.2 {
            let mut arguments = [0.0; N];
            for (argument, excess) in arguments.iter_mut().zip(design.excess) {
                *argument = excess * share;
            }
            self.losses[..N].copy_from_slice(&ln1p_each(&arguments));
        }
        self.split = (canary, baseline, share);
    }

    /// Adds a tick's gain to the first `N` points and returns the lower bound of the evidence.
    #[inline]
    fn advance<const N: usize>(&mut self, design: &RateRatioDesign, loud: f64, events: f64) -> f64 {
        // Unused places hold negative infinity and stay there.
        let mut weighted = [0.0; N];
        for (j, weighted) in weighted.iter_mut().enumerate() {
            self.terms[j] += loud * design.grid.ln_ratio[j] - events * self.losses[j];
            *weighted = self.terms[j] + design.grid.ln_weight[j];
        }
        largest(&weighted)
    }

    #[inline]
    fn look(&mut self, design: &RateRatioDesign, lower: f64) -> bool {
        let mut watch = self.watch;
        let threshold = design.hypothesis.threshold;
        let decided = watch.look(lower, design.grid.slack, threshold, || self.log_e(design));
        self.watch = watch;
        decided
    }
}

/// The state as a document; constants of the split are computed again from the next tick.
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

impl From<RateRatio> for Document {
    fn from(state: RateRatio) -> Self {
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

impl TryFrom<Document> for RateRatio {
    type Error = StatError;

    fn try_from(read: Document) -> Result<Self, StatError> {
        if read.version != VERSION {
            return Err(StatError::StateVersion { version: read.version });
        }
        read.totals.check()?;
        Ok(Self {
            terms: Grid::terms_from(&read.terms)?,
            losses: [0.0; MAX_GRID],
            split: (0.0, 0.0, 0.0),
            totals: read.totals,
            watch: Watch::restored(read.highest, read.decided)?,
            design: read.design,
        })
    }
}
