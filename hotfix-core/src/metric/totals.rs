//! The last running totals: what came since then, and which ones the next are compared with.
//!
//! If the total of one counter falls, the counter was reset and all of the total is new. The sum of
//! several instances falls where one of them was reset or is gone, and most of it was counted before: its
//! growth counts from there, and what comes back at once does not count again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::sorting::retain;
use crate::text::{counted, quoted, shown};
use crate::unit::{Span, Timestamp};

use super::pace::Pace;
use super::reading::Sample;
use super::resolve::{ARMS, Layout, MetricReader, ReadingError};
use super::strata::Reading;
use super::tick::{Tick, Unused, trials_column};

/// How old the totals of a source that lags may be, and how far apart falls that count as one.
const MOST_WAIT: Span = Span::from_seconds(120);

/// The last running totals, by stratum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counters {
    strata: Vec<Kept>,
}

/// The last running totals of each arm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The stratum's name; None in a list, and without strata.
    stratum: Option<String>,
    pub(super) arms: [Vec<f64>; 2],
    pub(super) at: [Timestamp; 2],
    instances: [BTreeMap<String, [f64; 2]>; 2],
    /// Growth of each arm's totals.
    pub(super) pace: [Pace; 2],
    /// The last fall of each arm that is sent as a whole.
    pub(super) falls: [Option<Fall>; 2],
}

/// A fall of the totals of an arm that is sent as a whole, or totals that were not of one moment.
/// If they rise again by as much at once, because an instance is back or the source that does not
/// lag answers, that rise is not new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fall {
    /// What was stored before, less the totals that fell.
    by: Vec<f64>,
    at: Timestamp,
    /// The time before the fall in which nothing was counted.
    pub(super) over: Span,
    /// Growth was counted since the fall.
    grew: bool,
}

impl Fall {
    /// Whether the trials, which rose by `more` since, regained what they had fallen by.
    fn is_passed(&self, trials: usize, more: f64) -> bool {
        self.by[trials] > 0.0 && more >= self.by[trials]
    }

    /// As [`is_passed`](Self::is_passed), after growth was counted. Of a source that lags it had
    /// been counted before, so what is new is not known.
    fn is_passed_late(&self, trials: usize, more: f64) -> bool {
        self.grew && self.is_passed(trials, more)
    }
}

/// How totals differ from those before.
pub(crate) enum Difference {
    More,
    /// One of them fell.
    Fell,
    /// None fell, but the differences have more events than trials, or are no histogram: a counter
    /// was reset soon after it had begun, or the numbers are not of one moment.
    Impossible,
}

/// Turns `row` from totals into differences to `last` if they are [`Difference::More`]; else it
/// stays. None for a counter's first reading.
pub(crate) fn difference(data: Data, row: &mut [f64], last: &[f64]) -> Option<Difference> {
    if last.len() != row.len() {
        return None;
    }
    let differs = differs(data, row.len(), |column| row[column] - last[column]);
    if matches!(differs, Difference::More) {
        row.iter_mut().zip(last).for_each(|(now, before)| *now -= before);
    }
    Some(differs)
}

/// How totals differ in these columns, each of which rose by `more`.
fn differs(data: Data, columns: usize, more: impl Fn(usize) -> f64) -> Difference {
    if (0..columns).any(|column| more(column) < 0.0) {
        return Difference::Fell;
    }
    let possible = match data {
        Data::Trials => more(0) <= more(1),
        Data::Buckets => (1..columns).is_sorted_by_key(&more) && more(columns - 1) <= more(0),
        Data::Exposure | Data::Level => true,
    };
    if possible { Difference::More } else { Difference::Impossible }
}

/// How a counter's totals follow those that were stored last.
#[derive(Clone, Copy)]
pub(super) enum Progress {
    /// The difference is what came since then.
    Since,
    /// They rose by more than they had fallen: the rest came since before the fall.
    Back,
    /// The counter was reset: all of the totals is new.
    Reset,
    /// The events were reset; the seconds, which are those of a clock, were not.
    ResetBesideAClock,
    /// Older totals, or not of one moment: the next ones count from the stored ones.
    Waits(Unused),
    /// What is new is not known: the next ones count from these.
    Unknown(Unused),
    /// As [`Self::Unknown`], after a fall that is over: they rose by as much, and growth was
    /// counted in between.
    Passed(Unused),
}

