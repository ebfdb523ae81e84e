//! Responses of Prometheus to `query_range`: a matrix, or several by name.
//!
//! Source of the format: the HTTP API of Prometheus, "Range queries" and "Range vectors"
//! (prometheus.io/docs).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::text;

use super::error::{RecordedErrors, RecordedFault};
use super::mapping::{ARMS, Edge, LabelPart, Mapping, Source};
use super::points::{Points, Series};
use super::{RecordedMetrics, message_of, number, seconds};

/// One series of a response.
struct Answered<'a> {
    /// The name of the response, if there are several.
    answer: Option<&'a str>,
    labels: &'a Map<String, Value>,
    values: &'a [Value],
    pointer: String,
}

pub(super) fn read(text: &str, mapping: &Mapping) -> Result<RecordedMetrics, RecordedErrors> {
    let document: Value = serde_json::from_str(text).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or(u64::MAX);
        RecordedFault::Json { fault: message_of(&error) }.at_line(line, error.column())
    })?;
    let all = all_series(&document)?;
    let mut points = Points::new(mapping);
    let mut unmatched = BTreeSet::new();
    for (index, (metric, arm, of)) in mapping.arms().enumerate() {
        // Each part, by instance if the arm is read so, is one series.
        let mut taken: BTreeMap<Series, usize> = BTreeMap::new();
        for (part, source) in of.sources() {
            let name = source.from.as_deref();
            unmatched.extend(name.filter(|_| !all.iter().any(|one| one.is(source))));
            for (place, series) in all.iter().enumerate().filter(|(_, one)| one.is(source)) {
                let instance = match &of.instance {
                    Some(label) => points.instance(series.instance(label)?),
                    None => 0,
                };
                let belongs = Series { arm: index, instance, part: series.part(part, source)? };
                if taken.insert(belongs, place).is_some() {
                    let arm = ARMS.get(arm).copied().unwrap_or_default();
                    let fault = RecordedFault::SeveralSeries { metric, arm };
                    return Err(fault.at(series.pointer.clone()));
                }
                for (step, value) in series.values.iter().enumerate() {
                    let (at, value) =
                        pair(value).ok_or_else(|| wrong_pair(value, &series.pointer, step))?;
                    points.add(at, belongs, source.value(value))?;
                }
            }
        }
    }
    let recorded = points.assemble();
    if recorded.readings.is_empty() && !unmatched.is_empty() {
        let names: Vec<&str> = unmatched.into_iter().collect();
        let without = format!(": no series matches {}", text::quoted(&names, ", "));
        return Err(RecordedFault::Nothing { without }.anywhere());
    }
    Ok(recorded)
}

/// `[1767225600.781, "0.25"]`.
fn pair(value: &Value) -> Option<(crate::unit::Timestamp, f64)> {
    match value.as_array()?.as_slice() {
        [Value::Number(at), Value::String(value)] => Some((seconds(at.as_f64()?)?, number(value)?)),
        _ => None,
    }
}

fn wrong_pair(value: &Value, series: &str, step: usize) -> RecordedErrors {
    let shown = text::shown(&value.to_string());
    let fault = format!("`{shown}` is not a pair of seconds and a number in quotes");
    RecordedFault::NoRange { fault }.at(format!("{series}/values/{step}"))
}

impl Answered<'_> {
    /// Whether a source matches it.
    fn is(&self, source: &Source) -> bool {
        let label = |name: &str| self.labels.get(name).and_then(Value::as_str);
        let named = |name: &String| {
            self.answer == Some(name.as_str()) || label("__name__") == Some(name.as_str())
        };
        source.from.as_ref().is_none_or(named)
            // As in Prometheus, an absent label is empty.
            && source.matching.iter().all(|(name, value)| label(name).unwrap_or_default() == value)
    }

    fn instance(&self, label: &str) -> Result<&str, RecordedErrors> {
        let name = self.labels.get(label).and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            let pointer = format!("{}/metric/{}", self.pointer, text::pointer_step(label));
            let labels: Vec<String> = self.labels.keys().map(|label| text::shown(label)).collect();
            let known = match labels.as_slice() {
                [] => "; it has no label".to_owned(),
                labels => format!("; its labels are {}", text::quoted(labels, ", ")),
            };
            return Err(RecordedFault::NoInstance { name: text::shown(label), known }.at(pointer));
        }
        Ok(name)
    }

    /// Its part, if a label has the bound of its bucket.
    fn part(&self, part: LabelPart, source: &Source) -> Result<LabelPart, RecordedErrors> {
        let Some(Edge::Read(name)) = &source.le else { return Ok(part) };
        let bound = self.labels.get(name).and_then(Value::as_str).unwrap_or_default();
        number(bound)
            .filter(|bound| *bound > 0.0)
            .map(|bound| LabelPart::Bucket(bound.to_bits()))
            .ok_or_else(|| {
                let pointer = format!("{}/metric/{}", self.pointer, text::pointer_step(name));
                RecordedFault::Number { got: text::shown(bound) }.at(pointer)
            })
    }
}

fn all_series(document: &Value) -> Result<Vec<Answered<'_>>, RecordedErrors> {
    let mut all = Vec::new();
    match document.as_object() {
        Some(answer) if answer.contains_key("status") || answer.contains_key("resultType") => {
            series_of(None, document, "", &mut all)?;
        }
        Some(answers) if !answers.is_empty() => {
            for (name, answer) in answers {
                let pointer = format!("/{}", text::pointer_step(name));
                series_of(Some(name), answer, &pointer, &mut all)?;
            }
        }
        _ => return Err(no_range("give a response, or an object of responses by name", "")),
    }
    Ok(all)
}

fn no_range(fault: &str, pointer: &str) -> RecordedErrors {
    RecordedFault::NoRange { fault: fault.to_owned() }.at(pointer)
}

fn series_of<'a>(
    answer: Option<&'a str>,
    document: &'a Value,
    pointer: &str,
    all: &mut Vec<Answered<'a>>,
) -> Result<(), RecordedErrors> {
    if let Some(status) = document.get("status")
        && status != "success"
    {
        let error = document.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        let fault = format!("Prometheus refused the query: {}", text::shown(error));
        return Err(no_range(&fault, &format!("{pointer}/status")));
    }
    // With or without the envelope.
    let (data, pointer) = match document.get("data") {
        Some(data) => (data, format!("{pointer}/data")),
        None => (document, pointer.to_owned()),
    };
    if data.get("resultType").and_then(Value::as_str) != Some("matrix") {
        let fault = "`resultType` is not `matrix`: use `query_range`, not `query`";
        return Err(no_range(fault, &format!("{pointer}/resultType")));
    }
    let at = format!("{pointer}/result");
    let Some(result) = data.get("result").and_then(Value::as_array) else {
        return Err(no_range("`result` is not a list", &at));
    };
    for (place, series) in result.iter().enumerate() {
        let pointer = format!("{at}/{place}");
        let labels = series.get("metric").and_then(Value::as_object);
        let values = series.get("values").and_then(Value::as_array);
        let (Some(labels), Some(values)) = (labels, values) else {
            let fault = "a series needs `metric` and `values`; native histograms are not supported";
            return Err(no_range(fault, &pointer));
        };
        all.push(Answered { answer, labels, values, pointer });
    }
    Ok(())
}
