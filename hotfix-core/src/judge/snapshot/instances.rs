//! State of a metric's instances in a snapshot.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::stats::Counts;
use crate::stats::instances::BadInstance;
use crate::stats::randomisation::Randomisation;
use crate::stats::rate_ratio::RateRatio;

use super::super::instances::{Instances, MOST_LEFT_OUT, Set};
use super::super::test::Test;
use super::Misfit;

const MISFIT: Misfit = "a metric's instances";

/// State of one metric's instances.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstancesState {
    without: Vec<(String, RateRatio)>,
    present: usize,
    set: Option<SetState>,
    judged: bool,
    compared: bool,
    drawn: bool,
}

/// The instances of one phase. Their names and the plan's seed determine the drawn subsets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetState {
    canary: Vec<String>,
    baseline: Vec<String>,
    bad: Option<BadInstance>,
    named: Vec<usize>,
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
            phase: _,
            set,
            judged,
            compared,
            drawn,
        } = self;
        InstancesState {
            without: without.iter().map(|(name, state)| (name.to_string(), *state)).collect(),
            present: *present,
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
        worse: Option<&Test>,
    ) -> Result<(), Misfit> {
        let InstancesState { without, present, set, judged, compared, drawn } = state;
        let of_whole = |state: &RateRatio| match worse {
            Some(Test::Rate(design, _)) => state.check(design).is_ok(),
            Some(Test::Bernoulli(..) | Test::Latency(..)) | None => false,
        };
        let fits = without.len() <= MOST_LEFT_OUT
            && without.is_sorted_by(|a, b| a.0 < b.0)
            && without.iter().all(|(_, state)| of_whole(state));
        if !fits {
            return Err(MISFIT);
        }
        let set = set.map(|state| self.set_again(state)).transpose()?;
        self.without = without.into_iter().map(|(name, state)| (name.into(), state)).collect();
        (self.present, self.set) = (present, set);
        (self.judged, self.compared, self.drawn) = (judged, compared, drawn);
        Ok(())
    }

    fn set_again(&self, state: SetState) -> Result<Set, Misfit> {
        let SetState { canary, baseline, bad, named, randomised } = state;
        let shared = |names: Vec<String>| -> Result<Vec<Arc<str>>, Misfit> {
            let ascend = names.is_sorted_by(|a, b| a < b);
            ascend.then(|| names.into_iter().map(Arc::from).collect()).ok_or(MISFIT)
        };
        let counts = vec![Counts::default(); canary.len() + baseline.len()];
        let mut set = self.set_of(shared(canary)?, shared(baseline)?, counts);
        if named.len() > set.canary.len() || named.iter().any(|place| *place >= set.canary.len()) {
            return Err(MISFIT);
        }
        match (&mut set.bad, bad) {
            (Some(fresh), Some(bad)) if bad.asks_as(fresh) => *fresh = bad,
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

impl Set {
    fn state(&self) -> SetState {
        // Counts are scratch: each reading overwrites them.
        let Self { canary, baseline, counts: _, bad, named, randomised } = self;
        let owned = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect();
        SetState {
            canary: owned(canary),
            baseline: owned(baseline),
            bad: bad.clone(),
            named: named.clone(),
            randomised: randomised.as_deref().map(|(_, state)| state.clone()),
        }
    }
}
