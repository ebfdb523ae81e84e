//! `audit`: checks a log from end to end.

use hotfix_core::canonical::Digest;
use hotfix_core::rollout;
use pyo3::prelude::*;
use serde_json::Value;

use crate::document::{document, each, flag, text, value, whole};
use crate::error::Result;
use crate::log::Log;

document! {
    /// The result of an audit.
    Audit(Value) {
        /// The faults, in the order of the lines; empty for an intact log.
        fn findings(this) -> Vec<AuditFinding> { each(this, "findings", AuditFinding) }
        /// The hash of the last line.
        fn head(this) -> String { text(this, "head") }
        /// Whether the log is intact and all verdicts, recomputed, equal the recorded ones.
        fn clean(this) -> bool { flag(this, "clean") }
        /// The number of lines read.
        fn lines(this) -> u64 { whole(this, "lines") }
    }
}

document! {
    /// One fault of a log.
    AuditFinding(Value) {
        /// A stable code.
        fn code(this) -> String { text(this, "code") }
        /// The line, from 1.
        fn line(this) -> u64 { whole(this, "line") }
        /// The value that was found and the value that was expected.
        fn message(this) -> String { text(this, "message") }
    }
}

/// Check a log for changed, moved and missing lines, and recompute every verdict, action and change
/// of state.
///
/// A fault of the log is a finding, never an exception.
///
/// Parameters
/// ----------
/// log : str or bytes
///     All lines.
/// expected_head : str, optional
///     The hash that the last line should have, 64 hexadecimal digits; with it, missing lines at
///     the end are found too.
///
/// Returns
/// -------
/// Audit
///
/// Raises
/// ------
/// InputError
///     If `expected_head` is not a valid digest.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> policy = hotfix.Policy.preset("phased-canary")
/// >>> rollout = hotfix.Rollout(policy.plan({"id": "INC-2041"}, {"version": "2.3.1", "previous": "2.3.0"}))
/// >>> _ = rollout.handle("2026-03-03T14:40:00Z", {"kind": "note", "by": "lena", "text": "we are on it"})
/// >>> hotfix.audit(rollout.log(), rollout.head).clean
/// True
/// >>> hotfix.audit(rollout.log().replace("on it", "not on it")).findings[0].code
/// 'HF-JSON-013'
#[pyfunction]
#[pyo3(signature = (log, expected_head=None))]
pub(crate) fn audit(py: Python<'_>, log: Log, expected_head: Option<&str>) -> Result<Audit> {
    let head = expected_head.map(str::parse::<Digest>).transpose()?;
    Ok(Audit(value(&py.detach(|| rollout::audit(log.bytes(), head)))))
}
