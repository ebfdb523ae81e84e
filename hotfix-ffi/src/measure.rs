//! Measures from logs: one incident, DORA's four keys, and similar incidents. Returned as JSON,
//! because the values are nested.

use std::ffi::c_char;

use hotfix_core::report::measures::{
    Dora, Known, MeasureError, Measures, Period, dora, similar, split_logs,
};

use serde_json::json;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, hotfix_error};
use crate::pointer;
use crate::policy::{canonical, hotfix_policy};
use crate::status::hotfix_status;

/// Measures an incident from its log, as JSON: {"incident", "service", "severity", "version",
/// "attempts", "state", "at", "measures"}.
///
/// A measure has "name", "status" ("known", "open", "not_stated", or "not_asked" where the policy
/// does not ask for what ends its clock), a value ("seconds", "yes",
/// "share", "count", "objective", "requests", "error_rate" or "facts"), "from" and "to" (the
/// moments between which it was measured) and a "sentence". An open measure has the value so far
/// and "until": "open"; one that was not stated has no value.
///
/// @param log      The log's bytes; borrowed for the call.
/// @param log_len  Their number.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a broken log.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_measures(
    log: *const c_char,
    log_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let log = pointer::bytes(log, log_len, "log")?;
            canonical(&Measures::from_log(log)?)
        })
    }
}

/// The measures of hotfix_measures as a table in Markdown.
///
/// @param log      The log's bytes; borrowed for the call.
/// @param log_len  Their number.
/// @param out      A buffer that the caller frees with hotfix_buf_free.
/// @param err      Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a broken log.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_measures_markdown(
    log: *const c_char,
    log_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let log = pointer::bytes(log, log_len, "log")?;
            Ok(Measures::from_log(log)?.to_markdown())
        })
    }
}

/// Computes DORA's four keys over many logs, as JSON: {"by", "logs", "periods", "whole", "clocks"}.
/// docs/measures.md defines them.
///
/// @param logs      Whole logs, one after another: each begins with its opening line; borrowed for
///                  the call.
/// @param logs_len  Their number of bytes.
/// @param by        "month" or "week"; UTF-8, borrowed for the call.
/// @param by_len    Its length in bytes.
/// @param out       A buffer that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a broken log; HOTFIX_STATUS_MESSAGE if two logs begin with the
///         same line; HOTFIX_STATUS_ENUM for an unknown period.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_dora(
    logs: *const c_char,
    logs_len: usize,
    by: *const c_char,
    by_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text(out, err, || canonical(&trend((logs, logs_len), (by, by_len))?)) }
}

/// DORA's four keys as a table in Markdown, one row for each period.
///
/// @param logs      Whole logs, one after another; borrowed for the call.
/// @param logs_len  Their number of bytes.
/// @param by        "month" or "week"; UTF-8, borrowed for the call.
/// @param by_len    Its length in bytes.
/// @param out       A buffer that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_dora.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_dora_markdown(
    logs: *const c_char,
    logs_len: usize,
    by: *const c_char,
    by_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text(out, err, || Ok(trend((logs, logs_len), (by, by_len))?.to_markdown())) }
}

/// DORA's four keys as a chart, as JSON: {"svg", "text"}. "text" describes what the chart shows.
/// The result is `null` if there is no period.
///
/// @param logs      Whole logs, one after another; borrowed for the call.
/// @param logs_len  Their number of bytes.
/// @param by        "month" or "week"; UTF-8, borrowed for the call.
/// @param by_len    Its length in bytes.
/// @param out       A buffer that the caller frees with hotfix_buf_free.
/// @param err       Where an error object goes; may be null. Owned by the caller.
/// @return As hotfix_dora.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_dora_chart(
    logs: *const c_char,
    logs_len: usize,
    by: *const c_char,
    by_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text(out, err, || canonical(&trend((logs, logs_len), (by, by_len))?.chart())) }
}

/// Finds incidents that are similar to a given one, the most similar first, as a JSON list: {"log",
/// "incident", "score", "agree", "differ", "unknown", "state", "version"} and, if known,
/// "recovered_after" in seconds. "log" is the index of its log, from 0.
///
/// @param policy     The policy that defines custom facts; null: only the built-in facts are known.
///                   A log contains its own policy.
/// @param known      The incident: its log, or a JSON object of facts; borrowed for the call.
/// @param known_len  Its length in bytes.
/// @param logs       Whole logs, one after another: each begins with its opening line; borrowed for
///                   the call.
/// @param logs_len   Their number of bytes.
/// @param out        A buffer that the caller frees with hotfix_buf_free.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_LOG for a broken log; HOTFIX_STATUS_MESSAGE if `known` is neither a log
///         nor a JSON object of known facts.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_similar(
    policy: *const hotfix_policy,
    known: *const c_char,
    known_len: usize,
    logs: *const c_char,
    logs_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            pointer::not_null(known, "known")?;
            let known = pointer::bytes(known, known_len, "known")?;
            let logs = pointer::bytes(logs, logs_len, "logs")?;
            let known = if policy.is_null() {
                Known::read(known, None)?
            } else {
                pointer::read(policy, "policy", |policy| Ok(Known::read(known, Some(policy))?))?
            };
            canonical(&similar(&known, &split_logs(logs)?)?)
        })
    }
}

/// The four keys of these logs by period.
unsafe fn trend(logs: (*const c_char, usize), by: (*const c_char, usize)) -> Fallible<Dora> {
    // SAFETY: the caller keeps the header's contract.
    let (logs, by) =
        unsafe { (pointer::bytes(logs.0, logs.1, "logs")?, pointer::text(by.0, by.1, "by")?) };
    let by: Period = by
        .parse()
        .map_err(|_| hotfix_error::no_name("by", by.escape_debug(), "`month` and `week`"))?;
    Ok(dora(&split_logs(logs)?, by)?)
}

impl From<MeasureError> for Box<hotfix_error> {
    fn from(error: MeasureError) -> Self {
        let status = match &error {
            MeasureError::Log { .. } => hotfix_status::Log,
            _ => hotfix_status::Message,
        };
        let made = hotfix_error::new(status, error.code(), "", &error);
        match error {
            MeasureError::Log { index, error } => {
                made.with(json!({"line": error.line, "log": index + 1}))
            }
            _ => made,
        }
    }
}
