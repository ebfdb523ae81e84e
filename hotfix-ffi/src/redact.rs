//! Redacts names in a log.

use std::ffi::c_char;

use hotfix_core::rollout::{Redaction, redact};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::sequential_test::document;
use crate::status::hotfix_status;

/// Redacts personal values in a log. The redacted log has the same hash chain and replays to the
/// same state, with digests in place of names.
///
/// Hashed values and members of newer releases are kept, in canonical form; a second redaction
/// changes nothing. Free texts that people wrote are part of the hash and stay in the log.
///
/// @param log        The log's bytes; borrowed for the call.
/// @param log_len    Their number.
/// @param names      The people whose values are redacted, as a JSON list of names. May be null
///                   with length 0: then all personal values are redacted, and the salt is removed
///                   too, so that nobody can test names against the digests.
/// @param names_len  Its length in bytes.
/// @param out        A buffer with the redacted log, which the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a log whose chain is broken, HOTFIX_STATUS_INPUT if `names` is not
///         a list of texts.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_redact(
    log: *const c_char,
    log_len: usize,
    names: *const c_char,
    names_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let log = pointer::bytes(log, log_len, "log")?;
            let names = pointer::text(names, names_len, "names")?;
            let redaction = if names.is_empty() {
                Redaction::Everything
            } else {
                Redaction::Names(document(names, "names")?)
            };
            Ok(redact(log, &redaction)?)
        })
    }
}
