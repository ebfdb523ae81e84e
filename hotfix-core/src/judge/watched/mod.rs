//! One watched metric: its design, and what was learnt under it. A reading goes through it from top
//! to bottom: [`align`](Watched::align), [`read`](Watched::read), and [`learn`](Watched::learn) or
//! [`skip`](Watched::skip).
//!
//! The parts are seen from here only; the rest of the judge reads what it needs of them, and cannot
//! write it.

mod design;
mod measured;
mod pairing;
mod tested;

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::metric::{Band, Counters, Reading, ReadingError, Tick, Window};
use crate::policy::section::{Bound, Metric, Watch};
use crate::stats::replay::Clip;
use crate::stats::{Counts, StatError, Totals};
use crate::unit::{Share, Span, Timestamp};

use super::aligned::{Aligned, Side};
use super::arm_checks::Sameness;
use super::arm_totals::ArmTotals;
use super::bracket::BASELINE;
use super::bursts::KnownBursts;
use super::degradation::Degradation;
use super::evidence_basis::EvidenceBasis;
use super::fed::Fed;
use super::instances::Instances;
use super::left_out::LeftOut;
use super::metric_tests::MetricTests;
use super::pre_deployment::PreDeployment;
use super::prepared::Increment;
use super::readings::Readings;
use super::snapshot::Misfit;
use super::test::{Test, TestRead};
use super::trailing::Trailing;
use super::{MetricVerdict, Moment};

pub(crate) use design::{DesignRead, MetricDesign, out_of_reach};
use measured::Measured;
use pairing::Pairing;
use tested::{LastTick, Tested};

/// Without a live arm a bound has to be breached for this time, which few shocks last.
const SHOCK: Span = Span::from_seconds(180);
/// With all of the traffic on the canary, a live version with a smaller part of the canary's
/// requests than this is not an arm.
const MOST_REST: f64 = 0.1;

/// A metric's design and state, serialized as it is into a snapshot. Read from one, `T` is a test's
/// evidence and `D` what was kept of the design.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(crate) struct Watched<T = Test, D = MetricDesign> {
    design: D,
    pairing: Pairing,
    measured: Measured,
    tested: Tested<T>,
}

impl Watched {
    pub(super) fn try_new(
        design: MetricDesign,
        instances: Instances,
        before: PreDeployment,
    ) -> Result<Self, StatError> {
        let tested = Tested {
            tests: MetricTests::try_new(&design.metric, design.claims, design.basis.bursts)?,
            instances,
            replayed: false,
            same: Sameness::default(),
            last_tick: LastTick::default(),
            tests_before: MetricTests::none(),
        };
        let measured = Measured::new(&design, before);
        Ok(Self { design, pairing: Pairing::default(), measured, tested })
    }

    /// Another phase begins: its limits are in force from its first tick on.
    pub(super) fn enter(&mut self, phase: usize) {
        self.design.basis.phase = phase;
        self.tested.instances.enter(phase);
        self.limit();
    }

    /// Begins the phase's watch. `criterion`: length of the last part of the phase that its success
    /// bounds are compared with; None for all of it.
    pub(super) fn start(&mut self, at: Timestamp, criterion: Option<Span>) {
        self.pairing.began = Some(at);
        self.pairing.readings.start(self.served());
        self.measured.start(&self.design, criterion);
        self.tested.tests.start(at);
        self.tested.same = Sameness::default();
        self.discard_pools();
    }

    /// Computes into `tick` what a reading adds; Err if the reading is not possible.
    pub(super) fn read_into(
        &self,
        tick: &mut Tick,
        reading: &Reading,
        at: Timestamp,
        share: Share,
    ) -> Result<(), ReadingError> {
        let MetricDesign { metric, layout, watch, .. } = &self.design;
        let is_plain = !self.may_settle_layout();
        if !(is_plain && tick.read_plain(metric, layout, reading, share)) {
            self.read_at_length(tick, reading, at, share)?;
        }
        if metric.kind.has_exposure() {
            // A reading covers a tick at least.
            reading.check_exposure(metric.id, self.readings().since(at, watch.cadence))?;
        }
        Ok(())
    }

