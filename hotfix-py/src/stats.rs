//! `hotfix.stats`: tests and intervals without a rollout.

use std::sync::{Arc, Mutex};

use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, CountSettings};
use hotfix_core::stats::interval::Interval;
use hotfix_core::stats::rate_ratio::{RateRatio as Poisson, RateRatioDesign};
use hotfix_core::stats::replay::CountModel as Model;
use hotfix_core::stats::{Counts, Direction, Evidence as Figures, StatError, Totals, interval};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use crate::convert::{one_of, whole_numbers};
use crate::error::{Result, locked};
use crate::evidence::{Evidence, Reduced, Strata, add, from_bytes, key_of, to_bytes};
use crate::observation::{is_no_list, number};

pub(crate) fn model_of(name: &str) -> Result<Model> {
    one_of("model", name, Model::ALL, Model::as_str)
}

/// A checked test and its evidence.
#[derive(Clone, Debug)]
enum Test {
    Poisson(Box<RateRatioDesign>, Poisson),
    Bernoulli(Box<BernoulliDesign>, Bernoulli),
}

impl Test {
    fn try_new(settings: &CountSettings) -> Result<Self> {
        Ok(match settings.model {
            Model::Poisson => {
                let design = RateRatioDesign::try_new(settings)?;
                let state = Poisson::new(&design);
                Self::Poisson(Box::new(design), state)
            }
            Model::Bernoulli => {
                let design = BernoulliDesign::try_new(settings)?;
                let state = Bernoulli::new(&design);
                Self::Bernoulli(Box::new(design), state)
            }
        })
    }

    fn update(&mut self, canary: Counts, baseline: Counts) -> std::result::Result<bool, StatError> {
        match self {
            Self::Poisson(design, state) => state.update(design, canary, baseline),
            Self::Bernoulli(design, state) => state.update(design, canary, baseline),
        }
    }

    /// Whether the state is of this design.
    fn check(&self) -> std::result::Result<(), StatError> {
        match self {
            Self::Poisson(design, state) => state.check(design),
            Self::Bernoulli(design, state) => state.check(design),
        }
    }

    fn evidence(&self) -> Figures {
        match self {
            Self::Poisson(design, state) => state.evidence(design),
            Self::Bernoulli(design, state) => state.evidence(design),
        }
    }

    fn threshold(&self) -> f64 {
        match self {
            Self::Poisson(design, _) => design.threshold(),
            Self::Bernoulli(design, _) => design.threshold(),
        }
    }
}

#[derive(Clone, Debug)]
struct State {
    test: Test,
    strata: Arc<Strata>,
}

/// The bytes of a test.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: u32,
    settings: CountSettings,
    state: SavedState,
    strata: Strata,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedState {
    Poisson(Poisson),
    Bernoulli(Bernoulli),
}

const FORMAT: u32 = 1;

