//! Limits of the Bernoulli test from a history of counts. All seeds are fixed.

use hotfix_core::stats::Counts;
use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::numeric::ln;
use hotfix_core::stats::replay::{
    Calibration, CalibrationSettings, CountModel, History, calibrate,
};

use crate::share_worlds::{Noise, Service, World};

fn limits(world: World, ticks: u32, seed: u64) -> Calibration {
    let share = world.canary as f64 / world.instances as f64;
    let settings = CalibrationSettings::new(share, ticks);
    let settings = CalibrationSettings { model: CountModel::Bernoulli, ..settings };
    calibrate(&Service::new(world, seed).history(), &settings).expect("limits")
}

/// The tick of a phase in which a release is rolled back, if it is.
fn phase(
    world: World,
    limits: Option<&Calibration>,
    (fault, ticks, seed): (f64, u32, u64),
) -> Option<u32> {
    let mut service = Service::new(world, seed);
    let design = BernoulliDesign::try_new(&BernoulliSettings {
        cap: limits.map(|of| of.cap),
        threshold: limits.map(|of| of.threshold),
        ..BernoulliSettings::default()
    })
    .expect("valid limits");
    let mut test = Bernoulli::new(&design);
    let mut now = Vec::new();
    (1..=ticks).find(|_| {
        service.tick(fault, &mut now);
        let [canary, baseline] = world.arms(&now);
        test.update(&design, canary, baseline).expect("valid counts")
    })
}

/// What so many histories made of so many phases each.
#[derive(Debug, Default)]
struct Seen {
    runs: usize,
    /// Healthy releases that were rolled back without and with a history.
    gone: [usize; 2],
    thresholds: Vec<f64>,
    /// Ticks until a canary that fails 1.5 and 2 times as often is found, without and with.
    delays: [[Vec<u32>; 2]; 2],
}

fn seen(world: World, ticks: u32, (histories, healthy, faulty): (u64, u64, u64)) -> Seen {
    let mut seen = Seen::default();
    for run in 0..histories {
        let limits = limits(world, ticks, 1_000_000 + run);
        seen.thresholds.push(limits.threshold);
        let both = [None, Some(&limits)];
        for stream in 0..healthy {
            seen.runs += 1;
            for (gone, limits) in seen.gone.iter_mut().zip(both) {
                let at = phase(world, limits, (1.0, ticks, 1_000 * run + stream));
                *gone += usize::from(at.is_some());
            }
        }
        for stream in 0..faulty {
            let seed = 1_000 * run + 500 + stream;
            for (delays, fault) in seen.delays.iter_mut().zip([1.5, 2.0]) {
                for (delays, limits) in delays.iter_mut().zip(both) {
                    delays.push(phase(world, limits, (fault, ticks, seed)).unwrap_or(u32::MAX));
                }
            }
        }
    }
    seen.thresholds.sort_by(f64::total_cmp);
    seen.delays.iter_mut().flatten().for_each(|delays| delays.sort_unstable());
    seen
}

fn median<T: Copy>(sorted: &[T]) -> T {
    sorted[sorted.len() / 2]
}

const NOISES: [Noise; 10] = [
    Noise::None,
    Noise::Varies(2.0),
    Noise::Varies(4.0),
    Noise::Wanders(0.3, 180.0),
    Noise::Wanders(0.3, 3_600.0),
    Noise::Wanders(0.5, 600.0),
    Noise::ArmsWander(0.1, 180.0),
    Noise::ArmsWander(0.1, 600.0),
    Noise::OneBad(900.0),
    Noise::OneBad(3_600.0),
];

