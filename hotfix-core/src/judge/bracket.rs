//! Pools in which the counts of one arm wait for those of the other. See `docs/statistics.md`,
//! "Arms read at different times".
//!
//! Where the arms are read at different times, a tick has counts of one arm only, or of two
//! stretches of time. Two pools pair the counts so that the truth lies between them: in one the
//! canary's data end later than the baseline's, in the other they end earlier, each by less than
//! the time between two readings.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::metric::Tick;
use crate::policy::section::Watch;
use crate::stats::Counts;
use crate::unit::{Span, Timestamp};

use super::aligned::Side;

/// The arms in the order of their columns.
pub(crate) const CANARY: usize = 0;
pub(crate) const BASELINE: usize = 1;

/// Data of the two arms whose ends are further apart are not compared, unless the scrape interval
/// or the cadence is longer than half of it.
const MOST_APART: Span = Span::from_seconds(120);
/// For how many intervals from the start a crossing has to be confirmed by the next readings.
const CONFIRMED: u64 = 3;

impl Side {
    /// The arm whose data end later: of `lead` the canary.
    const fn late(self) -> usize {
        self as usize
    }

    /// The arm whose data end earlier.
    const fn early(self) -> usize {
        1 - self.late()
    }
}

/// Both pools of a metric.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Bracket {
    lead: Pool,
    lag: Pool,
    /// The last counts of the baseline.
    earlier: Earlier,
    /// When each arm last had new counts; None before the first, whose begin is unknown.
    read_at: [Option<Timestamp>; 2],
    /// When the new counts of each arm in the present tick began; None without any that can be used.
    began: [Option<Timestamp>; 2],
    /// Since when each arm's totals have been known, until it has new counts.
    first_at: [Option<Timestamp>; 2],
    /// If the first new counts of an arm come in the present tick: the latest time at which they began.
    began_by: [Option<Timestamp>; 2],
    /// The longest time between two readings of an arm, without gaps.
    interval: Span,
    /// Since when the pools have been filled.
    since: Option<Timestamp>,
    /// The pools have been filled for so short a time that a crossing has to be confirmed.
    unconfirmed: bool,
    /// The uncapped evidence of harm, which one reading may raise without limit, when both
    /// alignments had been fed the last time but one, and the last time.
    marks: [f64; 2],
    /// The alignments that were fed since.
    fed: [bool; 2],
}

/// Counts on one alignment that were not yet fed.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
struct Pool {
    /// The columns of both arms, one stratum after the other; empty before the first.
    rows: Vec<f64>,
    /// The bad events of each arm that were clipped.
    clipped: [f64; 2],
    /// The time that the counts of each arm cover.
    spans: [Option<Covers>; 2],
    /// It has counts of the arm that ends earlier. The other arm's are used only from then on, so
    /// that the two begin as far apart as they end.
    open: bool,
    /// It begins with the first counts of an arm, of whose begin only the latest time is known.
    with_first: bool,
    /// Scratch: what the present tick did.
    #[serde(skip)]
    step: Step,
    /// Scratch: what the present tick feeds to the tests.
    #[serde(skip)]
    batch: Batch,
}

/// The last counts of the baseline that began before the canary was last read. `lead` begins with
/// them, also where they are of before the watch.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
struct Earlier {
    rows: Vec<f64>,
    /// The bad events that were clipped.
    clipped: f64,
    covers: Option<Covers>,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Covers {
    from: Timestamp,
    to: Timestamp,
}

/// What a tick did to a pool, in this order: the arm that ends later was added, the pool was
/// emptied, the arm that ends earlier was added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Step {
    late: bool,
    pub(super) emptied: Emptied,
    early: bool,
}

/// Whether a tick emptied a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Emptied {
    /// It did not.
    #[default]
    No,
    /// Into the tests.
    Fed,
    /// Its counts must not be compared.
    Discarded,
}

