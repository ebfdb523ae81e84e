//! Latency: slow-request counts above several boundaries, their e-values averaged.
//!
//! Each boundary is a [`bernoulli`](super::bernoulli) test of its own on the requests slower than it;
//! the average of their e-values is valid under any dependence between boundaries (statistics,
//! section 3). Histogram buckets are all it needs. Boundaries are fixed from the baseline before the
//! phase, near its p50, p75, p90, p95, p99 and far in the tail; picking them from the current tick is
//! invalid.
//!
//! Concurrent arms: no cap and looks about every 10 s. Before and after, or arms that are not matched:
//! looks every 1 to 2 s and a cap of 0.5 to 0.7 on what a tick may add, so that one burst cannot decide.

use super::bernoulli::{PRIOR_EVENTS, check_prior};
use super::grid::{self, Grid, Hypothesis};
use super::kernel::Kernel;
use super::numeric::{add_scaled, larger, largest, ln, smaller, weighted_sum};
use super::{Bounds, Counts, Direction, Evidence, MAX_GRID, StatError, Totals, Watch};
use serde::{Deserialize, Serialize};

/// Most boundaries that a test may have.
pub const MAX_BOUNDARIES: usize = 12;
/// Default ratios.
pub const DEFAULT_GRID: [f64; 8] = [1.15, 1.35, 1.7, 2.2, 3.0, 5.0, 10.0, 25.0];
/// Weights of [`DEFAULT_GRID`].
pub const DEFAULT_WEIGHTS: [f64; 8] = [0.125; 8];
/// Half a grid.
const HALF: usize = MAX_GRID / 2;
/// Halves of a grid whose terms are all this far below the largest add nothing that an `f64` shows.
const NEGLIGIBLE: f64 = 40.0;
/// Version of the state document.
const VERSION: u32 = 1;

/// What a latency test is asked.
///
/// ```
/// use hotfix_core::stats::latency::{LatencyDesign, LatencySettings};
/// let settings = LatencySettings { boundaries: 6, cap: Some(0.6), ..LatencySettings::default() };
/// assert!(LatencyDesign::try_new(&settings).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatencySettings {
    /// What is to be shown.
    pub direction: Direction,
    /// Chance of ever deciding while the null holds, above 0 and below 1.
    pub alpha: f64,
    /// `r0`, at least 1: the ratio of slow requests that is tolerated at every boundary.
    pub tolerated: f64,
    /// `d`: the null of better is 'the share of slow requests is at least `d` times the baseline's'.
    pub margin: f64,
    /// Number of boundaries, 1 to [`MAX_BOUNDARIES`].
    pub boundaries: usize,
    /// Ratios over the null's, above 1, at most [`MAX_GRID`]; inverted for better. Absent: the default.
    pub grid: Option<Vec<f64>>,
    /// One weight a ratio, summing to 1. Absent: even.
    pub weights: Option<Vec<f64>>,
    /// Trials that the plug-in rate starts with, beside half an event.
    pub prior_trials: f64,
    /// Most log evidence that one tick may add to a term; absent: no cap.
    pub cap: Option<f64>,
}

impl Default for LatencySettings {
    /// Rollback at α 0.01, nothing tolerated, six boundaries, no cap.
    fn default() -> Self {
        Self {
            direction: Direction::Worse,
            alpha: 0.01,
            tolerated: 1.0,
            margin: 2.0,
            boundaries: 6,
            grid: None,
            weights: None,
            prior_trials: 5.0,
            cap: None,
        }
    }
}

/// One arm's requests of one tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowCounts<'a> {
    /// Requests slower than each boundary, in the order of the boundaries.
    pub slow: &'a [f64],
    /// All requests.
    pub trials: f64,
}

impl<'a> SlowCounts<'a> {
    /// Counts as given; the test that takes them checks them.
    pub const fn new(slow: &'a [f64], trials: f64) -> Self {
        Self { slow, trials }
    }

    #[inline]
    fn at(&self, boundary: usize) -> Counts {
        Counts::new(self.slow[boundary], self.trials)
    }