/// A sequential test of the canary's rate against the baseline's. It may be evaluated at every
/// tick.
///
/// Its evidence is an e-value: by chance alone it ever reaches ``1/alpha`` with probability at most
/// `alpha`, however often it is evaluated.
///
/// Parameters
/// ----------
/// direction : {"worse", "better"}, default "worse"
///     The claim to show: that the canary is worse than `tolerated`, or better than `margin`.
/// alpha : float, default 0.01
///     Probability of ever deciding while the null hypothesis is true.
/// tolerated : float, default 1.0
///     With "worse": the null hypothesis is ``ratio <= tolerated``.
/// margin : float, default 2.0
///     With "better": the null hypothesis is ``ratio >= margin``; a margin of at most 1 is a claim
///     of efficacy.
/// grid, weights : sequence of float, optional
///     The ratios above 1 of the alternatives (inverted for "better"), and their weights, which sum
///     to 1.
/// model : {"poisson", "bernoulli"}, default "poisson"
///     "poisson" for counts and rare proportions, "bernoulli" for proportions above about 5%.
/// temper : float, default 1.0
///     Factor on the evidence of every tick, above 0 and at most 1: with noise, evidence counts
///     less.
/// cap : float, optional
///     Upper limit of the log evidence that a tick may add to an alternative, after `temper`: one
///     burst of errors cannot decide.
/// threshold : float, optional
///     Log evidence at which the test decides; default ``log(1/alpha)``. The probability of ever
///     deciding while the null hypothesis is true is at most ``exp(-threshold)``.
/// horizon : int, optional
///     Number of planned ticks: enables the change-point mixture, which detects faults that start
///     late. A tick without data counts too, so send ``(0, 0)``.
/// prior_trials : float, optional
///     With "bernoulli": number of prior trials of the estimated rate; default 50.
///
/// Raises
/// ------
/// StatsError
///     For invalid settings.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> test = hotfix.stats.RateRatio(alpha=0.01)
/// >>> for _ in range(6):  # ten seconds each: 3% errors in the canary, 0.3% in the baseline
/// ...     evidence = test.update((2, 67), (2, 600))
/// >>> evidence.decided, evidence.p_value < 0.01
/// (True, True)
/// >>> low, high = evidence.interval
/// >>> low < evidence.ratio < high
/// True
#[pyclass(frozen, module = "hotfix.stats")]
#[derive(Debug)]
pub(crate) struct RateRatio {
    settings: CountSettings,
    state: Mutex<State>,
}

