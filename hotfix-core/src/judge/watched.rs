//! One watched metric: its window, its counters, its tests.

use std::collections::BTreeMap;

use educe::Educe;

use crate::grade::{EvidenceMode, Role};
use crate::metric::{Arms, Layout, Reading, ReadingError, Tick, Window};
use crate::policy::section::{Metric, Model, Watch};
use crate::stats::latency::MAX_BOUNDARIES;
use crate::stats::{StatError, Totals};
use crate::unit::{Share, Span, Timestamp};

use super::aligned::{Aligned, Side};
use super::arm_checks::Sameness;
use super::arm_totals::ArmTotals;
use super::bracket::Bracket;
use super::counterfactual::Before;
use super::criterion::Criterion;
use super::degradation::Degradation;
use super::evidence_basis::{Assurance, EvidenceBasis};
use super::fed::{Fed, counts_of};
use super::instances::{Counting, InstanceArm, Instances, less};
use super::left_out::LeftOut;
use super::metric_tests::{Claims, MetricTests};
use super::pre_deployment::PreDeployment;
use super::prepared::Increment;
use super::readings::Readings;
use super::test::{Claim, Test};
use super::trailing::Trailing;

/// A metric and its state.
#[derive(Debug, Educe, PartialEq)]
#[educe(Clone)]
pub(super) struct Watched {
    pub(super) metric: Metric,
    pub(super) layout: Layout,
    pub(super) watch: Watch,
    pub(super) readings: Readings,
    /// Where the arms are read at different times: counts that wait for the other arm's.
    pub(super) bracket: Option<Box<Bracket>>,
    pub(super) window: Window,
    /// The part of the phase that counts at its end, where that is not all of it.
    pub(super) criterion: Option<Box<Criterion>>,
    pub(super) totals: ArmTotals,
    /// What it was before its last tick, so that the tick can be judged again.
    pub(super) before: Before,
    /// Whether the arms' counts were equal so far.
    pub(super) same: Sameness,
    /// Degradation in this phase.
    pub(super) degradation: Degradation,
    pub(super) tests: MetricTests,
    pub(super) claims: Claims,
    /// Basis of the rollback evidence.
    pub(super) basis: EvidenceBasis,
    pub(super) instances: Instances,
    /// The evidence has ever reached this metric's own threshold from history.
    pub(super) replayed: bool,
    /// For latency: the layout's edges that are test boundaries.
    pub(super) boundaries: Vec<usize>,
    /// The live version before the deployment, where no live arm is left after it.
    pub(super) pre_deployment: PreDeployment,
    /// A volume without a live arm is compared with its own level before.
    pub(super) trailing: Option<Box<Trailing>>,
    /// The rollback bound without each one of the canary's instances.
    pub(super) left_out: Option<Box<LeftOut>>,
    /// When the present watch began.
    pub(super) began: Option<Timestamp>,
    /// Both arms are read at the same time, or there is no live arm.
    pub(super) in_step: bool,
    /// A bound looks at the live arm.
    pub(super) compares_live: bool,
}

