//! Readings of a metric: the last running totals, when arms were read, and how much of a phase and of the
//! window readings cover. A reading that is of all the time since the one before, or of some of it, leaves
//! no gap there, however late it comes. Readings without one request are silence: see
//! `docs/decisions/nothing-judges.md`.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::metric::{Counters, Layout, Reading, Tick, Unused, trials_column};
use crate::policy::section::{Metric, Watch};
use crate::unit::{Span, Timestamp};

use super::bracket::{BASELINE, CANARY};

/// Readings of a metric; serialized as it is into a snapshot.
#[serde_with::skip_serializing_none]
#[derive(Debug, Default, Educe, PartialEq, Serialize, Deserialize)]
#[educe(Clone)]
pub(super) struct Readings {
    pub(super) counters: Counters,
    /// When the canary last read something.
    pub(super) read_at: Option<Timestamp>,
    /// When the canary last read something that it had not read before.
    pub(super) new_at: Option<Timestamp>,
    /// When each arm last had requests.
    pub(super) requests: [Requests; 2],
    /// Requests of the whole service in the watch before.
    pub(super) served: Served,
    /// When the live arm last read something.
    pub(super) live_read_at: Option<Timestamp>,
    /// Last reading of any arm, so that a repeated one is known.
    pub(super) seen_at: Option<Timestamp>,
    /// The last reading of any arm had running totals.
    pub(super) totals: bool,
    /// The last reading set the buckets.
    pub(super) lays_out: bool,
    /// The names of the strata in their order; empty for a list, or if they have changed.
    pub(super) strata: Option<Box<[String]>>,
    /// When the canary was last read without a NaN or infinite number; None unless the last reading has one.
    pub(super) not_finite: Option<Timestamp>,
    /// Why the last reading of each arm in this phase was not used; None where it was.
    pub(super) unused: [Option<Unused>; 2],
    /// The first time in this phase of which other counts came when it was read already.
    pub(super) lost: Option<Timestamp>,
    /// How long readings have covered this phase, without silence beyond the stale limit.
    pub(super) covered: Span,
    /// How much of `covered` is the last reading's, and how much went into the windows.
    pub(super) step: Span,
    pub(super) learned: Span,
    /// Coverage of the window.
    pub(super) coverage: Coverage,
}

impl Readings {
    /// Records a reading, whatever it is used for. `since`: when the present watch began.
    pub(super) fn read(
        &mut self,
        (metric, layout): (&Metric, &Layout),
        (reading, tick): (&Reading, &Tick),
        at: Timestamp,
        since: Option<Timestamp>,
        stale: Span,
    ) {
        self.counters.keep(metric, layout, (reading, tick), at);
        self.seen_at = Some(at);
        self.totals = tick.totals;
        self.not_finite = tick.not_finite.then(|| self.finite_at().or(since).unwrap_or(at));
        if reading.whole().is_none() {
            let names = self.strata.get_or_insert_with(|| reading.names().into());
            if **names != *reading.names() {
                *names = Box::default();
            }
        }
        self.step = Span::ZERO;
        for (arm, used) in [tick.canary, tick.baseline].into_iter().enumerate() {
            if used || tick.unused[arm].is_some() {
                self.unused[arm] = tick.unused[arm];
            }
        }
        // What follows totals of a volume that were not used came since then.
        for (requests, unused) in self.requests.iter_mut().zip(tick.unused) {
            if metric.kind.is_traffic() && matches!(unused, Some(Unused::First | Unused::Fell)) {
                requests.come(at);
            }
        }
        let columns = layout.columns();
        // If none of these columns is above 0, there was no request.
        let asked = if metric.kind.is_traffic() { 1 } else { columns };
        let has_any = |row: &[f64]| row.iter().any(|value| *value > 0.0);
        if tick.baseline {
            self.live_read_at = Some(at);
            if has_any(&tick.row[columns..columns + asked]) {
                self.requests[BASELINE].come(at);
            }
        }
        if tick.canary {
            if let Some(last) = self.read_at.max(since) {
                self.step = at.since(last).min(stale);
                self.covered = self.covered + self.step;
            }
            self.read_at = Some(at);
            // Otherwise a scrape was sent again, or there was no request.
            if has_any(&tick.row[..columns]) {
                self.new_at = Some(at);
            }
            if has_any(&tick.row[..asked]) {
                self.requests[CANARY].come(at);
            }
        }
    }

    /// When the canary was last read without a number that is not finite, in any stratum.
    pub(super) fn finite_at(&self) -> Option<Timestamp> {
        self.not_finite.or(self.read_at)
    }

