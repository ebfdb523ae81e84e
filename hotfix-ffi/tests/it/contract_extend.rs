//! What reading with a resolve function promises: nulls, UTF-8, answers, calls from within.

use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};

use hotfix::extend::*;
use hotfix::policy::*;
use hotfix::status::*;

use crate::common::{Failed, Policy, buffer, call, fails, raw};

const EXTENDS: &str = "extends = ['phased-canary', 'house']";

fn read(resolve: hotfix_resolve, context: *mut c_void) -> Result<Policy, Failed> {
    let ((at, len), mut out) = (raw(EXTENDS), null_mut());
    // SAFETY: live text and slot; each test gives the context that its function takes.
    let read = call(|e| unsafe {
        hotfix_policy_from_toml_with(at, len, resolve, context, &raw mut out, e)
    });
    assert_eq!(read.is_err(), out.is_null());
    read.map(|()| Policy(out))
}

/// Answers every name but presets with the bytes that the context points to.
unsafe extern "C" fn bytes(
    context: *mut c_void,
    name: *const c_char,
    len: usize,
    base: *mut hotfix_base,
) {
    // SAFETY: the name is lent, the context is a slice, the base waits for its answer.
    unsafe {
        if std::slice::from_raw_parts(name.cast::<u8>(), len) == b"house" {
            let text = *context.cast::<&[u8]>();
            hotfix_base_set(base, text.as_ptr().cast(), text.len(), null_mut());
        }
    }
}

fn answered(text: &[u8]) -> Result<Policy, Failed> {
    let mut text = text;
    read(Some(bytes), (&raw mut text).cast())
}

#[test]
fn a_null_pointer_is_an_error_to_what_reads_with_a_function() {
    let ((text, len), mut out) = (raw("{}"), null_mut());
    fails! { Null:
        hotfix_policy_from_toml_with(null(), 1, None, null_mut(), &raw mut out);
        hotfix_policy_from_toml_with(text, len, None, null_mut(), null_mut());
        hotfix_policy_from_json_with(null(), 1, None, null_mut(), &raw mut out);
        hotfix_policy_from_json_with(text, len, None, null_mut(), null_mut());
        hotfix_base_set(null_mut(), text, len);
    }
    assert!(out.is_null());
}

#[test]
fn field_5_without_a_function_only_presets_are_known() {
    let failed = read(None, null_mut()).err().unwrap();
    assert_eq!(
        (failed.status, &*failed.code, &*failed.path),
        (hotfix_status::Policy, "HF-POL-028", "/extends/1")
    );
}

#[test]
fn field_5_an_answer_that_is_no_text_fails_the_reading() {
    answered(b"name = 'house'").unwrap();
    answered(b"").unwrap();
    let failed = answered(b"name = '\xff'").err().unwrap();
    assert_eq!((failed.status, &*failed.code), (hotfix_status::Utf8, "HF-FFI-002"));
    assert_eq!(failed.path, "text of the base `house`");
}

/// Answers with null of some length, which is a fault, or with a text after that, which is none.
unsafe extern "C" fn null_text(
    context: *mut c_void,
    name: *const c_char,
    len: usize,
    base: *mut hotfix_base,
) {
    // SAFETY: the name is lent, the context is a flag, the base waits for its answer.
    unsafe {
        if std::slice::from_raw_parts(name.cast::<u8>(), len) != b"house" {
            return;
        }
        assert_eq!(hotfix_base_set(base, null(), 1, null_mut()), hotfix_status::Null);
        if *context.cast::<bool>() {
            let (at, len) = raw("extends = 'standard'");
            assert_eq!(hotfix_base_set(base, at, len, null_mut()), hotfix_status::Ok);
        }
    }
}

#[test]
fn field_5_the_last_answer_counts() {
    let (mut no, mut yes) = (false, true);
    let failed = read(Some(null_text), (&raw mut no).cast()).err().unwrap();
    assert_eq!((failed.status, &*failed.code), (hotfix_status::Null, "HF-FFI-001"));
    read(Some(null_text), (&raw mut yes).cast()).unwrap();
}

/// Reads a policy that asks this function again, and answers with that policy; the fifth answers by itself.
unsafe extern "C" fn again(
    context: *mut c_void,
    name: *const c_char,
    len: usize,
    base: *mut hotfix_base,
) {
    // SAFETY: the name is lent, the context counts how deep we are, the base waits for its answer.
    unsafe {
        if std::slice::from_raw_parts(name.cast::<u8>(), len) != b"house" {
            return;
        }
        let depth = context.cast::<u32>();
        *depth += 1;
        let text = if *depth == 5 {
            "title = 'from the bottom'".to_owned()
        } else {
            json(&read(Some(again), context).unwrap())
        };
        let (at, len) = raw(&text);
        call(|e| hotfix_base_set(base, at, len, e)).unwrap();
    }
}

fn json(policy: &Policy) -> String {
    // SAFETY: a live handle and buffer.
    buffer(|out, e| unsafe { hotfix_policy_to_json(policy.0, out, e) }).unwrap()
}

#[test]
fn field_5_a_function_may_read_policies_itself() {
    let mut depth = 0u32;
    let policy = read(Some(again), (&raw mut depth).cast()).unwrap();
    assert!(json(&policy).contains("from the bottom"));
    assert_eq!(depth, 5);
}
