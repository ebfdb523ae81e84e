//! Figures from runs, each with its standard error.

use std::fmt;

/// A figure and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

impl Estimate {
    /// A share of independent runs. The error is never zero: it is computed with two more of either
    /// outcome.
    pub(crate) fn share(hits: usize, runs: usize) -> Self {
        let (hits, runs) = (hits as f64, runs as f64);
        let p = (hits + 2.0) / (runs + 4.0);
        Self { value: hits / runs, error: (p * (1.0 - p) / runs).sqrt() }
    }

    /// A share of runs, where each `group` of neighbouring runs has something in common, such as a
    /// history.
    pub(crate) fn grouped_share(hits: &[bool], group: usize) -> Self {
        let groups = hits.chunks(group).map(|of| of.iter().filter(|hit| **hit).count() as f64);
        let sizes: Vec<f64> = groups.collect();
        let mean = Self::mean(&sizes.iter().map(|hits| hits / group as f64).collect::<Vec<f64>>());
        let alone = Self::share(hits.iter().filter(|hit| **hit).count(), hits.len());
        Self { value: alone.value, error: mean.error.max(alone.error) }
    }

    /// The mean of independent figures.
    pub(crate) fn mean(of: &[f64]) -> Self {
        let n = of.len() as f64;
        let mean = of.iter().sum::<f64>() / n;
        let squares: f64 = of.iter().map(|x| (x - mean) * (x - mean)).sum();
        Self { value: mean, error: (squares / (n - 1.0).max(1.0) / n).sqrt() }
    }

    /// The mean of the first figures over the mean of the second, which come in pairs.
    pub(crate) fn ratio(of: &[f64], over: &[f64]) -> Self {
        let (above, below) = (Self::mean(of).value, Self::mean(over).value);
        let ratio = above / below;
        let rests: Vec<f64> = of.iter().zip(over).map(|(a, b)| (a - ratio * b) / below).collect();
        Self { value: ratio, error: Self::mean(&rests).error }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(4);
        write!(f, "{:.*} ± {:.*}", digits, self.value, digits, self.error)
    }
}

/// At which tick each run ended, `None` where it did not within its plan.
#[derive(Clone, Debug)]
pub(crate) struct Delays(Vec<Option<u32>>);

impl Delays {
    pub(crate) fn new(ticks: Vec<Option<u32>>) -> Self {
        Self(ticks)
    }

    /// Whether the tick came, run by run.
    pub(crate) fn hits(&self) -> Vec<bool> {
        self.0.iter().map(Option::is_some).collect()
    }

    /// In how many runs the tick came.
    pub(crate) fn found(&self) -> Estimate {
        Estimate::share(self.0.iter().flatten().count(), self.0.len())
    }

    /// The median over all runs, those that never ended counting as later than all; its standard
    /// error from the order statistics that lie one standard deviation of a rank to either side.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    pub(crate) fn median(&self) -> Option<Estimate> {
        let mut sorted: Vec<u32> = self.0.iter().map(|tick| tick.unwrap_or(u32::MAX)).collect();
        sorted.sort_unstable();
        let middle = sorted.len() / 2;
        let step = ((sorted.len() as f64).sqrt() / 2.0).ceil() as usize;
        let at = |rank: usize| sorted.get(rank).copied().filter(|tick| *tick < u32::MAX);
        let (median, low) = (at(middle)?, at(middle.saturating_sub(step))?);
        let high = at(middle + step).unwrap_or(median);
        Some(Estimate { value: f64::from(median), error: f64::from(high - low) / 2.0 })
    }

    /// The mean over the runs in which it came.
    pub(crate) fn mean(&self) -> Option<Estimate> {
        let ticks: Vec<f64> = self.0.iter().flatten().map(|tick| f64::from(*tick)).collect();
        (!ticks.is_empty()).then(|| Estimate::mean(&ticks))
    }

    /// Mean delay over that of another method on the same runs, all of which ended.
    pub(crate) fn over(&self, other: &Self) -> Option<Estimate> {
        let all =
            |of: &Self| -> Option<Vec<f64>> { of.0.iter().map(|t| t.map(f64::from)).collect() };
        Some(Estimate::ratio(&all(self)?, &all(other)?))
    }

    /// The delays counted from `onset` on, without the runs that ended before.
    pub(crate) fn after(&self, onset: u32) -> Self {
        let kept = self.0.iter().filter(|tick| tick.is_none_or(|tick| tick > onset));
        Self(kept.map(|tick| tick.map(|tick| tick - onset)).collect())
    }

    /// In how many of the runs it came before another method's tick.
    pub(crate) fn before(&self, other: &Self) -> Estimate {
        let earlier = self.0.iter().zip(&other.0).filter(|(one, other)| match (one, other) {
            (Some(one), Some(other)) => one < other,
            (Some(_), None) => true,
            (None, _) => false,
        });
        Estimate::share(earlier.count(), self.0.len())
    }

    /// In how many runs it came by this tick.
    pub(crate) fn by(&self, tick: u32) -> Estimate {
        Estimate::share(self.0.iter().flatten().filter(|at| **at <= tick).count(), self.0.len())
    }
}
