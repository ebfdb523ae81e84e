//! Trailing windows that are evaluated at every reading, drawn.
//!
//! Windows overlap, so breaches come together. A chain of a window's count, which forgets what drops out of
//! it when, states up to 6 of 100 rollbacks too few, and far fewer or more where breaches in a row are asked
//! for or the number of requests decides. So phases are drawn: the bad and the good trials of both arms in
//! each tick. Where a breach would roll back, a phase goes on with bad trials that keep it, and its weight is
//! multiplied by the chance of these: none is lost, and rare rollbacks are counted as well (the simulator of
//! Geweke, Hajivassiliou and Keane; Hajivassiliou, McFadden and Ruud 1996, Journal of Econometrics 72).
//! Each number of a tick comes once from each of as many equal parts of its law as there are phases (Latin
//! hypercube sampling; McKay, Beckman and Conover 1979, Technometrics 21(2)). The chance to meet the gate is
//! known where no window rolls back, so that only the difference from it is drawn, by phases of the same
//! numbers without rollbacks (a control variate; Hammersley and Handscomb 1964, Monte Carlo Methods). The
//! seed is always the same, so the same plan has the same figures: their standard error is up to 0.015, as a
//! rule half of that.

use super::bands::{Bands, CLOSE, Crossing, Evaluation, between};
use super::chances::{Draw, Limit, most_beside};
use crate::stats::draw::Draws;
use crate::stats::numeric::{exp, larger, ln, smaller, sum, whole};

/// Phases that are drawn, and where breaches in a row are asked for, which no weights smooth.
const PHASES: usize = 512;
const PHASES_IN_A_ROW: usize = 2_048;
const SEED: u64 = 1_979;
/// Most parts of a window that are followed.
const MOST_PARTS: usize = 128;
/// Windows, and ticks, after which their law is taken to have settled.
const SETTLED: usize = 3;
const SETTLED_TICKS: usize = 120;
/// Phases that are kept with less chance than this are over.
const LEAST: f64 = 1e-4;
/// Equal parts of the chances, each with the first number that has one of them.
const GUIDES: usize = 64;
/// Parts of a standard deviation that differ.
const PARTS: f64 = 16.0;

/// A rollback bound in a window that depends on the live version's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beside {
    /// Bad events of the canary within the bound whatever the live version does.
    pub(crate) fixed: f64,
    /// Further ones for each bad event of the live version.
    pub(crate) each: f64,
    /// Trials of both arms, or their exposure.
    pub(crate) planned: [f64; 2],
    /// Trials of both with which it is asked; None where chance does not decide how many there are.
    pub(crate) least: Option<f64>,
}

impl Beside {
    /// Most bad events of the canary in a window of these counts.
    fn most(self, [_, good, live_bad, live_good]: [f64; 4]) -> f64 {
        let Self { fixed, each, planned: [canary, live], least } = self;
        let within = |bad: f64| fixed + each * bad;
        let Some(least) = least else {
            return (within(live_bad) * (1.0 + 1e-12)).floor();
        };
        let of_live = live_bad + live_good;
        if of_live < larger(least, 1.0) {
            return f64::INFINITY;
        }
        most_beside(good, within(live_bad / of_live * live) / canary, least)
    }
}

/// A phase as it is drawn.
#[derive(Clone, Debug)]
struct Course {
    /// Bad and good trials of the canary and of the live version in the window.
    window: [f64; 4],
    /// Bad and good trials of the canary in the phase.
    phase: [f64; 2],
    /// Bad trials in the window and in the phase where no breach rolls back, by the same chances.
    free: [f64; 2],
    /// Chance that a phase like this has been kept.
    weight: f64,
    breaches: usize,
}

