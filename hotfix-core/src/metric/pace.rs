//! How fast an arm's running totals grow, which distinguishes a reset counter from a sum of counters of
//! which one was reset.

use serde::{Deserialize, Serialize};

use crate::unit::{Span, Timestamp};

/// A fallen total is of a reset counter if at most this multiple of what usually comes in that
/// time.
const MOST_GROWTH: f64 = 3.0;

/// Growth of an arm's totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    trials: f64,
    /// From when to when these trials were counted.
    since: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Pace {
    /// Whether the usual pace is known.
    pub(super) fn is_known(&self) -> bool {
        self.trials > 0.0 && self.since < self.to
    }

    /// Whether a total that fell may be of a single counter that was reset; false where the usual
    /// pace is unknown.
    pub(super) fn is_reset(&self, trials: f64, at: Timestamp) -> bool {
        self.to.is_some_and(|to| self.grows_by(trials, at.since(to)))
    }

    /// Whether so many requests fit the usual pace in that time; false where the pace is unknown.
    pub(super) fn grows_by(&self, trials: f64, within: Span) -> bool {
        let Some((since, to)) = self.since.zip(self.to) else { return false };
        let known = to.since(since).as_seconds();
        trials * known <= MOST_GROWTH * self.trials * within.as_seconds() && known > 0.0
    }

    /// Records that totals grew by `by` until `at`, also in the time `over` that was left out. Not
    /// for a reset counter: if that was a mistake, each next fall would look like a reset.
    pub(super) fn grow(&mut self, at: Timestamp, by: f64, over: Span) {
        if self.to.is_none() {
            self.pass(at);
        } else if by > 0.0 {
            (self.trials, self.to) = (self.trials + by, Some(at));
            self.since = self.since.map(|since| since - over);
        }
    }

    /// Leaves out the time since the last growth: what was added in it is unknown.
    pub(super) fn pass(&mut self, at: Timestamp) {
        let since = self.since.zip(self.to).map_or(at, |(since, to)| since + at.since(to));
        (self.since, self.to) = (Some(since), Some(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn met_6_a_reset_counter_is_distinguished_from_a_sum_that_falls() {
        let at = |seconds: i64| Timestamp::try_from_millis(seconds * 1000).unwrap();
        let mut pace = Pace::default();
        assert!(!pace.is_reset(1.0, at(0)), "the pace is unknown");
        let totals = [9_000.0, 9_100.0, 9_100.0, 9_300.0];
        pace.pass(at(0));
        for (minute, pair) in (1..).zip(totals.windows(2)) {
            pace.grow(at(60 * minute), pair[1] - pair[0], Span::ZERO);
        }
        assert!(pace.is_reset(90.0, at(240)));
        assert!(!pace.is_reset(8_400.0, at(240)), "nine of ten pods continue");
        pace.pass(at(240));
        assert!(pace.is_reset(100.0, at(300)), "the pace is as before");
        assert!(!pace.is_reset(900.0, at(300)));
    }
}
