//! Readings of a scraper: running totals that are read at an interval, each arm's at its own
//! seconds.

use std::collections::BTreeMap;

use crate::document::{Node, document_table};
use crate::grade::MetricKind;
use crate::metric::{Observation, Sample};
use crate::unit::{MetricName, Span, Timestamp};

use super::document::ScenarioReader;
use super::random::{Purpose, RunKey};
use super::recorded::add_up;

/// Groups of instances that are scraped together, where `spread` is set.
const GROUPS: usize = 10;

document_table! {
    ScenarioReader;
    /// How the totals of both arms are scraped.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(super) struct Feed {
        pub(super) every: Span = ScenarioReader::lasting, needed;
        /// When within the interval the canary is scraped.
        canary: Span = ScenarioReader::span, or Span::ZERO;
        /// When within the interval the live version is scraped.
        live: Span = ScenarioReader::span, or Span::ZERO;
        /// The share of scrapes that fail.
        missed: f64 = ScenarioReader::chance, or 0.0;
        /// Instances are scraped one after the other within the interval.
        spread: bool = ScenarioReader::flag, or false;
    }
}

impl Feed {
    pub(super) fn read(reader: &mut ScenarioReader, table: &Node) -> Option<Self> {
        let feed = Self::from_node(reader, table)?;
        for (key, offset) in [("canary", feed.canary), ("live", feed.live)] {
            if offset >= feed.every {
                let every = feed.every;
                reader.meaningless(
                    key,
                    format!("`{key}` is within the interval, so less than `every`, {every}"),
                );
            }
        }
        Some(feed)
    }

    fn groups(&self) -> usize {
        if self.spread { GROUPS } else { 1 }
    }

    /// The first time after this one at which a group of an arm's instances is scraped.
    fn next(&self, arm: usize, group: usize, after: Timestamp) -> Timestamp {
        let every = self.every.as_millis();
        let behind = every * group as u64 / self.groups() as u64;
        let offset = ([self.canary, self.live][arm].as_millis() + behind) % every;
        let since = after.as_millis().rem_euclid(every.cast_signed()).cast_unsigned();
        let left = (offset + every - since) % every;
        after + Span::from_millis(if left == 0 { every } else { left })
    }

    /// The next time at which something is scraped, at most `until`.
    pub(super) fn next_of_all(&self, after: Timestamp, until: Timestamp) -> Timestamp {
        let groups = (0..self.groups()).flat_map(|group| [(0, group), (1, group)]);
        groups.map(|(arm, group)| self.next(arm, group, after)).fold(until, Timestamp::min)
    }
}

/// The totals of one run, and those that were scraped last.
#[derive(Clone, Debug, Default)]
pub(super) struct Scraper {
    totals: Observation,
    scraped: Observation,
}

impl Scraper {
    /// Starts another run.
    pub(super) fn clear(&mut self) {
        self.totals.clear();
        self.scraped.clear();
    }

    /// Adds what was counted from one time to another, and scrapes the groups that are due at its
    /// end. `loses`: whether an arm's readings of a metric do not arrive.
    pub(super) fn count(
        &mut self,
        feed: &Feed,
        counted: &Observation,
        (from, to): (Timestamp, Timestamp),
        kind: impl Fn(MetricName) -> Option<MetricKind>,
        loses: impl Fn(MetricName, usize) -> bool,
        key: RunKey,
    ) {
        count(&mut self.totals, counted, to.since(from), kind, MetricKind::adds_up);
        let mut draws = key.draws(Purpose::Scrape, to.as_millis());
        for arm in [0, 1] {
            for group in 0..feed.groups() {
                if feed.next(arm, group, from) == to && !draws.chance(feed.missed) {
                    self.scrape(arm, group, feed.groups(), &loses);
                }
            }
        }
    }

    /// Scrapes a group of an arm's instances; an arm without instances is scraped with the first group.
    fn scrape(
        &mut self,
        arm: usize,
        group: usize,
        groups: usize,
        loses: impl Fn(MetricName, usize) -> bool,
    ) {
        for (id, reading) in self.totals.iter().filter(|(id, _)| !loses(*id, arm)) {
            let Some(of) = reading.whole() else { continue };
            let mut scraped = self.scraped.take_arms(id);
            scraped.totals = of.totals;
            let (seen, now) = match arm {
                0 => (&mut scraped.canary, &of.canary),
                _ => (&mut scraped.baseline, &of.baseline),
            };
            match (seen, now) {
                (seen, Some(Sample::Instances(all))) => {
                    let group = all.iter().enumerate().filter(|(place, _)| place % groups == group);
                    let group = group.map(|(_, (name, totals))| (name.clone(), *totals));
                    if let Some(Sample::Instances(seen)) = seen {
                        seen.extend(group);
                    } else {
                        let group: BTreeMap<_, _> = group.collect();
                        *seen = (!group.is_empty()).then_some(Sample::Instances(group));
                    }
                }
                (seen, now) if group == 0 => seen.clone_from(now),
                _ => {}
            }
            self.scraped.set(id, scraped);
        }
    }

    /// Copies the totals that were scraped last.
    pub(super) fn show(&self, into: &mut Observation) {
        into.clone_from(&self.scraped);
    }
}

/// Adds the counts of a span of time to sums; a traffic rate as its number of requests.
pub(super) fn count(
    sums: &mut Observation,
    counted: &Observation,
    time: Span,
    kind: impl Fn(MetricName) -> Option<MetricKind>,
    are_totals: impl Fn(MetricKind) -> bool,
) {
    let minutes = time.as_seconds() / 60.0;
    for (id, reading) in counted.iter() {
        let (Some(arms), Some(kind)) = (reading.whole(), kind(id)) else { continue };
        let mut sum = sums.take_arms(id);
        sum.totals = are_totals(kind);
        for (sum, sample) in [(&mut sum.canary, &arms.canary), (&mut sum.baseline, &arms.baseline)]
        {
            if let Some(sample) = sample {
                add(sum, sample, kind, minutes);
            }
        }
        sums.set(id, sum);
    }
}

/// Adds a sample to a running total; a gauge, which has none, replaces the last one.
fn add(total: &mut Option<Sample>, sample: &Sample, kind: MetricKind, minutes: f64) {
    let (sample, adds_up) = match sample {
        Sample::Level(level) if kind.is_traffic() => (&Sample::Level(level * minutes), true),
        _ => (sample, !matches!(sample, Sample::Level(_))),
    };
    if !(adds_up && total.as_mut().is_some_and(|total| add_up(total, sample))) {
        *total = Some(sample.clone());
    }
}
