//! Sequential tests without a rollout: one handle for every kind. Each kind has a constructor and
//! an update of its own; evidence, bytes and free are the same for all.

use std::ffi::c_char;

use hotfix_core::document::{ValueFault, read_document};
use hotfix_core::rollout::InputError;
use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::ceiling::{Ceiling, CeilingDesign, CeilingSettings};
use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings};
use hotfix_core::stats::randomisation::{
    Randomisation, RandomisationDesign, RandomisationSettings,
};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
/// The two models of a rate ratio. Bytes without a model are of the first.
pub(crate) use hotfix_core::stats::replay::CountModel as Model;
use hotfix_core::stats::{Counts, Direction, Evidence, StatError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::buffer::hotfix_buf;
use crate::error::{Fallible, hotfix_error};
use crate::guard::Guarded;
use crate::instances::InstanceTests;
use crate::pointer::{self, handle};
use crate::policy::canonical;
use crate::status::hotfix_status;
use crate::versioned::Versioned;

/// A sequential test. The function that made it, or its bytes, decide its kind: rate ratio,
/// latency, ceiling, randomisation or instances. The updates of another kind refuse it.
pub struct hotfix_test(Guarded<Test>);

handle!(hotfix_test, Test);

/// The kind of a test, as its bytes name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    RateRatio,
    Latency,
    Ceiling,
    Randomisation,
    Instances,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::RateRatio => "rate_ratio",
            Self::Latency => "latency",
            Self::Ceiling => "ceiling",
            Self::Randomisation => "randomisation",
            Self::Instances => "instances",
        }
    }
}

pub(crate) enum Test {
    Poisson(Box<Running<RateRatioDesign>>),
    Bernoulli(Box<Running<BernoulliDesign>>),
    Latency(Box<Running<LatencyDesign>>),
    Ceiling(Box<Running<CeilingDesign>>),
    /// With the counts of one tick, which keep their memory.
    Randomisation(Box<Running<RandomisationDesign>>, Vec<Counts>),
    Instances(Box<InstanceTests>),
}

/// What a test computes from its settings once, and reads at every tick.
pub(crate) trait Design: Sized {
    type Settings: Clone + Serialize + DeserializeOwned;
    type State: Clone + Serialize + DeserializeOwned;

    fn try_new(settings: &Self::Settings) -> Result<Self, StatError>;
    /// The state without data.
    fn empty(&self) -> Self::State;
    /// Checks a state that was read against this design.
    fn check(&self, state: &Self::State) -> Result<(), StatError>;
    /// The evidence and its lower bound.
    fn evidence(&self, state: &Self::State) -> (Evidence, f64);
}

/// The last argument is the function that computes the lower bound of the log evidence.
macro_rules! design {
    ($design:ty, $settings:ty, $state:ty, $bound:expr) => {
        impl Design for $design {
            type Settings = $settings;
            type State = $state;

            fn try_new(settings: &Self::Settings) -> Result<Self, StatError> {
                <$design>::try_new(settings)
            }
            fn empty(&self) -> Self::State {
                <$state>::new(self)
            }
            fn check(&self, state: &Self::State) -> Result<(), StatError> {
                state.check(self)
            }
            fn evidence(&self, state: &Self::State) -> (Evidence, f64) {
                (state.evidence(self), $bound(state, self))
            }
        }
    };
}

design!(RateRatioDesign, RateRatioSettings, RateRatio, RateRatio::log_e_bound);
design!(BernoulliDesign, BernoulliSettings, Bernoulli, Bernoulli::log_e_bound);
design!(LatencyDesign, LatencySettings, Latency, Latency::log_e_bound);
// These two have no bound that is cheaper than the evidence.
design!(CeilingDesign, CeilingSettings, Ceiling, Ceiling::log_e);
design!(RandomisationDesign, RandomisationSettings, Randomisation, Randomisation::log_e);

/// A test with its settings, which its bytes contain.
pub(crate) struct Running<D: Design> {
    settings: D::Settings,
    pub(crate) design: D,
    pub(crate) state: D::State,
}

/// The bytes of a test: the settings, from which the design is computed, and the state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedTest<Settings, State> {
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<Model>,
    pub(crate) settings: Settings,
    pub(crate) state: State,
}

/// The error of settings that are at this place.
pub(crate) fn of_settings(place: &str) -> impl Fn(StatError) -> Box<hotfix_error> {
    move |error| Box::<hotfix_error>::from(error).within(place)
}

