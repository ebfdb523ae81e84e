//! A trailing window over ticks, with the running sum of the phase beside it.

use std::ops::Range;

use educe::Educe;
use serde::{Deserialize, Serialize, Serializer};

use crate::getters::{getters, object};
use crate::unit::{Span, Timestamp};

/// Sums of equal rows over the last `span` of time and over the whole phase.
///
/// A row is what one tick added, a fixed number of columns. Rows of the same step share a slot, so the
/// memory is bounded however often the caller observes; at the policy's cadence the window is exact.
/// A slot leaves with its last row, so the window never has less than the span.
///
/// Its own state in a snapshot, without what the policy determines: there the rows are in order, the
/// oldest first, so it does not matter where the ring begins.
#[derive(Debug, Deserialize, Educe, PartialEq)]
#[educe(Clone)]
pub(crate) struct Window {
    #[serde(skip)]
    span: Span,
    /// Time is cut in steps of this length. Rows of the same step share a slot.
    #[serde(skip)]
    step: Span,
    #[serde(skip)]
    slots: usize,
    #[serde(skip)]
    width: usize,
    /// Ring of `slots` rows; `ends[i]` is when row i's last tick came.
    rows: Vec<f64>,
    ends: Vec<Timestamp>,
    #[serde(skip)]
    first: usize,
    #[serde(skip)]
    len: usize,
    /// When the first row expires; None without rows.
    #[serde(skip)]
    expires: Option<Timestamp>,
    sums: Vec<f64>,
    phase: Vec<f64>,
    /// Seconds that the counts of each arm cover, by slot; empty unless [`timed`](Self::timed).
    seconds: Vec<[f64; 2]>,
    phase_seconds: [f64; 2],
}

impl Window {
    /// Fewest and most steps of a window: few enough to be small, and enough that it trails smoothly
    /// if the caller observes faster than the cadence.
    const STEPS: (u8, u8) = (6, 64);

    /// A window of `span` for ticks about every `cadence`, with `width` columns.
    pub(crate) fn new(span: Span, cadence: Span, width: usize) -> Self {
        let ticks = span.as_millis().div_ceil(cadence.as_millis().max(1));
        let steps = u8::try_from(ticks).unwrap_or(u8::MAX).clamp(Self::STEPS.0, Self::STEPS.1);
        // The span may begin within a step.
        let slots = usize::from(steps) + 1;
        Self {
            span,
            step: Span::from_millis(span.as_millis().div_ceil(steps.into()).max(1)),
            slots,
            width,
            rows: vec![0.0; slots * width],
            ends: vec![Timestamp::default(); slots],
            first: 0,
            len: 0,
            expires: None,
            sums: vec![0.0; width],
            phase: vec![0.0; width],
            seconds: Vec::new(),
            phase_seconds: [0.0; 2],
        }
    }

    /// The window also keeps the seconds that the counts cover.
    pub(crate) fn timed(mut self) -> Self {
        self.seconds = vec![[0.0; 2]; self.slots];
        self
    }

    /// Adds the row of one tick, and the seconds that it covers for each arm.
    pub(crate) fn add_timed(&mut self, at: Timestamp, row: &[f64], seconds: [f64; 2]) {
        let (slot, shared) = self.put(at, row);
        if let Some(kept) = self.seconds.get_mut(slot) {
            *kept = if shared { plus(*kept, &seconds) } else { seconds };
            self.phase_seconds = plus(self.phase_seconds, &seconds);
        }
    }

    /// Seconds that the counts of each arm in the window cover at this time, summed on demand; None
    /// unless [`timed`](Self::timed).
    pub(crate) fn seconds(&self, at: Timestamp) -> Option<[f64; 2]> {
        let kept = (0..self.len).map(|place| self.slot(place));
        let kept = kept.filter(|slot| at.since(self.ends[*slot]) < self.span);
        let seconds = || kept.fold([0.0; 2], |sum, slot| plus(sum, &self.seconds[slot]));
        (!self.seconds.is_empty()).then(seconds)
    }

    /// Adds the row of one tick; `row` has one number a column.
    pub(crate) fn add(&mut self, at: Timestamp, row: &[f64]) {
        self.put(at, row);
    }

    /// Adds a row; returns its slot, and whether other ticks share it.
    fn put(&mut self, at: Timestamp, row: &[f64]) -> (usize, bool) {
        let dropped = self.drop_old(at, || false);
        let free = self.slot(self.len);
        let newest = self.before(free);
        let shared = self.len > 0
            && (self.len == self.slots || self.step_of(at) == self.step_of(self.ends[newest]));
        let slot = if shared { newest } else { free };
        self.ends[slot] = at;
        self.len += usize::from(!shared);
        if self.len == 1 {
            self.expires = Some(at + self.span);
        }
        if let (WIDTH, Ok(row)) = (self.width, <&[f64; WIDTH]>::try_from(row)) {
            self.add_four(slot, shared, dropped, row);
            return (slot, shared);
        }
        let kept = &mut self.rows[slot * self.width..(slot + 1) * self.width];
        if shared {
            add(kept, row);
        } else {
            kept.copy_from_slice(row);
        }
        add(&mut self.phase, row);
        if dropped {
            self.sum();
        } else {
            add(&mut self.sums, row);
        }
        (slot, shared)
    }

