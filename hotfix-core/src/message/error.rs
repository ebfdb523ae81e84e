//! Errors of rendering a message.

use crate::document::{DocumentCodes, DocumentErrors, DocumentFault, FaultFamily};
use crate::grade::MessageKind;
use crate::rollout::State;
use crate::text::did_you_mean;
use crate::unit::Share;

/// All faults of a message request. Never empty.
pub type MessageErrors = DocumentErrors<MessageError>;

/// Fault of a message request, or error of rendering the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// A fault of the request that a document of any kind may have.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// Value for an unknown field.
    #[error("`{name}` is not a field of messages: {}docs/messages.md lists the fields", did_you_mean(*nearest))]
    Field {
        /// The unknown name.
        name: String,
        /// The most similar field, where one is similar enough.
        nearest: Option<&'static str>,
    },
    /// Invalid offset from UTC.
    #[error("`{got}` is not an offset from UTC: write one from `-12:00` to `+14:00`")]
    Offset {
        /// The text that is not an offset.
        got: String,
    },
    /// The rollout has no input yet, so the message has no time.
    #[error("the rollout has no input yet, so the message has no time: give `at`")]
    NoTime,
    /// The message would not be true in the current state.
    #[error(
        "`{kind}` is not true now: the rollout is `{state}`, with {share} of the traffic on the fix. Ask for a message that is true: {timely}; or for a `draft`, to read the text in advance"
    )]
    Untimely {
        /// The requested kind.
        kind: MessageKind,
        /// The state of the rollout.
        state: State,
        /// The share of the traffic that has the fix.
        share: Share,
        /// The kinds that are true now.
        timely: String,
    },
    /// The template exceeds its limit of steps or of output.
    #[error("the template of {message} {fault}: make it simpler")]
    Template {
        /// The message's id in backticks, or a description of the template.
        message: String,
        /// Which limit it exceeds.
        fault: String,
    },
}

/// The codes of the faults that a document of any kind may have.
const DOCUMENT: DocumentCodes =
    DocumentCodes { unknown_value: "HF-MSG-002", ..DocumentCodes::all("HF-MSG-001") };

impl FaultFamily for MessageError {
    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl MessageError {
    /// Stable code of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Document(fault) => fault.code(&DOCUMENT),
            Self::Field { .. } => "HF-MSG-003",
            Self::Offset { .. } => "HF-MSG-004",
            Self::NoTime => "HF-MSG-005",
            Self::Template { .. } => "HF-MSG-006",
            Self::Untimely { .. } => "HF-MSG-007",
        }
    }
}
