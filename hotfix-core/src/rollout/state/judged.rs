//! The judge of a rollout with its last verdict, and both as they were before a rollback.

use serde::{Deserialize, Serialize};

use crate::getters::getters;
use crate::grade::Severity;
use crate::judge::{Against, Cause, Decision, Judge, JudgeRead, JudgeState, Moment, Prepared};
use crate::judge::{Reason, Running, Verdict, is_worse_than_seen};
use crate::metric::{Band, Observation, ReadingError};
use crate::plan::Plan;
use crate::policy::Policy;
use crate::policy::section::Contingency;
use crate::rollout::snapshot::SnapshotError;
use crate::rollout::stage::{Stage, Step};
use crate::unit::{Share, Span, Timestamp};

use super::place::Place;

/// The judge now and before a rollback. `J`: the judge, or its state in a snapshot, which has
/// nothing that follows from the plan.
#[derive(Debug, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
pub(crate) struct Judged<J = Judge> {
    pub(super) now: Assessed<J>,
    /// From a rollback on: as it was before, for later explanations.
    pub(super) kept: Option<Box<Assessed<J>>>,
}

/// Which readings are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silent {
    /// Those of the fix, of all deciding metrics.
    All,
    /// Those of the live version, with which the fix is compared.
    Live,
}

/// A judge with its last verdict.
#[derive(Debug, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
pub(crate) struct Assessed<J = Judge> {
    pub(crate) judge: J,
    pub(crate) verdict: Verdict,
    /// The question of the verdict, while the judge's data are unchanged.
    pub(crate) question: Option<Question>,
}

impl Judged {
    pub(super) fn of(judge: Judge) -> Self {
        let now = Assessed { judge, verdict: Verdict::default(), question: None };
        Self { now, kept: None }
    }

    /// What is explained: the last verdict, or the one before a rollback.
    pub(crate) fn explained(&self) -> &Assessed {
        match &self.kept {
            Some(kept) if self.now.question.is_none() => kept,
            _ => &self.now,
        }
    }

    /// Whether the fix should be shown to work and is not: both versions ran side by side, or the
    /// evidence (`log_e`) speaks against it.
    pub(crate) fn is_unproven(&self, plan: &Plan) -> bool {
        let is_side_by_side = plan.phases().iter().any(|phase| phase.share < Share::ALL);
        let efficacy = self.verdict().efficacy.filter(|efficacy| !efficacy.shown);
        efficacy.is_some_and(|efficacy| is_side_by_side || efficacy.log_e < 0.0)
    }

