//! Bounds without each one of the canary's instances: they state what the release does, and
//! one instance with a customer who retries, or on a broken node, is not the release. See
//! `docs/decisions/rollback-bounds.md`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::grade::{EvidenceMode, Response};
use crate::metric::{CONFIRMS, Judged, Reading, Sample, Tick, Window, bound_figure};
use crate::policy::section::{Metric, Watch};
use crate::stats::Counts;
use crate::stats::interval::wilson;
use crate::stats::replay::LEAVE_ONE_OUT;
use crate::unit::{Share, Span, Timestamp};

use super::bursts::{KnownBursts, LASTS};
use super::criterion::Criterion;
use super::instances::{MOST_LEFT_OUT, each_instance};
use super::settling::ASKS;
use super::watched::Watched;
use super::{Cause, MetricVerdict, Moment, Reason};

/// Columns of an instance: events and trials.
const WIDTH: usize = 2;
/// Confidence of the interval of a share of slow requests.
const CONFIDENCE: f64 = 0.8;
/// Confidence of the interval of a share of failures, or of a count, that is compared with what the live
/// version had.
const SURELY: f64 = 0.95;
/// The least time of readings that count as the last ones.
const LATEST: Span = Span::from_seconds(60);
/// So many trials that the events of a count are few among them.
const UNLIMITED: f64 = 1e12;

/// Counts of the canary's instances in the trailing window, and in what counts of the phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LeftOut {
    /// In the order of names.
    parts: Vec<Part>,
    /// How many instances the last reading by instance named.
    present: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    name: Arc<str>,
    window: Window,
    /// The part of the phase that counts at its end, where that is not all of it.
    criterion: Option<Criterion>,
}

impl Part {
    fn new(name: Arc<str>, watch: &Watch, criterion: Option<&Criterion>) -> Self {
        let window = Window::new(watch.window, watch.cadence, WIDTH);
        Self { name, window, criterion: criterion.map(|of| of.beside(WIDTH)) }
    }

    fn add(&mut self, at: Timestamp, counts: &[f64; WIDTH]) {
        if let Some(criterion) = &mut self.criterion {
            criterion.learn(at, self.window.phase());
        }
        self.window.add(at, counts);
    }

    /// Sums over the part of the phase that counts at its end.
    fn counted(&self) -> &[f64] {
        let all = self.window.phase();
        self.criterion.as_ref().map_or(all, |of| of.of(all))
    }
}

impl LeftOut {
    /// For a proportion with a rollback or success bound; None for other metrics.
    pub(super) fn of(metric: &Metric) -> Option<Box<Self>> {
        let bounds = &metric.bounds;
        let applies =
            metric.kind.is_fraction() && (bounds.rollback.is_some() || bounds.success.is_some());
        applies.then(|| Box::new(Self { parts: Vec::new(), present: 0 }))
    }

    /// Another watch begins.
    pub(super) fn clear(&mut self) {
        self.parts.clear();
    }

    /// Adds the counts of the canary's instances in this tick. One that is gone, or only part of a sum,
    /// stays until its counts have left the window. `criterion`: the part of the phase that counts.
    pub(super) fn learn(
        &mut self,
        tick: &Tick,
        at: Timestamp,
        reading: &Reading,
        watch: &Watch,
        criterion: Option<&Criterion>,
    ) {
        let [of_canary, _] = &tick.instances;
        let names = match reading.whole().and_then(|arms| arms.canary.as_ref()) {
            Some(Sample::Instances(names)) if !of_canary.is_empty() => Some(names),
            _ => None,
        };
        self.present = names.map_or(self.present, BTreeMap::len);
        let names = names.into_iter().flat_map(BTreeMap::keys).map(String::as_str);
        let tick = names.zip(of_canary.iter().copied());
        let new = |name: &str| Some(Part::new(Arc::from(name), watch, criterion));
        let add = |part: &mut Part, counts: [f64; WIDTH]| part.add(at, &counts);
        each_instance(&mut self.parts, |part| &part.name, tick, new, add);
    }

