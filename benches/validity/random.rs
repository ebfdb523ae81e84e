//! Random numbers: one stream per run, and samplers fast enough that sampling is not the
//! bottleneck.

use hotfix_core::stats::numeric::{exp, ln};
use rand_distr::{Binomial, Distribution, Gamma, Poisson, StandardNormal};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Terms of a distribution below this share of the largest one are omitted from its table.
const NEGLIGIBLE: f64 = 1e-18;
/// From this mean on sampling is by rejection instead of counting up.
const MANY: f64 = 12.0;

/// The stream of one run.
pub(crate) struct Random(Pcg64Mcg);

impl Random {
    /// The stream of run `run` for this seed: the same in every order and on every thread.
    pub(crate) fn new(seed: u64, run: u32) -> Self {
        // An odd factor keeps different pairs different.
        let pair = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(run));
        Self(Pcg64Mcg::seed_from_u64(pair))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Above 0 and below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// `true` with this probability.
    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        self.uniform() < chance
    }

    /// A whole number below `end`, which is small.
    #[expect(clippy::cast_possible_truncation, reason = "the product is below `end`")]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// A gamma variable of this shape, which is positive, and scale 1.
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        Gamma::new(shape, 1.0).map_or(0.0, |law| law.sample(&mut self.0))
    }

    /// Binomial count: how many of `trials` succeed with this probability.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    pub(crate) fn among(&mut self, trials: f64, chance: f64) -> f64 {
        Binomial::new(trials as u64, chance).map_or(0.0, |law| law.sample(&mut self.0) as f64)
    }

    /// A Poisson count whose mean is itself random; for fixed means there is [`Table`].
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean <= 0.0 {
            return 0.0;
        }
        if mean >= MANY {
            // The mean is positive and finite, so the distribution exists.
            return Poisson::new(mean).map_or(0.0, |law| law.sample(&mut self.0));
        }
        let mut left = self.uniform();
        // Nearly always true for a small mean, without computing the exponential, which is above 1 - mean.
        if left < 1.0 - mean {
            return 0.0;
        }
        let mut term = exp(-mean);
        let mut count = 0.0;
        while left > term && count < 200.0 {
            left -= term;
            count += 1.0;
            term *= mean / count;
        }
        count
    }
}

/// A distribution on whole numbers as a table: Walker's alias method, one draw and one lookup per
/// number.
///
/// Exact except for terms below [`NEGLIGIBLE`] and the rounding of chances to 2^-53.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    first: u64,
    cells: Box<[Cell]>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Fractions below it stay in the cell.
    keep: u64,
    alias: u32,
}

impl Table {
    /// Poisson with this mean.
    pub(crate) fn poisson(mean: f64) -> Self {
        let mean = mean.max(0.0);
        Self::unimodal(mean.floor(), |k| mean / (k + 1.0))
    }

    /// Negative binomial with this mean and a variance of `dispersion` times the mean.
    pub(crate) fn negative_binomial(mean: f64, dispersion: f64) -> Self {
        if dispersion <= 1.0 || mean <= 0.0 {
            return Self::poisson(mean);
        }
        let size = mean / (dispersion - 1.0);
        let q = 1.0 - 1.0 / dispersion;
        let mode = ((size - 1.0) * q / (1.0 - q)).floor().max(0.0);
        Self::unimodal(mode, |k| q * (k + size) / (k + 1.0))
    }

    /// From the mode outwards, by the quotient of the terms at `k + 1` and `k`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mode is a count"
    )]
    fn unimodal(mode: f64, quotient: impl Fn(f64) -> f64) -> Self {
        let mut below = Vec::new();
        let (mut k, mut term) = (mode, 1.0);
        while k > 0.0 {
            k -= 1.0;
            term /= quotient(k);
            if term < NEGLIGIBLE {
                k += 1.0;
                break;
            }
            below.push(term);
        }
        let first = k as u64;
        let mut terms: Vec<f64> = below.into_iter().rev().collect();
        let (mut k, mut term) = (mode, 1.0);
        while term >= NEGLIGIBLE {
            terms.push(term);
            term *= quotient(k);
            k += 1.0;
        }
        Self::new(first, &terms)
    }

    /// Vose's construction.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "fewer than 2^32 cells; a chance times 2^64 saturates"
    )]
    fn new(first: u64, terms: &[f64]) -> Self {
        let sum: f64 = terms.iter().sum();
        let mut scaled: Vec<f64> = terms.iter().map(|t| t / sum * terms.len() as f64).collect();
        let mut cells: Vec<Cell> =
            (0..terms.len()).map(|at| Cell { keep: u64::MAX, alias: at as u32 }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..terms.len()).partition(|&at| scaled[at] < 1.0);
        while let (Some(poor), Some(rich)) = (small.pop(), large.pop()) {
            cells[poor] =
                Cell { keep: (scaled[poor] * 2.0_f64.powi(64)) as u64, alias: rich as u32 };
            scaled[rich] -= 1.0 - scaled[poor];
            if scaled[rich] < 1.0 { small.push(rich) } else { large.push(rich) }
        }
        Self { first, cells: cells.into() }
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves of the product fit")]
    pub(crate) fn sample(&self, random: &mut Random) -> f64 {
        let product = u128::from(random.bits()) * self.cells.len() as u128;
        let at = (product >> 64) as usize;
        let cell = self.cells[at];
        let index = if (product as u64) < cell.keep { at as u64 } else { u64::from(cell.alias) };
        (self.first + index) as f64
    }
}

/// A Pareto variable of mean 1 with this tail index, above 1.
pub(crate) fn pareto(index: f64, random: &mut Random) -> f64 {
    exp(-ln(random.uniform()) / index) * (index - 1.0) / index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut(&mut Random) -> f64) -> (f64, f64) {
        let mut random = Random::new(7, 1);
        let n = 200_000;
        let drawn: Vec<f64> = (0..n).map(|_| draw(&mut random)).collect();
        let mean = drawn.iter().sum::<f64>() / f64::from(n);
        (mean, drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n))
    }

    fn near(got: (f64, f64), mean: f64, variance: f64) {
        assert!((got.0 - mean).abs() < 5.0 * (variance / 2e5).sqrt(), "{got:?}, not {mean}");
        assert!((got.1 / variance - 1.0).abs() < 0.06, "{got:?}, not {variance}");
    }

    #[test]
    fn stat_2_samplers_have_the_moments_of_their_laws() {
        for mean in [0.05, 3.0, 150.0, 1_500.0] {
            let table = Table::poisson(mean);
            near(moments(|random| table.sample(random)), mean, mean);
            near(moments(|random| random.poisson(mean)), mean, mean);
        }
        for (mean, dispersion) in [(0.05, 3.0), (4.0, 2.0), (75.0, 10.0)] {
            let table = Table::negative_binomial(mean, dispersion);
            near(moments(|random| table.sample(random)), mean, mean * dispersion);
        }
        assert_eq!(Table::poisson(0.0).sample(&mut Random::new(1, 1)), 0.0);
    }
}
