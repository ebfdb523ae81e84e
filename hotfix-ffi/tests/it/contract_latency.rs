//! What the functions of the latency test promise: nulls, UTF-8, settings and counts that cannot be, nothing half done.

use std::ptr::{null, null_mut};

use hotfix::buffer::hotfix_buf;
use hotfix::latency::*;
use hotfix::sequential_test::*;
use hotfix::status::hotfix_status;

use crate::common::{Failed, buffer, call, fails, raw};

fn latency() -> *mut hotfix_test {
    let ((at, len), mut out) = (raw(r#"{"boundaries": 2}"#), null_mut());
    // SAFETY: live text and slot.
    call(|e| unsafe { hotfix_latency_new(at, len, &raw mut out, e) }).unwrap();
    out
}

fn bytes(test: *const hotfix_test) -> String {
    // SAFETY: a live test.
    buffer(|out, e| unsafe { hotfix_test_to_bytes(test, out, e) }).unwrap()
}

#[test]
fn a_null_pointer_is_an_error_to_a_latency_test() {
    let test = latency();
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    let (buf, (json, len), slow) = (&raw mut buf, raw("{}"), [1.0; 2]);
    let slow = slow.as_ptr();
    fails! { Null:
        hotfix_latency_new(null(), 1, &mut null_mut());
        hotfix_latency_new(json, len, null_mut());
        hotfix_latency_update(null_mut(), slow, 9.0, slow, 9.0, 2, null_mut());
        hotfix_latency_update(test, null(), 9.0, slow, 9.0, 2, null_mut());
        hotfix_latency_update(test, slow, 9.0, null(), 9.0, 2, null_mut());
        hotfix_latency_boundaries(null(), 1, buf);
        hotfix_latency_boundaries(json, len, null_mut());
    }
    // SAFETY: made once, freed once.
    unsafe { hotfix_test_free(test) };
}

#[test]
fn text_that_cannot_be_read_is_an_error_to_a_latency_test() {
    let (bad, n) = (b"\xff\xfe".as_ptr().cast(), 2);
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    fails! { Utf8:
        hotfix_latency_new(bad, n, &mut null_mut());
        hotfix_latency_boundaries(bad, n, &raw mut buf);
    }
    let ((unknown, a), (list, b)) = (raw(r#"{"boundary": 2}"#), raw("[1]"));
    fails! { Input:
        hotfix_latency_new(unknown, a, &mut null_mut());
        hotfix_latency_boundaries(list, b, &raw mut buf);
    }
}

#[test]
fn stat_1_latency_counts_that_cannot_be_change_nothing() {
    let test = latency();
    let before = bytes(test);
    let update = |slow: &[f64], trials: f64| -> Failed {
        let calm = [10.0, 1.0];
        // SAFETY: a live test and live arrays.
        call(|e| unsafe {
            let (slow, calm, out) = (slow.as_ptr(), calm.as_ptr(), null_mut());
            hotfix_latency_update(test, slow, trials, calm, 90.0, 2, out, e)
        })
        .unwrap_err()
    };
    let cases: [(&[f64], f64, &str); 4] = [
        (&[f64::NAN, 0.0], 9.0, "HF-STAT-002"),
        (&[-1.0, 0.0], 9.0, "HF-STAT-003"),
        (&[10.0, 0.0], 9.0, "HF-STAT-004"),
        (&[1.0, 2.0], 9.0, "HF-STAT-050"),
    ];
    for (slow, trials, code) in cases {
        let failed = update(slow, trials);
        assert_eq!((failed.status, failed.code.as_str()), (hotfix_status::Stat, code));
    }
    // Other boundaries than the test's.
    let slow = [1.0; 3];
    let slow = slow.as_ptr();
    fails! { Stat:
        hotfix_latency_update(test, slow, 9.0, slow, 9.0, 3, null_mut());
    }
    let (none, len) = raw(r#"{"boundaries": 13}"#);
    fails! { Stat:
        hotfix_latency_new(none, len, &mut null_mut());
    }
    assert_eq!(bytes(test), before);
    // SAFETY: made once, freed once.
    unsafe { hotfix_test_free(test) };
}

#[test]
fn stat_1_boundaries_come_from_the_baseline() {
    let (samples, len) = raw(r#"{"samples": [0.1, 0.2, 0.3, 0.4]}"#);
    // SAFETY: live text and slot.
    let chosen =
        buffer(|out, e| unsafe { hotfix_latency_boundaries(samples, len, out, e) }).unwrap();
    let chosen: Vec<f64> = serde_json::from_str(&chosen).unwrap();
    assert!(chosen.len() > 2 && chosen.is_sorted(), "{chosen:?}");
    let (none, len) = raw(r#"{"samples": []}"#);
    let mut buf = hotfix_buf { data: null_mut(), len: 0 };
    fails! { Stat:
        hotfix_latency_boundaries(none, len, &raw mut buf);
    }
}
