//! The sequential latency test without a rollout: is the canary slower? It may be evaluated at
//! every tick.

use std::ffi::c_char;

use hotfix_core::stats::latency::{
    Latency, LatencyDesign, LatencySettings, SlowCounts, boundaries_from_histogram,
    boundaries_from_samples,
};
use serde::{Deserialize, Serialize};

use crate::buffer::{hotfix_buf, put_text};
use crate::error::{Fallible, hotfix_error};
use crate::guard::{Guarded, guard};
use crate::pointer::{self, handle};
use crate::policy::canonical;
use crate::rate_ratio::{hotfix_evidence, put_decided, put_evidence, unreadable};
use crate::status::hotfix_status;

/// A sequential test of whether the canary is slower than the baseline.
pub struct hotfix_latency(Guarded<Test>);

handle!(hotfix_latency, Test);

pub(crate) struct Test {
    settings: LatencySettings,
    design: LatencyDesign,
    state: Latency,
}

/// What to_bytes writes: the settings, from which the design is computed, and the state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState {
    settings: LatencySettings,
    state: Latency,
}

/// The baseline's readings from which boundaries are chosen.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Baseline {
    Buckets { le: Vec<f64>, counts: Vec<f64>, count: f64 },
    Samples { samples: Vec<f64> },
}

impl Test {
    fn new(settings: LatencySettings) -> Fallible<Self> {
        let design = LatencyDesign::try_new(&settings)?;
        Ok(Self { settings, state: Latency::new(&design), design })
    }
}

/// Makes a test without data.
///
/// @param settings      {"boundaries": their number, 1 to 12, "direction": "worse" or "better",
///                      "alpha", "tolerated", "margin", "cap", "threshold", "mode": "independent"
///                      or "clustered", "grid", "weights", "prior_trials"}, all optional; UTF-8,
///                      borrowed; may be null with length 0 for the defaults, which have 6
///                      boundaries.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_latency_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_latency,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(settings, settings_len, "settings")?;
                let settings = if text.trim().is_empty() {
                    LatencySettings::default()
                } else {
                    serde_json::from_str(text).map_err(|e| unreadable("settings", &e))?
                };
                Test::new(settings)
            })
        })
    }
}

/// Adds the counts of one tick.
///
/// @param test             A test.
/// @param canary_slow      The canary's requests slower than each boundary, ascending boundaries;
///                         borrowed.
/// @param canary_trials    All of its requests.
/// @param baseline_slow    The baseline's requests slower than each boundary; borrowed.
/// @param baseline_trials  All of its requests.
/// @param boundaries       Number of elements in both arrays: the number of the test's boundaries.
/// @param out_decided      Whether the test has decided, in this tick or before; may be null.
///                         Written on success only.
/// @param err              Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid counts, or another number of boundaries; the test is
///         unchanged.
///
/// Thread rule: one thread at a time for one test.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_update(
    test: *mut hotfix_latency,
    canary_slow: *const f64,
    canary_trials: f64,
    baseline_slow: *const f64,
    baseline_trials: f64,
    boundaries: usize,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let canary = pointer::numbers(canary_slow, boundaries, "canary_slow")?;
            let baseline = pointer::numbers(baseline_slow, boundaries, "baseline_slow")?;
            let canary = SlowCounts::new(canary, canary_trials);
            let baseline = SlowCounts::new(baseline, baseline_trials);
            let decided = pointer::change(test, "test", |test| {
                Ok(test.state.update(&test.design, canary, baseline)?)
            })?;
            put_decided(out_decided, decided);
            Ok(())
        })
    }
}

/// The evidence so far. `ratio` is the ratio of requests slower than the boundary with the
/// strongest evidence.
///
/// @param test  A test.
/// @param out   The evidence; set its `struct_size` before the call. Written on success only.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_evidence(
    test: *const hotfix_latency,
    out: *mut hotfix_evidence,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_evidence(test, out, |test| {
                let seen = test.state.evidence(&test.design);
                (seen, test.state.log_e_bound(&test.design))
            })
        })
    }
}

/// Chooses boundaries from the baseline's latencies before the phase, as a JSON array: near its
/// p50, p75, p90, p95 and p99, and at twice the p99. With buckets they are the nearest bucket
/// edges.
///
/// @param baseline      {"le", "counts", "count"} or {"samples"}; UTF-8, borrowed.
/// @param baseline_len  Its length in bytes.
/// @param out           A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid readings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_boundaries(
    baseline: *const c_char,
    baseline_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                let text = pointer::text(baseline, baseline_len, "baseline")?;
                let read = serde_json::from_str(text).map_err(|e| unreadable("baseline", &e))?;
                canonical(&match read {
                    Baseline::Buckets { le, counts, count } => {
                        boundaries_from_histogram(&le, &counts, count)?
                    }
                    Baseline::Samples { samples } => boundaries_from_samples(&samples)?,
                })
            })
        })
    }
}

/// Writes settings and state, so that the test can continue later or in another process.
///
/// @param test  A test.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_to_bytes(
    test: *const hotfix_latency,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(test, "test", |test| {
                    canonical(&SavedState { settings: test.settings.clone(), state: test.state })
                })
            })
        })
    }
}

/// Reads what hotfix_latency_to_bytes wrote.
///
/// @param bytes      The bytes; borrowed for the call.
/// @param bytes_len  Their number.
/// @param out        The test; the caller frees it with hotfix_latency_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for bytes that are not a saved test, HOTFIX_STATUS_STAT if state and
///         settings do not match.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_from_bytes(
    bytes: *const c_char,
    bytes_len: usize,
    out: *mut *mut hotfix_latency,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(bytes, bytes_len, "bytes")?;
                let read: SavedState =
                    serde_json::from_str(text).map_err(|e| unreadable("bytes", &e))?;
                let mut test = Test::new(read.settings)?;
                read.state.check(&test.design)?;
                test.state = read.state;
                Ok(test)
            })
        })
    }
}

/// Frees a test.
///
/// @param test  A test, or null.
///
/// Thread rule: one thread, after every other use of this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_free(test: *mut hotfix_latency) {
    pointer::free(test);
}
