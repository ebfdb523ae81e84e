//! A history by instance from a recording, for the calibration of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metric::{Difference, Histogram, Reading, Sample, difference};
use crate::plan::{Histories, PlanHistories, SlowHistories};
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::simulate::environment::cadence;
use crate::sorting::{map_of, remove, sort_by_key};
use crate::text::{joined, quoted};
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::error::{RecordedErrors, RecordedFault};
use super::finding::{Anomalies, Anomaly, RecordedFinding};
use super::mapping::ARMS;
use super::steps::Steps;
use super::{RecordedMetrics, RecordedReading};

/// From this length on a history is long enough, if no phase is longer.
const ENOUGH: Span = Span::from_seconds(6 * 3600);
/// A pause between readings of more than this and of more than [`PAUSE_STEPS`] usual steps is left out.
const PAUSE: Span = Span::from_seconds(600);
/// See [`PAUSE`].
const PAUSE_STEPS: u64 = 10;
/// Steps that are so many times those of a rollout are too long for a history.
const SELDOM: u64 = 2;

/// What each instance counted in ordinary operation, for [`Plan::calibrated`], with findings.
///
/// [`Plan::calibrated`]: crate::plan::Plan::calibrated
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedHistory {
    /// The findings of the recording and of its metrics.
    pub findings: Vec<RecordedFinding>,
    /// By metric and instance, one pair per tick of the policy's cadence.
    pub history: Histories,
    /// Of latencies: by metric and arm, one row per tick. Arms take the place of instances, which
    /// readings of request times do not name.
    #[serde(default, skip_serializing_if = "SlowHistories::is_empty")]
    pub times: SlowHistories,
}

impl RecordedHistory {
    /// Counts and times, for [`Plan::calibrated`](crate::plan::Plan::calibrated).
    pub fn into_histories(self) -> PlanHistories {
        PlanHistories { counts: self.history, times: self.times }
    }
}

impl RecordedMetrics {
    /// Most pairs of the history of a metric: of all its instances together.
    pub const MOST_PAIRS: usize = 4_000_000;

    /// The history of each metric whose test is calibrated by a history under this policy.
    ///
    /// The readings are those of ordinary operation, or the logs of earlier healthy rollouts.
    /// Counts of both arms are used; histograms of a latency only in ticks in which both arms have
    /// requests and the metric's boundaries. A tick without a reading of an instance is `[0, 0]`.
    /// Of running totals, the differences are used, and a total that falls begins again at 0.
    ///
    /// Each metric has its own length. A pause of more than ten minutes and ten usual steps without such readings
    /// is left out, so that the logs of several rollouts can be read together. An instance that ended leaves its
    /// place to one that begins later, so that a history has as many instances as there are at a time.
    ///
    /// A metric is left out if its readings have no trials or mostly more events than trials, are
    /// running totals that were read as counts or the opposite, are of one instance, or are at
    /// least twice as far apart as those of a rollout.
    ///
    /// # Errors
    /// `HF-REC-019` if no metric has a history, and `HF-REC-004` for more than
    /// [`MOST_PAIRS`](Self::MOST_PAIRS).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Plan, Subject}, policy::Policy};
    /// use hotfix_core::simulate::recorded::{Format, Mapping, RecordedMetrics};
    ///
    /// let mapping = r#"{"time": {"unit": "seconds"}, "metrics": {"error_rate": {
    ///     "canary": {"events": "errors", "trials": "requests", "instance": "pod"}}}}"#;
    /// let mut text = String::from("time,pod,errors,requests\n");
    /// for tick in 0..2_160 {
    ///     for pod in 0..4 {
    ///         text += &format!("{},pod-{pod},{},250\n", tick * 10, (tick * 7 + pod * 3) % 5 / 4);
    ///     }
    /// }
    /// let recorded = RecordedMetrics::read(Format::Csv, &text, &Mapping::from_json(mapping)?)?;
    /// let policy = Arc::new(Policy::preset("standard")?);
    /// let read = recorded.history(&policy)?;
    /// assert_eq!(read.history[&"error_rate".parse()?]["pod-3"].len(), 2_160);
    ///
    /// let mut subject = Subject::default();
    /// subject.incident.id = "INC-2041".to_owned();
    /// let plan = Plan::calibrated(policy, subject, read.history)?;
    /// assert_eq!(plan.calibrations().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn history(&self, policy: &Policy) -> Result<RecordedHistory, RecordedErrors> {
        let mut reader = Reader::new(policy, self.step());
        for reading in &self.readings {
            reader.read(reading);
        }
        reader.leave_out(self.span().0);
        let own: Vec<RecordedFinding> = reader.odd.findings().collect();
        let (history, times) = reader.history(&own)?;
        // Of numbers that are not finite, a history has its own findings.
        let of_text = self.findings.iter().filter(|of| of.code != Anomaly::NotFinite.code());
        let mut findings: Vec<RecordedFinding> = of_text.cloned().collect();
        findings.extend(self.gaps(std::iter::once(policy)));
        findings.extend(own);
        Ok(RecordedHistory { findings, history, times })
    }
}

