//! Blockers of the start, approvals, checklists and interventions. Returned as JSON, because the
//! values are nested.

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::canonical;
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

/// The blockers: everything that prevents the rollout from starting, as a JSON list of {"kind",
/// "sentence", "roles", "item", "list", "who", "clears"}.
///
/// The kinds are severity, denial, normal_process, change_window, approval, item, traffic and
/// policy. `who` has the roles that can clear it (empty: anybody), `clears` the kinds of input that
/// clear it (empty: make a new plan). The list is empty when a start would be accepted, and after
/// the start.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// Each required approval and its state, as JSON: {"demands", "unasked"}.
///
/// A demand has its roles ("any_of", "stand_ins"), its state (open, approved, denied, withdrawn,
/// author_alone, afterwards, late) and its "statements": who answered what, when, in which role,
/// through which channel, why, and for which plan. "unasked" has the statements of roles that no
/// demand asks.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// Each checklist of the policy, as JSON: a list of {"id", "title", "at", "applies", "holds_start",
/// "within", "items"}.
///
/// `applies` is yes, no or unknown, and follows from severity and facts. An item has its state
/// (open, done, waived, not_applicable); "mark" has who set it, when, and why.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// Each step of the procedure and its state, as JSON: a list of {"id", "title", "role", "state",
/// "mark"}.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// The plan's change record with its present status, as JSON: {"status", "immediate", "window",
/// "prepared_by", "created", "changed", "branch", "commit", "build", "artifact", "links",
/// "missing"}; absent values are left out.
///
/// The status is drafted, awaiting_approval, ready, in_progress, complete, rolled_back or stopped.
/// During a rollback it is still in_progress.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_change_record(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.change_record()))
            })
        })
    }
}

/// The last intervention of each kind, as JSON: a list of {"kind", "by", "at", "role", "about",
/// "why"}, ordered by time.
///
/// It shows who asked for what, when and why, whatever the result was. The log has all
/// interventions, one line each.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_interventions(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(rollout, "rollout", |s| canonical(&s.rollout.interventions()))
            })
        })
    }
}