    /// Whether a tick of this time has an arm that was already read at this time: a repeated
    /// delivery counts once.
    #[inline]
    pub(super) fn repeats(&self, tick: &Tick, at: Timestamp) -> bool {
        let was_read = |arm: usize, used: bool, read_at: Option<Timestamp>| {
            (used || tick.unused[arm].is_some())
                && (read_at == Some(at) || self.counters.were_read(arm, at))
        };
        self.seen_at == Some(at)
            && (was_read(CANARY, tick.canary, self.read_at)
                || was_read(BASELINE, tick.baseline, self.live_read_at))
    }

    /// Which arms were read at this time and have no request.
    #[inline]
    pub(super) fn idle(&self, at: Timestamp) -> [bool; 2] {
        let read_at = [self.read_at, self.live_read_at];
        [CANARY, BASELINE].map(|arm| read_at[arm] == Some(at) && !self.requests[arm].came(at))
    }

    /// Whether requests of an arm have stopped.
    pub(super) fn have_stopped(&self) -> bool {
        self.requests.iter().any(|arm| arm.have_stopped())
    }

    /// Whether the last reading still counts: a value that lasts does until it is stale.
    pub(super) fn lasts(&self, metric: &Metric, watch: &Watch, at: Timestamp) -> bool {
        let is_fresh = |read| at.since(read) <= watch.stale;
        metric.kind.lasts() && self.read_at.is_some_and(is_fresh)
    }

    /// How long ago each arm was last read, at least `least`; None before it was.
    pub(super) fn since(&self, at: Timestamp, least: Span) -> [Option<Span>; 2] {
        [self.read_at, self.live_read_at].map(|last| last.map(|last| at.since(last).max(least)))
    }

    /// Seconds that each arm's counts in a reading cover; called before the reading is recorded. They begin
    /// at the arm's last requests, also before the watch `began`, because a scrape is read several times;
    /// counts of 0 cover nothing until the next requests are due. An arm's first counts cover the watch, at
    /// most `stale`. Running totals that follow some that were not used cover the time since those; those of
    /// a volume cover nothing until its next requests are due, because each scrape is sent several times.
    pub(super) fn seconds(
        &self,
        kind: MetricKind,
        tick: &Tick,
        at: Timestamp,
        began: Option<Timestamp>,
        watch: &Watch,
    ) -> [f64; 2] {
        let wait = watch.scrape.unwrap_or(watch.stale);
        let wait = if kind.is_traffic() { wait } else { Span::ZERO };
        let (canary, live) = tick.row.split_at(tick.row.len() / 2);
        let of = |arm: usize, used: Option<Timestamp>, row: &[f64]| {
            let requests = self.requests[arm];
            let seconds = tick.totals.then_some(tick.seconds[arm]);
            let totals = seconds.and_then(|time| Some(at - Span::try_from_seconds(time).ok()?));
            let Some(read) = used.max(totals) else {
                return began.map_or(Span::ZERO, |began| at.since(began).min(watch.stale));
            };
            let Some(had) = requests.at else {
                return at.since(began.map_or(read, |of| of.max(read)));
            };
            let due = had + if requests.apart.is_zero() { wait } else { requests.apart };
            let waits = at <= due && row[trials_column(kind)] <= 0.0;
            if totals > used && (wait.is_zero() || !waits) {
                return at.since(read);
            }
            let since = if waits {
                at
            } else if read > due {
                read
            } else {
                had
            };
            at.since(since)
        };
        let canary = tick.canary.then(|| of(CANARY, self.read_at, canary));
        let live = tick.baseline.then(|| of(BASELINE, self.live_read_at, live));
        [canary, live].map(|time| time.map_or(0.0, Span::as_seconds))
    }

    /// The last reading goes into the windows.
    pub(super) fn learn(&mut self) {
        self.learned = self.learned + self.step;
    }

    pub(super) fn start_over(&mut self, at: Timestamp) {
        self.learned = Span::ZERO;
        self.coverage = Coverage::from(at);
    }

    /// A watch begins. `served`: what the whole service had in the one before.
    pub(super) fn start(&mut self, served: Served) {
        if served.requests > 0.0 {
            self.served = served;
        }
        self.requests.iter_mut().for_each(Requests::start);
        (self.covered, self.learned) = (Span::ZERO, Span::ZERO);
        self.coverage = Coverage::default();
        (self.unused, self.lost) = ([None; 2], None);
    }
}

/// Coverage of a window by readings without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Coverage {
    /// Time of the last reading in this phase.
    last: Option<Timestamp>,
    /// Time of the first reading after a gap; None without a gap in this phase.
    since: Option<Timestamp>,
    /// Time of the first reading after a gap since which the window was never full; None if it was full
    /// at the last reading. Where it lacked data for so long that a person is asked: full for as long.
    lacking: Option<Timestamp>,
}

