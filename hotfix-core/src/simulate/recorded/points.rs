//! Single numbers with their times, merged into observations.

use std::collections::{BTreeMap, BTreeSet};

use crate::metric::{Histogram, Observation, Sample};
use crate::sorting::sort_by_key;
use crate::unit::{MetricName, Span, Timestamp};

use super::error::{RecordedErrors, RecordedFault};
use super::finding::{Anomalies, Anomaly, RecordedFinding};
use super::json_lines::Moves;
use super::mapping::{ARMS, LabelPart, Mapping};
use super::{RecordedMetrics, RecordedReading};

/// What a number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    /// Index among the mapping's arms.
    pub(super) arm: usize,
    /// By [`Points::instance`]; 0 if the arm is not read by instance.
    pub(super) instance: usize,
    pub(super) part: LabelPart,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at: Timestamp,
    of: Series,
    value: f64,
}

impl Point {
    fn shows_traffic(&self) -> bool {
        match self.of.part {
            LabelPart::Events | LabelPart::Value => false,
            LabelPart::Trials | LabelPart::Count | LabelPart::Bucket(_) => self.value > 0.0,
            LabelPart::Sample => true,
        }
    }
}

pub(super) struct Points<'m> {
    mapping: &'m Mapping,
    list: Vec<Point>,
    /// The instances by name; their numbers begin with 1.
    instances: BTreeMap<String, usize>,
    /// The names of instances by number; 0 is an arm that is not read by instance.
    names: Vec<String>,
    /// The last time of each series, to find readings that are out of order.
    last: BTreeMap<Series, Timestamp>,
    /// Readings that are out of order.
    late: Anomalies,
}

impl<'m> Points<'m> {
    pub(super) fn new(mapping: &'m Mapping) -> Self {
        let (instances, names, last) = (BTreeMap::new(), vec![String::new()], BTreeMap::new());
        Self { mapping, list: Vec::new(), instances, names, last, late: Anomalies::default() }
    }

