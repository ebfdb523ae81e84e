//! One metric under watch: its window, its counters, its tests.

use crate::grade::{MetricKind, Worse};
use crate::metric::{Arms, Counters, Judged, Layout, ReadingError, Tick, Window};
use crate::policy::section::{Metric, Model, Watch};
use crate::stats::latency::{MAX_BOUNDARIES, SlowCounts};
use crate::stats::{Counts, StatError};
use crate::unit::{Share, Span, Timestamp};

use super::test::{Claim, Test};

/// A metric and all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Watched {
    pub(super) metric: Metric,
    layout: Layout,
    counters: Counters,
    /// Scratch: what the present observation adds.
    pub(super) tick: Tick,
    /// The tick holds a reading of the present observation.
    pub(super) fresh: bool,
    pub(super) window: Window,
    /// When the canary last read something.
    pub(super) read_at: Option<Timestamp>,
    pub(super) not_finite: bool,
    /// How long this phase has been covered by readings: longer silence than the stale limit is not.
    pub(super) covered: Span,
    /// Last reading of any arm, so that a repeated one is known.
    seen_at: Option<Timestamp>,
    pub(super) worse: Option<Test>,
    pub(super) safe: Option<Test>,
    claims: (Claim, Option<Claim>),
    /// For latency: the layout's edges that are test boundaries.
    boundaries: Vec<usize>,
    /// The live arm over the whole rollout, in the columns of one arm: its level before the way back.
    pub(super) level: Vec<f64>,
    watch: Watch,
}

impl Watched {
    pub(super) fn try_new(
        metric: &Metric,
        watch: &Watch,
        worse: Claim,
        safe: Option<Claim>,
    ) -> Result<Self, StatError> {
        let test = |claim| {
            if metric.kind == MetricKind::Latency {
                Ok(None)
            } else {
                Test::try_new(metric.model, claim)
            }
        };
        let columns = Layout::default().columns();
        Ok(Self {
            worse: test(worse)?,
            safe: match safe {
                Some(claim) => test(claim)?,
                None => None,
            },
            metric: metric.clone(),
            layout: Layout::default(),
            counters: Counters::default(),
            tick: Tick::default(),
            fresh: false,
            window: Window::new(watch.window, watch.cadence, 2 * columns),
            read_at: None,
            not_finite: false,
            covered: Span::ZERO,
            seen_at: None,
            claims: (worse, safe),
            boundaries: Vec::new(),
            level: vec![0.0; columns],
            watch: *watch,
        })
    }

    /// Reads into scratch.
    pub(super) fn prepare(
        &mut self,
        arms: &Arms,
        at: Timestamp,
        share: Share,
    ) -> Result<(), ReadingError> {
        let first;
        let layout = if self.metric.kind == MetricKind::Latency && self.layout.edges().is_empty() {
            first = Layout::of(&self.metric, arms);
            &first
        } else {
            &self.layout
        };
        self.tick.read(&self.metric, layout, &self.counters, arms, at, share)?;
        // The same moment again is a repeated delivery: it is counted once.
        self.fresh = self.seen_at != Some(at);
        Ok(())
    }

    /// Takes note of a reading, whatever it is used for.
    pub(super) fn read(&mut self, arms: &Arms, at: Timestamp, since: Option<Timestamp>) {
        if self.metric.kind == MetricKind::Latency && self.layout.edges().is_empty() {
            self.settle_layout(arms);
        }
        self.counters.keep(&self.metric, &self.layout, arms, at);
        self.seen_at = Some(at);
        self.not_finite = self.tick.not_finite;
        if self.tick.canary {
            if let Some(last) = self.read_at.max(since) {
                self.covered = self.covered + at.since(last).min(self.watch.stale);
            }
            self.read_at = Some(at);
        }
    }

    /// The first latency reading fixes the buckets and with them the tests' boundaries.
    fn settle_layout(&mut self, arms: &Arms) {
        self.layout = Layout::of(&self.metric, arms);
        let edges = self.layout.edges();
        let columns = self.layout.columns();
        self.window = Window::new(self.watch.window, self.watch.cadence, 2 * columns);
        self.level = vec![0.0; columns];
        self.boundaries = self
            .metric
            .boundaries
            .iter()
            .map(|b| edges.partition_point(|&edge| edge < b.as_seconds()))
            .filter(|&index| index < edges.len())
            .collect();
        self.boundaries.dedup();
        self.boundaries.truncate(MAX_BOUNDARIES);
        if self.metric.model != Model::None && !self.boundaries.is_empty() {
            // The claims' figures made tests of other metrics already, so they are legal.
            self.worse = Test::try_latency(self.claims.0, self.boundaries.len()).ok();
            self.safe =
                self.claims.1.and_then(|c| Test::try_latency(c, self.boundaries.len()).ok());
        }
    }

