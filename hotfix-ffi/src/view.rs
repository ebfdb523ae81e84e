//! Views of a rollout between inputs.

use std::ffi::c_char;

use hotfix_core::rollout::{Action, ActionDocument, Rollout};
use hotfix_core::unit::{MetricName, Timestamp};

use crate::answer;
use crate::buffer::{hotfix_buf, hotfix_digest, hotfix_name, in_place};
use crate::error::hotfix_error;
use crate::outcome::{hotfix_action, hotfix_state};
use crate::plan::hotfix_plan;
use crate::pointer;
use crate::policy::{canonical, hex};
use crate::rollout::hotfix_rollout;
use crate::status::hotfix_status;

/// The present state.
///
/// @param rollout  A rollout.
/// @param out      The state. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_state(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_state,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::value_of(rollout, "rollout", (out, "out"), err, |s| s.rollout.state().into()) }
}

/// The phase that is being deployed, watched or decided on.
///
/// @param rollout  A rollout.
/// @param out      Its name; empty if the state has no phase. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_phase(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_name,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::value_of(rollout, "rollout", (out, "out"), err, |s| hotfix_name {
            text: s.rollout.phase().map_or([0; 32], |phase| in_place(&phase)),
        })
    }
}

/// The plan as it is now: with the release of the last `release`, `supersede` or `retry`. A rollout
/// that was restored from its log has it as well.
///
/// @param rollout  A rollout; the plan does not refer to it and does not change with it.
/// @param out      The plan; the caller frees it with hotfix_plan_free. Null on failure.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_plan(
    rollout: *const hotfix_rollout,
    out: *mut *mut hotfix_plan,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            pointer::read(rollout, "rollout", |s| Ok(s.rollout.plan().clone()))
        })
    }
}

/// The canary's confirmed share of the traffic in this attempt; what a superseded fix still has does not count.
///
/// @param rollout  A rollout.
/// @param out      The share, 0 to 1. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_share(
    rollout: *const hotfix_rollout,
    out: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::value_of(rollout, "rollout", (out, "out"), err, |s| s.rollout.share().as_fraction())
    }
}

/// The number of attempts: 1, and one more for each `supersede` and each `retry`.
///
/// @param rollout  A rollout.
/// @param out      From 1. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_attempt(
    rollout: *const hotfix_rollout,
    out: *mut u32,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::value_of(rollout, "rollout", (out, "out"), err, |s| s.rollout.attempt()) }
}

/// The value for "never": later than every other time.
pub const HOTFIX_NEVER: i64 = i64::MAX;

/// The time of the last input.
///
/// @param rollout  A rollout.
/// @param out_ms   Milliseconds since 1970-01-01T00:00:00Z; HOTFIX_NEVER before the first input.
///                 Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_now(
    rollout: *const hotfix_rollout,
    out_ms: *mut i64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::value_of(rollout, "rollout", (out_ms, "out_ms"), err, |s| {
            s.rollout.now().map_or(HOTFIX_NEVER, Timestamp::as_millis)
        })
    }
}

/// The next time at which a `tick` can change something: set one timer to it and send a `tick`.
///
/// @param rollout  A rollout.
/// @param out_ms   Milliseconds since 1970-01-01T00:00:00Z. Before the first input it is 0: send a
///                 `tick` at once. HOTFIX_NEVER if nothing waits for time. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_poll_at(
    rollout: *const hotfix_rollout,
    out_ms: *mut i64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::value_of(rollout, "rollout", (out_ms, "out_ms"), err, |s| {
            s.rollout.poll_at().map_or(HOTFIX_NEVER, Timestamp::as_millis)
        })
    }
}

/// The last verdict with its evidence, as JSON.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_verdict(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(rollout, "rollout", out, err, |s| canonical(s.rollout.verdict())) }
}

/// The evidence of a metric and its basis, as JSON; `null` for a metric without a test, or a
/// latency without any reading.
///
/// {"log_e", "p_value", "decided", "mode", "guarantee", "why", "alpha", "weight", "threshold",
/// "hold", "tolerated", "margin"} and, where known, "cap", "interval" {"low", "high"} (valid at
/// every evaluation; null for an infinite end), "log_e_safe", "log_e_without_any", "ratio",
/// "totals" {"canary", "baseline"} and "not_sequential", the intervals of each arm, which are valid
/// for one evaluation only. "threshold", "hold" and "decided" are of this metric alone, by its
/// weight; the first two are null if it never decides or holds alone. The call computes it: call it on demand, not at every tick.
///
/// @param rollout     A rollout.
/// @param metric      Its id; UTF-8, borrowed for the call.
/// @param metric_len  Its length in bytes.
/// @param out         A buffer that the caller frees with hotfix_buf_free.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT with the nearest id for a metric that the policy does not have,
///         HOTFIX_STATUS_UNIT for a text that is not an id.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_evidence(
    rollout: *const hotfix_rollout,
    metric: *const c_char,
    metric_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let metric = pointer::text(metric, metric_len, "metric")?;
            pointer::read(rollout, "rollout", |session| {
                let at = |error: Box<hotfix_error>| error.at("metric".to_owned());
                let metric = MetricName::try_new(metric).map_err(|error| at(error.into()))?;
                session.rollout.check_metric(metric).map_err(|error| at(error.into()))?;
                canonical(&session.rollout.evidence(metric))
            })
        })
    }
}

