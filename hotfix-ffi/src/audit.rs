//! Auditing a log.

use std::ffi::c_char;

use hotfix_core::rollout::audit;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::policy::sorted;
use crate::status::hotfix_status;

/// Checks a log from end to end and recomputes every verdict, action and change of state.
///
/// A fault in the log is a finding, not a failure of the call. The result is {"clean": true,
/// "lines": 42, "head": "…", "findings": []}; a finding is {"code", "line", "message"}.
///
/// @param log                The log's bytes; borrowed for the call.
/// @param log_len            Their number.
/// @param expected_head      The head that the log should have, 64 hexadecimal digits: with it,
///                           missing lines at the end are found. May be null with length 0.
/// @param expected_head_len  Its length in bytes.
/// @param out                A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err                Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT if `expected_head` is not a valid digest.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_audit(
    log: *const c_char,
    log_len: usize,
    expected_head: *const c_char,
    expected_head_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let log = pointer::bytes(log, log_len, "log")?;
            let head = pointer::text(expected_head, expected_head_len, "expected_head")?;
            let head = crate::reading::head(head, "expected_head")?;
            sorted(&audit(log, head))
        })
    }
}