impl Progress {
    /// Turns totals into what came since the last ones.
    ///
    /// # Errors
    /// Why that is not known.
    pub(super) fn take(
        self,
        totals: &mut [f64],
        last: &[f64],
        fall: Option<&Fall>,
    ) -> Result<(), Unused> {
        let known = match self {
            Self::Reset => totals.len(),
            Self::ResetBesideAClock => 1,
            Self::Since | Self::Back => 0,
            Self::Waits(why) | Self::Unknown(why) | Self::Passed(why) => return Err(why),
        };
        for (now, before) in totals.iter_mut().zip(last).skip(known) {
            *now -= before;
        }
        if let (Self::Back, Some(fall)) = (self, fall) {
            totals.iter_mut().zip(&fall.by).for_each(|(more, by)| *more -= by);
        }
        Ok(())
    }
}

/// What the totals of an arm's counter are compared with.
pub(super) struct Before<'a> {
    pub(super) kind: MetricKind,
    pub(super) pace: &'a Pace,
    pub(super) at: Timestamp,
    /// The totals are a sum of several counters.
    pub(super) is_sum: bool,
    /// The last fall of the sum.
    pub(super) fall: Option<&'a Fall>,
    /// Whether the reading's source [lags behind](Counters::is_behind).
    pub(super) behind: &'a dyn Fn() -> bool,
}

impl Before<'_> {
    pub(super) fn progress(&self, totals: &[f64], last: &[f64]) -> Progress {
        let Self { kind, pace, at, is_sum, .. } = *self;
        let data = kind.data();
        if last.len() != totals.len() {
            return Progress::Unknown(Unused::First);
        }
        // The seconds of a count may be those of a clock that is not the instance's.
        let may_have_a_clock = !is_sum && matches!(data, Data::Exposure);
        if may_have_a_clock && totals[0] < last[0] && totals[1] >= last[1] {
            return Progress::ResetBesideAClock;
        }
        let trials = trials_column(kind);
        let (now, before) = (totals[trials], last[trials]);
        let more = |column: usize| totals[column] - last[column];
        let passed = self.fall.is_some_and(|fall| fall.is_passed_late(trials, more(trials)));
        let unknown = if passed { Progress::Passed } else { Progress::Unknown };
        match differs(data, totals.len(), more) {
            Difference::More if passed => unknown(Unused::Fell),
            Difference::More => self.fall.map_or(Progress::Since, |fall| {
                // The same compared with the totals from before the fall.
                match differs(data, totals.len(), |column| more(column) - fall.by[column]) {
                    Difference::More => Progress::Back,
                    _ if fall.is_passed(trials, more(trials)) => Progress::Unknown(Unused::Fell),
                    _ => Progress::Since,
                }
            }),
            Difference::Fell if pace.is_reset(now, at) && !(self.behind)() => Progress::Reset,
            Difference::Fell if !is_sum && self.is_older(now, before) => {
                Progress::Waits(Unused::Fell)
            }
            // A single counter that fell by half between the first two readings.
            Difference::Fell if !is_sum && !pace.is_known() => Progress::Reset,
            Difference::Fell => unknown(Unused::Fell),
            Difference::Impossible if pace.is_reset(now, at) => Progress::Reset,
            Difference::Impossible if !is_sum => Progress::Waits(Unused::TwoMoments),
            Difference::Impossible => unknown(Unused::TwoMoments),
        }
    }

    /// Whether a total that fell is that of a few moments ago, not that of a reset counter.
    fn is_older(&self, now: f64, before: f64) -> bool {
        if self.pace.is_known() {
            self.pace.grows_by(before - now, MOST_WAIT)
        } else {
            now >= 0.5 * before
        }
    }
}

impl Counters {
    /// Whether they are of the same strata as a reading, as far as that is known.
    fn is_of(&self, reading: &Reading) -> bool {
        let names = self.strata.iter().filter_map(|kept| kept.stratum.as_ref());
        self.strata.len() == reading.strata().count() && names.eq(reading.names())
    }

    /// The kept totals by stratum; none where the strata are others.
    pub(super) fn of(&self, reading: &Reading) -> &[Kept] {
        if self.is_of(reading) { &self.strata } else { &[] }
    }

    /// The last totals of an arm that is sent as a whole; None where they are by stratum, or there are
    /// none.
    pub(crate) fn totals_of(&self, reading: &Reading, arm: usize) -> Option<&[f64]> {
        let [kept] = self.of(reading) else { return None };
        Some(kept.arms.get(arm)?.as_slice()).filter(|totals| !totals.is_empty())
    }

