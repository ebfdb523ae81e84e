//! Conversion of values: times, durations and JSON documents.

use std::time::Duration;

use hotfix_core::unit::{Span, Timestamp, UnitError};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyDateTime, PyDelta, PyDict, PyFloat, PyInt, PyList, PyMapping, PySequence, PyString,
    PyTuple, PyTzInfo,
};
use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::error::{Fault, Result};

/// Deeper documents are refused, so that a list that contains itself does not overflow the stack.
const DEEPEST: usize = 64;

/// A time: an aware `datetime`; also read from RFC 3339 text.
pub(crate) struct At(pub(crate) Timestamp);

impl<'py> FromPyObject<'_, 'py> for At {
    type Error = PyErr;

    #[cfg(feature = "stub")]
    const INPUT_TYPE: pyo3::inspect::PyStaticExpr = crate::typed::written("_Time");

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(timestamp(&object)?))
    }
}

impl<'py> IntoPyObject<'py> for At {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    #[cfg(feature = "stub")]
    const OUTPUT_TYPE: pyo3::inspect::PyStaticExpr = crate::typed::written("datetime");

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.0)
    }
}

pub(crate) fn timestamp(object: &Bound<'_, PyAny>) -> Result<Timestamp> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(utf8(text)?.parse()?);
    }
    let py = object.py();
    let at = object.cast::<PyDateTime>().map_err(|_| {
        let kind = object.get_type();
        PyTypeError::new_err(format!("a time is an aware datetime or RFC 3339 text, not {kind}"))
    })?;
    // Exact, unlike `timestamp()`, which rounds; it refuses a naive `datetime` by itself. Any other
    // exception is one of the zone's code.
    let since = at.sub(epoch(py)?).map_err(|error| match error {
        error if error.is_instance_of::<PyTypeError>(py) => {
            Fault::from(UnitError::Timestamp { got: format!("{at}") })
        }
        error => error.into(),
    })?;
    // Faster than pyo3's getters, which go through descriptors under the stable ABI.
    let days: i64 = since.getattr(intern!(py, "days"))?.extract()?;
    let seconds: i64 = since.getattr(intern!(py, "seconds"))?.extract()?;
    let micros: i64 = since.getattr(intern!(py, "microseconds"))?.extract()?;
    // `timedelta` counts microseconds upwards from a floor, so this is the floor too.
    Ok(Timestamp::try_from_millis((days * 86_400 + seconds) * 1_000 + micros / 1_000)?)
}

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let epoch = EPOCH.get_or_try_init(py, || {
        let utc = PyTzInfo::utc(py)?.to_owned();
        PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))
            .map(|epoch| epoch.into_any().unbind())
    })?;
    Ok(epoch.bind(py))
}

/// An aware `datetime` in UTC.
pub(crate) fn datetime(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let (days, rest) =
        (at.as_millis().div_euclid(86_400_000), at.as_millis().rem_euclid(86_400_000));
    let (seconds, micros) = (rest / 1_000, rest % 1_000 * 1_000);
    // Ten thousand years have fewer days than an `i32` holds.
    let [days, seconds, micros] =
        [days, seconds, micros].map(|part| i32::try_from(part).unwrap_or(i32::MAX));
    epoch(py)?.add(PyDelta::new(py, days, seconds, micros, false)?)
}

/// A duration as a `timedelta`.
pub(crate) const fn duration(span: Span) -> Duration {
    Duration::from_millis(span.as_millis())
}

/// Converts a serialisable value to Python objects.
pub(crate) fn to_python<'py, T: Serialize + ?Sized>(
    py: Python<'py>,
    value: &T,
) -> PyResult<Bound<'py, PyAny>> {
    object(py, &document(value)?)
}

/// Converts a value to JSON: a value that is borrowed from a lock has to become a document before
/// Python objects are made.
pub(crate) fn document<T: Serialize + ?Sized>(value: &T) -> PyResult<Value> {
    serde_json::to_value(value).map_err(|e| PyTypeError::new_err(e.to_string()))
}

/// JSON as Python objects.
pub(crate) fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into_pyobject(py)?.into_any(),
            (None, Some(whole)) => whole.into_pyobject(py)?.into_any(),
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(object(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (key, member) in members {
                dict.set_item(key, object(py, member)?)?;
            }
            dict.into_any()
        }
    })
}

/// Converts Python objects to JSON, including aware `datetime`s, `timedelta`s, objects with
/// `to_dict` and numbers of other libraries.
pub(crate) fn json(object: &Bound<'_, PyAny>) -> Result<Value> {
    json_within(object, 0)
}

