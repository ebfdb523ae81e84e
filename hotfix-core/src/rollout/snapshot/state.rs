//! The folded state in a snapshot. Every field is named, so that a new one does not compile until
//! it is added here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::deadline::{Agenda, AgendaState};
use crate::fact::Facts;
use crate::gate::approval::{DemandId, Statements};
use crate::gate::checklist::Marks;
use crate::grade::Severity;
use crate::judge::{Judge, JudgeState, PhaseRecord, Verdict};
use crate::plan::Plan;
use crate::rollout::action::{Action, ActionId};
use crate::rollout::downtime::Outage;
use crate::rollout::explain::{Kept, Question};
use crate::rollout::intervention::Interventions;
use crate::rollout::keys::Keys;
use crate::rollout::readiness::Readiness;
use crate::rollout::stage::{RollbackCause, Stage, Step};
use crate::rollout::state::RolloutState;
use crate::rollout::unanswered::Unanswered;
use crate::unit::{Share, Timestamp};

use super::error::SnapshotError;

/// Lines that a log can have: their numbers are exact in JSON.
const MOST_LINES: u64 = 1 << 53;

/// The folded state.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StateSnapshot {
    stage: Stage,
    turned_back_at: Option<Timestamp>,
    turned_back_for: Option<RollbackCause>,
    at: Option<Timestamp>,
    share: Share,
    attempt: u32,
    readiness: ReadinessState,
    agenda: AgendaState,
    pending: Vec<Action>,
    #[serde(default)]
    last: Vec<Action>,
    pending_since: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    overtaken: Vec<ActionId>,
    asked: bool,
    objected: bool,
    #[serde(default)]
    on_status_page: bool,
    unanswered: Option<Unanswered>,
    interventions: Interventions,
    keys: Keys,
    judge: JudgeState,
    verdict: Verdict,
    question: Option<Question>,
    kept: Option<KeptState>,
    phases: Vec<PhaseRecord>,
    outages: Vec<Outage>,
    refusals: Vec<(String, i64)>,
}

/// Statements about the plan, and the state of the items.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadinessState {
    severity: Option<Severity>,
    given: bool,
    /// As inputs write them.
    facts: Map<String, Value>,
    words: Statements,
    marks: Marks,
    started: Option<Timestamp>,
    requested: Vec<DemandId>,
    requested_at: Option<Timestamp>,
    told: Vec<DemandId>,
}

/// The judge as it was when the rollback began.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptState {
    judge: JudgeState,
    question: Question,
    verdict: Verdict,
}

impl StateSnapshot {
    /// # Errors
    /// Facts that JSON cannot hold; none can be made.
    pub(super) fn of(case: &RolloutState) -> Result<Self, serde_json::Error> {
        let RolloutState {
            stage,
            turned_back_at,
            turned_back_for,
            // In the envelope.
            seq: _,
            at,
            share,
            attempt,
            readiness,
            agenda,
            pending,
            last,
            pending_since,
            looked_at,
            overtaken,
            asked,
            objected,
            on_status_page,
            unanswered,
            interventions,
            keys,
            judge,
            verdict,
            question,
            kept,
            phases,
            outages,
            refusals,
        } = case;
        Ok(Self {
            stage: stage.clone(),
            turned_back_at: *turned_back_at,
            turned_back_for: turned_back_for.clone(),
            at: *at,
            share: *share,
            attempt: *attempt,
            readiness: ReadinessState::of(readiness)?,
            agenda: agenda.state(),
            pending: pending.clone(),
            last: last.clone(),
            pending_since: *pending_since,
            looked_at: *looked_at,
            overtaken: overtaken.clone(),
            asked: *asked,
            objected: *objected,
            on_status_page: *on_status_page,
            unanswered: unanswered.clone(),
            interventions: interventions.clone(),
            keys: keys.clone(),
            judge: judge.state(),
            verdict: verdict.clone(),
            question: *question,
            kept: kept.as_deref().map(KeptState::of),
            phases: phases.clone(),
            outages: outages.clone(),
            refusals: refusals.clone(),
        })
    }

