//! `hotfix.stats.Latency`: is the canary slower, from buckets or samples, at every look?

use std::sync::{Mutex, MutexGuard};

use hotfix_core::metric::{Histogram, Sample};
use hotfix_core::stats::StatError;
use hotfix_core::stats::latency::{
    Latency as State, LatencyDesign, LatencyForm, LatencyMode, LatencySettings, SlowCounts,
    boundaries_from_histogram, boundaries_from_samples, check_boundaries, slow_from_histogram,
    slow_from_samples,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use crate::error::{Result, poisoned};
use crate::evidence::{Evidence, from_bytes, to_bytes};
use crate::observation::read_sample;
use crate::stats::{direction_of, one_of};

/// The bytes of a test.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: u32,
    boundaries: Vec<f64>,
    settings: LatencySettings,
    state: State,
}

const FORMAT: u32 = 1;

/// A test of whether the canary is slower than the baseline that may be looked at every tick.
///
/// By chance alone its evidence ever reaches ``1/alpha`` with probability `alpha` at most, however often one looks.
///
/// Parameters
/// ----------
/// boundaries : sequence of float
///     Ascending, 1 to 12, in the unit of the readings: see `latency_boundaries`. They stay for the whole rollout.
/// direction : {"worse", "better"}, default "worse"
///     What is to be shown: that the canary is slower than `tolerated`, or better than `margin`.
/// alpha : float, default 0.01
///     Chance of ever deciding while the null holds.
/// tolerated : float, default 1.0
///     With "worse": the ratio of slow requests that is tolerated at every boundary. At 1 all buckets are judged at once,
///     which is faster.
/// margin : float, default 2.0
///     With "better": the null is that slow requests are at least so many times the baseline's.
/// cap : float, optional
///     Most log evidence that one tick may add to a term. 0.5 to 0.7 for before and after, with looks every 1 to 2 s.
/// threshold : float, optional
///     Log evidence that decides; default ``log(1/alpha)``.
/// mode : {"independent", "clustered"}, default "independent"
///     What may be assumed of the requests of one tick; "clustered" assumes nothing and is slow.
/// prior_trials : float, optional
///     Requests that the estimated rates start with; default 5.
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-001``, ``-011`` to ``-014``, ``-016``, ``-025`` and ``-054`` for figures that are no test's.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.Latency([0.1, 0.25, 0.5])
/// >>> for _ in range(5):  # every canary request takes half as long again
/// ...     evidence = test.update(
/// ...         {"le": [0.1, 0.25, 0.5], "counts": [25, 78, 95], "count": 100},
/// ...         {"le": [0.1, 0.25, 0.5], "counts": [450, 855, 891], "count": 900},
/// ...     )
/// >>> evidence.decided
/// True
#[pyclass(frozen, module = "hotfix.stats")]
#[derive(Debug)]
pub(crate) struct Latency {
    boundaries: Vec<f64>,
    settings: LatencySettings,
    design: LatencyDesign,
    state: Mutex<State>,
}

#[pymethods]
impl Latency {
    #[new]
    #[pyo3(signature = (
        boundaries, direction="worse", alpha=0.01, tolerated=1.0, margin=2.0, cap=None, threshold=None, mode="independent", *,
        prior_trials=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "the names are the design's")]
    fn new(
        boundaries: Vec<f64>,
        direction: &str,
        alpha: f64,
        tolerated: f64,
        margin: f64,
        cap: Option<f64>,
        threshold: Option<f64>,
        mode: &str,
        prior_trials: Option<f64>,
    ) -> Result<Self> {
        let direction = direction_of(direction)?;
        let mode = match mode {
            "independent" => LatencyMode::Independent,
            "clustered" => LatencyMode::Clustered,
            other => return Err(one_of("mode", other, "independent, clustered")),
        };
        let settings = LatencySettings {
            direction,
            alpha,
            tolerated,
            margin,
            boundaries: boundaries.len(),
            cap,
            threshold,
            mode,
            prior_trials: prior_trials.unwrap_or(LatencySettings::default().prior_trials),
            ..LatencySettings::default()
        };
        Self::made(boundaries, settings, None)
    }

    /// Take in one tick.
    ///
    /// Parameters
    /// ----------
    /// canary, baseline : {"le", "counts", "count"} or {"samples"}
    ///     As in a rollout's observation: cumulative buckets, of which every boundary is an edge, or raw times.
    ///
    /// Returns
    /// -------
    /// Evidence
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     ``HF-STAT-002`` to ``-005`` and ``-050`` to ``-053`` for readings that cannot be; nothing was taken in.
    fn update(
        &self,
        py: Python<'_>,
        canary: &Bound<'_, PyAny>,
        baseline: &Bound<'_, PyAny>,
    ) -> Result<Evidence> {
        let (slow_c, of_c) = self.slow(canary)?;
        let (slow_b, of_b) = self.slow(baseline)?;
        let mut state = self.lock(py)?;
        let (canary, baseline) = (SlowCounts::new(&slow_c, of_c), SlowCounts::new(&slow_b, of_b));
        state.update(&self.design, canary, baseline)?;
        Ok(Evidence::of(state.evidence(&self.design)))
    }

    /// What the test reports now; the ratio is that of requests slower than the boundary that speaks loudest.
    #[getter]
    fn evidence(&self, py: Python<'_>) -> PyResult<Evidence> {
        Ok(Evidence::of(self.lock(py)?.evidence(&self.design)))
    }

    /// The boundaries, ascending.
    #[getter]
    fn boundaries(&self) -> Vec<f64> {
        self.boundaries.clone()
    }

    /// The log evidence that decides.
    #[getter]
    fn threshold(&self) -> f64 {
        self.design.threshold()
    }

    /// How the test bets: "joint" (all buckets at once), "boundaries" (each by itself) or "clustered".
    #[getter]
    fn form(&self) -> &'static str {
        match self.design.form() {
            LatencyForm::Joint => "joint",
            LatencyForm::Boundaries => "boundaries",
            LatencyForm::Clustered => "clustered",
        }
    }

    /// Boundaries, settings and evidence as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let saved = Saved {
            format: FORMAT,
            boundaries: self.boundaries.clone(),
            settings: self.settings.clone(),
            state: *self.lock(py)?,
        };
        to_bytes(py, &saved)
    }

    /// The test that `to_bytes` wrote.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     ``HF-STAT-017`` to ``-019`` for bytes that no test wrote.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Saved { format, boundaries, settings, state } = from_bytes(bytes)?;
        if format != FORMAT {
            return Err(StatError::StateVersion { version: format }.into());
        }
        Self::made(boundaries, settings, Some(&state))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (form, log_e) = (self.form(), self.lock(py)?.log_e(&self.design));
        Ok(format!("<Latency {form}, {} boundaries, log_e {log_e:.3}>", self.boundaries.len()))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }
}

