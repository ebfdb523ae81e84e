//! Binomial and hypergeometric tails by saddle point, and the distributions of rank sums.
//!
//! Why not the `statrs` crate: its binomial and hypergeometric probabilities are differences of `ln
//! Γ`, which leave six digits at 10⁹ trials where these keep twelve (`tests/it/fixed.rs` measures
//! both against 50-digit references on every run, see `docs/decisions/own-distributions.md`),
//! and its logarithms are the platform's, so recorded p-values would not replay bit for
//! bit. The normal distribution is [`normal_cdf`](super::numeric::normal_cdf), which exists
//! already.
//!
//! Source: Loader (2000), Fast and accurate computation of binomial probabilities.

use core::f64::consts::PI;

use super::StatError;
use super::numeric::{exp, ln, ln1p, whole, whole_between};

/// How much likelier than the observed outcome one may be and still count as no likelier.
///
/// Outcomes that are equally likely on paper differ by rounding; this keeps them together.
const SLACK: f64 = 1e-7;
/// Largest variance of a law whose tails are summed: some ten million terms.
const MOST_VARIANCE: f64 = 1e12;

/// `ln n! - ln(√(2πn) (n/e)^n)` for `n` from 1 to 15; above, the series is as exact.
///
/// mpmath 1.4.1, 40 digits.
const STIRLING_ERRORS: [f64; 15] = [
    0.081_061_466_795_327_26,
    0.041_340_695_955_409_3,
    0.027_677_925_684_998_34,
    0.020_790_672_103_765_093,
    0.016_644_691_189_821_193,
    0.013_876_128_823_070_748,
    0.011_896_709_945_891_77,
    0.010_411_265_261_972_096,
    0.009_255_462_182_712_733,
    0.008_330_563_433_362_87,
    0.007_573_675_487_951_841,
    0.006_942_840_107_209_53,
    0.006_408_994_188_004_207,
    0.005_951_370_112_758_848,
    0.005_554_733_551_962_801,
];

/// What Stirling's formula lacks of `ln n!`, for whole `n` from 1.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return STIRLING_ERRORS.get(whole(n - 1.0)).copied().unwrap_or_default();
    }
    let square = n * n;
    let [a, b, c, d, e] = [1.0 / 12.0, 1.0 / 360.0, 1.0 / 1260.0, 1.0 / 1680.0, 1.0 / 1188.0];
    (a - (b - (c - (d - e / square) / square) / square) / square) / n
}

/// `x ln(x/m) + m - x`, without cancellation near `x = m`.
fn deviance(x: f64, m: f64) -> f64 {
    let (difference, sum) = (x - m, x + m);
    if difference.abs() >= 0.1 * sum {
        return x * ln(x / m) - difference;
    }
    // x ln((1 + v)/(1 - v)) - (x - m) as its series in v.
    let v = difference / sum;
    let square = v * v;
    let mut total = difference * v;
    let mut power = 2.0 * x * v;
    let mut odd = 3.0;
    loop {
        power *= square;
        let next = total + power / odd;
        if next == total {
            return total;
        }
        total = next;
        odd += 2.0;
    }
}

/// Logarithm of the Poisson probability of `x` events where `mean` are expected.
pub(super) fn ln_poisson(x: f64, mean: f64) -> f64 {
    if x == 0.0 {
        -mean
    } else if mean == 0.0 {
        f64::NEG_INFINITY
    } else {
        -stirling_error(x) - deviance(x, mean) - 0.5 * ln(2.0 * PI * x)
    }
}

/// A law on whole numbers that rises to its mode and falls from there.
pub(super) trait Law {
    /// Smallest outcome.
    fn low(&self) -> f64;
    /// Largest outcome.
    fn high(&self) -> f64;
    fn mean(&self) -> f64;
    /// Logarithm of the probability of an outcome from `low` to `high`.
    fn ln_probability(&self, x: f64) -> f64;
    /// Probability of `x + 1` over that of `x`, for `x` from `low` to below `high`.
    fn step(&self, x: f64) -> f64;
}

