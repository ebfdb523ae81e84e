//! Times: milliseconds since 1970 in calls, RFC 3339 text in documents.

use std::ffi::c_char;

use hotfix_core::unit::Timestamp;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, hotfix_error};
use crate::guard::guard;
use crate::pointer;
use crate::status::hotfix_status;

/// A time that the caller gives, but for an input, which the rollout checks.
#[inline]
pub(crate) fn moment(at_ms: i64, name: &str) -> Fallible<Timestamp> {
    let at = any_time(at_ms, name)?;
    if at < Timestamp::EARLIEST { Err(hotfix_error::seconds(name, at)) } else { Ok(at) }
}

/// Any time that can be written as RFC 3339.
#[inline]
pub(crate) fn any_time(at_ms: i64, name: &str) -> Fallible<Timestamp> {
    Timestamp::try_from_millis(at_ms).map_err(|_| hotfix_error::no_time(name, at_ms))
}

/// A time that the caller gives as RFC 3339, or none where the text is empty.
pub(crate) unsafe fn written(
    text: *const c_char,
    text_len: usize,
    name: &str,
) -> Fallible<Option<Timestamp>> {
    // SAFETY: the caller keeps the header's contract.
    match unsafe { pointer::text(text, text_len, name)? } {
        "" => Ok(None),
        text => match text.parse() {
            Ok(at) => Ok(Some(at)),
            Err(error) => Err(Box::<hotfix_error>::from(error).at(name.to_owned())),
        },
    }
}

/// Reads an RFC 3339 time with any UTC offset.
///
/// @param text      "2026-03-03T14:40:00Z"; UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param out_ms    Milliseconds since 1970-01-01T00:00:00Z. Written on success only.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT if `text` is not a valid time.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_time_parse(
    text: *const c_char,
    text_len: usize,
    out_ms: *mut i64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let text = pointer::text(text, text_len, "text")?;
            let at: Timestamp = text.parse()?;
            pointer::put(out_ms, "out_ms", at.as_millis())
        })
    }
}

/// Writes a time as in documents: "2026-03-03T14:40:00.000Z".
///
/// @param at_ms  Milliseconds since 1970-01-01T00:00:00Z; years 1 to 9999.
/// @param out    A buffer that the caller frees with hotfix_buf_free.
/// @param err    Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT outside those years.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_time_format(
    at_ms: i64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text(out, err, || Ok(any_time(at_ms, "at_ms")?.to_string())) }
}