impl Latency {
    fn made(
        boundaries: Vec<f64>,
        settings: LatencySettings,
        state: Option<&State>,
    ) -> Result<Self> {
        check_boundaries(&boundaries)?;
        let design = LatencyDesign::try_new(&settings)?;
        let state = state.copied().unwrap_or_else(|| State::new(&design));
        state.check(&design)?;
        if boundaries.len() != design.boundaries() {
            return Err(StatError::DesignMismatch.into());
        }
        Ok(Self { boundaries, settings, design, state: Mutex::new(state) })
    }

    fn lock(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, State>> {
        self.state.lock_py_attached(py).map_err(poisoned)
    }

    /// Requests slower than each boundary, and all requests.
    fn slow(&self, reading: &Bound<'_, PyAny>) -> Result<(Vec<f64>, f64)> {
        let mut slow = vec![0.0; self.boundaries.len()];
        match read(reading)? {
            Times::Buckets(Histogram { le, counts, count }) => {
                slow_from_histogram(&self.boundaries, &le, &counts, count, &mut slow)?;
                Ok((slow, count))
            }
            Times::Samples(samples) => {
                slow_from_samples(&self.boundaries, &samples, &mut slow)?;
                Ok((slow, samples.len() as f64))
            }
        }
    }
}

enum Times {
    Buckets(Histogram),
    Samples(Vec<f64>),
}

fn read(reading: &Bound<'_, PyAny>) -> Result<Times> {
    let mut sample = None;
    read_sample(reading, &mut sample)?;
    match sample {
        Some(Sample::Histogram(histogram)) => Ok(Times::Buckets(histogram)),
        Some(Sample::Samples(samples)) => Ok(Times::Samples(samples)),
        Some(Sample::Pair(..) | Sample::Level(_) | Sample::Instances(_)) | None => {
            let expected = "times are {\"le\", \"counts\", \"count\"} or {\"samples\"}";
            Err(PyTypeError::new_err(expected).into())
        }
    }
}

/// Boundaries for a latency test from what the baseline did before the phase.
///
/// Near its p50, p75, p90, p95 and p99, and at twice the p99; for buckets the nearest of their edges.
///
/// Parameters
/// ----------
/// baseline : {"le", "counts", "count"} or {"samples"}
///     Of the window before the phase: picking boundaries from what is tested is invalid.
///
/// Returns
/// -------
/// list of float
///     1 to 6, ascending.
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-002``, ``-003``, ``-051`` and ``-052`` for readings that cannot be, or have no time.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.latency_boundaries({"samples": [ms / 1000 for ms in range(1, 1001)]})
/// [0.5, 0.75, 0.9, 0.95, 0.99, 1.98]
#[pyfunction]
pub(crate) fn latency_boundaries(baseline: &Bound<'_, PyAny>) -> Result<Vec<f64>> {
    Ok(match read(baseline)? {
        Times::Buckets(Histogram { le, counts, count }) => {
            boundaries_from_histogram(&le, &counts, count)?
        }
        Times::Samples(samples) => boundaries_from_samples(&samples)?,
    })
}
