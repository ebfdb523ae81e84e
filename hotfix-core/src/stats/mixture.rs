//! Common parts of the tests of counts and proportions: a mixture over a grid, limits on the gain
//! of a tick, the log evidence that decides, and the change-point form.
//!
//! The change-point form (`docs/statistics.md`, A4) keeps half of the wealth in reserve and
//! releases an equal part of it before each planned tick but the first, so that wealth is left to
//! detect a fault that starts late:
//!
//! ```text
//! start: cash = 1 - γ, A_j = γ
//! before every tick but the first: g = min(cash, (1 - γ)/H), cash -= g, every A_j += g
//! then A_j *= exp(gain);  E = cash + Σ w_j A_j
//! ```

use super::bernoulli::CountSettings;
use super::grid::{Grid, Hypothesis, MAX_RATIO};
use super::numeric::{
    exp_not_positive, larger, largest, ln, ln1p_each, log_add_exp, log_mean_exp, smaller,
};
use super::{Bounds, Direction, MAX_GRID, Range, StatError};
use core::f64::consts::LN_2;

/// Grids of up to this many points are computed in arrays of this length.
pub(super) const SHORT: usize = 4;

/// The part of a checked design that does not depend on how a tick's gains are computed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mixture {
    pub(super) grid: Grid,
    pub(super) hypothesis: Hypothesis,
    pub(super) limits: Limits,
    change: Option<ChangePoint>,
    /// `ln E`, where above 0, exceeds the lower bound of its terms by at most this.
    slack: f64,
    /// Whether the test has no temper, no cap and no horizon.
    pub(super) plain: bool,
}

impl Mixture {
    pub(super) fn try_new(
        asked: &CountSettings,
        default: (&[f64], &[f64]),
    ) -> Result<Self, StatError> {
        let CountSettings { direction, alpha, tolerated, margin, .. } = *asked;
        let hypothesis = Hypothesis::try_new(direction, alpha, tolerated, margin)?;
        let (ratios, weights) = (asked.grid.as_deref(), asked.weights.as_deref());
        let grid = Grid::try_new(direction, ratios, weights, default)?;
        let usual = hypothesis.threshold;
        let limits = Limits::try_new(asked.temper, asked.cap, asked.threshold, usual)?;
        let change = match asked.horizon {
            Some(horizon) => Some(ChangePoint::try_new(horizon, grid.len)?),
            None => None,
        };
        // Cash is at most 1/2, so at least half of an E above 1 is in its terms.
        let slack = grid.slack + if change.is_some() { LN_2 } else { 0.0 };
        let plain = limits.are_none() && change.is_none();
        Ok(Self { grid, hypothesis, limits, change, slack, plain })
    }

    pub(super) fn with_limits(
        &self,
        cap: Option<f64>,
        threshold: Option<f64>,
    ) -> Result<Self, StatError> {
        let usual = self.hypothesis.threshold;
        let limits = Limits::try_new(self.limits.temper, cap, threshold, usual)?;
        let plain = limits.are_none() && self.change.is_none();
        Ok(Self { limits, plain, ..self.clone() })
    }

    /// Checks how many times as bad as tolerated the canary may be in a tick.
    pub(super) fn check_allowed(&self, allowed: f64) -> Result<(), StatError> {
        let (most, expected) = match self.hypothesis.direction {
            Direction::Worse => (MAX_RATIO, "at least 1"),
            Direction::Better => (1.0, "1 in a test of better"),
        };
        StatError::unless((1.0..=most).contains(&allowed), "allowed", allowed, expected)
    }

    /// Whether a point bets in a tick in which the canary may be `allowed` times as bad as
    /// tolerated.
    #[inline]
    pub(super) fn bets(&self, point: usize, allowed: f64) -> bool {
        allowed == 1.0 || self.grid.ratio[point] > allowed
    }

    /// A fingerprint of what a state depends on. Cap and threshold may change under a state.
    ///
    /// Temper and horizon count only if used, so that states from before they existed still fit.
    pub(super) fn fingerprint(&self, kind: u32, rest: &[f64]) -> u32 {
        let mut numbers = vec![self.hypothesis.null_ratio, self.hypothesis.threshold];
        numbers.extend(rest);
        if self.limits.temper != 1.0 || self.change.is_some() {
            let horizon = self.change.map_or(0.0, |change| f64::from(change.horizon));
            numbers.extend([self.limits.temper, horizon]);
        }
        self.grid.fingerprint(kind, &numbers)
    }

    /// Planned ticks of the change-point form.
    pub(super) fn horizon(&self) -> Option<u32> {
        self.change.map(|change| change.horizon)
    }

    /// Terms before the first tick; negative infinity in unused places, where it stays.
    pub(super) fn start(&self) -> [f64; MAX_GRID] {
        let first = if self.change.is_some() { LN_FIRST } else { 0.0 };
        self.grid.start().map(|term| term + first)
    }

    /// `max_j (ln w_j + l_j)`, without cash: enough for what is above 1.
    #[inline]
    pub(super) fn bound(&self, terms: &[f64; MAX_GRID]) -> f64 {
        self.grid.bound(terms)
    }

    /// How far above the bound of its terms `ln E` may be.
    #[inline]
    pub(super) fn slack(&self) -> f64 {
        self.slack
    }

