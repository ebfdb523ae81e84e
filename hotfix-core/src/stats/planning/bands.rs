//! Chances that bounds on counts are crossed: trailing windows evaluated at every reading, and a gate
//! at the end.
//!
//! A release is rolled back if the count of a trailing window is beyond a bound at any reading or, if
//! the policy requires it, if the count of the whole phase is beyond one at its end.
//!
//! - Windows of one reading, and phases in which no window is likely to matter, are followed *exactly*: the
//!   count of the phase is a chain that removes the probability beyond a bound at each tick, and its last
//!   step applies the gate.
//! - Longer ones overlap, and bounds may ask for breaches in a row or compare with the live version: such phases are
//!   [drawn](super::windows).
//!
//! How many trials come is left to chance as well, which decides at the steps of a [limit](Limit).

use super::chances::{Chances, Draw, Limit, Steps};
use super::windows::Beside;
use crate::stats::numeric::{larger, smaller, sum};

/// Chances this far apart count as equal: a seventh of the standard error of 20,000 runs at one
/// half.
pub(crate) const CLOSE: f64 = 5e-4;
/// Windows that roll back with less chance than this are not drawn: a quarter of the standard error.
const SELDOM: f64 = 2e-3;
/// Work that is done for one figure, in multiplications.
const MOST_WORK: f64 = 4e6;
/// Paths with less chance than this are left out.
const LEAST: f64 = 1e-14;

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
    /// The largest count in the window that is not rolled back.
    fn most(&self) -> Option<usize> {
        self.stays.map(|limit| limit.most)
    }

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
    /// Most in the phase with which the gate is met; none where it is not asked, for want of
    /// trials.
    pub(crate) gate: Option<Limit>,
    /// Most in the last window with which nothing holds; none where the gate waits for trials
    /// whatever comes.
    pub(crate) calm: Option<Limit>,
    /// A missed gate rolls back.
    pub(crate) miss_goes_back: bool,
}

/// What becomes of the release in one phase; `…_about`: whether that is approximate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crossing {
    /// Chance that it was not rolled back by the end of 0, 1, 2, … ticks, without the gate.
    pub(crate) kept: Vec<f64>,
    /// Chance that it was rolled back before the gate or at it.
    pub(crate) gone: f64,
    pub(crate) gone_about: bool,
    /// Chance that it passes the gate when the least time is over.
    pub(crate) passes: f64,
    pub(crate) passes_about: bool,
    pub(crate) kept_about: bool,
}

impl Crossing {
    /// Mean number of ticks until it is rolled back or the phase's least time is over.
    pub(crate) fn ticks(&self) -> f64 {
        let ticks = self.kept.len().saturating_sub(1);
        sum(self.kept.iter().copied().take(ticks))
    }
}

/// What these ticks bring.
fn sum_of(looks: &[Evaluation]) -> Draw {
    looks.iter().fold(Draw::NOTHING, |sum, look| sum.and(look.draw))
}

/// A chance that lies between two.
pub(crate) fn between(low: f64, high: f64) -> (f64, bool) {
    (0.5 * (low + high), high - low > CLOSE)
}

