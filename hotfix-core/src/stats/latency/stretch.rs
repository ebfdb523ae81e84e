//! The baseline's times multiplied by a factor: what its histogram would be, if every request took
//! that many times as long.
//!
//! A histogram does not say where in its bucket a request lies. Between boundaries the normal score
//! of the share of faster requests is taken to be linear in the logarithm of time, as it is
//! everywhere for log-normal times; beyond the first and the last boundary the nearest piece is
//! extended. This gives the share of a bucket that moves beyond a boundary. If hardly any request
//! is on the other side of one of a bucket's edges, its times may lie close together at its upper
//! end: they are taken to spread by 3%.

use super::{MAX_BOUNDARIES, SlowCounts};
use crate::stats::draw::Draws;
use crate::stats::numeric::{
    exp, larger, ln, normal_cdf, normal_quantile, normal_quantile_nearly, smaller,
};
use core::f64::consts::PI;
use serde::{Deserialize, Serialize};

/// Least and most share of requests that is thought to be faster than a boundary.
const SHARES: (f64, f64) = (1e-6, 1.0 - 1e-6);
/// Least difference between the normal scores of neighbouring boundaries.
const LEAST_RISE: f64 = 1e-3;
/// Rise of the normal score over a factor of e in time where a single boundary shows none: the
/// standard deviation of log times is then 0.5.
const LONE_SLOPE: f64 = 2.0;
/// Fewer requests than so many on a side of a boundary do not show how the score rises there.
const LEAST_SHOWN: f64 = 5.0;
/// Steepest rise of the score where data do not show it: the standard deviation of log times is
/// then 0.03.
const STEEPEST: f64 = 1.0 / 0.03;
/// A boundary shows how far the arms differ if its share of faster requests is between these.
const TELLING: (f64, f64) = (0.01, 0.99);
/// Most requests of a tick that are each moved by a draw; more of them hardly vary.
const MOST_DRAWN: f64 = 1_000.0;
/// Variance of the estimate from buckets, over that from the times themselves.
const LOSS: f64 = 1.21;

/// The boundaries on the logarithmic axis of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    times: [f64; MAX_BOUNDARIES],
    pub(super) ln: [f64; MAX_BOUNDARIES],
    pub(super) len: usize,
}

impl Axis {
    /// At most [`MAX_BOUNDARIES`] boundaries, ascending from above zero.
    pub(super) fn new(boundaries: &[f64]) -> Self {
        let none = [0.0; MAX_BOUNDARIES];
        let mut this = Self { times: none, ln: none, len: boundaries.len() };
        for (k, &boundary) in boundaries.iter().enumerate().take(MAX_BOUNDARIES) {
            (this.times[k], this.ln[k]) = (boundary, ln(boundary));
        }
        this
    }

    pub(super) fn times(&self) -> &[f64] {
        &self.times[..self.len]
    }
}

/// One arm's past requests: those slower than each boundary, and all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Past {
    pub(super) slow: [f64; MAX_BOUNDARIES],
    pub(super) trials: f64,
}

impl Past {
    pub(super) const NONE: Self = Self { slow: [0.0; MAX_BOUNDARIES], trials: 0.0 };

    pub(super) fn add(&mut self, counts: SlowCounts<'_>) {
        for (slow, more) in self.slow.iter_mut().zip(counts.slow) {
            *slow += more;
        }
        self.trials += counts.trials;
    }

    /// As counts with this many boundaries.
    pub(super) fn of(&self, boundaries: usize) -> SlowCounts<'_> {
        SlowCounts::new(&self.slow[..boundaries], self.trials)
    }
}

/// Normal scores of the shares of requests that are faster than a time, from an arm's past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scores {
    /// At each boundary.
    at: [f64; MAX_BOUNDARIES],
    /// Rise over a factor of e in time between each boundary and the next.
    slope: [f64; MAX_BOUNDARIES],
    /// Whether enough requests beyond both ends show the slope; if not, it is a lower bound.
    shown: [bool; MAX_BOUNDARIES],
}

