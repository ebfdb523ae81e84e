//! Readings of a metric: the last running totals, when arms were read, and how much of a phase
//! readings cover.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::metric::{Counters, Layout, Reading, Tick, Unused};
use crate::policy::section::{Metric, Watch};
use crate::unit::{Span, Timestamp};

use super::bracket::{BASELINE, CANARY};
use super::coverage::Coverage;
use super::requests::{Requests, Served};
use super::snapshot::is_default;

/// Readings of a metric; its own state in a snapshot.
#[derive(Debug, Default, Educe, PartialEq, Serialize, Deserialize)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Readings {
    pub(super) counters: Counters,
    /// When the canary last read something.
    pub(super) read_at: Option<Timestamp>,
    /// When the canary last read something that it had not read before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) new_at: Option<Timestamp>,
    /// When each arm last had requests.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) requests: [Requests; 2],
    /// Requests of the whole service in the watch before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) served: Served,
    /// When the live arm last read something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) live_read_at: Option<Timestamp>,
    /// Last reading of any arm, so that a repeated one is known.
    pub(super) seen_at: Option<Timestamp>,
    /// That reading had running totals.
    pub(super) totals: bool,
    /// It set the buckets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) lays_out: bool,
    /// A number of it was NaN or infinite.
    pub(super) not_finite: bool,
    /// Why the last reading of each arm in this phase was not used; None where it was.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) unused: [Option<Unused>; 2],
    /// How long this phase has been covered by readings: longer silence than the stale limit is
    /// not.
    pub(super) covered: Span,
    /// How much of that the last reading covers, and how much went into the windows.
    pub(super) step: Span,
    pub(super) learned: Span,
    /// Since when the window has been filled.
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
        self.not_finite = tick.not_finite;
        self.step = Span::ZERO;
        for (arm, used) in [tick.canary, tick.baseline].into_iter().enumerate() {
            if used || tick.unused[arm].is_some() {
                self.unused[arm] = tick.unused[arm];
            }
        }
        let columns = layout.columns();
        // The columns without which there was no request.
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
            // A scrape that is sent again, or no request.
            if has_any(&tick.row[..columns]) {
                self.new_at = Some(at);
            }
            if has_any(&tick.row[..asked]) {
                self.requests[CANARY].come(at);
            }
        }
    }

    /// Which arms were read at this time and have no request.
    #[inline]
    pub(super) fn idle(&self, at: Timestamp) -> [bool; 2] {
        let read_at = [self.read_at, self.live_read_at];
        [CANARY, BASELINE].map(|arm| read_at[arm] == Some(at) && !self.requests[arm].came(at))
    }

    /// Whether those of an arm have stopped.
    pub(super) fn have_stopped(&self) -> bool {
        self.requests.iter().any(|arm| arm.have_stopped())
    }

    /// The last reading covers nothing: no request has come for too long.
    pub(super) fn cover_nothing(&mut self) {
        (self.covered, self.step) = (self.covered - self.step, Span::ZERO);
    }

    /// Whether the last reading still counts: one that lasts does until it is stale.
    pub(super) fn lasts(&self, metric: &Metric, watch: &Watch, at: Timestamp) -> bool {
        let is_fresh = |read| at.since(read) <= watch.stale;
        metric.kind.lasts() && self.read_at.is_some_and(is_fresh)
    }

    /// How long ago each arm was last read, at least `least`; None before it was.
    pub(super) fn since(&self, at: Timestamp, least: Span) -> [Option<Span>; 2] {
        [self.read_at, self.live_read_at].map(|last| last.map(|last| at.since(last).max(least)))
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
        self.unused = [None; 2];
    }
}
