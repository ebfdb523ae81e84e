//! Faults that prevent an import: each with its code, place and remedy.

use crate::code::coded;
use crate::document::{DocumentCodes, DocumentError, DocumentErrors, DocumentFault, FaultFamily};

const DOCUMENT: DocumentCodes = DocumentCodes {
    duplicate_key: "HF-CONV-003",
    missing_key: "HF-CONV-007",
    wrong_type: "HF-CONV-005",
    unknown_value: "HF-CONV-008",
    out_of_range: "HF-CONV-006",
    ..DocumentCodes::all("HF-CONV-002")
};

coded! {
    /// The kinds of import faults.
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum Fault;

    /// A fault that a document of any kind may have.
    #[error(transparent)]
    Document(fault: #[from] DocumentFault) => fault.code(&DOCUMENT),
    #[error("the text has {got} {what}, and at most {most} are read: split or shorten it")]
    TooLarge { what: &'static str, got: String, most: usize } => "HF-CONV-001",
    /// A feature of YAML that manifests do not use.
    #[error("{what} cannot be read: {instead}")]
    Form { what: String, instead: &'static str } => "HF-CONV-004",
    /// The document is not of a kind that is imported.
    #[error("{what}: give {expected}")]
    UnknownKind { what: String, expected: String } => "HF-CONV-009",
    #[error("this is a second {what}: a policy is made from one, so import them separately")]
    Several { what: &'static str } => "HF-CONV-010",
    #[error("the resulting policy is not valid: {sentence}")]
    Policy { sentence: String } => "HF-CONV-011",
    #[error("`apiVersion` is {}: the kind `{kind}` of {of} needs `{expected}`; {}", got.as_deref().unwrap_or("missing"), version_remedy(got.as_deref(), expected))]
    Version { kind: String, of: &'static str, got: Option<String>, expected: &'static str }
        => "HF-CONV-012",
}

impl FaultFamily for Fault {
    const NUMBERED: bool = true;
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
