//! `hotfix.vcs`: names and versions without a plan.

use hotfix_core::grade::{TagForm, Versioning};
use hotfix_core::unit::Timestamp;
use hotfix_core::vcs;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::convert::{At, one_of};
use crate::error::Result;

/// Make the name of a hot-fix branch from a description.
///
/// It has lower-case letters, digits and single hyphens, at most 50 after the prefix. All other
/// characters of the description are replaced by hyphens, so none of them reaches a shell or a
/// reference.
///
/// Parameters
/// ----------
/// description : str
///     What the fix does, in a few words.
/// prefix : str, default "hotfix/"
///     The start of the name.
///
/// Returns
/// -------
/// str
///     A name that ``git check-ref-format`` accepts.
///
/// Raises
/// ------
/// PlanError
///     If the description has no letter or digit, or the prefix makes the name invalid.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.vcs.branch_name("Payments: don't charge twice!")
/// 'hotfix/payments-dont-charge-twice'
#[pyfunction]
#[pyo3(signature = (description, prefix="hotfix/"))]
pub(crate) fn branch_name(description: &str, prefix: &str) -> Result<String> {
    Ok(vcs::branch_name(prefix, description)?.to_string())
}

/// Compute the next version for a hot-fix.
///
/// Parameters
/// ----------
/// version : str
///     The semantic version that is live, without ``v``.
/// kind : {"patch", "hotfix_identifier"}, default "patch"
///     ``1.2.4``, or ``1.2.3-hotfix.1``, after ``1.2.3``. The second has lower precedence than
///     ``1.2.3``: a tool that selects the newest version keeps the old one.
///
/// Returns
/// -------
/// str
///     The next version.
///
/// Raises
/// ------
/// PlanError
///     If `version` is not a semantic version, or the next version is not clear.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.vcs.next_version("1.2.3")
/// '1.2.4'
/// >>> hotfix.vcs.next_version("1.2.3-hotfix.1", kind="hotfix_identifier")
/// '1.2.3-hotfix.2'
#[pyfunction]
#[pyo3(signature = (version, kind: "_Versioning" = "patch"))]
pub(crate) fn next_version(version: &str, kind: &str) -> Result<String> {
    let by = one_of("kind", kind, Versioning::ALL, Versioning::as_str)?;
    Ok(vcs::next_version(version, by)?.version)
}

/// Make the name of a tag, from a version or from a time in UTC.
///
/// Parameters
/// ----------
/// version : str, optional
///     The version.
/// at : datetime or str, optional
///     The time; give either this or the version.
///
/// Returns
/// -------
/// str
///     A name that ``git check-ref-format`` accepts.
///
/// Raises
/// ------
/// PlanError
///     If the version cannot be part of a tag.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.vcs.tag_name("1.2.4")
/// 'v1.2.4'
/// >>> hotfix.vcs.tag_name(at="2024-01-15T15:30:00+01:00")
/// 'hotfix-20240115-1430'
#[pyfunction]
#[pyo3(signature = (version=None, *, at=None))]
pub(crate) fn tag_name(version: Option<&str>, at: Option<At>) -> Result<String> {
    let name = match (version, at) {
        (Some(version), None) => vcs::tag_name(TagForm::Version, version, Timestamp::default())?,
        (None, Some(At(at))) => vcs::tag_name(TagForm::Timestamp, "", at)?,
        _ => return Err(PyTypeError::new_err("give either a version, or a time as `at`").into()),
    };
    Ok(name.to_string())
}
