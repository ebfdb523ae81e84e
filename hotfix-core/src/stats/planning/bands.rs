//! Chances that bounds on counts are crossed: trailing windows evaluated at every tick, and a gate
//! at the end.
//!
//! A release is rolled back if the count of a trailing window is beyond a bound at any tick or, if
//! the policy requires it, if the count of the whole phase is beyond one at its end. Windows
//! overlap, so their counts depend on each other:
//!
//! - Windows of one tick, and windows as long as the phase, are followed *exactly*: the count of
//!   the phase is a chain that
//!   removes the probability beyond a bound at each tick, and its last step applies the gate.
//! - Longer ones are followed as a chain of their own: at each tick as many counts leave as the
//!   tick that drops out would
//!   have had by chance, given how many there are. That is exact until the first tick drops out, and
//!   has the right distribution of any window and of any two in a row. It is *approximate* where
//!   windows matter later than that. Exact methods (Naus's for scan statistics) need the counts of
//!   two or three windows at once.
//!
//! How many trials come is left to chance as well, which decides at the steps of a limit: a window of one tick has a
//! [limit](Limit) by its own law, longer ones the mean of two courses, of few and of many trials throughout.
//! A bound that is a ratio of the live version is followed [beside it](super::beside).
//!
//! The results of windows and gate are positively dependent, as fewer counts are better for both.
//! So the chance of passing both is at least the product and at most the smaller one (Harris'
//! inequality); where these differ the mean is given, marked as approximate.

use super::beside::Beside;
use super::chances::{Chances, Draw, Limit, Steps};
use crate::stats::numeric::{exp, larger, ln, smaller, sum};

/// Chances this far apart count as equal: a seventh of the standard error of 20,000 runs at one
/// half.
pub(crate) const CLOSE: f64 = 5e-4;
/// Work that is done for one figure, in multiplications.
pub(super) const MOST_WORK: f64 = 4e6;
/// Largest count of a window that is followed step by step.
const MOST_IN_WINDOW: f64 = 3_000.0;
/// The numbers of trials in a window that its limits are computed from: one in the middle of the smaller half and one
/// of the larger.
const HALVES: [f64; 2] = [0.25, 0.75];
/// Lengths of a window after which its law is taken to have settled.
pub(super) const SETTLED: usize = 3;
/// Paths with less chance than this are left out.
pub(super) const LEAST: f64 = 1e-14;

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
    /// Where this part of the numbers of trials that may come is smaller.
    fn at(&self, part: f64) -> Self {
        let at = |limit: Option<Limit>| limit?.at(part).map(Limit::certain);
        let beside = self.beside.and_then(|beside| beside.at(part));
        Self { stays: at(self.stays), beside, ..*self }
    }

    /// The largest count in the window that is not rolled back.
    pub(super) fn most(&self) -> Option<usize> {
        self.stays.map(|limit| limit.most)
    }
}

/// Bounds over one phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bands<'a> {
    /// One for each tick until the gate.
    pub(crate) looks: &'a [Evaluation],
    /// Ticks that a full window holds; at least 1.
    pub(crate) window: usize,
    /// Consecutive breaches that count; at least 1.
    pub(crate) in_a_row: usize,
    /// Most in the phase with which the gate is met; none where it is not asked, for want of
    /// trials.
    pub(crate) gate: Option<Limit>,
    /// Most in the last window with which nothing holds; none where the gate waits for trials
    /// whatever comes.
    pub(crate) calm: Option<usize>,
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
    /// One of two, each as likely.
    fn or(self, other: &Self) -> Self {
        let mean = |one: f64, two: f64| 0.5 * (one + two);
        let differ = |one: f64, two: f64| (one - two).abs() > CLOSE;
        Self {
            kept: self.kept.iter().zip(&other.kept).map(|(one, two)| mean(*one, *two)).collect(),
            gone: mean(self.gone, other.gone),
            gone_about: self.gone_about || other.gone_about || differ(self.gone, other.gone),
            passes: mean(self.passes, other.passes),
            passes_about: self.passes_about
                || other.passes_about
                || differ(self.passes, other.passes),
            kept_about: self.kept_about || other.kept_about || differ(self.gone, other.gone),
        }
    }

    /// Mean number of ticks until it is rolled back or the phase's least time is over.
    pub(crate) fn ticks(&self) -> f64 {
        let ticks = self.kept.len().saturating_sub(1);
        sum(self.kept.iter().copied().take(ticks))
    }
}

