//! Requests for messages, and messages as Python values.

use hotfix_core::message::{MessageError, Offset, Rendered, Request};
use hotfix_core::unit::Timestamp;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyString, PyTzInfo};
use serde_json::{Value, json};

use crate::convert::{datetime, json, object};
use crate::error::{Fault, Result};

/// Makes a request from a call's arguments.
pub(crate) fn request(
    kind: &str,
    audience: &str,
    format: &str,
    at: Option<Timestamp>,
    utc_offset: Option<&Bound<'_, PyAny>>,
    values: Option<&Bound<'_, PyAny>>,
    draft: bool,
) -> Result<Request> {
    let mut document =
        json!({ "kind": kind, "audience": audience, "format": format, "draft": draft });
    if let Some(values) = values {
        let faulty = |fault: Fault| fault.within("values").of::<MessageError>();
        document["values"] = json(values).map_err(faulty)?;
    }
    let mut request = Request::from_value(&document)?;
    request.at = at;
    if let Some(offset) = utc_offset {
        request.utc_offset = read_offset(offset, request.at)?;
    }
    Ok(request)
}

/// Reads an offset: `"+01:00"`, a `timedelta` of whole minutes, or a `tzinfo`, whose offset at the
/// time of the message counts.
fn read_offset(offset: &Bound<'_, PyAny>, at: Option<Timestamp>) -> Result<Offset> {
    if let Ok(text) = offset.cast::<PyString>() {
        return Ok(text.to_string_lossy().parse()?);
    }
    if let Ok(zone) = offset.cast::<PyTzInfo>() {
        // Without a time there is no message, and the core reports it.
        return at.map_or(Ok(Offset::UTC), |at| minutes(&zone_offset(zone, at)?));
    }
    let delta = offset.cast::<PyDelta>().map_err(|_| {
        let kind = offset.get_type();
        PyTypeError::new_err(format!("an offset is text, a timedelta or a tzinfo, not {kind}"))
    })?;
    minutes(delta)
}

fn zone_offset<'py>(zone: &Bound<'py, PyTzInfo>, at: Timestamp) -> Result<Bound<'py, PyDelta>> {
    let py = zone.py();
    let there = datetime(py, at)?.call_method1(intern!(py, "astimezone"), (zone,))?;
    let offset = there.call_method0(intern!(py, "utcoffset"))?;
    Ok(offset.cast_into::<PyDelta>().map_err(PyErr::from)?)
}

fn minutes(offset: &Bound<'_, PyDelta>) -> Result<Offset> {
    let seconds: f64 = offset.call_method0(intern!(offset.py(), "total_seconds"))?.extract()?;
    let minutes = seconds / 60.0;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1,000")]
    let whole = (minutes.fract() == 0.0 && minutes.abs() < 1_000.0).then_some(minutes as i32);
    let none = || MessageError::Offset { got: format!("{seconds} seconds") };
    Ok(Offset::try_from_minutes(whole.ok_or_else(none)?)?)
}

/// Returns text as `str` and a document as `dict`.
pub(crate) fn python(py: Python<'_>, message: Rendered) -> PyResult<Bound<'_, PyAny>> {
    match message {
        Rendered::Text(text) => object(py, &Value::String(text)),
        Rendered::Json(document) => object(py, &document),
    }
}
