//! From readings to counts of both arms. Where the arms are read at different times, the counts of
//! one wait in pools for those of the other.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::judge::aligned::Side;
use crate::judge::bracket::Bracket;
use crate::judge::fed::Fed;
use crate::judge::prepared::Increment;
use crate::judge::readings::Readings;
use crate::judge::snapshot::Misfit;
use crate::metric::Tick;
use crate::stats::Counts;
use crate::unit::{Share, Span, Timestamp};

use super::{LastTick, MetricDesign};

/// An arm without requests in a tick in which it should have had so many was not read: `e^-14` is
/// less than one in a million.
const MISSED: f64 = 14.0;

/// The readings of a metric and the counts that wait for the other arm's; serialized as it is into
/// a snapshot.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Pairing {
    pub(super) readings: Readings,
    /// Where the arms are read at different times: counts that wait for the other arm's.
    pub(super) bracket: Option<Box<Bracket>>,
    /// Where the arms are read at the same time: counts that wait because the other arm has none.
    pub(super) waiting: Waiting,
    /// When the present watch began; the judge has it.
    #[serde(skip)]
    pub(super) began: Option<Timestamp>,
}

impl Pairing {
    /// Whether counts are paired from pools, or would be if this tick is steady; false for
    /// almost every tick of arms that are read together.
    #[inline]
    pub(super) fn may_be_apart(&self, design: &MetricDesign, tick: &Tick, share: Share) -> bool {
        !design.in_step
            && (self.is_known_apart(design, tick) || is_alone(design.trials_of(tick), share))
    }

    /// Sets the time in which running totals of a volume came.
    pub(super) fn time_volume(&self, design: &MetricDesign, tick: &mut Tick, at: Timestamp) {
        if design.metric.kind.is_traffic() && tick.totals {
            let kind = design.metric.kind;
            let seconds = self.readings.seconds(kind, tick, at, self.began, &design.watch);
            tick.set_minutes(seconds);
        }
    }

    /// Whether a tick does not count yet; see [`Watched::is_cold`](super::Watched::is_cold).
    #[inline]
    pub(super) fn is_cold(&self, design: &MetricDesign, tick: &Tick, at: Timestamp) -> bool {
        let (Some(began), watch) = (self.began, &design.watch) else { return false };
        let warm = began + watch.warm_up;
        // Totals that have not risen for so long are no counts that are still to come, but none.
        let rises = || tick.row[..design.layout.columns()].iter().any(|value| *value > 0.0);
        let awaits = tick.totals && (at <= warm + watch.stale || rises());
        let since = if awaits { self.readings.new_at } else { self.readings.read_at };
        let since = since.map_or(began, |since| since.max(began));
        at < warm || since + watch.cadence < warm && !design.metric.kind.lasts()
    }

    /// Whether counts are paired from pools, whatever the counts of this tick.
    #[inline]
    fn is_known_apart(&self, design: &MetricDesign, tick: &Tick) -> bool {
        self.bracket.is_some() || tick.totals || design.watch.scrape.is_some()
    }

    /// Records which arm has new counts in a tick, which [may be apart](Self::may_be_apart), and
    /// returns whether the pools have to start over. `steady`: traffic is as planned and warm, so
    /// both arms should have some. `from`: what began earlier is left out, by arm.
    #[inline(never)]
    pub(super) fn align(
        &mut self,
        design: &MetricDesign,
        tick: &Tick,
        at: Timestamp,
        steady: bool,
        from: [Option<Timestamp>; 2],
    ) -> bool {
        // Only an arm that was sent can be without new counts.
        if !(self.is_known_apart(design, tick) || steady && tick.canary && tick.baseline) {
            return false;
        }
        let is_new = design.trials_of(tick).map(|trials| trials > 0.0);
        self.waiting.clear();
        let totals = tick.totals;
        // Counts that are not running totals began at the reading before.
        let read_at = self.readings.seen_at.filter(|_| !totals);
        let watch = &design.watch;
        let bracket = self.bracket.get_or_insert_with(|| Box::new(Bracket::new(read_at, watch)));
        let seen_at = self.readings.seen_at.filter(|_| totals);
        let known = [tick.canary, tick.baseline].map(|is_known| seen_at.filter(|_| is_known));
        let gap = bracket.note(at, (is_new, known), totals, from, watch);
        if gap {
            bracket.forget();
        }
        gap
    }

