//! A ceiling for tiny rates, and the interval for the ratio, by themselves.

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

/// A sequential test of the canary's rate against a figure.
pub struct hotfix_ceiling(Guarded<Test>);

handle!(hotfix_ceiling, Test);

pub(crate) struct Test {
    settings: CeilingSettings,
    design: CeilingDesign,
    state: Ceiling,
}

/// What to_bytes writes: the settings, from which the design follows, and the state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    settings: CeilingSettings,
    state: Ceiling,
}

/// A test without data. Null hypothesis: the rate is at the ceiling or above it.
///
/// @param settings      {"ceiling": 0.005, "alpha", "grid", "weights"}, all but the first optional; "grid" holds rates as
///                      shares of the ceiling, from 0 and below 1. UTF-8, borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_ceiling_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for settings that are no test's, HOTFIX_STATUS_INPUT for text that cannot be read.
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

/// Takes in one tick.
///
/// @param test         A test.
/// @param events       The canary's events; 0 to 2^53, as the trials.
/// @param trials       Its trials, at least as many.
/// @param out_decided  Whether the test has decided, now or before; may be null. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that cannot be: the test is as before.
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

/// What the test reports; `ratio` is the canary's rate over the ceiling, `log_e_bound` is `log_e` itself.
///
/// @param test  A test.
/// @param out   The evidence; set its `struct_size` before. Written on success only.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test that nobody changes meanwhile.
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

/// How many requests without an error are enough to decide: what a plan has to find room for.
///
/// @param test        A test.
/// @param out_trials  Their number, whatever was seen so far.
/// @param err         Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test that nobody changes meanwhile.
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

/// Writes settings and state, to go on later or elsewhere.
///
/// @param test  A test.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test that nobody changes meanwhile.
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
                    canonical(&Document { settings: test.settings.clone(), state: test.state })
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
/// @return HOTFIX_STATUS_INPUT for bytes that no test wrote, HOTFIX_STATUS_STAT where state and settings do not fit.
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
                let Document { settings, state } =
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

/// Sums of all ticks of one planned split, and of one kind of user.
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

/// Interval for the canary's rate over the baseline's that is valid at every look.
///
/// Ticks of one planned split may be summed, those of different ones never.
///
/// @param strata      The sums, one element a planned split; may be null with a count of 0.
/// @param count       Their number, at most 4096.
/// @param confidence  Above 0 and below 1, such as 0.99.
/// @param out_low     The lower end; 0 without events in the canary. Written on success only.
/// @param out_high    The upper end; infinite without events in the baseline. Written on success only.
/// @param err         Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for sums or a confidence that cannot be.
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

/// A count beyond it is a length in the wrong unit rather than so many phases.
const MOST_STRATA: usize = 4096;