    fn check(&self, boundaries: usize) -> Result<(), StatError> {
        let got = self.slow.len();
        if got != boundaries {
            return Err(StatError::BoundaryMismatch { got, expected: boundaries });
        }
        Counts::new(0.0, self.trials).check()?;
        if self.slow.iter().all(|&events| (0.0..=self.trials).contains(&events)) {
            return Ok(());
        }
        self.slow.iter().try_for_each(|&events| Counts::new(events, self.trials).check_proportion())
    }
}

/// A checked test with everything precomputed that no tick changes. Shared by any number of states.
///
/// ```
/// use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// let settings = LatencySettings { boundaries: 2, ..LatencySettings::default() };
/// let design = LatencyDesign::try_new(&settings)?;
/// let mut test = Latency::new(&design);
/// for _ in 0..5 {
///     // Slower than 100 ms and than 250 ms; every canary request takes half as long again.
///     let (canary, baseline) = ([75.0, 22.0], [450.0, 45.0]);
///     test.update(&design, SlowCounts::new(&canary, 100.0), SlowCounts::new(&baseline, 900.0))?;
/// }
/// assert!(test.decided());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyDesign {
    grid: Grid,
    kernel: Kernel,
    hypothesis: Hypothesis,
    boundaries: usize,
    /// `ln B`: every term is weighted by `1/B`, too.
    ln_boundaries: f64,
    prior_trials: f64,
    /// Infinite where there is none.
    cap: f64,
    id: u32,
}

impl LatencyDesign {
    /// Checks the settings.
    ///
    /// # Errors
    /// `HF-STAT-001` alpha, `-006` and `-007` grid, `-008` to `-010` weights, `-011` tolerated ratio,
    /// `-012` margin, `-013` prior trials, `-014` number of boundaries, `-016` cap.
    pub fn try_new(settings: &LatencySettings) -> Result<Self, StatError> {
        let LatencySettings { direction, alpha, tolerated, margin, boundaries, .. } = *settings;
        let hypothesis = Hypothesis::try_new(direction, alpha, tolerated, margin)?;
        let prior_trials = check_prior(settings.prior_trials)?;
        if boundaries == 0 || boundaries > MAX_BOUNDARIES {
            return Err(StatError::BoundaryCount { boundaries });
        }
        let cap = match settings.cap {
            Some(cap) if cap > 0.0 && cap.is_finite() => cap,
            Some(cap) => return Err(StatError::BadCap { cap }),
            None => f64::INFINITY,
        };
        let (ratios, weights) = (settings.grid.as_deref(), settings.weights.as_deref());
        let default = (DEFAULT_GRID.as_slice(), DEFAULT_WEIGHTS.as_slice());
        let grid = Grid::try_new(direction, ratios, weights, default)?;
        let kernel = Kernel::new(&grid, hypothesis.null_ratio, direction);
        let ln_boundaries = ln(boundaries as f64);
        let id = grid.fingerprint(
            3,
            &[hypothesis.null_ratio, hypothesis.threshold, prior_trials, cap, ln_boundaries],
        );
        Ok(Self { grid, kernel, hypothesis, boundaries, ln_boundaries, prior_trials, cap, id })
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

    /// How many boundaries the test has.
    pub fn boundaries(&self) -> usize {
        self.boundaries
    }
}

/// The evidence of one latency test: plain data of about one kilobyte.
///
/// Every method that computes takes the design that the state was made for. Ticks in which an arm has
/// no requests are left out. See [`LatencyDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Latency {
    /// `l_bj`; negative infinity in unused places.
    terms: [[f64; MAX_GRID]; MAX_BOUNDARIES],
    /// Slow requests above each boundary, canary and baseline.
    slow: [(f64, f64); MAX_BOUNDARIES],
    /// Requests of canary and baseline.
    trials: (f64, f64),
    boundaries: usize,
    watch: Watch,
    design: u32,
}

