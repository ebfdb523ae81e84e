//! Bursts of failures of the live version. See `docs/decisions/one-clients-failures.md`.

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::unit::{Span, Timestamp};

/// Time over which failures are summed and compared with the usual rate.
pub(crate) const MINUTE: Span = Span::from_seconds(60);
/// A burst exceeds the usual rate by so many standard deviations plus so many failures, as
/// independent errors do in at most one minute of 25,000.
pub(crate) const ABOVE: (f64, f64) = (4.0, 4.0);
/// A minute that is below the usual rate by this part of a burst's excess becomes the usual rate.
const DROPS: f64 = 0.75;
/// Minutes over which the usual rate is about averaged.
const MEMORY: f64 = 16.0;
/// Minutes after which failures of the live version are its new usual rate, and no longer a burst.
pub(crate) const LONGEST: u32 = 10;
/// The canary's failures may be a burst if their excess is at most this many times that of the live
/// version's worst minute.
const WORST: f64 = 3.0;
/// Minutes without a burst after which the live version is taken to have none.
const HAS_NONE: u32 = 60;

/// Bursts of failures over all instances in a history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryBursts {
    /// Number of bursts, at least 1.
    pub bursts: u32,
    /// Minutes of the longest burst.
    pub longest: u32,
    /// The largest excess of failures in a minute over the usual rate.
    pub worst: f64,
}

/// Usual failure rate of the live version, and its bursts so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Live {
    pub(crate) minute: Minute,
    /// Failures and requests without bursts, earlier minutes with less weight: the usual rate.
    pub(crate) usual: Counts,
    /// Minutes in which it was read.
    pub(crate) minutes: u32,
    /// Minutes of the burst under way, 0 without one, and the largest excess of a minute in it.
    pub(crate) lasts: u32,
    pub(crate) rise: f64,
    /// Bursts that are over: their number, minutes of the longest, largest excess of a minute.
    pub(crate) bursts: u32,
    pub(crate) longest: u32,
    pub(crate) worst: f64,
}

/// Counts of the minute under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Minute {
    since: Option<Timestamp>,
    counts: Counts,
}

impl Minute {
    /// Adds counts that end at `at`; if the minute is over, returns its counts and begins another.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    fn add(&mut self, at: Timestamp, counts: Counts) -> Option<Counts> {
        self.counts.add(counts);
        (at.since(*self.since.get_or_insert(at)) >= MINUTE).then(|| self.end(at))
    }

    /// Returns the counts so far and begins another minute.
    pub(crate) fn end(&mut self, at: Timestamp) -> Counts {
        self.since = Some(at);
        std::mem::take(&mut self.counts)
    }
}

impl Live {
    /// A live version with these bursts in its history.
    pub(crate) fn after(bursts: HistoryBursts) -> Self {
        let HistoryBursts { bursts, longest, worst } = bursts;
        Self { bursts, longest, worst, ..Self::default() }
    }

    /// Number of bursts so far, with the one under way.
    pub(crate) const fn bursts(&self) -> u32 {
        self.bursts.saturating_add((self.lasts > 0) as u32)
    }

    /// The bursts so far, with the one under way; None without any.
    pub(crate) fn had(&self) -> Option<HistoryBursts> {
        let (bursts, longest) = (self.bursts(), self.longest.max(self.lasts));
        (bursts > 0).then(|| HistoryBursts { bursts, longest, worst: self.worst.max(self.rise) })
    }

    /// Adds counts that end at `at`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as long as a call to it")]
    pub(crate) fn learn(&mut self, at: Timestamp, counts: Counts) {
        if let Some(minute) = self.minute.add(at, counts) {
            self.end_minute(minute);
        }
    }

    #[inline(never)]
    fn end_minute(&mut self, minute: Counts) {
        let (excess, least_burst) = (self.excess(minute), self.least_burst(minute));
        let is_burst = excess > least_burst;
        self.minutes = self.minutes.saturating_add(1);
        if is_burst && self.lasts < LONGEST {
            (self.lasts, self.rise) = (self.lasts + 1, self.rise.max(excess));
            return;
        }
        // Failures that last longer than [`LONGEST`] were no burst, and are not added.
        if let Some(HistoryBursts { bursts, longest, worst }) = self.had().filter(|_| !is_burst) {
            (self.bursts, self.longest, self.worst) = (bursts, longest, worst);
        }
        (self.lasts, self.rise) = (0, 0.0);
        if self.usual.trials == 0.0 || excess < -DROPS * least_burst || is_burst {
            self.usual = minute;
        } else {
            let kept = 1.0 - 1.0 / MEMORY;
            self.usual = Counts::new(kept * self.usual.events, kept * self.usual.trials);
            self.usual.add(minute);
        }
    }

    /// Failures above the usual rate; negative if below.
    pub(crate) fn excess(&self, of: Counts) -> f64 {
        of.events - self.usual.events / self.usual.trials * of.trials
    }

    /// Excess above which counts with these trials are a burst; allows for the error of the usual
    /// rate.
    fn least_burst(&self, of: Counts) -> f64 {
        let part = of.trials / self.usual.trials;
        let mean = (self.usual.events + 1.0) * part;
        ABOVE.0 * (mean * (1.0 + part)).sqrt() + ABOVE.1 + part
    }

    /// Whether these failures are more than independent errors at the usual rate explain.
    #[inline]
    pub(crate) fn is_burst(&self, of: Counts) -> bool {
        of.events > ABOVE.1 && self.excess(of) > self.least_burst(of)
    }

    /// Whether the canary's failures in this many minutes are at most [`WORST`] times as large as
    /// the live version's worst minute.
    pub(crate) fn has_had(&self, canary: Counts, minutes: f64) -> bool {
        self.excess(canary) <= WORST * self.worst.max(self.rise) * minutes
    }

    /// Whether bursts are possible: one was seen, or it was read too briefly to know that there are
    /// none.
    pub(crate) const fn may_have_one(&self) -> bool {
        self.bursts() > 0 || self.minutes < HAS_NONE
    }
}
