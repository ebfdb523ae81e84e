//! What the success bounds of a phase are compared with. Where a miss only holds, that is the last
//! `watch` of the phase: a shock, or one client's failures, count until they are so long ago, and
//! not until the end of the phase. See `docs/decisions/standard-success-bounds.md`.

use std::borrow::Cow;

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::grade::Response;
use crate::metric::{Band, Judged, Zone, bound_figure, zone};
use crate::policy::section::Phase;
use crate::unit::{Share, Span, Timestamp};

use super::watched::Watched;

/// Parts into which the time that counts is divided: it is exact to one part.
const PARTS: u64 = 10;
/// Parts that are kept: all of them, and one that has begun.
const KEPT: usize = 11;

/// The last `watch` of a phase, for one metric: the sums of the phase, less those before its oldest
/// part. So a tick costs one comparison of times.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Criterion {
    span: Span,
    /// Columns of both arms.
    #[serde(skip)]
    width: usize,
    /// When each part began, the oldest first, and what the phase had before it, row by row.
    begins: Vec<Timestamp>,
    before: Vec<f64>,
    /// The sums of the phase since its oldest part began; empty while that is all of the phase.
    since: Vec<f64>,
}

impl Criterion {
    /// How much of a phase counts at its end; None where all of it does.
    pub(super) fn span(phase: &Phase) -> Option<Span> {
        let goes_on = phase.watch_most.is_none_or(|most| most > phase.watch);
        (phase.criteria_missed == Response::Hold && goes_on).then_some(phase.watch)
    }

    /// A criterion before the first reading; a row has this many columns.
    pub(super) fn new(span: Span, width: usize) -> Self {
        Self {
            span,
            width,
            begins: Vec::with_capacity(KEPT),
            before: Vec::with_capacity(KEPT * width),
            since: Vec::with_capacity(width),
        }
    }

    /// An empty criterion for the same part of the phase, for rows of this width.
    pub(super) fn beside(&self, width: usize) -> Self {
        let mut of = Self::new(self.span, width);
        of.begins.extend(&self.begins);
        of.before.resize(self.begins.len() * width, 0.0);
        of.since.resize(if self.since.is_empty() { 0 } else { width }, 0.0);
        of
    }

    /// Length of the part of a phase that counts.
    pub(super) const fn lasts(&self) -> Span {
        self.span
    }

    /// Starts over with rows of another width.
    pub(super) fn set_width(&mut self, width: usize) {
        *self = Self::new(self.span, width);
    }

    /// Called before a tick is added to the phase, which has these sums: begins a part if it is time.
    #[inline]
    pub(super) fn learn(&mut self, at: Timestamp, phase: &[f64]) {
        let begins = self.begins.last().is_none_or(|last| {
            at.since(*last).as_millis().saturating_mul(PARTS) >= self.span.as_millis()
        });
        if begins {
            if self.begins.len() == KEPT {
                self.forget();
            }
            self.begins.push(at);
            self.before.extend_from_slice(phase);
        }
    }

    /// Drops what is too old at this time, when the phase has these sums.
    #[inline]
    pub(super) fn expire(&mut self, at: Timestamp, phase: &[f64]) {
        let old = |first: &Timestamp| at.since(*first) >= self.span;
        if self.since.is_empty() && !self.begins.first().is_some_and(old) {
            return;
        }
        while self.begins.first().is_some_and(|first| at.since(*first) >= self.span) {
            self.forget();
        }
        self.since.clear();
        if self.begins.is_empty() {
            self.since.resize(self.width, 0.0);
        } else {
            self.since.extend(phase.iter().zip(&self.before).map(|(now, before)| now - before));
        }
    }

    fn forget(&mut self) {
        self.begins.remove(0);
        self.before.drain(..self.width);
    }

    /// The part that counts, of a phase that has these sums.
    pub(super) fn of<'a>(&'a self, phase: &'a [f64]) -> &'a [f64] {
        if self.since.is_empty() { phase } else { &self.since }
    }

    /// Start of the part that counts; None for all of the phase.
    pub(super) fn counts_since(&self) -> Option<Timestamp> {
        self.begins.first().copied().filter(|_| !self.since.is_empty())
    }