    /// Pairs the tick's counts with those of the other arm. Returns whether there is something to
    /// compare on each alignment.
    pub(super) fn pair(
        &mut self,
        design: &MetricDesign,
        increment: &mut Increment,
        at: Timestamp,
    ) -> [bool; 2] {
        let (has_buckets, columns) = (design.metric.kind.has_buckets(), design.layout.columns());
        let Increment { tick, counts, clipped, .. } = increment;
        counts.clear();
        let Some(bracket) = &mut self.bracket else {
            if !has_buckets {
                match tick.strata.as_slice() {
                    [] => counts.push(design.counts_of(&tick.row)),
                    strata => {
                        let rows = strata.chunks(2 * columns);
                        counts.extend(rows.map(|row| design.counts_of(row)));
                    }
                }
            }
            return [tick.canary && tick.baseline; 2];
        };
        bracket.take(at, (&*tick, *clipped), columns, &design.watch, |row| {
            if has_buckets { Default::default() } else { design.counts_of(row) }
        });
        if !has_buckets {
            counts.extend_from_slice(&bracket.batch(Side::Lag).counts);
        }
        Side::BOTH.map(|side| !bracket.batch(side).rows.is_empty())
    }

    /// Where the arms are read at the same time, adds waiting counts to a tick, and keeps what has
    /// to wait. Returns whether counts had waited for too long and were left out.
    #[inline]
    pub(super) fn complete(
        &mut self,
        design: &MetricDesign,
        increment: &mut Increment,
        at: Timestamp,
    ) -> bool {
        let Increment { tick, .. } = &*increment;
        let compares = self.bracket.is_none() && tick.canary && tick.baseline;
        compares && self.waiting.complete(increment, at, design.watch.window)
    }

    /// Discards what waits; false if nothing can.
    pub(super) fn discard(&mut self) -> bool {
        if let Some(bracket) = &mut self.bracket {
            bracket.discard();
            return true;
        }
        let any = !self.waiting.is_none();
        self.waiting.clear();
        any
    }

    /// Resets the pools to those before the last tick.
    pub(super) fn resume_pools(&mut self, before: &LastTick) {
        self.bracket.clone_from(&before.bracket);
        self.waiting.clone_from(&before.waiting);
    }

    /// What a tick feeds to a test without clipping and without an allowance.
    #[inline]
    pub(super) fn fed<'a>(
        &'a self,
        MetricDesign { layout, boundaries, .. }: &'a MetricDesign,
        Increment { tick, counts, .. }: &'a Increment,
    ) -> Fed<'a> {
        let bracket = self.bracket.as_deref();
        let (ticks, allowed, cured) = (1.0, 1.0, 0.0);
        Fed { layout, tick, bracket, counts, boundaries, clipped: None, ticks, allowed, cured }
    }

    /// How many times as bad as tolerated the canary may be in this tick, because its instances
    /// are new.
    #[inline]
    pub(super) fn allowed(&self, design: &MetricDesign, at: Timestamp) -> f64 {
        let watch = &design.watch;
        let (Some(new), Some(began)) = (watch.new_instances, self.began) else { return 1.0 };
        // Counts may be as old as the begin of the time that they cover.
        let step = self.readings.step + self.waiting.lasts(at);
        let covers = self.bracket.as_ref().map_or(step.as_seconds(), |bracket| {
            let ticks = Side::BOTH.map(|side| bracket.batch(side).ticks);
            watch.cadence.as_seconds() * ticks[0].max(ticks[1])
        });
        new.allowed((at.since(began).as_seconds() - covers).max(0.0))
    }

    /// Takes over what was read from a snapshot; `columns` are those of one arm.
    pub(super) fn resume(&mut self, read: Self, columns: usize) -> Result<(), Misfit> {
        let Self { readings, bracket, waiting, began: _ } = read;
        if bracket.as_ref().is_some_and(|bracket| !bracket.fits(columns)) {
            return Err("a metric's pools");
        }
        (self.readings, self.bracket, self.waiting) = (readings, bracket, waiting);
        Ok(())
    }
}

