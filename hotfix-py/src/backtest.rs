//! `hotfix.backtest` and `hotfix.history`: policies on recorded metrics, and the history that these are.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::simulate::backtest as core;
use hotfix_core::simulate::recorded::{self, RecordedFinding, RecordedMetrics};
use hotfix_core::unit::{MetricName, Timestamp};
use pyo3::prelude::*;

use crate::convert;
use crate::document::document;
use crate::error::Result;
use crate::policy::Policy;

document! {
    /// The backtest of one policy on a recording.
    Backtest(core::Backtest) {
        /// The policy's name.
        fn policy(this) -> String { this.policy.to_string() }
        /// Every decision that it would have made, in order: "at", "what", "phase", "reason",
        /// "metrics", "evidence".
        fn would(this, py) -> PyResult<Vec<Py<PyAny>>> {
            this.would.iter().map(|would| Ok(convert::to_python(py, would)?.unbind())).collect()
        }
        /// The time when a deciding metric first exceeded its alert bound.
        fn first_alert(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.first_alert) }
        /// The time when it would first have asked a person.
        fn first_ask(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.first_ask) }
        /// The time when it would have rolled back.
        fn first_rollback(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.first_rollback) }
        /// The time when the combined evidence of all tests first reached the rollback threshold.
        fn crossed_at(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.crossed_at) }
        /// The reason for the rollback; "" if it would not have rolled back.
        fn why(this) -> String { this.why().to_owned() }
        /// The end of the rollout: "at", "state", "phase", and seconds "after" the first traffic.
        fn ended(this, py) -> PyResult<Py<PyAny>> { Ok(convert::to_python(py, &this.ended)?.unbind()) }
        /// Each metric of the policy by id: "role", "left_out", "alert_at", "rollback_at",
        /// "held_at", "crossed_at", "bands".
        fn metrics(this, py) -> PyResult<BTreeMap<String, Py<PyAny>>> { courses(py, &this.metrics) }
        /// Findings: "code", "message", "count", "at", "metric".
        fn findings(this, py) -> PyResult<Vec<Py<PyAny>>> { findings(py, &this.findings) }
    }
}

document! {
    /// The backtests of several policies on one recording.
    Backtests(core::Backtests) {
        /// The assumed time of the fix's first traffic.
        fn from_(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, Some(this.from)) }
        /// The latest time at which watching ended.
        fn until(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, Some(this.until)) }
        /// The number of times with a reading in this interval.
        fn readings(this) -> usize { this.readings }
        /// Findings about the recording: "code", "message", "count", "at", "metric".
        fn findings(this, py) -> PyResult<Vec<Py<PyAny>>> { findings(py, &this.findings) }
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
        /// ``calibration`` of `Policy.plan`.
        fn history(this, py) -> PyResult<Py<PyAny>> {
            Ok(convert::to_python(py, &this.clone().into_histories())?.unbind())
        }
        /// Findings about the recording: "code", "message", "count", "at", "metric".
        fn findings(this, py) -> PyResult<Vec<Py<PyAny>>> { findings(py, &this.findings) }
    }
}

fn courses(
    py: Python<'_>,
    metrics: &BTreeMap<MetricName, core::MetricTrace>,
) -> PyResult<BTreeMap<String, Py<PyAny>>> {
    let course = |(id, course): (&MetricName, &core::MetricTrace)| {
        Ok((id.to_string(), convert::to_python(py, course)?.unbind()))
    };
    metrics.iter().map(course).collect()
}

fn time(py: Python<'_>, at: Option<Timestamp>) -> PyResult<Option<Py<PyAny>>> {
    at.map(|at| Ok(convert::datetime(py, at)?.unbind())).transpose()
}

fn findings(py: Python<'_>, findings: &[RecordedFinding]) -> PyResult<Vec<Py<PyAny>>> {
    findings.iter().map(|finding| Ok(convert::to_python(py, finding)?.unbind())).collect()
}

/// The core's backtest of texts; `hotfix.backtest` reads files and keyword arguments.
#[pyfunction]
pub(crate) fn _backtest(
    py: Python<'_>,
    policies: Vec<PyRef<'_, Policy>>,
    text: &str,
    format: &str,
    mapping: &str,
) -> Result<Backtests> {
    let policies: Vec<_> = policies.iter().map(|policy| Arc::clone(&policy.0)).collect();
    let found = py.detach(|| {
        let (recorded, assume) = RecordedMetrics::from_texts(format, text, mapping)?;
        core::backtest(&policies, &recorded, &assume)
    })?;
    Ok(Backtests(found))
}

/// The core's history from a text; `hotfix.history` reads files.
#[pyfunction]
pub(crate) fn _history(
    py: Python<'_>,
    policy: PyRef<'_, Policy>,
    text: &str,
    format: &str,
    mapping: &str,
) -> Result<RecordedHistory> {
    let policy = Arc::clone(&policy.0);
    Ok(RecordedHistory(
        py.detach(|| RecordedMetrics::from_texts(format, text, mapping)?.0.history(&policy))?,
    ))
}
