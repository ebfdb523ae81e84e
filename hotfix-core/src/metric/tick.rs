//! Increment of one metric in one tick: differences of counters, resets, sums of strata.

use std::collections::BTreeMap;

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::unit::{Share, Span, Timestamp};

use super::pace::Pace;
use super::reading::{Arms, NO_INSTANCES, Reading, Sample};
use super::resolve::{ARMS, Layout, MetricReader, ReadingError};

/// Increment of one metric in one tick: the canary's columns, then the baseline's.
///
/// Proportions and counts: events, trials (or exposure in seconds, scaled by the arm's share).
/// Gauges and volumes: the sum of the levels and their number. Latency: the count, then requests at
/// or below each edge of the layout.
#[derive(Debug, Default, Educe, PartialEq)]
#[educe(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing of its own that a reading may be"
)]
pub struct Tick {
    /// The columns, over all strata.
    pub row: Vec<f64>,
    /// Such a row for each stratum, one after the other; empty where the reading has no strata.
    pub strata: Vec<f64>,
    /// Events and trials of each instance of the canary and of the baseline, in the order of their
    /// names; empty where an arm did not send them, and for readings by strata.
    pub instances: [Vec<[f64; 2]>; 2],
    /// The canary read something.
    pub canary: bool,
    /// The baseline read something.
    pub baseline: bool,
    /// A number was NaN or infinite: its arm is left out.
    pub not_finite: bool,
    /// The numbers are running totals.
    pub totals: bool,
    /// The running totals of the two arms were last read at different times, so the differences
    /// cover different times.
    pub uneven: bool,
}

/// The last running totals, by stratum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counters {
    strata: Vec<Kept>,
}

/// The last running totals of each arm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    arms: [Vec<f64>; 2],
    at: [Timestamp; 2],
    instances: [BTreeMap<String, [f64; 2]>; 2],
    /// Growth of each arm's totals.
    #[serde(default)]
    pace: [Pace; 2],
}

impl Tick {
    /// Reads a reading with both arms, each one pair or level with which nothing is wrong, as most
    /// are; false where it has to be read at length.
    #[inline]
    pub(crate) fn read_plain(&mut self, kind: MetricKind, reading: &Reading) -> bool {
        let Some(row) = plain(kind, reading) else { return false };
        self.row.clear();
        self.row.extend_from_slice(&row);
        self.strata.clear();
        self.instances.iter_mut().for_each(Vec::clear);
        (self.canary, self.baseline) = (true, true);
        (self.not_finite, self.totals, self.uneven) = (false, false, false);
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
        let source = Source { metric, layout, at, share };
        self.row.clear();
        self.row.resize(width, 0.0);
        self.strata.clear();
        self.instances.iter_mut().for_each(Vec::clear);
        (self.canary, self.baseline, self.not_finite) = (false, false, false);
        (self.totals, self.uneven) = (false, false);
        if let Some(arms) = reading.whole() {
            let kept = counters.of(reading).first();
            let mut row = std::mem::take(&mut self.row);
            let read = self.arms(source, kept, arms, &mut row);
            self.row = row;
            return read;
        }
        let mut strata = std::mem::take(&mut self.strata);
        strata.resize(width * reading.strata().count(), 0.0);
        let mut read = Ok(());
        for ((place, arms), row) in reading.strata().enumerate().zip(strata.chunks_mut(width)) {
            read =
                read.and_then(|()| self.arms(source, counters.of(reading).get(place), arms, row));
            for (sum, more) in self.row.iter_mut().zip(&*row) {
                *sum += more;
            }
        }
        if metric.kind.is_traffic() {
            // The parts of a volume are added up, not averaged.
            self.row[1] = self.row[1].min(1.0);
            self.row[3] = self.row[3].min(1.0);
        }
        self.instances.iter_mut().for_each(Vec::clear);
        self.strata = strata;
        read
    }

