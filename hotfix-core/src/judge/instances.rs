//! Comparison of instances: distinguishes a bad release from one bad instance and from noise.
//! The instances are known from the readings. The canary grows from phase to phase and instances
//! are replaced, and each check treats that in its own way:
//!
//! - *leave-one-out*: an instance is left out of the evidence from its first reading on, and
//!   remains left out when it is gone, because the total keeps its events.
//! - *bad instance* and *randomised* use the instances of the first judged reading of a phase. One
//!   that is added later waits for the next phase; one that is gone has no trials from then on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::grade::Worse;
use crate::metric::Sample;
use crate::stats::Counts;
use crate::stats::instances::BadInstance;
use crate::stats::randomisation::Randomisation;
use crate::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use crate::stats::replay::{Clip, LEAVE_ONE_OUT};
use crate::unit::{Span, Timestamp};

use super::aligned::{Aligned, Side};
use super::bracket::{BASELINE, Bracket, CANARY, Emptied};
use super::drawing::Drawing;
use super::instance_set::InstanceSet;
use super::snapshot::Misfit;
use super::test::Test;

/// Most instances that are left out one at a time; of more, the first.
pub(super) const MOST_LEFT_OUT: usize = 1_000;
/// What an error calls them.
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
    pub(super) const fn new(
        sample: Option<&'a Sample>,
        counts: &'a [[f64; 2]],
        worse: Worse,
        none: &'a BTreeMap<String, [f64; 2]>,
    ) -> Self {
        match sample {
            Some(Sample::Instances(names)) => Self { names, counts, worse },
            _ => Self { names: none, counts: &[], worse },
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
pub(super) struct Counting<'a> {
    /// Bounds what each instance counts.
    pub(super) clip: Option<&'a Clip>,
    /// How many times as bad as tolerated the canary may be.
    pub(super) allowed: f64,
}

/// How the counts of a metric have come so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CountsRead {
    /// Of each instance, in both arms.
    ByInstance,
    /// A reading had the sum over an arm.
    Summed,
}

/// State of one metric's instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// How the counts have come.
    counts: CountsRead,
    /// Those of the phase.
    set: Option<InstanceSet>,
    /// A reading of both arms was judged, so it is known whether readings name instances.
    pub(super) judged: bool,
    /// The last judged reading of both arms compared the canary with other choices.
    compared: bool,
    /// The canary was ever found worse among the subsets.
    pub(super) drawn: bool,
}

/// The evidence without one instance of the canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Without {
    name: Arc<str>,
    state: Aligned<RateRatio>,
    /// What the pools have of it, in the order of their alignments.
    pooled: [Counts; 2],
    /// It was ever found worse than the others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    was_bad: bool,
}