/// A chance that lies between two.
pub(crate) fn between(low: f64, high: f64) -> (f64, bool) {
    (0.5 * (low + high), high - low > CLOSE)
}

impl Bands<'_> {
    /// As many trials come as chance decides: to a window of one tick its own, to longer ones about as many as to those
    /// with which they overlap.
    pub(crate) fn course(&self) -> Crossing {
        let live = self.is_beside_live();
        if self.window <= 1 && self.in_a_row <= 1 && !live && self.is_light(self.whole()) {
            return self.exactly(true);
        }
        let [few, many] = HALVES
            .map(|part| self.looks.iter().map(|look| look.at(part)).collect::<Vec<Evaluation>>());
        let course = Bands { looks: &few, ..*self }.followed();
        if few == many {
            return course;
        }
        course.or(&Bands { looks: &many, ..*self }.followed())
    }

    /// With limits that are certain.
    fn followed(&self) -> Crossing {
        let counted = self.looks.iter().filter(|look| look.draw != Draw::NOTHING).count();
        let total = self.whole();
        let exact = self.in_a_row <= 1 && self.window >= counted && !self.is_beside_live();
        if exact && self.is_light(total) {
            return self.exactly(false);
        }
        let windows = if total.mean() > 0.0 { self.windows() } else { Windows::calm(self.looks) };
        let by_bands = windows.kept.last().copied().unwrap_or(1.0);
        let (hopeful, hopeful_about) = self.hopeful(total);
        let met = self.met(total);
        let not_missed = match (self.miss_goes_back, self.gate) {
            (true, Some(gate)) => gate.mean(|most| total.at_most(most)),
            _ => hopeful.last().copied().unwrap_or(1.0),
        };
        let (kept, joint) = between(by_bands * not_missed, smaller(by_bands, not_missed));
        let (passes, passes_joint) = between(by_bands * met, smaller(by_bands, met));
        let both = windows.kept.iter().zip(&hopeful).map(|(a, b)| a * b).collect();
        Crossing {
            kept: both,
            gone: larger(1.0 - kept, 0.0),
            gone_about: joint || windows.about && kept > CLOSE || hopeful_about,
            passes: smaller(passes, 1.0),
            passes_about: passes_joint || windows.about && passes > CLOSE,
            kept_about: true,
        }
    }

    fn whole(&self) -> Draw {
        self.total(self.looks.len())
    }

    fn is_beside_live(&self) -> bool {
        self.looks.iter().any(|look| look.beside.is_some())
    }

    /// What the first so many ticks bring.
    fn total(&self, ticks: usize) -> Draw {
        self.looks[..ticks].iter().fold(Draw::NOTHING, |sum, look| sum.and(look.draw))
    }

    /// Whether the phase's count can be followed tick by tick.
    fn is_light(&self, total: Draw) -> bool {
        let ticks = larger(self.looks.len() as f64, 1.0);
        let tick = total.variance() / ticks;
        let width = |variance: f64| 14.0 * variance.sqrt() + 30.0;
        ticks * width(total.variance()) * width(tick) <= MOST_WORK && total.mean() <= 1e5
    }

    /// Windows of one tick, or of the whole phase.
    fn exactly(&self, alone: bool) -> Crossing {
        let mut sums = Chances::certainly(0);
        let mut kept = vec![1.0];
        let (mut not_missed, mut passes) = (1.0, 0.0);
        let mut before = sums.clone();
        let mut steps = Steps::new(LEAST);
        for look in self.looks {
            before = sums;
            let mut tick = steps.of(look.draw).clone();
            if let (true, Some(limit)) = (alone, look.stays) {
                tick.keep_within(limit);
            }
            sums = before.plus(&tick);
            if let (false, Some(most)) = (alone, look.most()) {
                sums.keep(most);
            }
            if let Some(most) = look.hopeful {
                sums.keep(most);
            }
            kept.push(smaller(sums.sum(), 1.0));
        }
        let by_bands = sums.sum();
        if let Some(last) = self.looks.last() {
            not_missed = match (self.miss_goes_back, self.gate) {
                (true, Some(gate)) => gate.mean(|most| sums.at_most(most)),
                _ => by_bands,
            };
            if let (Some(calm), Some(gate)) = (self.calm, self.gate) {
                passes = if alone {
                    let mut tick = last.draw.chances();
                    tick.keep(calm);
                    if let Some(limit) = last.stays {
                        tick.keep_within(limit);
                    }
                    let (all, hopeful) = (before.plus(&tick), last.hopeful.unwrap_or(usize::MAX));
                    gate.mean(|most| all.at_most(most.min(hopeful)))
                } else {
                    gate.mean(|most| sums.at_most(most.min(calm)))
                };
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
    fn met(&self, total: Draw) -> f64 {
        let (Some(gate), Some(calm)) = (self.gate, self.calm) else { return 0.0 };
        gate.mean(|most| self.met_within(most, calm, total))
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
        let rest = self.total(ticks - self.window);
        let window = self.looks[ticks - self.window..]
            .iter()
            .fold(Draw::NOTHING, |sum, look| sum.and(look.draw));
        if total.variance() > 1e6 {
            return total.at_most(most) * window.at_most(calm);
        }
        let (rest, window) = (rest.chances(), window.chances());
        // Chance of at most so many before the last window, by number.
        let mut up_to = 0.0;
        let cumulated: Vec<f64> = rest
            .of
            .iter()
            .map(|c| {
                up_to += c;
                up_to
            })
            .collect();
        let at_most = |most: usize| match most.checked_sub(rest.low) {
            None => 0.0,
            Some(at) => cumulated.get(at).or(cumulated.last()).copied().unwrap_or(0.0),
        };
        let numbers = (window.low..).zip(&window.of).take_while(|(x, _)| *x <= calm && *x <= most);
        sum(numbers.map(|(x, chance)| chance * at_most(most - x)))
    }

    /// Chance not to have become hopeless by the end of 0, 1, 2, … ticks.
    fn hopeful(&self, total: Draw) -> (Vec<f64>, bool) {
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
        (alone.exactly(true).kept, false)
    }

    /// Follows the window's count.
    pub(super) fn windows(&self) -> Windows {
        if self.is_beside_live() {
            return self.beside_live();
        }
        if self.looks.iter().all(|look| look.stays.is_none()) || self.hardly_ever() {
            return Windows::calm(self.looks);
        }
        let full = self.total(self.looks.len()).mean() / larger(self.looks.len() as f64, 1.0)
            * self.window as f64;
        let width = |mean: f64| 14.0 * mean.sqrt() + 30.0;
        let work = self.looks.len() as f64 * width(full) * width(full / self.window as f64) * 2.0;
        if full > MOST_IN_WINDOW || work > 4.0 * MOST_WORK {
            return self.disjoint_windows();
        }
        self.chained_windows()
    }

    /// Whether the windows together roll back with a chance below one in ten million.
    fn hardly_ever(&self) -> bool {
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
            if chance > 1e-7 {
                return false;
            }
        }
        true
    }

    /// As if only windows without a common tick were looked at.
    fn disjoint_windows(&self) -> Windows {
        let mut kept = vec![1.0];
        let mut sums = vec![Draw::NOTHING];
        let mut total = Draw::NOTHING;
        for (at, look) in self.looks.iter().enumerate() {
            total = total.and(look.draw);
            sums.push(total);
            let from = (at + 1).saturating_sub(self.window);
            let window = total.less(sums[from]);
            let well = look.most().map_or(1.0, |most| window.at_most(most));
            let before = kept[from];
            let last = kept.last().copied().unwrap_or(1.0);
            kept.push(smaller(last, before * well));
        }
        let end = kept.last().copied().unwrap_or(1.0);
        Windows { kept, about: end > CLOSE && end < 1.0 - CLOSE }
    }

    /// What is kept by the next tick. Once a window has been full for as long again, its law hardly changes any
    /// more: each further window keeps the same share.
    pub(super) fn settled(&self, kept: &[f64]) -> f64 {
        let now = kept.len() - 1;
        let share = smaller(kept[now] / kept[now - self.window], 1.0);
        kept[now] * exp(ln(share) / self.window as f64)
    }

    /// The chain that the module describes; one for each number of consecutive breaches.
    fn chained_windows(&self) -> Windows {
        let mut leaves = Leaving::new(self.window);
        let none = Chances { low: 0, of: Vec::new() };
        let mut chains = vec![none.clone(); self.in_a_row.max(1)];
        chains[0] = Chances::certainly(0);
        let mut kept = vec![1.0];
        let (mut counted, mut late) = (0, 0.0);
        let mut steps = Steps::new(LEAST);
        let mut alive: f64 = 1.0;
        for look in self.looks {
            if alive < LEAST {
                kept.push(0.0);
                continue;
            }
            if counted >= SETTLED * self.window {
                let next = self.settled(&kept);
                late += alive - next;
                alive = next;
                kept.push(next);
                continue;
            }
            let step = steps.of(look.draw);
            if look.draw != Draw::NOTHING {
                counted += 1;
            }
            let full = counted > self.window;
            let mut next = vec![none.clone(); chains.len()];
            for (bad, chain) in chains.iter().enumerate().filter(|(_, chain)| !chain.of.is_empty())
            {
                let left = if full { leaves.from(chain) } else { chain.clone() };
                let mut now = left.plus(step);
                now.trim(LEAST);
                if let Some(most) = look.most() {
                    // The last breach of those asked for is rolled back.
                    if let Some(next) = next.get_mut(bad + 1) {
                        let mut beyond = now.clone();
                        beyond.drop_up_to(most);
                        *next = next.merged(&beyond);
                    }
                    now.keep(most);
                }
                next[0] = next[0].merged(&now);
            }
            chains = next;
            let now = smaller(sum(chains.iter().map(Chances::sum)), 1.0);
            if full {
                late += larger(alive - now, 0.0);
            }
            alive = now;
            kept.push(now);
        }
        let about = self.window > 1 && late > CLOSE && alive > CLOSE;
        Windows { kept, about }
    }

    /// Chance to pass at the gate or at a later look, where a miss only holds; `looks` go on until
    /// the longest time is over, and `most` are the limits of the evaluations from the gate on, each of
    /// as many ticks as there are until the gate. None if it cannot be computed.
    pub(crate) fn passes_by_most(&self, most: &[usize]) -> Option<f64> {
        if !self.is_light(self.total(self.looks.len())) || most.is_empty() {
            return None;
        }
        let window = self.looks.len() + 1 - most.len();
        let mut open = self.total(window).chances();
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

/// What trailing windows do.
pub(super) struct Windows {
    pub(super) kept: Vec<f64>,
    pub(super) about: bool,
}

impl Windows {
    fn calm(looks: &[Evaluation]) -> Self {
        Self { kept: vec![1.0; looks.len() + 1], about: false }
    }
}

impl Chances {
    /// Either of two things that exclude each other.
    fn merged(&self, other: &Self) -> Self {
        if self.of.is_empty() {
            return other.clone();
        }
        if other.of.is_empty() {
            return self.clone();
        }
        let low = self.low.min(other.low);
        let end = (self.low + self.of.len()).max(other.low + other.of.len());
        let mut of = vec![0.0; end - low];
        for part in [self, other] {
            for (sum, more) in of[part.low - low..].iter_mut().zip(&part.of) {
                *sum += more;
            }
        }
        Self { low, of }
    }
}

/// How many of a window's counts belong to the tick that drops out: by their number, once they are
/// wanted.
pub(super) struct Leaving {
    /// Chance of each to belong to it.
    share: f64,
    of: Vec<Option<Chances>>,
}

impl Leaving {
    pub(super) fn new(window: usize) -> Self {
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

    pub(super) fn from(&mut self, chain: &Chances) -> Chances {
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
