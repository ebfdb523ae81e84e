//! The last running totals: what came since then, and which ones the next are compared with.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::sorting::{retain, sort_by};
use crate::unit::{Span, Timestamp};

use super::pace::Pace;
use super::reading::{Arms, Reading, Sample};
use super::resolve::{ARMS, Layout, MetricReader, ReadingError};
use super::tick::{Unused, trials_column};

/// For how long totals that cannot follow the last ones are not stored.
const MOST_WAIT: Span = Span::from_seconds(120);

/// The last running totals, by stratum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counters {
    strata: Vec<Kept>,
}

/// The last running totals of each arm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) arms: [Vec<f64>; 2],
    pub(super) at: [Timestamp; 2],
    instances: [BTreeMap<String, [f64; 2]>; 2],
    /// Growth of each arm's totals.
    #[serde(default)]
    pub(super) pace: [Pace; 2],
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

/// What an instance's totals are, beside those that were stored last.
enum Progress {
    /// The totals have become what came since then.
    Added,
    /// Older, or of two moments: the next ones count from the stored ones.
    Waits,
    /// Neither later nor those of a counter that was reset since: the next ones count from these.
    Unknown,
}

/// Turns the totals of one instance into what came since `last`, where that is known.
fn progress(
    data: Data,
    totals: &mut [f64; 2],
    last: &[f64; 2],
    pace: &Pace,
    at: Timestamp,
) -> Progress {
    // The seconds of a count may be those of a clock that is not the instance's.
    if matches!(data, Data::Exposure) && totals[0] < last[0] && totals[1] >= last[1] {
        totals[1] -= last[1];
        return Progress::Added;
    }
    match difference(data, totals, last) {
        Some(Difference::More) => Progress::Added,
        // All of it is new.
        _ if pace.is_reset(totals[1], at) => Progress::Added,
        Some(Difference::Fell) if totals[1] < 0.5 * last[1] => {
            if pace.is_known() {
                Progress::Unknown
            } else {
                Progress::Added
            }
        }
        // A replica of the source may be a scrape behind.
        _ => Progress::Waits,
    }
}

impl Counters {
    /// The kept totals by stratum; none where the number of strata is another.
    pub(super) fn of(&self, reading: &Reading) -> &[Kept] {
        if self.strata.len() == reading.strata().count() { &self.strata } else { &[] }
    }

    /// The last totals of an arm that is sent as a whole; None where they are by stratum, or there are
    /// none.
    pub(crate) fn totals_of(&self, reading: &Reading, arm: usize) -> Option<&[f64]> {
        let [kept] = self.of(reading) else { return None };
        Some(kept.arms.get(arm)?.as_slice()).filter(|totals| !totals.is_empty())
    }

    /// Refuses totals by stratum that cannot be those of the strata before.
    ///
    /// # Errors
    /// [`ReadingError::Strata`] for another number, [`ReadingError::StrataOrder`] for another order.
    pub(crate) fn check(&self, metric: &Metric, reading: &Reading) -> Result<(), ReadingError> {
        let is_whole = reading.whole().is_some() && self.strata.len() <= 1;
        if is_whole || self.strata.is_empty() || !reading.strata().any(|arms| arms.totals) {
            return Ok(());
        }
        let (metric, kind) = (metric.id, metric.kind);
        let (now, before) = (reading.strata().count() as u64, self.strata.len() as u64);
        if now != before {
            return Err(ReadingError::Strata { metric, now, before });
        }
        if self.has_fallen(kind, reading) && self.fits_in_another_order(kind, reading) {
            return Err(ReadingError::StrataOrder { metric });
        }
        Ok(())
    }

    /// Whether the total of an arm of a stratum is below the last one.
    fn has_fallen(&self, kind: MetricKind, reading: &Reading) -> bool {
        self.strata.iter().zip(reading.strata()).any(|(kept, arms)| {
            let fell = |(now, last): (Option<f64>, Option<f64>)| now < last && now.is_some();
            total_of(arms).into_iter().zip(kept.totals(kind)).any(fell)
        })
    }

    /// Whether the totals follow the last ones with the strata in the order of their canaries' totals,
    /// as those do that changed places. A counter that was reset is too small for that.
    fn fits_in_another_order(&self, kind: MetricKind, reading: &Reading) -> bool {
        let mut now: Vec<_> = reading.strata().map(total_of).collect();
        let mut last: Vec<_> = self.strata.iter().map(|kept| kept.totals(kind)).collect();
        for totals in [&mut now, &mut last] {
            sort_by(totals, |a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        }
        now.iter().flatten().zip(last.iter().flatten()).all(|(now, last)| now >= last)
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
                let reader =
                    MetricReader { metric, arm: ARMS[index], stratum: None, instance: None };
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

/// The total of each arm that is sent as a whole: its trials, or all of its requests.
fn total_of(arms: &Arms) -> [Option<f64>; 2] {
    [&arms.canary, &arms.baseline].map(|sample| match sample.as_ref()? {
        Sample::Pair(_, trials) => Some(*trials),
        Sample::Histogram(histogram) => Some(histogram.count),
        Sample::Level(_) | Sample::Samples(_) | Sample::Instances(_) => None,
    })
}

impl Kept {
    fn totals(&self, kind: MetricKind) -> [Option<f64>; 2] {
        [0, 1].map(|arm| self.arms[arm].get(trials_column(kind)).copied())
    }

    /// Turns the totals of an instance of an arm into what came since the last ones.
    pub(super) fn added(
        &self,
        (arm, name): (usize, &str),
        data: Data,
        totals: &mut [f64; 2],
        at: Timestamp,
    ) -> Result<(), Unused> {
        let last = self.instances[arm].get(name).ok_or(Unused::First)?;
        let fell = totals.iter().zip(last).any(|(now, last)| now < last);
        match progress(data, totals, last, &self.pace[arm], at) {
            Progress::Added => Ok(()),
            Progress::Waits | Progress::Unknown if fell => Err(Unused::Fell),
            Progress::Waits | Progress::Unknown => Err(Unused::TwoMoments),
        }
    }

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
    /// wait, keeps its last ones; one with a value that is not a number loses them,
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
        let is_number = |totals: &[f64; 2]| totals.iter().all(|total| total.is_finite());
        if !sent.values().all(is_number) {
            retain(kept, |name, _| sent.get(name).is_none_or(is_number));
        }
        for (name, totals) in sent.iter().filter(|(_, totals)| is_number(totals)) {
            any = true;
            let Some(last) = kept.get_mut(name) else {
                kept.insert(name.clone(), *totals);
                continue;
            };
            let mut added = *totals;
            match progress(data, &mut added, last, pace, at) {
                Progress::Added => grown += added[1],
                Progress::Unknown => {}
                Progress::Waits => continue,
            }
            *last = *totals;
        }
        pace.note(at, Some(0.0), grown);
        any
    }
}
