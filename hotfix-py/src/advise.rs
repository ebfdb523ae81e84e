//! `hotfix.advise`: which values of a policy keep false rollbacks under a bound, at the least harm.

use std::collections::BTreeMap;

use hotfix_core::simulate as core;
use pyo3::prelude::*;

use crate::convert::{object, to_python};
use crate::document::document;
use crate::error::Result;
use crate::policy::Policy;
use crate::simulate::{Sum, on_threads};

document! {
    /// Which policies were tried, and which of them to take.
    Advice(core::Advice) {
        /// The share of false rollbacks that was allowed.
        fn most_false_rollbacks(this) -> f64 { this.most_false_rollbacks }
        /// Runs of each candidate in each scenario.
        fn runs(this) -> u64 { this.runs }
        /// The policy as it is, then every other combination in the order of the axes.
        fn candidates(this) -> Vec<Candidate> { this.candidates.iter().cloned().map(Candidate).collect() }
        /// The number of the candidate to take; None where none keeps the bound.
        fn best(this) -> Option<usize> { this.best }
    } {
        /// The candidates as a table in Markdown, the best first.
        fn to_markdown(&self) -> String {
            self.0.to_markdown()
        }
    }
}

document! {
    /// One policy that was tried.
    Candidate(core::Candidate) {
        /// What differs from the policy as it is, by place.
        fn changes(this, py) -> PyResult<BTreeMap<String, Py<PyAny>>> {
            this.changes.iter().map(|(at, value)| Ok((at.clone(), object(py, value)?.unbind()))).collect()
        }
        /// Why it could not be tried; None where it was.
        fn not_tried(this) -> Option<String> { this.not_tried.clone() }
        /// False rollbacks in the scenario that has most of them: "count", "of", "share", "low", "high".
        fn false_rollbacks(this, py) -> PyResult<Py<PyAny>> { Ok(to_python(py, &this.false_rollbacks)?.unbind()) }
        /// The most that they may be in any scenario, with 95 % over all candidates and scenarios together.
        fn at_most(this) -> f64 { this.at_most }
        /// Whether that is within the bound.
        fn keeps(this) -> bool { this.keeps }
        /// Of the runs in which the fix was worse: it never went back.
        fn missed_faults(this, py) -> PyResult<Py<PyAny>> { Ok(to_python(py, &this.missed_faults)?.unbind()) }
        /// It was complete at some time.
        fn completed(this, py) -> PyResult<Py<PyAny>> { Ok(to_python(py, &this.completed)?.unbind()) }
        /// Requests hurt by both versions, over all scenarios once: "mean", "low", "high".
        fn hurt(this, py) -> PyResult<Py<PyAny>> { Ok(to_python(py, &this.hurt)?.unbind()) }
    }
}

impl Sum for core::Scores {
    fn merge(&mut self, other: Self) -> std::result::Result<(), core::SimulationErrors> {
        Self::merge(self, &other);
        Ok(())
    }
}

/// The advice for a question; `hotfix.advise` is its face.
#[pyfunction]
#[pyo3(signature = (policy, question, threads=None, progress=None))]
pub(crate) fn _advise<'py>(
    py: Python<'py>,
    policy: &Bound<'py, Policy>,
    question: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'py, PyAny>>,
) -> Result<Advice> {
    let policy = &policy.get().0;
    let search = py.detach(|| core::Search::read(policy, question))?;
    let scores = on_threads(py, search.work(), threads, progress, |part| search.play(part))?;
    Ok(Advice(search.advice(&scores)))
}
