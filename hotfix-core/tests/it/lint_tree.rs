//! Findings on tree and rules (DEC-5): each with a policy that has it and one that nearly has; their examples show the
//! fault; and on random policies they are those that going through every value finds.

use std::collections::BTreeSet;

use hotfix_core::fact::{Facts, Space};
use hotfix_core::grade::{Hotfix, Severity};
use hotfix_core::lint::{Example, Fault, Finding};
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{Answer, Branches, Effect, Target, Tree};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crate_files;
use crate::lint_common::{Ending, Model, holds, left_out, policy, shows};
use crate::shared::lint_cases::LintCase;

/// The findings on tree and rules.
fn found(policy: &Policy) -> Vec<Finding> {
    let mut found = policy.lint(None);
    found.retain(|finding| finding.code() <= "HF-LINT-019");
    found
}

#[test]
fn dec_5_each_fault_is_found_and_nothing_that_is_none() {
    let cases = LintCase::load(&crate_files::in_crate("tests/cases/lint/tree.toml"));
    let mut wrong = Vec::new();
    let mut codes = BTreeSet::new();
    for case in cases {
        let policy = policy(&case.policy);
        let found = found(&policy);
        let document = serde_json::to_value(&found).unwrap();
        wrong.extend(case.faults(&document));
        wrong.extend(unshown(&policy, &found).into_iter().map(|w| format!("{}: {w}", case.id)));
        codes.extend(found.iter().map(Finding::code));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Where the conditions are too entangled has a test of its own.
    assert_eq!(codes.len(), 16, "{codes:?}");
}

/// Findings whose example does not show the fault, or that lack one.
fn unshown(policy: &Policy, found: &[Finding]) -> Vec<String> {
    let model = Model::new(policy);
    let wrong = |finding: &&Finding| {
        let Some(Example::Facts(facts)) = &finding.example else {
            let needs_none = matches!(
                finding.fault,
                Fault::Cycle { .. }
                    | Fault::Unconnected { .. }
                    | Fault::Unreached { .. }
                    | Fault::IdleAnswer { .. }
                    | Fault::NeverFires { .. }
                    | Fault::Impossible { .. }
                    | Fault::UnusedSeverity { .. }
                    | Fault::LeafHotfix { .. }
                    | Fault::LeafDeadline { .. }
            );
            return !needs_none;
        };
        let all = model.all(&model.space.place(facts));
        all.is_empty() || !all.iter().all(|facts| shows(&model, finding, facts))
    };
    found.iter().filter(wrong).map(|finding| format!("not shown: {finding:?}")).collect()
}

/// One finding as it is compared with the model: code, what it is about, and a second thing.
type Key = (&'static str, String, String);

/// The findings, by what they are about; of those that speak of an outcome, the example says which.
fn keys(policy: &Policy, found: &[Finding]) -> BTreeSet<Key> {
    let outcome = |finding: &Finding| match &finding.example {
        Some(Example::Facts(facts)) => {
            let answer = policy.classify(facts);
            (answer.severity(), answer.hotfix())
        }
        _ => (None, Hotfix::Unknown),
    };
    let key = |finding: &Finding| {
        let (about, second) = match &finding.fault {
            Fault::Unreached { id, .. } => (id.to_string(), String::new()),
            Fault::Unanswered { question, answer, .. } => {
                (question.to_string(), left_out(answer).to_string())
            }
            Fault::Gap { question, .. } => (question.to_string(), String::from("2")),
            Fault::IdleAnswer { question, answer, .. } => {
                (question.to_string(), answer.to_string())
            }
            Fault::Shadowed { leaf, by, .. } => (leaf.to_string(), by.to_string()),
            Fault::SeverityDiffers { leaf, .. } => {
                (leaf.to_string(), format!("{:?}", outcome(finding).0))
            }
            Fault::HotfixDiffers { leaf, .. } => {
                (leaf.to_string(), format!("{:?}", outcome(finding)))
            }
            Fault::Excluded { exclusion, .. } => {
                (exclusion.to_string(), called(policy, outcome(finding).0))
            }
            Fault::NeverFires { rule, .. } => (rule.to_string(), String::new()),
            Fault::Silent { .. } | Fault::Impossible { .. } => (String::new(), String::new()),
            _ => return None,
        };
        Some((finding.code(), about, second))
    };
    found.iter().filter_map(key).collect()
}

/// What calls for a hot-fix: a severity, or an admission.
fn called(policy: &Policy, severity: Option<Severity>) -> String {
    let severity =
        severity.filter(|severity| policy.severity(*severity).is_some_and(|level| level.hotfix));
    format!("{severity:?}")
}

/// The same by going through every value.
fn enumerated(policy: &Policy) -> BTreeSet<Key> {
    let model = Model::new(policy);
    let mut keys = BTreeSet::new();
    if model.possible.is_empty() {
        keys.insert(("HF-LINT-014", String::new(), String::new()));
        return keys;
    }
    for rule in policy.rules() {
        if !model.possible.iter().any(|facts| holds(&rule.when, facts)) {
            keys.insert(("HF-LINT-012", rule.id.to_string(), String::new()));
        }
    }
    for facts in &model.possible {
        let severity = model.severity(facts);
        let nowhere = policy.tree().is_none() || !matches!(model.walk(facts).1, Ending::Leaf(_));
        let unsaid = policy.classifier().otherwise == Hotfix::Unknown && !policy.rules().is_empty();
        if unsaid && model.silent(facts) && nowhere {
            keys.insert(("HF-LINT-010", String::new(), String::new()));
        }
        if model.called(facts) && model.hotfix(facts) == Hotfix::Unknown {
            for rule in policy.rules() {
                if rule.effect() == Effect::Exclude && holds(&rule.when, facts) {
                    let id = rule.id.to_string();
                    keys.insert(("HF-LINT-011", id, called(policy, severity)));
                }
            }
        }
        if policy.tree().is_some() {
            keys.extend(at_the_end(&model, facts));
        }
    }
    if let Some(tree) = policy.tree() {
        keys.extend(idle(tree));
        keys.extend(unreached(&model, tree));
    }
    keys
}

/// What one combination of facts shows of the tree.
fn at_the_end(model: &Model<'_>, facts: &Facts) -> Vec<Key> {
    let (tree, mut keys) = (model.tree(), Vec::new());
    match model.walk(facts).1 {
        Ending::Loop => {}
        Ending::Gap(question, answer) => {
            let asked = &tree.questions[question];
            let number = matches!(&asked.branches, Branches::Values { answers, .. }
                if answers[0].accepts[0].value.as_number().is_some());
            let code = if number { "HF-LINT-005" } else { "HF-LINT-004" };
            keys.push((code, asked.id.to_string(), answer.to_string()));
        }
        Ending::Leaf(end) => {
            let id = |leaf: usize| tree.leaves[leaf].id.to_string();
            let rank = |leaf: usize| tree.leaves[leaf].severity.map_or(9, |s| s as usize);
            let claims = model.claims(tree.root, facts);
            let worse = claims.into_iter().filter(|claimed| rank(*claimed) < rank(end));
            keys.extend(worse.map(|claimed| ("HF-LINT-007", id(claimed), id(end))));
            let severity = model.severity(facts);
            if model.policy.rules().is_empty() {
            } else if model.differs(end, facts) {
                keys.push(("HF-LINT-008", id(end), format!("{severity:?}")));
            } else if model.denies(end, facts) {
                let outcome = (severity, model.hotfix(facts));
                keys.push(("HF-LINT-009", id(end), format!("{outcome:?}")));
            }
        }
    }
    keys
}

/// Answers that accept nothing which earlier ones leave over.
fn idle(tree: &Tree) -> Vec<Key> {
    let mut keys = Vec::new();
    for question in &tree.questions {
        let Branches::Values { answers, .. } = &question.branches else { continue };
        let conditions: Vec<_> = answers.iter().map(Answer::condition).collect();
        let space = Space::new(&conditions);
        let first = |class: u32| {
            let mut placed = space.unknown();
            placed.set(0, Some(class));
            let facts = space.facts(&placed);
            conditions.iter().position(|condition| holds(condition, &facts))
        };
        let counting: BTreeSet<usize> = (0..space.classes(0)).filter_map(first).collect();
        let never = (0..answers.len()).filter(|answer| !counting.contains(answer));
        keys.extend(
            never.map(|answer| ("HF-LINT-006", question.id.to_string(), (answer + 1).to_string())),
        );
    }
    keys
}

/// What a question that facts reach leads to, by an answer that is not idle, and that no facts reach.
fn unreached(model: &Model<'_>, tree: &Tree) -> Vec<Key> {
    let mut reached = BTreeSet::new();
    for facts in &model.possible {
        let (asked, end) = model.walk(facts);
        reached.extend(asked.into_iter().map(Target::Question));
        if let Ending::Leaf(leaf) = end {
            reached.insert(Target::Leaf(leaf));
        }
    }
    let idle: BTreeSet<Key> = idle(tree).into_iter().collect();
    let mut keys = Vec::new();
    for (index, question) in tree.questions.iter().enumerate() {
        if !reached.contains(&Target::Question(index)) {
            continue;
        }
        let counts = |answer: usize| {
            let key = ("HF-LINT-006", question.id.to_string(), (answer + 1).to_string());
            matches!(question.branches, Branches::Condition { .. }) || !idle.contains(&key)
        };
        for (answer, target) in question.targets().into_iter().enumerate() {
            if !reached.contains(&target) && counts(answer) {
                keys.push(("HF-LINT-003", tree.id(target).to_string(), String::new()));
            }
        }
    }
    keys
}

/// A condition on a few facts, as a policy writes it.
fn condition() -> BoxedStrategy<Value> {
    let flag = prop::sample::select(vec!["service_down", "revenue_impact", "data_corruption"]);
    let operator = prop::sample::select(vec!["above", "at_least", "below", "at_most"]);
    let share = (operator, prop::sample::select(vec![0.05, 0.5]))
        .prop_map(|(operator, bound)| json!({ "fact": "users_affected", operator: bound }));
    let service = prop::sample::select(vec!["web", "api"])
        .prop_map(|service| json!({ "fact": "service", "is": service }));
    let single = prop_oneof![3 => flag.prop_map(Value::from), 2 => share, 1 => service];
    single
        .prop_recursive(2, 5, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({ "all": all })),
                prop::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({ "any": any })),
                inner.prop_map(|not| json!({ "not": not })),
            ]
        })
        .boxed()
}