impl<D: Design> Running<D> {
    pub(crate) fn new(settings: D::Settings) -> Fallible<Box<Self>> {
        let design = D::try_new(&settings).map_err(of_settings("/settings"))?;
        let state = design.empty();
        Ok(Box::new(Self { settings, design, state }))
    }

    fn to_text(&self, kind: Kind, model: Option<Model>) -> Fallible<String> {
        canonical(&SavedTest { kind, model, settings: &self.settings, state: &self.state })
    }

    fn from_text(text: &str) -> Fallible<Box<Self>> {
        let SavedTest::<D::Settings, D::State> { settings, state, .. } = document(text, "bytes")?;
        let design = D::try_new(&settings).map_err(of_settings("/bytes/settings"))?;
        design.check(&state)?;
        Ok(Box::new(Self { settings, design, state }))
    }

    fn evidence(&self) -> (Evidence, f64) {
        self.design.evidence(&self.state)
    }
}

impl Test {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Poisson(_) | Self::Bernoulli(_) => Kind::RateRatio,
            Self::Latency(_) => Kind::Latency,
            Self::Ceiling(_) => Kind::Ceiling,
            Self::Randomisation(..) => Kind::Randomisation,
            Self::Instances(_) => Kind::Instances,
        }
    }

    /// The error of a call that is for another kind of test.
    #[cold]
    pub(crate) fn refuse<T>(&self, name: &str, wanted: Kind) -> Fallible<T> {
        Err(hotfix_error::other_test(name, self.kind().as_str(), wanted.as_str()))
    }

    fn evidence(&self) -> Fallible<(Evidence, f64)> {
        match self {
            Self::Poisson(test) => Ok(test.evidence()),
            Self::Bernoulli(test) => Ok(test.evidence()),
            Self::Latency(test) => Ok(test.evidence()),
            Self::Ceiling(test) => Ok(test.evidence()),
            Self::Randomisation(test, _) => Ok(test.evidence()),
            Self::Instances(_) => Err(hotfix_error::no_evidence("test")),
        }
    }

    fn to_text(&self) -> Fallible<String> {
        let kind = self.kind();
        match self {
            Self::Poisson(test) => test.to_text(kind, Some(Model::Poisson)),
            Self::Bernoulli(test) => test.to_text(kind, Some(Model::Bernoulli)),
            Self::Latency(test) => test.to_text(kind, None),
            Self::Ceiling(test) => test.to_text(kind, None),
            Self::Randomisation(test, _) => test.to_text(kind, None),
            Self::Instances(tests) => tests.to_text(kind),
        }
    }

    fn from_text(text: &str) -> Fallible<Self> {
        #[derive(Deserialize)]
        struct Named {
            kind: Kind,
            #[serde(default)]
            model: Option<Model>,
        }
        let Named { kind, model } = document(text, "bytes")?;
        Ok(match (kind, model) {
            (Kind::RateRatio, None | Some(Model::Poisson)) => {
                Self::Poisson(Running::from_text(text)?)
            }
            (Kind::RateRatio, Some(Model::Bernoulli)) => Self::Bernoulli(Running::from_text(text)?),
            (_, Some(_)) => {
                let sentence = "only a rate ratio has a `model`".to_owned();
                let faults = vec![ValueFault { path: "/bytes/model".to_owned(), sentence }];
                return Err(InputError::Values { faults }.into());
            }
            (Kind::Latency, None) => Self::Latency(Running::from_text(text)?),
            (Kind::Ceiling, None) => Self::Ceiling(Running::from_text(text)?),
            (Kind::Randomisation, None) => {
                Self::Randomisation(Running::from_text(text)?, Vec::new())
            }
            (Kind::Instances, None) => Self::Instances(Box::new(InstanceTests::from_text(text)?)),
        })
    }
}

/// Reads the JSON of the parameter `name`.
pub(crate) fn document<T: DeserializeOwned>(text: &str, name: &str) -> Fallible<T> {
    Ok(read_document(name, text).map_err(|faults| InputError::Values { faults })?)
}

/// Reads JSON in the parameter `name`.
pub(crate) unsafe fn json<T: DeserializeOwned>(
    at: *const c_char,
    len: usize,
    name: &str,
) -> Fallible<T> {
    // SAFETY: the caller keeps the header's contract.
    document(unsafe { pointer::text(at, len, name)? }, name)
}

