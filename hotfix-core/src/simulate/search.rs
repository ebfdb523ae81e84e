//! A search for advice, in parts for any number of threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::canonical::tree_of;
use crate::document::{Node, document_table};
use crate::policy::Policy;
use crate::stats::Counts;
use crate::stats::fixed::clopper_pearson;

use super::advise::{Advice, Axis, Candidate, changed, check};
use super::campaign::Campaign;
use super::document::{ScenarioReader, parse};
use super::error::SimulationErrors;
use super::scenario::Scenario;
use super::tally::{Rate, Sum, Tally, numbers};

/// A search over variants of a policy with a few other values, each with the same number of runs
/// and the same random numbers in each scenario.
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
    candidates: Vec<Prepared>,
    runs: u64,
    bound: f64,
}

#[derive(Clone, Debug)]
struct Prepared {
    changes: BTreeMap<String, Value>,
    /// One campaign for each scenario, or the reason why the policy cannot be tried.
    campaigns: Result<Vec<Campaign>, String>,
}

/// The result of a part of a search, by candidate. Parts can be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scores(Vec<Score>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Score {
    /// By scenario. Empty for a candidate that cannot be tried.
    tallies: Vec<Tally>,
    /// Affected requests of both versions over all scenarios, run by run.
    affected: Sum,
}

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
const PART: usize = 64;

/// Most runs: more would take years.
const MOST_RUNS: u64 = 1_000_000_000;

impl Search {
    /// Reads a question and prepares every candidate.
    ///
    /// # Errors
    /// All errors of the question, each with its place (`/axes/0/path`, `/scenarios/1/until`); then
    /// those of [`try_new`](Self::try_new).
    pub fn read(policy: &Arc<Policy>, question: &str) -> Result<Self, SimulationErrors> {
        let mut reader = ScenarioReader::new();
        let document = parse(question)?;
        let question = Question::from_node(&mut reader, &document);
        let errors = reader.into_errors().placed_in(&document);
        let Question { scenarios, axes, bound, runs, seed } = errors.or(question)?;
        let axes = axes.unwrap_or_else(|| Axis::usual(policy));
        let seed = seed.or_else(|| scenarios.first().map(Scenario::seed)).unwrap_or_default();
        Self::try_new(policy, &scenarios, &axes, bound, seed, runs)
    }

    /// Prepares every combination of the values, including the policy's own values.
    ///
    /// # Errors
    /// Each with its place among the arguments: `/scenarios`, `/bound`, `/axes/0/path`. There is an
    /// error without a scenario, an axis or a value of one, for two axes with the same place, for a
    /// bound outside of 0 to 1, for more than a thousand candidates, and for a place that the
    /// policy does not have; and those of [`Campaign::try_new`] for the unchanged policy. A
    /// candidate that cannot be read or planned is not an error: the advice has the reason.
    pub fn try_new(
        policy: &Arc<Policy>,
        scenarios: &[Scenario],
        axes: &[Axis],
        bound: f64,
        seed: u64,
        runs: u64,
    ) -> Result<Self, SimulationErrors> {
        let document: Value = serde_json::from_str(&policy.to_json()).unwrap_or_default();
        check(&document, scenarios, axes, bound)?;
        let mut changes = vec![BTreeMap::new()];
        for axis in axes {
            let mut with = changes.clone();
            for value in &axis.values {
                with.extend(changes.iter().cloned().map(|mut changes: BTreeMap<String, Value>| {
                    changes.insert(axis.path.clone(), value.clone());
                    changes
                }));
            }
            changes = with;
        }
        let prepared = |changes: BTreeMap<String, Value>| {
            let campaigns = if changes.is_empty() {
                Ok(campaigns(policy, scenarios, seed)?)
            } else {
                changed(&document, &changes).and_then(|policy| {
                    campaigns(&Arc::new(policy), scenarios, seed).map_err(|e| e.to_string())
                })
            };
            Ok(Prepared { changes, campaigns })
        };
        let candidates = changes.into_iter().map(prepared).collect::<Result<_, _>>()?;
        Ok(Self { candidates, runs, bound })
    }

    /// The number of runs of all candidates; each run goes through all scenarios.
    pub const fn work(&self) -> u64 {
        self.runs.saturating_mul(self.candidates.len() as u64)
    }

