//! Random tables of the process around a rollout, as a document has them.

use std::collections::BTreeSet;

use hotfix_core::grade::{
    AdviceCheck, AdviceKind, Audience, CommitField, Flow, Grade, MergeKind, MessageKind, Moment,
    Promised, RollbackMethod, Severity, StepClock, SuccessGroup, TagForm, VcsStep, Versioning,
};
use hotfix_core::policy::section::MESSAGE_FIELDS;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

fn text() -> impl Strategy<Value = String> {
    crate::draw::TEXT
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_-]{0,30}"
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..3)
}

/// Texts that stand once each, in no order.
fn different() -> impl Strategy<Value = Vec<String>> {
    btree_set(text(), 0..4).prop_map(|set| set.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

fn one<T: serde::Serialize>(all: &'static [T]) -> impl Strategy<Value = Value> {
    let known: Vec<Value> = all.iter().map(|value| json!(value)).collect();
    select(known)
}

/// Some of a closed set, each once, in any order.
fn some<T: serde::Serialize>(all: &'static [T]) -> impl Strategy<Value = Value> {
    let known: Vec<Value> = all.iter().map(|value| json!(value)).collect();
    subsequence(known, 0..=all.len()).prop_shuffle().prop_map(Value::from)
}

fn duration(least: u32) -> BoxedStrategy<Value> {
    prop_oneof![
        (least..100_000).prop_map(|s| json!(format!("{s}s"))),
        (least..10_000).prop_map(|m| json!(format!("{m}min"))),
        (least..1_000_000).prop_map(|ms| json!(f64::from(ms) / 1_000.0)),
    ]
    .boxed()
}

/// A table with `least` and `most`, each there or not, the first no more than the second.
fn range() -> impl Strategy<Value = Map<String, Value>> {
    (option::of(0u32..100_000), option::of(0u32..100_000)).prop_map(|(least, more)| {
        let mut table = Map::new();
        if let Some(least) = least {
            table.insert("least".to_owned(), json!(format!("{least}s")));
        }
        if let Some(more) = more {
            table.insert("most".to_owned(), json!(least.unwrap_or(0) + more));
        }
        table
    })
}

/// Values under keys; what is null is left out.
fn table(value: Value) -> Map<String, Value> {
    let Value::Object(table) = value else { panic!("not a table: {value}") };
    table.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn joined(mut first: Map<String, Value>, second: Map<String, Value>) -> Value {
    first.extend(second);
    Value::Object(first)
}

/// A list of such tables, each with an id of its own.
fn with_ids(item: impl Strategy<Value = Map<String, Value>>) -> impl Strategy<Value = Value> {
    (vec(item, 0..4), btree_set(name(), 4)).prop_map(|(items, ids): (Vec<_>, BTreeSet<_>)| {
        let with_id = |(mut item, id): (Map<String, Value>, String)| {
            item.insert("id".to_owned(), id.into());
            Value::Object(item)
        };
        items.into_iter().zip(ids).map(with_id).collect()
    })
}

fn record() -> BoxedStrategy<Value> {
    let date = (1u32..10_000, 1u32..13, 1u32..29)
        .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    let slo = (text(), duration(1), one(Moment::ALL), one(Moment::ALL)).prop_map(
        |(name, within, from, to)| json!({ "name": name, "within": within, "from": from, "to": to }),
    );
    let review = (option::of(duration(1)), any::<bool>()).prop_map(|(every, after)| {
        Value::Object(table(json!({ "every": every, "after_each": after })))
    });
    (text(), text(), text(), option::of(date), option::of(slo), option::of(range()), option::of(review))
        .prop_map(|(document, owner, trigger, changed, slo, estimate, review)| {
            Value::Object(table(json!({
                "document": document, "owner": owner, "trigger": trigger, "changed": changed, "slo": slo,
                "estimate": estimate, "review": review,
            })))
        }).boxed()
}

/// Names of branches that stand once each, in no order.
fn branches() -> impl Strategy<Value = Vec<String>> {
    btree_set(name(), 0..4).prop_map(|set| set.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

fn ways() -> impl Strategy<Value = Value> {
    let way = (text(), one(Flow::ALL), some(VcsStep::ALL), option::of(name())).prop_map(
        |(title, flow, order, base)| {
            table(json!({ "title": title, "flow": flow, "order": order, "base": base }))
        },
    );
    with_ids(way)
}

fn vcs() -> BoxedStrategy<Value> {
    let subject = "([A-Za-z][A-Za-z0-9_-]{0,28}(: ?)?)?";
    let labels = option::of("[A-Za-z0-9-]{0,28}");
    let commit = (subject, some(CommitField::ALL), any::<(bool, bool)>(), labels).prop_map(
        |(subject, fields, (conventional, version_commit), labels)| {
            let labels = labels.map(|label| json!({ "issue": format!("X1{label}"), "change": format!("X2{label}") }));
            Value::Object(table(json!({
                "subject": subject, "fields": fields, "conventional": conventional, "version_commit": version_commit,
                "labels": labels,
            })))
        },
    );
    let pull_request = (text(), option::of(text()), text(), any::<bool>()).prop_map(
        |(title, label, reviewers, squash)| {
            let request =
                json!({ "title": title, "label": label, "reviewers": reviewers, "squash": squash });
            Value::Object(table(request))
        },
    );
    let version = (one(Versioning::ALL), some(Versioning::ALL), one(TagForm::ALL), any::<bool>());
    let rest =
        (one(MergeKind::ALL), branches(), option::of(commit), option::of(pull_request), ways());
    let prefix = "([a-z]{1,8}[/-])?";
    (one(Flow::ALL), some(Flow::ALL), some(VcsStep::ALL), name(), prefix, version, rest).prop_map(
        |(flow, also, order, base, prefix, (version, others, tag, annotated), rest)| {
            let (merge, merge_back, commit, pull_request, ways) = rest;
            Value::Object(table(json!({
                "flow": flow, "also": also, "order": order, "base": base, "prefix": prefix, "version": version,
                "also_version": others, "tag": tag, "annotated": annotated, "merge": merge,
                "merge_back": merge_back, "commit": commit, "pull_request": pull_request, "ways": ways,
            })))
        },
    ).boxed()
}

fn procedure() -> BoxedStrategy<Value> {
    let step = (text(), text(), text(), one(StepClock::ALL), option::of(name()), range()).prop_map(
        |(title, goal, done_when, clock, role, range)| {
            let step = json!({
                "title": title, "goal": goal, "done_when": done_when, "clock": clock, "role": role,
            });
            table(joined(table(step), range))
        },
    );
    with_ids(step).boxed()
}

fn advice() -> BoxedStrategy<Value> {
    let advice = (one(AdviceKind::ALL), text(), option::of(one(AdviceCheck::ALL)));
    with_ids(advice.prop_map(|(kind, text, shown_by)| {
        table(json!({ "kind": kind, "text": text, "shown_by": shown_by }))
    }))
    .boxed()
}

fn condition() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        select(vec!["service_down", "payments_down"]).prop_map(Value::from),
        (0u32..=100)
            .prop_map(|p| json!({ "fact": "users_affected", "at_most": f64::from(p) / 100.0 })),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|all| json!({ "all": all })),
            vec(inner.clone(), 0..3).prop_map(|any| json!({ "any": any })),
            inner.prop_map(|not| json!({ "not": not })),
        ]
    })
    .boxed()
}

