//! The sequential rate-ratio test without a rollout: canary against baseline. It may be evaluated
//! at every tick.

use std::ffi::c_char;

use hotfix_core::stats::bernoulli::CountSettings;
use hotfix_core::stats::{Counts, StatError};

use crate::answer;
use crate::error::{Fallible, hotfix_error};
use crate::pointer;
use crate::sequential_test::{self, Kind, Model, Running, Test, hotfix_test};
use crate::status::hotfix_status;

fn from_settings(settings: CountSettings) -> Fallible<Test> {
    let CountSettings { model, direction, tolerated, margin, prior_trials, .. } = settings;
    sequential_test::check_claim(direction, tolerated, margin)?;
    if model == Model::Poisson && prior_trials != CountSettings::default().prior_trials {
        let fault = "`prior_trials` belongs to model \"bernoulli\"";
        return sequential_test::refuse("prior_trials", fault.to_owned());
    }
    Ok(match model {
        Model::Poisson => Test::Poisson(Running::new(settings)?),
        Model::Bernoulli => Test::Bernoulli(Running::new(settings)?),
    })
}

#[inline]
fn update(test: &mut Test, canary: Counts, baseline: Counts) -> Fallible<bool> {
    match test {
        Test::Poisson(test) => Ok(test.state.update(&test.design, canary, baseline)?),
        Test::Bernoulli(test) => Ok(test.state.update(&test.design, canary, baseline)?),
        test => test.refuse("test", Kind::RateRatio),
    }
}

/// Makes a test without data.
///
/// @param settings      {"direction": "worse" or "better", "alpha", "tolerated", "margin", "grid",
///                      "weights", "temper", "cap", "threshold", "horizon", "model": "poisson" or
///                      "bernoulli" (which also accepts "prior_trials")}, all optional; UTF-8,
///                      borrowed; may be null with length 0 for the defaults.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_test_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rate_ratio_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_test,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            from_settings(sequential_test::settings(settings, settings_len)?)
        })
    }
}

/// Adds the counts of one tick.
///
/// @param test             A test of a rate ratio.
/// @param canary_events    The canary's events; 0 to 2^53, like the other three numbers.
/// @param canary_trials    Its trials, or its exposure in any unit.
/// @param baseline_events  The baseline's events.
/// @param baseline_trials  Its trials, or its exposure in the same unit.
/// @param out_decided      Whether the test has decided, in this tick or before; may be null.
///                         Written on success only.
/// @param err              Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not finite, negative or too large; the test is
///         unchanged.
///
/// Thread rule: one thread at a time for one test.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rate_ratio_update(
    test: *mut hotfix_test,
    canary_events: f64,
    canary_trials: f64,
    baseline_events: f64,
    baseline_trials: f64,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::decided(out_decided, err, || {
            let canary = Counts::new(canary_events, canary_trials);
            let baseline = Counts::new(baseline_events, baseline_trials);
            pointer::change(test, "test", |test| update(test, canary, baseline))
        })
    }
}

/// The evidence of a Bernoulli test cannot be added to another's.
const IN_ORDER: StatError = StatError::NotMergeable { of: "the Bernoulli test" };

/// Adds the evidence of another test with the same settings. The result equals one test that
/// received the data of both.
///
/// @param test         The test of a rate ratio that receives the evidence.
/// @param other        The other test, which is not changed. Data that both have counts twice: do not
///                     pass `test` itself.
/// @param out_decided  Whether the sum has decided; may be null. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT if the settings differ, with a horizon, and with the model
///         "bernoulli", for which the order of the ticks matters.
///
/// Thread rule: one thread at a time for `test`; `other` may be read by any number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rate_ratio_merge(
    test: *mut hotfix_test,
    other: *const hotfix_test,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract; the other's state is copied, so no two
    // references overlap.
    unsafe {
        answer::decided(out_decided, err, || {
            let more = pointer::read(other, "other", |other| match other {
                Test::Poisson(other) => Ok(other.state),
                Test::Bernoulli(_) => Err(IN_ORDER.into()),
                other => other.refuse("other", Kind::RateRatio),
            })?;
            pointer::change(test, "test", |test| match test {
                Test::Poisson(test) => Ok(test.state.merge(&test.design, &more)?),
                Test::Bernoulli(_) => Err(IN_ORDER.into()),
                test => test.refuse("test", Kind::RateRatio),
            })
        })
    }
}
