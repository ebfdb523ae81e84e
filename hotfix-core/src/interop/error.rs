//! Why something cannot be written for another tool.

use crate::rollout::LogError;

/// What keeps an export from being made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The log is broken.
    #[error("{0}")]
    Log(#[from] LogError),
    /// An option is not what its place in the format takes.
    #[error("`{option}` is no {wanted}: give one without blanks or signs that such a text has not")]
    Setting {
        /// Its name.
        option: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
}

impl ExportError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Log(error) => error.fault.code(),
            Self::Setting { .. } => "HF-EXP-001",
        }
    }
}
