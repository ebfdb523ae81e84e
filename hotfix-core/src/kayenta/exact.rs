//! Exact interval and estimate, which Kayenta's root finder approximates.
//!
//! The statistic is a step function of the shift that steps down at each difference between a point
//! of the one sample and one of the other, so it crosses a quantile at one of these differences:
//! the interval's ends are order statistics of the differences, and the estimate is their median.
//! Source: Hodges and Lehmann (1963), Annals of Mathematical Statistics 34(2); Hollander, Wolfe and
//! Chicken (2014), Nonparametric Statistical Methods, sections 4.2 and 4.3.

use super::ranks::Ranks;
use super::root::TOLERANCE;
use crate::stats::fixed::Differences;
use crate::stats::interval::Interval;

/// A shift between the samples, with its interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    pub(super) interval: Interval,
    pub(super) estimate: f64,
}

/// The shift between both samples, from the quantile of the normal distribution and the root
/// finder's answer.
pub(super) fn exact(ranks: &Ranks, x: &[f64], y: &[f64], quantile: f64, near: &Shift) -> Shift {
    let pairs = x.len() * y.len();
    let rank = steps_to(quantile, pairs, ranks.deviation()).clamp(1, pairs);
    let differences = Differences { x, y };
    // The root finder's result is at most its tolerance away, so these three usually suffice.
    let ranked = |rank: usize, near: f64| {
        differences.at(rank as u128, &[near, near - 2.0 * TOLERANCE, near + 2.0 * TOLERANCE])
    };
    let low = ranked(rank, near.interval.low);
    let high = ranked(pairs + 1 - rank, near.interval.high);
    let middle = ranked(pairs / 2 + 1, near.estimate);
    let estimate = if pairs % 2 == 1 {
        middle
    } else {
        let lower = ranked(pairs / 2, middle);
        lower + (middle - lower) / 2.0
    };
    Shift { interval: Interval { low, high }, estimate }
}

/// After how many steps down the statistic no longer exceeds the quantile.
fn steps_to(quantile: f64, pairs: usize, deviation: f64) -> usize {
    let statistic = |steps: usize| {
        let excess = pairs as f64 / 2.0 - steps as f64;
        let correction = 0.5 * (f64::from(excess > 0.0) - f64::from(excess < 0.0));
        (excess - correction) / deviation
    };
    // It falls, so the first step at which it does not exceed is found by halving.
    let (mut low, mut high) = (0, pairs);
    while low < high {
        let middle = low + (high - low) / 2;
        if statistic(middle) > quantile {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_1_the_statistic_exceeds_the_quantile_before_the_step_and_not_after() {
        // 30 pairs, deviation 5.477: (15 - k - 0.5)/5.477 falls to 1.96 between k = 3 and k = 4.
        assert_eq!(steps_to(1.959_96, 30, 30.0_f64.sqrt()), 4);
        assert_eq!(steps_to(2.6, 30, 30.0_f64.sqrt()), 1);
        assert_eq!(steps_to(2.7, 30, 30.0_f64.sqrt()), 0, "too few points: clipped");
    }
}
