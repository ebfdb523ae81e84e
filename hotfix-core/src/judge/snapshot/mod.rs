//! The judge's part of a snapshot: its state without what the plan determines.
//! Designs, limits, window sizes and drawn subsets follow from plan and policy and are rebuilt.
//! Every field is named where a state is saved, so that a new field does not compile until it is
//! either saved or marked as derived.

mod watched;

use serde::{Deserialize, Serialize};

use crate::unit::Timestamp;

use super::arm_checks::ArmChecks;
use super::fix_test::FixTest;
use super::phase_end::Analyses;
use super::test::{Test, TestEvidence};
use super::{Judge, Verdict};

use watched::WatchedState;

/// Part of a state that does not fit its plan.
pub(crate) type Misfit = &'static str;

/// Lays what was read over what follows from the plan: both are there, or neither.
pub(super) fn both_or_neither<F, R>(
    fresh: &mut Option<F>,
    read: Option<R>,
    misfit: Misfit,
    resume: impl FnOnce(&mut F, R) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    match (fresh, read) {
        (Some(fresh), Some(read)) => resume(fresh, read),
        (None, None) => Ok(()),
        _ => Err(misfit),
    }
}

/// State of a judge. `T`: a test, or its evidence as it is read.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgeState<T = Test> {
    /// The phase whose limits are in force.
    phase: usize,
    watched: Vec<WatchedState<T>>,
    phase_end: Option<Analyses>,
    fix_test: Option<FixTest<T>>,
    arms: ArmChecks,
    since: Option<Timestamp>,
    moved: Option<Timestamp>,
}

/// State of a judge as it is read, in which the tests have no designs.
pub(crate) type ReadState = JudgeState<TestEvidence>;

impl Judge {
    /// Its state.
    pub(crate) fn state(&self) -> JudgeState {
        let Self {
            watched,
            tested: _,
            combination: _,
            threshold: _,
            hold: _,
            criteria: _,
            phase_end,
            fix_test,
            traffic: _,
            split_design: _,
            arms,
            since,
            moved,
            spare: _,
        } = self;
        JudgeState {
            phase: watched.first().map_or(0, |watched| watched.basis.phase()),
            watched: watched.iter().map(super::Watched::state).collect(),
            phase_end: phase_end.as_ref().map(|end| end.results().clone()),
            fix_test: fix_test.clone(),
            arms: arms.clone(),
            since: *since,
            moved: *moved,
        }
    }

    /// Restores the state of a judge of the same plan into one without data.
    ///
    /// # Errors
    /// The part of the state that does not fit the plan.
    pub(crate) fn resume(&mut self, state: ReadState) -> Result<(), Misfit> {
        let JudgeState { phase, watched, phase_end, fix_test, arms, since, moved } = state;
        if watched.len() != self.watched.len() {
            return Err("the metrics");
        }
        self.enter_phase(phase);
        for (kept, state) in self.watched.iter_mut().zip(watched) {
            kept.began = since;
            kept.resume(state)?;
        }
        let metrics = self.watched.len();
        let misfit = "the test at a phase's end";
        both_or_neither(&mut self.phase_end, phase_end, misfit, |end, read| {
            end.resume(read, metrics)
        })?;
        both_or_neither(&mut self.fix_test, fix_test, "the test of the fix", FixTest::resume)?;
        if !arms.fits(&self.split_design) {
            return Err("the test of the split");
        }
        (self.arms, self.since, self.moved) = (arms, since, moved);
        Ok(())
    }

    /// Whether a verdict has this judge's metrics: all of them in order, or none before the first
    /// evaluation.
    pub(crate) fn knows(&self, verdict: &Verdict) -> bool {
        let named = verdict.metrics.iter().map(|(id, _)| *id);
        verdict.metrics.is_empty() || named.eq(self.watched.iter().map(|w| w.metric.id))
    }
}
