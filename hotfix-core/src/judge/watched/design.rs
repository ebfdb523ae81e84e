//! What one metric is judged by. It follows from the plan, the phase and the first reading's
//! buckets, so a snapshot has little of it.

use educe::Educe;
use serde::{Deserialize, Serialize, Serializer};

use crate::grade::Role;
use crate::judge::Judge;
use crate::judge::evidence_basis::EvidenceBasis;
use crate::judge::metric_tests::{Claims, MetricTests};
use crate::judge::readings::Readings;
use crate::judge::snapshot::Misfit;
use crate::judge::test::Claim;
use crate::metric::{BoundInBucket, Counters, Layout, Reading, Tick, trials_column};
use crate::metric_kind::Data;
use crate::policy::section::{Metric, Model, Watch};
use crate::stats::Counts;
use crate::stats::latency::MAX_BOUNDARIES;
use crate::stats::replay::Clip;
use crate::unit::{MetricName, Share, Span, Timestamp};

use super::Watched;
use super::pairing::Pairing;

/// What one metric is judged by.
#[derive(Debug, Educe, PartialEq)]
#[educe(Clone)]
pub(crate) struct MetricDesign {
    pub(super) metric: Metric,
    pub(super) watch: Watch,
    pub(super) layout: Layout,
    /// For latency: the layout's edges that are test boundaries.
    pub(super) boundaries: Vec<usize>,
    pub(super) claims: Claims,
    pub(super) basis: EvidenceBasis,
    /// Both arms are read at the same time, or there is no live arm.
    pub(super) in_step: bool,
    /// A bound is relative to the live arm.
    pub(super) compares_live: bool,
    /// Its bounds let nothing pass the gate that is worse than its reference by more than the margin.
    pub(super) keeps_margin: bool,
}

/// What a snapshot has of a design.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DesignRead {
    metric: MetricName,
    /// The edges of the layout; empty where the metric has none yet.
    edges: Vec<f64>,
}

impl Serialize for MetricDesign {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let edges = self.layout.edges().to_vec();
        DesignRead { metric: self.metric.id, edges }.serialize(serializer)
    }
}

impl DesignRead {
    /// The layout of this metric; None before its first reading. Err if it is of another metric or
    /// has no valid edges.
    pub(super) fn layout_of(self, metric: &Metric) -> Result<Option<Layout>, Misfit> {
        if self.metric != metric.id {
            return Err("the metrics");
        }
        if self.edges.is_empty() {
            return Ok(None);
        }
        Layout::restored(metric, self.edges).map(Some).ok_or("a metric's buckets")
    }
}

impl MetricDesign {
    /// A design in the first phase, before the first reading. `margin`: how many times as bad as
    /// its reference is no harm. `one_arm`: no live arm is read beside the canary.
    pub(in crate::judge) fn new(
        metric: &Metric,
        watch: Watch,
        claims: Claims,
        basis: EvidenceBasis,
        (margin, one_arm): (f64, bool),
    ) -> Self {
        Self {
            metric: metric.clone(),
            watch,
            layout: Layout::default(),
            boundaries: Vec::new(),
            claims,
            basis,
            in_step: one_arm || watch.scrape == Some(Span::ZERO),
            compares_live: metric.compares_live(),
            keeps_margin: metric.keeps_within(margin),
        }
    }

    /// Sets the buckets and the tests' boundaries; discards a history with other boundaries.
    pub(super) fn settle_layout(&mut self, layout: Layout) {
        let edges = layout.edges();
        let above = |time: f64| edges.partition_point(|&edge| edge < time);
        let boundaries = self.metric.boundaries.iter().map(|&time| above(time));
        self.boundaries = boundaries.filter(|&index| index < edges.len()).collect();
        self.boundaries.dedup();
        self.boundaries.truncate(MAX_BOUNDARIES);
        self.layout = layout;
        if let Some(times) = self.tested_times()
            && let Some(usual) = self.basis.discard_history_of_others(&times)
        {
            if let Claim::Worse { tolerated, .. } = &mut self.claims.0 {
                *tolerated = usual.tolerated;
            }
            if let Some(Claim::Better { margin, temper, .. }) = &mut self.claims.1 {
                (*margin, *temper) = (usual.margin, 1.0);
            }
        }
    }

    /// The boundaries of a latency's tests, in seconds; None where it has none.
    fn tested_times(&self) -> Option<Vec<f64>> {
        let edges = self.layout.edges();
        let is_tested = self.metric.model != Model::None && !self.boundaries.is_empty();
        is_tested.then(|| self.boundaries.iter().map(|&index| edges[index]).collect())
    }

    /// The tests of a latency with this layout, in a watch that `began` then; None without any.
    pub(super) fn latency_tests(&self, began: Option<Timestamp>) -> Option<MetricTests> {
        let begin = (began, self.basis.limits().is_some());
        let (times, columns) = (self.tested_times()?, self.layout.columns());
        Some(MetricTests::of_latency(self.claims, &times, columns, &self.watch, begin))
    }

    #[inline]
    pub(super) fn lacks_layout(&self) -> bool {
        self.metric.kind.has_buckets() && self.layout.edges().is_empty()
    }

    /// Whether an arm has a new reading: running totals that did not change repeat the one before.
    pub(super) fn is_reading(&self, tick: &Tick, arm: usize) -> bool {
        let columns = self.layout.columns();
        let row = &tick.row[arm * columns..(arm + 1) * columns];
        !tick.totals || row.iter().any(|value| *value > 0.0)
    }

