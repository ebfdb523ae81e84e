//! Commit messages in a policy's form.

use std::ffi::c_char;

use hotfix_core::vcs::CommitParts;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::policy::{canonical, hotfix_policy};
use crate::status::hotfix_status;

/// Composes a commit message in the policy's form, as JSON: {"text", "subject", "missing", "later":
/// [{"field", "label", "value"}], "note": {"text", "command"}, "version_commit",
/// "version_missing"}.
///
/// The facts are at its end, as trailers that `git interpret-trailers` reads. "missing" names what
/// the form asks for and was not given. "later" has what is known only after the commit; "note" has
/// the commands that add the part of it that was given as a `git notes` note, and push it.
///
/// @param policy     A policy.
/// @param parts      {"summary", "scope", "version", "fields": {"issue", "severity", "impact",
///                   "cause", "change", "solution", "tested", "approved_by", "deployed_by"}}, all
///                   but the summary optional; UTF-8, borrowed.
/// @param parts_len  Its length in bytes.
/// @param out        A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_PLAN if the parts are not valid; the error has the place in the parts.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_commit_message(
    policy: *const hotfix_policy,
    parts: *const c_char,
    parts_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let parts = CommitParts::from_json(pointer::text(parts, parts_len, "parts")?)?;
            pointer::read(policy, "policy", |policy| {
                canonical(&policy.commit_form().compose(&parts)?)
            })
        })
    }
}

/// Composes a commit message as hotfix_policy_commit_message does, and takes summary, issue,
/// severity and impact from the plan if they are not given. Nothing is guessed.
///
/// @param plan       A plan.
/// @param parts      As for hotfix_policy_commit_message, but every member is optional: {} takes all from
///                   the plan. UTF-8, borrowed.
/// @param parts_len  Its length in bytes.
/// @param out        A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_policy_commit_message.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_plan_commit_message(
    plan: *const hotfix_plan,
    parts: *const c_char,
    parts_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let parts = CommitParts::from_json(pointer::text(parts, parts_len, "parts")?)?;
            pointer::read(plan, "plan", |plan| canonical(&plan.commit_message(parts)?))
        })
    }
}

/// Reads a commit message, as JSON: {"subject", "summary", "kind", "scope", "fields", "others":
/// [{"label", "value"}], "body", "missing", "later", "faults": [{"code", "line", "message"}]}. A
/// message that this library composed is read exactly; other layouts are read as far as possible.
///
/// @param policy       A policy.
/// @param message      The message; UTF-8, borrowed. A message above 4 MiB gives one fault and
///                     nothing else.
/// @param message_len  Its length in bytes.
/// @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_parse_commit_message(
    policy: *const hotfix_policy,
    message: *const c_char,
    message_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let message = pointer::text(message, message_len, "message")?;
            pointer::read(policy, "policy", |policy| {
                canonical(&policy.commit_form().parse(message))
            })
        })
    }
}