    /// Adds a row of four columns, as most metrics have, in a third of the time.
    fn add_four(&mut self, slot: usize, shared: bool, dropped: bool, row: &[f64; WIDTH]) {
        let (rows, _) = self.rows.as_chunks_mut::<WIDTH>();
        if let Some(kept) = rows.get_mut(slot) {
            *kept = if shared { plus(*kept, row) } else { *row };
        }
        if let Some(phase) = self.phase.first_chunk_mut::<WIDTH>() {
            *phase = plus(*phase, row);
        }
        if dropped {
            self.sum();
        } else if let Some(sums) = self.sums.first_chunk_mut::<WIDTH>() {
            *sums = plus(*sums, row);
        }
    }

    /// Sum of the rows of ticks since `at`, as far as they are kept.
    #[cold]
    pub(crate) fn since(&self, at: Timestamp) -> Vec<f64> {
        let mut sums = vec![0.0; self.width];
        let kept = (0..self.len).map(|place| self.slot(place));
        for slot in kept.filter(|slot| self.ends[*slot] >= at) {
            add(&mut sums, &self.rows[slot * self.width..(slot + 1) * self.width]);
        }
        sums
    }

    /// Replaces the row that was `added` last by `instead`; whole numbers stay exact.
    pub(crate) fn amend(&mut self, added: &[f64], instead: &[f64]) {
        let newest = self.newest();
        let kept = &mut self.rows[newest * self.width..(newest + 1) * self.width];
        for ((sum, old), new) in kept.iter_mut().zip(added).zip(instead) {
            // A row that has its slot to itself is exact in any case.
            *sum = if *sum == *old { *new } else { *sum - old + new };
        }
        for ((sum, old), new) in self.phase.iter_mut().zip(added).zip(instead) {
            *sum = *sum - old + new;
        }
        self.sum();
    }

    /// Drops what is older than the span at this time; if `stays` is true, the newest row is kept.
    #[inline]
    pub(crate) fn expire(&mut self, at: Timestamp, stays: impl FnOnce() -> bool) {
        if self.drop_old(at, stays) {
            self.sum();
        }
    }

    /// Drops old rows without summing; returns whether the sums have to be computed again.
    #[inline]
    fn drop_old(&mut self, at: Timestamp, stays: impl FnOnce() -> bool) -> bool {
        if self.expires.is_none_or(|expires| at < expires) {
            return false;
        }
        let least = usize::from(stays());
        while self.len > least && at.since(self.ends[self.first]) >= self.span {
            self.first = self.slot(1);
            self.len -= 1;
        }
        self.expires = self.expiry();
        true
    }

    fn step_of(&self, at: Timestamp) -> i64 {
        at.as_millis() / self.step.as_millis().cast_signed()
    }

    fn expiry(&self) -> Option<Timestamp> {
        (self.len > 0).then(|| self.ends[self.first] + self.span)
    }

    /// Sums afresh: differences of running sums would drift.
    fn sum(&mut self) {
        // Where the ring is wrapped, the newer rows are at its begin.
        let end = self.first + self.len;
        let (older, newer) = (self.first..end.min(self.slots), 0..end.saturating_sub(self.slots));
        if let (WIDTH, Some(sums)) = (self.width, self.sums.first_chunk_mut::<WIDTH>()) {
            let (rows, _) = self.rows.as_chunks::<WIDTH>();
            let older = rows[older].iter().fold([0.0; WIDTH], plus);
            *sums = rows[newer].iter().fold(older, plus);
            return;
        }
        let rows =
            |slots: Range<usize>| &self.rows[slots.start * self.width..slots.end * self.width];
        let parts = [rows(older), rows(newer)];
        let mut first = 0;
        while first + 8 <= self.width {
            sum_columns::<8>(&mut self.sums, first, parts);
            first += 8;
        }
        while first + 2 <= self.width {
            sum_columns::<2>(&mut self.sums, first, parts);
            first += 2;
        }
        if first < self.width {
            sum_columns::<1>(&mut self.sums, first, parts);
        }
    }

    /// The place of the row `after` the first, at most once around the ring: no division, which
    /// would take longer than the rest.
    const fn slot(&self, after: usize) -> usize {
        let place = self.first + after;
        if place < self.slots { place } else { place - self.slots }
    }

    /// The index of the last row; unspecified without rows.
    const fn newest(&self) -> usize {
        self.before(self.slot(self.len))
    }

    /// The place before this one, around the ring.
    const fn before(&self, place: usize) -> usize {
        if place == 0 { self.slots - 1 } else { place - 1 }
    }

