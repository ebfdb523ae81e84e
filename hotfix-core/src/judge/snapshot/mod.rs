//! The judge's part of a snapshot: its state without what the plan determines.
//! Designs, limits, window sizes and drawn subsets follow from plan and policy and are rebuilt.
//! Every field is named where a state is saved, so that a new field does not compile until it is
//! either saved or marked as derived.

mod instances;
mod watched;

use serde::{Deserialize, Serialize};

use crate::stats::bernoulli::Bernoulli;
use crate::stats::latency::{Latency, Tolerance};
use crate::stats::rate_ratio::RateRatio;
use crate::unit::Timestamp;

use super::aligned::{Aligned, Side};
use super::arm_checks::ArmChecks;
use super::fix_test::{FixTest, FixTestState};
use super::phase_end::Analyses;
use super::test::Test;
use super::{Judge, Verdict};

use watched::WatchedState;

/// Part of a state that does not fit its plan.
pub(crate) type Misfit = &'static str;

/// State of a judge.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JudgeState {
    /// The phase whose limits are in force.
    phase: usize,
    watched: Vec<WatchedState>,
    phase_end: Option<Analyses>,
    fix_test: Option<FixTestState>,
    arms: ArmChecks,
    since: Option<Timestamp>,
    moved: Option<Timestamp>,
}

/// A test's evidence.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TestState {
    Rate(Box<RateRatio>),
    Bernoulli(Box<Bernoulli>),
    Latency(Box<Latency>),
    Tolerance(Box<Tolerance>),
}

/// A test's evidence on both alignments.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlignedState {
    lead: TestState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lag: Option<TestState>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    crossed: bool,
}

impl Aligned<Test> {
    pub(super) fn state(&self) -> AlignedState {
        let (lead, lag, crossed) = self.parts();
        AlignedState { lead: lead.state(), lag: lag.map(Test::state), crossed }
    }

    /// Restores the evidence of a test of the same design.
    pub(super) fn resume(&mut self, state: AlignedState) -> Result<(), Misfit> {
        let AlignedState { lead, lag, crossed } = state;
        let mut fresh = self.on(Side::Lead).clone();
        let lag = match lag {
            Some(state) => {
                let mut lag = fresh.clone();
                lag.resume(state)?;
                Some(lag)
            }
            None => None,
        };
        fresh.resume(lead)?;
        *self = Self::of(fresh, lag, crossed);
        Ok(())
    }
}

impl Test {
    fn state(&self) -> TestState {
        match self {
            Self::Rate(_, state) => TestState::Rate(state.clone()),
            Self::Bernoulli(_, state) => TestState::Bernoulli(state.clone()),
            Self::Latency(_, state) => TestState::Latency(state.clone()),
            Self::Tolerance(_, state) => TestState::Tolerance(state.clone()),
        }
    }

    /// Restores the evidence of a test with the same design.
    fn resume(&mut self, state: TestState) -> Result<(), Misfit> {
        match (self, state) {
            (Self::Rate(design, kept), TestState::Rate(state)) if state.check(design).is_ok() => {
                *kept = state;
            }
            (Self::Bernoulli(design, kept), TestState::Bernoulli(state))
                if state.check(design).is_ok() =>
            {
                *kept = state;
            }
            (Self::Latency(design, kept), TestState::Latency(state))
                if state.check(design).is_ok() =>
            {
                *kept = state;
            }
            (Self::Tolerance(design, kept), TestState::Tolerance(state))
                if state.check(design).is_ok() =>
            {
                *kept = state;
            }
            _ => return Err("a test"),
        }
        Ok(())
    }
}

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
            fix_test: fix_test.as_ref().map(FixTest::state),
            arms: arms.clone(),
            since: *since,
            moved: *moved,
        }
    }

    /// Restores the state of a judge of the same plan into one without data.
    ///
    /// # Errors
    /// The part of the state that does not fit the plan.
    pub(crate) fn resume(&mut self, state: JudgeState) -> Result<(), Misfit> {
        let JudgeState { phase, watched, phase_end, fix_test, arms, since, moved } = state;
        if watched.len() != self.watched.len() {
            return Err("the metrics");
        }
        self.enter_phase(phase);
        for (kept, state) in self.watched.iter_mut().zip(watched) {
            kept.began = since;
            kept.resume(state)?;
        }
        match (&mut self.phase_end, phase_end) {
            (Some(end), Some(results)) => end.resume(results, self.watched.len())?,
            (None, None) => {}
            _ => return Err("the test at a phase's end"),
        }
        match (&mut self.fix_test, fix_test) {
            (Some(fix_test), Some(state)) => fix_test.resume(state)?,
            (None, None) => {}
            _ => return Err("the test of the fix"),
        }
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