/// The questions of a tree without circles: each leads to later ones, to one of three leaves, or nowhere.
fn questions() -> BoxedStrategy<Vec<Value>> {
    let target = |index: usize| {
        (0..9_usize).prop_map(move |to| match to {
            0..=3 => Some(format!("q{}", index + 1 + to)),
            4 => Some(String::from("l0")),
            5 => Some(String::from("l1")),
            6 | 7 => Some(String::from("l2")),
            _ => None,
        })
    };
    let question = move |index: usize, count: usize| {
        let there = move |to: Option<String>| {
            to.filter(|to| {
                let later = to.strip_prefix('q').and_then(|n| n.parse::<usize>().ok());
                later.is_none_or(|later| later < count)
            })
        };
        let asked = (condition(), target(index), target(index)).prop_map(move |(when, yes, no)| {
            let mut question = json!({ "id": format!("q{index}"), "ask": "?", "when": when });
            for (key, to) in [("yes", there(yes)), ("no", there(no))] {
                if let Some(to) = to {
                    question[key] = to.into();
                }
            }
            question
        });
        let bound = prop::sample::select(vec!["above", "at_least", "below", "at_most"]);
        let answer = (bound, prop::sample::select(vec![0.05, 0.3, 0.5]), target(index));
        let answers = prop::collection::vec(answer, 1..4).prop_map(move |answers| {
            let answer = |(bound, at, to): (&str, f64, Option<String>)| {
                let to = there(to).unwrap_or_else(|| String::from("l1"));
                json!({ bound: at, "to": to })
            };
            let answers: Vec<Value> = answers.into_iter().map(answer).collect();
            json!({ "id": format!("q{index}"), "ask": "?", "fact": "users_affected", "answers": answers })
        });
        prop_oneof![3 => asked, 1 => answers]
    };
    (1..6_usize)
        .prop_flat_map(move |count| {
            (0..count).map(|index| question(index, count)).collect::<Vec<_>>()
        })
        .boxed()
}

