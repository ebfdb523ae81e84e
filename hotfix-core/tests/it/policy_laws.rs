//! Laws of reading and writing policies, over random valid policies, mutated presets and plain noise.

use std::collections::BTreeSet;

use hotfix_core::policy::{Policy, PolicyError, PolicyErrors};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::draw::{TEXT, approval, condition, fraction, lasting, name, response, with_some};
use crate::policy_common::{example, schema, whole};
use crate::policy_process::with_process;

fn per_minute() -> BoxedStrategy<Value> {
    prop_oneof![
        (0.0f64..1e9).prop_map(|f| json!(f)),
        (0u32..100_000, select(vec!["s", "min", "h"])).prop_map(|(n, u)| json!(format!("{n}/{u}"))),
    ]
    .boxed()
}

fn level(kind: &'static str) -> BoxedStrategy<Value> {
    match kind {
        "proportion" => fraction(),
        "latency" => prop_oneof![lasting(0), (1e-6f64..10.0).prop_map(|s| json!(s))].boxed(),
        "gauge" => {
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| json!(f)).boxed()
        }
        _ => per_minute(),
    }
}

fn bound(kind: &'static str) -> BoxedStrategy<Value> {
    prop_oneof![
        level(kind),
        (level(kind), any::<bool>())
            .prop_map(|(v, u)| json!({ "value": v, "unless_both_arms": u })),
        (0.01f64..100.0, select(vec!["reference", "live"]), any::<bool>())
            .prop_map(|(r, of, u)| json!({ "ratio": r, "of": of, "unless_both_arms": u })),
    ]
    .boxed()
}

fn mode() -> impl Strategy<Value = &'static str> {
    select(vec!["plain", "replay", "randomised", "both"])
}

fn otherwise() -> impl Strategy<Value = &'static str> {
    select(vec!["plain", "ask"])
}

fn metric() -> impl Strategy<Value = Value> {
    let kinds = vec!["proportion", "count", "latency", "gauge", "volume"];
    (select(kinds), select(vec!["decide", "watch"]), any::<bool>()).prop_flat_map(|(kind, role, tested)| {
        (
            level(kind),
            option::of(bound(kind)),
            option::of(bound(kind)),
            option::of(bound(kind)),
            btree_set(1u32..100_000, 1..6),
            select(vec!["higher", "lower"]),
            TEXT,
            fraction(),
            (option::of(mode()), option::of(otherwise())),
        )
            .prop_map(move |(record, success, alert, rollback, boundaries, worse, title, quantile, own)| {
                let mut metric = json!({ "title": title, "kind": kind, "worse": worse, "role": role, "reference": record });
                for (key, bound) in [("success", success), ("alert", alert), ("rollback", rollback)] {
                    if let Some(mut bound) = bound {
                        if let ("success", Some(table)) = (key, bound.as_object_mut()) {
                            table.remove("unless_both_arms");
                        }
                        metric[key] = bound;
                    }
                }
                if kind == "latency" {
                    let boundaries: Vec<_> = boundaries.iter().map(|ms| json!(format!("{ms}ms"))).collect();
                    metric["boundaries"] = json!(boundaries);
                    metric["quantile"] = quantile;
                }
                if !tested {
                    metric["model"] = json!("none");
                }
                let has_test = tested && match kind {
                    "count" => worse == "higher",
                    kind => ["proportion", "latency"].contains(&kind),
                };
                let (mode, otherwise) = if has_test { own } else { (None, None) };
                with_some(metric, [("mode", mode.map(Value::from)), ("otherwise", otherwise.map(Value::from))])
            })
    })
}

fn is_tested(metric: &Value) -> bool {
    let testable = match metric["kind"].as_str().unwrap() {
        "count" => metric["worse"] == "higher",
        kind => ["proportion", "latency"].contains(&kind),
    };
    testable && metric.get("model").is_none() && metric["role"] == "decide"
}

