//! Distributions of counts of bad events, and of their sums.

use crate::stats::distribution::{Binomial, Law as _, Poisson, lower_tail};
use crate::stats::numeric::{larger, normal_cdf, smaller, sum, whole};

/// Chances below this, relative to the largest, are left out.
const LEAST: f64 = 1e-17;
/// Variance from which on a tail is the normal law's: it is off by less than 1e-4 there.
const WIDE: f64 = 1e7;

/// What some time brings by chance: bad events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Draw {
    /// Each of so many trials is bad with this chance.
    Trials {
        /// A whole number.
        trials: f64,
        /// From 0 to 1.
        rate: f64,
    },
    /// So many events are expected.
    Events {
        /// At least 0.
        expected: f64,
    },
}

impl Draw {
    /// Nothing can come.
    pub(crate) const NOTHING: Self = Self::Events { expected: 0.0 };

    pub(crate) fn mean(self) -> f64 {
        match self {
            Self::Trials { trials, rate } => trials * rate,
            Self::Events { expected } => expected,
        }
    }

    pub(crate) fn variance(self) -> f64 {
        match self {
            Self::Trials { trials, rate } => trials * rate * (1.0 - rate),
            Self::Events { expected } => expected,
        }
    }

    /// With so many times the rate.
    pub(crate) fn times(self, ratio: f64) -> Self {
        match self {
            Self::Trials { trials, rate } => {
                Self::Trials { trials, rate: smaller(rate * ratio, 1.0) }
            }
            Self::Events { expected } => Self::Events { expected: expected * ratio },
        }
    }

    /// With another time of the same kind: rates are equal, so the sum is of the kind, too.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Trials { trials, rate }, Self::Trials { trials: more, .. }) => {
                Self::Trials { trials: trials + more, rate }
            }
            (Self::Events { expected: 0.0 }, other) => other,
            (draw, Self::Events { expected: 0.0 }) => draw,
            (draw, other) => Self::Events { expected: draw.mean() + other.mean() },
        }
    }

    /// What is left of this after `part` of it.
    pub(super) fn less(self, part: Self) -> Self {
        match (self, part) {
            (Self::Trials { trials, rate }, Self::Trials { trials: gone, .. }) => {
                Self::Trials { trials: larger(trials - gone, 0.0), rate }
            }
            (draw @ Self::Trials { .. }, Self::Events { .. }) => draw,
            (draw, part) => Self::Events { expected: larger(draw.mean() - part.mean(), 0.0) },
        }
    }

    /// Chance of at most so many.
    pub(crate) fn at_most(self, most: usize) -> f64 {
        let (variance, most) = (self.variance(), most as f64);
        let is_wide = variance > WIDE;
        if is_wide {
            normal_cdf((most + 0.5 - self.mean()) / variance.sqrt())
        } else {
            self.tail(most)
        }
    }

    /// The same for a whole number, exactly.
    pub(super) fn tail(self, most: f64) -> f64 {
        match self {
            _ if self.mean() <= 0.0 => 1.0,
            Self::Trials { trials, .. } if most >= trials => 1.0,
            Self::Trials { rate, .. } if rate >= 1.0 => 0.0,
            Self::Trials { trials, rate } => {
                lower_tail(&Binomial::of_odds(trials, rate / (1.0 - rate)), most)
            }
            Self::Events { expected } => lower_tail(&Poisson { mean: expected }, most),
        }
    }

    /// Chance of fewer trials than this, where so many are expected.
    pub(crate) fn fewer(expected: f64, trials: f64) -> f64 {
        let below = whole(trials.ceil()).checked_sub(1);
        below.map_or(0.0, |below| Self::Events { expected }.at_most(below))
    }

    /// The chance of each number that has one worth mentioning.
    pub(crate) fn chances(self) -> Chances {
        let (trials, rate) = match self {
            Self::Trials { trials, rate } => (trials, rate),
            Self::Events { expected } => (f64::INFINITY, expected),
        };
        if self.mean() <= 0.0 {
            return Chances::certainly(0);
        }
        if trials.is_finite() && rate >= 1.0 {
            return Chances::certainly(whole(trials));
        }
        let mode = smaller(self.mean().floor(), trials);
        let binomial = Binomial::of_odds(trials, rate / (1.0 - rate));
        let poisson = Poisson { mean: rate };
        let step = |x: f64| if trials.is_finite() { binomial.step(x) } else { poisson.step(x) };
        // Relative to the mode; the sum makes chances of them.
        let (mut of, mut term, mut x) = (vec![1.0], 1.0, mode);
        while x > 0.0 {
            term /= step(x - 1.0);
            if term < LEAST {
                break;
            }
            of.push(term);
            x -= 1.0;
        }
        let low = whole(x);
        of.reverse();
        (term, x) = (1.0, mode);
        while x < trials {
            term *= step(x);
            if term < LEAST {
                break;
            }
            of.push(term);
            x += 1.0;
        }
        let sum: f64 = of.iter().sum();
        for chance in &mut of {
            *chance /= sum;
        }
        Chances { low, of }
    }
}

