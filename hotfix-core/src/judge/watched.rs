//! One watched metric: its window, its counters, its tests.

use std::collections::BTreeMap;

use crate::grade::EvidenceMode;
use crate::metric::{Arms, Counters, Layout, Reading, ReadingError, Tick, Window};
use crate::policy::section::{Metric, Model, Watch};
use crate::stats::interval::{Interval, ratio_interval};
use crate::stats::latency::MAX_BOUNDARIES;
use crate::stats::{SplitTotals, StatError, Totals};
use crate::unit::{Share, Span, Timestamp, clone_in_place};

use super::aligned::{Aligned, Side};
use super::arm_checks::Sameness;
use super::bracket::Bracket;
use super::counterfactual::{Before, Flags};
use super::coverage::Coverage;
use super::degradation::Degradation;
use super::evidence_basis::{Assurance, EvidenceBasis};
use super::fed::{Fed, counts_of};
use super::instances::{Counting, InstanceArm, Instances, less};
use super::left_out::LeftOut;
use super::pre_deployment::PreDeployment;
use super::prepared::Increment;
use super::settling::{Settling, block_of};
use super::test::{Claim, Test};
use super::trailing::Trailing;

/// A metric and its state.
#[derive(Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
pub(super) struct Watched {
    pub(super) metric: Metric,
    pub(super) layout: Layout,
    pub(super) counters: Counters,
    /// Where the arms are read at different times: counts that wait for the other arm's.
    pub(super) bracket: Option<Box<Bracket>>,
    pub(super) window: Window,
    /// When the canary last read something.
    pub(super) read_at: Option<Timestamp>,
    pub(super) not_finite: bool,
    /// How long this phase has been covered by readings: longer silence than the stale limit is
    /// not.
    pub(super) covered: Span,
    /// How much of that the last reading covers, and how much went into the windows.
    pub(super) step: Span,
    pub(super) learned: Span,
    /// Since when the window has been filled.
    pub(super) coverage: Coverage,
    /// Last reading of any arm, so that a repeated one is known.
    pub(super) seen_at: Option<Timestamp>,
    /// That reading had running totals.
    pub(super) totals: bool,
    /// What it was before its last tick, so that the tick can be judged again.
    pub(super) before: Before,
    /// Whether the arms' counts were equal so far.
    pub(super) same: Sameness,
    /// Degradation in this phase.
    pub(super) degradation: Degradation,
    pub(super) worse: Option<Aligned<Test>>,
    pub(super) safe: Option<Aligned<Test>>,
    /// Warm-up of a latency with a tolerance.
    pub(super) settling: Option<Box<Settling>>,
    pub(super) claims: (Claim, Option<Claim>),
    /// Basis of the rollback evidence.
    pub(super) basis: EvidenceBasis,
    pub(super) instances: Instances,
    /// All that the rollback test did not count, of both arms.
    pub(super) uncounted: [f64; 2],
    /// The evidence has ever reached this metric's own threshold from history.
    pub(super) replayed: bool,
    /// For latency: the layout's edges that are test boundaries.
    pub(super) boundaries: Vec<usize>,
    /// The live arm over the whole rollout, in the columns of one arm: its level before the
    /// rollback.
    pub(super) level: Vec<f64>,
    /// The live version before the deployment, where no live arm is left after it.
    pub(super) pre_deployment: PreDeployment,
    /// A volume without a live arm is compared with its own level before.
    pub(super) trailing: Option<Box<Trailing>>,
    /// The rollback bound without each one of the canary's instances.
    pub(super) left_out: Option<Box<LeftOut>>,
    pub(super) watch: Watch,
    /// When the present watch began.
    pub(super) began: Option<Timestamp>,
    /// Both arms are read at the same time, or there is no live arm.
    pub(super) in_step: bool,
    /// A bound looks at the live arm.
    pub(super) compares_live: bool,
    /// What both arms had over the rollout, by stratum and planned split.
    pub(super) compared: Vec<SplitTotals>,
    /// Totals of both arms in this phase on each alignment; None if strata were sent, which must
    /// not be summed.
    pub(super) of_phase: Option<[Totals; 2]>,
}

