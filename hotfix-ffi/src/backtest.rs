//! Recorded metrics: when a policy would have acted on them, and the history that they are.

use std::ffi::c_char;
use std::slice;

use hotfix_core::simulate::backtest::backtest;
use hotfix_core::simulate::recorded::{RecordedErrors, RecordedMetrics};

use crate::answer;
use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::pointer;
use crate::policy::{canonical, hotfix_policy};
use crate::status::hotfix_status;

impl From<RecordedErrors> for Box<hotfix_error> {
    fn from(errors: RecordedErrors) -> Self {
        hotfix_error::of_document(hotfix_status::Simulate, &errors).at(errors.place())
    }
}

/// Runs a policy over recorded metrics and reports when it would have acted. Nothing is deployed.
///
/// {"from", "until", "readings", "findings", "policies": [{"policy", "would": [{"at", "what"
/// ("continue", "alert", "hold", "ask", "promote", "freeze" or "roll_back"), "phase", "reason",
/// "metrics", "evidence"}], "first_alert", "first_ask", "first_rollback", "crossed_at", "ended":
/// {"at", "state", "phase", "after"}, "metrics": {id: {"role", "left_out", "alert_at",
/// "rollback_at", "held_at", "crossed_at", "bands"}}, "findings"}]}; what did not happen is absent. A finding is
/// {"code", "message", "count", "at", "metric"}. docs/backtest.md describes the formats, the
/// mapping and the assumptions.
///
/// @param policy       A policy.
/// @param text         The recording; UTF-8, borrowed for the call; at most 64 MiB.
/// @param text_len     Its length in bytes.
/// @param format       "csv", "json_lines" or "prometheus"; UTF-8, borrowed.
/// @param format_len   Its length in bytes.
/// @param mapping      Which columns, series and labels belong to which metric, and the
///                     assumptions, as JSON: {"time", "metrics", "assume"}; UTF-8, borrowed. May be
///                     null with length 0 for JSON Lines.
/// @param mapping_len  Its length in bytes.
/// @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE if the recording or the mapping cannot be read, or the policy
///         cannot be run on it. The error's path is "line 3, column 2", a JSON Pointer or "format".
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_backtest(
    policy: *const hotfix_policy,
    text: *const c_char,
    text_len: usize,
    format: *const c_char,
    format_len: usize,
    mapping: *const c_char,
    mapping_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let text = pointer::text(text, text_len, "text")?;
            let format = pointer::text(format, format_len, "format")?;
            let mapping = pointer::text(mapping, mapping_len, "mapping")?;
            pointer::read(policy, "policy", |policy| {
                let (recorded, assume) = RecordedMetrics::from_texts(format, text, mapping)?;
                canonical(&backtest(slice::from_ref(policy), &recorded, &assume)?)
            })
        })
    }
}

/// Reads recorded metrics as the history that calibrates a plan: hotfix_plan_new_calibrated takes it
/// unchanged.
///
/// {metric: {instance: [[events, trials], …]}}, one pair per tick of the policy's cadence, of each
/// metric whose test a history calibrates. The mapping of such a metric names the `instance`: the
/// column or label. Readings of both arms are used. Metrics that cannot be used are findings, each
/// {"code", "message", "count", "at", "metric"}. docs/how-to/calibrate.md has the steps.
///
/// @param policy       A policy.
/// @param text         The recording: ordinary operation, or logs of earlier healthy rollouts; UTF-8,
///                     borrowed for the call; at most 64 MiB.
/// @param text_len     Its length in bytes.
/// @param format       "csv", "json_lines" or "prometheus"; UTF-8, borrowed.
/// @param format_len   Its length in bytes.
/// @param mapping      As for hotfix_backtest; UTF-8, borrowed. May be null with length 0 for JSON
///                     Lines.
/// @param mapping_len  Its length in bytes.
/// @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param findings     A buffer with JSON, a list, that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_SIMULATE if the recording or the mapping cannot be read, or no metric has a
///         history. The error's path is "line 3, column 2", a JSON Pointer or "format".
///
/// Thread rule: any number of threads may use one policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_history(
    policy: *const hotfix_policy,
    text: *const c_char,
    text_len: usize,
    format: *const c_char,
    format_len: usize,
    mapping: *const c_char,
    mapping_len: usize,
    out: *mut hotfix_buf,
    findings: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        // Both outputs are emptied before anything can fail.
        if !findings.is_null() {
            findings.write(hotfix_buf::EMPTY);
        }
        answer::text(out, err, || {
            let mut history = String::new();
            pointer::not_null(findings, "findings")?;
            put_text(findings, || {
                let text = pointer::text(text, text_len, "text")?;
                let format = pointer::text(format, format_len, "format")?;
                let mapping = pointer::text(mapping, mapping_len, "mapping")?;
                pointer::read(policy, "policy", |policy| {
                    let (recorded, _) = RecordedMetrics::from_texts(format, text, mapping)?;
                    let read = recorded.history(policy)?;
                    let findings = canonical(&read.findings)?;
                    history = canonical(&read.into_histories())?;
                    Ok(findings)
                })
            })?;
            Ok(history)
        })
    }
}