    #[inline(never)]
    fn read_at_length(
        &self,
        tick: &mut Tick,
        reading: &Reading,
        at: Timestamp,
        share: Share,
    ) -> Result<(), ReadingError> {
        let MetricDesign { metric, layout, .. } = &self.design;
        let (next, none) = (self.next_layout(reading), Counters::default());
        let (layout, counters) = match &next {
            Some(next) => (next, &none),
            None => (layout, &self.pairing.readings.counters),
        };
        tick.read(metric, layout, counters, reading, at, share)?;
        self.readings().counters.check(metric, reading)?;
        if self.may_settle_layout() {
            reading.check_boundaries(metric)?;
        }
        self.pairing.time_volume(&self.design, tick, at);
        Ok(())
    }

    /// Whether counts are paired from pools, or would be if this tick is steady (see [`align`](Self::align)).
    #[inline]
    pub(super) fn may_be_apart(&self, tick: &Tick, share: Share) -> bool {
        self.tests().worse().is_some() && self.pairing.may_be_apart(&self.design, tick, share)
    }

    /// Records which arm has new counts in a tick, which [may be apart](Self::may_be_apart).
    /// `steady`: traffic is as planned and warm. `from`, by arm: counts that began earlier are left out.
    pub(super) fn align(
        &mut self,
        tick: &Tick,
        at: Timestamp,
        steady: bool,
        from: [Option<Timestamp>; 2],
    ) {
        if self.pairing.align(&self.design, tick, at, steady, from) {
            self.discard_pools();
        }
    }

    /// At 100% on the fix, leaves out a live version that has only a rest of the requests:
    /// connections that drain, a health check, a client that does not follow.
    pub(super) fn leave_out_rest(&self, tick: &mut Tick) {
        let shows_requests = self.metric().kind.shows_requests();
        let [canary, live] = self.design.trials_of(tick);
        if tick.baseline && shows_requests && (canary <= 0.0 || live < MOST_REST * canary) {
            tick.leave_out_baseline();
        }
    }

    pub(super) fn compare_arms(&mut self, tick: &Tick) {
        self.tested.compare_arms(&self.design, tick);
    }

    /// Records a reading, whatever it is used for.
    pub(super) fn read(&mut self, increment: &mut Increment, reading: &Reading, at: Timestamp) {
        let lays_out = self.lay_out(reading);
        let MetricDesign { metric, layout, watch, .. } = &self.design;
        let Pairing { readings, began, .. } = &mut self.pairing;
        if metric.kind.is_fraction() {
            increment.tick.seconds =
                readings.seconds(metric.kind, &increment.tick, at, *began, watch);
        }
        readings.read((metric, layout), (reading, &increment.tick), at, *began, watch.stale);
        readings.lays_out = lays_out;
        (increment.clip, increment.clipped) = self.clip(&increment.tick);
        self.learn_first_totals(increment, reading);
    }

    /// Records that counts of a time that was read already are [lost](Self::loses).
    #[cold]
    pub(super) fn lose(&mut self, at: Timestamp) {
        self.pairing.readings.lost.get_or_insert(at);
    }

    /// As [`MetricDesign::clip`], once it is known how the tick's counts came. See
    /// `docs/decisions/replay-by-instance.md`.
    fn clip(&mut self, tick: &Tick) -> (Option<Clip>, [f64; 2]) {
        let Self { design, tested: Tested { instances, .. }, .. } = self;
        if !design.metric.is_replayed() {
            return (None, [0.0; 2]);
        }
        instances.read(design.trials_of(tick), &tick.instances);
        if design.basis.read_by(instances.known()) {
            self.limit();
        }
        self.design.clip(tick)
    }

    fn limit(&mut self) {
        self.tested.tests.limit(self.design.basis.limits());
    }

    /// Adds the traffic of the whole service to its trailing level, which does not change while
    /// requests have stopped. `settled`: traffic is split as planned, so that one arm shows the whole.
    pub(super) fn trail(&mut self, tick: &Tick, at: Timestamp, share: Share, settled: bool) {
        let goes_on = !self.readings().have_stopped();
        if let Some(trailing) = self.measured.trailing.as_mut().filter(|_| goes_on) {
            trailing.learn(tick, at, share, settled, self.design.watch.stale);
        }
    }

