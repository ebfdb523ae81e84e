//! Why a message cannot be written.

use crate::text::did_you_mean;

/// Why a message cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// What is asked for cannot be read.
    #[error(
        "{fault}: write an object with `kind`, and as you like `audience`, `format`, `at`, `utc_offset` and `values`"
    )]
    Request {
        /// What is wrong.
        fault: String,
    },
    /// A kind, an audience or a format that does not exist.
    #[error("there is no {what} `{got}`: write one of {known}")]
    Unknown {
        /// Which of the three.
        what: &'static str,
        /// What came.
        got: String,
        /// Those that exist.
        known: String,
    },
    /// A value for a field that does not exist.
    #[error("`{name}` is no field of messages: {}give values for fields of docs/messages.md", did_you_mean(*nearest))]
    Field {
        /// The name.
        name: String,
        /// The nearest known one, where one is near.
        nearest: Option<&'static str>,
    },
    /// Text that is no offset from UTC.
    #[error("`{got}` is no offset from UTC: write one from `-12:00` to `+14:00`")]
    Offset {
        /// What came.
        got: String,
    },
    /// A rollout that nothing has happened to has no time.
    #[error("nothing has happened yet, so there is no time to write of: give `at`")]
    NoTime,
    /// A template that does not come to an end within its budget.
    #[error("the text of {message} {fault}: make it simpler")]
    Template {
        /// The message.
        message: String,
        /// What is wrong.
        fault: String,
    },
}

impl MessageError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Request { .. } => "HF-MSG-001",
            Self::Unknown { .. } => "HF-MSG-002",
            Self::Field { .. } => "HF-MSG-003",
            Self::Offset { .. } => "HF-MSG-004",
            Self::NoTime => "HF-MSG-005",
            Self::Template { .. } => "HF-MSG-006",
        }
    }
}
