//! How far one sample is from its own continuous law: the law of Kolmogorov's statistic.
//!
//! `SciPy` has it as `kstwo`, and takes it for two samples in the asymptotic two-sided test, with
//! their effective size. Which formula is exact, or near enough, for which size and distance is
//! Simard and L'Ecuyer's finding.
//!
//! Sources: Marsaglia, Tsang and Wang (2003), Journal of Statistical Software 8(18); Pelz and Good
//! (1976), Journal of the Royal Statistical Society B 38(2); Birnbaum and Tingey (1951), Annals of
//! Mathematical Statistics 22(4); Simard and L'Ecuyer (2011), Journal of Statistical Software
//! 39(11).

use core::f64::consts::{LN_2, PI};

use crate::stats::distribution::{Binomial, Law, ln_poisson};
use crate::stats::numeric::{exp, larger, ln1p, sum, whole};

/// Sizes up to which the law is exact everywhere.
const EXACT_SIZE: f64 = 140.0;
/// Sizes up to which the lower tail is exact: a matrix of 117 rows, some ten million products.
const MATRIX_SIZE: f64 = 1e5;
/// Sizes up to which the upper tail is summed: a million terms.
const SUM_SIZE: f64 = 1e6;

/// Chance that a sample of `size` is `distance` or more from its law, on either side; 0 to 1.
///
/// `size` is whole and at least 1, `distance` 0 to 1. Right to ten digits up to a size of 140, and
/// above within the approximations that `SciPy` takes there: the expansion is off by 3e-5 of the
/// chance at 141 and by less the larger the size, twice the one-sided chance by 2e-6 where it
/// begins.
pub(super) fn two_sided(size: f64, distance: f64) -> f64 {
    // In steps of the sample's distribution function.
    let steps = size * distance;
    let scaled = steps * distance;
    // Beyond this distance on one side there is hardly a sample that is as far on the other.
    let apart = if size <= EXACT_SIZE { 4.0 } else { 2.2 };
    if steps <= 0.5 {
        1.0
    } else if steps <= 1.0 {
        1.0 - all_near(size, steps)
    } else if steps >= size - 1.0 {
        2.0 * exp(size * ln1p(-distance))
    } else if distance >= 0.5 || scaled >= apart {
        2.0 * one_sided(size, distance)
    } else if size <= EXACT_SIZE || size <= MATRIX_SIZE && steps * distance.sqrt() <= 1.4 {
        1.0 - matrix(size, steps)
    } else {
        1.0 - expansion(size, distance)
    }
}

/// Chance of less than `steps`, half a step to one: each value is near its own place.
fn all_near(size: f64, steps: f64) -> f64 {
    let width = (2.0 * steps - 1.0) / size;
    let (mut chance, mut place) = (1.0, 1.0);
    // All factors are at most 1, and what is below the last bit of 1 is of no matter.
    while place <= size && chance > 1e-20 {
        chance *= place * width;
        place += 1.0;
    }
    chance
}

/// Chance of `distance` or more on one side: Birnbaum and Tingey's sum, all terms positive.
///
/// A term is a binomial probability, whose chance rises with the number of events.
fn one_sided(size: f64, distance: f64) -> f64 {
    let steps = size * distance;
    if size > SUM_SIZE {
        let shifted = 6.0 * steps + 1.0;
        return exp(-shifted * (shifted / (18.0 * size)));
    }
    let (mut total, mut below) = (0.0, 0.0);
    while below + steps < size {
        let law = Binomial::of_odds(size, (below + steps) / (size - below - steps));
        total += exp(law.ln_probability(below)) * (steps / (below + steps));
        below += 1.0;
    }
    total
}

/// Chance of less than `steps`: an entry of the power of a matrix, all entries positive.
fn matrix(size: f64, steps: f64) -> f64 {
    let half = steps.ceil();
    let rest = half - steps;
    let middle = whole(half) - 1;
    let rows = 2 * middle + 1;
    let mut left = whole(size);
    let mut base = Scaled { entries: transitions(rows, rest), rows, doublings: 0.0 };
    let mut power: Option<Scaled> = None;
    while left > 0 {
        if left % 2 == 1 {
            power = Some(power.map_or_else(|| base.clone(), |power| power.times(&base)));
        }
        left /= 2;
        if left > 0 {
            base = base.times(&base);
        }
    }
    let Some(Scaled { entries, doublings, .. }) = power else { return 1.0 };
    let entry = entries.get(middle * rows + middle).copied().unwrap_or_default();
    // Times n!/n^n.
    entry * exp(doublings * LN_2 - size - ln_poisson(size, size))
}