impl Bands<'_> {
    /// What becomes of the release, by drawing.
    pub(super) fn drawn(&self) -> Crossing {
        let joined = self.window.div_ceil(MOST_PARTS);
        if joined > 1 {
            let in_a_row = (self.in_a_row - 1).div_ceil(joined) + 1;
            return Bands { apart: joined, in_a_row, ..*self }.course();
        }
        let (mut kept, ends) = self.courses();
        let drawn = kept.len() - 1;
        // Each further tick keeps the same part as those after the first window.
        let (first, last) = (kept[self.window.min(drawn)], kept[drawn]);
        let settled = larger(drawn as f64 - self.window as f64, 1.0);
        let part = if last > 0.0 { exp(ln(smaller(last / first, 1.0)) / settled) } else { 0.0 };
        while kept.len() <= self.looks.len() {
            kept.push(kept[kept.len() - 1] * part);
        }
        let by_bands = kept.last().copied().unwrap_or(1.0);
        let total = self.whole();
        let free = [self.not_missed(1.0, |most| total.at_most(most)), self.met(total)];
        let end = |of: usize| {
            let (free, [drawn_free, drawn_kept]) = (free[of], ends[of]);
            if drawn == self.looks.len() {
                // What rollbacks take from it is drawn, not the chance itself.
                smaller(larger(free - drawn_free + drawn_kept, 0.0), smaller(free, by_bands))
            } else {
                // The whole phase hardly depends on the last window.
                between(by_bands * free, smaller(by_bands, free)).0
            }
        };
        let (not_missed, passes) = (end(0), end(1));
        let about = |chance: f64| chance > CLOSE && chance < 1.0 - CLOSE;
        let gone = larger(1.0 - not_missed, 0.0);
        let (gone_about, passes_about) = (about(gone), about(passes));
        Crossing { kept, gone, gone_about, passes, passes_about, kept_about: true }
    }

    /// Chances to have been kept by the end of 0, 1, 2, … ticks, and not to be rolled back at the gate, and to pass it:
    /// each if no window rolled back, and as it is.
    fn courses(&self) -> (Vec<f64>, [[f64; 2]; 2]) {
        let warm = self.looks.iter().take_while(|look| look.draw == Draw::NOTHING).count();
        let settled = (SETTLED * self.window).max(SETTLED_TICKS) + self.in_a_row;
        let drawn = self.looks.len().min(warm + settled);
        let number = if self.in_a_row > 1 { PHASES_IN_A_ROW } else { PHASES };
        let each = 1.0 / number as f64;
        let mut draws = Draws::new(SEED);
        let new =
            Course { window: [0.0; 4], phase: [0.0; 2], free: [0.0; 2], weight: 1.0, breaches: 0 };
        let mut courses = vec![new; number];
        // What each tick of the window brought, last the bad trials where no breach rolls back.
        let mut ticks = vec![[0.0; 5]; number * self.window];
        let mut orders: [Vec<usize>; 4] = core::array::from_fn(|_| (0..number).collect());
        let mut tables = Tables(Vec::new());
        let (mut kept, mut ends) = (vec![1.0], [[1.0; 2], [0.0; 2]]);
        let compares = self.looks.iter().any(|look| look.beside.is_some());
        for (at, look) in self.looks[..drawn].iter().enumerate() {
            let live = if compares { look.live } else { Draw::NOTHING };
            let laws = [look.draw, live].map(Draw::bad_and_good);
            let laws = laws.as_flattened().iter().map(|mean| tables.of(*mean));
            let laws: Vec<usize> = laws.collect();
            let is_last = at + 1 == self.looks.len();
            for (order, law) in orders.iter_mut().zip(&laws) {
                if !tables.0[*law].is_certain() {
                    draws.shuffle(order);
                }
            }
            ends = [[0.0; 2]; 2];
            let in_window = &mut ticks[at % self.window * number..];
            for ((place, course), tick) in courses.iter_mut().enumerate().zip(in_window) {
                let mut part = |of: usize| (orders[of][place] as f64 + draws.share()) * each;
                for (sum, old) in course.window.iter_mut().zip(&*tick) {
                    *sum -= old;
                }
                course.free[0] -= tick[4];
                for (of, sum) in course.window.iter_mut().enumerate().skip(1) {
                    let law = &tables.0[laws[of]];
                    tick[of] = if law.is_certain() { law.low } else { law.at(part(of)) };
                    *sum += tick[of];
                }
                course.phase[1] += tick[1];
                let table = &tables.0[laws[0]];
                let least = Self::least(look, course);
                let acts = course.breaches + 1 >= self.in_a_row;
                let hopeful =
                    look.hopeful.map_or(f64::INFINITY, |most| most as f64 - course.phase[0]);
                let room = if acts { smaller(least, hopeful) } else { hopeful };
                let stays = table.up_to(room);
                if is_last {
                    let free = self.ends_within(course, course.free);
                    let within = self.ends_within(course, [course.window[0], course.phase[0]]);
                    for ((sums, free), within) in ends.iter_mut().zip(free).zip(within) {
                        sums[0] += table.up_to(free);
                        sums[1] += course.weight * table.up_to(smaller(room, within));
                    }
                }
                course.weight *= stays;
                let chance = if table.is_certain() { 0.0 } else { part(0) };
                (tick[0], tick[4]) = (table.at(chance * stays), table.at(chance));
                course.breaches = if tick[0] > least { course.breaches + 1 } else { 0 };
                course.window[0] += tick[0];
                course.phase[0] += tick[0];
                course.free[0] += tick[4];
                course.free[1] += tick[4];
            }
            let mean = sum(courses.iter().map(|course| course.weight)) / number as f64;
            kept.push(smaller(mean, 1.0));
            if mean < LEAST {
                kept.resize(drawn + 1, 0.0);
                ends = [[1.0, 0.0]; 2];
                break;
            }
        }
        (kept, ends.map(|sums| sums.map(|sum| sum / number as f64)))
    }

    /// Most further bad events that are no breach.
    fn least(look: &Evaluation, course: &Course) -> f64 {
        let good = course.window[1];
        let stays = look.stays.map_or(f64::INFINITY, |limit| limit.beside(good));
        let beside = look.beside.map_or(f64::INFINITY, |beside| beside.most(course.window));
        smaller(stays, beside) - course.window[0]
    }

    /// Most further bad events with which a phase is not rolled back at its gate, and with which it passes, after so
    /// many in the window and in the phase.
    fn ends_within(&self, course: &Course, [in_window, in_phase]: [f64; 2]) -> [f64; 2] {
        let left = |limit: Limit, good: f64, bad: f64| limit.beside(good) - bad;
        let gate = self.gate.map(|gate| left(gate, course.phase[1], in_phase));
        let missed = gate.filter(|_| self.miss_goes_back).unwrap_or(f64::INFINITY);
        let calm = self.calm.map(|calm| left(calm, course.window[1], in_window));
        let met = gate.zip(calm).map_or(-1.0, |(gate, calm)| smaller(gate, calm));
        [missed, met]
    }
}

