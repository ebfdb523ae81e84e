//! What can be seen before anything is deployed: the figures of statistics, section 7.

use hotfix_core::stats::numeric::ln;
use hotfix_core::stats::planning::gate::{fixed_horizon_ratio, fixed_horizon_trials, pass_chance};
use hotfix_core::stats::planning::{Comparison, TimeToDetect};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::{Counts, StatError};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::power_common::Random;

const CASES: &str = include_str!("../cases/stat/planning.toml");
const USUAL: Comparison = Comparison::new(1000.0, 0.1, 0.003);

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    ask: String,
    of: Vec<f64>,
    expect: BTreeMap<String, f64>,
}

fn comparison(of: &[f64], tolerated: usize) -> Comparison {
    let usual = Comparison::new(of[0], of[1], of[2]);
    let or = |at: usize, usual: f64| of.get(at).copied().unwrap_or(usual);
    Comparison { tolerated: or(tolerated, 1.0), alpha: or(tolerated + 1, 0.01), ..usual }
}

fn answer(case: &Case) -> Result<BTreeMap<&'static str, f64>, StatError> {
    let of = &case.of;
    let or = |at: usize, usual: f64| of.get(at).copied().unwrap_or(usual);
    Ok(match case.ask.as_str() {
        "time_to_detect" => {
            let time = comparison(of, 4).time_to_detect(of[3])?;
            BTreeMap::from([("bound", time.bound), ("expected", time.expected)])
        }
        "detectable_ratio" => {
            let ratio = comparison(of, 4).detectable_ratio(of[3], or(6, 0.8))?;
            BTreeMap::from([("ratio", ratio.unwrap_or(f64::INFINITY))])
        }
        "chance_to_decide" => {
            let found = comparison(of, 5).chance_to_decide(of[3], of[4])?;
            assert!(!found.approximate, "{}", case.id);
            BTreeMap::from([("chance", found.chance)])
        }
        "chance_to_promote" => {
            let usual = Comparison::new(of[0], of[1], of[2]);
            let found = usual.chance_to_promote(of[3], of[4], or(5, 2.0), or(6, 0.05))?;
            BTreeMap::from([("chance", found.chance)])
        }
        "gate_pass_chance" => BTreeMap::from([("chance", pass_chance(of[0], of[1], of[2])?)]),
        "fixed_horizon_ratio" => {
            let ratio = fixed_horizon_ratio(of[0], of[1], of[2], of[3], of[4])?;
            BTreeMap::from([("ratio", ratio)])
        }
        other => panic!("{}: nobody asks {other}", case.id),
    })
}

#[test]
fn plan_6_planning_cases() {
    let cases: Cases = toml::from_str(CASES).expect("cases parse");
    let mut wrong = Vec::new();
    for case in &cases.case {
        let got = answer(case).expect("valid figures");
        for (what, want) in &case.expect {
            let got = got[what.as_str()];
            if got != *want && (got - want).abs() > 1e-9 * want.abs() {
                wrong.push(format!("{}: {what} {got:e}, expected {want:e}", case.id));
            }
        }
    }
    assert!(wrong.is_empty() && cases.case.len() >= 20, "{}", wrong.join("\n"));
}

#[test]
fn plan_6_the_formula_gives_the_stated_ticks() {
    // Stated with 1.4 for the eight-point grid: 355, 36.0, 11.1 and 4.1 ticks; the bound 27.6, 8.5, 3.2.
    let threshold = ln(100.0);
    for (ratio, with_eight) in [(2.0, 355.0), (5.0, 36.0), (10.0, 11.1), (20.0, 4.1)] {
        let TimeToDetect { bound_ticks, expected_ticks, .. } =
            USUAL.time_to_detect(ratio).expect("valid figures");
        let eight = bound_ticks * (threshold + 1.4) / threshold;
        assert!((eight - with_eight).abs() < 0.005 * with_eight + 0.05, "{ratio}: {eight}");
        let four = bound_ticks * (threshold + 1.2) / threshold;
        assert!((expected_ticks - four).abs() < 1e-9 * four);
    }
    for (ratio, stated) in [(5.0, 27.6), (10.0, 8.5), (20.0, 3.2)] {
        let bound = USUAL.time_to_detect(ratio).expect("valid figures").bound_ticks;
        assert!((bound - stated).abs() < 0.05, "{ratio}: {bound}");
    }
    let tolerant = Comparison { tolerated: 1.25, ..USUAL };
    for ratio in [0.5, 1.0, 1.25] {
        let time = tolerant.time_to_detect(ratio).expect("valid figures");
        assert!(time.bound == f64::INFINITY && time.expected == f64::INFINITY, "{ratio}");
        assert!(!time.requests_affected.is_nan());
    }
    // Until a ten-fold regression is found, 5.4 canary requests fail, nine tenths of them for nothing.
    let time = USUAL.time_to_detect(10.0).expect("valid figures");
    let failed = time.expected * 1000.0 * 0.1 * 0.03;
    assert!((time.failed_requests - failed).abs() < 1e-9);
    assert!((time.requests_affected - 0.9 * failed).abs() < 1e-9);
}

