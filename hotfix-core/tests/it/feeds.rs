//! Arms and instances that are read at different times (FIELD-16): healthy releases are not rolled
//! back by shocks that both arms share, faults are found nearly as soon as with arms in step, and
//! nobody is asked about the arms. All seeds are fixed.

use std::collections::BTreeMap;

use hotfix_core::judge::{Decision, Judge, Reason, Use, Verdict};
use hotfix_core::metric::{Arms, Observation, Sample};
use hotfix_core::unit::{Span, Timestamp};

use crate::feeds_common::{Cell, Feed, Shock, assess};

/// Scrape intervals, and seconds between two ticks.
const CELLS: [(u32, u32); 8] =
    [(10, 5), (10, 10), (15, 10), (15, 60), (30, 5), (30, 30), (60, 10), (60, 60)];

/// A shock within the first five minutes, another one in each run.
fn shock(run: u64, times: f64) -> Shock {
    let lasts = if times > 10.0 { 60.0 } else { 120.0 };
    Shock { from: (run * 37 % 300) as f64, lasts, times }
}

fn busy(scrape: u32, tick: u32) -> Cell {
    Cell { requests: 30_000.0, share: "50%", ..Cell::new(scrape, tick, f64::from(scrape) / 2.0) }
}

#[test]
fn field_16_a_shock_that_one_arm_shows_first_rolls_nothing_back() {
    let (runs, mut wrong) = (25, 0);
    for (scrape, tick) in CELLS {
        for times in [5.0, 50.0] {
            let feed = Feed::new(&busy(scrape, tick));
            let gone = (0..runs)
                .filter(|&run| feed.run(run, 900, &[shock(run, times)]).rolled_back.is_some());
            wrong += gone.count();
        }
    }
    assert!(wrong <= 4, "{wrong} of {} healthy releases", 16 * runs);
}

#[test]
fn field_16_without_pairing_such_a_shock_rolls_back_healthy_releases() {
    // What a policy that says that both arms are read at the same time gets if that is not so.
    let feed = Feed::new(&Cell { named: Some("0s"), ..busy(60, 60) });
    let gone = (0..50).filter(|&run| feed.run(run, 900, &[shock(run, 5.0)]).rolled_back.is_some());
    assert!(gone.count() >= 5);
}

fn median(cell: &Cell, runs: u64) -> u32 {
    let feed = Feed::new(cell);
    let found = |run| feed.run(run, 3_600, &[]).rolled_back.unwrap_or(u32::MAX);
    let mut found: Vec<u32> = (0..runs).map(found).collect();
    found.sort_unstable();
    found[found.len() / 2]
}

#[test]
fn field_16_a_fault_is_found_nearly_as_soon_as_with_arms_in_step() {
    let fault = |cell: Cell| Cell { ratio: 5.0, ..cell };
    let in_step = median(&fault(Cell { named: Some("0s"), ..Cell::new(10, 10, 0.0) }), 81);
    for (scrape, tick, offset) in
        [(10, 5, 0.5), (15, 10, 0.5), (30, 10, 0.5), (60, 10, 0.0), (60, 10, 0.5), (60, 30, 0.5)]
    {
        let apart = median(&fault(Cell::new(scrape, tick, f64::from(scrape) * offset)), 81);
        let times = if tick > 10 { 1.5 } else { 1.4 };
        let most = times * f64::from(in_step);
        assert!(f64::from(apart) <= most, "{scrape} s, {offset}: {apart} s, in step {in_step} s");
    }
}

#[test]
fn field_16_a_canary_with_little_traffic_is_compared() {
    // One request a minute: most readings of the canary's totals have nothing new.
    let fault = |cell: Cell| Cell { requests: 10.0, ratio: 300.0, ..cell };
    let in_step = median(&fault(Cell { named: Some("0s"), ..Cell::new(10, 10, 0.0) }), 81);
    let apart = median(&fault(Cell::new(10, 10, 5.0)), 81);
    assert!(f64::from(apart) <= 1.5 * f64::from(in_step), "{apart} s, in step {in_step} s");
}

#[test]
fn field_16_nobody_is_asked_about_the_arms_of_healthy_rollouts() {
    let mut rollouts = 0;
    for (scrape, tick) in CELLS {
        for (offset, missed) in [(0.0, 0.0), (0.3, 0.05), (0.5, 0.0), (0.9, 0.0)] {
            let requests = if tick == 10 { 30_000.0 } else { 1_000.0 };
            let offset = f64::from(scrape) * offset;
            let feed = Feed::new(&Cell { missed, requests, ..Cell::new(scrape, tick, offset) });
            for run in 0..32 {
                rollouts += 1;
                let seen = feed.run(run, 1_800, &[]);
                assert!(!seen.doubted_arms, "{scrape} s, ticks of {tick} s, {offset} s: {run}");
            }
        }
    }
    assert!(rollouts >= 1_000);
}

