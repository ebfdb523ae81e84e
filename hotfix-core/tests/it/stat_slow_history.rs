//! Limits of the latency test from a history of request times: what is refused, what quiet and noisy
//! histories give.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::simulate::{Campaign, Scenario};
use hotfix_core::stats::latency::{
    Latency, LatencyDesign, LatencySettings, PromotionLimits, SlowCalibration,
    SlowCalibrationSettings, SlowCounts, SlowHistory, SlowPromotion, ToleranceDesign,
    ToleranceLimits, ToleranceSettings, calibrate_slow,
};
use hotfix_core::stats::numeric::{exp, ln, normal_cdf, normal_quantile};
use hotfix_core::stats::replay::Advice;
use hotfix_core::stats::{Direction, StatError};
use rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution, Poisson, Uniform};
use rand_pcg::Pcg64;
use serde_json::json;

use crate::noise::{normal, wander};

type Rows = BTreeMap<String, Vec<Vec<f64>>>;

/// Six hours in ticks of 10 s.
const TICKS: usize = 2_160;

fn settings() -> SlowCalibrationSettings {
    SlowCalibrationSettings {
        alpha: 0.01,
        weight: 0.25,
        tolerated: 1.3,
        boundaries: vec![0.1, 0.25, 0.5],
        block: 3.0,
        phases: vec![(0.1, 60), (0.5, 120)],
        renewed: NonZeroU32::new(60).unwrap(),
        promotion: None,
        traffic: 1.0,
        tick_seconds: 10.0,
        seed: 0,
    }
}

/// How many requests are slower than each boundary, each with these chances, which fall.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
fn slower(all: f64, chances: [f64; 3], random: &mut Pcg64) -> [f64; 3] {
    let (mut rest, mut share) = (all, 1.0);
    chances.map(|chance| {
        rest = Binomial::new(rest as u64, chance / share).unwrap().sample(random) as f64;
        share = chance;
        rest
    })
}

/// Instances with 50 requests a tick, of which each is slow, for two minutes of each twenty, with the
/// second set of chances.
fn rows(names: &[&str], ticks: usize, [usual, slow]: [[f64; 3]; 2]) -> Rows {
    let mut random = Pcg64::seed_from_u64(5);
    let mut rows = Rows::new();
    for name in names {
        let mut left = 0;
        for _ in 0..ticks {
            let begins = Uniform::new(0.0, 1.0).unwrap().sample(&mut random) < 1.0 / 120.0;
            left = if left == 0 && begins { 12 } else { usize::saturating_sub(left, 1) };
            let chances = if left > 0 { slow } else { usual };
            let all: f64 = Poisson::new(50.0).unwrap().sample(&mut random);
            let beyond = slower(all, chances, &mut random);
            let row = beyond.iter().map(|beyond| all - beyond).chain([all]).collect();
            rows.entry((*name).to_owned()).or_default().push(row);
        }
    }
    rows
}

const PODS: [&str; 10] =
    ["pod-0", "pod-1", "pod-2", "pod-3", "pod-4", "pod-5", "pod-6", "pod-7", "pod-8", "pod-9"];
const USUAL: [f64; 3] = [0.45, 0.05, 0.005];

fn calibrated(rows: Rows, settings: &SlowCalibrationSettings) -> SlowCalibration {
    calibrate_slow(&SlowHistory::try_new(rows).unwrap(), settings).unwrap()
}

#[test]
fn field_17_a_quiet_history_keeps_the_policys_limits() {
    let of = calibrated(rows(&PODS, TICKS, [USUAL; 2]), &settings());
    let usual = ln(100.0);
    assert_eq!((of.tolerated, of.limits.threshold, of.limits.gross_less), (1.3, usual, 0.0));
    assert!((of.limits.cap - 0.4 * usual).abs() < 1e-12, "{of:?}");
    assert!(of.hold <= usual && of.hold >= ln(10.0), "{of:?}");
    assert!(of.delays[1] < of.delays[0] && of.delays[0] < 60.0, "{:?}", of.delays);
    assert!(!of.of_arms && of.advice.contains(&Advice::OneArm { tolerated: 1.3 }), "{of:?}");
    // No evidence at all: a longer history would not change the threshold.
    let settings = SlowCalibrationSettings { tolerated: 2.0, ..settings() };
    let still = calibrated(rows(&PODS, TICKS, [USUAL; 2]), &settings);
    assert_eq!((still.limits.threshold, still.highest), (usual, [0.0; 2]), "{still:?}");
    let is_about_windows = |advice: &Advice| matches!(advice, Advice::FewWindows { .. });
    assert!(!still.advice.iter().any(is_about_windows), "{still:?}");
    // It is written and read as it is.
    let text = serde_json::to_string(&of).unwrap();
    assert_eq!(serde_json::from_str::<SlowCalibration>(&text).unwrap(), of);
}

