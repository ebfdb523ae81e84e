//! `redact`: removes names from a log.

use hotfix_core::rollout::{self, Redaction};
use pyo3::prelude::*;

use crate::error::Result;
use crate::log::{Listed, Log};

/// Redact personal values in a log. The hash chain stays valid, and the log replays to the same
/// state, with digests in place of names.
///
/// Hashed values and members of newer releases are kept, in canonical form; a second redaction
/// changes nothing. Free texts that people wrote are part of the hash and stay in the log.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
/// names : list of str, optional
///     The people whose values are redacted: their names, in any case, and how they are reached;
///     ``Name <address>`` matches either part. Without `names` all personal values are redacted,
///     and the salt is removed too, so that nobody can test names against the digests.
///
/// Returns
/// -------
/// str
///
/// Raises
/// ------
/// LogError
///     With the first line where the chain is broken.
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
/// >>> "omar" in without_anybody, hotfix.audit(without_anybody, rollout.head).clean
/// (False, True)
#[pyfunction]
#[pyo3(signature = (log, names: "list[str] | None" = None))]
pub(crate) fn redact(py: Python<'_>, log: Log, names: Option<Listed<String>>) -> Result<String> {
    let redaction = names.map_or(Redaction::Everything, |names| Redaction::Names(names.0));
    Ok(py.detach(|| rollout::redact(log.bytes(), &redaction))?)
}
