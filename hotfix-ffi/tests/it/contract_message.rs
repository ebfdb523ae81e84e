//! The contract of messages: null and what is no request are errors, and an answer is a text.

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::message::hotfix_rollout_message;
use hotfix::status::hotfix_status;

use crate::common::{Rollout, buffer, call, raw};

#[test]
fn comm_1_a_message_takes_a_rollout_a_request_and_a_buffer() {
    let rollout = Rollout::any();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let out = &raw mut buf;
    let good = r#"{"kind": "alert", "at": "2026-03-03T14:40:00Z"}"#;
    let ((text, len), (no_utf8, no_len)) = (raw(good), (b"\xff".as_ptr().cast(), 1));
    let (none, none_len) = raw(r#"{"kind": "alrt"}"#);
    // SAFETY: null where that is refused, else live.
    let refused = unsafe {
        [
            (call(|e| hotfix_rollout_message(null(), text, len, out, e)), hotfix_status::Null),
            (call(|e| hotfix_rollout_message(rollout.0, null(), 1, out, e)), hotfix_status::Null),
            (
                call(|e| hotfix_rollout_message(rollout.0, text, len, null_mut(), e)),
                hotfix_status::Null,
            ),
            (
                call(|e| hotfix_rollout_message(rollout.0, no_utf8, no_len, out, e)),
                hotfix_status::Utf8,
            ),
            (
                call(|e| hotfix_rollout_message(rollout.0, none, none_len, out, e)),
                hotfix_status::Message,
            ),
            (
                call(|e| hotfix_rollout_message(rollout.0, raw("{").0, 1, out, e)),
                hotfix_status::Message,
            ),
        ]
    };
    for (at, (result, status)) in refused.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().status, status, "{at}");
    }
    assert!(buf.data.is_null());
    // SAFETY: live handles and text.
    let told = buffer(|o, e| unsafe { hotfix_rollout_message(rollout.0, text, len, o, e) });
    assert!(told.unwrap().contains("INC-"));
}
