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

use crate::grade::Worse;
use crate::stats::Counts;
use crate::stats::instances::BadInstance;
use crate::stats::randomisation::{
    DEFAULT_BUDGET, DEFAULT_LOOKS, Randomisation, RandomisationDesign, RandomisationSettings,
};
use crate::stats::rate_ratio::{RateRatio, RateRatioSettings};
use crate::stats::replay::LEAVE_ONE_OUT;

use super::test::Test;

/// The least number of possible subsets, as a multiple of `1/α`: copies of the canary among the
/// drawn subsets tie with it, and it loses ties. With this factor they use a quarter of the budget.
const ROOM: f64 = 4.0;
/// Subsets to draw, as a multiple of `1/α`, within these limits.
const DRAWN: f64 = 20.0;
const FEWEST_DRAWN: f64 = 2_000.0;
const MOST_DRAWN: f64 = 10_000.0;
/// Most instances that are left out one at a time; of more, the first.
pub(super) const MOST_LEFT_OUT: usize = 1_000;

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
    /// Names in their order, with bad events and trials.
    fn each(self) -> impl Iterator<Item = (&'a str, Counts)> {
        self.names.keys().zip(self.counts).map(move |(name, &[events, trials])| {
            (name.as_str(), Counts::new(self.worse.bad(events, trials), trials))
        })
    }
}

/// Settings of the comparison of the canary's instances with other choices of as many.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawing {
    /// The metric's share of the error probability, in one phase.
    pub(super) alpha: f64,
    /// The seed of the draws.
    pub(super) seed: u64,
    /// How many ticks each phase may take.
    pub(super) ticks: Vec<u32>,
}

/// State of one metric's instances.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instances {
    pub(super) alpha: f64,
    pub(super) tolerated: f64,
    pub(super) drawing: Option<Drawing>,
    /// Leave-one-out evidence for each instance that the canary ever had, in the order of names.
    pub(super) without: Vec<(Arc<str>, RateRatio)>,
    /// How many instances the canary had at the last reading.
    pub(super) present: usize,
    pub(super) phase: usize,
    pub(super) set: Option<Set>,
    /// A reading of both arms was judged, so it is known whether readings name instances.
    pub(super) judged: bool,
    /// The last judged reading of both arms compared the canary with other choices.
    pub(super) compared: bool,
    /// The canary was ever found worse among the subsets.
    pub(super) drawn: bool,
}

/// The instances of one phase.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Set {
    /// The canary's, in the order of names.
    pub(super) canary: Vec<Arc<str>>,
    /// The baseline's, in the order of names.
    pub(super) baseline: Vec<Arc<str>>,
    /// Scratch: this tick's counts, the canary's first.
    pub(super) counts: Vec<Counts>,
    pub(super) bad: Option<BadInstance>,
    /// Indices of the instances that were reported as bad.
    pub(super) named: Vec<usize>,
    pub(super) randomised: Option<Box<(RandomisationDesign, Randomisation)>>,
}