#[pymethods]
impl RateRatio {
    #[new]
    #[pyo3(signature = (
        direction: "_Direction" = "worse", alpha=0.01, tolerated=1.0, margin=2.0, grid=None, weights=None, model: "_Model" = "poisson",
        temper=1.0, cap=None, threshold=None, horizon: "int | None" = None, *, prior_trials=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "the names are the design's")]
    fn new(
        direction: &str,
        alpha: f64,
        tolerated: f64,
        margin: f64,
        grid: Option<Vec<f64>>,
        weights: Option<Vec<f64>>,
        model: &str,
        temper: f64,
        cap: Option<f64>,
        threshold: Option<f64>,
        #[pyo3(from_py_with = whole_numbers)] horizon: Option<u32>,
        prior_trials: Option<f64>,
    ) -> Result<Self> {
        let direction = direction_of(direction)?;
        check_claim(direction, tolerated, margin)?;
        let model = model_of(model)?;
        if prior_trials.is_some() && model == Model::Poisson {
            let error = PyTypeError::new_err("`prior_trials` belongs to model \"bernoulli\"");
            return Err(error.into());
        }
        let prior_trials = prior_trials.unwrap_or(CountSettings::default().prior_trials);
        let settings = CountSettings {
            model,
            direction,
            alpha,
            tolerated,
            margin,
            grid,
            weights,
            prior_trials,
            temper,
            cap,
            threshold,
            horizon,
        };
        let state = State { test: Test::try_new(&settings)?, strata: Arc::default() };
        Ok(Self { settings, state: Mutex::new(state) })
    }

    /// Add the counts of one tick.
    ///
    /// Parameters
    /// ----------
    /// canary, baseline : (float, float)
    ///     Events, and the trials or the exposure in which they occurred.
    ///
    /// Returns
    /// -------
    /// Evidence
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For invalid counts; the test is unchanged.
    ///
    /// Examples
    /// --------
    /// A fault that starts late is detected only with a horizon.
    ///
    /// >>> import hotfix
    /// >>> plain, planned = hotfix.stats.RateRatio(), hotfix.stats.RateRatio(horizon=300)
    /// >>> for tick in range(200):
    /// ...     canary = (2, 17) if tick >= 190 else (0, 17)
    /// ...     late = plain.update(canary, (1, 150)).decided, planned.update(canary, (1, 150)).decided
    /// >>> late
    /// (False, True)
    #[pyo3(signature = (canary: "_Counts", baseline: "_Counts"))]
    fn update(
        &self,
        py: Python<'_>,
        canary: &Bound<'_, PyAny>,
        baseline: &Bound<'_, PyAny>,
    ) -> Result<Evidence> {
        let (canary, baseline) = (counts(canary)?, counts(baseline)?);
        let mut state = locked(py, &self.state)?;
        state.test.update(canary, baseline)?;
        Self::remember(&mut state, canary, baseline);
        Ok(self.report(&state))
    }

    /// Add the evidence of another test with the same settings. The result equals one test that
    /// received the data of both.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     If the settings differ; with ``model="bernoulli"``, whose evidence depends on the order
    ///     of the ticks; and with a horizon, because the evidence then depends on the time of the
    ///     ticks.
    fn merge(&self, py: Python<'_>, other: &Bound<'_, Self>) -> Result<Evidence> {
        // One lock after the other, so that two merges in opposite directions cannot deadlock.
        let other = locked(py, &other.get().state)?.clone();
        let mut state = locked(py, &self.state)?;
        match (&mut state.test, &other.test) {
            (Test::Poisson(design, state), Test::Poisson(_, other)) => {
                state.merge(design, other)?
            }
            _ => return Err(StatError::NotMergeable { of: "the Bernoulli test" }.into()),
        };
        for (key, totals) in &*other.strata {
            add(Arc::make_mut(&mut state.strata), *key, totals);
        }
        Ok(self.report(&state))
    }

    /// Add one tick of strata, such as regions, whose log likelihoods are summed.
    ///
    /// Parameters
    /// ----------
    /// strata : sequence of ((float, float), (float, float))
    ///     Canary and baseline of each stratum, as in `update`. A cap limits the sum; a horizon
    ///     counts one tick.
    ///
    /// Returns
    /// -------
    /// Evidence
    ///     Its `ratio` uses the sums over strata; its `interval` is stratified, and the fair figure.
    ///
    /// Raises
    /// ------
    /// StatsError
    ///     For invalid counts; the test is unchanged.
    /// TypeError
    ///     With ``model="bernoulli"``, which has no strata.
    ///
    /// Examples
    /// --------
    /// >>> import hotfix
    /// >>> test = hotfix.stats.RateRatio()
    /// >>> phones, desks = ((30, 900), (33, 1000)), ((0, 100), (8, 8000))
    /// >>> test.update_strata([phones, desks]).decided
    /// False
    #[pyo3(signature = (strata: "Iterable[tuple[_Counts, _Counts]]"))]
    fn update_strata(&self, py: Python<'_>, strata: &Bound<'_, PyAny>) -> Result<Evidence> {
        let mut pairs = Vec::new();
        for stratum in strata.try_iter()? {
            let mut arms = stratum?.try_iter()?;
            match (arms.next().transpose()?, arms.next().transpose()?, arms.next()) {
                (Some(canary), Some(baseline), None) => {
                    pairs.push((counts(&canary)?, counts(&baseline)?));
                }
                _ => return Err(PyTypeError::new_err("a stratum is (canary, baseline)").into()),
            }
        }
        let mut state = locked(py, &self.state)?;
        match &mut state.test {
            Test::Poisson(design, state) => state.update_strata(design, &pairs)?,
            Test::Bernoulli(..) => {
                return Err(PyTypeError::new_err("strata belong to model \"poisson\"").into());
            }
        };
        for (canary, baseline) in pairs {
            Self::remember(&mut state, canary, baseline);
        }
        Ok(self.report(&state))
    }

    /// The evidence so far.
    #[getter]
    fn evidence(&self, py: Python<'_>) -> PyResult<Evidence> {
        Ok(self.report(&*locked(py, &self.state)?))
    }

    /// The log evidence at which the test decides: ``log(1/alpha)`` unless another was given.
    #[getter]
    fn threshold(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(locked(py, &self.state)?.test.threshold())
    }

    /// Settings and evidence as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let State { test, strata } = locked(py, &self.state)?.clone();
        let state = match test {
            Test::Poisson(_, state) => SavedState::Poisson(state),
            Test::Bernoulli(_, state) => SavedState::Bernoulli(state),
        };
        let saved = Saved {
            format: FORMAT,
            settings: self.settings.clone(),
            state,
            strata: (*strata).clone(),
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
        let Saved { format, settings, state, strata } = from_bytes(&bytes)?;
        if format != FORMAT {
            return Err(StatError::StateVersion { version: format }.into());
        }
        let mut test = Test::try_new(&settings)?;
        match (&mut test, state) {
            (Test::Poisson(_, slot), SavedState::Poisson(state)) => *slot = state,
            (Test::Bernoulli(_, slot), SavedState::Bernoulli(state)) => *slot = state,
            _ => return Err(StatError::DesignMismatch.into()),
        }
        test.check()?;
        Ok(Self { settings, state: Mutex::new(State { test, strata: Arc::new(strata) }) })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let CountSettings { model, direction, alpha, .. } = &self.settings;
        let log_e = locked(py, &self.state)?.test.evidence().log_e;
        let (model, direction) = (model.as_str(), direction.as_str());
        Ok(format!("<RateRatio {model}, {direction}, alpha {alpha}, log_e {log_e:.3}>"))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }
}

