//! The content of a snapshot after the line with its opening: the parts of the folded state, each
//! as it is, without what follows from the plan.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::deadline::{Agenda, AgendaState};
use crate::judge::JudgeState;
use crate::plan::Plan;
use crate::rollout::state::{Actions, Happened, Judged, People, Place, Readiness, RolloutState};

use super::error::SnapshotError;

/// The folded state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content<'a> {
    place: Cow<'a, Place>,
    actions: Cow<'a, Actions>,
    people: Cow<'a, People>,
    readiness: Cow<'a, Readiness>,
    /// As inputs write them.
    facts: Map<String, Value>,
    agenda: Cow<'a, AgendaState>,
    judged: Judged<JudgeState>,
    happened: Cow<'a, Happened>,
    /// Of the log's digests. None where it was redacted.
    pub(super) salt: Option<Cow<'a, str>>,
}

impl<'a> Content<'a> {
    /// # Errors
    /// Facts that JSON cannot hold; none can be made.
    pub(super) fn of(
        case: &'a RolloutState,
        salt: Option<&'a str>,
    ) -> Result<Self, serde_json::Error> {
        let RolloutState { place, actions, people, readiness, agenda, judged, happened } = case;
        let facts = match serde_json::to_value(readiness.facts())? {
            Value::Object(facts) => facts,
            _ => Map::new(),
        };
        Ok(Self {
            place: Cow::Borrowed(place),
            actions: Cow::Borrowed(actions),
            people: Cow::Borrowed(people),
            readiness: Cow::Borrowed(readiness),
            facts,
            agenda: Cow::Borrowed(agenda.state()),
            judged: judged.state(),
            happened: Cow::Borrowed(happened),
            salt: salt.map(Cow::Borrowed),
        })
    }

    /// The folded state of this plan, to which `seq` lines have led.
    ///
    /// # Errors
    /// A state that does not fit the plan or the log.
    pub(super) fn restored(self, plan: &Plan, seq: u64) -> Result<RolloutState, SnapshotError> {
        let misfit = |what| SnapshotError::Misfit { what };
        let mut case = RolloutState {
            place: self.place.into_owned(),
            actions: self.actions.into_owned(),
            people: self.people.into_owned(),
            readiness: self.readiness.into_owned(),
            agenda: Agenda::restored(plan.policy(), self.agenda.into_owned())
                .ok_or(misfit("the duties"))?,
            judged: self.judged.restored(plan)?,
            happened: self.happened.into_owned(),
        };
        case.place.resume(plan.policy(), seq).map_err(misfit)?;
        case.actions.resume().map_err(misfit)?;
        case.readiness.resume(plan, &self.facts).map_err(misfit)?;
        Ok(case)
    }
}
