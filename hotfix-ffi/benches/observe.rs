//! How much longer does an observation take through C than in Rust? The least of many short batches of both, in turn.
#![allow(
    clippy::unwrap_used,
    clippy::result_large_err,
    reason = "a bench ends at what it did not expect"
)]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/quiet/mod.rs"]
mod quiet;

use std::hint::black_box;
use std::time::Instant;

use hotfix::rollout::hotfix_recording;
use hotfix_core::rollout::{Input, Recording};
use quiet::{METRICS, at, in_c, in_rust, observe, readings};

fn main() {
    const CALLS: i64 = 500;
    let (input, readings) = (Input::from_json(METRICS).unwrap(), readings());
    for (rust, c) in
        [(Recording::Off, hotfix_recording::Off), (Recording::HandOut, hotfix_recording::HandOut)]
    {
        let (mut in_rust, in_c) = (in_rust(rust), in_c(c));
        let (mut best_rust, mut best_c) = (f64::INFINITY, f64::INFINITY);
        for round in 0..500 {
            let ms = |call: i64| 2_000 + (round * CALLS + call) * 1_000;
            let start = Instant::now();
            for call in 1..=CALLS {
                black_box(in_rust.handle(at(ms(call)), &input).unwrap());
            }
            best_rust = best_rust.min(start.elapsed().as_secs_f64() * 1e9 / CALLS as f64);
            let start = Instant::now();
            for call in 1..=CALLS {
                observe(&in_c, ms(call), &readings);
            }
            best_c = best_c.min(start.elapsed().as_secs_f64() * 1e9 / CALLS as f64);
        }
        println!(
            "{rust:?}: {best_rust:.0} ns in Rust, {best_c:.0} ns through C, {:+.0} ns",
            best_c - best_rust
        );
    }
}
