//! Documents of other tools as policies (FIELD-5, FIELD-12).

use std::sync::Arc;

use hotfix_core::grade::Role;
use hotfix_core::interop::{Finding, Imported, Kind, convert};
use hotfix_core::lint::Level;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::clock::Stopwatch;
use crate::shared::convert_cases::{Answer, Case};
use crate::tree;

fn cases() -> Vec<Case> {
    Case::load(&tree::root().join("hotfix-core/tests/cases/convert"))
}

fn kind(case: &Case) -> Option<Kind> {
    case.kind.as_ref().map(|kind| kind.parse().unwrap())
}

fn answer(case: &Case) -> Answer {
    match convert(&case.text, kind(case)) {
        Ok(imported) => Ok(json!(imported)),
        Err(errors) => Err(errors.iter().map(|error| json!(error)).collect()),
    }
}

#[test]
fn field_5_every_document_is_imported_as_its_case_says() {
    let cases = cases();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    let faults: Vec<String> = cases.iter().flat_map(|case| case.faults(answer(case))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn field_5_what_is_imported_loads_lints_and_plans() {
    let good: Vec<Case> = cases().into_iter().filter(Case::is_good).collect();
    assert!(good.len() >= 20, "only {}", good.len());
    for case in &good {
        let Imported { policy, text, findings, .. } = convert(&case.text, kind(case)).unwrap();
        assert_eq!(Policy::from_toml(&text).unwrap(), policy, "{}", case.id);
        let denied: Vec<_> =
            policy.lint(None).into_iter().filter(|f| f.level() == Level::Deny).collect();
        assert!(denied.is_empty(), "{}: {denied:?}", case.id);
        let lines = case.text.lines().count();
        for finding in &findings {
            assert!((1..=lines).contains(&finding.line) && finding.column >= 1, "{finding:?}");
            let (message, remedy) = (finding.message(), finding.remedy());
            assert!(
                !message.is_empty() && !message.contains('\n') && !remedy.is_empty(),
                "{message}"
            );
        }
        let incident = json!({ "id": "INC-2041" }).to_string();
        let release = json!({ "version": "2.3.1", "previous": "2.3.0" }).to_string();
        let plan = Plan::from_json(Arc::new(policy), &incident, &release, "").unwrap();
        assert!(plan.to_markdown(None).contains("2.3.1"), "{}", case.id);
    }
}

#[test]
fn field_12_a_dry_run_and_a_muted_metric_are_watched_and_decide_nothing() {
    let mut watched = 0;
    for case in cases()
        .iter()
        .filter(|case| case.text.contains("dryRun") || case.text.contains("\"muted\": true"))
    {
        let policy = convert(&case.text, kind(case)).unwrap().policy;
        watched += policy.metrics().iter().filter(|metric| metric.role == Role::Watch).count();
    }
    assert!(watched >= 4, "{watched}");
}

#[test]
fn field_5_an_error_at_the_root_of_a_document_has_its_line() {
    let errors = convert("a: 1\n---\nkind: Rollout\nkind: Rollout\n", None).unwrap_err();
    let text = errors.to_string();
    assert!(text.starts_with("HF-CONV-003 at line 4, column 1: `kind` occurs twice"), "{text}");
}

/// A document of each tool in which every value matters: none is a default.
#[expect(clippy::too_many_lines, reason = "it is one document after the other")]
fn rich() -> Vec<(Kind, Vec<Value>)> {
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "spec": {
            "minReadySeconds": 5, "progressDeadlineSeconds": 120, "progressDeadlineAbort": true,
            "paused": true, "rollbackWindow": { "revisions": 3 },
            "strategy": { "canary": {
                "maxSurge": 1, "maxUnavailable": 1, "dynamicStableScale": true, "minPodsPerReplicaSet": 2,
                "trafficRouting": { "maxTrafficWeight": 200 },
                "analysis": {
                    "startingStep": 1, "templates": [{ "templateName": "one" }],
                    "args": [{ "name": "most", "value": "7" }], "dryRun": [{ "metricName": "b" }],
                },
                "steps": [
                    { "setWeight": 30 }, { "pause": { "duration": "7m" } }, { "setCanaryScale": { "weight": 1 } },
                    { "analysis": { "templates": [{ "templateName": "two", "clusterScope": true }] } },
                    { "setWeight": 150 }, { "pause": {} }, { "experiment": {} },
                ],
            }},
        },
    });
    let metric = |name: &str| {
        json!({
            "name": name, "interval": "45s", "count": 5, "initialDelay": "20s", "failureLimit": 2,
            "inconclusiveLimit": 1, "consecutiveErrorLimit": 1, "consecutiveSuccessLimit": 2,
            "successCondition": "result[0] < {{args.most}}", "failureCondition": "result[0] >= 9",
            "provider": { "prometheus": { "query": "q" } },
        })
    };
    let template = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": { "name": name }, "spec": spec,
        })
    };
    let one = template("AnalysisTemplate", "one", json!({ "metrics": [metric("a"), metric("b")] }));
    let two = template(
        "ClusterAnalysisTemplate",
        "two",
        json!({
            "args": [{ "name": "most", "value": "8" }], "dryRun": [{ "metricName": "c" }], "metrics": [metric("c")],
        }),
    );
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": { "name": "x", "namespace": "n" },
        "spec": {
            "progressDeadlineSeconds": 90, "revertOnDeletion": true, "suspend": true, "skipAnalysis": true,
            "analysis": {
                "interval": "50s", "threshold": 4, "maxWeight": 60, "stepWeight": 20, "stepWeightPromotion": 30,
                "primaryReadyThreshold": 90, "canaryReadyThreshold": 80, "sessionAffinity": { "cookieName": "c" },
                "mirror": true, "mirrorWeight": 10,
                "metrics": [
                    { "name": "request-success-rate", "interval": "80s", "thresholdRange": { "min": 98, "max": 99 } },
                    { "name": "request-duration", "interval": "2m", "thresholdRange": { "min": 3, "max": 400 } },
                    { "name": "queue", "thresholdRange": { "min": 1, "max": 9 }, "threshold": 3,
                      "templateRef": { "name": "queue", "namespace": "m" } },
                    { "name": "old", "query": "q", "threshold": 3 },
                ],
                "webhooks": [
                    { "name": "a", "type": "confirm-rollout" }, { "name": "b", "type": "rollout" },
                    { "name": "c", "type": "confirm-promotion" }, { "name": "d", "type": "event" },
                ],
                "alerts": [{ "name": "p", "severity": "error" }, { "name": "q", "severity": "warn" }],
            },
        },
    });
    let queue = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
        "metadata": { "name": "queue", "namespace": "m" }, "spec": { "query": "q" },
    });
    let config = json!({ "canaryConfig": {
        "name": "k", "judge": { "name": "j" }, "templates": { "t": "x" },
        "metrics": [
            { "name": "a", "query": { "type": "p" }, "analysisConfigurations": { "canary": {
                "direction": "increase", "critical": true, "nanStrategy": "replace",
                "effectSize": { "allowedIncrease": 1.3, "criticalIncrease": 1.6 } } } },
            { "name": "b", "analysisConfigurations": { "canary": {
                "direction": "decrease", "muted": true, "effectSize": { "measure": "cles" },
                "outliers": { "strategy": "remove" } } } },
            { "name": "c", "analysisConfigurations": { "canary": {
                "direction": "decrease", "effectSize": { "allowedDecrease": 0.7 } } } },
        ],
        "classifier": { "groupWeights": { "g": 100 }, "scoreThresholds": { "pass": 90, "marginal": 70 } },
    }, "executionRequest": {
        "scopes": { "default": { "step": 60 } }, "thresholds": { "pass": 90, "marginal": 70 },
        "lifetimeDurationMins": 70, "beginAfterMins": 3, "lookbackMins": 4, "analysisIntervalMins": 5,
    }});
    let slo = json!({
        "apiVersion": "openslo/v1", "kind": "SLO", "metadata": { "name": "s" },
        "spec": {
            "indicatorRef": "i", "timeWindow": [{ "duration": "7d", "calendar": { "timeZone": "UTC" } }],
            "budgetingMethod": "Timeslices", "alertPolicies": ["p"],
            "objectives": [{ "displayName": "o", "target": 0.97, "timeSliceTarget": 0.9, "timeSliceWindow": "1m",
                "op": "lt", "value": 3, "compositeWeight": 2 }],
        },
    });
    let part = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": "openslo/v1", "kind": kind, "metadata": { "name": name }, "spec": spec,
        })
    };
    let sli = part("SLI", "i", json!({ "thresholdMetric": { "metricSource": { "type": "x" } } }));
    let policy = part(
        "AlertPolicy",
        "p",
        json!({
            "alertWhenNoData": true, "conditions": [{ "conditionRef": "c" }], "notificationTargets": [{ "targetRef": "t" }],
        }),
    );
    let condition = part(
        "AlertCondition",
        "c",
        json!({
            "severity": "page",
            "condition": { "kind": "burnrate", "op": "gt", "threshold": 3, "lookbackWindow": "1h", "alertAfter": "5m" },
        }),
    );
    vec![
        (Kind::ArgoRollouts, vec![rollout, one, two]),
        (Kind::Flagger, vec![canary, queue]),
        (Kind::Kayenta, vec![config]),
        (Kind::OpenSlo, vec![slo, sli, policy, condition]),
    ]
}

