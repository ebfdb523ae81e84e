//! Checking of readings, and their layout in columns.

use std::fmt;

use crate::code::{code, coded};
use crate::grade::MetricKind;
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::stats::numeric::{exp, larger, ln};
use crate::text::{any_number, joined, pointer_step, shown};
use crate::unit::{MAX_COUNT, MetricName, Span};

use super::reading::{Arms, Histogram, Sample};
use super::strata::{Reading, Stratum};

/// Where in an observation a reading is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingPlace {
    /// The metric.
    pub metric: MetricName,
    /// `canary` or `baseline`.
    pub arm: &'static str,
    /// The stratum; None without strata.
    pub stratum: Option<Stratum>,
    /// The instance; None for the whole arm.
    pub instance: Option<String>,
}

impl ReadingPlace {
    /// The place as a JSON Pointer into the input: `/metrics/error_rate/canary/pod-7`.
    pub fn path(&self) -> String {
        let Self { metric, arm, stratum, instance } = self;
        let stratum = match stratum {
            Some(Stratum::Place(place)) => format!("/{place}"),
            Some(Stratum::Name(name)) => format!("/{}", pointer_step(name)),
            None => String::new(),
        };
        let instance = instance
            .as_deref()
            .map_or_else(String::new, |instance| format!("/{}", pointer_step(instance)));
        format!("/metrics/{metric}{stratum}/{arm}{instance}")
    }
}

impl fmt::Display for ReadingPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(instance) = &self.instance {
            write!(f, "instance `{}` of ", shown(instance))?;
        }
        write!(f, "the {} of `{}`", self.arm, self.metric)?;
        match &self.stratum {
            Some(Stratum::Place(place)) => write!(f, " in stratum {}", place + 1),
            Some(Stratum::Name(name)) => write!(f, " in stratum `{}`", shown(name)),
            None => Ok(()),
        }
    }
}

coded! {
    /// A reading that is impossible or does not fit its metric. Nothing of its observation is used.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum ReadingError;

    #[error("the policy has no metric `{metric}`; {instead}")]
    UnknownMetric { metric: MetricName, instead: String } => code! {HF-MET-001},
    #[error("`{}` is a {kind}: {expected}", .of.metric)]
    Form { of: Box<ReadingPlace>, kind: MetricKind, expected: &'static str } => code! {HF-MET-002},
    #[error("{of} has {events} events in {trials} trials: send [events, all trials]")]
    MoreEventsThanTrials { of: Box<ReadingPlace>, events: f64, trials: f64 } => code! {HF-MET-003},
    #[error("{of} has the negative number {}: send 0 or more", any_number(*value))]
    Negative { of: Box<ReadingPlace>, value: f64 } => code! {HF-MET-004},
    #[error("{of} is not a cumulative histogram: {fault}")]
    Histogram { of: Box<ReadingPlace>, fault: &'static str } => code! {HF-MET-005},
    #[error(
        "{of} lacks buckets of the first reading: send all of these boundaries, in seconds, with \
         others beside them if need be, or the observation without this metric: {}",
        joined(expected.iter().map(f64::to_string), ", ")
    )]
    Layout {
        of: Box<ReadingPlace>,
        /// The layout of the first reading, in seconds.
        expected: Vec<f64>,
    } => code! {HF-MET-006},
    /// A number above 2^53, beyond which whole numbers are not exact.
    #[error(
        "{of} has {}, which is above 2^53: \
         check for a counter that wrapped around, or send a coarser unit",
        any_number(*value)
    )]
    TooLarge { of: Box<ReadingPlace>, value: f64 } => code! {HF-MET-008},
    #[error(
        "{of} counts events in {seconds} s, but was last read at most {since} ago: \
         send the seconds since then, not milliseconds"
    )]
    Exposure { of: Box<ReadingPlace>, seconds: f64, since: Span } => code! {HF-MET-011},
    #[error(
        "{of} has boundaries from {first} s to {last} s, but those of the policy end at {most} s: \
         send `le` in seconds, not milliseconds"
    )]
    Milliseconds { of: Box<ReadingPlace>, first: f64, last: f64, most: f64 } => code! {HF-MET-012},
    #[error("{of} sends {form} as running totals: send the values since the last reading")]
    Totals { of: Box<ReadingPlace>, form: &'static str } => code! {HF-MET-007},
    #[error(
        "`{metric}` has running totals of {now}, and had {before} before: send every stratum in each \
         reading, by the same name or in the same order, and an empty object for one that was not read"
    )]
    Strata { metric: MetricName, now: String, before: String } => code! {HF-MET-009},
}

impl ReadingError {
    /// The place as a JSON Pointer into the input: `/metrics/error_rate/canary/pod-7`.
    pub fn path(&self) -> String {
        self.place().map_or_else(|metric| format!("/metrics/{metric}"), ReadingPlace::path)
    }

