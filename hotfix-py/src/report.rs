//! `report`: writes the incident report from a log.

use pyo3::prelude::*;

use crate::error::Result;
use crate::log::Log;
use crate::rollout::Rollout;

/// Write the incident report from a log.
///
/// A report can be written at any time, also for an open incident.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
/// format : str
///     ``"markdown"``, ``"json"`` (described in `docs/report.md`) or ``"html"``: one page without
///     scripts or external references.
///
/// Returns
/// -------
/// str
///
/// Raises
/// ------
/// LogError
///     If the log cannot be replayed.
/// ReportError
///     For an unknown format.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> plan = hotfix.Policy.preset("enterprise").plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"})
/// >>> rollout = hotfix.Rollout(plan)
/// >>> note = {"kind": "note", "by": "omar", "text": "root cause: no default for the payment method"}
/// >>> _ = rollout.handle("2026-03-03T14:40:00Z", note)
/// >>> page = hotfix.report(rollout.log(), "markdown")
/// >>> page.splitlines()[0]
/// '# Incident report: INC-2041'
/// >>> "no default for the payment method" in page
/// True
/// >>> rollout.report("markdown") == page
/// True
#[pyfunction]
#[pyo3(signature = (log, format: "_ReportFormat"))]
pub(crate) fn report(py: Python<'_>, log: Log, format: &str) -> Result<String> {
    Ok(py.detach(|| hotfix_core::report::report(log.bytes(), format))?)
}

/// The report of a rollout that keeps its log. It takes milliseconds, so the interpreter is
/// released, and so is the rollout: a tick does not wait for it.
pub(crate) fn of(py: Python<'_>, rollout: &Rollout, format: &str) -> Result<String> {
    let rollout = rollout.lock(py)?.clone();
    Ok(py.detach(|| rollout.report(format))?)
}
