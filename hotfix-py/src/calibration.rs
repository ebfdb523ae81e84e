//! `hotfix.stats.calibrate`: threshold and cap calibrated on a history.

use std::collections::BTreeMap;

use hotfix_core::stats::replay::{self, Advice, Calibration as Core, CalibrationSettings, History};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};

use crate::convert::whole_numbers;
use crate::document::document;
use crate::error::Result;
use crate::stats::{counts, model_of};
use crate::typed::{FiguresByName, Json};

document! {
    /// Threshold, cap and hold level for a rollback test, calibrated on the noise of a history.
    ///
    /// Made by `calibrate`. Attributes and ``[]`` give the same values, except `advice`: the
    /// attribute has sentences, ``["advice"]`` has their figures.
    Calibration(Core) in "hotfix.stats" {
        /// Log evidence that rolls back; at least ``log(1/alpha)``.
        fn threshold(this) -> f64 { this.threshold }
        /// Upper limit of the log evidence that one tick may add for each ratio of the grid.
        fn cap(this) -> f64 { this.cap }
        /// Log evidence at which the rollout holds.
        fn hold(this) -> f64 { this.hold }
        /// Upper limit of the dispersion: the variance as a multiple of that of independent errors;
        /// None if the history has no events.
        fn dispersion(this) -> Option<f64> { this.dispersion }
        /// The number of windows of the phase's length in each shard; they overlap by three
        /// quarters.
        fn windows(this) -> usize { this.windows }
        /// The number of simulated canaries that were compared.
        fn shards(this) -> usize { this.shards }
        /// The number of instances of a simulated canary.
        fn canary_instances(this) -> usize { this.canary_instances }
        /// Whether a rollback also needs enough evidence without each single canary instance.
        fn leave_one_out(this) -> bool { this.leave_one_out }
        /// ``threshold``, ``cap``, ``hold`` and ``clip_rate`` where the counts of both arms come by
        /// instance: limits for the smaller of the evidence and 1.6 times that without any single
        /// canary instance, of clipped counts: lower where single instances have bursts, and else
        /// sometimes higher. The judge uses them; None if the history has no events, and with
        /// the model ``bernoulli``.
        fn by_instance(this) -> Option<Json<FiguresByName>> { this.by_instance.as_ref().map(Json::of) }
        /// Events divided by trials of the history; None without trials.
        fn base_rate(this) -> Option<f64> { this.base_rate }
        /// Smallest ratio that the phase detects with power 0.8 at this threshold; None if there is
        /// no such ratio.
        fn detectable(this) -> Option<f64> { this.detectable }
        /// ``log(1/alpha)`` divided by the threshold: the `temper` of a promotion test with the
        /// same noise.
        fn promotion_temper(this) -> f64 { this.promotion_temper() }
        /// Advice to read before you rely on the calibration.
        fn advice(this) -> Vec<String> { this.advice.iter().map(Advice::to_string).collect() }
    }
}

