//! Errors of a scenario or of a simulation.

use crate::document::{DocumentCodes, DocumentError, DocumentErrors, DocumentFault, FaultFamily};
use crate::text::did_you_mean;

/// All errors, in the order of the document. Never empty.
pub type SimulationErrors = DocumentErrors<SimulationFault>;

/// One error with its place.
pub type SimulationError = DocumentError<SimulationFault>;

/// The kinds of errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationFault {
    /// An error that a document of any kind may have.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// A metric that the policy does not have.
    #[error("the policy has no metric `{metric}`: {}correct it, or omit it", did_you_mean(nearest.as_deref()))]
    UnknownMetric {
        /// The metric.
        metric: String,
        /// The nearest known one, if one is near.
        nearest: Option<String>,
    },
    /// Keys that have no meaning together, or not for this kind.
    #[error("{detail}")]
    Meaningless {
        /// The error and its remedy.
        detail: String,
    },
    /// An input, a plan or a phase of the scenario is invalid or missing.
    #[error("{detail}")]
    NotTaken {
        /// The reader's message.
        detail: String,
    },
    /// The rollout never starts in this scenario.
    #[error(
        "the rollout never starts: {waits}; set shorter delays in `people`, or a later `until`"
    )]
    NeverStarts {
        /// The blocker that it waits for.
        waits: String,
    },
    /// The input is not enough for advice.
    #[error("{detail}")]
    NoAdvice {
        /// What is missing.
        detail: &'static str,
    },
    /// Tallies of different campaigns, or of the same runs twice.
    #[error("these tallies are not parts of one campaign: {detail}")]
    OtherCampaign {
        /// What differs.
        detail: &'static str,
    },
}

/// The codes of the faults that a document of any kind may have.
const DOCUMENT: DocumentCodes = DocumentCodes {
    unknown_key: "HF-SIM-002",
    missing_key: "HF-SIM-003",
    wrong_type: "HF-SIM-004",
    unknown_value: "HF-SIM-005",
    out_of_range: "HF-SIM-006",
    ..DocumentCodes::all("HF-SIM-001")
};

impl FaultFamily for SimulationFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Document(fault) => fault.code(&DOCUMENT),
            Self::UnknownMetric { .. } => "HF-SIM-007",
            Self::Meaningless { .. } => "HF-SIM-008",
            Self::NotTaken { .. } => "HF-SIM-009",
            Self::NeverStarts { .. } => "HF-SIM-010",
            Self::OtherCampaign { .. } => "HF-SIM-011",
            Self::NoAdvice { .. } => "HF-SIM-012",
        }
    }
}
