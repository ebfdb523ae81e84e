//! Policies at the limits of the format, and built to be hard: each loads or is refused, and answers within a stated time.

use std::time::Duration;

use hotfix_core::fact::{Facts, Truth};
use hotfix_core::grade::{Hotfix, Severity};
use hotfix_core::policy::{Policy, PolicyError};
use serde_json::{Map, Value, json};

use crate::classify_common::{document, entangled, with_tables};
use crate::clock::Stopwatch;

/// For loading, and for everything that is asked of it first; measured at 5 seconds at most where the machine has nothing
/// else to do, without optimisation. What is wrong by a power of the size takes minutes.
const MOST: Duration = Duration::from_secs(40);

fn house(count: usize) -> Value {
    let flag = |at| (format!("f{at}"), json!({ "kind": "flag", "ask": "?" }));
    (0..count).map(flag).collect::<Map<_, _>>().into()
}

fn severities() -> Value {
    json!({
        "P0": { "label": "high", "hotfix": true }, "P1": { "label": "middle", "hotfix": true },
        "P2": { "label": "low", "hotfix": false },
    })
}

fn known(policy: &Policy, facts: &Value) -> Facts {
    Facts::read(facts.as_object().unwrap(), policy.vocabulary()).unwrap()
}

/// Loads it, and answers everything once. The time counts from the text.
fn answered(tables: &Value, facts: &Value) -> (Option<Severity>, Hotfix, bool) {
    let text = document(tables).to_string();
    assert!(text.len() <= 1 << 20, "a policy has a mebibyte at most, this one has {}", text.len());
    let began = Stopwatch::start();
    let policy = Policy::from_json(&text).unwrap_or_else(|errors| panic!("{errors}"));
    let facts = known(&policy, facts);
    let answer = policy.classify(&facts);
    assert_eq!(serde_json::to_value(&answer).unwrap()["exact"], answer.exact());
    let decision = serde_json::to_value(policy.decide(&facts)).unwrap();
    assert_eq!(decision["exact"], answer.exact());
    let took = began.took();
    assert!(took < MOST, "{took:?}");
    (answer.severity(), answer.hotfix(), answer.exact())
}

/// Rules on pairs of forty facts: each pair with every severity.
fn pairs() -> Value {
    let rule = |at: usize| {
        let (first, round) = (at % 40, at / 40);
        let second = (first + round % 39 + 1) % 40;
        let severity = Severity::ALL[round / 39 % 3].as_str();
        json!({ "id": format!("r{at}"), "title": "r", "severity": severity,
            "when": { "all": [format!("f{first}"), format!("f{second}")] } })
    };
    (0..10_000).map(rule).collect()
}

/// Rules on three of forty facts, at random, one of them negated.
fn triples() -> Value {
    let mut state = 1_u64;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("f{}", (state >> 33) % 40)
    };
    let rule = |at: usize| {
        let (a, b, c) = (draw(), draw(), draw());
        let severity = Severity::ALL[at % 3].as_str();
        json!({ "id": format!("r{at}"), "title": "r", "severity": severity, "when": { "all": [a, b, { "not": c }] } })
    };
    (0..10_000).map(rule).collect()
}

#[test]
fn sev_5_ten_thousand_rules_over_forty_facts() {
    let tables = json!({ "facts": house(40), "severities": severities(), "rules": pairs() });
    let (severity, hotfix, _) = answered(&tables, &json!({ "f0": true, "f7": true }));
    assert_eq!((severity, hotfix), (Some(Severity::P0), Hotfix::Yes));

    let tables = json!({ "facts": house(40), "severities": severities(), "rules": triples() });
    let all: Map<String, Value> = (0..40).map(|at| (format!("f{at}"), json!(at != 3))).collect();
    let (severity, hotfix, _) = answered(&tables, &Value::Object(all));
    assert_eq!((severity, hotfix), (Some(Severity::P0), Hotfix::Yes));
}

/// One rule on any of so many facts.
fn any_of(count: usize) -> Value {
    let any: Vec<String> = (0..count).map(|at| format!("f{at}")).collect();
    let rule = json!({ "id": "r", "title": "r", "severity": "P0", "when": { "any": any } });
    json!({ "facts": house(count), "severities": severities(), "rules": [rule] })
}

