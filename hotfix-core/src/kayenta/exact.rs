//! Exact interval and estimate, which Kayenta's root finder approximates.
//!
//! The statistic is a step function of the shift that steps down at each difference between a point
//! of the one sample and one of the other, so it crosses a quantile at one of these differences:
//! the interval's ends are order statistics of the differences, and the estimate is their median.
//! Source: Hodges and Lehmann (1963), Annals of Mathematical Statistics 34(2); Hollander, Wolfe and
//! Chicken (2014), Nonparametric Statistical Methods, sections 4.2 and 4.3.

use super::ranks::{Ranks, Run};
use super::root::TOLERANCE;
use crate::stats::interval::Interval;

/// A shift between the samples, with its interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    pub(super) interval: Interval,
    pub(super) estimate: f64,
}

/// All differences of two ascending samples, without storing them.
#[derive(Debug)]
struct Differences<'a> {
    x: &'a [Run],
    y: &'a [f64],
    /// For each value of `x`, how many of `y` were so small that the difference exceeded the last
    /// limit.
    places: Vec<usize>,
}

/// The differences at and next to a limit.
struct Lookup {
    /// Differences that do not exceed it.
    count: usize,
    /// The largest of them.
    below: f64,
    /// The smallest of the others.
    above: f64,
}

impl Differences<'_> {
    fn look(&mut self, limit: f64) -> Lookup {
        let mut look = Lookup { count: 0, below: f64::NEG_INFINITY, above: f64::INFINITY };
        for (&Run { value: x, points }, place) in self.x.iter().zip(&mut self.places) {
            let mut at = *place;
            let exceeds = |index: usize| x - self.y[index] > limit;
            if (at > 0 && !exceeds(at - 1)) || (at < self.y.len() && exceeds(at)) {
                at = self.y.partition_point(|y| x - y > limit);
                *place = at;
            }
            if at > 0 {
                look.above = look.above.min(x - self.y[at - 1]);
            }
            if at < self.y.len() {
                look.below = look.below.max(x - self.y[at]);
            }
            look.count += points * (self.y.len() - at);
        }
        look
    }

    /// The difference of a rank, from 1; `near` is where to look first.
    fn ranked(&mut self, rank: usize, near: f64) -> f64 {
        let (n, m) = (self.x.len(), self.y.len());
        let (mut low, mut high) =
            (self.x[0].value - self.y[m - 1], self.x[n - 1].value - self.y[0]);
        // The root finder's result is at most its tolerance away, so these three usually suffice.
        let mut first = [near, near - 2.0 * TOLERANCE, near + 2.0 * TOLERANCE].into_iter();
        while low < high {
            let limit = first.next().unwrap_or(low + (high - low) / 2.0);
            let limit = if limit < high { limit.max(low) } else { low };
            let look = self.look(limit);
            if look.count >= rank {
                high = look.below;
            } else {
                low = look.above;
            }
        }
        low
    }
}

/// The shift between both samples, from the quantile of the normal distribution and the root
/// finder's answer.
pub(super) fn exact(ranks: &Ranks, y: &[f64], quantile: f64, near: &Shift) -> Shift {
    let x = ranks.runs();
    let pairs = x.iter().map(|run| run.points).sum::<usize>() * y.len();
    let rank = steps_to(quantile, pairs, ranks.deviation()).clamp(1, pairs);
    let mut differences = Differences { x, y, places: vec![0; x.len()] };
    let low = differences.ranked(rank, near.interval.low);
    let high = differences.ranked(pairs + 1 - rank, near.interval.high);
    let middle = differences.ranked(pairs / 2 + 1, near.estimate);
    let estimate = if pairs % 2 == 1 {
        middle
    } else {
        let lower = differences.ranked(pairs / 2, middle);
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
    fn stat_1_order_statistics_of_the_differences() {
        let x = [-1.5, 0.0, 0.0, 1e-9, 2.0, 64.0];
        let y = [-3.0, -3.0, 0.25, 1.0, 1.0];
        let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        all.sort_unstable_by(f64::total_cmp);
        let runs = [(-1.5, 1), (0.0, 2), (1e-9, 1), (2.0, 1), (64.0, 1)];
        let runs = runs.map(|(value, points)| Run { value, points });
        for near in [-1e9, 0.0, 1.0, 1e9] {
            let mut differences = Differences { x: &runs, y: &y, places: vec![0; runs.len()] };
            for (index, expected) in all.iter().enumerate() {
                assert_eq!(differences.ranked(index + 1, near), *expected, "rank {}", index + 1);
            }
        }
    }

    #[test]
    fn stat_1_the_statistic_exceeds_the_quantile_before_the_step_and_not_after() {
        // 30 pairs, deviation 5.477: (15 - k - 0.5)/5.477 falls to 1.96 between k = 3 and k = 4.
        assert_eq!(steps_to(1.959_96, 30, 30.0_f64.sqrt()), 4);
        assert_eq!(steps_to(2.6, 30, 30.0_f64.sqrt()), 1);
        assert_eq!(steps_to(2.7, 30, 30.0_f64.sqrt()), 0, "too few points: clipped");
    }
}
