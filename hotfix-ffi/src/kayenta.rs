//! A judge that is compatible with Kayenta's judge.

use std::ffi::c_char;

use hotfix_core::kayenta::{
    Arms, Config, Finding, KayentaFault, MetricResult, MetricSettings, Thresholds, classify, judge,
    read_samples,
};
use serde::Serialize;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{FaultStatus, hotfix_error};
use crate::pointer;
use crate::policy::canonical;
use crate::status::hotfix_status;

impl FaultStatus for KayentaFault {
    const STATUS: hotfix_status = hotfix_status::Stat;
}

/// The result of one metric, with the findings about its settings.
#[derive(Serialize)]
struct Classified {
    #[serde(flatten)]
    result: MetricResult,
    findings: Vec<Finding>,
}

/// Judges samples with a Kayenta configuration and gives Kayenta's result.
///
/// {"score", "classification" ("Pass", "Marginal" or "Fail"), "reason", "exact_score",
/// "exact_classification", "groups", "metrics", "findings"}; a metric has the form that
/// hotfix_kayenta_classify writes. Faults that Kayenta ignores silently, such as an unknown key or
/// weights that do not sum to 100, are findings: {"code", "path", "message"}.
///
/// @param config       Kayenta's canary configuration, JSON; UTF-8, borrowed for the call.
/// @param config_len   Its length in bytes.
/// @param samples      {"metric": {"control": [1, null], "experiment": [2, 3]}}, null for a missing
///                     point; UTF-8, borrowed.
/// @param samples_len  Its length in bytes.
/// @param pass         The lowest score that passes; NaN for the configuration's value.
/// @param marginal     The lowest score that is marginal; NaN for the configuration's value.
/// @param out          A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for a configuration or samples that cannot be judged.
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
        answer::text(out, err, || {
            let config = Config::from_json(pointer::text(config, config_len, "config")?)?;
            let samples = read_samples(pointer::text(samples, samples_len, "samples")?)?;
            let given = |score: f64| (!score.is_nan()).then_some(score);
            let thresholds = Thresholds { pass: given(pass), marginal: given(marginal) };
            canonical(&judge(&config, &samples, thresholds)?)
        })
    }
}

/// Classifies one metric and gives the result of Kayenta's judge.
///
/// {"classification" ("Pass", "High", "Low", "Nodata", "NodataFailMetric" or "Error"), "critical",
/// "reason", "ratio", "effect", "interval", "estimate", "exact", "exact_interval",
/// "exact_estimate", "differs", "note", "control", "experiment", "findings", …}; unknown values are
/// absent. "exact" is the classification by the exact interval; Kayenta's root finder stops within
/// 1e-4 of it.
///
/// @param settings      The content of Kayenta's `analysisConfigurations.canary`, and "tolerance"
///                      and "confidence"; JSON, UTF-8, borrowed; may be null with length 0 for the
///                      defaults.
/// @param settings_len  Its length in bytes.
/// @param samples       {"control": [1, null], "experiment": [2, 3]}, null for a missing point;
///                      UTF-8, borrowed.
/// @param samples_len   Its length in bytes.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for a configuration or samples that cannot be judged.
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
        answer::text(out, err, || {
            let settings = pointer::text(settings, settings_len, "settings")?;
            let (settings, findings) = MetricSettings::from_json(settings)?;
            let arms = Arms::from_json(pointer::text(samples, samples_len, "samples")?)?;
            let result = classify("metric", &arms, &settings)?;
            canonical(&Classified { result, findings })
        })
    }
}
