//! Random numbers of a run: the same for the same seed, in every release and on every platform.
//!
//! Each run has a key from seed and run number, and each moment of it a generator from key and
//! time. So a run does not depend on other runs, threads or order, and two policies in the same run
//! get the same random numbers at the same time, whatever happened before.
//!
//! The generator is PCG XSL RR 128/64 (O'Neill 2014, HMC-CS-2014-0905), keys are mixed by the
//! finaliser of `SplitMix64` (Steele, Lea and Flood 2014, OOPSLA). Counts are drawn exactly: by
//! inversion where few are expected, else by transformed rejection (Hörmann 1993, Insurance:
//! Mathematics and Economics 12, for Poisson; Journal of Statistical Computation and Simulation 46,
//! for binomial).

use rand_core::Rng;
use rand_pcg::Pcg64;

use crate::stats::numeric::ln;

/// The purpose of a generator, so that no two share their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Draws for the whole run: its faults, its instances.
    Run,
    /// The bursts of traffic.
    Bursts,
    /// One tick.
    Tick,
    /// People and platform.
    People,
    /// Missed scrapes.
    Scrape,
}

/// The key of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RunKey(u64);

const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl RunKey {
    pub(super) const fn new(seed: u64, run: u64) -> Self {
        Self(mixed(mixed(seed) ^ run))
    }

    /// The generator for a purpose at a time.
    pub(super) fn draws(self, purpose: Purpose, at: i64) -> Draws {
        let high = mixed(self.0 ^ mixed(at.cast_unsigned()));
        // The low half of the state has a sequence of its own: if it started alike in each tick,
        // the n-th draws of the ticks of a run would not be uniform.
        let low = mixed(high ^ purpose as u64);
        // Generators of different streams never share their numbers.
        let stream = u128::from(self.0) << 3 | purpose as u128;
        Draws(Pcg64::new(u128::from(high) << 64 | u128::from(low), stream))
    }
}

#[derive(Clone, Debug)]
pub(super) struct Draws(Pcg64);

/// From this mean on, inversion takes more steps than rejection.
const MANY: f64 = 10.0;