    pub(super) fn instance(&mut self, name: &str) -> usize {
        if let Some(known) = self.instances.get(name) {
            return *known;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.instances.insert(name.to_owned(), number);
        number
    }

    pub(super) fn add(
        &mut self,
        at: Timestamp,
        of: Series,
        value: f64,
    ) -> Result<(), RecordedErrors> {
        if self.list.len() == RecordedMetrics::MOST_POINTS {
            let (what, most) = ("numbers", RecordedMetrics::MOST_POINTS);
            return Err(RecordedFault::TooMuch { what, most }.anywhere());
        }
        let last = self.last.entry(of).or_insert(at);
        if at < *last {
            self.late.note(Anomaly::OutOfOrder(last.since(at)), None, at);
        } else {
            *last = at;
        }
        self.list.push(Point { at, of, value });
        Ok(())
    }

    /// The observations, in the order of time.
    pub(super) fn assemble(mut self) -> RecordedMetrics {
        let arms: Vec<_> = self.mapping.arms().collect();
        // Stable: numbers of the same part keep the order of the text.
        sort_by_key(&mut self.list, |point| (point.at, point.of.arm));
        let edges = self.edges(arms.len());
        let mut faults = vec![Anomalies::default(); arms.len()];
        // The instances of an arm that have had both numbers.
        let mut whole: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut readings: Vec<RecordedReading> = Vec::new();
        let mut first_of_canary = BTreeMap::new();
        for group in self.list.chunk_by(|a, b| (a.at, a.of.arm) == (b.at, b.of.arm)) {
            let Some(first) = group.first() else { continue };
            let (at, index) = (first.at, first.of.arm);
            let (Some((metric, which, _)), Some(faults), Some(edges)) =
                (arms.get(index), faults.get_mut(index), edges.get(index))
            else {
                continue;
            };
            if *which == 0 && group.iter().any(Point::shows_traffic) {
                first_of_canary.entry(*metric).or_insert(at);
            }
            let mut note = |odd| faults.note(odd, Some(*metric), at);
            if group.iter().any(|point| !point.value.is_finite()) {
                note(Anomaly::NotFinite);
            }
            let sample = if first.of.instance > 0 {
                by_instance(group, &self.names, note, &mut whole)
            } else {
                let sample = sample(first.of.part, group, edges, &mut note);
                if sample.is_none() {
                    note(Anomaly::Incomplete);
                }
                sample
            };
            let Some(sample) = sample else { continue };
            let totals = self.mapping.metrics.get(metric).is_some_and(|metric| metric.totals);
            if readings.last().is_none_or(|last| last.at != at) {
                readings.push(RecordedReading { at, metrics: Observation::new() });
            }
            let Some(reading) = readings.last_mut() else { continue };
            put(&mut reading.metrics, *metric, *which, sample, totals);
        }
        let mut findings: Vec<RecordedFinding> = self.late.findings().collect();
        for ((_, which, _), faults) in arms.iter().zip(&faults) {
            let arm = ARMS.get(*which).copied().unwrap_or_default();
            findings.extend(faults.findings().map(|of| of.in_arm(arm)));
        }
        for (index, (metric, which, _)) in arms.iter().enumerate() {
            if !self.last.keys().any(|of| of.arm == index) {
                let arm = ARMS.get(*which).copied().unwrap_or_default();
                findings.push(Anomaly::NoSeries(arm).finding(1, Some(*metric), None));
            }
            // Instance 0 is an arm that is not read by instance.
            let seen = self.last.keys().filter(|of| of.arm == index && of.instance > 0);
            let seen: BTreeSet<_> = seen.map(|of| (index, of.instance)).collect();
            let partial = seen.difference(&whole).count();
            if partial > 0 {
                findings.push(Anomaly::Partial.finding(partial, Some(*metric), None));
            }
        }
        let (planned, moves) = (None, Moves::default());
        RecordedMetrics { readings, findings, first_of_canary, planned, moves }
    }

    fn edges(&self, arms: usize) -> Vec<BTreeSet<u64>> {
        let mut edges = vec![BTreeSet::new(); arms];
        for of in self.last.keys() {
            if let (LabelPart::Bucket(bound), Some(edges)) = (of.part, edges.get_mut(of.arm)) {
                edges.insert(bound);
            }
        }
        edges
    }
}

/// The bits of the bound of the bucket `+Inf`.
pub(super) const OPEN: u64 = f64::INFINITY.to_bits();

/// The counts of an arm's instances that have both parts at one time, which are added to `whole`.
/// None if no instance has both.
fn by_instance(
    group: &[Point],
    names: &[String],
    mut note: impl FnMut(Anomaly),
    whole: &mut BTreeSet<(usize, usize)>,
) -> Option<Sample> {
    let first = group.first()?;
    let mut read: BTreeMap<usize, [Option<f64>; 2]> = BTreeMap::new();
    for point in group {
        let parts = read.entry(point.of.instance).or_default();
        let place = usize::from(point.of.part == LabelPart::Trials);
        if parts[place].replace(point.value).is_some() {
            note(Anomaly::Duplicate);
        }
    }
    let mut instances = BTreeMap::new();
    for (number, parts) in read {
        if let ([Some(events), Some(trials)], Some(name)) = (parts, names.get(number)) {
            instances.insert(name.clone(), [events, trials]);
            whole.insert((first.of.arm, number));
        } else {
            note(Anomaly::Incomplete);
        }
    }
    (!instances.is_empty()).then_some(Sample::Instances(instances))
}

/// The reading of an arm at one time. None if a part is missing.
fn sample(
    first: LabelPart,
    group: &[Point],
    edges: &BTreeSet<u64>,
    note: &mut impl FnMut(Anomaly),
) -> Option<Sample> {
    if first == LabelPart::Sample {
        return Some(Sample::Samples(group.iter().map(|point| point.value).collect()));
    }
    let mut parts: BTreeMap<LabelPart, f64> = BTreeMap::new();
    for point in group {
        if parts.insert(point.of.part, point.value).is_some() {
            note(Anomaly::Duplicate);
        }
    }
    let part = |part: LabelPart| parts.get(&part).copied();
    match first {
        LabelPart::Sample => None,
        LabelPart::Events | LabelPart::Trials => {
            Some(Sample::Pair(part(LabelPart::Events)?, part(LabelPart::Trials)?))
        }
        LabelPart::Value => Some(Sample::Level(part(LabelPart::Value)?)),
        LabelPart::Count | LabelPart::Bucket(_) => {
            let count = part(LabelPart::Count).or_else(|| part(LabelPart::Bucket(OPEN)))?;
            let closed = edges.iter().copied().filter(|bound| *bound != OPEN);
            let (mut le, mut counts) = (Vec::new(), Vec::new());
            for bound in closed {
                le.push(f64::from_bits(bound));
                counts.push(part(LabelPart::Bucket(bound))?);
            }
            Some(Sample::Histogram(Histogram { count, counts, le }))
        }
    }
}

fn put(metrics: &mut Observation, metric: MetricName, arm: usize, sample: Sample, totals: bool) {
    let mut arms = metrics.take_arms(metric);
    arms.totals = totals;
    *(if arm == 0 { &mut arms.canary } else { &mut arms.baseline }) = Some(sample);
    metrics.set(metric, arms);
}

/// The time between two successive readings.
fn step(pair: &[RecordedReading]) -> Span {
    match pair {
        [before, after] => after.at.since(before.at),
        _ => Span::ZERO,
    }
}

/// The median step. None without a step.
pub(super) fn usual_step(readings: &[RecordedReading]) -> Option<Span> {
    let mut steps: Vec<Span> =
        readings.windows(2).map(step).filter(|step| !step.is_zero()).collect();
    sort_by_key(&mut steps, |step| *step);
    steps.get(steps.len() / 2).copied()
}

/// Gaps of more than three times the usual step, and of more than `least`: instances that are read one
/// after the other make steps that are shorter than those of a rollout.
pub(super) fn gaps(readings: &[RecordedReading], least: Span) -> Option<RecordedFinding> {
    let usual = usual_step(readings)?.as_millis();
    let longest = least.as_millis().max(usual.saturating_mul(3));
    let is_gap = |pair: &&[RecordedReading]| step(pair).as_millis() > longest;
    let gaps = || readings.windows(2).filter(is_gap);
    let longest = gaps().map(step).max()?;
    let first = gaps().next()?.first()?.at;
    Some(Anomaly::Gap(longest).finding(gaps().count(), None, Some(first)))
}
