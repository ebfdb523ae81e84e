//! Views of a plan: one document and a page in Markdown.

use std::ffi::c_char;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;
use crate::time::written;

/// The plan and all its views, computed for this call: {"digest", "incident", "release", "traffic",
/// "policy", "phases", "methods", "strategy", "recommendation", "rollback", "severity",
/// "assessment", "demands", "scope", "findings", "change_record", "duration", "timeline", "slo",
/// "procedure", "advice", "risks", "first_steps", "contacts", "thresholds", "follow_up",
/// "commands", "calibration"}. Durations are in seconds, shares are fractions, and absent values are
/// left out. "strategy" is an object: the strategy, who chose it, and its steps. Power analysis and
/// source control are separate: hotfix_plan_power and HOTFIX_PLAN_VIEW_SOURCE_CONTROL.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_json(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(plan, "plan", out, err, |plan| canonical(&plan.document())) }
}

/// The plan as a page in Markdown, for the people who carry it out. Markup in the caller's texts is
/// escaped.
///
/// @param plan       A plan.
/// @param start      When the first deployment starts, as RFC 3339; UTF-8, borrowed. May be null
///                   with length 0: then the timeline shows only offsets (T+).
/// @param start_len  Its length in bytes.
/// @param out        A buffer that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_UNIT if `start` is not a valid time.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_markdown(
    plan: *const hotfix_plan,
    start: *const c_char,
    start_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let start = written(start, start_len, "start")?;
            pointer::read(plan, "plan", |plan| Ok(plan.to_markdown(start)))
        })
    }
}
