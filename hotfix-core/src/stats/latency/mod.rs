//! Sequential latency tests: whether the canary is slower, from the buckets of both arms.
//!
//! They need only the counts of requests slower than each of several boundaries: histogram buckets
//! or samples. Boundaries are fixed from the baseline before the phase, near its p50, p75, p90,
//! p95, p99 and far in the tail ([`boundaries_from_histogram`]); picking them from the current tick
//! is invalid. The test takes one of three forms:
//!
//! | [`LatencyForm`] | used for | valid for |
//! |---|---|---|
//! | `Joint` | worse, nothing tolerated, the default grid | independent requests, given the shock of a tick |
//! | `Boundaries` | a tolerance, a margin, or a grid | the same |
//! | `Clustered` | [`LatencyMode::Clustered`] | any dependence within a tick |
//!
//! All hold under any dependence between boundaries and under any shock that both arms share.
//! `Joint` bets with all buckets at once ([`joint`]); it is the faster one, and its null is that
//! the canary is stochastically no slower, which has no counterpart for a ratio of shares.
//! `Boundaries` is a [`bernoulli`](super::bernoulli) test at each boundary, and the average of
//! their e-values. `Clustered` bets on the difference of shares ([`clustered`]) and is slow.
//! `docs/statistics.md`, A3, has the proofs.
//!
//! [`Tolerance`] is the joint bet against the null 'at most so many times as slow', for arms of one
//! version that are not quite equally fast.
//!
//! Concurrent arms: no cap, and an evaluation about every 10 s. Before and after, or arms that are
//! not matched: an evaluation every 1 to 2 s and a cap of 0.5 to 0.7 on the gain of a tick, so that
//! one burst cannot decide. Never combine a cap with evaluations every 10 s.

use super::bernoulli::PRIOR_EVENTS;
use super::grid::{self, Hypothesis};
use super::mixture::Limits;
use super::numeric::{larger, largest, ln, log_mean_exp, log_sum_exp, smaller};
use super::{Bounds, Counts, Evidence, MAX_GRID, StatError, Totals, Watch};
use design::Bet;
use document::SavedState;
use joint::{ALTERNATIVES, Joint, Stakes};
use serde::{Deserialize, Serialize};

mod boundaries;
pub mod calibration;
mod cap;
pub mod clustered;
mod cold_start;
mod design;
mod document;
mod history;
pub mod joint;
mod part;
mod promotion;
mod stretch;
mod tolerance;

pub use boundaries::{
    boundaries_from_histogram, boundaries_from_samples, check_boundaries, slow_from_histogram,
    slow_from_samples,
};
pub use calibration::{SlowCalibration, SlowCalibrationSettings, calibrate_slow};
pub(crate) use cold_start::{ColdStart, RECENT, WARMS_UP};
pub use design::{
    DEFAULT_GRID, DEFAULT_WEIGHTS, LatencyDesign, LatencyForm, LatencyMode, LatencySettings,
};

pub(crate) use document::ToleranceRead;
pub use history::SlowHistory;
pub use promotion::{PromotionLimits, SlowPromotion};
pub use stretch::Slowdown;
pub(crate) use tolerance::SLIGHT;
pub use tolerance::{Tolerance, ToleranceDesign, ToleranceLimits, ToleranceSettings};

/// Most boundaries that a test may have.
pub const MAX_BOUNDARIES: usize = 12;

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

    /// Whether a larger share of these requests than of the others is slower than some boundary.
    #[inline]
    pub(crate) fn exceeds(&self, other: Self) -> bool {
        let mut both = self.slow.iter().zip(other.slow);
        both.any(|(slow, others)| slow * other.trials > others * self.trials)
    }

    #[inline]
    fn at(&self, boundary: usize) -> Counts {
        Counts::new(self.slow[boundary], self.trials)
    }

    #[inline]
    fn check(&self, boundaries: usize) -> Result<(), StatError> {
        let got = self.slow.len();
        if got != boundaries {
            return Err(StatError::BoundaryMismatch { got, expected: boundaries });
        }
        Counts::new(0.0, self.trials).check()?;
        let mut before = self.trials;
        for (boundary, &slow) in self.slow.iter().enumerate() {
            if !(0.0..=before).contains(&slow) {
                Counts::new(slow, self.trials).check_proportion()?;
                return Err(StatError::SlowRises { boundary, more: slow, fewer: before });
            }
            before = slow;
        }
        Ok(())
    }
}