/// Sums readings by tick.
struct Reader<'a> {
    policy: &'a Policy,
    pace: Pace,
    counts: BTreeMap<MetricName, Read<[f64; 2]>>,
    /// Rows of the canary and of the baseline.
    times: BTreeMap<MetricName, Read<[Vec<f64>; 2]>>,
    odd: Anomalies,
}

/// The steps of time in a history.
#[derive(Clone, Copy)]
struct Pace {
    cadence: Span,
    /// Steps of at least this are too long for a history.
    seldom: Span,
    /// A longer time without a reading is a pause.
    pause: Span,
}

impl Pace {
    fn new(policy: &Policy, step: Span) -> Self {
        let times = |span: Span, times| Span::from_millis(span.as_millis().saturating_mul(times));
        Self {
            cadence: cadence(policy),
            seldom: times(policy.watch().reads_every(), SELDOM),
            pause: PAUSE.max(times(step, PAUSE_STEPS)),
        }
    }

    /// To the nearest tick, so that readings a little before or after their tick count for it.
    const fn ticks(self, of: Span) -> u64 {
        let cadence = self.cadence.as_millis();
        (of.as_millis() + cadence / 2) / cadence
    }
}

/// The present tick of a metric's history: pauses without usable readings are left out.
#[derive(Clone, Copy, Default)]
struct Clock {
    /// The first reading.
    first: Timestamp,
    /// The first reading after the last pause, and its tick.
    start: Option<(Timestamp, u64)>,
    last: Timestamp,
    tick: u64,
}

impl Clock {
    /// Advances to the tick of a reading; they come in order. Returns the pause before it, if there
    /// is one, and when that began.
    fn advance(&mut self, at: Timestamp, pace: Pace) -> Option<(Span, Timestamp)> {
        let (since, last) = (at.since(self.last), self.last);
        self.last = at;
        match self.start {
            Some((from, tick)) if since <= pace.pause => {
                self.tick = tick + pace.ticks(at.since(from));
                None
            }
            Some(_) => {
                self.tick += 1;
                self.start = Some((at, self.tick));
                Some((since, last))
            }
            None => {
                (self.first, self.start) = (at, Some((at, 0)));
                None
            }
        }
    }
}

#[derive(educe::Educe)]
#[educe(Default)]
struct Read<R> {
    clock: Clock,
    steps: Steps,
    /// By instance; of a latency under one name.
    rows: BTreeMap<String, Rows<R>>,
    /// Steps from one reading to the next, and how many of them are too long for a history.
    all: usize,
    seldom: usize,
    /// Readings without trials.
    without: usize,
}

impl<R: Clone> Read<R> {
    /// Keeps a reading as the last of its instance, and returns the one before unless a pause lies between.
    fn before(&mut self, name: &str, at: Timestamp, read: &R, pace: Pace) -> Option<R> {
        if !self.rows.contains_key(name) {
            self.rows.insert(name.to_owned(), Rows::default());
        }
        let (then, before) = self.rows.get_mut(name)?.last.replace((at, read.clone()))?;
        let since = at.since(then);
        self.all += 1;
        self.seldom += usize::from(since >= pace.seldom);
        (since <= pace.pause).then_some(before)
    }

    /// Adds counts to an instance's row of the present tick.
    fn add(&mut self, name: &str, read: R, add: impl FnOnce(&mut R, R)) {
        let tick = self.clock.tick;
        let Some(rows) = self.rows.get_mut(name) else { return };
        match rows.ticks.last_mut() {
            Some((last, sum)) if *last == tick => add(sum, read),
            _ => rows.ticks.push((tick, read)),
        }
    }

    /// The number of ticks with a reading, over all instances.
    fn counted(&self) -> usize {
        self.rows.values().map(|rows| rows.ticks.len()).sum()
    }

    fn ticks(&self) -> u64 {
        if self.clock.start.is_some() { self.clock.tick + 1 } else { 0 }
    }