#[test]
fn plan_6_chances_are_those_of_simulation() {
    // Stated as simulated with the default grid: 0.54, 0.99, 0.96 and 0.12, whose standard error is 0.008.
    let stated = [(0.1, 2.0, 0.54), (0.1, 3.0, 0.99), (0.5, 2.0, 0.96), (0.1, 1.5, 0.12)];
    for (share, ratio, stated) in stated {
        let found = Comparison { share, ..USUAL }.chance_to_decide(ratio, 50.0).expect("valid");
        assert!((found.chance - stated).abs() < 0.017, "{share} {ratio}: {}", found.chance);
    }
    // A false rollback: 0.0034 and 0.0056 were measured with eight points; never more than alpha.
    for share in [0.01, 0.1, 0.5, 0.9] {
        let found = Comparison { share, ..USUAL }.chance_to_decide(1.0, 500.0).expect("valid");
        assert!(found.chance <= 0.01, "{share}: {}", found.chance);
    }
    // Showing 'not worse': median 34 minutes and 14% within 10; margin 3: 12.5 minutes and 40%; a cut to a
    // twentieth: 8 minutes.
    let promoted = |ratio: f64, margin: f64| {
        let within = USUAL.chance_to_promote(ratio, 10.0, margin, 0.05).expect("valid").chance;
        (USUAL.time_to_promote(ratio, margin, 0.05).expect("valid"), within)
    };
    for (ratio, margin, minutes, stated) in [(1.0, 2.0, 34.0, 0.14), (1.0, 3.0, 12.5, 0.40)] {
        let (median, within) = promoted(ratio, margin);
        assert!(median.is_some_and(|median| (median - minutes).abs() < 0.5), "{median:?}");
        assert!((within - stated).abs() < 0.015, "{margin}: {within}");
    }
    assert!(promoted(0.05, 2.0).0.is_some_and(|median| (7.0..8.5).contains(&median)));
    assert_eq!(promoted(2.0, 2.0).0, None, "a canary at the margin is not shown to be below it");
}

#[test]
fn plan_6_exact_and_formula_meet_where_both_hold() {
    // At the border of 20,000 events, a ratio that is found in about half of all rollouts.
    let dense = Comparison::new(100_000.0, 0.1, 0.003);
    let (below, above) = (60.0, 70.0);
    let exact = dense.chance_to_decide(1.15, below).expect("valid");
    let formula = dense.chance_to_decide(1.15, above).expect("valid");
    // The one is approximate as well: a tick has many events.
    assert!(exact.approximate && formula.approximate);
    // Far more traffic finds more, and the false chance is the guaranteed one.
    let sure = dense.chance_to_decide(2.0, above).expect("valid");
    assert!(sure.approximate && sure.chance > 0.999);
    assert!((dense.chance_to_decide(1.0, above).expect("valid").chance - 0.01).abs() < 1e-12);
}

#[test]
fn plan_6_many_events_a_tick_are_approximate() {
    // 0.7 events a tick of 10 s, 4.2 of 60 s: simulated 0.866 and 0.851 ± 0.005.
    for (tick_seconds, approximate) in [(10.0, false), (60.0, true)] {
        let comparison = Comparison { tick_seconds, ..Comparison::default() };
        let found = comparison.chance_to_decide(5.0, 10.0).expect("valid");
        assert_eq!(found.approximate, approximate, "{tick_seconds} s");
        assert!((found.chance - 0.871).abs() < 0.001, "{tick_seconds} s: {found:?}");
    }
}

