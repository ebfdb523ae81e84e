//! The contract of a backtest: null and text that is none are errors (FIELD-12).

use std::ptr::{null, null_mut};

use hotfix::backtest::hotfix_backtest;
use hotfix::buffer::hotfix_buf;
use hotfix::status::hotfix_status;

use crate::common::{Policy, buffer, call, raw};

#[test]
fn field_12_a_backtest_refuses_null_and_bad_text() {
    let policy = Policy::preset("standard").unwrap();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    let (json, n) = raw("{}");
    let broken = [0x66_u8, 0xff];
    let bad = broken.as_ptr().cast();
    // SAFETY: null where that is refused, else live.
    let (nulls, texts) = unsafe {
        (
            [
                call(|e| hotfix_backtest(null(), json, n, json, n, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, null(), 1, json, n, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, null(), 1, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, json, n, null(), 1, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, json, n, json, n, null_mut(), e)),
            ],
            [
                call(|e| hotfix_backtest(policy.0, bad, 2, json, n, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, bad, 2, json, n, out, e)),
                call(|e| hotfix_backtest(policy.0, json, n, json, n, bad, 2, out, e)),
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
