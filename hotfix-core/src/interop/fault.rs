//! Why a document of another tool cannot be imported: each fault with its code, its place and the remedy.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::document::Place;
use crate::text::did_you_mean;

macro_rules! faults {
    ($($(#[$doc:meta])* $code:literal $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        /// What makes a document of another tool unreadable.
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
    /// More text, values or levels than an import reads.
    #[error("{got} {what}: at most {most} are read, so split or shorten it")]
    "HF-CONV-001" TooLarge {
        /// Of what.
        what: &'static str,
        /// How many there are, in words.
        got: String,
        /// The limit.
        most: usize,
    }
    /// Neither YAML nor JSON.
    #[error("not readable as YAML or JSON: {detail}; correct the text there")]
    "HF-CONV-002" Syntax {
        /// What the parser says.
        detail: String,
    }
    /// A key stands twice in one table.
    #[error("`{key}` stands twice in this table: keep one")]
    "HF-CONV-003" DuplicateKey {
        /// The key.
        key: String,
    }
    /// What YAML allows and no manifest has.
    #[error("{what} cannot be read: {instead}")]
    "HF-CONV-004" Form {
        /// What stands there.
        what: String,
        /// What to write.
        instead: &'static str,
    }
    /// A value of another type.
    #[error("{got} stands where {expected} belongs: write {expected}")]
    "HF-CONV-005" WrongType {
        /// What belongs there.
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
    /// A key that must be there is not.
    #[error("`{key}` is missing: add {example}")]
    "HF-CONV-007" MissingKey {
        /// The key.
        key: &'static str,
        /// What it takes.
        example: &'static str,
    }
    /// A text that is not one of a closed set.
    #[error("`{got}` is not known here: {}write one of {known}", did_you_mean(*nearest))]
    "HF-CONV-008" UnknownValue {
        /// What came.
        got: String,
        /// The nearest known text, where one is near.
        nearest: Option<&'static str>,
        /// The known texts.
        known: String,
    }
    /// No kind of document that is imported.
    #[error("{what}: give {expected}")]
    "HF-CONV-009" UnknownKind {
        /// What came.
        what: String,
        /// What is imported.
        expected: String,
    }
    /// More than one thing to make a policy of.
    #[error("a second {what} stands here: one policy is made of one, so give them one by one")]
    "HF-CONV-010" Several {
        /// What there are several of.
        what: &'static str,
    }
    /// What is read well, but makes no policy.
    #[error("the policy that follows is refused: {sentence}")]
    "HF-CONV-011" Policy {
        /// What is wrong with it.
        sentence: String,
    }
    /// A document of a known kind whose `apiVersion` is missing, or another one.
    #[error("`apiVersion` is {}: the kind `{kind}` of {of} has `{expected}`; {}", got.as_deref().unwrap_or("missing"), version_remedy(got.as_deref(), expected))]
    "HF-CONV-012" Version {
        /// The kind.
        kind: String,
        /// Whose kind it is.
        of: &'static str,
        /// What stands there.
        got: Option<String>,
        /// What belongs there.
        expected: &'static str,
    }
}

fn version_remedy(got: Option<&str>, expected: &str) -> String {
    match got {
        Some(_) => "write that if the document is one, or take it out".to_owned(),
        None => format!("add `apiVersion: {expected}`"),
    }
}

/// A fault and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertError {
    /// What is wrong.
    pub fault: Fault,
    /// Where: a JSON Pointer into the document.
    pub path: String,
    /// Which document of the text, from 0.
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

    /// What is wrong and what to do, without the place.
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

/// Everything that keeps a text from being imported, in the order of the text; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertErrors(Vec<ConvertError>);

impl ConvertErrors {
    pub(super) fn new(mut errors: Vec<ConvertError>) -> Self {
        errors.sort_by_key(|error| (error.line, error.column));
        Self(errors)
    }

    /// The first of them.
    pub fn first(&self) -> Option<&ConvertError> {
        self.0.first()
    }

    /// All of them.
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
