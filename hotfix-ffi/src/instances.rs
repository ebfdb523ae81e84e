//! Calibration from a history, and tests that need the counts of every instance.

use std::ffi::c_char;

use hotfix_core::stats::instances::{BadInstance, LeaveOneOut};
use hotfix_core::stats::randomisation::{
    Randomisation, RandomisationDesign, RandomisationSettings,
};
use hotfix_core::stats::rate_ratio::{RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::replay::{CalibrationSettings, History, LEAVE_ONE_OUT, calibrate};
use hotfix_core::stats::{Counts, StatError};
use serde::{Deserialize, Serialize};

use crate::buffer::{hotfix_buf, put_text};
use crate::error::{Fallible, hotfix_error};
use crate::guard::{Guarded, guard};
use crate::pointer::{self, handle};
use crate::policy::canonical;
use crate::rate_ratio::{hotfix_evidence, put_decided, put_evidence, unreadable};
use crate::status::hotfix_status;
use crate::versioned;

/// Calibrates threshold and cap of the rollback test on the service's own history.
///
/// @param history       {"instance": [[events, trials], …], …}, one pair for each tick; UTF-8,
///                      borrowed.
/// @param history_len   Its length in bytes.
/// @param settings      {"share", "ticks", …}: "alpha", "tolerated", "grid", "weights", "temper",
///                      "horizon", "zones", "tick_seconds" and "seed" are optional; UTF-8,
///                      borrowed.
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
        guard(err, || {
            put_text(out, || {
                let history = pointer::text(history, history_len, "history")?;
                let settings = pointer::text(settings, settings_len, "settings")?;
                let counts: std::collections::BTreeMap<String, Vec<[f64; 2]>> =
                    serde_json::from_str(history).map_err(|e| unreadable("history", &e))?;
                let history = History::try_new(counts)?;
                let settings: CalibrationSettings =
                    serde_json::from_str(settings).map_err(|e| unreadable("settings", &e))?;
                canonical(&calibrate(&history, &settings)?)
            })
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

/// A randomisation test: compares the canary with random subsets of the instances. It is exact for
/// any noise.
pub struct hotfix_randomisation(Guarded<Drawn>);

handle!(hotfix_randomisation, Drawn);

pub(crate) struct Drawn {
    settings: RandomisationSettings,
    design: RandomisationDesign,
    state: Randomisation,
    buffer: Vec<Counts>,
}

impl Drawn {
    fn new(settings: RandomisationSettings) -> Fallible<Self> {
        let design = RandomisationDesign::try_new(&settings)?;
        let state = Randomisation::new(&design);
        let buffer = Vec::with_capacity(settings.instances.len());
        Ok(Self { settings, design, state, buffer })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnDocument {
    settings: RandomisationSettings,
    state: Randomisation,
}

/// Makes a randomisation test without data, and draws its subsets.
///
/// @param settings      {"instances": ["pod-1", …], "canary": ["pod-1", …], "seed", …}: "alpha",
///                      "subsets", "tolerated", "grid", "weights", "evaluations", "budget" and
///                      "zones" are optional; UTF-8, borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_randomisation_free. Null on
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
    out: *mut *mut hotfix_randomisation,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(settings, settings_len, "settings")?;
                Drawn::new(serde_json::from_str(text).map_err(|e| unreadable("settings", &e))?)
            })
        })
    }
}

/// Adds the counts of every instance in one tick.
///
/// @param test         A test.
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
    test: *mut hotfix_randomisation,
    events: *const f64,
    trials: *const f64,
    instances: usize,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let decided = pointer::change(test, "test", |test| {
                let counts = counts_of(events, trials, instances, &mut test.buffer)?;
                Ok(test.state.update(&test.design, counts)?)
            })?;
            put_decided(out_decided, decided);
            Ok(())
        })
    }
}

/// The canary's evidence so far.
///
/// @param test  A test.
/// @param out   The evidence; set its `struct_size` before the call. `p_value` is 1 until the test
///              has decided; `log_e_bound` equals `log_e`. Written on success only.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_randomisation_evidence(
    test: *const hotfix_randomisation,
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

