//! Simulations on all cores, without the lock of the interpreter.

use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use hotfix_core::plan::Plan as Core;
use hotfix_core::simulate::{
    Campaign, Comparison, Pairs, Scenario, SimulationErrors, SimulationFault, Tally,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyString};
use serde_json::json;

use crate::convert::{self, to_python, utf8, whole_numbers};
use crate::error::{Fault, Result};
use crate::plan::Plan;
use crate::policy::Policy;

/// Number of runs of one thread between checks whether to stop.
const PART: u64 = 64;

/// How often Python is asked for an interrupt (Ctrl-C).
const LOOK: Duration = Duration::from_millis(100);

fn plan_of(subject: &Bound<'_, PyAny>, scenario: &Scenario) -> Result<Core> {
    if let Ok(plan) = subject.cast::<Plan>() {
        return Ok(plan.get().0.clone());
    }
    match subject.cast::<Policy>() {
        Ok(policy) => Ok(scenario.plan(std::sync::Arc::clone(&policy.get().0))?),
        Err(_) => Err(PyTypeError::new_err("a Policy or a Plan is needed").into()),
    }
}

/// A result that threads add up.
pub(crate) trait Sum: Send + Sized {
    fn merge(&mut self, other: Self) -> std::result::Result<(), SimulationErrors>;
}

impl Sum for Tally {
    fn merge(&mut self, other: Self) -> std::result::Result<(), SimulationErrors> {
        Self::merge(self, other)
    }
}

impl Sum for Pairs {
    fn merge(&mut self, other: Self) -> std::result::Result<(), SimulationErrors> {
        Self::merge(self, other)
    }
}

/// Simulates runs on a number of threads and adds up the results; it reports progress, and stops if
/// Python requests it.
pub(crate) fn on_threads<S: Sum>(
    py: Python<'_>,
    runs: u64,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    play: impl Fn(Range<u64>) -> S + Sync,
) -> Result<S> {
    let available = std::thread::available_parallelism().map_or(1, NonZero::get);
    let parts = usize::try_from(runs.div_ceil(PART)).unwrap_or(usize::MAX);
    let threads = threads.unwrap_or(available).clamp(1, parts.max(1));
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (done, came) = (Mutex::new((0_u64, threads)), Condvar::new());
    let lock = || done.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        let mut all = play(0..0);
        let mut failed = None;
        while !stop.load(Ordering::Relaxed) {
            let from = next.fetch_add(PART, Ordering::Relaxed);
            if from >= runs {
                break;
            }
            let to = runs.min(from.saturating_add(PART));
            if let Err(errors) = all.merge(play(from..to)) {
                failed = Some(errors);
                break;
            }
            lock().0 += to - from;
            came.notify_one();
        }
        lock().1 -= 1;
        came.notify_one();
        failed.map_or(Ok(all), Err)
    };
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut told = None;
        let mut asked = Ok(());
        loop {
            let (played, left) = py.detach(|| {
                let (now, _) =
                    came.wait_timeout(lock(), LOOK).unwrap_or_else(PoisonError::into_inner);
                *now
            });
            asked = asked.and_then(|()| py.check_signals());
            if let (Ok(()), Some(progress)) = (&asked, progress)
                && told != Some(played)
            {
                told = Some(played);
                asked = progress.call1((played, runs)).map(drop);
            }
            if asked.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            if left == 0 || handles.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
        let mut all: Option<S> = None;
        for handle in handles {
            let part = py.detach(|| handle.join());
            let part =
                part.map_err(|_| PyRuntimeError::new_err("a simulated run did not complete"))?;
            match &mut all {
                Some(all) => all.merge(part?)?,
                None => all = Some(part?),
            }
        }
        asked?;
        if let Some(progress) = progress.filter(|_| told != Some(runs)) {
            progress.call1((runs, runs))?;
        }
        Ok(all.unwrap_or_else(|| play(0..0)))
    })
}