    /// Starts a new phase: window and phase sums are empty.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.expires = None;
        self.sums.fill(0.0);
        self.phase.fill(0.0);
        self.phase_seconds = [0.0; 2];
    }

    /// Takes over what was read from a snapshot; false if it does not fit.
    pub(crate) fn resume(&mut self, read: Self) -> bool {
        let Self { rows, ends, sums, phase, seconds, phase_seconds, .. } = read;
        let (len, is_timed) = (ends.len(), !self.seconds.is_empty());
        let fits = len <= self.slots
            && rows.len() == len * self.width
            && sums.len() == self.width
            && phase.len() == self.width
            && seconds.len() == if is_timed { len } else { 0 };
        if fits {
            self.rows[..rows.len()].copy_from_slice(&rows);
            self.ends[..len].copy_from_slice(&ends);
            self.seconds[..seconds.len()].copy_from_slice(&seconds);
            (self.first, self.len, self.sums, self.phase) = (0, len, sums, phase);
            self.phase_seconds = phase_seconds;
            self.expires = self.expiry();
        }
        fits
    }
}

getters! {
    pub(crate) Window: self;

    /// Seconds that the counts of each arm in the phase cover.
    phase_seconds: [f64; 2] = self.phase_seconds;
    sums: &[f64] = self.sums.as_slice();
    phase: &[f64] = self.phase.as_slice();
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let slots = || (0..self.len).map(|after| self.slot(after));
        let row = |slot| &self.rows[slot * self.width..(slot + 1) * self.width];
        object!(serializer, Window:
            rows = slots().flat_map(row).collect::<Vec<_>>(),
            ends = slots().map(|slot| self.ends[slot]).collect::<Vec<_>>(), sums = self.sums,
            phase = self.phase,
            seconds = slots().filter_map(|slot| self.seconds.get(slot)).collect::<Vec<_>>(),
            phase_seconds = self.phase_seconds
        )
    }
}

/// Columns of most metrics: two an arm.
const WIDTH: usize = 4;

#[inline]
fn plus<const N: usize>(mut sum: [f64; N], row: &[f64; N]) -> [f64; N] {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += value;
    }
    sum
}

/// Adds a row; by fours.
fn add(sums: &mut [f64], row: &[f64]) {
    let (fours, rest) = sums.as_chunks_mut::<4>();
    let (row_fours, row_rest) = row.as_chunks::<4>();
    for (sums, row) in fours.iter_mut().zip(row_fours) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    for (sum, value) in rest.iter_mut().zip(row_rest) {
        *sum += value;
    }
}

/// The sums of `N` neighbouring columns over the rows of both parts, which stay in registers. A row has
/// as many columns as there are sums.
#[inline]
fn sum_columns<const N: usize>(sums: &mut [f64], first: usize, parts: [&[f64]; 2]) {
    let (width, mut columns) = (sums.len(), [0.0; N]);
    for rows in parts {
        let mut place = first;
        while let Some(row) = rows.get(place..).and_then(|rest| rest.first_chunk::<N>()) {
            for (sum, value) in columns.iter_mut().zip(row) {
                *sum += value;
            }
            place += width;
        }
    }
    sums[first..first + N].copy_from_slice(&columns);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::try_from_millis(seconds * 1000).unwrap()
    }

    #[test]
    fn met_5_the_window_holds_the_last_minute_and_no_more() {
        let mut window = Window::new(Span::from_seconds(60), Span::from_seconds(10), 1);
        for tick in 0..20 {
            window.add(at(tick * 10), &[1.0]);
        }
        assert_eq!((window.sums()[0], window.phase()[0]), (6.0, 20.0));
        window.expire(at(195), || false);
        assert_eq!(window.sums()[0], 6.0);
        window.expire(at(221), || false);
        assert_eq!(window.sums()[0], 3.0);
        window.expire(at(1000), || true);
        assert_eq!(window.sums()[0], 1.0);
        window.expire(at(1000), || false);
        assert_eq!(window.sums()[0], 0.0);
    }

    #[test]
    fn met_5_ticks_faster_than_the_cadence_share_slots_and_are_not_lost() {
        let mut window = Window::new(Span::from_seconds(60), Span::from_seconds(10), 2);
        for tick in 0..600 {
            window.add(Timestamp::try_from_millis(tick * 100).unwrap(), &[1.0, 2.0]);
        }
        assert_eq!(window.sums(), [600.0, 1200.0]);
    }

    #[test]
    fn met_5_a_window_has_at_least_its_span_however_often_it_is_fed() {
        for every in [700, 1000, 3000, 4000, 7000, 9990, 10_000, 10_010, 15_000, 20_000] {
            let mut window = Window::new(Span::from_seconds(60), Span::from_seconds(10), 1);
            for tick in 1..400 {
                let millis = tick * every;
                window.add(Timestamp::try_from_millis(millis).unwrap(), &[every as f64 / 1000.0]);
                let seconds = window.sums()[0];
                let whole = (millis as f64 / 1000.0).min(60.0);
                assert!(seconds > whole - every as f64 / 1000.0 + 1e-6, "{every}: {seconds}");
                assert!(seconds < 70.0 + every as f64 / 1000.0, "{every}: {seconds}");
            }
        }
    }
}