/// Sums probabilities outwards from an outcome, relative to its own.
fn outwards(mut ratio: impl FnMut(f64) -> f64, count: f64) -> f64 {
    let (mut term, mut sum, mut index) = (1.0, 1.0, 0.0);
    while index < count {
        let next = ratio(index);
        term *= next;
        sum += term;
        // The rest is below a geometric series, as the ratios fall.
        if term * next <= 1e-17 * sum * (1.0 - next) {
            break;
        }
        index += 1.0;
    }
    sum
}

/// Chance of at most `x`, summed from `x` down. For `x` below the mean.
fn summed_down(law: &impl Law, x: f64) -> f64 {
    let sum = outwards(|index| 1.0 / law.step(x - index - 1.0), x - law.low());
    exp(law.ln_probability(x) + ln(sum))
}

/// Chance of at least `x`, summed from `x` up, as the probability of `x` and the sum relative to
/// it.
fn summed_up(law: &impl Law, x: f64) -> (f64, f64) {
    (law.ln_probability(x), outwards(|index| law.step(x + index), law.high() - x))
}

/// Chance of an outcome of at most `x`.
pub(super) fn lower_tail(law: &impl Law, x: f64) -> f64 {
    if x < law.low() {
        0.0
    } else if x >= law.high() {
        1.0
    } else if x <= law.mean() {
        summed_down(law, x)
    } else {
        let (ln_probability, sum) = summed_up(law, x + 1.0);
        1.0 - exp(ln_probability + ln(sum))
    }
}

/// Chance of an outcome of at least `x`.
pub(super) fn upper_tail(law: &impl Law, x: f64) -> f64 {
    if x > law.high() {
        0.0
    } else if x <= law.low() {
        1.0
    } else if x >= law.mean() {
        let (ln_probability, sum) = summed_up(law, x);
        exp(ln_probability + ln(sum))
    } else {
        1.0 - summed_down(law, x - 1.0)
    }
}

/// Chance of an outcome that is not more likely than `x`, with a relative slack of 1e-7.
pub(super) fn no_likelier(law: &impl Law, x: f64) -> f64 {
    let (low, high) = (law.low(), law.high());
    let most = law.ln_probability(x) + ln1p(SLACK);
    let counts = |y: f64| law.ln_probability(y) <= most;
    // The mode: where the steps turn from rising to falling, next to the mean.
    let mut mode = law.mean().floor().clamp(low, high);
    while mode < high && law.step(mode) > 1.0 {
        mode += 1.0;
    }
    while mode > low && law.step(mode - 1.0) < 1.0 {
        mode -= 1.0;
    }
    if counts(mode) {
        return 1.0;
    }
    // Below the mode outcomes count up to `below`, above it from `above`.
    let (mut below, mut above) = (low - 1.0, high + 1.0);
    let own_side_below = x < mode;
    if own_side_below {
        below = boundary(x, mode, counts);
        if counts(high) {
            above = boundary(high, mode, counts);
        }
    } else {
        above = boundary(x, mode, counts);
        if counts(low) {
            below = boundary(low, mode, counts);
        }
    }
    (lower_tail(law, below) + upper_tail(law, above)).min(1.0)
}

/// The outcome nearest to `outside` that counts; `inside` counts, `outside` does not.
fn boundary(mut inside: f64, mut outside: f64, counts: impl Fn(f64) -> bool) -> f64 {
    // The observed outcome's neighbour is mostly outside already.
    let next = inside + (outside - inside).signum();
    if next == outside || !counts(next) {
        return inside;
    }
    inside = next;
    while let Some(middle) = whole_between(inside, outside) {
        if counts(middle) { inside = middle } else { outside = middle }
    }
    inside
}

/// That a law is narrow enough for its tails to be summed.
fn check_variance(what: &'static str, variance: f64) -> Result<(), StatError> {
    if variance <= MOST_VARIANCE { Ok(()) } else { Err(StatError::ExactTooLarge { what }) }
}

/// Events among `trials`, each with chance `p = odds/(1 + odds)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binomial {
    trials: f64,
    odds: f64,
    p: f64,
    q: f64,
}

