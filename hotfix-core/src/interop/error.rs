//! Errors of an export for another tool.

use crate::code::coded;
use crate::rollout::LogError;

coded! {
    /// An export that is not possible.
    #[derive(Clone, Debug, PartialEq, thiserror::Error)]
    pub enum ExportError;

    /// The log is broken.
    #[error("{0}")]
    Log(error: #[from] LogError) => error.fault.code(),
    #[error(
        "`{option}` is not a valid {wanted}: remove blanks and characters that are not allowed, or encode them with `%`"
    )]
    Setting { option: &'static str, wanted: &'static str } => "HF-EXP-001",
}
