//! Time of a plan's power analysis.

use criterion::{Criterion, criterion_group, criterion_main};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use std::hint::black_box;
use std::sync::Arc;

fn power(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan");
    for preset in ["phased-canary", "standard"] {
        let policy = Arc::new(Policy::preset(preset).expect("a preset"));
        let plan = Plan::from_json(
            policy,
            r#"{"id": "INC-2041"}"#,
            r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
            r#"{"requests_per_minute": 1000}"#,
        );
        let plan = plan.expect("a plan");
        group.bench_function(format!("power/{preset}"), |b| b.iter(|| black_box(&plan).power()));
    }
    group.finish();
}

criterion_group!(benches, power);
criterion_main!(benches);
