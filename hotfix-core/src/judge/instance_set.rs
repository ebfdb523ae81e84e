//! The instances of one phase, the comparisons of the canary's with each other and with other choices of as
//! many, and which are named as bad, as long as they are. See `docs/decisions/bad-instances.md`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::stats::Counts;
use crate::stats::instances::BadInstance;
use crate::stats::randomisation::{Randomisation, RandomisationDesign};
use crate::unit::{Span, Timestamp};

use super::aligned::{Aligned, Side};
use super::bracket::{BASELINE, Bracket, CANARY, Emptied};
use super::instances::{InstanceArm, MISFIT, MOST_LEFT_OUT};
use super::snapshot::{Misfit, both_or_neither};

/// Rounds of counts after which instances that are read at different times are compared: the first
/// began at unknown times, and the third is compared with the second.
const FIRST_COMPARED: u8 = 3;

/// The instances of one phase. Their names and the plan's seed determine the drawn subsets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct InstanceSet {
    /// The canary's, in the order of names.
    canary: Vec<Arc<str>>,
    /// The baseline's, in the order of names.
    baseline: Vec<Arc<str>>,
    /// Scratch: the counts that are compared in this tick, the canary's first.
    #[serde(skip)]
    counts: Vec<Counts>,
    /// Counts of each instance in the pool; empty while each tick is compared as it is.
    pooled: Vec<Counts>,
    /// Each of the canary's instances against the others.
    bad: Option<Aligned<BadInstance>>,
    /// Where instances are read at different times: counts that wait for those of the others.
    apart: Option<ApartInstances>,
    /// The instances that are named as bad.
    named: Vec<Named>,
    /// The other choices of as many instances, with which the canary is compared.
    #[serde(skip)]
    choices: Option<Box<RandomisationDesign>>,
    /// State of the comparison with other choices.
    randomised: Option<Box<Randomisation>>,
}

/// Counts of the canary's instances since each was compared with the others, and those of the
/// comparison before. See `docs/statistics.md`, "Arms read at different times".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ApartInstances {
    now: Vec<Counts>,
    /// Empty before the first: the readings of the first comparison began at unknown times.
    before: Vec<Counts>,
    since: Timestamp,
    /// How many rounds all instances have had counts in, up to the first comparison.
    times: u8,
}

impl InstanceSet {
    /// Comparisons of the instances of both arms, with no data yet.
    pub(super) fn new(
        [canary, baseline]: [Vec<Arc<str>>; 2],
        bad: Option<BadInstance>,
        choices: Option<RandomisationDesign>,
    ) -> Self {
        Self {
            counts: vec![Counts::default(); canary.len() + baseline.len()],
            canary,
            baseline,
            pooled: Vec::new(),
            bad: bad.map(Aligned::new),
            apart: None,
            named: Vec::new(),
            randomised: choices.as_ref().map(|of| Box::new(Randomisation::new(of))),
            choices: choices.map(Box::new),
        }
    }

    /// The names of both arms' instances; None if they are not sorted, as those of readings are.
    pub(super) fn names(&self) -> Option<[Vec<Arc<str>>; 2]> {
        let names = [&self.canary, &self.baseline];
        names.iter().all(|names| names.is_sorted_by(|a, b| a < b)).then(|| names.map(Clone::clone))
    }

    pub(super) fn resume(&mut self, read: Self) -> Result<(), Misfit> {
        let Self { canary: _, baseline: _, pooled, bad, apart, named, randomised, .. } = read;
        let canary = self.canary.len();
        let fits = (pooled.is_empty() || pooled.len() == self.counts.len())
            && apart.as_ref().is_none_or(|apart| apart.fits(canary))
            && named.len() <= canary
            && named.iter().all(|named| named.place < canary);
        if !fits {
            return Err(MISFIT);
        }
        (self.pooled, self.apart, self.named) = (pooled, apart, named);
        both_or_neither(&mut self.bad, bad, MISFIT, |fresh, read| {
            let asks_as = read.all(|read| read.asks_as(fresh.on(Side::Lead)));
            *fresh = read;
            asks_as.then_some(()).ok_or(MISFIT)
        })?;
        both_or_neither(&mut self.randomised, randomised, MISFIT, |fresh, read| {
            let fits = self.choices.as_ref().is_some_and(|of| read.check(of).is_ok());
            *fresh = read;
            fits.then_some(()).ok_or(MISFIT)
        })
    }