/// The counts at which most draws by inversion end.
const FIRST: [f64; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

impl Draws {
    /// Above 0 and below 1, in steps of 2^-53.
    pub(super) fn uniform(&mut self) -> f64 {
        let bits = self.0.next_u64() >> 11;
        (bits as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// True with this chance.
    pub(super) fn chance(&mut self, chance: f64) -> bool {
        self.uniform() < chance
    }

    /// A standard normal number, by Marsaglia's polar method (1964).
    pub(super) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                return x * (-2.0 * ln(square) / square).sqrt();
            }
        }
    }

    /// A factor with mean 1 whose logarithm is normal with this deviation.
    pub(super) fn factor(&mut self, deviation: f64) -> f64 {
        Drift::default().next(self, deviation, 0.0)
    }

    /// A waiting time with this mean.
    pub(super) fn waiting(&mut self, mean: f64) -> f64 {
        -mean * ln(self.uniform())
    }

    /// A Poisson number with this mean; 0 unless the mean is above 0.
    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        self.poisson_of(&mut Expected::default(), mean)
    }

    /// [`poisson`](Self::poisson) for a mean that seldom changes: `kept` has what was computed of it.
    pub(super) fn poisson_of(&mut self, kept: &mut Expected, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean < MANY {
            let (mut chance, mut left, mut count) = (libm::exp(-mean), self.uniform(), 0.0);
            // Beyond 200 the sum has nothing left but rounding errors.
            while left > chance && count < 200.0 {
                left -= chance;
                count += 1.0;
                chance *= mean / count;
            }
            return count;
        }
        // The traffic of a plan has no upper bound, and with an infinite mean the loop would not end.
        let mean = mean.min(1e300);
        kept.set(mean);
        let Expected { a, b, sure, scale, ln_mean, .. } = *kept;
        loop {
            let (u, v) = (self.uniform() - 0.5, self.uniform());
            let edge = 0.5 - u.abs();
            let count = (2.0 * a / edge + b) * u + mean + 0.43;
            if edge >= 0.07 && v <= sure {
                return whole(count);
            }
            if count < 0.0 || (edge < 0.013 && v > edge) {
                continue;
            }
            let count = whole(count);
            let below = ln(v * scale / (a / (edge * edge) + b));
            if below <= count * ln_mean - mean - kept.ln_factorial(count) {
                return count;
            }
        }
    }

    /// A binomial number: how many of `trials` succeed, each with this chance.
    pub(super) fn binomial(&mut self, trials: f64, chance: f64) -> f64 {
        self.binomial_of(trials, &mut Chance::default(), chance)
    }

    /// [`binomial`](Self::binomial) for a chance that seldom changes: `kept` has what was computed of it.
    #[inline]
    pub(super) fn binomial_of(&mut self, trials: f64, kept: &mut Chance, chance: f64) -> f64 {
        if trials <= 0.0 || chance <= 0.0 {
            return 0.0;
        }
        if chance >= 1.0 {
            return trials;
        }
        let most_come = chance > 0.5;
        kept.set(if most_come { 1.0 - chance } else { chance });
        let fewer = self.fewer(trials, kept);
        if most_come { trials - fewer } else { fewer }
    }

    /// A binomial number with the chance of `kept`, at most a half.
    #[inline]
    fn fewer(&mut self, trials: f64, kept: &mut Chance) -> f64 {
        if trials * kept.of_one >= MANY {
            return self.many(trials, kept.of_one, kept.odds);
        }
        let (odds, most) = (kept.odds, trials.min(200.0));
        let mut now = kept.none(trials);
        let (mut left, mut count) = (self.uniform(), 0.0);
        // The first counts are tried without a branch, which a processor could not predict: once
        // `left` is negative, it stays so.
        let next = |count: f64| odds * (trials - count + 1.0) / count;
        for factor in FIRST.map(next) {
            count += if left > now { 1.0 } else { 0.0 };
            left -= now;
            now *= factor;
        }
        if count < FIRST[FIRST.len() - 1] || count >= most {
            return count.min(most);
        }
        while left > now && count < most {
            left -= now;
            count += 1.0;
            now *= next(count);
        }
        count
    }

    /// A binomial number by transformed rejection, if at least [`MANY`] are expected.
    #[inline(never)]
    fn many(&mut self, trials: f64, chance: f64, odds: f64) -> f64 {
        let mean = trials * chance;
        let root = (mean * (1.0 - chance)).sqrt();
        let b = 1.15 + 2.53 * root;
        let a = 0.0248 * b + 0.01 * chance - 0.0873;
        let sure = 0.92 - 4.2 / b;
        loop {
            let (u, v) = (self.uniform() - 0.5, self.uniform());
            let edge = 0.5 - u.abs();
            let count = (2.0 * a / edge + b) * u + mean + 0.5;
            if count < 0.0 {
                continue;
            }
            let count = whole(count);
            if count > trials {
                continue;
            }
            if edge >= 0.07 && v <= sure {
                return count;
            }
            let most = whole((trials + 1.0) * chance);
            let scale = (2.83 + 5.1 / b) * root;
            let below = ln(v * scale / (a / (edge * edge) + b));
            let ways = |count: f64| libm::lgamma(count + 1.0) + libm::lgamma(trials - count + 1.0);
            if below <= ways(most) - ways(count) + (count - most) * ln(odds) {
                return count;
            }
        }
    }
}

/// A number without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "below 2^53, or as large as a whole number gets"
)]
fn whole(number: f64) -> f64 {
    if number < 9e15 { number as i64 as f64 } else { number.floor() }
}

/// A Poisson mean, and what draws need of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    mean: f64,
    ln_mean: f64,
    a: f64,
    b: f64,
    sure: f64,
    scale: f64,
    /// By count; NaN until it is needed.
    ln_factorials: Vec<f64>,
}

impl Expected {
    fn set(&mut self, mean: f64) {
        if self.mean != mean {
            let b = 0.931 + 2.53 * mean.sqrt();
            (self.mean, self.ln_mean) = (mean, ln(mean));
            (self.a, self.b) = (0.024_83 * b - 0.059, b);
            self.sure = 0.9277 - 3.6224 / (b - 2.0);
            self.scale = 1.1239 + 1.1328 / (b - 3.4);
        }
    }

    fn ln_factorial(&mut self, count: f64) -> f64 {
        remembered(&mut self.ln_factorials, count, || libm::lgamma(count + 1.0))
    }
}

/// A function of a whole number, computed once for each number below [`KEPT`].
fn remembered(known: &mut Vec<f64>, number: f64, from: impl Fn() -> f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "compared afterwards"
    )]
    let place = number as u32;
    if place >= KEPT || f64::from(place) != number {
        return from();
    }
    let place = place as usize;
    if place >= known.len() {
        known.resize(place + 1, f64::NAN);
    }
    if known[place].is_nan() {
        known[place] = from();
    }
    known[place]
}