impl Binomial {
    /// Of whole trials, and odds above zero. Both chances keep their digits that way.
    pub(super) fn of_odds(trials: f64, odds: f64) -> Self {
        let q = 1.0 / (1.0 + odds);
        let p = if odds.is_finite() { odds * q } else { 1.0 };
        Self { trials, odds, p, q }
    }

    /// That a tail can be summed in reasonable time.
    pub(super) fn check(&self) -> Result<(), StatError> {
        check_variance("binomial", self.trials * self.p * self.q)
    }

    /// Odds at which the chance of at least `x` events is `level`: the lower confidence bound.
    ///
    /// Newton's method on the logarithm of the chance as a function of the logarithm of the odds.
    /// That function is concave, so it comes from below after one step and cannot miss.
    pub(super) fn lower_odds(trials: f64, x: f64, level: f64) -> f64 {
        if x == 0.0 {
            return 0.0;
        }
        let target = ln(level);
        let mut ln_odds = ln(x) - ln(trials - x + 1.0);
        for _ in 0..MOST_NEWTON {
            let law = Self::of_odds(trials, exp(ln_odds));
            // Above the mean the sum is the short one; below it the long one still has positive
            // terms.
            let (ln_probability, sum) = summed_up(&law, x);
            let miss = ln_probability + ln(sum) - target;
            let step = miss * sum / (x * law.q);
            // Far above, the slope is flat and the step long: halve the odds' logarithm at most.
            ln_odds -= step.clamp(-LONGEST_STEP, LONGEST_STEP);
            if step.abs() <= 1e-15 * (1.0 + ln_odds.abs()) {
                break;
            }
        }
        exp(ln_odds)
    }
}

/// Steps of Newton's method: a dozen are needed where bounds are 1e-300, the rest is margin.
const MOST_NEWTON: u32 = 100;
/// Longest step in the logarithm of the odds.
const LONGEST_STEP: f64 = 50.0;

impl Law for Binomial {
    fn low(&self) -> f64 {
        0.0
    }

    fn high(&self) -> f64 {
        self.trials
    }

    fn mean(&self) -> f64 {
        self.trials * self.p
    }

    fn ln_probability(&self, x: f64) -> f64 {
        let n = self.trials;
        if x == 0.0 {
            // ln q keeps its digits through the smaller of both.
            return n * if self.p < self.q { ln1p(-self.p) } else { ln(self.q) };
        }
        if x == n {
            return n * if self.q < self.p { ln1p(-self.q) } else { ln(self.p) };
        }
        ln_poisson(x, n * self.p) + ln_poisson(n - x, n * self.q) - ln_poisson(n, n)
    }

    fn step(&self, x: f64) -> f64 {
        (self.trials - x) / (x + 1.0) * self.odds
    }
}

/// A Poisson law.
pub(super) struct Poisson {
    /// Its mean, above 0.
    pub(super) mean: f64,
}

impl Poisson {
    /// The mean with which at most `x` events have the chance `level`: the upper confidence bound.
    ///
    /// Newton's method on the logarithm of the chance, which is concave in the mean: after one step it
    /// comes from above and cannot miss.
    pub(super) fn upper_mean(x: f64, level: f64) -> f64 {
        let target = ln(level);
        let mut law = Self { mean: x + 1.0 };
        for _ in 0..MOST_NEWTON {
            let sum = outwards(|index| 1.0 / law.step(x - index - 1.0), x);
            let step = (law.ln_probability(x) + ln(sum) - target) * sum;
            law.mean += step;
            if step.abs() <= 1e-12 * law.mean {
                break;
            }
        }
        law.mean
    }
}

impl Law for Poisson {
    fn low(&self) -> f64 {
        0.0
    }
    fn high(&self) -> f64 {
        f64::INFINITY
    }
    fn mean(&self) -> f64 {
        self.mean
    }
    fn ln_probability(&self, x: f64) -> f64 {
        ln_poisson(x, self.mean)
    }
    fn step(&self, x: f64) -> f64 {
        self.mean / (x + 1.0)
    }
}

