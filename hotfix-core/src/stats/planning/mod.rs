//! Power analysis of a comparison, before anything is deployed (`docs/statistics.md`, A8).
//!
//! From traffic, share, base rate and duration, [`Comparison`] computes how long a regression by a
//! ratio takes to detect, the smallest ratio that a phase detects, and how many requests are
//! affected until then. [`gate`] has the exact chances that a fix passes a bound by chance.
//!
//! There are two kinds of result: the *formula* is the first passage of a Brownian motion with
//! drift, accurate where the chance is large; [`Comparison::chance_to_decide`] is *exact* for
//! independent rare errors and an evaluation after every event, see [`Chance`].

pub(crate) mod bands;
pub(crate) mod chances;
mod crossing;
mod flow;
pub mod gate;
pub(crate) mod windows;

use super::grid::{Hypothesis, MAX_RATIO, check_share};
use super::interval::{check_level, null_is_infinite};
use super::mixture::Limits;
use super::numeric::{exp, larger, normal_cdf, smaller};
use super::rate_ratio::DEFAULT_GRID;
use super::replay::CountModel;
use super::{Direction, Range, StatError};
use core::f64::consts::PI;
use crossing::Crossing;
use serde::{Deserialize, Serialize};

pub(crate) use flow::{Bets, Flow};

/// Rate of events from which on the law of the events among all, a Poisson law, is not exact for
/// requests that fail independently: there the test finds up to 0.015 less at a rate of 5%, and
/// up to 0.1 less at 30%.
const COMMON: f64 = 0.05;
/// Expected events a tick up to which evaluations at the end of ticks find as much as evaluations after
/// every event, within the errors of a simulation (0.005).
const SEPARATE: f64 = 1.0;
/// Most expected events for which the chance is computed exactly; the work grows with their power
/// of 1.5.
const MOST_EVENTS: f64 = 20_000.0;

/// Traffic of both arms, and the test that compares them: the rate-ratio test with its default
/// grid.
///
/// ```
/// use hotfix_core::stats::planning::Comparison;
/// # fn main() -> Result<(), hotfix_core::stats::StatError> {
/// // 1,000 requests a minute, a tenth of them to the canary, 0.3% errors.
/// let comparison = Comparison::new(1000.0, 0.1, 0.003);
/// let five_fold = comparison.time_to_detect(5.0)?;
/// assert!((five_fold.expected - 5.8).abs() < 0.1, "minutes");
/// let smallest = comparison.detectable_ratio(10.0, 0.8)?;
/// assert!(smallest.is_some_and(|ratio| (4.5..5.5).contains(&ratio)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Of both arms together, above 0.
    pub requests_per_minute: f64,
    /// The canary's share of them, above 0 and below 1.
    pub share: f64,
    /// The baseline's events a request, above 0 and at most 1.
    pub base_rate: f64,
    /// `r0`, at least 1: the ratio that is tolerated.
    pub tolerated: f64,
    /// Chance of ever rolling back a release that is no worse.
    pub alpha: f64,
    /// Length of a tick in seconds: looks are taken at its end.
    pub tick_seconds: f64,
    /// Log evidence that decides, where it is not `ln(1/α)`: a calibrated threshold.
    pub threshold: Option<f64>,
}

impl Default for Comparison {
    /// 1,000 requests a minute, a tenth to the canary, 0.3% errors.
    fn default() -> Self {
        Self::new(1000.0, 0.1, 0.003)
    }
}