    /// Adds instances of the canary that have joined, unless the canary is compared with other
    /// choices. `bad`: makes the comparison with each other where there was none yet.
    pub(super) fn join(
        &mut self,
        arm: InstanceArm<'_>,
        bad: impl Fn(&[Arc<str>]) -> Option<BadInstance>,
    ) {
        let mut known = self.canary.iter();
        let all_known = arm.names.keys().all(|name| known.any(|known| **known == **name));
        if all_known || self.choices.is_some() {
            return;
        }
        for name in arm.names.keys() {
            let Err(place) = self.canary.binary_search_by(|known| (**known).cmp(name)) else {
                continue;
            };
            if self.canary.len() >= MOST_LEFT_OUT {
                return;
            }
            self.canary.insert(place, Arc::from(name.as_str()));
            self.counts.insert(place, Counts::default());
            if !self.pooled.is_empty() {
                self.pooled.insert(place, Counts::default());
            }
            for named in &mut self.named {
                named.place += usize::from(named.place >= place);
            }
            if let Some(ApartInstances { now, before, .. }) = &mut self.apart {
                for counts in [now, before].into_iter().filter(|counts| !counts.is_empty()) {
                    counts.insert(place, Counts::default());
                }
            }
            match &mut self.bad {
                Some(bad) => bad.each(|bad| bad.join(place, name)),
                None => self.bad = bad(&self.canary).map(Aligned::new),
            }
        }
    }

    /// Whether instances that are read at different times have not been compared yet.
    pub(super) fn awaits_comparison(&self) -> bool {
        self.bad.is_some() && self.apart.as_ref().is_some_and(|of| of.times < FIRST_COMPARED)
    }

