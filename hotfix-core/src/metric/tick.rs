//! Increment of one metric in one tick: differences of counters, resets, sums of strata.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use educe::Educe;

use crate::grade::{MetricKind, closed_set};
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::stats::numeric::larger;
use crate::unit::{MAX_COUNT, Share, Span, Timestamp};

use super::pace::Pace;
use super::reading::{Arms, Histogram, NO_INSTANCES, Sample};
use super::resolve::{ARMS, Layout, MetricReader, ReadingError};
use super::strata::{NO_STRATA, Reading};
use super::totals::{Before, Counters, Fall, Kept, Progress};

/// Most bytes in the name of an instance, as in other names.
const MOST_NAME: usize = 256;

/// Increment of one metric in one tick: the canary's columns, then the baseline's.
///
/// Proportions and counts: events, trials (or exposure in seconds, scaled by the arm's share).
/// Gauges and volumes: the sum of the levels and their number; for running totals of a volume the
/// requests and the minutes in which they came. Latency: the count, then requests at
/// or below each edge of the layout.
#[derive(Debug, Default, Educe, PartialEq)]
#[educe(Clone)]
pub struct Tick {
    /// The columns, over all strata.
    pub row: Vec<f64>,
    /// Such a row for each stratum, one after the other; empty where the reading has no strata.
    pub strata: Vec<f64>,
    /// Events and trials of each instance of the canary and of the baseline, in the order of their
    /// names; empty where an arm did not send them, and for readings by strata.
    pub instances: [Vec<[f64; 2]>; 2],
    /// Seconds that the counts of the canary and of the baseline cover: known for running totals,
    /// else 0 until the judge sets them.
    pub seconds: [f64; 2],
    /// The canary has a usable reading.
    pub canary: bool,
    /// The baseline has a usable reading.
    pub baseline: bool,
    /// Why a reading that was sent adds nothing, for the canary and for the baseline.
    pub unused: [Option<Unused>; 2],
    /// A number of the canary was NaN or infinite, so the arm is left out. A baseline with such a
    /// number only counts as not read.
    pub not_finite: bool,
    /// The numbers are running totals.
    pub totals: bool,
    /// The running totals of the two arms were last read at different times, so the differences
    /// cover different times.
    pub uneven: bool,
    /// Running totals fell because their source lags behind the one of the reading before.
    pub behind: bool,
}

impl Tick {
    pub(crate) fn leave_out_baseline(&mut self) {
        let width = self.row.len();
        self.baseline = false;
        self.row[width / 2..].fill(0.0);
        self.strata.chunks_mut(width).for_each(|row| row[width / 2..].fill(0.0));
        self.instances[1].clear();
    }

    /// Fast path for most readings: both arms are valid, without strata, instances or running
    /// totals. Returns false for any other reading, which [`read`](Self::read) then reads.
    #[inline]
    pub(crate) fn read_plain(
        &mut self,
        metric: &Metric,
        layout: &Layout,
        reading: &Reading,
        share: Share,
    ) -> bool {
        let Some(arms) = reading.whole().filter(|arms| !arms.totals) else { return false };
        let (Some(canary), Some(baseline)) = (&arms.canary, &arms.baseline) else { return false };
        self.row.clear();
        if let (Sample::Histogram(canary), Sample::Histogram(baseline)) = (canary, baseline) {
            if !(is_plain_histogram(canary, layout) && is_plain_histogram(baseline, layout)) {
                return false;
            }
            for arm in [canary, baseline] {
                self.row.push(arm.count);
                self.row.extend_from_slice(&arm.counts);
            }
        } else if let Some(row) = plain(metric, (canary, baseline), share) {
            // The log has no −0.
            self.row.extend(row.map(|x| x + 0.0));
        } else {
            return false;
        }
        self.strata.clear();
        self.instances.iter_mut().for_each(Vec::clear);
        (self.canary, self.baseline) = (true, true);
        (self.not_finite, self.totals, self.uneven) = (false, false, false);
        (self.unused, self.seconds) = ([None; 2], [0.0; 2]);
        true
    }