    /// The metric whose reading is refused: without it the others can be sent.
    pub fn metric(&self) -> MetricName {
        self.place().map_or_else(|metric| *metric, |place| place.metric)
    }

    /// The place of the reading, or as the error its metric where no arm is concerned.
    fn place(&self) -> Result<&ReadingPlace, &MetricName> {
        match self {
            Self::UnknownMetric { metric, .. } | Self::Strata { metric, .. } => Err(metric),
            Self::Form { of, .. }
            | Self::MoreEventsThanTrials { of, .. }
            | Self::Negative { of, .. }
            | Self::Histogram { of, .. }
            | Self::Layout { of, .. }
            | Self::TooLarge { of, .. }
            | Self::Exposure { of, .. }
            | Self::Milliseconds { of, .. }
            | Self::Totals { of, .. } => Ok(of),
        }
    }
}

/// The names of the arms, in the order of the columns.
pub(super) const ARMS: [&str; 2] = ["canary", "baseline"];

/// Bucket boundaries of a latency metric in seconds, ascending; empty for other kinds.
///
/// Histograms keep the buckets of the first reading, or of a later one with further buckets until
/// the canary is read; after that further buckets are left out. Raw samples are counted at the
/// policy's boundaries and bounds, and at points between, so that a bound is always an edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout(Vec<f64>);

impl Layout {
    /// The layout that this reading sets; empty if it sets none.
    pub fn of(metric: &Metric, reading: &Reading) -> Self {
        let mut samples =
            reading.strata().flat_map(|arms| arms.canary.iter().chain(&arms.baseline));
        let first = samples.find_map(|sample| match sample {
            Sample::Histogram(histogram) => Some(histogram.le.clone()),
            Sample::Samples(_) => Some(Self::for_samples(metric)),
            _ => None,
        });
        Self(first.unwrap_or_default())
    }

    /// Whether it has all boundaries of the other layout, and more.
    pub(crate) fn refines(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && other.0.iter().all(|edge| self.0.contains(edge))
    }

    fn for_samples(metric: &Metric) -> Vec<f64> {
        let mut edges = metric.boundaries.clone();
        edges.extend(metric.bound_figures());
        let (least, most) =
            edges.iter().fold((f64::INFINITY, 0.0f64), |(l, m), &e| (l.min(e), m.max(e)));
        // Further points, each a sixth above the one before, or more if there would be too many:
        // for the quantiles that reports show and bounds on the live version compare.
        let left = Self::MOST.saturating_sub(edges.len()) as f64;
        let step = larger(7.0 / 6.0, exp(ln(64.0 * most / least) / left));
        let mut edge = least / 8.0;
        while edge < most * 8.0 && edges.len() < Self::MOST {
            edges.push(edge);
            edge *= step;
        }
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        edges
    }

    /// The layout of these boundaries, as an earlier reading of the metric set it; None where no
    /// reading can set it.
    pub(crate) fn restored(metric: &Metric, edges: Vec<f64>) -> Option<Self> {
        let most = Self::MOST.max(metric.boundaries.len() + metric.bound_figures().count());
        let ascend = edges.windows(2).all(|pair| pair[0] < pair[1]);
        let fits = edges.len() <= most && ascend && !edges.iter().any(|edge| edge.is_nan());
        (fits && (edges.is_empty() || metric.kind.has_buckets())).then_some(Self(edges))
    }

    /// Most buckets of a layout.
    pub const MOST: usize = 64;

    /// The boundaries.
    pub fn edges(&self) -> &[f64] {
        &self.0
    }

    /// Columns of one arm: events and trials, or the count and each bucket.
    pub fn columns(&self) -> usize {
        if self.0.is_empty() { 2 } else { 1 + self.0.len() }
    }
}

/// The least upper boundary of a bucket, in seconds: a nanosecond.
const LEAST_EDGE: f64 = 1e-9;

impl Reading {
    /// Every sample, with its arms, the index of its arm and the place of its stratum.
    fn samples(&self) -> impl Iterator<Item = (&Arms, &Sample, (usize, usize))> {
        self.strata().enumerate().flat_map(|(stratum, arms)| {
            let samples = [&arms.canary, &arms.baseline].into_iter().enumerate();
            samples.filter_map(move |(arm, sample)| Some((arms, sample.as_ref()?, (stratum, arm))))
        })
    }

    fn place(&self, metric: MetricName, (stratum, arm): (usize, usize)) -> ReadingPlace {
        let stratum = self.stratum(stratum);
        ReadingPlace { metric, arm: ARMS[arm], stratum, instance: None }
    }
}

