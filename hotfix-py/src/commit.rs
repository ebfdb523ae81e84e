//! Parts of a commit message from keyword arguments.

use hotfix_core::vcs::CommitParts;
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::convert;
use crate::error::Result;

pub(crate) fn parts(
    summary: &str,
    scope: Option<&str>,
    version: Option<&str>,
    fields: Option<&Bound<'_, PyAny>>,
) -> Result<CommitParts> {
    let fields = fields.map_or(Ok(Value::Object(serde_json::Map::new())), convert::json)?;
    let document =
        json!({ "summary": summary, "scope": scope, "version": version, "fields": fields });
    Ok(CommitParts::from_json(&document.to_string())?)
}
