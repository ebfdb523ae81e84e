//! Explanation and forecast of a verdict. Returned as JSON, because the values are nested.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::canonical;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

/// Explains the last verdict, as JSON: {"at", "causes", "decision", "log_e", "threshold", "hold",
/// "metrics"}.
///
/// Each metric has its numbers ("tick", "window"), every rule that was applied ("rules"), the
/// smallest change of the tick that would have changed the verdict ("counterfactual"), and a
/// summary in one sentence ("sentence"). During and after a rollback this explains the verdict
/// before the rollback. The call searches and takes some milliseconds: call it on demand, not at
/// every tick.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free; the text `null` if there is
///                 no verdict.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// The estimated impact of each version in bad events per minute, over the phase so far, as JSON:
/// {"at", "canary", "live", "lesser", "metrics", "requests_per_minute"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free; the text `null` if there is
///                 no verdict.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// The forecast for the rest of the phase: what the tests can still decide, as JSON: {"at",
/// "phase", "until_due", "until_overdue", "metrics", "efficacy", "requests_per_minute"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free; the text `null` if no phase
///                 is watched.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_forecast(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.forecast()))
            })
        })
    }
}

/// The comparison table: each metric, its baseline and its readings in each phase, as JSON:
/// {"phases", "rows"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// The result as a table in Markdown.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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