impl Scores {
    pub(super) const NONE: Self = Self {
        at: [0.0; MAX_BOUNDARIES],
        slope: [0.0; MAX_BOUNDARIES],
        shown: [true; MAX_BOUNDARIES],
    };

    pub(super) fn of(axis: &Axis, past: &Past) -> Self {
        let mut this = Self::NONE;
        let mut before = f64::NEG_INFINITY;
        for (at, slow) in this.at.iter_mut().zip(&past.slow).take(axis.len) {
            let score = normal_quantile(share_below(*slow, past.trials));
            before = larger(score, before + LEAST_RISE);
            *at = before;
        }
        for k in 1..axis.len {
            this.slope[k - 1] = (this.at[k] - this.at[k - 1]) / (axis.ln[k] - axis.ln[k - 1]);
            let (faster, slower) = (past.trials - past.slow[k - 1], past.slow[k]);
            this.shown[k - 1] = faster >= LEAST_SHOWN && slower >= LEAST_SHOWN;
        }
        if axis.len == 1 {
            this.slope[0] = LONE_SLOPE;
        }
        this
    }

    /// Largest share of requests that may be slower than a time, given by its logarithm.
    fn slower(&self, axis: &Axis, ln_time: f64) -> f64 {
        // The piece that begins at the last boundary that is not later.
        let pieces = axis.len.saturating_sub(1).max(1);
        let later = axis.ln[..pieces].iter().skip(1).take_while(|ln| **ln <= ln_time).count();
        let rise = |slope: f64, of: usize| self.at[of] + slope * (ln_time - axis.ln[of]);
        let score = match self.shown[later] {
            true => rise(self.slope[later], later),
            // The steepest descent from the next boundary, but not below the score at this one.
            false if ln_time < axis.ln[later] => rise(STEEPEST, later),
            false => larger(rise(STEEPEST, later + 1), self.at[later]),
        };
        normal_cdf(-score)
    }

    /// The slope at a boundary: the mean of the pieces that meet there.
    fn slope_at(&self, axis: &Axis, boundary: usize) -> f64 {
        let last = axis.len.saturating_sub(2);
        let (left, right) = (boundary.saturating_sub(1).min(last), boundary.min(last));
        0.5 * (self.slope[left] + self.slope[right])
    }
}

/// Share of requests that are at most as slow as a boundary, never all or none.
fn share_below(slow: f64, trials: f64) -> f64 {
    ((trials - slow + 0.5) / (trials + 1.0)).clamp(SHARES.0, SHARES.1)
}

/// Which share of a bucket comes to be beyond each boundary once all times are multiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transfer {
    /// By boundary and bucket; a bucket is beyond the boundaries before it already.
    beyond: [[f64; MAX_BOUNDARIES]; MAX_BOUNDARIES],
}

impl Transfer {
    /// Nothing is moved.
    pub(super) const NONE: Self = Self { beyond: [[0.0; MAX_BOUNDARIES]; MAX_BOUNDARIES] };

    /// `ln_ratio` is the logarithm of the factor, at least 0.
    pub(super) fn of(axis: &Axis, scores: &Scores, ln_ratio: f64) -> Self {
        let mut this = Self::NONE;
        let mut edges = [0.0; MAX_BOUNDARIES];
        for (edge, score) in edges.iter_mut().zip(&scores.at[..axis.len]) {
            *edge = normal_cdf(-score);
        }
        for boundary in 0..axis.len {
            let reached = scores.slower(axis, axis.ln[boundary] - ln_ratio);
            let mut above = 1.0;
            let buckets = this.beyond[boundary].iter_mut().zip(&edges).take(boundary + 1);
            for (beyond, &below) in buckets {
                *beyond = ((reached - below) / (above - below)).clamp(0.0, 1.0);
                above = below;
            }
        }
        this
    }

