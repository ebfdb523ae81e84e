//! Search for thresholds, durations and shares that keep false rollbacks below a bound with the
//! least impact.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::DocumentFault;
use crate::policy::{Policy, PolicyError, Problem};
use crate::sorting::sort_by;
use crate::stats::Counts;
use crate::stats::fixed::clopper_pearson;
use crate::text::shown;

use super::campaign::Campaign;
use super::error::{SimulationErrors, SimulationFault};
use super::run::Run;
use super::scenario::Scenario;
use super::tally::{Mean, Rate, RunFacts, Sum, Truth, affected};

/// A value of the policy, and the values to try instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its place in the policy's JSON, as a JSON Pointer: `/phases/0/share`.
    pub path: String,
    /// The values to try, as written in a policy: `"20%"`.
    pub values: Vec<Value>,
}

/// Most candidates. Each combination of values is one.
pub const MOST_CANDIDATES: usize = 1000;

/// A search over variants of a policy with a few other values. All candidates have the same random
/// numbers in every scenario.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::policy::Policy;
/// use hotfix_core::simulate::{Adviser, Axis, Scenario};
///
/// let policy = Arc::new(Policy::from_toml(include_str!("../../tests/policies/simulated.toml"))?);
/// let healthy = Scenario::read("")?;
/// let bad = Scenario::read("faults = [{ kind = \"errors\", times = 20.0 }]")?;
/// let share = Axis { path: "/phases/0/share".to_owned(), values: vec!["5%".into(), "20%".into()] };
/// let adviser = Adviser::try_new(&policy, &[healthy, bad], &[share], 0.05, 7)?;
/// let mut scores = adviser.nothing();
/// for candidate in 0..adviser.candidates() {
///     scores[candidate].merge(&adviser.play(candidate, 0..100));
/// }
/// let advice = adviser.advice(&scores);
/// assert_eq!(advice.candidates.len(), 3);
/// assert_eq!(advice.candidates[0].changes.len(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Adviser {
    candidates: Vec<Prepared>,
    bound: f64,
    scenarios: usize,
}

#[derive(Clone, Debug)]
struct Prepared {
    changes: BTreeMap<String, Value>,
    /// One campaign for each scenario, or the reason why the policy cannot be tried.
    campaigns: Result<Vec<Campaign>, String>,
}

/// The results of a candidate's runs. Parts can be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// By scenario: runs, and runs with a false rollback.
    false_rollbacks: Vec<(u64, u64)>,
    faulty: u64,
    missed: u64,
    completed: u64,
    runs: u64,
    /// Affected requests of both versions over all scenarios, run by run.
    affected: Sum,
}

/// The result of the search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The allowed share of false rollbacks.
    pub most_false_rollbacks: f64,
    /// Runs of each candidate in each scenario.
    pub runs: u64,
    /// The unchanged policy, then every other combination in the order of the axes.
    pub candidates: Vec<Candidate>,
    /// The recommended candidate: of those within the bound, the one with the least impact, and the
    /// earlier one of equals. None if no candidate is within the bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<usize>,
}

/// One candidate policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The changed values, by place.
    pub changes: BTreeMap<String, Value>,
    /// Why it could not be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_tried: Option<String>,
    /// The share of false rollbacks in the scenario with most of them.
    pub false_rollbacks: Rate,
    /// The upper confidence limit of that share in any scenario, valid for all candidates and
    /// scenarios together (5%).
    pub at_most: f64,
    /// Whether that limit is within the bound.
    pub keeps: bool,
    /// Of the runs in which the fix was worse: those that were never rolled back.
    pub missed_faults: Rate,
    /// Runs that were complete at some time.
    pub completed: Rate,
    /// Affected requests of both versions, for one run of each scenario.
    pub affected: Mean,
}

impl Axis {
    /// The default values to try: half and twice the first phase's share and duration, and the
    /// level of the tests.
    pub fn usual(policy: &Policy) -> Vec<Self> {
        let around = |value: f64| vec![value / 2.0, value * 2.0];
        let first = policy.phases().first();
        let mut shares = first.map(|first| around(first.share.as_fraction())).unwrap_or_default();
        let most = policy.phases().get(1).map_or(0.0, |next| next.share.as_fraction());
        shares.retain(|share| *share < most);
        let watches = first.map(|first| around(first.watch.as_seconds())).unwrap_or_default();
        let mut levels = vec![0.001, 0.01, 0.05];
        levels.retain(|level| *level != policy.evidence().alpha.as_fraction());
        let axes = [
            ("/phases/0/share", shares),
            ("/phases/0/watch", watches),
            ("/evidence/alpha", levels),
        ];
        let axes = axes.into_iter().filter(|(_, values)| !values.is_empty());
        axes.map(|(path, values)| Self {
            path: path.to_owned(),
            values: values.into_iter().map(Value::from).collect(),
        })
        .collect()
    }
}

