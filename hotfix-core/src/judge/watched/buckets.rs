//! The buckets of a histogram: which reading sets them, and what they cannot judge.

use crate::grade::Role;
use crate::judge::Judge;
use crate::judge::readings::Readings;
use crate::metric::{BoundInBucket, BucketFault, Counters, Layout, Reading};
use crate::unit::Timestamp;

use super::Watched;
use super::pairing::Pairing;

/// The bounds of deciding metrics that no value in their first or last bucket can be compared with, where
/// the reading at this time has set those.
pub(crate) fn out_of_reach(judge: &Judge, at: Timestamp) -> impl Iterator<Item = BoundInBucket> {
    judge.watched.iter().flat_map(move |watched| watched.out_of_reach(at))
}

impl Watched {
    /// Whether a reading may set the buckets.
    #[inline]
    pub(super) fn may_settle_layout(&self) -> bool {
        let Pairing { readings, began, .. } = &self.pairing;
        let is_before = || began.is_none() && readings.read_at.is_none();
        self.design.metric.kind.has_buckets() && (self.design.lacks_layout() || is_before())
    }

    /// The buckets that a reading sets: the first one does, and one with further buckets as long as
    /// the canary was not read, so that a histogram without a bound's boundary can be mended.
    pub(super) fn next_layout(&self, reading: &Reading) -> Option<Layout> {
        let layout = &self.design.layout;
        let next = self.may_settle_layout().then(|| Layout::of(&self.design.metric, reading))?;
        (self.design.lacks_layout() || next.refines(layout)).then_some(next)
    }

    /// Sets the buckets, if this reading does; returns whether it has.
    pub(super) fn lay_out(&mut self, reading: &Reading) -> bool {
        let Some(layout) = self.next_layout(reading) else { return false };
        if !self.design.lacks_layout() {
            // What was read with other buckets cannot be compared.
            self.pairing.readings.counters = Counters::default();
            self.discard_pools();
        }
        self.settle_layout(layout);
        !self.edges().is_empty()
    }

    /// The buckets are those of a reading, and with them the tests' boundaries.
    pub(super) fn settle_layout(&mut self, layout: Layout) {
        self.design.settle_layout(layout);
        self.measured.settle_columns(&self.design);
        if let Some(tests) = self.design.latency_tests(self.pairing.began) {
            self.tested.tests = tests;
            self.limit();
        }
    }

    /// The bounds that its buckets cannot judge, where a reading at this time has set those.
    fn out_of_reach(&self, at: Timestamp) -> Vec<BoundInBucket> {
        let Readings { lays_out, seen_at, .. } = self.readings();
        let is_new = *lays_out && *seen_at == Some(at) && self.metric().role == Role::Decide;
        let edges = if is_new { self.edges() } else { return Vec::new() };
        let faults = BucketFault::within(self.metric(), edges).into_iter();
        faults.filter_map(BucketFault::beyond).collect()
    }
}