    /// Learns the live version's level, bursts and times before any user has the fix.
    pub(super) fn learn_before(&mut self, tick: &Tick, at: Timestamp) {
        let Self { design, measured, tested, .. } = self;
        let live = &tick.row[design.layout.columns()..];
        measured.totals.learn_level(live, None);
        if tick.baseline && design.is_reading(tick, 1) {
            measured.pre_deployment.add(live);
            if tested.tests.learns_bursts() {
                tested.tests.learn_live(at, design.counts_of(&tick.row).1);
            }
            // Rows that the fix will be compared with must not train its test as well.
            if design.metric.kind.has_buckets() && !measured.pre_deployment.applies() {
                tested.tests.learn_times(live, &design.boundaries);
            }
        }
    }

    /// Puts a tick of both arms into the window, and nothing into the tests.
    pub(super) fn learn_unconfirmed(&mut self, tick: &Tick, at: Timestamp, seen: &Reading) {
        self.measured.learn(&self.design, tick, at, seen);
    }

    /// Reuses the split that another metric's test computed for the tick, if both have the same
    /// trials.
    #[inline]
    pub(super) fn split_as(&mut self, other: &Self, tick: &Tick) {
        if self.pairing.bracket.is_none() {
            self.tested.split_as(&other.tested, tick);
        }
    }

    /// Adds the tick to the window and nothing to the tests: it is shown, and decides nothing.
    pub(super) fn show(&mut self, tick: &mut Tick, at: Timestamp, seen: &Reading, share: Share) {
        self.cover(tick, at, share);
        self.measured.compare_with_before(&self.design, tick);
        self.measured.learn(&self.design, tick, at, seen);
    }

    /// Records how much time a tick covers that goes into the window.
    #[inline]
    fn cover(&mut self, tick: &Tick, at: Timestamp, share: Share) {
        let Self { design, pairing: Pairing { readings, began, .. }, .. } = self;
        if tick.canary {
            let covers = |gap| design.covers(tick, share, gap);
            readings.coverage.read(at, *began, &design.watch, covers);
        }
        readings.learn();
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
        self.cover(&increment.tick, at, share);
        let Self { design, pairing, measured, tested } = &mut *self;
        let tick = &mut increment.tick;
        let volume = design.metric.has_own_level().then(|| share.rest());
        measured.totals.learn_level(&tick.row[design.layout.columns()..], volume);
        // A tick without the live arm compares nothing, so it does not show whether instances are
        // named.
        if settled && tick.canary && tick.baseline {
            tested.instances.judge();
        }
        measured.compare_with_before(design, tick);
        let Tested { tests, replayed, last_tick, tests_before, .. } = tested;
        if let (Some(bracket), Some(worse)) = (&mut pairing.bracket, tests.worse()) {
            bracket.begin(at, worse.uncapped());
        }
        last_tick.keep(at, tick, settled, pairing, (measured.totals.of_phase, *replayed));
        last_tick.cured = increment.cured;
        tests_before.keep(tests);
        measured.learn(design, tick, at, reading);
        // A metric without a test is compared by its bounds only.
        let is_tested = tests.worse().is_some();
        if is_tested {
            let compares = pairing.pair(design, increment, at);
            if settled {
                if compares[Side::Lag as usize] {
                    measured.totals.add(&increment.counts, share);
                }
                measured.add_to_phase(increment, pairing.bracket.as_deref(), compares);
            }
            if pairing.complete(design, increment, at) {
                tested.instances.discard_pooled();
            }
        }
        let any_instance =
            !increment.tick.instances[0].is_empty() || tested.instances.bad().next().is_some();
        if any_instance || pairing.bracket.is_some() {
            tested.learn_of_instances((design, pairing), increment, at, reading, settled);
        }
        if is_tested {
            self.feed_tests(increment, at);
        }
    }

