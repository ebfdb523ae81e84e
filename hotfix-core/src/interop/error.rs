//! Errors of an export for another tool.

use crate::rollout::LogError;

/// An export that is not possible.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The log is broken.
    #[error("{0}")]
    Log(#[from] LogError),
    /// An option is not valid in the format.
    #[error(
        "`{option}` is not a valid {wanted}: remove blanks and characters that are not allowed, or encode them with `%`"
    )]
    Setting {
        /// Its name.
        option: &'static str,
        /// The expected kind of text.
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