    /// Refuses totals of other strata than before.
    ///
    /// # Errors
    /// [`ReadingError::Strata`].
    pub(crate) fn check(&self, metric: &Metric, reading: &Reading) -> Result<(), ReadingError> {
        let has_totals = || reading.strata().any(|arms| arms.totals);
        if self.strata.is_empty() || self.is_of(reading) || !has_totals() {
            return Ok(());
        }
        let before = self.strata.iter().filter_map(|kept| kept.stratum.as_deref());
        let before = strata(before, self.strata.len());
        let now = reading.names().iter().map(String::as_str);
        let now = strata(now, reading.strata().count());
        Err(ReadingError::Strata { metric: metric.id, now, before })
    }

    /// Whether a reading's source lags behind the one before, as the second of two Prometheus
    /// replicas may: a total is below the last one by no more than what comes within two minutes,
    /// and too high for a counter that was reset. Then other totals of the reading that fell are no
    /// resets either. False where an arm's sum grew: an arm that fell lacks an instance.
    pub(super) fn is_behind(&self, kind: MetricKind, reading: &Reading, at: Timestamp) -> bool {
        let trials = trials_column(kind);
        let mut any = false;
        for (kept, arms) in self.of(reading).iter().zip(reading.strata()) {
            // The live version's totals are higher, as a rule.
            for (arm, sample) in [(1, &arms.baseline), (0, &arms.canary)] {
                let pace = &kept.pace[arm];
                let is_older = |now: f64, last: f64| {
                    now < last && !pace.is_reset(now, at) && pace.grows_by(last - now, MOST_WAIT)
                };
                match sample.as_ref().filter(|_| arms.totals) {
                    Some(Sample::Instances(sent)) => {
                        any = any
                            || sent.iter().any(|(name, totals)| {
                                let last = kept.instances[arm].get(name);
                                last.is_some_and(|last| is_older(totals[trials], last[trials]))
                            });
                    }
                    Some(sample) => {
                        let last = kept.arms[arm].get(trials);
                        let Some((now, last)) = total_of(sample).zip(last) else { continue };
                        if now > *last {
                            return false;
                        }
                        any |= is_older(now, *last);
                    }
                    None => {}
                }
            }
        }
        any
    }

    /// Forgets the canary's totals: another version has its share, whose counters begin again.
    pub(crate) fn forget_canary(&mut self) {
        for Kept { arms, instances, pace, .. } in &mut self.strata {
            (arms[0], instances[0], pace[0]) = Default::default();
        }
    }

    /// Stores the totals of a reading, as `tick` has it.
    #[inline]
    pub fn keep(
        &mut self,
        metric: &Metric,
        layout: &Layout,
        (reading, tick): (&Reading, &Tick),
        at: Timestamp,
    ) {
        // Most readings have neither totals nor strata.
        if !self.strata.is_empty() || reading.whole().is_none_or(|arms| arms.totals) {
            self.keep_totals(metric, layout, (reading, tick.behind), at);
        }
    }

    /// Whether an arm had running totals at this time.
    pub(crate) fn were_read(&self, arm: usize, at: Timestamp) -> bool {
        self.strata.iter().any(|kept| kept.at[arm] == at)
    }

    #[inline(never)]
    fn keep_totals(
        &mut self,
        metric: &Metric,
        layout: &Layout,
        (reading, behind): (&Reading, bool),
        at: Timestamp,
    ) {
        if !self.is_of(reading) {
            if !reading.strata().any(|arms| arms.totals) {
                return;
            }
            self.strata.clear();
            self.strata.resize(reading.strata().count(), Kept::default());
            for (kept, name) in self.strata.iter_mut().zip(reading.names()) {
                kept.stratum = Some(name.clone());
            }
        }
        for (kept, arms) in self.strata.iter_mut().zip(reading.strata()) {
            for (index, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
                let Some(sample) = sample else { continue };
                let reader =
                    MetricReader { metric, arm: ARMS[index], stratum: None, instance: None };
                // A difference to totals before another form of reading would have its counts, too.
                let by_instance = matches!(sample, Sample::Instances(_));
                if !arms.totals || by_instance {
                    kept.arms[index].clear();
                    kept.falls[index] = None;
                }
                if !arms.totals || !by_instance {
                    kept.instances[index].clear();
                }
                if !arms.totals {
                    continue;
                }
                let stored = if let Sample::Instances(sent) = sample {
                    kept.keep_instances(metric.kind, (index, sent), behind, at)
                } else {
                    kept.keep_sum(&reader, (index, sample), layout, behind, at)
                };
                if stored {
                    kept.at[index] = at;
                }
            }
        }
    }
}

/// The names of strata, or their number where they have none.
fn strata<'a>(names: impl Iterator<Item = &'a str>, count: usize) -> String {
    let names: Vec<String> = names.map(shown).collect();
    if names.is_empty() { counted(count as u64, "stratum", "strata") } else { quoted(&names, ", ") }
}

