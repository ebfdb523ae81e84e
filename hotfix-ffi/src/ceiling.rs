//! The ceiling test for very small rates, and the interval for the ratio, without a rollout.

use std::ffi::c_char;

use hotfix_core::stats::ceiling::CeilingSettings;
use hotfix_core::stats::interval::ratio_interval;
use hotfix_core::stats::{Counts, Totals};

use crate::answer;
use crate::error::hotfix_error;
use crate::guard::guard;
use crate::pointer;
use crate::sequential_test::{Kind, Running, Test, hotfix_test, json};
use crate::status::hotfix_status;

/// Makes a test without data. Null hypothesis: the rate is at the ceiling or above it.
///
/// @param settings      {"ceiling": 0.005, "alpha", "grid", "weights"}, all but the first optional;
///                      "grid" holds rates as shares of the ceiling, from 0 and below 1. UTF-8,
///                      borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_test_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ceiling_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_test,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let settings: CeilingSettings = json(settings, settings_len, "settings")?;
            Ok(Test::Ceiling(Running::new(settings)?))
        })
    }
}

/// Adds the counts of one tick.
///
/// @param test         A test against a ceiling.
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
    test: *mut hotfix_test,
    events: f64,
    trials: f64,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::decided(out_decided, err, || {
            pointer::change(test, "test", |test| match test {
                Test::Ceiling(test) => {
                    Ok(test.state.update(&test.design, Counts::new(events, trials))?)
                }
                test => test.refuse("test", Kind::Ceiling),
            })
        })
    }
}

/// The number of requests without an error that is enough to decide. The plan has to last at least
/// that long.
///
/// @param test        A test against a ceiling.
/// @param out_trials  The number, counted from a test without data.
/// @param err         Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_ceiling_clean_trials(
    test: *const hotfix_test,
    out_trials: *mut f64,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let trials = pointer::read(test, "test", |test| match test {
                Test::Ceiling(test) => Ok(test.design.clean_trials()),
                test => test.refuse("test", Kind::Ceiling),
            })?;
            pointer::put(out_trials, "out_trials", trials)
        })
    }
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