    #[inline]
    pub(super) fn trials_of(&self, tick: &Tick) -> [f64; 2] {
        let row = &tick.row;
        let trials = trials_column(self.metric.kind);
        [row[trials], row[row.len() / 2 + trials]]
    }

    /// How much time the canary's reading covers, at most the `gap` since the one before: its exposure;
    /// for a volume all of the gap; for a level that too, if the one before was not stale. A level that
    /// comes without the live version that it is compared with covers no time, unless that has no traffic
    /// any more; and neither do trials.
    #[cold]
    pub(super) fn covers(&self, tick: &Tick, share: Share, gap: Span) -> Span {
        match self.metric.kind.data() {
            Data::Exposure => {
                let share = if self.metric.scaled { share.as_fraction() } else { 1.0 };
                Span::try_from_seconds(tick.row[1] / share).map_or(Span::ZERO, |of| of.min(gap))
            }
            Data::Level if self.metric.kind.is_traffic() => gap,
            Data::Level
                if self.lasted(gap)
                    && (tick.baseline || !self.compares_live || share == Share::ALL) =>
            {
                gap
            }
            Data::Level | Data::Trials | Data::Buckets => Span::ZERO,
        }
    }

    /// Whether the reading before was still valid after this gap.
    fn lasted(&self, gap: Span) -> bool {
        self.metric.kind.lasts() && gap <= self.watch.stale
    }

    /// Bad events and trials of both arms in a row of counts.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call would pass them through memory, by halves")]
    pub(super) fn counts_of(&self, row: &[f64]) -> (Counts, Counts) {
        let arm = |events, trials| Counts::new(self.metric.worse.bad(events, trials), trials);
        (arm(row[0], row[1]), arm(row[2], row[3]))
    }

    /// The bound for one instance in a tick, and the bad events of each arm that are above it. None
    /// and 0 unless all counts come by instance.
    pub(super) fn clip(&self, tick: &Tick) -> (Option<Clip>, [f64; 2]) {
        let Some(clip) = self.basis.clip() else { return (None, [0.0; 2]) };
        let bad = |&[events, trials]: &[f64; 2]| {
            Counts::new(self.metric.worse.bad(events, trials), trials)
        };
        let above = |clip: Clip| {
            let of = |arm: &Vec<[f64; 2]>| arm.iter().map(|of| clip.excess(bad(of))).sum();
            [of(&tick.instances[0]), of(&tick.instances[1])]
        };
        let clipped = above(clip);
        if clipped == [0.0; 2] {
            return (Some(clip), clipped);
        }
        let shared = clip.shared(tick.instances.iter().flatten().map(bad));
        (Some(shared), above(shared))
    }
}

/// The bounds of deciding metrics that lie in the first or last bucket, where no value can be
/// interpolated; none unless the reading at this time has set the buckets.
pub(crate) fn out_of_reach(judge: &Judge, at: Timestamp) -> impl Iterator<Item = BoundInBucket> {
    judge.watched.iter().flat_map(move |watched| watched.out_of_reach(at))
}

impl Watched {
    /// Edges of the latency layout in seconds; none for other kinds.
    pub(crate) fn edges(&self) -> &[f64] {
        self.design.layout.edges()
    }

    /// Whether a reading may set the buckets.
    #[inline]
    pub(in crate::judge) fn may_settle_layout(&self) -> bool {
        let Pairing { readings, began, .. } = &self.pairing;
        let is_before = || began.is_none() && readings.read_at.is_none();
        self.design.metric.kind.has_buckets() && (self.design.lacks_layout() || is_before())
    }

    /// The buckets that a reading sets; None if it sets none. The first one does, and one with
    /// further buckets as long as the canary was not read, so that a histogram without a bound's
    /// boundary can be mended.
    pub(super) fn next_layout(&self, reading: &Reading) -> Option<Layout> {
        let layout = &self.design.layout;
        let next = self.may_settle_layout().then(|| Layout::of(&self.design.metric, reading))?;
        (self.design.lacks_layout() || next.refines(layout)).then_some(next)
    }

    /// Sets the buckets, if this reading does; returns whether it has.
    pub(super) fn lay_out(&mut self, reading: &Reading) -> bool {
        let Some(layout) = self.next_layout(reading) else { return false };
        if !self.design.lacks_layout() {
            // What was read with other buckets cannot be compared.
            self.pairing.readings.counters = Counters::default();
            self.discard_pools();
        }
        self.settle_layout(layout);
        !self.edges().is_empty()
    }

    /// Sets the buckets, and makes the tests at their boundaries.
    pub(super) fn settle_layout(&mut self, layout: Layout) {
        self.design.settle_layout(layout);
        self.measured.settle_columns(&self.design);
        if let Some(tests) = self.design.latency_tests(self.pairing.began) {
            self.tested.tests = tests;
            self.limit();
        }
    }

    /// The bounds that its buckets cannot judge; none unless a reading at this time has set the buckets.
    fn out_of_reach(&self, at: Timestamp) -> Vec<BoundInBucket> {
        let Readings { lays_out, seen_at, .. } = self.readings();
        let is_new = *lays_out && *seen_at == Some(at) && self.metric().role == Role::Decide;
        let edges = if is_new { self.edges() } else { return Vec::new() };
        let mut faults = BoundInBucket::within(self.metric(), edges);
        faults.retain(BoundInBucket::is_beyond);
        faults
    }
}
