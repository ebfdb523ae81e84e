//! What a plan's change and severity are held to: the scope guard, review, testing and approvals.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;

/// Whether the release is as small as the policy wants a hot-fix, by its diff's figures ("numstat") and its "change", as
/// JSON: {"content": "yes" | "no" | "unknown", "figures": {"files", "added", "deleted", "lines", "binary", "dependencies",
/// "migrations", "tests"}, "breaches": [{"rule", "code", "message", "remedy", "paths"}], "unknown": [{"rule", "message",
/// "would_tell"}], "wanted"}.
///
/// What is unknown is never fine. "content" is absent where the policy has no table `scope`, "figures" where there is no diff.
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

/// What the plan's severity asks for, as JSON: {"severity", "basis": "given" | "settled" | "assumed" | "unknown",
/// "would_tell", "in_policy", "label", "hotfix", "process", "approvals", "review", "testing": {"least", "most", "staging":
/// {"verdict": "required" | "may_be_left_out" | "unknown" | "not_asked", "because", "would_tell"}, "demands"}}; times in
/// seconds, what is not said is absent.
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