    /// Adds the tick to the window and feeds the tests.
    pub(super) fn learn(&mut self, at: Timestamp) {
        self.window.add(at, &self.tick.row);
        let columns = self.layout.columns();
        for (level, value) in self.level.iter_mut().zip(&self.tick.row[columns..]) {
            *level += value;
        }
        let (mut worse, mut safe) = (self.worse.take(), self.safe.take());
        for test in [&mut worse, &mut safe].into_iter().flatten() {
            self.feed(test);
        }
        (self.worse, self.safe) = (worse, safe);
    }

    /// Feeds one test with the tick; says whether it has decided.
    pub(super) fn feed(&self, test: &mut Test) -> bool {
        if !self.tick.canary || !self.tick.baseline {
            return test.decided();
        }
        let row = &self.tick.row;
        if self.metric.kind == MetricKind::Latency {
            let columns = self.layout.columns();
            let mut slow = [[0.0; MAX_BOUNDARIES]; 2];
            for (arm, slow) in slow.iter_mut().enumerate() {
                let row = &row[arm * columns..];
                for (slow, &index) in slow.iter_mut().zip(&self.boundaries) {
                    *slow = row[0] - row[1 + index];
                }
            }
            let used = self.boundaries.len();
            test.feed_slow(
                SlowCounts::new(&slow[0][..used], row[0]),
                SlowCounts::new(&slow[1][..used], row[columns]),
            );
            test.decided()
        } else {
            test.feed(
                Counts::new(self.bad(row[0], row[1]), row[1]),
                Counts::new(self.bad(row[2], row[3]), row[3]),
            )
        }
    }

    /// Events that are bad: failures where the metric counts successes.
    pub(super) fn bad(&self, events: f64, trials: f64) -> f64 {
        match self.metric.worse {
            Worse::Higher => events,
            Worse::Lower => trials - events,
        }
    }

    /// Puts only the live arm into the window.
    pub(super) fn window_of_baseline(&mut self, at: Timestamp) {
        let columns = self.layout.columns();
        self.tick.row[..columns].fill(0.0);
        self.window.add(at, &self.tick.row);
    }

    /// Whether the canary's share goes into its value: a count's exposure, or a volume.
    pub(super) const fn is_scaled(&self) -> bool {
        self.metric.scaled && matches!(self.metric.kind, MetricKind::Count | MetricKind::Volume)
    }

    /// Whether the next reading covers this moment; asked before it is taken.
    pub(super) fn spans(&self, moment: Option<Timestamp>) -> bool {
        moment.is_some_and(|moment| self.seen_at.is_some_and(|seen| seen < moment))
    }

    /// Columns of one arm.
    pub(super) fn columns(&self) -> usize {
        self.layout.columns()
    }

    /// Edges of the latency layout.
    pub(super) fn edges(&self) -> &[f64] {
        self.layout.edges()
    }

    /// The value that one arm's columns stand for, in the metric's unit; None without trials.
    pub(super) fn value(&self, columns: &[f64], share: f64) -> Option<Judged> {
        let (events, trials) = (columns[0], columns[1]);
        match self.metric.kind {
            MetricKind::Latency => Judged::quantile(
                self.metric.quantile.as_fraction(),
                events,
                &columns[1..],
                self.layout.edges(),
            ),
            MetricKind::Proportion => (trials > 0.0).then(|| Judged::exactly(events / trials)),
            MetricKind::Count => (trials > 0.0).then(|| Judged::exactly(events / trials * 60.0)),
            MetricKind::Gauge => (trials > 0.0).then(|| Judged::exactly(events / trials)),
            MetricKind::Volume => {
                let scale = if self.metric.scaled { share } else { 1.0 };
                (trials > 0.0 && scale > 0.0).then(|| Judged::exactly(events / trials / scale))
            }
        }
    }

    /// Trials that a least number can be asked of; None where it is a length of time instead.
    pub(super) fn trials(&self, columns: &[f64]) -> Option<f64> {
        match self.metric.kind {
            MetricKind::Proportion => Some(columns[1]),
            MetricKind::Latency => Some(columns[0]),
            MetricKind::Count | MetricKind::Gauge | MetricKind::Volume => None,
        }
    }
}
