//! Time of the two answers that a deploy tool needs first: classification and decision.
//!
//! Each preset, with the facts of a major incident, most of them unknown. `explained` is the whole
//! document, for the presets together. `lint` lints a policy that was just loaded, so it includes
//! building the diagrams.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use hotfix_core::fact::Facts;
use hotfix_core::policy::Policy;
use std::hint::black_box;

const KNOWN: &str = r#"{"service_down": false, "core_feature_broken": true, "users_affected": "30%", "security_exploited": false,
    "customer_impacting": true, "latency_p95": "2s"}"#;

fn classify(c: &mut Criterion) {
    let known: serde_json::Map<_, _> = serde_json::from_str(KNOWN).expect("an object");
    let presets: Vec<(&str, Policy, Facts)> = Policy::presets()
        .iter()
        .map(|name| {
            let policy = Policy::preset(name).expect("a preset");
            let facts = Facts::read(&known, policy.vocabulary()).expect("facts");
            // The diagrams are built when the first question is asked.
            assert!(policy.classify(&facts).exact(), "{name}");
            (*name, policy, facts)
        })
        .collect();
    let mut group = c.benchmark_group("classify");
    for (name, policy, facts) in &presets {
        group.bench_function(*name, |b| {
            b.iter(|| {
                let answer = policy.classify(black_box(facts));
                (answer.severity(), answer.hotfix(), answer.settled())
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("decide");
    for (name, policy, facts) in &presets {
        group.bench_function(*name, |b| {
            b.iter(|| {
                let decision = policy.decide(black_box(facts));
                (decision.outcome().map(|outcome| outcome.id), decision.settled())
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("explained");
    group.bench_function("classify", |b| {
        b.iter(|| {
            for (_, policy, facts) in &presets {
                black_box(serde_json::to_string(&policy.classify(black_box(facts))).expect("JSON"));
            }
        });
    });
    group.bench_function("decide", |b| {
        b.iter(|| {
            for (_, policy, facts) in &presets {
                black_box(serde_json::to_string(&policy.decide(black_box(facts))).expect("JSON"));
            }
        });
    });
    group.finish();
    let mut group = c.benchmark_group("lint");
    for name in Policy::presets() {
        group.bench_function(*name, |b| {
            let loaded = || Policy::preset(name).expect("a preset");
            b.iter_batched(loaded, |policy| policy.lint(None).len(), BatchSize::SmallInput);
        });
    }
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
