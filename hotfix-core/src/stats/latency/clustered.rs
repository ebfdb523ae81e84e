//! Clustered bet, valid for any dependence within a tick: on the difference of the arms' shares of
//! slow requests.
//!
//! At each boundary, with `r0` the ratio at the boundary of the null hypothesis,
//! `E_j *= 1 + λ_j D/max(r0, 1)`, where `D = x_c/n_c - r0 x_b/n_b` for worse and `r0 x_b/n_b -
//! x_c/n_c` for better (proof: `docs/statistics.md`, A3). Trials that react to slowness are not
//! covered. Source: betting on bounded means, Waudby-Smith and Ramdas (2024), JRSS B 86(1).

use super::SlowCounts;
use crate::stats::numeric::{larger, ln1p_each};
use crate::stats::{Direction, MAX_GRID};

/// The stakes `λ`.
pub(super) const STAKES: [f64; 3] = [0.2, 0.5, 0.9];

/// The gain of each stake at one boundary; zero in unused places.
#[inline]
pub(super) fn gains(
    direction: Direction,
    null_ratio: f64,
    boundary: usize,
    canary: SlowCounts<'_>,
    baseline: SlowCounts<'_>,
) -> [f64; MAX_GRID] {
    let of_canary = canary.slow[boundary] / canary.trials;
    let of_baseline = null_ratio * (baseline.slow[boundary] / baseline.trials);
    let difference = match direction {
        Direction::Worse => of_canary - of_baseline,
        Direction::Better => of_baseline - of_canary,
    } / larger(null_ratio, 1.0);
    let logs = ln1p_each(&STAKES.map(|stake| stake * difference));
    let mut gains = [0.0; MAX_GRID];
    gains[..STAKES.len()].copy_from_slice(&logs);
    gains
}