impl Adviser {
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
        most_false_rollbacks: f64,
        seed: u64,
    ) -> Result<Self, SimulationErrors> {
        let document: Value = serde_json::from_str(&policy.to_json()).unwrap_or_default();
        check(&document, scenarios, axes, most_false_rollbacks)?;
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
        let candidates = changes
            .into_iter()
            .map(|changes| {
                let campaigns = if changes.is_empty() {
                    Ok(campaigns(policy, scenarios, seed)?)
                } else {
                    changed(&document, &changes).and_then(|policy| {
                        campaigns(&Arc::new(policy), scenarios, seed).map_err(|e| e.to_string())
                    })
                };
                Ok(Prepared { changes, campaigns })
            })
            .collect::<Result<Vec<_>, SimulationErrors>>()?;
        Ok(Self { candidates, bound: most_false_rollbacks, scenarios: scenarios.len() })
    }

    /// The number of candidates. The first is the unchanged policy.
    pub const fn candidates(&self) -> usize {
        self.candidates.len()
    }

    /// An empty score for each candidate.
    pub fn nothing(&self) -> Vec<Score> {
        vec![self.no_score(); self.candidates()]
    }

    fn no_score(&self) -> Score {
        Score { false_rollbacks: vec![(0, 0); self.scenarios], ..Score::default() }
    }

    /// Makes these runs of a candidate in every scenario. Does nothing for a candidate that cannot
    /// be tried or does not exist.
    pub fn play(&self, candidate: usize, runs: Range<u64>) -> Score {
        let mut score = self.no_score();
        let Some(Prepared { campaigns: Ok(campaigns), .. }) = self.candidates.get(candidate) else {
            return score;
        };
        let first = runs.start;
        let mut affected_requests =
            vec![0_i64; usize::try_from(runs.end.saturating_sub(first)).unwrap_or_default()];
        for (campaign, place) in campaigns.iter().zip(0..) {
            campaign.each(runs.clone(), |number, run, truth| {
                score.add(place, run, truth);
                let index = usize::try_from(number - first).unwrap_or_default();
                if let Some(sum) = affected_requests.get_mut(index) {
                    *sum += affected(run);
                }
            });
        }
        for affected in affected_requests {
            score.runs += 1;
            score.affected.add(affected);
        }
        score
    }

    /// The advice from the scores, in the order of the candidates.
    pub fn advice(&self, scores: &[Score]) -> Advice {
        // Each interval is wide enough that all of them hold together.
        let all = (self.candidates() * self.scenarios) as f64;
        let candidates: Vec<Candidate> = self
            .candidates
            .iter()
            .zip(scores)
            .map(|(prepared, score)| score.candidate(prepared, 0.05 / all, self.bound))
            .collect();
        let kept = candidates.iter().enumerate().filter(|(_, candidate)| candidate.keeps);
        let best = kept.min_by(|(_, a), (_, b)| a.affected.mean.total_cmp(&b.affected.mean));
        Advice {
            most_false_rollbacks: self.bound,
            runs: scores.first().map_or(0, |score| score.runs),
            best: best.map(|(index, _)| index),
            candidates,
        }
    }
}

/// Checks the arguments.
fn check(
    document: &Value,
    scenarios: &[Scenario],
    axes: &[Axis],
    most_false_rollbacks: f64,
) -> Result<(), SimulationErrors> {
    let mut errors = SimulationErrors::new();
    let mut refuse = |path: &str, detail| errors.push(path, SimulationFault::NoAdvice { detail });
    if scenarios.is_empty() {
        refuse("/scenarios", "no scenario is given: give at least one");
    }
    if !(0.0..=1.0).contains(&most_false_rollbacks) {
        refuse("/bound", "the bound of false rollbacks is not a share: give a number from 0 to 1");
    }
    if axes.is_empty() {
        refuse("/axes", "no axis is given: give at least one place with values");
    }
    let combinations =
        axes.iter().try_fold(1_usize, |all, axis| all.checked_mul(axis.values.len() + 1));
    if combinations.is_none_or(|all| all > MOST_CANDIDATES) {
        refuse("/axes", "there are more than 1000 combinations: give fewer values");
    }
    for (index, axis) in axes.iter().enumerate() {
        if axis.values.is_empty() {
            refuse(&format!("/axes/{index}/values"), "the axis has no value: give at least one");
        }
        if axes.iter().take(index).any(|earlier| earlier.path == axis.path) {
            let detail = "an earlier axis has this place: give all its values there";
            refuse(&format!("/axes/{index}/path"), detail);
        }
    }
    for (index, axis) in axes.iter().enumerate() {
        if !is_there(document, axis) {
            let detail = no_place(&axis.path);
            errors.push(&format!("/axes/{index}/path"), SimulationFault::NotTaken { detail });
        }
    }
    errors.or(Some(()))
}

fn no_place(path: &str) -> String {
    format!("the policy has no place `{}`: write a JSON Pointer into its JSON", shown(path))
}

