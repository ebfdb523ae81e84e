//! How long does a quiet look take, with and without its log line, and reading a log back?

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotfix_benches::story::{Story, count_test, quiet};
use hotfix_core::rollout::{Recording, Rollout, audit};
use hotfix_core::stats::Counts;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Ticks on one copy of the rollout: few enough that the phase goes on.
const TICKS: u64 = 25;

fn observe(c: &mut Criterion) {
    let input = quiet(0.1).expect("a healthy observation");
    let mut group = c.benchmark_group("observe");
    for (name, recording) in [("quiet", Recording::Off), ("quiet_and_log", Recording::HandOut)] {
        let start = Story::monitoring(recording).expect("the story begins");
        group.bench_function(name, |b| {
            b.iter_custom(|wanted| {
                let mut total = Duration::ZERO;
                let mut left = wanted;
                while left > 0 {
                    let mut story = start.clone();
                    story.tick(&input).expect("taken"); // its buffers are warm
                    let ticks = left.min(TICKS);
                    let begun = Instant::now();
                    for _ in 0..ticks {
                        black_box(story.tick(black_box(&input)).expect("taken"));
                    }
                    total += begun.elapsed();
                    left -= ticks;
                }
                total
            });
        });
    }
    group.finish();
}

fn update(c: &mut Criterion) {
    let mut group = c.benchmark_group("update");
    let (canary, baseline) = (Counts::new(1.0, 200.0), Counts::new(5.0, 1800.0));
    let other = Counts::new(5.0, 1801.0);
    let (design, start) = count_test().expect("the default test");
    let mut state = start;
    group.bench_function("split_unchanged", |b| {
        b.iter(|| state.update(&design, black_box(canary), black_box(baseline)));
    });
    let mut state = start;
    let mut odd = false;
    group.bench_function("split_changed", |b| {
        b.iter(|| {
            odd = !odd;
            state.update(&design, black_box(canary), black_box(if odd { other } else { baseline }))
        });
    });
    group.finish();
}

fn replay(c: &mut Criterion) {
    let log = Story::log().expect("the story ends well");
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(log.lines().count() as u64));
    group.bench_function("read_verify_fold", |b| {
        b.iter(|| Rollout::replay(black_box(log.as_bytes()), Recording::HandOut).is_ok());
    });
    group.bench_function("audit", |b| b.iter(|| audit(black_box(log.as_bytes()), None).is_clean()));
    group.finish();
}

criterion_group!(benches, observe, update, replay);
criterion_main!(benches);