    /// Why a person has to state at the end how the fix is known to work: the policy makes this severity
    /// wait for readings that are missing, or its claim is not shown.
    pub(crate) fn lacks_proof(
        &self,
        plan: &Plan,
        severity: Option<Severity>,
    ) -> Option<&'static str> {
        if self.waits_for_data(plan.policy(), severity).is_some() {
            Some("nothing is read of the fix")
        } else {
            self.is_unproven(plan).then_some("the fix is not shown to work")
        }
    }

    /// The contingency of this severity that makes the rollout wait while no deciding metric has
    /// data.
    pub(crate) fn waits_for_data<'a>(
        &self,
        policy: &'a Policy,
        severity: Option<Severity>,
    ) -> Option<&'a Contingency> {
        let contingency = policy.waits_for_readings(severity)?;
        self.lacks_readings(policy).then_some(contingency)
    }

    /// What of the present watch has no fresh reading; None where nothing is missing.
    pub(crate) fn missing(&self, policy: &Policy) -> Option<Silent> {
        if self.lacks_readings(policy) {
            Some(Silent::All)
        } else if [Reason::NoLiveData, Reason::LiveNeverRead]
            .iter()
            .any(|of| self.verdict().has(*of))
        {
            Some(Silent::Live)
        } else {
            None
        }
    }

    /// Whether no deciding metric has a fresh reading in the present watch.
    fn lacks_readings(&self, policy: &Policy) -> bool {
        let seen = &self.verdict().metrics;
        let mut deciding = seen.iter().filter(|(id, _)| policy.decides(*id)).peekable();
        deciding.peek().is_some()
            && deciding.all(|(_, seen)| matches!(seen.band, Band::NoData | Band::Stale))
    }

    /// The decision that the judge would make; nothing changes.
    pub(crate) fn would_decide(&self, plan: &Plan, question: &Question) -> Decision {
        let mut now = self.now.clone();
        now.judge.assess(&question.moment(plan), &mut now.verdict);
        now.verdict.decision
    }

    /// Checks the readings of an observation, before it is folded.
    pub(crate) fn prepare<'a>(
        &mut self,
        at: Timestamp,
        share: Share,
        metrics: &'a Observation,
    ) -> Result<Prepared<'a>, ReadingError> {
        self.now.judge.prepare(at, share, metrics)
    }

    /// Makes the verdict, and returns how many of its causes lead to its decision.
    pub(super) fn assess(
        &mut self,
        plan: &Plan,
        question: &Question,
        against: Option<Against>,
    ) -> usize {
        let leading = self.now.judge.assess(&question.moment(plan), &mut self.now.verdict);
        self.now.verdict.mark_milder(leading);
        self.now.verdict.against = against;
        leading
    }

    /// After the completion, where no deciding metric is judged: adds a cause for each and asks a
    /// person. Takes and returns the number of leading causes, as [`assess`](Self::assess) does.
    pub(super) fn ask_if_not_judged(&mut self, policy: &Policy, leading: usize) -> usize {
        let Verdict { metrics, causes, decision, .. } = &mut self.now.verdict;
        let deciding = || metrics.iter().filter(|(id, _)| policy.decides(*id));
        if *decision == Decision::RollBack || deciding().any(|(_, seen)| seen.band.is_judged()) {
            return leading;
        }
        let before = if *decision == Decision::Ask { leading } else { 0 };
        let unjudged = deciding().filter(|(_, seen)| seen.band == Band::NotJudged);
        let known = causes.len();
        let unjudged = unjudged.map(|(id, _)| Cause::new(Reason::NotJudged, Some(*id), None));
        causes.splice(before..before, unjudged);
        match causes.len() - known {
            0 => leading,
            more => {
                *decision = Decision::Ask;
                before + more
            }
        }
    }

    /// Where unjudged metrics are asked about, puts those first that are clearly worse than when a
    /// person was last asked. Takes and returns the number of leading causes.
    pub(super) fn name_worse(&mut self, mut leading: usize, is_complete: bool) -> usize {
        let Assessed { judge, verdict: Verdict { causes, decision, .. }, .. } = &mut self.now;
        let mut worse = 0;
        for index in 0..causes.len() {
            let Cause { reason, metric, .. } = &mut causes[index];
            let is_unjudged = *decision == Decision::Ask && *reason == Reason::NotJudged;
            let metric = metric.filter(|_| is_unjudged);
            if metric.is_some_and(|id| is_worse_than_seen(judge, id, is_complete)) {
                *reason = Reason::WorseThanSeen;
                causes[worse..=index].rotate_right(1);
                worse += 1;
                leading += usize::from(index >= leading);
            }
        }
        leading
    }

    /// Folds the present verdict, which answers this question.
    pub(super) fn note(&mut self, at: Timestamp, question: Question) {
        self.now.judge.note(at, &self.now.verdict);
        self.now.question = Some(question);
    }

    /// Keeps the judge before windows are cleared and ticks no longer count.
    pub(super) fn keep(&mut self) {
        if self.now.question.is_some() {
            self.kept = Some(Box::new(self.now.clone()));
            self.now.question = None;
        }
    }

    /// The state for a snapshot.
    pub(crate) fn state(&self) -> Judged<JudgeState<'_>> {
        let Self { now, kept } = self;
        Judged { now: now.state(), kept: kept.as_ref().map(|kept| Box::new(kept.state())) }
    }
}

impl Assessed {
    fn state(&self) -> Assessed<JudgeState<'_>> {
        let Self { judge, verdict, question } = self;
        Assessed { judge: judge.state(), verdict: verdict.clone(), question: *question }
    }
}

impl Judged<JudgeRead> {
    /// The judges of this plan with this state; [`SnapshotError::Misfit`] where it does not fit.
    pub(crate) fn restored(self, plan: &Plan) -> Result<Judged, SnapshotError> {
        let Self { now, kept } = self;
        let kept = kept.map(|kept| kept.restored(plan).map(Box::new));
        Ok(Judged { now: now.restored(plan)?, kept: kept.transpose()? })
    }
}