/// Counts that are fed to the tests at once.
#[derive(Debug, Default, Educe, PartialEq)]
#[educe(Clone)]
pub(super) struct Batch {
    /// The columns of both arms, one stratum after the other; empty where nothing is fed.
    pub(super) rows: Vec<f64>,
    /// The rows as counts; one pair of zeros where nothing is fed, because a tick without data is a tick.
    pub(super) counts: Vec<(Counts, Counts)>,
    /// The bad events of each arm that were clipped.
    pub(super) clipped: [f64; 2],
    /// How many cadences it covers, at least 1; 0 where nothing is fed.
    pub(super) ticks: f64,
}

/// New counts of a tick.
#[derive(Clone, Copy)]
struct NewCounts<'a> {
    at: Timestamp,
    began: [Option<Timestamp>; 2],
    began_by: [Option<Timestamp>; 2],
    /// Columns of one arm.
    columns: usize,
    rows: &'a [f64],
    /// The bad events of each arm that were clipped.
    clipped: [f64; 2],
    watch: &'a Watch,
}

impl NewCounts<'_> {
    /// When the new counts of an arm began, or the latest time at which they did: enough for the
    /// arm that ends earlier, which may begin earlier, too.
    fn early(self, arm: usize) -> Option<Timestamp> {
        self.began[arm].or(self.began_by[arm])
    }
}

impl Step {
    /// Whether the arm was added before the pool was emptied, and whether after that.
    pub(super) const fn added(self, side: Side, arm: usize) -> [bool; 2] {
        let late = side.late() == arm;
        [late && self.late, !late && self.early]
    }
}

impl Pool {
    fn take(&mut self, side: Side, new: NewCounts<'_>, earlier: &Earlier) {
        let (late, early) = (side.late(), side.early());
        self.batch.rows.clear();
        (self.batch.clipped, self.batch.ticks) = ([0.0; 2], 0.0);
        self.step = Step::default();
        if self.rows.len() != new.rows.len() {
            // Other strata than before, or the first.
            self.rows.clear();
            self.rows.resize(new.rows.len(), 0.0);
            self.discard();
            self.step.emptied = Emptied::Discarded;
        }
        if side == Side::Lead && !self.open {
            self.begin(new, earlier);
        }
        if self.begins_misaligned(new, late, early) {
            self.discard();
            self.step.emptied = Emptied::Discarded;
        }
        if self.open && new.began[late].is_some() {
            self.add(late, new);
            self.step.late = true;
            if let [Some(Covers { from, .. }), Some(Covers { to, .. })] =
                [self.spans[late], self.spans[early]]
            {
                if new.at.since(to) <= most_apart(new.watch) {
                    self.feed(new.at.since(from).as_seconds() / new.watch.cadence.as_seconds());
                } else {
                    self.discard();
                    self.step.emptied = Emptied::Discarded;
                }
            }
        }
        // `lead` is opened by the canary: until then only the last counts of the baseline matter.
        if new.early(early).is_some() && (side == Side::Lag || self.open) {
            self.with_first |= !self.open && new.began[early].is_none();
            self.add(early, new);
            self.step.early = true;
            self.open = true;
        }
    }

    /// Begins `lead` with the last counts of the baseline, if the canary's begin later.
    fn begin(&mut self, new: NewCounts<'_>, earlier: &Earlier) {
        let (Some(began), Some(covers)) = (new.began[CANARY], earlier.covers) else { return };
        if covers.from <= began && earlier.rows.len() == new.rows.len() {
            self.sum(BASELINE, &earlier.rows, new.columns);
            self.clipped[BASELINE] += earlier.clipped;
            self.spans[BASELINE] = Some(covers);
            self.open = true;
        }
    }

    /// Whether the late arm's counts begin at an unknown time, or before the early arm's surely
    /// have, so that the two would not begin as far apart as they end.
    fn begins_misaligned(&self, new: NewCounts<'_>, late: usize, early: usize) -> bool {
        let begin = self.spans[early].filter(|_| self.with_first && self.spans[late].is_none());
        let is_before = begin.zip(new.began[late]).is_some_and(|(begin, late)| late < begin.from);
        self.open && (is_before || new.began_by[late].is_some())
    }

