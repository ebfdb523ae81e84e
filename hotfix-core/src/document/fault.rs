//! The faults that a document of any kind may have.

use super::text::{MOST_BYTES, MOST_DEPTH};
use crate::text::{did_you_mean, nearest, quoted, shown};

/// A fault that a document of any kind may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum DocumentFault {
    /// The text is not valid TOML or JSON.
    #[error(
        "not readable as {language} at line {line}, column {column}: {detail}; \
         correct the text there"
    )]
    Syntax {
        /// `TOML` or `JSON`.
        language: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The message of the parser.
        detail: String,
    },
    /// The text is longer than a document may be.
    #[error("the text has {bytes} bytes, and at most {MOST_BYTES} are read: split or shorten it")]
    TooLarge { bytes: usize },
    /// Tables and lists are nested deeper than any format needs.
    #[error("nested more than {MOST_DEPTH} deep: remove levels")]
    TooDeep {},
    /// A key occurs twice in one table.
    #[error("`{key}` occurs twice in this table: keep one")]
    DuplicateKey { key: String },
    /// A key that the format does not have.
    #[error("`{key}` is not a known key: {}the known keys here are {}", did_you_mean(*nearest), quoted(known, ", "))]
    UnknownKey {
        key: String,
        /// The known key that is nearest, if one is near.
        nearest: Option<&'static str>,
        /// The keys of this table.
        known: &'static [&'static str],
    },
    /// A required key is missing.
    #[error("`{key}` is missing: add {example}")]
    MissingKey { key: &'static str, example: String },
    /// A value of another type.
    #[error("{got} is not allowed here: write {expected}")]
    WrongType { expected: &'static str, got: String },
    /// A text that is not one of the allowed ones.
    #[error("`{got}` is not allowed here: {}write one of {}", did_you_mean(*nearest), quoted(known, ", "))]
    UnknownValue {
        got: String,
        /// The nearest allowed text, if one is near.
        nearest: Option<&'static str>,
        known: Vec<&'static str>,
    },
    /// A value of the caller's language that no document has.
    #[error("{sentence}")]
    Foreign { sentence: String },
    /// A value of the right type that is out of its range.
    #[error("{got} is out of range: write {range}")]
    OutOfRange { got: String, range: &'static str },
}

/// The codes that a family gives to these faults.
pub(crate) struct DocumentCodes {
    pub(crate) syntax: &'static str,
    pub(crate) too_large: &'static str,
    pub(crate) too_deep: &'static str,
    pub(crate) duplicate_key: &'static str,
    pub(crate) unknown_key: &'static str,
    pub(crate) missing_key: &'static str,
    pub(crate) wrong_type: &'static str,
    pub(crate) unknown_value: &'static str,
    pub(crate) out_of_range: &'static str,
}

impl DocumentCodes {
    /// One code for all.
    pub(crate) const fn all(code: &'static str) -> Self {
        Self {
            syntax: code,
            too_large: code,
            too_deep: code,
            duplicate_key: code,
            unknown_key: code,
            missing_key: code,
            wrong_type: code,
            unknown_value: code,
            out_of_range: code,
        }
    }
}

impl DocumentFault {
    pub(crate) fn unknown_value(got: &str, known: &[&'static str]) -> Self {
        let nearest = nearest(got, known.iter().copied());
        Self::UnknownValue { got: shown(got), nearest, known: known.to_vec() }
    }

    /// The fault of a key that is not one of these.
    pub fn unknown_key(key: &str, known: &'static [&'static str]) -> Self {
        let nearest = nearest(key, known.iter().copied());
        Self::UnknownKey { key: shown(key), nearest, known }
    }

    pub(crate) const fn code(&self, of: &DocumentCodes) -> &'static str {
        match self {
            Self::Syntax { .. } => of.syntax,
            Self::TooLarge { .. } => of.too_large,
            Self::TooDeep {} => of.too_deep,
            Self::DuplicateKey { .. } => of.duplicate_key,
            Self::UnknownKey { .. } => of.unknown_key,
            Self::MissingKey { .. } => of.missing_key,
            Self::WrongType { .. } | Self::Foreign { .. } => of.wrong_type,
            Self::UnknownValue { .. } => of.unknown_value,
            Self::OutOfRange { .. } => of.out_of_range,
        }
    }
}
