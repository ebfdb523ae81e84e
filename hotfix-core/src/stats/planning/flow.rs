//! What the bets of a test find by the formula: the first passage of a Brownian motion with the
//! drift of the bet that gains most.
//!
//! A test gains by the bets of its grid alone. Between two of them their mixture gains about as much
//! as a bet on the true ratio would; a ratio below the least of them has that one only, which gains
//! nothing where the truth is too far below it, however long it lasts.

use core::f64::consts::PI;

use super::first_passage;
use crate::stats::grid::{Grid, share_of_events};
use crate::stats::kernel::Kernel;
use crate::stats::numeric::{exp, larger, ln, normal_cdf, smaller};
use crate::stats::replay::CountModel;
use crate::stats::{Counts, Direction, StatError, bernoulli, latency, rate_ratio};

/// What the mixture over the default grid and the overshoot cost, in log evidence.
const MIXTURE_COST: f64 = 1.2;
/// What eight bets cost, and a rate that has to be learned: from our own simulation of the Bernoulli
/// test, with which the formula is within about 0.1 of the chance.
const SHARES_COST: f64 = 2.0;

/// The tests whose bets are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bets {
    /// The rate-ratio test.
    Counts,
    /// The Bernoulli test.
    Shares,
    /// The latency test, at one boundary.
    Slow,
}

impl From<CountModel> for Bets {
    fn from(model: CountModel) -> Self {
        match model {
            CountModel::Poisson => Self::Counts,
            CountModel::Bernoulli => Self::Shares,
        }
    }
}

/// Events a minute, and what they are worth to a test.
pub(crate) struct Flow {
    pub(super) events_per_minute: f64,
    /// Chance that an event is the canary's.
    pub(super) of_canary: f64,
    /// Mean and variance of the log evidence a minute, of the bet that gains most.
    pub(crate) drift: f64,
    variance: f64,
    /// What the other bets cost, in log evidence.
    pub(crate) cost: f64,
}

impl Flow {
    /// Of a canary of the first ratio against the null of the second: `rate` is the baseline's events over its
    /// trials, of which both arms have so many a minute.
    pub(crate) fn of(
        bets: Bets,
        ratios: (f64, f64),
        rate: f64,
        pace: [f64; 2],
    ) -> Result<Self, StatError> {
        let (grid, weights): (&[f64], &[f64]) = match bets {
            Bets::Counts => return Ok(Self::of_counts(ratios, rate, pace)),
            Bets::Shares => (&bernoulli::DEFAULT_GRID, &bernoulli::DEFAULT_WEIGHTS),
            Bets::Slow => (&latency::DEFAULT_GRID, &latency::DEFAULT_WEIGHTS),
        };
        Self::of_shares((grid, weights), ratios, rate, pace)
    }

    /// Of the rate-ratio test.
    fn of_counts((ratio, null): (f64, f64), rate: f64, pace: [f64; 2]) -> Self {
        let bets = &rate_ratio::DEFAULT_GRID;
        let (least, most) = (bets[0], bets[bets.len() - 1]);
        let bet = if ratio < null {
            smaller(larger(ratio, null / most), null / least)
        } else {
            smaller(larger(ratio, null * least), null * most)
        };
        Self::betting_on(bet, (ratio, null), rate, pace)
    }

    /// Of a single bet on counts; on the true ratio none gains more.
    pub(super) fn betting_on(
        bet: f64,
        (ratio, null): (f64, f64),
        rate: f64,
        [canary, baseline]: [f64; 2],
    ) -> Self {
        let share = |ratio: f64| share_of_events(ratio, canary, baseline);
        let (pi_null, pi_bet, of_canary) = (share(null), share(bet), share(ratio));
        let (loud, quiet) = (ln(pi_bet / pi_null), ln((1.0 - pi_bet) / (1.0 - pi_null)));
        let events_per_minute = rate * (ratio * canary + baseline);
        let mean = of_canary * loud + (1.0 - of_canary) * quiet;
        let squares = of_canary * loud * loud + (1.0 - of_canary) * quiet * quiet;
        Self {
            events_per_minute,
            of_canary,
            drift: events_per_minute * mean,
            variance: events_per_minute * squares,
            cost: MIXTURE_COST,
        }
    }

    /// Of a test of shares that knows the rate of both arms together.
    fn of_shares(
        bets: (&[f64], &[f64]),
        (ratio, null): (f64, f64),
        rate: f64,
        [canary, baseline]: [f64; 2],
    ) -> Result<Self, StatError> {
        let direction = if ratio < null { Direction::Better } else { Direction::Worse };
        let grid = Grid::try_new(direction, None, None, bets)?;
        let kernel = Kernel::new(&grid, null, direction);
        let split = kernel.split(canary, baseline);
        let rates = [smaller(rate * ratio, 1.0), smaller(rate, 1.0)];
        let [of_canary, of_baseline] = [rates[0] * canary, rates[1] * baseline];
        let learned = (of_canary + of_baseline) / (canary + baseline);
        // A tick's gains are the sum of those of its requests.
        let (nothing, bad, good) =
            (Counts::default(), Counts::new(1.0, 1.0), Counts::new(0.0, 1.0));
        let gains = |canary, baseline| kernel.gains(&split, learned, canary, baseline);
        let canary_gains = [gains(bad, nothing), gains(good, nothing)];
        let baseline_gains = [gains(nothing, bad), gains(nothing, good)];
        let bet = |j: usize| {
            let arms = [(canary, rates[0], &canary_gains), (baseline, rates[1], &baseline_gains)];
            let worth = arms.map(|(pace, rate, [bad, good])| {
                let (mean, apart) = (rate * bad[j] + (1.0 - rate) * good[j], bad[j] - good[j]);
                (pace * mean, pace * rate * (1.0 - rate) * apart * apart)
            });
            (worth[0].0 + worth[1].0, worth[0].1 + worth[1].1)
        };
        let best = (0..grid.len).map(bet).reduce(|a, b| if b.0 > a.0 { b } else { a });
        let (drift, variance) = best.unwrap_or_default();
        Ok(Self {
            events_per_minute: of_canary + of_baseline,
            of_canary: of_canary / (of_canary + of_baseline),
            drift,
            variance,
            cost: SHARES_COST,
        })
    }

    /// Chance that the evidence has risen by this height within `minutes`.
    pub(crate) fn chance(&self, height: f64, minutes: f64) -> f64 {
        if height <= 0.0 { 1.0 } else { first_passage(self.drift, self.variance, height, minutes) }
    }

    /// Mean log evidence a minute where no tick of so many minutes adds more than `cap`: what a tick brings is
    /// taken as normal.
    pub(super) fn capped(&self, cap: f64, tick: f64) -> f64 {
        let (mean, spread) = (self.drift * tick, (self.variance * tick).sqrt());
        let above = mean - cap;
        let more = if spread > 0.0 {
            let z = above / spread;
            above * normal_cdf(z) + spread * exp(-0.5 * z * z) / (2.0 * PI).sqrt()
        } else {
            larger(above, 0.0)
        };
        (mean - more) / tick
    }

    /// Mean time until it has, in minutes; infinite where no bet gains.
    pub(crate) fn minutes(&self, height: f64) -> f64 {
        if self.drift > 0.0 { height / self.drift } else { f64::INFINITY }
    }
}
