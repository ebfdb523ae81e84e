//! Snapshots: a rollout in bytes, taken up with the log's lines after it.

use std::ffi::c_char;

use hotfix_core::rollout::Rollout;

use crate::buffer::{hotfix_buf, put_bytes};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::rollout::{Session, hotfix_rollout, recording};
use crate::status::hotfix_status;

/// The present state in bytes, for hotfix_rollout_restore. The same state gives the same bytes.
///
/// The log stays the truth: keep it whole, as another release may refuse a snapshot. It holds names in the clear, and the
/// salt: once personal values are taken out of the log, throw older snapshots away and make new ones from a replay.
///
/// @param rollout  A rollout.
/// @param out      Bytes, not text, that the caller frees with hotfix_buf_free. Empty on failure.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG where no log is made (HOTFIX_RECORDING_OFF).
///
/// Thread rule: any number of threads may read a rollout that nobody changes meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_snapshot(
    rollout: *const hotfix_rollout,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_bytes(out, || pointer::read(rollout, "rollout", |s| Ok(s.rollout.snapshot()?)))
        })
    }
}

/// Takes up a snapshot and the log's lines after it: the same as hotfix_rollout_replay of the whole log, byte for byte.
///
/// Where it fails, replay the whole log.
///
/// @param snapshot      The bytes of hotfix_rollout_snapshot; borrowed for the call.
/// @param snapshot_len  Their number.
/// @param tail          The log's lines from the one on whose `seq` hotfix_snapshot_seq gives; borrowed for the call; may be
///                      null with length 0.
/// @param tail_len      Their length in bytes.
/// @param recording     A hotfix_recording, for what follows; a log that is kept begins with the tail.
/// @param out           The rollout as after the last line; the caller frees it with hotfix_rollout_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a snapshot that cannot be taken up (HF-SNAP, and what is wrong with its plan), and with the
///         first line of the tail that is wrong.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rollout_restore(
    snapshot: *const c_char,
    snapshot_len: usize,
    tail: *const c_char,
    tail_len: usize,
    recording: i32,
    out: *mut *mut hotfix_rollout,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let recording = self::recording(recording)?;
                let snapshot = pointer::bytes(snapshot, snapshot_len, "snapshot")?;
                let tail = pointer::bytes(tail, tail_len, "tail")?;
                Ok(Session::new(Rollout::restore(snapshot, tail, recording)?))
            })
        })
    }
}

/// How many lines the log had when a snapshot was made: the tail begins with the line of this `seq`.
///
/// @param snapshot      The bytes of hotfix_rollout_snapshot; borrowed for the call.
/// @param snapshot_len  Their number.
/// @param out           The number. Written on success only.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for bytes that are no whole snapshot of this format.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_snapshot_seq(
    snapshot: *const c_char,
    snapshot_len: usize,
    out: *mut u64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::not_null(out, "out")?;
            let snapshot = pointer::bytes(snapshot, snapshot_len, "snapshot")?;
            pointer::put(out, "out", Rollout::snapshot_head(snapshot)?.seq)
        })
    }
}