/// The matrix of Marsaglia, Tsang and Wang, row by row.
fn transitions(rows: usize, rest: f64) -> Vec<f64> {
    // What the ends of the band take off, by the number of steps to the corner.
    let mut powers = Vec::with_capacity(rows);
    let mut power = 1.0;
    for _ in 0..rows {
        power *= rest;
        powers.push(power);
    }
    let mut both: f64 = 1.0;
    for _ in 0..rows {
        both *= larger(2.0 * rest - 1.0, 0.0);
    }
    let mut entries = Vec::with_capacity(rows * rows);
    for (row, off_left) in powers.iter().enumerate() {
        for (column, off_below) in powers.iter().rev().enumerate() {
            let mut entry = if column <= row + 1 { 1.0 } else { 0.0 };
            if column == 0 {
                entry -= off_left;
            }
            if row + 1 == rows {
                entry -= off_below;
                if column == 0 {
                    entry += both;
                }
            }
            for factor in 2..=(row + 1).saturating_sub(column) {
                entry /= factor as f64;
            }
            entries.push(entry);
        }
    }
    entries
}

/// A square matrix times a power of two, so that its powers stay in range.
#[derive(Clone)]
struct Scaled {
    entries: Vec<f64>,
    rows: usize,
    doublings: f64,
}

impl Scaled {
    fn times(&self, other: &Self) -> Self {
        let mut entries = vec![0.0; self.entries.len()];
        let of = self.entries.chunks_exact(self.rows);
        for (row, to) in of.zip(entries.chunks_exact_mut(self.rows)) {
            for (factor, from) in row.iter().zip(other.entries.chunks_exact(self.rows)) {
                for (to, from) in to.iter_mut().zip(from) {
                    *to += factor * from;
                }
            }
        }
        let mut doublings = self.doublings + other.doublings;
        // Both factors' entries are below this, and so no product of theirs is out of range.
        while entries.iter().copied().fold(0.0, larger) > LARGE {
            for entry in &mut entries {
                *entry /= LARGE;
            }
            doublings += LARGE_DOUBLINGS;
        }
        Self { entries, rows: self.rows, doublings }
    }
}

/// A power of two, and which.
const LARGE: f64 = (1_u64 << 60) as f64;
const LARGE_DOUBLINGS: f64 = 60.0;

/// Chance of less than `distance`: Pelz and Good's expansion in the root of the size, to its third
/// power.
fn expansion(size: f64, distance: f64) -> f64 {
    let root = size.sqrt();
    let z = root * distance;
    let z2 = z * z;
    let (z4, z6) = (z2 * z2, z2 * z2 * z2);
    // Sums over all whole k, of a polynomial in the square of πk, or of π(k + 1/2), against the
    // theta function.
    let theta = |shift: f64, polynomial: &dyn Fn(f64) -> f64| {
        let terms = (0..12_u8).map(|k| {
            let root = PI * (f64::from(k) + shift);
            let square = root * root;
            polynomial(square) * exp(-square / (2.0 * z2))
        });
        2.0 * (PI / 2.0).sqrt() * sum(terms)
    };
    let halves = |polynomial: &dyn Fn(f64) -> f64| theta(0.5, polynomial);
    let wholes = |polynomial: &dyn Fn(f64) -> f64| theta(0.0, polynomial);
    let limit = halves(&|_| 1.0) / z;
    let first = halves(&|s| s - z2) / (6.0 * z4);
    let second =
        halves(&|s| 6.0 * z6 + 2.0 * z4 + s * (2.0 * z4 - 5.0 * z2 + s * (1.0 - 2.0 * z2)))
            / (72.0 * z6 * z)
            - wholes(&|s| s) / (36.0 * z2 * z);
    let third = halves(&|s| {
        let inner = -60.0 * z2 + 212.0 * z4 + s * (5.0 - 30.0 * z2);
        -30.0 * z6 - 90.0 * z4 * z4 + s * (135.0 * z4 - 96.0 * z6 + s * inner)
    }) / (6480.0 * z6 * z4)
        + wholes(&|s| s * (3.0 * z2 - s)) / (216.0 * z6);
    limit + (first + (second + third / root) / root) / root
}
