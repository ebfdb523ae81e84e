//! Measures from logs: `measures`, `dora`, `similar`; and exports to other tools.

use hotfix_core::interop::cdevents::Options;
use hotfix_core::interop::{cdevents as events, grafana};
use hotfix_core::report::measures::{self as core, Known, MeasureError, Measures, Period};
use pyo3::prelude::*;
use serde_json::Value;

use crate::convert::{json, one_of, to_python};
use crate::error::{Fault, Result};
use crate::log::{Listed, Log};
use crate::policy::Policy;

/// Measure an incident from its log.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
///
/// Returns
/// -------
/// dict
///     ``incident``, ``version``, ``attempts``, ``state``, ``at`` and ``measures``, and if known
///     ``service`` and ``severity``. A measure has ``name``, ``status`` (known, open, not_stated or
///     not_asked), its value under its type (``seconds``, ``yes``, ``share``, ``count``,
///     ``objective``, ``requests``, ``error_rate``, ``facts``), ``from`` and ``to``, the moments
///     between which it was measured, and a ``sentence``. An open measure has the value so far and
///     ``until``: open; one that was not stated or not asked for has no value.
///
/// Raises
/// ------
/// LogError
///     If the log is broken.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> incident = {"id": "INC-2041", "began_at": "2026-03-03T14:02:00Z", "detected_at": "2026-03-03T14:06:00Z"}
/// >>> plan = hotfix.Policy.preset("phased-canary").plan(incident, {"version": "2.3.1", "previous": "2.3.0"})
/// >>> rollout = hotfix.Rollout(plan)
/// >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
/// >>> measures = {each["name"]: each for each in hotfix.measures(rollout.log())["measures"]}
/// >>> measures["time_to_detect"]["seconds"], measures["time_to_recover"]["status"]
/// (240.0, 'open')
/// >>> measures["users_affected"]["sentence"]
/// 'the share of affected users is not recorded'
#[pyfunction]
#[pyo3(signature = (log) -> "dict[str, Any]")]
pub(crate) fn measures(py: Python<'_>, log: Log) -> Result<Bound<'_, PyAny>> {
    let measures = py.detach(|| Measures::from_log(log.bytes()))?;
    Ok(to_python(py, &measures)?)
}

/// The measures of an incident as a table in Markdown.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
///
/// Returns
/// -------
/// str
#[pyfunction]
#[pyo3(signature = (log))]
pub(crate) fn measures_markdown(py: Python<'_>, log: Log) -> Result<String> {
    Ok(py.detach(|| Measures::from_log(log.bytes()))?.to_markdown())
}

/// Compute DORA's four keys over many logs, each incident once, in any order.
///
/// Times are Kaplan-Meier medians, which include open incidents. If too many are open, a median has
/// ``at_least`` instead of ``seconds``.
///
/// Parameters
/// ----------
/// logs : list of str or bytes
///     Whole logs.
/// by : {"month", "week"}, default "month"
///     Length of the periods, in UTC.
///
/// Returns
/// -------
/// dict
///     ``by``, ``logs`` (their number), ``periods``, ``whole`` and ``clocks`` (the events from
///     which lead times count). A period has ``deployments``, ``outcomes``,
///     ``change_failure_rate``, ``lead_time`` and ``time_to_restore``.
///
/// Raises
/// ------
/// LogError
///     If a log is broken.
/// ReportError
///     If two logs are of the same incident, as a log and its redacted copy.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.dora([])["whole"]["deployments"]
/// 0
#[pyfunction]
#[pyo3(signature = (logs, by: "_Period" = "month") -> "dict[str, Any]")]
pub(crate) fn dora<'py>(py: Python<'py>, logs: Listed<Log>, by: &str) -> Result<Bound<'py, PyAny>> {
    Ok(to_python(py, &trend(py, &logs.0, by)?)?)
}

/// DORA's four keys as a table in Markdown, one row for each period.
///
/// Parameters
/// ----------
/// logs : list of str or bytes
///     Whole logs.
/// by : {"month", "week"}, default "month"
///     Length of the periods.
///
/// Returns
/// -------
/// str
#[pyfunction]
#[pyo3(signature = (logs, by: "_Period" = "month"))]
pub(crate) fn dora_markdown(py: Python<'_>, logs: Listed<Log>, by: &str) -> Result<String> {
    Ok(trend(py, &logs.0, by)?.to_markdown())
}

/// DORA's four keys as a chart.
///
/// Parameters
/// ----------
/// logs : list of str or bytes
///     Whole logs.
/// by : {"month", "week"}, default "month"
///     Length of the periods.
///
/// Returns
/// -------
/// dict or None
///     ``svg``, and ``text``, which describes what the chart shows; None if there is no period.
#[pyfunction]
#[pyo3(signature = (logs, by: "_Period" = "month") -> "dict[str, str] | None")]
pub(crate) fn dora_chart<'py>(
    py: Python<'py>,
    logs: Listed<Log>,
    by: &str,
) -> Result<Bound<'py, PyAny>> {
    Ok(to_python(py, &trend(py, &logs.0, by)?.chart())?)
}

fn trend(py: Python<'_>, logs: &[Log], by: &str) -> Result<core::Dora> {
    let by = one_of("by", by, Period::ALL, Period::as_str)?;
    let logs: Vec<&[u8]> = logs.iter().map(Log::bytes).collect();
    Ok(py.detach(|| core::dora(&logs, by))?)
}

