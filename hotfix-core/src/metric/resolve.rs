//! From what a host sent to what one tick added: checked, counters turned into differences, resets handled (MET-6).

use crate::grade::MetricKind;
use crate::policy::section::Metric;
use crate::unit::{MetricName, Share, Timestamp};

use super::reading::{Arms, Histogram, Sample};

/// A reading that cannot be true, or does not fit its metric. Nothing of its observation is taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// The policy names no such metric.
    #[error("the policy has no metric `{metric}`; the nearest is `{nearest}`")]
    UnknownMetric {
        /// What came.
        metric: MetricName,
        /// The nearest known one.
        nearest: MetricName,
    },
    /// The form is not the kind's.
    #[error("`{metric}` is a {kind}: {expected}")]
    Form {
        /// The metric.
        metric: MetricName,
        /// Its kind.
        kind: MetricKind,
        /// What would do.
        expected: &'static str,
    },
    /// More events than trials.
    #[error(
        "the {arm} of `{metric}` has {events} events in {trials} trials: events are among the trials"
    )]
    MoreEventsThanTrials {
        /// The metric.
        metric: MetricName,
        /// Which arm.
        arm: &'static str,
        /// Events.
        events: f64,
        /// Trials.
        trials: f64,
    },
    /// A negative count.
    #[error("the {arm} of `{metric}` has {value}: counts are not negative")]
    Negative {
        /// The metric.
        metric: MetricName,
        /// Which arm.
        arm: &'static str,
        /// What came.
        value: f64,
    },
    /// Histogram buckets that no histogram has.
    #[error("the {arm} of `{metric}` is no cumulative histogram: {fault}")]
    Histogram {
        /// The metric.
        metric: MetricName,
        /// Which arm.
        arm: &'static str,
        /// What is wrong.
        fault: &'static str,
    },
    /// Buckets other than in the first reading.
    #[error(
        "the {arm} of `{metric}` has other buckets than the first reading ({expected:?}): both arms keep one layout"
    )]
    Layout {
        /// The metric.
        metric: MetricName,
        /// Which arm.
        arm: &'static str,
        /// The layout of the first reading, in seconds.
        expected: Vec<f64>,
    },
    /// Running totals of something that has none, or that cannot be told apart after a reset.
    #[error(
        "the {arm} of `{metric}` sends {form} as running totals: send what came since the last reading"
    )]
    Totals {
        /// The metric.
        metric: MetricName,
        /// Which arm.
        arm: &'static str,
        /// What was sent.
        form: &'static str,
    },
}

impl ReadingError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownMetric { .. } => "HF-MET-001",
            Self::Form { .. } => "HF-MET-002",
            Self::MoreEventsThanTrials { .. } => "HF-MET-003",
            Self::Negative { .. } => "HF-MET-004",
            Self::Histogram { .. } => "HF-MET-005",
            Self::Layout { .. } => "HF-MET-006",
            Self::Totals { .. } => "HF-MET-007",
        }
    }
}

/// The boundaries at which a latency metric counts, in seconds, ascending; empty for other kinds.
///
/// Histograms keep the buckets of the first reading. Raw samples are counted at the policy's boundaries and bounds, and
/// at points between, so that a bound is always an edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout(Vec<f64>);

