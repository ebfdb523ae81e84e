//! A history by instance from a recording, for the calibration of a plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::metric::{Difference, Histogram, Reading, Sample, difference};
use crate::plan::{Histories, PlanHistories, SlowHistories};
use crate::policy::Policy;
use crate::policy::section::{Metric, Phase};
use crate::sorting::map_of;
use crate::text::quoted;
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::error::{RecordedErrors, RecordedFault};
use super::finding::{Odd, Oddities, RecordedFinding};
use super::mapping::ARMS;
use super::{RecordedMetrics, RecordedReading};

/// From this length on a history is long enough, if no phase is longer.
const ENOUGH: Span = Span::from_seconds(6 * 3600);
/// A pause between readings of more than this and of more than [`STEPS`] usual steps is left out.
const PAUSE: Span = Span::from_seconds(600);
/// See [`PAUSE`].
const STEPS: u64 = 10;
/// Trials of each instance that rise so often, and hardly ever fall, are running totals.
const RISES: usize = 60;
/// Running totals rise so many times as often as they fall, with restarts.
const RISES_TO_A_FALL: usize = 20;

/// What each instance counted in ordinary operation, for [`Plan::calibrated`], with findings.
///
/// [`Plan::calibrated`]: crate::plan::Plan::calibrated
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedHistory {
    /// The findings of the recording and of its metrics.
    pub findings: Vec<RecordedFinding>,
    /// By metric and instance, one pair per tick of the policy's cadence.
    pub history: Histories,
    /// Of latencies: by metric and arm, one row per tick. Arms are read, since a reading of request
    /// times does not name instances.
    #[serde(default, skip_serializing_if = "SlowHistories::is_empty")]
    pub times: SlowHistories,
}

impl RecordedHistory {
    /// Both, for [`Plan::with_histories`](crate::plan::Plan::with_histories).
    pub fn into_histories(self) -> PlanHistories {
        PlanHistories { counts: self.history, times: self.times }
    }
}

impl RecordedMetrics {
    /// Most pairs of the history of a metric: of all its instances together.
    pub const MOST_PAIRS: usize = 4_000_000;

    /// The history of each metric whose test one calibrates under this policy.
    ///
    /// The readings are those of ordinary operation, or the logs of earlier healthy rollouts. Counts
    /// of both arms are used. Of a latency the histograms are, in ticks in which both arms have one
    /// with the metric's boundaries. A tick without a reading of an instance is `[0, 0]`. Of running
    /// totals, the differences are used, and a total that falls begins again at 0. A pause of more
    /// than ten minutes and ten usual steps is left out, so that the logs of several rollouts can be
    /// read together. A metric whose readings cannot be what they should be is left out: without any
    /// trials, mostly with more events than trials, or running totals that were read as counts.
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
            reader.read(reading)?;
        }
        reader.leave_out(self.span().0);
        let own: Vec<RecordedFinding> = reader.findings().collect();
        let (history, times) = reader.history(&own)?;
        Ok(RecordedHistory { findings: [self.findings.as_slice(), &own].concat(), history, times })
    }
}

/// Sums readings by tick.
struct Reader<'a> {
    policy: &'a Policy,
    /// From which time without a reading on there is a pause.
    pause: Span,
    /// The first reading after the last pause, and its tick.
    start: Option<(Timestamp, u64)>,
    last: Timestamp,
    tick: u64,
    metrics: BTreeMap<MetricName, BTreeMap<String, Rows<[f64; 2]>>>,
    /// Rows of the canary and of the baseline.
    times: BTreeMap<MetricName, Rows<[Vec<f64>; 2]>>,
    odd: Oddities,
    /// Of readings that are not running totals by the mapping.
    steps: BTreeMap<MetricName, Steps>,
    short: Option<RecordedFinding>,
}

/// How often the trials of an instance rose and fell from one reading to the next.
#[derive(Clone, Copy, Default)]
struct Steps {
    rises: usize,
    falls: usize,
}

impl Steps {
    fn note(&mut self, before: f64, now: f64) {
        self.rises += usize::from(now > before);
        self.falls += usize::from(now < before);
    }

    /// Whether so many instances have running totals.
    const fn are_of_totals(self, instances: usize) -> bool {
        self.rises >= RISES * instances && self.falls * RISES_TO_A_FALL <= self.rises
    }
}

/// What was read of an instance, or of both arms of a latency.
#[derive(educe::Educe)]
#[educe(Default)]
struct Rows<R> {
    /// Ticks with a reading, in their order.
    ticks: Vec<(u64, R)>,
    /// The last reading since the last pause.
    last: Option<R>,
}

impl<R: Clone> Rows<R> {
    /// Adds a reading to its tick.
    fn add(&mut self, tick: u64, read: R, add: impl FnOnce(&mut R, R)) {
        match self.ticks.last_mut() {
            Some((last, sum)) if *last == tick => add(sum, read),
            _ => self.ticks.push((tick, read)),
        }
    }

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

impl<'a> Reader<'a> {
    fn new(policy: &'a Policy, step: Span) -> Self {
        let steps = Span::from_millis(step.as_millis().saturating_mul(STEPS));
        Self {
            policy,
            pause: PAUSE.max(steps),
            start: None,
            last: Timestamp::default(),
            tick: 0,
            metrics: BTreeMap::new(),
            times: BTreeMap::new(),
            odd: Oddities::default(),
            steps: BTreeMap::new(),
            short: None,
        }
    }

