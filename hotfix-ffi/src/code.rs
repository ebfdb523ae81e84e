//! What a code means.

use std::ffi::c_char;

use hotfix_core::code::explain;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::status::hotfix_status;

/// Explains the code of an error, a refusal or a finding: what is wrong, the cause, and what to do.
///
/// The text is Markdown in lines of at most 100 characters, as on the page docs/codes.md. It is
/// empty for a code that this release does not have.
///
/// @param code      The code, as hotfix_error_code gives it; UTF-8, borrowed for the call.
/// @param code_len  Its length in bytes.
/// @param out       A buffer that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_OK also for an unknown code.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_code_explain(
    code: *const c_char,
    code_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let code = pointer::text(code, code_len, "code")?;
            Ok(explain(code).unwrap_or_default().to_owned())
        })
    }
}