#[test]
fn plan_6_the_exact_chance_is_that_of_rare_events() {
    // The Poisson law is not exact from 5% on, of either arm.
    for (base_rate, ratio, approximate) in
        [(0.003, 5.0, false), (0.02, 2.5, false), (0.02, 2.6, true), (0.06, 0.5, true)]
    {
        let comparison = Comparison { tick_seconds: 1.0, ..Comparison::new(600.0, 0.2, base_rate) };
        let found = comparison.chance_to_decide(ratio, 3.0).expect("valid");
        assert_eq!(found.approximate, approximate, "{base_rate} × {ratio}");
    }
    // What the rate-ratio test finds of requests that fail independently, at the ends of ticks.
    for (base_rate, ratio, least, most) in [(0.02, 2.5, 0.0, 0.05), (0.3, 1.5, 0.08, 0.2)] {
        let comparison = Comparison::new(600.0, 0.2, base_rate);
        let stated = comparison.chance_to_decide(ratio, 3.0).expect("valid").chance;
        let design = RateRatioDesign::try_new(&RateRatioSettings::default()).expect("valid");
        let runs = 2_000;
        let decided = (0..runs).filter(|run| {
            let mut random = Random::new(1_106, *run);
            let mut failed =
                |n: u32, rate: f64| (0..n).filter(|_| random.uniform() < rate).count() as f64;
            let mut test = RateRatio::new(&design);
            (0..18).any(|_| {
                let canary = Counts::new(failed(20, base_rate * ratio), 20.0);
                let baseline = Counts::new(failed(80, base_rate), 80.0);
                test.update(&design, canary, baseline).expect("valid")
            })
        });
        let less = stated - decided.count() as f64 / f64::from(runs);
        assert!((least..most).contains(&less), "{base_rate}: {less} less than {stated}");
    }
}

#[test]
fn plan_6_detectable_ratios_are_the_edge_of_the_power() {
    let smallest = USUAL.detectable_ratio(10.0, 0.8).expect("valid").expect("there is one");
    let chance = |ratio: f64| USUAL.chance_to_decide(ratio, 10.0).expect("valid").chance;
    assert!((chance(smallest) - 0.8).abs() < 0.05, "{}", chance(smallest));
    // A higher, calibrated threshold sees less; a longer phase and more traffic see more.
    let of = |comparison: Comparison, minutes: f64| {
        comparison.detectable_ratio(minutes, 0.8).expect("valid").expect("there is one")
    };
    assert!(of(Comparison { threshold: Some(10.0), ..USUAL }, 10.0) > smallest);
    assert!(of(USUAL, 30.0) < smallest);
    assert!(of(Comparison { requests_per_minute: 5000.0, ..USUAL }, 10.0) < smallest);
    // At 40% no canary can be bad enough to be found in a second.
    let blind = Comparison { base_rate: 0.4, requests_per_minute: 60.0, ..USUAL };
    assert_eq!(blind.detectable_ratio(1.0 / 60.0, 0.8), Ok(None));
}

#[test]
fn plan_6_gates_pass_by_luck_as_stated() {
    let stated = [(1.0, 0.647), (1.5, 0.342), (2.0, 0.150), (3.0, 0.021)];
    for (times, stated) in stated {
        let chance = pass_chance(1000.0, 0.003 * times, 0.003).expect("valid");
        assert!((chance - stated).abs() < 5e-4, "{times}: {chance}");
    }
    let gates = [(1_000.0, 0.003), (5_000.0, 0.003), (30_000.0, 0.003)];
    let pass = |(requests, at_most)| pass_chance(requests, 0.003, at_most).expect("valid");
    let all: f64 = gates.into_iter().map(pass).product();
    assert!((all - 0.19).abs() < 0.005, "{all}");
    // Edges, and numbers at which differences of log-gammas have no digits left.
    for (requests, rate, at_most, chance) in [
        (0.0, 0.5, 0.1, 1.0),
        (10.0, 0.0, 0.0, 1.0),
        (10.0, 1.0, 0.9, 0.0),
        (10.0, 0.5, 1.0, 1.0),
        (10.0, 0.5, 0.0, 1.0 / 1024.0),
    ] {
        let got = pass_chance(requests, rate, at_most).expect("valid");
        assert!((got - chance).abs() < 1e-12, "{requests} {rate} {at_most}: {got}");
    }
    // The central limit: at its own mean a count of 10⁹ requests passes in half of all cases.
    let large = pass_chance(1e9, 0.003, 0.003).expect("valid");
    assert!((large - 0.5).abs() < 5e-4, "{large}");
    let low = pass_chance(1e9, 0.003, 0.003 - 3.0 * (0.003_f64 * 0.997 / 1e9).sqrt());
    assert!((low.expect("valid") - 0.001_35).abs() < 2e-5);
}

#[test]
fn plan_6_one_look_needs_what_the_formula_says() {
    let trials = fixed_horizon_trials(0.003, 0.1, 2.0, 0.01, 0.8).expect("valid");
    let ratio = fixed_horizon_ratio(0.003, 0.1 * trials, 0.9 * trials, 0.01, 0.8).expect("valid");
    assert!((ratio - 2.0).abs() < 1e-9);
    // Against exact sums: Poisson counts at that size find the ratio with about that power. The
    // conditional test at the least count with chance 0.01 or less.
    let (canary, baseline) = (0.1 * trials * 0.006, 0.9 * trials * 0.003);
    let events = (canary + baseline).round();
    let least = (0..10_000).map(f64::from).find(|least| {
        1.0 - pass_chance(events, 0.1, (least - 1.0).max(0.0) / events).expect("valid") <= 0.01
    });
    let least = least.expect("there is one");
    let power = 1.0
        - pass_chance(events, canary / (canary + baseline), (least - 1.0) / events).expect("valid");
    assert!((0.7..0.87).contains(&power), "{power}");
}

