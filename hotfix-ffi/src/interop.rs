//! Imports documents of other tools as policies.

use std::ffi::c_char;
use std::sync::Arc;

use hotfix_core::interop::{Fault, Finding, Kind, convert};
use serde::Serialize;

use crate::buffer::{hotfix_buf, put_text};
use crate::error::{Fallible, FaultStatus, hotfix_error};
use crate::guard::guard;
use crate::pointer;
use crate::policy::{canonical, hotfix_policy};
use crate::status::hotfix_status;

impl FaultStatus for Fault {
    const STATUS: hotfix_status = hotfix_status::Convert;
}

/// The findings of an import, without the policy.
#[derive(Serialize)]
struct Told<'i> {
    findings: &'i [Finding],
    kind: Kind,
}

/// Imports documents of Argo Rollouts, Flagger, Kayenta or OpenSLO as one policy.
///
/// The findings report what has no counterpart, what behaves differently, and what was filled in:
/// {"kind", "findings"}. A finding has "code", "level", "path" (a JSON Pointer), "document" (from
/// 0), "line", "column", "message" and "remedy". "kind" is the tool: "argo_rollouts", "flagger",
/// "kayenta" or "openslo".
///
/// @param text      YAML or JSON, at most 1 MiB; several documents are joined by their references.
///                  UTF-8, borrowed for the call.
/// @param text_len  Its length in bytes.
/// @param kind      The tool, as above; may be null with length 0: then it is recognised from the
///                  documents.
/// @param kind_len  Its length in bytes.
/// @param out       The policy; the caller frees it with hotfix_policy_free. Null on failure.
/// @param findings  A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_CONVERT if the documents cannot be imported; the error has every fault
///         with its code, path, line and column. HOTFIX_STATUS_ENUM for an unknown kind.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_convert(
    text: *const c_char,
    text_len: usize,
    kind: *const c_char,
    kind_len: usize,
    out: *mut *mut hotfix_policy,
    findings: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            // Both outputs are emptied before anything can fail.
            if !out.is_null() {
                out.write(std::ptr::null_mut());
            }
            pointer::not_null(findings, "findings")?;
            put_text(findings, || {
                let mut told = String::new();
                pointer::make(out, || {
                    let text = pointer::text(text, text_len, "text")?;
                    let kind = kind_of(pointer::text(kind, kind_len, "kind")?)?;
                    let imported = convert(text, kind)?;
                    told = canonical(&Told { findings: &imported.findings, kind: imported.kind })?;
                    Ok(Arc::new(imported.policy))
                })?;
                Ok(told)
            })
        })
    }
}

fn kind_of(text: &str) -> Fallible<Option<Kind>> {
    if text.is_empty() {
        return Ok(None);
    }
    let kind = text.parse();
    kind.map(Some).map_err(|_| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        hotfix_error::no_name("kind", text.escape_debug(), &known.join(", "))
    })
}