fn remedies() -> BoxedStrategy<Value> {
    let remedy = (condition(), text());
    with_ids(remedy.prop_map(|(when, text)| table(json!({ "when": when, "text": text })))).boxed()
}

fn risks() -> BoxedStrategy<(Value, Value)> {
    let risk = (text(), one(Grade::ALL), one(Grade::ALL), text()).prop_map(
        |(risk, likelihood, impact, mitigation)| {
            table(json!({
                "risk": risk, "likelihood": likelihood, "impact": impact, "mitigation": mitigation,
            }))
        },
    );
    let contingency =
        (text(), vec(text(), 1..3), some(Severity::ALL)).prop_map(|(when, actions, waits)| {
            table(json!({ "when": when, "actions": actions, "waits": waits }))
        });
    (with_ids(risk), with_ids(contingency)).boxed()
}

fn success() -> BoxedStrategy<Value> {
    let criterion = (one(SuccessGroup::ALL), text());
    with_ids(criterion.prop_map(|(group, text)| table(json!({ "group": group, "text": text }))))
        .boxed()
}

fn alternatives() -> BoxedStrategy<Value> {
    use hotfix_core::grade::Strategy as Way;
    let given = vec((text(), option::of(1u32..=1_000_000)), Way::ALL.len());
    (some(Way::ALL), given)
        .prop_map(|(strategies, given)| {
            let strategies = strategies.as_array().cloned().unwrap_or_default();
            let alternative = |(strategy, (why, batch)): (Value, (String, Option<u32>))| {
                let batch = batch.filter(|_| strategy == "rolling");
                Value::Object(table(json!({ "strategy": strategy, "why": why, "batch": batch })))
            };
            strategies.into_iter().zip(given).map(alternative).collect()
        })
        .boxed()
}