#[test]
fn field_5_figures_that_cannot_be_are_refused() {
    let table = [
        (Comparison { alpha: 1.0, ..USUAL }, "HF-STAT-001"),
        (Comparison { tolerated: 0.5, ..USUAL }, "HF-STAT-011"),
        (Comparison { share: 0.0, ..USUAL }, "HF-STAT-020"),
        (Comparison { share: 1.0, ..USUAL }, "HF-STAT-020"),
        (Comparison { threshold: Some(0.0), ..USUAL }, "HF-STAT-025"),
        (Comparison { requests_per_minute: 0.0, ..USUAL }, "HF-STAT-030"),
        (Comparison { requests_per_minute: f64::NAN, ..USUAL }, "HF-STAT-030"),
        (Comparison { base_rate: 0.0, ..USUAL }, "HF-STAT-030"),
        (Comparison { base_rate: 1.1, ..USUAL }, "HF-STAT-030"),
        (Comparison { tick_seconds: 0.0, ..USUAL }, "HF-STAT-030"),
    ];
    for (comparison, expected) in table {
        let codes = [
            comparison.time_to_detect(2.0).err(),
            comparison.detectable_ratio(10.0, 0.8).err(),
            comparison.chance_to_decide(2.0, 10.0).err(),
            comparison.chance_to_promote(1.0, 10.0, 2.0, 0.05).err(),
        ];
        for error in codes {
            assert_eq!(error.map(|error| error.code()), Some(expected), "{comparison:?}");
        }
    }
    let code = |error: Option<StatError>| error.map(|error| error.code());
    for ratio in [0.0, -1.0, f64::NAN, f64::INFINITY, 400.0] {
        assert_eq!(code(USUAL.time_to_detect(ratio).err()), Some("HF-STAT-030"), "{ratio}");
    }
    for minutes in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(code(USUAL.chance_to_decide(2.0, minutes).err()), Some("HF-STAT-030"));
    }
    assert_eq!(USUAL.chance_to_decide(2.0, 0.0).map(|found| found.chance), Ok(0.0));
    assert_eq!(code(USUAL.detectable_ratio(10.0, 1.0).err()), Some("HF-STAT-021"));
    assert_eq!(code(USUAL.chance_to_promote(1.0, 1.0, 0.0, 0.05).err()), Some("HF-STAT-012"));
    assert_eq!(code(pass_chance(-1.0, 0.1, 0.1).err()), Some("HF-STAT-030"));
    assert_eq!(code(pass_chance(1.0, 1.1, 0.1).err()), Some("HF-STAT-030"));
    assert_eq!(code(fixed_horizon_trials(0.1, 0.1, 1.0, 0.01, 0.8).err()), Some("HF-STAT-030"));
    assert_eq!(code(fixed_horizon_ratio(0.1, 0.0, 1.0, 0.01, 0.8).err()), Some("HF-STAT-030"));
    // No canary fails more often than always: 1 request of each arm would ask for 1,755 times 0.3%.
    assert_eq!(code(fixed_horizon_trials(0.5, 0.1, 2.001, 0.01, 0.8).err()), Some("HF-STAT-030"));
    assert!(fixed_horizon_trials(0.5, 0.1, 2.0, 0.01, 0.8).is_ok());
    assert_eq!(code(fixed_horizon_ratio(0.003, 1.0, 1.0, 0.01, 0.8).err()), Some("HF-STAT-030"));
    assert_eq!(code(fixed_horizon_ratio(0.3, 20.0, 20.0, 0.01, 0.8).err()), Some("HF-STAT-030"));
    assert!(fixed_horizon_ratio(0.3, 30.0, 30.0, 0.01, 0.8).is_ok_and(|ratio| 0.3 * ratio < 1.0));
}

/// An infinite time is null in a document, and comes back.
#[test]
fn plan_6_a_time_to_detect_is_a_document() {
    for ratio in [0.5, 1.0, 3.0] {
        let time = USUAL.time_to_detect(ratio).unwrap();
        let text = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<TimeToDetect>(&text).unwrap(), time, "{text}");
        assert!(time.requests_affected >= 0.0, "{time:?}");
    }
}