fn stream(documents: &[Value]) -> String {
    let texts: Vec<String> = documents.iter().map(|document| format!("{document:#}\n")).collect();
    texts.join("---\n")
}

/// The pointer of every key of every table in a document.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    let steps: Vec<(String, &Value)> = match value {
        Value::Object(table) => table.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(i, item)| (i.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (step, inner) in steps {
        let path = format!("{path}/{step}");
        if value.is_object() {
            found.push(path.clone());
        }
        keys(inner, &path, found);
    }
}

fn table<'v>(document: &'v mut Value, pointer: &str) -> &'v mut serde_json::Map<String, Value> {
    document.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap()
}

/// What an import says of a text, without the lines of its findings.
fn outcome(text: &str, kind: Kind) -> Value {
    match convert(text, Some(kind)) {
        Ok(imported) => {
            let said = |f: &Finding| json!([f.document, f.path, f.code(), f.message()]);
            let findings: Vec<Value> = imported.findings.iter().map(said).collect();
            json!([imported.text, findings])
        }
        Err(errors) => json!(
            errors.iter().map(hotfix_core::interop::ConvertError::sentence).collect::<Vec<_>>()
        ),
    }
}

#[test]
fn field_5_no_key_of_a_document_is_dropped_in_silence() {
    let (mut looked_at, mut silent) = (0, Vec::new());
    for (kind, documents) in rich() {
        let whole = outcome(&stream(&documents), kind);
        assert!(whole[0].as_str().is_some_and(|text| text.contains("format = 1")), "{whole:#}");
        for (index, document) in documents.iter().enumerate() {
            let mut pointers = Vec::new();
            keys(document, "", &mut pointers);
            for pointer in pointers {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                // Whose text the host reads, with a finding for the whole of it.
                let told = whole[1].as_array().unwrap().iter().any(|finding| {
                    finding[0] == index
                        && parent.starts_with(finding[1].as_str().unwrap())
                        && finding[1] != ""
                });
                let mut without = documents.clone();
                table(&mut without[index], parent).remove(key);
                let changed = outcome(&stream(&without), kind) != whole;
                // A name is told by what refers to it; what else is in metadata says nothing.
                if !changed && !told && !pointer.starts_with("/metadata/") {
                    silent.push(format!("{kind} {index} {pointer}"));
                }
                looked_at += 1;
            }
        }
    }
    assert!(silent.is_empty(), "nothing follows, and nothing is said:\n{}", silent.join("\n"));
    assert!(looked_at > 200, "only {looked_at} keys");
}