    /// Reads one metric into this tick, whose memory is reused. Changes nothing else, so a refusal
    /// has no effect.
    ///
    /// # Errors
    /// [`ReadingError`].
    pub fn read(
        &mut self,
        metric: &Metric,
        layout: &Layout,
        counters: &Counters,
        reading: &Reading,
        at: Timestamp,
        share: Share,
    ) -> Result<(), ReadingError> {
        let width = 2 * layout.columns();
        let behind = OnceCell::new();
        let is_behind = || *behind.get_or_init(|| counters.is_behind(metric.kind, reading, at));
        let source = Source { metric, layout, at, share, behind: &is_behind };
        self.row.clear();
        self.row.resize(width, 0.0);
        self.strata.clear();
        self.instances.iter_mut().for_each(Vec::clear);
        (self.canary, self.baseline, self.not_finite) = (false, false, false);
        (self.totals, self.uneven, self.unused) = (false, false, [None; 2]);
        self.seconds = [0.0; 2];
        if let Some(arms) = reading.whole() {
            let kept = counters.of(reading).first();
            let mut row = std::mem::take(&mut self.row);
            let read = self.arms(source, (None, kept), arms, &mut row);
            self.row = row;
            self.behind = behind.get().is_some_and(|behind| *behind);
            return read;
        }
        // JSON would read these names as members of the arms, so a log could not be read again.
        let unreadable = |name: &String| NO_STRATA.contains(&name.as_str());
        if let Some(place) = reading.names().iter().position(unreadable) {
            let stratum = Some((reading, place));
            let reader = MetricReader { metric, arm: ARMS[0], stratum, instance: None };
            return Err(reader.expects("no stratum has the name of a member of the arms"));
        }
        let mut strata = std::mem::take(&mut self.strata);
        strata.resize(width * reading.strata().count(), 0.0);
        let (mut read, kept) = (Ok(()), counters.of(reading));
        // How many strata were read, of the canary and of the baseline.
        let mut parts = [0.0; 2];
        for ((place, arms), row) in reading.strata().enumerate().zip(strata.chunks_mut(width)) {
            let of = (Some((reading, place)), kept.get(place));
            (self.canary, self.baseline) = (false, false);
            read = read.and_then(|()| self.arms(source, of, arms, row));
            parts[0] += f64::from(u8::from(self.canary));
            parts[1] += f64::from(u8::from(self.baseline));
            for (sum, more) in self.row.iter_mut().zip(&*row) {
                *sum += more;
            }
        }
        // The volume of an arm is not known without one of its parts.
        let least = if metric.kind.is_traffic() { reading.strata().count() as f64 } else { 1.0 };
        (self.canary, self.baseline) = (parts[0] >= least, parts[1] >= least);
        for (sum, parts) in self.row.chunks_mut(width / 2).zip(parts) {
            if metric.kind.is_traffic() && parts < least {
                sum.fill(0.0);
            } else if metric.kind.has_exposure() || metric.kind.is_traffic() {
                // Strata are read at the same time, as instances are: the mean of their times. The parts
                // of a volume are added up, not averaged.
                sum[1] /= larger(parts, 1.0);
            }
        }
        self.instances.iter_mut().for_each(Vec::clear);
        self.strata = strata;
        self.behind = behind.get().is_some_and(|behind| *behind);
        read
    }

    /// Running totals of a volume came in the [seconds](Self::seconds) of each arm: none where a scrape
    /// is sent again.
    pub(crate) fn set_minutes(&mut self, seconds: [f64; 2]) {
        self.seconds = seconds;
        for (arm, seconds) in self.row.chunks_mut(2).zip(seconds) {
            arm[1] = seconds / 60.0;
        }
    }

    /// Reads both arms of one stratum into its row.
    fn arms(
        &mut self,
        source: Source<'_>,
        (stratum, kept): (Option<(&Reading, usize)>, Option<&Kept>),
        arms: &Arms,
        row: &mut [f64],
    ) -> Result<(), ReadingError> {
        let columns = row.len() / 2;
        self.totals |= arms.totals;
        self.uneven |= arms.totals && kept.is_some_and(|kept| kept.at[0] != kept.at[1]);
        for (index, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
            let Some(sample) = sample else { continue };
            let row = &mut row[index * columns..(index + 1) * columns];
            let (metric, arm) = (source.metric, ARMS[index]);
            let reader = MetricReader { metric, arm, stratum, instance: None };
            if arms.totals {
                reader.has_totals(sample)?;
            }
            let last = if arms.totals { Last::Totals(kept) } else { Last::NotNeeded };
            let read = if let Sample::Instances(instances) = sample {
                reader.instances(source, instances, last, row, &mut self.instances[index])?
            } else {
                source.one(&reader, sample, last, row)?
            };
            match read {
                Read::NotFinite => {
                    row.fill(0.0);
                    self.instances[index].clear();
                    self.not_finite |= index == 0;
                }
                Read::Nothing(why) => {
                    row.fill(0.0);
                    self.unused[index] = Some(why);
                }
                Read::Something(time) => {
                    self.seconds[index] = self.seconds[index].max(time.as_seconds());
                    *(if index == 0 { &mut self.canary } else { &mut self.baseline }) = true;
                }
            }
        }
        Ok(())
    }
}