/// The laws of counts that come in a tick: a few differ, by the rounding of their trials.
struct Tables(Vec<Table>);

impl Tables {
    /// The place of the one of this mean.
    fn of(&mut self, mean: f64) -> usize {
        let known = self.0.iter().position(|table| table.mean == mean);
        known.unwrap_or_else(|| {
            self.0.push(Table::new(mean));
            self.0.len() - 1
        })
    }
}

/// The law of a count of independent events, in steps of a sixteenth of its standard deviation.
struct Table {
    mean: f64,
    low: f64,
    step: f64,
    /// Chances of at most `low`, `low + step`, …
    sums: Vec<f64>,
    /// How many of these are at most 0, 1/64, 2/64, …: where a chance is searched.
    guide: [usize; GUIDES],
}

impl Table {
    fn new(mean: f64) -> Self {
        let chances = Draw::Events { expected: mean }.chances();
        let step = whole(larger((mean.sqrt() / PARTS).floor(), 1.0));
        let sums = chances.cumulated(step);
        let low = chances.low as f64 + 0.5 * (step - 1) as f64;
        let guide = core::array::from_fn(|at| {
            sums.partition_point(|sum| *sum <= at as f64 / GUIDES as f64)
        });
        Self { mean, low, sums, step: step as f64, guide }
    }

    fn is_certain(&self) -> bool {
        self.sums.len() <= 1
    }

    /// Chance of at most so many.
    fn up_to(&self, most: f64) -> f64 {
        if most < self.low {
            return 0.0;
        }
        let at = whole((most - self.low) / self.step);
        self.sums.get(at).map_or(1.0, |chance| smaller(*chance, 1.0))
    }

    /// The number that it is at most with this chance.
    fn at(&self, chance: f64) -> f64 {
        let from = self.guide[whole(chance * GUIDES as f64).min(GUIDES - 1)];
        let more = self.sums[from..].iter().take_while(|sum| **sum <= chance).count();
        self.low + self.step * (from + more).min(self.sums.len() - 1) as f64
    }
}
