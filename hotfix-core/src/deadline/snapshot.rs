//! What an agenda keeps, and a snapshot has of it.

use serde::{Deserialize, Serialize};

use crate::fact::Truth;
use crate::grade::{Calendar, Flow, Moment, Severity};
use crate::policy::Policy;
use crate::unit::Timestamp;

use super::item_state::DutyState;
use super::{Agenda, Answered, Call, Moments, Reached};

/// How often a duty can have been settled: once with each line of a log.
const MOST_TIMES: u64 = 1 << 53;

/// The state of an agenda, without what follows from the policy.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
pub(crate) struct AgendaState {
    pub(super) courses: Vec<DutyState>,
    pub(super) ladders: Vec<Option<Answered>>,
    pub(super) moments: Moments,
    /// The moments whose time only a fact gives.
    pub(super) by_fact: Vec<Moment>,
    pub(super) days: [Option<Timestamp>; Calendar::ALL.len()],
    pub(super) severity: Option<Severity>,
    /// Since when the incident has been, or once was, at least as severe as each severity.
    pub(super) reached: [Option<Reached>; Severity::ALL.len()],
    /// The severity is only assumed.
    pub(super) assumed: bool,
    pub(super) stop_gap: Truth,
    /// The version that has the canary's traffic, or is to get it.
    pub(super) canary: String,
    /// The branching model of the release.
    pub(super) flow: Option<Flow>,
    /// It is merged, before the deployment, into the only branch that needs it.
    pub(super) merged: bool,
    /// The time of the first input.
    pub(super) opened: Option<Timestamp>,
    /// The last time known.
    pub(super) now: Option<Timestamp>,
    /// When a rollback of the fix was requested, or the rollout was frozen.
    pub(super) turned_back: Option<Timestamp>,
    /// When the fix of the present attempt went live, if that was revoked.
    pub(super) was_live: Option<Timestamp>,
    /// When the incident was reopened.
    pub(super) reopened: Option<Timestamp>,
    /// When another attempt was last begun.
    pub(super) attempt: Option<Timestamp>,
    pub(super) calls: Vec<Call>,
    pub(super) fix_by: Option<Timestamp>,
    /// When something changes next, computed at the last `advance`.
    pub(super) next: Option<Timestamp>,
    /// Nothing was folded since then.
    pub(super) next_holds: bool,
}

impl Agenda {
    pub(crate) const fn state(&self) -> &AgendaState {
        &self.state
    }

    /// The agenda of this policy with this state; None where they do not fit.
    pub(crate) fn restored(policy: &Policy, state: AgendaState) -> Option<Self> {
        let fresh = Self::new(policy);
        let fits = state.courses.len() == fresh.state.courses.len()
            && state.ladders.len() == fresh.state.ladders.len()
            && state.calls.len() <= fresh.obligations.len()
            && state.courses.iter().all(|course| course.times <= MOST_TIMES);
        fits.then_some(Self { state, ..fresh })
    }
}