/// The row of a plain reading of numbers; None if it needs more than a copy.
#[inline]
fn plain(
    metric: &Metric,
    (canary, baseline): (&Sample, &Sample),
    share: Share,
) -> Option<[f64; 4]> {
    let is_part =
        |events: f64, trials: f64| events >= 0.0 && events <= trials && trials <= MAX_COUNT;
    let is_level = |level: f64| (0.0..=MAX_COUNT).contains(&level);
    match (metric.kind.data(), canary, baseline) {
        (Data::Trials, &Sample::Pair(x, n), &Sample::Pair(y, m))
            if is_part(x, n) && is_part(y, m) =>
        {
            Some([x, n, y, m])
        }
        (Data::Exposure, &Sample::Pair(x, n), &Sample::Pair(y, m))
            if is_level(x) && is_level(n) && is_level(y) && is_level(m) =>
        {
            let of = |seconds: f64, share| seconds * exposed(metric, share).unwrap_or(1.0);
            Some([x, of(n, share), y, of(m, share.rest())])
        }
        (Data::Level, &Sample::Level(x), &Sample::Level(y)) if is_level(x) && is_level(y) => {
            Some([x, 1.0, y, 1.0])
        }
        _ => None,
    }
}

/// Whether an arm's histogram is valid and has the buckets of the layout, which were checked when
/// they were set.
#[inline]
fn is_plain_histogram(sent: &Histogram, layout: &Layout) -> bool {
    let (mut plain, mut before) = (!layout.edges().is_empty(), 0.0);
    for &count in &sent.counts {
        plain &= count >= before;
        before = count;
    }
    let fits = before <= sent.count && sent.count <= MAX_COUNT;
    plain && fits && sent.counts.len() == sent.le.len() && sent.le == layout.edges()
}

/// Factor on the seconds of exposure of an arm with this share; None if they are not scaled.
#[inline]
fn exposed(metric: &Metric, share: Share) -> Option<f64> {
    (metric.kind.has_exposure() && metric.scaled).then(|| share.as_fraction())
}

/// Result of one arm's reading.
enum Read {
    NotFinite,
    /// Running totals of which it is not known what is new.
    Nothing(Unused),
    /// A usable reading; the time that running totals cover, zero without totals.
    Something(Span),
}

closed_set! {
    /// Why a reading adds nothing.
    Unused {
        /// Running totals are the first ones: the next ones count from them.
        First = "first",
        /// Running totals fell, and are too high for a counter that was reset.
        Fell = "fell",
        /// No total fell, but events rose by more than trials, or the differences are not a
        /// histogram.
        TwoMoments = "two_moments",
        /// The exposure is scaled by a share of the traffic that is not known.
        Share = "share",
    }
}

impl Unused {
    /// What is wrong and what to do, as part of a sentence.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::First => "the first totals only show what the next ones count from",
            Self::Fell => {
                "the totals fell, and are too high for a counter that was reset: the next ones count from them"
            }
            Self::TwoMoments => {
                "the events rose by more than the trials: send both as they were at one moment"
            }
            Self::Share => "the canary's share of the traffic is not confirmed",
        }
    }
}

/// The totals that differences are taken from.
#[derive(Clone, Copy)]
enum Last<'a> {
    /// The value sent is not a total.
    NotNeeded,
    /// It is one; None if no total is known before it.
    Totals(Option<&'a Kept>),
}

/// What reading a sample needs beside the sample.
#[derive(Clone, Copy)]
struct Source<'a> {
    metric: &'a Metric,
    layout: &'a Layout,
    at: Timestamp,
    share: Share,
    /// Whether the reading's source [lags behind](Counters::is_behind).
    behind: &'a dyn Fn() -> bool,
}