#[test]
fn field_17_noise_raises_the_limits_and_never_lowers_the_tolerance() {
    let noisy = || rows(&PODS, TICKS, [USUAL, [0.9, 0.5, 0.1]]);
    let of = calibrated(noisy(), &settings());
    assert!(of.tolerated >= 1.3 && of.limits.threshold > ln(100.0), "{of:?}");
    assert!(of.highest[1] <= of.limits.threshold, "{of:?}");
    assert!(of.limits.gross_less > 0.0, "{of:?}");
    // What the policy tolerates is the least.
    let of = calibrated(noisy(), &SlowCalibrationSettings { tolerated: 1.9, ..settings() });
    assert!(of.tolerated >= 1.9, "{of:?}");
    // The same noise in both arms of rollouts.
    let arms =
        calibrated(rows(&["baseline", "canary"], TICKS, [USUAL, [0.9, 0.5, 0.1]]), &settings());
    assert!(arms.of_arms && arms.limits.threshold > ln(100.0), "{arms:?}");
    assert!(!arms.advice.iter().any(|advice| matches!(advice, Advice::OneArm { .. })));
}

#[test]
fn field_17_more_traffic_than_in_the_history_raises_the_limits_in_proportion() {
    let noisy = rows(&PODS, TICKS, [USUAL, [0.9, 0.5, 0.1]]);
    let least = ln(100.0);
    let [same, twice] = [1.0, 2.0].map(|traffic| {
        calibrated(noisy.clone(), &SlowCalibrationSettings { traffic, ..settings() })
    });
    let ratio = (twice.limits.threshold - least) / (same.limits.threshold - least);
    assert!((ratio - 2.0).abs() < 0.05, "{ratio}");
    let caps = [same, twice.clone()].map(|of| of.limits.cap / of.limits.threshold);
    assert!((caps[0] - caps[1]).abs() < 1e-12, "{caps:?}");
    assert!(twice.advice.iter().any(|a| matches!(a, Advice::MoreTraffic { .. })), "{twice:?}");
}

#[test]
fn field_17_the_traffic_of_a_history_is_that_of_its_metric_with_most() {
    // A fifth of the requests is timed; the error rate counts all of them.
    let times = |pod: usize| -> Vec<[u32; 7]> {
        let is_slow = |tick: usize| (tick / 12 + pod * 37).is_multiple_of(10);
        let row = |tick| {
            if is_slow(tick) { [2, 9, 10, 11, 12, 12, 12] } else { [6, 11, 12, 12, 12, 12, 12] }
        };
        (0..TICKS).map(row).collect()
    };
    let errors = |pod: usize| -> Vec<[usize; 2]> {
        (0..TICKS)
            .map(|tick| [usize::from((tick * 31 + pod * 17).is_multiple_of(40)), 60])
            .collect()
    };
    let of = |requests: u32| {
        let times: BTreeMap<_, _> = (0..20).map(|pod| (format!("pod-{pod}"), times(pod))).collect();
        let errors: BTreeMap<_, _> =
            (0..20).map(|pod| (format!("pod-{pod}"), errors(pod))).collect();
        let plan = Plan::calibrated_from_json(
            Arc::new(Policy::preset("standard").unwrap()),
            r#"{"id": "INC-2041", "severity": "P1"}"#,
            r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
            &json!({ "requests_per_minute": requests }).to_string(),
            &json!({ "latency_p95": times, "error_rate": errors }).to_string(),
        );
        plan.unwrap().calibrations()[&"latency_p95".parse().unwrap()].slow.clone().unwrap()
    };
    let more = |of: &SlowCalibration| {
        of.advice.iter().find_map(|of| match of {
            Advice::MoreTraffic { times } => Some(*times),
            _ => None,
        })
    };
    let (same, twice) = (of(7_200), of(14_400));
    assert_eq!((more(&same), more(&twice)), (None, Some(2.0)));
}