/// What is said of strategies that a release may choose, for a document whose own is `canary`.
fn strategies() -> BoxedStrategy<Map<String, Value>> {
    let course = (any::<bool>(), option::of(duration(1)));
    let course =
        course.prop_map(|(allowed, deploy)| table(json!({ "allowed": allowed, "deploy": deploy })));
    let more = (option::of(1u32..=1_000_000), option::of(duration(1)), texts());
    (option::of(course.clone()), option::of(course.clone()), option::of(course), more)
        .prop_map(|(rolling, blue_green, immediate, (batch, watch, validate))| {
            let rolling =
                rolling.map(|c| joined(c, table(json!({ "batch": batch, "watch": watch }))));
            let sides = blue_green.map(|c| joined(c, table(json!({ "validate": validate }))));
            table(json!({ "rolling": rolling, "blue_green": sides, "immediate": immediate }))
        })
        .boxed()
}

/// Steps of the way back.
fn return_steps() -> BoxedStrategy<Value> {
    btree_set(1u32..10_000, 0..4)
        .prop_map(|shares| {
            let step = |bp: u32| json!({ "share": f64::from(bp) / 1e4, "wait": "1min" });
            shares.into_iter().map(step).collect()
        })
        .boxed()
}

fn after() -> BoxedStrategy<Value> {
    let window = prop_oneof![
        duration(1),
        (duration(1), option::of(texts())).prop_map(|(until, watch)| {
            Value::Object(table(json!({ "until": until, "watch": watch })))
        }),
    ];
    vec(window, 0..4).prop_map(Value::from).boxed()
}

/// The keys of the rollback workflow that need not be there.
fn rollback() -> BoxedStrategy<Map<String, Value>> {
    let kinds = subsequence(RollbackMethod::ALL.to_vec(), 0..3).prop_shuffle();
    let ways = (kinds, vec((option::of(text()), range()), 3)).prop_map(|(kinds, rest)| {
        let way = |(kind, (condition, range))| {
            joined(table(json!({ "kind": kind, "condition": condition })), range)
        };
        kinds.into_iter().zip(rest).map(way).collect::<Vec<_>>()
    });
    let times =
        (option::of(range()), option::of(range()), option::of(range()), option::of(range()));
    (ways, times, any::<bool>(), texts()).prop_map(
        |(methods, (assess, execute, verify, estimate), point, aftercare)| {
            table(json!({
                "methods": methods, "assess": assess, "execute": execute, "verify": verify, "estimate": estimate,
                "point": point, "aftercare": aftercare,
            }))
        },
    ).boxed()
}

fn messages() -> BoxedStrategy<Value> {
    // What everybody may read: a text that names another field is refused.
    let public = MESSAGE_FIELDS.iter().filter(|field| field.is_for(Audience::Public));
    let names: Vec<&str> = public.map(|field| field.name).collect();
    let field =
        (select(names), " {0,2}").prop_map(|(name, gap)| format!("{{{{{gap}{name}{gap}}}}}"));
    let words = prop_oneof!["[^{}]{0,10}".boxed(), field.boxed()];
    let text =
        ("[^{}\\s\\x{feff}]", vec(words, 0..5)).prop_map(|(first, words)| first + &words.concat());
    let promise = (one(Promised::ALL), range()).prop_map(|(of, range)| {
        let mut promise = table(json!({ "of": of, "most": "30d" }));
        promise.extend(range);
        Value::Object(promise)
    });
    let message = (
        one(MessageKind::ALL),
        one(Audience::ALL),
        text,
        some(Severity::ALL),
        option::of(condition()),
        vec(promise, 0..3),
        option::of(any::<bool>()),
    )
        .prop_map(|(kind, audience, text, severities, when, promises, fallback)| {
            table(json!({
                "kind": kind, "audience": audience, "text": text, "severities": severities, "when": when,
                "promises": promises, "fallback": fallback,
            }))
        });
    with_ids(message).boxed()
}