/// Until a regression is found, by the formula; infinite for a ratio that is tolerated, and but for
/// `bound` for one at which none of the test's bets gains, which a document writes as null.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeToDetect {
    /// Minutes that no test of this `α` can beat on average: `ln(1/α)/(L KL)`.
    #[serde(deserialize_with = "null_is_infinite")]
    pub bound: f64,
    /// Minutes that ours takes on average: `(ln(1/α) + 1.2)/(L KL)`, for a ratio between the bets of its
    /// grid. Below the least of them, which is twice the tolerated ratio, it is what that bet gains
    /// that counts: at a tenth of the traffic nothing below 1.43 times. Looks at a tick's end add about
    /// a tick where it is short.
    #[serde(deserialize_with = "null_is_infinite")]
    pub expected: f64,
    /// `bound` in ticks.
    #[serde(deserialize_with = "null_is_infinite")]
    pub bound_ticks: f64,
    /// `expected` in ticks.
    #[serde(deserialize_with = "null_is_infinite")]
    pub expected_ticks: f64,
    /// Failed requests of the canary until then, on average.
    #[serde(deserialize_with = "null_is_infinite")]
    pub failed_requests: f64,
    /// Those of them that would have succeeded on the baseline.
    #[serde(deserialize_with = "null_is_infinite")]
    pub requests_affected: f64,
}

/// The chance that a test has decided by some time.
///
/// It is exact for independent rare errors and looks after every event, from the law of the canary's
/// events among all; looks at the end of ticks find a little less (0.550 here against 0.54
/// simulated at a ratio of 2), and up to 0.1 less with hundreds of events a tick. Where more than 5%
/// of an arm's requests fail, the rate-ratio test finds less than this, and the Bernoulli test, which
/// is meant for such rates, finds more. The exact sum replaces simulation: it needs no seed and has no
/// error of its own; it stops at 20,000 expected events, where the formula is close.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chance {
    /// From 0 to 1.
    pub chance: f64,
    /// Whether it is not exact; otherwise it is, for independent errors. It is too high where more than one
    /// event a tick is expected. Where an arm's rate of events is above 5%, it is too high for the
    /// rate-ratio test and too low for the Bernoulli test. A small one is too low beyond 20,000 expected
    /// events, where it is the Brownian formula of the bet that gains most.
    pub approximate: bool,
}

impl Comparison {
    /// α 0.01, nothing tolerated, ticks of 10 s, threshold `ln(1/α)`.
    pub const fn new(requests_per_minute: f64, share: f64, base_rate: f64) -> Self {
        Self {
            requests_per_minute,
            share,
            base_rate,
            tolerated: 1.0,
            alpha: 0.01,
            tick_seconds: 10.0,
            threshold: None,
        }
    }

    /// How long a regression of `ratio` takes to find.
    ///
    /// # Errors
    /// [`StatError`] if alpha, tolerated ratio, share, threshold, traffic, base rate, tick length
    /// or ratio is out of range; a ratio must not put the canary's rate over 1.
    pub fn time_to_detect(&self, ratio: f64) -> Result<TimeToDetect, StatError> {
        let threshold = self.check()?;
        self.check_ratio(ratio)?;
        let best = Flow::betting_on(ratio, (ratio, self.tolerated), self.base_rate, self.pace());
        let is_worse = ratio > self.tolerated;
        let bound = if is_worse { best.minutes(threshold) } else { f64::INFINITY };
        let expected = self.expected_minutes(CountModel::Poisson, ratio, None)?;
        let ticks_a_minute = 60.0 / self.tick_seconds;
        let healthy = expected * self.requests_per_minute * self.share * self.base_rate;
        Ok(TimeToDetect {
            bound,
            expected,
            bound_ticks: bound * ticks_a_minute,
            expected_ticks: expected * ticks_a_minute,
            failed_requests: healthy * ratio,
            requests_affected: if ratio <= 1.0 { 0.0 } else { healthy * (ratio - 1.0) },
        })
    }

