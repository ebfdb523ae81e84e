//! Observations: from dicts of numbers straight to the core's readings, without JSON text in
//! between.
//!
//! This runs at each tick. A reader keeps its memory, so the same metrics in the same order
//! allocate nothing.

use std::collections::BTreeMap;

use hotfix_core::document::DocumentFault;
use hotfix_core::metric::{Arms, Histogram, Observation, Reading, Sample};
use hotfix_core::rollout::{Command, Input};
use hotfix_core::unit::MetricName;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMapping, PySet, PyString,
    PyTuple,
};

use crate::convert::{key_of, shown};
use crate::error::{Fault, Result};

const OF_INSTANCE: &str = "[events, trials] (only counts and proportions are read by instance; for the whole arm the list comes in place of the object, as [1, 1000])";
const FORMS: &str = "a number, [events, trials], {\"le\", \"counts\", \"count\"}, {\"samples\"} or {instance: [events, trials]}";

/// An `observe` input that is reused.
#[derive(Debug)]
pub(crate) struct ObservationReader {
    input: Input,
    /// The metrics of the last dict, in the order of the readings, which is the order of their ids.
    names: Vec<Py<PyString>>,
}

impl Default for ObservationReader {
    fn default() -> Self {
        Self { input: Input::observe(Observation::new()), names: Vec::new() }
    }
}

impl ObservationReader {
    /// Reads the readings of each metric.
    pub(crate) fn read(&mut self, metrics: &Bound<'_, PyAny>) -> Result<&Input> {
        let (py, metrics) = (metrics.py(), dict(metrics)?);
        let placed = |fault: Fault| fault.within("metrics");
        if let Command::Observe { metrics: seen } = &mut self.input.command
            && !refill(seen, &self.names, &metrics).map_err(placed)?
        {
            *seen = observation(&metrics).map_err(placed)?;
            let name = |(name, _): (MetricName, &_)| PyString::new(py, name.as_str()).unbind();
            self.names = seen.iter().map(name).collect();
        }
        Ok(&self.input)
    }
}

/// Returns an independent observation.
pub(crate) fn observation(metrics: &Bound<'_, PyDict>) -> Result<Observation> {
    let mut seen = Observation::new();
    for (key, value) in &metrics.copy()? {
        let name = key_of(&key)?;
        let name =
            MetricName::try_new(name).map_err(|e| Fault::value(e.to_string()).within(name))?;
        let mut reading = Reading::default();
        read_metric(&value, &mut reading).map_err(|fault| fault.within(name.as_str()))?;
        seen.set(name, reading);
    }
    Ok(seen)
}

/// Fills the readings in place if the metrics are the same as last time; otherwise returns false.
/// Each metric is looked up separately: the caller's code may run while its numbers are read, and
/// it could change the dict.
fn refill(
    seen: &mut Observation,
    names: &[Py<PyString>],
    metrics: &Bound<'_, PyDict>,
) -> Result<bool> {
    if metrics.len() != names.len() || seen.len() != names.len() {
        return Ok(false);
    }
    for ((id, reading), name) in seen.iter_mut().zip(names) {
        let Some(value) = metrics.get_item(name)? else { return Ok(false) };
        read_metric(&value, reading).map_err(|fault| fault.within(id.as_str()))?;
    }
    Ok(true)
}

/// Reads one metric: both arms, or strata with both arms each, by name or as a list.
fn read_metric(value: &Bound<'_, PyAny>, reading: &mut Reading) -> Result<()> {
    if !value.is_instance_of::<PyList>() && !value.is_instance_of::<PyTuple>() {
        let fields = dict(value)?;
        if is_by_stratum(&fields)? {
            *reading = Reading::by_stratum(strata(&fields)?);
            return Ok(());
        }
        return read_arms(&fields, reading.whole_mut());
    }
    let mut strata = Vec::with_capacity(value.len()?);
    for (place, stratum) in value.try_iter()?.enumerate() {
        let mut arms = Arms::default();
        read_arms(&dict(&stratum?)?, &mut arms)
            .map_err(|fault| fault.within(&place.to_string()))?;
        strata.push(arms);
    }
    let mut strata = strata.into_iter();
    let first = strata.next().ok_or_else(|| Fault::value("a list of strata has at least one"))?;
    *reading = Reading::stratified(first, strata.collect());
    Ok(())
}

