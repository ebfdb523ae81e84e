//! The strategy, phases and rollback of a plan.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;

/// The phases of a plan's strategy, in order: [{"name", "share", "deploy", "watch", …}, …]. Shares
/// are fractions, times are in seconds.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_phases(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(plan, "plan", |plan| canonical(plan.phases())))
        })
    }
}

/// The strategy of a plan: {"strategy", "own", "chosen_by", "why", "batches", "steps": [{"move",
/// "side", "phase", "share", "instances", "lasts", "checks", "ended_by"}, …]}.
///
/// With blue-green the rollout's `deploy` goes to the idle side: confirm it after that side has
/// passed the checks of the `validate` step.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_strategy(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(plan, "plan", |plan| canonical(&plan.strategy())))
        })
    }
}

/// The recommended strategy, and the reasons against the others: {"strategy", "own", "chosen",
/// "reasons": [{"code", "weight", "rests_on", "text"}, …], "alternatives": [{"strategy",
/// "can_be_planned", "least", "reasons"}, …], "if_known": [{"input", "value", "strategy"}, …]}.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_recommendation(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(plan, "plan", |plan| canonical(&plan.recommendation())))
        })
    }
}

/// How a release is rolled back: {"methods": [{"kind", "takes": {"least", "most"}, "condition", …},
/// …], "others", "estimate", "point": {"demanded", "known", "missing"}, "on_failure",
/// "not_reversible", "steps", "aftercare", …}. Times are in seconds.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_rollback(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(plan, "plan", |plan| canonical(&plan.rollback())))
        })
    }
}