impl Latency {
    /// No data yet: `E = 1`.
    pub fn new(design: &LatencyDesign) -> Self {
        let mut terms = [[f64::NEG_INFINITY; MAX_GRID]; MAX_BOUNDARIES];
        terms[..design.boundaries].fill(design.grid.start());
        Self {
            terms,
            slow: [(0.0, 0.0); MAX_BOUNDARIES],
            trials: (0.0, 0.0),
            boundaries: design.boundaries,
            watch: Watch::START,
            design: design.id,
        }
    }

    /// Takes in one tick and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// Leaves the state as it was. `HF-STAT-002` to `-005` for counts that are not finite, negative,
    /// more than the requests or too large; `-015` for another number of boundaries than the design's;
    /// `-017` for another design's state.
    pub fn update(
        &mut self,
        design: &LatencyDesign,
        canary: SlowCounts<'_>,
        baseline: SlowCounts<'_>,
    ) -> Result<bool, StatError> {
        canary.check(design.boundaries)?;
        baseline.check(design.boundaries)?;
        if self.design != design.id {
            return Err(StatError::DesignMismatch);
        }
        if canary.trials == 0.0 || baseline.trials == 0.0 {
            return Ok(self.watch.decided);
        }
        let split = design.kernel.split(canary.trials, baseline.trials);
        let prior = 1.0 / (self.trials.0 + self.trials.1 + design.prior_trials);
        let mut lower = f64::NEG_INFINITY;
        for boundary in 0..design.boundaries {
            let (slow, terms) = (&mut self.slow[boundary], &mut self.terms[boundary]);
            let (of_canary, of_baseline) = (canary.at(boundary), baseline.at(boundary));
            let plug_in = (slow.0 + slow.1 + PRIOR_EVENTS) * prior;
            let gains = design.kernel.gains(&split, plug_in, of_canary, of_baseline);
            for j in 0..MAX_GRID {
                terms[j] += smaller(gains[j], design.cap);
            }
            slow.0 += of_canary.events;
            slow.1 += of_baseline.events;
            lower = larger(lower, design.grid.bound(terms));
        }
        self.trials.0 += canary.trials;
        self.trials.1 += baseline.trials;
        let mut watch = self.watch;
        let decided = watch.look(
            lower - design.ln_boundaries,
            design.grid.slack + design.ln_boundaries,
            design.hypothesis.threshold,
            || self.log_e(design),
        );
        self.watch = watch;
        Ok(decided)
    }

    /// Log of the averaged e-value; 0 without data.
    pub fn log_e(&self, design: &LatencyDesign) -> f64 {
        // Halves of a grid: at boundaries that many requests exceed, large ratios are soon ruled out.
        let mut tops = [[f64::NEG_INFINITY; 2]; MAX_BOUNDARIES];
        let mut top = f64::NEG_INFINITY;
        for (tops, terms) in tops.iter_mut().zip(&self.terms[..self.boundaries]) {
            let (low, high) = halves(terms);
            *tops = [largest(&low), largest(&high)];
            top = larger(top, larger(tops[0], tops[1]));
        }
        let (mut low_sums, mut high_sums) = ([0.0; HALF], [0.0; HALF]);
        for (tops, terms) in tops.iter().zip(&self.terms[..self.boundaries]) {
            let (low, high) = halves(terms);
            if tops[0] > top - NEGLIGIBLE {
                add_scaled(&mut low_sums, &low, top);
            }
            if tops[1] > top - NEGLIGIBLE {
                add_scaled(&mut high_sums, &high, top);
            }
        }
        let (low_weights, high_weights) = halves(&design.grid.weight);
        let sum = weighted_sum(low_sums, &low_weights) + weighted_sum(high_sums, &high_weights);
        top + ln(sum / self.boundaries as f64)
    }

    /// Log of the e-value of one boundary by itself, for explanations; `None` where there is no such.
    pub fn log_e_at(&self, design: &LatencyDesign, boundary: usize) -> Option<f64> {
        let terms = self.terms[..self.boundaries].get(boundary)?;
        Some(super::numeric::log_mean_exp(terms, &design.grid.weight))
    }

    /// `max (ln w_j - ln B + l_bj)`: at most [`log_e`](Self::log_e), and less by at most `ln(B J)`.
    #[inline]
    pub fn log_e_bound(&self, design: &LatencyDesign) -> f64 {
        self.bounds(design).lower
    }

