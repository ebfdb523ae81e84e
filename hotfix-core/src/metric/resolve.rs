//! Checking of readings, and their layout in columns.

use crate::code::{code, coded};
use crate::grade::MetricKind;
use crate::metric_kind::Data;
use crate::policy::section::Metric;
use crate::text::any_number;
use crate::unit::{MAX_COUNT, MetricName, Span};

use super::reading::{Histogram, Observation, Reading, Sample};

coded! {
    /// A reading that is impossible or does not fit its metric. Nothing of its observation is used.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum ReadingError;

    /// A metric that the policy does not have.
    #[error("the policy has no metric `{metric}`; the nearest is `{nearest}`")]
    UnknownMetric { metric: MetricName, nearest: MetricName } => code! {HF-MET-001},
    /// A form of reading that does not fit the metric's kind.
    #[error("`{metric}` is a {kind}: {expected}")]
    Form { metric: MetricName, kind: MetricKind, expected: &'static str } => code! {HF-MET-002},
    /// More events than trials.
    #[error(
        "the {arm} of `{metric}` has {events} events in {trials} trials: send [events, all trials]"
    )]
    MoreEventsThanTrials {
        metric: MetricName,
        arm: &'static str,
        events: f64,
        trials: f64,
    } => code! {HF-MET-003},
    /// A negative count.
    #[error("the {arm} of `{metric}` has the negative number {}: send 0 or more", any_number(*value))]
    Negative { metric: MetricName, arm: &'static str, value: f64 } => code! {HF-MET-004},
    /// Buckets that are not a cumulative histogram.
    #[error("the {arm} of `{metric}` is not a cumulative histogram: {fault}")]
    Histogram { metric: MetricName, arm: &'static str, fault: &'static str } => code! {HF-MET-005},
    /// Other buckets than in the first reading.
    #[error(
        "the {arm} of `{metric}` lacks buckets of the first reading: \
         send these boundaries, in seconds, or the observation without this metric: {}",
        boundaries(expected)
    )]
    Layout {
        metric: MetricName,
        arm: &'static str,
        /// The layout of the first reading, in seconds.
        expected: Vec<f64>,
    } => code! {HF-MET-006},
    /// A number above 2^53, beyond which whole numbers are not exact.
    #[error(
        "the {arm} of `{metric}` has {}, which is above 2^53: \
         check for a counter that wrapped around, or send a coarser unit",
        any_number(*value)
    )]
    TooLarge { metric: MetricName, arm: &'static str, value: f64 } => code! {HF-MET-008},
    /// Seconds of a count that are far beyond the time since the last reading.
    #[error(
        "the {arm} of `{metric}` counts events in {seconds} s, but was last read at most {since} ago: \
         send the seconds since then, not milliseconds"
    )]
    Exposure {
        metric: MetricName,
        arm: &'static str,
        seconds: f64,
        since: Span,
    } => code! {HF-MET-011},
    /// Running totals of a form that cannot be sent as totals.
    #[error(
        "the {arm} of `{metric}` sends {form} as running totals: \
         send the values since the last reading"
    )]
    Totals { metric: MetricName, arm: &'static str, form: &'static str } => code! {HF-MET-007},
}

/// Bucket boundaries as a sentence shows them.
fn boundaries(of: &[f64]) -> String {
    let shown: Vec<String> = of.iter().map(f64::to_string).collect();
    shown.join(", ")
}

impl ReadingError {
    /// The metric of the reading.
    pub const fn metric(&self) -> &MetricName {
        match self {
            Self::UnknownMetric { metric, .. }
            | Self::Form { metric, .. }
            | Self::MoreEventsThanTrials { metric, .. }
            | Self::Negative { metric, .. }
            | Self::Histogram { metric, .. }
            | Self::Layout { metric, .. }
            | Self::Totals { metric, .. }
            | Self::Exposure { metric, .. }
            | Self::TooLarge { metric, .. } => metric,
        }
    }
}

/// The names of the arms, in the order of the columns.
pub(super) const ARMS: [&str; 2] = ["canary", "baseline"];

/// Bucket boundaries of a latency metric in seconds, ascending; empty for other kinds.
///
/// Histograms keep the buckets of the first reading; further ones are left out. Raw samples are counted at the policy's
/// boundaries and bounds, and at points between, so that a bound is always an edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout(Vec<f64>);

impl Layout {
    /// The layout that this reading sets; empty where it does not set one.
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

