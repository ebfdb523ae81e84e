//! Calibration from a history, and tests that need the counts of every instance.

use std::collections::BTreeMap;
use std::ffi::c_char;

use hotfix_core::stats::Counts;
use hotfix_core::stats::instances::BadInstance;
use hotfix_core::stats::randomisation::RandomisationSettings;
use hotfix_core::stats::rate_ratio::RateRatioSettings;
use hotfix_core::stats::replay::{CalibrationSettings, History, calibrate};
use serde::Deserialize;

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, hotfix_error};
use crate::pointer;
use crate::policy::canonical;
use crate::sequential_test::{
    Kind, Running, SETTINGS, SavedTest, Test, document, hotfix_test, json, of_settings,
};
use crate::status::hotfix_status;

/// Calibrates threshold and cap of the rollback test on the service's own history.
///
/// @param history       {"instance": [[events, trials], …], …}, one pair for each tick; UTF-8,
///                      borrowed.
/// @param history_len   Its length in bytes.
/// @param settings      {"share", "ticks", …}: "model" ("poisson" or "bernoulli"), "alpha",
///                      "tolerated", "grid", "weights", "temper", "horizon", "zones",
///                      "tick_seconds" and "seed" are optional; UTF-8, borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           A buffer with JSON ("threshold", "cap", "hold", "by_instance",
///                      "dispersion", "advice", …) that the caller frees with hotfix_buf_free.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings and for a history that is not valid or too
///         short, HOTFIX_STATUS_INPUT for text that cannot be read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_calibrate(
    history: *const c_char,
    history_len: usize,
    settings: *const c_char,
    settings_len: usize,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text(out, err, || {
            let history = pointer::text(history, history_len, "history")?;
            let settings = pointer::text(settings, settings_len, SETTINGS)?;
            let counts: BTreeMap<String, Vec<[f64; 2]>> = document(history, "history")?;
            let history = History::try_new(counts)
                .map_err(|error| Box::<hotfix_error>::from(error).at("/history".to_owned()))?;
            let settings: CalibrationSettings = document(settings, SETTINGS)?;
            canonical(&calibrate(&history, &settings).map_err(of_settings("/settings"))?)
        })
    }
}

/// The counts of every instance as two arrays.
unsafe fn counts_of(
    events: *const f64,
    trials: *const f64,
    len: usize,
    buffer: &mut Vec<Counts>,
) -> Fallible<&[Counts]> {
    // SAFETY: the caller keeps the header's contract.
    let (events, trials) = unsafe {
        (pointer::numbers(events, len, "events")?, pointer::numbers(trials, len, "trials")?)
    };
    buffer.clear();
    buffer.extend(events.iter().zip(trials).map(|(events, trials)| Counts::new(*events, *trials)));
    Ok(buffer)
}

/// Makes a randomisation test without data, and draws its subsets. It compares the canary with
/// random subsets of the instances, and is exact for any noise.
///
/// @param settings      {"instances": ["pod-1", …], "canary": ["pod-1", …], "seed", …}: "alpha",
///                      "subsets", "tolerated", "grid", "weights", "evaluations", "budget" and
///                      "zones" are optional; UTF-8, borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_test_free. Null on
///                      failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_randomisation_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_test,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let settings: RandomisationSettings = json(settings, settings_len, "settings")?;
            let counts = Vec::with_capacity(settings.instances.len());
            Ok(Test::Randomisation(Running::new(settings)?, counts))
        })
    }
}