#[test]
fn stat_2_a_history_of_shares_keeps_alpha_where_the_plain_test_does_not() {
    for noise in [Noise::Varies(4.0), Noise::Wanders(0.3, 180.0)] {
        let world = World { noise, instances: 20, canary: 2, requests: 6_000.0, base: 0.1 };
        let seen = seen(world, 60, (4, 25, 4));
        println!("{noise:?}: {seen:?}");
        // The chance of 5 or more of 100 at 0.01 is 0.0034.
        let [plain, replay] = seen.gone;
        assert!(plain >= 10 && replay <= 4, "{noise:?}: {plain} and {replay} of {}", seen.runs);
        assert!(seen.thresholds[0] > ln(100.0), "{noise:?}");
        // Twice as many failures are found in the phase.
        let [_, [_, twice]] = &seen.delays;
        assert!(median(twice) <= 40, "{noise:?}: {twice:?}");
    }
}

#[test]
fn stat_2_a_history_of_independent_shares_costs_little() {
    let world =
        World { noise: Noise::None, instances: 20, canary: 2, requests: 6_000.0, base: 0.1 };
    let seen = seen(world, 60, (4, 10, 10));
    println!("{seen:?}");
    assert!(seen.gone[1] <= 1, "{seen:?}");
    assert!(seen.thresholds.iter().all(|of| (ln(100.0)..8.0).contains(of)), "{seen:?}");
    for [plain, replay] in &seen.delays {
        assert!(median(replay) <= median(plain) + 5, "{plain:?} and {replay:?}");
    }
}

#[test]
fn stat_2_each_window_of_a_history_of_shares_has_the_evidence_of_a_test_that_starts_with_it() {
    let world =
        World { noise: Noise::Varies(2.0), instances: 4, canary: 1, requests: 1_000.0, base: 0.1 };
    let recorded = Service::new(world, 5).recorded(240);
    let of = |recorded| {
        let settings = CalibrationSettings::new(0.25, 60);
        let settings = CalibrationSettings { model: CountModel::Bernoulli, ..settings };
        calibrate(&History::try_new(recorded).expect("counts"), &settings).expect("limits")
    };
    let once = of(recorded.clone());
    // Highest evidence of a test that starts with each window, by the test itself.
    let mut highest = f64::NEG_INFINITY;
    let design = BernoulliDesign::try_new(&BernoulliSettings::default()).expect("a design");
    for canary in recorded.values() {
        for start in (0..=180).step_by(15) {
            let mut test = Bernoulli::new(&design);
            for tick in start..start + 60 {
                let sum = |of: fn([f64; 2]) -> f64| recorded.values().map(|p| of(p[tick])).sum();
                let (events, trials): (f64, f64) = (sum(|of| of[0]), sum(|of| of[1]));
                let [x, n] = canary[tick];
                test.update(&design, Counts::new(x, n), Counts::new(events - x, trials - n))
                    .expect("counts");
                highest = highest.max(test.log_e(&design));
            }
        }
    }
    assert!((once.highest[0] - highest).abs() < 1e-9, "{} and {highest}", once.highest[0]);
}

/// The figures of `docs/decisions/bernoulli-replay.md`:
/// `cargo test --release --test it stat_shares_history:: -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
fn stat_2_a_history_of_shares_at_length() {
    let fleets = [(20, 2, 60), (50, 5, 60), (20, 10, 60), (20, 10, 180)];
    println!(
        "noise; base; requests; canary; instances; ticks; runs; plain; replay; least threshold; median; delays"
    );
    for noise in NOISES {
        for base in [0.05, 0.1, 0.3] {
            for requests in [1_000.0, 6_000.0] {
                for (instances, canary, ticks) in fleets {
                    let world = World { noise, instances, canary, requests, base };
                    let Seen { runs, gone: [plain, replay], thresholds, delays } =
                        seen(world, ticks, (12, 25, 4));
                    let delays = delays.map(|of| of.map(|of| median(&of)));
                    println!(
                        "{noise:?}; {base}; {requests}; {canary}; {instances}; {ticks}; {runs}; {plain}; {replay}; {:.1}; {:.1}; {delays:?}",
                        thresholds[0],
                        median(&thresholds)
                    );
                }
            }
        }
    }
}
