//! Taking names out of a log.

use std::ffi::c_char;

use hotfix_core::rollout::{InputError, Redaction, redact};

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::status::hotfix_status;

/// Takes personal values out of a log: the text that is left has the same chain, and replays to the same state with digests in
/// place of names.
///
/// What is hashed, members of newer releases and the layout of lines stay as they are; a second time changes nothing. What
/// people wrote into texts is hashed and stays.
///
/// @param log        The log's bytes; borrowed for the call.
/// @param log_len    Their number.
/// @param names      Whose values go, as JSON: a list of texts, the names. May be null with length 0: everything
///                   personal goes, the salt too, so that nobody can try names on the digests.
/// @param names_len  Its length in bytes.
/// @param out        A buffer with the log that is left, which the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a log whose chain is broken, HOTFIX_STATUS_INPUT for names that are no list of texts.
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
        guard(err, || {
            put_text(out, || {
                let log = pointer::bytes(log, log_len, "log")?;
                let names = pointer::text(names, names_len, "names")?;
                let redaction = if names.is_empty() {
                    Redaction::Everything
                } else {
                    let read = serde_json::from_str(names);
                    Redaction::Names(read.map_err(|e| InputError::Syntax {
                        fault: format!("`names` is no list of texts: {e}"),
                    })?)
                };
                Ok(redact(log, &redaction)?)
            })
        })
    }
}