/// The evidence of one latency test: plain data, less than six kilobytes.
///
/// Every method that computes takes the design that the state was made for. Ticks in which an arm
/// has no requests are left out. See [`LatencyDesign`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedState", into = "SavedState")]
pub struct Latency {
    terms: Terms,
    /// Slow requests above each boundary, canary and baseline.
    slow: [(f64, f64); MAX_BOUNDARIES],
    /// Requests of canary and baseline.
    trials: (f64, f64),
    boundaries: usize,
    watch: Watch,
    design: u32,
}

/// Log evidence of each alternative; negative infinity in unused places.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a state is copied to be tried on: no allocation")]
enum Terms {
    /// The joint bet: a term for each alternative.
    Joint([f64; ALTERNATIVES], Joint),
    /// A bet at each boundary, each with a row of terms.
    Rows([[f64; MAX_GRID]; MAX_BOUNDARIES]),
}

impl Latency {
    /// No data yet: `E = 1`.
    pub fn new(design: &LatencyDesign) -> Self {
        let terms = match design.bet.grid() {
            None => Terms::Joint([0.0; ALTERNATIVES], Joint::NEW),
            Some(grid) => {
                let mut rows = [[f64::NEG_INFINITY; MAX_GRID]; MAX_BOUNDARIES];
                rows[..design.boundaries].fill(grid.start());
                Terms::Rows(rows)
            }
        };
        Self {
            terms,
            slow: [(0.0, 0.0); MAX_BOUNDARIES],
            trials: (0.0, 0.0),
            boundaries: design.boundaries,
            watch: Watch::START,
            design: design.id,
        }
    }

    /// Checks that a state, such as one read from a document, was made for this design; otherwise it is
    /// [`StatError::DesignMismatch`].
    pub fn check(&self, design: &LatencyDesign) -> Result<(), StatError> {
        let terms_fit = match (&self.terms, design.bet.grid()) {
            (Terms::Joint(..), None) => true,
            (Terms::Rows(rows), Some(grid)) => {
                rows[..self.boundaries].iter().all(|row| grid::used(row).len() == grid.len)
            }
            _ => false,
        };
        if terms_fit && self.design == design.id && self.boundaries == design.boundaries {
            Ok(())
        } else {
            Err(StatError::DesignMismatch)
        }
    }

    /// Copies another state; the joint bet's tables only where they differ.
    pub(crate) fn take_over(&mut self, of: &Self) {
        match (&mut self.terms, &of.terms) {
            (Terms::Joint(kept, joint), Terms::Joint(terms, of_joint))
                if self.boundaries == of.boundaries =>
            {
                *kept = *terms;
                joint.take_over(of_joint);
            }
            (kept, terms) => *kept = *terms,
        }
        let Self { terms: _, slow, trials, boundaries, watch, design } = *of;
        (self.slow, self.trials, self.boundaries) = (slow, trials, boundaries);
        (self.watch, self.design) = (watch, design);
    }