/// Whether there are no arms, and a member is an object.
fn is_by_stratum(fields: &Bound<'_, PyDict>) -> Result<bool> {
    let py = fields.py();
    // A lookup of interned names is faster than an iteration over the members.
    if fields.contains(intern!(py, "canary"))? || fields.contains(intern!(py, "baseline"))? {
        return Ok(false);
    }
    let is_object =
        |of: &Bound<'_, PyAny>| of.is_instance_of::<PyDict>() || of.is_instance_of::<PyMapping>();
    Ok(fields.copy()?.iter().any(|(_, of)| is_object(&of)))
}

fn strata(fields: &Bound<'_, PyDict>) -> Result<BTreeMap<String, Arms>> {
    let mut strata = BTreeMap::new();
    for (key, value) in &fields.copy()? {
        let (name, mut arms) = (key_of(&key)?, Arms::default());
        if OF_ARMS.contains(&name) {
            return Err(Fault::value(Reading::ARMS_OR_STRATA));
        }
        let read = dict(&value).and_then(|fields| read_arms(&fields, &mut arms));
        read.map_err(|fault| fault.within(name))?;
        strata.insert(name.to_owned(), arms);
    }
    Ok(strata)
}

fn read_arms(fields: &Bound<'_, PyDict>, arms: &mut Arms) -> Result<()> {
    let py = fields.py();
    // A lookup of interned names is faster than an iteration over the members.
    let mut left = fields.len();
    for (key, name, arm) in [
        ("canary", intern!(py, "canary"), &mut arms.canary),
        ("baseline", intern!(py, "baseline"), &mut arms.baseline),
    ] {
        let reading = fields.get_item(name)?;
        left -= usize::from(reading.is_some());
        match reading {
            Some(reading) if !reading.is_none() => {
                read_sample(&reading, arm).map_err(|fault| fault.within(key))?;
            }
            _ => *arm = None,
        }
    }
    arms.totals = false;
    if left > 0 {
        if let Some(totals) = fields.get_item(intern!(py, "totals"))? {
            let read = totals.extract::<Option<bool>>();
            arms.totals = read
                .map_err(|_| expected("True or False", &totals).within("totals"))?
                .unwrap_or_default();
        }
        for (key, _) in &fields.copy()? {
            let key = key_of(&key)?;
            if !OF_ARMS.contains(&key) {
                return Err(Fault::value(DocumentFault::unknown_key(key, &OF_ARMS).to_string()));
            }
        }
    }
    Ok(())
}

/// The members of a reading of both arms.
const OF_ARMS: [&str; 3] = ["baseline", "canary", "totals"];

/// Reads what one arm read.
pub(crate) fn read_sample(value: &Bound<'_, PyAny>, into: &mut Option<Sample>) -> Result<()> {
    if value.is_exact_instance_of::<PyFloat>() || value.is_exact_instance_of::<PyInt>() {
        *into = Some(Sample::Level(number(value)?));
    } else if let Some([events, trials]) = read_pair(value)? {
        *into = Some(Sample::Pair(events, trials));
    } else if value.is_instance_of::<PyDict>() || value.is_instance_of::<PyMapping>() {
        read_object(&dict(value)?, into)?;
    } else if let Ok(level) = number(value) {
        *into = Some(Sample::Level(level));
    } else {
        let [events, trials] = pair_of(&numbers(value)?)?;
        *into = Some(Sample::Pair(events, trials));
    }
    Ok(())
}

