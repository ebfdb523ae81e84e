//! Time to create a plan, and to compute its views.
//!
//! `plan` is only the creation, from parsed documents and a policy that has answered before, as a
//! deploy tool does it repeatedly while facts arrive; the target is 50 microseconds. `document` and
//! `page` are all its views, computed again.

use criterion::{Criterion, criterion_group, criterion_main};
use hotfix_core::plan::{Plan, Subject};
use hotfix_core::policy::Policy;
use std::hint::black_box;
use std::sync::Arc;

const SUBJECT: &str = r#"{
    "incident": {"id": "INC-2041", "service": "payments", "title": "null pointer in the payment processor",
        "began_at": "2026-03-03T14:02:00Z", "detected_at": "2026-03-03T14:06:00Z",
        "facts": {"payment_failure_share": 0.55, "revenue_impact": true, "service_down": false}},
    "release": {"version": "2.3.1", "previous": "2.3.0", "branch": "hotfix/payment-null-check",
        "methods": [{"kind": "feature_flag", "seconds": 5}, {"kind": "redeploy", "seconds": 150}]},
    "traffic": {"requests_per_minute": 1000}}"#;

fn plans(c: &mut Criterion) {
    let subject: Subject = serde_json::from_str(SUBJECT).expect("a subject");
    let presets: Vec<(&str, Arc<Policy>, Plan)> = Policy::presets()
        .iter()
        .map(|name| {
            let policy = Arc::new(Policy::preset(name).expect("a preset"));
            // The first plan builds the policy's diagrams.
            let plan = Plan::try_new(Arc::clone(&policy), subject.clone()).expect("a plan");
            (*name, policy, plan)
        })
        .collect();
    let mut group = c.benchmark_group("plan");
    for (name, policy, _) in &presets {
        group.bench_function(*name, |b| {
            b.iter(|| {
                Plan::try_new(Arc::clone(policy), black_box(subject.clone()))
                    .map(|plan| plan.digest())
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("plan_read");
    for (name, _, plan) in &presets {
        group.bench_function(format!("document/{name}"), |b| {
            b.iter(|| serde_json::to_string(&black_box(plan).document()).expect("JSON").len());
        });
        group.bench_function(format!("page/{name}"), |b| {
            b.iter(|| black_box(plan).to_markdown(None).len());
        });
    }
    group.finish();
}

criterion_group!(benches, plans);
criterion_main!(benches);