fn keys_of_a_policy() -> BoxedStrategy<Value> {
    let severity = || prop::option::of(prop::sample::select(vec!["P0", "P1", "P2"]));
    let leaf = || (severity(), any::<bool>());
    let leaves = prop::collection::vec(leaf(), 3..4);
    let tree = (questions(), leaves).prop_map(|(questions, leaves)| {
        let leaf = |(index, (severity, hotfix)): (usize, (Option<&str>, bool))| {
            let mut leaf = json!({ "id": format!("l{index}"), "title": "?", "hotfix": hotfix });
            if let Some(severity) = severity {
                leaf["severity"] = severity.into();
            }
            leaf
        };
        let leaves: Vec<Value> = leaves.into_iter().enumerate().map(leaf).collect();
        json!({ "root": "q0", "questions": questions, "leaves": leaves })
    });
    let effect = prop::sample::select(vec![
        ("severity", json!("P0")),
        ("severity", json!("P1")),
        ("severity", json!("P2")),
        ("hotfix", json!(true)),
        ("hotfix", json!(false)),
    ]);
    let rules = prop::collection::vec((effect, condition()), 0..6);
    let implications = prop::collection::vec((condition(), condition(), any::<bool>()), 0..3);
    let otherwise = prop::sample::select(vec!["no", "unknown"]);
    let exclusions = prop::sample::select(vec!["ask", "ask", "win", "yield"]);
    (prop::option::weighted(0.8, tree), rules, implications, otherwise, exclusions)
        .prop_map(|(tree, rules, implications, otherwise, exclusions)| {
            let rules: Vec<Value> = rules.into_iter().enumerate().map(|(index, ((key, effect), when))| {
                json!({ "id": format!("r{index}"), "title": "?", key: effect, "when": when })
            }).collect();
            let implications: Vec<Value> = implications.into_iter().enumerate().map(|(index, (when, then, iff))| {
                json!({ "id": format!("i{index}"), "when": when, "then": then, "iff": iff })
            }).collect();
            let mut keys = json!({
                "rules": rules,
                "implications": implications,
                "classification": { "otherwise": otherwise, "exclusions": exclusions },
            });
            if let Some(tree) = tree {
                keys["tree"] = tree;
            }
            keys
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dec_5_what_is_found_is_what_going_through_every_value_finds(keys_put in keys_of_a_policy()) {
        let policy = policy(&keys_put);
        let found = found(&policy);
        prop_assert_eq!(keys(&policy, &found), enumerated(&policy), "{:#?}", found);
        prop_assert_eq!(unshown(&policy, &found), Vec::<String>::new());
    }

}

#[test]
fn dec_5_conditions_that_are_too_entangled_are_said_to_be() {
    // Each pair of far apart facts is compared at once: the order of the facts makes the diagram as large as can be.
    let fact = |index: usize| format!("f{index}");
    let pairs: Vec<Value> =
        (0..20).map(|index| json!({ "all": [fact(index), fact(index + 20)] })).collect();
    let all: Vec<String> = (0..40).map(fact).collect();
    let facts: serde_json::Map<String, Value> =
        all.iter().map(|name| (name.clone(), json!({ "kind": "flag", "ask": "?" }))).collect();
    let entangled = policy(&json!({
        "facts": facts,
        "classification": { "otherwise": "no" },
        "rules": [
            { "id": "all", "title": "?", "severity": "P1", "when": { "all": all } },
            { "id": "pairs", "title": "?", "severity": "P0", "when": { "any": pairs } },
        ],
        "tree": {
            "root": "a",
            "questions": [
                { "id": "a", "ask": "?", "when": { "any": all }, "yes": "b", "no": "c" },
                { "id": "b", "ask": "?", "when": { "any": pairs }, "yes": "p0" },
                { "id": "c", "ask": "?", "fact": "users_affected", "answers": [
                    { "above": 0.05, "to": "p1" }, { "above": 0.5, "to": "p0" }
                ] },
            ],
            "leaves": [
                { "id": "p0", "title": "?", "severity": "P0", "hotfix": true },
                { "id": "p1", "title": "?", "severity": "P1", "hotfix": true },
                { "id": "alone", "title": "?", "hotfix": false },
            ],
        },
    }));
    assert!(!entangled.classify(&Facts::default()).exact());
    let found = found(&entangled);
    let finds: Vec<(&str, &str)> = found.iter().map(|f| (f.code(), f.path.as_str())).collect();
    let expected = [("HF-LINT-002", "/tree/leaves/2"), ("HF-LINT-018", "")];
    assert_eq!(finds, expected);
}
