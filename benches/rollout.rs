//! Time of an observation that decides nothing, with and without its log line, of reading a log,
//! and of `why`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hotfix_benches::story::{Story, count_test, proportion_test, quiet};
use hotfix_core::rollout::{Recording, Rollout, audit};
use hotfix_core::stats::Counts;
use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
use hotfix_core::stats::rate_ratio::RateRatioSettings;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Ticks on one copy of the rollout: few enough that the phase continues.
const TICKS: u64 = 25;

fn observe(c: &mut Criterion) {
    let input = quiet(0.1).expect("a healthy observation");
    let mut group = c.benchmark_group("observe");
    // As many requests in each arm as before, or a few more: then the tests see another split.
    let other = quiet(0.101).expect("a healthy observation");
    let cases = [
        ("quiet", Recording::Off, &input),
        ("quiet_other_split", Recording::Off, &other),
        ("quiet_and_log", Recording::HandOut, &input),
    ];
    for (name, recording, other) in cases {
        let start = Story::monitoring(recording).expect("the story begins");
        group.bench_function(name, |b| {
            b.iter_custom(|wanted| {
                let mut total = Duration::ZERO;
                let mut left = wanted;
                while left > 0 {
                    let mut story = start.clone();
                    story.tick(&input).expect("accepted"); // warms its buffers
                    let ticks = left.min(TICKS);
                    let begun = Instant::now();
                    for tick in 0..ticks {
                        let input = if tick % 2 == 0 { other } else { &input };
                        black_box(story.tick(black_box(input)).expect("taken"));
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

/// One tick of a persistent test. The answer is used as a caller would use it: passing on the whole
/// `Result` would add a copy that no caller makes.
fn update(c: &mut Criterion) {
    let mut group = c.benchmark_group("update");
    let (canary, baseline) = (Counts::new(1.0, 200.0), Counts::new(5.0, 1800.0));
    let other = Counts::new(5.0, 1801.0);
    let default = RateRatioSettings::default;
    let cases = [
        ("split_unchanged", default(), baseline),
        ("split_changed", default(), other),
        ("capped", RateRatioSettings { cap: Some(1.5), ..default() }, baseline),
        ("capped_split_changed", RateRatioSettings { cap: Some(1.5), ..default() }, other),
        ("horizon", RateRatioSettings { horizon: Some(u32::MAX), ..default() }, baseline),
        (
            "horizon_split_changed",
            RateRatioSettings { horizon: Some(u32::MAX), ..default() },
            other,
        ),
    ];
    for (name, settings, other) in cases {
        let (design, mut state) = count_test(&settings).expect("a test");
        let mut odd = false;
        group.bench_function(name, |b| {
            b.iter(|| {
                odd = !odd;
                let baseline = if odd { other } else { baseline };
                state
                    .update(&design, black_box(canary), black_box(baseline))
                    .is_ok_and(|decided| decided)
            });
        });
    }
    // 3.54 by the bound, 4.18 exactly, 4.61 decides: only the sum shows whether it has crossed.
    let loud = Counts::new(5.0, 200.0);
    let (design, fresh) = count_test(&default()).expect("a test");
    group.bench_function("at_decision", |b| {
        b.iter(|| {
            let mut state = fresh;
            state.update(&design, black_box(loud), black_box(baseline)).is_ok_and(|decided| decided)
        });
    });
    for (name, tolerated) in [("bernoulli", 1.0), ("bernoulli_tolerated", 1.25)] {
        let (design, mut state) = proportion_test(tolerated).expect("a test");
        let (canary, mut trials) = (Counts::new(16.0, 100.0), 900.0);
        group.bench_function(name, |b| {
            b.iter(|| {
                // Another split each time.
                trials = if trials < 1000.0 { trials + 1.0 } else { 900.0 };
                state
                    .update(&design, black_box(canary), black_box(Counts::new(130.0, trials)))
                    .is_ok_and(|decided| decided)
            });
        });
    }
    group.finish();
}

/// A latency test from its start, six boundaries, the evidence computed each tick; the time is that
/// of all ticks.
fn latency(c: &mut Criterion) {
    let mut group = c.benchmark_group("latency");
    let design = LatencyDesign::try_new(&LatencySettings::default()).expect("the default");
    let fresh = Latency::new(&design);
    let (fast, slow) = ([8.0, 4.0, 1.0, 1.0, 0.0, 0.0], [9.0, 4.0, 2.0, 1.0, 0.0, 0.0]);
    let live = [75.0, 38.0, 15.0, 7.0, 1.0, 0.0];
    // Alternatives are fitted again when the requests have grown by a quarter: in half of the first
    // 25 ticks, and in one of twelve of 300. One more request in every other tick gives another
    // split each time.
    for (name, ticks, more) in
        [("25_ticks", TICKS, 0.0), ("25_ticks_other_splits", TICKS, 1.0), ("300_ticks", 300, 0.0)]
    {
        group.throughput(Throughput::Elements(ticks));
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut state = fresh;
                for tick in 0..ticks {
                    let (canary, trials) =
                        if tick % 2 == 0 { (&fast, 17.0) } else { (&slow, 17.0 + more) };
                    let (canary, live) =
                        (SlowCounts::new(canary, trials), SlowCounts::new(&live, 150.0));
                    let decided = state.update(&design, black_box(canary), black_box(live));
                    black_box((decided.expect("counts"), state.log_e(&design)));
                }
            });
        });
    }
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
    let opening = log.split_inclusive('\n').next().expect("an opening line");
    group.throughput(Throughput::Elements(1));
    group.bench_function("opening", |b| {
        b.iter(|| Rollout::replay(black_box(opening.as_bytes()), Recording::HandOut).is_ok());
    });
    let log = Story::long_log(10_000).expect("nothing ends it");
    let fold = Rollout::reading(log.as_bytes()).expect("a whole log");
    group.throughput(Throughput::Elements(log.lines().count() as u64));
    group.bench_function("10k_events", |b| {
        b.iter(|| Rollout::replay(black_box(log.as_bytes()), Recording::HandOut).is_ok());
    });
    group.bench_function("fold_10k_decoded_events", |b| {
        b.iter_batched(|| fold.clone(), |fold| fold().is_ok(), BatchSize::PerIteration);
    });
    group.finish();
}

/// The state of a watched phase to bytes and from bytes.
fn snapshot(c: &mut Criterion) {
    let input = quiet(0.1).expect("a healthy observation");
    let mut story = Story::monitoring(Recording::HandOut).expect("the story begins");
    for _ in 0..TICKS {
        story.tick(&input).expect("taken");
    }
    let rollout = &story.rollout;
    let bytes = rollout.snapshot().expect("a log is made");
    let mut group = c.benchmark_group("snapshot");
    group.bench_function("write", |b| b.iter(|| black_box(rollout).snapshot().is_ok()));
    group.bench_function("restore", |b| {
        b.iter(|| Rollout::restore(black_box(&bytes), &[], Recording::HandOut).is_ok());
    });
    group.finish();
}

/// Calls on demand of a person, not at every tick.
fn explain(c: &mut Criterion) {
    let input = quiet(0.1).expect("a healthy observation");
    let mut story = Story::monitoring(Recording::Off).expect("the story begins");
    for _ in 0..TICKS {
        story.tick(&input).expect("taken");
    }
    let rollout = &story.rollout;
    let mut group = c.benchmark_group("explain");
    group.bench_function("why", |b| b.iter(|| black_box(rollout).why().is_some()));
    group.bench_function("harm", |b| b.iter(|| black_box(rollout).harm().is_some()));
    group.bench_function("forecast", |b| b.iter(|| black_box(rollout).forecast().is_some()));
    group.bench_function("comparison", |b| b.iter(|| black_box(rollout).comparison().rows.len()));
    group.finish();
}

criterion_group!(benches, observe, update, latency, replay, snapshot, explain);
criterion_main!(benches);