/// Writes settings and state, so that the test can continue later or in another process: about 150
/// kB for 2,000 subsets.
///
/// @param test  A test.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_randomisation_to_bytes(
    test: *const hotfix_randomisation,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(test, "test", |test| {
                    let (settings, state) = (test.settings.clone(), test.state.clone());
                    canonical(&DrawnDocument { settings, state })
                })
            })
        })
    }
}

/// Reads what hotfix_randomisation_to_bytes wrote.
///
/// @param bytes      The bytes; borrowed for the call.
/// @param bytes_len  Their number.
/// @param out        The test; the caller frees it with hotfix_randomisation_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for bytes that are not a saved test, HOTFIX_STATUS_STAT if state and
///         settings do not match.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_randomisation_from_bytes(
    bytes: *const c_char,
    bytes_len: usize,
    out: *mut *mut hotfix_randomisation,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(bytes, bytes_len, "bytes")?;
                let DrawnDocument { settings, state } =
                    serde_json::from_str(text).map_err(|e| unreadable("bytes", &e))?;
                let made = Drawn::new(settings)?;
                state.check(&made.design)?;
                Ok(Drawn { state, ..made })
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
pub unsafe extern "C" fn hotfix_randomisation_free(test: *mut hotfix_randomisation) {
    pointer::free(test);
}

/// The canary's evidence without each of its instances in turn (leave-one-out), and the test of
/// each instance against the others.
pub struct hotfix_instances(Guarded<Instances>);

handle!(hotfix_instances, Instances);

pub(crate) struct Instances {
    settings: RateRatioSettings,
    design: RateRatioDesign,
    /// Present from four instances on.
    without: Option<LeaveOneOut>,
    bad: BadInstance,
    buffer: Vec<Counts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstancesQuestion {
    canary: Vec<String>,
    #[serde(default)]
    test: RateRatioSettings,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstancesDocument {
    settings: RateRatioSettings,
    without: Option<LeaveOneOut>,
    bad: BadInstance,
}

/// The result of one tick of the canary's instances. Set `struct_size` before the call
/// (HOTFIX_INSTANCES_SEEN_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_instances_seen {
    /// sizeof(hotfix_instances_seen), set by the caller.
    pub struct_size: usize,
    /// The smallest log evidence that remains without one instance; NaN for fewer than four
    /// instances.
    pub least_log_e: f64,
    /// Index of the instance without which the evidence is smallest: the rollback depends most on
    /// this instance.
    pub weakest: usize,
    /// Index of the first instance that was found worse than the others, in this tick or before:
    /// replace it.
    pub bad: usize,
    /// 1 if such an instance was found.
    pub has_bad: u32,
    /// 1 if the evidence reaches the threshold now whichever single instance is left out. Always 1
    /// for fewer than four instances.
    pub dispensable: u32,
}

// SAFETY: repr(C), the size first; written only.
unsafe impl versioned::Versioned for hotfix_instances_seen {
    const LEAST: usize = size_of::<Self>();
}

/// Makes tests of the canary's instances, without data.
///
/// @param settings      {"canary": ["pod-1", …], "test": settings of the whole canary's
///                      hotfix_rate_ratio_new}, "test" optional; UTF-8, borrowed.
/// @param settings_len  Its length in bytes.
/// @param out           The tests; the caller frees them with hotfix_instances_free. Null on
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
    out: *mut *mut hotfix_instances,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(settings, settings_len, "settings")?;
                let InstancesQuestion { canary, test: settings } =
                    serde_json::from_str(text).map_err(|e| unreadable("settings", &e))?;
                let design = RateRatioDesign::try_new(&settings)?;
                let bad = BadInstance::try_new(&settings, canary.iter().cloned())?;
                let buffer = Vec::with_capacity(canary.len());
                let enough = canary.len() >= LEAVE_ONE_OUT;
                let without = enough.then(|| LeaveOneOut::try_new(&design, canary)).transpose()?;
                Ok(Instances { settings, design, without, bad, buffer })
            })
        })
    }
}

