//! Advice: thresholds, durations and shares that keep false rollbacks below a bound with the least
//! impact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::DocumentFault;
use crate::policy::{Policy, PolicyError, Problem};
use crate::sorting::sort_by;
use crate::text::shown;

use super::error::{SimulationErrors, SimulationFault};
use super::scenario::Scenario;
use super::tally::{Mean, Rate};

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

/// Checks the arguments of a search.
pub(super) fn check(
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

/// The policy with other values, or the reason why it cannot be read.
pub(super) fn changed(
    document: &Value,
    changes: &BTreeMap<String, Value>,
) -> Result<Policy, String> {
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

impl Advice {
    /// A table, the best candidate first.
    pub fn to_markdown(&self) -> String {
        let mut order: Vec<&Candidate> = self.candidates.iter().collect();
        sort_by(&mut order, |a, b| b.keeps.cmp(&a.keeps).then(a.least_affected(b)));
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
    /// The candidate with the least impact first, one that was not tried last.
    pub(super) fn least_affected(&self, other: &Self) -> std::cmp::Ordering {
        let of = |candidate: &Self| candidate.affected.mean.unwrap_or(f64::INFINITY);
        of(self).total_cmp(&of(other))
    }

    fn row(&self) -> String {
        let changes: Vec<String> =
            self.changes.iter().map(|(path, value)| format!("{path} = {value}")).collect();
        let name = if changes.is_empty() { "unchanged".to_owned() } else { changes.join(", ") };
        let name = crate::text::markdown(&name);
        if let Some(why) = &self.not_tried {
            return format!("| {name} | not tried: {} | | | | |\n", crate::text::markdown(why));
        }
        let kept = if self.keeps { "yes" } else { "no" };
        let percent = |rate: &Rate, digits: usize| {
            let shown = |share: f64| format!("{:.digits$} %", 100.0 * share);
            rate.share.map_or_else(|| "–".to_owned(), shown)
        };
        format!(
            "| {name} | {} | {:.2} % | {kept} | {} | {:.0} |\n",
            percent(&self.false_rollbacks, 2),
            100.0 * self.at_most,
            percent(&self.missed_faults, 1),
            self.affected.mean.unwrap_or_default()
        )
    }
}
