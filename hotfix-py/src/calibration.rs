//! `hotfix.stats.calibrate`: threshold and cap from a history.

use std::collections::BTreeMap;

use hotfix_core::stats::replay::{self, Advice, Calibration as Core, CalibrationSettings, History};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};

use crate::document::document;
use crate::error::Result;
use crate::stats::counts;

document! {
    /// Threshold, cap and hold level for a rollback test, from what noise alone reached.
    ///
    /// Made by `calibrate`. Attributes and ``[]`` give the same, but for `advice`: sentences as an attribute, their
    /// figures in ``["advice"]``.
    Calibration(Core) in "hotfix.stats" {
        /// Log evidence that rolls back; at least ``log(1/alpha)``.
        fn threshold(this) -> f64 { this.threshold }
        /// Most that one tick may add to the log evidence of each ratio of the grid.
        fn cap(this) -> f64 { this.cap }
        /// Log evidence that holds the rollout for a look.
        fn hold(this) -> f64 { this.hold }
        /// Times the variance of independent errors, its upper limit; None where the history has no events.
        fn dispersion(this) -> Option<f64> { this.dispersion }
        /// How many windows of the phase's length each shard has; they overlap by three quarters.
        fn windows(this) -> usize { this.windows }
        /// How many pretended canaries were compared.
        fn shards(this) -> usize { this.shards }
        /// Instances of a pretended canary.
        fn canary_instances(this) -> usize { this.canary_instances }
        /// Whether a rollback also needs the evidence without each canary instance: see `LeaveOneOut`.
        fn leave_one_out(this) -> bool { this.leave_one_out }
        /// Events over trials of the history; None without trials.
        fn base_rate(this) -> Option<f64> { this.base_rate }
        /// Smallest ratio that the phase finds with power 0.8 at this threshold; None where it finds none.
        fn detectable(this) -> Option<f64> { this.detectable }
        /// ``log(1/alpha)`` over the threshold: the `temper` of a promotion test under the same noise.
        fn promotion_temper(this) -> f64 { this.promotion_temper() }
        /// What to know before relying on it.
        fn advice(this) -> Vec<String> { this.advice.iter().map(Advice::to_string).collect() }
    }
}

/// Threshold and cap for the rollback test, from the house's own history.
///
/// Runs the test over recorded ordinary operation, groups of instances as large as the canary as pretended canaries, in
/// windows of the phase's length, and sets the limits from what noise alone reached. Guaranteed: at most `alpha` false
/// rollbacks for independent errors; calibrated: noise that resembles the history.
///
/// Parameters
/// ----------
/// history : mapping
///     ``{instance: [[events, trials], ...]}``, a pair a tick; ``[0, 0]`` is a tick without data.
/// share : float
///     The canary's share of the traffic.
/// ticks : int
///     The phase's length.
/// alpha : float, default 0.01
///     Chance of ever rolling back a release that is no worse.
/// seed : int, default 0
///     Of the draws, where the share is over 0.25 and groups are drawn.
/// tolerated : float, default 1.0
///     The ratio that is tolerated.
/// grid, weights : sequence of float, optional
///     As in `RateRatio`.
/// temper : float, default 1.0
///     As in `RateRatio`.
/// horizon : int, optional
///     Planned ticks of the change-point form.
/// zones : sequence of sequence of str, optional
///     Where the canary is a zone: the zones' instances.
/// tick_seconds : float, default 10.0
///     Length of a tick; advice and `detectable` depend on it.
///
/// Returns
/// -------
/// Calibration
///
/// Raises
/// ------
/// StatsError
///     ``HF-STAT-033`` for a history shorter than the phase, ``-030`` to ``-037`` for a history or settings that are none.
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
    history, share, ticks, alpha=0.01, seed=0, *, tolerated=1.0, grid=None, weights=None, temper=1.0, horizon=None,
    zones=None, tick_seconds=10.0,
))]
#[expect(clippy::too_many_arguments, reason = "each is a keyword")]
pub(crate) fn calibrate(
    py: Python<'_>,
    history: &Bound<'_, PyAny>,
    share: f64,
    ticks: u32,
    alpha: f64,
    seed: u64,
    tolerated: f64,
    grid: Option<Vec<f64>>,
    weights: Option<Vec<f64>>,
    temper: f64,
    horizon: Option<u32>,
    zones: Option<Vec<Vec<String>>>,
    tick_seconds: f64,
) -> Result<Calibration> {
    let history = History::try_new(series(history)?)?;
    let settings = CalibrationSettings {
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

/// A dict or another mapping, as a dict of our own: while its values are read code of the caller's may run, under which no
/// dict can be walked.
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

pub(crate) fn series(history: &Bound<'_, PyAny>) -> Result<BTreeMap<String, Vec<[f64; 2]>>> {
    let mut read = BTreeMap::new();
    for (name, series) in &dict_of(history, "a history")? {
        let mut ticks = Vec::new();
        for pair in series.try_iter()? {
            let pair = counts(&pair?)?;
            ticks.push([pair.events, pair.trials]);
        }
        read.insert(name_of(&name)?, ticks);
    }
    Ok(read)
}