    /// Minutes that a test takes on average; infinite where none of its bets gains anything. `cap`: most that a
    /// tick adds to a bet.
    pub(crate) fn expected_minutes(
        &self,
        model: CountModel,
        ratio: f64,
        cap: Option<f64>,
    ) -> Result<f64, StatError> {
        let threshold = self.check()?;
        self.check_ratio(ratio)?;
        if ratio <= self.tolerated {
            return Ok(f64::INFINITY);
        }
        let flow = self.flow(model, ratio, self.tolerated)?;
        let Some(cap) = cap else { return Ok(flow.minutes(threshold + flow.cost)) };
        let tick = self.tick_seconds / 60.0;
        // Of much traffic, a small bet that the cap spares gains as much as a large one.
        let bets: &[f64] = match model {
            CountModel::Poisson => &DEFAULT_GRID,
            CountModel::Bernoulli => &[],
        };
        let bets = bets.iter().map(|bet| {
            let ratios = (ratio, self.tolerated);
            Flow::betting_on(bet * self.tolerated, ratios, self.base_rate, self.pace())
        });
        let gains = bets.map(|flow| flow.capped(cap, tick)).fold(flow.capped(cap, tick), larger);
        Ok(if gains > 0.0 { (threshold + flow.cost) / gains } else { f64::INFINITY })
    }

    /// Chance to have found a regression of `ratio` within `minutes`; at 1 or below the chance of a
    /// false rollback.
    ///
    /// # Errors
    /// As for [`time_to_detect`](Self::time_to_detect), and for minutes that are out of range.
    pub fn chance_to_decide(&self, ratio: f64, minutes: f64) -> Result<Chance, StatError> {
        let threshold = self.check_for(ratio, minutes)?;
        let at = [self.whole_ticks(minutes)];
        let chances = self.chances(Direction::Worse, (self.tolerated, threshold), ratio, &at, 1.0);
        chances.map(|chances| chances[0])
    }

    /// The same at each of these times, which are ends of ticks from 0 on, where it is evaluated at the ends of
    /// ticks: after as many events as a tick with events has on average.
    pub(crate) fn chances_to_decide(
        &self,
        ratio: f64,
        minutes: &[f64],
    ) -> Result<Vec<Chance>, StatError> {
        let last = minutes.iter().copied().fold(0.0, larger);
        let threshold = self.check_for(ratio, last)?;
        let flow = self.flow(CountModel::Poisson, ratio, self.tolerated)?;
        let a_tick = flow.events_per_minute * self.tick_seconds / 60.0;
        let apart = a_tick / (1.0 - exp(-a_tick));
        self.chances(Direction::Worse, (self.tolerated, threshold), ratio, minutes, apart)
    }

    /// Chance to have found a regression of `ratio` within `minutes`, by the formula.
    pub(crate) fn chance_by_formula(
        &self,
        model: CountModel,
        ratio: f64,
        minutes: f64,
    ) -> Result<f64, StatError> {
        let threshold = self.check_for(ratio, minutes)?;
        if ratio <= self.tolerated {
            return Ok(exp(-threshold));
        }
        let flow = self.flow(model, ratio, self.tolerated)?;
        Ok(flow.chance(threshold + flow.cost, minutes))
    }

    /// The smallest ratio that is found within `minutes` with chance `power`, by bisection on the
    /// formula; absent where none is that leaves the canary's rate at 1 or below. The formula is
    /// off where events are few: at the ratio that it gives for 0.8,
    /// [`chance_to_decide`](Self::chance_to_decide) is between 0.55 and 0.95, and from 300 events on
    /// between 0.74 and 0.86.
    ///
    /// # Errors
    /// As for [`time_to_detect`](Self::time_to_detect), and for minutes that are out of range or a
    /// power that is not between 0 and 1.
    pub fn detectable_ratio(&self, minutes: f64, power: f64) -> Result<Option<f64>, StatError> {
        self.detectable(CountModel::Poisson, minutes, power)
    }

    /// The same of either test.
    pub(crate) fn detectable(
        &self,
        model: CountModel,
        minutes: f64,
        power: f64,
    ) -> Result<Option<f64>, StatError> {
        self.check()?;
        check_minutes(minutes)?;
        check_level(Range::POWER, power)?;
        let finds = |ratio: f64| {
            self.chance_by_formula(model, ratio, minutes).is_ok_and(|chance| chance >= power)
        };
        let (mut low, mut high) = (self.tolerated, smaller(MAX_RATIO, 1.0 / self.base_rate));
        if high <= low || !finds(high) {
            return Ok(None);
        }
        for _ in 0..100 {
            let middle = (low * high).sqrt();
            if middle <= low || middle >= high {
                break;
            }
            if finds(middle) { high = middle } else { low = middle }
        }
        Ok(Some(high))
    }