#[test]
fn sev_5_ten_thousand_facts_of_the_house() {
    // What would follow from each value of each fact takes the square of their number, so that is asked of a thousand.
    assert_eq!(answered(&any_of(1_000), &json!({})), (None, Hotfix::Unknown, true));
    assert_eq!(answered(&any_of(1_000), &json!({ "f999": true })).0, Some(Severity::P0));

    let text = document(&any_of(10_000)).to_string();
    let began = Stopwatch::start();
    let policy = Policy::from_json(&text).unwrap();
    let nothing = Facts::default();
    let answer = policy.classify(&nothing);
    assert_eq!((answer.severity(), answer.at_worst()), (None, Some(Severity::P0)));
    assert_eq!((answer.decisive().len(), answer.unknown().len()), (10_000, 10_000));
    assert!(!answer.settled());
    assert_eq!(policy.decide(&nothing).reachable().len(), 1);
    let facts = known(&policy, &json!({ "f9999": true }));
    assert_eq!(policy.classify(&facts).severity(), Some(Severity::P0));
    assert_eq!(policy.decide(&facts).outcome().unwrap().severity, Some(Severity::P0));
    let took = began.took();
    assert!(took < MOST, "{took:?}");
}

#[test]
fn sev_5_parity_over_sixty_facts_is_exact() {
    // Each `p` is the parity of the facts up to its own: half of all values call for a hot-fix, and none but all of them tell.
    let mut facts = house(60);
    let mut implications = vec![json!({ "id": "p0", "when": "p0", "then": "f0", "iff": true })];
    for at in 0..60_usize {
        facts[format!("p{at}")] = json!({ "kind": "flag", "ask": "?" });
        if let Some(before) = at.checked_sub(1) {
            let (f, p) = (format!("f{at}"), format!("p{before}"));
            implications
                .push(json!({ "id": format!("p{at}"), "when": format!("p{at}"), "iff": true,
                "then": { "any": [{ "all": [p, { "not": f }] }, { "all": [{ "not": p }, f] }] } }));
        }
    }
    implications.reverse();
    let tables = json!({ "facts": facts, "severities": severities(), "implications": implications, "rules": [
        { "id": "r", "title": "r", "severity": "P0", "when": "p59" },
    ], "classification": { "otherwise": "no" } });
    let all = |last: Option<bool>| {
        let mut known: Map<String, Value> =
            (0..59).map(|at| (format!("f{at}"), json!(at % 2 == 0))).collect();
        known.extend(last.map(|last| ("f59".to_owned(), json!(last))));
        Value::Object(known)
    };
    assert_eq!(answered(&tables, &all(None)), (None, Hotfix::Unknown, true));
    // Thirty of the others are true.
    assert_eq!(answered(&tables, &all(Some(true))), (Some(Severity::P0), Hotfix::Yes, true));
    assert_eq!(answered(&tables, &all(Some(false))), (None, Hotfix::No, true));
}

#[test]
fn sev_5_what_is_too_entangled_is_cut_and_never_wrongly_certain() {
    // That two halves are equal, the first one asked for altogether before the second: 2²⁰⁰ nodes.
    let first: Vec<String> = (0..200).map(|at| format!("f{at}")).collect();
    let pairs: Vec<Value> =
        (0..200).map(|at| json!({ "all": [format!("f{at}"), format!("f{}", at + 200)] })).collect();
    let tables = json!({ "facts": house(400), "severities": severities(), "rules": [
        { "id": "first", "title": "first", "severity": "P0", "when": { "all": first } },
        { "id": "pairs", "title": "pairs", "severity": "P1", "when": { "any": pairs } },
    ] });
    assert_eq!(answered(&tables, &json!({})), (None, Hotfix::Unknown, false));
    let one = json!({ "f3": true, "f203": true });
    assert_eq!(answered(&tables, &one), (Some(Severity::P1), Hotfix::Yes, false));
}

/// A tree of so many questions, one after the other, the last of which leads to a leaf or back to the first.
fn long_tree(questions: usize, back: bool) -> Value {
    let ask = |at: usize| {
        let last = if back { "q0" } else { "l" };
        let no = if at + 1 < questions { format!("q{}", at + 1) } else { last.to_owned() };
        json!({ "id": format!("q{at}"), "ask": "?", "when": format!("f{}", at % 40), "yes": "l", "no": no })
    };
    json!({ "root": "q0", "questions": (0..questions).map(ask).collect::<Vec<_>>(),
        "leaves": [{ "id": "l", "title": "l", "hotfix": true, "severity": "P0", "deadline": 0 }] })
}

