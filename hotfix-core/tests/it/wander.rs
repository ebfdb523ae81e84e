//! Latencies of replicas that wander, start cold and pause (FIELD-17): healthy releases are not
//! rolled back, and faults are found. All seeds are fixed.

use crate::latency_worlds::{Noise, Outcome, Rollouts, World};

const NOISE: [Noise; 5] = [
    Noise::None,
    Noise::Wander(0.05, 120.0),
    Noise::Wander(0.1, 900.0),
    Noise::Cold(0.6, 60.0),
    Noise::Pauses,
];

fn outcomes(world: World, runs: u64) -> Vec<Outcome> {
    let rollouts = Rollouts::new(world);
    (0..runs).map(|seed| rollouts.run(seed, |_, _, _| ())).collect()
}

fn share(of: &[Outcome], is: impl Fn(&Outcome) -> bool) -> f64 {
    of.iter().filter(|outcome| is(outcome)).count() as f64 / of.len() as f64
}

#[test]
fn field_17_figures() {
    let runs = 400;
    for noise in NOISE {
        for requests in [1_000.0, 6_000.0] {
            for tolerated in [1.0, 1.3] {
                let found = outcomes(World { tolerated, ..World::new(noise, requests) }, runs);
                let back = share(&found, |o| o.rolled_back.is_some());
                let held = share(&found, |o| o.held + o.asked > 0);
                let minutes = |of: fn(&Outcome) -> u32| {
                    found.iter().map(|o| f64::from(of(o))).sum::<f64>() / 60.0 / runs as f64
                };
                println!(
                    "{noise:?} {requests} {tolerated}: back {back:.4} held {held:.3} ({:.2} min, asked {:.2}, warm {:.2})",
                    minutes(|o| o.held),
                    minutes(|o| o.asked),
                    minutes(|o| o.warmed_up),
                );
            }
        }
    }
    for noise in NOISE {
        for requests in [1_000.0, 6_000.0] {
            for (fault, from) in [(1.5, 0), (1.5, 600), (2.0, 0), (2.0, 600), (3.0, 0), (3.0, 600)]
            {
                let world = World { fault, from, ..World::new(noise, requests) };
                let mut delays: Vec<u32> = outcomes(world, 60)
                    .iter()
                    .map(|o| o.rolled_back.map_or(9_999, |at| at.saturating_sub(from)))
                    .collect();
                delays.sort_unstable();
                println!(
                    "{noise:?} {requests} x {fault} from {from}: {} s median, {} s p90",
                    delays[30], delays[54]
                );
            }
        }
    }
}
