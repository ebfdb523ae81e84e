//! Policies that mean harm, through the C ABI: bytes that are no text, and texts as long as they may be and one byte longer.

use std::ffi::c_char;
use std::ptr::null_mut;

use hotfix::policy::*;
use hotfix::status::*;

use crate::common::{Failed, Policy, call};

/// The longest text that is read.
const MOST_TEXT: usize = 1 << 20;

type Read = unsafe extern "C" fn(
    *const c_char,
    usize,
    *mut *mut hotfix_policy,
    *mut *mut hotfix::error::hotfix_error,
) -> hotfix_status;

const BOTH: [Read; 2] = [hotfix_policy_from_toml, hotfix_policy_from_json];

fn read(reader: Read, text: &[u8]) -> Result<Policy, Failed> {
    let mut out = null_mut();
    // SAFETY: live bytes with their length, and a live slot.
    let read = call(|e| unsafe { reader(text.as_ptr().cast(), text.len(), &raw mut out, e) });
    assert_eq!(read.is_err(), out.is_null());
    read.map(|()| Policy(out))
}

#[test]
fn field_5_bytes_that_are_no_text_are_an_error_wherever_they_stand() {
    for bytes in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"] {
        for at in [0, MOST_TEXT / 2, MOST_TEXT - 8] {
            let mut text = vec![b' '; MOST_TEXT];
            text.splice(at..at + bytes.len(), bytes.iter().copied());
            for reader in BOTH {
                let failed = read(reader, &text).err().unwrap();
                assert_eq!((failed.status, &*failed.code), (hotfix_status::Utf8, "HF-FFI-002"));
            }
        }
    }
}

#[test]
fn field_5_a_megabyte_is_read_and_one_byte_more_is_refused() {
    let toml = "extends = 'standard'\nname = 'long'\n#";
    let json = r#"{"extends": "standard", "name": "long"}"#;
    for (reader, text) in BOTH.into_iter().zip([toml, json]) {
        let padded = |length: usize| format!("{text}{}", " ".repeat(length - text.len()));
        read(reader, padded(MOST_TEXT).as_bytes()).unwrap();
        let failed = read(reader, padded(MOST_TEXT + 1).as_bytes()).err().unwrap();
        assert_eq!((failed.status, &*failed.code), (hotfix_status::Policy, "HF-POL-002"));
        assert!(failed.message.contains("1048577"), "{}", failed.message);
    }
    // Nothing but faults: as many are told as are kept, and the rest is counted.
    let failed =
        read(hotfix_policy_from_toml, "=\n".repeat(MOST_TEXT / 8).as_bytes()).err().unwrap();
    assert_eq!(failed.status, hotfix_status::Policy);
    assert!(failed.message.len() < MOST_TEXT, "{}", failed.message.len());
}
