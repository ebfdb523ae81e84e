//! Duties that are due, overdue, next and done. Returned as JSON, because the values are nested.

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::policy::canonical;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;
use crate::time::{any_time, moment};

/// The duties at a time, from what is known now, as JSON: {"at", "due", "overdue", "next", "later",
/// "undated", "done"}. Each item is in one of the lists.
///
/// An item has its id, kind, title and times, who does it ("who": role, holders, how to reach them,
/// stand-in), the seconds that are left ("left") or by which it is late ("late_by"), and why it
/// applies ("applies"). Before the first input there are only those of "later".
///
/// @param rollout  A rollout.
/// @param at_ms    Any time from the last input on, in milliseconds since 1970-01-01T00:00:00Z. An
///                 earlier time is treated as the time of the last input.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT for a time that is probably in seconds (HF-FFI-010).
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_duties(
    rollout: *const hotfix_rollout,
    at_ms: i64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            pointer::read(rollout, "rollout", |session| {
                // A rehearsal without a log may begin at 0.
                let logs = session.rollout.head().is_some();
                let at = if logs { moment(at_ms, "at_ms") } else { any_time(at_ms, "at_ms") }?;
                canonical(&session.rollout.duties(at))
            })
        })
    }
}