impl Instances {
    pub(super) const fn new(alpha: f64, tolerated: f64, drawing: Option<Drawing>) -> Self {
        Self {
            alpha,
            tolerated,
            drawing,
            without: Vec::new(),
            present: 0,
            phase: 0,
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

    /// Updates the leave-one-out evidence with this tick. `test` is the total's test before the
    /// tick.
    pub(super) fn leave_out(
        &mut self,
        test: &Test,
        canary: InstanceArm<'_>,
        [all, baseline]: [Counts; 2],
    ) {
        let Test::Rate(design, whole) = test else { return };
        let mut place = 0;
        self.present = 0;
        let update = |state: &mut RateRatio, part: Counts| {
            let rest = Counts::new(
                (all.events - part.events).max(0.0),
                (all.trials - part.trials).max(0.0),
            );
            // Counts were checked when they were read, so the test accepts them.
            let _ = state.update(design, rest, baseline);
        };
        for (name, part) in canary.each() {
            self.present += 1;
            while let Some((known, state)) = self.without.get_mut(place)
                && **known < *name
            {
                update(state, Counts::default());
                place += 1;
            }
            if self.without.get(place).is_none_or(|(known, _)| **known != *name) {
                if self.without.len() >= MOST_LEFT_OUT {
                    continue;
                }
                self.without.insert(place, (Arc::from(name), **whole));
            }
            update(&mut self.without[place].1, part);
            place += 1;
        }
        for (_, state) in &mut self.without[place..] {
            update(state, Counts::default());
        }
    }

    /// The least leave-one-out log e-value; None if the canary has too few instances.
    pub(super) fn log_e_without_any(&self, test: &Test) -> Option<f64> {
        let Test::Rate(design, _) = test else { return None };
        if self.present < LEAVE_ONE_OUT {
            return None;
        }
        self.without.iter().map(|(_, state)| state.log_e(design)).reduce(f64::min)
    }

    /// A judged tick of both arms: without instances there is nothing to compare.
    pub(super) const fn judge(&mut self) {
        self.judged = true;
        self.compared = false;
    }

    /// Whether a reading was judged, so that it is known whether readings name instances.
    pub(super) const fn are_judged(&self) -> bool {
        self.judged
    }

    /// Compares the instances with each other in one judged tick. `noise` is the factor on the
    /// evidence that reports one as bad, because of bursts; None if it is unknown.
    pub(super) fn compare(
        &mut self,
        canary: InstanceArm<'_>,
        baseline: InstanceArm<'_>,
        noise: Option<f64>,
    ) {
        if let Some(set) = &mut self.set {
            set.read(canary, baseline);
        } else {
            self.set = Some(self.settle(canary, baseline));
        }
        let Some(set) = &mut self.set else { return };
        self.compared = set.randomised.is_some();
        let (of_canary, _) = set.counts.split_at(set.canary.len());
        if let Some(bad) = &mut set.bad {
            let _ = bad.update(of_canary);
            for place in bad.found().filter(|_| noise.is_some()) {
                let enough = bad.threshold() * noise.unwrap_or(1.0);
                let stands_out = bad.log_e().nth(place).is_some_and(|log_e| log_e >= enough);
                if stands_out && !set.named.contains(&place) {
                    set.named.push(place);
                }
            }
        }
        if let Some((design, state)) = set.randomised.as_deref_mut() {
            self.drawn |= state.update(design, &set.counts).unwrap_or(false);
        }
    }

    /// Sets the instances of a phase from its first judged reading.
    fn settle(&self, canary: InstanceArm<'_>, baseline: InstanceArm<'_>) -> Set {
        let (mut counts, mut names) = (Vec::new(), [Vec::new(), Vec::new()]);
        for (arm, names) in [canary, baseline].into_iter().zip(&mut names) {
            for (name, counted) in arm.each() {
                names.push(Arc::<str>::from(name));
                counts.push(counted);
            }
        }
        let [canary, baseline] = names;
        self.set_of(canary, baseline, counts)
    }

    /// The comparisons of these instances, with no data yet.
    pub(super) fn set_of(
        &self,
        canary: Vec<Arc<str>>,
        baseline: Vec<Arc<str>>,
        counts: Vec<Counts>,
    ) -> Set {
        let owned = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let settings = RateRatioSettings {
            alpha: self.alpha,
            tolerated: self.tolerated,
            ..RateRatioSettings::default()
        };
        // A single instance has no others to compare with.
        let bad = BadInstance::try_new(&settings, owned(&canary)).ok();
        let randomised = self.drawing.as_ref().and_then(|drawing| {
            let all = canary.iter().chain(&baseline).map(ToString::to_string).collect();
            drawing.draw(self.phase, self.tolerated, all, owned(&canary))
        });
        Set { canary, baseline, counts, bad, named: Vec::new(), randomised }
    }

    /// Whether the canary is being compared with other choices, or was until the phase that is now
    /// on its way, or was found worse.
    pub(super) const fn is_randomised(&self) -> bool {
        self.drawn || self.compared
    }

    /// Whether the canary was ever found worse.
    pub(super) const fn stands_out(&self) -> bool {
        self.drawn
    }

    /// The comparison with other choices in this phase.
    pub(super) fn randomised(&self) -> Option<&Randomisation> {
        self.set.as_ref()?.randomised.as_deref().map(|(_, state)| state)
    }

    /// Whether this phase has no interim analysis left at which the canary could be found worse.
    pub(super) fn is_looked_out(&self) -> bool {
        let of_phase = self.set.as_ref().and_then(|set| set.randomised.as_deref());
        !self.drawn && of_phase.is_some_and(|(design, state)| !state.has_looks_left(design))
    }

    /// The instances that have been found worse than the others of the canary.
    pub(super) fn bad(&self) -> impl Iterator<Item = &Arc<str>> {
        self.set.iter().flat_map(|set| set.named.iter().filter_map(|place| set.canary.get(*place)))
    }
}

impl Set {
    /// Assigns a tick's counts to the instances.
    fn read(&mut self, canary: InstanceArm<'_>, baseline: InstanceArm<'_>) {
        self.counts.fill(Counts::default());
        let (of_canary, of_baseline) = self.counts.split_at_mut(self.canary.len());
        let arms = [(canary, &self.canary, of_canary), (baseline, &self.baseline, of_baseline)];
        for (arm, names, counts) in arms {
            let mut places = names.iter().zip(counts).peekable();
            for (name, counted) in arm.each() {
                while places.next_if(|(known, _)| ***known < *name).is_some() {}
                if let Some((_, counts)) = places.next_if(|(known, _)| ***known == *name) {
                    *counts = counted;
                }
            }
        }
    }
}

impl Drawing {
    /// The comparison of these instances; None if there are too few possible choices.
    fn draw(
        &self,
        phase: usize,
        tolerated: f64,
        instances: Vec<String>,
        canary: Vec<String>,
    ) -> Option<Box<(RandomisationDesign, Randomisation)>> {
        let enough = ROOM / self.alpha;
        if choices(instances.len(), canary.len(), enough) < enough {
            return None;
        }
        let ticks = self.ticks.get(phase).copied().unwrap_or(1);
        let (looks, budget) = looks(ticks);
        let subsets = (DRAWN / self.alpha).clamp(FEWEST_DRAWN, MOST_DRAWN);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within limits"
        )]
        let subsets = subsets.ceil() as usize;
        let settings = RandomisationSettings {
            alpha: self.alpha,
            subsets,
            tolerated,
            evaluations: Some(looks),
            budget: Some(budget),
            ..RandomisationSettings::new(instances, canary, self.seed)
        };
        let design = RandomisationDesign::try_new(&settings).ok()?;
        let state = Randomisation::new(&design);
        Some(Box::new((design, state)))
    }
}

