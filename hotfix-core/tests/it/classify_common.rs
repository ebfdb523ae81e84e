//! Random policies with rules, and the slow way to classify: every combination of values, and a table in words.

use std::collections::BTreeSet;

use hotfix_core::fact::{Comparison, Condition, FactValue, Facts, Placed, Space, Truth};
use hotfix_core::grade::{Exclusions, Hotfix, Severity};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::Effect;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::fact_common::{completions, condition, how_many};

/// A condition as a policy has it.
pub(crate) fn written(condition: &Condition) -> Value {
    let list = |all: &[Condition]| all.iter().map(written).collect::<Vec<_>>();
    match condition {
        Condition::All(all) => json!({ "all": list(all) }),
        Condition::Any(any) => json!({ "any": list(any) }),
        Condition::Not(not) => json!({ "not": written(not) }),
        Condition::Compare(Comparison { fact, operator, value }) => {
            let value = match value {
                FactValue::Duration(span) => json!(format!("{}ms", span.as_millis())),
                other => serde_json::to_value(other).unwrap(),
            };
            json!({ "fact": fact.as_str(), operator.as_str(): value })
        }
    }
}

/// A policy for one test: everything but what classifies is as little as loads.
pub(crate) fn with_tables(tables: &Value) -> Policy {
    Policy::from_json(&document(tables).to_string())
        .unwrap_or_else(|errors| panic!("{errors}: {tables:#}"))
}

pub(crate) fn document(tables: &Value) -> Value {
    let mut document = json!({
        "format": 1, "name": "made-up", "title": "Made up",
        "strategy": "immediate",
        "watch": { "cadence": 10, "window": 60, "stale": 60, "no_data": { "after": 120, "then": "ask" } },
        "phases": [{ "name": "all", "share": 1.0, "deploy": 60, "watch": 600,
            "promotion": "no_evidence_of_harm", "criteria_missed": "ask", "gate": "automatic" }],
        "final_validation": { "watch": 180, "gate": "manual" },
        "metrics": { "error_rate": { "kind": "proportion", "worse": "higher", "rollback": 0.05, "weight": 1 } },
        "rollback": { "methods": [{ "kind": "redeploy", "most": 900 }], "watch": 120, "returned_within": 300 },
        "facts": {
            "in_embargo": { "kind": "flag", "ask": "Is there an embargo?" },
            "tickets": { "kind": "number", "ask": "How many tickets?" },
            "grace": { "kind": "duration", "ask": "How long can it wait?" },
        },
    });
    for (key, table) in tables.as_object().unwrap() {
        document[key] = table.clone();
    }
    document
}

/// Rules of every effect, more of the severities than of the rest.
pub(crate) fn rule() -> impl Strategy<Value = Value> {
    let effect = select(vec!["P0", "P1", "P1", "P2", "P2", "P3", "admit", "exclude"]);
    (effect, condition()).prop_map(|(effect, when)| {
        let mut rule = json!({ "title": "A rule", "when": written(&when) });
        match effect {
            "admit" => rule["hotfix"] = json!(true),
            "exclude" => rule["hotfix"] = json!(false),
            severity => rule["severity"] = json!(severity),
        }
        rule
    })
}

/// The tables that classify, without a tree.
pub(crate) fn tables() -> impl Strategy<Value = Value> {
    let hotfix = prop::array::uniform4(any::<bool>());
    let implication = (condition(), condition(), any::<bool>());
    let classification = (select(vec!["no", "unknown"]), select(vec!["yield", "win", "ask"]));
    (
        prop::collection::vec(rule(), 1..7),
        prop::collection::vec(implication, 0..3),
        hotfix,
        classification,
    )
        .prop_map(|(rules, implications, hotfix, (otherwise, exclusions))| {
            let severities = Severity::ALL.iter().zip(hotfix).map(|(severity, hotfix)| {
                (severity.to_string(), json!({ "label": severity.as_str(), "hotfix": hotfix }))
            });
            let implications = implications.iter().map(|(when, then, iff)| {
                json!({ "when": written(when), "then": written(then), "iff": iff })
            });
            json!({
                "severities": severities.collect::<serde_json::Map<_, _>>(),
                "rules": numbered("r", rules),
                "implications": numbered("i", implications.collect()),
                "classification": { "otherwise": otherwise, "exclusions": exclusions },
            })
        })
}

/// The same with ids.
pub(crate) fn numbered(letter: &str, mut entries: Vec<Value>) -> Value {
    for (number, entry) in entries.iter_mut().enumerate() {
        entry["id"] = json!(format!("{letter}{number}"));
    }
    json!(entries)
}