    /// Why the readings are not a history. None if they are.
    fn fault(&self, pace: Pace) -> Option<Anomaly> {
        let places = self.rows.len();
        if self.counted() == 0 {
            (self.without > 0).then_some(Anomaly::NoTrials)
        } else {
            // A few steps are long because a recording leaves out an instance while it has no requests.
            let are_seldom = self.seldom > 0 && self.seldom * 10 >= self.all * 9;
            let seldom = are_seldom.then_some(Anomaly::Seldom(pace.seldom));
            self.steps.odd(places).or(seldom)
        }
    }
}

/// What was read of an instance, or of both arms of a latency.
#[derive(educe::Educe)]
#[educe(Default)]
struct Rows<R> {
    /// Ticks with a reading, in their order.
    ticks: Vec<(u64, R)>,
    last: Option<(Timestamp, R)>,
}

impl<R: Clone> Rows<R> {
    /// A row for each tick: `none` where nothing was read.
    fn of_each_tick(self, ticks: usize, none: R) -> Vec<R> {
        let mut rows = vec![none; ticks];
        for (tick, read) in self.ticks {
            if let Some(row) = usize::try_from(tick).ok().and_then(|tick| rows.get_mut(tick)) {
                *row = read;
            }
        }
        rows
    }
}

/// A place, in which one instance may follow the other.
struct Place<R> {
    name: String,
    /// The last instance in it.
    now: String,
    ticks: Vec<(u64, R)>,
}

impl<R> Place<R> {
    fn is_free(&self, at: u64) -> bool {
        self.ticks.last().is_none_or(|(last, _)| *last < at)
    }
}

/// Assigns instances to places: one that ended leaves its place to one that begins later, since a
/// deployment gives instances new names and not more instances. A place has the name of its first
/// instance. An instance without a reading for more than `ended` ticks has ended.
fn in_places<R>(instances: BTreeMap<String, Rows<R>>, ended: u64) -> BTreeMap<String, Rows<R>> {
    let mut lives: Vec<(u64, Place<R>)> = Vec::new();
    for (name, rows) in instances {
        let mut until = None;
        for (tick, read) in rows.ticks {
            let goes_on = until.replace(tick).is_some_and(|until| tick - until <= ended);
            match lives.last_mut() {
                Some((_, life)) if goes_on => life.ticks.push((tick, read)),
                _ => {
                    let (now, ticks) = (name.clone(), vec![(tick, read)]);
                    lives.push((tick, Place { name: name.clone(), now, ticks }));
                }
            }
        }
    }
    // Stable: those that begin at the same time keep the order of their names.
    sort_by_key(&mut lives, |(first, _)| *first);
    let mut places: Vec<Place<R>> = Vec::new();
    for (first, mut life) in lives {
        let free = |place: &Place<R>| place.is_free(first);
        let own = places.iter().position(|place| free(place) && place.now == life.now);
        if let Some(place) = own.or_else(|| places.iter().position(free)) {
            places[place].now = life.now;
            places[place].ticks.append(&mut life.ticks);
        } else {
            while places.iter().any(|place| place.name == life.name) {
                life.name.push('+');
            }
            places.push(life);
        }
    }
    map_of(places.into_iter().map(|place| (place.name, Rows { ticks: place.ticks, last: None })))
}

impl<'a> Reader<'a> {
    fn new(policy: &'a Policy, step: Span) -> Self {
        Self {
            policy,
            pace: Pace::new(policy, step),
            counts: BTreeMap::new(),
            times: BTreeMap::new(),
            odd: Anomalies::default(),
        }
    }

    fn read(&mut self, reading: &RecordedReading) {
        let at = reading.at;
        for (metric, read) in reading.metrics.iter() {
            let Some(known) = self.policy.metric(metric.as_str()) else {
                self.note(metric, Anomaly::NotInPolicy, at);
                continue;
            };
            if !self.policy.uses_history(known) {
                self.note(metric, Anomaly::NotCalibrated, at);
                continue;
            }
            if known.is_replayed_by_times() {
                self.add_times(known, read, at);
                continue;
            }
            for arms in read.strata() {
                for sample in [&arms.canary, &arms.baseline].into_iter().flatten() {
                    let Sample::Instances(instances) = sample else {
                        self.note(metric, Anomaly::NotByInstance, at);
                        continue;
                    };
                    for (name, counts) in instances {
                        self.add(known, name, *counts, arms.totals, at);
                    }
                }
            }
        }
    }

