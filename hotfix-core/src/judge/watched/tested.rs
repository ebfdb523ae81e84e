//! The tests of a metric: of both arms, of the instances, and as they were before the last tick, so
//! that this tick can be applied again.

use educe::Educe;
use serde::{Deserialize, Serialize};

use crate::grade::MetricKind;
use crate::judge::aligned::Side;
use crate::judge::arm_checks::Sameness;
use crate::judge::bracket::{BASELINE, Bracket};
use crate::judge::instances::{ComparedTick, Counting, InstanceArm, Instances, less};
use crate::judge::metric_tests::MetricTests;
use crate::judge::prepared::Increment;
use crate::judge::snapshot::Misfit;
use crate::judge::test::{Test, TestRead};
use crate::metric::{Arms, Reading, Tick, Unused};
use crate::stats::Totals;
use crate::unit::Timestamp;

use super::pairing::{Pairing, Waiting, lacks_an_arm};
use super::{MetricDesign, Watched};

/// The tests of a metric; serialized as it is into a snapshot, in which `T` is a test's evidence.
#[derive(Debug, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(super) struct Tested<T = Test> {
    pub(super) tests: MetricTests<T>,
    pub(super) instances: Instances,
    /// The evidence has ever reached this metric's own threshold from history.
    pub(super) replayed: bool,
    /// Whether the arms' counts were equal so far.
    pub(super) same: Sameness,
    pub(super) last_tick: LastTick,
    /// The tests before the last tick, so that it can be judged again; none before the first.
    pub(super) tests_before: MetricTests<T>,
}

/// At most so many requests of the live version's first totals are learnt from: they are older than
/// the readings that follow, which soon have more.
const MOST_LEARNT: f64 = 1_000.0;

impl Watched {
    /// Learns the live version's times from its first running totals, which have nothing to be
    /// compared with.
    pub(super) fn learn_first_totals(&mut self, increment: &Increment, reading: &Reading) {
        let Self { design, pairing, measured, tested } = self;
        let is_first = increment.tick.unused[BASELINE] == Some(Unused::First);
        if !is_first || !design.metric.kind.has_buckets() || measured.pre_deployment.applies() {
            return;
        }
        let Some(totals) = pairing.readings.counters.totals_of(reading, BASELINE) else { return };
        let part = (MOST_LEARNT / totals[0]).min(1.0);
        if part > 0.0 {
            let learnt: Vec<f64> = totals.iter().map(|total| part * total).collect();
            tested.tests.learn_times(&learnt, &design.boundaries);
        }
    }
}

impl Tested {
    pub(super) fn compare_arms(&mut self, design: &MetricDesign, tick: &Tick) {
        self.last_tick.same = self.same;
        self.same.compare(design.metric.kind.data(), tick);
    }

    /// See [`Watched::split_as`].
    #[inline]
    pub(super) fn split_as(&mut self, other: &Self, tick: &Tick) {
        let (Some(own), Some(other), &[_, canary, _, baseline]) =
            (self.tests.worse.as_mut(), other.tests.worse(), tick.row.as_slice())
        else {
            return;
        };
        if let Some((of, from)) = other.on(Side::Lead).rate() {
            own.each(|test| {
                if let Test::Rate(design, of_counts) = test {
                    of_counts.all.split_as(design, (canary, baseline), from, of);
                }
            });
        }
    }

    /// Applies a tick instance by instance, before the tests of the total.
    pub(super) fn learn_of_instances(
        &mut self,
        (design, pairing): (&MetricDesign, &Pairing),
        increment: &Increment,
        at: Timestamp,
        reading: &Reading,
        settled: bool,
    ) {
        let Some(Arms { canary, baseline, .. }) = reading.whole() else { return };
        let worse = design.metric.worse;
        let Increment { tick, clip, clipped, counts, .. } = increment;
        let [of_canary, of_baseline] = &tick.instances;
        let canary = InstanceArm::new(canary.as_ref(), of_canary, worse);
        let baseline = InstanceArm::new(baseline.as_ref(), of_baseline, worse);
        let arms = [canary, baseline];
        let named = !of_canary.is_empty() && tick.canary;
        let noise = design.basis.noise();
        let compared =
            ComparedTick { at, has_live: tick.baseline, noise, window: design.watch.window };
        let counting = Counting { clip: *clip, allowed: pairing.allowed(design, at) };
        let Self { tests, instances, .. } = self;
        if let Some(bracket) = &pairing.bracket {
            if let Some(test) = &mut tests.worse {
                instances.leave_out_pooled(test, canary, bracket, counting);
            }
            if settled {
                let compared = ComparedTick { has_live: tick.canary && tick.baseline, ..compared };
                instances.compare_pooled(arms, named, bracket, compared);
            }
        } else if named {
            if let Some(test) = tests.worse().filter(|_| tick.baseline) {
                let fed = counts.first().filter(|counts| !lacks_an_arm(counts));
                let fed = fed.map(|counts| less(*counts, *clipped));
                instances.leave_out(test, canary, fed, counting);
            }
            if settled {
                instances.compare(arms, compared);
            }
        } else if settled {
            // An instance that was bad is no longer once it was not read for a window.
            instances.judge_set(ComparedTick { has_live: false, ..compared });
        }
    }