fn json_within(object: &Bound<'_, PyAny>, depth: usize) -> Result<Value> {
    if depth > DEEPEST {
        return Err(Fault::value(format!("it is nested deeper than {DEEPEST} levels")));
    }
    if object.is_none() {
        Ok(Value::Null)
    } else if let Ok(text) = object.cast::<PyString>() {
        Ok(Value::String(utf8(text)?.to_owned()))
    } else if let Ok(truth) = object.cast::<PyBool>() {
        Ok(Value::Bool(truth.is_true()))
    } else if object.is_instance_of::<PyInt>() || object.is_instance_of::<PyFloat>() {
        number(object)
    } else if let Ok(dict) = object.cast::<PyDict>() {
        // A copy: the caller's code may run while a member is read, and it could change the dict.
        members(dict.copy()?.iter(), depth)
    } else if let Ok(list) = object.cast::<PyList>() {
        items(list.iter(), depth)
    } else if let Ok(tuple) = object.cast::<PyTuple>() {
        items(tuple.iter(), depth)
    } else if object.is_instance_of::<PyDateTime>() {
        timestamp(object)
            .map(|at| Value::String(at.to_string()))
            .map_err(|fault| fault.into_value(object.py()))
    } else if let Ok(delta) = object.cast::<PyDelta>() {
        // With its unit: it is not to be read as a share or a count.
        let seconds: f64 = delta.call_method0(intern!(object.py(), "total_seconds"))?.extract()?;
        Ok(Value::String(format!("{seconds}s")))
    } else if let Ok(method) = object.getattr(intern!(object.py(), "to_dict")) {
        json_within(&method.call0()?, depth + 1)
    } else if let Ok(mapping) = object.cast::<PyMapping>() {
        let dict = PyDict::new(object.py());
        dict.update(mapping)?;
        members(dict.iter(), depth)
    } else if let Ok(sequence) = object.cast::<PySequence>() {
        items(sequence.to_list()?.iter(), depth)
    } else if let Ok(truth) = object.extract::<bool>() {
        Ok(Value::Bool(truth)) // NumPy's
    } else {
        number(object)
    }
}

/// A number, also of `Decimal`, `Fraction` or NumPy.
fn number(object: &Bound<'_, PyAny>) -> Result<Value> {
    let py = object.py();
    if let Ok(whole) = object.extract::<i64>() {
        return Ok(whole.into());
    }
    if let Ok(whole) = object.extract::<u64>() {
        return Ok(whole.into());
    }
    let value = match object.extract::<f64>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => f64::INFINITY,
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            let kind = object.get_type();
            return Err(Fault::value(format!(
                "{kind} is not a value of a document: give dict, list, str, number, bool or None"
            )));
        }
        value => value?,
    };
    Number::from_f64(value).map(Value::Number).ok_or_else(|| {
        Fault::value(format!("{} is not a JSON number: leave out unknown values", shown(object)))
    })
}

fn members<'py>(
    pairs: impl Iterator<Item = (Bound<'py, PyAny>, Bound<'py, PyAny>)>,
    depth: usize,
) -> Result<Value> {
    let mut map = Map::new();
    for (key, value) in pairs {
        let key = key_of(&key)?;
        let value = json_within(&value, depth + 1).map_err(|fault| fault.within(key))?;
        map.insert(key.to_owned(), value);
    }
    Ok(Value::Object(map))
}

fn items<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) -> Result<Value> {
    let read = |(place, item): (usize, Bound<'py, PyAny>)| {
        json_within(&item, depth + 1).map_err(|fault| fault.within(&place.to_string()))
    };
    items.enumerate().map(read).collect::<Result<Vec<_>>>().map(Value::Array)
}

/// What a parameter accepts that counts something, or seeds.
pub(crate) trait Whole: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr> {
    const MOST: u64;
}

impl Whole for u32 {
    const MOST: u64 = u32::MAX as u64;
}

impl Whole for u64 {
    const MOST: u64 = Self::MAX;
}

impl Whole for usize {
    const MOST: u64 = Self::MAX as u64;
}

impl<T: Whole> Whole for Option<T> {
    const MOST: u64 = T::MOST;
}

impl Whole for Vec<u32> {
    const MOST: u64 = u32::MOST;
}

/// Reads a parameter of whole numbers; one that is out of range is refused with the range. Python
/// adds the parameter's name.
pub(crate) fn whole_numbers<T: Whole>(object: &Bound<'_, PyAny>) -> PyResult<T> {
    object.extract::<T>().map_err(|error| {
        if !error.is_instance_of::<PyOverflowError>(object.py()) {
            return error;
        }
        let most = T::MOST;
        Fault::value(format!("{} is out of range: give 0 to {most}", shown(object))).into()
    })
}

/// A value for a sentence; one whose repr fails by its type.
pub(crate) fn shown(value: &Bound<'_, PyAny>) -> String {
    let shown = value.repr().map_or_else(|_| value.get_type().to_string(), |repr| repr.to_string());
    format!("`{}`", shown.chars().take(64).collect::<String>())
}

/// The value with this name, of a parameter or a key that is called `what`.
pub(crate) fn one_of<T: Copy>(
    what: &str,
    got: &str,
    known: &[T],
    name: fn(T) -> &'static str,
) -> Result<T> {
    known.iter().copied().find(|value| name(*value) == got).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|value| name(*value)).collect();
        let known = names.join(", ");
        Fault::value(format!("`{got}` is not known: give one of {known}")).within(what)
    })
}

/// The name of a member.
pub(crate) fn key_of<'a>(key: &'a Bound<'_, PyAny>) -> Result<&'a str> {
    let text = key
        .cast::<PyString>()
        .map_err(|_| Fault::value(format!("a key is text, not {}", key.get_type())))?;
    utf8(text)
}

/// A text of a document. What Python decodes from bytes that are not UTF-8 is refused.
pub(crate) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Result<&'a str> {
    text.to_str().map_err(|_| {
        Fault::value("the text has a surrogate, so it is not Unicode: replace what is not UTF-8")
    })
}