    fn add(&mut self, metric: &Metric, name: &str, read: [f64; 2], totals: bool, at: Timestamp) {
        if !read.iter().all(|count| count.is_finite() && *count >= 0.0) {
            return self.note(metric.id, Anomaly::NoCount, at);
        }
        let of = self.counts.entry(metric.id).or_default();
        let (mut counts, mut possible) = (read, true);
        match of.before(name, at, &read, self.pace) {
            None if totals => return,
            None => {}
            Some(before) => {
                of.steps.note(before[1], read[1], totals);
                let differs =
                    totals.then(|| difference(metric.kind.data(), &mut counts, &before)).flatten();
                possible = !matches!(differs, Some(Difference::Impossible));
            }
        }
        if metric.kind.is_fraction() && (counts[0] > counts[1] || !possible) {
            return self.note(metric.id, Anomaly::MoreThanTrials, at);
        }
        // An instance without requests is counted, but does not advance the clock to its tick.
        let mut pause = None;
        if counts[1] > 0.0 {
            pause = of.clock.advance(at, self.pace);
        } else {
            of.without += 1;
            if of.clock.start.is_none() {
                return;
            }
        }
        of.add(name, counts, |sum, more| *sum = [sum[0] + more[0], sum[1] + more[1]]);
        self.note_pause(metric.id, pause);
    }

    fn add_times(&mut self, metric: &Metric, reading: &Reading, at: Timestamp) {
        let Some(arms) = reading.whole() else {
            return self.note(metric.id, Anomaly::NotInBoundaries, at);
        };
        let rows = [&arms.canary, &arms.baseline].map(|sample| match sample {
            Some(Sample::Histogram(histogram)) => row(metric, histogram),
            _ => None,
        });
        let [Some(canary), Some(baseline)] = rows else {
            return self.note(metric.id, Anomaly::NotInBoundaries, at);
        };
        let of = self.times.entry(metric.id).or_default();
        let mut read = [canary, baseline];
        match of.before("", at, &read, self.pace) {
            None if arms.totals => return,
            None => {}
            Some(before) => {
                for (row, before) in read.iter_mut().zip(&before) {
                    of.steps.note(all(before), all(row), arms.totals);
                    if arms.totals
                        && let Some(Difference::Impossible) =
                            difference(metric.kind.data(), row, before)
                    {
                        return self.note(metric.id, Anomaly::NotInBoundaries, at);
                    }
                }
            }
        }
        // Without requests of both, there is nothing to compare.
        if read.iter().any(|row| all(row) <= 0.0) {
            of.without += 1;
            return;
        }
        let pause = of.clock.advance(at, self.pace);
        of.add("", read, |sums, read| {
            let pairs = sums.iter_mut().flatten().zip(read.iter().flatten());
            pairs.for_each(|(sum, more)| *sum += more);
        });
        self.note_pause(metric.id, pause);
    }

    fn note(&mut self, metric: MetricName, odd: Anomaly, at: Timestamp) {
        self.odd.note(odd, Some(metric), at);
    }

    fn note_pause(&mut self, metric: MetricName, pause: Option<(Span, Timestamp)>) {
        if let Some((lasts, at)) = pause {
            self.note(metric, Anomaly::Pause(lasts), at);
        }
    }

    /// Leaves out the metrics whose readings are not a history, and notes histories that are too short.
    /// `first`: the time of the first reading.
    fn leave_out(&mut self, first: Timestamp) {
        let pace = self.pace;
        let mut left_out = Vec::new();
        for (metric, of) in &mut self.counts {
            of.rows = in_places(std::mem::take(&mut of.rows), pace.ticks(pace.pause));
            if self.odd.count(Anomaly::MoreThanTrials, *metric) > of.counted() {
                left_out.push((*metric, Anomaly::MoreThanTrials));
            } else if let Some(odd) = of.fault(pace) {
                left_out.push((*metric, odd));
            } else if of.rows.len() == 1 {
                left_out.push((*metric, Anomaly::OneInstance));
            }
        }
        left_out.extend(self.times.iter().filter_map(|(id, of)| Some((*id, of.fault(pace)?))));
        for (metric, odd) in left_out {
            remove(&mut self.counts, &metric);
            remove(&mut self.times, &metric);
            if odd != Anomaly::MoreThanTrials {
                self.note(metric, odd, first);
            }
        }
        let compared = self.policy.phases().iter().filter(|phase| phase.share < Share::ALL);
        let longest = compared.map(Phase::longest).max().unwrap_or_default();
        let wanted = longest.max(ENOUGH);
        let counts = self.counts.iter().map(|(metric, of)| (*metric, of.ticks(), of.clock.first));
        let times = self.times.iter().map(|(metric, of)| (*metric, of.ticks(), of.clock.first));
        let lasts: Vec<_> = counts.chain(times).filter(|(_, ticks, _)| *ticks > 0).collect();
        for (metric, ticks, first) in lasts {
            let has = Span::from_millis(pace.cadence.as_millis().saturating_mul(ticks));
            // Not exactly: an hour of readings that are a minute apart covers 59 minutes.
            if has.as_millis().saturating_mul(100) < wanted.as_millis().saturating_mul(99) {
                self.note(metric, Anomaly::Short { has, wanted }, first);
            }
        }
    }