    /// Assigns a tick's counts to the instances.
    pub(super) fn read(&mut self, arms: [InstanceArm<'_>; 2]) {
        self.counts.fill(Counts::default());
        let (of_canary, of_baseline) = self.counts.split_at_mut(self.canary.len());
        add(arms[CANARY], &self.canary, of_canary);
        add(arms[BASELINE], &self.baseline, of_baseline);
    }

    /// Compares the canary's instances with each other by the counts of this tick.
    pub(super) fn compare(&mut self) {
        let Self { canary, counts, bad, .. } = self;
        if let Some(bad) = bad {
            bad.each(|bad| {
                let _ = bad.update(&counts[..canary.len()]);
            });
        }
    }

    /// As [`compare`](Self::compare), from the pool in which the baseline's data end later, which
    /// then has the counts of this tick, too.
    pub(super) fn compare_pooled(
        &mut self,
        at: Timestamp,
        arms: [InstanceArm<'_>; 2],
        bracket: &Bracket,
    ) {
        let step = bracket.step(Side::Lag);
        self.pooled.resize(self.counts.len(), Counts::default());
        self.pool(arms, |arm| step.added(Side::Lag, arm)[0]);
        self.counts.fill(Counts::default());
        match step.emptied {
            Emptied::No => {}
            Emptied::Fed => std::mem::swap(&mut self.counts, &mut self.pooled),
            Emptied::Discarded => self.pooled.fill(Counts::default()),
        }
        self.pool(arms, |arm| step.added(Side::Lag, arm)[1]);
        self.compare_apart(at, arms[CANARY], bracket.interval());
    }

    /// Compares the canary's instances with each other once each of them was read; one that is not
    /// read within two intervals is not waited for. On `lead` the data of the compared instance
    /// end later than those of the others, on `lag` earlier.
    fn compare_apart(&mut self, at: Timestamp, canary: InstanceArm<'_>, interval: Span) {
        let Some(bad) = &mut self.bad else { return };
        let none = || vec![Counts::default(); self.canary.len()];
        let new = || ApartInstances { now: none(), before: Vec::new(), since: at, times: 0 };
        let ApartInstances { now, before, since, times } = self.apart.get_or_insert_with(new);
        add(canary, &self.canary, now);
        let is_late = at.since(*since) >= interval + interval;
        if !is_late && now.iter().any(|counts| counts.trials <= 0.0) {
            return;
        }
        if before.is_empty() {
            *before = none();
            now.fill(Counts::default());
        } else {
            let _ = bad.on_mut(Side::Lead).update_apart(now, before);
            let _ = bad.on_mut(Side::Lag).update_apart(before, now);
            std::mem::swap(now, before);
            now.fill(Counts::default());
        }
        (*since, *times) = (at, FIRST_COMPARED.min(*times + 1));
    }

    /// Adds the counts of these arms to what the pool has.
    fn pool(&mut self, arms: [InstanceArm<'_>; 2], adds: impl Fn(usize) -> bool) {
        let (of_canary, of_baseline) = self.pooled.split_at_mut(self.canary.len());
        if adds(CANARY) {
            add(arms[CANARY], &self.canary, of_canary);
        }
        if adds(BASELINE) {
            add(arms[BASELINE], &self.baseline, of_baseline);
        }
    }

    pub(super) fn discard_pooled(&mut self) {
        self.pooled.fill(Counts::default());
        self.apart = None;
    }

    /// Names the instances that are bad. `noise`: factor on the evidence, for bursts; None if unknown.
    pub(super) fn name_bad(&mut self, at: Timestamp, noise: Option<f64>, window: Span) {
        if let (Some(bad), Some(noise)) = (&mut self.bad, noise) {
            update_named(&mut self.named, bad, noise, at, window);
        }
    }

    /// Compares the canary with other choices of as many instances, by the counts of this tick.
    /// Returns whether it was found worse.
    pub(super) fn compare_choices(&mut self) -> bool {
        let Self { choices: Some(choices), randomised: Some(state), counts, .. } = self else {
            return false;
        };
        state.update(choices, counts).unwrap_or(false)
    }

    pub(super) fn randomised(&self) -> Option<&Randomisation> {
        self.randomised.as_deref()
    }

    /// Whether it has no interim analysis left at which the canary could be found worse.
    pub(super) fn has_no_analysis_left(&self) -> bool {
        let both = self.choices.as_ref().zip(self.randomised.as_ref());
        both.is_some_and(|(choices, state)| !state.has_looks_left(choices))
    }

    /// The instances that have been found worse than the others of the canary.
    pub(super) fn bad(&self) -> impl Iterator<Item = &Arc<str>> {
        self.named.iter().filter_map(|named| self.canary.get(named.place))
    }
}

impl ApartInstances {
    fn fits(&self, instances: usize) -> bool {
        self.now.len() == instances && (self.before.is_empty() || self.before.len() == instances)
    }
}

/// Adds an arm's counts in their places; those of instances that have none are left out.
fn add(arm: InstanceArm<'_>, names: &[Arc<str>], counts: &mut [Counts]) {
    let mut places = names.iter().zip(counts).peekable();
    for (name, counted) in arm.each() {
        while places.next_if(|(known, _)| ***known < *name).is_some() {}
        if let Some((_, counts)) = places.next_if(|(known, _)| ***known == *name) {
            counts.add(counted);
        }
    }
}

/// Expected bad events of which an instance that is as bad as it was has none in 1 of 20 cases.
const MISSED: f64 = 3.0;

/// An instance of the canary that was found worse than the others, as long as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Named {
    /// Its place among the canary's instances.
    pub(super) place: usize,
    /// Its highest log e-value, when that was reached, and what the instance had had by then.
    highest: f64,
    at: Timestamp,
    had: Counts,
    /// When it last had requests, and how many in all.
    read: (Timestamp, f64),
}

impl Named {
    const fn new(place: usize, at: Timestamp, highest: f64, had: Counts) -> Self {
        Self { place, highest, at, had, read: (at, had.trials) }
    }

    /// Whether the instance is there and still bad: its evidence has risen again within a window,
    /// or before it would have had a few more bad events at the rate that it had.
    fn goes_on(&mut self, at: Timestamp, log_e: f64, has: Counts, window: Span) -> bool {
        if log_e > self.highest {
            *self = Self::new(self.place, at, log_e, has);
        }
        if has.trials > self.read.1 {
            self.read = (at, has.trials);
        }
        let expected = self.had.events / self.had.trials * (has.trials - self.had.trials);
        let may_rise = at.since(self.at) < window || expected < MISSED;
        may_rise && at.since(self.read.0) < window
    }
}

/// Names the instances that are worse than the others, and no longer those for which that is over;
/// the comparison of the latter starts over. `noise`: the factor on the evidence for bursts.
fn update_named(
    named: &mut Vec<Named>,
    bad: &mut Aligned<BadInstance>,
    noise: f64,
    at: Timestamp,
    window: Span,
) {
    let enough = bad.on(Side::Lead).threshold() * noise;
    let seen = |bad: &Aligned<BadInstance>, place| {
        let log_e = bad.least(|bad| bad.log_e().nth(place))?;
        Some((log_e, bad.on(Side::Lead).own(place)?))
    };
    named.retain_mut(|named| {
        let goes_on = seen(bad, named.place)
            .is_some_and(|(log_e, has)| named.goes_on(at, log_e, has, window));
        if !goes_on {
            bad.each(|bad| bad.restart(named.place));
        }
        goes_on
    });
    for place in bad.on(Side::Lead).found() {
        if let Some((log_e, had)) = seen(bad, place).filter(|(log_e, _)| *log_e >= enough)
            && !named.iter().any(|named| named.place == place)
        {
            named.push(Named::new(place, at, log_e, had));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::try_from_millis(seconds * 1_000).unwrap()
    }

    /// Named after 30 of 100 requests failed.
    fn named() -> Named {
        Named::new(0, at(0), 9.0, Counts::new(30.0, 100.0))
    }

    /// Whether it is still bad at a time, with this evidence and so many requests in all.
    fn goes_on(named: &mut Named, seconds: i64, log_e: f64, trials: f64) -> bool {
        named.goes_on(at(seconds), log_e, Counts::new(30.0, trials), Span::from_seconds(60))
    }

    #[test]
    fn stat_2_an_instance_is_bad_until_its_evidence_has_not_risen_for_a_window() {
        let mut it = named();
        assert!(goes_on(&mut it, 50, 8.0, 200.0), "the window is not over");
        assert!(goes_on(&mut it, 59, 9.5, 220.0), "a new height");
        assert!(goes_on(&mut it, 110, 9.0, 300.0), "the window begins again");
        assert!(!goes_on(&mut it, 119, 9.0, 400.0));
    }

    #[test]
    fn stat_2_an_instance_with_few_requests_is_bad_until_more_failures_were_to_come() {
        let mut it = named();
        for second in [60, 120, 180] {
            let trials = 100.0 + f64::from(u32::try_from(second / 60).unwrap()) * 3.0;
            assert!(goes_on(&mut it, second - 1, 8.0, trials), "{second}: less than 3 expected");
        }
        assert!(!goes_on(&mut it, 190, 8.0, 111.0));
    }

    #[test]
    fn stat_2_an_instance_that_was_replaced_is_not_bad() {
        let mut it = named();
        assert!(goes_on(&mut it, 59, 9.0, 100.0));
        assert!(!goes_on(&mut it, 60, 9.0, 100.0));
    }
}
