//! The ceiling test for very small rates, and the interval for the ratio, without a rollout.

use std::ffi::c_char;

use hotfix_core::stats::ceiling::{Ceiling, CeilingDesign, CeilingSettings};
use hotfix_core::stats::interval::ratio_interval;
use hotfix_core::stats::{Counts, Totals};
use serde::{Deserialize, Serialize};

use crate::buffer::{hotfix_buf, put_text};
use crate::error::hotfix_error;
use crate::guard::{Guarded, guard};
use crate::pointer::{self, handle};
use crate::policy::canonical;
use crate::rate_ratio::{hotfix_evidence, put_decided, put_evidence, unreadable};
use crate::status::hotfix_status;

/// A sequential test of the canary's rate against a fixed ceiling.
pub struct hotfix_ceiling(Guarded<Test>);

handle!(hotfix_ceiling, Test);

pub(crate) struct Test {
    settings: CeilingSettings,
    design: CeilingDesign,
    state: Ceiling,
}

/// What to_bytes writes: the settings, from which the design is computed, and the state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState {
    settings: CeilingSettings,
    state: Ceiling,
}

/// Makes a test without data. Null hypothesis: the rate is at the ceiling or above it.
///
/// @param settings      {"ceiling": 0.005, "alpha", "grid", "weights"}, all but the first optional;
///                      "grid" holds rates as shares of the ceiling, from 0 and below 1. UTF-8,
///                      borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_ceiling_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ceiling_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_ceiling,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(settings, settings_len, "settings")?;
                let settings: CeilingSettings =
                    serde_json::from_str(text).map_err(|e| unreadable("settings", &e))?;
                let design = CeilingDesign::try_new(&settings)?;
                Ok(Test { settings, state: Ceiling::new(&design), design })
            })
        })
    }
}

/// Adds the counts of one tick.
///
/// @param test         A test.
/// @param events       The canary's events; 0 to 2^53, like the trials.
/// @param trials       Its trials, at least as many.
/// @param out_decided  Whether the test has decided, in this tick or before; may be null. Written
///                     on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid counts; the test is unchanged.
///
/// Thread rule: one thread at a time for one test.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ceiling_update(
    test: *mut hotfix_ceiling,
    events: f64,
    trials: f64,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let decided = pointer::change(test, "test", |test| {
                Ok(test.state.update(&test.design, Counts::new(events, trials))?)
            })?;
            put_decided(out_decided, decided);
            Ok(())
        })
    }
}

/// The evidence so far. `ratio` is the canary's rate over the ceiling; `log_e_bound` equals
/// `log_e`.
///
/// @param test  A test.
/// @param out   The evidence; set its `struct_size` before the call. Written on success only.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ceiling_evidence(
    test: *const hotfix_ceiling,
    out: *mut hotfix_evidence,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_evidence(test, out, |test| {
                let seen = test.state.evidence(&test.design);
                (seen, seen.log_e)
            })
        })
    }
}

/// The number of requests without an error that is enough to decide. The plan has to last at least
/// that long.
///
/// @param test        A test.
/// @param out_trials  The number, counted from a test without data.
/// @param err         Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ceiling_clean_trials(
    test: *const hotfix_ceiling,
    out_trials: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let trials = pointer::read(test, "test", |test| Ok(test.design.clean_trials()))?;
            pointer::put(out_trials, "out_trials", trials)
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
pub unsafe extern "C" fn hotfix_ceiling_to_bytes(
    test: *const hotfix_ceiling,
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

/// Reads what hotfix_ceiling_to_bytes wrote.
///
/// @param bytes      The bytes; borrowed for the call.
/// @param bytes_len  Their number.
/// @param out        The test; the caller frees it with hotfix_ceiling_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for bytes that are not a saved test, HOTFIX_STATUS_STAT if state and
///         settings do not match.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ceiling_from_bytes(
    bytes: *const c_char,
    bytes_len: usize,
    out: *mut *mut hotfix_ceiling,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(bytes, bytes_len, "bytes")?;
                let SavedState { settings, state } =
                    serde_json::from_str(text).map_err(|e| unreadable("bytes", &e))?;
                let design = CeilingDesign::try_new(&settings)?;
                state.check(&design)?;
                Ok(Test { settings, design, state })
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
pub unsafe extern "C" fn hotfix_ceiling_free(test: *mut hotfix_ceiling) {
    pointer::free(test);
}

/// Sums over all ticks with one planned traffic split, for one kind of user.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_stratum {
    /// The canary's events.
    pub canary_events: f64,
    /// Its trials, or its exposure in any unit.
    pub canary_trials: f64,
    /// The baseline's events.
    pub baseline_events: f64,
    /// Its trials, or its exposure in the same unit.
    pub baseline_trials: f64,
}

/// Interval for the ratio of the canary's rate to the baseline's; valid at every evaluation.
///
/// Sum only ticks with the same planned traffic split.
///
/// @param strata      The sums, one element for each planned split; may be null with a count of 0.
/// @param count       Their number, at most 4096.
/// @param confidence  Above 0 and below 1, such as 0.99.
/// @param out_low     The lower end; 0 without events in the canary. Written on success only.
/// @param out_high    The upper end; infinite without events in the baseline. Written on success
///                    only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid sums or an invalid confidence.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ratio_interval(
    strata: *const hotfix_stratum,
    count: usize,
    confidence: f64,
    out_low: *mut f64,
    out_high: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::not_null(out_low, "out_low")?;
            pointer::not_null(out_high, "out_high")?;
            if count > MOST_STRATA {
                return Err(hotfix_error::range(
                    "count",
                    count,
                    format_args!("at most {MOST_STRATA}"),
                ));
            }
            // A stratum is four doubles and nothing else.
            let figures = pointer::numbers(strata.cast::<f64>(), 4 * count, "strata")?;
            let totals: Vec<Totals> = figures
                .chunks_exact(4)
                .map(|stratum| Totals {
                    canary: Counts::new(stratum[0], stratum[1]),
                    baseline: Counts::new(stratum[2], stratum[3]),
                })
                .collect();
            let interval = ratio_interval(&totals, confidence)?;
            pointer::put(out_low, "out_low", interval.low)?;
            pointer::put(out_high, "out_high", interval.high)
        })
    }
}

/// A larger count is probably a length in the wrong unit: no rollout has so many phases.
const MOST_STRATA: usize = 4096;