    /// Reads both arms of one stratum into its row.
    fn arms(
        &mut self,
        source: Source<'_>,
        kept: Option<&Kept>,
        arms: &Arms,
        row: &mut [f64],
    ) -> Result<(), ReadingError> {
        let columns = row.len() / 2;
        self.totals |= arms.totals;
        self.uneven |= arms.totals && kept.is_some_and(|kept| kept.at[0] != kept.at[1]);
        for (index, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
            let Some(sample) = sample else { continue };
            let row = &mut row[index * columns..(index + 1) * columns];
            let reader = MetricReader { metric: source.metric, arm: ARMS[index] };
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
                    self.not_finite = true;
                }
                Read::Nothing => row.fill(0.0),
                Read::Something => {
                    *(if index == 0 { &mut self.canary } else { &mut self.baseline }) = true;
                }
            }
        }
        Ok(())
    }
}

/// The row of such a reading.
#[inline]
fn plain(kind: MetricKind, reading: &Reading) -> Option<[f64; 4]> {
    let arms = reading.whole().filter(|arms| !arms.totals)?;
    let is_part =
        |events: f64, trials: f64| events >= 0.0 && events <= trials && trials < f64::INFINITY;
    let is_level = |level: f64| level >= 0.0 && level.is_finite();
    match (kind.data(), arms.canary.as_ref()?, arms.baseline.as_ref()?) {
        (Data::Trials, &Sample::Pair(x, n), &Sample::Pair(y, m))
            if is_part(x, n) && is_part(y, m) =>
        {
            Some([x, n, y, m])
        }
        (Data::Level, &Sample::Level(x), &Sample::Level(y)) if is_level(x) && is_level(y) => {
            Some([x, 1.0, y, 1.0])
        }
        _ => None,
    }
}

/// Result of one arm's reading.
enum Read {
    NotFinite,
    /// A counter's first value.
    Nothing,
    Something,
}

/// For how long totals that cannot follow the last ones are not stored.
const MOST_WAIT: Span = Span::from_seconds(120);

/// The totals that differences are taken from.
#[derive(Clone, Copy)]
enum Last<'a> {
    /// The value sent is not a total.
    NotNeeded,
    /// It is one; there may be none before it.
    Totals(Option<&'a Kept>),
}

/// What a reading is of.
#[derive(Clone, Copy)]
struct Source<'a> {
    metric: &'a Metric,
    layout: &'a Layout,
    at: Timestamp,
    share: Share,
}