    fn add(&mut self, arm: usize, new: NewCounts<'_>) {
        self.sum(arm, new.rows, new.columns);
        self.clipped[arm] += new.clipped[arm];
        let began = new.early(arm).unwrap_or(new.at);
        let from = self.spans[arm].map_or(began, |span| span.from);
        self.spans[arm] = Some(Covers { from, to: new.at });
    }

    /// Adds an arm's part of these rows.
    fn sum(&mut self, arm: usize, rows: &[f64], columns: usize) {
        let (sums, rows) =
            (self.rows.chunks_mut(columns).skip(arm), rows.chunks(columns).skip(arm));
        // The chunks of the two arms alternate.
        for (sums, row) in sums.step_by(2).zip(rows.step_by(2)) {
            sums.iter_mut().zip(row).for_each(|(sum, more)| *sum += more);
        }
    }

    fn feed(&mut self, ticks: f64) {
        self.batch.rows.extend_from_slice(&self.rows);
        self.batch.clipped = std::mem::take(&mut self.clipped);
        self.batch.ticks = ticks.max(1.0);
        self.rows.fill(0.0);
        (self.spans, self.with_first) = ([None; 2], false);
        self.step.emptied = Emptied::Fed;
    }

    /// Empties the pool; the arm that ends earlier opens it again.
    fn discard(&mut self) {
        self.rows.fill(0.0);
        (self.clipped, self.spans, self.open) = ([0.0; 2], [None; 2], false);
        self.with_first = false;
    }
}

impl Bracket {
    /// Pools of arms that were both read at this time; None where that is unknown.
    pub(super) fn new(read_at: Option<Timestamp>, watch: &Watch) -> Self {
        let interval = watch.scrape.unwrap_or(watch.cadence);
        Self { read_at: [read_at; 2], interval, ..Self::default() }
    }

    const fn pool(&self, side: Side) -> &Pool {
        match side {
            Side::Lead => &self.lead,
            Side::Lag => &self.lag,
        }
    }

    /// What the present tick feeds on one alignment.
    pub(super) const fn batch(&self, side: Side) -> &Batch {
        &self.pool(side).batch
    }

    /// What the present tick did on one alignment.
    pub(super) const fn step(&self, side: Side) -> Step {
        self.pool(side).step
    }

    /// The time between two readings of an arm: the policy's, or a longer one that was seen.
    pub(super) const fn interval(&self) -> Span {
        self.interval
    }

    /// Whether the rows have this many columns an arm.
    pub(super) fn fits(&self, columns: usize) -> bool {
        [&self.lead.rows, &self.lag.rows, &self.earlier.rows]
            .iter()
            .all(|rows| rows.len().is_multiple_of(2 * columns))
    }

