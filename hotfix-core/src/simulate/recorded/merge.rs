//! Merges the readings of one tick.
//!
//! Increments are added: events, trials, buckets, samples. Of running totals, gauges and readings
//! that cannot be added, the last is used, of totals by instance the last of each instance. A volume
//! is a rate, so its readings are averaged.

use std::collections::BTreeMap;

use crate::grade::MetricKind;
use crate::metric::{Arms, Observation, Reading, Sample};
use crate::unit::{MetricName, Timestamp};

use super::RecordedReading;
use super::finding::{Anomalies, Anomaly, RecordedFinding};

/// Merges readings, and counts those that cannot be merged.
#[derive(Default)]
pub(in crate::simulate) struct Merge {
    not_in_policy: Anomalies,
    unmerged: Anomalies,
}

impl Merge {
    /// The readings of a tick as one observation, without metrics that the policy does not have.
    pub(in crate::simulate) fn put(
        &mut self,
        readings: &[RecordedReading],
        kind: impl Fn(MetricName) -> Option<MetricKind>,
        into: &mut Observation,
    ) {
        into.clear();
        // The number of readings of a volume in each arm of each stratum.
        let mut averaged: BTreeMap<MetricName, Vec<[f64; 2]>> = BTreeMap::new();
        for recorded in readings {
            for (metric, reading) in recorded.metrics.iter() {
                let Some(kind) = kind(metric) else {
                    self.not_in_policy.note(Anomaly::NotInPolicy, Some(metric), recorded.at);
                    continue;
                };
                let is_added = self.add(into, metric, kind, reading, recorded.at);
                if kind.is_traffic() {
                    let counts = averaged.entry(metric).or_default();
                    if !is_added {
                        counts.clear();
                    }
                    counts.resize(reading.strata().count(), [0.0; 2]);
                    for (counts, arms) in counts.iter_mut().zip(reading.strata()) {
                        for (count, sample) in counts.iter_mut().zip([&arms.canary, &arms.baseline])
                        {
                            *count += f64::from(u8::from(sample.is_some()));
                        }
                    }
                }
            }
        }
        for (metric, counts) in averaged {
            let Some(reading) = into.get_mut(metric) else { continue };
            for (arms, counts) in reading.strata_mut().zip(counts) {
                let Arms { canary, baseline, totals } = arms;
                for (sample, count) in [canary, baseline].into_iter().zip(counts) {
                    if let (Some(Sample::Level(level)), false) = (sample, *totals || count <= 1.0) {
                        *level /= count;
                    }
                }
            }
        }
    }

    /// Adds a reading to the earlier ones. Returns false if it replaces them.
    fn add(
        &mut self,
        into: &mut Observation,
        metric: MetricName,
        kind: MetricKind,
        reading: &Reading,
        at: Timestamp,
    ) -> bool {
        let Some(known) = into.get_mut(metric) else {
            into.set(metric, reading.clone());
            return true;
        };
        let has_same_strata =
            known.strata().count() == reading.strata().count() && known.names() == reading.names();
        let join = |(before, now): (&mut Arms, &Arms)| join(before, now, kind);
        let joined = has_same_strata && known.strata_mut().zip(reading.strata()).all(join);
        if !joined {
            *known = reading.clone();
            self.unmerged.note(Anomaly::Unmerged, Some(metric), at);
        }
        joined
    }

    pub(in crate::simulate) fn findings(&self) -> impl Iterator<Item = RecordedFinding> {
        self.not_in_policy.findings().chain(self.unmerged.findings())
    }
}

/// Adds later readings. Returns false if that is not possible.
fn join(before: &mut Arms, now: &Arms, kind: MetricKind) -> bool {
    let last = before.totals || !kind.adds_up();
    let arm = |before: &mut Option<Sample>, now: &Option<Sample>| match (before, now) {
        (_, None) => true,
        (Some(before), Some(now)) if !last => add_up(before, now),
        // Instances are read at their own times.
        (Some(Sample::Instances(before)), Some(Sample::Instances(now))) => {
            before.extend(now.iter().map(|(name, totals)| (name.clone(), *totals)));
            true
        }
        (before, Some(now)) => {
            *before = Some(now.clone());
            true
        }
    };
    before.totals == now.totals
        && arm(&mut before.canary, &now.canary)
        && arm(&mut before.baseline, &now.baseline)
}

/// Adds `more` to `sum`. Returns false if they have different kinds or buckets.
pub(in crate::simulate) fn add_up(sum: &mut Sample, more: &Sample) -> bool {
    match (sum, more) {
        (Sample::Pair(events, trials), Sample::Pair(more, of)) => {
            for (sum, more) in [(events, *more), (trials, *of)] {
                // A negative number stays, so that the tick's reading is refused.
                *sum = if *sum < 0.0 || more < 0.0 { sum.min(more) } else { *sum + more };
            }
        }
        (Sample::Level(sum), Sample::Level(more)) => *sum += more,
        (Sample::Samples(sum), Sample::Samples(more)) => sum.extend_from_slice(more),
        (Sample::Histogram(sum), Sample::Histogram(more))
            if sum.le == more.le && sum.counts.len() == more.counts.len() =>
        {
            sum.count += more.count;
            sum.counts.iter_mut().zip(&more.counts).for_each(|(count, more)| *count += more);
        }
        (Sample::Instances(sum), Sample::Instances(more)) => {
            for (name, [events, trials]) in more {
                let of = sum.entry(name.clone()).or_default();
                of[0] += events;
                of[1] += trials;
            }
        }
        _ => return false,
    }
    true
}