    /// Chance to have shown within `minutes` that a canary of `ratio` is not worse than `margin`:
    /// the promotion test, its null `r ≥ margin`, at its own `alpha`.
    ///
    /// # Errors
    /// As for [`chance_to_decide`](Self::chance_to_decide), and for a margin that is out of range.
    pub fn chance_to_promote(
        &self,
        ratio: f64,
        minutes: f64,
        margin: f64,
        alpha: f64,
    ) -> Result<Chance, StatError> {
        self.check_for(ratio, minutes)?;
        let (direction, ticks) = (Direction::Better, self.whole_ticks(minutes));
        let threshold = Hypothesis::try_new(direction, alpha, 1.0, margin)?.threshold;
        self.chances(direction, (margin, threshold), ratio, &[ticks], 1.0).map(|chances| chances[0])
    }

    /// Minutes after which that is shown in half of all rollouts; absent where it takes more than
    /// 20,000 events, or is not shown so often.
    ///
    /// # Errors
    /// As [`chance_to_promote`](Self::chance_to_promote).
    pub fn time_to_promote(
        &self,
        ratio: f64,
        margin: f64,
        alpha: f64,
    ) -> Result<Option<f64>, StatError> {
        self.check()?;
        self.check_ratio(ratio)?;
        let direction = Direction::Better;
        let threshold = Hypothesis::try_new(direction, alpha, 1.0, margin)?.threshold;
        let flow = self.flow(CountModel::Poisson, ratio, margin)?;
        let crossing = Crossing::try_new(
            direction,
            (margin, self.share),
            flow.of_canary,
            threshold,
            (MOST_EVENTS, 1.0),
        )?;
        Ok(crossing.median().map(|events| events / flow.events_per_minute))
    }

