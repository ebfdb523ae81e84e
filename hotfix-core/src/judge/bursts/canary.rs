//! The canary minute by minute, and its bursts.

use serde::{Deserialize, Serialize};

use crate::stats::Counts;
use crate::stats::bursts::{LONGEST, Live};
use crate::stats::numeric::{ln, ln1p};
use crate::stats::rate_ratio::{RateRatio, RateRatioDesign};
use crate::unit::{Span, Timestamp};

/// Longest burst of the canary that is left out, without the minute in which it ends: a fault that
/// is no larger is found after that.
pub(in crate::judge) const LASTS: Span = Span::from_seconds(240);
/// Longest burst where the live version had longer ones: this many times its longest, up to `LASTS_MOST`.
/// Where at most the share `SMALL` of the canary's requests fail, it is always `LASTS_MOST`.
const LONGER: u32 = 2;
const LASTS_MOST: Span = Span::from_seconds(480);
const SMALL: f64 = 0.05;
/// Largest share of the canary's requests that may fail in a burst.
pub(super) const MOST_FAILING: f64 = 1.0 / 3.0;
/// Limits of a burst that is larger than those of the live version: the share of the canary's
/// requests that fail, and the failures over all requests, in seconds of an outage.
const LARGER: (f64, f64) = (0.1, 5.0);
/// The canary was good before a burst if its log evidence of harm had risen by at most this in the phase,
/// which had lasted for so long. The minute before does not count: it may have the first failures.
const GOOD: (f64, Span) = (2.0, Span::from_seconds(180));
/// Standard errors by which the canary surely fails more than the live version at the same time.
const SURELY: f64 = 3.0;
/// Hypothesis that the canary has so many times as many bursts; its bursts count once it is
/// `TOO_MANY` times as likely as that both versions have as many.
const TIMES_AS_MANY: f64 = 20.0;
const TOO_MANY: f64 = 20.0;
/// How many of the canary's last bursts are remembered.
pub(super) const REMEMBERED: usize = 8;

/// Counts of both arms, in which the canary may be `allowed` times as bad as tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Compared {
    pub(super) canary: Counts,
    pub(super) live: Counts,
    pub(super) allowed: f64,
}

/// The canary, minute by minute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Canary {
    /// Begin and counts of the minute that is not in the evidence yet.
    pub(super) since: Timestamp,
    pub(super) minute: Compared,
    /// The evidence until then, without bursts.
    pub(super) state: RateRatio,
    /// Lower bounds of that evidence: a minute before it; the least since a burst is known; and
    /// when the phase began, at `start`.
    before: f64,
    pub(super) lowest: f64,
    at_start: f64,
    start: Timestamp,
    /// Log evidence that the canary has more bursts, and how many of the live version's are in it.
    pub(super) more: f64,
    compared: u32,
    /// What the live version's last burst added to `more`; subtracted if that turns out to be the rate.
    last_added: f64,
}

/// Bursts of the canary that are not in its evidence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LeftOut {
    /// How many of the bursts are over.
    pub(super) bursts: u32,
    /// The last of them in this phase: when they were over, and the canary's counts.
    pub(super) last: Vec<(Timestamp, Counts)>,
    /// A burst that may be under way, without the minute that is not over.
    pub(super) burst: Option<Burst>,
}

/// A burst of the canary: its begin, its length in minutes, and what was compared in them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Burst {
    pub(super) began: Timestamp,
    pub(super) minutes: u32,
    pub(super) of: Compared,
}

impl Compared {
    pub(super) const NONE: Self =
        Self { canary: Counts::new(0.0, 0.0), live: Counts::new(0.0, 0.0), allowed: 1.0 };

    #[inline]
    pub(super) fn add(&mut self, Self { canary, live, allowed }: Self) {
        self.canary.add(canary);
        self.live.add(live);
        self.allowed = self.allowed.max(allowed);
    }

    /// Whether the canary surely fails more than the live version at the same time.
    pub(super) fn is_worse(&self) -> bool {
        let Self { canary, live, .. } = self;
        let part = canary.trials / live.trials;
        let error = ((live.events + 1.0) * part * (1.0 + part)).sqrt();
        canary.events - part * live.events > SURELY * error
    }

    /// The seconds of an outage that fails as many requests as the canary did in this time.
    fn costs(&self, lasts: Span) -> f64 {
        self.canary.events / (self.canary.trials + self.live.trials) * lasts.as_seconds()
    }

    /// Log evidence for [`TIMES_AS_MANY`] from one burst in these requests, of the canary or of the
    /// live version. If both versions have as many, a burst is the canary's with the chance of its
    /// share of the requests.
    pub(super) fn more_bursts(&self, of_canary: bool) -> f64 {
        let trials = self.canary.trials + self.live.trials;
        let share = if trials > 0.0 { self.canary.trials / trials } else { 0.0 };
        let all = ln1p((TIMES_AS_MANY - 1.0) * share);
        if of_canary { ln(TIMES_AS_MANY) - all } else { -all }
    }
}

