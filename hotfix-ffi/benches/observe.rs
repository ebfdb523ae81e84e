//! How much longer does an observation take through C than in Rust? The least of many short batches, in turn.
//!
//! Two hosts in Rust: one gives the same observation again and again, which nobody does; the other writes the numbers that it
//! read into the observation that it keeps, as what C calls does.

#[path = "../tests/it/common.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod common;
#[path = "../tests/quiet/mod.rs"]
mod quiet;

use std::hint::black_box;
use std::time::Instant;

use hotfix::rollout::hotfix_recording;
use hotfix_core::metric::{Observation, Sample};
use hotfix_core::rollout::{Command, Input, Recording};
use quiet::{METRICS, at, in_c, in_rust, observe, readings};

/// Writes the numbers that were read into an observation of the same metrics and forms.
fn write(kept: &mut Observation, read: &Observation) {
    for ((_, kept), (_, read)) in kept.iter_mut().zip(read.iter()) {
        let (kept, read) = (kept.whole_mut(), read.whole().unwrap());
        for (kept, read) in [(&mut kept.canary, &read.canary), (&mut kept.baseline, &read.baseline)]
        {
            match (kept.as_mut().unwrap(), read.as_ref().unwrap()) {
                (Sample::Pair(events, trials), Sample::Pair(e, t)) => (*events, *trials) = (*e, *t),
                (Sample::Level(level), Sample::Level(l)) => *level = *l,
                (Sample::Histogram(kept), Sample::Histogram(read)) => {
                    kept.count = read.count;
                    kept.le.copy_from_slice(&read.le);
                    kept.counts.copy_from_slice(&read.counts);
                }
                forms => panic!("{forms:?}"),
            }
        }
    }
}

/// The least time of a batch, for one call of it.
struct Least(f64);

impl Least {
    fn time(&mut self, calls: i64, mut call: impl FnMut(i64)) {
        let start = Instant::now();
        (1..=calls).for_each(&mut call);
        self.0 = self.0.min(start.elapsed().as_secs_f64() * 1e9 / calls as f64);
    }
}

fn main() {
    const CALLS: i64 = 500;
    let (input, readings) = (Input::from_json(METRICS).unwrap(), readings());
    let Command::Observe { metrics: read } = &input.command else { panic!("an observation") };
    for (rust, c) in
        [(Recording::Off, hotfix_recording::Off), (Recording::HandOut, hotfix_recording::HandOut)]
    {
        let (mut same, mut written, through_c) = (in_rust(rust), in_rust(rust), in_c(c));
        let mut kept = input.clone();
        let [mut least_same, mut least_written, mut least_c] =
            [(); 3].map(|()| Least(f64::INFINITY));
        for round in 0..500 {
            let ms = |call: i64| 1_772_548_802_000 + (round * CALLS + call) * 1_000;
            least_same.time(CALLS, |call| {
                black_box(same.handle(at(ms(call)), &input).unwrap());
            });
            least_written.time(CALLS, |call| {
                if let Command::Observe { metrics } = &mut kept.command {
                    write(metrics, black_box(read));
                }
                black_box(written.handle(at(ms(call)), &kept).unwrap());
            });
            least_c.time(CALLS, |call| observe(&through_c, ms(call), &readings));
        }
        let (Least(same), Least(written), Least(c)) = (least_same, least_written, least_c);
        println!(
            "{rust:?}: {same:.0} ns in Rust, {written:.0} with the numbers written, {c:.0} through C: {:+.0} and {:+.0} ns",
            c - same,
            c - written,
        );
    }
}
