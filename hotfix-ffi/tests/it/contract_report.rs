//! The report through C is the core's, in each format, and its contract holds (POST-1).

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::report::{hotfix_report, hotfix_rollout_report};
use hotfix::status::hotfix_status;
use hotfix_core::report::report;

use crate::common::{Failed, Rollout, buffer, call, in_crate, raw};

fn written(log: &[u8], format: &str) -> Result<String, Failed> {
    let (at, len) = raw(format);
    // SAFETY: both texts live through the call.
    buffer(|out, error| unsafe {
        hotfix_report(log.as_ptr().cast(), log.len(), at, len, out, error)
    })
}

#[test]
fn post_1_a_report_through_c_is_the_cores() {
    let path = in_crate("../examples/expected/canary_rollback.jsonl");
    let log = std::fs::read(path).unwrap();
    for format in ["markdown", "json", "html"] {
        assert_eq!(written(&log, format).unwrap(), report(&log, format).unwrap(), "{format}");
    }
    let failed = |log: &[u8], format| {
        let error = written(log, format).unwrap_err();
        (error.status, error.code)
    };
    assert_eq!(failed(&log, "pdf"), (hotfix_status::Message, "HF-REP-002".to_owned()));
    assert_eq!(
        failed(&log[..log.len() - 1], "json"),
        (hotfix_status::Log, "HF-LOG-002".to_owned())
    );
    assert_eq!(failed(b"ab\xff", "json").0, hotfix_status::Log);
}

#[test]
fn post_1_a_report_takes_a_log_or_a_rollout_a_format_and_a_buffer() {
    let rollout = Rollout::any();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    let (json, len) = raw("json");
    let bad = c"ab\xff".as_ptr();
    // SAFETY: null where that is refused, else live.
    let (refused, not_utf_8) = unsafe {
        let refused = [
            call(|e| hotfix_report(null(), 1, json, len, out, e)),
            call(|e| hotfix_report(json, len, null(), 1, out, e)),
            call(|e| hotfix_report(json, len, json, len, null_mut(), e)),
            call(|e| hotfix_rollout_report(null(), json, len, out, e)),
            call(|e| hotfix_rollout_report(rollout.0, null(), 1, out, e)),
            call(|e| hotfix_rollout_report(rollout.0, json, len, null_mut(), e)),
        ];
        let not_utf_8 = [
            call(|e| hotfix_report(json, len, bad, 3, out, e)),
            call(|e| hotfix_rollout_report(rollout.0, bad, 3, out, e)),
        ];
        (refused, not_utf_8)
    };
    for (at, result) in refused.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status, hotfix_status::Null, "{at}");
    }
    for result in not_utf_8 {
        assert_eq!(result.unwrap_err().status, hotfix_status::Utf8);
    }
    assert!(buf.data.is_null());
    // Nothing has happened to it: its log has no line.
    // SAFETY: a live rollout and text.
    let empty = buffer(|out, e| unsafe { hotfix_rollout_report(rollout.0, json, len, out, e) });
    assert_eq!(empty.unwrap_err().code, "HF-LOG-001");
    // SAFETY: null is refused, and nobody asked for the error.
    let quiet = unsafe { hotfix_rollout_report(null(), json, len, out, null_mut()) };
    assert_eq!(quiet, hotfix_status::Null);
}
