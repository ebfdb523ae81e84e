//! Errors, refusals and findings of a train.

use serde::{Deserialize, Serialize};

use crate::code::coded;
use crate::rollout::{InputKind, RefusalReason, State};

use super::outcome::Move;

coded! {
    /// Why services do not form a train. The caller's value is wrong.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum TrainError;

    /// The train has no service.
    #[error("the train has no service: name at least one")]
    Empty => "HF-TRAIN-001",
    /// A name that is empty or too long.
    #[error("the name of a service has {bytes} bytes: give it 1 to {most}")]
    Name {
        /// The name's place, from 0.
        index: usize,
        bytes: usize,
        most: usize,
    } => "HF-TRAIN-002",
    /// A name that has a control character.
    #[error("the service `{got}` has a control character in its name: remove it")]
    ControlCharacter {
        /// The name's place, from 0.
        index: usize,
        got: String,
    } => "HF-TRAIN-016",
    /// One name for two services.
    #[error("`{service}` is in the train twice: give each service once")]
    Twice { service: String } => "HF-TRAIN-003",
    /// `after` names a service that is not in the train.
    #[error("`after` names `{got}`, which is not in the train; {instead}")]
    Unknown { got: String, instead: String } => "HF-TRAIN-004",
    /// Services that wait for each other.
    #[error("each of {} waits for the next, so none can start: remove one wait", .cycle.join(", "))]
    Cycle {
        /// The services, the first again at the end.
        cycle: Vec<String>,
    } => "HF-TRAIN-005",
    /// `after` cannot be read.
    #[error(
        "`after` cannot be read: {fault}. Write an object of lists, as in {{\"payments\": [\"ledger\"]}}"
    )]
    Syntax { fault: String } => "HF-TRAIN-006",
    /// The number of rollouts differs from the number of services.
    #[error("{services} services have {rollouts} rollouts: give each service its own rollout")]
    Count { services: usize, rollouts: usize } => "HF-TRAIN-007",
    /// Two services share one rollout.
    #[error("`{service}` has the rollout of another service: give it its own")]
    Shared { service: String } => "HF-TRAIN-008",
}

impl TrainError {
    /// Where: a JSON Pointer into `{"services", "after"}`.
    pub fn path(&self) -> String {
        match self {
            Self::Empty | Self::Twice { .. } | Self::Count { .. } | Self::Shared { .. } => {
                "/services".to_owned()
            }
            Self::Name { index, .. } | Self::ControlCharacter { index, .. } => {
                format!("/services/{index}")
            }
            Self::Unknown { .. } | Self::Cycle { .. } | Self::Syntax { .. } => "/after".to_owned(),
        }
    }
}

/// A valid input that is not accepted now. The rollout is unchanged, but `moves` were made and
/// `findings` may be new.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "`{got}`{} is refused{}: {reason}",
    .state.map_or_else(String::new, |_| format!(" of `{service}`")),
    .state.map_or_else(String::new, |state| format!(" in state `{state}`"))
)]
pub struct TrainRefusal {
    /// The service that it was for.
    pub service: String,
    /// Why.
    pub reason: TrainRefusalReason,
    /// What came.
    pub got: InputKind,
    /// In which state the rollout is; None where there is no such service.
    pub state: Option<State>,
    /// The kinds that would be accepted.
    pub accepted: Vec<InputKind>,
    /// What the train did first: a rollback that a crash had interrupted. Append and act on it
    /// first.
    pub moves: Vec<Move>,
    /// New findings for a person. Report them at once: the next call does not repeat them.
    pub findings: Vec<TrainFinding>,
    /// The log lines that the refusal itself adds to the service's log. Empty where the train
    /// refuses: it has no log.
    pub events: String,
}

coded! {
    /// Why an input is refused.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum TrainRefusalReason;

    /// The train has no such service. The caller's value is wrong; nothing has moved.
    #[error("the train has no service `{got}`; {instead}")]
    NoSuchService { got: String, instead: String } => "HF-TRAIN-009",
    /// The services that it waits for are not complete.
    #[error("it starts after {}", listed(.services))]
    Waits {
        /// Those that it waits for, each with its state.
        services: Vec<(String, State)>,
    } => "HF-TRAIN-010",
    /// The train is being rolled back, or was rolled back.
    #[error(
        "the train is being rolled back because of {}: `retry` each of these once it is rolled \
         back, and send this then, or make a train without them",
        listed(.because)
    )]
    GoesBack {
        /// The services that were rolled back, each with its state.
        because: Vec<(String, State)>,
    } => "HF-TRAIN-011",
    /// The rollout itself refuses it.
    #[error("{0}")]
    Rollout(reason: RefusalReason) => reason.code(),
}

fn listed(services: &[(String, State)]) -> String {
    let listed = services.iter().map(|(name, state)| format!("`{name}` ({state})"));
    listed.collect::<Vec<_>>().join(", ")
}

impl TrainRefusal {
    /// The stable code of the reason.
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }
}

/// A finding for a person: a service that is not rolled back like the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainFinding {
    /// The stable code.
    pub code: String,
    /// The service.
    pub service: String,
    /// What was found, and what a person can do.
    pub message: String,
}

impl TrainFinding {
    pub(super) fn new(code: &str, service: &str, message: String) -> Self {
        Self { code: code.to_owned(), service: service.to_owned(), message }
    }
}
