//! Trailing windows that are evaluated at every reading, followed by what they gain and lose.
//!
//! A window loses what it gained a window ago. So a phase is cut into parts of one reading less than a window, and two counts are
//! followed: what is left of the part before, of which each event is as likely in each of its readings, and what has come
//! since. That a window was kept, which makes its readings a little more even, is left out from part to part, as in the
//! product approximation of scan statistics (Naus 1982, Journal of the American Statistical Association 77).
//!
//! Limits are given as chances: that of a window's count to be within it. The count that is followed has the same
//! chance, so it may be smaller than the real one, and the limit may hang on the number of requests or on the live
//! version. Where it lies between two counts, both are followed, each as often as it takes for that chance.

use core::f64::consts::PI;

use crate::stats::numeric::{exp, larger, ln, smaller, sum, whole};

/// Most events in a window that are followed: more are followed as so many.
const MOST: f64 = 32.0;
/// Most readings of a window that are followed: of more, some are followed as one.
const MOST_READINGS: usize = 128;
/// Windows, and readings, after which their law is taken to have settled.
const SETTLED: usize = 3;
const SETTLED_READINGS: usize = 120;
/// Counts with less chance than this are left out, and phases that are kept with less are over.
const LEAST: f64 = 1e-7;
const OVER: f64 = 1e-4;
/// Readings that are breached with less chance than this, all together, are left out.
const CALM: f64 = 2e-4;
/// Of two limits one that has less than this share is left out.
const FEW: f64 = 0.02;

/// One reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Events that it is expected to bring.
    pub(super) mean: f64,
    /// Chance that its window is within the limit, and of it that it is not asked for want of trials; None where it never
    /// is.
    pub(super) within: Option<(f64, f64)>,
}

impl Reading {
    /// Chance that its window is beyond the limit.
    pub(super) fn beyond(&self) -> f64 {
        self.within.map_or(0.0, |(within, _)| 1.0 - within)
    }
}

pub(super) struct Windows {
    /// Readings that a full window holds; at least 1.
    pub(super) window: usize,
    /// Breaches in a row that end a phase; at least 1.
    pub(super) in_a_row: usize,
}

impl Windows {
    /// Chances to have been kept by the end of 0, 1, 2, … readings. A Poisson law of `like` times the events is as
    /// skewed as what is compared.
    pub(super) fn kept(&self, readings: &[Reading], like: f64) -> Vec<f64> {
        let number = readings.len();
        let joined = self.window.div_ceil(MOST_READINGS);
        if joined > 1 {
            let mean = |part: &[Reading]| sum(part.iter().map(|of| of.mean));
            let one = |part: &[Reading]| Reading { mean: mean(part), ..part[part.len() - 1] };
            let readings: Vec<Reading> = readings.chunks(joined).map(one).collect();
            let (window, in_a_row) =
                (self.window.div_ceil(joined), (self.in_a_row - 1).div_ceil(joined) + 1);
            return apart(&Self { window, in_a_row }.kept(&readings, like), joined, number);
        }
        let warm = readings.iter().take_while(|reading| reading.mean <= 0.0).count();
        let settled = warm + (SETTLED * self.window).max(SETTLED_READINGS) + self.in_a_row;
        // Until no window is breached any more.
        let mut left = 0.0;
        let last = readings.iter().rposition(|reading| {
            left += reading.beyond();
            left > CALM
        });
        let last = last.map_or(1, |last| last + 1);
        let (all, followed) = (last <= settled, &readings[..last.min(settled)]);
        let mut means = vec![0.0];
        for reading in followed {
            means.push(means[means.len() - 1] + reading.mean);
        }
        let most =
            means.windows(self.window.min(followed.len()) + 1).map(|of| of[of.len() - 1] - of[0]);
        let scale = smaller(like, MOST / most.fold(f64::MIN_POSITIVE, f64::max));
        for mean in &mut means {
            *mean *= scale;
        }
        // Full windows that are often not asked are asked one after the other or not.
        let unasked = followed.last().and_then(|last| last.within).map_or(0.0, |of| of.1);
        let unasked = if unasked < FEW { 0.0 } else { unasked };
        let places = followed.iter().enumerate().map(|(at, reading)| {
            let mean = means[at + 1] - means[(at + 1).saturating_sub(self.window)];
            let (_, waits) = reading.within?;
            let asked = if unasked > 0.0 { 1.0 - waits } else { 1.0 };
            let within = larger(1.0 - reading.beyond() / larger(asked, 1e-9), 0.0);
            Some(Place::of(mean, within))
        });
        let places: Vec<Option<Place>> = places.collect();
        let limits =
            |at: f64| places.iter().map(move |of| of.map(|place| place.limit(at))).collect();
        // On average over the windows that are breached.
        let part = places.iter().zip(followed);
        let part = part.map(|(of, reading)| reading.beyond() * of.map_or(0.0, |of| of.part));
        let beyond = sum(followed.iter().map(Reading::beyond));
        let part = sum(part) / larger(beyond, f64::MIN_POSITIVE);
        let part = if (FEW..=1.0 - FEW).contains(&part) { part } else { part.round() };
        let ways = if unasked > 0.0 {
            [(1.0 - unasked, limits(0.5)), (unasked, vec![None; followed.len()])]
        } else {
            [(part, limits(0.5 * part)), (1.0 - part, limits(0.5 + 0.5 * part))]
        };
        let mut kept = self.follow(&means, &ways);
        // Each further reading keeps the same part as those after the first window, or all.
        let (first, last) = (kept[(warm + self.window).min(followed.len())], kept[followed.len()]);
        let readings_after = followed.len().saturating_sub(warm + self.window).max(1) as f64;
        let part = if all {
            1.0
        } else if last > 0.0 {
            exp(ln(smaller(last / first, 1.0)) / readings_after)
        } else {
            0.0
        };
        while kept.len() <= readings.len() {
            kept.push(kept[kept.len() - 1] * part);
        }
        kept
    }