/// The most bad events that a bound on a rate allows, where chance decides how many trials there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    /// With as many trials as planned; `usize::MAX` where any number passes.
    pub(crate) most: usize,
    /// Chances that it is one less, because too few trials come for it, and one more.
    fewer: f64,
    more: f64,
    /// Chance that it is not asked at all.
    pub(crate) unasked: f64,
}

impl Limit {
    /// Hangs on no number of trials.
    pub(crate) const fn certain(most: usize) -> Self {
        Self { most, fewer: 0.0, more: 0.0, unasked: 0.0 }
    }

    /// `most` among this many trials on average, of which a share of `bad` may be bad.
    ///
    /// A bound that is a round multiple of the planned trials is on the edge of a step: with one
    /// trial less than planned it allows one bad event less. With fewer than `least` it is not asked.
    pub(crate) fn drawn(most: usize, bad: f64, trials: f64, least: f64) -> Self {
        if most == usize::MAX || bad <= 0.0 {
            return Self::certain(most);
        }
        let below = |needed: f64| Draw::fewer(trials, needed);
        let allows = |events: f64| events / bad * (1.0 - 1e-12);
        let unasked = below(least);
        let fewer = larger(below(allows(most as f64)) - unasked, 0.0);
        let more = 1.0 - larger(below(allows(most as f64 + 1.0)), unasked);
        Self { most, fewer, more, unasked }
    }

    /// Whether it hangs on how many trials come.
    pub(crate) fn varies(self) -> bool {
        self.fewer + self.more > super::bands::CLOSE
    }

    /// The mean of a chance to keep it over what it may be.
    pub(crate) fn mean(self, chance: impl Fn(usize) -> f64) -> f64 {
        let Self { most, fewer, more, unasked } = self;
        let part = |share: f64, most: Option<usize>| match most {
            Some(most) if share > 1e-12 => share * chance(most),
            _ => 0.0,
        };
        unasked
            + part(1.0 - fewer - more - unasked, Some(most))
            + part(fewer, most.checked_sub(1))
            + part(more, most.checked_add(1))
    }
}

/// Chances of `low`, `low + 1`, …; they sum to 1 or, where some are ruled out, to less.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chances {
    pub(super) low: usize,
    pub(super) of: Vec<f64>,
}

impl Chances {
    pub(super) fn certainly(number: usize) -> Self {
        Self { low: number, of: vec![1.0] }
    }

    pub(super) fn sum(&self) -> f64 {
        sum(self.of.iter().copied())
    }

    /// Sum of those of at most so many.
    pub(super) fn at_most(&self, most: usize) -> f64 {
        sum(self.of.iter().copied().take(self.up_to(most)))
    }

    /// The sums up to each number.
    pub(super) fn cumulated(&self) -> Vec<f64> {
        let mut up_to = 0.0;
        let sums = self.of.iter().map(|chance| {
            up_to += chance;
            up_to
        });
        sums.collect()
    }

    /// Sum of those of at most so many, by these sums.
    pub(super) fn at_most_of(&self, sums: &[f64], most: usize) -> f64 {
        match self.up_to(most).min(sums.len()).checked_sub(1) {
            None => 0.0,
            Some(at) => sums[at],
        }
    }

    /// How many entries are for at most so many.
    fn up_to(&self, most: usize) -> usize {
        if most < self.low { 0 } else { (most - self.low).saturating_add(1) }
    }

    /// Rules out more than a limit allows, as often as it does not.
    pub(super) fn keep_within(&mut self, limit: Limit) {
        for (number, chance) in (self.low..).zip(&mut self.of) {
            *chance *= limit.mean(|most| if number <= most { 1.0 } else { 0.0 });
        }
    }

    /// Adds something independent.
    pub(super) fn plus(&self, other: &Self) -> Self {
        if self.of.is_empty() || other.of.is_empty() {
            return Self { low: 0, of: Vec::new() };
        }
        let mut of = vec![0.0; self.of.len() + other.of.len() - 1];
        for (at, chance) in self.of.iter().enumerate() {
            for (sum, more) in of[at..].iter_mut().zip(&other.of) {
                *sum += chance * more;
            }
        }
        let mut sum = Self { low: self.low + other.low, of };
        sum.trim(1e-18);
        sum
    }

    /// Leaves out what is too unlikely at both ends.
    pub(super) fn trim(&mut self, least: f64) {
        while self.of.last().is_some_and(|chance| *chance < least) {
            self.of.pop();
        }
        let thin = self.of.iter().take_while(|chance| **chance < least).count();
        self.of.drain(..thin);
        self.low += thin;
    }
}
