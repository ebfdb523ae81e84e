//! The sequential rate-ratio test without a rollout: canary against baseline. It may be evaluated
//! at every tick.

use std::ffi::c_char;

use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::{Counts, Evidence, StatError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::buffer::{hotfix_buf, put_text};
use crate::error::{Fallible, hotfix_error};
use crate::guard::{Guarded, guard};
use crate::pointer::{self, Handle, handle};
use crate::policy::canonical;
use crate::status::hotfix_status;
use crate::versioned::{self, Versioned};

/// A sequential test of the canary's rate against the baseline's.
pub struct hotfix_rate_ratio(Guarded<Test>);

handle!(hotfix_rate_ratio, Test);

/// One of two models, with the settings, which to_bytes writes.
pub(crate) enum Test {
    Poisson(RateRatioSettings, Box<RateRatioDesign>, RateRatio),
    Bernoulli(BernoulliSettings, Box<BernoulliDesign>, Bernoulli),
}

/// The evidence of a test. Set `struct_size` before the call (HOTFIX_EVIDENCE_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_evidence {
    /// sizeof(hotfix_evidence), set by the caller.
    pub struct_size: usize,
    /// Logarithm of the e-value; 0 without data. The test decides at its threshold: ln(1/alpha),
    /// unless the settings give another.
    pub log_e: f64,
    /// A lower bound of `log_e` that is cheaper to compute; `p_value` is based on it.
    pub log_e_bound: f64,
    /// min(1, 1/max E) over all evaluations; valid at every evaluation.
    pub p_value: f64,
    /// The canary's rate divided by the baseline's; NaN if `has_ratio` is 0.
    pub ratio: f64,
    /// 1 if both arms have trials.
    pub has_ratio: u32,
    /// 1 if the evidence has reached the threshold at any time; it stays 1.
    pub decided: u32,
}

impl hotfix_evidence {
    fn new(struct_size: usize, seen: Evidence, log_e_bound: f64) -> Self {
        Self {
            struct_size,
            log_e: seen.log_e,
            log_e_bound,
            p_value: seen.p_value,
            ratio: seen.ratio.unwrap_or(f64::NAN),
            has_ratio: u32::from(seen.ratio.is_some()),
            decided: u32::from(seen.decided),
        }
    }
}

// SAFETY: repr(C), the size first; written only.
unsafe impl Versioned for hotfix_evidence {
    const LEAST: usize = size_of::<Self>();
}

/// Writes the evidence of a test and its lower bound.
pub(crate) unsafe fn put_evidence<H: Handle>(
    test: *const H,
    out: *mut hotfix_evidence,
    seen: impl FnOnce(&H::Value) -> (Evidence, f64),
) -> Fallible<()> {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        let size = versioned::size_of_caller(out, "out")?;
        let (seen, log_e_bound) = pointer::read(test, "test", |test| Ok(seen(test)))?;
        versioned::write(out, size, &hotfix_evidence::new(size, seen, log_e_bound));
        Ok(())
    }
}

/// What to_bytes writes: the settings, from which the design is computed, and the state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState<Settings, State> {
    /// Absent in states that were written when there was only one model.
    #[serde(default)]
    model: Model,
    settings: Settings,
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    #[default]
    Poisson,
    Bernoulli,
}

/// Removes `"model"` from an object, because the settings accept only their own keys.
fn model_of(object: &mut Value) -> Result<Model, serde_json::Error> {
    let named = object.as_object_mut().and_then(|members| members.remove("model"));
    named.map_or(Ok(Model::default()), serde_json::from_value)
}

impl Test {
    fn from_settings(text: &str) -> Fallible<Self> {
        let bad = |e| unreadable("settings", &e);
        let mut object: Value = if text.trim().is_empty() {
            json!({})
        } else {
            serde_json::from_str(text).map_err(bad)?
        };
        match model_of(&mut object).map_err(bad)? {
            Model::Poisson => Self::poisson(serde_json::from_value(object).map_err(bad)?),
            Model::Bernoulli => Self::bernoulli(serde_json::from_value(object).map_err(bad)?),
        }
    }

    fn poisson(settings: RateRatioSettings) -> Fallible<Self> {
        let design = RateRatioDesign::try_new(&settings)?;
        let state = RateRatio::new(&design);
        Ok(Self::Poisson(settings, Box::new(design), state))
    }

    fn bernoulli(settings: BernoulliSettings) -> Fallible<Self> {
        let design = BernoulliDesign::try_new(&settings)?;
        let state = Bernoulli::new(&design);
        Ok(Self::Bernoulli(settings, Box::new(design), state))
    }

    #[inline]
    fn update(&mut self, canary: Counts, baseline: Counts) -> Result<bool, StatError> {
        match self {
            Self::Poisson(_, design, state) => state.update(design, canary, baseline),
            Self::Bernoulli(_, design, state) => state.update(design, canary, baseline),
        }
    }

    /// The evidence and its lower bound.
    fn evidence(&self) -> (Evidence, f64) {
        match self {
            Self::Poisson(_, design, state) => (state.evidence(design), state.log_e_bound(design)),
            Self::Bernoulli(_, design, state) => {
                (state.evidence(design), state.log_e_bound(design))
            }
        }
    }

    fn to_text(&self) -> Fallible<String> {
        match self {
            Self::Poisson(settings, _, state) => {
                canonical(&SavedState { model: Model::Poisson, settings, state })
            }
            Self::Bernoulli(settings, _, state) => {
                canonical(&SavedState { model: Model::Bernoulli, settings, state })
            }
        }
    }