/// Find incidents that are similar to a given one, by their facts, the most similar first.
///
/// Parameters
/// ----------
/// known : str, bytes or mapping
///     The incident: its log, or its facts by name.
/// logs : list of str or bytes
///     Whole logs. The incident's own is left out.
/// policy : Policy, optional
///     The policy that defines custom facts. Without it only the built-in facts are known; a log
///     contains its own policy.
///
/// Returns
/// -------
/// list of dict
///     Each with ``log`` (its index), ``incident``, ``score`` from 0 to 1, ``agree``, ``differ``,
///     ``unknown``, ``state``, ``version`` and, if known, ``recovered_after`` in seconds.
///
/// Raises
/// ------
/// LogError
///     If a log is broken.
/// ReportError
///     For an unknown fact, or a fact of another type.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> incident = {"id": "INC-7", "service": "payments", "facts": {"memory_leak": True}}
/// >>> rollout = hotfix.Rollout(hotfix.Policy.preset("fast-track").plan(incident, {"version": "2", "previous": "1"}))
/// >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "it leaks"})
/// >>> [found] = hotfix.similar({"service": "payments", "memory_leak": True}, [rollout.log()])
/// >>> found["incident"], found["score"]
/// ('INC-7', 1.0)
#[pyfunction]
#[pyo3(signature = (known: "str | bytes | Mapping[str, object]", logs, policy=None) -> "list[dict[str, Any]]")]
pub(crate) fn similar<'py>(
    py: Python<'py>,
    known: &Bound<'py, PyAny>,
    logs: Listed<Log>,
    policy: Option<PyRef<'py, Policy>>,
) -> Result<Bound<'py, PyAny>> {
    let known = if let Ok(log) = known.extract::<Log>() {
        Known::read(log.bytes(), policy.as_ref().map(|policy| &*policy.0))?
    } else {
        let Value::Object(facts) = json(known)? else {
            return Err(Fault::input("`known` is neither a log nor facts by name"));
        };
        Known::from_facts(&facts, policy.as_ref().map(|policy| &*policy.0))?
    };
    drop(policy);
    let logs: Vec<&[u8]> = logs.0.iter().map(Log::bytes).collect();
    let found = py.detach(|| core::similar(&known, &logs))?;
    Ok(to_python(py, &found)?)
}

/// Export a log as CDEvents 0.4.1 in CloudEvents 1.0. The same log gives the same ids.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
/// source : str, default "hotfix"
///     The sender of the events: a URI reference.
/// environment : str, default "production"
///     The environment that the service runs in.
/// ticket : str, optional
///     The URI of the incident's ticket; without it there is no ``incident.reported`` event.
///
/// Returns
/// -------
/// list of dict
///
/// Raises
/// ------
/// LogError
///     If the log is broken.
/// ReportError
///     For a setting that is not valid.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> incident = {"id": "INC-2041", "detected_at": "2026-03-03T14:06:00Z"}
/// >>> plan = hotfix.Policy.preset("phased-canary").plan(incident, {"version": "2.3.1", "previous": "2.3.0"})
/// >>> rollout = hotfix.Rollout(plan)
/// >>> _ = rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": "payments fail"})
/// >>> [(event["type"], event["time"]) for event in hotfix.cdevents(rollout.log())]
/// [('dev.cdevents.incident.detected.0.2.0', '2026-03-03T14:06:00.000Z')]
#[pyfunction]
#[pyo3(signature = (log, *, source="hotfix", environment="production", ticket=None) -> "list[dict[str, Any]]")]
pub(crate) fn cdevents<'py>(
    py: Python<'py>,
    log: Log,
    source: &str,
    environment: &str,
    ticket: Option<&str>,
) -> Result<Bound<'py, PyAny>> {
    let options = Options { source, environment, ticket };
    let events = py.detach(|| events::events(log.bytes(), &options))?;
    Ok(to_python(py, &events)?)
}

/// Export a log as Grafana annotations: each is a body for ``POST /api/annotations``.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
///
/// Returns
/// -------
/// list of dict
///     ``time`` and, for a region that has ended, ``timeEnd`` in milliseconds since 1970; ``tags``
///     and ``text``.
///
/// Raises
/// ------
/// LogError
///     If the log is broken.
#[pyfunction]
#[pyo3(signature = (log) -> "list[dict[str, Any]]")]
pub(crate) fn grafana_annotations(py: Python<'_>, log: Log) -> Result<Bound<'_, PyAny>> {
    let notes = py.detach(|| grafana::annotations(log.bytes()))?;
    Ok(to_python(py, &notes)?)
}

impl From<MeasureError> for Fault {
    fn from(error: MeasureError) -> Self {
        match error {
            // The first of several logs is usually the only one; for others the sentence names the
            // log.
            MeasureError::Log { index: 0, error } => error.into(),
            error => {
                let line = match &error {
                    MeasureError::Log { error, .. } => Some(error.line),
                    _ => None,
                };
                Self::measure(error.code(), line, error.to_string())
            }
        }
    }
}

impl From<hotfix_core::interop::ExportError> for Fault {
    fn from(error: hotfix_core::interop::ExportError) -> Self {
        match error {
            hotfix_core::interop::ExportError::Log(error) => error.into(),
            error => Self::measure(error.code(), None, error.to_string()),
        }
    }
}