/// What no bounded diagram can hold: whether one of 17 pairs is true, the first ones all asked before the second ones.
pub(crate) fn entangled(mut tables: Value) -> Value {
    let names = |letter: &str| (0..17).map(|at| format!("{letter}{at}")).collect::<Vec<_>>();
    let (first, second) = (names("first_"), names("second_"));
    let mut house = document(&json!({}))["facts"].clone();
    for name in first.iter().chain(&second) {
        house[name] = json!({ "kind": "flag", "ask": "Is it so?" });
    }
    let pairs: Vec<Value> =
        first.iter().zip(&second).map(|(a, b)| json!({ "all": [a, b] })).collect();
    let rules = tables["rules"].as_array_mut().unwrap();
    let rule = |id: &str, severity: &str, any: Value| json!({ "id": id, "title": id, "severity": severity, "when": { "any": any } });
    // The tree of the rules asks the more severe ones first.
    rules.insert(0, rule("first", "P0", json!(first)));
    rules.insert(1, rule("pairs", "P1", json!(pairs)));
    tables["facts"] = house;
    tables
}

/// The space of what classifies, without the tree.
pub(crate) fn space(policy: &Policy) -> Space {
    let implied = policy.implications().iter().flat_map(|implied| [&implied.when, &implied.then]);
    Space::new(policy.rules().iter().map(|rule| &rule.when).chain(implied))
}

/// Facts as known, with some more made known until few enough ways are left.
pub(crate) fn few(space: &Space, facts: &Facts, most: u64) -> Placed {
    let mut placed = space.place(facts);
    let unknown: Vec<usize> = placed.unknown().collect();
    for variable in unknown {
        if how_many(space, &placed) > most {
            placed.set(variable, Some(space.classes(variable) / 2));
        }
    }
    placed
}

pub(crate) fn holds(condition: &Condition, facts: &Facts) -> bool {
    match condition.holds(facts) {
        Truth::Yes => true,
        Truth::No => false,
        Truth::Unknown => panic!("nothing is unknown"),
    }
}

pub(crate) type Answer = (Option<Severity>, Hotfix);

/// What the rules say of facts of which none is unknown.
pub(crate) fn listed(policy: &Policy, facts: &Facts) -> Answer {
    let fired = |rule: &&hotfix_core::policy::section::Rule| holds(&rule.when, facts);
    let effects: Vec<Effect> = policy
        .rules()
        .iter()
        .filter(fired)
        .map(hotfix_core::policy::section::Rule::effect)
        .collect();
    let severities = effects.iter().filter_map(|effect| match effect {
        Effect::Severity(severity) => Some(*severity),
        Effect::Admit | Effect::Exclude => None,
    });
    let severity = severities.min();
    let called = severity.is_some_and(|severity| policy.severity(severity).unwrap().hotfix);
    let wanted = called || effects.contains(&Effect::Admit);
    let excluded = effects.contains(&Effect::Exclude);
    let hotfix = if wanted && excluded {
        match policy.classifier().exclusions {
            Exclusions::Yield => Hotfix::Yes,
            Exclusions::Win => Hotfix::No,
            Exclusions::Ask => Hotfix::Unknown,
        }
    } else if wanted {
        Hotfix::Yes
    } else if excluded || severity.is_some() {
        Hotfix::No
    } else {
        policy.classifier().otherwise
    };
    (severity, hotfix)
}

pub(crate) fn possible(policy: &Policy, facts: &Facts) -> bool {
    policy.implications().iter().all(|implication| {
        let (when, then) = (holds(&implication.when, facts), holds(&implication.then, facts));
        if implication.iff { when == then } else { !when || then }
    })
}

/// What is true of an incident as far as it is known, by going through all values of what is not.
pub(crate) struct Truths {
    pub(crate) answers: BTreeSet<Answer>,
    /// Whether no values keep the implications; then `answers` has those of all values, and so have `incidents`.
    pub(crate) contradictory: bool,
    pub(crate) incidents: Vec<Placed>,
}

impl Truths {
    pub(crate) fn new(policy: &Policy, space: &Space, placed: &Placed) -> Self {
        let all = completions(space, placed);
        let keep = |each: &&Placed| possible(policy, &space.facts(each));
        let consistent: Vec<Placed> = all.iter().filter(keep).cloned().collect();
        let contradictory = consistent.is_empty();
        let incidents = if contradictory { all } else { consistent };
        let answers = incidents.iter().map(|each| listed(policy, &space.facts(each))).collect();
        Self { answers, contradictory, incidents }
    }

    /// The least severe one; none where that is none.
    pub(crate) fn severity(&self) -> Option<Severity> {
        let all: Option<Vec<Severity>> =
            self.answers.iter().map(|(severity, _)| *severity).collect();
        all?.into_iter().max()
    }

    pub(crate) fn at_worst(&self) -> Option<Severity> {
        self.answers.iter().filter_map(|(severity, _)| *severity).min()
    }

    pub(crate) fn hotfix(&self) -> Hotfix {
        let all: BTreeSet<Hotfix> = self.answers.iter().map(|(_, hotfix)| *hotfix).collect();
        match all.first() {
            Some(only) if all.len() == 1 => *only,
            _ => Hotfix::Unknown,
        }
    }
}

/// How severe, as a number that grows: 0 for none.
pub(crate) fn rank(severity: Option<Severity>) -> usize {
    severity.map_or(0, |severity| Severity::ALL.len() - severity as usize)
}
