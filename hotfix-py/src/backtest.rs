//! `hotfix.backtest` and `hotfix.history`: policies on recorded metrics, and the history that these are.

use std::sync::Arc;

use hotfix_core::simulate::backtest as core;
use hotfix_core::simulate::recorded::{self, Mapping, RecordedFault, RecordedMetrics};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use serde_json::{Map, Value};

use crate::convert::{At, json, utf8};
use crate::document::document;
use crate::error::{Fault, Result};
use crate::policy::Policy;
use crate::typed::{Dicts, DictsByName, Histories, Json};

document! {
    /// The backtest of one policy on a recording.
    Backtest(core::Backtest) {
        /// The policy's name.
        fn policy(this) -> String { this.policy.to_string() }
        /// Every decision that it would have made, in order: "at", "what", "phase", "reason",
        /// "metrics", "evidence".
        fn would(this) -> Json<Dicts> { Json::of(&this.would) }
        /// The time when a deciding metric first exceeded its alert bound.
        fn first_alert(this) -> Option<At> { this.first_alert.map(At) }
        /// The time when it would first have asked a person.
        fn first_ask(this) -> Option<At> { this.first_ask.map(At) }
        /// The time when it would have rolled back.
        fn first_rollback(this) -> Option<At> { this.first_rollback.map(At) }
        /// The time when the combined evidence of all tests first reached the rollback threshold.
        fn crossed_at(this) -> Option<At> { this.crossed_at.map(At) }
        /// The reason for the rollback, or else for the first question; "" without either.
        fn why(this) -> String { this.why().to_owned() }
        /// The end of the rollout: "at", "state", "phase", and seconds "after" the first traffic.
        fn ended(this) -> Json { Json::of(&this.ended) }
        /// Each metric of the policy by id: "role", "left_out", "alert_at", "rollback_at",
        /// "held_at", "crossed_at", "bands".
        fn metrics(this) -> Json<DictsByName> { Json::of(&this.metrics) }
        /// Findings: "code", "message", "count", "at", "metric".
        fn findings(this) -> Json<Dicts> { Json::of(&this.findings) }
    }
}

document! {
    /// The backtests of several policies on one recording.
    Backtests(core::Backtests) {
        /// The assumed time of the fix's first traffic.
        fn from_(this) -> At { At(this.from) }
        /// The latest time at which watching ended.
        fn until(this) -> At { At(this.until) }
        /// The number of times with a reading in this interval.
        fn readings(this) -> usize { this.readings }
        /// Findings about the recording: "code", "message", "count", "at", "metric".
        fn findings(this) -> Json<Dicts> { Json::of(&this.findings) }
        /// The backtest of each policy, in the order given.
        fn policies(this) -> Vec<Backtest> { this.policies.iter().cloned().map(Backtest).collect() }
    } {
        /// The policies side by side as a table in Markdown.
        fn to_markdown(&self) -> String {
            self.0.to_markdown()
        }
    }
}

document! {
    /// What each instance counted in ordinary operation, made by `history`.
    RecordedHistory(recorded::RecordedHistory) {
        /// By metric and instance, one pair of events and trials per tick of the policy's cadence;
        /// of a latency by arm, one row of requests up to each boundary and of all. It is the
        /// ``calibration`` of `Policy.plan`. ``["history"]`` has the pairs, ``["times"]`` the rows.
        fn history(this) -> Json<Histories> { Json::of(&this.clone().into_histories()) }
        /// Findings about the recording: "code", "message", "count", "at", "metric".
        fn findings(this) -> Json<Dicts> { Json::of(&this.findings) }
    }
}

/// A recording as text, or as the bytes of one.
fn text_of<'a>(text: &'a Bound<'_, PyAny>, format: &str) -> Result<&'a str> {
    if let Ok(bytes) = text.cast::<PyBytes>() {
        return Ok(RecordedMetrics::text_of(format, bytes.as_bytes())?);
    }
    let text = text.cast::<PyString>().map_err(PyErr::from)?;
    utf8(text).map_err(Fault::of::<RecordedFault>)
}

/// A mapping as JSON that can be read, with assumptions that replace its own; `hotfix.backtest` and
/// `hotfix.history` call it.
#[pyfunction]
#[pyo3(signature = (mapping: "Mapping[str, Any] | str", assume: "Mapping[str, Any]"))]
pub(crate) fn _mapping(mapping: &Bound<'_, PyAny>, assume: &Bound<'_, PyDict>) -> Result<String> {
    let faulty = |fault: Fault| fault.of::<RecordedFault>();
    let mut document = if let Ok(text) = mapping.cast::<PyString>() {
        let text = utf8(text).map_err(faulty)?;
        Mapping::from_json(text)?;
        // The core accepts a byte-order mark, and no text at all.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        serde_json::from_str(text).unwrap_or_else(|_| Value::Object(Map::new()))
    } else {
        json(mapping).map_err(faulty)?
    };
    let given = json(assume).map_err(|fault| faulty(fault.within("assume")))?;
    if let (Value::Object(document), Value::Object(given)) = (&mut document, given)
        && let Value::Object(own) =
            document.entry("assume").or_insert_with(|| Value::Object(Map::new()))
    {
        own.extend(given);
    }
    // No text has what is wrong now, so its errors have no line.
    Mapping::from_value(&document)?;
    Ok(document.to_string())
}

/// The core's backtest of texts; `hotfix.backtest` reads files and keyword arguments.
#[pyfunction]
#[pyo3(signature = (policies: "list[Policy]", text: "str | bytes", format, mapping))]
pub(crate) fn _backtest(
    py: Python<'_>,
    policies: Vec<PyRef<'_, Policy>>,
    text: &Bound<'_, PyAny>,
    format: &str,
    mapping: &str,
) -> Result<Backtests> {
    let text = text_of(text, format)?;
    let policies: Vec<_> = policies.iter().map(|policy| Arc::clone(&policy.0)).collect();
    let found = py.detach(|| {
        let (recorded, assume) = RecordedMetrics::from_texts(format, text, mapping)?;
        core::backtest(&policies, &recorded, &assume)
    })?;
    Ok(Backtests(found))
}

/// The core's history from a text; `hotfix.history` reads files.
#[pyfunction]
#[pyo3(signature = (policy, text: "str | bytes", format, mapping))]
pub(crate) fn _history(
    py: Python<'_>,
    policy: PyRef<'_, Policy>,
    text: &Bound<'_, PyAny>,
    format: &str,
    mapping: &str,
) -> Result<RecordedHistory> {
    let text = text_of(text, format)?;
    let policy = Arc::clone(&policy.0);
    Ok(RecordedHistory(
        py.detach(|| RecordedMetrics::from_texts(format, text, mapping)?.0.history(&policy))?,
    ))
}
