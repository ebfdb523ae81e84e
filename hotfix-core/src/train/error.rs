//! What makes no train, what a train declines, and what it wants a person to know.

use serde::{Deserialize, Serialize};

use crate::rollout::{InputKind, RefusalReason, State};

use super::outcome::Move;

/// Services that make no train. The caller's value is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Nothing is in it.
    #[error("a train has at least one service: name it")]
    Empty,
    /// A name that is empty or too long.
    #[error("the name of a service has {bytes} bytes: give it 1 to {most}")]
    Name {
        /// The name's place, from 0.
        index: usize,
        /// Its length.
        bytes: usize,
        /// The most.
        most: usize,
    },
    /// One name for two services.
    #[error("`{service}` is in the train twice: give each service once")]
    Twice {
        /// The name.
        service: String,
    },
    /// `after` names a service that the train has not.
    #[error("`after` names `{got}`, which is not in the train; the nearest is `{nearest}`")]
    Unknown {
        /// What came.
        got: String,
        /// The nearest known one.
        nearest: String,
    },
    /// Services that wait for each other.
    #[error("each of {} waits for the next, and so none can start: take one wait out", .circle.join(", "))]
    Circle {
        /// The services, the first again at the end.
        circle: Vec<String>,
    },
    /// `after` cannot be read.
    #[error("`after` is an object of lists, as in {{\"payments\": [\"ledger\"]}}: {fault}")]
    Syntax {
        /// What is wrong.
        fault: String,
    },
    /// As many services as rollouts are needed.
    #[error("{services} services have {rollouts} rollouts: give each service one of its own")]
    Count {
        /// How many services.
        services: usize,
        /// How many rollouts.
        rollouts: usize,
    },
    /// One rollout stands for two services.
    #[error("`{service}` has the rollout of another service: give it one of its own")]
    Shared {
        /// The second service.
        service: String,
    },
}

impl TrainError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "HF-TRAIN-001",
            Self::Name { .. } => "HF-TRAIN-002",
            Self::Twice { .. } => "HF-TRAIN-003",
            Self::Unknown { .. } => "HF-TRAIN-004",
            Self::Circle { .. } => "HF-TRAIN-005",
            Self::Syntax { .. } => "HF-TRAIN-006",
            Self::Count { .. } => "HF-TRAIN-007",
            Self::Shared { .. } => "HF-TRAIN-008",
        }
    }

    /// Where: a JSON Pointer into `{"services", "after"}`.
    pub fn path(&self) -> String {
        match self {
            Self::Empty | Self::Twice { .. } | Self::Count { .. } | Self::Shared { .. } => {
                "/services".to_owned()
            }
            Self::Name { index, .. } => format!("/services/{index}"),
            Self::Unknown { .. } | Self::Circle { .. } | Self::Syntax { .. } => "/after".to_owned(),
        }
    }
}

/// A legal input that is not taken now. The rollout is as before, but `moves` have been made and `findings` have come up.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainRefusal {
    /// The service that it was for.
    pub service: String,
    /// Why.
    pub reason: TrainRefusalReason,
    /// What came.
    pub got: InputKind,
    /// In which state the rollout is; None where there is no such service.
    pub state: Option<State>,
    /// What would be taken.
    pub accepted: Vec<InputKind>,
    /// What the train did before: a way back that a crash had interrupted. To be appended and acted on first.
    pub moves: Vec<Move>,
    /// What came up meanwhile for a person to know. To be told at once: the next call does not tell it again.
    pub findings: Vec<TrainFinding>,
    /// The log lines that the refusal itself adds to the service's log. Empty where the train refuses: it has no log.
    pub events: String,
}

/// Why an input is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainRefusalReason {
    /// The train has no such service. The caller's value is wrong; nothing has moved.
    #[error("the train has no service `{got}`; the nearest is `{nearest}`")]
    NoSuchService {
        /// What came.
        got: String,
        /// The nearest known one.
        nearest: String,
    },
    /// Those before it are not complete.
    #[error("it starts after {}", waiting(.services))]
    Waits {
        /// Those that it waits for, each with its state.
        services: Vec<(String, State)>,
    },
    /// The train is on its way back, or back.
    #[error(
        "the train goes back, as {} did: `retry` each of them once all are back, or make a train without them",
        waiting(.because)
    )]
    GoesBack {
        /// Those that went back, each with its state.
        because: Vec<(String, State)>,
    },
    /// The rollout itself declines it.
    #[error("{0}")]
    Rollout(RefusalReason),
}

fn waiting(services: &[(String, State)]) -> String {
    let told = services.iter().map(|(name, state)| format!("`{name}` ({state})"));
    told.collect::<Vec<_>>().join(", ")
}

impl TrainRefusal {
    /// The stable code of the reason.
    pub const fn code(&self) -> &'static str {
        match &self.reason {
            TrainRefusalReason::NoSuchService { .. } => "HF-TRAIN-009",
            TrainRefusalReason::Waits { .. } => "HF-TRAIN-010",
            TrainRefusalReason::GoesBack { .. } => "HF-TRAIN-011",
            TrainRefusalReason::Rollout(reason) => reason.code(),
        }
    }
}

impl std::fmt::Display for TrainRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.state {
            Some(state) => write!(
                f,
                "`{}` of `{}` is refused in state `{state}`: {}",
                self.got, self.service, self.reason
            ),
            None => write!(f, "`{}` is refused: {}", self.got, self.reason),
        }
    }
}

impl std::error::Error for TrainRefusal {}

/// What a person has to know: a service that does not go back as the others do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainFinding {
    /// The stable code.
    pub code: String,
    /// The service.
    pub service: String,
    /// What is the matter, and what a person can do.
    pub message: String,
}

impl TrainFinding {
    /// A service that no way back has worked for; `held`: who waits for it, and until when.
    pub(super) fn frozen(service: &str, held: &str) -> Self {
        let message =
            format!("`{service}` is frozen, a person has to act: `roll_back` tries again{held}");
        Self::new("HF-TRAIN-012", service, message)
    }

    pub(super) fn closed(service: &str) -> Self {
        let message = format!(
            "the train goes back, but the watch over `{service}` is over and it stays: decide whether the version before is deployed by hand"
        );
        Self::new("HF-TRAIN-013", service, message)
    }

    /// A service whose plan keeps it from going back by itself.
    pub(super) fn kept(service: &str, held: &str) -> Self {
        let message = format!(
            "the train goes back, but the plan of `{service}` leaves that to a person: `roll_back` takes it back{held}"
        );
        Self::new("HF-TRAIN-014", service, message)
    }

    /// An input of the train's own that a rollout declined.
    pub(super) fn declined(service: &str, why: &str) -> Self {
        let message = format!("`{service}` did not take what the train asked of it: {why}");
        Self::new("HF-TRAIN-015", service, message)
    }

    fn new(code: &str, service: &str, message: String) -> Self {
        Self { code: code.to_owned(), service: service.to_owned(), message }
    }
}
