//! How the known facts of an incident developed.

use std::collections::BTreeMap;

use crate::fact::{Fact, FactId, FactValue, Facts};
use crate::rollout::{Command, Input, Rollout};
use crate::sorting::map_of;
use crate::text::joined;
use crate::unit::Timestamp;

use super::describe::{self, utc};

/// Most values of one fact; of further ones the last is kept.
const MOST: usize = 24;

/// The values of each fact, in the order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct FactHistory(BTreeMap<FactId, Vec<Known>>);

/// One value of a fact, known since a time.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    since: Timestamp,
    /// None: the fact was set back to unknown.
    value: Option<FactValue>,
    /// What came before was wrong, as somebody stated with this value.
    corrects: bool,
}

impl FactHistory {
    /// Folds what is known since an input; None: the first one.
    pub(super) fn fold(&mut self, rollout: &Rollout, at: Timestamp, input: Option<&Input>) {
        let facts = rollout.facts();
        let corrects = |fact: FactId| match input.map(|input| &input.command) {
            Some(Command::SetFacts { facts, correction: Some(true), .. }) => {
                facts.contains_key(fact.as_str())
            }
            _ => false,
        };
        // The times of the incident are among the times: one that was corrected would be here, too.
        let is_time = |fact| matches!(fact, FactId::BuiltIn(Fact::BeganAt | Fact::DetectedAt));
        for (fact, value) in facts.iter().filter(|(fact, _)| !is_time(*fact)) {
            self.add(fact, at, Some(value), corrects(fact));
        }
        let forgotten = self.0.keys().filter(|fact| facts.get(**fact).is_none());
        for fact in forgotten.copied().collect::<Vec<_>>() {
            self.add(fact, at, None, corrects(fact));
        }
    }

    fn add(&mut self, fact: FactId, at: Timestamp, value: Option<&FactValue>, corrects: bool) {
        let values = self.0.entry(fact).or_default();
        let is_same = values.last().is_some_and(|last| last.value.as_ref() == value);
        let corrects = corrects && !values.is_empty();
        if is_same && !corrects {
            return;
        }
        if values.len() >= MOST {
            values.pop();
        }
        values.push(Known { since: at, value: value.cloned(), corrects });
    }

    /// Each fact with its development: `yes until 2026-03-03 14:20:00 UTC, then no`. `worst`: the worst
    /// that was known of each.
    pub(super) fn described(&self, worst: &Facts) -> BTreeMap<String, String> {
        let of = |(fact, values): (&FactId, &Vec<Known>)| {
            (fact.to_string(), development(*fact, values, worst))
        };
        map_of(self.0.iter().map(of))
    }
}

fn development(fact: FactId, values: &[Known], worst: &Facts) -> String {
    let shown =
        |known: &Known| known.value.as_ref().map_or_else(|| "unknown".to_owned(), describe::fact);
    // What was corrected has no part in what follows.
    let last = values.iter().rposition(|known| known.corrects);
    if let Some((wrong, [right, later @ ..])) = last.map(|place| values.split_at(place)) {
        let recorded = wrong.first().map(|known| utc(known.since)).unwrap_or_default();
        let wrong = joined(wrong.iter().map(shown), " → ");
        let mut text = format!(
            "recorded at {recorded} as {wrong}, corrected at {}: {}",
            utc(right.since),
            shown(right)
        );
        for then in later {
            text = format!("{text} → {} ({})", shown(then), utc(then.since));
        }
        return text;
    }
    let [first, later @ ..] = values else { return String::new() };
    if let ([then], Some(FactValue::Flag(_))) = (later, &first.value) {
        return format!("{} until {}, then {}", shown(first), utc(then.since), shown(then));
    }
    let mut text = shown(first);
    for then in later {
        text = format!("{text} → {} ({})", shown(then), utc(then.since));
    }
    // Where neither end is the worst, it is named.
    match worst_between(fact, values, worst) {
        Some(worst) => format!("at worst {}: {text}", describe::fact(worst)),
        None => text,
    }
}

/// The worst value of a figure of which more is worse, if it is not the first one.
fn worst_between<'a>(fact: FactId, values: &[Known], worst: &'a Facts) -> Option<&'a FactValue> {
    let FactId::BuiltIn(
        Fact::UsersAffected | Fact::PaymentFailureShare | Fact::ErrorRate | Fact::LatencyP95,
    ) = fact
    else {
        return None;
    };
    let first = values.first()?.value.as_ref();
    worst.get(fact).filter(|worst| first != Some(*worst) && values.len() > 2)
}
