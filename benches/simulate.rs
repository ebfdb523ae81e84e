//! Simulated rollouts per second on one core: sixty ticks of two proportions and a volume through
//! `Rollout::handle`, including the generation of traffic, without events.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotfix_benches::simulated::{PLAIN, UNSTEADY, campaign};

/// Runs of one measurement: a campaign, or the part of one for one core.
const RUNS: u64 = 1_000;

fn simulate(c: &mut Criterion) {
    let mut group = c.benchmark_group("simulate");
    group.throughput(Throughput::Elements(RUNS));
    for (name, scenario) in [("plain", PLAIN), ("unsteady", UNSTEADY)] {
        let campaign = campaign(scenario).expect("it starts");
        let mut from = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                // Other runs each time.
                from += RUNS;
                campaign.tally(from..from + RUNS).runs()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, simulate);
criterion_main!(benches);
