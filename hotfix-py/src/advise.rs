//! `hotfix.advise`: the values of a policy that keep false rollbacks below a bound, at the least
//! harm.

use hotfix_core::simulate as core;
use pyo3::prelude::*;

use crate::convert::{json, whole_numbers};
use crate::document::document;
use crate::error::{Fault, Result};
use crate::policy::Policy;
use crate::simulate::{Sum, on_threads};
use crate::typed::{Json, Mean, Rate};

document! {
    /// The policies that were simulated, and the recommended one.
    Advice(core::Advice) {
        /// The allowed share of false rollbacks.
        fn most_false_rollbacks(this) -> f64 { this.most_false_rollbacks }
        /// Runs of each candidate in each scenario.
        fn runs(this) -> u64 { this.runs }
        /// The policy as it is, then every other combination in the order of the axes.
        fn candidates(this) -> Vec<Candidate> { this.candidates.iter().cloned().map(Candidate).collect() }
        /// The index of the recommended candidate; None if no candidate keeps the bound.
        fn best(this) -> Option<usize> { this.best }
    } {
        /// The candidates as a table in Markdown, the best first.
        fn to_markdown(&self) -> String {
            self.0.to_markdown()
        }
    }
}

document! {
    /// One policy that was simulated.
    Candidate(core::Candidate) {
        /// The values that differ from the policy as it is, by place.
        fn changes(this) -> Json { Json::of(&this.changes) }
        /// The reason why it could not be simulated; None if it was simulated.
        fn not_tried(this) -> Option<String> { this.not_tried.clone() }
        /// False rollbacks in the scenario with the most of them: "count", "of", "share", "low",
        /// "high".
        fn false_rollbacks(this) -> Json<Rate> { Json::of(&this.false_rollbacks) }
        /// Upper bound of the share of false rollbacks in any scenario, with 95% confidence over
        /// all candidates and scenarios.
        fn at_most(this) -> f64 { this.at_most }
        /// Whether `at_most` is within the allowed share.
        fn keeps(this) -> bool { this.keeps }
        /// Faults that were never rolled back, of the runs in which the fix was worse.
        fn missed_faults(this) -> Json<Rate> { Json::of(&this.missed_faults) }
        /// Runs that were complete at some time.
        fn completed(this) -> Json<Rate> { Json::of(&this.completed) }
        /// Requests that both versions failed, summed over one run of every scenario: "mean",
        /// "low", "high".
        fn affected(this) -> Json<Mean> { Json::of(&this.affected) }
    }
}

impl Sum for core::Scores {
    fn merge(&mut self, other: Self) -> std::result::Result<(), core::SimulationErrors> {
        Self::merge(self, &other);
        Ok(())
    }
}

/// The advice for a question; `hotfix.advise` calls it.
#[pyfunction]
#[pyo3(signature = (policy, question: "Mapping[str, Any]", threads: "int | None" = None, progress: "Callable[[int, int], object] | None" = None))]
pub(crate) fn _advise<'py>(
    py: Python<'py>,
    policy: &Bound<'py, Policy>,
    question: &Bound<'py, PyAny>,
    #[pyo3(from_py_with = whole_numbers)] threads: Option<usize>,
    progress: Option<&Bound<'py, PyAny>>,
) -> Result<Advice> {
    let policy = &policy.get().0;
    let question = json(question).map_err(Fault::of::<core::SimulationFault>)?.to_string();
    let search = py.detach(|| core::Search::read(policy, &question))?;
    let scores = on_threads(py, search.work(), threads, progress, |part| search.play(part))?;
    Ok(Advice(search.advice(&scores)))
}