    /// Feeds the tests with the tick, or with what it completed in the pools.
    fn feed_tests(&mut self, increment: &Increment, at: Timestamp) {
        let Self { design, pairing, measured, tested: Tested { tests, replayed, .. } } = &mut *self;
        let fed = Fed {
            clipped: Some(increment.clipped),
            ticks: pairing.readings.step.as_seconds() / design.watch.cadence.as_seconds(),
            allowed: pairing.allowed(design, at),
            cured: increment.cured,
            ..pairing.fed(design, increment)
        };
        tests.feed(at, &fed);
        // Rows from before the deployment cannot show a burst that both versions have at the same time.
        let is_beside = !measured.pre_deployment.applies();
        if tests.learns_bursts() && is_beside {
            if design.basis.knows_no_noise() {
                tests.learn_bursts(at, &fed);
            } else {
                tests.learn_live(at, design.counts_of(&increment.tick.row).1);
            }
        }
        measured.totals.leave_out(fed.uncounted());
        if let (Some(bracket), Some(worse)) = (&mut pairing.bracket, tests.worse()) {
            bracket.confirm(worse.uncapped());
        }
        if design.basis.limits().is_some()
            && !*replayed
            && let Some(log_e) = self.log_e()
        {
            let needed = self.design.basis.own_threshold();
            self.tested.replayed = log_e >= needed && self.statistic(log_e) >= needed;
        }
    }

    /// Feeds the tick to a test that is not one of the metric's own, and returns whether that has decided.
    pub(super) fn feed(&self, increment: &Increment, test: &mut Aligned<Test>) -> bool {
        self.pairing.fed(&self.design, increment).feed(test);
        test.decided()
    }

    /// Discards the pools, because the present tick is not used. `as_planned`: the arms are as
    /// planned, so the pool `lead` may begin with the baseline's counts of this tick.
    pub(super) fn skip(&mut self, increment: &Increment, at: Timestamp, as_planned: bool) {
        self.discard_pools();
        match &mut self.pairing.bracket {
            Some(bracket) if as_planned => {
                bracket.remember(at, &increment.tick, increment.clipped[BASELINE]);
            }
            Some(bracket) => bracket.forget(),
            None => {}
        }
    }

    /// Discards the counts in the pools: they must not be compared with what follows.
    pub(super) fn discard_pools(&mut self) {
        if self.pairing.discard() {
            self.tested.instances.discard_pooled();
        }
    }

    /// Starts windows, totals and tests over: what they have was read at another split.
    /// `criterion`: as in [`start`](Self::start).
    pub(super) fn start_over(&mut self, at: Timestamp, criterion: Option<Span>) {
        self.discard_pools();
        self.pairing.readings.start_over(at);
        self.measured.start(&self.design, criterion);
        self.measured.totals.start_over();
        self.tested.start_over();
    }

    /// Drops what is too old for the windows at this time.
    #[inline]
    pub(super) fn expire(&mut self, at: Timestamp) {
        let Self { design, pairing, measured, .. } = self;
        measured.expire(at, || pairing.readings.lasts(&design.metric, &design.watch, at));
    }

    /// When a person is asked about a missed success bound at 100%, where a hold keeps no traffic
    /// back: after no burst can explain the miss, because it would have left the criterion. None
    /// without a miss, and of a volume, which changes with the time of day.
    pub(super) fn asks_about_miss(&self, share: Share) -> Option<Timestamp> {
        let Measured { criterion, degradation, .. } = &self.measured;
        let asks = share == Share::ALL && !self.design.metric.kind.is_traffic();
        let criterion = criterion.as_ref().filter(|_| asks)?;
        Some(degradation.missed()? + criterion.lasts() + self.design.watch.alert_lasts())
    }

    /// Records the metric's part of a verdict. `in_vain`: the verdict says that its tests cannot decide.
    pub(super) fn note(&mut self, at: Timestamp, seen: &MetricVerdict, in_vain: bool) {
        let Measured { degradation, last_live, pre_deployment, .. } = &mut self.measured;
        let readings = (&self.pairing.readings, self.design.watch.cadence);
        degradation.note(at, readings, seen, in_vain);
        // Rows from before the deployment may be fewer than a window: no more of them come.
        let is_enough = seen.needs.is_none() || pre_deployment.goes_on();
        if self.design.compares_live && is_enough && seen.baseline.is_some() {
            *last_live = seen.baseline;
        }
    }