    fn for_samples(metric: &Metric) -> Vec<f64> {
        let mut edges: Vec<f64> = metric.boundaries.iter().map(|b| b.as_seconds()).collect();
        edges.extend(metric.bound_figures());
        let (least, most) =
            edges.iter().fold((f64::INFINITY, 0.0f64), |(l, m), &e| (l.min(e), m.max(e)));
        // Points a sixth apart in between, for the quantiles that reports show.
        let mut edge = least / 8.0;
        while edge < most * 8.0 && edges.len() < Self::MOST {
            edges.push(edge);
            edge *= 7.0 / 6.0;
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

impl Observation {
    /// Refuses finite numbers above 2^53. This check is separate because logs of earlier releases
    /// have such numbers and have to be readable.
    ///
    /// # Errors
    /// [`ReadingError::TooLarge`].
    pub(crate) fn check_size(&self) -> Result<(), ReadingError> {
        for (metric, reading) in self.as_slice() {
            for arms in reading.strata() {
                for (arm, sample) in ARMS.into_iter().zip([&arms.canary, &arms.baseline]) {
                    if let Some(value) = sample.as_ref().and_then(Sample::too_large) {
                        return Err(ReadingError::TooLarge { metric: *metric, arm, value });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Sample {
    /// The first finite number above 2^53. Samples are not checked: they are seconds and are not
    /// summed.
    fn too_large(&self) -> Option<f64> {
        let is_too_large = |value: &f64| value.is_finite() && value.abs() > MAX_COUNT;
        match self {
            Self::Pair(events, trials) => [*events, *trials].into_iter().find(is_too_large),
            Self::Level(level) => Some(*level).filter(is_too_large),
            Self::Histogram(Histogram { count, counts, .. }) => {
                counts.iter().chain([count]).copied().find(is_too_large)
            }
            Self::Samples(_) => None,
            Self::Instances(instances) => instances.values().flatten().copied().find(is_too_large),
        }
    }
}

/// Reads one arm of one metric.
pub(super) struct MetricReader<'a> {
    pub(super) metric: &'a Metric,
    pub(super) arm: &'static str,
}

impl MetricReader<'_> {
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
        // Without an early exit the compiler vectorises the loop by two columns.
        if !row.iter().fold(true, |finite, x| finite & x.is_finite()) {
            return Ok(false);
        }
        if self.metric.kind.adds_up() {
            self.not_negative(row)?;
        }
        Ok(true)
    }

    /// Refuses running totals of a form that cannot be sent as totals.
    pub(super) fn has_totals(&self, sample: &Sample) -> Result<(), ReadingError> {
        let form = match sample {
            Sample::Samples(_) => "raw samples",
            Sample::Level(_) if !self.metric.kind.adds_up() => "a level",
            _ => return Ok(()),
        };
        Err(ReadingError::Totals { metric: self.metric.id, arm: self.arm, form })
    }

    /// The error of a form that does not fit the metric's kind.
    pub(super) fn form(&self) -> ReadingError {
        let Metric { id, kind, .. } = *self.metric;
        ReadingError::Form { metric: id, kind, expected: kind.feed() }
    }

    /// Refuses negative numbers.
    pub(super) fn not_negative(&self, values: &[f64]) -> Result<(), ReadingError> {
        match values.iter().find(|&&value| value < 0.0) {
            Some(&value) => {
                Err(ReadingError::Negative { metric: self.metric.id, arm: self.arm, value })
            }
            None => Ok(()),
        }
    }

    fn histogram(
        &self,
        sent: &Histogram,
        layout: &Layout,
        row: &mut [f64],
    ) -> Result<(), ReadingError> {
        let fault =
            |fault| ReadingError::Histogram { metric: self.metric.id, arm: self.arm, fault };
        if sent.le.len() != sent.counts.len() {
            return Err(fault("`le` and `counts` differ in length"));
        }
        // Boundaries beside those of the first reading are left out, so only its number counts.
        if sent.le.is_empty() || layout.edges().len() > Layout::MOST {
            return Err(fault("send 1 to 64 buckets"));
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
        // Counts are cumulative, so that those at further boundaries are left out.
        let mut at = sent.le.iter().zip(&sent.counts);
        for (column, edge) in row[1..].iter_mut().zip(layout.edges()) {
            let Some((_, count)) = at.find(|(le, _)| *le == edge) else {
                return Err(ReadingError::Layout {
                    metric: self.metric.id,
                    arm: self.arm,
                    expected: layout.edges().to_vec(),
                });
            };
            *column = *count;
        }
        Ok(())
    }

    /// Checks the numbers of one tick.
    pub(super) fn check(&self, row: &[f64]) -> Result<(), ReadingError> {
        match self.metric.kind.data() {
            Data::Trials if row[0] > row[1] => Err(ReadingError::MoreEventsThanTrials {
                metric: self.metric.id,
                arm: self.arm,
                events: row[0],
                trials: row[1],
            }),
            Data::Buckets if !row[1..].is_sorted() || row[row.len() - 1] > row[0] => {
                Err(ReadingError::Histogram {
                    metric: self.metric.id,
                    arm: self.arm,
                    fault: "send cumulative `counts` that do not fall and are at most `count`",
                })
            }
            Data::Trials | Data::Exposure | Data::Buckets | Data::Level => Ok(()),
        }
    }
}