#[test]
fn field_17_a_history_of_a_day_is_compared_with_all_of_its_groups() {
    // One arm of both, or two of twenty instances, are slow for two minutes of each 40. So many windows are
    // left out that what is left are every second, and every fifth, of all pairs of window and group.
    let slow_arm = |arm: &str| (vec!["canary", "baseline"], vec![arm.to_owned()], 8_640);
    let pods: Vec<String> = (0..20).map(|pod| format!("pod-{pod:02}")).collect();
    let names: Vec<&str> = pods.iter().map(String::as_str).collect();
    let slow_pods = |two: usize| (names.clone(), pods[two..two + 2].to_vec(), 12_960);
    for (names, slow, ticks) in
        [slow_arm("canary"), slow_arm("baseline"), slow_pods(0), slow_pods(8)]
    {
        let row = |name: &str, tick: usize| {
            let is_slow = slow.iter().any(|slow| slow == name) && (tick / 12) % 20 == 7;
            if is_slow { vec![20.0, 50.0, 70.0, 100.0] } else { vec![60.0, 90.0, 99.0, 100.0] }
        };
        let rows = |name: &&str| ((*name).to_owned(), (0..ticks).map(|of| row(name, of)).collect());
        let phases = vec![(0.1, 180)];
        let asked = SlowCalibrationSettings { phases, ..settings() };
        let of = calibrated(names.iter().map(rows).collect(), &asked);
        assert!(of.limits.gross_less > 0.0 && of.highest[0] > 4.0, "{slow:?}: {of:?}");
    }
}

#[test]
fn field_17_histories_that_are_no_histograms_are_refused() {
    let good = || rows(&["pod-1", "pod-2"], 4, [USUAL; 2]);
    let refused = |change: &dyn Fn(&mut Rows)| {
        let mut rows = good();
        change(&mut rows);
        SlowHistory::try_new(rows).unwrap_err()
    };
    let second = |rows: &mut Rows, row: Vec<f64>| rows.get_mut("pod-2").unwrap()[2] = row;
    for row in [
        vec![3.0, 2.0, 4.0, 5.0],
        vec![1.0, 2.0, 3.0],
        vec![1.0, 2.0, 3.0, f64::NAN],
        vec![-1.0, 2.0, 3.0, 4.0],
        vec![1.0, 2.0, 3.0, 1e17],
    ] {
        let error = refused(&|rows| second(rows, row.clone()));
        assert_eq!(error.code(), "HF-STAT-055", "{row:?}");
        let text = error.to_string();
        assert!(text.contains("`pod-2`, tick `2`") && text.contains("`4` counts"), "{text}");
    }
    let uneven = refused(&|rows| drop(rows.get_mut("pod-2").unwrap().pop()));
    assert_eq!(uneven.code(), "HF-STAT-031");
    let lone = refused(&|rows| drop(rows.remove("pod-2")));
    assert_eq!(lone.code(), "HF-STAT-034");
    let without = refused(&|rows| rows.values_mut().flatten().for_each(|row| row.truncate(1)));
    assert_eq!(without.code(), "HF-STAT-014");
}

#[test]
fn field_17_histories_that_do_not_fit_the_phases_are_refused() {
    let history = |ticks| SlowHistory::try_new(rows(&PODS, ticks, [USUAL; 2])).unwrap();
    let code = |history: &SlowHistory, settings: &SlowCalibrationSettings| {
        calibrate_slow(history, settings).map_err(|error| error.code())
    };
    assert_eq!(code(&history(179), &settings()), Err("HF-STAT-033"));
    let others = SlowCalibrationSettings { boundaries: vec![0.1, 0.25], ..settings() };
    assert_eq!(code(&history(180), &others), Err("HF-STAT-015"));
    let wide = SlowCalibrationSettings { phases: vec![(0.97, 60)], ..settings() };
    assert_eq!(code(&history(180), &wide), Err("HF-STAT-034"));
    let without = SlowCalibrationSettings { phases: Vec::new(), ..settings() };
    assert_eq!(code(&history(180), &without), Err("HF-STAT-030"));
    let weightless = SlowCalibrationSettings { weight: 0.0, ..settings() };
    assert_eq!(code(&history(180), &weightless), Err("HF-STAT-030"));
}

