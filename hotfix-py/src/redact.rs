//! `redact`: names taken out of a log.

use hotfix_core::rollout::{self, Redaction};
use pyo3::prelude::*;

use crate::error::Result;
use crate::log::Log;

/// Take personal values out of a log: the chain holds without them, and it replays to the same state with digests in place of
/// names.
///
/// What is hashed, members of newer releases and the layout of lines stay as they are; a second time changes nothing. What
/// people wrote into texts is hashed and stays.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
/// names : list of str, optional
///     Whose values go, however their case: the names and how these people are reached; ``Name <address>`` goes by either
///     part. Without it everything personal goes, the salt too, so that nobody can try names on the digests.
///
/// Returns
/// -------
/// str
///
/// Raises
/// ------
/// LogError
///     With the first line at which the chain is broken.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> policy = hotfix.Policy.preset("phased-canary")
/// >>> release = {"version": "2.3.1", "previous": "2.3.0", "author": "Lena Ode <lena@example.org>"}
/// >>> rollout = hotfix.Rollout(policy.plan({"id": "INC-2041"}, release), salt="b7c1f09a")
/// >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "note", "by": "omar", "text": "we are on it"})
/// >>> without_lena = hotfix.redact(rollout.log(), names=["lena ode"])
/// >>> "Lena" in without_lena, "omar" in without_lena
/// (False, True)
/// >>> without_anybody = hotfix.redact(rollout.log())
/// >>> "omar" in without_anybody, hotfix.audit(without_anybody, rollout.head).is_clean
/// (False, True)
#[pyfunction]
#[pyo3(signature = (log, names=None))]
pub(crate) fn redact(py: Python<'_>, log: Log, names: Option<Vec<String>>) -> Result<String> {
    let redaction = names.map_or(Redaction::Everything, Redaction::Names);
    Ok(py.detach(|| rollout::redact(log.bytes(), &redaction))?)
}
