//! The latency test: exact reference, its proof by enumeration, its laws, and where boundaries come from.

use hotfix_core::stats::latency::{
    Latency, LatencyDesign, LatencyForm, LatencyMode, LatencySettings, MAX_BOUNDARIES, SlowCounts,
    boundaries_from_histogram, boundaries_from_samples, check_boundaries, slow_from_histogram,
    slow_from_samples,
};
use hotfix_core::stats::numeric::exp;
use hotfix_core::stats::{Direction, StatError};
use proptest::prelude::*;
use serde::Deserialize;

const CASES: &str = include_str!("../cases/stat/latency.toml");

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    boundaries: usize,
    settings: toml::Table,
    updates: Vec<Update>,
    repeat: usize,
    expect: Expected,
}

#[derive(Deserialize)]
struct Update {
    canary: Vec<f64>,
    of_canary: f64,
    baseline: Vec<f64>,
    of_baseline: f64,
}

#[derive(Deserialize)]
struct Expected {
    log_e: f64,
    p_value: f64,
    decided_at: usize,
}

fn design(settings: &LatencySettings) -> LatencyDesign {
    LatencyDesign::try_new(settings).expect("valid settings")
}

#[test]
fn stat_1_joint_latency_has_the_figures_of_an_exact_reference() {
    let cases: Cases = toml::from_str(CASES).expect("cases");
    assert!(cases.case.len() > 8);
    let mut differences = Vec::new();
    for case in &cases.case {
        let mut settings = case.settings.clone();
        let boundaries = i64::try_from(case.boundaries).expect("few");
        settings.insert("boundaries".to_owned(), boundaries.into());
        if let Some(toml::Value::Integer(trials)) = settings.get("prior_trials").cloned() {
            settings.insert("prior_trials".to_owned(), (trials as f64).into());
        }
        let design = design(&settings.try_into().expect("settings"));
        assert_eq!(design.form(), LatencyForm::Joint);
        let mut test = Latency::new(&design);
        let mut decided_at = 0;
        let ticks = (0..case.repeat).flat_map(|_| &case.updates);
        for (tick, update) in ticks.enumerate() {
            let canary = SlowCounts::new(&update.canary, update.of_canary);
            let baseline = SlowCounts::new(&update.baseline, update.of_baseline);
            if test.update(&design, canary, baseline).expect("valid") && decided_at == 0 {
                decided_at = tick + 1;
            }
        }
        let (got, want) = (test.evidence(&design), &case.expect);
        // Gains are sums of numbers of the size of the counts: their rounding is what is left.
        if (got.log_e - want.log_e).abs() > 1e-11 * want.log_e.abs().max(1.0) {
            differences.push(format!("{}: {:e}, expected {:e}", case.id, got.log_e, want.log_e));
        }
        if (got.p_value - want.p_value).abs() > 1e-10 * want.p_value {
            differences.push(format!("{}: p {:e}, not {:e}", case.id, got.p_value, want.p_value));
        }
        if decided_at != want.decided_at {
            differences.push(format!("{}: at {decided_at}, not {}", case.id, want.decided_at));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Every way to put `requests` into buckets with these chances: slow counts and probability.
fn outcomes(requests: u32, chances: [f64; 3]) -> Vec<([f64; 2], f64)> {
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let mut all = Vec::new();
    for slowest in 0..=requests {
        for middle in 0..=requests - slowest {
            let fast = requests - slowest - middle;
            let ways =
                factorial(requests) / (factorial(slowest) * factorial(middle) * factorial(fast));
            let power = |chance: f64, n: u32| (0..n).fold(1.0, |product, _| product * chance);
            let chance = ways
                * power(chances[0], fast)
                * power(chances[1], middle)
                * power(chances[2], slowest);
            all.push(([f64::from(middle + slowest), f64::from(slowest)], chance));
        }
    }
    all
}

/// A state that has seen a little of everything.
fn warmed(design: &LatencyDesign) -> Latency {
    let mut test = Latency::new(design);
    for _ in 0..3 {
        let (canary, baseline) = ([5.0, 2.0], [30.0, 6.0]);
        test.update(design, SlowCounts::new(&canary, 11.0), SlowCounts::new(&baseline, 70.0))
            .expect("valid");
    }
    test
}

/// Mean of the e-value's next factor over every outcome of a tick.
fn mean_factor(
    design: &LatencyDesign,
    test: &Latency,
    canary: &[([f64; 2], f64)],
    n_c: f64,
    baseline: &[([f64; 2], f64)],
    n_b: f64,
) -> f64 {
    let before = test.log_e(design);
    let mut mean = 0.0;
    for (slow_c, chance_c) in canary {
        for (slow_b, chance_b) in baseline {
            let mut next = *test;
            next.update(design, SlowCounts::new(slow_c, n_c), SlowCounts::new(slow_b, n_b))
                .expect("valid");
            mean += chance_c * chance_b * exp(next.log_e(design) - before);
        }
    }
    mean
}

#[test]
fn stat_2_joint_factors_have_mean_one_at_most_where_the_canary_is_no_slower() {
    // Shares by bucket, the canary's never slower: equal, faster in one place, much faster, at the ends.
    let pairs = [
        ([0.6, 0.3, 0.1], [0.6, 0.3, 0.1]),
        ([0.7, 0.2, 0.1], [0.6, 0.3, 0.1]),
        ([0.6, 0.35, 0.05], [0.6, 0.3, 0.1]),
        ([0.99, 0.01, 0.0], [0.0, 0.2, 0.8]),
        ([0.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
        ([0.02, 0.95, 0.03], [0.02, 0.9, 0.08]),
        ([1.0, 0.0, 0.0], [1.0, 0.0, 0.0]),
    ];
    for cap in [None, Some(0.3)] {
        let design = design(&LatencySettings { boundaries: 2, cap, ..LatencySettings::default() });
        for test in [Latency::new(&design), warmed(&design)] {
            for (n_c, n_b) in [(1, 1), (1, 7), (3, 4), (5, 2)] {
                for (canary, baseline) in pairs {
                    let (c, b) = (outcomes(n_c, canary), outcomes(n_b, baseline));
                    let mean = mean_factor(&design, &test, &c, f64::from(n_c), &b, f64::from(n_b));
                    assert!(mean <= 1.0 + 1e-12, "{n_c} {n_b} {canary:?} {baseline:?}: {mean}");
                }
            }
        }
    }
}

#[test]
fn stat_2_joint_factors_see_a_slower_canary() {
    // The same enumeration does exceed 1 where the null does not hold, so the test above can fail.
    let design = design(&LatencySettings { boundaries: 2, ..LatencySettings::default() });
    let (c, b) = (outcomes(4, [0.3, 0.3, 0.4]), outcomes(4, [0.6, 0.3, 0.1]));
    let mean = mean_factor(&design, &warmed(&design), &c, 4.0, &b, 4.0);
    assert!(mean > 1.3, "{mean}");
}

#[test]
fn stat_2_clustered_bets_hold_where_a_tick_is_one_request_many_times() {
    // All requests of an arm and tick are the same one: the worst clustering there is.
    let all_or_none = |n: f64, chances: [f64; 3]| {
        vec![([0.0, 0.0], chances[0]), ([n, 0.0], chances[1]), ([n, n], chances[2])]
    };
    let chances = [0.7, 0.2, 0.1];
    let (canary, baseline) = (all_or_none(40.0, chances), all_or_none(360.0, chances));
    for (direction, margin) in [(Direction::Worse, 2.0), (Direction::Better, 1.0)] {
        let settings =
            LatencySettings { direction, margin, boundaries: 2, ..LatencySettings::default() };
        let clustered =
            design(&LatencySettings { mode: LatencyMode::Clustered, ..settings.clone() });
        let mean = mean_factor(&clustered, &warmed(&clustered), &canary, 40.0, &baseline, 360.0);
        assert!(mean <= 1.0 + 1e-12, "{direction:?}: {mean}");
        let independent = design(&settings);
        let mean =
            mean_factor(&independent, &warmed(&independent), &canary, 40.0, &baseline, 360.0);
        assert!(mean > 2.0, "{direction:?}: what is assumed matters, {mean}");
    }
}

#[test]
fn stat_2_the_form_follows_from_what_is_asked() {
    let base = LatencySettings::default;
    let form = |settings: LatencySettings| design(&settings).form();
    assert_eq!(form(base()), LatencyForm::Joint);
    assert_eq!(form(LatencySettings { tolerated: 1.25, ..base() }), LatencyForm::Boundaries);
    assert_eq!(
        form(LatencySettings { direction: Direction::Better, ..base() }),
        LatencyForm::Boundaries
    );
    assert_eq!(form(LatencySettings { grid: Some(vec![2.0]), ..base() }), LatencyForm::Boundaries);
    assert_eq!(
        form(LatencySettings { mode: LatencyMode::Clustered, ..base() }),
        LatencyForm::Clustered
    );
}

/// As fast as the baseline for most requests; three times as many take longer than 250 ms.
#[test]
fn stat_2_a_canary_with_a_worse_tail_is_not_shown_to_be_no_worse() {
    let settings = LatencySettings {
        direction: Direction::Better,
        alpha: 0.05,
        boundaries: 4,
        quantile: Some(0.95),
        ..LatencySettings::default()
    };
    let shown_after = |settings: &LatencySettings, canary: [f64; 4]| {
        let (design, baseline) = (design(settings), [400.0, 50.0, 10.0, 0.0]);
        let mut test = Latency::new(&design);
        (1..=60).find(|_| {
            let canary = SlowCounts::new(&canary, 100.0);
            test.update(&design, canary, SlowCounts::new(&baseline, 1_000.0)).expect("counts")
        })
    };
    let on_average = LatencySettings { quantile: None, ..settings.clone() };
    let (same, tail) = ([40.0, 5.0, 1.0, 0.0], [40.0, 15.0, 3.0, 0.0]);
    assert!(shown_after(&on_average, tail).is_some_and(|ticks| ticks < 5));
    assert_eq!(shown_after(&settings, tail), None);
    // Nothing is known of the last boundary, which is beyond the quantile.
    assert!(shown_after(&settings, same).is_some_and(|ticks| ticks < 45));
}

#[test]
fn stat_1_a_quantile_is_for_a_test_of_better() {
    for (direction, quantile) in [
        (Direction::Worse, 0.95),
        (Direction::Better, 0.0),
        (Direction::Better, 1.0),
        (Direction::Better, f64::NAN),
    ] {
        let quantile = Some(quantile);
        let settings = LatencySettings { direction, quantile, ..LatencySettings::default() };
        let refused = LatencyDesign::try_new(&settings).unwrap_err();
        assert_eq!(refused.code(), "HF-STAT-030", "{refused}");
    }
}

#[test]
fn stat_2_limits_change_under_a_state() {
    let limited = |cap, threshold| {
        let usual = LatencySettings::default();
        LatencyDesign::try_new(&LatencySettings { boundaries: 2, cap, threshold, ..usual })
    };
    let first = limited(None, None).expect("no limits");
    let later = limited(Some(0.5), Some(9.0)).expect("valid limits");
    assert_eq!(later.threshold(), 9.0);
    let mut test = Latency::new(&first);
    let (canary, baseline) = ([60.0, 20.0], [50.0, 10.0]);
    let (canary, baseline) = (SlowCounts::new(&canary, 100.0), SlowCounts::new(&baseline, 900.0));
    test.update(&first, canary, baseline).expect("valid");
    let before = test.log_e(&first);
    test.update(&later, canary, baseline).expect("the state is of both");
    assert!(test.check(&later).is_ok());
    assert!(before > 4.7 && test.log_e(&later) <= before + 0.5 + 1e-12);
    assert!(test.decided(), "what was decided stays decided");
    for (cap, threshold, code) in
        [(Some(0.0), None, "HF-STAT-016"), (None, Some(-1.0), "HF-STAT-025")]
    {
        assert_eq!(limited(cap, threshold).expect_err("refused").code(), code);
    }
}

#[test]
fn stat_1_counts_that_cannot_be_are_refused_and_leave_the_state() {
    let design = design(&LatencySettings { boundaries: 2, ..LatencySettings::default() });
    let mut test = warmed(&design);
    let good = [5.0, 1.0];
    for (slow, trials, code) in [
        ([1.0, 2.0], 10.0, "HF-STAT-050"),
        ([11.0, 2.0], 10.0, "HF-STAT-004"),
        ([f64::NAN, 2.0], 10.0, "HF-STAT-002"),
        ([5.0, -1.0], 10.0, "HF-STAT-003"),
        ([5.0, 1.0], f64::INFINITY, "HF-STAT-002"),
    ] {
        let (bad, good) = (SlowCounts::new(&slow, trials), SlowCounts::new(&good, 10.0));
        for (canary, baseline) in [(bad, good), (good, bad)] {
            let before = test;
            let error = test.update(&design, canary, baseline).expect_err("refused");
            assert_eq!((error.code(), test), (code, before));
        }
    }
}

#[test]
fn roll_7_latency_documents_that_no_test_wrote_are_refused() {
    let design = design(&LatencySettings { boundaries: 2, ..LatencySettings::default() });
    let good = serde_json::to_string(&warmed(&design)).expect("writes");
    for (from, to) in [
        ("\"version\":2", "\"version\":1"),
        ("\"share\":0.", "\"share\":7."),
        ("\"slow\":[[", "\"slow\":[[1.0,1.0],["),
        ("\"decided\":false", "\"decided\":false,\"extra\":1"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{good} has {from}");
        assert!(serde_json::from_str::<Latency>(&bad).is_err(), "{bad}");
    }
    let other = self::design(&LatencySettings { boundaries: 3, ..LatencySettings::default() });
    let read: Latency = serde_json::from_str(&good).expect("reads");
    assert_eq!(read.check(&design), Ok(()));
    assert_eq!(read.check(&other), Err(StatError::DesignMismatch));
}

#[test]
fn stat_1_boundaries_come_from_the_baseline() {
    let times: Vec<f64> = (1..=1000).rev().map(|ms| f64::from(ms) / 1000.0).collect();
    assert_eq!(boundaries_from_samples(&times).expect("times"), [0.5, 0.75, 0.9, 0.95, 0.99, 1.98]);
    assert_eq!(boundaries_from_samples(&[0.25; 40]).expect("times"), [0.25, 0.5]);
    assert_eq!(boundaries_from_samples(&[0.0, 0.0]).expect_err("none").code(), "HF-STAT-051");
    assert_eq!(boundaries_from_samples(&[]).expect_err("none").code(), "HF-STAT-051");
    assert_eq!(boundaries_from_samples(&[f64::NAN]).expect_err("NaN").code(), "HF-STAT-002");
    assert_eq!(boundaries_from_samples(&[-0.5]).expect_err("negative").code(), "HF-STAT-003");
    // Prometheus' default buckets, a p95 of about 0.25 s.
    let edges = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let counts = [0.0, 10.0, 90.0, 340.0, 690.0, 950.0, 993.0, 999.0, 1000.0, 1000.0, 1000.0];
    assert_eq!(
        boundaries_from_histogram(&edges, &counts, 1000.0).expect("buckets"),
        [0.05, 0.1, 0.25, 0.5, 1.0]
    );
    let fault = |edges: &[f64], counts: &[f64], count| {
        boundaries_from_histogram(edges, counts, count).expect_err("refused").code()
    };
    assert_eq!(fault(&[0.1, 0.2], &[5.0, 4.0], 6.0), "HF-STAT-052");
    assert_eq!(fault(&[0.2, 0.1], &[4.0, 5.0], 6.0), "HF-STAT-052");
    assert_eq!(fault(&[0.1], &[4.0, 5.0], 6.0), "HF-STAT-052");
    assert_eq!(fault(&[0.1], &[0.0], 0.0), "HF-STAT-051");
    let mut slow = [0.0; 2];
    slow_from_histogram(&[0.1, 0.5], &edges, &counts, 1000.0, &mut slow).expect("edges");
    assert_eq!(slow, [310.0, 7.0]);
    let error = slow_from_histogram(&[0.1, 0.3], &edges, &counts, 1000.0, &mut slow);
    assert_eq!(error.expect_err("no edge").code(), "HF-STAT-053");
    assert_eq!(check_boundaries(&[0.2, 0.1]).expect_err("order").code(), "HF-STAT-054");
    assert_eq!(check_boundaries(&[1.0; 13]).expect_err("many").code(), "HF-STAT-014");
}

/// Requests by bucket of one arm of one tick, and its slow counts.
fn arm(buckets: &[u32]) -> (Vec<f64>, f64) {
    let mut slow: Vec<f64> = Vec::new();
    let mut beyond = 0.0;
    for &requests in buckets.iter().skip(1).rev() {
        beyond += f64::from(requests);
        slow.push(beyond);
    }
    slow.reverse();
    (slow, beyond + f64::from(buckets[0]))
}

proptest! {
    #[test]
    fn stat_2_a_slower_canary_request_never_lowers_the_evidence(
        past in prop::collection::vec((prop::collection::vec(0_u32..40, 5), prop::collection::vec(0_u32..200, 5)), 0..5),
        canary in prop::collection::vec(0_u32..40, 5),
        baseline in prop::collection::vec(0_u32..200, 5),
        from in 0_usize..5, to in 0_usize..5,
    ) {
        prop_assume!(from < to && canary[from] > 0 && baseline.iter().sum::<u32>() > 0);
        let design = design(&LatencySettings { boundaries: 4, ..LatencySettings::default() });
        let mut test = Latency::new(&design);
        for (c, b) in &past {
            let ((slow_c, n_c), (slow_b, n_b)) = (arm(c), arm(b));
            test.update(&design, SlowCounts::new(&slow_c, n_c), SlowCounts::new(&slow_b, n_b)).expect("valid");
        }
        let mut slower = canary.clone();
        slower[from] -= 1;
        slower[to] += 1;
        let after = |canary: &[u32]| {
            let ((slow_c, n_c), (slow_b, n_b)) = (arm(canary), arm(&baseline));
            let mut next = test;
            next.update(&design, SlowCounts::new(&slow_c, n_c), SlowCounts::new(&slow_b, n_b)).expect("valid");
            next.log_e(&design)
        };
        let (less, more) = (after(&canary), after(&slower));
        prop_assert!(more >= less - 1e-12 * less.abs().max(1.0), "{less} {more}");
    }

    #[test]
    fn stat_2_the_order_of_requests_within_a_tick_is_irrelevant(
        times in prop::collection::vec(0.0..3.0_f64, 0..60),
        turn in 0_usize..60,
    ) {
        let boundaries = [0.1, 0.5, 1.0, 2.0];
        let mut turned = times.clone();
        if !turned.is_empty() {
            turned.rotate_left(turn % times.len());
        }
        let (mut one, mut other) = ([0.0; 4], [0.0; 4]);
        slow_from_samples(&boundaries, &times, &mut one).expect("times");
        slow_from_samples(&boundaries, &turned, &mut other).expect("times");
        prop_assert_eq!(one, other);
        prop_assert!(one.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn stat_2_no_finite_input_makes_a_latency_test_lose_its_number(
        ticks in prop::collection::vec((0.0..=9e15_f64, 0.0..=9e15_f64, prop::collection::vec(0.0..=1.0_f64, 12), prop::collection::vec(0.0..=1.0_f64, 12)), 1..6),
        small in 0_u32..340,
        boundaries in 1_usize..=MAX_BOUNDARIES,
        mode in prop_oneof![Just(LatencyMode::Independent), Just(LatencyMode::Clustered)],
    ) {
        let design = design(&LatencySettings { boundaries, mode, ..LatencySettings::default() });
        let mut test = Latency::new(&design);
        for (tick, (n_c, n_b, shares_c, shares_b)) in ticks.iter().enumerate() {
            // The canary has whole traffic at first and next to none later.
            let n_c = if tick % 2 == 0 { *n_c } else { n_c * 10_f64.powi(-i32::try_from(small).unwrap_or(0)) };
            let slow = |n: f64, shares: &[f64]| {
                let mut left = n;
                shares[..boundaries].iter().map(|share| { left *= share; left }).collect::<Vec<f64>>()
            };
            let (slow_c, slow_b) = (slow(n_c, shares_c), slow(*n_b, shares_b));
            test.update(&design, SlowCounts::new(&slow_c, n_c), SlowCounts::new(&slow_b, *n_b)).expect("valid");
            let evidence = test.evidence(&design);
            prop_assert!(evidence.log_e.is_finite() && (0.0..=1.0).contains(&evidence.p_value), "{evidence:?}");
            let text = serde_json::to_string(&test).expect("writes");
            let read: Latency = serde_json::from_str(&text).expect("reads");
            prop_assert!(read == test, "a document gives the state back");
        }
    }
}