clone_in_place!(Watched {
    metric,
    layout,
    counters,
    bracket,
    window,
    read_at,
    not_finite,
    covered,
    step,
    learned,
    coverage,
    seen_at,
    totals,
    before,
    same,
    degradation,
    worse,
    safe,
    settling,
    claims,
    basis,
    instances,
    uncounted,
    replayed,
    boundaries,
    level,
    pre_deployment,
    trailing,
    left_out,
    watch,
    began,
    in_step,
    compares_live,
    compared,
    of_phase
});

impl Watched {
    pub(super) fn try_new(
        metric: &Metric,
        watch: &Watch,
        (worse, safe): (Claim, Option<Claim>),
        basis: EvidenceBasis,
        instances: Instances,
        pre_deployment: PreDeployment,
    ) -> Result<Self, StatError> {
        let test = |claim| {
            if metric.kind.has_buckets() {
                Ok(None)
            } else {
                Ok(Test::try_new(metric.model, claim)?.map(Aligned::new))
            }
        };
        let columns = Layout::default().columns();
        Ok(Self {
            worse: test(worse)?,
            safe: match safe {
                Some(claim) => test(claim)?,
                None => None,
            },
            settling: None,
            metric: metric.clone(),
            layout: Layout::default(),
            counters: Counters::default(),
            bracket: None,
            window: Window::new(watch.window, watch.cadence, 2 * columns),
            read_at: None,
            not_finite: false,
            covered: Span::ZERO,
            step: Span::ZERO,
            learned: Span::ZERO,
            coverage: Coverage::default(),
            seen_at: None,
            totals: false,
            before: Before::default(),
            same: Sameness::default(),
            degradation: Degradation::default(),
            claims: (worse, safe),
            basis,
            instances,
            uncounted: [0.0; 2],
            replayed: false,
            boundaries: Vec::new(),
            level: vec![0.0; columns],
            in_step: pre_deployment.applies() || watch.scrape == Some(Span::ZERO),
            pre_deployment,
            trailing: Trailing::of(metric, watch),
            left_out: LeftOut::of(metric),
            watch: *watch,
            began: None,
            compares_live: metric.compares_live(),
            compared: vec![SplitTotals::new()],
            of_phase: Some([Totals::default(); 2]),
        })
    }

    /// Computes what a reading adds.
    pub(super) fn read_into(
        &self,
        tick: &mut Tick,
        reading: &Reading,
        at: Timestamp,
        share: Share,
    ) -> Result<(), ReadingError> {
        if tick.read_plain(self.metric.kind, reading) {
            return Ok(());
        }
        self.read_at_length(tick, reading, at, share)
    }

    #[inline(never)]
    fn read_at_length(
        &self,
        tick: &mut Tick,
        reading: &Reading,
        at: Timestamp,
        share: Share,
    ) -> Result<(), ReadingError> {
        let first;
        let layout = if self.metric.kind.has_buckets() && self.layout.edges().is_empty() {
            first = Layout::of(&self.metric, reading);
            &first
        } else {
            &self.layout
        };
        tick.read(&self.metric, layout, &self.counters, reading, at, share)
    }

    /// Records a reading, whatever it is used for.
    pub(super) fn read(
        &mut self,
        increment: &mut Increment,
        reading: &Reading,
        at: Timestamp,
        since: Option<Timestamp>,
    ) {
        if self.metric.kind.has_buckets() && self.layout.edges().is_empty() {
            self.settle_layout(Layout::of(&self.metric, reading));
        }
        self.counters.keep(&self.metric, &self.layout, reading, at);
        self.seen_at = Some(at);
        self.totals = increment.tick.totals;
        self.not_finite = increment.tick.not_finite;
        self.step = Span::ZERO;
        increment.clipped = self.clip(&increment.tick);
        if increment.tick.canary {
            if let Some(last) = self.read_at.max(since) {
                self.step = at.since(last).min(self.watch.stale);
                self.covered = self.covered + self.step;
            }
            self.read_at = Some(at);
        }
    }