impl<'a> Source<'a> {
    /// What totals are compared with.
    fn before(&self, pace: &'a Pace, is_sum: bool, fall: Option<&'a Fall>) -> Before<'a> {
        let Self { metric, at, behind, .. } = *self;
        Before { kind: metric.kind, pace, at, is_sum, fall, behind }
    }

    /// [`exposed`] for the arm with this index.
    fn exposed(self, arm: usize) -> Option<f64> {
        exposed(self.metric, if arm == 0 { self.share } else { self.share.rest() })
    }

    /// Reads an arm that is one sample.
    fn one(
        self,
        reader: &MetricReader<'_>,
        sample: &Sample,
        last: Last<'_>,
        row: &mut [f64],
    ) -> Result<Read, ReadingError> {
        if !reader.fill(sample, self.layout, row)? {
            return Ok(Read::NotFinite);
        }
        let arm = usize::from(reader.arm == ARMS[1]);
        let mut time = Span::ZERO;
        if let Last::Totals(kept) = last {
            let Some(kept) = kept else { return Ok(Read::Nothing(Unused::First)) };
            let (stored, fall) = (kept.at[arm], kept.falls[arm].as_ref());
            let before = self.before(&kept.pace[arm], true, fall);
            let last = &kept.arms[arm];
            let progress = before.progress(row, last);
            if let Err(why) = progress.take(row, last, fall) {
                return Ok(Read::Nothing(why));
            }
            let back = fall.filter(|_| matches!(progress, Progress::Back));
            time = self.at.since(stored) + back.map_or(Span::ZERO, |fall| fall.over);
            if self.metric.kind.is_traffic() {
                let minutes = time.as_seconds() / 60.0;
                if minutes <= 0.0 {
                    return Ok(Read::Nothing(Unused::First));
                }
                row[1] = minutes;
            }
        }
        reader.check(row)?;
        if let Some(share) = self.exposed(arm) {
            row[1] *= share;
        }
        Ok(Read::Something(time))
    }
}

impl MetricReader<'_> {
    /// Reads an arm instance by instance. One without a total before is new, and adds nothing yet.
    fn instances(
        &self,
        source: Source<'_>,
        instances: &BTreeMap<String, [f64; 2]>,
        last: Last<'_>,
        row: &mut [f64],
        each: &mut Vec<[f64; 2]>,
    ) -> Result<Read, ReadingError> {
        if !self.metric.kind.counts_events() {
            let remedy = "it is not read by instance, send one reading for the whole arm";
            return Err(self.expects(remedy));
        }
        if instances.keys().any(|name| name.len() > MOST_NAME) {
            return Err(self.expects("the name of an instance has at most 256 bytes"));
        }
        // JSON would read these names as members of other forms, so a log could not be read again.
        if instances.is_empty() || NO_INSTANCES.iter().any(|name| instances.contains_key(*name)) {
            return Err(self.form());
        }
        let arm = usize::from(self.arm == ARMS[1]);
        let (mut read, mut unused, mut finite) = (0.0, Unused::First, true);
        for (name, sent) in instances {
            let reader = MetricReader { instance: Some(name.as_str()), ..*self };
            if !reader.are_finite(sent)? {
                finite = false;
                continue;
            }
            reader.not_negative(sent)?;
            let mut added = *sent;
            let known = match last {
                Last::NotNeeded => Ok(()),
                Last::Totals(kept) => kept.ok_or(Unused::First).and_then(|kept| {
                    let before = source.before(&kept.pace[arm], false, None);
                    kept.added((arm, name), &before, &mut added)
                }),
            };
            match known {
                Ok(()) => {
                    reader.check(&added)?;
                    read += 1.0;
                }
                Err(why) => {
                    unused = why;
                    added = [0.0; 2];
                }
            }
            each.push(added);
        }
        if !finite {
            return Ok(Read::NotFinite);
        }
        if read == 0.0 {
            return Ok(Read::Nothing(unused));
        }
        if let Some(share) = source.exposed(arm) {
            // Instances are watched side by side: together they are exposed for as long as one of
            // them is.
            for [_, seconds] in &mut *each {
                *seconds *= share / read;
            }
        }
        for [events, trials] in each {
            row[0] += *events;
            row[1] += *trials;
        }
        let kept = if let Last::Totals(kept) = last { kept } else { None };
        Ok(Read::Something(kept.map_or(Span::ZERO, |kept| source.at.since(kept.at[arm]))))
    }
}

/// The column that grows with traffic.
pub(crate) const fn trials_column(kind: MetricKind) -> usize {
    match kind.data() {
        Data::Trials | Data::Exposure => 1,
        Data::Buckets | Data::Level => 0,
    }
}

#[cfg(test)]
mod tests;
