//! Rollouts: create them, send inputs, restore them from the log.

use std::ffi::c_char;

use hotfix_core::rollout::{Action, Input, Recording, Rollout};
use hotfix_core::unit::Timestamp;

use crate::answer;
use crate::buffer::hotfix_str;
use crate::error::{Fallible, hotfix_error};
use crate::guard::{Guarded, guard};
use crate::names::by_number;
use crate::outcome::hotfix_outcome;
use crate::plan::hotfix_plan;
use crate::pointer::{self, handle};
use crate::reading::{Scratch, hotfix_reading, hotfix_sender};
use crate::status::hotfix_status;
use crate::time::any_time;
use crate::versioned;

/// The rollout of one hot-fix, from plan to closed incident. One thread at a time.
pub struct hotfix_rollout(Guarded<Session>);

handle!(hotfix_rollout, Session);

/// A rollout and the output of its last call.
pub(crate) struct Session {
    pub(crate) rollout: Rollout,
    pub(crate) actions: Vec<Action>,
    /// The log lines of a refusal; its error object may take them.
    refused: String,
    scratch: Scratch,
}

/// How the log lines are recorded.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_recording {
    /// Lines are returned with each outcome and kept for hotfix_rollout_log.
    Keep = 1,
    /// Lines are only returned with each outcome: memory use stays constant.
    HandOut = 2,
    /// No lines are made, so there is no head. For simulations only.
    Off = 3,
}

pub(crate) fn recording(number: i32) -> Fallible<Recording> {
    by_number!(number, "recording", hotfix_recording is Recording { Keep, HandOut, Off })
}

impl Session {
    pub(crate) fn new(rollout: Rollout) -> Self {
        // The actions of a restored log: those of its last line may not have been carried out.
        let actions = rollout.last_actions().to_vec();
        Self { rollout, actions, refused: String::new(), scratch: Scratch::new() }
    }

    /// Forgets the output of the call before: one that fails has none.
    #[inline]
    fn forget_output(&mut self) {
        self.actions.clear();
        self.refused.clear();
    }

    /// Passes an input to the core, and its outcome to the caller.
    #[inline]
    unsafe fn answer(
        &mut self,
        at: Timestamp,
        input: Option<&Input>,
        out: *mut hotfix_outcome,
        size: usize,
    ) -> Fallible<()> {
        let input = input.unwrap_or_else(|| self.scratch.input());
        let (events, repeated, result) = match self.rollout.handle(at, input) {
            Ok(outcome) => {
                self.actions.extend_from_slice(outcome.actions);
                (hotfix_str::of(outcome.events), outcome.repeated, Ok(()))
            }
            Err(refusal) => {
                self.refused.push_str(&refusal.events);
                (hotfix_str::of(&self.refused), false, Err(hotfix_error::of_refusal(refusal)))
            }
        };
        let outcome = hotfix_outcome {
            struct_size: size,
            events,
            action_count: self.actions.len(),
            state: self.rollout.state().into(),
            decision: self.rollout.verdict().decision.into(),
            repeated: u32::from(repeated),
            reserved: 0,
        };
        // SAFETY: `size` was checked against the caller's struct.
        unsafe { versioned::write(out, size, &outcome) };
        result
    }
}

/// Makes a new rollout of a plan.
///
/// @param plan       A plan; the rollout keeps what it needs and does not refer to it.
/// @param recording  A hotfix_recording.
/// @param salt       A secret for each incident, which salts the digests of personal values in the
///                   log; UTF-8, borrowed; may be null with length 0.
/// @param salt_len   Its length in bytes.
/// @param out        The rollout; the caller frees it with hotfix_rollout_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one plan.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_new(
    plan: *const hotfix_plan,
    recording: i32,
    salt: *const c_char,
    salt_len: usize,
    out: *mut *mut hotfix_rollout,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let plan = pointer::read(plan, "plan", |plan| Ok(plan.clone()))?;
            let recording = self::recording(recording)?;
            let salt = pointer::text(salt, salt_len, "salt")?;
            Ok(Session::new(Rollout::try_new(plan, recording, salt)?))
        })
    }
}

