//! What the success bounds of a phase are compared with. Where a miss only holds, that is the last
//! `watch` of the phase: a shock, or one client's failures, count until they are so long ago, and
//! not until the end of the phase. See `docs/decisions/standard-success-bounds.md`.

use std::borrow::Cow;

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::grade::Response;
use crate::metric::{Band, Window, WindowState, Zone, zone};
use crate::policy::section::Phase;
use crate::unit::{Share, Span, Timestamp};

use super::watched::Watched;

/// Slots of the window: few, because it is long and every metric has one.
const SLOTS: u64 = 10;

/// The last `watch` of a phase, for one metric.
#[derive(Debug, Educe, PartialEq)]
#[educe(Clone)]
pub(super) struct Criterion {
    span: Span,
    window: Window,
}

/// State in a snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CriterionState {
    span: Span,
    window: WindowState,
}

impl Criterion {
    /// How much of a phase counts at its end; None where all of it does.
    pub(super) fn span(phase: &Phase) -> Option<Span> {
        let goes_on = phase.watch_most.is_none_or(|most| most > phase.watch);
        (phase.criteria_missed == Response::Hold && goes_on).then_some(phase.watch)
    }

    /// Nothing was read yet; a row has this many columns.
    pub(super) fn new(span: Span, width: usize) -> Self {
        let slot = Span::from_millis(span.as_millis() / SLOTS);
        Self { span, window: Window::new(span, slot, width) }
    }

    /// The same for rows of another width.
    pub(super) fn set_width(&mut self, width: usize) {
        *self = Self::new(self.span, width);
    }

    pub(super) fn add(&mut self, at: Timestamp, row: &[f64]) {
        self.window.add(at, row);
    }

    pub(super) fn amend(&mut self, added: &[f64], instead: &[f64]) {
        self.window.amend(added, instead);
    }

    pub(super) fn expire(&mut self, at: Timestamp) {
        self.window.expire(at);
    }

    pub(super) fn state(&self) -> CriterionState {
        CriterionState { span: self.span, window: self.window.state() }
    }

    /// Restores the state of a snapshot; None if it does not fit rows of this width.
    pub(super) fn restored(state: CriterionState, width: usize) -> Option<Self> {
        let mut restored = Self::new(state.span, width);
        restored.window.resume(state.window).then_some(restored)
    }
}

impl Watched {
    /// The columns of both arms that the success bounds of the phase are compared with: without one
    /// of the canary's instances where they are met only then.
    pub(super) fn judged(&self, share: Share) -> Cow<'_, [f64]> {
        let all = self.criterion.as_ref().map_or(self.window.phase(), |of| of.window.sums());
        if self.left_out.is_none() || self.meets(all, share) != Some(false) {
            return Cow::Borrowed(all);
        }
        let met = |rest: &Vec<f64>| self.meets(rest, share) == Some(true);
        self.phase_without_one().find(met).map_or(Cow::Borrowed(all), Cow::Owned)
    }

    /// Whether both arms' columns meet the success bound; None with fewer than the least trials.
    fn meets(&self, row: &[f64], share: Share) -> Option<bool> {
        self.zone_of(row, share).map(|zone| matches!(zone.band, Band::Success | Band::NotJudged))
    }

    /// The zone of both arms' columns; None with fewer than the least trials.
    pub(super) fn zone_of(&self, row: &[f64], share: Share) -> Option<Zone> {
        let (canary, baseline) = row.split_at(self.columns());
        let value = self.value(canary, share.as_fraction())?;
        if self.trials(canary).is_some_and(|n| n < self.watch.least_trials) {
            return None;
        }
        let live = self.live_value(baseline, share);
        Some(zone(&self.metric, value, live, self.is_tested()))
    }
}
