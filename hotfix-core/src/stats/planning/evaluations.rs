//! Exact distribution of the rollback test with an evaluation at the end of each tick, for
//! independent errors and a constant split.
//!
//! With the split fixed the evidence is a function of the events of both arms so far, so the
//! undecided paths are a table by these two numbers. A tick spreads it along both, and removes the
//! paths that have crossed.

use super::chances::{Chances, Draw, Steps};
use super::crossing::Evidence;
use crate::stats::{Direction, StatError};

/// Paths with less chance than this are left out.
const LEAST: f64 = 1e-11;
/// Most expected events of both arms that are followed.
const MOST_EVENTS: f64 = 450.0;
/// Most ticks that are followed.
const MOST_TICKS: usize = 1_500;

/// Where the test decides: for each number of canary events the fewest of the baseline with which
/// it has not.
pub(crate) struct Frontier {
    evidence: Evidence,
    threshold: f64,
    least: Vec<usize>,
}

impl Frontier {
    /// Of the default grid at this share of the exposure.
    pub(crate) fn try_new(tolerated: f64, share: f64, threshold: f64) -> Result<Self, StatError> {
        let evidence = Evidence::try_new(Direction::Worse, (tolerated, share))?;
        Ok(Self { evidence, threshold, least: vec![0] })
    }

    /// The fewest events of the baseline with which so many of the canary have not decided.
    fn least(&mut self, canary: usize) -> usize {
        while self.least.len() <= canary {
            let next = self.least.len();
            let mut least = self.least[next - 1];
            while self.evidence.at(next, next + least) >= self.threshold {
                least += 1;
            }
            self.least.push(least);
        }
        self.least[canary]
    }

    /// Chance to have decided by the end of 0, 1, 2, … ticks, each `(canary, baseline)`; none where
    /// there is too much to follow.
    pub(crate) fn decided(&mut self, ticks: &[(Draw, Draw)]) -> Option<Vec<f64>> {
        let expected: f64 = ticks.iter().map(|(c, b)| c.mean() + b.mean()).sum();
        if expected > MOST_EVENTS || ticks.len() > MOST_TICKS {
            return None;
        }
        let mut paths = Paths::start();
        let mut decided = vec![0.0];
        let mut all = 0.0;
        let (mut of_canary, mut of_baseline) = (Steps::new(LEAST), Steps::new(LEAST));
        for &(canary, baseline) in ticks {
            if canary == Draw::NOTHING && baseline == Draw::NOTHING {
                decided.push(all);
                continue;
            }
            paths.spread(of_canary.of(canary), of_baseline.of(baseline));
            all += paths.take(|canary| self.least(canary));
            paths.trim();
            decided.push(f64::min(all, 1.0));
        }
        Some(decided)
    }
}

/// How many paths at the beginning of a row have decided: those with few events of the baseline.
fn decided(row: &[f64]) -> usize {
    row.iter().position(|path| *path > 0.0).unwrap_or(row.len())
}

/// Chances of canary events (rows) and baseline events (columns).
struct Paths {
    canary: usize,
    baseline: usize,
    width: usize,
    of: Vec<f64>,
}

impl Paths {
    fn start() -> Self {
        Self { canary: 0, baseline: 0, width: 1, of: vec![1.0] }
    }

    fn rows(&self) -> usize {
        self.of.len().checked_div(self.width).unwrap_or(0)
    }

    fn spread(&mut self, canary: &Chances, baseline: &Chances) {
        let rows = self.rows();
        if rows == 0 {
            return;
        }
        let width = self.width + baseline.of.len() - 1;
        let mut wide = vec![0.0; rows * width];
        for (to, from) in wide.chunks_exact_mut(width).zip(self.of.chunks_exact(self.width)) {
            let gone = decided(from);
            for (more, chance) in baseline.of.iter().enumerate() {
                for (sum, path) in to[more + gone..].iter_mut().zip(&from[gone..]) {
                    *sum += chance * path;
                }
            }
        }
        let mut of = vec![0.0; (rows + canary.of.len() - 1) * width];
        for (row, from) in wide.chunks_exact(width).enumerate() {
            let gone = decided(from);
            for (to, chance) in of[row * width..].chunks_exact_mut(width).zip(&canary.of) {
                for (sum, path) in to[gone..].iter_mut().zip(&from[gone..]) {
                    *sum += chance * path;
                }
            }
        }
        self.canary += canary.low;
        self.baseline += baseline.low;
        (self.width, self.of) = (width, of);
    }

    /// Takes out what has decided and gives its chance.
    fn take(&mut self, mut least: impl FnMut(usize) -> usize) -> f64 {
        let mut taken = 0.0;
        for (row, paths) in self.of.chunks_exact_mut(self.width.max(1)).enumerate() {
            let gone = least(self.canary + row).saturating_sub(self.baseline).min(paths.len());
            for path in &mut paths[..gone] {
                taken += *path;
                *path = 0.0;
            }
        }
        taken
    }

    /// Leaves out rows and columns at the edges in which nothing is likely.
    fn trim(&mut self) {
        let width = self.width;
        if width == 0 {
            return;
        }
        let likely = |path: &f64| *path >= LEAST;
        let mut rows = self.of.chunks_exact(width);
        let Some(first) = rows.position(|row| row.iter().any(likely)) else {
            *self = Self { width: 0, of: Vec::new(), ..*self };
            return;
        };
        let last =
            self.of.chunks_exact(width).rposition(|row| row.iter().any(likely)).unwrap_or(first);
        let (mut left, mut right) = (width, 0);
        for row in self.of.chunks_exact(width) {
            left = left.min(row.iter().position(likely).unwrap_or(width));
            right = right.max(row.iter().rposition(likely).map_or(0, |at| at + 1));
        }
        let mut kept = Vec::with_capacity((last + 1 - first) * (right - left));
        for row in self.of.chunks_exact(width).skip(first).take(last + 1 - first) {
            kept.extend_from_slice(&row[left..right]);
        }
        self.of = kept;
        self.canary += first;
        self.baseline += left;
        self.width = right - left;
    }
}