    /// Records which arm has new counts. Returns whether the pools have to start over: after a gap,
    /// in which counts that are no running totals may have been lost. `from`: what began earlier is
    /// left out, by arm. `known`: the reading before, of arms whose totals it had.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        (is_new, known): ([bool; 2], [Option<Timestamp>; 2]),
        totals: bool,
        from: [Option<Timestamp>; 2],
        watch: &Watch,
    ) -> bool {
        let mut gap = false;
        for (arm, is_new) in is_new.into_iter().enumerate() {
            (self.began[arm], self.began_by[arm]) = (None, None);
            if self.read_at[arm].is_none() {
                self.first_at[arm] = self.first_at[arm].or(known[arm]);
            }
            if !is_new {
                continue;
            }
            let first = self.first_at[arm].take();
            let Some(began) = self.read_at[arm].replace(at) else {
                let is_used = |first: &Timestamp| at.since(*first) <= most_apart(watch);
                self.began_by[arm] = first.filter(|first| from[arm].is_none() && is_used(first));
                continue;
            };
            let is_gap = at.since(began) > most_apart(watch);
            if !is_gap {
                self.interval = self.interval.max(at.since(began));
            }
            if is_gap && !totals {
                gap = true;
            } else if from[arm].is_none_or(|from| began + watch.cadence >= from) {
                self.began[arm] = Some(began);
            }
        }
        gap
    }

    /// Adds a tick that was [noted](Self::note). `clipped`: its bad events that do not count, by arm.
    pub(super) fn take(
        &mut self,
        at: Timestamp,
        (tick, clipped): (&Tick, [f64; 2]),
        columns: usize,
        watch: &Watch,
        counts_of: impl Fn(&[f64]) -> (Counts, Counts),
    ) {
        let rows = if tick.strata.is_empty() { &tick.row } else { &tick.strata };
        let (began, began_by) = (self.began, self.began_by);
        let new = NewCounts { at, began, began_by, columns, rows, clipped, watch };
        let Self { lead, lag, earlier, .. } = &mut *self;
        for (side, pool) in [(Side::Lead, lead), (Side::Lag, lag)] {
            pool.take(side, new, earlier);
            let Batch { rows, counts, .. } = &mut pool.batch;
            counts.clear();
            counts.extend(rows.chunks(2 * columns).map(&counts_of));
            if counts.is_empty() {
                counts.push((Counts::default(), Counts::default()));
            }
        }
        self.remember(at, tick, clipped[BASELINE]);
    }

    /// Keeps the baseline's counts of this tick: `lead` may begin with them, and with those before
    /// if the canary has had no counts since they began.
    pub(super) fn remember(&mut self, at: Timestamp, tick: &Tick, clipped: f64) {
        let began = self.began[BASELINE].or(self.began_by[BASELINE]);
        let Some(began) = began else { return };
        let rows = if tick.strata.is_empty() { &tick.row } else { &tick.strata };
        let Earlier { rows: kept, clipped: of_kept, covers } = &mut self.earlier;
        let is_later = self.read_at[CANARY].is_some_and(|canary| canary < began);
        match covers {
            Some(covers) if is_later && kept.len() == rows.len() => {
                kept.iter_mut().zip(rows).for_each(|(sum, more)| *sum += more);
                *of_kept += clipped;
                covers.to = at;
            }
            _ => {
                kept.clone_from(rows);
                *of_kept = clipped;
                *covers = Some(Covers { from: began, to: at });
            }
        }
    }

    /// From here on `lead` does not begin with counts that the baseline had so far.
    pub(super) const fn forget(&mut self) {
        self.earlier.covers = None;
    }

    pub(super) fn discard(&mut self) {
        self.lead.discard();
        self.lag.discard();
        self.since = None;
    }

    /// Called before a tick is added: starts the time in which crossings have to be confirmed.
    /// `uncapped`: the evidence so far that one reading may raise without limit.
    pub(super) fn begin(&mut self, at: Timestamp, uncapped: f64) {
        if self.since.is_none() {
            (self.since, self.marks, self.fed) = (Some(at), [uncapped; 2], [false; 2]);
        }
        let since = self.since.unwrap_or(at);
        let interval = self.interval.max(Span::from_millis(1)).as_millis();
        self.unconfirmed = at.since(since).as_millis() <= interval.saturating_mul(CONFIRMED);
    }

    /// Called after the tests were fed: moves the marks on to `uncapped` once both alignments were fed.
    pub(super) fn confirm(&mut self, uncapped: f64) {
        for side in Side::BOTH {
            self.fed[side as usize] |= !self.batch(side).rows.is_empty();
        }
        if self.fed == [true; 2] {
            (self.marks, self.fed) = ([self.marks[1], uncapped], [false; 2]);
        }
    }

    /// The uncapped evidence that later readings have confirmed; None once nothing has to be confirmed.
    #[inline]
    pub(super) fn confirmed(&self) -> Option<f64> {
        self.unconfirmed.then_some(self.marks[0])
    }

    /// Whether both arms have had new counts since then.
    pub(super) fn both_read_since(&self, since: Timestamp) -> bool {
        self.read_at.iter().all(|read_at| read_at.is_some_and(|read_at| read_at >= since))
    }

    /// Whether the baseline's last counts are too old to be compared with.
    pub(super) fn lacks_baseline(&self, at: Timestamp, watch: &Watch) -> bool {
        self.read_at[BASELINE].is_none_or(|read_at| at.since(read_at) > most_apart(watch))
    }
}

fn most_apart(watch: &Watch) -> Span {
    let interval = watch.scrape.unwrap_or_default().max(watch.cadence);
    MOST_APART.max(interval + interval)
}