fn campaign(
    subject: &Bound<'_, PyAny>,
    scenario: &Scenario,
    seed: Option<u64>,
) -> Result<Campaign> {
    let plan = plan_of(subject, scenario)?;
    let seed = seed.unwrap_or_else(|| scenario.seed());
    Ok(Campaign::try_new(plan, scenario, seed)?)
}

/// A scenario, which is a text or a mapping.
fn scenario_of(scenario: &Bound<'_, PyAny>) -> Result<Scenario> {
    if let Ok(text) = scenario.cast::<PyString>() {
        return Ok(Scenario::read(utf8(text).map_err(Fault::of::<SimulationFault>)?)?);
    }
    if !scenario.is_instance_of::<PyMapping>() {
        let kind = scenario.get_type();
        let text = format!("a scenario is a text or a dict such as {{'until': '2h'}}, not {kind}");
        return Err(PyTypeError::new_err(text).into());
    }
    let document = convert::json(scenario).map_err(Fault::of::<SimulationFault>)?;
    Ok(Scenario::from_value(&document)?)
}

/// The outcome table of many runs; `hotfix.simulate` calls it.
#[pyfunction]
#[pyo3(signature = (subject: "Policy | Plan", scenario: "str | Mapping[str, Any]", runs: "int", seed: "int | None" = None, threads: "int | None" = None, progress: "Callable[[int, int], object] | None" = None) -> "SimulationOutcome")]
pub(crate) fn _simulate<'py>(
    subject: &Bound<'py, PyAny>,
    scenario: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = whole_numbers)] runs: u64,
    #[pyo3(from_py_with = whole_numbers)] seed: Option<u64>,
    #[pyo3(from_py_with = whole_numbers)] threads: Option<usize>,
    progress: Option<&Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>> {
    let py = subject.py();
    let campaign = campaign(subject, &scenario_of(scenario)?, seed)?;
    let tally = on_threads(py, runs, threads, progress, |part| campaign.tally(part))?;
    Ok(to_python(py, &tally.outcome())?)
}

/// The table of differences of two plans; `hotfix.compare` calls it.
#[pyfunction]
#[pyo3(signature = (first: "Policy | Plan", second: "Policy | Plan", scenario: "str | Mapping[str, Any]", runs: "int", seed: "int | None" = None, threads: "int | None" = None, progress: "Callable[[int, int], object] | None" = None) -> "Differences")]
pub(crate) fn _compare<'py>(
    first: &Bound<'py, PyAny>,
    second: &Bound<'py, PyAny>,
    scenario: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = whole_numbers)] runs: u64,
    #[pyo3(from_py_with = whole_numbers)] seed: Option<u64>,
    #[pyo3(from_py_with = whole_numbers)] threads: Option<usize>,
    progress: Option<&Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>> {
    let py = first.py();
    let scenario = scenario_of(scenario)?;
    let (first, second) = (campaign(first, &scenario, seed)?, campaign(second, &scenario, seed)?);
    let comparison = Comparison::try_new(first, second)?;
    let pairs = on_threads(py, runs, threads, progress, |part| comparison.pairs(part))?;
    Ok(to_python(py, &pairs.differences())?)
}

/// One run with its log; `hotfix.drill` calls it.
#[pyfunction]
#[pyo3(signature = (subject: "Policy | Plan", scenario: "str | Mapping[str, Any]", seed: "int | None" = None, number: "int" = 0) -> "DrillRun")]
pub(crate) fn _drill<'py>(
    subject: &Bound<'py, PyAny>,
    scenario: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = whole_numbers)] seed: Option<u64>,
    #[pyo3(from_py_with = whole_numbers)] number: u64,
) -> Result<Bound<'py, PyAny>> {
    let py = subject.py();
    let scenario = scenario_of(scenario)?;
    let campaign = campaign(subject, &scenario, seed)?;
    let (player, truth) = py.detach(|| campaign.drill(number))?;
    let drill = json!({
        "run": player.run(),
        "truth": truth,
        "unmet": scenario.unmet(player.run()),
        "log": player.rollout().log(),
    });
    Ok(to_python(py, &drill)?)
}