/// The hash of the last log line: the value for `expected_head`.
///
/// @param rollout  A rollout.
/// @param out      The head; 64 zeros before the first line, empty if the rollout makes no log.
///                 Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_head(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_digest,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::value_of(rollout, "rollout", (out, "out"), err, |s| hex(s.rollout.head())) }
}

/// Every log line so far; after hotfix_rollout_restore only those of its tail and after it.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free; empty if the rollout does
///                 not keep its log.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_log(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(rollout, "rollout", out, err, |s| Ok(s.rollout.log().to_owned())) }
}

/// One action of the last call.
///
/// @param rollout  A rollout.
/// @param index    From 0, below the outcome's `action_count`.
/// @param out      The action; set its `struct_size` before the call. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_RANGE if there is no such action.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_action(
    rollout: *const hotfix_rollout,
    index: usize,
    out: *mut hotfix_action,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |_| {
            pointer::read(rollout, "rollout", |s| hotfix_action::at(&s.actions, index))
        })
    }
}

/// The number of actions of the last call: none after an error or a refusal, and those of the first
/// delivery after a repeated one. After hotfix_rollout_replay, hotfix_rollout_recover and
/// hotfix_rollout_restore these are the actions of the last accepted input: if the process crashed
/// between append and act, actions that do not await `confirm` or `failed` may not have been
/// carried out: repeat those of which you are not certain, before the next input.
///
/// @param rollout  A rollout.
/// @param out      The number; read them with hotfix_rollout_action. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_action_count(
    rollout: *const hotfix_rollout,
    out: *mut usize,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::value_of(rollout, "rollout", (out, "out"), err, |s| s.actions.len()) }
}

/// The action with this id, among those that await `confirm` or `failed` and those of the last
/// call.
///
/// @param rollout  A rollout.
/// @param id       "7.1"; UTF-8, borrowed for the call.
/// @param id_len   Its length in bytes.
/// @param out      The action; set its `struct_size` before the call. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_RANGE if there is no such action.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_find_action(
    rollout: *const hotfix_rollout,
    id: *const c_char,
    id_len: usize,
    out: *mut hotfix_action,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |_| {
            let id = pointer::text(id, id_len, "id")?;
            pointer::read(rollout, "rollout", |s| {
                let mut known = s.rollout.pending_actions().iter().chain(&s.actions);
                let action = known.find(|action| action.id.to_string() == id);
                action
                    .map(hotfix_action::of)
                    .ok_or_else(|| hotfix_error::no_action(id.escape_debug()))
            })
        })
    }
}

/// The actions of the last call, as JSON: as in the log, with `awaits`, and with `contacts` where
/// the policy knows whom to contact: `[{"role", "holders": [{"name", "reach"}], "reach",
/// "stand_in", …}]`. An action for which the policy has commands has them in `commands`, with the
/// values of the plan: `[{"of", "id", "title", "commands": [{"line", "missing"}]}]`. Nothing is run.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_actions(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text_of(rollout, "rollout", out, err, |s| {
            canonical(&documents(&s.rollout, &s.actions))
        })
    }
}

/// The number of actions that await `confirm` or `failed`.
///
/// @param rollout  A rollout.
/// @param out      Their number. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_pending_count(
    rollout: *const hotfix_rollout,
    out: *mut usize,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::value_of(rollout, "rollout", (out, "out"), err, |s| {
            s.rollout.pending_actions().len()
        })
    }
}

/// One action that awaits `confirm` or `failed`, the oldest first. After a crash check whether each
/// was carried out; if not, carry it out.
///
/// @param rollout  A rollout.
/// @param index    From 0, below hotfix_rollout_pending_count.
/// @param out      The action; set its `struct_size` before the call. Written on success only.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_RANGE if there is no such action.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_pending_action(
    rollout: *const hotfix_rollout,
    index: usize,
    out: *mut hotfix_action,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |_| {
            pointer::read(rollout, "rollout", |s| {
                hotfix_action::at(s.rollout.pending_actions(), index)
            })
        })
    }
}

/// The actions that await `confirm` or `failed`, as JSON like that of hotfix_rollout_actions.
///
/// @param rollout  A rollout.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_pending_actions(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text_of(rollout, "rollout", out, err, |s| {
            canonical(&documents(&s.rollout, s.rollout.pending_actions()))
        })
    }
}

fn documents<'a>(rollout: &'a Rollout, actions: &'a [Action]) -> Vec<ActionDocument<'a>> {
    actions.iter().map(|action| ActionDocument::of(action, rollout)).collect()
}