    /// Takes in one tick and says whether the test has decided, now or before.
    ///
    /// # Errors
    /// The state is unchanged. [`StatError`] for counts that are not finite, negative, more than
    /// the requests or too large, another number of boundaries than the design's, another design's
    /// state, or more requests slower than a boundary than the one before.
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
        match (&mut self.terms, &design.bet) {
            (Terms::Joint(terms, joint), Bet::Joint(_)) => {
                let pooled = || pooled(design, &self.slow, self.trials);
                add(terms, &joint.gains(pooled, canary, baseline), &design.limits);
            }
            (Terms::Rows(rows), Bet::Boundaries(_, kernel)) => {
                let split = kernel.split(canary.trials, baseline.trials);
                let prior = 1.0 / (self.trials.0 + self.trials.1 + design.prior_trials);
                for (boundary, terms) in rows.iter_mut().enumerate().take(design.boundaries) {
                    let slow = self.slow[boundary];
                    let plug_in = (slow.0 + slow.1 + PRIOR_EVENTS) * prior;
                    let (canary, baseline) = (canary.at(boundary), baseline.at(boundary));
                    let gains = kernel.gains(&split, plug_in, canary, baseline);
                    add(terms, &gains, &design.limits);
                }
            }
            (Terms::Rows(rows), Bet::Clustered(_)) => {
                let Hypothesis { direction, null_ratio, .. } = design.hypothesis;
                for (boundary, terms) in rows.iter_mut().enumerate().take(design.boundaries) {
                    let gains = clustered::gains(direction, null_ratio, boundary, canary, baseline);
                    add(terms, &gains, &design.limits);
                }
            }
            _ => return Err(StatError::DesignMismatch),
        }
        for (boundary, slow) in self.slow.iter_mut().enumerate().take(design.boundaries) {
            slow.0 += canary.slow[boundary];
            slow.1 += baseline.slow[boundary];
        }
        self.trials.0 += canary.trials;
        self.trials.1 += baseline.trials;
        let slack = match &design.bet {
            Bet::Joint(stakes) => stakes.slack,
            Bet::Boundaries(grid, _) | Bet::Clustered(grid) => grid.slack + design.ln_boundaries,
        };
        let lower = self.bounds(design).lower;
        let threshold = design.limits.threshold;
        self.watch = self.watch.evaluated(lower, slack, threshold, || self.log_e(design));
        Ok(self.watch.decided)
    }

    /// With a `quantile`: how many boundaries, from the first on, each have to show the claim.
    fn required(&self, design: &LatencyDesign) -> Option<usize> {
        let quantile = design.quantile?;
        let slow = self.slow.map(|(_, baseline)| baseline);
        Some(boundaries_up_to(SlowCounts::new(&slow[..self.boundaries], self.trials.1), quantile))
    }

    /// Log of the e-value; 0 without data.
    pub fn log_e(&self, design: &LatencyDesign) -> f64 {
        let rows = match &self.terms {
            Terms::Joint(terms, _) => return Stakes::log_e(terms),
            Terms::Rows(rows) => rows,
        };
        let Some(grid) = design.bet.grid() else { return 0.0 };
        let Some(required) = self.required(design) else {
            return log_e_of_rows(&rows[..self.boundaries], &grid.weight);
        };
        let each = rows[..required].iter().map(|terms| log_mean_exp(terms, &grid.weight));
        each.fold(f64::INFINITY, smaller)
    }

    /// Log of the e-value of one boundary by itself, for explanations; None without such a
    /// boundary, and for the joint bet, which has none by boundary.
    pub fn log_e_at(&self, design: &LatencyDesign, boundary: usize) -> Option<f64> {
        let Terms::Rows(rows) = &self.terms else { return None };
        let row = rows[..self.boundaries].get(boundary)?;
        Some(log_mean_exp(row, &design.bet.grid()?.weight))
    }

    /// Lower bound of [`log_e`](Self::log_e): the largest weighted term. `log_e` is above it by at
    /// most the log of their number.
    #[inline]
    pub fn log_e_bound(&self, design: &LatencyDesign) -> f64 {
        self.bounds(design).lower
    }

    /// Lower and upper bound of [`log_e`](Self::log_e), which are enough for most ticks.
    #[inline]
    pub fn bounds(&self, design: &LatencyDesign) -> Bounds {
        match (&self.terms, &design.bet) {
            (Terms::Joint(terms, _), Bet::Joint(stakes)) => stakes.bounds(terms),
            (Terms::Rows(rows), Bet::Boundaries(grid, _) | Bet::Clustered(grid)) => {
                if let Some(required) = self.required(design) {
                    let most = Bounds { lower: f64::INFINITY, upper: f64::INFINITY };
                    return rows[..required].iter().fold(most, |bounds, terms| Bounds {
                        lower: smaller(bounds.lower, grid.bound(terms)),
                        upper: smaller(bounds.upper, largest(terms)),
                    });
                }
                let none = Bounds { lower: f64::NEG_INFINITY, upper: f64::NEG_INFINITY };
                let of_rows = rows[..self.boundaries].iter().fold(none, |bounds, terms| Bounds {
                    lower: larger(bounds.lower, grid.bound(terms)),
                    upper: larger(bounds.upper, largest(terms)),
                });
                Bounds { lower: of_rows.lower - design.ln_boundaries, ..of_rows }
            }
            _ => Bounds::NO_DATA,
        }
    }

    /// Whether the evidence has ever reached the threshold.
    pub fn decided(&self) -> bool {
        self.watch.decided
    }

    /// Slow requests above one boundary, and all requests, of both arms so far; None without it.
    pub fn totals(&self, boundary: usize) -> Option<Totals> {
        let (canary, baseline) = *self.slow[..self.boundaries].get(boundary)?;
        Some(Totals {
            canary: Counts::new(canary, self.trials.0),
            baseline: Counts::new(baseline, self.trials.1),
        })
    }

    /// The boundary with the largest term, or for the joint bet the one at which the canary exceeds
    /// the baseline by the most standard errors.
    pub fn loudest(&self) -> usize {
        let speaks = |boundary: usize| match &self.terms {
            Terms::Joint(..) => self.totals(boundary).map_or(0.0, |totals| excess(&totals)),
            Terms::Rows(rows) => largest(&rows[boundary]),
        };
        loudest_of(self.boundaries, speaks)
    }

    /// The evidence as a verdict reports it; its ratio is that above the loudest boundary.
    pub fn evidence(&self, design: &LatencyDesign) -> Evidence {
        let totals = self.totals(self.loudest());
        self.watch.evidence(self.log_e(design), totals.and_then(|totals| totals.ratio()))
    }
}

