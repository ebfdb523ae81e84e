//! Comparison of instances: distinguishes a bad release from one bad instance and from noise.
//! The instances are known from the readings. The canary grows from phase to phase and instances
//! are replaced, and each check treats that in its own way:
//!
//! - *leave-one-out*: an instance is left out of the evidence from its first reading on, and
//!   remains left out when it is gone, because the total keeps its events.
//! - *bad instance* compares the canary's instances with each other, with or without a live version.
//!   One that is added takes part from its first reading on; one that is gone has no trials any more.
//! - *randomised* uses the instances of the first judged reading of a phase: others could not have been
//!   drawn. One that is added waits for the next phase, for both comparisons.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::grade::Worse;
use crate::metric::Sample;
use crate::stats::Counts;
use crate::stats::instances::BadInstance;
use crate::stats::randomisation::Randomisation;
use crate::stats::rate_ratio::RateRatioSettings;
use crate::stats::replay::{Clip, LEAVE_ONE_OUT};
use crate::unit::{Span, Timestamp};

use super::aligned::{Aligned, Side};
use super::bracket::{BASELINE, Bracket, CANARY, Emptied};
use super::drawing::Drawing;
use super::instance_set::InstanceSet;
use super::snapshot::Misfit;
use super::test::{CountEvidence, Test};

/// Most instances that are left out one at a time; of more, the first.
pub(super) const MOST_LEFT_OUT: usize = 1_000;
/// How an error names this part of a snapshot.
pub(super) const MISFIT: Misfit = "a metric's instances";

/// One arm's instances in one tick.
#[derive(Clone, Copy)]
pub(super) struct InstanceArm<'a> {
    /// Instances by name, as they were sent.
    pub(super) names: &'a BTreeMap<String, [f64; 2]>,
    /// What this tick added, in the order of the names.
    pub(super) counts: &'a [[f64; 2]],
    /// Whether events are bad or good.
    pub(super) worse: Worse,
}

impl<'a> InstanceArm<'a> {
    /// An arm as it was sent; without instances where it was sent as a total, or not at all.
    pub(super) fn new(sample: Option<&'a Sample>, counts: &'a [[f64; 2]], worse: Worse) -> Self {
        static NONE: BTreeMap<String, [f64; 2]> = BTreeMap::new();
        match sample {
            Some(Sample::Instances(names)) => Self { names, counts, worse },
            _ => Self { names: &NONE, counts: &[], worse },
        }
    }

    /// Names in their order, with bad events and trials.
    pub(super) fn each(self) -> impl Iterator<Item = (&'a str, Counts)> {
        self.names.keys().zip(self.counts).map(move |(name, &[events, trials])| {
            (name.as_str(), Counts::new(self.worse.bad(events, trials), trials))
        })
    }
}

/// How the rollback test counts a tick.
#[derive(Clone, Copy)]
pub(super) struct Counting {
    /// Bounds what each instance counts.
    pub(super) clip: Option<Clip>,
    /// How many times as bad as tolerated the canary may be.
    pub(super) allowed: f64,
}

/// A judged tick in which the canary's instances are compared.
#[derive(Clone, Copy)]
pub(super) struct ComparedTick {
    pub(super) at: Timestamp,
    /// It has a live version, with which the canary can be compared.
    pub(super) has_live: bool,
    /// Factor on the evidence that reports an instance as bad, because of bursts; None if unknown.
    pub(super) noise: Option<f64>,
    pub(super) window: Span,
}

/// State of one metric's instances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Instances {
    #[serde(skip)]
    alpha: f64,
    #[serde(skip)]
    tolerated: f64,
    #[serde(skip)]
    drawing: Option<Drawing>,
    #[serde(skip)]
    phase: usize,
    /// Leave-one-out evidence for each instance that the canary ever had, in the order of names.
    without: Vec<Without>,
    /// How many instances the canary had at the last reading.
    present: usize,
    /// A reading had the sum of counts over an arm.
    summed: bool,
    /// The instances of the present phase.
    set: Option<InstanceSet>,
    /// A reading of both arms was judged, so it is known whether readings name instances.
    pub(super) judged: bool,
    /// The last judged reading of both arms compared the canary with other choices.
    compared: bool,
    /// The canary was ever found worse among the subsets.
    pub(super) drawn: bool,
    /// The instances that were ever found worse than the others.
    were_bad: Vec<Arc<str>>,
}