/// Handles one input: checks it, records it and returns what to do.
///
/// @param rollout    A rollout.
/// @param at_ms      The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param input      {"kind", "by", …} as in docs/inputs.md; UTF-8, borrowed for the call.
/// @param input_len  Its length in bytes.
/// @param out        The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
///                   `events` of a refusal too. On any other failure it has no events and no actions.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for a document that is not a valid input: nothing was logged.
///         HOTFIX_STATUS_REFUSED for an input that is not accepted now: the state is unchanged.
///
/// Thread rule: one thread at a time for one rollout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_handle(
    rollout: *mut hotfix_rollout,
    at_ms: i64,
    input: *const c_char,
    input_len: usize,
    out: *mut hotfix_outcome,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = hotfix_outcome::emptied(out)?;
            pointer::change(rollout, "rollout", |session| {
                session.forget_output();
                let at = any_time(at_ms, "at_ms")?;
                let input = Input::from_json(pointer::text(input, input_len, "input")?)?;
                session.answer(at, Some(&input), out, size)
            })
        })
    }
}

/// Handles one observation from plain structs: the same as an input of kind `observe`, without
/// JSON.
///
/// If metrics, arms and buckets are those of the last few calls, it allocates nothing of its own.
///
/// @param rollout   A rollout.
/// @param at_ms     The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param readings  An array, in any order, each metric once; borrowed for the call. May be null
///                  with count 0.
/// @param count     Number of readings.
/// @param sender    Actor, key and expected head; may be null.
/// @param out       The outcome. Written on success and on HOTFIX_STATUS_REFUSED: append the
///                  `events` of a refusal too. On any other failure it has no events and no actions.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_rollout_handle; HOTFIX_STATUS_INPUT also for a metric that occurs twice;
///         HOTFIX_STATUS_STRUCT and HOTFIX_STATUS_ENUM for structs that cannot be read;
///         HOTFIX_STATUS_UNIT for a time that a log cannot hold, an invalid metric name, or an
///         expected head that is not a digest; HOTFIX_STATUS_RANGE for more than 4096 readings and
///         for numbers that are not aligned. In all these cases nothing was logged.
///
/// Thread rule: one thread at a time for one rollout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_observe(
    rollout: *mut hotfix_rollout,
    at_ms: i64,
    readings: *const hotfix_reading,
    count: usize,
    sender: *const hotfix_sender,
    out: *mut hotfix_outcome,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = hotfix_outcome::emptied(out)?;
            pointer::change(rollout, "rollout", |session| {
                session.forget_output();
                let at = any_time(at_ms, "at_ms")?;
                session.scratch.fill(readings, count, sender)?;
                session.answer(at, None, out, size)
            })
        })
    }
}

/// Replays a whole log, strictly: every line is checked against its hash and the line before.
///
/// @param log        The log's bytes; borrowed for the call.
/// @param log_len    Their number.
/// @param recording  A hotfix_recording, for the lines that follow.
/// @param out        The rollout as it was after the last line; the caller frees it with
///                   hotfix_rollout_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG with the first line that is wrong.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_replay(
    log: *const c_char,
    log_len: usize,
    recording: i32,
    out: *mut *mut hotfix_rollout,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let recording = self::recording(recording)?;
            let log = pointer::bytes(log, log_len, "log")?;
            Ok(Session::new(Rollout::replay(log, recording)?))
        })
    }
}

/// Replays a log whose last line may be incomplete after a crash during a write.
///
/// The input of a dropped line was not accepted: send it again.
///
/// @param log         The log's bytes; borrowed for the call.
/// @param log_len     Their number.
/// @param recording   A hotfix_recording, for the lines that follow.
/// @param out         The rollout; the caller frees it with hotfix_rollout_free. Null on failure.
/// @param out_length  Length in bytes of the valid part of the log: truncate the file to it before
///                    appending. May be null.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG with the first line that is wrong, or if no line is complete.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_recover(
    log: *const c_char,
    log_len: usize,
    recording: i32,
    out: *mut *mut hotfix_rollout,
    out_length: *mut usize,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let recording = self::recording(recording)?;
            let log = pointer::bytes(log, log_len, "log")?;
            let recovered = Rollout::recover(log, recording)?;
            if !out_length.is_null() {
                out_length.write(recovered.length);
            }
            Ok(Session::new(recovered.rollout))
        })
    }
}

/// Frees a rollout, also a poisoned one. Views into its outcomes become invalid. A rollout that a
/// train owns is not freed: hotfix_train_free does it.
///
/// @param rollout  A rollout, or null.
///
/// Thread rule: one thread, after every other use of this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_free(rollout: *mut hotfix_rollout) {
    pointer::free(rollout);
}
