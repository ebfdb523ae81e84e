//! The gain of one tick of the two-sample Bernoulli e-process, for all grid points at once.
//!
//! Written as in statistics, section 2, each point takes six logarithms of nearly equal numbers. Here
//! they are regrouped: with `R = r0 g`, the plug-in alternative `t_b = min(p/(w R + 1 - w), 0.999)`,
//! `e = (R - 1) t_b` and `1 - t_a = (1 - t_b)/(1 + e)`, the gain for `r0 = 1` (where the closest null
//! point is the pooled rate `S`) is, algebraically,
//!
//! ```text
//! x_c ln g + n_b ln1p(e) - (N - m) ln1p((1 - w) e) - m ln(w R + (1 - w)(1 + e))
//! ```
//!
//! and for any other `r0`, with the closest null point `(r0 q, q)`,
//!
//! ```text
//! x_c ln g + m ln(t_b/q) - n_c ln1p(e)
//!     + (n_c - x_c) ln1p((r0 q - t_b)/(1 - r0 q)) + (n_b - x_b) ln1p((q - t_b)/(1 - q))
//! ```
//!
//! What is multiplied by trials goes through `ln1p` of an argument that is small where rates are, so
//! that the error stays a few units in the last place of `m`, not of `N`. Loops over the grid hold no
//! branch and vectorise.

use super::grid::Grid;
use super::numeric::{larger, ln_normal, ln1p_normal, smaller};
use super::{Counts, Direction, MAX_GRID};

/// Largest rate that an alternative gives the baseline.
const MOST: f64 = 0.999;
/// A null point nearer than this to 1 is not bet against: its complement has lost its digits.
const LEAST_COMPLEMENT: f64 = 1e-9;

/// What the gains need of the design.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kernel {
    /// `R_j = r0 g_j`; 1 in unused places.
    rate_ratio: [f64; MAX_GRID],
    ln_ratio: [f64; MAX_GRID],
    null_ratio: f64,
    direction: Direction,
}

/// What the gains need of a tick's trials, shared by all boundaries of a latency test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    /// Canary's and baseline's share of the trials.
    canary: f64,
    baseline: f64,
    /// `w R_j` and the inverse of `w R_j + 1 - w`.
    weighted: [f64; MAX_GRID],
    inverse: [f64; MAX_GRID],
}

impl Kernel {
    pub(super) fn new(grid: &Grid, null_ratio: f64, direction: Direction) -> Self {
        let rate_ratio = grid.ratio.map(|ratio| null_ratio * ratio);
        Self { rate_ratio, ln_ratio: grid.ln_ratio, null_ratio, direction }
    }

    #[inline]
    pub(super) fn split(&self, canary_trials: f64, baseline_trials: f64) -> Split {
        let all = canary_trials + baseline_trials;
        let (canary, baseline) = (canary_trials / all, baseline_trials / all);
        let mut weighted = [0.0; MAX_GRID];
        let mut inverse = [0.0; MAX_GRID];
        for j in 0..MAX_GRID {
            weighted[j] = canary * self.rate_ratio[j];
            inverse[j] = 1.0 / (weighted[j] + baseline);
        }
        Split { canary, baseline, weighted, inverse }
    }

    /// The gain of each grid point from one tick with trials in both arms; `p` is the plug-in.
    #[inline]
    pub(super) fn gains(
        &self,
        split: &Split,
        p: f64,
        canary: Counts,
        baseline: Counts,
    ) -> [f64; MAX_GRID] {
        if self.null_ratio == 1.0 {
            self.gains_at_one(split, p, canary, baseline)
        } else {
            self.gains_at_any(split, p, canary, baseline)
        }
    }

    /// For `r0 = 1`: three logarithms a point. Every alternative lies outside the null.
    #[inline]
    fn gains_at_one(
        &self,
        split: &Split,
        p: f64,
        canary: Counts,
        baseline: Counts,
    ) -> [f64; MAX_GRID] {
        let events = canary.events + baseline.events;
        let others = (canary.trials - canary.events) + (baseline.trials - baseline.events);
        let mut gains = [0.0; MAX_GRID];
        for j in 0..MAX_GRID {
            let t_b = smaller(p * split.inverse[j], MOST);
            let e = (self.rate_ratio[j] - 1.0) * t_b;
            let tilt = baseline.trials * ln1p_normal(e);
            let quiet = others * ln1p_normal(split.baseline * e);
            let loud = events * ln_normal(split.weighted[j] + split.baseline * (1.0 + e));
            gains[j] = canary.events * self.ln_ratio[j] - loud + (tilt - quiet);
        }
        gains
    }

    /// For any `r0`: the closest null point by a square root, four logarithms a point, and no bet
    /// where the alternative is itself in the null.
    #[inline]
    fn gains_at_any(
        &self,
        split: &Split,
        p: f64,
        canary: Counts,
        baseline: Counts,
    ) -> [f64; MAX_GRID] {
        let r0 = self.null_ratio;
        let sign = match self.direction {
            Direction::Worse => 1.0,
            Direction::Better => -1.0,
        };
        let (w, v) = (split.canary, split.baseline);
        let events = canary.events + baseline.events;
        let canary_others = canary.trials - canary.events;
        let baseline_others = baseline.trials - baseline.events;
        let mut gains = [0.0; MAX_GRID];
        for j in 0..MAX_GRID {
            let t_b = smaller(p * split.inverse[j], MOST);
            let e = (self.rate_ratio[j] - 1.0) * t_b;
            let tilted = 1.0 / (1.0 + e);
            let t_a = self.rate_ratio[j] * t_b * tilted;
            let sum = w * t_a + v * t_b;
            let beta = sum * (1.0 + r0) + w * (1.0 - t_b) * tilted * r0 + v * (1.0 - t_b);
            let root = larger(beta * beta - 4.0 * r0 * sum, 0.0).sqrt();
            let q = 2.0 * sum / (beta + root);
            let p_a = r0 * q;
            let bet = ((t_a - p_a) * sign > 0.0)
                & (1.0 - p_a > LEAST_COMPLEMENT)
                & (1.0 - q > LEAST_COMPLEMENT);
            // Where there is no bet the arguments are replaced, so that no NaN can arise.
            let (p_a, q) = if bet { (p_a, q) } else { (t_b, t_b) };
            let gain = canary.events * self.ln_ratio[j] + events * ln_normal(t_b / q)
                - canary.trials * ln1p_normal(e)
                + canary_others * ln1p_normal((p_a - t_b) / (1.0 - p_a))
                + baseline_others * ln1p_normal((q - t_b) / (1.0 - q));
            gains[j] = if bet { gain } else { 0.0 };
        }
        gains
    }
}
