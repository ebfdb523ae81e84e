//! What can go wrong between a value and its canonical text.

use super::{Digest, MAX_DEPTH};
use std::fmt;

/// A value that canonical JSON cannot hold.
///
/// ```
/// use hotfix_core::canonical::Encoder;
///
/// let error = Encoder::new().encode(&f64::NAN, &mut Vec::new()).unwrap_err();
/// assert_eq!(error.code(), "HF-JSON-001");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// NaN or an infinity.
    #[error("number `{value}` is not finite: leave the member out or send a finite number")]
    NotFinite {
        /// `NaN`, `inf` or `-inf`.
        value: &'static str,
    },
    /// A whole number that a double cannot tell from its neighbours.
    #[error("whole number `{value}` is beyond 2^53, where doubles have gaps: send it as text")]
    IntegerRange {
        /// The number in decimal digits.
        value: String,
    },
    /// An object names a member twice.
    #[error("member `{key}` occurs twice in one object: keep one of them")]
    DuplicateKey {
        /// The name, with JSON's escapes.
        key: String,
    },
    /// A map whose keys are neither text nor whole numbers.
    #[error("a map has {found} as a key: use text")]
    KeyNotText {
        /// What the key was.
        found: &'static str,
    },
    /// More nesting than a reader takes.
    #[error("value is nested deeper than {limit} levels: flatten it")]
    TooDeep {
        /// The deepest level allowed.
        limit: usize,
    },
    /// The value's own `Serialize` gave up.
    #[error("value cannot be serialised: {reason}")]
    Custom {
        /// Its words.
        reason: String,
    },
    /// Text given as JSON is not.
    #[error("text is not JSON: {reason}")]
    Syntax {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// A log line that would not be an object.
    #[error("a log line is made from an object: give a struct or a map")]
    NotObject,
    /// The value to seal has a `hash` already.
    #[error("the value to seal has a member `hash`: sealing adds it, leave it out")]
    AlreadySealed,
    /// The value to seal has no `prev` that is a digest.
    #[error("the value to seal has no digest `prev`: set it to the hash of the line before")]
    NoPrevious,
}

impl CanonicalError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFinite { .. } => "HF-JSON-001",
            Self::IntegerRange { .. } => "HF-JSON-002",
            Self::DuplicateKey { .. } => "HF-JSON-003",
            Self::KeyNotText { .. } => "HF-JSON-004",
            Self::TooDeep { .. } => "HF-JSON-005",
            Self::Custom { .. } => "HF-JSON-006",
            Self::Syntax { .. } => "HF-JSON-007",
            Self::NotObject => "HF-JSON-008",
            Self::AlreadySealed => "HF-JSON-009",
            Self::NoPrevious => "HF-JSON-010",
        }
    }

    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        let reason = error.to_string();
        if reason.starts_with("recursion limit") {
            return Self::TooDeep { limit: MAX_DEPTH };
        }
        Self::Syntax { reason }
    }

    /// A whole number of this size, as such or below zero.
    pub(super) fn integer_range(negative: bool, size: impl fmt::Display) -> Self {
        let sign = if negative { "-" } else { "" };
        Self::IntegerRange { value: format!("{sign}{size}") }
    }
}

impl serde::ser::Error for CanonicalError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom { reason: message.to_string() }
    }
}

/// A log line that cannot be trusted.
///
/// ```
/// use hotfix_core::canonical::verify_line;
///
/// let error = verify_line(br#"{"note":"no chain"}"#).unwrap_err();
/// assert_eq!(error.code(), "HF-JSON-011");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The line is not a JSON object with one meaning.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A member of the chain is absent.
    #[error("line has no `{name}`: it was not written by this log, or was cut")]
    Missing {
        /// `prev` or `hash`.
        name: &'static str,
    },
    /// A member of the chain is not 64 lower-case hexadecimal digits.
    #[error("line's `{name}` is not 64 lower-case hexadecimal digits: restore the line")]
    NotDigest {
        /// `prev` or `hash`.
        name: &'static str,
    },
    /// The line was changed after it was sealed.
    #[error("line says hash `{written}` but its content has `{computed}`: restore the line")]
    Mismatch {
        /// What the line says.
        written: Digest,
        /// What its content gives.
        computed: Digest,
    },
}

impl LineError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Canonical(error) => error.code(),
            Self::Missing { .. } => "HF-JSON-011",
            Self::NotDigest { .. } => "HF-JSON-012",
            Self::Mismatch { .. } => "HF-JSON-013",
        }
    }
}

/// Text that is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 lower-case hexadecimal digits, not {length} bytes of something else")]
#[non_exhaustive]
pub struct DigestError {
    /// Bytes of the text given.
    pub length: usize,
}

impl DigestError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        "HF-JSON-014"
    }
}