#[test]
fn field_17_limits_below_those_of_alpha_are_refused() {
    let design = ToleranceDesign::try_new(&ToleranceSettings {
        alpha: 0.01,
        tolerated: 1.3,
        boundaries: vec![0.1, 0.25],
        block: 1.0,
    })
    .unwrap();
    let limits = ToleranceLimits { threshold: 9.0, cap: 2.0, gross_less: 1.0 };
    let limited = design.with_limits(Some(limits)).unwrap();
    assert_eq!((limited.threshold(), limited.cap()), (9.0, 2.0));
    assert_eq!(limited.with_limits(None).unwrap(), design);
    for wrong in [
        ToleranceLimits { threshold: 4.0, ..limits },
        ToleranceLimits { threshold: f64::INFINITY, ..limits },
        ToleranceLimits { cap: 0.0, ..limits },
        ToleranceLimits { gross_less: -1.0, ..limits },
    ] {
        let refused = design.with_limits(Some(wrong));
        assert!(matches!(refused, Err(StatError::OutOfRange { .. })), "{wrong:?}");
    }
}

/// Requests of one tick, with times whose logarithm is so much higher, and `bad` times as many that
/// are slower than the second boundary.
fn served(mean: f64, [wander, bad]: [f64; 2], random: &mut Pcg64) -> ([f64; 3], f64) {
    let trials: f64 = Poisson::new(mean).unwrap().sample(random);
    let mut most = 1.0;
    let chances = [(USUAL[0], 1.0), (USUAL[1], bad), (USUAL[2], bad)].map(|(usual, bad)| {
        most = (bad * normal_cdf(normal_quantile(usual) + wander / 0.6)).min(most);
        most
    });
    (slower(trials, chances, random), trials)
}

/// Both arms of one version, whose times wander apart.
struct Arms {
    /// Requests of a tick.
    requests: f64,
    deviation: f64,
    wander: [f64; 2],
    random: Pcg64,
}

impl Arms {
    fn new((requests, deviation): (f64, f64), seed: u64) -> Self {
        let mut random = Pcg64::seed_from_u64(seed);
        let wander = [0.0; 2].map(|_: f64| deviation * normal(&mut random));
        Self { requests, deviation, wander, random }
    }

    /// A tick; the wandering has a memory of 15 minutes.
    fn tick(&mut self, share: f64, bad: f64) -> [([f64; 3], f64); 2] {
        wander(&mut self.wander, self.deviation, exp(-10.0 / 900.0), &mut self.random);
        let [canary, live] = self.wander;
        let canary = served(self.requests * share, [canary, bad], &mut self.random);
        [canary, served(self.requests * (1.0 - share), [live, 1.0], &mut self.random)]
    }
}

/// How many of these canaries the promotion test passes.
fn promoted(world: (f64, f64), bad: f64, limits: PromotionLimits) -> usize {
    let PromotionLimits { margin, temper } = limits;
    let design = LatencyDesign::try_new(&LatencySettings {
        direction: Direction::Better,
        alpha: 0.05,
        margin,
        quantile: Some(0.95),
        boundaries: 3,
        temper,
        ..LatencySettings::default()
    })
    .unwrap();
    let passes = |seed: &u64| {
        let (mut arms, mut test) = (Arms::new(world, *seed), Latency::new(&design));
        settings().phases.iter().any(|(share, ticks)| {
            (0..*ticks).any(|_| {
                let [canary, live] = arms.tick(*share, bad);
                let [canary, live] =
                    [&canary, &live].map(|(slow, all)| SlowCounts::new(slow, *all));
                test.update(&design, canary, live).unwrap()
            })
        })
    };
    (0..100).filter(passes).count()
}

/// Six hours of both arms with 1,000 requests a tick.
fn arms_history(deviation: f64) -> Rows {
    let mut arms = Arms::new((1_000.0, deviation), 900);
    let mut rows = Rows::new();
    for _ in 0..TICKS {
        for (name, (slow, all)) in ["canary", "baseline"].into_iter().zip(arms.tick(0.5, 1.0)) {
            let row = slow.iter().map(|slow| all - slow).chain([all]).collect();
            rows.entry(name.to_owned()).or_default().push(row);
        }
    }
    rows
}

/// The limits of promotion that the history gives at so many times its traffic.
fn promotion_limits(history: Rows, traffic: f64) -> PromotionLimits {
    let promotion = Some(SlowPromotion { alpha: 0.05, margin: 2.0, quantile: 0.95 });
    let asked = SlowCalibrationSettings { promotion, traffic, ..settings() };
    calibrated(history, &asked).promotion.unwrap()
}