/// Reads one arm of one metric.
#[derive(Clone, Copy)]
pub(super) struct MetricReader<'a> {
    pub(super) metric: &'a Metric,
    pub(super) arm: &'static str,
    /// The reading and the place of the stratum; None without strata.
    pub(super) stratum: Option<(&'a Reading, usize)>,
    pub(super) instance: Option<&'a str>,
}

impl MetricReader<'_> {
    fn place(&self) -> ReadingPlace {
        let Self { metric, arm, stratum, instance } = *self;
        let instance = instance.map(str::to_owned);
        let stratum = stratum.and_then(|(reading, place)| reading.stratum(place));
        ReadingPlace { metric: metric.id, arm, stratum, instance }
    }

    /// Fills the arm's columns with the numbers as sent; false if one is not finite.
    pub(super) fn fill(
        &self,
        sample: &Sample,
        layout: &Layout,
        row: &mut [f64],
    ) -> Result<bool, ReadingError> {
        match (self.metric.kind.data(), sample) {
            (Data::Trials | Data::Exposure, Sample::Pair(events, trials)) => {
                (row[0], row[1]) = (*events, *trials);
            }
            (Data::Level, Sample::Level(level)) => {
                (row[0], row[1]) = (*level, 1.0);
            }
            (Data::Buckets, Sample::Histogram(histogram)) => {
                self.histogram(histogram, layout, row)?;
            }
            (Data::Buckets, Sample::Samples(samples)) => {
                if layout.edges().len() + 1 != row.len() {
                    return Err(self.form());
                }
                row.fill(0.0);
                row[0] = samples.len() as f64;
                for &sample in samples {
                    if !sample.is_finite() {
                        return Ok(false);
                    }
                    self.not_negative(&[sample])?;
                    let first = layout.edges().partition_point(|&edge| edge < sample);
                    for count in &mut row[1 + first..] {
                        *count += 1.0;
                    }
                }
            }
            _ => return Err(self.form()),
        }
        // Without an early exit the compiler vectorises the loop by two columns. The log has no −0.
        let fits = row.iter_mut().fold(true, |fits, x| {
            *x += 0.0;
            fits & (x.abs() <= MAX_COUNT)
        });
        if !fits && !self.are_finite(row)? {
            return Ok(false);
        }
        if self.metric.kind.adds_up() {
            self.not_negative(row)?;
        }
        Ok(true)
    }

    /// Whether numbers are finite; refuses finite ones above 2^53.
    pub(super) fn are_finite(&self, values: &[f64]) -> Result<bool, ReadingError> {
        let is_too_large = |value: &f64| value.is_finite() && value.abs() > MAX_COUNT;
        match values.iter().copied().find(is_too_large) {
            Some(value) => Err(ReadingError::TooLarge { of: Box::new(self.place()), value }),
            None => Ok(values.iter().all(|value| value.is_finite())),
        }
    }

    /// Refuses running totals of a form that cannot be sent as totals.
    pub(super) fn has_totals(&self, sample: &Sample) -> Result<(), ReadingError> {
        let form = match sample {
            Sample::Samples(_) => "raw samples",
            Sample::Level(_) if !self.metric.kind.adds_up() => "a level",
            _ => return Ok(()),
        };
        Err(ReadingError::Totals { of: Box::new(self.place()), form })
    }

    pub(super) fn form(&self) -> ReadingError {
        self.expects(self.metric.kind.feed())
    }

    pub(super) fn expects(&self, expected: &'static str) -> ReadingError {
        ReadingError::Form { of: Box::new(self.place()), kind: self.metric.kind, expected }
    }

    pub(super) fn not_negative(&self, values: &[f64]) -> Result<(), ReadingError> {
        match values.iter().find(|&&value| value < 0.0) {
            Some(&value) => Err(ReadingError::Negative { of: Box::new(self.place()), value }),
            None => Ok(()),
        }
    }

    fn histogram(
        &self,
        sent: &Histogram,
        layout: &Layout,
        row: &mut [f64],
    ) -> Result<(), ReadingError> {
        let fault = |fault| ReadingError::Histogram { of: Box::new(self.place()), fault };
        if sent.le.len() != sent.counts.len() {
            return Err(fault("`le` and `counts` differ in length"));
        }
        // Boundaries beside those of the layout are left out, so only the layout's number counts.
        if sent.le.is_empty() || layout.edges().len() > Layout::MOST {
            return Err(fault("send 1 to 64 buckets"));
        }
        if sent.le[0] > 0.0 && sent.le[0] < LEAST_EDGE {
            return Err(fault("send `le` in seconds, of at least a nanosecond"));
        }
        let (mut ascends, mut before) = (true, 0.0);
        for &edge in &sent.le {
            ascends &= edge > before && edge < f64::INFINITY;
            before = edge;
        }
        if !ascends {
            return Err(fault(
                "send `le` in ascending, finite seconds above 0, without `+Inf`, which is `count`",
            ));
        }
        row[0] = sent.count;
        if sent.le == layout.edges() {
            row[1..].copy_from_slice(&sent.counts);
            return Ok(());
        }
        // Counts are cumulative, so those at further boundaries can be left out.
        let mut at = sent.le.iter().zip(&sent.counts);
        for (column, edge) in row[1..].iter_mut().zip(layout.edges()) {
            let Some((_, count)) = at.find(|(le, _)| *le == edge) else {
                let expected = layout.edges().to_vec();
                return Err(ReadingError::Layout { of: Box::new(self.place()), expected });
            };
            *column = *count;
        }
        Ok(())
    }

    /// Checks the numbers of one tick.
    pub(super) fn check(&self, row: &[f64]) -> Result<(), ReadingError> {
        match self.metric.kind.data() {
            Data::Trials if row[0] > row[1] => {
                let (of, events, trials) = (Box::new(self.place()), row[0], row[1]);
                Err(ReadingError::MoreEventsThanTrials { of, events, trials })
            }
            Data::Buckets if !row[1..].is_sorted() || row[row.len() - 1] > row[0] => {
                let fault = "send cumulative `counts` that do not fall and are at most `count`";
                Err(ReadingError::Histogram { of: Box::new(self.place()), fault })
            }
            Data::Trials | Data::Exposure | Data::Buckets | Data::Level => Ok(()),
        }
    }
}

