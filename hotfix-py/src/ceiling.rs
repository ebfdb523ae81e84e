//! `hotfix.stats.Ceiling`: a rate against a fixed ceiling.

use std::sync::Mutex;

use hotfix_core::stats::StatError;
use hotfix_core::stats::ceiling::{Ceiling as State, CeilingDesign, CeilingSettings};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use crate::error::{Result, locked};
use crate::evidence::{Evidence, Reduced, from_bytes, to_bytes};
use crate::stats::counts;

/// The bytes of a test.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: u32,
    settings: CeilingSettings,
    state: State,
}

const FORMAT: u32 = 1;

/// A sequential test that a rate is below a ceiling, without a baseline. It may be evaluated at
/// every tick.
///
/// For rates that are too small to compare two arms. Null hypothesis: the rate is `ceiling` or
/// more.
///
/// Parameters
/// ----------
/// ceiling : float
///     Above 0 and below 1.
/// alpha : float, default 0.05
///     Probability of ever deciding while the null hypothesis is true.
/// grid, weights : sequence of float, optional
///     Rates of the alternatives as shares of the ceiling, at least 0 and below 1, and their
///     weights, which sum to 1. Default: 0.5, 0.2, 0.05 and 0 with equal weights.
///
/// Raises
/// ------
/// StatsError
///     For invalid settings.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.Ceiling(0.005)
/// >>> test.clean_trials
/// 690.0
/// >>> test.update((0, 400)).decided, test.update((0, 290)).decided
/// (False, True)
#[pyclass(frozen, module = "hotfix.stats")]
#[derive(Debug)]
pub(crate) struct Ceiling {
    settings: CeilingSettings,
    design: CeilingDesign,
    state: Mutex<State>,
}

#[pymethods]
impl Ceiling {
    #[new]
    #[pyo3(signature = (ceiling, alpha=0.05, grid=None, weights=None))]
    fn new(
        ceiling: f64,
        alpha: f64,
        grid: Option<Vec<f64>>,
        weights: Option<Vec<f64>>,
    ) -> Result<Self> {
        Self::of(CeilingSettings { ceiling, alpha, grid, weights })
    }

    /// Add the counts of one tick.
    ///
    /// Parameters
    /// ----------
    /// canary : (float, float)
    ///     Events and trials.
    ///
    /// Returns
    /// -------
    /// Evidence
    ///     Its `ratio` is the rate divided by the ceiling; its `interval` is None.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For invalid counts; the test is unchanged.
    #[pyo3(signature = (canary: "_Counts"))]
    fn update(&self, py: Python<'_>, canary: &Bound<'_, PyAny>) -> Result<Evidence> {
        let canary = counts(canary)?;
        let mut state = locked(py, &self.state)?;
        state.update(&self.design, canary)?;
        Ok(Evidence::of(state.evidence(&self.design)))
    }

    /// Add the counts of another test with the same settings.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     If the settings differ.
    fn merge(&self, py: Python<'_>, other: &Bound<'_, Self>) -> Result<Evidence> {
        // One lock after the other, so that two merges in opposite directions cannot deadlock.
        let other = *locked(py, &other.get().state)?;
        let mut state = locked(py, &self.state)?;
        state.merge(&self.design, &other)?;
        Ok(Evidence::of(state.evidence(&self.design)))
    }

    /// The evidence so far.
    #[getter]
    fn evidence(&self, py: Python<'_>) -> PyResult<Evidence> {
        Ok(Evidence::of(locked(py, &self.state)?.evidence(&self.design)))
    }

    /// The log evidence at which the test decides: ``log(1/alpha)``.
    #[getter]
    fn threshold(&self) -> f64 {
        self.design.threshold()
    }

    /// The number of requests without an error that is enough to decide.
    #[getter]
    fn clean_trials(&self) -> f64 {
        self.design.clean_trials()
    }

    /// Settings and evidence as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let state = *locked(py, &self.state)?;
        to_bytes(py, &Saved { format: FORMAT, settings: self.settings.clone(), state })
    }

    /// Restore the test that `to_bytes` wrote.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For bytes that are not a saved test.
    #[staticmethod]
    fn from_bytes(bytes: PyBackedBytes) -> Result<Self> {
        let Saved { format, settings, state } = from_bytes(&bytes)?;
        if format != FORMAT {
            return Err(StatError::StateVersion { version: format }.into());
        }
        let test = Self::of(settings)?;
        state.check(&test.design)?;
        Ok(Self { state: Mutex::new(state), ..test })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let CeilingSettings { ceiling, alpha, .. } = &self.settings;
        let log_e = locked(py, &self.state)?.log_e(&self.design);
        Ok(format!("<Ceiling {ceiling}, alpha {alpha}, log_e {log_e:.3}>"))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }
}

impl Ceiling {
    fn of(settings: CeilingSettings) -> Result<Self> {
        let design = CeilingDesign::try_new(&settings)?;
        Ok(Self { settings, state: Mutex::new(State::new(&design)), design })
    }
}
