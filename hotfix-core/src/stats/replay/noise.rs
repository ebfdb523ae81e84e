//! Evidence that noise alone reaches: its maxima over windows, their tail, and the dispersion.

use super::{BlockDispersion, CalibrationSettings, CountModel, statistic};
use crate::stats::bernoulli::{PRIOR_TRIALS, rate_of};
use crate::stats::grid::{Grid, losses, share_of_events};
use crate::stats::kernel::Kernel as OfShares;
use crate::stats::mixture::{CASH, LN_FIRST};
use crate::stats::numeric::{
    add_scaled, exp, larger, largest, ln, log_add_exp, log_mean_exp, percentile, smaller,
    weighted_sum,
};
use crate::stats::{Counts, Direction, MAX_GRID};
use core::ops::Range;

/// One-sided 5% point of the normal law: the section's 1.645.
pub(super) const ONE_SIDED: f64 = 1.645;
/// Percentile from which on the tail of the maxima is fitted.
const TAIL: f64 = 0.7;
/// Lengths of blocks, in ticks, over which the dispersion is measured.
const BLOCKS: [usize; 5] = [1, 6, 30, 90, 300];
/// Fewest blocks of a length that are measured.
const FEWEST_BLOCKS: usize = 4;

/// A pretended canary: the counts of its instances together, and of each that is left out in turn.
pub(super) struct Group<'a> {
    pub(super) sum: Vec<Counts>,
    /// Empty where none is left out.
    pub(super) parts: Vec<&'a [Counts]>,
}

/// What a tick adds to each grid point of the test that is calibrated.
pub(super) struct Kernel<'a, const N: usize> {
    law: Law<'a>,
    temper: f64,
}

enum Law<'a> {
    /// Of the rate-ratio test: each tick by itself.
    Rates { grid: &'a Grid, excess: [f64; MAX_GRID], null_ratio: f64 },
    /// Of the Bernoulli test, which learns the rate from earlier ticks.
    Shares(OfShares),
}

/// What each tick with data adds to the grid points of each test of a group: of the whole, then
/// without each instance.
pub(super) struct Gains<const N: usize> {
    tests: usize,
    ticks: Vec<usize>,
    /// So many for each tick as there are tests.
    added: Vec<[f64; N]>,
}

impl<'a, const N: usize> Kernel<'a, N> {
    pub(super) fn new(grid: &'a Grid, settings: &CalibrationSettings) -> Self {
        let CalibrationSettings { model, tolerated: null_ratio, temper, .. } = *settings;
        let law = match model {
            CountModel::Poisson => Law::Rates { grid, excess: grid.excess(), null_ratio },
            CountModel::Bernoulli => Law::Shares(OfShares::new(grid, null_ratio, Direction::Worse)),
        };
        Self { law, temper }
    }

    /// Whether what a tick adds depends on the ticks before it.
    const fn learns(&self) -> bool {
        matches!(self.law, Law::Shares(_))
    }

    /// Variance of the canary's events given those of both arms, over that of Poisson counts.
    fn spread(&self, all: &Counts) -> f64 {
        match self.law {
            Law::Rates { .. } => 1.0,
            Law::Shares(_) => 1.0 - all.events / all.trials,
        }
    }

    /// The gains of a group in these ticks, of a test that begins with the first of them; ticks
    /// that cannot add anything are left out.
    fn gains(&self, group: &Group<'_>, all: &[Counts], ticks: Range<usize>) -> Gains<N> {
        let tests = 1 + group.parts.len();
        let mut gains = Gains { tests, ticks: Vec::new(), added: Vec::new() };
        let mut past = Counts::default();
        for tick in ticks {
            let (canary, all) = (group.sum[tick], all[tick]);
            let rest = all.trials - canary.trials;
            let nothing = all.events == 0.0 && !self.learns();
            if nothing || canary.trials == 0.0 || rest <= 0.0 {
                continue;
            }
            gains.ticks.push(tick);
            gains.added.push(self.gain(canary, all.events, rest, past));
            gains.added.extend(group.parts.iter().map(|part| {
                let Counts { events, trials } = part[tick];
                let kept = Counts::new(canary.events - events, canary.trials - trials);
                self.gain(kept, all.events - events, rest, past)
            }));
            past.add(all);
        }
        gains
    }

