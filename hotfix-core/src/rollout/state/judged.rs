//! The judge of a rollout with its last verdict, and both as they were before a rollback.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::grade::{Severity, Sign};
use crate::judge::{Against, Decision, Judge, JudgeState, Verdict};
use crate::metric::{Band, Observation, ReadingError};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::policy::section::Contingency;
use crate::rollout::question::Question;
use crate::rollout::snapshot::SnapshotError;
use crate::stats::StatError;
use crate::unit::{Share, Timestamp};

/// The judge now and before a rollback. `J`: the judge, or its state in a snapshot, which has
/// nothing that follows from the plan.
#[derive(Debug, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Judged<J = Judge> {
    now: Assessed<J>,
    /// From a rollback on: as it was before, for later explanations.
    kept: Option<Box<Assessed<J>>>,
}

/// A judge with its last verdict.
#[derive(Debug, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assessed<J = Judge> {
    pub(crate) judge: J,
    pub(crate) verdict: Verdict,
    /// The question of the verdict, while the judge's data are unchanged.
    pub(crate) question: Option<Question>,
}

impl Judged {
    pub(super) fn try_new(plan: &Plan) -> Result<Self, StatError> {
        Ok(Self::of(Judge::try_new(plan)?))
    }

    pub(super) fn of(judge: Judge) -> Self {
        let now = Assessed { judge, verdict: Verdict::default(), question: None };
        Self { now, kept: None }
    }

    pub(crate) const fn judge(&self) -> &Judge {
        &self.now.judge
    }

    pub(crate) const fn verdict(&self) -> &Verdict {
        &self.now.verdict
    }

    pub(crate) const fn question(&self) -> Option<&Question> {
        self.now.question.as_ref()
    }

    /// What is explained: the last verdict, or the one before a rollback.
    pub(crate) fn explained(&self) -> &Assessed {
        match &self.kept {
            Some(kept) if self.now.question.is_none() => kept,
            _ => &self.now,
        }
    }

    /// Whether the policy claims that the fix works, and nothing has shown it although both
    /// versions ran side by side.
    pub(crate) fn is_unproven(&self, plan: &Plan) -> bool {
        self.verdict().efficacy.is_some_and(|efficacy| !efficacy.shown)
            && plan.phases().iter().any(|phase| phase.share < Share::ALL)
    }

    /// The contingency of this severity that makes the rollout wait while no deciding metric has
    /// data.
    pub(crate) fn waits_for_data<'a>(
        &self,
        policy: &'a Policy,
        severity: Option<Severity>,
    ) -> Option<&'a Contingency> {
        let severity = severity?;
        let waits = |contingency: &&Contingency| {
            contingency.sign == Some(Sign::NoData) && contingency.waits.contains(&severity)
        };
        let contingency = policy.contingencies().iter().find(waits)?;
        let seen = &self.verdict().metrics;
        let mut deciding = seen.iter().filter(|(id, _)| policy.decides(*id)).peekable();
        let blind = deciding.peek().is_some()
            && deciding.all(|(_, seen)| matches!(seen.band, Band::NoData | Band::Stale));
        blind.then_some(contingency)
    }

    /// The decision that the judge would make; nothing changes.
    pub(crate) fn would_decide(&self, plan: &Plan, question: &Question) -> Decision {
        let mut now = self.now.clone();
        now.judge.assess(&question.moment(plan), &mut now.verdict);
        now.verdict.decision
    }

    /// Checks the readings of an observation and converts them, before it is folded.
    pub(crate) fn prepare(
        &mut self,
        at: Timestamp,
        share: Share,
        metrics: &Observation,
    ) -> Result<(), ReadingError> {
        self.now.judge.prepare(at, share, metrics)
    }

    pub(super) const fn judge_mut(&mut self) -> &mut Judge {
        &mut self.now.judge
    }

    /// Makes the verdict.
    pub(super) fn assess(&mut self, plan: &Plan, question: &Question, against: Option<Against>) {
        self.now.judge.assess(&question.moment(plan), &mut self.now.verdict);
        self.now.verdict.against = against;
    }

    /// Takes a verdict as a log has it.
    pub(super) fn record(&mut self, verdict: Verdict) {
        self.now.verdict = verdict;
    }

    /// Folds the verdict of this question.
    pub(super) fn note(&mut self, at: Timestamp, question: Question) {
        self.now.judge.note(at, &self.now.verdict);
        self.now.question = Some(question);
    }

    /// The judge's data change: the last verdict can no longer be explained.
    pub(super) fn forget_question(&mut self) {
        self.now.question = None;
    }

    /// Keeps the judge before windows are cleared and ticks no longer count.
    pub(super) fn keep(&mut self) {
        if self.now.question.is_some() {
            self.kept = Some(Box::new(self.now.clone()));
            self.now.question = None;
        }
    }

    /// What a snapshot has of it.
    pub(crate) fn state(&self) -> Judged<JudgeState> {
        let Self { now, kept } = self;
        Judged { now: now.state(), kept: kept.as_ref().map(|kept| Box::new(kept.state())) }
    }

    /// See [`RolloutState::write_behaviour`](super::RolloutState::write_behaviour).
    pub(super) fn write_behaviour(&self, into: &mut dyn Write) -> fmt::Result {
        // Explanations read the question and what is kept, and change nothing.
        let Self { now: Assessed { judge, verdict, question: _ }, kept: _ } = self;
        write!(into, "{judge:?}{verdict:?}")
    }
}

impl Assessed {
    fn state(&self) -> Assessed<JudgeState> {
        let Self { judge, verdict, question } = self;
        Assessed { judge: judge.state(), verdict: verdict.clone(), question: *question }
    }
}

impl Judged<JudgeState> {
    /// The judges of this plan.
    ///
    /// # Errors
    /// A state that does not fit the plan.
    pub(crate) fn restored(self, plan: &Plan) -> Result<Judged, SnapshotError> {
        let Self { now, kept } = self;
        let kept = kept.map(|kept| kept.restored(plan).map(Box::new));
        Ok(Judged { now: now.restored(plan)?, kept: kept.transpose()? })
    }
}

impl Assessed<JudgeState> {
    fn restored(self, plan: &Plan) -> Result<Assessed, SnapshotError> {
        let Self { judge: state, verdict, question } = self;
        let misfit = |what| SnapshotError::Misfit { what };
        if question.is_some_and(|question| !question.is_of(plan.policy())) {
            return Err(misfit("the phase"));
        }
        let mut judge = Judge::try_new(plan)?;
        judge.resume(state).map_err(misfit)?;
        if !judge.knows(&verdict) {
            return Err(misfit("the verdict"));
        }
        Ok(Assessed { judge, verdict, question })
    }
}