    /// Applies the last tick, which was at this time, with another row, and returns what that adds.
    /// Tests and totals of the phase are first reset to those before the tick.
    pub(super) fn reapply(&mut self, at: Timestamp, row: &[f64]) -> Increment {
        let Self { design, pairing, measured, tested } = &mut *self;
        let Tested { tests, replayed, same, last_tick: last, tests_before, .. } = tested;
        pairing.resume_pools(last);
        // Only the states: the designs in force are kept.
        tests.keep(tests_before);
        (*same, *replayed) = (last.same, last.replayed);
        measured.totals.of_phase = last.of_phase;
        measured.window.amend(&last.row, row);
        let (tick, settled, cured) = (last.instead(row), last.settled, last.cured);
        tested.compare_arms(design, &tick);
        let mut increment = Increment { tick, cured, ..Increment::default() };
        if tested.tests.worse().is_some() {
            let compares = pairing.pair(design, &mut increment, at);
            if settled {
                measured.add_to_phase(&increment, pairing.bracket.as_deref(), compares);
            }
            pairing.complete(design, &mut increment, at);
            self.feed_tests(&increment, at);
        }
        increment
    }

    /// Takes over what was read from a snapshot, in the phase that has been entered, whose watch
    /// `began` then.
    pub(super) fn resume(
        &mut self,
        read: Watched<TestRead, DesignRead>,
        began: Option<Timestamp>,
    ) -> Result<(), Misfit> {
        let Watched { design, pairing, measured, tested } = read;
        self.pairing.began = began;
        if let Some(layout) = design.layout_of(self.metric())? {
            self.settle_layout(layout);
        }
        let columns = self.columns();
        self.pairing.resume(pairing, columns)?;
        self.measured.resume(measured, &self.design)?;
        self.tested.resume(tested, columns)?;
        self.design.basis.read_by(self.tested.instances.known());
        self.limit();
        Ok(())
    }
}

// What the rest of the judge reads of the parts.
getters! {
    pub(super) Watched: self;

    metric: &Metric = &self.design.metric;
    watch: &Watch = &self.design.watch;
    /// Whether a bound is relative to the live arm.
    compares_live: bool = self.design.compares_live;
    /// Indices of the edges that are test boundaries.
    boundaries: &[usize] = self.design.boundaries.as_slice();
    /// Basis of the rollback evidence.
    basis: &EvidenceBasis = &self.design.basis;
    began: Option<Timestamp> = self.pairing.began;
    readings: &Readings = &self.pairing.readings;
    window: &Window = &self.measured.window;
    totals: &ArmTotals = &self.measured.totals;
    degradation: &Degradation = &self.measured.degradation;
    pre_deployment: &PreDeployment = &self.measured.pre_deployment;
    tests: &MetricTests = &self.tested.tests;
    instances: &Instances = &self.tested.instances;
    /// Whether the arms' counts were equal so far.
    same: &Sameness = &self.tested.same;
    last_tick: &LastTick = &self.tested.last_tick;
    /// Whether the evidence has ever reached the metric's own threshold from history.
    replay_says: bool = self.tested.replayed;
}

getters! {
    pub(super) fn Watched: self;

    /// Columns of one arm.
    columns: usize = self.design.layout.columns();
    /// The trailing level of a volume.
    trailing: Option<&Trailing> = self.measured.trailing.as_deref();
    /// Counts of the canary's instances; of proportions with a rollback or success bound.
    left_out: Option<&LeftOut> = self.measured.left_out.as_deref();
    /// Bad events and trials of the canary in the trailing window; of counts.
    counts_in_window: Counts = self.design.counts_of(self.window().sums()).0;
    /// Whether the gate depends on the metric's test, because its bounds allow more than the margin.
    gate_compares: bool = self.is_tested() && !self.design.keeps_margin;
    /// Start of the part of the phase that success bounds are compared with; None for all of it.
    counted_since: Option<Timestamp> = self.measured.criterion.as_ref()?.counts_since();
    /// Totals of both arms in this phase on each alignment; None for latency and strata, which have
    /// no exact test.
    of_phase: Option<[Totals; 2]> =
        self.totals().of_phase.filter(|_| !self.metric().kind.has_buckets());
}