    /// The same where limits are certain, counts below them are within, and one of two ways of limits is in force, as often as its
    /// share.
    fn follow(&self, means: &[f64], ways: &[(f64, Vec<Option<usize>>); 2]) -> Vec<f64> {
        let full =
            means.windows(self.window.min(means.len() - 1) + 1).map(|of| of[of.len() - 1] - of[0]);
        let full = full.fold(0.0, f64::max);
        let mut width = whole(full + 7.0 * full.sqrt() + 8.0);
        if self.in_a_row <= 1 {
            let most = ways.iter().flat_map(|(_, limits)| limits).flatten().copied().max();
            width = width.min(most.unwrap_or(0)).max(1);
        }
        let mut spare = Counts::none(width);
        let mut states = ways.each_ref().map(|(share, _)| {
            let mut state = vec![Counts::none(width); self.in_a_row];
            state[0].of[0] = *share;
            state
        });
        // How often a normal law, of which a reading changes as much as of a window, changes the side of its middle.
        let each = 1.0 / self.window as f64;
        let changes = (2.0 * each).sqrt() * (1.0 + each / 12.0) / PI;
        // A part has one reading less than a window, of which one or more are in the part before.
        let part = (self.window - 1).max(1);
        let (mut kept, mut counted) = (vec![1.0], 0);
        for at in 1..means.len() {
            let mean = means[at] - means[at - 1];
            let last = kept[kept.len() - 1];
            if (counted == 0 && mean <= 0.0) || last < OVER {
                kept.push(if last < OVER { 0.0 } else { 1.0 });
                continue;
            }
            let (new, place) = (poisson(mean), counted % part);
            if ways.iter().all(|(share, _)| *share > 0.0) {
                swap(&mut states, [ways[1].0, ways[0].0].map(|share| 2.0 * changes * share));
            }
            let mut chance = 0.0;
            for (state, (share, limits)) in states.iter_mut().zip(ways) {
                if *share <= 0.0 {
                    continue;
                }
                for of in &mut *state {
                    if place == 0 {
                        of.begin(self.window == 1);
                    } else if counted > part {
                        of.lose(1.0 / (self.window - place) as f64);
                    }
                    of.gain(&new);
                }
                spare.of[..spare.rows * width].fill(0.0);
                (spare.rows, spare.columns) = (1, 1);
                for of in &mut *state {
                    of.calm(&mut spare, limits[at - 1]);
                }
                state.rotate_right(1);
                core::mem::swap(&mut state[0], &mut spare);
                chance += sum(state.iter().map(Counts::chance));
            }
            counted += 1;
            kept.push(smaller(chance, last));
        }
        kept
    }
}

/// What is known by reading, by the end of 0, 1, 2, … ticks, of which a reading has so many.
pub(super) fn apart(kept: &[f64], ticks: usize, number: usize) -> Vec<f64> {
    let last = kept.len() - 1;
    (0..=number).map(|tick| kept[if tick < number { tick / ticks } else { last }]).collect()
}

/// Where a chance lies in the law of a count: that of fewer than `below`, and this part of the next one's.
#[derive(Clone, Copy)]
struct Place {
    below: usize,
    part: f64,
}

impl Place {
    fn of(mean: f64, chance: f64) -> Self {
        let (mut below, mut rest, mut next) = (0, chance, exp(-mean));
        while next <= rest * (1.0 + 1e-9) && below < 1_000 {
            rest -= next;
            below += 1;
            next *= mean / below as f64;
        }
        Self { below, part: if next > 0.0 { smaller(rest / next, 1.0) } else { 0.0 } }
    }