impl Instances {
    pub(super) const fn new(alpha: f64, tolerated: f64, drawing: Option<Drawing>) -> Self {
        Self {
            alpha,
            tolerated,
            drawing,
            phase: 0,
            without: Vec::new(),
            present: 0,
            counts: CountsRead::ByInstance,
            set: None,
            judged: false,
            compared: false,
            drawn: false,
        }
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
            self.counts = CountsRead::Summed;
        }
        if !arms[CANARY].is_empty() {
            self.present = arms[CANARY].len();
        }
    }

    /// How many instances the canary has; None if any counts were read as a sum over an arm.
    pub(super) fn known(&self) -> Option<usize> {
        (self.counts == CountsRead::ByInstance).then_some(self.present)
    }

    /// Updates the leave-one-out evidence with this tick. `test` is the total's test before the
    /// tick.
    pub(super) fn leave_out(
        &mut self,
        test: &Aligned<Test>,
        canary: InstanceArm<'_>,
        arms: [Counts; 2],
        counting: Counting<'_>,
    ) {
        let Some(design) = test.rate_design() else { return };
        self.each_without(test, canary, counting.clip, |without, part| {
            without.state.each(|state| counting.update(state, design, arms, part));
        });
    }

    /// The same from pools: an instance's part of a pool is left out of what the pool feeds.
    pub(super) fn leave_out_pooled(
        &mut self,
        test: &Aligned<Test>,
        canary: InstanceArm<'_>,
        bracket: &Bracket,
        counting: Counting<'_>,
    ) {
        let Some(design) = test.rate_design() else { return };
        for side in Side::BOTH {
            let [before, after] = bracket.step(side).added(side, CANARY);
            let batch = bracket.batch(side);
            let cap = design.cap().map(|cap| cap * batch.ticks.max(1.0));
            // Valid limits, times a number of ticks, are valid.
            let Ok(design) = design.with_limits(cap, Some(design.threshold())) else { return };
            let fed = batch.counts.first().filter(|_| !batch.rows.is_empty());
            let fed = fed.map(|counts| less(*counts, batch.clipped));
            self.each_without(test, canary, counting.clip, |without, part| {
                let pooled = &mut without.pooled[side as usize];
                if before {
                    pooled.add(part);
                }
                if let Some((all, baseline)) = fed {
                    let state = without.state.on_mut(side);
                    counting.update(state, &design, [all, baseline], *pooled);
                }
                if bracket.step(side).emptied != Emptied::No {
                    *pooled = Counts::default();
                }
                if after {
                    pooled.add(part);
                }
            });
        }
    }

    /// Updates each instance that the canary ever had with its counts of this tick. The evidence of
    /// a new one begins as that of the total.
    fn each_without(
        &mut self,
        test: &Aligned<Test>,
        canary: InstanceArm<'_>,
        clip: Option<&Clip>,
        mut update: impl FnMut(&mut Without, Counts),
    ) {
        let parts =
            canary.each().map(|(name, part)| (name, clip.map_or(part, |clip| clip.clipped(part))));
        let new = |name: &str| {
            let state = test.map(|test| test.rate().map(|(_, state)| *state))?;
            let pooled = [Counts::default(); 2];
            Some(Without { name: Arc::from(name), state, pooled, was_bad: false })
        };
        each_instance(&mut self.without, |of| &of.name, parts, new, &mut update);
    }

    /// Discards what the pools have of the instances.
    pub(super) fn discard_pooled(&mut self) {
        self.without.iter_mut().for_each(|without| without.pooled = [Counts::default(); 2]);
        if let Some(set) = &mut self.set {
            set.discard_pooled();
        }
    }

    /// The least log e-value without one of the canary's instances: any of at least four, and of
    /// fewer one that was found worse than the others. None if there is none.
    pub(super) fn log_e_without_any(&self, test: &Aligned<Test>) -> Option<f64> {
        let design = test.rate_design()?;
        let log_e = |without: &Without| without.state.least(|state| Some(state.log_e(design)));
        let any = self.present >= LEAVE_ONE_OUT;
        self.without.iter().filter(|of| any || of.was_bad).filter_map(log_e).reduce(f64::min)
    }

    /// Whether this instance was ever found worse than the others.
    pub(super) fn was_bad(&self, name: &str) -> bool {
        self.without.iter().any(|of| &*of.name == name && of.was_bad)
    }

    /// A judged tick of both arms: without instances there is nothing to compare.
    pub(super) const fn judge(&mut self) {
        self.judged = true;
        self.compared = false;
    }

    /// Compares the instances with each other in one judged tick. `noise` is the factor on the
    /// evidence that reports one as bad, because of bursts; None if it is unknown.
    pub(super) fn compare(
        &mut self,
        at: Timestamp,
        arms: [InstanceArm<'_>; 2],
        noise: Option<f64>,
        window: Span,
    ) {
        if let Some(set) = &mut self.set {
            set.read(arms);
        } else {
            self.set = Some(self.settle(arms));
        }
        if let Some(set) = &mut self.set {
            set.compare();
        }
        self.judge_set(at, noise, window);
    }

    /// The same from the pool in which the baseline's data end later. `named`: the reading has both
    /// arms, and names the canary's instances.
    pub(super) fn compare_pooled(
        &mut self,
        at: Timestamp,
        arms: [InstanceArm<'_>; 2],
        named: bool,
        bracket: &Bracket,
        noise: Option<f64>,
        window: Span,
    ) {
        if self.set.is_none() && named {
            self.set = Some(self.settle(arms));
        }
        let Some(set) = &mut self.set else { return };
        set.compare_pooled(at, arms, bracket);
        // A tick without counts is a tick: interim analyses are planned by ticks.
        let twice = bracket.interval() + bracket.interval();
        self.judge_set(at, noise, window.max(twice));
    }

    /// Compares the instances of the phase by the counts of this tick.
    fn judge_set(&mut self, at: Timestamp, noise: Option<f64>, window: Span) {
        let Some(set) = &mut self.set else { return };
        set.name_bad(at, noise, window);
        for bad in set.bad() {
            if let Some(without) = self.without.iter_mut().find(|without| without.name == *bad) {
                without.was_bad = true;
            }
        }
        self.compared = set.randomised().is_some();
        self.drawn |= set.compare_choices();
    }

    /// Sets the instances of a phase from its first judged reading.
    fn settle(&self, arms: [InstanceArm<'_>; 2]) -> InstanceSet {
        let name = |(name, _): (&str, Counts)| Arc::from(name);
        let mut set = self.set_of(arms.map(|arm| arm.each().map(name).collect()));
        set.read(arms);
        set
    }

    /// The comparisons of these instances, with no data yet.
    fn set_of(&self, [canary, baseline]: [Vec<Arc<str>>; 2]) -> InstanceSet {
        let settings = RateRatioSettings {
            alpha: self.alpha,
            tolerated: self.tolerated,
            ..RateRatioSettings::default()
        };
        let owned = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let randomised = self.drawing.as_ref().and_then(|drawing| {
            let all = canary.iter().chain(&baseline).map(ToString::to_string).collect();
            drawing.draw(self.phase, self.tolerated, all, owned(&canary))
        });
        // A single instance has no others to compare with.
        let bad = BadInstance::try_new(&settings, owned(&canary)).ok();
        InstanceSet::new([canary, baseline], bad, randomised)
    }

    /// Whether the canary is being compared with other choices, or was until the phase that is now
    /// on its way, or was found worse.
    pub(super) const fn is_randomised(&self) -> bool {
        self.drawn || self.compared
    }

    /// The comparison with other choices in this phase.
    pub(super) fn randomised(&self) -> Option<&Randomisation> {
        self.set.as_ref()?.randomised()
    }

    /// Whether this phase has no interim analysis left at which the canary could be found worse.
    pub(super) fn is_looked_out(&self) -> bool {
        !self.drawn && self.set.as_ref().is_some_and(InstanceSet::is_looked_out)
    }

    /// The instances that have been found worse than the others of the canary.
    pub(super) fn bad(&self) -> impl Iterator<Item = &Arc<str>> {
        self.set.iter().flat_map(InstanceSet::bad)
    }

    /// Takes over what was read from a snapshot, in the phase that has been entered. `worse` is the
    /// total's test.
    pub(super) fn resume(
        &mut self,
        read: Self,
        worse: Option<&Aligned<Test>>,
    ) -> Result<(), Misfit> {
        let Self {
            alpha: _,
            tolerated: _,
            drawing: _,
            phase: _,
            without,
            present,
            counts,
            set,
            judged,
            compared,
            drawn,
        } = read;
        let design = worse.and_then(Aligned::rate_design);
        let of_whole = |state: &RateRatio| design.is_some_and(|of| state.check(of).is_ok());
        let fits = without.len() <= MOST_LEFT_OUT
            && without.is_sorted_by(|a, b| a.name < b.name)
            && without.iter().all(|one| one.state.all(of_whole));
        if !fits {
            return Err(MISFIT);
        }
        self.set = None;
        if let Some(read) = set {
            let mut set = self.set_of(read.names().ok_or(MISFIT)?);
            set.resume(read)?;
            self.set = Some(set);
        }
        (self.without, self.present, self.counts) = (without, present, counts);
        (self.judged, self.compared, self.drawn) = (judged, compared, drawn);
        Ok(())
    }
}

/// Updates what is kept of each instance with what a tick has of it, and with nothing where it has
/// nothing. Both are in the order of names. An instance that is `new` is added, up to
/// [`MOST_LEFT_OUT`].
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

/// Feeds a tick without an instance's part of it.
impl Counting<'_> {
    /// Updates the evidence without one instance, which has this part of the canary's counts.
    fn update(
        self,
        state: &mut RateRatio,
        design: &RateRatioDesign,
        [all, baseline]: [Counts; 2],
        part: Counts,
    ) {
        let rest =
            Counts::new((all.events - part.events).max(0.0), (all.trials - part.trials).max(0.0));
        // Counts were checked when they were read, so the test takes them.
        let _ = if self.allowed == 1.0 {
            state.update(design, rest, baseline)
        } else {
            state.update_allowing(design, &[(rest, baseline)], self.allowed)
        };
    }
}
