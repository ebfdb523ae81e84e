//! A judge that decides as Kayenta's does.

use std::ffi::c_char;

use hotfix_core::kayenta::{
    Arms, Config, Finding, MetricResult, MetricSettings, Thresholds, classify, judge, read_samples,
};
use serde::Serialize;

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;

/// One metric by itself, with what there is to remark about its settings.
#[derive(Serialize)]
struct Classified {
    #[serde(flatten)]
    result: MetricResult,
    findings: Vec<Finding>,
}

/// Judges samples by a configuration, as Kayenta does.
///
/// {"score", "classification" ("Pass", "Marginal" or "Fail"), "reason", "exact_score", "exact_classification", "groups",
/// "metrics", "findings"}; a metric is as hotfix_kayenta_classify writes it. What the original takes in silence, an unknown
/// key or weights that do not sum to 100, is a finding: {"code", "path", "message"}.
///
/// @param config       Kayenta's canary configuration, JSON; UTF-8, borrowed for the call.
/// @param config_len   Its length in bytes.
/// @param samples      {"metric": {"control": [1, null], "experiment": [2, 3]}}, null for a missing point; UTF-8, borrowed.
/// @param samples_len  Its length in bytes.
/// @param pass         From this score on it is a pass; NaN for the configuration's.
/// @param marginal     From this score on it is marginal; NaN for the configuration's.
/// @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for what cannot be judged (HF-KAY).
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_kayenta_judge(
    config: *const c_char,
    config_len: usize,
    samples: *const c_char,
    samples_len: usize,
    pass: f64,
    marginal: f64,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                let config = Config::from_json(pointer::text(config, config_len, "config")?)?;
                let samples = read_samples(pointer::text(samples, samples_len, "samples")?)?;
                let given = |score: f64| (!score.is_nan()).then_some(score);
                let thresholds = Thresholds { pass: given(pass), marginal: given(marginal) };
                canonical(&judge(&config, &samples, thresholds)?)
            })
        })
    }
}

/// Classifies one metric as Kayenta's judge does.
///
/// {"classification" ("Pass", "High", "Low", "Nodata", "NodataFailMetric" or "Error"), "critical", "reason", "ratio",
/// "effect", "interval", "estimate", "exact", "exact_interval", "exact_estimate", "differs", "note", "control",
/// "experiment", "findings", …}; what is absent is not known. "exact" is what the exact interval gives, where the
/// original's root finder stops within 1e-4.
///
/// @param settings      What Kayenta has in `analysisConfigurations.canary`, and "tolerance" and "confidence"; JSON, UTF-8,
///                      borrowed; may be null with length 0 for the defaults.
/// @param settings_len  Its length in bytes.
/// @param samples       {"control": [1, null], "experiment": [2, 3]}, null for a missing point; UTF-8, borrowed.
/// @param samples_len   Its length in bytes.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for what cannot be judged (HF-KAY).
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_kayenta_classify(
    settings: *const c_char,
    settings_len: usize,
    samples: *const c_char,
    samples_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                let settings = pointer::text(settings, settings_len, "settings")?;
                let (settings, findings) = MetricSettings::from_json(settings)?;
                let arms = Arms::from_json(pointer::text(samples, samples_len, "samples")?)?;
                let result = classify("metric", &arms, &settings)?;
                canonical(&Classified { result, findings })
            })
        })
    }
}