    /// The first latency reading fixes the buckets and with them the tests' boundaries.
    pub(super) fn settle_layout(&mut self, layout: Layout) {
        self.layout = layout;
        let edges = self.layout.edges();
        let columns = self.layout.columns();
        self.window = Window::new(self.watch.window, self.watch.cadence, 2 * columns);
        self.level = vec![0.0; columns];
        self.pre_deployment.clear();
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
            // The claims' settings were accepted for other metrics already, so they are valid.
            let times: Vec<f64> = self.boundaries.iter().map(|&index| edges[index]).collect();
            let block = block_of(self.watch.cadence);
            let test = |claim| Test::try_latency(claim, &times, block).ok().map(Aligned::new);
            (self.worse, self.safe) = (test(self.claims.0), self.claims.1.and_then(test));
            let tolerates = self.worse.as_ref().is_some_and(|t| t.log_e_slightly().is_some());
            self.settling =
                tolerates.then(|| Box::new(Settling::new(self.watch.cadence, columns, self.began)));
        }
    }

    /// Another phase begins: its limits are in force from its first tick on.
    pub(super) fn enter(&mut self, phase: usize) {
        self.basis.enter(phase);
        self.instances.enter(phase);
        self.limit();
    }

    /// The phase's watch begins.
    pub(super) fn start(&mut self, at: Timestamp) {
        self.began = Some(at);
        if let Some(settling) = &mut self.settling {
            settling.start(at, self.worse.as_mut());
        }
        self.window.clear();
        if let Some(left_out) = &mut self.left_out {
            left_out.clear();
        }
        (self.covered, self.learned) = (Span::ZERO, Span::ZERO);
        self.coverage = Coverage::default();
        self.same = Sameness::default();
        self.degradation = Degradation::default();
        self.of_phase = Some([Totals::default(); 2]);
        self.discard_pools();
    }

    /// What both arms had in this phase on each alignment; none for latency and strata, which have
    /// no exact test.
    pub(super) fn of_phase(&self) -> Option<[Totals; 2]> {
        self.of_phase.filter(|_| !self.metric.kind.has_buckets())
    }

    /// Mode and guarantee of the rollback evidence at present.
    pub(super) fn assurance(&self) -> Assurance {
        let mut assurance = self.basis.assurance(self.instances.is_randomised());
        // Before that a crossing does not count, because a comparison of instances could still find
        // it to be noise.
        let unseen = self.basis.randomises() && !self.instances.are_judged();
        if unseen && assurance.mode == EvidenceMode::Plain {
            assurance.acts = false;
        }
        assurance
    }

    /// The least leave-one-out log e-value of the canary's instances; None if they are too few or
    /// unknown.
    pub(super) fn log_e_without_any(&self) -> Option<f64> {
        self.instances.log_e_without_any(self.worse.as_ref()?)
    }

    /// Whether this test's own share of the evidence has ever reached its threshold from history.
    pub(super) const fn replay_says(&self) -> bool {
        self.replayed
    }

    /// Learns how the live version is before any user has the fix.
    pub(super) fn learn_before(&mut self, tick: &Tick) {
        self.learn_level(tick);
        if tick.baseline && self.is_reading(tick, 1) {
            self.pre_deployment.add(&tick.row[self.level.len()..]);
        }
    }

    /// Without a live arm, compares the tick with one from before the deployment.
    fn compare_with_before(&mut self, tick: &mut Tick) {
        if tick.canary && !tick.baseline && self.is_reading(tick, 0) {
            let columns = self.layout.columns();
            tick.baseline = self.pre_deployment.take(&mut tick.row[columns..]);
        }
    }

    /// Whether an arm was read: running totals that have not changed were read before.
    fn is_reading(&self, tick: &Tick, arm: usize) -> bool {
        let columns = self.layout.columns();
        let row = &tick.row[arm * columns..(arm + 1) * columns];
        !tick.totals || row.iter().any(|value| *value > 0.0)
    }

    /// Adds the live arm to its level before the rollback.
    fn learn_level(&mut self, tick: &Tick) {
        let (_, live) = tick.row.split_at(self.level.len());
        for (level, value) in self.level.iter_mut().zip(live) {
            *level += value;
        }
    }

    /// Adds the tick to the window and feeds the tests. Instances are compared with each other
    /// where traffic is settled.
    pub(super) fn learn(
        &mut self,
        increment: &mut Increment,
        at: Timestamp,
        reading: &Reading,
        share: Share,
        settled: bool,
    ) {
        let tick = &mut increment.tick;
        self.learned = self.learned + self.step;
        self.learn_level(tick);
        // A tick without the live arm compares nothing, so it does not show whether instances are
        // named.
        if settled && tick.canary && tick.baseline {
            self.instances.judge();
        }
        let has_instances = !tick.instances[0].is_empty();
        if has_instances && self.bracket.is_none() {
            self.learn_of_instances(increment, at, reading, settled);
        }
        let tick = &mut increment.tick;
        self.compare_with_before(tick);
        if let (Some(bracket), Some(worse)) = (&mut self.bracket, &self.worse) {
            bracket.begin(at, worse.log_e());
        }
        self.before.keep(
            at,
            tick,
            [self.worse.as_ref(), self.safe.as_ref()],
            self.settling.as_deref(),
            self.bracket.as_deref(),
            Flags { replayed: self.replayed, of_phase: self.of_phase, settled },
        );
        self.window.add(at, &tick.row);
        self.learn_left_out(tick, at, reading);
        // A metric without a test is compared by its bounds only.
        if self.worse.is_some() {
            let compares = self.pair(increment, at);
            if self.bracket.is_some() {
                self.learn_of_instances(increment, at, reading, settled);
            }
            if settled {
                self.sum_up(increment, share, compares);
            }
            self.feed_tests(increment, at);
        }
    }

    /// Pairs the tick's counts with those of the other arm. Returns whether there is something to
    /// compare on each alignment.
    pub(super) fn pair(&mut self, increment: &mut Increment, at: Timestamp) -> [bool; 2] {
        let Self { metric, layout, bracket, .. } = self;
        let Increment { tick, counts, clipped, .. } = increment;
        counts.clear();
        let Some(bracket) = bracket else {
            if !metric.kind.has_buckets() {
                match tick.strata.as_slice() {
                    [] => counts.push(counts_of(metric, &tick.row)),
                    strata => {
                        let rows = strata.chunks(2 * layout.columns());
                        counts.extend(rows.map(|row| counts_of(metric, row)));
                    }
                }
            }
            return [tick.canary && tick.baseline; 2];
        };
        let new = (&*tick, *clipped);
        bracket.take(at, new, layout.columns(), &self.watch, |row| {
            if metric.kind.has_buckets() { Default::default() } else { counts_of(metric, row) }
        });
        if !metric.kind.has_buckets() {
            counts.extend_from_slice(&bracket.batch(Side::Lag).counts);
        }
        Side::BOTH.map(|side| !bracket.batch(side).rows.is_empty())
    }

    /// Reuses the split that another metric's test computed for the tick, if both have the same
    /// trials.
    #[inline]
    pub(super) fn split_as(&mut self, other: &Self, tick: &Tick) {
        let (Some(own), Some(other), &[_, canary, _, baseline]) =
            (&mut self.worse, &other.worse, tick.row.as_slice())
        else {
            return;
        };
        if let (None, Test::Rate(of, from)) = (&self.bracket, other.on(Side::Lead)) {
            own.each(|test| {
                if let Test::Rate(design, state) = test {
                    state.split_as(design, (canary, baseline), from, of);
                }
            });
        }
    }

    /// Adds counts of both arms, under a planned split, to what is summed.
    fn sum_up(&mut self, increment: &Increment, share: Share, compares: [bool; 2]) {
        if compares[Side::Lag as usize] {
            let counts = &increment.counts;
            if self.compared.len() < counts.len() {
                self.compared.resize(counts.len(), SplitTotals::new());
            }
            let share = share.as_fraction();
            for (sums, &(canary, baseline)) in self.compared.iter_mut().zip(counts) {
                // Counts were checked when they were read, and a phase has a share.
                let _ = sums.add(share, canary, baseline);
            }
        }
        self.add_to_phase(increment, compares);
    }

    /// Adds counts of both arms to what they had in the phase.
    pub(super) fn add_to_phase(&mut self, increment: &Increment, compares: [bool; 2]) {
        let Self { bracket, of_phase, .. } = self;
        let Increment { tick, counts, .. } = increment;
        for side in Side::BOTH {
            let counts = bracket.as_ref().map_or(counts, |bracket| &bracket.batch(side).counts);
            match (counts.as_slice(), &mut *of_phase) {
                _ if !compares[side as usize] => {}
                ([], _) => {}
                (&[(canary, baseline)], totals) if tick.strata.is_empty() => {
                    if let Some(totals) = totals {
                        totals[side as usize].add(canary, baseline);
                    }
                }
                // Strata must not be summed.
                (_, totals) => *totals = None,
            }
        }
    }

    /// Anytime-valid interval of the ratio; None for latency, or before anything was compared.
    pub(super) fn interval(&self, confidence: f64) -> Option<Interval> {
        let totals: Vec<Totals> =
            self.compared.iter().flat_map(SplitTotals::totals).copied().collect();
        if totals.is_empty() { None } else { ratio_interval(&totals, confidence).ok() }
    }

    /// Applies a tick instance by instance, before the tests of the total.
    fn learn_of_instances(
        &mut self,
        increment: &Increment,
        at: Timestamp,
        reading: &Reading,
        settled: bool,
    ) {
        let Some(Arms { canary, baseline, .. }) = reading.whole() else { return };
        let (none, worse) = (BTreeMap::new(), self.metric.worse);
        let tick = &increment.tick;
        let [of_canary, of_baseline] = &tick.instances;
        let canary = InstanceArm::new(canary.as_ref(), of_canary, worse, &none);
        let baseline = InstanceArm::new(baseline.as_ref(), of_baseline, worse, &none);
        let named = !of_canary.is_empty() && tick.canary && tick.baseline;
        let counting = Counting { clip: self.basis.clip(), allowed: self.allowed(at) };
        if let Some(bracket) = &self.bracket {
            if let Some(test) = &self.worse {
                self.instances.leave_out_pooled(test, canary, bracket, counting);
            }
            if settled {
                let noise = self.basis.noise();
                self.instances.compare_pooled(at, [canary, baseline], named, bracket, noise);
            }
        } else if named {
            let counts = counts_of(&self.metric, &tick.row);
            let (all, live) = less(counts, increment.clipped);
            if let Some(test) = &self.worse {
                self.instances.leave_out(test, canary, [all, live], counting);
            }
            if settled {
                self.instances.compare(canary, baseline, self.basis.noise());
            }
        }
    }

    /// Updates another metric's test with the tick, and returns whether it has decided.
    pub(super) fn feed(&self, increment: &Increment, test: &mut Aligned<Test>) -> bool {
        let Self { layout, bracket, boundaries, .. } = self;
        let Increment { tick, counts, .. } = increment;
        let bracket = bracket.as_deref();
        let ticks = 1.0;
        Fed { layout, tick, bracket, counts, boundaries, clipped: None, ticks, allowed: 1.0 }
            .feed(test);
        test.decided()
    }

    /// Whether the canary's share goes into its value: a count's exposure, or a volume.
    pub(super) const fn is_scaled(&self) -> bool {
        self.metric.is_scaled()
    }

    /// How many times as bad as tolerated the canary may be in this tick, because its instances
    /// are new.
    #[inline]
    pub(super) fn allowed(&self, at: Timestamp) -> f64 {
        let (Some(new), Some(began)) = (self.watch.new_instances, self.began) else { return 1.0 };
        // Counts may be as old as what they cover.
        let covers = self.bracket.as_ref().map_or(self.step.as_seconds(), |bracket| {
            let ticks = Side::BOTH.map(|side| bracket.batch(side).ticks);
            self.watch.cadence.as_seconds() * ticks[0].max(ticks[1])
        });
        new.allowed((at.since(began).as_seconds() - covers).max(0.0))
    }

    /// Whether its data does not count yet.
    #[inline]
    pub(super) fn is_warming_up(&self, at: Timestamp, since: Option<Timestamp>) -> bool {
        since.is_some_and(|since| at.since(since) < self.watch.warm_up)
    }

    /// Whether the next reading covers this moment; called before the reading is used.
    pub(super) fn spans(&self, moment: Option<Timestamp>) -> bool {
        moment.is_some_and(|moment| self.seen_at.is_some_and(|seen| seen < moment))
    }

    /// Columns of one arm.
    pub(super) fn columns(&self) -> usize {
        self.layout.columns()
    }

    /// The edges that are test boundaries.
    pub(super) fn boundaries(&self) -> &[usize] {
        &self.boundaries
    }

    /// Edges of the latency layout.
    pub(super) fn edges(&self) -> &[f64] {
        self.layout.edges()
    }
}
