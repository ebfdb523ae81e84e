//! `hotfix.stats.Latency`: is the canary slower, from buckets or samples, at every evaluation?

use std::sync::Mutex;

use hotfix_core::metric::{Histogram, Sample};
use hotfix_core::stats::StatError;
use hotfix_core::stats::latency::{
    Latency as State, LatencyDesign, LatencyForm, LatencyMode, LatencySettings, SlowCounts,
    boundaries_from_histogram, boundaries_from_samples, check_boundaries, slow_from_histogram,
    slow_from_samples,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use crate::convert::one_of;
use crate::error::{Result, locked};
use crate::evidence::{Evidence, Reduced, from_bytes, to_bytes};
use crate::observation::read_sample;
use crate::stats::{check_claim, direction_of};
use crate::typed::Name;

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

/// A sequential test of whether the canary is slower than the baseline. It may be evaluated at
/// every tick.
///
/// By chance alone its e-value ever reaches ``1/alpha`` with probability at most `alpha`, however
/// often it is evaluated.
///
/// Parameters
/// ----------
/// boundaries : sequence of float
///     Ascending, 1 to 12, in the unit of the readings: see `latency_boundaries`. They stay for the
///     whole rollout.
/// direction : {"worse", "better"}, default "worse"
///     The claim to show: that the canary is slower than `tolerated`, or better than `margin`.
/// alpha : float, default 0.01
///     Probability of ever deciding while the null hypothesis is true.
/// tolerated : float, default 1.0
///     With "worse": the tolerated ratio of slow requests at every boundary. At 1 all buckets are
///     tested jointly, which detects a fault sooner.
/// margin : float, default 2.0
///     With "better": the null hypothesis is that slow requests are at least this many times the
///     baseline's.
/// cap : float, optional
///     Upper limit of the log evidence that one tick may add to a term. Use 0.5 to 0.7 for a
///     comparison of before and after, with an evaluation every 1 to 2 s.
/// threshold : float, optional
///     Log evidence at which the test decides; default ``log(1/alpha)``.
/// mode : {"independent", "clustered"}, default "independent"
///     The assumption about the requests of one tick. "clustered" assumes nothing, and detects a
///     fault later.
/// prior_trials : float, optional
///     Number of prior requests of the estimated rates; default 5.
/// temper : float, default 1.0
///     Factor on every gain, above 0 and at most 1: evidence under noise is worth less.
/// quantile : float, optional
///     With "better": the claim has to be shown at each boundary up to the one at or above this
///     quantile of the baseline. Default: on average over the boundaries.
///
/// Raises
/// ------
/// StatsError
///     For invalid settings.
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
        boundaries, direction: "_Direction" = "worse", alpha=0.01, tolerated=1.0, margin=2.0, cap=None, threshold=None, mode: "Literal[\"independent\", \"clustered\"]" = "independent", *,
        prior_trials=None, temper=1.0, quantile=None,
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
        temper: f64,
        quantile: Option<f64>,
    ) -> Result<Self> {
        let direction = direction_of(direction)?;
        check_claim(direction, tolerated, margin)?;
        let mode = one_of("mode", mode, LatencyMode::ALL, LatencyMode::as_str)?;
        let settings = LatencySettings {
            direction,
            alpha,
            tolerated,
            margin,
            boundaries: boundaries.len(),
            quantile,
            temper,
            cap,
            threshold,
            mode,
            prior_trials: prior_trials.unwrap_or(LatencySettings::default().prior_trials),
            ..LatencySettings::default()
        };
        Self::made(boundaries, settings, None)
    }

    /// Add the counts of one tick.
    ///
    /// Parameters
    /// ----------
    /// canary, baseline : {"le", "counts", "count"} or {"samples"}
    ///     As in a rollout's observation: cumulative buckets, of which every boundary is an edge,
    ///     or raw times.
    ///
    /// Returns
    /// -------
    /// Evidence
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For invalid readings; the test is unchanged.
    #[pyo3(signature = (canary: "Mapping[str, object]", baseline: "Mapping[str, object]"))]
    fn update(
        &self,
        py: Python<'_>,
        canary: &Bound<'_, PyAny>,
        baseline: &Bound<'_, PyAny>,
    ) -> Result<Evidence> {
        let (slow_c, of_c) = self.slow(canary)?;
        let (slow_b, of_b) = self.slow(baseline)?;
        let mut state = locked(py, &self.state)?;
        let (canary, baseline) = (SlowCounts::new(&slow_c, of_c), SlowCounts::new(&slow_b, of_b));
        state.update(&self.design, canary, baseline)?;
        Ok(Evidence::of(state.evidence(&self.design)))
    }

    /// The evidence so far; the ratio is that of requests slower than the boundary with the
    /// strongest evidence.
    #[getter]
    fn evidence(&self, py: Python<'_>) -> PyResult<Evidence> {
        Ok(Evidence::of(locked(py, &self.state)?.evidence(&self.design)))
    }

    /// The boundaries, ascending.
    #[getter]
    fn boundaries(&self) -> Vec<f64> {
        self.boundaries.clone()
    }

    /// The log evidence at which the test decides.
    #[getter]
    fn threshold(&self) -> f64 {
        self.design.threshold()
    }

    /// The form of the test: "joint" (all buckets together), "boundaries" (each by itself) or
    /// "clustered".
    #[getter]
    fn form(&self) -> Name<LatencyForm> {
        self.design.form().into()
    }

    /// Boundaries, settings and evidence as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let saved = Saved {
            format: FORMAT,
            boundaries: self.boundaries.clone(),
            settings: self.settings.clone(),
            state: *locked(py, &self.state)?,
        };
        to_bytes(py, &saved)
    }

    /// Restore the test that `to_bytes` wrote.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For bytes that are not a saved test.
    #[staticmethod]
    fn from_bytes(bytes: PyBackedBytes) -> Result<Self> {
        let Saved { format, boundaries, settings, state } = from_bytes(&bytes)?;
        if format != FORMAT {
            return Err(StatError::StateVersion { version: format }.into());
        }
        Self::made(boundaries, settings, Some(&state))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (form, log_e) = (self.design.form(), locked(py, &self.state)?.log_e(&self.design));
        Ok(format!("<Latency {form}, {} boundaries, log_e {log_e:.3}>", self.boundaries.len()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
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

/// Choose boundaries for a latency test from the baseline's latencies before the phase.
///
/// They are near its p50, p75, p90, p95 and p99, and at twice the p99. With buckets they are the
/// nearest bucket edges.
///
/// Parameters
/// ----------
/// baseline : {"le", "counts", "count"} or {"samples"}
///     The window before the phase. Boundaries that are chosen from the tested data make the test
///     invalid.
///
/// Returns
/// -------
/// list of float
///     1 to 6, ascending.
///
/// Raises
/// ------
/// StatsError
///     For invalid readings, and readings without any latency.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> hotfix.stats.latency_boundaries({"samples": [ms / 1000 for ms in range(1, 1001)]})
/// [0.5, 0.75, 0.9, 0.95, 0.99, 1.98]
#[pyfunction]
#[pyo3(signature = (baseline: "Mapping[str, object]"))]
pub(crate) fn latency_boundaries(baseline: &Bound<'_, PyAny>) -> Result<Vec<f64>> {
    Ok(match read(baseline)? {
        Times::Buckets(Histogram { le, counts, count }) => {
            boundaries_from_histogram(&le, &counts, count)?
        }
        Times::Samples(samples) => boundaries_from_samples(&samples)?,
    })
}