    /// Requests slower than each boundary once all times are multiplied.
    #[inline]
    pub(super) fn slow(&self, counts: SlowCounts<'_>) -> [f64; MAX_BOUNDARIES] {
        let mut slow = [0.0; MAX_BOUNDARIES];
        let mut within = [0.0; MAX_BOUNDARIES];
        let mut left = counts.trials;
        let mut fewer = counts.trials;
        for (boundary, &beyond) in counts.slow.iter().enumerate() {
            within[boundary] = left - beyond;
            left = beyond;
            let moved = within.iter().zip(&self.beyond[boundary]).take(boundary + 1);
            let all = moved.fold(beyond, |all, (within, share)| all + within * share);
            // Rounding must not leave a bucket with less than nothing.
            fewer = smaller(all, fewer);
            slow[boundary] = fewer;
        }
        slow
    }

    /// [`slow`](Self::slow) where each request of a bucket is beyond a boundary or not, as chance decides.
    pub(super) fn drawn(&self, counts: SlowCounts<'_>, draws: &mut Draws) -> [f64; MAX_BOUNDARIES] {
        let mut slow = self.slow(counts);
        if counts.trials > MOST_DRAWN {
            return slow;
        }
        slow[..counts.slow.len()].copy_from_slice(counts.slow);
        let mut left = counts.trials;
        for (bucket, &beyond) in counts.slow.iter().enumerate() {
            let mut within = left - beyond;
            left = beyond;
            while within > 0.0 {
                let (request, share) = (smaller(within, 1.0), draws.share());
                let reached = self.beyond[bucket..].iter().map(|of| of[bucket]);
                let moved = slow[bucket..].iter_mut().zip(reached);
                for (slow, _) in moved.take_while(|(_, reached)| share < *reached) {
                    *slow += request;
                }
                within -= 1.0;
            }
        }
        // Rounding of parts of requests must not leave more than all.
        let mut fewer = counts.trials;
        for slow in &mut slow[..counts.slow.len()] {
            fewer = smaller(*slow, fewer);
            *slow = fewer;
        }
        slow
    }
}

/// By what factor the canary's times exceed the baseline's, in some time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slowdown {
    /// Natural logarithm of the factor; above 0 where the canary is slower.
    pub ln_ratio: f64,
    /// Standard error of that logarithm for independent requests; noise between instances adds to
    /// it.
    pub error: f64,
}

/// The factor from counts of both arms; None where nearly all or nearly no requests exceed
/// every boundary.
///
/// The mean over boundaries of the difference of normal scores over their slope, weighted by the
/// inverse of its variance.
pub(super) fn slowdown(
    axis: &Axis,
    scores: &Scores,
    canary: SlowCounts<'_>,
    baseline: SlowCounts<'_>,
) -> Option<Slowdown> {
    if canary.trials <= 0.0 || baseline.trials <= 0.0 {
        return None;
    }
    let trials = canary.trials + baseline.trials;
    let (mut weights, mut sum, mut slopes) = (0.0, 0.0, 0.0);
    for (boundary, (&of_canary, &of_baseline)) in canary.slow.iter().zip(baseline.slow).enumerate()
    {
        let pooled = 1.0 - (of_canary + of_baseline) / trials;
        if !(pooled > TELLING.0 && pooled < TELLING.1) {
            continue;
        }
        let slope = scores.slope_at(axis, boundary);
        let score = |slow, trials| normal_quantile_nearly(share_below(slow, trials));
        let apart = score(of_baseline, baseline.trials) - score(of_canary, canary.trials);
        let middle = normal_quantile_nearly(pooled);
        let density_squared = exp(-middle * middle) / (2.0 * PI);
        let weight = density_squared * slope * slope / (pooled * (1.0 - pooled));
        weights += weight;
        sum += weight * apart / slope;
        slopes += weight * slope;
    }
    if weights <= 0.0 {
        return None;
    }
    // One over the slope is the standard deviation of log times.
    let deviation = weights / slopes;
    let variance = LOSS * deviation * deviation * (1.0 / canary.trials + 1.0 / baseline.trials);
    Some(Slowdown { ln_ratio: sum / weights, error: variance.sqrt() })
}