#[test]
fn field_5_a_key_that_is_unknown_is_told_wherever_it_stands() {
    /// What is taken as a whole, and says nothing of a policy.
    const NOTHING: [&str; 2] = ["metadata", "status"];
    let mut tables = 0;
    for (kind, documents) in rich() {
        for (index, document) in documents.iter().enumerate() {
            let mut parents = vec![String::new()];
            let mut pointers = Vec::new();
            keys(document, "", &mut pointers);
            parents
                .extend(pointers.into_iter().filter(|p| document.pointer(p).unwrap().is_object()));
            for parent in parents {
                if parent.split('/').any(|step| NOTHING.contains(&step)) {
                    continue;
                }
                let mut with = documents.clone();
                table(&mut with[index], &parent).insert("zzz".to_owned(), json!(1));
                let path = format!("{parent}/zzz");
                let said = match convert(&stream(&with), Some(kind)) {
                    Err(errors) => {
                        errors.iter().any(|e| parent.starts_with(e.path()) || e.path() == parent)
                    }
                    Ok(imported) => imported.findings.iter().any(|finding| {
                        let above = !finding.path.is_empty()
                            && path.starts_with(&format!("{}/", finding.path));
                        let whole =
                            ["HF-CONV-021", "HF-CONV-022", "HF-CONV-032"].contains(&finding.code());
                        finding.document == index
                            && (finding.code() == "HF-CONV-020" && finding.path == path
                                || above && whole)
                    }),
                };
                assert!(said, "{kind} {index} {path}: nothing is said of it");
                tables += 1;
            }
        }
    }
    assert!(tables > 60, "only {tables} tables");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// Cut, doubled and mixed texts: an answer with places, and no panic.
    #[test]
    fn field_5_mangled_documents_are_refused_or_read(
        one in 0_usize..64, two in 0_usize..64, from in 0_usize..1000, to in 0_usize..1000, junk in "[\\[\\]{}:,&*!|>'\"#%@`\\t\\n -]{0,6}",
    ) {
        let cases = cases();
        let texts = [&cases[one % cases.len()].text, &cases[two % cases.len()].text];
        let cut = |text: &str, at: usize| {
            let mut place = text.len() * at / 1000;
            while !text.is_char_boundary(place) {
                place -= 1;
            }
            place
        };
        let text = format!("{}{junk}{}", &texts[0][..cut(texts[0], from)], &texts[1][cut(texts[1], to)..]);
        for kind in std::iter::once(None).chain(Kind::ALL.iter().copied().map(Some)) {
            match convert(&text, kind) {
                Ok(imported) => prop_assert_eq!(Policy::from_toml(&imported.text).unwrap(), imported.policy),
                Err(errors) => {
                    prop_assert!(errors.first().is_some());
                    let lines = text.lines().count() + 1;
                    for error in &errors {
                        prop_assert!(error.line().is_some_and(|line| line <= lines), "{}", error);
                    }
                }
            }
        }
    }
}

#[test]
fn field_5_thousands_of_namesakes_are_told_apart_in_time() {
    let metrics: Vec<Value> = (0..9000)
        .map(|_| json!({ "name": "a", "query": "q", "thresholdRange": { "max": 1 } }))
        .collect();
    let canary = json!({
        "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
        "spec": { "analysis": { "stepWeight": 50, "metrics": metrics } },
    });
    let began = Stopwatch::start();
    let imported = convert(&canary.to_string(), None);
    // A quadratic search would take minutes; whether the policy is too long then is its reader's to say.
    assert!(began.took().as_secs() < 20, "{:?}", began.took());
    match imported {
        Ok(imported) => assert_eq!(imported.policy.metrics().len(), 9000),
        Err(errors) => {
            assert!(errors.iter().all(|error| error.code() == "HF-CONV-011"), "{errors}");
        }
    }
}
