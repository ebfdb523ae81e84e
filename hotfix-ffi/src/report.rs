//! The incident report.

use std::ffi::c_char;

use hotfix_core::report::{ReportError, report};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

impl From<ReportError> for Box<hotfix_error> {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Log(error) => error.into(),
            error => {
                let path = if matches!(error, ReportError::Format { .. }) { "format" } else { "" };
                hotfix_error::new(hotfix_status::Message, error.code(), path, &error)
            }
        }
    }
}

/// Writes the incident report from a log.
///
/// A report can be written at any time, also for an open incident. "html" is one page without
/// scripts or external references; docs/report.md describes "json".
///
/// @param log         The log's bytes, all lines; borrowed for the call.
/// @param log_len     Their number.
/// @param format      "markdown", "json" or "html".
/// @param format_len  Its length in bytes.
/// @param out         A buffer with the report that the caller frees with hotfix_buf_free.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a log that cannot be replayed, HOTFIX_STATUS_MESSAGE for an
///         unknown format.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_report(
    log: *const c_char,
    log_len: usize,
    format: *const c_char,
    format_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let log = pointer::bytes(log, log_len, "log")?;
            let format = pointer::text(format, format_len, "format")?;
            Ok(report(log, format)?)
        })
    }
}

/// Writes the incident report of a rollout that keeps its log.
///
/// @param rollout     A rollout that keeps its log, from its first line on.
/// @param format      "markdown", "json" or "html".
/// @param format_len  Its length in bytes.
/// @param out         A buffer with the report that the caller frees with hotfix_buf_free.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_MESSAGE for an unknown format, and for a rollout that does not keep its
///         log, or has it only from a snapshot on: pass the log to hotfix_report instead.
///         HOTFIX_STATUS_LOG before the first input, when there is no log yet.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_report(
    rollout: *const hotfix_rollout,
    format: *const c_char,
    format_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let format = pointer::text(format, format_len, "format")?;
            pointer::read(rollout, "rollout", |state| Ok(state.rollout.report(format)?))
        })
    }
}