    fn read(&mut self, reading: &RecordedReading) -> Result<(), RecordedErrors> {
        let at = reading.at;
        self.advance(at);
        for (metric, read) in reading.metrics.iter() {
            let Some(known) = self.policy.metric(metric.as_str()) else {
                self.note(metric, Odd::NotInPolicy, at);
                continue;
            };
            if !self.policy.uses_history(known) {
                self.note(metric, Odd::NotCalibrated, at);
                continue;
            }
            if known.is_replayed_by_times() {
                self.add_times(known, read, at);
                continue;
            }
            for arms in read.strata() {
                for sample in [&arms.canary, &arms.baseline].into_iter().flatten() {
                    let Sample::Instances(instances) = sample else {
                        self.note(metric, Odd::NotByInstance, at);
                        continue;
                    };
                    for (name, counts) in instances {
                        self.add(known, name, *counts, arms.totals, at)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Goes to the tick of a time. Times come in order.
    fn advance(&mut self, at: Timestamp) {
        let since = at.since(self.last);
        match self.start {
            Some((from, tick)) if since <= self.pause => {
                let cadence = self.policy.watch().cadence.as_millis().max(1);
                self.tick = tick + at.since(from).as_millis() / cadence;
            }
            Some(_) => {
                self.odd.note(Odd::Pause(since), None, self.last);
                self.tick += 1;
                self.start = Some((at, self.tick));
                for instance in self.metrics.values_mut().flat_map(BTreeMap::values_mut) {
                    instance.last = None;
                }
                for times in self.times.values_mut() {
                    times.last = None;
                }
            }
            None => self.start = Some((at, 0)),
        }
        self.last = at;
    }

    fn add(
        &mut self,
        metric: &Metric,
        name: &str,
        read: [f64; 2],
        totals: bool,
        at: Timestamp,
    ) -> Result<(), RecordedErrors> {
        if !read.iter().all(|count| count.is_finite() && *count >= 0.0) {
            self.note(metric.id, Odd::NoCount, at);
            return Ok(());
        }
        let tick = self.tick;
        let instances = self.metrics.entry(metric.id).or_default();
        if !instances.contains_key(name) {
            instances.insert(name.to_owned(), Rows::default());
        }
        let names = instances.len();
        let Some(instance) = instances.get_mut(name) else { return Ok(()) };
        let (mut counts, mut possible) = (read, true);
        let before = instance.last.replace(read);
        match before {
            None if totals => return Ok(()),
            Some(before) if totals => {
                possible = !matches!(
                    difference(metric.kind.data(), &mut counts, &before),
                    Some(Difference::Impossible)
                );
            }
            Some(before) => self.steps.entry(metric.id).or_default().note(before[1], read[1]),
            None => {}
        }
        if metric.kind.is_fraction() && (counts[0] > counts[1] || !possible) {
            self.note(metric.id, Odd::MoreThanTrials, at);
            return Ok(());
        }
        instance.add(tick, counts, |sum, more| *sum = [sum[0] + more[0], sum[1] + more[1]]);
        // A history has a pair for each tick of each instance, also for those without a reading.
        let pairs = (names as u64).saturating_mul(tick + 1);
        if pairs > RecordedMetrics::MOST_PAIRS as u64 {
            let (what, most) = ("ticks of all instances", RecordedMetrics::MOST_PAIRS);
            return Err(RecordedFault::TooMuch { what, most }.anywhere());
        }
        Ok(())
    }

    /// Adds the request times of both arms.
    fn add_times(&mut self, metric: &Metric, reading: &Reading, at: Timestamp) {
        let Some(arms) = reading.whole() else {
            return self.note(metric.id, Odd::NotInBoundaries, at);
        };
        let rows = [&arms.canary, &arms.baseline].map(|sample| match sample {
            Some(Sample::Histogram(histogram)) => row(metric, histogram),
            _ => None,
        });
        let [Some(canary), Some(baseline)] = rows else {
            return self.note(metric.id, Odd::NotInBoundaries, at);
        };
        let tick = self.tick;
        let times = self.times.entry(metric.id).or_default();
        let mut read = [canary, baseline];
        let before = times.last.replace(read.clone());
        match before {
            None if arms.totals => return,
            Some(before) if arms.totals => {
                for (row, before) in read.iter_mut().zip(&before) {
                    if let Some(Difference::Impossible) =
                        difference(metric.kind.data(), row, before)
                    {
                        return self.note(metric.id, Odd::NotInBoundaries, at);
                    }
                }
            }
            Some(before) => {
                let steps = self.steps.entry(metric.id).or_default();
                for (row, before) in read.iter().zip(&before) {
                    steps.note(all(before), all(row));
                }
            }
            None => {}
        }
        times.add(tick, read, |sums, read| {
            let pairs = sums.iter_mut().flatten().zip(read.iter().flatten());
            pairs.for_each(|(sum, more)| *sum += more);
        });
    }

    fn note(&mut self, metric: MetricName, odd: Odd, at: Timestamp) {
        self.odd.note(odd, Some(metric), at);
    }

    /// Leaves out the metrics whose readings cannot be what they should be. `first`: the first time.
    fn leave_out(&mut self, first: Timestamp) {
        let steps = &self.steps;
        let is_of_totals = |metric: &MetricName, instances: usize| {
            steps.get(metric).is_some_and(|steps| steps.are_of_totals(instances))
        };
        let mut left_out = Vec::new();
        for (metric, instances) in &self.metrics {
            let counts = || instances.values().flat_map(|instance| &instance.ticks);
            let read = counts().filter(|(_, [_, trials])| *trials > 0.0).count();
            if self.odd.count(Odd::MoreThanTrials, *metric) > read {
                left_out.push((*metric, Odd::MoreThanTrials));
            } else if read == 0 && counts().next().is_some() {
                left_out.push((*metric, Odd::NoTrials));
            } else if is_of_totals(metric, instances.len()) {
                left_out.push((*metric, Odd::RisesOnly));
            }
        }
        for (metric, times) in &self.times {
            if times.ticks.iter().all(|(_, rows)| rows.iter().all(|row| all(row) == 0.0)) {
                left_out.push((*metric, Odd::NoTrials));
            } else if is_of_totals(metric, 2) {
                left_out.push((*metric, Odd::RisesOnly));
            }
        }
        for (metric, odd) in left_out {
            self.metrics.remove(&metric);
            self.times.remove(&metric);
            if odd != Odd::MoreThanTrials {
                self.note(metric, odd, first);
            }
        }
        let compared = self.policy.phases().iter().filter(|phase| phase.share < Share::ALL);
        let longest = compared.map(Phase::longest).max().unwrap_or_default();
        let cadence = self.policy.watch().cadence.as_millis();
        let has = Span::from_millis(cadence.saturating_mul(self.tick + 1));
        let wanted = longest.max(ENOUGH);
        if has < wanted && !(self.metrics.is_empty() && self.times.is_empty()) {
            self.short = Some(Odd::Short { has, wanted }.finding(1, None, Some(first)));
        }
    }

    fn findings(&self) -> impl Iterator<Item = RecordedFinding> {
        self.odd.findings().chain(self.short.clone())
    }

    /// `findings`: of this history.
    fn history(
        self,
        findings: &[RecordedFinding],
    ) -> Result<(Histories, SlowHistories), RecordedErrors> {
        let ticks = usize::try_from(self.tick + 1).unwrap_or(usize::MAX);
        let mut histories = Histories::new();
        for (metric, instances) in self.metrics {
            if instances.values().all(|instance| instance.ticks.is_empty()) {
                continue;
            }
            let each = |(name, rows): (String, Rows<_>)| (name, rows.of_each_tick(ticks, [0.0; 2]));
            histories.insert(metric, map_of(instances.into_iter().map(each)));
        }
        let mut slow = SlowHistories::new();
        for (metric, times) in self.times {
            let width = times.ticks.first().map_or(0, |(_, [canary, _])| canary.len());
            let none = [vec![0.0; width], vec![0.0; width]];
            let rows = times.of_each_tick(ticks, none).into_iter();
            let (canary, baseline) = rows.map(<(Vec<f64>, Vec<f64>)>::from).unzip();
            let arms = ARMS.map(str::to_owned).into_iter().zip([canary, baseline]);
            slow.insert(metric, map_of(arms));
        }
        if histories.is_empty() && slow.is_empty() {
            let metrics = self.policy.metrics().iter();
            let calibrated = metrics.filter(|metric| self.policy.uses_history(metric));
            let known: Vec<MetricName> = calibrated.map(|metric| metric.id).collect();
            let known = if known.is_empty() { "none".to_owned() } else { quoted(&known, ", ") };
            let policy = self.policy.name().to_string();
            let left_out = findings.iter().filter_map(RecordedFinding::of_metric).collect();
            return Err(RecordedFault::NoHistory { policy, known, left_out }.anywhere());
        }
        Ok((histories, slow))
    }
}

/// All requests of a row.
fn all(row: &[f64]) -> f64 {
    row.last().copied().unwrap_or_default()
}

/// The requests up to each of the metric's boundaries, and all; None if the histogram lacks a
/// boundary or has no counts.
fn row(metric: &Metric, histogram: &Histogram) -> Option<Vec<f64>> {
    let Histogram { count, counts, le } = histogram;
    let up_to = |boundary: &Span| {
        let seconds = boundary.as_seconds();
        let place = le.iter().position(|edge| (edge - seconds).abs() <= 1e-9 * seconds)?;
        counts.get(place).copied()
    };
    let mut row = metric.boundaries.iter().map(up_to).collect::<Option<Vec<f64>>>()?;
    row.push(*count);
    row.iter().all(|count| count.is_finite() && *count >= 0.0).then_some(row)
}