/// Adds the counts of every instance in one tick.
///
/// @param test         A randomisation test.
/// @param events       Events of each instance, in the order of the settings; borrowed.
/// @param trials       Trials of each instance; 0 if an instance has no data. Borrowed.
/// @param instances    Number of instances.
/// @param out_decided  Whether the test has decided to roll back, in this tick or before. May be
///                     null. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not finite, negative or too large, and for
///         another number of instances; the test is unchanged.
///
/// Thread rule: one thread at a time for one test.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_randomisation_update(
    test: *mut hotfix_test,
    events: *const f64,
    trials: *const f64,
    instances: usize,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::decided(out_decided, err, || {
            pointer::change(test, "test", |test| match test {
                Test::Randomisation(test, buffer) => {
                    let counts = counts_of(events, trials, instances, buffer)?;
                    Ok(test.state.update(&test.design, counts)?)
                }
                test => test.refuse("test", Kind::Randomisation),
            })
        })
    }
}

/// The test of each canary instance against the others.
pub(crate) struct InstanceTests {
    settings: RateRatioSettings,
    bad: BadInstance,
    /// The counts of one tick.
    buffer: Vec<Counts>,
}

impl InstanceTests {
    fn new(canary: Vec<String>, settings: RateRatioSettings) -> Fallible<Self> {
        let bad = BadInstance::try_new(&settings, canary).map_err(of_settings("/settings/test"))?;
        let buffer = Vec::with_capacity(bad.names().len());
        Ok(Self { settings, bad, buffer })
    }

    pub(crate) fn to_text(&self, kind: Kind) -> Fallible<String> {
        let (settings, state) = (&self.settings, self.bad.clone());
        canonical(&SavedTest { kind, model: None, settings, state })
    }

    pub(crate) fn from_text(text: &str) -> Fallible<Self> {
        let SavedTest::<RateRatioSettings, BadInstance> { settings, state: bad, .. } =
            document(text, "bytes")?;
        bad.check(&settings)?;
        let buffer = Vec::with_capacity(bad.names().len());
        Ok(Self { settings, bad, buffer })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstancesQuestion {
    canary: Vec<String>,
    #[serde(default)]
    test: RateRatioSettings,
}

/// Makes tests of the canary's instances, without data: each instance against the others.
///
/// @param settings      {"canary": ["pod-1", …], "test": {…}}, "test" optional, of which "alpha",
///                      "tolerated", "grid" and "weights" are used: see hotfix_rate_ratio_new.
///                      UTF-8, borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           The tests; the caller frees them with hotfix_test_free. Null on
///                      failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_instances_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_test,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || {
            let InstancesQuestion { canary, test: settings } =
                json(settings, settings_len, "settings")?;
            Ok(Test::Instances(Box::new(InstanceTests::new(canary, settings)?)))
        })
    }
}

/// Adds the counts of the canary's instances in one tick.
///
/// @param test       Tests of instances.
/// @param events     Events of each canary instance, in the order of the settings; borrowed.
/// @param trials     Trials of each instance; 0 if an instance has no data. Borrowed.
/// @param instances  Number of instances.
/// @param out_found  Whether an instance was found worse than the others, in this tick or before:
///                   see hotfix_instances_found. May be null. Written on success only.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not finite, negative or too large, and for
///         another number of instances; the tests are unchanged.
///
/// Thread rule: one thread at a time for the same test.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_instances_update(
    test: *mut hotfix_test,
    events: *const f64,
    trials: *const f64,
    instances: usize,
    out_found: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::decided(out_found, err, || {
            pointer::change(test, "test", |test| match test {
                Test::Instances(tests) => {
                    let counts = counts_of(events, trials, instances, &mut tests.buffer)?;
                    Ok(tests.bad.update(counts)?.is_some())
                }
                test => test.refuse("test", Kind::Instances),
            })
        })
    }
}

/// The instances that were found worse than the others, in any tick so far: a JSON list of their
/// names, in the order of the settings. Replace them.
///
/// @param test  Tests of instances.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_instances_found(
    test: *const hotfix_test,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::text_of(test, "test", out, err, |test| match test {
            Test::Instances(tests) => {
                let names = tests.bad.names();
                canonical(&tests.bad.found().map(|place| &names[place]).collect::<Vec<_>>())
            }
            test => test.refuse("test", Kind::Instances),
        })
    }
}
