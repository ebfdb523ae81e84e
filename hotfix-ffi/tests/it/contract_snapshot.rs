//! The contract of snapshots: what is refused, and that a restored rollout is the one that was written down (ROLL-7).

use std::ffi::c_char;
use std::ptr::{null, null_mut};

use hotfix::buffer::{hotfix_buf, hotfix_buf_free};
use hotfix::hook::hotfix_hook_panic_rollout;
use hotfix::rollout::*;
use hotfix::snapshot::*;
use hotfix::status::hotfix_status;
use hotfix::view::{hotfix_rollout_head, hotfix_rollout_log};

use crate::common::{Failed, Rollout, buffer, call, outcome, raw};

const KEEP: i32 = hotfix_recording::Keep as i32;

fn snapshot(rollout: &Rollout) -> Result<Vec<u8>, Failed> {
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    // SAFETY: a live rollout and buffer; as many bytes as it says, before it is freed.
    unsafe {
        call(|e| hotfix_rollout_snapshot(rollout.0, &raw mut buf, e))?;
        let bytes = std::slice::from_raw_parts(buf.data.cast::<u8>(), buf.len).to_vec();
        hotfix_buf_free(&raw mut buf);
        Ok(bytes)
    }
}

fn restore(snapshot: &[u8], tail: &str) -> Result<Rollout, Failed> {
    let (bytes, len) = (snapshot.as_ptr().cast::<c_char>(), snapshot.len());
    let ((tail, tail_len), mut out) = (raw(tail), null_mut());
    // SAFETY: live bytes and slot.
    call(|e| unsafe { hotfix_rollout_restore(bytes, len, tail, tail_len, KEEP, &raw mut out, e) })?;
    Ok(Rollout(out))
}

fn note(rollout: &Rollout, at_ms: i64) {
    let (input, len) = raw(r#"{"kind": "note", "by": "lena", "text": "on it"}"#);
    let mut out = outcome();
    // SAFETY: a live rollout, text and struct.
    call(|e| unsafe { hotfix_rollout_handle(rollout.0, at_ms, input, len, &raw mut out, e) })
        .unwrap();
}

fn log(rollout: &Rollout) -> String {
    // SAFETY: a live rollout.
    buffer(|out, e| unsafe { hotfix_rollout_log(rollout.0, out, e) }).unwrap()
}

fn head(rollout: &Rollout) -> String {
    // SAFETY: all zero bytes are a value of this struct; a live rollout and slot.
    unsafe {
        let mut head = std::mem::zeroed();
        call(|e| hotfix_rollout_head(rollout.0, &raw mut head, e)).unwrap();
        format!("{head:?}")
    }
}

#[test]
fn roll_7_a_snapshot_with_its_tail_is_the_rollout_in_c_too() {
    let rollout = Rollout::any();
    note(&rollout, 1_772_548_800_000);
    let written = snapshot(&rollout).unwrap();
    let begin = log(&rollout).len();
    note(&rollout, 1_772_548_860_000);
    let tail = log(&rollout)[begin..].to_owned();
    let again = restore(&written, &tail).unwrap();
    assert_eq!((head(&again), log(&again)), (head(&rollout), tail.clone()));
    assert_eq!(snapshot(&again).unwrap(), snapshot(&rollout).unwrap());
    // Both go on to the same lines.
    note(&rollout, 1_772_548_920_000);
    note(&again, 1_772_548_920_000);
    assert_eq!(head(&again), head(&rollout));

    let mut seq = 0;
    let (bytes, len) = (written.as_ptr().cast::<c_char>(), written.len());
    // SAFETY: live bytes and slot.
    call(|e| unsafe { hotfix_snapshot_seq(bytes, len, &raw mut seq, e) }).unwrap();
    assert_eq!(seq, 2, "the opening and a note");
    assert!(tail.contains(r#""seq":2,"#));

    let refused = |result: Result<Rollout, Failed>| result.map(|_| ()).unwrap_err();
    let torn = refused(restore(&written[..len - 1], ""));
    assert_eq!((torn.status, torn.code.as_str()), (hotfix_status::Log, "HF-SNAP-003"));
    let twice = refused(restore(&written, &format!("{tail}{tail}")));
    assert_eq!((twice.status, twice.code.as_str()), (hotfix_status::Log, "HF-LOG-003"));
}

#[test]
fn snapshots_take_what_they_say_and_nothing_else() {
    let rollout = Rollout::any();
    let written = snapshot(&rollout).unwrap();
    let (bytes, len) = (written.as_ptr().cast::<c_char>(), written.len());
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let (out, mut seq, mut new) = (&raw mut buf, 7, null_mut());
    // SAFETY: null and wrong numbers where those are refused, else live.
    let refused = unsafe {
        [
            (hotfix_status::Null, call(|e| hotfix_rollout_snapshot(null(), out, e))),
            (hotfix_status::Null, call(|e| hotfix_rollout_snapshot(rollout.0, null_mut(), e))),
            (
                hotfix_status::Null,
                call(|e| hotfix_rollout_restore(null(), 1, null(), 0, KEEP, &raw mut new, e)),
            ),
            (
                hotfix_status::Null,
                call(|e| hotfix_rollout_restore(bytes, len, null(), 1, KEEP, &raw mut new, e)),
            ),
            (
                hotfix_status::Null,
                call(|e| hotfix_rollout_restore(bytes, len, null(), 0, KEEP, null_mut(), e)),
            ),
            (
                hotfix_status::Enum,
                call(|e| hotfix_rollout_restore(bytes, len, null(), 0, 4, &raw mut new, e)),
            ),
            (
                hotfix_status::Log,
                call(|e| hotfix_rollout_restore(null(), 0, null(), 0, KEEP, &raw mut new, e)),
            ),
            (hotfix_status::Null, call(|e| hotfix_snapshot_seq(null(), 1, &raw mut seq, e))),
            (hotfix_status::Null, call(|e| hotfix_snapshot_seq(bytes, len, null_mut(), e))),
            (hotfix_status::Log, call(|e| hotfix_snapshot_seq(bytes, 7, &raw mut seq, e))),
            (hotfix_status::Panic, call(|e| hotfix_hook_panic_rollout(rollout.0, e))),
            (hotfix_status::Poisoned, call(|e| hotfix_rollout_snapshot(rollout.0, out, e))),
        ]
    };
    for (number, (status, result)) in refused.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status, status, "{number}");
    }
    assert!(buf.data.is_null() && new.is_null() && seq == 7);
}