    /// Both bounds of `ln E`.
    #[inline]
    pub(super) fn bounds(&self, terms: &[f64; MAX_GRID], ticks: u32) -> Bounds {
        let of_terms = match terms.first_chunk::<SHORT>() {
            Some(terms) if self.grid.len <= SHORT => {
                Bounds { lower: self.grid.bound(terms), upper: largest(terms) }
            }
            _ => Bounds { lower: self.grid.bound(terms), upper: largest(terms) },
        };
        match &self.change {
            Some(change) => change.bounds(ticks, of_terms),
            None => of_terms,
        }
    }

    /// `ln E`, exact. Out of line, so that an evaluation without a logarithm is short.
    #[inline(never)]
    pub(super) fn log_e(&self, terms: &[f64; MAX_GRID], ticks: u32) -> f64 {
        let of_terms = if self.grid.len <= SHORT {
            let ([t0, t1, t2, t3, ..], [w0, w1, w2, w3, ..]) = (*terms, self.grid.weight);
            log_mean_exp(&[t0, t1, t2, t3], &[w0, w1, w2, w3])
        } else {
            log_mean_exp(terms, &self.grid.weight)
        };
        match &self.change {
            Some(change) => log_add_exp(change.ln_cash(ticks), of_terms),
            None => of_terms,
        }
    }

    /// Opens the next tick of the change-point form, with or without data.
    #[inline]
    pub(super) fn open_tick(&self, ticks: &mut u32, terms: &mut [f64; MAX_GRID]) {
        if let Some(change) = &self.change {
            if self.grid.len <= SHORT {
                change.grant::<SHORT>(*ticks, terms);
            } else {
                change.grant::<MAX_GRID>(*ticks, terms);
            }
            *ticks = ticks.saturating_add(1);
        }
    }
}

/// Limits on what one tick adds, and what decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Above 0 and at most 1; 1 changes nothing.
    pub(super) temper: f64,
    /// Most that a term gains in a tick, after tempering; infinite for none.
    cap: f64,
    pub(super) threshold: f64,
}

impl Limits {
    /// `usual` is the threshold where none is given: `ln(1/α)`.
    pub(super) fn try_new(
        temper: f64,
        cap: Option<f64>,
        threshold: Option<f64>,
        usual: f64,
    ) -> Result<Self, StatError> {
        Range::TEMPER.check(temper.is_normal() && temper > 0.0 && temper <= 1.0, temper)?;
        for (range, given) in [(Range::CAP, cap), (Range::THRESHOLD, threshold)] {
            given.map_or(Ok(()), |value| range.check(value > 0.0 && value.is_finite(), value))?;
        }
        let (cap, threshold) = (cap.unwrap_or(f64::INFINITY), threshold.unwrap_or(usual));
        Ok(Self { temper, cap, threshold })
    }

    /// The gain after temper and cap; the same bits if there are none.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a call would keep the loops around it from vectorising"
    )]
    pub(super) fn of(&self, gain: f64) -> f64 {
        smaller(gain * self.temper, self.cap)
    }

    /// Whether there is neither temper nor cap.
    fn are_none(&self) -> bool {
        self.temper == 1.0 && self.cap == f64::INFINITY
    }

    pub(super) fn cap(&self) -> Option<f64> {
        self.cap.is_finite().then_some(self.cap)
    }
}

/// The share of the stake that is bet from the first tick on.
const LN_FIRST: f64 = -LN_2;
/// The share that is kept as cash at the start.
const CASH: f64 = 0.5;

/// A planned number of ticks over which the cash is handed out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ChangePoint {
    horizon: u32,
    /// Log of what each term is given before a tick; negative infinity in unused places.
    ln_grant: [f64; MAX_GRID],
}

impl ChangePoint {
    pub(super) fn try_new(horizon: u32, len: usize) -> Result<Self, StatError> {
        Range::HORIZON.check(horizon > 0, f64::from(horizon))?;
        let mut ln_grant = [f64::NEG_INFINITY; MAX_GRID];
        ln_grant[..len].fill(ln(CASH / f64::from(horizon)));
        Ok(Self { horizon, ln_grant })
    }

    /// Gives the first `N` terms their part of the cash, after `ticks` ticks and before the next
    /// one.
    #[inline]
    pub(super) fn grant<const N: usize>(&self, ticks: u32, terms: &mut [f64; MAX_GRID]) {
        if ticks == 0 || ticks > self.horizon {
            return;
        }
        let (mut tops, mut lower) = ([0.0; N], [0.0; N]);
        for j in 0..N {
            tops[j] = larger(terms[j], self.ln_grant[j]);
            // NaN in unused places, which the kernel replaces by its floor.
            lower[j] = exp_not_positive(smaller(terms[j], self.ln_grant[j]) - tops[j]);
        }
        let sums = ln1p_each(&lower);
        for j in 0..N {
            terms[j] = tops[j] + sums[j];
        }
    }

    /// Log of the cash that is left after `ticks` ticks; negative infinity if none is.
    #[inline]
    pub(super) fn ln_cash(&self, ticks: u32) -> f64 {
        let left = self.horizon - ticks.saturating_sub(1).min(self.horizon);
        if left == 0 {
            return f64::NEG_INFINITY;
        }
        ln(CASH * (f64::from(left) / f64::from(self.horizon)))
    }

    /// Bounds of `ln E`, cash included, from those of the terms.
    #[inline]
    pub(super) fn bounds(&self, ticks: u32, terms: Bounds) -> Bounds {
        let cash = self.ln_cash(ticks);
        // A sum of two is at most twice the larger; without cash it is the terms alone.
        let both = if cash > f64::NEG_INFINITY { LN_2 } else { 0.0 };
        Bounds { lower: larger(terms.lower, cash), upper: larger(terms.upper, cash) + both }
    }
}
