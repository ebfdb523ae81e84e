//! The bursts of failures that a version has had, minute by minute. See
//! `docs/decisions/one-clients-failures.md`.

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::unit::{Span, Timestamp};

/// The time over which failures are counted.
pub(crate) const MINUTE: Span = Span::from_seconds(60);
/// A burst is so many standard deviations and so many failures above the rate, as independent errors are
/// in at most one minute of 25,000.
pub(crate) const ABOVE: (f64, f64) = (4.0, 4.0);
/// A minute that is below the rate by this part of that is the rate from then on.
const DROPS: f64 = 0.75;
/// The rate is that of about so many minutes.
const MEMORY: f64 = 16.0;
/// Failures of the live version that stay for more minutes than these are no burst, but its rate.
pub(crate) const LONGEST: u32 = 10;
/// Failures of the canary are no larger than a burst if their excess is at most so many times that of the
/// worst minute.
const WORST: f64 = 3.0;
/// A live version that was read for so many minutes and had no burst is one that has none.
const HAS_NONE: u32 = 60;

/// Bursts of failures over all instances in a history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryBursts {
    /// How many, at least 1.
    pub bursts: u32,
    /// The minutes of the longest.
    pub longest: u32,
    /// The largest excess of failures in a minute over the usual rate.
    pub worst: f64,
}

/// The live version, minute by minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Live {
    pub(crate) minute: Minute,
    /// Failures and requests without bursts, of which those of earlier minutes count less.
    pub(crate) usual: Counts,
    /// For how many minutes it was read.
    pub(crate) minutes: u32,
    /// Minutes of the burst that is under way, and the largest excess of one.
    pub(crate) lasts: u32,
    pub(crate) rise: f64,
    /// How many bursts are over, the minutes of the longest, and the largest excess of a minute.
    pub(crate) bursts: u32,
    pub(crate) longest: u32,
    pub(crate) worst: f64,
}

/// Counts since a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Minute {
    since: Option<Timestamp>,
    counts: Counts,
}

impl Minute {
    /// Adds counts that end now; those of the minute, if it is over.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    fn add(&mut self, at: Timestamp, counts: Counts) -> Option<Counts> {
        self.counts.add(counts);
        (at.since(*self.since.get_or_insert(at)) >= MINUTE).then(|| self.end(at))
    }

    /// The counts; another minute begins.
    pub(crate) fn end(&mut self, at: Timestamp) -> Counts {
        self.since = Some(at);
        std::mem::take(&mut self.counts)
    }
}

impl Live {
    /// One that has had bursts before.
    pub(crate) fn after(bursts: HistoryBursts) -> Self {
        let HistoryBursts { bursts, longest, worst } = bursts;
        Self { bursts, longest, worst, ..Self::default() }
    }

    /// How many bursts it has had, with the one that is under way.
    pub(crate) const fn bursts(&self) -> u32 {
        self.bursts.saturating_add((self.lasts > 0) as u32)
    }

    /// The bursts that it has had; None without any.
    pub(crate) fn had(&self) -> Option<HistoryBursts> {
        let (bursts, longest) = (self.bursts(), self.longest.max(self.lasts));
        (bursts > 0).then(|| HistoryBursts { bursts, longest, worst: self.worst.max(self.rise) })
    }

    /// Takes in counts that end now.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    pub(crate) fn learn(&mut self, at: Timestamp, counts: Counts) {
        if let Some(minute) = self.minute.add(at, counts) {
            self.end_minute(minute);
        }
    }

    #[inline(never)]
    fn end_minute(&mut self, minute: Counts) {
        let (excess, differ) = (self.excess(minute), self.differ(minute));
        let is_burst = excess > differ;
        self.minutes = self.minutes.saturating_add(1);
        if is_burst && self.lasts < LONGEST {
            (self.lasts, self.rise) = (self.lasts + 1, self.rise.max(excess));
            return;
        }
        // What stays was no burst.
        if let Some(HistoryBursts { bursts, longest, worst }) = self.had().filter(|_| !is_burst) {
            (self.bursts, self.longest, self.worst) = (bursts, longest, worst);
        }
        (self.lasts, self.rise) = (0, 0.0);
        if self.usual.trials == 0.0 || excess < -DROPS * differ || is_burst {
            self.usual = minute;
        } else {
            let kept = 1.0 - 1.0 / MEMORY;
            self.usual = Counts::new(kept * self.usual.events, kept * self.usual.trials);
            self.usual.add(minute);
        }
    }

    /// How many of these failures are above the usual rate.
    pub(crate) fn excess(&self, of: Counts) -> f64 {
        of.events - self.usual.events / self.usual.trials * of.trials
    }

    /// What independent errors at about the usual rate differ by from these.
    fn differ(&self, of: Counts) -> f64 {
        let part = of.trials / self.usual.trials;
        let mean = (self.usual.events + 1.0) * part;
        ABOVE.0 * (mean * (1.0 + part)).sqrt() + ABOVE.1 + part
    }

    /// Whether independent errors at about the usual rate are fewer.
    #[inline]
    pub(crate) fn is_burst(&self, of: Counts) -> bool {
        of.events > ABOVE.1 && self.excess(of) > self.differ(of)
    }

    /// Whether the canary's failures of so many minutes are no larger than those of its bursts.
    pub(crate) fn has_had(&self, canary: Counts, minutes: f64) -> bool {
        self.excess(canary) <= WORST * self.worst.max(self.rise) * minutes
    }

    /// Whether it may have bursts, of which it has had none.
    pub(crate) const fn may_have_one(&self) -> bool {
        self.bursts() > 0 || self.minutes < HAS_NONE
    }
}
