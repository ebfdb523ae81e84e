//! Counts that wait for some of the other arm: with few requests an arm has none in many ticks. Nothing of
//! the evidence depends on how time is divided into ticks. See `docs/decisions/alignment.md`.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::stats::Counts;
use crate::unit::{Span, Timestamp};

use super::prepared::Increment;

/// Counts of a metric whose arms are read at the same time; its own state in a snapshot.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiting {
    /// Of both arms, by stratum; empty where none wait.
    counts: Vec<(Counts, Counts)>,
    /// The bad events of each arm that were clipped.
    clipped: [f64; 2],
    /// When the first of those came that wait, or are in the counts of the last tick.
    since: Option<Timestamp>,
}

impl Waiting {
    /// Whether nothing waits, nor did for the last tick.
    pub(super) const fn is_none(&self) -> bool {
        self.since.is_none()
    }

    pub(super) fn clear(&mut self) {
        self.counts.clear();
        (self.clipped, self.since) = ([0.0; 2], None);
    }

    /// For how long the counts of this tick have waited.
    pub(super) fn lasts(&self, at: Timestamp) -> Span {
        self.since.map_or(Span::ZERO, |since| at.since(since))
    }

    /// Adds what waits to the counts of a tick, and keeps those that have to wait, of which the tick then has
    /// none. What has waited for longer than `most` is left out, and true is returned: the rate may be
    /// another by then.
    #[inline]
    pub(super) fn complete(
        &mut self,
        increment: &mut Increment,
        at: Timestamp,
        most: Span,
    ) -> bool {
        let waits = !self.is_none() || increment.counts.iter().any(lacks_an_arm);
        waits && self.add(increment, at, most)
    }

    #[inline(never)]
    fn add(&mut self, increment: &mut Increment, at: Timestamp, most: Span) -> bool {
        let Increment { counts, clipped, .. } = increment;
        let waits_for_another = self.lasts(at) > most || self.counts.len() != counts.len();
        let is_late = !self.counts.is_empty() && waits_for_another;
        if is_late || self.counts.is_empty() {
            self.clear();
            self.counts.resize(counts.len(), (Counts::default(), Counts::default()));
        }
        for (sum, more) in self.clipped.iter_mut().zip(clipped.iter_mut()) {
            *sum += std::mem::take(more);
        }
        let (mut waits, mut fed) = (false, false);
        for (sum, now) in self.counts.iter_mut().zip(counts) {
            sum.0.add(now.0);
            sum.1.add(now.1);
            let lacks = lacks_an_arm(sum);
            *now = if lacks { Default::default() } else { std::mem::take(sum) };
            waits |= lacks && sum.0.trials + sum.1.trials > 0.0;
            fed |= !lacks;
        }
        if fed {
            *clipped = std::mem::take(&mut self.clipped);
        }
        self.since = self.since.or((waits || fed).then_some(at));
        if !waits {
            self.counts.clear();
        }
        is_late
    }
}

/// Whether counts of one arm cannot be compared, because the other has none.
pub(super) fn lacks_an_arm((canary, live): &(Counts, Counts)) -> bool {
    canary.trials <= 0.0 || live.trials <= 0.0
}