#[test]
fn dec_5_long_trees_and_lists_are_linted_in_time_and_without_a_deep_stack() {
    let body = || {
        let wide = json!({ "facts": house(40), "severities": severities(), "rules": pairs() });
        let long = [false, true].map(|back| {
            json!({ "facts": house(40), "severities": severities(), "tree": long_tree(2_000, back) })
        });
        for tables in [&wide, &long[0], &long[1]] {
            let policy = with_tables(tables);
            let began = Stopwatch::start();
            let findings = policy.lint(None);
            let took = began.took();
            assert!(took < MOST, "{took:?} for {} findings", findings.len());
        }
        let policy = with_tables(&long[0]);
        let facts = known(&policy, &json!({ "f7": true }));
        assert_eq!(policy.decide(&facts).outcome().unwrap().id.as_str(), "l");
        let policy = with_tables(&long[1]);
        assert!(policy.decide(&Facts::default()).circular());
        // Too entangled for a diagram, so the tree itself is walked.
        let mut cut = entangled(json!({ "severities": severities(), "rules": [] }));
        let mut facts = cut["facts"].as_object().unwrap().clone();
        facts.extend(house(40).as_object().unwrap().clone());
        cut["facts"] = Value::Object(facts);
        cut["tree"] = long_tree(2_000, true);
        let policy = with_tables(&cut);
        let facts = Facts::default();
        let decision = policy.decide(&facts);
        assert!(!decision.exact() && decision.circular());
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(body).unwrap();
    thread.join().unwrap();
}

/// A condition with so many levels around one fact, as text: a tree of values would have to be taken down level by level.
fn nested(levels: usize, kind: &str) -> String {
    let (open, close) = if kind == "not" { ("{\"not\":", "}") } else { ("{\"?\":[", "]}") };
    let open = open.replace('?', kind);
    format!("{}\"service_down\"{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn field_5_conditions_nest_to_the_limit_and_are_refused_beyond() {
    let load = |levels: usize, kind: &str| {
        let rule = json!({ "id": "r", "title": "r", "severity": "P0", "when": "?" });
        let tables = json!({ "severities": severities(), "rules": [rule] });
        let text = document(&tables).to_string();
        Policy::from_json(
            &text.replace("\"when\":\"?\"", &format!("\"when\":{}", nested(levels, kind))),
        )
    };
    for kind in ["not", "all", "any"] {
        let deepest = (1..64).take_while(|levels| load(*levels, kind).is_ok()).last().unwrap();
        // A level of a list is two: a table and the list in it.
        let least = if kind == "not" { 24 } else { 12 };
        assert!((least..64).contains(&deepest), "{kind}: {deepest}");
        let policy = load(deepest, kind).unwrap();
        let facts = known(&policy, &json!({ "service_down": true }));
        let fires = kind != "not" || deepest % 2 == 0;
        assert_eq!(policy.rules()[0].when.holds(&facts), Truth::from(fires));
        assert_eq!(policy.classify(&facts).severity(), fires.then_some(Severity::P0));
        for levels in [deepest + 1, 100, 10_000, 60_000] {
            let errors = load(levels, kind).unwrap_err();
            let codes: Vec<&str> = errors.iter().map(PolicyError::code).collect();
            assert!(codes.iter().all(|code| *code == "HF-POL-003"), "{levels} {kind}: {codes:?}");
        }
    }
}

#[test]
fn sev_5_a_wide_condition_of_every_fact_in_every_rule() {
    // A hundred rules, each of all of forty facts, each fact as it is or the other way round.
    let rule = |at: usize| {
        let literal = |fact: usize| {
            let name = format!("f{fact}");
            if (at * 2_654_435_761) >> (fact % 30) & 1 == 0 {
                json!(name)
            } else {
                json!({ "not": name })
            }
        };
        json!({ "id": format!("r{at}"), "title": "r", "severity": "P1", "when": { "all": (0..40).map(literal).collect::<Vec<_>>() } })
    };
    let rules: Vec<Value> = (0..100).map(rule).collect();
    let tables = json!({ "facts": house(40), "severities": severities(), "rules": rules });
    let (severity, hotfix, _) = answered(&tables, &json!({}));
    assert_eq!((severity, hotfix), (None, Hotfix::Unknown));
    let policy = with_tables(&tables);
    let facts: Map<String, Value> = (0..40)
        .map(|fact| (format!("f{fact}"), json!((7 * 2_654_435_761_usize) >> (fact % 30) & 1 == 0)))
        .collect();
    let facts = known(&policy, &Value::Object(facts));
    assert_eq!(policy.classify(&facts).severity(), Some(Severity::P1));
}
