//! Numbers that cannot be what the mapping calls them: running totals read as counts, or the opposite.

use std::collections::BTreeMap;

use crate::metric::Sample;
use crate::unit::{MetricName, Timestamp};

use super::RecordedReading;
use super::finding::{Anomaly, RecordedFinding};

/// Trials that rise at least so often for each arm or instance, and hardly ever fall, are running totals.
const RISES: usize = 60;
/// Running totals rise at least so many times as often as they fall at restarts.
const RISES_TO_A_FALL: usize = 20;
/// Numbers with at least one fall for so many rises are not running totals.
const FALLS_OF_NO_TOTALS: usize = 4;

/// How often the trials of a metric rose and fell from one reading to the next.
#[derive(Clone, Copy, Default)]
pub(super) struct Steps {
    /// They are running totals by the mapping.
    totals: bool,
    rises: usize,
    falls: usize,
}

impl Steps {
    pub(super) fn note(&mut self, before: f64, now: f64, totals: bool) {
        self.totals = totals;
        self.rises += usize::from(now > before);
        self.falls += usize::from(now < before);
    }

    /// The anomaly, if they are not what the mapping says. `places`: the number of arms or instances.
    pub(super) fn odd(self, places: usize) -> Option<Anomaly> {
        let Self { totals, rises, falls } = self;
        if totals {
            let both = falls >= RISES && falls * FALLS_OF_NO_TOTALS >= rises;
            both.then_some(Anomaly::FallsToo)
        } else {
            let rises_only = rises >= RISES * places.max(1) && falls * RISES_TO_A_FALL <= rises;
            rises_only.then_some(Anomaly::RisesOnly)
        }
    }
}

/// A finding for each metric whose numbers are not what the mapping says.
pub(super) fn misnamed(readings: &[RecordedReading]) -> Vec<RecordedFinding> {
    let mut last: BTreeMap<(MetricName, [usize; 2], &str), f64> = BTreeMap::new();
    let mut steps: BTreeMap<MetricName, (Steps, usize, Timestamp)> = BTreeMap::new();
    for reading in readings {
        for (metric, read) in reading.metrics.iter() {
            let (steps, places, _) =
                steps.entry(metric).or_insert((Steps::default(), 0, reading.at));
            for (stratum, arms) in read.strata().enumerate() {
                for (arm, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
                    let mut note =
                        |name, trials| match last.insert((metric, [stratum, arm], name), trials) {
                            Some(before) => steps.note(before, trials, arms.totals),
                            None => *places += 1,
                        };
                    match sample {
                        Some(Sample::Pair(_, trials)) => note("", *trials),
                        Some(Sample::Histogram(histogram)) => note("", histogram.count),
                        Some(Sample::Instances(instances)) => {
                            for (name, [_, trials]) in instances {
                                note(name, *trials);
                            }
                        }
                        Some(Sample::Level(_) | Sample::Samples(_)) | None => {}
                    }
                }
            }
        }
    }
    let odd = |(metric, (steps, places, at)): (_, (Steps, usize, _))| {
        Some(steps.odd(places)?.finding(1, Some(metric), Some(at)))
    };
    steps.into_iter().filter_map(odd).collect()
}