/// The evidence without one instance of the canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Without {
    name: Arc<str>,
    state: Aligned<CountEvidence>,
    /// What the pools have of it, in the order of their alignments; without pools, what waits for
    /// counts of the other arm, in the first.
    pooled: [Counts; 2],
}

impl Instances {
    pub(super) fn new(alpha: f64, tolerated: f64, drawing: Option<Drawing>) -> Self {
        Self { alpha, tolerated, drawing, ..Self::default() }
    }

    /// Another phase begins, with instances of its own.
    pub(super) fn enter(&mut self, phase: usize) {
        if phase != self.phase {
            self.phase = phase;
            self.set = None;
        }
    }

    /// Records whether the counts of a reading came by instance. `trials`: of each arm.
    #[inline]
    pub(super) fn read(&mut self, trials: [f64; 2], arms: &[Vec<[f64; 2]>; 2]) {
        let summed = |arm: usize| trials[arm] > 0.0 && arms[arm].is_empty();
        if summed(CANARY) || summed(BASELINE) {
            self.summed = true;
        }
        if summed(CANARY) {
            // What each instance had of these counts is not known.
            self.present = 0;
            self.without.clear();
        }
        if !arms[CANARY].is_empty() {
            self.present = arms[CANARY].len();
        }
    }

    /// Updates the leave-one-out evidence with this tick. `test` is the total's test before the
    /// tick, and `fed` what it is fed with; None while counts wait for those of the other arm.
    pub(super) fn leave_out(
        &mut self,
        test: &Aligned<Test>,
        canary: InstanceArm<'_>,
        fed: Option<(Counts, Counts)>,
        counting: Counting,
    ) {
        let of_total = || test.map(Test::of_counts);
        self.each_without(of_total, canary, counting.clip, |without, part| {
            without.pooled[0].add(part);
            if let Some(arms) = fed {
                let part = std::mem::take(&mut without.pooled[0]);
                without.state.each(|state| counting.update(state, test.on(Side::Lead), arms, part));
            }
        });
    }

    /// As [`leave_out`](Self::leave_out), from pools: an instance's part of a pool is left out of
    /// what the pool feeds.
    pub(super) fn leave_out_pooled(
        &mut self,
        test: &mut Aligned<Test>,
        canary: InstanceArm<'_>,
        bracket: &Bracket,
        counting: Counting,
    ) {
        let of_total = test.map(Test::of_counts);
        for side in Side::BOTH {
            let [before, after] = bracket.step(side).added(side, CANARY);
            let batch = bracket.batch(side);
            let fed = batch.counts.first().filter(|_| !batch.rows.is_empty());
            let fed = fed.map(|counts| less(*counts, batch.clipped));
            test.apart(side).widened(batch.ticks, |test| {
                let of_total = || of_total.clone();
                self.each_without(of_total, canary, counting.clip, |without, part| {
                    let pooled = &mut without.pooled[side as usize];
                    if before {
                        pooled.add(part);
                    }
                    if let Some(arms) = fed {
                        counting.update(without.state.on_mut(side), test, arms, *pooled);
                    }
                    if bracket.step(side).emptied != Emptied::No {
                        *pooled = Counts::default();
                    }
                    if after {
                        pooled.add(part);
                    }
                });
            });
        }
    }

    /// Updates each instance that the canary ever had with its counts of this tick. The evidence of
    /// a new one begins as that of the total, `of_total`.
    fn each_without(
        &mut self,
        of_total: impl Fn() -> Option<Aligned<CountEvidence>>,
        canary: InstanceArm<'_>,
        clip: Option<Clip>,
        mut update: impl FnMut(&mut Without, Counts),
    ) {
        let parts =
            canary.each().map(|(name, part)| (name, clip.map_or(part, |clip| clip.clipped(part))));
        let new = |name: &str| {
            let pooled = [Counts::default(); 2];
            Some(Without { name: Arc::from(name), state: of_total()?, pooled })
        };
        each_instance(&mut self.without, |of| &of.name, parts, new, &mut update);
    }

    pub(super) fn discard_pooled(&mut self) {
        self.without.iter_mut().for_each(|without| without.pooled = [Counts::default(); 2]);
        if let Some(set) = &mut self.set {
            set.discard_pooled();
        }
    }

