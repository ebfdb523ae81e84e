//! Random valid tables of a policy: severities, roles, vendors, duties, scope, and the values that all tables share.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A text that is not blank.
pub(crate) const TEXT: &str = "[^\\s\\x{feff}].{0,11}";

pub(crate) fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,30}"
}

/// A duration of at least so many seconds, as text or as a number.
pub(crate) fn lasting(least: u32) -> BoxedStrategy<Value> {
    prop_oneof![
        (0u32..100_000).prop_map(move |s| json!(format!("{}s", least + 1 + s))),
        (1u32..10_000).prop_map(move |m| json!(format!("{}min", least / 60 + 1 + m))),
        (0.001f64..1e6).prop_map(move |s| json!(f64::from(least) + s)),
    ]
    .boxed()
}

pub(crate) fn fraction() -> BoxedStrategy<Value> {
    prop_oneof![
        (1e-9f64..0.999).prop_map(|f| json!(f)),
        (1u32..9999).prop_map(|bp| json!(format!("{}%", f64::from(bp) / 100.0))),
    ]
    .boxed()
}

/// A table with some more keys, where there are any.
pub(crate) fn with_some<const N: usize>(
    mut table: Value,
    more: [(&str, Option<Value>); N],
) -> Value {
    for (key, value) in more {
        if let Some(value) = value {
            table[key] = value;
        }
    }
    table
}

/// Keys of a table, each of which may be left out.
fn some_of(table: Value) -> impl Strategy<Value = Value> {
    let Value::Object(table) = table else { panic!("a table") };
    let count = table.len();
    (Just(table), vec(any::<bool>(), count)).prop_map(|(table, kept)| {
        table.into_iter().zip(kept).filter_map(|(entry, kept)| kept.then_some(entry)).collect()
    })
}

pub(crate) fn approval() -> impl Strategy<Value = Value> {
    (vec(name(), 1..3), vec(name(), 0..3), lasting(0), any::<[bool; 3]>())
        .prop_flat_map(|(any_of, told, late, [verbal, blocking, alone])| {
            let more = json!({
                "verbal": verbal, "after_the_fact": late, "notified": told, "blocking": blocking, "author_alone": alone,
            });
            (Just(any_of), some_of(more))
        })
        .prop_map(|(any_of, mut approval)| {
            approval["any_of"] = json!(any_of);
            approval
        })
}

/// `least` and `most`, in order.
fn times() -> impl Strategy<Value = Value> {
    (0u32..1_000, 1u32..1_000)
        .prop_map(|(least, more)| json!({ "least": least, "most": format!("{}s", least + more) }))
}

fn severity_level() -> impl Strategy<Value = Value> {
    let review = (
        times(),
        select(vec!["before", "after", "any"]),
        1u32..9,
        option::of(name()),
        vec(TEXT, 0..3),
    );
    let review = review.prop_map(|(mut review, time, approvers, role, questions)| {
        review["time"] = json!(time);
        review["approvers"] = json!(approvers);
        review["questions"] = json!(questions);
        with_some(review, [("role", role.map(Value::from))])
    });
    let staging = prop_oneof![Just(None), option::of(condition()).prop_map(Some)];
    let testing =
        (times(), staging, vec(TEXT, 0..3)).prop_map(|(mut testing, staging, demands)| {
            testing["staging"] = json!(staging.is_some());
            testing["demands"] = json!(demands);
            with_some(testing, [("skip_staging_when", staging.flatten())])
        });
    (TEXT, TEXT, any::<bool>(), vec(approval(), 0..3), option::of(review), option::of(testing)).prop_map(
        |(label, text, hotfix, approvals, review, testing)| {
            let level = json!({
                "label": label, "definition": text, "process": text, "hotfix": hotfix, "approvals": approvals,
            });
            with_some(level, [("review", review), ("testing", testing)])
        },
    )
}

