//! Random draws from a seed, identical for the same seed on every platform and in every version.
//!
//! The generator is PCG XSL RR 128/64 with its default stream (O'Neill 2014, HMC-CS-2014-0905), its
//! state the seed; whole numbers below a bound come by multiplication with rejection (Lemire 2019,
//! ACM TOMACS 29(1)), subsets by the first steps of a Fisher–Yates shuffle. A seed that is logged
//! is enough to draw again.

use super::{MAX_COUNT, StatError};
use rand_core::Rng;
use rand_pcg::Pcg64;

/// The stream that PCG names as its default.
const STREAM: u128 = 0x0a02_bdbf_7bb3_c0a7_ac28_fa16_a64a_bf96;

#[derive(Clone, Debug)]
pub(super) struct Draws(Pcg64);

impl Draws {
    /// Draws from a seed of at most 2^53, which any reader of JSON keeps.
    pub(super) fn try_new(seed: u64) -> Result<Self, StatError> {
        let number = seed as f64;
        StatError::unless(number <= MAX_COUNT, "seed", number, "a whole number up to 2^53")?;
        Ok(Self(Pcg64::new(u128::from(seed), STREAM)))
    }

    /// A whole number below `bound`, each equally likely; 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> usize {
        if bound == 0 {
            return 0;
        }
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            let low = product & u128::from(u64::MAX);
            // The remainder, which is below the bound, is seldom needed: a division takes long.
            if low >= u128::from(bound) || low >= u128::from(bound.wrapping_neg() % bound) {
                // The high half is below `bound`, which came from a `usize`.
                return usize::try_from(product >> 64).unwrap_or_default();
            }
        }
    }

    /// A uniform number from 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Moves `count` members of the pool, drawn without replacement, to its front and returns them
    /// in their order within the pool's values.
    pub(super) fn choose<'a>(&mut self, pool: &'a mut [usize], count: usize) -> &'a [usize] {
        let count = count.min(pool.len());
        for at in 0..count {
            let other = at + self.below((pool.len() - at) as u64);
            pool.swap(at, other);
        }
        let chosen = &mut pool[..count];
        chosen.sort_unstable();
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roll_7_draws_of_a_seed_stay_the_same() {
        // A change here would change the draws of every logged seed.
        let mut draws = Draws::try_new(7).expect("a seed");
        let mut pool: Vec<usize> = (0..10).collect();
        let first = draws.choose(&mut pool, 3).to_vec();
        let mut again = Draws::try_new(7).expect("a seed");
        let mut other: Vec<usize> = (0..10).collect();
        assert_eq!(again.choose(&mut other, 3), first);
        let numbers: Vec<usize> = (0..8).map(|_| draws.below(1000)).collect();
        assert_eq!(numbers, FIXED);
    }

    /// From `tests/cases/stat/calibration_reference.py`, which follows O'Neill's and Lemire's
    /// papers.
    const FIXED: [usize; 8] = [865, 347, 945, 87, 44, 624, 898, 618];

    #[test]
    fn stat_2_draws_are_uniform() {
        let mut draws = Draws::try_new(0).expect("a seed");
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            let mut pool: Vec<usize> = (0..7).collect();
            for &member in draws.choose(&mut pool, 3) {
                counts[member] += 1;
            }
        }
        // 30,000 each; five standard deviations of a binomial with chance 3/7 are 655.
        assert!(counts.iter().all(|&count| count.abs_diff(30_000) < 655), "{counts:?}");
        assert!(Draws::try_new(u64::MAX).is_err());
    }
}
