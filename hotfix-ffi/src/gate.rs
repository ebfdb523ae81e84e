//! What keeps a rollout from starting, and what is on record of approvals, items and intents: deep values, so JSON.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::canonical;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

/// Everything that keeps a rollout from starting, as JSON: a list of {"kind", "sentence", "roles", "item", "list", "who",
/// "clears"}.
///
/// The kinds are severity, denial, approval, item, traffic and policy. `who` has the roles that can clear it (empty: anybody), `clears`
/// the kinds of input that do (empty: the plan has to be made anew). The list is empty where a start would be taken, and from
/// the start on.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_blockers(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.blockers()))
            })
        })
    }
}

/// Each demand for approval and how it stands, as JSON: {"demands", "unasked"}.
///
/// A demand has its roles ("any_of", "stand_ins"), its state (open, approved, denied, withdrawn, author_alone, afterwards, late)
/// and its words: who said what, when, in which role, where, why, and of which plan. "unasked" has the words of roles that no
/// demand asks.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_approvals(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.approvals()))
            })
        })
    }
}

/// Each checklist of the policy, as JSON: a list of {"id", "title", "at", "applies", "holds_start", "within", "items"}.
///
/// `applies` is yes, no or unknown, by severity and facts. An item has its state (open, done, waived, not_applicable) and in
/// "mark" who said so, when, and why.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_checklists(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.checklists()))
            })
        })
    }
}

/// Each step of the procedure and how it stands, as JSON: a list of {"id", "title", "role", "state", "mark"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_procedure(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.procedure()))
            })
        })
    }
}

/// The plan's record with how far it is now, as JSON: {"status", "immediate", "window", "prepared_by", "created", "changed",
/// "branch", "commit", "build", "artifact", "links", "missing"}; what is absent is left out.
///
/// The status is drafted, awaiting_approval, ready, in_progress, complete, rolled_back or stopped. A way back under way is
/// still in_progress.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_record(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(rollout, "rollout", |s| canonical(&s.rollout.record())))
        })
    }
}

/// The last intent of each kind, as JSON: a list of {"kind", "by", "at", "role", "about", "why"}, in the order of time.
///
/// Who wanted what, when and why, apart from what came of it. All intents are in the log, a line each.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_intents(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || pointer::read(rollout, "rollout", |s| canonical(&s.rollout.intents())))
        })
    }
}
