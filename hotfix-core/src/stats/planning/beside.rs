//! Trailing windows beside those of the live version: a bound that is a ratio of what it reads varies as it does.
//!
//! The counts of both windows are followed together, as the [chain](super::bands) of one is. Where they
//! are too large for that, the bound is taken to be where it is expected, and of both arms' trials are
//! counted as many fewer as give a count the same distance from it, in standard deviations, as both have.

use super::bands::{Bands, CLOSE, Evaluation, LEAST, Leaving, MOST_WORK, SETTLED, Windows};
use super::chances::{Chances, Draw, Limit, Steps};
use crate::stats::numeric::{normal_quantile, smaller, sum, whole};

/// Chance with which a count stays within what is followed.
const WITHIN: f64 = 1.0 - 1e-9;
/// Chances of one move below this are left out.
const LEAST_MOVE: f64 = 1e-9;

/// A rollback bound in a window that depends on the live version's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Beside {
    /// Bad events of the canary within the bound whatever the live version does.
    pub(crate) fixed: f64,
    /// Further ones for each bad event of the live version.
    pub(crate) each: f64,
    /// Bad events of the live version that are to be expected.
    pub(crate) expected: f64,
    /// Relative standard deviation of the first two, as the numbers of requests vary.
    pub(crate) spread: f64,
    /// Chance that the canary has too few trials for it to be asked.
    pub(crate) unasked: f64,
}

impl Beside {
    /// Where this part of the numbers of trials that may come is smaller; none where it is not asked.
    pub(super) fn at(self, part: f64) -> Option<Self> {
        let times = 1.0 + normal_quantile(part) * self.spread;
        let at = Self { fixed: self.fixed * times, each: self.each * times, ..self };
        (part >= self.unasked).then_some(at)
    }

    /// Most bad events of the canary within the bound, where the live version has so many.
    fn most(self, live: usize) -> usize {
        whole(((self.fixed + self.each * live as f64) * (1.0 + 1e-12)).floor())
    }

    /// The same where it has as many as are expected.
    pub(crate) fn middle(self) -> f64 {
        self.fixed + self.each * self.expected
    }

    /// The part of the trials with which a count varies as much around the bound as both arms do.
    fn part(self) -> f64 {
        let of_live = self.each * self.each * self.expected;
        if of_live > 0.0 { self.middle() / (self.middle() + of_live) } else { 1.0 }
    }
}