impl Layout {
    /// The layout that this reading sets; empty where it sets none.
    pub fn of(metric: &Metric, arms: &Arms) -> Self {
        let first = arms.canary.iter().chain(&arms.baseline).find_map(|sample| match sample {
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
        // Steps of a sixth between, for the quantiles that reports show.
        let mut edge = least / 8.0;
        while edge < most * 8.0 && edges.len() < Self::MOST {
            edges.push(edge);
            edge *= 7.0 / 6.0;
        }
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        edges
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

/// What one tick added to one metric: the canary's columns, then the baseline's.
///
/// Proportions and counts: events, trials (or exposure in seconds, scaled by the arm's share). Gauges and volumes: the
/// sum of the levels and their number. Latency: the count, then requests at or below each edge of the layout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tick {
    /// The columns.
    pub row: Vec<f64>,
    /// The canary read something.
    pub canary: bool,
    /// The baseline read something.
    pub baseline: bool,
    /// A number was NaN or infinite: its arm is left out.
    pub not_finite: bool,
}

/// The last running totals of each arm.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    arms: [Vec<f64>; 2],
    at: [Timestamp; 2],
}

/// The names of the arms, in the order of the columns.
const ARMS: [&str; 2] = ["canary", "baseline"];

impl Tick {
    /// Reads one metric into this tick, whose memory is reused. Changes nothing else, so a refusal loses nothing.
    ///
    /// # Errors
    /// `HF-MET-002` to `HF-MET-007`.
    pub fn read(
        &mut self,
        metric: &Metric,
        layout: &Layout,
        counters: &Counters,
        arms: &Arms,
        at: Timestamp,
        share: Share,
    ) -> Result<(), ReadingError> {
        let columns = layout.columns();
        self.row.clear();
        self.row.resize(2 * columns, 0.0);
        (self.canary, self.baseline, self.not_finite) = (false, false, false);
        for (index, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
            let Some(sample) = sample else { continue };
            let row = &mut self.row[index * columns..(index + 1) * columns];
            let reader = Reader { metric, arm: ARMS[index] };
            if arms.totals {
                reader.has_totals(sample)?;
            }
            if !reader.fill(sample, layout, row)? {
                row.fill(0.0);
                self.not_finite = true;
                continue;
            }
            let mut read = true;
            if arms.totals {
                read = difference(row, &counters.arms[index]);
                if metric.kind == MetricKind::Volume {
                    let minutes = at.since(counters.at[index]).as_seconds() / 60.0;
                    read &= minutes > 0.0;
                    if read {
                        row[0] /= minutes;
                        row[1] = 1.0;
                    }
                }
                if !read {
                    row.fill(0.0);
                }
            }
            reader.check(row)?;
            if metric.kind == MetricKind::Count && metric.scaled {
                row[1] *= if index == 0 { share.as_fraction() } else { share.rest().as_fraction() };
            }
            *(if index == 0 { &mut self.canary } else { &mut self.baseline }) = read;
        }
        Ok(())
    }
}

/// Turns totals into what came since `last`; after a reset all of it is new. False for a counter's first reading.
fn difference(row: &mut [f64], last: &[f64]) -> bool {
    if last.len() != row.len() {
        return false;
    }
    if row.iter().zip(last).all(|(now, before)| now >= before) {
        for (now, before) in row.iter_mut().zip(last) {
            *now -= before;
        }
    }
    true
}

impl Counters {
    /// Keeps the totals of a reading that was taken.
    pub fn keep(&mut self, metric: &Metric, layout: &Layout, arms: &Arms, at: Timestamp) {
        if !arms.totals {
            return;
        }
        for (index, sample) in [&arms.canary, &arms.baseline].into_iter().enumerate() {
            let Some(sample) = sample else { continue };
            let kept = &mut self.arms[index];
            kept.resize(layout.columns(), 0.0);
            if matches!((Reader { metric, arm: ARMS[index] }).fill(sample, layout, kept), Ok(true))
            {
                self.at[index] = at;
            } else {
                kept.clear();
            }
        }
    }
}

struct Reader<'a> {
    metric: &'a Metric,
    arm: &'static str,
}

impl Reader<'_> {
    /// Fills the arm's columns with the numbers as sent; false where one is not finite.
    fn fill(
        &self,
        sample: &Sample,
        layout: &Layout,
        row: &mut [f64],
    ) -> Result<bool, ReadingError> {
        match (self.metric.kind, sample) {
            (MetricKind::Proportion | MetricKind::Count, Sample::Pair(events, trials)) => {
                (row[0], row[1]) = (*events, *trials);
            }
            (MetricKind::Proportion | MetricKind::Count, Sample::Instances(instances)) => {
                (row[0], row[1]) = (0.0, 0.0);
                for &[events, trials] in instances.values() {
                    self.not_negative(&[events, trials])?;
                    row[0] += events;
                    row[1] += trials;
                }
            }
            (MetricKind::Gauge | MetricKind::Volume, Sample::Level(level)) => {
                (row[0], row[1]) = (*level, 1.0);
            }
            (MetricKind::Latency, Sample::Histogram(histogram)) => {
                self.histogram(histogram, layout, row)?;
            }
            (MetricKind::Latency, Sample::Samples(samples)) => {
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
        if !row.iter().all(|x| x.is_finite()) {
            return Ok(false);
        }
        if self.metric.kind != MetricKind::Gauge {
            self.not_negative(row)?;
        }
        Ok(true)
    }

    fn has_totals(&self, sample: &Sample) -> Result<(), ReadingError> {
        let form = match (sample, self.metric.kind) {
            (Sample::Instances(_), _) => "counts by instance",
            (Sample::Samples(_), _) => "raw samples",
            (Sample::Level(_), MetricKind::Gauge) => "a level",
            _ => return Ok(()),
        };
        Err(ReadingError::Totals { metric: self.metric.id, arm: self.arm, form })
    }

    fn form(&self) -> ReadingError {
        let expected = match self.metric.kind {
            MetricKind::Proportion => "send [events, trials], or that by instance",
            MetricKind::Count => "send [events, seconds of exposure], or that by instance",
            MetricKind::Latency => {
                "send cumulative buckets {\"le\", \"counts\", \"count\"} or {\"samples\"} in seconds, one form throughout"
            }
            MetricKind::Gauge => "send a number",
            MetricKind::Volume => "send requests per minute as a number",
        };
        ReadingError::Form { metric: self.metric.id, kind: self.metric.kind, expected }
    }

    fn not_negative(&self, values: &[f64]) -> Result<(), ReadingError> {
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
        if sent.le.is_empty() || sent.le.len() > Layout::MOST {
            return Err(fault("it has 1 to 64 buckets"));
        }
        if !sent.le.iter().all(|edge| edge.is_finite() && *edge > 0.0)
            || !sent.le.is_sorted_by(|a, b| a < b)
        {
            return Err(fault("`le` ascends in finite seconds above 0"));
        }
        if sent.le != layout.edges() {
            return Err(ReadingError::Layout {
                metric: self.metric.id,
                arm: self.arm,
                expected: layout.edges().to_vec(),
            });
        }
        row[0] = sent.count;
        row[1..].copy_from_slice(&sent.counts);
        Ok(())
    }

    /// What must hold of the numbers of one tick.
    fn check(&self, row: &[f64]) -> Result<(), ReadingError> {
        match self.metric.kind {
            MetricKind::Proportion if row[0] > row[1] => Err(ReadingError::MoreEventsThanTrials {
                metric: self.metric.id,
                arm: self.arm,
                events: row[0],
                trials: row[1],
            }),
            MetricKind::Latency if !row[1..].is_sorted() || row[row.len() - 1] > row[0] => {
                Err(ReadingError::Histogram {
                    metric: self.metric.id,
                    arm: self.arm,
                    fault: "`counts` never fall and end at or below `count`",
                })
            }
            _ => Ok(()),
        }
    }
}
