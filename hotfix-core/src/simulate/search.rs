//! Advice for a document's question, in parts for any number of threads.

use std::ops::Range;
use std::sync::Arc;

use crate::canonical::tree_of;
use crate::document::{Node, document_table};
use crate::policy::Policy;

use super::advise::{Advice, Adviser, Axis, Score};
use super::document::{ScenarioReader, parse};
use super::error::SimulationErrors;
use super::scenario::Scenario;

/// A search: candidates, each with a number of runs in each scenario.
///
/// The question is TOML, or JSON where it begins with a brace: `scenarios`, a list of scenarios,
/// each a table or the text of one; `axes`, a list of `{ path, values }`, without it
/// [`Axis::usual`]; `runs`, of each candidate in each scenario; `bound`, the share of false
/// rollbacks that is allowed, 5% where nobody says; `seed`, without it the first scenario's.
///
/// The runs of all candidates have consecutive numbers, so that the caller can split them in any
/// way with the same advice.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::policy::Policy;
/// use hotfix_core::simulate::Search;
///
/// let policy = Arc::new(Policy::from_toml(include_str!("../../tests/policies/simulated.toml"))?);
/// let search = Search::read(&policy, r#"
///     runs = 100
///     axes = [{ path = "/phases/0/share", values = ["5%", "20%"] }]
///     scenarios = [{}, { faults = [{ kind = "errors", times = 20.0 }] }]
/// "#)?;
/// assert_eq!(search.work(), 300);
/// let mut scores = search.play(0..170);
/// scores.merge(&search.play(170..300));
/// assert_eq!(search.advice(&scores).candidates.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Search {
    adviser: Adviser,
    runs: u64,
}

/// The result of a part of a search. Parts can be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scores(Vec<Score>);

document_table! {
    ScenarioReader;
    /// A question before its checks.
    struct Question {
        scenarios: Vec<Scenario> = scenario, list;
        axes: Option<Vec<Axis>> = |reader, axes| reader.items(axes, axis), nullable;
        bound: f64 = ScenarioReader::chance, or BOUND;
        seed: Option<u64> = ScenarioReader::seed;
        runs: u64 = runs, needed;
    }
}

const AXIS: &[&str] = &["path", "values"];

/// The default bound of false rollbacks.
const BOUND: f64 = 0.05;

/// Runs per batch. Their impact is kept until all scenarios are done.
const PART: u64 = 64;

/// Most runs: more would take years.
const MOST_RUNS: u64 = 1_000_000_000;

impl Search {
    /// Reads a question and prepares every candidate.
    ///
    /// # Errors
    /// All errors of the question, each with its place (`/axes/0/path`, `/scenarios/1/until`); then
    /// those of [`Adviser::try_new`].
    pub fn read(policy: &Arc<Policy>, question: &str) -> Result<Self, SimulationErrors> {
        let mut reader = ScenarioReader::new();
        let document = parse(question)?;
        let question = Question::from_node(&mut reader, &document);
        let errors = reader.into_errors().placed_in(&document);
        let Question { scenarios, axes, bound, runs, seed } = errors.or(question)?;
        let axes = axes.unwrap_or_else(|| Axis::usual(policy));
        let seed = seed.or_else(|| scenarios.first().map(Scenario::seed)).unwrap_or_default();
        Ok(Self { adviser: Adviser::try_new(policy, &scenarios, &axes, bound, seed)?, runs })
    }

    /// The runs of all candidates, each through all scenarios.
    pub const fn work(&self) -> u64 {
        self.runs.saturating_mul(self.adviser.candidates() as u64)
    }

    /// Makes a part of them. Numbers beyond the last are ignored.
    pub fn play(&self, part: Range<u64>) -> Scores {
        let mut scores = Scores(self.adviser.nothing());
        let end = part.end.min(self.work());
        let mut next = part.start;
        while next < end {
            let (candidate, first) = (next / self.runs, next % self.runs);
            let count = PART.min(self.runs - first).min(end - next);
            let candidate = usize::try_from(candidate).unwrap_or(usize::MAX);
            if let Some(score) = scores.0.get_mut(candidate) {
                score.merge(&self.adviser.play(candidate, first..first + count));
            }
            next += count;
        }
        scores
    }

    /// The advice from the scores of all parts.
    pub fn advice(&self, scores: &Scores) -> Advice {
        self.adviser.advice(&scores.0)
    }
}

impl Scores {
    /// Adds the result of another part of the same search.
    pub fn merge(&mut self, other: &Self) {
        for (score, other) in self.0.iter_mut().zip(&other.0) {
            score.merge(other);
        }
    }
}

/// A table, or the text of one.
fn scenario(reader: &mut ScenarioReader, value: &Node) -> Option<Scenario> {
    let Some(text) = value.as_text() else { return Scenario::from_node(reader, value) };
    match Scenario::read(text) {
        Ok(scenario) => Some(scenario),
        Err(errors) => {
            reader.append(errors);
            None
        }
    }
}

fn axis(reader: &mut ScenarioReader, value: &Node) -> Option<Axis> {
    let table = reader.table_of(value, AXIS)?;
    let values = reader.list(table, "values", |_, value| Some(tree_of(value)));
    Some(Axis { path: reader.needed(table, "path", ScenarioReader::text)?, values })
}

fn runs(reader: &mut ScenarioReader, value: &Node) -> Option<u64> {
    reader.whole(value, 1..=MOST_RUNS, "a whole number from 1 to 1000000000")
}