/// A chance of at most a half, and what draws need of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Chance {
    of_one: f64,
    odds: f64,
    /// `ln(1 - chance)`.
    log_not: f64,
    /// Whether the last draw had the same chance: only then `of_none` is kept.
    stays: bool,
    /// The chance that none succeeds, by number of trials; NaN until it is needed.
    of_none: Vec<f64>,
}

/// Values are kept for whole numbers below this.
const KEPT: u32 = 4096;

impl Chance {
    fn set(&mut self, chance: f64) {
        self.stays = self.of_one == chance;
        if !self.stays {
            self.of_one = chance;
            self.odds = chance / (1.0 - chance);
            self.log_not = libm::log1p(-chance);
            self.of_none.clear();
        }
    }

    /// The chance that none of the trials succeeds.
    fn none(&mut self, trials: f64) -> f64 {
        let log_not = self.log_not;
        let none = || libm::exp(trials * log_not);
        if self.stays { remembered(&mut self.of_none, trials, none) } else { none() }
    }
}

/// A sequence of correlated factors with mean 1: their logarithm is a first-order autoregression.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Drift {
    at: Option<f64>,
}

impl Drift {
    /// The next factor. `memory` is the correlation of neighbours.
    pub(super) fn next(&mut self, draws: &mut Draws, deviation: f64, memory: f64) -> f64 {
        if deviation == 0.0 {
            return 1.0;
        }
        let fresh = draws.normal();
        let now = self.at.map_or(fresh, |at| memory * at + (1.0 - memory * memory).sqrt() * fresh);
        self.at = Some(now);
        libm::exp(deviation * now - 0.5 * deviation * deviation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of many draws.
    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let many = 200_000.0;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..200_000 {
            let x = draw();
            sum += x;
            squares += x * x;
        }
        let mean = sum / many;
        (mean, squares / many - mean * mean)
    }

    #[test]
    fn post_5_draws_have_the_mean_and_variance_of_their_laws() {
        let mut draws = RunKey::new(1, 2).draws(Purpose::Run, 0);
        for mean in [0.1, 3.0, 9.9, 10.1, 40.0, 900.0] {
            let (seen, variance) = moments(|| draws.poisson(mean));
            let error = (mean / 200_000.0_f64).sqrt();
            assert!((seen - mean).abs() < 5.0 * error, "Poisson {mean}: {seen}");
            assert!((variance / mean - 1.0).abs() < 0.03, "Poisson {mean}: {variance}");
        }
        // The draw of an infinite mean ends, too.
        assert!(draws.poisson(f64::INFINITY) > 9e299);
        for (trials, chance) in [
            (100.0, 0.003),
            (1000.0, 0.003),
            (1000.0, 0.02),
            (50.0, 0.5),
            (1000.0, 0.3),
            (900.0, 0.995),
        ] {
            let (mean, spread) = (trials * chance, trials * chance * (1.0 - chance));
            let (seen, variance) = moments(|| draws.binomial(trials, chance));
            let error = (spread / 200_000.0_f64).sqrt();
            assert!((seen - mean).abs() < 5.0 * error, "{trials} × {chance}: {seen}");
            assert!((variance / spread - 1.0).abs() < 0.03, "{trials} × {chance}: {variance}");
        }
        let (mean, variance) = moments(|| draws.normal());
        assert!(mean.abs() < 0.012 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let (mean, _) = moments(|| draws.factor(0.4));
        assert!((mean - 1.0).abs() < 0.006, "{mean}");
    }

    #[test]
    fn post_5_counts_are_drawn_from_their_exact_laws() {
        // Each count's share against the law itself, by chi-square.
        let mut draws = RunKey::new(3, 4).draws(Purpose::Run, 0);
        let (trials, chance, many) = (40.0, 0.4_f64, 100_000_u32);
        let mut seen = [0.0_f64; 41];
        for _ in 0..many {
            let count = draws.binomial(trials, chance);
            let place = seen.iter().enumerate().find(|(k, _)| *k as f64 == count);
            let place = place.map(|(k, _)| k).expect("at most the trials");
            seen[place] += 1.0;
        }
        let (mut law, mut distance, mut cells) = ((1.0 - chance).powi(40), 0.0, 0.0_f64);
        for (k, seen) in (0_u32..).zip(seen) {
            let expected = law * f64::from(many);
            if expected > 10.0 {
                distance += (seen - expected).powi(2) / expected;
                cells += 1.0;
            }
            law *= chance / (1.0 - chance) * (trials - f64::from(k)) / (f64::from(k) + 1.0);
        }
        // Five deviations above the mean of the distance.
        assert!(distance < cells + 5.0 * (2.0 * cells).sqrt(), "{distance} over {cells} cells");
    }

    #[test]
    fn post_5_what_is_kept_of_a_chance_changes_no_draw() {
        let mut fresh = RunKey::new(5, 6).draws(Purpose::Run, 0);
        let mut again = fresh.clone();
        let mut kept = Chance::default();
        for round in 0..2000_u32 {
            // Now and then another chance, and more trials than are kept.
            let chance = [0.003, 0.003, 0.003, 0.997, 0.02][(round / 100) as usize % 5];
            let trials = f64::from(round * 37 % 5000);
            let drawn = again.binomial_of(trials, &mut kept, chance);
            assert_eq!(fresh.binomial(trials, chance), drawn, "{trials} × {chance}");
        }
    }

    #[test]
    fn post_5_what_is_kept_of_a_mean_changes_no_draw() {
        let mut fresh = RunKey::new(8, 9).draws(Purpose::Run, 0);
        let mut again = fresh.clone();
        let mut kept = Expected::default();
        for round in 0..2000_u32 {
            let mean = [900.0, 900.0, 11.0, 3.0, 6000.0][(round / 100) as usize % 5];
            assert_eq!(fresh.poisson(mean), again.poisson_of(&mut kept, mean), "{mean}");
        }
    }

    /// Chi squared of so many bins, in deviations from its mean.
    fn unevenness(bins: &[f64; 64]) -> f64 {
        let expected = bins.iter().sum::<f64>() / 64.0;
        let distance = bins.iter().map(|seen| (seen - expected).powi(2) / expected).sum::<f64>();
        (distance - 63.0) / 126.0_f64.sqrt()
    }

    /// The bin of a draw, of so many.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a draw is below 1"
    )]
    fn bin(draw: f64, of: f64) -> usize {
        (draw * of) as usize
    }