    /// The least log e-value without one of the canary's instances: any of at least four, and of
    /// fewer one that was found worse than the others. None without any.
    pub(super) fn log_e_without_any(&self, test: &Aligned<Test>) -> Option<f64> {
        self.log_e_without(test).map(|(_, log_e)| log_e).reduce(f64::min)
    }

    /// The instance without which the log e-value is the least; None if none may be left out.
    #[cold]
    pub(super) fn decisive<'a>(&'a self, test: &'a Aligned<Test>) -> Option<&'a Arc<str>> {
        self.log_e_without(test).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(name, _)| name)
    }

    /// The log e-value without each instance that may be left out.
    fn log_e_without<'a>(
        &'a self,
        test: &'a Aligned<Test>,
    ) -> impl Iterator<Item = (&'a Arc<str>, f64)> {
        let test = test.on(Side::Lead);
        let any = self.present >= LEAVE_ONE_OUT;
        let may_be = self.without.iter().filter(move |of| any || self.was_bad(&of.name));
        may_be.filter_map(move |of| Some((&of.name, of.state.least(|state| test.log_e_of(state))?)))
    }

    /// Whether this instance was ever found worse than the others.
    pub(super) fn was_bad(&self, name: &str) -> bool {
        self.were_bad.iter().any(|bad| **bad == *name)
    }

    /// Discards the evidence without each instance, because the total starts over.
    pub(super) fn start_over(&mut self) {
        self.without.clear();
    }

    /// A judged tick of both arms: without instances there is nothing to compare.
    pub(super) const fn judge(&mut self) {
        self.judged = true;
        self.compared = false;
    }

    /// Compares the instances with each other in one judged tick.
    pub(super) fn compare(&mut self, arms: [InstanceArm<'_>; 2], tick: ComparedTick) {
        if tick.has_live || !self.draws() {
            self.settle(arms);
            if let Some(set) = &mut self.set {
                set.read(arms);
                set.compare();
            }
            self.judge_set(tick);
        }
    }

    /// As [`compare`](Self::compare), from the pool in which the baseline's data end later.
    /// `named`: the reading has the canary's instances.
    pub(super) fn compare_pooled(
        &mut self,
        arms: [InstanceArm<'_>; 2],
        named: bool,
        bracket: &Bracket,
        tick: ComparedTick,
    ) {
        let draws = self.draws();
        if named && (tick.has_live || !draws) {
            self.settle(arms);
        }
        let Some(set) = &mut self.set else { return };
        set.compare_pooled(tick.at, arms, bracket);
        let twice = bracket.interval() + bracket.interval();
        // A tick without counts is a tick: interim analyses are planned by ticks.
        let has_live = tick.has_live || draws;
        self.judge_set(ComparedTick { has_live, window: tick.window.max(twice), ..tick });
    }

    /// Names the instances of the phase that are bad, and compares the canary with other choices if
    /// the tick has a live version.
    pub(super) fn judge_set(&mut self, tick: ComparedTick) {
        let Some(set) = &mut self.set else { return };
        set.name_bad(tick.at, tick.noise, tick.window);
        for bad in set.bad() {
            if !self.were_bad.contains(bad) {
                self.were_bad.push(Arc::clone(bad));
            }
        }
        if tick.has_live {
            self.compared = set.randomised().is_some();
            self.drawn |= set.compare_choices();
        }
    }

    /// Sets the instances of a phase from its first judged reading, or adds those that have joined.
    fn settle(&mut self, arms: [InstanceArm<'_>; 2]) {
        let (alpha, tolerated) = (self.alpha, self.tolerated);
        if let Some(set) = &mut self.set {
            set.join(arms[CANARY], |names| bad_instance(alpha, tolerated, names));
        } else {
            let name = |(name, _): (&str, Counts)| Arc::from(name);
            self.set = Some(self.set_of(arms.map(|arm| arm.each().map(name).collect())));
        }
    }

    /// The comparisons of these instances, with no data yet.
    fn set_of(&self, [canary, baseline]: [Vec<Arc<str>>; 2]) -> InstanceSet {
        let randomised = self.drawing.as_ref().and_then(|drawing| {
            let all = canary.iter().chain(&baseline).map(ToString::to_string).collect();
            drawing.draw(self.phase, self.tolerated, all, owned(&canary))
        });
        let bad = bad_instance(self.alpha, self.tolerated, &canary);
        InstanceSet::new([canary, baseline], bad, randomised)
    }

    /// Takes over what was read from a snapshot, in the phase that has been entered. `worse` is the
    /// total's test.
    pub(super) fn resume(
        &mut self,
        read: Self,
        worse: Option<&Aligned<Test>>,
    ) -> Result<(), Misfit> {
        let of_whole = |state: &CountEvidence| {
            worse.is_some_and(|test| test.on(Side::Lead).log_e_of(state).is_some())
        };
        let fits = read.without.len() <= MOST_LEFT_OUT
            && read.without.is_sorted_by(|a, b| a.name < b.name)
            && read.without.iter().all(|one| one.state.all(of_whole));
        if !fits {
            return Err(MISFIT);
        }
        let resumed = |read: InstanceSet| {
            let mut set = self.set_of(read.names().ok_or(MISFIT)?);
            set.resume(read).map(|()| set)
        };
        let set = read.set.map(resumed).transpose()?;
        let Self { alpha, tolerated, phase, .. } = *self;
        *self = Self { alpha, tolerated, drawing: self.drawing.take(), phase, set, ..read };
        Ok(())
    }
}

getters! {
    pub(super) fn Instances: self;

    /// How many instances the canary has; None if any counts were read as a sum over an arm.
    known: Option<usize> = (!self.summed).then_some(self.present);
    /// Whether any instance may turn out to be bad: those that are read at different times have not
    /// been compared yet.
    awaits_comparison: bool = self.set.as_ref().is_some_and(InstanceSet::awaits_comparison);
    /// Whether this phase compares the canary with other choices of as many instances.
    draws: bool = self.drawing.as_ref().is_some_and(|drawing| drawing.draws(self.phase));
    /// Whether the canary was compared with other choices at the last judged reading, or ever found worse.
    is_randomised: bool = self.drawn || self.compared;
    randomised: Option<&Randomisation> = self.set.as_ref()?.randomised();
    has_no_analysis_left: bool = !self.drawn && self.set.as_ref().is_some_and(InstanceSet::has_no_analysis_left);
    bad: impl Iterator<Item = &Arc<str>> = self.set.iter().flat_map(InstanceSet::bad);
}

/// Updates what is kept of each instance with its part of a tick, or with nothing. Both are in the
/// order of names. An instance that is `new` is added, up to [`MOST_LEFT_OUT`].
#[inline]
pub(super) fn each_instance<'a, K, T: Default>(
    kept: &mut Vec<K>,
    name_of: impl Fn(&K) -> &str,
    tick: impl Iterator<Item = (&'a str, T)>,
    new: impl Fn(&str) -> Option<K>,
    mut update: impl FnMut(&mut K, T),
) {
    let mut place = 0;
    for (name, part) in tick {
        while let Some(of) = kept.get_mut(place)
            && name_of(of) < name
        {
            update(of, T::default());
            place += 1;
        }
        if kept.get(place).is_none_or(|of| name_of(of) != name) {
            if kept.len() >= MOST_LEFT_OUT {
                continue;
            }
            let Some(of) = new(name) else { return };
            kept.insert(place, of);
        }
        update(&mut kept[place], part);
        place += 1;
    }
    for of in &mut kept[place..] {
        update(of, T::default());
    }
}

/// Counts of both arms without the events that were clipped.
pub(super) fn less((canary, baseline): (Counts, Counts), clipped: [f64; 2]) -> (Counts, Counts) {
    let less = |of: Counts, by: f64| Counts::new((of.events - by).max(0.0), of.trials);
    (less(canary, clipped[CANARY]), less(baseline, clipped[BASELINE]))
}

/// The comparison of these instances with each other; a single one has no others.
fn bad_instance(alpha: f64, tolerated: f64, names: &[Arc<str>]) -> Option<BadInstance> {
    let settings = RateRatioSettings { alpha, tolerated, ..RateRatioSettings::default() };
    BadInstance::try_new(&settings, owned(names)).ok()
}

fn owned(names: &[Arc<str>]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

impl Counting {
    /// Updates the evidence without one instance, which has this part of the canary's counts.
    fn update(
        self,
        state: &mut CountEvidence,
        test: &Test,
        (all, baseline): (Counts, Counts),
        part: Counts,
    ) {
        let rest =
            Counts::new((all.events - part.events).max(0.0), (all.trials - part.trials).max(0.0));
        test.feed_other(state, (rest, baseline), self.allowed);
    }
}
