//! The rollout: make it, feed it, take it up again from its log.

use std::ffi::c_char;

use hotfix_core::rollout::{Action, Input, Recording, Rollout};
use hotfix_core::unit::Timestamp;

use crate::buffer::hotfix_str;
use crate::error::{Fallible, hotfix_error};
use crate::guard::{Guarded, guard};
use crate::outcome::hotfix_outcome;
use crate::plan::hotfix_plan;
use crate::pointer::{self, handle};
use crate::reading::{Scratch, hotfix_reading, hotfix_sender};
use crate::status::hotfix_status;
use crate::time::any_time;
use crate::versioned;

/// One hot-fix from plan to closed case. One thread at a time.
pub struct hotfix_rollout(Guarded<Session>);

handle!(hotfix_rollout, Session);

/// A rollout and what its last call handed out.
pub(crate) struct Session {
    pub(crate) rollout: Rollout,
    pub(crate) actions: Vec<Action>,
    /// The log lines of a refusal, which its error may take along or nobody.
    refused: String,
    scratch: Scratch,
}

/// What becomes of the log lines.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum hotfix_recording {
    /// Lines are handed out with each outcome and kept for hotfix_rollout_log.
    Keep = 1,
    /// Lines are handed out with each outcome only: memory stays flat.
    HandOut = 2,
    /// No lines are made, and so there is no head: for simulation.
    Off = 3,
}

pub(crate) fn recording(number: i32) -> Fallible<Recording> {
    const KEEP: i32 = hotfix_recording::Keep as i32;
    const HAND_OUT: i32 = hotfix_recording::HandOut as i32;
    const OFF: i32 = hotfix_recording::Off as i32;
    match number {
        KEEP => Ok(Recording::Keep),
        HAND_OUT => Ok(Recording::HandOut),
        OFF => Ok(Recording::Off),
        other => Err(hotfix_error::no_member("recording", other, "hotfix_recording")),
    }
}

impl Session {
    pub(crate) fn new(rollout: Rollout) -> Self {
        // Of a log that was taken up: those of its last line may not have been done.
        let actions = rollout.last_actions().to_vec();
        Self { rollout, actions, refused: String::new(), scratch: Scratch::new() }
    }

    /// Hands an input to the engine, and what follows to the caller.
    #[inline]
    unsafe fn answer(
        &mut self,
        at: Timestamp,
        input: Option<&Input>,
        out: *mut hotfix_outcome,
        size: usize,
    ) -> Fallible<()> {
        self.actions.clear();
        self.refused.clear();
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

/// A rollout of this plan that nothing has happened to.
///
/// @param plan       A plan; the rollout keeps what it needs of it.
/// @param recording  A hotfix_recording.
/// @param salt       Goes into the digests that stand for personal values in the log; UTF-8, borrowed; may be null with
///                   length 0.
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
        guard(err, || {
            pointer::make(out, || {
                let plan = pointer::read(plan, "plan", |plan| Ok(plan.clone()))?;
                let recording = self::recording(recording)?;
                let salt = pointer::text(salt, salt_len, "salt")?;
                Ok(Session::new(Rollout::try_new(plan, recording, salt)?))
            })
        })
    }
}

/// Takes one input: checks it, records it and says what to do.
///
/// @param rollout    A rollout.
/// @param at_ms      The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param input      {"kind", "by", …} as in docs/inputs.md; UTF-8, borrowed for the call.
/// @param input_len  Its length in bytes.
/// @param out        What it led to. Written on success and on HOTFIX_STATUS_REFUSED, whose `events` are to be appended too.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for a document that is no input: nothing was logged. HOTFIX_STATUS_REFUSED for one that is
///         not taken now: the state is as before.
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
            let size = versioned::size_of_caller(out, "out")?;
            let at = any_time(at_ms, "at_ms")?;
            let input = Input::from_json(pointer::text(input, input_len, "input")?)?;
            pointer::change(rollout, "rollout", |session| {
                session.answer(at, Some(&input), out, size)
            })
        })
    }
}

/// Takes one observation from plain structs: the same as an input of kind `observe`, without reading JSON.
///
/// Where metrics, arms and buckets are those of the last call, it allocates nothing of its own.
///
/// @param rollout   A rollout.
/// @param at_ms     The present time, in milliseconds since 1970-01-01T00:00:00Z.
/// @param readings  An array, in any order, each metric once; borrowed for the call. May be null with count 0.
/// @param count     How many readings.
/// @param sender    Actor, key and expected head; may be null.
/// @param out       What it led to. Written on success and on HOTFIX_STATUS_REFUSED, whose `events` are to be appended too.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_rollout_handle; HOTFIX_STATUS_INPUT also for a metric that comes twice; HOTFIX_STATUS_STRUCT and
///         HOTFIX_STATUS_ENUM for structs that cannot be read; HOTFIX_STATUS_UNIT for a time outside of what a log can hold,
///         for a name that no metric can have and for an expected head that is no digest; HOTFIX_STATUS_RANGE for more than
///         4096 readings and for numbers that are not aligned. Of all these nothing was logged.
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
            let size = versioned::size_of_caller(out, "out")?;
            let at = any_time(at_ms, "at_ms")?;
            pointer::change(rollout, "rollout", |session| {
                session.scratch.fill(readings, count, sender)?;
                session.answer(at, None, out, size)
            })
        })
    }
}

/// Takes up a whole log, strictly: every line is checked against its hash and the line before.
///
/// @param log        The log's bytes; borrowed for the call.
/// @param log_len    Their number.
/// @param recording  A hotfix_recording, for what follows.
/// @param out        The rollout as after the last line; the caller frees it with hotfix_rollout_free. Null on failure.
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
        guard(err, || {
            pointer::make(out, || {
                let recording = self::recording(recording)?;
                let log = pointer::bytes(log, log_len, "log")?;
                Ok(Session::new(Rollout::replay(log, recording)?))
            })
        })
    }
}

/// Takes up a log whose last line may be incomplete, as a crash in mid-write leaves it.
///
/// The input of a line that was dropped was not taken: deliver it again.
///
/// @param log         The log's bytes; borrowed for the call.
/// @param log_len     Their number.
/// @param recording   A hotfix_recording, for what follows.
/// @param out         The rollout; the caller frees it with hotfix_rollout_free. Null on failure.
/// @param out_length  How many bytes of the log stand: cut the file here before appending. May be null.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG with the first line that is wrong, or where no line is complete.
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
        guard(err, || {
            pointer::make(out, || {
                let recording = self::recording(recording)?;
                let log = pointer::bytes(log, log_len, "log")?;
                let recovered = Rollout::recover(log, recording)?;
                if !out_length.is_null() {
                    out_length.write(recovered.length);
                }
                Ok(Session::new(recovered.rollout))
            })
        })
    }
}

/// Frees a rollout, a poisoned one too. Views of its outcomes end with it.
///
/// @param rollout  A rollout, or null.
///
/// Thread rule: one thread, after every other use of this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_free(rollout: *mut hotfix_rollout) {
    pointer::free(rollout);
}
