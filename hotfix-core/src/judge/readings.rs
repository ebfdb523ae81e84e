//! Readings of a metric: the last running totals, when arms were read, and how much of a phase
//! readings cover.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::metric::{Counters, Layout, Reading, Tick};
use crate::policy::section::{Metric, Watch};
use crate::unit::{Span, Timestamp};

use super::coverage::Coverage;

/// Readings of a metric; its own state in a snapshot.
#[derive(Debug, Default, Educe, PartialEq, Serialize, Deserialize)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct Readings {
    counters: Counters,
    /// When the canary last read something.
    read_at: Option<Timestamp>,
    /// When the live arm last read something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live_read_at: Option<Timestamp>,
    /// Last reading of any arm, so that a repeated one is known.
    seen_at: Option<Timestamp>,
    /// That reading had running totals.
    totals: bool,
    not_finite: bool,
    /// How long this phase has been covered by readings: longer silence than the stale limit is
    /// not.
    covered: Span,
    /// How much of that the last reading covers, and how much went into the windows.
    step: Span,
    learned: Span,
    /// Since when the window has been filled.
    coverage: Coverage,
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
        self.counters.keep(metric, layout, reading, at);
        self.seen_at = Some(at);
        self.totals = tick.totals;
        self.not_finite = tick.not_finite;
        self.step = Span::ZERO;
        if tick.baseline {
            self.live_read_at = Some(at);
        }
        if tick.canary {
            if let Some(last) = self.read_at.max(since) {
                self.step = at.since(last).min(stale);
                self.covered = self.covered + self.step;
            }
            self.read_at = Some(at);
        }
    }

    /// The last reading goes into the windows.
    pub(super) fn learn(&mut self) {
        self.learned = self.learned + self.step;
    }

    /// The last reading goes into the window of a phase that began at `phase`.
    #[inline]
    pub(super) fn fill(&mut self, at: Timestamp, phase: Option<Timestamp>, watch: &Watch) {
        self.coverage.read(at, phase, watch);
    }

    /// A watch begins.
    pub(super) fn start(&mut self) {
        (self.covered, self.learned) = (Span::ZERO, Span::ZERO);
        self.coverage = Coverage::default();
    }

    pub(super) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// When the canary was read last.
    pub(super) const fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    /// When the live arm was read last.
    pub(super) const fn live_read_at(&self) -> Option<Timestamp> {
        self.live_read_at
    }

    /// When any arm was read last.
    pub(super) const fn seen_at(&self) -> Option<Timestamp> {
        self.seen_at
    }

    /// Whether the last reading had running totals.
    pub(super) const fn are_totals(&self) -> bool {
        self.totals
    }

    /// Whether a number of the last reading was NaN or infinite.
    pub(super) const fn is_not_finite(&self) -> bool {
        self.not_finite
    }

    /// How long readings cover the present watch.
    pub(super) const fn covered(&self) -> Span {
        self.covered
    }

    /// How much of it the last reading covers.
    pub(super) const fn step(&self) -> Span {
        self.step
    }

    /// How much of it went into the windows.
    pub(super) const fn learned(&self) -> Span {
        self.learned
    }

    /// Since when the window has been filled without a gap.
    #[inline]
    pub(super) fn filled_since(&self, phase: Option<Timestamp>) -> Option<Timestamp> {
        self.coverage.since(phase)
    }
}