impl Source<'_> {
    /// What an arm's seconds of exposure are scaled with; none where they are taken as they are.
    fn exposed(self, arm: usize) -> Option<f64> {
        let scaled = self.metric.kind.has_exposure() && self.metric.scaled;
        let share = if arm == 0 { self.share } else { self.share.rest() };
        scaled.then(|| share.as_fraction())
    }

    /// Reads an arm that is one sample.
    fn one(
        self,
        reader: &MetricReader<'_>,
        sample: &Sample,
        last: Last<'_>,
        row: &mut [f64],
    ) -> Result<Read, ReadingError> {
        // Most are events among trials, with which nothing is wrong.
        if let (Data::Trials, Sample::Pair(events, trials), Last::NotNeeded) =
            (self.metric.kind.data(), sample, last)
            && *events >= 0.0
            && events <= trials
            && *trials < f64::INFINITY
        {
            (row[0], row[1]) = (*events, *trials);
            return Ok(Read::Something);
        }
        if !reader.fill(sample, self.layout, row)? {
            return Ok(Read::NotFinite);
        }
        let arm = usize::from(reader.arm == ARMS[1]);
        if let Last::Totals(kept) = last {
            let total = row[trials_column(self.metric.kind)];
            let data = self.metric.kind.data();
            let Some(kept) = kept.filter(|kept| match difference(data, row, &kept.arms[arm]) {
                Some(Difference::More) => true,
                Some(Difference::Fell | Difference::Impossible) => {
                    kept.pace[arm].is_reset(total, self.at)
                }
                None => false,
            }) else {
                return Ok(Read::Nothing);
            };
            if self.metric.kind.is_traffic() {
                let minutes = self.at.since(kept.at[arm]).as_seconds() / 60.0;
                if minutes <= 0.0 {
                    return Ok(Read::Nothing);
                }
                row[0] /= minutes;
                row[1] = 1.0;
            }
        }
        reader.check(row)?;
        if let Some(share) = self.exposed(arm) {
            row[1] *= share;
        }
        Ok(Read::Something)
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
            return Err(self.form());
        }
        // No document has them, so a log with them could not be read again.
        if instances.is_empty() || NO_INSTANCES.iter().any(|name| instances.contains_key(*name)) {
            return Err(self.form());
        }
        let arm = usize::from(self.arm == ARMS[1]);
        let mut read = 0.0;
        for (name, sent) in instances {
            if !sent.iter().all(|x| x.is_finite()) {
                return Ok(Read::NotFinite);
            }
            self.not_negative(sent)?;
            let mut added = *sent;
            let known = match last {
                Last::NotNeeded => true,
                Last::Totals(kept) => kept
                    .and_then(|kept| Some((kept.instances[arm].get(name)?, &kept.pace[arm])))
                    .is_some_and(|(last, pace)| {
                        let data = self.metric.kind.data();
                        since_last(data, &mut added, last, |trials| {
                            pace.is_reset(trials, source.at)
                        })
                    }),
            };
            if known {
                self.check(&added)?;
                read += 1.0;
            } else {
                added = [0.0; 2];
            }
            each.push(added);
        }
        if read == 0.0 {
            return Ok(Read::Nothing);
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
        Ok(Read::Something)
    }
}

/// How totals differ from those before.
pub(crate) enum Difference {
    More,
    /// One of them fell.
    Fell,
    /// None fell, and yet they have more events than trials, or no histogram, more than before: a
    /// counter was reset soon after it had begun, or the numbers are not of one moment.
    Impossible,
}

/// Turns totals into what came since `last`, where that is possible; else they stay. None for a
/// counter's first reading.
pub(crate) fn difference(data: Data, row: &mut [f64], last: &[f64]) -> Option<Difference> {
    if last.len() != row.len() {
        return None;
    }
    if row.iter().zip(last).any(|(now, before)| now < before) {
        return Some(Difference::Fell);
    }
    let more = |column: usize| row[column] - last[column];
    let possible = match data {
        Data::Trials => more(0) <= more(1),
        Data::Buckets => (1..row.len()).is_sorted_by_key(more) && more(row.len() - 1) <= more(0),
        Data::Exposure | Data::Level => true,
    };
    if !possible {
        return Some(Difference::Impossible);
    }
    for (now, before) in row.iter_mut().zip(last) {
        *now -= before;
    }
    Some(Difference::More)
}

/// Turns the totals of one instance into what came since `last`; false where that is not known yet.
/// `is_reset`: whether so many trials may have come since the last reading.
fn since_last(
    data: Data,
    totals: &mut [f64; 2],
    last: &[f64; 2],
    is_reset: impl FnOnce(f64) -> bool,
) -> bool {
    // The seconds of a count may be those of a clock that is not the instance's.
    if matches!(data, Data::Exposure) && totals[0] < last[0] && totals[1] >= last[1] {
        totals[1] -= last[1];
        return true;
    }
    match difference(data, totals, last) {
        // One counter that fell was reset, and all of it is new.
        Some(Difference::More | Difference::Fell) => true,
        Some(Difference::Impossible) => is_reset(totals[1]),
        None => false,
    }
}

/// The column that grows with traffic.
pub(crate) const fn trials_column(kind: MetricKind) -> usize {
    match kind.data() {
        Data::Trials | Data::Exposure => 1,
        Data::Buckets | Data::Level => 0,
    }
}

impl Counters {
    /// The kept totals by stratum; none where the number of strata is another.
    fn of(&self, reading: &Reading) -> &[Kept] {
        if self.strata.len() == reading.strata().count() { &self.strata } else { &[] }
    }