    /// The folded state of this plan, to which `seq` lines have led.
    pub(super) fn restored(self, plan: &Plan, seq: u64) -> Result<RolloutState, SnapshotError> {
        let Self {
            stage,
            turned_back_at,
            turned_back_for,
            at,
            share,
            attempt,
            readiness,
            agenda,
            pending,
            last,
            pending_since,
            looked_at,
            overtaken,
            asked,
            objected,
            on_status_page,
            unanswered,
            interventions,
            keys,
            judge,
            verdict,
            question,
            kept,
            phases,
            outages,
            refusals,
        } = self;
        let fits = |question: Option<&Question>| {
            question.is_none_or(|question| {
                let due =
                    question.due.is_none_or(|(index, _)| index < plan.policy().phases().len());
                due && question.running.is_none_or(|step| is_of(plan, step))
            })
        };
        if at.is_none() || seq > MOST_LINES || u64::from(attempt) > seq {
            return Err(misfit("the clock"));
        }
        let turned_back = stage.has_turned_back();
        if turned_back_at.is_some() != turned_back || (turned_back_for.is_some() && !turned_back) {
            return Err(misfit("the rollback"));
        }
        if !stage.step().is_none_or(|step| is_of(plan, step)) || !fits(question.as_ref()) {
            return Err(misfit("the phase"));
        }
        let judge = judge_of(plan, judge, &verdict)?;
        let kept = match kept {
            Some(KeptState { judge, question, verdict }) if fits(Some(&question)) => {
                let judge = judge_of(plan, judge, &verdict)?;
                Some(Box::new(Kept { judge, question, verdict }))
            }
            Some(_) => return Err(misfit("the phase")),
            None => None,
        };
        Ok(RolloutState {
            stage,
            turned_back_at,
            turned_back_for,
            seq,
            at,
            share,
            attempt,
            readiness: readiness.restored(plan)?,
            agenda: Agenda::restored(plan.policy(), agenda).ok_or(misfit("the duties"))?,
            pending,
            last,
            pending_since,
            looked_at,
            overtaken,
            asked,
            objected,
            on_status_page,
            unanswered,
            interventions,
            keys: keys.restored().ok_or(misfit("the keys"))?,
            judge,
            verdict,
            question,
            kept,
            phases,
            outages,
            refusals,
        })
    }
}

impl ReadinessState {
    fn of(readiness: &Readiness) -> Result<Self, serde_json::Error> {
        // `normal` follows from the plan.
        let Readiness {
            severity,
            given,
            facts,
            words,
            marks,
            normal: _,
            started,
            requested,
            requested_at,
            told,
        } = readiness;
        let facts = match serde_json::to_value(facts)? {
            Value::Object(facts) => facts,
            _ => Map::new(),
        };
        Ok(Self {
            severity: *severity,
            given: *given,
            facts,
            words: words.clone(),
            marks: marks.clone(),
            started: *started,
            requested: requested.clone(),
            requested_at: *requested_at,
            told: told.clone(),
        })
    }

    fn restored(self, plan: &Plan) -> Result<Readiness, SnapshotError> {
        let Self { severity, given, facts, words, marks, started, requested, requested_at, told } =
            self;
        let facts = Facts::read(&facts, plan.policy().vocabulary());
        let facts = facts.map_err(|_| misfit("the facts"))?;
        let normal = plan.normal_process(severity, &facts);
        Ok(Readiness {
            severity,
            given,
            facts,
            words,
            marks,
            normal,
            started,
            requested,
            requested_at,
            told,
        })
    }
}

impl KeptState {
    fn of(kept: &Kept) -> Self {
        let Kept { judge, question, verdict } = kept;
        Self { judge: judge.state(), question: *question, verdict: verdict.clone() }
    }
}

const fn misfit(what: &'static str) -> SnapshotError {
    SnapshotError::Misfit { what }
}

/// The judge of this plan, knowing that; `verdict` is its last.
fn judge_of(plan: &Plan, state: JudgeState, verdict: &Verdict) -> Result<Judge, SnapshotError> {
    let mut judge = Judge::try_new(plan)?;
    judge.resume(state).map_err(misfit)?;
    if judge.knows(verdict) { Ok(judge) } else { Err(misfit("the verdict")) }
}

fn is_of(plan: &Plan, step: Step) -> bool {
    plan.policy().phases().get(step.index).is_some_and(|phase| phase.name == step.phase)
}