/// Calibrate threshold and cap of the rollback test on the service's own history.
///
/// Runs the test on recorded normal operation. Groups of instances as large as the canary act as
/// canaries, in windows of the phase's length, and the limits follow from the evidence that noise
/// alone produced. At most `alpha` false rollbacks are guaranteed for independent errors, and
/// calibrated for noise that resembles the history.
///
/// Parameters
/// ----------
/// history : mapping
///     ``{instance: [[events, trials], ...]}``, one pair for each tick; ``[0, 0]`` is a tick
///     without data. With ``model="poisson"`` trials may be an exposure, so more events than
///     trials are accepted: check the counts of a proportion, whose two numbers may be swapped.
/// share : float
///     The canary's share of the traffic.
/// ticks : int
///     The phase's length.
/// alpha : float, default 0.01
///     Probability of ever rolling back a release that is not worse.
/// seed : int, default 0
///     Seed of the random groups, which are used if the share is above 0.25.
/// tolerated : float, default 1.0
///     The tolerated ratio.
/// grid, weights : sequence of float, optional
///     As in `RateRatio`.
/// temper : float, default 1.0
///     As in `RateRatio`.
/// horizon : int, optional
///     Planned ticks of the change-point form.
/// zones : sequence of sequence of str, optional
///     If the canary is a zone: the instances of each zone.
/// tick_seconds : float, default 10.0
///     Length of a tick; only advice and `detectable` depend on it.
/// model : {"poisson", "bernoulli"}, default "poisson"
///     The test, as in `RateRatio`. With "bernoulli" there are no limits by instance.
///
/// Returns
/// -------
/// Calibration
///
/// Raises
/// ------
/// StatsError
///     For invalid settings, and for a history that is invalid or shorter than the phase.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> history = {f"pod-{pod}": [[1 if tick % 100 == pod * 10 else 0, 100] for tick in range(2160)] for pod in range(10)}
/// >>> limits = hotfix.stats.calibrate(history, share=0.1, ticks=60)
/// >>> round(limits.threshold, 2), limits.hold < limits.threshold
/// (4.61, True)
/// >>> test = hotfix.stats.RateRatio(cap=limits.cap, threshold=limits.threshold)
#[pyfunction]
#[pyo3(signature = (
    history: "Mapping[str, Iterable[_Counts]]", share, ticks: "int", alpha=0.01, seed: "int" = 0, *, tolerated=1.0, grid=None, weights=None, temper=1.0, horizon: "int | None" = None,
    zones=None, tick_seconds=10.0, model: "_Model" = "poisson",
))]
#[expect(clippy::too_many_arguments, reason = "each is a keyword")]
pub(crate) fn calibrate(
    py: Python<'_>,
    history: &Bound<'_, PyAny>,
    share: f64,
    #[pyo3(from_py_with = whole_numbers)] ticks: u32,
    alpha: f64,
    #[pyo3(from_py_with = whole_numbers)] seed: u64,
    tolerated: f64,
    grid: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    temper: f64,
    #[pyo3(from_py_with = whole_numbers)] horizon: Option<u32>,
    zones: Option<Vec<Vec<String>>>,
    tick_seconds: f64,
    model: &str,
) -> Result<Calibration> {
    let model = model_of(model)?;
    let history = History::try_new(series(history)?)?;
    let settings = CalibrationSettings {
        model,
        share,
        ticks,
        alpha,
        tolerated,
        grid,
        weights,
        temper,
        horizon,
        zones,
        tick_seconds,
        seed,
    };
    Ok(Calibration(py.detach(|| replay::calibrate(&history, &settings))?))
}

/// Copies a dict or another mapping: the caller's code may run while its values are read, and it
/// could change the dict.
pub(crate) fn dict_of<'py>(mapping: &Bound<'py, PyAny>, what: &str) -> Result<Bound<'py, PyDict>> {
    let known = mapping.cast::<PyMapping>().map_err(|_| {
        PyTypeError::new_err(format!("{what} is a dict by instance, not {}", mapping.get_type()))
    })?;
    let dict = PyDict::new(mapping.py());
    dict.update(known)?;
    Ok(dict)
}

/// The name of an instance.
pub(crate) fn name_of(key: &Bound<'_, PyAny>) -> Result<String> {
    let text = key.cast::<PyString>().map_err(|_| {
        PyTypeError::new_err(format!("an instance's name is text, not {}", key.get_type()))
    })?;
    Ok(text.to_str()?.to_owned())
}

/// Counts of each tick, by instance.
pub(crate) fn series(history: &Bound<'_, PyAny>) -> Result<BTreeMap<String, Vec<[f64; 2]>>> {
    by_instance(history, |pair| counts(pair).map(|pair| [pair.events, pair.trials]))
}

/// Rows of request times by instance.
pub(crate) fn rows(history: &Bound<'_, PyAny>) -> Result<BTreeMap<String, Vec<Vec<f64>>>> {
    by_instance(history, |row| Ok(row.extract()?))
}

fn by_instance<T>(
    history: &Bound<'_, PyAny>,
    tick: impl Fn(&Bound<'_, PyAny>) -> Result<T>,
) -> Result<BTreeMap<String, Vec<T>>> {
    let mut read = BTreeMap::new();
    for (name, series) in &dict_of(history, "a history")? {
        let ticks: Result<Vec<T>> = series.try_iter()?.map(|of| tick(&of?)).collect();
        read.insert(name_of(&name)?, ticks?);
    }
    Ok(read)
}