/// One rollout with the readings of `read`, which gives the totals of tick `n`; the last verdict.
fn judged(cell: &Cell, ticks: i64, mut read: impl FnMut(i64) -> Arms) -> Verdict {
    let plan = cell.plan();
    let share = plan.policy().phases()[0].share;
    let id = plan.policy().metrics()[0].id;
    let (mut judge, mut verdict) = (Judge::try_new(&plan).unwrap(), Verdict::default());
    let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    judge.start_phase(start);
    for tick in 0..ticks {
        let at = start + Span::from_seconds(cell.tick * u32::try_from(tick).unwrap());
        let mut observation = Observation::new();
        observation.set(id, read(tick));
        let readings = judge.prepare(at, share, &observation).unwrap();
        judge.take(readings, Use::Watch);
        assess(&mut judge, &plan, at, &mut verdict);
    }
    verdict
}

#[test]
fn field_16_totals_of_arms_in_step_are_judged_as_their_differences() {
    let cell = Cell { named: Some("0s"), ..Cell::new(10, 10, 0.0) };
    let counts = |tick: i64| [[(tick % 3) as f64, 17.0], [(tick % 2) as f64, 150.0]];
    let sample = |[events, trials]: [f64; 2]| Some(Sample::Pair(events, trials));
    let differences = judged(&cell, 60, |tick| {
        let [canary, baseline] = counts(tick);
        Arms { canary: sample(canary), baseline: sample(baseline), ..Arms::default() }
    });
    let mut totals = [[0.0; 2]; 2];
    let of_totals = judged(&cell, 61, |tick| {
        if tick > 0 {
            for (total, more) in totals.iter_mut().zip(counts(tick - 1)) {
                *total = [total[0] + more[0], total[1] + more[1]];
            }
        }
        let [canary, baseline] = totals.map(sample);
        Arms { canary, baseline, totals: true }
    });
    let evidence = |verdict: &Verdict| verdict.metrics[0].1.log_e;
    assert_eq!(evidence(&differences), evidence(&of_totals));
    assert!(evidence(&differences).is_some_and(|log_e| log_e > 0.0));
}

/// A total of 0 at each reading is how a query without a result is often written.
#[test]
fn field_3_totals_that_never_rise_are_an_arm_without_requests() {
    let cell = Cell::new(10, 10, 0.0);
    let without = |first: f64| {
        judged(&cell, 90, |tick| Arms {
            canary: Some(Sample::Pair(0.0, first)),
            baseline: Some(Sample::Pair(tick as f64, 150.0 * tick as f64)),
            totals: true,
        })
    };
    for verdict in [without(0.0), without(7.0)] {
        let reasons: Vec<Reason> = verdict.causes.iter().map(|cause| cause.reason).collect();
        assert_eq!(verdict.decision, Decision::Ask, "{reasons:?}");
        assert_eq!(reasons, [Reason::TooFewTrials, Reason::SplitNotAsPlanned]);
    }
}

/// Instances of both arms, each read at its own second of a minute, in ticks of 10 s.
fn instances(ratio_of_first: f64, shock: Shock) -> Vec<String> {
    let cell = Cell { share: "50%", named: Some("60s"), ..Cell::new(60, 10, 0.0) };
    let names = |arm: &str| (0..6).map(|n| format!("{arm}-{n}")).collect::<Vec<_>>();
    let names = [names("canary"), names("live")];
    // Totals as expected, so that no chance is involved: 300 requests a minute, 1% of them fail.
    let total = |at: f64, ratio: f64| {
        let within = (at.min(shock.from + shock.lasts) - shock.from).max(0.0);
        let failing = (at + within * (shock.times - 1.0)) * 5.0 * 0.01 * ratio;
        [failing.floor(), at * 5.0]
    };
    let verdict = judged(&cell, 120, |tick| {
        let now = (tick * 10) as f64;
        let arm = |arm: usize| {
            let all = names[arm].iter().enumerate().map(|(place, name)| {
                let second = (place * 10 + arm * 5) as f64;
                let scraped = (((now - second) / 60.0).floor() * 60.0 + second).max(0.0);
                let first = arm == 0 && place == 0;
                (name.clone(), total(scraped, if first { ratio_of_first } else { 1.0 }))
            });
            Some(Sample::Instances(all.collect::<BTreeMap<_, _>>()))
        };
        Arms { canary: arm(0), baseline: arm(1), totals: true }
    });
    let bad = verdict.causes.iter().filter(|cause| cause.reason == Reason::BadInstance);
    bad.filter_map(|cause| cause.instance.as_ref().map(ToString::to_string)).collect()
}

#[test]
fn field_16_instances_are_compared_over_the_same_time() {
    let none = Shock { from: 0.0, lasts: 0.0, times: 1.0 };
    assert_eq!(instances(10.0, none), ["canary-0"]);
    for from in [300.0, 305.0, 325.0, 355.0] {
        // Each instance is the first to show the shock in one of these.
        let shared = Shock { from, lasts: 90.0, times: 50.0 };
        assert!(instances(1.0, shared).is_empty(), "{from}");
    }
}
