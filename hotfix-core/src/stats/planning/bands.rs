//! Chances that bounds on counts are crossed: trailing windows evaluated at every reading, and a gate
//! at the end.
//!
//! A release is rolled back if the count of a trailing window is beyond a bound at any reading or, if
//! the policy requires it, if the count of the whole phase is beyond one at its end.
//!
//! - Windows of one reading are followed *exactly*: the count of the phase is a chain that removes the probability beyond
//!   a bound at each tick, and its last step applies the gate.
//! - Of longer ones, which overlap, the chance to be kept is that of their [count](super::windows). It and the gate hang
//!   together as two normal laws whose correlation is the root of the part of a phase that a window is.
//!
//! How many trials come is left to chance as well, which decides at the steps of a [limit](Limit).

use super::chances::{Chances, Draw, Limit};
use super::windows::{Reading, Windows, apart};
use crate::stats::numeric::{larger, normal_cdf, normal_quantile, smaller, sum, whole};

/// Chances this far apart count as equal: a seventh of the standard error of 20,000 runs at one
/// half.
pub(crate) const CLOSE: f64 = 5e-4;
/// Windows that roll back with less chance than this are not followed.
const SELDOM: f64 = 2e-3;
/// Work that is done for one figure, in multiplications.
const MOST_WORK: f64 = 4e6;
/// Paths with less chance than this are left out.
const LEAST: f64 = 1e-14;
/// Points at which the law of a phase's count is asked.
const POINTS: usize = 32;

/// A rollback bound in a window that depends on the live version's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beside {
    /// Bad events of the canary within the bound whatever the live version does.
    pub(crate) fixed: f64,
    /// Further ones for each bad event of the live version.
    pub(crate) each: f64,
    /// Chance that it is not asked, and whether chance decides how many trials come.
    pub(crate) unasked: f64,
    pub(crate) drawn: bool,
}

impl Beside {
    /// Chance of a window to be within it. An even number of trials is on the edge: as many bad events as it allows are
    /// beyond it in half of all windows.
    fn within(self, canary: Draw, live: Draw) -> f64 {
        let (canary, live) = (canary.chances(), live.chances());
        let sums = canary.cumulated();
        let each = (live.low..).zip(&live.of).map(|(bad, chance)| {
            let most = self.fixed + self.each * bad as f64;
            let within = canary.at_most_of(&sums, whole(most * (1.0 + 1e-12)));
            let edge = self.drawn && (most - most.round()).abs() < 1e-9 * most;
            let below = if edge {
                canary.at_most_of(&sums, whole(most.round()).saturating_sub(1))
            } else {
                within
            };
            chance * 0.5 * (within + below)
        });
        1.0 - (1.0 - self.unasked) * (1.0 - smaller(sum(each), 1.0))
    }
}

/// Limits of the evaluation at the end of one tick. A limit is the largest count that passes; None:
/// any count passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evaluation {
    /// What the tick brought; nothing while warming up.
    pub(crate) draw: Draw,
    /// The same of the live version.
    pub(crate) live: Draw,
    /// The largest count in the window that is no breach of a bound that rolls back, once it was breached
    /// often enough in a row.
    pub(crate) stays: Option<Limit>,
    /// The same where it is compared with the live version.
    pub(crate) beside: Option<Beside>,
    /// The largest count in the phase with which the gate can still be met; beyond it the release
    /// is rolled back at once.
    pub(crate) hopeful: Option<usize>,
}

impl Evaluation {
    /// That of a reading which brings what these ticks did.
    fn joined(ticks: &[Self]) -> Option<Self> {
        let sum = |of: fn(&Self) -> Draw| ticks.iter().map(of).fold(Draw::NOTHING, Draw::and);
        Some(Self { draw: sum(|tick| tick.draw), live: sum(|tick| tick.live), ..*ticks.last()? })
    }
}

/// Bounds over one phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bands<'a> {
    /// One for each tick until the gate.
    pub(crate) looks: &'a [Evaluation],
    /// Ticks that a full window holds; at least 1.
    pub(crate) window: usize,
    /// Ticks between two readings; at least 1.
    pub(crate) apart: usize,
    /// Readings in a row whose breach counts; at least 1.
    pub(crate) in_a_row: usize,
    /// Most in the phase with which the gate is met; none where it is not asked, for want of trials.
    pub(crate) gate: Option<usize>,
    /// Most in the last window with which nothing holds; none where the gate waits for trials.
    pub(crate) calm: Option<usize>,
    /// A missed gate rolls back.
    pub(crate) miss_goes_back: bool,
}

/// What becomes of the release in one phase.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crossing {
    /// Chance that it was not rolled back by the end of 0, 1, 2, … ticks, without the gate.
    pub(crate) kept: Vec<f64>,
    /// Chance that it was rolled back before the gate or at it.
    pub(crate) gone: f64,
    /// Chance that it passes the gate when the least time is over.
    pub(crate) passes: f64,
    /// Whether these are approximate: windows that overlap, or limits of the whole phase, matter.
    pub(crate) about: bool,
}