    /// Counts below this are within the limit.
    fn limit(self, at: f64) -> usize {
        if at < self.part { self.below + 1 } else { self.below }
    }
}

fn poisson(mean: f64) -> Vec<f64> {
    let (mut chances, mut next) = (Vec::new(), exp(-mean));
    while next >= LEAST || (chances.len() as f64) < mean {
        chances.push(next);
        next *= mean / chances.len() as f64;
    }
    chances
}

/// Moves these shares from each to the other.
fn swap([one, other]: &mut [Vec<Counts>; 2], shares: [f64; 2]) {
    for (one, other) in one.iter_mut().zip(other) {
        (one.rows, one.columns) = (one.rows.max(other.rows), one.columns.max(other.columns));
        (other.rows, other.columns) = (one.rows, one.columns);
        let used = one.rows * one.width;
        for (one, other) in one.of[..used].iter_mut().zip(&mut other.of[..used]) {
            let more = shares[1] * *other - shares[0] * *one;
            (*one, *other) = (*one + more, *other - more);
        }
    }
}

/// Chances of what is left of the part before (rows) and what has come since (columns).
#[derive(Clone)]
struct Counts {
    width: usize,
    /// Those that have a chance worth mentioning.
    rows: usize,
    columns: usize,
    of: Vec<f64>,
}

impl Counts {
    fn none(width: usize) -> Self {
        Self { width, rows: 1, columns: 1, of: vec![0.0; width * width] }
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.of.chunks_exact(self.width).take(self.rows).map(|row| &row[..self.columns])
    }

    fn chance(&self) -> f64 {
        sum(self.rows().map(|row| row.iter().sum::<f64>()))
    }

    /// What has come is now what is left of the part before; of windows of one reading nothing is.
    fn begin(&mut self, is_one: bool) {
        let mut came = vec![0.0; self.columns];
        self.rows().for_each(|row| add(&mut came, row, 1.0));
        self.of[..self.rows * self.width].fill(0.0);
        (self.rows, self.columns) = (if is_one { 1 } else { came.len() }, 1);
        for (left, chance) in came.into_iter().enumerate() {
            self.of[if is_one { 0 } else { left * self.width }] += chance;
        }
    }

    /// Each event that is left leaves the window with this chance, which is below 1.
    fn lose(&mut self, leaves: f64) {
        let (odds, stays) = (leaves / (1.0 - leaves), ln(1.0 - leaves));
        for left in 1..self.rows {
            let (before, row) = self.of.split_at_mut(left * self.width);
            let row = &mut row[..self.columns];
            let stay = exp(left as f64 * stays);
            let mut chance = stay;
            for gone in 1..=left {
                chance *= odds * (left - gone + 1) as f64 / gone as f64;
                if chance < LEAST && gone as f64 > left as f64 * leaves {
                    break;
                }
                add(&mut before[(left - gone) * self.width..], row, chance);
            }
            for of in row.iter_mut() {
                *of *= stay;
            }
        }
        while self.rows > 1
            && self.rows().last().is_some_and(|row| row.iter().all(|of| *of < LEAST))
        {
            self.rows -= 1;
            self.of[self.rows * self.width..][..self.columns].fill(0.0);
        }
    }

    /// Adds what a reading brings.
    fn gain(&mut self, new: &[f64]) {
        let columns = (self.columns + new.len() - 1).min(self.width);
        let mut sums = vec![0.0; columns];
        for row in self.of.chunks_exact_mut(self.width).take(self.rows) {
            sums.fill(0.0);
            for (more, chance) in new.iter().enumerate().take(columns) {
                add(&mut sums[more..], &row[..self.columns], *chance);
            }
            row[..columns].copy_from_slice(&sums);
        }
        self.columns = columns;
        while self.columns > 1 && self.rows().all(|row| row[row.len() - 1] < LEAST) {
            self.columns -= 1;
            self.of
                .chunks_exact_mut(self.width)
                .take(self.rows)
                .for_each(|row| row[self.columns] = 0.0);
        }
    }

    /// Moves what is within the limit.
    fn calm(&mut self, calm: &mut Self, limit: Option<usize>) {
        (calm.rows, calm.columns) = (calm.rows.max(self.rows), calm.columns.max(self.columns));
        let both = self.of.chunks_exact_mut(self.width).zip(calm.of.chunks_exact_mut(self.width));
        for (left, (row, calm)) in both.take(self.rows).enumerate() {
            let within = limit.map_or(usize::MAX, |limit| limit.saturating_sub(left));
            let within = within.min(self.columns);
            for (sum, chance) in calm[..within].iter_mut().zip(&mut row[..within]) {
                *sum += *chance;
                *chance = 0.0;
            }
        }
    }
}

fn add(to: &mut [f64], from: &[f64], share: f64) {
    for (sum, chance) in to.iter_mut().zip(from) {
        *sum += share * chance;
    }
}
