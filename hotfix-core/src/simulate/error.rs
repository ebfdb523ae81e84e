//! Errors of a scenario or of a simulation.

use crate::code::coded;
use crate::document::{DocumentCodes, DocumentError, DocumentErrors, DocumentFault, FaultFamily};
use crate::text::did_you_mean;

/// All errors, in the order of the document. Never empty.
pub type SimulationErrors = DocumentErrors<SimulationFault>;

/// One error with its place.
pub type SimulationError = DocumentError<SimulationFault>;

coded! {
    /// The kinds of errors.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum SimulationFault;

    /// An error that a document of any kind may have.
    #[error(transparent)]
    Document(fault: #[from] DocumentFault) => fault.code(&DOCUMENT),
    /// A metric that the policy does not have.
    #[error("the policy has no metric `{metric}`: {}correct it, or omit it", did_you_mean(nearest.as_deref()))]
    UnknownMetric { metric: String, nearest: Option<String> } => "HF-SIM-007",
    /// Keys that have no meaning together, or not for this kind.
    #[error("{detail}")]
    Meaningless { detail: String } => "HF-SIM-008",
    /// An input, a plan or a phase of the scenario is invalid or missing.
    #[error("{detail}")]
    NotTaken { detail: String } => "HF-SIM-009",
    /// The rollout never starts in this scenario.
    #[error(
        "the rollout never starts: {waits}; set shorter delays in `people`, or a later `until`"
    )]
    NeverStarts { waits: String } => "HF-SIM-010",
    /// The input is not enough for advice.
    #[error("{detail}")]
    NoAdvice { detail: &'static str } => "HF-SIM-012",
    /// Tallies of different campaigns.
    #[error("these tallies are not parts of one campaign: {detail}")]
    OtherCampaign { detail: &'static str } => "HF-SIM-011",
}

const DOCUMENT: DocumentCodes = DocumentCodes {
    unknown_key: "HF-SIM-002",
    missing_key: "HF-SIM-003",
    wrong_type: "HF-SIM-004",
    unknown_value: "HF-SIM-005",
    out_of_range: "HF-SIM-006",
    ..DocumentCodes::all("HF-SIM-001")
};

impl FaultFamily for SimulationFault {}