/// Events that fall to the canary, of `events` among `canary + baseline` trials that are all alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hypergeometric {
    canary: f64,
    baseline: f64,
    events: f64,
    /// Share of trials with events, and without.
    p: f64,
    q: f64,
    /// What does not depend on the outcome.
    constant: f64,
}

impl Hypergeometric {
    /// Of whole numbers, with trials in both arms.
    pub(super) fn try_new(canary: f64, baseline: f64, events: f64) -> Result<Self, StatError> {
        let trials = canary + baseline;
        let others = trials - events;
        let (p, q) = (events / trials, others / trials);
        check_variance("hypergeometric", canary * (baseline / trials) * p * q)?;
        let at_its_mean = |n: f64| ln_poisson(n, n);
        let constant = at_its_mean(trials)
            - at_its_mean(canary)
            - at_its_mean(baseline)
            - at_its_mean(events)
            - at_its_mean(others);
        Ok(Self { canary, baseline, events, p, q, constant })
    }
}

impl Law for Hypergeometric {
    fn low(&self) -> f64 {
        super::numeric::larger(self.events - self.baseline, 0.0)
    }

    fn high(&self) -> f64 {
        super::numeric::smaller(self.events, self.canary)
    }

    fn mean(&self) -> f64 {
        self.canary * self.p
    }

    fn ln_probability(&self, x: f64) -> f64 {
        let Self { canary, baseline, events, p, q, constant } = *self;
        let rest = events - x;
        constant
            + ln_poisson(x, canary * p)
            + ln_poisson(canary - x, canary * q)
            + ln_poisson(rest, baseline * p)
            + ln_poisson(baseline - rest, baseline * q)
    }

    fn step(&self, x: f64) -> f64 {
        let rest = self.events - x;
        (rest * (self.canary - x)) / ((x + 1.0) * (self.baseline - rest + 1.0))
    }
}

/// How many arrangements of two groups without ties give each Mann–Whitney `U`, exactly.
#[derive(Clone, Debug)]
pub(super) struct RankSums {
    /// Arrangements with `U` up to the index, for the lower half of `U`.
    cumulated: Vec<u128>,
    all: u128,
    largest: usize,
}

/// Coefficients that are worth the memory: 16 megabytes.
const MOST_COEFFICIENTS: usize = 1 << 20;

impl RankSums {
    /// Of two groups; `None` where the arrangements are beyond 128 bits or the table too long.
    pub(super) fn new(first: usize, second: usize) -> Option<Self> {
        let (small, large) = if first < second { (first, second) } else { (second, first) };
        let largest = small.checked_mul(large)?;
        let half = largest / 2;
        if half >= MOST_COEFFICIENTS {
            return None;
        }
        let mut all: u128 = 1;
        for i in 1..=small {
            all = all.checked_mul((large + i) as u128)? / i as u128;
        }
        // The Gaussian binomial, factor by factor: times 1 - q^(large + i), over 1 - q^i. Wrapping
        // keeps it exact, as the coefficients themselves are below 2^128.
        let mut counts = vec![0_u128; half + 1];
        if let Some(first) = counts.first_mut() {
            *first = 1;
        }
        for i in 1..=small {
            for u in (large + i..=half).rev() {
                counts[u] = counts[u].wrapping_sub(counts[u - large - i]);
            }
            for u in i..=half {
                counts[u] = counts[u].wrapping_add(counts[u - i]);
            }
        }
        for u in 1..=half {
            counts[u] = counts[u].wrapping_add(counts[u - 1]);
        }
        Some(Self { cumulated: counts, all, largest })
    }

    /// Chance that `U` is at most `u`.
    pub(super) fn at_most(&self, u: usize) -> f64 {
        let count = if let Some(count) = self.cumulated.get(u) {
            *count
        } else if u >= self.largest {
            self.all
        } else {
            // By symmetry: all but those that have at least u + 1.
            self.all - self.cumulated.get(self.largest - u - 1).copied().unwrap_or_default()
        };
        count as f64 / self.all as f64
    }

    /// Chance that `U` is at least `u`.
    pub(super) fn at_least(&self, u: usize) -> f64 {
        if u > self.largest { 0.0 } else { self.at_most(self.largest - u) }
    }
}