impl Bands<'_> {
    /// What trailing windows do beside those of the live version.
    pub(super) fn beside_live(&self) -> Windows {
        if let Some(kept) = self.both_counts() {
            let end = kept.last().copied().unwrap_or(1.0);
            return Windows { kept, about: end > CLOSE && end < 1.0 - CLOSE };
        }
        let part = self.looks.iter().rev().find_map(|look| look.beside).map_or(1.0, Beside::part);
        let fewer = |most: f64| Limit::certain(whole((most * part * (1.0 + 1e-12)).floor()));
        let looks = self.looks.iter().map(|look| {
            let less = |limit: Option<Limit>| limit.map(|limit| fewer(limit.most as f64));
            let beside = look.beside.map(|beside| fewer(beside.middle()));
            let least = |one: Option<Limit>, two: Option<Limit>| {
                one.into_iter().chain(two).min_by_key(|limit| limit.most)
            };
            let stays = least(less(look.stays), beside);
            Evaluation { draw: look.draw.part(part), stays, beside: None, ..*look }
        });
        let looks: Vec<Evaluation> = looks.collect();
        let mut kept = Bands { looks: &looks, ..*self }.windows().kept;
        // The first windows have few events, of which a normal law knows nothing: these are followed.
        if let Some(first) = self.first_counts() {
            let ticks = first.len() - 1;
            let (came, stated) = (first[ticks], kept[ticks]);
            for kept in &mut kept[ticks..] {
                *kept = if stated > 0.0 { *kept / stated * came } else { 0.0 };
            }
            kept[..=ticks].copy_from_slice(&first);
        }
        Windows { about: true, kept }
    }

    /// [`both_counts`](Self::both_counts) of as many of the first ticks as can be followed.
    fn first_counts(&self) -> Option<Vec<f64>> {
        let mut ticks = self.window.min(self.looks.len());
        while ticks > 0 {
            let looks = &self.looks[..ticks];
            if let Some(kept) = (Bands { looks, ..*self }).both_counts() {
                return Some(kept);
            }
            ticks = ticks * 3 / 4;
        }
        None
    }

    /// Chance not to have been rolled back by the end of 0, 1, 2, … ticks; none where there is too much to follow,
    /// or breaches in a row are asked for.
    fn both_counts(&self) -> Option<Vec<f64>> {
        let last = self.looks.len().saturating_sub(self.window);
        let whole_window = |of: fn(&Evaluation) -> Draw| {
            self.looks[last..].iter().map(of).fold(Draw::NOTHING, Draw::and)
        };
        let (canary, live) = (whole_window(|look| look.draw), whole_window(|look| look.live));
        let columns = live.quantile(WITHIN) + 1;
        let besides = self.looks.iter().filter_map(|look| look.beside);
        let most = besides.map(|beside| beside.most(columns)).max()?;
        let rows = most.min(canary.quantile(WITHIN)) + 1;
        let width = |mean: f64| 12.0 * mean.sqrt() + 8.0;
        let ticks = self.looks.len().min(SETTLED * self.window) as f64;
        let each =
            width(canary.mean() / self.window as f64) + width(live.mean() / self.window as f64);
        if self.in_a_row > 1 || rows as f64 * columns as f64 * each * ticks > 2.0 * MOST_WORK {
            return None;
        }
        let (mut of_canary, mut of_live) =
            (Moves::new(self.window, rows), Moves::new(self.window, columns));
        let mut chances = vec![0.0; rows * columns];
        chances[0] = 1.0;
        let (mut kept, mut counted) = (vec![1.0], 0);
        for look in self.looks {
            let alive = kept.last().copied().unwrap_or(1.0);
            if alive < LEAST || counted >= SETTLED * self.window {
                kept.push(if alive < LEAST { 0.0 } else { self.settled(&kept) });
                continue;
            }
            counted += usize::from(look.draw != Draw::NOTHING);
            let full = counted > self.window;
            chances = moved(&chances, columns, of_canary.of(look.draw, full));
            chances = moved(&chances, rows, of_live.of(look.live, full));
            if let Some(beside) = look.beside {
                let least = look.most().unwrap_or(usize::MAX);
                let most: Vec<usize> =
                    (0..columns).map(|live| beside.most(live).min(least)).collect();
                for (canary, row) in chances.chunks_exact_mut(columns).enumerate() {
                    for (chance, _) in row.iter_mut().zip(&most).filter(|(_, most)| canary > **most)
                    {
                        *chance = 0.0;
                    }
                }
            }
            kept.push(smaller(sum(chances.iter().copied()), alive));
        }
        Some(kept)
    }
}

/// Where a window's count goes with a tick: by what the tick brought, and whether one drops out.
struct Moves {
    leaving: Leaving,
    steps: Steps,
    numbers: usize,
    known: Vec<((Draw, bool), Vec<Chances>)>,
}

impl Moves {
    /// Of counts below this one.
    fn new(window: usize, numbers: usize) -> Self {
        let (leaving, steps) = (Leaving::new(window), Steps::new(LEAST_MOVE));
        Self { leaving, steps, numbers, known: Vec::new() }
    }

    /// The law of the next count, by the present one.
    fn of(&mut self, draw: Draw, full: bool) -> &[Chances] {
        let known = self.known.iter().position(|(known, _)| *known == (draw, full));
        let at = known.unwrap_or_else(|| {
            let step = self.steps.of(draw);
            let next = (0..self.numbers).map(|number| {
                let now = Chances::certainly(number);
                let left = if full { self.leaving.from(&now) } else { now };
                let mut next = left.plus(step);
                next.trim(LEAST_MOVE);
                next
            });
            self.known.push(((draw, full), next.collect()));
            self.known.len() - 1
        });
        &self.known[at].1
    }
}

/// Chances of pairs of counts, row by row, after each row's count has moved. Rows become columns.
fn moved(chances: &[f64], columns: usize, next: &[Chances]) -> Vec<f64> {
    let rows = next.len();
    let mut to = vec![0.0; chances.len()];
    for (row, law) in chances.chunks_exact(columns).zip(next) {
        if row.iter().all(|chance| *chance == 0.0) {
            continue;
        }
        for (number, share) in (law.low..rows).zip(&law.of) {
            for (sum, chance) in to[number * columns..][..columns].iter_mut().zip(row) {
                *sum += share * chance;
            }
        }
    }
    let column = |at: usize| to.iter().skip(at).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}
