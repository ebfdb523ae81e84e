//! Reads the facts of an incident.

use hotfix_core::fact::{FactError, FactErrors, FactId, FactKind, Facts, Vocabulary};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyDateTime, PyDelta, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple,
};
use serde_json::{Map, Number, Value};

use crate::convert::{timestamp, utf8};
use crate::error::Result;

/// Reads facts by name, and reports every fault at once.
pub(crate) fn read(facts: &Bound<'_, PyAny>, vocabulary: &Vocabulary) -> Result<Facts> {
    let mapping = facts.cast::<PyMapping>().map_err(|_| {
        PyTypeError::new_err(format!("facts are a mapping by name, not {}", facts.get_type()))
    })?;
    // A copy: the caller's code may run while a value is read, and it could change the dict.
    let facts = PyDict::new(facts.py());
    facts.update(mapping)?;
    let (mut map, mut errors) = (Map::new(), Vec::new());
    for (name, value) in facts {
        let Ok(name) = name.cast::<PyString>() else {
            errors.push(FactError::Unknown { name: name.to_string(), nearest: None });
            continue;
        };
        let name = utf8(name)?;
        let fact = vocabulary.find(name).map(|fact| (fact, vocabulary.kind(fact)));
        match json(&value, fact).map_err(|fault| fault.within(name))? {
            Ok(value) => drop(map.insert(name.to_owned(), value)),
            Err(error) => errors.push(error),
        }
    }
    let read = Facts::read(&map, vocabulary);
    if let Err(more) = &read {
        errors.extend(more.iter().map(|error| error.fault().clone()));
        errors.sort_by_cached_key(FactError::path);
    }
    match read {
        Ok(facts) if errors.is_empty() => Ok(facts),
        _ => Err(errors.into_iter().collect::<FactErrors>().into()),
    }
}

/// Converts a value to JSON if possible; the core reports all other faults.
fn json(
    value: &Bound<'_, PyAny>,
    fact: Option<(FactId, FactKind)>,
) -> Result<std::result::Result<Value, FactError>> {
    let kind = fact.map(|(_, kind)| kind);
    let number = |number: f64, got: &dyn Fn() -> String| match (Number::from_f64(number), fact) {
        (Some(number), _) => Ok(Value::Number(number)),
        (None, Some((fact, _))) => Err(FactError::NotFinite { fact, got: got() }),
        (None, None) => Ok(Value::Null),
    };
    // What no fact accepts; of its type the core says that it is wrong.
    let object = || Value::Object(Map::new());
    Ok(Ok(if value.is_none() {
        Value::Null
    } else if let Ok(flag) = value.extract::<bool>() {
        Value::Bool(flag)
    } else if let Ok(text) = value.cast::<PyString>() {
        Value::String(utf8(text)?.to_owned())
    } else if let Ok(float) = value.cast::<PyFloat>() {
        let float = float.value();
        return Ok(number(float, &|| float.to_string()));
    } else if value.is_instance_of::<PyInt>() {
        let float = match value.extract::<f64>() {
            Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => f64::INFINITY,
            float => float?,
        };
        return Ok(number(float, &|| "a whole number beyond 1.8e308".to_owned()));
    } else if let Ok(delta) = value.cast::<PyDelta>() {
        if kind == Some(FactKind::Duration) {
            let seconds = delta.call_method0(intern!(value.py(), "total_seconds"))?.extract()?;
            return Ok(number(seconds, &String::new));
        }
        object()
    } else if value.is_instance_of::<PyDateTime>() {
        if kind == Some(FactKind::Time) {
            // A datetime without a zone is refused like such a text.
            Value::String(timestamp(value).map_or_else(|_| value.to_string(), |at| at.to_string()))
        } else {
            object()
        }
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        Value::Array(Vec::new())
    } else {
        // `Decimal`, `Fraction` and the numbers of NumPy, as in readings.
        match value.extract::<f64>() {
            Ok(float) => return Ok(number(float, &|| float.to_string())),
            Err(error) if error.is_instance_of::<PyTypeError>(value.py()) => object(),
            Err(error) => return Err(error.into()),
        }
    }))
}
