//! The sequential latency test without a rollout: is the canary slower? It may be evaluated at
//! every tick.

use std::ffi::c_char;

use hotfix_core::document::ValueFault;
use hotfix_core::metric::{Histogram, Sample};
use hotfix_core::rollout::InputError;
use hotfix_core::stats::latency::{
    LatencySettings, SlowCounts, boundaries_from_histogram, boundaries_from_samples,
};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::hotfix_error;
use crate::pointer;
use crate::policy::canonical;
use crate::sequential_test::{self, Kind, Running, Test, hotfix_test, json};
use crate::status::hotfix_status;

/// Makes a test without data.
///
/// @param settings      {"boundaries": their number, 1 to 12, "direction": "worse" or "better",
///                      "alpha", "tolerated", "margin", "cap", "threshold", "mode": "independent"
///                      or "clustered", "grid", "weights", "prior_trials", "temper" and, for
///                      "better", "quantile"}, all optional; UTF-8, borrowed; may be null with
///                      length 0 for the defaults, which have 6 boundaries.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_test_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_latency_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_test,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let settings: LatencySettings = sequential_test::settings(settings, settings_len)?;
            sequential_test::check_claim(settings.direction, settings.tolerated, settings.margin)?;
            Ok(Test::Latency(Running::new(settings)?))
        })
    }
}

/// Adds the counts of one tick.
///
/// @param test             A test of a latency.
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
    test: *mut hotfix_test,
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
        answer::decided(out_decided, err, || {
            let canary = pointer::numbers(canary_slow, boundaries, "canary_slow")?;
            let baseline = pointer::numbers(baseline_slow, boundaries, "baseline_slow")?;
            let canary = SlowCounts::new(canary, canary_trials);
            let baseline = SlowCounts::new(baseline, baseline_trials);
            pointer::change(test, "test", |test| match test {
                Test::Latency(test) => Ok(test.state.update(&test.design, canary, baseline)?),
                test => test.refuse("test", Kind::Latency),
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
        answer::text(out, err, || {
            canonical(&match json(baseline, baseline_len, "baseline")? {
                Sample::Histogram(Histogram { le, counts, count }) => {
                    boundaries_from_histogram(&le, &counts, count)?
                }
                Sample::Samples(samples) => boundaries_from_samples(&samples)?,
                Sample::Pair(..) | Sample::Level(_) | Sample::Instances(_) => {
                    let sentence =
                        "write {\"le\", \"counts\", \"count\"} or {\"samples\"}".to_owned();
                    let faults = vec![ValueFault { path: "/baseline".to_owned(), sentence }];
                    return Err(InputError::Values { faults }.into());
                }
            })
        })
    }
}