    /// The histories of all metrics that are left. `findings`: those about this history.
    fn history(
        self,
        findings: &[RecordedFinding],
    ) -> Result<(Histories, SlowHistories), RecordedErrors> {
        let mut histories = Histories::new();
        for (metric, of) in self.counts {
            if of.counted() > 0 {
                let ticks = few(of.ticks(), of.rows.len())?;
                let each =
                    |(name, rows): (String, Rows<_>)| (name, rows.of_each_tick(ticks, [0.0; 2]));
                histories.insert(metric, map_of(of.rows.into_iter().map(each)));
            }
        }
        let mut slow = SlowHistories::new();
        for (metric, of) in self.times {
            let ticks = few(of.ticks(), ARMS.len())?;
            let Some(times) = of.rows.into_values().next() else { continue };
            let Some((_, [canary, _])) = times.ticks.first() else { continue };
            let none = [vec![0.0; canary.len()], vec![0.0; canary.len()]];
            let mut rows = times.of_each_tick(ticks, none);
            rows.iter_mut().flatten().for_each(|row| row.rotate_left(1));
            let (canary, baseline) = rows.into_iter().map(<(Vec<f64>, Vec<f64>)>::from).unzip();
            let arms = ARMS.map(str::to_owned).into_iter().zip([canary, baseline]);
            slow.insert(metric, map_of(arms));
        }
        if histories.is_empty() && slow.is_empty() {
            let metrics = self.policy.metrics().iter();
            let calibrated = metrics.filter(|metric| self.policy.uses_history(metric));
            let by_instance = findings.iter().filter(|of| of.code != Anomaly::NotByInstance.code());
            let is_read = |id| by_instance.clone().any(|finding| finding.metric == Some(id));
            let missing = calibrated.filter(|metric| !is_read(metric.id));
            let (of_times, of_counts): (Vec<_>, Vec<_>) =
                missing.partition(|metric| metric.is_replayed_by_times());
            let left_out: String = findings.iter().filter_map(RecordedFinding::of_metric).collect();
            let policy = self.policy.name();
            let needed = [("the `instance`", of_counts), ("histograms of both arms", of_times)]
                .into_iter()
                .filter(|(_, metrics)| !metrics.is_empty())
                .map(|(what, metrics)| {
                    let metrics: Vec<MetricName> = metrics.iter().map(|of| of.id).collect();
                    format!("{what} of {}", quoted(&metrics, ", "))
                });
            let needed = joined(needed, ", or ");
            let missing = if !needed.is_empty() {
                format!(": give {needed}, whose tests a history calibrates in `{policy}`")
            } else if left_out.is_empty() {
                format!(": no test of `{policy}` is calibrated by one")
            } else {
                String::new()
            };
            return Err(RecordedFault::NoHistory { missing, left_out }.anywhere());
        }
        Ok((histories, slow))
    }
}

/// The ticks of a history of so many instances, unless these are too many: it has a pair for each tick
/// of each instance, also for those without a reading.
fn few(ticks: u64, instances: usize) -> Result<usize, RecordedErrors> {
    let most = RecordedMetrics::MOST_PAIRS;
    let pairs = ticks.saturating_mul(instances as u64);
    match usize::try_from(ticks) {
        Ok(ticks) if pairs <= most as u64 => Ok(ticks),
        _ => Err(RecordedFault::TooMuch { what: "ticks of all instances", most }.anywhere()),
    }
}

/// All requests of a row.
fn all(row: &[f64]) -> f64 {
    row.first().copied().unwrap_or_default()
}

/// All requests, and those up to each of the metric's boundaries, in the order of a tick's columns; None if
/// the histogram lacks a boundary or has no counts.
fn row(metric: &Metric, histogram: &Histogram) -> Option<Vec<f64>> {
    let Histogram { count, counts, le } = histogram;
    let up_to = |&seconds: &f64| {
        let place = le.iter().position(|edge| (edge - seconds).abs() <= 1e-9 * seconds)?;
        counts.get(place).copied()
    };
    let all = std::iter::once(Some(*count));
    let row = all.chain(metric.boundaries.iter().map(up_to)).collect::<Option<Vec<f64>>>()?;
    row.iter().all(|count| count.is_finite() && *count >= 0.0).then_some(row)
}