impl Crossing {
    /// Mean number of ticks until it is rolled back or the phase's least time is over.
    pub(crate) fn ticks(&self) -> f64 {
        let ticks = self.kept.len().saturating_sub(1);
        sum(self.kept.iter().copied().take(ticks))
    }
}

/// What a window brings to both arms, and its limits.
type Asked = ([Draw; 2], Option<Limit>, Option<Beside>);

/// What these ticks bring.
fn sum_of(looks: &[Evaluation]) -> Draw {
    looks.iter().fold(Draw::NOTHING, |sum, look| sum.and(look.draw))
}

/// Chance that two things come together that hang on one count, with this correlation.
fn both(one: f64, other: f64, correlation: f64) -> f64 {
    let (least, most) = (smaller(one, other), larger(one, other));
    if least <= 0.0 || most >= 1.0 || correlation >= 1.0 {
        return larger(least, 0.0);
    }
    let apart = (1.0 - correlation * correlation).sqrt();
    let edge = normal_quantile(one);
    let each = (0..POINTS).map(|at| {
        let place = normal_quantile((at as f64 + 0.5) / POINTS as f64 * other);
        normal_cdf((edge - correlation * place) / apart)
    });
    smaller(other / POINTS as f64 * sum(each), least)
}

impl Bands<'_> {
    /// What becomes of the release.
    pub(crate) fn course(&self) -> Crossing {
        let looks: Vec<Evaluation> =
            self.looks.chunks(self.apart).filter_map(Evaluation::joined).collect();
        let window = self.window.div_ceil(self.apart);
        let course = Bands { looks: &looks, window, apart: 1, ..*self }.by_reading();
        Crossing { kept: apart(&course.kept, self.apart, self.looks.len()), ..course }
    }

    /// The same where each tick is a reading.
    fn by_reading(&self) -> Crossing {
        let total = sum_of(self.looks);
        let live = self.looks.iter().any(|look| look.beside.is_some());
        if self.window <= 1 && self.in_a_row <= 1 && !live && self.is_light(total) {
            return self.exactly();
        }
        let (windows, crossed, correlation) = self.windows();
        let hopeful = self.hopeful();
        let end = hopeful.len() - 1;
        let not_missed = self.not_missed(hopeful[end], |most| total.at_most(most));
        let joint = |of: f64, at: usize| both(windows[at], of, correlation);
        Crossing {
            gone: larger(1.0 - joint(not_missed, end), 0.0),
            passes: joint(self.met(total), end),
            kept: hopeful.iter().enumerate().map(|(at, of)| joint(*of, at)).collect(),
            about: crossed > CLOSE || hopeful[end] < 1.0 - CLOSE,
        }
    }

    /// Chance that no window has rolled back by the end of 0, 1, 2, … ticks; how many are expected to be breached, and the correlation
    /// of their count and the phase's.
    fn windows(&self) -> (Vec<f64>, f64, f64) {
        let readings = self.readings();
        let crossed = sum(readings.iter().map(Reading::beyond));
        let correlation = self.correlation(&readings, crossed);
        if crossed > SELDOM {
            let windows = Windows { window: self.window, in_a_row: self.in_a_row };
            return (windows.kept(&readings, self.like()), crossed, correlation);
        }
        // At most the sum of theirs.
        let mut kept = vec![1.0];
        for reading in readings {
            kept.push(kept[kept.len() - 1] - reading.beyond());
        }
        (kept, crossed, correlation)
    }

    /// What the readings bring, and how likely their windows are within the bounds.
    fn readings(&self) -> Vec<Reading> {
        let (mut sums, mut total) = (vec![[Draw::NOTHING; 2]], [Draw::NOTHING; 2]);
        let mut last: Option<(Asked, f64)> = None;
        let each = self.looks.iter().enumerate().map(|(at, look)| {
            total = [total[0].and(look.draw), total[1].and(look.live)];
            sums.push(total);
            if look.stays.is_none() && look.beside.is_none() {
                return Reading { mean: look.draw.mean(), within: None };
            }
            let before = sums[(at + 1).saturating_sub(self.window)];
            let window = [total[0].less(before[0]), total[1].less(before[1])];
            let asked = (window, look.stays, look.beside);
            let known = last.filter(|last| last.0 == asked).map(|last| last.1);
            let within = known.unwrap_or_else(|| {
                let stays =
                    look.stays.map_or(1.0, |limit| limit.mean(|most| window[0].at_most(most)));
                let beside = look.beside.map_or(1.0, |beside| beside.within(window[0], window[1]));
                smaller(stays, beside)
            });
            last = Some((asked, within));
            let unasked = look.stays.map(|limit| limit.unasked);
            let unasked = unasked.or(look.beside.map(|beside| beside.unasked)).unwrap_or(0.0);
            Reading { mean: look.draw.mean(), within: Some((within, unasked)) }
        });
        each.collect()
    }

    /// The correlation of the phase's count and that of a window, on average over the windows that are breached.
    fn correlation(&self, readings: &[Reading], crossed: f64) -> f64 {
        let mut sums = vec![0.0];
        let shares = readings.iter().enumerate().map(|(at, reading)| {
            sums.push(sums[at] + reading.mean);
            (sums[at + 1] - sums[(at + 1).saturating_sub(self.window)]) * reading.beyond()
        });
        let window = sum(shares.collect::<Vec<f64>>()) / larger(crossed, f64::MIN_POSITIVE);
        smaller(window / larger(sums[readings.len()], f64::MIN_POSITIVE), 1.0).sqrt()
    }

    /// A Poisson law of so many times the canary's events is as skewed as these less what the live version's allow.
    fn like(&self) -> f64 {
        let Some(each) = self.looks.iter().rev().find_map(|look| Some(look.beside?.each)) else {
            return 1.0;
        };
        let canary = sum_of(self.looks).mean();
        let live = each * each * sum(self.looks.iter().map(|look| look.live.mean()));
        let (variance, third) = (canary + live, larger(canary - each * live, 0.0));
        variance * variance * variance / (third * third * canary)
    }

    /// The chance that a missed gate does not roll back; else this.
    fn not_missed(&self, or: f64, chance: impl Fn(usize) -> f64) -> f64 {
        self.gate.filter(|_| self.miss_goes_back).map_or(or, chance)
    }

    /// Whether the phase's count can be followed tick by tick.
    fn is_light(&self, total: Draw) -> bool {
        let ticks = larger(self.looks.len() as f64, 1.0);
        let tick = total.variance() / ticks;
        let width = |variance: f64| 14.0 * variance.sqrt() + 30.0;
        ticks * width(total.variance()) * width(tick) <= MOST_WORK && total.mean() <= 1e5
    }

    /// Windows of one tick.
    fn exactly(&self) -> Crossing {
        let mut sums = Chances::certainly(0);
        let mut kept = vec![1.0];
        let (mut not_missed, mut passes) = (1.0, 0.0);
        let mut before = sums.clone();
        for look in self.looks {
            before = sums;
            let mut tick = look.draw.chances();
            tick.trim(LEAST);
            if let Some(limit) = look.stays {
                tick.keep_within(limit);
            }
            sums = before.plus(&tick);
            if let Some(most) = look.hopeful {
                sums.keep_within(Limit::certain(most));
            }
            kept.push(smaller(sums.sum(), 1.0));
        }
        if let Some(last) = self.looks.last() {
            not_missed = self.not_missed(sums.sum(), |most| sums.at_most(most));
            if let (Some(calm), Some(gate)) = (self.calm, self.gate) {
                let mut tick = last.draw.chances();
                tick.keep_within(Limit::certain(calm));
                if let Some(limit) = last.stays {
                    tick.keep_within(limit);
                }
                let (all, hopeful) = (before.plus(&tick), last.hopeful.unwrap_or(usize::MAX));
                passes = all.at_most(gate.min(hopeful));
            }
        }
        Crossing {
            kept,
            gone: larger(1.0 - not_missed, 0.0),
            passes: smaller(passes, 1.0),
            about: false,
        }
    }

    /// Chance that the gate is met and nothing holds there, as if no rollback could come before.
    fn met(&self, total: Draw) -> f64 {
        let (Some(most), Some(calm)) = (self.gate, self.calm) else { return 0.0 };
        let ticks = self.looks.len();
        let warm = self.looks.iter().take_while(|look| look.draw.mean() <= 0.0).count();
        if calm >= most || self.window >= ticks - warm {
            return total.at_most(most.min(calm));
        }
        let (rest, window) = self.looks.split_at(ticks - self.window);
        let (rest, window) = (sum_of(rest), sum_of(window));
        if total.variance() > 1e6 {
            return total.at_most(most) * window.at_most(calm);
        }
        let (rest, window) = (rest.chances(), window.chances());
        let sums = rest.cumulated();
        let numbers = (window.low..).zip(&window.of).take_while(|(x, _)| *x <= calm && *x <= most);
        sum(numbers.map(|(x, chance)| chance * rest.at_most_of(&sums, most - x)))
    }

    /// Chance not to have become hopeless by the end of 0, 1, 2, … ticks: a window of the whole phase.
    fn hopeful(&self) -> Vec<f64> {
        let hopeful = |look: &Evaluation| Evaluation {
            stays: look.hopeful.map(Limit::certain),
            beside: None,
            ..*look
        };
        let looks: Vec<Evaluation> = self.looks.iter().map(hopeful).collect();
        Bands { looks: &looks, window: looks.len(), in_a_row: 1, ..*self }.windows().0
    }
}