    /// Makes the runs with these numbers. Numbers beyond the last are ignored.
    pub fn play(&self, part: Range<u64>) -> Scores {
        let mut scores = Scores(self.candidates.iter().map(Prepared::nothing).collect());
        let end = part.end.min(self.work());
        let mut next = part.start;
        while next < end {
            let (candidate, first) = (next / self.runs, next % self.runs);
            let count = (PART as u64).min(self.runs - first).min(end - next);
            let candidate = usize::try_from(candidate).unwrap_or(usize::MAX);
            if let Some((prepared, score)) =
                self.candidates.get(candidate).zip(scores.0.get_mut(candidate))
            {
                prepared.play(first..first + count, score);
            }
            next += count;
        }
        scores
    }

    /// The advice from the scores of all parts.
    pub fn advice(&self, scores: &Scores) -> Advice {
        // Each interval is wide enough that all of them hold together.
        let scenarios = scores.0.first().map_or(0, |score| score.tallies.len());
        let error = 0.05 / (self.candidates.len() * scenarios) as f64;
        let candidates: Vec<Candidate> = self
            .candidates
            .iter()
            .zip(&scores.0)
            .map(|(prepared, score)| score.candidate(prepared, error, self.bound))
            .collect();
        let kept = candidates.iter().enumerate().filter(|(_, candidate)| candidate.keeps);
        let best = kept.min_by(|(_, a), (_, b)| a.least_affected(b));
        Advice {
            most_false_rollbacks: self.bound,
            runs: scores.0.first().map_or(0, Score::runs),
            best: best.map(|(index, _)| index),
            candidates,
        }
    }
}

impl Prepared {
    fn nothing(&self) -> Score {
        let tallies = self.campaigns.iter().flatten().map(Campaign::nothing).collect();
        Score { tallies, affected: Sum::default() }
    }

    /// Adds these runs in every scenario, if the candidate can be tried.
    fn play(&self, runs: Range<u64>, score: &mut Score) {
        let mut affected = [0; PART];
        for (campaign, tally) in self.campaigns.iter().flatten().zip(&mut score.tallies) {
            let mut sums = affected.iter_mut();
            campaign.each(runs.clone(), |_, run, truth| {
                tally.add(run, truth);
                let [canary, live, ..] = numbers(run);
                if let Some(sum) = sums.next() {
                    *sum += canary + live;
                }
            });
        }
        runs.zip(affected).for_each(|(_, affected)| score.affected.add(affected));
    }
}

impl Score {
    fn runs(&self) -> u64 {
        self.tallies.first().map_or(0, Tally::runs)
    }

    fn candidate(&self, prepared: &Prepared, error: f64, bound: f64) -> Candidate {
        let counts = self.tallies.iter().map(|tally| (tally.facts[0], tally.runs));
        let most = |(count, runs)| {
            clopper_pearson(Counts::new(count as f64, runs as f64), 1.0 - 2.0 * error)
                .map_or(1.0, |interval| interval.high)
        };
        let at_most = counts.clone().map(most).fold(0.0, f64::max);
        let worst = counts.max_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)));
        let mut all = Tally::default();
        self.tallies.iter().cloned().for_each(|tally| all.absorb(tally));
        let [_, missed, _, completed, ..] = all.facts;
        let (count, runs) = worst.unwrap_or_default();
        let tried = self.runs() > 0;
        Candidate {
            changes: prepared.changes.clone(),
            not_tried: prepared.campaigns.as_ref().err().cloned(),
            false_rollbacks: Rate::new(count, runs),
            at_most: if tried { at_most } else { 1.0 },
            keeps: tried && at_most <= bound,
            missed_faults: Rate::new(missed, all.faulty),
            completed: Rate::new(completed, all.runs),
            affected: self.affected.mean(self.runs()),
        }
    }
}

impl Scores {
    /// Adds the result of another part of the same search.
    pub fn merge(&mut self, other: &Self) {
        for (score, other) in self.0.iter_mut().zip(&other.0) {
            for (tally, other) in score.tallies.iter_mut().zip(&other.tallies) {
                tally.absorb(other.clone());
            }
            score.affected.merge(other.affected);
        }
    }
}

fn campaigns(
    policy: &Arc<Policy>,
    scenarios: &[Scenario],
    seed: u64,
) -> Result<Vec<Campaign>, SimulationErrors> {
    let campaign =
        |scenario: &Scenario| Campaign::try_new(scenario.plan(Arc::clone(policy))?, scenario, seed);
    let placed = |(index, scenario)| {
        campaign(scenario).map_err(|errors| errors.under(&format!("/scenarios/{index}")))
    };
    scenarios.iter().enumerate().map(placed).collect()
}

/// A scenario: a table, or the text of one.
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
