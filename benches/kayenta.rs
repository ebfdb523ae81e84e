//! Time of a Kayenta-compatible judgement: ten metrics, sixty points in each arm.

use criterion::{Criterion, criterion_group, criterion_main};
use hotfix_core::kayenta::{Arms, Config, Samples, Thresholds, classify, judge, read_samples};
use rand_distr::{Distribution, Gamma, Poisson};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;
use std::hint::black_box;

const METRICS: usize = 10;
const POINTS: usize = 60;

/// Latencies in milliseconds, errors per minute and error ratios: the usual inputs of the judge.
fn samples() -> Samples {
    let mut random = Pcg64::seed_from_u64(426);
    let mut draw = |metric: usize, by: f64| -> Vec<f64> {
        let latency = Gamma::new(4.0, 30.0 * by).expect("a distribution");
        let errors = Poisson::new(3.0 * by).expect("a distribution");
        let one = |random: &mut Pcg64| match metric % 3 {
            0 => latency.sample(random),
            1 => errors.sample(random),
            _ => errors.sample(random) / 1000.0,
        };
        (0..POINTS).map(|_| one(&mut random)).collect()
    };
    let arms = |metric: usize| {
        // A third of the metrics is 40% worse.
        let by = if metric % 3 == 2 { 1.4 } else { 1.0 };
        let arms = Arms { control: draw(metric, 1.0), experiment: draw(metric, by) };
        (format!("metric-{metric}"), arms)
    };
    (0..METRICS).map(arms).collect()
}

fn config() -> String {
    let metric = |metric: usize| {
        format!(
            r#"{{"name": "metric-{metric}", "groups": ["group-{}"], "analysisConfigurations": {{"canary": {{"direction":
            "increase", "nanStrategy": "remove", "outliers": {{"strategy": "remove"}}}}}}}}"#,
            metric % 2
        )
    };
    let metrics: Vec<String> = (0..METRICS).map(metric).collect();
    let weights = r#"{"group-0": 60, "group-1": 40}"#;
    format!(
        r#"{{"metrics": [{}], "classifier": {{"groupWeights": {weights}}}}}"#,
        metrics.join(",")
    )
}

fn kayenta(c: &mut Criterion) {
    let (text, samples) = (config(), samples());
    let config = Config::from_json(&text).expect("a configuration");
    assert!(config.findings.is_empty(), "{:?}", config.findings);
    let thresholds = Thresholds { pass: Some(75.0), marginal: Some(50.0) };
    let mut group = c.benchmark_group("kayenta");
    group.bench_function("judge_10_metrics_60_points", |b| {
        b.iter(|| judge(black_box(&config), black_box(&samples), thresholds).expect("samples fit"));
    });
    for (name, metric) in [("latency", 0), ("counts", 1), ("error_ratio", 2)] {
        let metric = &config.metrics[metric];
        group.bench_function(format!("classify_{name}"), |b| {
            let arms = &samples[&metric.name];
            b.iter(|| classify(&metric.name, black_box(arms), &metric.settings).expect("finite"));
        });
    }
    let as_json =
        |arms: &Arms| serde_json::json!({"control": arms.control, "experiment": arms.experiment});
    let json: serde_json::Map<_, _> =
        samples.iter().map(|(name, arms)| (name.clone(), as_json(arms))).collect();
    let json = serde_json::Value::from(json).to_string();
    group.bench_function("read_configuration_and_samples", |b| {
        b.iter(|| (Config::from_json(black_box(&text)), read_samples(black_box(&json))));
    });
    group.finish();
}

criterion_group!(benches, kayenta);
criterion_main!(benches);