/// What an instance read: two numbers, and nothing that has instances itself, however deep.
fn read_instance(value: &Bound<'_, PyAny>) -> Result<[f64; 2]> {
    if let Some(pair) = read_pair(value)? {
        return Ok(pair);
    }
    if value.is_instance_of::<PyMapping>() || number(value).is_ok() {
        return Err(expected(OF_INSTANCE, value));
    }
    pair_of(&numbers(value)?)
}

/// The two numbers of a list or tuple; None of anything else.
#[inline]
fn read_pair(value: &Bound<'_, PyAny>) -> Result<Option<[f64; 2]>> {
    let (events, trials) = if let Ok(list) = value.cast::<PyList>() {
        if list.len() != 2 {
            return pair_of(&[]).map(Some);
        }
        (item(list, 0)?, item(list, 1)?)
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        if tuple.len() != 2 {
            return pair_of(&[]).map(Some);
        }
        (tuple.get_item(0)?, tuple.get_item(1)?)
    } else {
        return Ok(None);
    };
    Ok(Some([number(&events)?, number(&trials)?]))
}

fn pair_of(numbers: &[f64]) -> Result<[f64; 2]> {
    numbers.try_into().map_err(|_| Fault::value("a list has two numbers: [events, trials]"))
}

fn read_object(object: &Bound<'_, PyDict>, into: &mut Option<Sample>) -> Result<()> {
    let py = object.py();
    if object.len() == 3
        && let Some(le) = object.get_item(intern!(py, "le"))?
        && let Some(counts) = object.get_item(intern!(py, "counts"))?
        && let Some(count) = object.get_item(intern!(py, "count"))?
    {
        if !matches!(into, Some(Sample::Histogram(_))) {
            *into = Some(Sample::Histogram(Histogram::default()));
        }
        if let Some(Sample::Histogram(histogram)) = into {
            read_numbers(&le, &mut histogram.le)?;
            read_numbers(&counts, &mut histogram.counts)?;
            histogram.count = number(&count)?;
        }
        return Ok(());
    }
    if object.len() == 1
        && let Some(samples) = object.get_item(intern!(py, "samples"))?
    {
        *into = Some(Sample::Samples(numbers(&samples)?));
        return Ok(());
    }
    let mut instances = BTreeMap::new();
    for (key, value) in &object.copy()? {
        let instance = key_of(&key)?;
        if OF_HISTOGRAM.contains(&instance) || instance == "samples" {
            return Err(out_of_place(object, instance));
        }
        let pair = read_instance(&value).map_err(|fault| fault.within(instance))?;
        instances.insert(instance.to_owned(), pair);
    }
    if instances.is_empty() {
        return Err(Fault::value(format!("a reading is {FORMS}")));
    }
    *into = Some(Sample::Instances(instances));
    Ok(())
}

/// The members of a histogram.
const OF_HISTOGRAM: [&str; 3] = ["le", "counts", "count"];

/// The fault of an object with a member of another form: of a histogram one may be missing.
fn out_of_place(object: &Bound<'_, PyDict>, member: &str) -> Fault {
    let is_missing = |of: &&str| !object.contains(*of).unwrap_or(true);
    match OF_HISTOGRAM.into_iter().find(is_missing) {
        Some(missing) if member != "samples" => {
            Fault::value(format!("`{missing}` is missing: add it")).within(missing)
        }
        _ => Fault::value(format!("a reading is {FORMS}; `{member}` is out of place")),
    }
}

/// Numbers of a list, tuple, buffer (`array`, NumPy) or other sequence.
pub(crate) fn numbers(value: &Bound<'_, PyAny>) -> Result<Vec<f64>> {
    let mut read = Vec::new();
    read_numbers(value, &mut read)?;
    Ok(read)
}

