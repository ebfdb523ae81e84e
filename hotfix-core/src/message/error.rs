//! Errors of rendering a message.

use crate::code::coded;
use crate::document::{DocumentCodes, DocumentErrors, DocumentFault, FaultFamily};
use crate::grade::MessageKind;
use crate::rollout::State;
use crate::text::did_you_mean;

/// All faults of a message request. Never empty.
pub type MessageErrors = DocumentErrors<MessageError>;

coded! {
    /// Fault of a message request, or error of rendering the message.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum MessageError;

    /// A fault of the request that a document of any kind may have.
    #[error(transparent)]
    Document(fault: #[from] DocumentFault) => fault.code(&DOCUMENT),
    #[error("`{name}` is not a field of messages: {}docs/messages.md lists the fields", did_you_mean(*nearest))]
    Field { name: String, nearest: Option<&'static str> } => "HF-MSG-003",
    #[error("`{got}` is not an offset from UTC: write one from `-12:00` to `+14:00`")]
    Offset { got: String } => "HF-MSG-004",
    #[error("the rollout has no input yet, so the message has no time: give `at`")]
    NoTime => "HF-MSG-005",
    #[error(
        "`{kind}` is not true now: the rollout is `{state}`, with {traffic}. Ask for a message that is true: {timely}; or for a `draft`, to read the text in advance"
    )]
    Untimely { kind: MessageKind, state: State, traffic: String, timely: String } => "HF-MSG-007",
    #[error("the template of {message} {fault}: make it simpler")]
    Template {
        /// The message's id in backticks, or a description of the template.
        message: String,
        fault: String,
    } => "HF-MSG-006",
}

/// The codes of the faults that a document of any kind may have.
const DOCUMENT: DocumentCodes =
    DocumentCodes { unknown_value: "HF-MSG-002", ..DocumentCodes::all("HF-MSG-001") };

impl FaultFamily for MessageError {}