    /// Stores the totals of a reading that was used.
    #[inline]
    pub fn keep(&mut self, metric: &Metric, layout: &Layout, reading: &Reading, at: Timestamp) {
        // Most have none, and no strata.
        if reading.whole().is_none_or(|arms| arms.totals) {
            self.keep_totals(metric, layout, reading, at);
        }
    }

    #[inline(never)]
    fn keep_totals(&mut self, metric: &Metric, layout: &Layout, reading: &Reading, at: Timestamp) {
        if !reading.strata().any(|arms| arms.totals) {
            return;
        }
        if self.strata.len() != reading.strata().count() {
            self.strata.clear();
            self.strata.resize(reading.strata().count(), Kept::default());
        }
        for (kept, arms) in self.strata.iter_mut().zip(reading.strata()).filter(|(_, a)| a.totals) {
            for (index, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
                let Some(sample) = sample else { continue };
                if let Sample::Instances(instances) = sample {
                    if kept.keep_instances(metric.kind.data(), index, instances, at) {
                        kept.at[index] = at;
                    }
                    continue;
                }
                if let (Data::Trials, Sample::Pair(events, trials)) = (metric.kind.data(), sample)
                    && kept.waits([*events, *trials], index, at)
                {
                    continue;
                }
                let totals = &mut kept.arms[index];
                let trials = trials_column(metric.kind);
                let before = totals.get(trials).copied();
                totals.resize(layout.columns(), 0.0);
                let reader = MetricReader { metric, arm: ARMS[index] };
                if matches!(reader.fill(sample, layout, totals), Ok(true)) {
                    kept.at[index] = at;
                    kept.pace[index].note(at, before, totals[trials]);
                } else {
                    totals.clear();
                }
            }
        }
    }
}

impl Kept {
    /// Whether totals of events and trials that cannot follow the last ones are not stored: the next
    /// ones may follow them.
    fn waits(&self, mut totals: [f64; 2], arm: usize, at: Timestamp) -> bool {
        let unclear = matches!(
            difference(Data::Trials, &mut totals, &self.arms[arm]),
            Some(Difference::Impossible)
        );
        unclear && !self.pace[arm].is_reset(totals[1], at) && at.since(self.at[arm]) <= MOST_WAIT
    }

