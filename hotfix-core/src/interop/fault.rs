//! Faults that prevent an import: each with its code, place and remedy.

use crate::document::{DocumentCodes, DocumentError, DocumentErrors, DocumentFault, FaultFamily};

/// The codes of the faults that a document of any kind may have.
const DOCUMENT: DocumentCodes = DocumentCodes {
    duplicate_key: "HF-CONV-003",
    missing_key: "HF-CONV-007",
    wrong_type: "HF-CONV-005",
    unknown_value: "HF-CONV-008",
    out_of_range: "HF-CONV-006",
    ..DocumentCodes::all("HF-CONV-002")
};

macro_rules! faults {
    ($($(#[$doc:meta])* $code:literal $variant:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        /// The kinds of import faults.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Fault {
            /// A fault that a document of any kind may have.
            #[error(transparent)]
            Document(#[from] DocumentFault),
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl FaultFamily for Fault {
            const NUMBERED: bool = true;

            fn code(&self) -> &'static str {
                match self {
                    Self::Document(fault) => fault.code(&DOCUMENT),
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
    /// A feature of YAML that manifests do not use.
    #[error("{what} cannot be read: {instead}")]
    "HF-CONV-004" Form {
        /// The given text.
        what: String,
        /// What to write instead.
        instead: &'static str,
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
pub type ConvertError = DocumentError<Fault>;

/// All faults that prevent an import, in the order of the text. At least one.
pub type ConvertErrors = DocumentErrors<Fault>;