    /// Drops what is too old at this time.
    #[inline]
    pub(super) fn expire(&mut self, at: Timestamp) {
        for Part { window, criterion, .. } in &mut self.parts {
            window.expire(at, || false);
            if let Some(criterion) = criterion {
                criterion.expire(at, window.phase());
            }
        }
    }

    pub(super) fn resume(
        &mut self,
        read: Self,
        watch: &Watch,
        criterion: Option<&Criterion>,
    ) -> bool {
        let Self { parts, present } = read;
        let fits = parts.is_sorted_by(|a, b| a.name < b.name) && parts.len() <= MOST_LEFT_OUT;
        self.present = present;
        self.parts.clear();
        fits && parts.into_iter().all(|Part { name, window, criterion: read }| {
            let mut part = Part::new(name, watch, criterion);
            let lay = |read: Criterion| {
                let both = part.criterion.as_mut().zip(read.of_width(WIDTH));
                both.map(|(fresh, read)| *fresh = read).is_some()
            };
            let fits = part.window.resume(window) && read.is_none_or(lay);
            self.parts.push(part);
            fits
        })
    }
}

impl Watched {
    /// The response to a breach of the rollback bound, and its cause: to roll back; to hold while
    /// the breach is of one instance, of new instances in their first minute, or not confirmed; to
    /// ask if the live version was no better.
    #[cold]
    pub(super) fn beyond_rollback(
        &self,
        moment: &Moment<'_>,
        seen: &MetricVerdict,
    ) -> (Response, Cause) {
        let cause = |reason, instance| Cause::new(reason, Some(self.metric().id), instance);
        if let Some(part) = self.only_with(moment.share) {
            let lasts = self.asks_about_instance().is_some_and(|asks| moment.at >= asks);
            let asks = lasts && self.stays_beyond(part, moment);
            let response = if asks { Response::Ask } else { Response::Hold };
            (response, cause(Reason::OneInstance, Some(Arc::clone(&part.name))))
        } else if self.is_first_minute(moment) {
            (Response::Hold, cause(Reason::WarmingUp, None))
        } else if self.lacks_evidence(moment.share, seen) || self.may_be_burst(moment) {
            (Response::Hold, cause(Reason::NotConfirmed, None))
        } else if self.is_no_worse_than_live_was(moment.share) {
            (Response::Ask, cause(Reason::RollbackBand, None))
        } else {
            (Response::RollBack, cause(Reason::RollbackBand, None))
        }
    }

    /// The last value of a live version that is gone, if that was itself beyond a rollback bound
    /// relative to it: then a rollback need not help. Else None.
    #[cold]
    pub(super) fn live_was_beyond(&self, share: Share, live: Option<Judged>) -> Option<Judged> {
        let bound = self.metric().bounds.rollback.filter(|bound| bound.compares_live())?;
        let last = self.last_live().filter(|_| share == Share::ALL && live.is_none())?;
        (self.metric().crossed(bound, last, None) == Some(true)).then_some(last)
    }

    /// Whether the canary is not surely worse than the live version was, which was itself beyond the
    /// rollback bound.
    fn is_no_worse_than_live_was(&self, share: Share) -> bool {
        let (canary, baseline) = self.window().sums().split_at(self.columns());
        let live = self.live_value(baseline, share);
        let (Some(bound), Some(last)) =
            (self.metric().bounds.rollback, self.live_was_beyond(share, live))
        else {
            return false;
        };
        let kind = self.metric().kind;
        // The trials of a score interval, and the unit of its ends. Of a count they are unlimited.
        let counted = match canary {
            [_, trials] if kind.is_fraction() => Some((*trials, 1.0)),
            [_, seconds] if kind.has_exposure() => Some((UNLIMITED, UNLIMITED / seconds * 60.0)),
            _ => None,
        };
        let value = match counted {
            Some((trials, unit)) => {
                let of = wilson(Counts::new(canary[0], trials), SURELY).ok();
                of.map(|of| Judged::between(unit * of.low, unit * of.high))
            }
            None => self.value(canary, share.as_fraction()),
        };
        value.is_none_or(|value| !self.metric().is_worse_than_last(bound, value, last))
    }

