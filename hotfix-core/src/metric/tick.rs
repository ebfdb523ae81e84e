//! Increment of one metric in one tick: differences of counters, resets, sums of strata.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use educe::Educe;

use crate::grade::{MetricKind, closed_set};
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::unit::{Share, Timestamp};

use super::reading::{Arms, Histogram, NO_INSTANCES, Reading, Sample};
use super::resolve::{ARMS, Layout, MetricReader, ReadingError};
use super::totals::Pace;
use super::totals::{Before, Counters, Kept};

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
    /// Why an arm that was sent adds nothing, of the canary and of the baseline.
    pub unused: [Option<Unused>; 2],
    /// A number was NaN or infinite: its arm is left out.
    pub not_finite: bool,
    /// The numbers are running totals.
    pub totals: bool,
    /// The running totals of the two arms were last read at different times, so the differences
    /// cover different times.
    pub uneven: bool,
    /// Running totals fell, and are those of a source that is behind the one before.
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

    /// Reads a reading of both arms with which nothing is wrong, and which is neither by stratum nor by
    /// instance, as most are; false where it has to be read at length.
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
            self.row.extend_from_slice(&row);
        } else {
            return false;
        }
        self.strata.clear();
        self.instances.iter_mut().for_each(Vec::clear);
        (self.canary, self.baseline) = (true, true);
        (self.not_finite, self.totals, self.uneven) = (false, false, false);
        self.unused = [None; 2];
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
        if let Some(arms) = reading.whole() {
            let kept = counters.of(reading).first();
            let mut row = std::mem::take(&mut self.row);
            let read = self.arms(source, (None, kept), arms, &mut row);
            self.row = row;
            self.behind = behind.get().is_some_and(|behind| *behind);
            return read;
        }
        let mut strata = std::mem::take(&mut self.strata);
        strata.resize(width * reading.strata().count(), 0.0);
        let mut read = Ok(());
        for ((place, arms), row) in reading.strata().enumerate().zip(strata.chunks_mut(width)) {
            let kept = counters.of(reading).get(place);
            read = read.and_then(|()| self.arms(source, (Some(place), kept), arms, row));
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
        self.behind = behind.get().is_some_and(|behind| *behind);
        read
    }

    /// Reads both arms of one stratum into its row.
    fn arms(
        &mut self,
        source: Source<'_>,
        (stratum, kept): (Option<usize>, Option<&Kept>),
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
                    self.not_finite = true;
                }
                Read::Nothing(why) => {
                    row.fill(0.0);
                    self.unused[index] = Some(why);
                }
                Read::Something => {
                    *(if index == 0 { &mut self.canary } else { &mut self.baseline }) = true;
                }
            }
        }
        Ok(())
    }
}

/// The row of such a reading of numbers.
#[inline]
fn plain(
    metric: &Metric,
    (canary, baseline): (&Sample, &Sample),
    share: Share,
) -> Option<[f64; 4]> {
    let is_part =
        |events: f64, trials: f64| events >= 0.0 && events <= trials && trials < f64::INFINITY;
    let is_level = |level: f64| (0.0..f64::INFINITY).contains(&level);
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

/// Whether nothing is wrong with an arm's histogram, which has the buckets of the layout: those of a
/// reading that was checked.
#[inline]
fn is_plain_histogram(sent: &Histogram, layout: &Layout) -> bool {
    let (mut plain, mut before) = (!layout.edges().is_empty(), 0.0);
    for &count in &sent.counts {
        plain &= count >= before;
        before = count;
    }
    let fits = before <= sent.count && sent.count < f64::INFINITY;
    plain && fits && sent.counts.len() == sent.le.len() && sent.le == layout.edges()
}

/// What the seconds of exposure of an arm with this share are scaled with; None where they are taken
/// as they are.
#[inline]
fn exposed(metric: &Metric, share: Share) -> Option<f64> {
    (metric.kind.has_exposure() && metric.scaled).then(|| share.as_fraction())
}

/// Result of one arm's reading.
enum Read {
    NotFinite,
    /// Totals of which it is not known what came since the last ones.
    Nothing(Unused),
    Something,
}

closed_set! {
    /// Why running totals add nothing.
    Unused {
        /// They are the first ones: the next ones count from them.
        First = "first",
        /// They fell, and are too high for a counter that was reset.
        Fell = "fell",
        /// None fell, and yet there are more events than trials more than before, or a histogram is
        /// none.
        TwoMoments = "two_moments",
    }
}

impl Unused {
    /// What is wrong and what to do, as part of a sentence.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::First => "the first totals only show what the next ones count from",
            Self::Fell => {
                "the totals fell, and are too high for a counter that was reset: send those of one source"
            }
            Self::TwoMoments => {
                "the events rose by more than the trials: send both as they were at one moment"
            }
        }
    }
}

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
    /// Whether the reading is of a source that is behind.
    behind: &'a dyn Fn() -> bool,
}

