//! The incident report.

use std::ffi::c_char;

use hotfix_core::report::report;

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

/// Writes the incident report of a log, from the log alone.
///
/// It can be asked for at any time, of an incident that is not finished as well. "html" is one page without script and without any
/// reference; "json" is described in docs/report.md.
///
/// @param log         The log's bytes, all lines; borrowed for the call.
/// @param log_len     Their number.
/// @param format      "markdown", "json" or "html".
/// @param format_len  Its length in bytes.
/// @param out         A buffer with the report that the caller frees with hotfix_buf_free.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a log that cannot be taken up, HOTFIX_STATUS_MESSAGE for another format.
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
        guard(err, || {
            put_text(out, || {
                let log = pointer::bytes(log, log_len, "log")?;
                let format = pointer::text(format, format_len, "format")?;
                Ok(report(log, format)?)
            })
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
/// @return HOTFIX_STATUS_MESSAGE for another format, and for a rollout that keeps no log: give the log to hotfix_report.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
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
        guard(err, || {
            put_text(out, || {
                let format = pointer::text(format, format_len, "format")?;
                pointer::read(rollout, "rollout", |state| Ok(state.rollout.report(format)?))
            })
        })
    }
}