#[test]
fn field_17_noise_promotes_no_canary_that_is_as_bad_as_the_margin() {
    // Of 100; the limit of 12 is three standard errors above 0.05.
    for (deviation, least) in [(0.0, 98), (0.05, 70), (0.1, 0)] {
        let limits = promotion_limits(arms_history(deviation), 1.0);
        let usual = PromotionLimits { margin: 2.0, temper: 1.0 };
        let [plain, as_bad, healthy] = [(2.0, usual), (2.0, limits), (1.0, limits)]
            .map(|(bad, limits)| promoted((1_000.0, deviation), bad, limits));
        let found = format!("{deviation}: {limits:?}, {plain} and {as_bad}, {healthy}");
        assert!(as_bad <= 12 && healthy >= least, "{found}");
        assert_eq!((limits != usual, plain > 40), (deviation > 0.0, deviation > 0.0), "{found}");
    }
}

#[test]
fn field_17_noise_promotes_no_bad_canary_at_more_traffic_than_the_history_had() {
    let history = arms_history(0.03);
    let [as_then, more] = [1.0, 20.0].map(|traffic| promotion_limits(history.clone(), traffic));
    let noise = |limits: PromotionLimits| 1.0 / limits.temper - 1.0;
    assert!((noise(more) / noise(as_then) - 20.0).abs() < 0.2, "{as_then:?}, {more:?}");
    assert_eq!(more.margin, as_then.margin);
    let [unscaled, scaled, healthy] = [(2.0, as_then), (2.0, more), (1.0, more)]
        .map(|(bad, limits)| promoted((20_000.0, 0.03), bad, limits));
    // Of 100: 9, 2 and 100.
    assert!(scaled <= 5 && unscaled > scaled && healthy >= 95, "{unscaled}, {scaled}, {healthy}");
}

/// What a plan says of a latency with a history is what whole rollouts take: of 600 the standard error is an eighth of a minute.
#[test]
fn plan_6_the_delay_of_a_latency_with_a_history_is_that_of_rollouts() {
    // The simulator's own request times: a p95 of 250 ms, and 0.6 as the standard deviation of their logarithm.
    let median = ln(0.25) - 0.6 * normal_quantile(0.95);
    let faster = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5].map(|edge| normal_cdf((ln(edge) - median) / 0.6));
    let mut random = Pcg64::seed_from_u64(8);
    let even = Uniform::new(0.0, 1.0).unwrap();
    let mut rows = Rows::new();
    for pod in PODS {
        let tick = |_| {
            let mut row = vec![0.0; faster.len() + 1];
            for _ in 0..17 {
                let place = even.sample(&mut random);
                let within = faster.iter().chain([&1.0]).map(|up_to| place < *up_to);
                row.iter_mut().zip(within).for_each(|(sum, is)| *sum += f64::from(u8::from(is)));
            }
            row
        };
        rows.insert(pod.to_owned(), (0..TICKS).map(tick).collect());
    }
    let plan = Plan::calibrated_from_json(
        Arc::new(Policy::preset("standard").unwrap()),
        r#"{"id": "INC-2041", "severity": "P1"}"#,
        r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
        r#"{"requests_per_minute": 1000}"#,
        &json!({ "latency_p95": rows }).to_string(),
    )
    .unwrap();
    let said = plan.power().unforeseen.into_iter().find_map(|of| of.history).unwrap();
    let minutes = |after: &str| -> f64 {
        said.split(after).nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap()
    };
    let stated = [(1.5, "found after about ", 0.4), (2.0, "twice as slow after ", 0.4)];
    for (times, after, most) in stated {
        let scenario = Scenario::from_value(&json!({
            "until": "35min", "traffic": { "requests": 1000 }, "people": { "decide": "never" },
            "faults": [{ "kind": "latency", "times": times }]
        }));
        let campaign = Campaign::try_new(plan.clone(), &scenario.unwrap(), 4).unwrap();
        let (mut sum, mut found) = (0.0, 0.0);
        campaign.each(0..600, |_, run, truth| {
            if let (Some(back), Some(bad)) = (run.rolled_back_at, truth.bad_since) {
                (sum, found) = (sum + back.since(bad).as_seconds() / 60.0, found + 1.0);
            }
        });
        let (seen, said) = (sum / found, minutes(after));
        assert!(found > 590.0 && (seen - said).abs() < most, "{times}: {seen} of {found}, {said}");
    }
}