    /// The chance that the Bernoulli test shows that within `minutes` of an equal canary, by the formula, and the
    /// minutes after which it has in half of all rollouts; None where no time is long enough.
    pub(crate) fn shares_to_promote(
        &self,
        minutes: f64,
        margin: f64,
        alpha: f64,
    ) -> Result<(f64, Option<f64>), StatError> {
        self.check_for(1.0, minutes)?;
        let threshold = Hypothesis::try_new(Direction::Better, alpha, 1.0, margin)?.threshold;
        let flow = self.flow(CountModel::Bernoulli, 1.0, margin)?;
        let height = threshold + flow.cost;
        // Half have shown it before the mean time is over.
        let (mut low, mut high) = (0.0, flow.minutes(height));
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if flow.chance(height, middle) < 0.5 { low = middle } else { high = middle }
        }
        Ok((flow.chance(height, minutes), Some(high).filter(|high| high.is_finite())))
    }

    /// Chances to have decided within each of these times, where it is evaluated after so many events.
    fn chances(
        &self,
        direction: Direction,
        (null, threshold): (f64, f64),
        ratio: f64,
        minutes: &[f64],
        apart: f64,
    ) -> Result<Vec<Chance>, StatError> {
        let flow = self.flow(CountModel::Poisson, ratio, null)?;
        let events = |minutes: f64| flow.events_per_minute * minutes;
        let most = events(minutes.iter().copied().fold(0.0, larger));
        if most > MOST_EVENTS {
            let outside = match direction {
                Direction::Worse => ratio > null,
                Direction::Better => ratio < null,
            };
            let chance = |minutes: f64| {
                if outside { flow.chance(threshold + flow.cost, minutes) } else { exp(-threshold) }
            };
            let about = |&minutes: &f64| Chance { chance: chance(minutes), approximate: true };
            return Ok(minutes.iter().map(about).collect());
        }
        let crossing = Crossing::try_new(
            direction,
            (null, self.share),
            flow.of_canary,
            threshold,
            (most, apart),
        )?;
        let a_tick = flow.events_per_minute * self.tick_seconds / 60.0;
        let approximate = a_tick > SEPARATE || self.base_rate * larger(ratio, 1.0) > COMMON;
        let chance =
            |&minutes: &f64| Chance { chance: crossing.chance(events(minutes)), approximate };
        Ok(minutes.iter().map(chance).collect())
    }

    /// Minutes of the ticks that have ended.
    fn whole_ticks(&self, minutes: f64) -> f64 {
        let tick = self.tick_seconds / 60.0;
        (minutes / tick * (1.0 + 1e-12)).floor() * tick
    }

    fn flow(&self, model: CountModel, ratio: f64, null: f64) -> Result<Flow, StatError> {
        Flow::of(model.into(), (ratio, null), self.base_rate, self.pace())
    }

    /// Requests of both arms a minute.
    fn pace(&self) -> [f64; 2] {
        [self.share, 1.0 - self.share].map(|share| self.requests_per_minute * share)
    }

    /// Checks everything and returns the threshold.
    fn check(&self) -> Result<f64, StatError> {
        let Self { requests_per_minute, share, base_rate, tick_seconds, .. } = *self;
        let usual = Hypothesis::try_new(Direction::Worse, self.alpha, self.tolerated, 1.0)?;
        check_share(share)?;
        let fits = |value: f64, most: f64| value.is_normal() && (0.0..=most).contains(&value);
        let (what, expected) = ("requests per minute", "a number above 0");
        let requests = requests_per_minute;
        StatError::unless(fits(requests, 1e15), what, requests, expected)?;
        let expected = "a share above 0 and at most 1";
        StatError::unless(fits(base_rate, 1.0), "base rate", base_rate, expected)?;
        check_tick(tick_seconds)?;
        Ok(Limits::try_new(1.0, None, self.threshold, usual.threshold)?.threshold)
    }

    /// The same for a ratio that is looked for within minutes.
    fn check_for(&self, ratio: f64, minutes: f64) -> Result<f64, StatError> {
        let threshold = self.check()?;
        self.check_ratio(ratio)?;
        check_minutes(minutes)?;
        Ok(threshold)
    }

    fn check_ratio(&self, ratio: f64) -> Result<(), StatError> {
        let fits = ratio >= 1.0 / MAX_RATIO && ratio <= most_ratio(self.base_rate);
        let expected = "a ratio above 0 that leaves the canary's rate at 1 or below";
        StatError::unless(fits, "ratio", ratio, expected)
    }
}

/// The largest ratio that leaves the canary's rate at 1 or below.
fn most_ratio(base_rate: f64) -> f64 {
    smaller(MAX_RATIO, (1.0 + 1e-12) / base_rate)
}

/// The length of a tick that anything is planned for.
pub(super) fn check_tick(seconds: f64) -> Result<(), StatError> {
    let fits = (1e-3..=86_400.0).contains(&seconds);
    StatError::unless(fits, "tick length", seconds, "0.001 to 86400 seconds")
}

fn check_minutes(minutes: f64) -> Result<(), StatError> {
    StatError::unless((0.0..=1e9).contains(&minutes), "minutes", minutes, "0 to 1e9 minutes")
}

/// Chance that a Brownian motion with drift has passed `level` by `time`.
///
/// Source: the inverse Gaussian law, see Chhikara and Folks (1989), chapter 2.
fn first_passage(drift: f64, variance: f64, level: f64, time: f64) -> f64 {
    if time <= 0.0 || variance <= 0.0 {
        return 0.0;
    }
    let scale = (variance * time).sqrt();
    let mirrored = (drift * time + level) / scale;
    let exponent = 2.0 * drift * level / variance;
    // Far out the two factors of the second term leave the range of numbers, their product does
    // not.
    let second = if mirrored < 30.0 {
        exp(exponent) * normal_cdf(-mirrored)
    } else {
        let square = mirrored * mirrored;
        exp(exponent - 0.5 * square) / (mirrored * (2.0 * PI).sqrt()) * (1.0 - 1.0 / square)
    };
    larger(0.0, smaller(1.0, normal_cdf((drift * time - level) / scale) + second))
}