impl Bands<'_> {
    /// What becomes of the release.
    pub(crate) fn course(&self) -> Crossing {
        if self.apart <= 1 {
            return self.by_reading();
        }
        let looks: Vec<Evaluation> =
            self.looks.chunks(self.apart).filter_map(Evaluation::joined).collect();
        let window = self.window.div_ceil(self.apart);
        let course = Bands { looks: &looks, window, apart: 1, ..*self }.by_reading();
        let last = course.kept.len() - 1;
        let of_tick = |tick: usize| if tick < self.looks.len() { tick / self.apart } else { last };
        let kept = (0..=self.looks.len()).map(|tick| course.kept[of_tick(tick)]).collect();
        Crossing { kept, ..course }
    }

    /// The same where each tick is a reading.
    fn by_reading(&self) -> Crossing {
        let total = self.whole();
        let live = self.looks.iter().any(|look| look.beside.is_some());
        if self.window <= 1 && self.in_a_row <= 1 && !live && self.is_light(total) {
            return self.exactly();
        }
        let crossed = if total.mean() > 0.0 && live { 1.0 } else { self.crossed() };
        if crossed > SELDOM {
            return self.drawn();
        }
        let (kept, about) = self.hopeful(total);
        let about = about || crossed > CLOSE;
        let kept_all = kept.last().copied().unwrap_or(1.0);
        let not_missed = self.not_missed(kept_all, |most| total.at_most(most));
        Crossing {
            kept,
            gone: larger(1.0 - not_missed, 0.0),
            gone_about: about,
            passes: smaller(self.met(total), 1.0),
            passes_about: crossed > CLOSE,
            kept_about: about,
        }
    }

    pub(super) fn whole(&self) -> Draw {
        sum_of(self.looks)
    }

    /// The chance that a missed gate does not roll back; else this.
    pub(super) fn not_missed(&self, or: f64, chance: impl Fn(usize) -> f64) -> f64 {
        self.gate.filter(|_| self.miss_goes_back).map_or(or, |gate| gate.mean(chance))
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
        let mut steps = Steps::new(LEAST);
        for look in self.looks {
            before = sums;
            let mut tick = steps.of(look.draw).clone();
            if let Some(limit) = look.stays {
                tick.keep_within(limit);
            }
            sums = before.plus(&tick);
            if let Some(most) = look.hopeful {
                sums.keep(most);
            }
            kept.push(smaller(sums.sum(), 1.0));
        }
        if let Some(last) = self.looks.last() {
            not_missed = self.not_missed(sums.sum(), |most| sums.at_most(most));
            if let (Some(calm), Some(gate)) = (self.calm, self.gate) {
                let mut tick = last.draw.chances();
                tick.keep(calm.most);
                if let Some(limit) = last.stays {
                    tick.keep_within(limit);
                }
                let (all, hopeful) = (before.plus(&tick), last.hopeful.unwrap_or(usize::MAX));
                passes = gate.mean(|most| all.at_most(most.min(hopeful)));
            }
        }
        Crossing {
            kept,
            gone: larger(1.0 - not_missed, 0.0),
            gone_about: false,
            passes: smaller(passes, 1.0),
            passes_about: false,
            kept_about: false,
        }
    }

    /// Chance that the gate is met and nothing holds there, as if no rollback could come before.
    pub(super) fn met(&self, total: Draw) -> f64 {
        let (Some(gate), Some(calm)) = (self.gate, self.calm) else { return 0.0 };
        gate.mean(|most| self.met_within(most, calm.most, total))
    }

    /// The same of a gate that allows so many.
    fn met_within(&self, most: usize, calm: usize, total: Draw) -> f64 {
        let ticks = self.looks.len();
        let counted = self.looks.iter().filter(|look| look.draw != Draw::NOTHING).count();
        if self.window >= counted {
            return total.at_most(most.min(calm));
        }
        if calm >= most {
            return total.at_most(most);
        }
        let (rest, window) = self.looks.split_at(ticks - self.window);
        let (rest, window) = (sum_of(rest), sum_of(window));
        if total.variance() > 1e6 {
            return total.at_most(most) * window.at_most(calm);
        }
        let (rest, window) = (rest.chances(), window.chances());
        let cumulated = rest.cumulated(1);
        // Chance of at most so many before the last window.
        let at_most = |most: usize| match most.checked_sub(rest.low) {
            None => 0.0,
            Some(at) => cumulated.get(at).or(cumulated.last()).copied().unwrap_or(0.0),
        };
        let numbers = (window.low..).zip(&window.of).take_while(|(x, _)| *x <= calm && *x <= most);
        sum(numbers.map(|(x, chance)| chance * at_most(most - x)))
    }

    /// Chance not to have become hopeless by the end of 0, 1, 2, … ticks.
    pub(super) fn hopeful(&self, total: Draw) -> (Vec<f64>, bool) {
        if self.looks.iter().all(|look| look.hopeful.is_none()) {
            return (vec![1.0; self.looks.len() + 1], false);
        }
        if !self.is_light(total) {
            // One look at a time: each is worse than all before it, nearly.
            let mut kept = vec![1.0];
            let mut sum = Draw::NOTHING;
            let mut least = 1.0;
            for look in self.looks {
                sum = sum.and(look.draw);
                least = smaller(least, look.hopeful.map_or(1.0, |most| sum.at_most(most)));
                kept.push(least);
            }
            return (kept, !self.miss_goes_back);
        }
        let looks: Vec<Evaluation> =
            self.looks.iter().map(|look| Evaluation { stays: None, ..*look }).collect();
        let alone = Bands { looks: &looks, window: 1, in_a_row: 1, ..*self };
        (alone.exactly().kept, false)
    }

    /// At most the chance that the windows roll back: the sum of theirs, as far as it is seldom.
    fn crossed(&self) -> f64 {
        let (mut sums, mut total) = (vec![Draw::NOTHING], Draw::NOTHING);
        let (mut chance, mut last) = (0.0, ((Draw::NOTHING, 0), 0.0));
        for (at, look) in self.looks.iter().enumerate() {
            total = total.and(look.draw);
            sums.push(total);
            let Some(most) = look.most() else { continue };
            let window = total.less(sums[(at + 1).saturating_sub(self.window)]);
            if last.0 != (window, most) {
                last = ((window, most), 1.0 - window.at_most(most));
            }
            chance += last.1;
            if chance > SELDOM {
                break;
            }
        }
        chance
    }

    /// Chance to pass at the gate or at a later look, where a miss only holds; `looks` go on until
    /// the longest time is over, and `most` are the limits of the evaluations from the gate on, each of
    /// as many ticks as there are until the gate. None if it cannot be computed.
    pub(crate) fn passes_by_most(&self, most: &[usize]) -> Option<f64> {
        if !self.is_light(self.whole()) || most.is_empty() {
            return None;
        }
        let window = self.looks.len() + 1 - most.len();
        let mut open = sum_of(&self.looks[..window]).chances();
        open.drop_up_to(most[0]);
        let (mut leaves, mut steps) = (Leaving::new(window), Steps::new(LEAST));
        for ((look, out), limit) in self.looks[window..].iter().zip(self.looks).zip(&most[1..]) {
            if open.sum() < 1e-12 {
                break;
            }
            let left = if out.draw == Draw::NOTHING { open } else { leaves.from(&open) };
            open = left.plus(steps.of(look.draw));
            open.drop_up_to(*limit);
        }
        Some(larger(1.0 - open.sum(), 0.0))
    }
}