impl Watched {
    pub(super) fn try_new(
        metric: &Metric,
        watch: &Watch,
        claims: Claims,
        basis: EvidenceBasis,
        instances: Instances,
        pre_deployment: PreDeployment,
    ) -> Result<Self, StatError> {
        let columns = Layout::default().columns();
        Ok(Self {
            tests: MetricTests::try_new(metric, claims)?,
            metric: metric.clone(),
            layout: Layout::default(),
            watch: *watch,
            readings: Readings::default(),
            bracket: None,
            window: Window::new(watch.window, watch.cadence, 2 * columns),
            criterion: None,
            totals: ArmTotals::new(columns),
            before: Before::new(),
            same: Sameness::default(),
            degradation: Degradation::default(),
            claims,
            basis,
            instances,
            replayed: false,
            boundaries: Vec::new(),
            in_step: pre_deployment.applies() || watch.scrape == Some(Span::ZERO),
            pre_deployment,
            trailing: Trailing::of(metric, watch),
            left_out: LeftOut::of(metric),
            began: None,
            compares_live: metric.compares_live(),
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
        tick.read(&self.metric, layout, self.readings.counters(), reading, at, share)
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
        let Self { metric, layout, readings, watch, .. } = self;
        readings.read((metric, layout), (reading, &increment.tick), at, since, watch.stale);
        increment.clipped = self.clip(&increment.tick);
    }

    /// The first latency reading fixes the buckets and with them the tests' boundaries.
    pub(super) fn settle_layout(&mut self, layout: Layout) {
        self.layout = layout;
        let edges = self.layout.edges();
        let columns = self.layout.columns();
        self.window = Window::new(self.watch.window, self.watch.cadence, 2 * columns);
        if let Some(criterion) = &mut self.criterion {
            criterion.set_width(2 * columns);
        }
        self.totals = ArmTotals::new(columns);
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
            let times: Vec<f64> = self.boundaries.iter().map(|&index| edges[index]).collect();
            if let Some(usual) = self.basis.discard_history_of_others(&times) {
                if let Claim::Worse { tolerated, .. } = &mut self.claims.0 {
                    *tolerated = usual.tolerated;
                }
                if let Some(Claim::Better { margin, temper, .. }) = &mut self.claims.1 {
                    (*margin, *temper) = (usual.margin, 1.0);
                }
            }
            let (claims, watch) = (self.claims, &self.watch);
            let begin = (self.began, self.basis.limits().is_some());
            self.tests = MetricTests::of_latency(claims, &times, columns, watch, begin);
            self.limit();
        }
    }

    /// Another phase begins: its limits are in force from its first tick on.
    pub(super) fn enter(&mut self, phase: usize) {
        self.basis.enter(phase);
        self.instances.enter(phase);
        self.limit();
    }

    /// The phase's watch begins. `criterion`: how much of the phase counts at its end; None for all.
    pub(super) fn start(&mut self, at: Timestamp, criterion: Option<Span>) {
        self.began = Some(at);
        self.tests.start(at);
        self.window.clear();
        let judged = self.metric.role == Role::Decide && self.metric.bounds.all().next().is_some();
        let width = 2 * self.columns();
        let new = |span| Box::new(Criterion::new(span, width));
        self.criterion = criterion.filter(|_| judged).map(new);
        if let Some(left_out) = &mut self.left_out {
            left_out.clear();
        }
        self.readings.start();
        self.same = Sameness::default();
        self.degradation = Degradation::default();
        self.totals.start();
        self.discard_pools();
    }

    /// What both arms had in this phase on each alignment; none for latency and strata, which have
    /// no exact test.
    pub(super) fn of_phase(&self) -> Option<[Totals; 2]> {
        self.totals.of_phase().filter(|_| !self.metric.kind.has_buckets())
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
        self.instances.log_e_without_any(self.tests.worse()?)
    }

    /// Whether this test's own share of the evidence has ever reached its threshold from history.
    pub(super) const fn replay_says(&self) -> bool {
        self.replayed
    }

    /// Learns how the live version is before any user has the fix.
    pub(super) fn learn_before(&mut self, tick: &Tick) {
        let live = &tick.row[self.columns()..];
        self.totals.learn_level(live);
        if tick.baseline && self.is_reading(tick, 1) {
            self.pre_deployment.add(live);
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
        self.readings.learn();
        self.totals.learn_level(&tick.row[self.layout.columns()..]);
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
        if let (Some(bracket), Some(worse)) = (&mut self.bracket, self.tests.worse()) {
            bracket.begin(at, worse.log_e());
        }
        let Self { bracket, totals, before, tests, replayed, .. } = self;
        before.tick.keep(at, tick, settled, bracket.as_deref(), (totals.of_phase(), *replayed));
        before.tests.keep(tests);
        if let Some(criterion) = &mut self.criterion {
            criterion.learn(at, self.window.phase());
        }
        self.window.add(at, &tick.row);
        self.learn_left_out(tick, at, reading);
        // A metric without a test is compared by its bounds only.
        if self.tests.worse().is_some() {
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
            (self.tests.worse_mut(), other.tests.worse(), tick.row.as_slice())
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
            self.totals.add(&increment.counts, share);
        }
        self.add_to_phase(increment, compares);
    }

    /// Adds counts of both arms to what they had in the phase.
    pub(super) fn add_to_phase(&mut self, increment: &Increment, compares: [bool; 2]) {
        let Self { bracket, totals, .. } = self;
        let in_strata = !increment.tick.strata.is_empty();
        for side in Side::BOTH.into_iter().filter(|side| compares[*side as usize]) {
            let pooled = bracket.as_ref().map(|bracket| bracket.batch(side).counts.as_slice());
            totals.add_to_phase(side, pooled.unwrap_or(&increment.counts), in_strata);
        }
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
        let window = self.watch.window;
        let counting = Counting { clip: self.basis.clip(), allowed: self.allowed(at) };
        if let Some(bracket) = &self.bracket {
            if let Some(test) = self.tests.worse() {
                self.instances.leave_out_pooled(test, canary, bracket, counting);
            }
            if settled {
                let noise = self.basis.noise();
                self.instances.compare_pooled(
                    at,
                    [canary, baseline],
                    named,
                    bracket,
                    noise,
                    window,
                );
            }
        } else if named {
            let counts = counts_of(&self.metric, &tick.row);
            let (all, live) = less(counts, increment.clipped);
            if let Some(test) = self.tests.worse() {
                self.instances.leave_out(test, canary, [all, live], counting);
            }
            if settled {
                self.instances.compare(at, [canary, baseline], self.basis.noise(), window);
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
        let covers = self.bracket.as_ref().map_or(self.readings.step().as_seconds(), |bracket| {
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
        moment.is_some_and(|moment| self.readings.seen_at().is_some_and(|seen| seen < moment))
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