fn read_numbers(value: &Bound<'_, PyAny>, into: &mut Vec<f64>) -> Result<()> {
    into.clear();
    if let Ok(list) = value.cast::<PyList>() {
        into.reserve(list.len());
        // An iterator would query the length each time.
        for at in 0..list.len() {
            into.push(number(&item(list, at)?)?);
        }
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        for item in tuple {
            into.push(number(&item)?);
        }
    } else if let Some(read) = of_buffer(value).map_err(|what| expected(what, value))? {
        *into = read;
    } else if is_no_list(value) {
        return Err(expected("a list of numbers", value));
    } else {
        for item in value.try_iter().map_err(|_| expected("a list of numbers", value))? {
            into.push(number(&item?)?);
        }
    }
    Ok(())
}

/// Whether it can be iterated over, but not for numbers. The order of a set's numbers says nothing.
pub(crate) fn is_no_list(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyString>()
        || value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMapping>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
}

/// The numbers of a buffer of doubles; None of anything else. The error is what is expected: a
/// masked value is not to be counted, and rows are not one sample.
pub(crate) fn of_buffer(
    value: &Bound<'_, PyAny>,
) -> std::result::Result<Option<Vec<f64>>, &'static str> {
    let py = value.py();
    if value.hasattr(intern!(py, "compressed")).unwrap_or_default() {
        return Err("an array without a mask (`.compressed()`)");
    }
    let Ok(buffer) = PyBuffer::<f64>::get(value) else { return Ok(None) };
    if buffer.dimensions() != 1 {
        return Err("an array of one dimension");
    }
    // pyo3 takes the other byte order for the native one; numbers are read right one by one.
    let other = if cfg!(target_endian = "little") { b'>' } else { b'<' };
    if buffer.format().to_bytes().first().is_some_and(|order| [other, b'!'].contains(order)) {
        return Ok(None);
    }
    Ok(buffer.to_vec(py).ok())
}

/// A member of a list, which may have become shorter since its length was read.
fn item<'py>(list: &Bound<'py, PyList>, at: usize) -> Result<Bound<'py, PyAny>> {
    list.get_item(at).map_err(|_| Fault::value("a list became shorter while it was read"))
}

/// A number; NaN and infinities are allowed, also under the names that they have in a log. A bool
/// is not a number.
#[inline(always)]
#[expect(clippy::inline_always, reason = "forty numbers an observation; measured")]
pub(crate) fn number(value: &Bound<'_, PyAny>) -> Result<f64> {
    if let Ok(float) = value.cast_exact::<PyFloat>() {
        return Ok(float.value());
    }
    if value.is_exact_instance_of::<PyInt>()
        && let Ok(whole) = value.extract::<i64>()
    {
        return Ok(whole as f64);
    }
    other_number(value)
}

#[cold]
fn other_number(value: &Bound<'_, PyAny>) -> Result<f64> {
    if let Ok(name) = value.cast::<PyString>() {
        return match name.to_str() {
            Ok("NaN") => Ok(f64::NAN),
            Ok("Infinity") => Ok(f64::INFINITY),
            Ok("-Infinity") => Ok(f64::NEG_INFINITY),
            _ => Err(expected("a number", value)),
        };
    }
    // NumPy's `bool_` converts to a float, too.
    if value.extract::<bool>().is_ok() {
        return Err(expected("a number", value));
    }
    value.extract().map_err(|error: PyErr| {
        let py = value.py();
        let is_no_number = error.is_instance_of::<PyTypeError>(py)
            || error.is_instance_of::<PyValueError>(py)
            || error.is_instance_of::<PyOverflowError>(py);
        // Any other is the caller's own, such as KeyboardInterrupt.
        if is_no_number { expected("a number", value) } else { error.into() }
    })
}

fn dict<'py>(value: &Bound<'py, PyAny>) -> Result<Bound<'py, PyDict>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        return Ok(dict.clone());
    }
    let mapping = value.cast::<PyMapping>().map_err(|_| expected("an object", value))?;
    let dict = PyDict::new(value.py());
    dict.update(mapping)?;
    Ok(dict)
}

fn expected(what: &str, value: &Bound<'_, PyAny>) -> Fault {
    Fault::value(format!("{what} is expected, not {}", shown(value)))
}