    /// Starts the evidence over: it is of another split than planned.
    pub(super) fn start_over(&mut self) {
        self.tests.start_over();
        self.instances.start_over();
        self.replayed = false;
    }

    /// Takes over what was read from a snapshot, in the phase that has been entered. `columns` are
    /// those of one arm.
    pub(super) fn resume(&mut self, read: Tested<TestRead>, columns: usize) -> Result<(), Misfit> {
        let Tested { tests, instances, replayed, same, last_tick, tests_before } = read;
        if !last_tick.fits(columns) {
            return Err("a metric's last tick");
        }
        if last_tick.at.is_some() {
            self.tests_before.clone_from(&self.tests);
        }
        self.tests_before.resume(tests_before)?;
        self.tests.resume(tests)?;
        self.instances.resume(instances, self.tests.worse())?;
        (self.replayed, self.same, self.last_tick) = (replayed, same, last_tick);
        Ok(())
    }
}

/// The last tick, and what was before it; serialized as it is into a snapshot.
#[derive(Debug, Default, Deserialize, Educe, PartialEq, Serialize)]
#[educe(Clone)]
pub(in crate::judge) struct LastTick {
    /// When it was applied; None before the first.
    pub(in crate::judge) at: Option<Timestamp>,
    /// The columns of both arms.
    pub(in crate::judge) row: Vec<f64>,
    /// Which arms read something.
    arms: [bool; 2],
    /// It came by stratum or by instance.
    pub(in crate::judge) in_parts: bool,
    /// The traffic share was confirmed, so it goes into the totals of the phase.
    pub(super) settled: bool,
    /// The pools before it was added to them.
    pub(super) bracket: Option<Box<Bracket>>,
    /// What waited before it for counts of the other arm.
    pub(super) waiting: Waiting,
    pub(super) same: Sameness,
    /// The evidence had reached the threshold that was calibrated from history.
    pub(super) replayed: bool,
    /// The share of the live version's requests that the rollback test of a latency left out.
    pub(super) cured: f64,
    /// Totals of both arms in the phase before this tick.
    pub(super) of_phase: Option<[Totals; 2]>,
}

impl LastTick {
    /// Stores a tick that comes, and the state before it, reusing the memory of the one before.
    #[inline]
    pub(super) fn keep(
        &mut self,
        at: Timestamp,
        tick: &Tick,
        settled: bool,
        pairing: &Pairing,
        (of_phase, replayed): (Option<[Totals; 2]>, bool),
    ) {
        self.at = Some(at);
        self.row.clear();
        self.row.extend_from_slice(&tick.row);
        self.arms = [tick.canary, tick.baseline];
        self.in_parts = !tick.strata.is_empty() || !tick.instances[0].is_empty();
        self.settled = settled;
        if !(self.waiting.is_none() && pairing.waiting.is_none()) {
            self.waiting.clone_from(&pairing.waiting);
        }
        match (&mut self.bracket, &pairing.bracket) {
            (None, None) => {}
            (kept, bracket) => kept.clone_from(bracket),
        }
        (self.of_phase, self.replayed) = (of_phase, replayed);
    }

    /// Whether another tick of this time has other counts of this arm. The seconds of a count are scaled by
    /// a share that may have changed since.
    pub(in crate::judge) fn differs(
        &self,
        at: Timestamp,
        arm: usize,
        tick: &Tick,
        kind: MetricKind,
    ) -> bool {
        let columns = self.row.len() / 2;
        let first = arm * columns;
        let of = first..first + if kind.has_exposure() { 1 } else { columns };
        self.at == Some(at) && self.arms[arm] && self.row.get(of.clone()) != tick.row.get(of)
    }

    /// The tick with another row.
    pub(super) fn instead(&self, row: &[f64]) -> Tick {
        let [canary, baseline] = self.arms;
        Tick { row: row.to_vec(), canary, baseline, ..Tick::default() }
    }

    pub(super) fn fits(&self, columns: usize) -> bool {
        let pools = self.bracket.as_ref().is_none_or(|bracket| bracket.fits(columns));
        pools && self.row.len() == if self.at.is_some() { 2 * columns } else { 0 }
    }
}
