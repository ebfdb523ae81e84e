//! Chances of rollback bounds in a plan: trailing windows, breaches in a row, the live version (PLAN-6).

use hotfix_core::plan::Plan;
use hotfix_core::stats::numeric::exp;

use crate::plan_power::{canary_text, plan_of};
use crate::power_common::{Fate, Random, World};

/// Ten minutes in ticks of 10 s of a canary that is as good as the reference of 0.5%, requests a tick of both arms, and its bound.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    requests: [f64; 2],
    rate: f64,
    /// A share of the canary's requests, and so many times that of the live version's.
    bound: (f64, f64),
    window: usize,
    in_a_row: u32,
}

impl Drawn {
    const LEAST: f64 = 100.0;

    /// The part of so many drawn phases that is rolled back.
    fn rolled_back(self, runs: u32) -> f64 {
        let Self { requests, rate, bound: (fixed, times), window, in_a_row } = self;
        let gone = (0..runs).filter(|run| {
            let mut random = Random::new(2_614, *run);
            let mut count = |mean: f64| poisson(&mut random, mean);
            // Bad and good requests of both arms in each tick.
            let ticks: Vec<[f64; 4]> = (0..60)
                .map(|_| {
                    let [canary, live] = requests;
                    let good = 1.0 - rate;
                    let live = if times > 0.0 { live } else { 0.0 };
                    [rate * canary, good * canary, rate * live, good * live].map(&mut count)
                })
                .collect();
            let mut breaches = 0;
            (1..=60_usize).any(|tick| {
                let ticks = &ticks[tick.saturating_sub(window)..tick];
                let sum = |of: usize| ticks.iter().map(|tick| tick[of]).sum::<f64>();
                let (canary, live) = (sum(0) + sum(1), sum(2) + sum(3));
                let asked = canary >= Self::LEAST && (times <= 0.0 || live >= Self::LEAST);
                let of_live = if times > 0.0 { times * sum(2) / live.max(1.0) } else { 0.0 };
                let is_breach = asked && sum(0) / canary > fixed + of_live + 1e-12;
                breaches = if is_breach { breaches + 1 } else { 0 };
                breaches >= in_a_row
            })
        });
        gone.count() as f64 / f64::from(runs)
    }

    /// What the plan states.
    fn stated(self, share: &str, per_minute: f64) -> f64 {
        let (fixed, times) = self.bound;
        let bound = if times > 0.0 {
            format!("rollback = {{ ratio = {times}, of = \"live\" }}")
        } else {
            format!("rollback = {fixed}")
        };
        let watch = format!(
            "window = \"{}s\", consecutive_breaches = {}, least_trials = 100",
            10 * self.window,
            self.in_a_row
        );
        let text = canary_text(&bound).replace("10%", share);
        let text = text.replace("0.5%", &format!("{}%", 100.0 * self.rate));
        let text = text.replace("window = \"5min\"", &watch);
        let phase = plan_of(&text, per_minute).power().leading.unwrap().phases.remove(0);
        phase.healthy_rolled_back.chance
    }
}

