//! Evidence that noise alone reaches: its maxima over windows, their tail, and the dispersion.

use super::{BlockDispersion, CalibrationSettings, CountModel, statistic};
use crate::stats::bernoulli::{Bernoulli, BernoulliDesign, CountSettings};
use crate::stats::numeric::{larger, ln, percentile, smaller};
use crate::stats::rate_ratio::{RateRatio, RateRatioDesign};
use crate::stats::{Bounds, Counts, StatError};
use std::collections::VecDeque;

/// One-sided 5% point of the normal law.
pub(super) const ONE_SIDED: f64 = 1.645;
/// Percentile from which on the tail of the maxima is fitted.
const TAIL: f64 = 0.7;
/// Lengths of blocks, in ticks, over which the dispersion is measured.
const BLOCKS: [usize; 5] = [1, 6, 30, 90, 300];
/// Fewest blocks of a length that are measured.
const FEWEST_BLOCKS: usize = 4;
/// `ln 9`: `ln E` exceeds its lower bound by at most this, with 8 points of a grid and the cash.
const SLACK: f64 = 2.197_224_577_336_219_5;

/// A simulated canary: the sum of its instances' counts, and the counts of each that is left out in
/// turn.
pub(super) struct Group<'a> {
    pub(super) sum: Vec<Counts>,
    /// Empty where none is left out.
    pub(super) parts: Vec<&'a [Counts]>,
}

/// The test that is calibrated.
pub(super) enum Test {
    Rates(Box<RateRatioDesign>),
    Shares(Box<BernoulliDesign>),
}

impl Test {
    pub(super) fn try_new(settings: &CalibrationSettings) -> Result<Self, StatError> {
        let CalibrationSettings { model, alpha, tolerated, temper, horizon, .. } = *settings;
        let (grid, weights) = (settings.grid.clone(), settings.weights.clone());
        let usual = CountSettings::default();
        let asked = CountSettings { alpha, tolerated, grid, weights, temper, horizon, ..usual };
        Ok(match model {
            CountModel::Poisson => Self::Rates(Box::new(RateRatioDesign::try_new(&asked)?)),
            CountModel::Bernoulli => Self::Shares(Box::new(BernoulliDesign::try_new(&asked)?)),
        })
    }

    /// Variance of the canary's events given those of both arms, over that of Poisson counts.
    fn spread(&self, all: &Counts) -> f64 {
        match self {
            Self::Rates(_) => 1.0,
            Self::Shares(_) => 1.0 - all.events / all.trials,
        }
    }

    /// The largest [`statistic`] with this cap in each window of each group, in ascending order.
    /// Each window begins a test, as a rollout does.
    pub(super) fn maxima(
        &self,
        of: (&[Group<'_>], &[Counts]),
        windows: &Windows,
        cap: Option<f64>,
    ) -> Result<Vec<f64>, StatError> {
        match self {
            Self::Rates(design) => {
                let design = &design.with_limits(cap, None)?;
                let feed = |test: &mut RateRatio, before: Option<&RateRatio>, arms: [Counts; 2]| {
                    let [canary, rest] = arms;
                    if let Some(before) = before {
                        // Most of the time goes into the logarithms of a split.
                        test.split_as(design, (canary.trials, rest.trials), before, design);
                    }
                    test.update(design, canary, rest)
                };
                let (bounds, log_e) =
                    (|of: &RateRatio| of.bounds(design), |of: &RateRatio| of.log_e(design));
                maxima(of, windows, RateRatio::new(design), feed, bounds, log_e)
            }
            Self::Shares(design) => {
                let design = &design.with_limits(cap, None)?;
                let feed = |test: &mut Bernoulli, _: Option<&Bernoulli>, arms: [Counts; 2]| {
                    let [canary, mut rest] = arms;
                    // Rounding of fractions must not leave more events than trials.
                    rest.events = smaller(rest.events, rest.trials);
                    test.update(design, canary, rest)
                };
                let (bounds, log_e) =
                    (|of: &Bernoulli| of.bounds(design), |of: &Bernoulli| of.log_e(design));
                maxima(of, windows, Bernoulli::new(design), feed, bounds, log_e)
            }
        }
    }

    /// The Pearson dispersion of groups against the rest, pooled, for each length of block. Where
    /// instances are left out in turn, the one furthest above its expectation in a block is set to
    /// it.
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

/// The maxima over windows, which overlap. `feed` adds a tick to the test of one window; it also
/// gets that of the window before, whose logarithms it may copy.
fn maxima<T: Copy>(
    (groups, all): (&[Group<'_>], &[Counts]),
    windows: &Windows,
    fresh: T,
    feed: impl Fn(&mut T, Option<&T>, [Counts; 2]) -> Result<bool, StatError>,
    bounds: impl Fn(&T) -> Bounds,
    log_e: impl Fn(&T) -> f64,
) -> Result<Vec<f64>, StatError> {
    let mut maxima = Vec::new();
    for group in groups {
        let mut running = VecDeque::new();
        for (tick, all) in all.iter().enumerate() {
            if tick % windows.stride == 0 && tick / windows.stride < windows.count {
                // The test of the whole group, then those without each instance.
                running.push_back((f64::NEG_INFINITY, vec![fresh; 1 + group.parts.len()]));
            }
            let (canary, mut before) = (group.sum[tick], None::<&[T]>);
            let rest = all.without(canary);
            for (best, tests) in &mut running {
                let of_before = |place: usize| before.map(|tests| &tests[place]);
                feed(&mut tests[0], of_before(0), [canary, rest])?;
                for (place, part) in group.parts.iter().enumerate() {
                    let kept = canary.without(part[tick]);
                    feed(&mut tests[place + 1], of_before(place + 1), [kept, rest])?;
                }
                let Bounds { lower, upper } = bounds(&tests[0]);
                if smaller(upper, lower + SLACK) > *best {
                    let whole = log_e(&tests[0]);
                    if whole > *best {
                        let without = tests[1..].iter().map(&log_e).reduce(smaller);
                        *best = larger(*best, statistic(whole, without));
                    }
                }
                before = Some(tests);
            }
            if (tick + 1).checked_sub(windows.length).is_some_and(|at| at % windows.stride == 0) {
                maxima.extend(running.pop_front().map(|(best, _)| best));
            }
        }
    }
    maxima.sort_unstable_by(f64::total_cmp);
    Ok(maxima)
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

/// The threshold `fit(M)` for sorted maxima, and the number of independent windows in the tail that it
/// extends: infinite where the maxima have none, as in a quiet history.
pub(in crate::stats) fn fit(sorted: &[f64], windows: &Windows, least: f64) -> (f64, f64) {
    let tail = percentile(sorted, TAIL).unwrap_or_default();
    let above = &sorted[sorted.partition_point(|maximum| *maximum <= tail)..];
    let Some(highest) = above.last() else {
        return (larger(least, sorted.last().copied().unwrap_or(least)), f64::INFINITY);
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
