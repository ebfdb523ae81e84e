//! `hotfix.backtest`: policies over recorded metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::simulate::backtest as core;
use hotfix_core::simulate::recorded::{Format, Mapping, RecordedFinding, RecordedMetrics};
use hotfix_core::unit::{MetricName, Timestamp};
use pyo3::prelude::*;

use crate::convert;
use crate::document::document;
use crate::error::Result;
use crate::policy::Policy;

document! {
    /// What a policy would have done on a recording.
    Backtest(core::Backtest) {
        /// The policy's name.
        fn policy(this) -> String { this.policy.to_string() }
        /// Everything that it would have done, in order: "at", "what", "phase", "reason", "metrics", "evidence".
        fn would(this, py) -> PyResult<Vec<Py<PyAny>>> {
            this.would.iter().map(|would| Ok(convert::to_python(py, would)?.unbind())).collect()
        }
        /// When a deciding metric was first beyond its alert bound.
        fn first_alert(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.first_alert) }
        /// When it would first have asked a person.
        fn first_ask(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.first_ask) }
        /// When it would have gone back.
        fn first_rollback(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.first_rollback) }
        /// When all tests together first had the evidence to go back.
        fn crossed_at(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, this.crossed_at) }
        /// Why it would have gone back; "" where it would not.
        fn why(this) -> String { this.why().to_owned() }
        /// How it ended: "at", "state", "phase", and seconds "after" the first traffic.
        fn ended(this, py) -> PyResult<Py<PyAny>> { Ok(convert::to_python(py, &this.ended)?.unbind()) }
        /// Each metric of the policy by id: "role", "left_out", "alert_at", "rollback_at", "held_at", "crossed_at", "bands".
        fn metrics(this, py) -> PyResult<BTreeMap<String, Py<PyAny>>> { courses(py, &this.metrics) }
        /// What was odd: "code", "message", "count", "at", "metric".
        fn findings(this, py) -> PyResult<Vec<Py<PyAny>>> { findings(py, &this.findings) }
    }
}

document! {
    /// What several policies would have done on one recording.
    Backtests(core::Backtests) {
        /// When the fix is assumed to have got its first traffic.
        fn from_(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, Some(this.from)) }
        /// When watching ended at the latest.
        fn until(this, py) -> PyResult<Option<Py<PyAny>>> { time(py, Some(this.until)) }
        /// Times in between at which something was read.
        fn readings(this) -> usize { this.readings }
        /// What was odd about the recording: "code", "message", "count", "at", "metric".
        fn findings(this, py) -> PyResult<Vec<Py<PyAny>>> { findings(py, &this.findings) }
        /// Each policy, in the order given.
        fn policies(this) -> Vec<Backtest> { this.policies.iter().cloned().map(Backtest).collect() }
    } {
        /// The policies side by side as a table in Markdown.
        fn to_markdown(&self) -> String {
            self.0.to_markdown()
        }
    }
}

fn courses(
    py: Python<'_>,
    metrics: &BTreeMap<MetricName, core::MetricCourse>,
) -> PyResult<BTreeMap<String, Py<PyAny>>> {
    let course = |(id, course): (&MetricName, &core::MetricCourse)| {
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

/// The core's backtest, with its texts: `hotfix.backtest` reads files and keyword arguments.
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
        let mapping = Mapping::from_json(mapping)?;
        let recorded = RecordedMetrics::read(Format::named(format)?, text, &mapping)?;
        core::backtest(&policies, &recorded, &mapping.assume)
    })?;
    Ok(Backtests(found))
}
