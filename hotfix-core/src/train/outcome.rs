//! What a call of a train led to.

use serde::{Deserialize, Serialize};

use crate::rollout::{Action, State};

use super::error::TrainFinding;

/// One input that one rollout accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Whose rollout it is.
    pub service: String,
    /// The lines to append durably to that service's log before acting; each ends with a line feed.
    pub events: String,
    /// What to do, in this order.
    pub actions: Vec<Action>,
    /// The state after it.
    pub state: State,
    /// The input's key was known: nothing changed. The actions are those of the first delivery, and
    /// are not to be carried out.
    pub repeated: bool,
    /// The train sent the input itself: it rolls the service back or pauses it because another one was
    /// rolled back, keeps a complete service open or closes it, or notes that the service waits. `state`
    /// distinguishes them.
    pub by_train: bool,
}

/// What a call led to: append each move's lines to its service's log, in this order, then act.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainOutcome {
    /// The rollouts that moved, in this order; one may move twice.
    pub moves: Vec<Move>,
    /// New findings for a person. Report them at once.
    pub findings: Vec<TrainFinding>,
}