    /// What was read from a snapshot, for rows of this width; None if it does not fit them.
    pub(super) fn of_width(self, width: usize) -> Option<Self> {
        let Self { span, width: _, begins, before, since } = self;
        let fits = begins.len() <= KEPT
            && before.len() == begins.len() * width
            && (since.is_empty() || since.len() == width);
        let mut of_width = Self::new(span, width);
        of_width.begins.extend(begins);
        of_width.before.extend(before);
        of_width.since.extend(since);
        fits.then_some(of_width)
    }
}

/// What is left out of the counts of a phase if only then the success bound is met.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Without {
    Instance,
    Bursts,
}

impl Watched {
    /// The columns of both arms that the bounds are compared with at the end of the phase: without
    /// one of the canary's instances, or without bursts, where the success bound is met only then.
    pub(super) fn judged(&self, share: Share) -> Cow<'_, [f64]> {
        self.judged_without(share).0
    }

    /// As [`judged`](Self::judged), and what was left out of them; None if nothing.
    pub(super) fn judged_without(&self, share: Share) -> (Cow<'_, [f64]>, Option<Without>) {
        if self.trails(share) {
            // Over a phase traffic has hours: the window alone is judged.
            return (Cow::Borrowed(self.window().sums()), None);
        }
        let counted = self.counted();
        // A level that was read before that part may still last.
        let lasts = self.metric().kind.lasts() && counted[1] <= 0.0;
        let all = if lasts { self.window().sums() } else { counted };
        if self.left_out().is_none() || self.meets(all, share) != Some(false) {
            return (Cow::Borrowed(all), None);
        }
        let one = self.counted_without_one().map(|rest| (rest, Without::Instance));
        let bursts = self.counted_without_bursts().map(|rest| (rest, Without::Bursts));
        let rest = one.chain(bursts).find(|(rest, _)| self.meets(rest, share) == Some(true));
        rest.map_or((Cow::Borrowed(all), None), |(rest, of)| (Cow::Owned(rest), Some(of)))
    }

    /// What counts of the phase without bursts of the canary that were left out of the evidence.
    fn counted_without_bursts(&self) -> Option<Vec<f64>> {
        let left_out = self.bursts()?.left_out_since(self.counted_since());
        let mut rest = self.counted().to_vec();
        let events = self.bad(left_out.events, left_out.trials);
        for (rest, of) in rest.iter_mut().zip([events, left_out.trials]) {
            *rest = (*rest - of).max(0.0);
        }
        (left_out.trials > 0.0).then_some(rest)
    }

    /// Whether both arms' columns meet the success bound; None with fewer than the least trials.
    fn meets(&self, row: &[f64], share: Share) -> Option<bool> {
        self.zone_of(row, share).map(|zone| matches!(zone.band, Band::Success | Band::NotJudged))
    }

    /// The zone of both arms' columns; None with fewer than the least trials.
    pub(super) fn zone_of(&self, row: &[f64], share: Share) -> Option<Zone> {
        let (canary, baseline) = row.split_at(self.columns());
        let value = self.value(canary, share.as_fraction())?;
        if self.trials(canary).is_some_and(|n| n < self.watch().least_trials) {
            return None;
        }
        let live = self.live_value(baseline, share);
        Some(zone(self.metric(), value, live, self.is_tested()))
    }

    /// The band over what counts of the phase; None with fewer than the least trials.
    pub(super) fn phase_band(&self, share: Share) -> Option<Band> {
        let band = self.phase_zone(share)?.band;
        let (_, baseline) = self.counted().split_at(self.columns());
        let live = self.live_value(baseline, share).map(Judged::middle);
        Some(self.band_of_test(band, self.log_e(), live))
    }

    /// The band of a value beside `live`, that of the live version. Where no bound has a figure the
    /// test alone judges the metric: evidence that rolls back turns success into `rollback`.
    pub(super) fn band_of_test(&self, band: Band, log_e: Option<f64>, live: Option<f64>) -> Band {
        let is_beyond = band == Band::Success
            && log_e.is_some_and(|log_e| log_e >= self.basis().own_threshold())
            && self.is_tested();
        let figure = |bound| bound_figure(self.metric(), bound, live.map(Judged::exactly));
        let has_no_figure = || self.metric().bounds.all().find_map(figure).is_none();
        if is_beyond && has_no_figure() && self.not_certain().is_none() {
            Band::Rollback
        } else {
            band
        }
    }

    /// The zone by the bounds over what counts of the phase; None with fewer than the least trials.
    pub(super) fn phase_zone(&self, share: Share) -> Option<Zone> {
        self.zone_of(&self.judged(share), share)
    }
}
