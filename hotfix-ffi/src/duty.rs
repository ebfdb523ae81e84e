//! What is due, overdue, next and done: deep values, so JSON.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::canonical;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;
use crate::time::any_time;

/// What is due, overdue, next and done at a time, of what is known now, as JSON: {"at", "due", "overdue", "next", "later",
/// "undated", "done"}, each item in one of the lists.
///
/// An item has its id, kind, title and times, who does it ("who": role, holders, reach, stand-in), the time that is left
/// ("left") or by which it is late ("late_by"), in seconds, and why it is asked for ("applies"). The lists are empty before the
/// first input, which opens the case.
///
/// @param rollout  A rollout.
/// @param at_ms    Any time from the last input on, in milliseconds since 1970-01-01T00:00:00Z; an earlier one is read as that.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_duties(
    rollout: *const hotfix_rollout,
    at_ms: i64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                let at = any_time(at_ms, "at_ms")?;
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.duties(at)))
            })
        })
    }
}