    fn from_text(text: &str) -> Fallible<Self> {
        #[derive(Deserialize)]
        struct Named {
            #[serde(default)]
            model: Model,
        }
        let bad = |e| unreadable("bytes", &e);
        let Named { model } = serde_json::from_str(text).map_err(bad)?;
        match model {
            Model::Poisson => {
                let read: SavedState<RateRatioSettings, RateRatio> =
                    serde_json::from_str(text).map_err(bad)?;
                let design = RateRatioDesign::try_new(&read.settings)?;
                read.state.check(&design)?;
                Ok(Self::Poisson(read.settings, Box::new(design), read.state))
            }
            Model::Bernoulli => {
                let read: SavedState<BernoulliSettings, Bernoulli> =
                    serde_json::from_str(text).map_err(bad)?;
                let design = BernoulliDesign::try_new(&read.settings)?;
                read.state.check(&design)?;
                Ok(Self::Bernoulli(read.settings, Box::new(design), read.state))
            }
        }
    }
}

pub(crate) unsafe fn put_decided(out: *mut bool, decided: bool) {
    if !out.is_null() {
        // SAFETY: not null, and writable by the header's contract.
        unsafe { out.write(decided) };
    }
}

/// Makes a test without data.
///
/// @param settings      {"direction": "worse" or "better", "alpha", "tolerated", "margin", "grid",
///                      "weights", "temper", "cap", "threshold", "horizon", "model": "poisson" or
///                      "bernoulli" (which also accepts "prior_trials")}, all optional; UTF-8,
///                      borrowed; may be null with length 0 for the defaults.
/// @param settings_len  Its length in bytes.
/// @param out           The test; the caller frees it with hotfix_rate_ratio_free. Null on failure.
/// @param err           Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT for invalid settings, HOTFIX_STATUS_INPUT for text that cannot be
///         read.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rate_ratio_new(
    settings: *const c_char,
    settings_len: usize,
    out: *mut *mut hotfix_rate_ratio,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(settings, settings_len, "settings")?;
                Test::from_settings(text)
            })
        })
    }
}

pub(crate) fn unreadable(name: &str, fault: &serde_json::Error) -> Box<hotfix_error> {
    let error = hotfix_core::rollout::InputError::Syntax { fault: format!("`{name}`: {fault}") };
    Box::<hotfix_error>::from(error).at(format!("/{name}"))
}

/// Adds the counts of one tick.
///
/// @param test             A test.
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
    test: *mut hotfix_rate_ratio,
    canary_events: f64,
    canary_trials: f64,
    baseline_events: f64,
    baseline_trials: f64,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            let canary = Counts::new(canary_events, canary_trials);
            let baseline = Counts::new(baseline_events, baseline_trials);
            let decided = pointer::change(test, "test", |test| Ok(test.update(canary, baseline)?))?;
            put_decided(out_decided, decided);
            Ok(())
        })
    }
}

/// The evidence so far.
///
/// @param test  A test.
/// @param out   The evidence; set its `struct_size` before the call. Written on success only.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rate_ratio_evidence(
    test: *const hotfix_rate_ratio,
    out: *mut hotfix_evidence,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { guard(err, || put_evidence(test, out, Test::evidence)) }
}

/// Adds the evidence of another test with the same settings. The result equals one test that
/// received the data of both.
///
/// @param test         The test that receives the evidence.
/// @param other        The other test, which is not changed; it must not be `test` itself.
/// @param out_decided  Whether the sum has decided; may be null. Written on success only.
/// @param err          Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_STAT if the settings differ, with a horizon, and with the model
///         "bernoulli", for which the order of the ticks matters.
///
/// Thread rule: one thread at a time for `test`; `other` may be read by any number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rate_ratio_merge(
    test: *mut hotfix_rate_ratio,
    other: *const hotfix_rate_ratio,
    out_decided: *mut bool,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract; the other's state is copied, so no two
    // references overlap.
    unsafe {
        guard(err, || {
            let more = pointer::read(other, "other", |other| match other {
                Test::Poisson(.., state) => Ok(*state),
                Test::Bernoulli(..) => Err(StatError::DesignMismatch.into()),
            })?;
            let decided = pointer::change(test, "test", |test| match test {
                Test::Poisson(_, design, state) => Ok(state.merge(design, &more)?),
                Test::Bernoulli(..) => Err(StatError::DesignMismatch.into()),
            })?;
            put_decided(out_decided, decided);
            Ok(())
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
pub unsafe extern "C" fn hotfix_rate_ratio_to_bytes(
    test: *const hotfix_rate_ratio,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { guard(err, || put_text(out, || pointer::read(test, "test", Test::to_text))) }
}

/// Reads what hotfix_rate_ratio_to_bytes wrote.
///
/// @param bytes      The bytes; borrowed for the call.
/// @param bytes_len  Their number.
/// @param out        The test; the caller frees it with hotfix_rate_ratio_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for bytes that are not a saved test, HOTFIX_STATUS_STAT if state and
///         settings do not match.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_rate_ratio_from_bytes(
    bytes: *const c_char,
    bytes_len: usize,
    out: *mut *mut hotfix_rate_ratio,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        guard(err, || {
            pointer::make(out, || {
                let text = pointer::text(bytes, bytes_len, "bytes")?;
                Test::from_text(text)
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
pub unsafe extern "C" fn hotfix_rate_ratio_free(test: *mut hotfix_rate_ratio) {
    pointer::free(test);
}