/// The metrics, with weights that sum to 1.
fn metrics() -> impl Strategy<Value = Map<String, Value>> {
    (btree_map(name(), metric(), 1..6), vec(0.01f64..1.0, 6)).prop_map(|(metrics, weights)| {
        let mut metrics: Map<String, Value> = metrics.into_iter().collect();
        let tested: Vec<&mut Value> = metrics.values_mut().filter(|m| is_tested(m)).collect();
        let sum: f64 = weights.iter().take(tested.len()).sum();
        for (metric, weight) in tested.into_iter().zip(&weights) {
            metric["weight"] = json!(weight / sum);
        }
        metrics
    })
}

fn phase() -> impl Strategy<Value = Value> {
    let response = || select(vec!["hold", "ask", "roll_back"]);
    let share = prop_oneof![4 => 1u32..=10_000, 1 => Just(10_000)];
    (
        (share, ".{0,20}", lasting(0), lasting(0), option::of(0u32..100)),
        select(vec!["no_evidence_of_harm", "evidence_of_no_harm"]),
        (response(), response(), select(vec!["automatic", "manual", "veto"]), any::<bool>(), 0u32..600),
    )
        .prop_map(|((bp, objective, deploy, watch, most), promotion, (missed, undecided, gate, early, veto))| {
            let mut phase = json!({
                "share": f64::from(bp) / 1e4, "objective": objective, "deploy": deploy, "watch": watch,
                "promotion": promotion, "criteria_missed": missed, "inconclusive": undecided, "gate": gate,
                "early_promotion": early, "veto": veto,
            });
            if let Some(days) = most {
                phase["watch_most"] = json!(format!("{}d", 100 + days));
            }
            phase
        })
}

fn with_names(mut tables: Vec<Value>, key: &str, names: BTreeSet<String>) -> Vec<Value> {
    for (table, name) in tables.iter_mut().zip(names) {
        table[key] = json!(name);
    }
    tables
}

/// A document that loads, with every table of the format.
pub(crate) fn document() -> impl Strategy<Value = Value> {
    with_process(rollout())
}

/// A document that loads, with what a rollout needs.
fn rollout() -> impl Strategy<Value = Value> {
    let phases = (1usize..5)
        .prop_flat_map(|n| (vec(phase(), n), btree_set(name(), n)))
        .prop_map(|(phases, names)| with_names(phases, "name", names));
    let item = (TEXT, any::<(bool, bool)>(), option::of(TEXT)).prop_map(
        |(text, (required, sometimes), records)| {
            let item = json!({ "text": text, "required": required, "if_applicable": sometimes });
            with_some(item, [("records", records.map(Value::from))])
        },
    );
    let at = select(vec!["start", "before", "deployed", "verified", "final_validation", "after"]);
    let checklist = (0usize..4)
        .prop_flat_map(move |n| (vec(item.clone(), n), btree_set(name(), n)))
        .prop_map(|(items, ids)| with_names(items, "id", ids))
        .prop_map(|items| json!({ "id": "only", "title": "t", "items": items }));
    let checklist = (checklist, at, option::of(lasting(0)), option::of(condition()));
    let checklist = checklist.prop_map(|(mut list, at, within, when)| {
        list["at"] = json!(at);
        list["severities"] = json!([]);
        json!([with_some(list, [("within", within), ("when", when)])])
    });
    let evidence = (1.0f64..3.0, 1.001f64..5.0, 1.001f64..1e4, fraction(), mode(), otherwise(), any::<(bool, bool)>())
        .prop_map(|(tolerated, more, hold, alpha, mode, otherwise, (change_point, phase_end))| {
            json!({
                "alpha": alpha, "tolerated": tolerated, "margin": tolerated * more, "hold": hold, "mode": mode,
                "otherwise": otherwise, "change_point": change_point, "phase_end_test": phase_end && mode == "plain",
            })
        });
    let rules = (lasting(0), evidence, 0.0f64..1e6);
    let triggers = btree_map(
        select(vec!["doubt", "user_reports_worse", "fix_does_not_work", "data_corruption"]),
        select(vec!["continue", "hold", "ask", "roll_back"]),
        0..4,
    );
    let lists = (triggers, vec(lasting(0), 0..4), vec(approval(), 0..3));
    (name(), TEXT, phases, metrics(), checklist, rules, lists, (lasting(0), response()))
        .prop_map(|(name, title, phases, metrics, checklists, rules, (triggers, after, approvals), (at, response))| {
            let (cadence, evidence, least) = rules;
            let mut metrics = metrics;
            if evidence["phase_end_test"] == true {
                metrics.values_mut().for_each(|metric| drop(metric.as_object_mut().unwrap().remove("mode")));
            }
            let efficacy = metrics.iter().find(|(_, m)| is_tested(m) && m["kind"] != "latency");
            let mut document = json!({
                "format": 1, "name": name, "title": title, "strategy": "canary", "after": after,
                "evidence": evidence,
                "watch": {
                    "cadence": cadence.clone(), "window": cadence.clone(), "stale": cadence, "least_trials": least,
                    "no_data": { "after": at.clone(), "then": "ask" },
                },
                "phases": phases, "checklists": checklists, "approvals": approvals, "triggers": triggers,
                "final_validation": { "watch": at.clone(), "gate": "manual" },
                "rollback": { "watch": at.clone(), "returned_within": at },
            });
            if let Some((id, _)) = efficacy {
                document["efficacy"] = json!({ "metric": id, "cut_to": 0.5 });
            }
            document["metrics"] = Value::Object(metrics);
            document.as_object_mut().unwrap().extend(response.as_object().unwrap().clone());
            document
        })
}