/// Whether one arm alone was read: the other has no trials, and should have many.
#[inline]
fn is_alone([canary, baseline]: [f64; 2], share: Share) -> bool {
    if (canary > 0.0) == (baseline > 0.0) || share == Share::ALL {
        return false;
    }
    let share = share.as_fraction();
    let expected = if canary > 0.0 { canary * (1.0 - share) } else { baseline * share };
    let of = if canary > 0.0 { share } else { 1.0 - share };
    expected >= MISSED * of
}

/// Counts that wait, of a metric whose arms are read at the same time; serialized as it is into a snapshot.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Waiting {
    /// Of both arms, by stratum; empty where none wait.
    counts: Vec<(Counts, Counts)>,
    /// The bad events of each arm that were clipped.
    clipped: [f64; 2],
    /// When the first of the counts came that wait, or that the last tick was completed with.
    since: Option<Timestamp>,
}

impl Waiting {
    /// Whether nothing waits, and the last tick was completed with nothing.
    pub(super) const fn is_none(&self) -> bool {
        self.since.is_none()
    }

    pub(super) fn clear(&mut self) {
        self.counts.clear();
        (self.clipped, self.since) = ([0.0; 2], None);
    }

    /// For how long the counts of this tick have waited.
    pub(super) fn lasts(&self, at: Timestamp) -> Span {
        self.since.map_or(Span::ZERO, |since| at.since(since))
    }

    /// Adds waiting counts to those of a tick, and takes from the tick those that have to wait. Returns true
    /// if counts had waited for longer than `most`: they are left out, because the rate may have changed.
    #[inline]
    pub(super) fn complete(
        &mut self,
        increment: &mut Increment,
        at: Timestamp,
        most: Span,
    ) -> bool {
        let waits = !self.is_none() || increment.counts.iter().any(lacks_an_arm);
        waits && self.add(increment, at, most)
    }

    #[inline(never)]
    fn add(&mut self, increment: &mut Increment, at: Timestamp, most: Span) -> bool {
        let Increment { counts, clipped, .. } = increment;
        let waits_for_another = self.lasts(at) > most || self.counts.len() != counts.len();
        let is_late = !self.counts.is_empty() && waits_for_another;
        if is_late || self.counts.is_empty() {
            self.clear();
            self.counts.resize(counts.len(), (Counts::default(), Counts::default()));
        }
        for (sum, more) in self.clipped.iter_mut().zip(clipped.iter_mut()) {
            *sum += std::mem::take(more);
        }
        let (mut waits, mut fed) = (false, false);
        for (sum, now) in self.counts.iter_mut().zip(counts) {
            sum.0.add(now.0);
            sum.1.add(now.1);
            let lacks = lacks_an_arm(sum);
            *now = if lacks { Default::default() } else { std::mem::take(sum) };
            waits |= lacks && sum.0.trials + sum.1.trials > 0.0;
            fed |= !lacks;
        }
        if fed {
            *clipped = std::mem::take(&mut self.clipped);
        }
        self.since = self.since.or((waits || fed).then_some(at));
        if !waits {
            self.counts.clear();
        }
        is_late
    }
}

/// Whether counts of one arm cannot be compared, because the other has none.
pub(super) fn lacks_an_arm((canary, live): &(Counts, Counts)) -> bool {
    canary.trials <= 0.0 || live.trials <= 0.0
}