fn poisson(random: &mut Random, mean: f64) -> f64 {
    if mean > 50.0 {
        // Twelve uniform numbers are about normal, and so is a large count.
        let normal = (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
        return (mean + mean.sqrt() * normal).round().max(0.0);
    }
    let (mut events, least, mut product) = (0.0, exp(-mean), random.uniform());
    while product > least {
        events += 1.0;
        product *= random.uniform();
    }
    events
}

/// As often as drawn phases are, of which 1,500 have a standard error of 1.3 of 100 at most. Where the live version has a count of one or
/// none in a window of two readings, five breaches in a row are stated too seldom.
#[test]
fn plan_6_bounds_are_crossed_as_often_as_a_plan_states() {
    let own = [
        // Bound, requests a tick of the canary, rate.
        (0.01, 100.0, 0.005),
        (0.15, 20.0, 0.1),
        (0.0065, 1_000.0, 0.005),
    ];
    let mut worst: Vec<String> = Vec::new();
    let mut check = |drawn: Drawn, share: &str, per_minute: f64| {
        let (stated, seen) = (drawn.stated(share, per_minute), drawn.rolled_back(1_500));
        let off = (stated - seen).abs();
        println!("{off:.3} {share} {drawn:?}: stated {stated:.4}, seen {seen:.4}");
        let few = drawn.bound.1 > 0.0 && drawn.window <= 2 && drawn.in_a_row >= 5;
        if off > if few { 0.16 } else { 0.07 } {
            worst.push(format!("{share} {drawn:?}: stated {stated:.4}, seen {seen:.4}"));
        }
    };
    for (bound, requests, rate) in own {
        for window in [1, 2, 3, 10] {
            if requests * window as f64 <= 100.0 {
                continue;
            }
            for in_a_row in [1, 2, 3, 5] {
                let requests = [requests, 9.0 * requests];
                let drawn = Drawn { requests, rate, bound: (bound, 0.0), window, in_a_row };
                check(drawn, "10%", 6.0 * (requests[0] + requests[1]));
            }
        }
    }
    for (share, part, times) in [("10%", 0.1, 3.0), ("50%", 0.5, 2.0), ("80%", 0.8, 3.0)] {
        for window in [2, 10] {
            for in_a_row in [1, 2, 3, 5] {
                let requests = [1_000.0 * part, 1_000.0 * (1.0 - part)];
                let (bound, rate) = ((0.0, times), 0.003);
                check(Drawn { requests, rate, bound, window, in_a_row }, share, 6_000.0);
            }
        }
    }
    assert!(worst.is_empty(), "{worst:#?}");
}

/// The same of whole rollouts: 1,000 each.
#[test]
fn plan_6_rollouts_are_rolled_back_by_bounds_as_often_as_a_plan_states() {
    for (bound, window, in_a_row) in [
        ("\"1%\"", "5min", 1),
        ("\"1%\"", "5min", 3),
        ("\"2%\"", "90s", 2),
        ("{ ratio = 2, of = \"live\" }", "5min", 1),
        ("{ ratio = 2, of = \"live\" }", "2min", 3),
    ] {
        let watch = format!("window = \"{window}\", consecutive_breaches = {in_a_row}");
        let text = canary_text(&format!("rollback = {bound}\nmodel = \"none\""));
        let text = text.replace("weight = 1.0\n", "").replace("window = \"5min\"", &watch);
        let plan: Plan = plan_of(&text, 1_000.0);
        let stated = plan.power().leading.unwrap().phases[0].healthy_rolled_back.chance;
        let world = World::new(plan, 1_000.0, 0.005, 1.0);
        let runs = 1_000;
        let fates = (0..runs).map(|run| world.run(&mut Random::new(1_963, run)));
        let gone = |fate: &Fate| fate.gone.is_some_and(|(phase, _)| phase == 0);
        let seen = fates.filter(gone).count() as f64 / f64::from(runs);
        println!("{bound} {window} {in_a_row}: stated {stated:.4}, seen {seen:.4}");
        assert!((stated - seen).abs() < 0.05, "{bound} {window} {in_a_row}: {stated}, {seen}");
    }
}

/// The first windows of a phase have one event of the live version or none: a bound that is a ratio of it is then
/// reached by chance.
#[test]
fn plan_6_a_bound_on_a_live_version_with_few_events_is_reached_early() {
    for (share, part, times) in
        [("80%", 0.8, 5.0), ("80%", 0.8, 3.0), ("50%", 0.5, 3.0), ("30%", 0.3, 3.0)]
    {
        let requests = [1_000.0 * part, 1_000.0 * (1.0 - part)];
        let bound = (0.0, times);
        let drawn = Drawn { requests, rate: 0.003, bound, window: 30, in_a_row: 1 };
        let (stated, seen) = (drawn.stated(share, 6_000.0), drawn.rolled_back(1_500));
        assert!((stated - seen).abs() < 0.045, "{share}, {times}: {stated}, {seen}");
    }
}
