//! What a tick feeds to the tests of a metric.

use crate::metric::{Layout, Tick};
use crate::stats::Counts;
use crate::stats::latency::{MAX_BOUNDARIES, SlowCounts};

use super::aligned::{Aligned, Side};
use super::bracket::Bracket;
use super::instances::less;
use super::test::Test;

/// What a tick feeds to the tests.
pub(super) struct Fed<'a> {
    pub(super) layout: &'a Layout,
    pub(super) tick: &'a Tick,
    pub(super) bracket: Option<&'a Bracket>,
    pub(super) counts: &'a [(Counts, Counts)],
    pub(super) boundaries: &'a [usize],
    /// The bad events of each arm in the tick that are not counted, where the pools do not have
    /// them; None where all are counted.
    pub(super) clipped: Option<[f64; 2]>,
    /// How many cadences the tick covers, where both arms are read in step.
    pub(super) ticks: f64,
    /// How many times as bad as tolerated the canary may be.
    pub(super) allowed: f64,
    /// The share of the live version's requests that are left out of a latency, as the quickest ones.
    pub(super) cured: f64,
}

impl Fed<'_> {
    #[inline]
    pub(super) fn feed(&self, test: &mut Aligned<Test>) {
        let tick = self.tick;
        if let Some(bracket) = self.bracket {
            test.feed_apart(|side, test| {
                let batch = bracket.batch(side);
                let clipped = self.clipped.map_or([0.0; 2], |_| batch.clipped);
                test.widened(batch.ticks, |test| {
                    self.feed_rows(test, &batch.rows, &batch.counts, clipped);
                });
                if !batch.rows.is_empty() {
                    test.end_tick(batch.ticks);
                }
            });
        } else if tick.canary && tick.baseline {
            let rows = if tick.strata.is_empty() { &tick.row } else { &tick.strata };
            let clipped = self.clipped.unwrap_or_default();
            test.each(|test| {
                self.feed_rows(test, rows, self.counts, clipped);
                test.end_tick(self.ticks);
            });
        }
    }

    /// The same tick for a test without clipping, allowance or cured failures.
    pub(super) const fn as_sent(&self) -> Self {
        Self { clipped: None, allowed: 1.0, cured: 0.0, ..*self }
    }

    /// The counts of both arms on an alignment; None for several strata, or if they are not compared.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    pub(super) fn counts_on(&self, side: Side) -> Option<(Counts, Counts)> {
        let counts = match self.bracket {
            Some(bracket) => &bracket.batch(side).counts,
            None if self.tick.canary && self.tick.baseline => self.counts,
            None => return None,
        };
        match counts {
            [counts] => Some(*counts),
            _ => None,
        }
    }

    /// The bad events that a test did not count although it compared the arms.
    pub(super) fn uncounted(&self) -> [f64; 2] {
        let (counts, clipped) = match self.bracket {
            Some(bracket) => {
                let batch = bracket.batch(Side::Lag);
                (&*batch.counts, batch.clipped)
            }
            None => (self.counts, self.clipped.unwrap_or_default()),
        };
        match counts {
            [(canary, baseline)] if canary.trials > 0.0 && baseline.trials > 0.0 => clipped,
            _ => [0.0; 2],
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "almost every tick takes the first of three calls")]
    fn feed_rows(
        &self,
        test: &mut Test,
        rows: &[f64],
        counts: &[(Counts, Counts)],
        clipped: [f64; 2],
    ) {
        match (&*test, counts) {
            (Test::Latency(..) | Test::Tolerance(..), _) => {
                let rows = rows.chunks(2 * self.layout.columns());
                rows.for_each(|row| self.feed_slow(test, row));
            }
            (_, &[counts]) => {
                let (canary, baseline) = less(counts, clipped);
                test.feed(canary, baseline, self.allowed);
            }
            (_, strata) => test.feed_strata(strata, self.allowed),
        }
    }

    fn feed_slow(&self, test: &mut Test, row: &[f64]) {
        slow_arms(row, self.boundaries, self.cured, |canary, live| test.feed_slow(canary, live));
    }
}

/// The requests of an arm's columns that are slower than each boundary.
#[inline]
pub(super) fn slow_of(arm: &[f64], boundaries: &[usize]) -> [f64; MAX_BOUNDARIES] {
    let mut slow = [0.0; MAX_BOUNDARIES];
    for (slow, &edge) in slow.iter_mut().zip(boundaries) {
        *slow = arm[0] - arm[1 + edge];
    }
    slow
}

/// Calls `then` with the slow requests of both arms in a row. `cured`: the share of the live
/// version's requests that is left out, as if these had been the quickest ones.
#[inline]
pub(super) fn slow_arms<R>(
    row: &[f64],
    boundaries: &[usize],
    cured: f64,
    then: impl FnOnce(SlowCounts<'_>, SlowCounts<'_>) -> R,
) -> R {
    let ((canary, live), used) = (row.split_at(row.len() / 2), boundaries.len());
    let (of_canary, counted) = (slow_of(canary, boundaries), live[0] * (1.0 - cured));
    let of_live = slow_of(live, boundaries).map(|slow| slow.min(counted));
    then(SlowCounts::new(&of_canary[..used], canary[0]), SlowCounts::new(&of_live[..used], counted))
}
