//! The rules for a plan's change and severity: scope, review, testing and approvals.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;

/// Checks the size of the release against the policy's limits for a hot-fix, from its diff
/// ("numstat") and its "change", as JSON: {"content": "yes" | "no" | "unknown", "figures":
/// {"files", "added", "deleted", "lines", "binary", "dependencies", "migrations", "tests"},
/// "breaches": [{"rule", "code", "message", "remedy", "paths"}], "unknown": [{"rule", "message",
/// "would_tell"}], "wanted"}.
///
/// An unknown value never passes the check. "content" is absent if the policy has no table `scope`,
/// "figures" if there is no diff.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_scope(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(plan, "plan", |plan| canonical(&plan.scope())))
        })
    }
}

/// The requirements of the plan's severity, as JSON: {"severity", "basis": "given" | "settled" |
/// "assumed" | "unknown", "would_tell", "in_policy", "label", "hotfix", "process", "approvals",
/// "review", "testing": {"least", "most", "staging": {"verdict": "required" | "may_be_left_out" |
/// "unknown" | "not_asked", "because", "would_tell"}, "demands"}}; times are in seconds, and values
/// that the policy does not set are absent.
///
/// @param plan  A plan.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_demands(
    plan: *const hotfix_plan,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(plan, "plan", |plan| canonical(&plan.demands())))
        })
    }
}