    /// Whether the evidence of harm has risen by what decides since its lowest point in the phase.
    pub(super) fn has_risen(&self) -> bool {
        let rise = self.basis().own_threshold();
        self.bursts().map_or_else(|| self.tests().has_risen(rise), |of| of.has_risen(rise))
    }

    /// Whether the evidence has risen and the canary is worse now, after it was better in this
    /// phase: the evidence of all of the phase may show the contrary.
    pub(super) fn has_become_worse(&self, seen: &MetricVerdict) -> bool {
        let now = seen.canary.zip(seen.baseline);
        let worse = now.is_some_and(|(canary, live)| self.metric().worse.is_beyond(canary, live));
        worse && self.is_tested() && self.has_risen()
    }

    /// The instance without which the rollback bound is not crossed. None if it is crossed without
    /// any one, or if the canary's instances are unknown or too few.
    fn only_with(&self, share: Share) -> Option<&Part> {
        let bound = self.metric().bounds.rollback?;
        let (canary, baseline) = self.window().sums().split_at(self.columns());
        let live = self.live_value(baseline, share);
        let &[events, trials] = canary else { return None };
        let remains = |part: &Part| {
            let of = part.window.sums();
            // The window of an instance may be a tick older.
            [(events - of[0]).max(0.0), (trials - of[1]).max(0.0)]
        };
        let keeps = |part: &&Part| {
            let value = self.value(&remains(part), share.as_fraction());
            value.is_none_or(|value| self.metric().crossed(bound, value, live) != Some(true))
        };
        self.may_be_left_out().find(keeps)
    }

    /// When a person is asked about an instance that alone is beyond the rollback bound, if it stays so.
    pub(super) fn asks_about_instance(&self) -> Option<Timestamp> {
        let has_parts = self.left_out().is_some_and(|of| !of.parts.is_empty());
        let since = self.degradation().beyond_rollback().filter(|_| has_parts);
        since.map(|since| since + ASKS)
    }

    /// How long the last readings are those of.
    pub(super) fn latest(&self) -> Span {
        self.scrape(self.readings().totals).unwrap_or_default().max(LATEST)
    }

    /// Whether an instance by itself has been beyond the rollback bound without a gap, in each minute with
    /// requests: a burst comes and goes.
    fn stays_beyond(&self, part: &Part, moment: &Moment<'_>) -> bool {
        let Some(bound) = self.metric().bounds.rollback else { return false };
        let live = self.live_value(&self.window().sums()[self.columns()..], moment.share);
        let (minute, mut newer) = (self.latest(), vec![0.0; WIDTH]);
        let (mut from, mut is_latest) = (moment.at, true);
        while moment.at.since(from) < ASKS {
            from = from - minute;
            let all = part.window.since(from);
            let of = [all[0] - newer[0], all[1] - newer[1]];
            let value = self.value(&of, moment.share.as_fraction());
            let crossed = value.and_then(|value| self.metric().crossed(bound, value, live));
            if crossed != Some(true) && (is_latest || value.is_some()) {
                return false;
            }
            (newer, is_latest) = (all, false);
        }
        true
    }

    /// Bad events and trials of an instance of the canary in the trailing window.
    pub(crate) fn of_instance(&self, name: &str) -> Option<Counts> {
        let part = self.left_out()?.parts.iter().find(|part| *part.name == *name)?;
        Some(self.bad_counts(part.window.sums()))
    }

    /// Instances of the canary without which a bound is checked: each one of at least four; of
    /// fewer, one that was found worse than the others, or may be by a comparison to come.
    fn may_be_left_out(&self) -> impl Iterator<Item = &Part> {
        let instances = self.instances();
        self.left_out().into_iter().flat_map(move |of| {
            let any = of.present >= LEAVE_ONE_OUT || instances.awaits_comparison();
            of.parts.iter().filter(move |part| any || instances.was_bad(&part.name))
        })
    }