pub(crate) fn loaded(document: &Value) -> Policy {
    Policy::from_json(&document.to_string())
        .unwrap_or_else(|errors| panic!("{errors}\n{document:#}"))
}

/// A list is never empty, and each place is in the document.
fn check_errors(errors: &PolicyErrors, document: Option<&Value>) {
    assert!(errors.count() > 0 && errors.first().is_some());
    assert!(errors.to_string().lines().count() > errors.iter().count());
    for error in errors {
        assert!(error.code().starts_with("HF-"), "{error}");
        if let Some(document) = document {
            assert!(document.pointer(error.path()).is_some(), "{error}\n{document:#}");
        }
    }
}

/// Any JSON value, not deep.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,10}".prop_map(Value::from),
        select(vec![
            "1%",
            "10min",
            "0s",
            "5/min",
            "canary",
            "reference",
            "nan",
            "inf",
            "1e999%",
            "-1s"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z_/~]{0,8}", inner, 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// The pointers of everything in a document.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                places(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                places(value, &format!("{at}/{i}"), out);
            }
        }
        _ => {}
    }
}

#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    Add(String, Value),
    Copy(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        anything().prop_map(Change::Replace),
        Just(Change::Remove),
        ("[a-z_]{1,8}", anything()).prop_map(|(key, value)| Change::Add(key, value)),
        any::<prop::sample::Index>().prop_map(Change::Copy),
    ]
}

fn changed(document: &mut Value, at: prop::sample::Index, change: &Change) {
    let mut all = Vec::new();
    places(document, "", &mut all);
    let place = at.get(&all).clone();
    match change {
        Change::Replace(value) => *document.pointer_mut(&place).unwrap() = value.clone(),
        Change::Copy(from) => {
            let value = document.pointer(from.get(&all).as_str()).unwrap().clone();
            *document.pointer_mut(&place).unwrap() = value;
        }
        Change::Remove => {
            let Some((parent, key)) = place.rsplit_once('/') else { return };
            match document.pointer_mut(parent) {
                Some(Value::Object(table)) => {
                    table.remove(&key.replace("~1", "/").replace("~0", "~"));
                }
                Some(Value::Array(list)) => {
                    list.remove(key.parse().unwrap());
                }
                _ => {}
            }
        }
        Change::Add(key, value) => match document.pointer_mut(&place).unwrap() {
            Value::Object(table) => {
                table.insert(key.clone(), value.clone());
            }
            Value::Array(list) => list.push(value.clone()),
            _ => {}
        },
    }
}