/// Whether a policy can have a value at this place. The policy reader decides, because defaults are
/// not written.
fn is_there(document: &Value, axis: &Axis) -> bool {
    if document.pointer(&axis.path).is_some() {
        return !axis.path.is_empty();
    }
    let mut document = document.clone();
    match (place(&mut document, &axis.path), axis.values.first()) {
        (Some(place), Some(value)) => *place = value.clone(),
        (there, _) => return there.is_some(),
    }
    let unknown = |error: &PolicyError| {
        matches!(error.fault(), Problem::Document(DocumentFault::UnknownKey { .. }))
            && error.path() == axis.path
    };
    Policy::from_value(&document).map_or_else(|e| !e.iter().any(unknown), |_| true)
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

/// The policy with other values, or the reason why it cannot be read.
fn changed(document: &Value, changes: &BTreeMap<String, Value>) -> Result<Policy, String> {
    let mut document = document.clone();
    for (path, value) in changes {
        *place(&mut document, path).ok_or_else(|| no_place(path))? = value.clone();
    }
    Policy::from_value(&document).map_err(|errors| errors.to_string())
}

/// The value at a place. A missing key is added, because defaults are not written.
fn place<'d>(document: &'d mut Value, path: &str) -> Option<&'d mut Value> {
    let (table, key) = path.rsplit_once('/')?;
    match document.pointer_mut(table)? {
        Value::Object(table) => {
            Some(table.entry(key.replace("~1", "/").replace("~0", "~")).or_insert(Value::Null))
        }
        Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

impl Score {
    fn add(&mut self, scenario: usize, run: &Run, truth: Truth) {
        let facts = RunFacts::of(run, truth);
        if let Some((runs, false_rollbacks)) = self.false_rollbacks.get_mut(scenario) {
            *runs += 1;
            *false_rollbacks += u64::from(facts.false_rollback);
        }
        self.faulty += u64::from(truth.bad_since.is_some());
        self.missed += u64::from(facts.missed);
        self.completed += u64::from(facts.completed);
    }

    /// Adds the results of other runs of the same candidate.
    pub fn merge(&mut self, other: &Self) {
        for (sum, other) in self.false_rollbacks.iter_mut().zip(&other.false_rollbacks) {
            sum.0 += other.0;
            sum.1 += other.1;
        }
        self.faulty += other.faulty;
        self.missed += other.missed;
        self.completed += other.completed;
        self.runs += other.runs;
        self.affected.merge(other.affected);
    }

    fn candidate(&self, prepared: &Prepared, error: f64, bound: f64) -> Candidate {
        let most = |&(runs, count): &(u64, u64)| {
            clopper_pearson(Counts::new(count as f64, runs as f64), 1.0 - 2.0 * error)
                .map_or(1.0, |interval| interval.high)
        };
        let at_most = self.false_rollbacks.iter().map(most).fold(0.0, f64::max);
        let worst = self.false_rollbacks.iter().max_by(|a, b| (a.1 * b.0).cmp(&(b.1 * a.0)));
        let (runs, count) = worst.copied().unwrap_or_default();
        let tried = prepared.campaigns.is_ok() && self.runs > 0;
        Candidate {
            changes: prepared.changes.clone(),
            not_tried: prepared.campaigns.as_ref().err().cloned(),
            false_rollbacks: Rate::new(count, runs),
            at_most: if tried { at_most } else { 1.0 },
            keeps: tried && at_most <= bound,
            missed_faults: Rate::new(self.missed, self.faulty),
            completed: Rate::new(self.completed, self.runs * self.false_rollbacks.len() as u64),
            affected: self.affected.mean(self.runs),
        }
    }
}

impl Advice {
    /// A table, the best candidate first.
    pub fn to_markdown(&self) -> String {
        let mut order: Vec<&Candidate> = self.candidates.iter().collect();
        sort_by(&mut order, |a, b| {
            b.keeps.cmp(&a.keeps).then(a.affected.mean.total_cmp(&b.affected.mean))
        });
        let mut table = String::from(
            "| policy | false rollbacks | at most | within bound | missed faults | affected requests |\n|---|--:|--:|---|--:|--:|\n",
        );
        for candidate in order {
            table.push_str(&candidate.row());
        }
        table
    }
}

impl Candidate {
    fn row(&self) -> String {
        let changes: Vec<String> =
            self.changes.iter().map(|(path, value)| format!("{path} = {value}")).collect();
        let name = if changes.is_empty() { "unchanged".to_owned() } else { changes.join(", ") };
        let name = crate::text::markdown(&name);
        if let Some(why) = &self.not_tried {
            return format!("| {name} | not tried: {} | | | | |\n", crate::text::markdown(why));
        }
        let kept = if self.keeps { "yes" } else { "no" };
        format!(
            "| {name} | {:.2} % | {:.2} % | {kept} | {:.1} % | {:.0} |\n",
            100.0 * self.false_rollbacks.share,
            100.0 * self.at_most,
            100.0 * self.missed_faults.share,
            self.affected.mean
        )
    }
}