fn report() -> BoxedStrategy<Value> {
    let within = option::of(prop_oneof![duration(0), Just(json!("next_business_day"))]);
    (within, different(), different(), different(), different()).prop_map(
        |(within, sections, questions, measures, action_item)| {
            Value::Object(table(json!({
                "within": within, "sections": sections, "questions": questions, "measures": measures,
                "action_item": action_item,
            })))
        },
    ).boxed()
}

/// Puts random tables of the process into a document that loads.
pub(crate) fn with_process(document: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let deploying = (texts(), texts(), range()).prop_map(|(success, failure, range)| {
        joined(table(json!({ "success": success, "failure": failure })), range)
    });
    let singles = (
        option::of(record()),
        option::of(vcs()),
        option::of(deploying),
        option::of(report()),
        option::of(text()),
    );
    let lists = (procedure(), advice(), risks(), success(), alternatives(), messages(), remedies());
    let choice = (strategies(), return_steps(), any::<[bool; 2]>());
    (document, singles, lists, after(), rollback(), texts(), choice).prop_map(
        |(mut document, singles, lists, after, rollback, watch_for, choice)| {
            let (mut strategies, steps, [with_flag, chosen]) = choice;
            let (record, vcs, deploying, report, why) = singles;
            let (mut procedure, advice, risks, mut success, alternatives, mut messages, remedies) = lists;
            let (risks, mut contingencies) = risks;
            // Only severities that the policy has are named.
            let known = document["severities"].as_object().cloned().unwrap_or_default();
            for list in [&mut contingencies, &mut messages] {
                for entry in list.as_array_mut().into_iter().flatten() {
                    for key in ["waits", "severities"] {
                        if let Some(named) = entry.get_mut(key).and_then(Value::as_array_mut) {
                            named.retain(|severity| known.contains_key(severity.as_str().unwrap()));
                        }
                    }
                }
            }
            // People check items, steps and criteria by their ids, so none has two.
            let lists = document["checklists"].as_array().into_iter().flatten();
            let items = lists.filter_map(|list| list["items"].as_array()).flatten();
            let items: Vec<&Value> = items.map(|item| &item["id"]).collect();
            if let Some(steps) = procedure.as_array_mut() {
                steps.retain(|step| !items.contains(&&step["id"]));
            }
            if let Some(criteria) = success.as_array_mut() {
                let steps: Vec<&Value> =
                    procedure.as_array().into_iter().flatten().map(|step| &step["id"]).collect();
                criteria.retain(|criterion| {
                    !items.contains(&&criterion["id"]) && !steps.contains(&&criterion["id"])
                });
            }
            // A criterion may name a metric that is there.
            if let (Some(first), Some(metrics)) = (success.get_mut(0), document["metrics"].as_object()) {
                first["metric"] = json!(metrics.keys().next());
            }
            let process = table(json!({
                "change_record": record, "vcs": vcs, "deploying": deploying, "report": report, "strategy_why": why,
                "procedure": procedure, "advice": advice, "risks": risks, "contingencies": contingencies,
                "success": success, "alternatives": alternatives, "messages": messages, "remedies": remedies,
                "after": after,
            }));
            if let Some(table) = document["rollback"].as_object_mut() {
                table.extend(rollback);
                table.insert("steps".to_owned(), steps);
            }
            if with_flag {
                let mut phase = document["phases"][0].clone();
                phase["share"] = json!("100%");
                strategies.insert("feature_flag".to_owned(), json!({ "phases": [phase] }));
            }
            if chosen {
                document["instead_of"] = json!({ "strategy": "canary", "phases": document["phases"] });
            }
            document["strategies"] = Value::Object(strategies);
            document["phases"][0]["watch_for"] = json!(watch_for);
            let Value::Object(document) = document else { panic!("not a table: {document}") };
            joined(document, process)
        },
    )
}
