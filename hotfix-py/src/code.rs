//! `explain`: what a code means.

use pyo3::prelude::*;

/// Explain the code of an error, a refusal or a finding.
///
/// Parameters
/// ----------
/// code : str
///     As in ``error.code``.
///
/// Returns
/// -------
/// str or None
///     What is wrong, the cause, and what to do, as Markdown; None for a code that this release
///     does not have.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> print(hotfix.explain("HF-JSON-001").splitlines()[0])
/// A number is NaN or infinite, and JSON has no form for it.
/// >>> hotfix.explain("E0308") is None
/// True
#[pyfunction]
pub(crate) fn explain(code: &str) -> Option<&'static str> {
    hotfix_core::code::explain(code)
}
