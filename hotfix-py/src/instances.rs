//! `hotfix.stats`: tests that need the counts of every instance.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hotfix_core::stats::instances::BadInstance as BadCore;
use hotfix_core::stats::randomisation::{
    Randomisation as DrawnCore, RandomisationDesign, RandomisationSettings,
};
use hotfix_core::stats::rate_ratio::RateRatioSettings;
use hotfix_core::stats::{Counts, StatError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use crate::calibration::{dict_of, name_of};
use crate::convert::whole_numbers;
use crate::error::{Result, locked};
use crate::evidence::{Evidence, Reduced, from_bytes, to_bytes};
use crate::stats::counts;

/// Counts by index; an instance that is left out has no data.
///
/// Reading a number may run the caller's code, which may call the same test: nothing is locked
/// during the reading.
fn by_place(tick: &Bound<'_, PyAny>, names: &[String]) -> Result<Vec<Counts>> {
    let dict = dict_of(tick, "a tick")?;
    let mut read = Vec::with_capacity(names.len());
    let mut found = 0;
    for name in names {
        let pair = dict.get_item(name)?;
        found += usize::from(pair.is_some());
        read.push(pair.as_ref().map(counts).transpose()?.unwrap_or_default());
    }
    if found == dict.len() {
        return Ok(read);
    }
    Err(unknown(&dict.keys().iter().map(|key| name_of(&key)).collect::<Result<Vec<_>>>()?))
}

/// Reports that one of the names is unknown, and names it.
fn unknown(names: &[String]) -> crate::error::Fault {
    StatError::UnknownInstance { instance: names.join("`, `") }.into()
}

/// A randomisation test: compares the canary with random subsets of the instances. It is exact for
/// any noise if the canary's instances were drawn at random.
///
/// Evidence is compared at fixed ticks (3, 6, 12, 18, 30, 60, 120, 210 and 300 unless `evaluations`
/// gives others). At each of them the test spends a part of its budget on the subsets with the most
/// evidence, and it decides when the canary is one of these. Until then `p_value` is 1; afterwards
/// it is the canary's rank among the spent subsets, divided by the number of all subsets.
///
/// Parameters
/// ----------
/// instances : sequence of str
///     Every instance of the service.
/// canary : sequence of str
///     Those that run the new version. At least about 2,000 subsets of this size should be
///     possible: 10 of 20 instances, or 5 of 50.
/// alpha : float, default 0.01
///     Probability of ever rolling back a release that changes nothing.
/// subsets : int, default 2000
///     The number of subsets, including the canary.
/// seed : int, default 0
///     Seed of the random subsets; record it with the rollout.
/// tolerated, grid, weights
///     As in `RateRatio`.
/// evaluations : sequence of int, optional
///     Ticks at which evidence is compared.
/// budget : sequence of float, optional
///     For each evaluation, the part of ``alpha * subsets`` that may be spent up to it.
/// zones : sequence of sequence of str, optional
///     Draw within zones: each zone's instances; every instance belongs to one zone.
///
/// Raises
/// ------
/// StatsError
///     If ``alpha * subsets < 1``, and for other invalid settings or names.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> pods = [f"pod-{pod:02}" for pod in range(20)]
/// >>> test = hotfix.stats.Randomisation(pods, pods[:10], seed=7)
/// >>> for _ in range(3):
/// ...     evidence = test.update({pod: [1 if pod in pods[:10] else 0, 50] for pod in pods})
/// >>> evidence.decided, evidence.p_value
/// (True, 0.0005)
#[pyclass(frozen, module = "hotfix.stats")]
#[derive(Debug)]
pub(crate) struct Randomisation {
    settings: RandomisationSettings,
    design: RandomisationDesign,
    state: Mutex<DrawnCore>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRandomisation {
    settings: RandomisationSettings,
    state: DrawnCore,
}

impl Randomisation {
    fn of(settings: RandomisationSettings) -> Result<Self> {
        let design = RandomisationDesign::try_new(&settings)?;
        let state = Mutex::new(DrawnCore::new(&design));
        Ok(Self { settings, design, state })
    }
}

#[pymethods]
impl Randomisation {
    #[new]
    #[pyo3(signature = (
        instances, canary, alpha=0.01, subsets: "int" = 2000, seed: "int" = 0, *, tolerated=1.0, grid=None, weights=None, evaluations: "Sequence[int] | None" = None,
        budget=None, zones=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword")]
    fn new(
        py: Python<'_>,
        instances: Vec<String>,
        canary: Vec<String>,
        alpha: f64,
        #[pyo3(from_py_with = whole_numbers)] subsets: usize,
        #[pyo3(from_py_with = whole_numbers)] seed: u64,
        tolerated: f64,
        grid: Option<Vec<f64>>,
        weights: Option<Vec<f64>>,
        #[pyo3(from_py_with = whole_numbers)] evaluations: Option<Vec<u32>>,
        budget: Option<Vec<f64>>,
        zones: Option<Vec<Vec<String>>>,
    ) -> Result<Self> {
        let settings = RandomisationSettings {
            instances,
            canary,
            alpha,
            subsets,
            seed,
            tolerated,
            grid,
            weights,
            evaluations,
            budget,
            zones,
        };
        py.detach(|| Self::of(settings))
    }

    /// Add the counts of one tick.
    ///
    /// Parameters
    /// ----------
    /// counts : mapping
    ///     ``{instance: [events, trials]}``; an instance that is left out has no data.
    ///
    /// Returns
    /// -------
    /// Evidence
    ///     The canary's evidence; `decided` is True if the test has decided to roll back.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For invalid counts or an unknown instance; the test is unchanged.
    #[pyo3(signature = (counts: "Mapping[str, _Counts]"))]
    fn update(&self, py: Python<'_>, counts: &Bound<'_, PyAny>) -> Result<Evidence> {
        let counts = by_place(counts, self.design.instances())?;
        let mut state = locked(py, &self.state)?;
        state.update(&self.design, &counts)?;
        Ok(Evidence::of(state.evidence(&self.design)))
    }

    /// The evidence so far.
    #[getter]
    fn evidence(&self, py: Python<'_>) -> PyResult<Evidence> {
        Ok(Evidence::of(locked(py, &self.state)?.evidence(&self.design)))
    }

    /// The smallest log evidence at which the test can decide: ``log(1/alpha)``.
    #[getter]
    fn threshold(&self) -> f64 {
        self.design.threshold()
    }

    /// Settings and evidence of every subset as bytes: about 150 kB for 2,000 subsets.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = locked(py, &self.state)?.clone();
        to_bytes(py, &SavedRandomisation { settings: self.settings.clone(), state })
    }

    /// Restore the test that `to_bytes` wrote.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For bytes that are not a saved test.
    #[staticmethod]
    fn from_bytes(bytes: PyBackedBytes) -> Result<Self> {
        let SavedRandomisation { settings, state } = from_bytes(&bytes)?;
        let made = Self::of(settings)?;
        state.check(&made.design)?;
        Ok(Self { state: Mutex::new(state), ..made })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let RandomisationSettings { instances, canary, subsets, alpha, .. } = &self.settings;
        let log_e = locked(py, &self.state)?.log_e(&self.design);
        let (canary, instances) = (canary.len(), instances.len());
        Ok(format!(
            "<Randomisation {canary} of {instances}, {subsets} subsets, alpha {alpha}, log_e {log_e:.3}>"
        ))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }
}

/// Find the canary instance that is worse than the others: a plain test of each instance against
/// the rest, at ``alpha/k`` each.
///
/// Parameters
/// ----------
/// canary : sequence of str
///     The canary's instances, at least two.
/// alpha : float, default 0.01
///     Probability of ever naming an instance while all are alike and errors are independent.
/// tolerated, grid, weights
///     As in `RateRatio`.
///
/// Raises
/// ------
/// StatsError
///     For fewer than two instances, or a name that occurs twice.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.BadInstance(["a", "b", "c"]).update({"a": (9, 100), "b": (0, 100), "c": (1, 100)})
/// ['a']
#[pyclass(frozen, module = "hotfix.stats")]
#[derive(Debug)]
pub(crate) struct BadInstance {
    /// The canary's instances, in the order of the state: read without a lock.
    names: Vec<String>,
    state: Mutex<BadCore>,
}

impl BadInstance {
    fn of(state: BadCore) -> Self {
        Self { names: state.names().to_vec(), state: Mutex::new(state) }
    }
}

#[pymethods]
impl BadInstance {
    #[new]
    #[pyo3(signature = (canary, alpha=0.01, tolerated=1.0, *, grid=None, weights=None))]
    fn new(
        canary: Vec<String>,
        alpha: f64,
        tolerated: f64,
        grid: Option<Vec<f64>>,
        weights: Option<Vec<f64>>,
    ) -> Result<Self> {
        let settings =
            RateRatioSettings { alpha, tolerated, grid, weights, ..RateRatioSettings::default() };
        Ok(Self::of(BadCore::try_new(&settings, canary)?))
    }

    /// Add the counts of one tick.
    ///
    /// Parameters
    /// ----------
    /// canary : mapping
    ///     ``{instance: (events, trials)}``; an instance that is left out has no data.
    ///
    /// Returns
    /// -------
    /// list of str
    ///     The instances that were found bad, in this tick or before: replace them.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For invalid counts or an unknown instance.
    #[pyo3(signature = (canary: "Mapping[str, _Counts]"))]
    fn update(&self, py: Python<'_>, canary: &Bound<'_, PyAny>) -> Result<Vec<String>> {
        let canary = by_place(canary, &self.names)?;
        let mut state = locked(py, &self.state)?;
        state.update(&canary)?;
        Ok(found(&state))
    }

    /// The instances that were found bad.
    #[getter]
    fn found(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(found(&*locked(py, &self.state)?))
    }

    /// Log evidence of each instance against the others.
    #[getter]
    fn log_e(&self, py: Python<'_>) -> PyResult<BTreeMap<String, f64>> {
        let state = locked(py, &self.state)?;
        Ok(self.names.iter().cloned().zip(state.log_e()).collect())
    }

    /// The log evidence at which an instance is named: ``log(k/alpha)``.
    #[getter]
    fn threshold(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(locked(py, &self.state)?.threshold())
    }

    /// Settings and evidence as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        to_bytes(py, &*locked(py, &self.state)?)
    }

    /// Restore the tests that `to_bytes` wrote.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For bytes that are not a saved test.
    #[staticmethod]
    fn from_bytes(bytes: PyBackedBytes) -> Result<Self> {
        Ok(Self::of(from_bytes(&bytes)?))
    }

    fn __repr__(&self) -> String {
        format!("<BadInstance of {}>", self.names.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }
}

fn found(state: &BadCore) -> Vec<String> {
    state.found().filter_map(|place| state.names().get(place).cloned()).collect()
}