    /// Both bounds of the log of the e-value, for [`combine`](super::combine).
    #[inline]
    pub fn bounds(&self, design: &LatencyDesign) -> Bounds {
        let none = Bounds { lower: f64::NEG_INFINITY, upper: f64::NEG_INFINITY };
        let bounds = self.terms[..self.boundaries].iter().fold(none, |bounds, terms| Bounds {
            lower: larger(bounds.lower, design.grid.bound(terms)),
            upper: larger(bounds.upper, largest(terms)),
        });
        Bounds { lower: bounds.lower - design.ln_boundaries, ..bounds }
    }

    /// `min(1, 1/max E)` from the running maximum of the bound: valid at every look.
    pub fn p_value(&self) -> f64 {
        self.watch.p_value()
    }

    /// Whether the evidence has ever reached `ln(1/α)`.
    pub fn decided(&self) -> bool {
        self.watch.decided
    }

    /// What was compared above one boundary so far; `None` where there is no such.
    pub fn totals(&self, boundary: usize) -> Option<Totals> {
        let (canary, baseline) = *self.slow[..self.boundaries].get(boundary)?;
        Some(Totals {
            canary: Counts::new(canary, self.trials.0),
            baseline: Counts::new(baseline, self.trials.1),
        })
    }

    /// The boundary that speaks loudest, by its largest term.
    pub fn loudest(&self) -> usize {
        let mut best = (0, f64::NEG_INFINITY);
        for (boundary, terms) in self.terms[..self.boundaries].iter().enumerate() {
            let top = largest(terms);
            if top > best.1 {
                best = (boundary, top);
            }
        }
        best.0
    }

    /// What a verdict reports; the ratio is that of slow requests above the loudest boundary.
    pub fn evidence(&self, design: &LatencyDesign) -> Evidence {
        Evidence {
            log_e: self.log_e(design),
            p_value: self.p_value(),
            ratio: self.totals(self.loudest()).and_then(|totals| totals.ratio()),
            decided: self.watch.decided,
        }
    }
}

/// The first and the second half of a grid's figures.
#[inline]
fn halves(all: &[f64; MAX_GRID]) -> ([f64; HALF], [f64; HALF]) {
    let [a, b, c, d, e, f, g, h] = *all;
    ([a, b, c, d], [e, f, g, h])
}

/// The state as a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    design: u32,
    terms: Vec<Vec<f64>>,
    slow: Vec<(f64, f64)>,
    trials: (f64, f64),
    highest: f64,
    decided: bool,
}

impl From<Latency> for Document {
    fn from(state: Latency) -> Self {
        Self {
            version: VERSION,
            design: state.design,
            terms: state.terms[..state.boundaries].iter().map(grid::used).collect(),
            slow: state.slow[..state.boundaries].to_vec(),
            trials: state.trials,
            highest: state.watch.highest,
            decided: state.watch.decided,
        }
    }
}

impl TryFrom<Document> for Latency {
    type Error = StatError;

    fn try_from(read: Document) -> Result<Self, StatError> {
        if read.version != VERSION {
            return Err(StatError::StateVersion { version: read.version });
        }
        let boundaries = read.terms.len();
        if boundaries == 0 || boundaries > MAX_BOUNDARIES || boundaries != read.slow.len() {
            return Err(StatError::BadState { what: "boundaries" });
        }
        let mut this = Self {
            terms: [[f64::NEG_INFINITY; MAX_GRID]; MAX_BOUNDARIES],
            slow: [(0.0, 0.0); MAX_BOUNDARIES],
            trials: read.trials,
            boundaries,
            watch: Watch::restored(read.highest, read.decided)?,
            design: read.design,
        };
        for (boundary, terms) in read.terms.iter().enumerate() {
            this.terms[boundary] = Grid::terms_from(terms)?;
            this.slow[boundary] = read.slow[boundary];
            this.totals(boundary).map_or(Ok(()), |totals| totals.check())?;
        }
        Ok(this)
    }
}
