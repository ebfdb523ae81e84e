//! Evidence that noise alone reaches: its maxima over windows, their tail, and the dispersion.

use super::BlockDispersion;
use crate::stats::Counts;
use crate::stats::grid::{Grid, losses, share_of_events};
use crate::stats::mixture::{CASH, LN_FIRST};
use crate::stats::numeric::{
    add_scaled, exp, larger, largest, ln, log_add_exp, log_mean_exp, percentile, smaller,
    weighted_sum,
};

/// One-sided 5% point of the normal law: the section's 1.645.
pub(super) const ONE_SIDED: f64 = 1.645;
/// Percentile from which on the tail of the maxima is fitted.
const TAIL: f64 = 0.7;
/// Lengths of blocks, in ticks, over which the dispersion is measured.
const BLOCKS: [usize; 5] = [1, 6, 30, 90, 300];
/// Fewest blocks of a length that are measured.
const FEWEST_BLOCKS: usize = 4;

/// What a tick with events adds to each grid point.
pub(super) struct Gain<const N: usize> {
    tick: usize,
    gains: [f64; N],
}

/// The gains of a pretended canary; ticks without events or without trials in an arm add nothing.
pub(super) fn gains<const N: usize>(
    grid: &Grid,
    null_ratio: f64,
    temper: f64,
    canary: &[Counts],
    all: &[Counts],
) -> Vec<Gain<N>> {
    let excess = grid.excess();
    let mut found = Vec::with_capacity(canary.len());
    for (tick, (canary, all)) in canary.iter().zip(all).enumerate() {
        let rest = all.trials - canary.trials;
        if all.events == 0.0 || canary.trials == 0.0 || rest <= 0.0 {
            continue;
        }
        let share = share_of_events(null_ratio, canary.trials, rest);
        let losses = losses::<N>(&excess, share);
        let mut gains = [0.0; N];
        for (j, gain) in gains.iter_mut().enumerate() {
            *gain = temper * (canary.events * grid.ln_ratio[j] - all.events * losses[j]);
        }
        found.push(Gain { tick, gains });
    }
    found
}

/// The form of the test that is run over the history.
pub(super) struct Form<const N: usize> {
    weight: [f64; N],
    ln_weight: [f64; N],
    /// Ticks over which the change point is spread; without, the plain form.
    horizon: Option<f64>,
}

impl<const N: usize> Form<N> {
    pub(super) fn new(grid: &Grid, horizon: Option<u32>) -> Self {
        let mut form =
            Self { weight: [0.0; N], ln_weight: [0.0; N], horizon: horizon.map(f64::from) };
        form.weight.copy_from_slice(&grid.weight[..N]);
        form.ln_weight.copy_from_slice(&grid.ln_weight[..N]);
        form
    }

    /// The largest `ln E` of a test over the ticks from `start` on that `gains` covers.
    fn highest(&self, gains: &[Gain<N>], start: usize, cap: f64) -> f64 {
        // Until the first event `E` stays 1; a window that opens with one never shows that.
        let quiet_start = gains.first().is_none_or(|first| first.tick > start);
        let best = if quiet_start { 0.0 } else { f64::NEG_INFINITY };
        match self.horizon {
            None => self.highest_plain(gains, cap, best),
            Some(horizon) => self.highest_late(gains, start, cap, best, horizon),
        }
    }

    fn highest_plain(&self, gains: &[Gain<N>], cap: f64, mut best: f64) -> f64 {
        let slack = ln(N as f64);
        let mut terms = self.ln_weight.map(|weight| if weight.is_finite() { 0.0 } else { weight });
        for gain in gains {
            let mut weighted = [0.0; N];
            for j in 0..N {
                terms[j] += smaller(gain.gains[j], cap);
                weighted[j] = terms[j] + self.ln_weight[j];
            }
            // Between its bounds lies `ln E`; its logarithm is taken only where it may be the
            // largest.
            if smaller(largest(&weighted) + slack, largest(&terms)) > best {
                best = larger(best, log_mean_exp(&terms, &self.weight));
            }
        }
        best
    }

