//! PLAN-6: each entry of the table against rollouts through `Rollout::handle`; the validity program does the same with 20,000
//! runs.

use crate::power_common::{Entry, Fate, Random, World, entries};

/// Runs of each row. Seeds and the limits below were written before the first run.
const RUNS: u32 = 400;
/// Of the preset that looks every ten seconds.
const FEWER_RUNS: u32 = 120;
const SEED: u64 = 260_603;
/// Standard errors that one entry may be off: with 200 entries this is exceeded by chance once in a hundred such tests.
const MOST_ERRORS: f64 = 4.1;
/// Share of entries that may be off by more than two, where one in twenty is by chance.
const BEYOND_TWO: f64 = 0.1;
/// What an approximate figure may be off by, besides.
const ABOUT: f64 = 0.05;

fn runs(count: u32) -> impl Fn(&World, u64) -> Vec<Fate> {
    move |world, seed| (0..count).map(|run| world.run(&mut Random::new(seed, run))).collect()
}

fn judge(entries: &[Entry]) {
    let exact: Vec<&Entry> = entries.iter().filter(|entry| !entry.approximate).collect();
    let beyond = exact.iter().filter(|entry| entry.errors_off() > 2.0).count();
    for entry in entries {
        let off = entry.errors_off();
        let about = entry.approximate
            && (entry.seen - entry.planned).abs() <= ABOUT * entry.planned.max(1.0);
        assert!(about || off <= MOST_ERRORS, "{entry:?} is {off:.1} standard errors off");
    }
    assert!(beyond as f64 <= BEYOND_TWO * exact.len() as f64, "{beyond} of {}", exact.len());
}

#[test]
fn plan_6_the_table_of_the_phased_canary_agrees_with_simulated_rollouts() {
    // At 1,000 requests a minute half of its windows have less than the least trials.
    judge(&entries("phased-canary", 1_300.0, RUNS, SEED, runs(RUNS)));
}

#[test]
fn plan_6_the_table_of_the_standard_preset_agrees_with_simulated_rollouts() {
    judge(&entries("standard", 1_000.0, FEWER_RUNS, SEED + 100, runs(FEWER_RUNS)));
}