/// By how much the seconds of a count may exceed the time in which they were counted, and the last
/// boundary of a histogram those of the policy. Windows that overlap, readings that come late and
/// histograms with a long tail exceed it, too; a wrong unit does so a thousandfold.
const MOST: f64 = 100.0;

impl Reading {
    /// Refuses seconds of a count that are in another unit: many times as long as the time since
    /// the arm was last read. `since` is that time by arm, None where it is not known.
    pub(crate) fn check_exposure(
        &self,
        metric: MetricName,
        since: [Option<Span>; 2],
    ) -> Result<(), ReadingError> {
        for (_, sample, place) in self.samples().filter(|(arms, ..)| !arms.totals) {
            if let (Some(seconds), Some(since)) = (sample.exposure(), since[place.1])
                && seconds > MOST * since.as_seconds()
            {
                let of = Box::new(self.place(metric, place));
                return Err(ReadingError::Exposure { of, seconds, since });
            }
        }
        Ok(())
    }

    /// Refuses boundaries that are probably milliseconds: all are above those of the policy and its
    /// bounds, and the last one is far above. In seconds it may be as coarse, or reach as far, but not
    /// a million times as far.
    pub(crate) fn check_boundaries(&self, metric: &Metric) -> Result<(), ReadingError> {
        let policy = metric.boundaries.iter().copied();
        let most = policy.chain(metric.bound_figures()).fold(0.0, f64::max);
        for (_, sample, place) in self.samples() {
            if let Sample::Histogram(Histogram { le, .. }) = sample
                && let (Some(&first), Some(&last)) = (le.first(), le.last())
                && last.is_finite()
                && (first > most && last > MOST * most || last > MOST.powi(3) * most)
            {
                let of = Box::new(self.place(metric.id, place));
                return Err(ReadingError::Milliseconds { of, first, last, most });
            }
        }
        Ok(())
    }
}

impl Sample {
    /// Seconds of exposure of a count, of instances the longest; None for other forms.
    fn exposure(&self) -> Option<f64> {
        match self {
            Self::Pair(_, seconds) => Some(*seconds),
            Self::Instances(instances) => {
                instances.values().map(|[_, seconds]| *seconds).max_by(f64::total_cmp)
            }
            Self::Level(_) | Self::Histogram(_) | Self::Samples(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policy::Policy;

    #[test]
    fn met_4_points_between_the_boundaries_of_samples_reach_beyond_the_last() {
        let standard = Policy::preset("standard").unwrap().to_json();
        for (boundaries, reach, widest) in [
            (json!([0.1, 0.25, 0.3, 0.5, 1, 2.5]), 17.0, 1.167),
            // As far apart as all of the edges together allow.
            (json!([0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 10]), 60.0, 1.3),
        ] {
            let mut policy: Value = serde_json::from_str(&standard).unwrap();
            policy["metrics"]["latency_p95"]["boundaries"] = boundaries;
            let policy = Policy::from_json(&policy.to_string()).unwrap();
            let edges = Layout::for_samples(policy.metric("latency_p95").unwrap());
            let apart = edges.windows(2).all(|pair| pair[1] < widest * pair[0]);
            let last = edges.last().is_some_and(|last| *last > reach);
            assert!(apart && last && edges.len() <= Layout::MOST, "{edges:?}");
        }
    }
}