impl Canary {
    /// The canary from this time on, with the evidence until then.
    pub(super) fn new(
        at: Timestamp,
        design: &RateRatioDesign,
        state: RateRatio,
        live: &Live,
    ) -> Self {
        let at_start = state.log_e_bound(design);
        Self {
            since: at,
            minute: Compared::NONE,
            state,
            before: at_start,
            lowest: at_start,
            at_start,
            start: at,
            more: 0.0,
            compared: live.bursts(),
            last_added: 0.0,
        }
    }

    /// Another phase begins, with this evidence.
    pub(super) fn start(
        &mut self,
        at: Timestamp,
        design: &RateRatioDesign,
        state: RateRatio,
        live: &Live,
    ) {
        let was_compared = live.bursts() == self.compared;
        let last_added = if was_compared { self.last_added } else { 0.0 };
        *self = Self { more: self.more, last_added, ..Self::new(at, design, state, live) };
    }

    /// Copies what changes until the minute is over.
    #[inline]
    pub(super) const fn keep_minute(&mut self, of: &Self) {
        (self.minute, self.lowest) = (of.minute, of.lowest);
        (self.more, self.compared, self.last_added) = (of.more, of.compared, of.last_added);
    }

    pub(super) fn begin_minute(&mut self, at: Timestamp) {
        (self.since, self.minute) = (at, Compared::NONE);
    }

    /// Ends a minute, with the evidence until now. After a burst that counts, the canary was not
    /// good a minute before.
    pub(super) fn end_minute(
        &mut self,
        at: Timestamp,
        state: &RateRatio,
        design: &RateRatioDesign,
        is_burst: bool,
    ) {
        self.begin_minute(at);
        self.before = if is_burst { state } else { &self.state }.log_e_bound(design);
        self.state = *state;
    }

    /// Adds what the live version has had to the comparison of how many bursts the versions have.
    pub(super) fn compare_bursts(&mut self, live: &Live) {
        if live.bursts() > self.compared {
            self.last_added = self.minute.more_bursts(false);
            self.more += f64::from(live.bursts() - self.compared) * self.last_added;
        } else if live.bursts() < self.compared {
            // A burst that was under way turned out to be the rate.
            self.more -= std::mem::take(&mut self.last_added);
        }
        self.compared = live.bursts();
    }

    /// How long a burst that goes on in this minute may last to be left out; None if it counts.
    pub(super) fn most(&self, burst: &Burst, at: Timestamp, live: &Live) -> Option<Span> {
        if self.more >= ln(TOO_MANY) || !fails_at_most(self.minute.canary, MOST_FAILING) {
            return None;
        }
        let was_good =
            self.before <= self.at_start + GOOD.0 && burst.began.since(self.start) >= GOOD.1;
        let costs = || burst.with(self.minute).of.costs(at.since(burst.began));
        if live.has_had(self.minute.canary, 1.0) {
            Some(if was_good { longest(live, self.minute.canary) } else { LASTS })
        } else {
            let few = fails_at_most(self.minute.canary, LARGER.0) && costs() <= LARGER.1;
            (few && was_good && live.may_have_one()).then_some(LASTS)
        }
    }

    /// The log evidence, with the minute that is not over unless it may be of a burst.
    pub(super) fn log_e(&self, design: &RateRatioDesign, live: &Live) -> f64 {
        let mut state = self.state;
        if !live.is_burst(self.minute.canary) {
            feed(&mut state, design, self.minute);
        }
        state.log_e(design)
    }
}

impl Burst {
    /// The burst with one minute more.
    pub(super) fn with(mut self, minute: Compared) -> Self {
        self.of.add(minute);
        self.minutes += 1;
        self
    }

    /// Whether the canary's failures are less than half as many as those of the burst have been: it ends
    /// in this minute.
    pub(super) fn fades(&self, live: &Live, canary: Counts) -> bool {
        2.0 * f64::from(self.minutes) * live.excess(canary) < live.excess(self.of.canary)
    }
}

impl LeftOut {
    /// A burst is over.
    #[cold]
    pub(super) fn leave_out(&mut self, at: Timestamp, canary: Counts) {
        self.bursts += 1;
        if self.last.len() == REMEMBERED {
            self.last.remove(0);
        }
        self.last.push((at, canary));
    }
}

pub(super) fn feed(state: &mut RateRatio, design: &RateRatioDesign, of: Compared) {
    // Counts were checked when they were read, so the test takes them.
    let _ = state.update_allowing(design, &[(of.canary, of.live)], of.allowed);
}

/// For how long a burst like those of the live version may last, after the canary was good.
pub(super) fn longest(live: &Live, canary: Counts) -> Span {
    if fails_at_most(canary, SMALL) {
        return LASTS_MOST;
    }
    Span::from_seconds(60 * LONGER * live.longest.min(LONGEST)).clamp(LASTS, LASTS_MOST)
}

/// Whether no more than this share of the canary's requests fail.
pub(super) fn fails_at_most(canary: Counts, share: f64) -> bool {
    canary.events <= share * canary.trials
}
