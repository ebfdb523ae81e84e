//! How long does a plan take to say what its phases can see?

use criterion::{Criterion, criterion_group, criterion_main};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use std::hint::black_box;
use std::sync::Arc;

fn sight(c: &mut Criterion) {
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
        group.bench_function(format!("sight/{preset}"), |b| b.iter(|| black_box(&plan).sight()));
    }
    group.finish();
}

criterion_group!(benches, sight);
criterion_main!(benches);
