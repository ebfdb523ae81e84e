//! What a verdict explains and foresees: deep values, so JSON.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::canonical;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

/// Why the last verdict is as it is, as JSON: {"at", "causes", "decision", "log_e", "threshold", "hold", "metrics"}.
///
/// Each metric has its numbers ("tick", "window"), every rule that it was held against, the least change of the tick that
/// would have turned the verdict ("turn"), and one sentence that says it all. From the way back on it is the verdict before
/// it. Searches: some milliseconds.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free; `null` where nothing is judged.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_why(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(rollout, "rollout", |s| canonical(&s.rollout.why())))
        })
    }
}

/// Whom each version hurts a minute, over the phase so far, as JSON: {"at", "canary", "live", "lesser", "metrics",
/// "requests_per_minute"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free; `null` where nothing is judged.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_harm(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(rollout, "rollout", |s| canonical(&s.rollout.harm())))
        })
    }
}

/// What the rest of the phase can still show, as JSON: {"at", "phase", "until_due", "until_overdue", "metrics", "efficacy",
/// "requests_per_minute"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free; `null` where no phase is watched.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_outlook(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(rollout, "rollout", |s| canonical(&s.rollout.outlook())))
        })
    }
}

/// Each metric, its baseline and what each phase read, as JSON: {"phases", "rows"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_comparison(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.comparison()))
            })
        })
    }
}

/// The same as a table in Markdown.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_comparison_markdown(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| Ok(s.rollout.comparison().to_markdown()))
            })
        })
    }
}
