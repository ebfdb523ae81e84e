//! Parts of a commit message from keyword arguments.

use hotfix_core::vcs::{CommitError, CommitParts};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::convert;
use crate::error::{Fault, Result};

pub(crate) fn parts(
    summary: &str,
    scope: Option<&str>,
    version: Option<&str>,
    fields: Option<&Bound<'_, PyAny>>,
) -> Result<CommitParts> {
    let read = |fields| {
        let faulty = |fault: Fault| match fault.within("fields").into_faults() {
            Ok(faults) => CommitError::Syntax { faults }.into(),
            Err(other) => other,
        };
        convert::json(fields).map_err(faulty)
    };
    let fields = fields.map_or(Ok(Value::Object(serde_json::Map::new())), read)?;
    let document =
        json!({ "summary": summary, "scope": scope, "version": version, "fields": fields });
    Ok(CommitParts::from_json(&document.to_string())?)
}