/// How many of a window's counts belong to the tick that drops out: by their number, once they are
/// wanted.
struct Leaving {
    /// Chance of each to belong to it.
    share: f64,
    of: Vec<Option<Chances>>,
}

impl Leaving {
    fn new(window: usize) -> Self {
        Self { share: 1.0 / window.max(1) as f64, of: Vec::new() }
    }

    /// The law of how many of so many leave.
    fn among(&mut self, number: usize) -> &Chances {
        if self.of.len() <= number {
            self.of.resize(number + 1, None);
        }
        let draw = Draw::Trials { trials: number as f64, rate: self.share };
        self.of[number].get_or_insert_with(|| {
            let mut chances = draw.chances();
            chances.trim(1e-13);
            chances
        })
    }

    fn from(&mut self, chain: &Chances) -> Chances {
        if self.share >= 1.0 {
            return Chances { low: 0, of: vec![chain.sum()] };
        }
        let mut of = vec![0.0; chain.low + chain.of.len()];
        for (number, chance) in (chain.low..).zip(&chain.of) {
            let gone = self.among(number);
            let first = number - gone.low;
            // As more leave, fewer are left.
            let left = of[first + 1 - gone.of.len()..=first].iter_mut().rev();
            for (sum, share) in left.zip(&gone.of) {
                *sum += chance * share;
            }
        }
        let mut left = Chances { low: 0, of };
        left.trim(LEAST);
        left
    }
}