    /// Stores each instance's totals. An instance without a reading this time, or with totals that
    /// cannot follow its last ones, keeps those; one with a value that is not a number loses them,
    /// because the next total would look like a reset. Returns whether any was stored.
    fn keep_instances(
        &mut self,
        data: Data,
        arm: usize,
        sent: &BTreeMap<String, [f64; 2]>,
        at: Timestamp,
    ) -> bool {
        let (kept, pace) = (&mut self.instances[arm], &mut self.pace[arm]);
        let (mut any, mut grown) = (false, 0.0);
        for (name, totals) in sent {
            if !totals.iter().all(|total| total.is_finite()) {
                kept.remove(name);
                continue;
            }
            any = true;
            let Some(last) = kept.get_mut(name) else {
                kept.insert(name.clone(), *totals);
                continue;
            };
            let mut added = *totals;
            if since_last(data, &mut added, last, |trials| pace.is_reset(trials, at)) {
                grown += added[1];
                *last = *totals;
            }
        }
        pace.note(at, Some(0.0), grown);
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn read(counters: &mut Counters, text: &str) -> Result<Tick, ReadingError> {
        let policy = Policy::preset("phased-canary").unwrap();
        let metric = policy.metrics().iter().find(|m| m.id.as_str() == "error_rate").unwrap();
        let reading: Reading = serde_json::from_str(text).unwrap();
        let mut tick = Tick::default();
        let (layout, at) = (Layout::default(), Timestamp::default());
        tick.read(metric, &layout, counters, &reading, at, Share::ALL)?;
        counters.keep(metric, &layout, &reading, at);
        Ok(tick)
    }

    #[test]
    fn met_6_each_instance_has_a_counter_of_its_own_and_resets_by_itself() {
        let mut counters = Counters::default();
        let first =
            r#"{"totals": true, "canary": {"a": [5, 100], "b": [50, 1000]}, "baseline": [9, 900]}"#;
        let tick = read(&mut counters, first).unwrap();
        assert_eq!((tick.canary, tick.row), (false, vec![0.0; 4]));
        // `a` went up by 1 in 20, `b` restarted, `c` is new and adds nothing yet.
        let second = r#"{"totals": true, "canary": {"a": [6, 120], "b": [2, 30], "c": [7, 70]}, "baseline": [10, 910]}"#;
        let tick = read(&mut counters, second).unwrap();
        assert_eq!(tick.row, [3.0, 50.0, 1.0, 10.0]);
        assert_eq!(tick.instances[0], [[1.0, 20.0], [2.0, 30.0], [0.0, 0.0]]);
        // One that was silent goes on where it was.
        let third = r#"{"totals": true, "canary": {"a": [6, 130]}, "baseline": [10, 910]}"#;
        assert_eq!(read(&mut counters, third).unwrap().row, [0.0, 10.0, 0.0, 0.0]);
        let fourth = r#"{"totals": true, "canary": {"a": [6, 130], "c": [8, 71]}}"#;
        assert_eq!(read(&mut counters, fourth).unwrap().row, [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn field_3_a_total_that_is_not_finite_is_no_reset_of_its_instance() {
        let mut counters = Counters::default();
        let totals =
            |a: &str| format!(r#"{{"totals": true, "canary": {{"a": {a}, "b": [1, 10]}}}}"#);
        assert!(!read(&mut counters, &totals("[500, 900000]")).unwrap().canary);
        assert!(read(&mut counters, &totals(r#"["NaN", 900010]"#)).unwrap().not_finite);
        // What it had before is not known any more: this is a first value again.
        let third = read(&mut counters, &totals("[501, 900020]")).unwrap();
        assert_eq!(third.instances[0], [[0.0, 0.0], [0.0, 0.0]]);
        let fourth = read(&mut counters, &totals("[502, 900030]")).unwrap();
        assert_eq!(fourth.instances[0], [[1.0, 10.0], [0.0, 0.0]]);
    }

    #[test]
    fn met_6_an_instance_has_no_more_errors_than_requests() {
        let text = r#"{"canary": {"a": [5, 4], "b": [0, 1000]}}"#;
        let refused = read(&mut Counters::default(), text).unwrap_err();
        assert_eq!(refused.code(), "HF-MET-003");
        let text = r#"{"canary": {"a": [5, -4], "b": [0, 1000]}}"#;
        assert_eq!(read(&mut Counters::default(), text).unwrap_err().code(), "HF-MET-004");
    }

    #[test]
    fn met_6_strata_keep_rows_of_their_own_and_counters_of_their_own() {
        let mut counters = Counters::default();
        let tick = read(
            &mut counters,
            r#"[{"canary": [1, 10]}, {"canary": [2, 30], "baseline": [4, 90]}]"#,
        )
        .unwrap();
        assert_eq!(tick.row, [3.0, 40.0, 4.0, 90.0]);
        assert_eq!(tick.strata, [1.0, 10.0, 0.0, 0.0, 2.0, 30.0, 4.0, 90.0]);
        let totals =
            r#"[{"totals": true, "canary": [1, 10]}, {"totals": true, "canary": [2, 30]}]"#;
        assert!(!read(&mut counters, totals).unwrap().canary);
        let later = r#"[{"totals": true, "canary": [2, 20]}, {"totals": true, "canary": [2, 35]}]"#;
        assert_eq!(read(&mut counters, later).unwrap().row[..2], [1.0, 15.0]);
        // Another number of strata: nobody knows which is which.
        let fewer = r#"{"totals": true, "canary": [9, 95]}"#;
        assert!(!read(&mut counters, fewer).unwrap().canary);
    }
}
