//! Policies that extend the caller's own policies.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use hotfix_core::policy::Policy;

use crate::answer;
use crate::error::{Fallible, hotfix_error};
use crate::guard::guard;
use crate::pointer;
use crate::policy::hotfix_policy;
use crate::status::hotfix_status;

/// Receives the answer of a hotfix_resolve, through hotfix_base_set. It lives until that
/// hotfix_resolve returns.
pub struct hotfix_base {
    text: Option<String>,
    /// The error of the last answer, if that was not valid.
    fault: Option<Box<hotfix_error>>,
}

/// A callback that finds a policy which another one extends, and passes its text to
/// hotfix_base_set. If it does not call hotfix_base_set, it knows no policy of this name.
///
/// It may call any function of this library, also the one that called it. It must return normally:
/// no longjmp, no exception.
///
/// @param context   The pointer that was passed together with the function.
/// @param name      The name: lower-case letters, digits, `_` and `-`, so it can be used as a file
///                  name; UTF-8, no null byte at its end, borrowed for the call.
/// @param name_len  Its length in bytes.
/// @param base      Receives the answer; do not keep it.
pub type hotfix_resolve = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        name: *const c_char,
        name_len: usize,
        base: *mut hotfix_base,
    ),
>;

/// Answers a hotfix_resolve with the text of a policy: JSON if its first character is `{`,
/// otherwise TOML. The last answer counts.
///
/// @param base      The `base` that the hotfix_resolve received.
/// @param text      The text; UTF-8, borrowed for the call and copied.
/// @param text_len  Its length in bytes.
/// @param err       Where an error object goes; may be null. It must not be the `err` of the call
///                  that asks. Owned by the caller.
/// @return HOTFIX_STATUS_UTF8 or HOTFIX_STATUS_NULL; the call that asks then fails with the same
///         status.
///
/// Thread rule: only the thread that the hotfix_resolve was called on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_base_set(
    base: *mut hotfix_base,
    text: *const c_char,
    text_len: usize,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let read = || pointer::text(text, text_len, "text").map(str::to_owned);
            pointer::with(base, "base", |base| {
                // The error is returned twice, and each copy has another owner.
                base.fault = read().err();
                base.text = read().ok();
            })?;
            read().map(drop)
        })
    }
}

/// Asks the caller for the text of a name. It keeps the first fault and asks for nothing more after
/// it.
struct Asking {
    resolve: hotfix_resolve,
    context: *mut c_void,
    fault: Option<Box<hotfix_error>>,
}

impl Asking {
    unsafe fn ask(&mut self, name: &str) -> Option<String> {
        let resolve = self.resolve.filter(|_| self.fault.is_none())?;
        let mut base = hotfix_base { text: None, fault: None };
        // SAFETY: a function of this signature by the header's contract; the name is borrowed and
        // `base` is not touched here while it runs.
        unsafe { resolve(self.context, name.as_ptr().cast(), name.len(), &raw mut base) };
        self.fault = base.fault.map(|fault| fault.at(format!("text of the base `{name}`")));
        base.text
    }
}

unsafe fn read(
    text: (*const c_char, usize),
    resolve: hotfix_resolve,
    context: *mut c_void,
    is_json: bool,
) -> Fallible<Arc<Policy>> {
    // SAFETY: the caller keeps the header's contract.
    let text = unsafe { pointer::text(text.0, text.1, "text")? };
    let mut asking = Asking { resolve, context, fault: None };
    // SAFETY: the caller keeps the header's contract.
    let ask = |name: &str| unsafe { asking.ask(name) };
    let read =
        if is_json { Policy::from_json_with(text, ask) } else { Policy::from_toml_with(text, ask) };
    match asking.fault {
        Some(fault) => Err(fault),
        None => Ok(Arc::new(read?)),
    }
}

/// Reads a policy from TOML like hotfix_policy_from_toml; `extends` may also name policies of the
/// caller.
///
/// @param text      The document; UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param resolve   Called once for each name, on this thread, before the call returns; may be
///                  null. A name that it does not know is the name of a preset.
/// @param context   Passed to `resolve` unchanged; may be null.
/// @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_policy_from_toml. The error also has every fault in `extends` and in the
///         policies that are extended. While one of them is not known or cannot be read, the rest of
///         the document is not checked: what it lacks might come from there.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_from_toml_with(
    text: *const c_char,
    text_len: usize,
    resolve: hotfix_resolve,
    context: *mut c_void,
    out: *mut *mut hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::handle(out, err, || read((text, text_len), resolve, context, false)) }
}

/// Reads a policy from JSON like hotfix_policy_from_json; `extends` may also name policies of the
/// caller.
///
/// @param text      The document; UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param resolve   As for hotfix_policy_from_toml_with; may be null.
/// @param context   Passed to `resolve` unchanged; may be null.
/// @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_policy_from_toml_with.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_from_json_with(
    text: *const c_char,
    text_len: usize,
    resolve: hotfix_resolve,
    context: *mut c_void,
    out: *mut *mut hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::handle(out, err, || read((text, text_len), resolve, context, true)) }
}