/// The total of an arm that is sent as a whole: its trials, or all of its requests.
fn total_of(sample: &Sample) -> Option<f64> {
    match sample {
        Sample::Pair(_, trials) => Some(*trials),
        Sample::Histogram(histogram) => Some(histogram.count),
        Sample::Level(level) => Some(*level),
        Sample::Samples(_) | Sample::Instances(_) => None,
    }
}

impl Kept {
    /// Turns the totals of an instance of an arm into what came since the last ones.
    pub(super) fn added(
        &self,
        (arm, name): (usize, &str),
        before: &Before<'_>,
        totals: &mut [f64; 2],
    ) -> Result<(), Unused> {
        let last = self.instances[arm].get(name).ok_or(Unused::First)?;
        before.progress(totals, last).take(totals, last, None)
    }

    /// Stores the totals of an arm that is sent as a whole, and by how much they fell. Returns whether they
    /// were read.
    fn keep_sum(
        &mut self,
        reader: &MetricReader<'_>,
        (arm, sample): (usize, &Sample),
        layout: &Layout,
        behind: bool,
        at: Timestamp,
    ) -> bool {
        let (totals, pace) = (&mut self.arms[arm], &mut self.pace[arm]);
        let (had, columns, fall) = (totals.len(), layout.columns(), self.falls[arm].take());
        totals.resize(had + columns, 0.0);
        let (last, now) = totals.split_at_mut(had);
        if !matches!(reader.fill(sample, layout, now), Ok(true)) {
            totals.clear();
            return false;
        }
        let kind = reader.metric.kind;
        let (is_sum, fell) = (true, fall.as_ref());
        let before = Before { kind, pace, at, is_sum, fall: fell, behind: &|| behind };
        let progress = before.progress(now, last);
        let trials = trials_column(kind);
        let more = |column: usize| now[column] - last[column];
        let mut kept = None;
        match progress {
            Progress::Since => {
                pace.grow(at, more(trials), Span::ZERO);
                let fall = fall.filter(|fall| fall.by[trials] > 0.0);
                kept = fall.map(|fall| Fall { grew: true, ..fall });
            }
            Progress::Back => {
                let back = fall.map_or((0.0, Span::ZERO), |fall| (fall.by[trials], fall.over));
                pace.grow(at, more(trials) - back.0, back.1);
            }
            Progress::Unknown(Unused::Fell | Unused::TwoMoments) => {
                pace.pass(at);
                let before = fall.filter(|fall| at.since(fall.at) <= MOST_WAIT);
                let before = before.as_ref();
                let by = (0..columns)
                    .map(|column| before.map_or(0.0, |of| of.by[column]) - more(column))
                    .collect();
                let (over, grew) = before.map_or((Span::ZERO, false), |of| (of.over, of.grew));
                kept = Some(Fall { by, at, over: over + at.since(self.at[arm]), grew });
            }
            _ => pace.pass(at),
        }
        self.falls[arm] = kept;
        totals.drain(..had);
        true
    }

    /// Stores each instance's totals. An instance without a reading this time, or with totals that
    /// wait, keeps its last ones; one with a value that is not a number loses them,
    /// because the next total would look like a reset. Returns whether any was read.
    fn keep_instances(
        &mut self,
        kind: MetricKind,
        (arm, sent): (usize, &BTreeMap<String, [f64; 2]>),
        behind: bool,
        at: Timestamp,
    ) -> bool {
        let (kept, pace) = (&mut self.instances[arm], &mut self.pace[arm]);
        let (mut any, mut grown, mut reset) = (false, 0.0, false);
        let is_number = |totals: &[f64; 2]| totals.iter().all(|total| total.is_finite());
        if !sent.values().all(is_number) {
            retain(kept, |name, _| sent.get(name).is_none_or(is_number));
        }
        let before = Before { kind, pace, at, is_sum: false, fall: None, behind: &|| behind };
        for (name, totals) in sent.iter().filter(|(_, totals)| is_number(totals)) {
            any = true;
            let Some(last) = kept.get_mut(name) else {
                kept.insert(name.clone(), *totals);
                continue;
            };
            match before.progress(totals, last) {
                Progress::Since | Progress::Back => grown += totals[1] - last[1],
                Progress::Waits(_) => continue,
                Progress::Reset
                | Progress::ResetBesideAClock
                | Progress::Unknown(_)
                | Progress::Passed(_) => reset = true,
            }
            *last = *totals;
        }
        if grown == 0.0 && reset {
            pace.pass(at);
        } else {
            pace.grow(at, grown, Span::ZERO);
        }
        any
    }
}
