//! Faults that prevent an import: each with its code, place and remedy.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::document::Place;
use crate::text::did_you_mean;

macro_rules! faults {
    ($($(#[$doc:meta])* $code:literal $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        /// The kinds of import faults.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Fault {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl Fault {
            /// The codes, in order.
            pub const CODES: &'static [&'static str] = &[$($code,)*];

            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                }
            }
        }
    };
}

faults! {
    /// The text has more bytes, values or levels than an import reads.
    #[error("the text has {got} {what}, and at most {most} are read: split or shorten it")]
    "HF-CONV-001" TooLarge {
        /// What is counted.
        what: &'static str,
        /// The number, in words.
        got: String,
        /// The limit.
        most: usize,
    }
    /// The text is neither YAML nor JSON.
    #[error("the text is not valid YAML or JSON: {detail}; correct it there")]
    "HF-CONV-002" Syntax {
        /// The parser's message.
        detail: String,
    }
    /// A key occurs twice in one table.
    #[error("`{key}` occurs twice in this table: keep one")]
    "HF-CONV-003" DuplicateKey {
        /// The key.
        key: String,
    }
    /// A feature of YAML that manifests do not use.
    #[error("{what} cannot be read: {instead}")]
    "HF-CONV-004" Form {
        /// The given text.
        what: String,
        /// What to write instead.
        instead: &'static str,
    }
    /// A value of another type.
    #[error("{got} is not allowed here: write {expected}")]
    "HF-CONV-005" WrongType {
        /// What is expected.
        expected: &'static str,
        /// What came.
        got: String,
    }
    /// A value outside its range.
    #[error("`{got}` is out of range: write {range}")]
    "HF-CONV-006" OutOfRange {
        /// What came.
        got: String,
        /// The range in words.
        range: &'static str,
    }
    /// A required key is missing.
    #[error("`{key}` is missing: add {example}")]
    "HF-CONV-007" MissingKey {
        /// The key.
        key: &'static str,
        /// An example.
        example: &'static str,
    }
    /// A text that is not one of a closed set.
    #[error("`{got}` is not known here: {}write one of {known}", did_you_mean(*nearest))]
    "HF-CONV-008" UnknownValue {
        /// What came.
        got: String,
        /// The nearest known text, if one is near.
        nearest: Option<&'static str>,
        /// The known texts.
        known: String,
    }
    /// The document is not of a kind that is imported.
    #[error("{what}: give {expected}")]
    "HF-CONV-009" UnknownKind {
        /// What came.
        what: String,
        /// The kinds that are imported.
        expected: String,
    }
    /// More than one document that a policy could be made from.
    #[error("this is a second {what}: a policy is made from one, so import them separately")]
    "HF-CONV-010" Several {
        /// The kind of document.
        what: &'static str,
    }
    /// The text is readable, but the resulting policy is not valid.
    #[error("the resulting policy is not valid: {sentence}")]
    "HF-CONV-011" Policy {
        /// The policy's error.
        sentence: String,
    }
    /// A document of a known kind with a missing or different `apiVersion`.
    #[error("`apiVersion` is {}: the kind `{kind}` of {of} needs `{expected}`; {}", got.as_deref().unwrap_or("missing"), version_remedy(got.as_deref(), expected))]
    "HF-CONV-012" Version {
        /// The kind.
        kind: String,
        /// The tool of the kind.
        of: &'static str,
        /// The given text.
        got: Option<String>,
        /// What is expected.
        expected: &'static str,
    }
}

fn version_remedy(got: Option<&str>, expected: &str) -> String {
    match got {
        Some(_) => "correct it if the document is of that kind, or remove the document".to_owned(),
        None => format!("add `apiVersion: {expected}`"),
    }
}

/// A fault and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertError {
    /// The fault.
    pub fault: Fault,
    /// Its place: a JSON Pointer into the document.
    pub path: String,
    /// The document in the text, from 0.
    pub document: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl ConvertError {
    pub(super) fn new(fault: Fault, path: &str, document: usize, place: Place) -> Self {
        let Place { line, column } = place;
        Self { fault, path: path.to_owned(), document, line, column }
    }

    /// The stable code: `HF-CONV-…`.
    pub const fn code(&self) -> &'static str {
        self.fault.code()
    }

    /// The fault and its remedy, without the place.
    pub fn message(&self) -> String {
        self.fault.to_string()
    }
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, path, line, column, .. } = self;
        write!(f, "line {line}, column {column}")?;
        if !path.is_empty() {
            write!(f, " ({path})")?;
        }
        write!(f, ": {fault}")
    }
}

impl Serialize for ConvertError {
    /// `{"code", "path", "document", "line", "column", "message"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("ConvertError", 6)?;
        error.serialize_field("code", self.code())?;
        error.serialize_field("path", &self.path)?;
        error.serialize_field("document", &self.document)?;
        error.serialize_field("line", &self.line)?;
        error.serialize_field("column", &self.column)?;
        error.serialize_field("message", &self.message())?;
        error.end()
    }
}

/// All faults that prevent an import, in the order of the text. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertErrors(Vec<ConvertError>);

impl ConvertErrors {
    pub(super) fn new(mut errors: Vec<ConvertError>) -> Self {
        errors.sort_by_key(|error| (error.line, error.column));
        Self(errors)
    }

    /// The first fault.
    pub fn first(&self) -> Option<&ConvertError> {
        self.0.first()
    }

    /// All faults.
    pub fn iter(&self) -> std::slice::Iter<'_, ConvertError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ConvertErrors {
    type Item = &'a ConvertError;
    type IntoIter = std::slice::Iter<'a, ConvertError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for ConvertErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConvertErrors {}
