//! The contract of a backtest: null and text that is none are errors (FIELD-12).

use std::ffi::c_char;
use std::ptr::{null, null_mut};

use hotfix::backtest::{hotfix_backtest, hotfix_history};
use hotfix::buffer::hotfix_buf;
use hotfix::error::hotfix_error;
use hotfix::policy::hotfix_policy;
use hotfix::status::hotfix_status;

use crate::common::{Policy, buffer, call, raw, taken};

type Text = *const c_char;
type Reads = unsafe extern "C" fn(
    *const hotfix_policy,
    Text,
    usize,
    Text,
    usize,
    Text,
    usize,
    *mut hotfix_buf,
    *mut *mut hotfix_error,
) -> hotfix_status;

/// `hotfix_history` with the findings in a buffer of its own.
unsafe extern "C" fn history(
    policy: *const hotfix_policy,
    text: Text,
    a: usize,
    format: Text,
    b: usize,
    mapping: Text,
    c: usize,
    out: *mut hotfix_buf,
    e: *mut *mut hotfix_error,
) -> hotfix_status {
    let mut findings = hotfix_buf { data: null_mut(), len: 0 };
    let into = &raw mut findings;
    // SAFETY: as the caller says.
    let status = unsafe { hotfix_history(policy, text, a, format, b, mapping, c, out, into, e) };
    assert_eq!(taken(&mut findings).is_some(), status == hotfix_status::Ok);
    status
}

#[test]
fn field_12_readers_of_recordings_refuse_null_and_bad_text() {
    let policy = Policy::preset("standard").unwrap();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    let (json, n) = raw("{}");
    let broken = [0x66_u8, 0xff];
    let bad = broken.as_ptr().cast();
    for reads in [hotfix_backtest as Reads, history] {
        // SAFETY: null where that is refused, else live.
        let (nulls, texts) = unsafe {
            (
                [
                    call(|e| reads(null(), json, n, json, n, json, n, out, e)),
                    call(|e| reads(policy.0, null(), 1, json, n, json, n, out, e)),
                    call(|e| reads(policy.0, json, n, null(), 1, json, n, out, e)),
                    call(|e| reads(policy.0, json, n, json, n, null(), 1, out, e)),
                    call(|e| reads(policy.0, json, n, json, n, json, n, null_mut(), e)),
                ],
                [
                    call(|e| reads(policy.0, bad, 2, json, n, json, n, out, e)),
                    call(|e| reads(policy.0, json, n, bad, 2, json, n, out, e)),
                    call(|e| reads(policy.0, json, n, json, n, bad, 2, out, e)),
                ],
            )
        };
        for (at, result) in nulls.into_iter().enumerate() {
            assert_eq!(result.unwrap_err().status, hotfix_status::Null, "{at}");
        }
        for (at, result) in texts.into_iter().enumerate() {
            assert_eq!(result.unwrap_err().status, hotfix_status::Utf8, "{at}");
        }
        assert!(buf.data.is_null());
    }
    // SAFETY: a live handle, text and buffer; the other buffer is null, which is refused.
    let failed = call(|e| unsafe {
        hotfix_history(policy.0, json, n, json, n, json, n, out, null_mut(), e)
    });
    assert_eq!(failed.unwrap_err().path, "findings");
    // A recording without a mapping, and one that is none.
    let line =
        r#"{"at": "2026-03-03T14:40:00Z", "metrics": {"error_rate": {"canary": [1, 1000]}}}"#;
    let ((text, a), (format, b)) = (raw(line), raw("json_lines"));
    let told = buffer(|out, e| {
        // SAFETY: live handle, texts and buffer; no mapping.
        unsafe { hotfix_backtest(policy.0, text, a, format, b, null(), 0, out, e) }
    });
    assert!(told.unwrap().contains(r#""readings":1"#));
    let nothing = buffer(|out, e| {
        // SAFETY: live handle, text and buffer; no recording and no mapping.
        unsafe { hotfix_backtest(policy.0, null(), 0, format, b, null(), 0, out, e) }
    });
    assert_eq!(nothing.unwrap_err().code, "HF-REC-012");
}