impl RateRatio {
    /// Keeps the ticks that an interval is computed from: those with events, and with trials in
    /// both arms.
    fn remember(state: &mut State, canary: Counts, baseline: Counts) {
        if canary.trials > 0.0 && baseline.trials > 0.0 && canary.events + baseline.events > 0.0 {
            add(
                Arc::make_mut(&mut state.strata),
                key_of(canary, baseline),
                &Totals { canary, baseline },
            );
        }
    }

    fn report(&self, state: &State) -> Evidence {
        // Its proof does not need Poisson counts, so it is also valid for proportions of the other
        // model.
        let compared = (Arc::clone(&state.strata), 1.0 - self.settings.alpha);
        Evidence::compared(state.test.evidence(), Some(compared))
    }
}

pub(crate) fn counts(pair: &Bound<'_, PyAny>) -> Result<Counts> {
    let wrong = || PyTypeError::new_err("counts are two numbers: (events, trials)");
    if is_no_list(pair) {
        return Err(wrong().into());
    }
    let mut items = pair.try_iter()?;
    match (items.next().transpose()?, items.next().transpose()?, items.next()) {
        (Some(events), Some(trials), None) => Ok(Counts::new(figure(&events)?, figure(&trials)?)),
        _ => Err(wrong().into()),
    }
}

fn figure(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let no_number =
        || PyTypeError::new_err(format!("counts are numbers, not {}", value.get_type()));
    number(value).map_err(|fault| fault.into_faults().map_or_else(PyErr::from, |_| no_number()))
}

/// Reads the direction.
pub(crate) fn direction_of(word: &str) -> Result<Direction> {
    one_of("direction", word, Direction::ALL, Direction::as_str)
}

/// Refuses what another direction asks for: it has no effect.
pub(crate) fn check_claim(direction: Direction, tolerated: f64, margin: f64) -> Result<()> {
    let fault = direction.without_effect(tolerated, margin);
    fault.map_or(Ok(()), |(_, text)| Err(PyTypeError::new_err(text).into()))
}

/// Wilson's interval for one proportion; valid for one evaluation only.
///
/// Parameters
/// ----------
/// events, trials : float
///     Events and trials; without trials the interval is 0 to 1.
/// confidence : float, default 0.95
///     Two-sided.
///
/// Returns
/// -------
/// (float, float)
///
/// Raises
/// ------
/// StatsError
///     For invalid counts or an invalid confidence.
///
/// Examples
/// --------
/// >>> import hotfix
/// >>> low, high = hotfix.stats.wilson(3, 1000)
/// >>> round(low, 5), round(high, 5)
/// (0.00102, 0.00878)
#[pyfunction]
#[pyo3(signature = (events, trials, confidence=0.95))]
pub(crate) fn wilson(events: f64, trials: f64, confidence: f64) -> Result<(f64, f64)> {
    let Interval { low, high } = interval::wilson(Counts::new(events, trials), confidence)?;
    Ok((low, high))
}