/// Number of choices of so many instances, counted until it exceeds `enough`.
fn choices(of: usize, size: usize, enough: f64) -> f64 {
    let mut count = 1.0;
    for drawn in 0..size.min(of.saturating_sub(size)) {
        count *= (of - drawn) as f64 / (drawn + 1) as f64;
        if count > enough {
            break;
        }
    }
    count
}

/// Interim analyses of a phase: their ticks, and the part of the budget that may be spent by then.
/// The default's analyses within the phase, beyond them at twice the tick each time, and the
/// phase's last tick with all of it.
fn looks(ticks: u32) -> (Vec<u32>, Vec<f64>) {
    let within = DEFAULT_LOOKS.iter().zip(DEFAULT_BUDGET).take_while(|(look, _)| **look < ticks);
    let (mut looks, mut budget): (Vec<u32>, Vec<f64>) =
        within.map(|(look, part)| (*look, part)).unzip();
    // The default spends all of it by its last analysis; a longer phase keeps a part for later
    // ones.
    let before = DEFAULT_BUDGET.len() - 1;
    let late_from = looks.len().min(before);
    budget.truncate(late_from);
    let mut late = looks.get(before).copied();
    while let Some(look) = late.and_then(|look| look.checked_mul(2)).filter(|look| *look < ticks) {
        looks.push(look);
        late = Some(look);
    }
    looks.push(ticks.max(1));
    let spent = budget.last().copied().unwrap_or(0.0);
    let left = looks.len() - late_from;
    let part = |n: usize| spent + (1.0 - spent) * (n as f64 / left as f64);
    budget.extend((1..=left).map(|n| if n == left { 1.0 } else { part(n) }));
    (looks, budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_2_looks_fit_the_phase_and_spend_all_of_the_budget() {
        let (of_short, budget) = looks(60);
        assert_eq!(of_short, [3, 6, 12, 18, 30, 60]);
        assert_eq!(budget, [0.1, 0.2, 0.3, 0.4, 0.5, 1.0]);
        assert_eq!(looks(300).0, DEFAULT_LOOKS);
        assert_eq!(looks(300).1, DEFAULT_BUDGET);
        let (of_long, budget) = looks(1_500);
        assert_eq!(of_long, [3, 6, 12, 18, 30, 60, 120, 210, 300, 600, 1_200, 1_500]);
        assert!(budget.is_sorted() && budget[7] == 0.85 && budget[8] < 1.0 && budget[11] == 1.0);
        assert_eq!(looks(1), (vec![1], vec![1.0]));
        for ticks in 1..2_000 {
            let (looks, budget) = looks(ticks);
            assert!(looks.len() == budget.len() && looks.is_sorted_by(|a, b| a < b), "{ticks}");
        }
    }

    #[test]
    fn stat_2_choices_are_counted() {
        assert_eq!(choices(20, 2, 1e9), 190.0);
        assert_eq!(choices(20, 18, 1e9), 190.0);
        assert_eq!(choices(5, 5, 1e9), 1.0);
        assert!((choices(20, 10, 1e9) - 184_756.0).abs() < 1e-6);
        assert!(choices(50, 48, 1_000.0) > 1_000.0 && choices(400, 200, 1e4) > 1e4);
    }
}