pub(crate) fn condition() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        select(vec!["service_down", "payments_down"]).prop_map(Value::from),
        fraction().prop_map(|share| json!({ "fact": "users_affected", "above": share })),
        lasting(0).prop_map(|time| json!({ "fact": "latency_p95", "at_most": time })),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let list = || vec(inner.clone(), 0..3);
        prop_oneof![
            list().prop_map(|all| json!({ "all": all })),
            list().prop_map(|any| json!({ "any": any })),
            inner.clone().prop_map(|not| json!({ "not": not })),
        ]
    })
}

fn due() -> BoxedStrategy<Value> {
    let days = vec!["next_business_day", "next_day", "next_release", "next_sprint"];
    prop_oneof![lasting(0), Just(json!("0s")), select(days).prop_map(Value::from)].boxed()
}

/// A duty; with which of the policy's severities it is for, the most severe first.
fn duty() -> impl Strategy<Value = (Value, Vec<bool>)> {
    let moment = || select(vec!["began", "detected", "declared", "deployed", "resolved", "closed"]);
    let every = option::of((lasting(0), option::of(moment())));
    let whom = select(vec!["responders", "stakeholders", "business", "public"]);
    let more = (option::of(name()), option::of(whom), option::of(times()), option::of(condition()));
    let kind = select(vec!["fix", "notify", "update", "page", "escalate", "meet", "write"]);
    (kind, TEXT, moment(), due(), every, more, 1u32..9, vec(any::<bool>(), 5)).prop_map(
        |(kind, title, from, within, every, (role, audience, lasts, when), step, mut of)| {
            let stop_gap = of.pop();
            let duty = json!({
                "kind": kind, "title": title, "from": from, "within": within, "stop_gap": stop_gap,
            });
            let (every, until) = every.map_or((None, None), |(every, until)| (Some(every), until));
            let duty = with_some(
                duty,
                [
                    ("every", every),
                    ("until", until.map(Value::from)),
                    ("role", role.map(Value::from)),
                    ("audience", audience.map(Value::from)),
                    ("lasts", lasts),
                    ("when", when),
                    ("level", (kind == "escalate").then(|| json!(step))),
                ],
            );
            (duty, of)
        },
    )
}

/// Severities, roles, vendors, duties and scope.
pub(crate) fn response() -> impl Strategy<Value = Value> {
    let severities = btree_map(select(vec!["P0", "P1", "P2", "P3"]), severity_level(), 0..=4);
    let holders = btree_map(TEXT, option::of(TEXT), 0..3).prop_map(|holders| {
        let holder = |(name, reach): (String, Option<String>)| {
            with_some(json!({ "name": name }), [("reach", reach.map(Value::from))])
        };
        holders.into_iter().map(holder).collect::<Vec<_>>()
    });
    let role = (TEXT, vec(name(), 0..3), holders)
        .prop_map(|(title, stand_ins, holders)| json!({ "title": title, "stand_ins": stand_ins, "holders": holders }));
    let vendors =
        btree_map(TEXT, some_of(json!({ "support": "s", "status": "u", "dashboard": "d" })), 0..3)
            .prop_map(|vendors| {
                vendors
                    .into_iter()
                    .map(|(name, mut vendor)| {
                        vendor["name"] = json!(name);
                        vendor
                    })
                    .collect::<Vec<_>>()
            });
    let scope = some_of(json!({
        "one_fix": false, "features": true, "refactoring": "not_large", "dependencies": true, "migrations": true,
        "files_most": 10, "lines_most": 1_000_000, "wanted": ["tests"],
    }));
    let duties = btree_map(name(), duty(), 0..4);
    (severities, btree_map(name(), role, 0..3), vendors, duties, option::of(scope)).prop_map(
        |(severities, roles, vendors, duties, scope)| {
            let duty = |(id, (mut duty, of)): (String, (Value, Vec<bool>))| {
                duty["id"] = json!(id);
                let named = severities.keys().zip(of).filter_map(|(name, of)| of.then_some(name));
                duty["severities"] = named.copied().collect();
                duty
            };
            let duties: Vec<Value> = duties.into_iter().map(duty).collect();
            let tables = json!({ "severities": severities, "roles": roles, "vendors": vendors, "duties": duties });
            with_some(tables, [("scope", scope)])
        },
    )
}
