//! What a snapshot has of a judge: its state without what the plan determines. Designs, limits,
//! window sizes and drawn subsets follow from plan and policy. They are built again, and what was
//! read is laid over them.
//!
//! Each part writes and reads itself: a field is kept unless it is marked with `skip`. Code that
//! restores a part keeps the fields that follow from the plan, and takes over the others.

use serde::{Deserialize, Serialize};

use crate::unit::Timestamp;

use super::arm_checks::ArmChecks;
use super::fix_test::FixTest;
use super::phase_end::PhaseEnd;
use super::test::TestRead;
use super::unconfirmed::Unconfirmed;
use super::watched::{DesignRead, Watched};
use super::{Judge, Verdict};

/// Part of a state that does not fit its plan.
pub(crate) type Misfit = &'static str;

/// Restores an optional part over what follows from the plan; Err unless both or neither are there.
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

/// State of a judge. Its parts are borrowed where it is written, and owned where it is read.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct JudgeParts<Metrics, End, Fix, Checks> {
    /// The phase whose limits are in force.
    phase: usize,
    watched: Metrics,
    phase_end: Option<End>,
    fix_test: Option<Fix>,
    arms: Checks,
    since: Option<Timestamp>,
    moved: Option<Timestamp>,
    unconfirmed: Unconfirmed,
    goes_without_live: bool,
}

/// State of a judge as it is written.
pub(crate) type JudgeState<'a> =
    JudgeParts<&'a [Watched], &'a PhaseEnd, &'a FixTest, &'a ArmChecks>;

/// State of a judge as it is read, without designs.
pub(crate) type JudgeRead =
    JudgeParts<Vec<Watched<TestRead, DesignRead>>, PhaseEnd, FixTest<TestRead>, ArmChecks>;

impl Judge {
    pub(crate) fn state(&self) -> JudgeState<'_> {
        JudgeParts {
            phase: self.watched.first().map_or(0, |watched| watched.basis().phase),
            watched: &self.watched,
            phase_end: self.phase_end.as_ref(),
            fix_test: self.fix_test.as_ref(),
            arms: &self.arms,
            since: self.since,
            moved: self.moved,
            unconfirmed: self.unconfirmed,
            goes_without_live: self.goes_without_live,
        }
    }

    /// Restores the state of a judge of the same plan into one without data.
    pub(crate) fn resume(&mut self, read: JudgeRead) -> Result<(), Misfit> {
        if read.watched.len() != self.watched.len() {
            return Err("the metrics");
        }
        self.enter_phase(read.phase);
        for (fresh, of) in self.watched.iter_mut().zip(read.watched) {
            fresh.resume(of, read.since)?;
        }
        let metrics = self.watched.len();
        let misfit = "the test at a phase's end";
        both_or_neither(&mut self.phase_end, read.phase_end, misfit, |end, read| {
            end.resume(read, metrics)
        })?;
        both_or_neither(&mut self.fix_test, read.fix_test, "the test of the fix", FixTest::resume)?;
        if !read.arms.fits(&self.split_design, metrics) {
            return Err("the test of the split");
        }
        (self.arms, self.since, self.moved) = (read.arms, read.since, read.moved);
        (self.unconfirmed, self.goes_without_live) = (read.unconfirmed, read.goes_without_live);
        Ok(())
    }

    /// Whether a verdict has this judge's metrics: all of them in order, or none before the first
    /// evaluation.
    pub(crate) fn knows(&self, verdict: &Verdict) -> bool {
        let named = verdict.metrics.iter().map(|(id, _)| *id);
        verdict.metrics.is_empty() || named.eq(self.watched.iter().map(|w| w.metric().id))
    }
}