    /// For each instance that may be left out, the columns of both arms that count of the phase without it.
    pub(super) fn counted_without_one(&self) -> impl Iterator<Item = Vec<f64>> {
        let all = self.counted();
        self.may_be_left_out().map(move |part| {
            let mut rest = all.to_vec();
            for (rest, of) in rest.iter_mut().zip(part.counted()) {
                *rest = (*rest - of).max(0.0);
            }
            rest
        })
    }

    /// Whether the evidence has to confirm a breach, and does not: that of a test that knows the
    /// noise or bursts of the live version, or of any test where the bound does not act if both arms
    /// are beyond it. Of a quantile chance is asked instead: evidence of new instances counts late.
    fn lacks_evidence(&self, share: Share, seen: &MetricVerdict) -> bool {
        let knows_noise = matches!(
            seen.mode,
            Some(EvidenceMode::Replay | EvidenceMode::Randomised | EvidenceMode::Both)
        );
        let of_both = self.metric().bounds.rollback.is_some_and(|bound| bound.unless_both_arms);
        let by_evidence = || {
            let confirms = self.basis().limits().map_or(CONFIRMS, |of| of.hold.max(CONFIRMS));
            seen.log_e.is_some_and(|log_e| self.statistic(log_e) >= confirms)
                || self.has_risen()
                || self.instances().drawn
        };
        let asks = knows_noise || of_both || self.bursts().is_some_and(KnownBursts::of_live);
        let lacks = if self.metric().kind.has_buckets() {
            (self.has_live(share) || share == Share::ALL) && !self.is_surely_slow(share)
        } else {
            self.has_live(share) && !by_evidence()
        };
        self.metric().is_tested() && asks && lacks
    }

    /// Whether the breach may be a burst like those of the live version, that is short or over. Only where
    /// no live version is left, or where the noise is known: elsewhere evidence has to confirm the breach.
    fn may_be_burst(&self, moment: &Moment<'_>) -> bool {
        let applies = moment.share == Share::ALL || !self.basis().knows_no_noise();
        let Some(bursts) = self.tests().bursts().filter(|_| applies) else { return false };
        let minutes = self.watch().window.as_seconds() / 60.0;
        bursts.may_be_one(self.counts_in_window(), minutes) && {
            let lasts = moment.at.since(self.degradation().breached_since(moment.at));
            lasts < LASTS || !self.is_beyond_now(moment, self.metric().bounds.rollback)
        }
    }

    /// Whether more of the canary's requests in the window are slower than the rollback bound than
    /// chance explains at a quantile that is on it. Where the bound is suppressed while the live version
    /// exceeds it, too, fewer of the live version's have to be: if both are about as slow as the
    /// bound, chance decides which of them is beyond it.
    fn is_surely_slow(&self, share: Share) -> bool {
        let Some(bound) = self.metric().bounds.rollback else { return false };
        let Some(figure) = bound_figure(self.metric(), bound, None) else { return false };
        let allowed = 1.0 - self.metric().quantile.as_fraction();
        let (canary, live) = self.window().sums().split_at(self.columns());
        let slow = |arm| wilson(self.slower_than(figure, arm)?, CONFIDENCE).ok();
        let of_both = bound.unless_both_arms && share < Share::ALL;
        slow(canary).is_some_and(|slow| slow.low > allowed)
            && (!of_both || slow(live).is_some_and(|slow| slow.high < allowed))
    }

    /// Whether the arms of a latency with a tolerance have been read for less than a minute.
    fn is_first_minute(&self, moment: &Moment<'_>) -> bool {
        let settling = self.tests().settling();
        settling.is_some_and(|of| of.is_first_minute(moment.at)) && self.has_live(moment.share)
    }

    fn has_live(&self, share: Share) -> bool {
        let baseline = &self.window().sums()[self.columns()..];
        share < Share::ALL && self.value(baseline, 1.0 - share.as_fraction()).is_some()
    }
}