    /// The change-point form (`docs/statistics.md`, A4). Moving capital from cash to the bets
    /// leaves `E` as it is, so that ticks without events need only be counted.
    fn highest_late(
        &self,
        gains: &[Gain<N>],
        start: usize,
        cap: f64,
        mut best: f64,
        horizon: f64,
    ) -> f64 {
        let mut cash = CASH;
        let mut terms =
            self.ln_weight.map(|weight| if weight.is_finite() { LN_FIRST } else { weight });
        let mut moved_at = start;
        for gain in gains {
            let ticks = (gain.tick - moved_at) as f64;
            moved_at = gain.tick;
            let move_now = smaller(cash, CASH / horizon * ticks);
            cash -= move_now;
            let ln_move = if move_now > 0.0 { ln(move_now) } else { f64::NEG_INFINITY };
            for (j, term) in terms.iter_mut().enumerate() {
                if self.weight[j] > 0.0 {
                    let grown = if move_now > 0.0 { log_add_exp(*term, ln_move) } else { *term };
                    *term = grown + smaller(gain.gains[j], cap);
                }
            }
            let ln_cash = if cash > 0.0 { ln(cash) } else { f64::NEG_INFINITY };
            let top = larger(largest(&terms), ln_cash);
            if top + core::f64::consts::LN_2 > best {
                let mut sums = [0.0; N];
                add_scaled(&mut sums, &terms, top);
                let sum = weighted_sum(sums, &self.weight) + exp(ln_cash - top);
                best = larger(best, top + ln(sum));
            }
        }
        best
    }

    /// The maxima of all windows of all shards, in ascending order.
    pub(super) fn maxima(&self, shards: &[Vec<Gain<N>>], windows: &Windows, cap: f64) -> Vec<f64> {
        let mut maxima = Vec::with_capacity(shards.len() * windows.count);
        for gains in shards {
            for window in 0..windows.count {
                let start = window * windows.stride;
                let from = gains.partition_point(|gain| gain.tick < start);
                let length = gains[from..].partition_point(|g| g.tick < start + windows.length);
                maxima.push(self.highest(&gains[from..from + length], start, cap));
            }
        }
        maxima.sort_unstable_by(f64::total_cmp);
        maxima
    }
}

/// How windows of a phase's length lie in the history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    pub(super) length: usize,
    pub(super) stride: usize,
    pub(super) count: usize,
}

impl Windows {
    /// Windows that overlap by three quarters; none in a history that is shorter than one.
    pub(super) fn new(ticks: usize, length: usize) -> Option<Self> {
        let stride = (length / 4).max(1);
        let count = ticks.checked_sub(length)? / stride + 1;
        Some(Self { length, stride, count })
    }
}

/// The threshold that the maxima call for, `fit(M)`, and how many independent ones its tail rests
/// on.
pub(super) fn fit(sorted: &[f64], windows: &Windows, least: f64) -> (f64, f64) {
    let tail = percentile(sorted, TAIL).unwrap_or_default();
    let above = &sorted[sorted.partition_point(|maximum| *maximum <= tail)..];
    let Some(highest) = above.last() else {
        return (larger(least, sorted.last().copied().unwrap_or(least)), 0.0);
    };
    let count = above.len() as f64;
    let excess = above.iter().map(|maximum| maximum - tail).sum::<f64>() / count;
    let independent = count * windows.stride as f64 / windows.length as f64;
    let reach = (least + ln(1.0 - TAIL)) * excess * (1.0 + ONE_SIDED / independent.sqrt());
    (larger(larger(least, *highest), tail + reach), independent)
}

/// The Pearson dispersion of shards against the rest, pooled, for each length of block.
pub(super) fn dispersions(shards: &[Vec<Counts>], all: &[Counts]) -> Vec<BlockDispersion> {
    let lengths = BLOCKS.into_iter().filter(|length| all.len() / length >= FEWEST_BLOCKS);
    lengths.filter_map(|length| dispersion(shards, all, length)).collect()
}

fn dispersion(shards: &[Vec<Counts>], all: &[Counts], length: usize) -> Option<BlockDispersion> {
    let (mut squares, mut expected) = (0.0, 0.0);
    let totals: Vec<Counts> = all.chunks_exact(length).map(sum).collect();
    for canary in shards {
        for (canary, all) in canary.chunks_exact(length).map(sum).zip(&totals) {
            if all.trials > 0.0 {
                let share = canary.trials / all.trials;
                let miss = canary.events - all.events * share;
                squares += miss * miss;
                expected += all.events * share * (1.0 - share);
            }
        }
    }
    let blocks = totals.len();
    let dispersion = squares / expected;
    (expected > 0.0).then(|| {
        let draws = (blocks * shards.len()) as f64;
        let standard_error = dispersion * (2.0 / draws).sqrt();
        BlockDispersion { ticks: length, blocks, dispersion, standard_error }
    })
}

fn sum(block: &[Counts]) -> Counts {
    let mut sum = Counts::default();
    for counts in block {
        sum.add(*counts);
    }
    sum
}
