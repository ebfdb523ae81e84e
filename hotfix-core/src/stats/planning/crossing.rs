//! Exact distribution of the time to a decision, for independent errors and a constant split.
//!
//! With the split fixed the evidence is a function of how many events the canary had and how many
//! there were, and each event is the canary's with the same chance. So the chance of a crossing
//! within so many events is a sum over the paths that have not crossed, one event at a time; the
//! number of events by a given time is a Poisson variable of its own.

use super::chances::Chances;
use crate::stats::distribution::ln_poisson;
use crate::stats::grid::{Grid, losses, share_of_events};
use crate::stats::numeric::{exp, larger, log_mean_exp, whole};
use crate::stats::rate_ratio::{DEFAULT_GRID, DEFAULT_WEIGHTS};
use crate::stats::{Direction, MAX_GRID, StatError};

/// Paths with less chance than this are left out.
const LEAST: f64 = 1e-18;
/// Starts of evaluations that are apart.
const STARTS: usize = 3;
/// Chance still undecided at which the rest counts as decided.
const DONE: f64 = 1e-12;

/// Chances to have decided by number of events.
pub(super) struct Crossing {
    /// By 0, 1, 2, … events.
    by_event: Vec<f64>,
}

impl Crossing {
    /// For up to as many events as `expected` events come with: ten standard deviations more.
    ///
    /// `edge` is the ratio at the edge of the null and the share, `of_canary` the chance that an
    /// event is the canary's. It is evaluated after each event, or where that is more than 1 after so many: between two
    /// of these the chance rises evenly.
    pub(super) fn try_new(
        direction: Direction,
        edge: (f64, f64),
        of_canary: f64,
        threshold: f64,
        (expected, apart): (f64, f64),
    ) -> Result<Self, StatError> {
        let (null, share) = edge;
        let grid = Grid::try_new(direction, None, None, (&DEFAULT_GRID, &DEFAULT_WEIGHTS))?;
        let losses: [f64; MAX_GRID] =
            losses(&grid.excess(), share_of_events(null, share, 1.0 - share));
        // The test's log evidence after so many events.
        let evidence = |canary: usize, events: usize| {
            let mut terms = grid.start();
            for (j, term) in terms.iter_mut().enumerate() {
                *term += canary as f64 * grid.ln_ratio[j] - events as f64 * losses[j];
            }
            log_mean_exp(&terms, &grid.weight)
        };
        let most = whole(expected + 10.0 * expected.sqrt() + 20.0);
        let decided =
            |first: f64| decided(evidence, direction, of_canary, threshold, (most, first, apart));
        // The first evaluation comes after a part of these events, so that there is one after each number, nearly.
        let ways = if apart > 2.0 { STARTS } else { 1 };
        let mut points: Vec<(usize, f64)> =
            (1..=ways).flat_map(|way| decided(apart * way as f64 / ways as f64)).collect();
        points.sort_by_key(|point| point.0);
        let mut by_event = vec![0.0];
        for (events, decided) in points {
            let (from, last) = (by_event.len() - 1, by_event[by_event.len() - 1]);
            let (to, since) = (larger(decided, last), events.saturating_sub(from) as f64);
            by_event.extend(
                (from + 1..=events).map(|at| last + (to - last) * (at - from) as f64 / since),
            );
        }
        Ok(Self { by_event })
    }

    fn by(&self, events: usize) -> f64 {
        let last = self.by_event.len() - 1;
        self.by_event[events.min(last)]
    }

    /// Chance to have decided when `expected` events were to be expected.
    pub(super) fn chance(&self, expected: f64) -> f64 {
        if expected <= 0.0 {
            return 0.0;
        }
        let middle = whole(expected);
        let at = middle as f64;
        let top = exp(ln_poisson(at, expected));
        let mut sum = top * self.by(middle);
        let mut chance = top;
        for events in (1..=middle).rev() {
            chance *= events as f64 / expected;
            sum += chance * self.by(events - 1);
            if chance < LEAST {
                break;
            }
        }
        chance = top;
        for events in middle + 1.. {
            chance *= expected / events as f64;
            sum += chance * self.by(events);
            if chance < LEAST {
                break;
            }
        }
        sum.min(1.0)
    }

    /// Expected events at which half have decided.
    pub(super) fn median(&self) -> Option<f64> {
        let (mut low, mut high) = (0.0, (self.by_event.len() - 1) as f64);
        // The last expectation that the chances reach without a guess.
        high -= 10.0 * f64::sqrt(high);
        let sure = self.by_event.last().is_some_and(|last| 1.0 - last < 2.0 * DONE);
        if sure {
            high = 2.0 * self.by_event.len() as f64 + 20.0;
        }
        if high <= 0.0 || self.chance(high) < 0.5 {
            return None;
        }
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.chance(middle) >= 0.5 { high = middle } else { low = middle }
        }
        Some(high)
    }
}

/// Chances to have decided at evaluations after `first` events and each further `apart` ones.
fn decided(
    evidence: impl Fn(usize, usize) -> f64,
    direction: Direction,
    of_canary: f64,
    threshold: f64,
    (most, first, apart): (usize, f64, f64),
) -> Vec<(usize, f64)> {
    let (mut found, mut decided) = (Vec::new(), 0.0);
    // Chances of `low`, `low + 1`, … canary events without a decision so far.
    let mut paths = Chances::certainly(0);
    // The first count that decides: from it on up for worse, below it for better.
    let mut edge = 0_usize;
    let mut next = first;
    for events in 1..=most {
        paths.of.push(0.0);
        let mut below = 0.0;
        for path in &mut paths.of {
            let before = *path;
            *path = before * (1.0 - of_canary) + below * of_canary;
            below = before;
        }
        paths.trim(LEAST);
        if (events as f64) < next && events < most {
            continue;
        }
        next += apart;
        let better = direction == Direction::Better;
        while edge <= events && (evidence(edge, events) >= threshold) == better {
            edge += 1;
        }
        let Chances { low, of } = &mut paths;
        let at = edge.saturating_sub(*low).min(of.len());
        if better {
            *low += at;
            decided += of.drain(..at).sum::<f64>();
        } else {
            decided += of.drain(at..).sum::<f64>();
        }
        found.push((events, f64::min(decided, 1.0)));
        if paths.of.is_empty() || 1.0 - decided < DONE {
            break;
        }
    }
    found
}
