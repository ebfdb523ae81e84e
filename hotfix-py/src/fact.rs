//! Reads the facts of an incident.

use hotfix_core::fact::{FactError, FactErrors, FactId, FactKind, Facts, Vocabulary};
use hotfix_core::rollout::InputError;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDelta, PyDict, PyMapping, PyString};
use serde_json::{Map, Value};

use crate::convert::{self, utf8};
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
    let is_time = value.is_instance_of::<PyDateTime>();
    // What no fact accepts; of its type the core says that it is wrong.
    let object = || Value::Object(Map::new());
    if is_time && kind != Some(FactKind::Time)
        || value.is_instance_of::<PyDelta>() && kind != Some(FactKind::Duration)
    {
        return Ok(Ok(object()));
    }
    let fault = match convert::json(value) {
        Ok(value) => return Ok(Ok(value)),
        Err(fault) => fault,
    };
    // Any other is one of the caller's code.
    let faults = fault.into_faults()?;
    if value.is_instance_of::<PyString>() {
        return Err(InputError::Values { faults }.into());
    }
    // A datetime without a zone is refused like such a text.
    if is_time {
        return Ok(Ok(Value::String(value.to_string())));
    }
    let got = match value.extract::<f64>() {
        Ok(float) => float.to_string(),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
            "a whole number beyond 1.8e308".to_owned()
        }
        Err(_) => return Ok(Ok(object())),
    };
    Ok(fact.map_or(Ok(Value::Null), |(fact, _)| Err(FactError::NotFinite { fact, got })))
}
