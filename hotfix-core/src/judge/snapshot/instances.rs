//! State of a metric's instances in a snapshot.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::stats::Counts;
use crate::stats::instances::BadInstance;
use crate::stats::randomisation::Randomisation;
use crate::stats::rate_ratio::RateRatio;

use super::super::aligned::{Aligned, Side};
use super::super::instances::{ApartInstances, CountsRead, Instances, MOST_LEFT_OUT, Set, Without};
use super::super::named::Named;
use super::super::test::Test;
use super::Misfit;

const MISFIT: Misfit = "a metric's instances";

/// State of one metric's instances.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstancesState {
    without: Vec<WithoutState>,
    present: usize,
    counts: CountsRead,
    set: Option<SetState>,
    judged: bool,
    compared: bool,
    drawn: bool,
}

/// Leave-one-out evidence of one instance.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithoutState {
    name: String,
    lead: RateRatio,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lag: Option<RateRatio>,
    pooled: [Counts; 2],
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    was_bad: bool,
}

/// The instances of one phase. Their names and the plan's seed determine the drawn subsets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetState {
    canary: Vec<String>,
    baseline: Vec<String>,
    pooled: Vec<Counts>,
    bad: Option<BadInstance>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bad_lag: Option<BadInstance>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    apart: Option<ApartInstances>,
    named: Vec<Named>,
    randomised: Option<Randomisation>,
}

impl Instances {
    pub(super) fn state(&self) -> InstancesState {
        let Self {
            alpha: _,
            tolerated: _,
            drawing: _,
            without,
            present,
            counts,
            phase: _,
            set,
            judged,
            compared,
            drawn,
        } = self;
        InstancesState {
            without: without.iter().map(Without::state).collect(),
            present: *present,
            counts: *counts,
            set: set.as_ref().map(Set::state),
            judged: *judged,
            compared: *compared,
            drawn: *drawn,
        }
    }

    /// Restores the state in the phase that has been entered. `worse` is the total's test.
    pub(super) fn resume(
        &mut self,
        state: InstancesState,
        worse: Option<&Aligned<Test>>,
    ) -> Result<(), Misfit> {
        let InstancesState { without, present, counts, set, judged, compared, drawn } = state;
        let of_whole = |state: &RateRatio| match worse.map(|test| test.on(Side::Lead)) {
            Some(Test::Rate(design, _)) => state.check(design).is_ok(),
            Some(Test::Bernoulli(..) | Test::Latency(..) | Test::Tolerance(..)) | None => false,
        };
        let fits = without.len() <= MOST_LEFT_OUT
            && without.is_sorted_by(|a, b| a.name < b.name)
            && without.iter().all(|one| of_whole(&one.lead) && one.lag.iter().all(of_whole));
        if !fits {
            return Err(MISFIT);
        }
        let set = set.map(|state| self.set_again(state)).transpose()?;
        self.without = without.into_iter().map(WithoutState::restored).collect();
        (self.present, self.counts, self.set) = (present, counts, set);
        (self.judged, self.compared, self.drawn) = (judged, compared, drawn);
        Ok(())
    }

    fn set_again(&self, state: SetState) -> Result<Set, Misfit> {
        let SetState { canary, baseline, pooled, bad, bad_lag, apart, named, randomised } = state;
        let shared = |names: Vec<String>| -> Result<Vec<Arc<str>>, Misfit> {
            let ascend = names.is_sorted_by(|a, b| a < b);
            ascend.then(|| names.into_iter().map(Arc::from).collect()).ok_or(MISFIT)
        };
        let counts = vec![Counts::default(); canary.len() + baseline.len()];
        let mut set = self.set_of(shared(canary)?, shared(baseline)?, counts);
        if !pooled.is_empty() && pooled.len() != set.counts.len() {
            return Err(MISFIT);
        }
        if apart.as_ref().is_some_and(|apart| !apart.fits(set.canary.len())) {
            return Err(MISFIT);
        }
        (set.pooled, set.apart) = (pooled, apart);
        if named.len() > set.canary.len()
            || named.iter().any(|named| named.place() >= set.canary.len())
        {
            return Err(MISFIT);
        }
        match (&mut set.bad, bad) {
            (Some(fresh), Some(bad))
                if std::iter::once(&bad)
                    .chain(&bad_lag)
                    .all(|bad| bad.asks_as(fresh.on(Side::Lead))) =>
            {
                *fresh = Aligned::of(bad, bad_lag, false);
            }
            (None, None) => {}
            _ => return Err(MISFIT),
        }
        match (set.randomised.as_deref_mut(), randomised) {
            (Some((design, fresh)), Some(state)) if state.check(design).is_ok() => *fresh = state,
            (None, None) => {}
            _ => return Err(MISFIT),
        }
        set.named = named;
        Ok(set)
    }
}

impl Without {
    fn state(&self) -> WithoutState {
        let Self { name, state, pooled, was_bad } = self;
        let (lead, lag, _) = state.parts();
        let (pooled, was_bad) = (*pooled, *was_bad);
        WithoutState { name: name.to_string(), lead: *lead, lag: lag.copied(), pooled, was_bad }
    }
}

impl WithoutState {
    fn restored(self) -> Without {
        let Self { name, lead, lag, pooled, was_bad } = self;
        Without { name: name.into(), state: Aligned::of(lead, lag, false), pooled, was_bad }
    }
}

impl Set {
    fn state(&self) -> SetState {
        // Counts are scratch: each reading overwrites them.
        let Self { canary, baseline, counts: _, pooled, bad, apart, named, randomised } = self;
        let owned = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect();
        SetState {
            canary: owned(canary),
            baseline: owned(baseline),
            pooled: pooled.clone(),
            bad: bad.as_ref().map(|bad| bad.parts().0.clone()),
            bad_lag: bad.as_ref().and_then(|bad| bad.parts().1.cloned()),
            apart: apart.clone(),
            named: named.clone(),
            randomised: randomised.as_deref().map(|(_, state)| state.clone()),
        }
    }
}