impl Watched {
    /// Whether what is read does not count yet: the warm-up is not over, or the canary's counts began
    /// before its end, by more than a cadence. Asked before the reading is used.
    #[inline]
    pub(super) fn is_cold(&self, tick: &Tick, at: Timestamp) -> bool {
        self.pairing.is_cold(&self.design, tick, at)
    }

    /// Whether the next reading covers this moment; called before the reading is used.
    pub(super) fn spans(&self, moment: Option<Timestamp>) -> bool {
        moment.is_some_and(|moment| self.readings().seen_at.is_some_and(|seen| seen < moment))
    }

    /// The time between two readings of an arm; None where both arms are read at the same time.
    /// `totals`: they are read as running totals.
    pub(super) fn scrape(&self, totals: bool) -> Option<Span> {
        let MetricDesign { watch, in_step, .. } = &self.design;
        let untested = (totals && !in_step).then(|| watch.scrape.unwrap_or(watch.cadence));
        self.pairing.bracket.as_ref().map(|bracket| bracket.interval()).or(untested)
    }

    /// The columns of both arms, of all instances, over the part of the phase that counts at its end.
    pub(super) fn counted(&self) -> &[f64] {
        let all = self.measured.window.phase();
        self.measured.criterion.as_ref().map_or(all, |of| of.of(all))
    }

    /// Whether a breach of this bound has lasted since before the last reading of each arm. The arm that
    /// is read first shows a change of both arms first, so a bound relative to the live arm has to be
    /// breached after readings of both. Without a live arm the breach has to last for [`SHOCK`] and to
    /// be in the last readings: a shock that ends may be one that the live version would have had, too.
    pub(super) fn both_read_since_breach(&self, moment: &Moment<'_>, band: Band) -> bool {
        let bounds = &self.design.metric.bounds;
        let bound = if band == Band::Rollback { bounds.rollback } else { bounds.alert };
        let since = self.measured.degradation.breached_since(moment.at);
        let of_both = bound.is_some_and(Bound::compares_live);
        let Some(bracket) = self.pairing.bracket.as_ref().filter(|_| of_both) else { return true };
        if moment.share == Share::ALL || bracket.lacks_baseline(moment.at, &self.design.watch) {
            return moment.at.since(since) >= SHOCK && self.is_beyond_now(moment, bound);
        }
        bracket.both_read_since(since)
    }

    /// Whether the canary's last readings alone are beyond a bound.
    #[cold]
    pub(super) fn is_beyond_now(&self, moment: &Moment<'_>, bound: Option<Bound>) -> bool {
        let latest = self.window().since(moment.at - self.latest());
        let value = self.value(&latest[..self.columns()], moment.share.as_fraction());
        let crossed = |value| self.metric().crossed(bound?, value, None);
        value.and_then(crossed) == Some(true)
    }

    /// The log e-value of harm that decides; None without a test. Where the arms are read at different
    /// times, it is the smaller one of both alignments. Soon after the start, what one reading may raise
    /// without limit counts only as of the last readings of both arms: a shock that ends within an interval
    /// could raise both alignments. Where nothing is known of the noise, bursts of the canary are left out.
    #[inline]
    pub(super) fn log_e(&self) -> Option<f64> {
        let worse = self.tested.tests.worse()?;
        let confirmed = self.pairing.bracket.as_ref().and_then(|bracket| bracket.confirmed());
        let log_e = confirmed.map_or_else(|| worse.log_e(), |most| worse.log_e_if(most));
        Some(if self.tests().knows_bursts() { self.log_e_without_bursts(log_e) } else { log_e })
    }

    /// By how much the evidence of harm on the alignment with more of it exceeds what decides; 0 if
    /// the arms are read at the same time.
    #[inline]
    pub(super) fn spread(&self) -> f64 {
        if self.pairing.bracket.is_none() {
            return 0.0;
        }
        let without = self.bursts().and_then(KnownBursts::log_e);
        let without = without.map_or(f64::INFINITY, |[_, most]| most);
        let known = self.tests().worse().zip(self.log_e());
        known.map_or(0.0, |(worse, log_e)| worse.highest().min(without) - log_e)
    }
}