impl Coverage {
    /// Coverage of a window that is filled from this time on, whatever was read before.
    pub(super) const fn from(at: Timestamp) -> Self {
        Self { last: Some(at), since: Some(at), lacking: None }
    }

    /// Records a reading that goes into the window of a phase that began at `phase`. `covers`: from
    /// the gap since the reading before, the time that this one covers.
    #[inline]
    pub(super) fn read(
        &mut self,
        at: Timestamp,
        phase: Option<Timestamp>,
        watch: &Watch,
        covers: impl FnOnce(Span) -> Span,
    ) {
        if let Some(last) = self.last.max(phase)
            && watch.is_silence(at.since(last))
        {
            self.since = Some(at - covers(at.since(last)));
            self.lacking.get_or_insert(at);
        }
        if self.lacking.is_some() {
            // So that a person is asked once, and not at each reading.
            let long = self.lacks_for(watch.no_data.after);
            let least = if long { watch.alert_lasts() } else { watch.window };
            if self.since.is_none_or(|since| at.since(since) >= least) {
                self.lacking = None;
            }
        }
        self.last = Some(at);
    }

    /// Whether readings have come for this long, too far apart to fill the window. After one gap
    /// only, the window is being filled.
    #[inline]
    pub(super) fn lacks_for(self, long: Span) -> bool {
        let lacking = self.lacking.filter(|lacking| self.since > Some(*lacking));
        lacking.zip(self.last).is_some_and(|(lacking, last)| last.since(lacking) >= long)
    }

    /// Start of the time that readings cover without a gap; None before a phase.
    #[inline]
    pub(super) fn since(self, phase: Option<Timestamp>) -> Option<Timestamp> {
        self.since.max(phase)
    }
}

/// Expected requests of which an arm has none by chance only once in `exp(10)` times.
const EXPECTED: f64 = 10.0;

/// When an arm last had requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Requests {
    at: Option<Timestamp>,
    /// How long before that it had some.
    apart: Span,
    /// No request has come for longer than chance explains.
    stopped: bool,
}

impl Requests {
    #[inline]
    pub(super) fn come(&mut self, at: Timestamp) {
        self.apart = self.at.map_or(Span::ZERO, |last| at.since(last));
        self.at = Some(at);
        self.stopped = false;
    }

    /// Whether the reading of this time has requests.
    #[inline]
    pub(super) fn came(self, at: Timestamp) -> bool {
        self.at == Some(at)
    }

    /// Time between the arm's last requests and those before: it may be scraped less often than it is read.
    pub(super) const fn apart(self) -> Span {
        self.apart
    }

    /// Records a reading without requests. `began`: start of the watch. `apart`: time between
    /// requests so far. `expected`: number of requests that would have come in a time.
    pub(super) fn stay_away(
        &mut self,
        at: Timestamp,
        (began, apart): (Option<Timestamp>, Span),
        watch: &Watch,
        expected: impl FnOnce(Span) -> f64,
    ) {
        let silent = self.at.max(began).map_or(Span::ZERO, |since| at.since(since));
        let silent = silent - apart.min(watch.no_data.after);
        self.stopped = silent > watch.stale && expected(silent) >= EXPECTED;
    }

    pub(super) const fn have_stopped(self) -> bool {
        self.stopped
    }

    pub(super) const fn start(&mut self) {
        self.stopped = false;
    }

    /// Since when no request has come, in a watch that `began` then; None while some do, or where
    /// chance may explain it.
    #[inline]
    pub(super) fn stopped_since(self, began: Option<Timestamp>) -> Option<Timestamp> {
        if self.stopped { self.last(began) } else { None }
    }

    /// When the last requests came; without any, when the watch began.
    pub(super) fn last(self, began: Option<Timestamp>) -> Option<Timestamp> {
        self.at.max(began)
    }
}

/// Requests of the whole service, and the seconds in which they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Served {
    pub(super) requests: f64,
    pub(super) seconds: f64,
}

impl Served {
    pub(super) fn and(self, other: Self) -> Self {
        Self { requests: self.requests + other.requests, seconds: self.seconds + other.seconds }
    }

    /// Requests that would have come in a time without any. The rate is that of all the time, so
    /// that a few requests in a short time promise little.
    pub(super) fn expected(self, silent: Span) -> f64 {
        let silent = silent.as_seconds();
        if silent > 0.0 { self.requests * silent / (self.seconds + silent) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_3_few_requests_promise_little() {
        let expected = |requests, seconds, silent| {
            Served { requests, seconds }.expected(Span::from_seconds(silent))
        };
        assert!(expected(1000.0, 60.0, 60) >= EXPECTED);
        assert!(expected(9.0, 10.0, 100_000) < EXPECTED);
        // 1% of 60 requests a minute.
        assert!(0.01 * expected(600.0, 600.0, 900) < EXPECTED);
    }
}