/// Number of boundaries up to the first at or above this quantile of the baseline.
fn boundaries_up_to(baseline: SlowCounts<'_>, quantile: f64) -> usize {
    let least = (1.0 - quantile) * baseline.trials;
    let exceeded = baseline.slow.iter().take_while(|slow| **slow >= least).count();
    (exceeded + 1).min(baseline.slow.len())
}

#[inline]
fn add<const N: usize>(terms: &mut [f64; N], gains: &[f64; N], limits: &Limits) {
    for (term, gain) in terms.iter_mut().zip(gains) {
        *term += limits.of(*gain);
    }
}

/// Log of the average over rows of their weighted sums.
fn log_e_of_rows(rows: &[[f64; MAX_GRID]], weight: &[f64; MAX_GRID]) -> f64 {
    let mut each = [0.0; MAX_BOUNDARIES];
    for (each, terms) in each.iter_mut().zip(rows) {
        *each = log_mean_exp(terms, weight);
    }
    log_sum_exp(&each[..rows.len()]) - ln(rows.len() as f64)
}

/// Past requests of both arms, with the prior's: those slower than each boundary, and all.
#[inline]
fn pooled(
    design: &LatencyDesign,
    slow: &[(f64, f64); MAX_BOUNDARIES],
    trials: (f64, f64),
) -> ([f64; MAX_BOUNDARIES], f64) {
    let mut both = design.prior_slow;
    for (both, slow) in both.iter_mut().zip(slow) {
        *both += slow.0 + slow.1;
    }
    (both, trials.0 + trials.1 + design.prior_trials)
}

fn loudest_of(boundaries: usize, figure: impl Fn(usize) -> f64) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for boundary in 0..boundaries {
        let now = figure(boundary);
        if now > best.1 {
            best = (boundary, now);
        }
    }
    best.0
}

/// By how many standard errors the canary's share exceeds the baseline's; 0 if it does not.
fn excess(totals: &Totals) -> f64 {
    let Totals { canary, baseline } = totals;
    let trials = canary.trials + baseline.trials;
    let pooled = (canary.events + baseline.events) / trials;
    let error = (pooled * (1.0 - pooled) * (1.0 / canary.trials + 1.0 / baseline.trials)).sqrt();
    let excess = (canary.events / canary.trials - baseline.events / baseline.trials) / error;
    if excess.is_finite() { excess } else { 0.0 }
}