/// The same for settings that may be absent.
pub(crate) unsafe fn settings<T: DeserializeOwned + Default>(
    at: *const c_char,
    len: usize,
) -> Fallible<T> {
    // SAFETY: the caller keeps the header's contract.
    let text = unsafe { pointer::text(at, len, SETTINGS)? };
    if text.trim().is_empty() { Ok(T::default()) } else { document(text, SETTINGS) }
}

/// Refuses what another direction asks for: it has no effect.
pub(crate) fn check_claim(direction: Direction, tolerated: f64, margin: f64) -> Fallible<()> {
    direction.without_effect(tolerated, margin).map_or(Ok(()), |(key, fault)| refuse(key, fault))
}

/// Refuses a setting.
pub(crate) fn refuse<T>(key: &str, sentence: String) -> Fallible<T> {
    let faults = vec![ValueFault { path: format!("/{SETTINGS}/{key}"), sentence }];
    Err(InputError::Values { faults }.into())
}

/// The parameter that has the settings of a test.
pub(crate) const SETTINGS: &str = "settings";

/// The evidence of a test. Set `struct_size` before the call (HOTFIX_EVIDENCE_INIT does).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct hotfix_evidence {
    /// sizeof(hotfix_evidence), set by the caller.
    pub struct_size: usize,
    /// Logarithm of the e-value E; 0 without data. The test decides at its threshold: ln(1/alpha),
    /// unless the settings give another. A randomisation decides by the canary's rank instead, at
    /// ticks 3, 6, 12, 18, 30, 60, 120, 210 and 300 if the settings give no "evaluations".
    pub log_e: f64,
    /// A lower bound of `log_e` that is cheaper to compute; equal to `log_e` for a ceiling and a
    /// randomisation.
    pub log_e_bound: f64,
    /// 1 over the largest single weighted bet of E so far, at most 1; valid at every evaluation. It
    /// is larger than 1/E, so a test has decided before it is below alpha. Of a randomisation it is
    /// 1 until the test has decided.
    pub p_value: f64,
    /// The canary's rate divided by the baseline's; NaN if `has_ratio` is 0, as without an event in
    /// either arm. Of a ceiling it is the rate divided by the ceiling, of a latency the ratio of the
    /// requests that are slower than the boundary with the strongest evidence.
    pub ratio: f64,
    /// 1 if both arms have trials, and one of them an event; of a ceiling, if there are trials.
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
unsafe impl Versioned for hotfix_evidence {}

/// The evidence so far.
///
/// @param test  A test of any kind but instances, of which hotfix_instances_found has the results.
/// @param out   The evidence; set its `struct_size` before the call. Written on success only.
/// @param err   Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_HANDLE for tests of instances.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_test_evidence(
    test: *const hotfix_test,
    out: *mut hotfix_evidence,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::structure(out, err, |size| {
            let (seen, log_e_bound) = pointer::read(test, "test", Test::evidence)?;
            Ok(hotfix_evidence::new(size, seen, log_e_bound))
        })
    }
}

/// Writes kind, settings and state, so that the test can continue later or in another process that
/// uses this C interface: Python's tests have another form. A
/// randomisation with 2,000 subsets has about 150 kB.
///
/// @param test  A test.
/// @param out   A buffer with JSON that the caller frees with hotfix_buf_free.
/// @param err   Where an error object goes; may be null. Owned by the caller.
///
/// Thread rule: any number of threads may read a test while no thread changes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_test_to_bytes(
    test: *const hotfix_test,
    out: *mut hotfix_buf,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe { answer::text_of(test, "test", out, err, Test::to_text) }
}

/// Reads what hotfix_test_to_bytes wrote: a test of the same kind.
///
/// @param bytes      The bytes; borrowed for the call.
/// @param bytes_len  Their number.
/// @param out        The test; the caller frees it with hotfix_test_free. Null on failure.
/// @param err        Where an error object goes; may be null. Owned by the caller.
/// @return HOTFIX_STATUS_INPUT for bytes that are not a saved test, HOTFIX_STATUS_STAT if state and
///         settings do not match.
///
/// Thread rule: any thread at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_test_from_bytes(
    bytes: *const c_char,
    bytes_len: usize,
    out: *mut *mut hotfix_test,
    err: *mut *mut hotfix_error,
) -> hotfix_status {
    // SAFETY: the caller keeps the header's contract.
    unsafe {
        answer::handle(out, err, || Test::from_text(pointer::text(bytes, bytes_len, "bytes")?))
    }
}

/// Frees a test.
///
/// @param test  A test, or null.
///
/// Thread rule: one thread, after every other use of this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hotfix_test_free(test: *mut hotfix_test) {
    pointer::free(test);
}