    #[test]
    fn post_5_the_draws_of_a_run_are_uniform_over_its_ticks() {
        for run in 0..8 {
            let key = RunKey::new(1, run);
            // Of the first draws of a tick, and of pairs of them.
            let mut bins = [[0.0; 64]; 6];
            for tick in 0..6000_i64 {
                let mut draws = key.draws(Purpose::Tick, 1_772_546_400_000 + 10_000 * tick);
                let drawn: [f64; 5] = std::array::from_fn(|_| draws.uniform());
                for (bins, drawn) in bins.iter_mut().zip(drawn) {
                    bins[bin(drawn, 64.0)] += 1.0;
                }
                bins[5][8 * bin(drawn[0], 8.0) + bin(drawn[1], 8.0)] += 1.0;
            }
            for bins in bins {
                assert!(unevenness(&bins).abs() < 5.0, "run {run}: {}", unevenness(&bins));
            }
        }
    }

    #[test]
    fn post_5_purposes_and_neighbouring_ticks_have_unrelated_draws() {
        let key = RunKey::new(1, 0);
        let first = |purpose, tick| bin(key.draws(purpose, 10_000 * tick).uniform(), 8.0);
        for other in [Purpose::Scrape, Purpose::People, Purpose::Bursts] {
            let mut bins = [[0.0; 64]; 2];
            for tick in 0..6000_i64 {
                let one = 8 * first(Purpose::Tick, tick);
                for (bins, other) in
                    bins.iter_mut().zip([first(other, tick), first(Purpose::Tick, tick + 1)])
                {
                    bins[one + other] += 1.0;
                }
            }
            for bins in bins {
                assert!(unevenness(&bins).abs() < 5.0, "{other:?}: {}", unevenness(&bins));
            }
        }
    }

    #[test]
    fn post_5_a_run_has_numbers_of_its_own_and_keeps_them() {
        let first = |run| {
            let mut draws = RunKey::new(7, run).draws(Purpose::Tick, 60_000);
            [draws.uniform(), draws.uniform()]
        };
        assert_eq!(first(0), first(0));
        assert_ne!(first(0), first(1));
        // A change here would change the numbers of every seed.
        assert_eq!(
            first(0).map(f64::to_bits),
            [4_605_683_851_233_117_474, 4_603_275_405_836_305_592]
        );
    }
}
