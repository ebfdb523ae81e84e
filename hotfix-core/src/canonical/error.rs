//! Errors of canonical JSON: encoding, sealed log lines, digests.

use super::{Digest, MAX_DEPTH};
use crate::code::coded;
use std::fmt;

coded! {
    /// A value that canonical JSON cannot hold.
    ///
    /// ```
    /// use hotfix_core::canonical::Encoder;
    ///
    /// let error = Encoder::new().encode(&f64::NAN, &mut Vec::new()).unwrap_err();
    /// assert_eq!(error.code(), "HF-JSON-001");
    /// ```
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum CanonicalError;

    /// NaN or an infinity.
    #[error("number `{value}` is not finite: leave the member out or send a finite number")]
    NotFinite {
        /// `NaN`, `inf` or `-inf`.
        value: &'static str,
    } => "HF-JSON-001",
    /// A whole number beyond 2^53, which a double cannot represent exactly.
    #[error("whole number `{value}` is beyond 2^53 and not exact as a double: send it as text")]
    IntegerRange { value: String } => "HF-JSON-002",
    /// An object with a member that occurs twice.
    #[error("member `{key}` occurs twice in one object: keep one of them")]
    DuplicateKey {
        /// The name, with JSON's escapes.
        key: String,
    } => "HF-JSON-003",
    /// A map with keys that are neither text nor numbers.
    #[error("a map has a key that is no text: use text keys")]
    KeyNotText => "HF-JSON-004",
    /// Deeper nesting than readers accept.
    #[error("the value is nested deeper than {limit} levels: flatten it")]
    TooDeep { limit: usize } => "HF-JSON-005",
    /// An error of the value's own `Serialize`.
    #[error("the value cannot be serialised: {reason}")]
    Custom { reason: String } => "HF-JSON-006",
    /// Text that is not valid JSON.
    #[error("the text is not valid JSON: {reason}")]
    Syntax {
        /// The parser's message, with column, and with the line after the first.
        reason: String,
    } => "HF-JSON-007",
    /// A log line that is not an object.
    #[error("a log line has to be an object: pass lines as this library wrote them")]
    NotObject => "HF-JSON-008",
    /// A value to seal that already has a `hash`.
    #[error("the value to seal already has a member `hash`: leave it out, sealing adds it")]
    AlreadySealed => "HF-JSON-009",
    /// A value to seal whose `prev` is missing or not a digest.
    #[error("the value to seal has no digest in `prev`: set it to the hash of the previous line")]
    NoPrevious => "HF-JSON-010",
}

impl CanonicalError {
    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        let reason = error.to_string();
        if reason.starts_with("recursion limit") {
            return Self::TooDeep { limit: MAX_DEPTH };
        }
        // Of a line of a log only its number in the log says something.
        Self::Syntax { reason: reason.replace(" at line 1 column", " at column") }
    }

    /// The error of a whole number of this size and sign.
    pub(super) fn integer_range(negative: bool, size: impl fmt::Display) -> Self {
        let sign = if negative { "-" } else { "" };
        Self::IntegerRange { value: format!("{sign}{size}") }
    }
}

/// The error while a value is being written: boxed, so that each part's result is one word.
#[derive(Debug)]
pub(super) struct Unwritten(pub(super) Box<CanonicalError>);

impl From<CanonicalError> for Unwritten {
    #[cold]
    #[inline(never)]
    fn from(error: CanonicalError) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unwritten {}

impl serde::ser::Error for Unwritten {
    fn custom<T: fmt::Display>(message: T) -> Self {
        CanonicalError::Custom { reason: message.to_string() }.into()
    }
}

coded! {
    /// A log line that cannot be trusted.
    ///
    /// ```
    /// use hotfix_core::canonical::verify_line;
    ///
    /// let error = verify_line(br#"{"note":"no chain"}"#).unwrap_err();
    /// assert_eq!(error.code(), "HF-JSON-011");
    /// ```
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum LineError;

    /// The line is not a JSON object without duplicate members.
    #[error(transparent)]
    Canonical(error: #[from] CanonicalError) => error.code(),
    /// A member of the chain is absent.
    #[error("the line has no `{name}`: it was not written by this library, or was truncated")]
    Missing {
        /// `prev` or `hash`.
        name: &'static str,
    } => "HF-JSON-011",
    /// A member of the chain is not 64 lower-case hexadecimal digits.
    #[error("`{name}` of the line is not 64 lower-case hexadecimal digits: restore the line")]
    NotDigest {
        /// `prev` or `hash`.
        name: &'static str,
    } => "HF-JSON-012",
    /// The line was changed after it was sealed.
    #[error(
        "the line has the hash `{written}`, but its content gives `{computed}`: \
         it was changed after it was written; restore the line"
    )]
    Mismatch { written: Digest, computed: Digest } => "HF-JSON-013",
}

/// Text that is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this text of {length} bytes is not a digest: pass 64 lower-case hexadecimal digits")]
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