    /// `events`: of both arms; `rest`: the baseline's trials; `past`: both arms' counts before.
    fn gain(&self, canary: Counts, events: f64, rest: f64, past: Counts) -> [f64; N] {
        let mut gains = [0.0; N];
        match &self.law {
            Law::Rates { grid, excess, null_ratio } => {
                if events <= 0.0 || canary.trials <= 0.0 {
                    return gains;
                }
                let share = share_of_events(*null_ratio, canary.trials, rest);
                let losses = losses::<N>(excess, share);
                for (j, gain) in gains.iter_mut().enumerate() {
                    *gain = canary.events * grid.ln_ratio[j] - events * losses[j];
                }
            }
            Law::Shares(kernel) => {
                let split = kernel.split(canary.trials, rest);
                let baseline = Counts::new(events - canary.events, rest);
                let each = kernel.gains(&split, rate_of(past, PRIOR_TRIALS), canary, baseline);
                gains.copy_from_slice(&each[..N]);
            }
        }
        gains.map(|gain| self.temper * gain)
    }

    /// The Pearson dispersion of groups against the rest, pooled, for each length of block. Where
    /// instances are left out in turn, the one that exceeds its expectation most in a block is
    /// replaced by it.
    pub(super) fn dispersions(&self, groups: &[Group<'_>], all: &[Counts]) -> Vec<BlockDispersion> {
        let lengths = BLOCKS.into_iter().filter(|length| all.len() / length >= FEWEST_BLOCKS);
        lengths.filter_map(|length| self.dispersion(groups, all, length)).collect()
    }

    fn dispersion(
        &self,
        groups: &[Group<'_>],
        all: &[Counts],
        length: usize,
    ) -> Option<BlockDispersion> {
        let (mut squares, mut expected) = (0.0, 0.0);
        let totals: Vec<Counts> = all.chunks_exact(length).map(sum).collect();
        for group in groups {
            let blocks = group.sum.chunks_exact(length).map(sum).zip(&totals);
            for (block, (canary, all)) in blocks.enumerate() {
                if all.trials > 0.0 {
                    let share = canary.trials / all.trials;
                    let excess = |part: &&[Counts]| {
                        let part = sum(&part[block * length..(block + 1) * length]);
                        part.events - all.events * part.trials / all.trials
                    };
                    let most = group.parts.iter().map(excess).reduce(larger).unwrap_or_default();
                    let miss = canary.events - all.events * share - most;
                    squares += miss * miss;
                    expected += all.events * share * (1.0 - share) * self.spread(all);
                }
            }
        }
        let blocks = totals.len();
        let dispersion = squares / expected;
        (expected > 0.0).then(|| {
            let draws = (blocks * groups.len()) as f64;
            let standard_error = dispersion * (2.0 / draws).sqrt();
            BlockDispersion { ticks: length, blocks, dispersion, standard_error }
        })
    }
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

    /// The largest statistic of a test over the ticks of `gains` from `start` on, see
    /// [`statistic`](super::statistic). `terms` is scratch.
    fn highest(
        &self,
        gains: Part<'_, N>,
        start: usize,
        cap: f64,
        terms: &mut Vec<[f64; N]>,
    ) -> f64 {
        let Part { tests, ticks, added } = gains;
        let first = if self.horizon.is_some() { LN_FIRST } else { 0.0 };
        let unused = |weight: f64| if weight.is_finite() { first } else { weight };
        terms.clear();
        terms.resize(tests, self.ln_weight.map(unused));
        // Until the first event `E` stays 1; a window that opens with one never shows that.
        let quiet_start = ticks.first().is_none_or(|first| *first > start);
        let mut best = if quiet_start { 0.0 } else { f64::NEG_INFINITY };
        let (mut cash, mut moved_at) = (self.horizon.map_or(0.0, |_| CASH), start);
        for (&tick, gains) in ticks.iter().zip(added.chunks_exact(tests)) {
            // The change-point form (`docs/statistics.md`, A4). Moving capital from cash to the
            // bets leaves `E` as it is, so that ticks without events need only be counted.
            let grown = match self.horizon {
                Some(horizon) => smaller(cash, CASH / horizon * (tick - moved_at) as f64),
                None => 0.0,
            };
            moved_at = tick;
            cash -= grown;
            if grown > 0.0 {
                let ln_grown = ln(grown);
                for term in terms.iter_mut().flat_map(|terms| terms.iter_mut().zip(self.weight)) {
                    if term.1 > 0.0 {
                        *term.0 = log_add_exp(*term.0, ln_grown);
                    }
                }
            }
            for (terms, gains) in terms.iter_mut().zip(gains) {
                for (term, gain) in terms.iter_mut().zip(gains) {
                    *term += smaller(*gain, cap);
                }
            }
            let ln_cash = if cash > 0.0 { ln(cash) } else { f64::NEG_INFINITY };
            let (whole, without) = (&terms[0], &terms[1..]);
            if self.most(whole, ln_cash) > best {
                let log_e = self.log_e(whole, ln_cash);
                if log_e > best {
                    let without = without.iter().map(|terms| self.log_e(terms, ln_cash));
                    best = larger(best, statistic(log_e, without.reduce(smaller)));
                }
            }
        }
        best
    }

    /// At least `ln E`, and cheaper.
    fn most(&self, terms: &[f64; N], ln_cash: f64) -> f64 {
        if ln_cash > f64::NEG_INFINITY {
            return larger(largest(terms), ln_cash) + core::f64::consts::LN_2;
        }
        let mut weighted = *terms;
        weighted.iter_mut().zip(self.ln_weight).for_each(|(term, weight)| *term += weight);
        smaller(largest(&weighted) + ln(N as f64), largest(terms))
    }

    fn log_e(&self, terms: &[f64; N], ln_cash: f64) -> f64 {
        if ln_cash == f64::NEG_INFINITY {
            return log_mean_exp(terms, &self.weight);
        }
        let top = larger(largest(terms), ln_cash);
        let mut sums = [0.0; N];
        add_scaled(&mut sums, terms, top);
        top + ln(weighted_sum(sums, &self.weight) + exp(ln_cash - top))
    }

    /// The maxima of all windows of all groups, in ascending order.
    pub(super) fn maxima(
        &self,
        kernel: &Kernel<'_, N>,
        (groups, all): (&[Group<'_>], &[Counts]),
        windows: &Windows,
        cap: f64,
    ) -> Vec<f64> {
        let (mut maxima, mut terms) = (Vec::new(), Vec::new());
        for group in groups {
            // A test that learns begins to learn with each window, as in a rollout.
            let shared = (!kernel.learns()).then(|| kernel.gains(group, all, 0..all.len()));
            for window in 0..windows.count {
                let start = window * windows.stride;
                let ticks = start..start + windows.length;
                let own;
                let gains = if let Some(gains) = &shared {
                    gains
                } else {
                    own = kernel.gains(group, all, ticks.clone());
                    &own
                };
                maxima.push(self.highest(gains.part(ticks), start, cap, &mut terms));
            }
        }
        maxima.sort_unstable_by(f64::total_cmp);
        maxima
    }
}

/// The gains of a stretch of ticks.
#[derive(Clone, Copy)]
struct Part<'a, const N: usize> {
    tests: usize,
    ticks: &'a [usize],
    added: &'a [[f64; N]],
}

impl<const N: usize> Gains<N> {
    fn part(&self, of: Range<usize>) -> Part<'_, N> {
        let from = self.ticks.partition_point(|tick| *tick < of.start);
        let to = from + self.ticks[from..].partition_point(|tick| *tick < of.end);
        let (ticks, tests) = (&self.ticks[from..to], self.tests);
        Part { tests, ticks, added: &self.added[from * tests..to * tests] }
    }
}

/// How windows of a phase's length lie in the history.
#[derive(Clone, Copy, Debug)]
pub(in crate::stats) struct Windows {
    pub(in crate::stats) length: usize,
    pub(in crate::stats) stride: usize,
    pub(in crate::stats) count: usize,
}

impl Windows {
    /// Windows that overlap by three quarters; none in a history that is shorter than one.
    pub(in crate::stats) fn new(ticks: usize, length: usize) -> Option<Self> {
        let stride = (length / 4).max(1);
        let count = ticks.checked_sub(length)? / stride + 1;
        Some(Self { length, stride, count })
    }
}

/// The threshold that the maxima call for, `fit(M)`, and how many independent ones its tail rests
/// on.
pub(in crate::stats) fn fit(sorted: &[f64], windows: &Windows, least: f64) -> (f64, f64) {
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

fn sum(block: &[Counts]) -> Counts {
    block.iter().sum()
}
