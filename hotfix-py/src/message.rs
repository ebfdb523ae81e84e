//! What message is wanted, and the message as Python values.

use hotfix_core::message::{MessageError, Offset, Rendered, Request};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;
use serde_json::{Value, json};

use crate::convert::{At, json, object};
use crate::error::Result;

/// A request out of a call's arguments.
pub(crate) fn request(
    kind: &str,
    audience: &str,
    format: &str,
    at: Option<At>,
    utc_offset: Option<&Bound<'_, PyAny>>,
    values: Option<&Bound<'_, PyAny>>,
) -> Result<Request> {
    let mut document = json!({ "kind": kind, "audience": audience, "format": format });
    if let Some(values) = values {
        document["values"] = json(values)?;
    }
    let mut request = Request::from_value(document)?;
    request.at = at.map(|at| at.0);
    if let Some(offset) = utc_offset {
        request.utc_offset = read_offset(offset)?;
    }
    Ok(request)
}

/// `"+01:00"`, or a `timedelta` of whole minutes.
fn read_offset(offset: &Bound<'_, PyAny>) -> Result<Offset> {
    if let Ok(text) = offset.cast::<PyString>() {
        return Ok(text.to_string_lossy().parse()?);
    }
    let py = offset.py();
    let seconds: f64 = offset.call_method0(intern!(py, "total_seconds"))?.extract()?;
    let minutes = seconds / 60.0;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1,000")]
    let whole = (minutes.fract() == 0.0 && minutes.abs() < 1_000.0).then_some(minutes as i32);
    let none = || MessageError::Offset { got: format!("{seconds} seconds") };
    Ok(Offset::try_from_minutes(whole.ok_or_else(none)?)?)
}

/// Text as `str`, a document as `dict`.
pub(crate) fn python(py: Python<'_>, message: Rendered) -> PyResult<Bound<'_, PyAny>> {
    match message {
        Rendered::Text(text) => object(py, &Value::String(text)),
        Rendered::Json(document) => object(py, &document),
    }
}