impl Assessed<JudgeRead> {
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

/// The question to the judge for a verdict: enough to ask it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Question {
    at: Timestamp,
    share: Share,
    /// The phase that is due, by index, and whether it is held for too long.
    due: Option<(usize, bool)>,
    /// The phase under way and since when.
    running: Option<Step>,
    needs_efficacy: bool,
    after_the_phases: bool,
    /// The policy makes this severity wait for readings that are missing.
    waits_for_readings: bool,
}

impl Question {
    /// The question for a verdict at this time; None where nothing is judged.
    pub(super) fn of(
        place: &Place,
        plan: &Plan,
        at: Timestamp,
        severity: Option<Severity>,
    ) -> Option<Self> {
        let policy = plan.policy();
        let of_phase = |step: &Step| {
            let phase = policy.phases().get(step.index)?;
            let watched = at.since(step.since);
            let over = watched >= policy.held_at_most(phase);
            (watched >= phase.watch).then_some((step.index, over))
        };
        let last = policy.phases().len().saturating_sub(1);
        let due = match place.stage() {
            Stage::Monitoring(step) => of_phase(step),
            Stage::Gate { step, .. } => Some((step.index, false)),
            Stage::FinalValidation { since } => {
                let lasted = at.since(*since);
                let over = lasted >= policy.validation_held_at_most();
                (lasted >= policy.final_validation().watch).then_some((last, over))
            }
            Stage::Deploying(_)
            | Stage::Paused { .. }
            | Stage::Complete { .. }
            | Stage::Frozen { .. } => None,
            Stage::Preparing
            | Stage::Closed
            | Stage::RollingBack(_)
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => return None,
        };
        let running = match place.stage() {
            Stage::Monitoring(step) => Some(*step),
            _ => None,
        };
        let share = place.share();
        let needs_efficacy = share < Share::ALL && plan.efficacy().is_some_and(|e| e.required);
        let after_the_phases =
            matches!(place.stage(), Stage::FinalValidation { .. } | Stage::Complete { .. });
        let waits_for_readings = policy.waits_for_readings(severity).is_some();
        Some(Self { at, share, due, running, needs_efficacy, after_the_phases, waits_for_readings })
    }

    /// A question about readings alone, at this share of the canary: no phase is due.
    pub(super) fn of_reading(at: Timestamp, share: Share) -> Self {
        Self { at, share, ..Self::default() }
    }

    /// Whether the policy has the phases that it names.
    pub(crate) fn is_of(&self, policy: &Policy) -> bool {
        self.due.is_none_or(|(index, _)| index < policy.phases().len())
            && self.running.is_none_or(|step| step.is_of(policy))
    }

    /// The question in the judge's form.
    pub(crate) fn moment<'a>(&self, plan: &'a Plan) -> Moment<'a> {
        let policy = plan.policy();
        let phase = |index: usize| policy.phases().get(index);
        let left = |step: &Step, whole: Span| whole - self.at.since(step.since);
        let now = self.running.map(|step| step.index).or(self.due.map(|(index, _)| index));
        let next = now.and_then(|index| phase(index + 1));
        Moment {
            at: self.at,
            share: self.share,
            watch: policy.watch(),
            due: self.due.and_then(|(index, _)| phase(index)),
            overdue: self.due.is_some_and(|(_, over)| over),
            waits_for_readings: self.waits_for_readings,
            needs_efficacy: self.needs_efficacy,
            can_show_later: next.is_some_and(|next| next.share < Share::ALL),
            after_the_phases: self.after_the_phases,
            traffic: plan.subject().traffic.requests_per_minute,
            running: self.running.as_ref().and_then(|step| {
                let phase = phase(step.index)?;
                Some(Running {
                    phase,
                    until_due: left(step, phase.watch),
                    until_overdue: phase.watch_most.map(|_| left(step, policy.held_at_most(phase))),
                    until_asked: left(step, policy.held_unasked(phase)),
                })
            }),
        }
    }
}

getters! {
    pub(crate) Judged: self;

    judge: &Judge = &self.now.judge;
    /// The judge with its last verdict.
    last: &Assessed = &self.now;
    verdict: &Verdict = &self.now.verdict;
    question: Option<&Question> = self.now.question.as_ref();
}

getters! {
    pub(crate) Question: self;

    at: Timestamp = self.at;
    /// Whether the policy made the severity of then wait for readings that are missing.
    waits_for_readings: bool = self.waits_for_readings;
    /// Whether all phases have passed, so that a hold has no effect.
    is_after_the_phases: bool = self.after_the_phases;
}