/// Adds the counts of the canary's instances in one tick.
///
/// @param tests            Tests of instances.
/// @param events           Events of each canary instance, in the order of the settings; borrowed.
/// @param trials           Trials of each instance; 0 if an instance has no data. Borrowed.
/// @param instances        Number of instances.
/// @param baseline_events  Events of the whole baseline.
/// @param baseline_trials  Its trials.
/// @param out              The result; set its `struct_size` before the call. Written on success
///                         only.
/// @param err              Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for counts that are not finite, negative or too large, and for
///         another number of instances; the tests are unchanged.
///
/// Thread rule: one thread at a time for the same tests.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_instances_update(
    tests: *mut hotfix_instances,
    events: *const f64,
    trials: *const f64,
    instances: usize,
    baseline_events: f64,
    baseline_trials: f64,
    out: *mut hotfix_instances_seen,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let size = versioned::size_of_caller(out, "out")?;
            let seen = pointer::change(tests, "tests", |tests| {
                let counts = counts_of(events, trials, instances, &mut tests.buffer)?;
                let baseline = Counts::new(baseline_events, baseline_trials);
                // Both checks come before either test changes.
                baseline.check()?;
                let found = tests.bad.update(counts)?;
                let (mut dispensable, mut weakest) = (true, (0, f64::NAN));
                if let Some(without) = &mut tests.without {
                    dispensable = without.update(&tests.design, counts, baseline)?;
                    weakest = without.weakest(&tests.design);
                }
                Ok(hotfix_instances_seen {
                    struct_size: size,
                    least_log_e: weakest.1,
                    weakest: weakest.0,
                    bad: found.unwrap_or_default(),
                    has_bad: u32::from(found.is_some()),
                    dispensable: u32::from(dispensable),
                })
            })?;
            versioned::write(out, size, &seen);
            Ok(())
        })
    }
}

/// Writes settings and states, so that the tests can continue later or in another process.
///
/// @param tests  Tests of instances.
/// @param out    A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err    Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read the tests while no thread changes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_instances_to_bytes(
    tests: *const hotfix_instances,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            put_text(out, || {
                pointer::read(tests, "tests", |tests| {
                    canonical(&InstancesDocument {
                        settings: tests.settings.clone(),
                        without: tests.without.clone(),
                        bad: tests.bad.clone(),
                    })
                })
            })
        })
    }
}

/// Reads what hotfix_instances_to_bytes wrote.
///
/// @param bytes      The bytes; borrowed for the call.
/// @param bytes_len  Their number.
/// @param out        The tests; the caller frees them with hotfix_instances_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for bytes that are not saved tests, HOTFIX_STATUS_STAT if state and
///         settings do not match.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_instances_from_bytes(
    bytes: *const c_char,
    bytes_len: usize,
    out: *mut *mut hotfix_instances,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(bytes, bytes_len, "bytes")?;
                let InstancesDocument { settings, without, bad } =
                    serde_json::from_str(text).map_err(|e| unreadable("bytes", &e))?;
                let design = RateRatioDesign::try_new(&settings)?;
                let names = without.as_ref().map(LeaveOneOut::names);
                let enough = bad.names().len() >= LEAVE_ONE_OUT;
                if names != enough.then_some(bad.names()) {
                    return Err(StatError::BadState { what: "names" }.into());
                }
                without.iter().try_for_each(|without| without.check(&design))?;
                bad.check(&settings)?;
                let buffer = Vec::with_capacity(bad.names().len());
                Ok(Instances { settings, design, without, bad, buffer })
            })
        })
    }
}

/// Frees tests of instances.
///
/// @param tests  Tests, or null.
///
/// Thread rule: one thread, after every other use of this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_instances_free(tests: *mut hotfix_instances) {
    pointer::free(tests);
}
