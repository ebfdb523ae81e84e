//! A fingerprint of all state that later decisions depend on: the model check treats rollouts with
//! the same fingerprint as one.

use std::fmt::{self, Write};

use super::Rollout;
use super::state::RolloutState;

impl Rollout {
    /// Writes all that the answer to any input may depend on, but for the policy, the log's head
    /// and the number of the next event. For the model check of the tests; what it reads like is
    /// nobody's to rely on.
    ///
    /// A new field of the state does not compile until it is decided here whether inputs depend on
    /// it.
    ///
    /// # Errors
    /// Those of the writer.
    #[doc(hidden)]
    pub fn write_behaviour(&self, into: &mut dyn Write) -> fmt::Result {
        let RolloutState {
            stage,
            // What a train and messages ask; the rollout itself goes by its stage.
            turned_back_at: _,
            turned_back_for: _,
            // The names of lines and actions, and what is kept of them for people and after a
            // crash.
            seq: _,
            last: _,
            interventions: _,
            refusals: _,
            attempt: _,
            at,
            share,
            readiness,
            agenda,
            pending,
            pending_since,
            looked_at,
            overtaken,
            asked,
            objected,
            on_status_page,
            unanswered,
            keys,
            judge,
            verdict,
            // Read by explanations and by the table, which change nothing.
            question: _,
            kept: _,
            phases: _,
            outages: _,
        } = &self.case;
        // With another release the plan is another.
        write!(into, "{:?}{stage:?}{at:?}{share:?}{readiness:?}{agenda:?}", self.plan.digest())?;
        write!(
            into,
            "{pending:?}{pending_since:?}{looked_at:?}{overtaken:?}{asked:?}{objected:?}{keys:?}"
        )?;
        // Its text is only repeated.
        let unanswered = unanswered.as_ref().map(|open| (open.since, open.asked_at));
        write!(into, "{on_status_page}{judge:?}{verdict:?}{unanswered:?}")
    }
}
