//! The gain of one tick of the two-sample Bernoulli e-process, for all grid points at once. In its
//! direct form (`docs/statistics.md`, A2) each point takes six logarithms of nearly equal numbers.
//! Here they are regrouped: with `R = r0 g`, `v = 1 - w`, the plug-in alternative
//! `t_b = min(p/(w R + v), 0.999)`, `e = (R - 1) t_b` and `1 - t_a = (1 - t_b)/(1 + e)`, the gain
//! for `r0 = 1` (where the closest null point is the pooled rate `S`) is, algebraically,
//!
//! ```text
//! x_c ln g + n_b ln1p(e) - (N - m) ln1p(v e) - m ln1p(w (R - 1) + v e)
//! ```
//!
//! and for any other `r0`, with the closest null point `(r0 q, q)`,
//!
//! ```text
//! x_c ln g - m ln(q/t_b) - n_c ln1p(e)
//!     + (n_c - x_c) ln1p((r0 q - t_b)/(1 - r0 q)) + (n_b - x_b) ln1p((q - t_b)/(1 - q))
//! ```
//!
//! What is multiplied by trials goes through `ln1p` of an argument that is small where rates are,
//! so that the error stays a few units in the last place of `m`, not of `N`. Arguments go into an
//! array first, then logarithms, then sums: loops without a branch, which vectorise.
use super::grid::Grid;
use super::numeric::{larger, ln, ln1p_each, ln1p_of_quotients, smaller};
use super::{Counts, Direction, MAX_GRID};

/// Largest rate that an alternative gives the baseline.
const MOST: f64 = 0.999;
/// A null point with a rate above this is not bet against: its complement has lost its digits.
const MOST_NULL: f64 = 1.0 - 1e-9;
/// Least complement of a null point's rate; any that is bet against has more.
const LEAST_LEFT: f64 = 1e-10;

/// What the gains need of the design.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kernel {
    /// `R_j = r0 g_j`; 1 in unused places.
    rate_ratio: [f64; MAX_GRID],
    /// `R_j - 1`.
    excess: [f64; MAX_GRID],
    ln_ratio: [f64; MAX_GRID],
    null_ratio: f64,
    /// 1 for worse, -1 for better.
    sign: f64,
}

/// What the gains need of a tick's trials, shared by all boundaries of a latency test.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    /// Canary's and baseline's share of the trials.
    canary: f64,
    baseline: f64,
    /// The inverse of `w R_j + 1 - w`.
    inverse: [f64; MAX_GRID],
}

impl Kernel {
    pub(super) fn new(grid: &Grid, null_ratio: f64, direction: Direction) -> Self {
        let rate_ratio = grid.ratio.map(|ratio| null_ratio * ratio);
        let excess = rate_ratio.map(|ratio| ratio - 1.0);
        let sign = match direction {
            Direction::Worse => 1.0,
            Direction::Better => -1.0,
        };
        Self { rate_ratio, excess, ln_ratio: grid.ln_ratio, null_ratio, sign }
    }

    /// The same alternatives against a null ratio that is multiplied by `allowed`.
    #[cold]
    pub(super) fn allowing(&self, allowed: f64) -> Self {
        let ln_allowed = ln(allowed);
        let ln_ratio = self.ln_ratio.map(|ln_ratio| ln_ratio - ln_allowed);
        Self { ln_ratio, null_ratio: self.null_ratio * allowed, ..*self }
    }

    #[inline]
    pub(super) fn split(&self, canary_trials: f64, baseline_trials: f64) -> Split {
        let all = canary_trials + baseline_trials;
        let (canary, baseline) = (canary_trials / all, baseline_trials / all);
        let inverse = self.rate_ratio.map(|ratio| 1.0 / (canary * ratio + baseline));
        Split { canary, baseline, inverse }
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
    fn gains_at_one(
        &self,
        split: &Split,
        p: f64,
        canary: Counts,
        baseline: Counts,
    ) -> [f64; MAX_GRID] {
        let (w, v) = (split.canary, split.baseline);
        let events = canary.events + baseline.events;
        let others = (canary.trials - canary.events) + (baseline.trials - baseline.events);
        let mut arguments = [0.0; 3 * MAX_GRID];
        for j in 0..MAX_GRID {
            let e = self.excess[j] * smaller(p * split.inverse[j], MOST);
            let quiet = v * e;
            arguments[j] = e;
            arguments[MAX_GRID + j] = quiet;
            arguments[2 * MAX_GRID + j] = w * self.excess[j] + quiet;
        }
        let logs = ln1p_each(&arguments);
        let mut gains = [0.0; MAX_GRID];
        for j in 0..MAX_GRID {
            let calm = baseline.trials * logs[j] - others * logs[MAX_GRID + j];
            gains[j] = canary.events * self.ln_ratio[j] - events * logs[2 * MAX_GRID + j] + calm;
        }
        gains
    }

    /// For any `r0`: the closest null point by a square root, four logarithms a point, and no bet
    /// where the alternative is itself in the null. Everything is multiplied by `u = 1 + e`, and
    /// `q = t_b h`, which saves divisions.
    fn gains_at_any(
        &self,
        split: &Split,
        p: f64,
        canary: Counts,
        baseline: Counts,
    ) -> [f64; MAX_GRID] {
        let r0 = self.null_ratio;
        let (w, v) = (split.canary, split.baseline);
        let mut loud = [0.0; 2 * MAX_GRID];
        let mut calm = [0.0; 2 * MAX_GRID];
        let mut over = [0.0; 2 * MAX_GRID];
        let mut stake = [0.0; MAX_GRID];
        for j in 0..MAX_GRID {
            let t_b = smaller(p * split.inverse[j], MOST);
            let e = self.excess[j] * t_b;
            let u = 1.0 + e;
            // S u/t_b, then β u and the root of β² u² - 4 r0 S u².
            let sum = w * self.rate_ratio[j] + v * u;
            let beta = t_b * sum * (1.0 + r0) + (1.0 - t_b) * (w * r0 + v * u);
            let root = larger(beta * beta - 4.0 * r0 * (t_b * sum * u), 0.0).sqrt();
            let h = 2.0 * sum / (beta + root);
            let (q, p_a) = (t_b * h, r0 * (t_b * h));
            let outside = (self.rate_ratio[j] * t_b - p_a * u) * self.sign > 0.0;
            stake[j] = if (larger(q, p_a) < MOST_NULL) & outside { 1.0 } else { 0.0 };
            loud[j] = e;
            loud[MAX_GRID + j] = h - 1.0;
            // Without a bet the stake is 0, and these logarithms only have to be finite.
            let (left_c, left_b) = (larger(1.0 - p_a, LEAST_LEFT), larger(1.0 - q, LEAST_LEFT));
            calm[j] = t_b * (r0 * h - 1.0);
            calm[MAX_GRID + j] = t_b * (h - 1.0);
            over[j] = left_c;
            over[MAX_GRID + j] = left_b;
        }
        let loud = ln1p_each(&loud);
        let calm = ln1p_of_quotients(&calm, &over);
        let events = canary.events + baseline.events;
        let canary_others = canary.trials - canary.events;
        let baseline_others = baseline.trials - baseline.events;
        let mut gains = [0.0; MAX_GRID];
        for j in 0..MAX_GRID {
            let calm = canary_others * calm[j] - canary.trials * loud[j]
                + baseline_others * calm[MAX_GRID + j];
            let loud = canary.events * self.ln_ratio[j] - events * loud[MAX_GRID + j];
            gains[j] = stake[j] * (loud + calm);
        }
        gains
    }
}
