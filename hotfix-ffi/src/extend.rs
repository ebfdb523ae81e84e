//! Policies that extend those of the caller.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use hotfix_core::policy::Policy;

use crate::error::{Fallible, hotfix_error};
use crate::guard::guard;
use crate::pointer;
use crate::policy::hotfix_policy;
use crate::status::hotfix_status;

/// Where a hotfix_resolve puts its answer with hotfix_base_set. It lives until that hotfix_resolve returns.
pub struct hotfix_base {
    text: Option<String>,
    /// Of the last answer, where it was none.
    fault: Option<Box<hotfix_error>>,
}

/// Finds a policy that another one extends, and hands its text to hotfix_base_set; to leave that out says that there is
/// none of this name.
///
/// It may call any function of this library, this reading included, and must return: no longjmp, no exception.
///
/// @param context   What was given with the function.
/// @param name      The name: small letters, digits, `_` and `-`, so it is a file's name as it is; UTF-8, no null byte at its
///                  end, borrowed for the call.
/// @param name_len  Its length in bytes.
/// @param base      Where the answer goes; not to be kept.
pub type hotfix_resolve = Option<
    unsafe extern "C" fn(
        context: *mut c_void,
        name: *const c_char,
        name_len: usize,
        base: *mut hotfix_base,
    ),
>;

/// Answers a hotfix_resolve with the text of a policy: JSON where its first character is `{`, else TOML. The last answer counts.
///
/// @param base      What the hotfix_resolve was given.
/// @param text      The text; UTF-8, borrowed for the call: it is copied.
/// @param text_len  Its length in bytes.
/// @param err       Where an error object goes; may be null, and not that of the reading which asks. Owned by the caller.
/// @return HOTFIX_STATUS_UTF8 or HOTFIX_STATUS_NULL; the reading that asks fails with the same.
///
/// Thread rule: the thread that the hotfix_resolve was called on.
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
                // An error is given twice, and each is owned by somebody else.
                base.fault = read().err();
                base.text = read().ok();
            })?;
            read().map(drop)
        })
    }
}

/// Asks the caller for the text of a name; keeps the first fault, after which nobody is asked any more.
struct Asking {
    resolve: hotfix_resolve,
    context: *mut c_void,
    fault: Option<Box<hotfix_error>>,
}

impl Asking {
    unsafe fn ask(&mut self, name: &str) -> Option<String> {
        let resolve = self.resolve.filter(|_| self.fault.is_none())?;
        let mut base = hotfix_base { text: None, fault: None };
        // SAFETY: a function of this signature by the header's contract; the name is borrowed and `base` is not touched here
        // while it runs.
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

/// Reads a policy from TOML as hotfix_policy_from_toml does, where `extends` may name policies of the caller.
///
/// @param text      The document; UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param resolve   Asked for each name once, on this thread, before the call returns; may be null. A name that it does not know is a
///                  preset's.
/// @param context   Given to `resolve` as it is; may be null.
/// @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_policy_from_toml; HF-POL-028 to HF-POL-035 are about what is extended.
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
    unsafe { guard(err, || pointer::make(out, || read((text, text_len), resolve, context, false))) }
}

/// Reads a policy from JSON as hotfix_policy_from_json does, where `extends` may name policies of the caller.
///
/// @param text      The document; UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param resolve   As for hotfix_policy_from_toml_with; may be null.
/// @param context   Given to `resolve` as it is; may be null.
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
    unsafe { guard(err, || pointer::make(out, || read((text, text_len), resolve, context, true))) }
}