fn originals() -> Vec<Value> {
    let mut policies: Vec<Policy> =
        Policy::presets().iter().map(|n| Policy::preset(n).unwrap()).collect();
    let texts = [example("payments"), example("lab"), whole()];
    policies.extend(texts.map(|text| Policy::from_toml(&text).unwrap()));
    policies.iter().map(|policy| serde_json::from_str(&policy.to_json()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_5_what_is_written_reads_back_equal(document in document()) {
        let policy = loaded(&document);
        let (json, toml) = (policy.to_json(), policy.to_toml());
        let from_json = Policy::from_json(&json).unwrap_or_else(|e| panic!("{e}\n{json}"));
        let from_toml = Policy::from_toml(&toml).unwrap_or_else(|e| panic!("{e}\n{toml}"));
        prop_assert_eq!(&from_json, &policy);
        prop_assert_eq!(&from_toml, &policy);
        // Once resolved, the text is a fixed point: what is logged can be hashed.
        prop_assert_eq!(from_json.to_json(), json);
        prop_assert_eq!(from_toml.to_toml(), toml);
        prop_assert_eq!(from_toml.digest(), policy.digest());
        prop_assert_ne!(policy.digest(), hotfix_core::canonical::Digest::ZERO);
        let through_serde: Policy = serde_json::from_value(serde_json::to_value(&policy).unwrap()).unwrap();
        prop_assert_eq!(through_serde, policy);
    }

    #[test]
    fn field_5_what_loads_fits_the_schema(document in document()) {
        static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> =
            std::sync::LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());
        let policy = loaded(&document);
        for document in [document, toml::from_str(&policy.to_toml()).unwrap()] {
            let faults: Vec<_> = VALIDATOR.iter_errors(&document).map(|e| e.to_string()).collect();
            prop_assert!(faults.is_empty(), "{:?}\n{:#}", faults, document);
        }
    }

    #[test]
    fn field_5_noise_never_panics(text in ".{0,200}", toml in "[a-z=\\[\\]{}\"'.,\n 0-9#-]{0,200}", json in "[a-z:\\[\\]{}\",\n 0-9-]{0,200}") {
        for text in [text, toml, json] {
            if let Err(errors) = Policy::from_toml(&text) { check_errors(&errors, None); }
            if let Err(errors) = Policy::from_json(&text) { check_errors(&errors, None); }
        }
    }

    #[test]
    fn field_5_a_preset_with_slips_of_the_pen_never_panics(
        which in 0usize..5,
        slips in vec((any::<prop::sample::Index>(), 0usize..5, "[ -~\n\u{e9}\u{1F6A8}]{0,3}"), 1..4),
    ) {
        let mut text = ["phased-canary", "standard"].get(which).map_or_else(
            || [example("payments"), example("lab"), whole()][which - 2].clone(),
            |name| Policy::preset(name).unwrap().to_toml(),
        );
        for (at, cut, insert) in &slips {
            let mut chars: Vec<char> = text.chars().collect();
            let start = at.index(chars.len());
            let end = (start + cut).min(chars.len());
            chars.splice(start..end, insert.chars());
            text = chars.into_iter().collect();
        }
        if let Err(errors) = Policy::from_toml(&text) { check_errors(&errors, None); }
    }

    #[test]
    fn roll_7_extending_and_saying_nothing_has_the_digest_of_the_base(document in document()) {
        let base = loaded(&document);
        for text in [document.to_string(), base.to_json(), base.to_toml()] {
            let policy = Policy::from_toml_with("extends = 'base'", |_| Some(text.clone())).unwrap();
            prop_assert_eq!(policy.digest(), base.digest());
            prop_assert_eq!(&policy, &base);
        }
        // The whole of it over another one, too.
        let mut over = document;
        over["extends"] = json!("empty");
        let policy = Policy::from_json_with(&over.to_string(), |_| Some(String::new())).unwrap();
        prop_assert_eq!(policy.digest(), base.digest());
    }

    #[test]
    fn roll_7_a_resolved_policy_reads_back_with_its_digest(
        base in document(),
        mut over in document(),
        keys in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        for key in keys {
            let there: Vec<String> = over.as_object().unwrap().keys().cloned().collect();
            over.as_object_mut().unwrap().remove(key.get(&there));
        }
        over["extends"] = json!(["base"]);
        match Policy::from_json_with(&over.to_string(), |_| Some(base.to_string())) {
            Ok(policy) => {
                prop_assert!(!policy.to_json().contains("extends"));
                prop_assert_eq!(Policy::from_json(&policy.to_json()).unwrap().digest(), policy.digest());
                prop_assert_eq!(Policy::from_toml(&policy.to_toml()).unwrap().digest(), policy.digest());
            }
            Err(errors) => check_errors(&errors, None),
        }
    }

    #[test]
    fn field_5_whatever_is_extended_never_panics(
        mut document in btree_map("[a-z_/~]{0,8}", anything(), 0..4),
        bases in btree_map("[ab]", btree_map("[a-z_/~]{0,8}", anything(), 0..4), 0..3),
        extends in prop_oneof![
            anything(),
            Just(json!("a")),
            Just(json!(["a", "b", "standard"])),
            Just(json!([{ "policy": "a", "take": ["watch"] }])),
            anything().prop_map(|take| json!(["standard", { "policy": "a", "take": take }])),
        ],
        which in option::of("[ab]"),
    ) {
        let mut texts: std::collections::BTreeMap<String, Map<String, Value>> =
            bases.into_iter().map(|(name, base)| (name, base.into_iter().collect())).collect();
        if let Some(base) = which.and_then(|name| texts.get_mut(&name)) {
            base.insert("extends".to_owned(), extends.clone());
        }
        document.insert("extends".to_owned(), extends);
        let document = Value::Object(document.into_iter().collect());
        let resolve = |name: &str| texts.get(name).map(|base| json!(base).to_string());
        if let Err(errors) = Policy::from_json_with(&document.to_string(), resolve) {
            check_errors(&errors, None);
        }
    }

    #[test]
    fn field_5_any_json_value_is_refused_with_places_in_it(document in anything()) {
        check_errors(&Policy::from_json(&document.to_string()).unwrap_err(), Some(&document));
    }

    #[test]
    fn field_5_a_mutated_policy_loads_or_says_where_not(
        which in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), change()), 1..6),
    ) {
        static ORIGINALS: std::sync::LazyLock<Vec<Value>> = std::sync::LazyLock::new(originals);
        let mut document = which.get(&ORIGINALS).clone();
        for (at, change) in &changes {
            changed(&mut document, *at, change);
        }
        let from_json = Policy::from_json(&document.to_string());
        match &from_json {
            Ok(policy) => prop_assert_eq!(&loaded(&serde_json::from_str(&policy.to_json()).unwrap()), policy),
            Err(errors) => check_errors(errors, Some(&document)),
        }
        // Both notations say the same; TOML has no null.
        if let Ok(text) = toml::to_string(&document) {
            let listed = |read: &Result<Policy, PolicyErrors>| match read {
                Ok(policy) => vec![policy.to_json()],
                Err(errors) => {
                    let line = |error: &PolicyError| format!("{} at {}: {}", error.code(), error.path(), error.sentence());
                    let mut lines: Vec<_> = errors.iter().map(line).collect();
                    lines.sort();
                    lines
                }
            };
            prop_assert_eq!(listed(&Policy::from_toml(&text)), listed(&from_json));
        }
    }
}

#[test]
fn field_5_a_frequency_reads_back_however_large_or_small() {
    let mut document: Value =
        serde_json::from_str(&Policy::preset("phased-canary").unwrap().to_json()).unwrap();
    for frequency in [1e60, 1e59, 1e-58, 1e-62, 5e-324, f64::MAX] {
        document["metrics"]["strange"] =
            json!({ "kind": "volume", "worse": "higher", "role": "watch", "alert": frequency });
        let policy = Policy::from_json(&document.to_string()).unwrap();
        let again = Policy::from_toml(&policy.to_toml()).unwrap();
        assert_eq!(again.digest(), policy.digest(), "{frequency}");
    }
}
