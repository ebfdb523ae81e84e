//! Reads an input from Python objects.

use hotfix_core::rollout::{Command, Input};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use serde_json::{Map, Value};

use crate::convert::json;
use crate::error::Result;
use crate::observation::observation;

/// Reads an input; metrics are read directly, so a number may be NaN.
pub(crate) fn read_input(input: &Bound<'_, PyAny>) -> Result<Input> {
    let py = input.py();
    let mapping = input.cast::<PyMapping>().map_err(|_| {
        PyTypeError::new_err(format!(
            "an input is a dict such as {{\"kind\": \"tick\"}}, not {}",
            input.get_type()
        ))
    })?;
    let fields = PyDict::new(py);
    fields.update(mapping)?;
    let metrics = match fields.get_item(intern!(py, "metrics"))? {
        Some(metrics) if metrics.is_instance_of::<PyMapping>() => {
            let dict = PyDict::new(py);
            dict.update(metrics.cast::<PyMapping>().map_err(PyErr::from)?)?;
            Some(observation(&dict).map_err(|fault| fault.within("metrics"))?)
        }
        _ => None,
    };
    if metrics.is_some() {
        fields.del_item(intern!(py, "metrics"))?;
    }
    let mut document = json(fields.as_any())?;
    if let (Some(metrics), Value::Object(document)) = (&metrics, &mut document) {
        // Members that do not belong to the kind are still to be found.
        let stand_in = if metrics.is_empty() || document.get("kind") == Some(&"observe".into()) {
            Map::new()
        } else {
            Map::from_iter([("stand-in".to_owned(), Value::Object(Map::new()))])
        };
        document.insert("metrics".to_owned(), Value::Object(stand_in));
    }
    let mut input = Input::from_value(document)?;
    if let (Some(metrics), Command::Observe { metrics: slot }) = (metrics, &mut input.command) {
        *slot = metrics;
    }
    Ok(input)
}
