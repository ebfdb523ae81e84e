//! Policies: read, write, share.

use std::ffi::c_char;
use std::ptr::null_mut;
use std::sync::Arc;

use hotfix_core::canonical::{CanonicalError, Digest, Encoder};
use hotfix_core::policy::Policy;
use serde::Serialize;

use crate::answer;
use crate::buffer::{hotfix_buf, hotfix_digest, in_place};
use crate::error::{Fallible, hotfix_error};
use crate::extend::{hotfix_policy_from_json_with, hotfix_policy_from_toml_with};
use crate::guard::{Guarded, guard};
use crate::pointer::{self, handle};
use crate::status::hotfix_status;

/// A checked, immutable policy. It is reference-counted: hotfix_policy_clone shares it, and each
/// handle is freed separately.
pub struct hotfix_policy(Guarded<Arc<Policy>>);

handle!(hotfix_policy, Arc<Policy>);

/// A value in canonical JSON, as the log writes it.
#[inline]
pub(crate) fn canonical<T: Serialize + ?Sized>(value: &T) -> Fallible<String> {
    written(&|text| Encoder::new().encode(value, text))
}

/// A value in JSON, with its members in order.
pub(crate) fn sorted<T: Serialize + ?Sized>(value: &T) -> Fallible<String> {
    hotfix_core::canonical::sorted(value).map_err(hotfix_error::not_written)
}

/// [`canonical`] for every type of value.
#[inline(never)]
fn written(encode: &dyn Fn(&mut Vec<u8>) -> Result<(), CanonicalError>) -> Fallible<String> {
    let mut text = Vec::new();
    encode(&mut text).map_err(hotfix_error::not_written)?;
    String::from_utf8(text).map_err(hotfix_error::not_written)
}

pub(crate) fn hex(digest: Option<Digest>) -> hotfix_digest {
    hotfix_digest { hex: digest.map_or([0; 65], |digest| in_place(&digest)) }
}

/// The names of the presets, as a JSON array of strings.
///
/// @param out  A buffer that the caller frees with hotfix_buf_free.
/// @param err  Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_presets(
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text(out, err, || canonical(Policy::presets())) }
}

/// Makes the policy of a preset, such as "phased-canary".
///
/// @param name      The name; UTF-8, borrowed for the call.
/// @param name_len  Its length in bytes.
/// @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_POLICY if no preset has this name; the error names the nearest.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_preset(
    name: *const c_char,
    name_len: usize,
    out: *mut *mut hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let name = pointer::text(name, name_len, "name")?;
            Ok(Arc::new(Policy::preset(name)?))
        })
    }
}

/// Reads a policy from TOML, at most 1 MiB. It may extend presets; with
/// hotfix_policy_from_toml_with it may also extend other policies.
///
/// @param text      The document; UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_POLICY for an invalid policy; the error has every fault with its code and
///         place, not only the first.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_from_toml(
    text: *const c_char,
    text_len: usize,
    out: *mut *mut hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { hotfix_policy_from_toml_with(text, text_len, None, null_mut(), out, err) }
}

/// Reads a policy from JSON, at most 1 MiB. It may extend presets.
///
/// @param text      The document; UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_policy_from_toml.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_from_json(
    text: *const c_char,
    text_len: usize,
    out: *mut *mut hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { hotfix_policy_from_json_with(text, text_len, None, null_mut(), out, err) }
}

/// Writes a policy as JSON: durations in seconds, shares as fractions, every default filled in.
///
/// @param policy  A policy.
/// @param out     A buffer that the caller frees with hotfix_buf_free.
/// @param err     Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_to_json(
    policy: *const hotfix_policy,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(policy, "policy", out, err, |policy| Ok(policy.to_json())) }
}

/// Writes a policy as TOML, in the notation of policy files: "10min" and "0.3%", every default
/// filled in.
///
/// @param policy  A policy.
/// @param out     A buffer that the caller frees with hotfix_buf_free.
/// @param err     Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_to_toml(
    policy: *const hotfix_policy,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(policy, "policy", out, err, |policy| Ok(policy.to_toml())) }
}

/// SHA-256 of the policy's canonical JSON; the same on every platform.
///
/// @param policy  A policy.
/// @param out     The digest. Written on success only.
/// @param err     Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_digest(
    policy: *const hotfix_policy,
    out: *mut hotfix_digest,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let digest = pointer::read(policy, "policy", |policy| {
                hotfix_core::canonical::digest(&**policy).map_err(hotfix_error::not_written)
            })?;
            pointer::put(out, "out", hex(Some(digest)))
        })
    }
}

/// Makes another handle on the same policy. It is cheap; each handle is freed separately.
///
/// @param policy  A policy.
/// @param out     The new handle; the caller frees it with hotfix_policy_free. Null on failure.
/// @param err     Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_clone(
    policy: *const hotfix_policy,
    out: *mut *mut hotfix_policy,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            pointer::read(policy, "policy", |policy| Ok(Arc::clone(policy)))
        })
    }
}

/// Frees one handle on a policy; plans made from it stay valid.
///
/// @param policy  A policy, or null.
///
/// Thread rule: one thread, after every other use of this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_policy_free(policy: *mut hotfix_policy) {
    pointer::free(policy);
}