impl<'a> Source<'a> {
    /// What totals are compared with. `sum`: when the last ones were stored, of a sum of counters.
    fn before(&self, pace: &'a Pace, sum: Option<Timestamp>) -> Before<'a> {
        let Self { metric, at, behind, .. } = *self;
        Before { kind: metric.kind, pace, at, sum, behind }
    }

    /// What an arm's seconds of exposure are scaled with; none where they are taken as they are.
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
            let Some(kept) = kept else { return Ok(Read::Nothing(Unused::First)) };
            let (pace, stored) = (&kept.pace[arm], kept.at[arm]);
            let before = self.before(pace, Some(stored));
            let last = &kept.arms[arm];
            if let Err(why) = before.progress(row, last).take(row, last) {
                return Ok(Read::Nothing(why));
            }
            if self.metric.kind.is_traffic() {
                let minutes = self.at.since(kept.at[arm]).as_seconds() / 60.0;
                if minutes <= 0.0 {
                    return Ok(Read::Nothing(Unused::First));
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
            let remedy = "it is not read by instance, send one reading for the whole arm";
            return Err(self.expects(remedy));
        }
        // No document has them, so a log with them could not be read again.
        if instances.is_empty() || NO_INSTANCES.iter().any(|name| instances.contains_key(*name)) {
            return Err(self.form());
        }
        let arm = usize::from(self.arm == ARMS[1]);
        let (mut read, mut unused) = (0.0, Unused::First);
        for (name, sent) in instances {
            let reader = MetricReader { instance: Some(name.as_str()), ..*self };
            if !sent.iter().all(|x| x.is_finite()) {
                return Ok(Read::NotFinite);
            }
            reader.not_negative(sent)?;
            let mut added = *sent;
            let known = match last {
                Last::NotNeeded => Ok(()),
                Last::Totals(kept) => kept.ok_or(Unused::First).and_then(|kept| {
                    let before = source.before(&kept.pace[arm], None);
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
        Ok(Read::Something)
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
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn read(counters: &mut Counters, text: &str) -> Result<Tick, ReadingError> {
        read_at(counters, 0, text)
    }

    fn read_at(counters: &mut Counters, seconds: i64, text: &str) -> Result<Tick, ReadingError> {
        let policy = Policy::preset("phased-canary").unwrap();
        let metric = policy.metrics().iter().find(|m| m.id.as_str() == "error_rate").unwrap();
        let reading: Reading = serde_json::from_str(text).unwrap();
        let mut tick = Tick::default();
        let (layout, at) = (Layout::default(), Timestamp::try_from_millis(1000 * seconds).unwrap());
        tick.read(metric, &layout, counters, &reading, at, Share::ALL)?;
        counters.keep(metric, &layout, (&reading, &tick), at);
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

    /// Canary requests counted of 30 readings, each ten seconds after the last, of which every other one
    /// is from a source that is `behind` by so many; `form` writes the totals of an arm.
    fn counted(behind: i64, form: fn(&str, i64) -> String, until_restart: i64) -> f64 {
        let (mut counters, mut counted) = (Counters::default(), 0.0);
        for tick in 1..=30 {
            let of = if tick % 2 == 0 { (tick - behind).max(1) } else { tick };
            let (young, old) = (form("a", 50 * (of % until_restart)), form("b", 90_000 + 450 * of));
            let text = format!(r#"{{"totals": true, "canary": {young}, "baseline": {old}}}"#);
            counted += read_at(&mut counters, 10 * tick, &text).unwrap().row[1];
        }
        counted
    }

    #[test]
    fn met_6_young_totals_of_a_source_that_is_behind_are_counted_once() {
        let by_instance = |name: &str, of: i64| format!(r#"{{"{name}": [0, {of}]}}"#);
        let as_sum = |_: &str, of: i64| format!("[0, {of}]");
        for behind in [0, 1, 2, 3, 6] {
            // The last reading is of the source that is behind.
            let least = if behind == 0 { 1_450.0 } else { 1_400.0 };
            let forms: [fn(&str, i64) -> String; 2] = [by_instance, as_sum];
            for form in forms {
                assert_eq!(counted(behind, form, i64::MAX), least, "{behind} readings behind");
            }
        }
        // One that restarts each minute loses what came between its end and the reading before.
        assert_eq!(counted(0, by_instance, 6), 50.0 * 24.0);
    }

    #[test]
    fn met_6_totals_in_another_form_begin_again() {
        let mut counters = Counters::default();
        let forms = [
            (r#"{"totals": true, "canary": {"a": [0, 100]}}"#, 0.0),
            (r#"{"totals": true, "canary": {"a": [0, 200]}}"#, 100.0),
            (r#"{"totals": true, "canary": [0, 300]}"#, 0.0),
            (r#"{"totals": true, "canary": [0, 400]}"#, 100.0),
            (r#"{"totals": true, "canary": {"a": [0, 500]}}"#, 0.0),
            (r#"{"totals": true, "canary": {"a": [0, 600]}}"#, 100.0),
            (r#"{"canary": {"a": [0, 100]}}"#, 100.0),
            (r#"{"totals": true, "canary": {"a": [0, 800]}}"#, 0.0),
            (r#"{"totals": true, "canary": {"a": [0, 900]}}"#, 100.0),
        ];
        for (tick, (text, counted)) in (1..).zip(forms) {
            let row = read_at(&mut counters, 10 * tick, text).unwrap().row;
            assert_eq!(row[1], counted, "{text}");
        }
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
