//! Snapshots: a rollout as bytes, restored together with the log lines after it.

use std::ffi::c_char;

use hotfix_core::rollout::Rollout;

use crate::answer;
use crate::buffer::{hotfix_buf, put_bytes};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::rollout::{Session, hotfix_rollout, recording};
use crate::status::hotfix_status;

/// Writes the present state as bytes, for hotfix_rollout_restore. The same state gives the same
/// bytes.
///
/// Keep the whole log as well: another release may refuse a snapshot. A snapshot contains names and
/// the salt in clear text: after a redaction of the log, delete older snapshots and make new ones
/// from a replay.
///
/// @param rollout  A rollout.
/// @param out      Bytes, not text, that the caller frees with hotfix_buf_free. Empty on failure.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG if the rollout makes no log (HOTFIX_RECORDING_OFF).
///
/// Thread rule: any number of threads may read a rollout while no thread changes it.
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

/// Restores a rollout from a snapshot and the log lines after it: the same, byte for byte, as
/// hotfix_rollout_replay of the whole log.
///
/// A crash during a write may leave an incomplete last line: cut the log after its last line feed
/// first. If the call fails, read the whole log with hotfix_rollout_recover.
///
/// @param snapshot      The bytes of hotfix_rollout_snapshot; borrowed for the call.
/// @param snapshot_len  Their number.
/// @param tail          The log lines from the one whose `seq` is the result of
///                      hotfix_snapshot_seq; borrowed for the call; may be null with length 0.
/// @param tail_len      Their length in bytes.
/// @param recording     A hotfix_recording, for the lines that follow; a log that is kept begins
///                      with the tail.
/// @param out           The rollout as it was after the last line; the caller frees it with
///                      hotfix_rollout_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a snapshot that cannot be restored, and for a tail that is wrong,
///         with its first wrong line.
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
        answer::handle(out, err, || {
            let recording = self::recording(recording)?;
            let snapshot = pointer::bytes(snapshot, snapshot_len, "snapshot")?;
            let tail = pointer::bytes(tail, tail_len, "tail")?;
            Ok(Session::new(Rollout::restore(snapshot, tail, recording)?))
        })
    }
}

/// The number of log lines when the snapshot was made: the tail begins with the line that has this
/// `seq`.
///
/// @param snapshot      The bytes of hotfix_rollout_snapshot; borrowed for the call.
/// @param snapshot_len  Their number.
/// @param out           The number. Written on success only.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for bytes that are not a complete snapshot of this format.
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
        answer::number(out, err, || {
            let snapshot = pointer::bytes(snapshot, snapshot_len, "snapshot")?;
            Ok(Rollout::snapshot_head(snapshot)?.seq)
        })
    }
}
