//! Sequential tests against exact references: recorded cases, big integers, enumerated outcomes.

use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::combine::Combination;
use hotfix_core::stats::interval::{Interval, ratio_interval, wilson};
use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
use hotfix_core::stats::numeric::{exp, ln, log_sum_exp};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::split::{Split, SplitDesign, SplitSettings, arms_swapped};
use hotfix_core::stats::{Counts, Direction, Totals};
use num_bigint::BigUint;
use serde::Deserialize;

const RATE_RATIO_CASES: &str = include_str!("../cases/stat/rate_ratio.toml");
const BERNOULLI_CASES: &str = include_str!("../cases/stat/bernoulli.toml");

#[derive(Deserialize)]
struct Cases<S> {
    case: Vec<Case<S>>,
}

#[derive(Deserialize)]
struct Case<S> {
    id: String,
    settings: S,
    updates: Vec<[f64; 4]>,
    repeat: usize,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    log_e: f64,
    log_e_bound: f64,
    p_value: f64,
    decided_at: usize,
    ratio: Option<f64>,
}

impl<S> Case<S> {
    fn ticks(&self) -> impl Iterator<Item = (Counts, Counts)> + '_ {
        let all = (0..self.repeat).flat_map(|_| &self.updates);
        all.map(|&[x_c, n_c, x_b, n_b]| (Counts::new(x_c, n_c), Counts::new(x_b, n_b)))
    }

    /// Every figure that differs; all failures are told together.
    fn differences(&self, got: &Expected) -> Vec<String> {
        let want = &self.expect;
        let mut found = Vec::new();
        let mut compare = |what: &str, got: f64, want: f64, near: f64| {
            if (got - want).abs() > near {
                found.push(format!("{}: {what} {got:e}, expected {want:e}", self.id));
            }
        };
        let near = 1e-12 * want.log_e.abs().max(1.0);
        compare("log_e", got.log_e, want.log_e, near);
        compare("log_e_bound", got.log_e_bound, want.log_e_bound, near);
        compare("p_value", got.p_value, want.p_value, 1e-11 * want.p_value);
        compare("decided_at", got.decided_at as f64, want.decided_at as f64, 0.0);
        let ratio = |of: &Expected| of.ratio.unwrap_or(-1.0);
        compare("ratio", ratio(got), ratio(want), 1e-14 * ratio(want).abs());
        found
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

#[test]
fn stat_2_rate_ratio_cases() {
    let cases: Cases<RateRatioSettings> = toml::from_str(RATE_RATIO_CASES).expect("cases parse");
    let mut found = Vec::new();
    for case in &cases.case {
        let design = RateRatioDesign::try_new(&case.settings).expect("valid settings");
        let mut test = RateRatio::new(&design);
        let mut decided_at = 0;
        for (tick, (canary, baseline)) in case.ticks().enumerate() {
            let decided = test.update(&design, canary, baseline).expect("valid counts");
            assert!(decided || decided_at == 0, "{}: a decision was taken back", case.id);
            if decided && decided_at == 0 {
                decided_at = tick + 1;
            }
        }
        found.extend(case.differences(&Expected {
            log_e: test.log_e(&design),
            log_e_bound: test.log_e_bound(&design),
            p_value: test.p_value(),
            decided_at,
            ratio: test.ratio(),
        }));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn stat_2_bernoulli_cases() {
    let cases: Cases<BernoulliSettings> = toml::from_str(BERNOULLI_CASES).expect("cases parse");
    let mut found = Vec::new();
    for case in &cases.case {
        let design = BernoulliDesign::try_new(&case.settings).expect("valid settings");
        let mut test = Bernoulli::new(&design);
        let mut decided_at = 0;
        for (tick, (canary, baseline)) in case.ticks().enumerate() {
            let decided = test.update(&design, canary, baseline).expect("valid counts");
            if decided && decided_at == 0 {
                decided_at = tick + 1;
            }
        }
        found.extend(case.differences(&Expected {
            log_e: test.log_e(&design),
            log_e_bound: test.log_e_bound(&design),
            p_value: test.p_value(),
            decided_at,
            ratio: test.ratio(),
        }));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Logarithm of a fraction of whole numbers, to the last digits.
fn ln_of_fraction(over: &BigUint, under: &BigUint) -> f64 {
    let shift = 90 + under.bits();
    let quotient = (over << shift) / under;
    let excess = quotient.bits().saturating_sub(64);
    let top = u64::try_from(&quotient >> excess).expect("64 bits");
    ln(top as f64) + (excess as f64 - shift as f64) * core::f64::consts::LN_2
}

#[test]
fn stat_2_rate_ratio_equals_its_definition_in_whole_numbers() {
    // Whole ratios and even weights: E = Σ_j Π g_j^x_c ((n_c + n_b)/(g_j n_c + n_b))^m / J, exactly.
    let ticks: [[u32; 4]; 5] =
        [[3, 97, 4, 811], [0, 103, 6, 850], [5, 61, 2, 999], [1, 1, 0, 1], [2, 500, 3, 400]];
    let grid = [2_u32, 3, 7, 19];
    let settings = RateRatioSettings {
        grid: Some(grid.map(f64::from).to_vec()),
        ..RateRatioSettings::default()
    };
    let design = RateRatioDesign::try_new(&settings).expect("valid settings");
    let mut test = RateRatio::new(&design);
    let mut over = grid.map(|_| BigUint::from(1_u8));
    let mut under = over.clone();
    for [x_c, n_c, x_b, n_b] in ticks {
        let counts = |x: u32, n: u32| Counts::new(f64::from(x), f64::from(n));
        test.update(&design, counts(x_c, n_c), counts(x_b, n_b)).expect("valid counts");
        for (j, &g) in grid.iter().enumerate() {
            over[j] *= BigUint::from(g).pow(x_c) * BigUint::from(n_c + n_b).pow(x_c + x_b);
            under[j] *= BigUint::from(g * n_c + n_b).pow(x_c + x_b);
        }
        let all: BigUint = under.iter().product();
        let sum: BigUint = over.iter().zip(&under).map(|(over, under)| over * (&all / under)).sum();
        let exact = ln_of_fraction(&sum, &(all * BigUint::from(4_u8)));
        assert!(near(test.log_e(&design), exact, 1e-13), "{} {exact}", test.log_e(&design));
    }
}

/// Chance of `x` events in `n` trials.
fn binomial(n: u32, x: u32, p: f64) -> f64 {
    let ways: f64 = (0..x).map(|i| f64::from(n - i) / f64::from(i + 1)).product();
    ways * (0..x).map(|_| p).product::<f64>() * (x..n).map(|_| 1.0 - p).product::<f64>()
}

/// Mean factor by which one tick multiplies the evidence, over every outcome.
fn mean_factor(
    arms: (u32, u32),
    rates: (f64, f64),
    before: f64,
    after: impl Fn(Counts, Counts) -> f64,
) -> f64 {
    let mut mean = 0.0;
    for x_c in 0..=arms.0 {
        for x_b in 0..=arms.1 {
            let counts = |x: u32, n: u32| Counts::new(f64::from(x), f64::from(n));
            let log_e = after(counts(x_c, arms.0), counts(x_b, arms.1));
            let chance = binomial(arms.0, x_c, rates.0) * binomial(arms.1, x_b, rates.1);
            mean += chance * exp(log_e - before);
        }
    }
    mean
}

#[test]
fn stat_2_no_null_lets_the_evidence_grow_on_average() {
    // Every outcome of a tick, for every null on a lattice: the mean factor is at most 1. With the
    // edge of the null tried at tolerances and margins on both sides of 1 this covers STAT-3 and
    // STAT-5, too.
    let claims = [
        (Direction::Worse, 1.0, 2.0),
        (Direction::Worse, 1.6, 2.0),
        (Direction::Better, 1.0, 2.0),
        (Direction::Better, 1.0, 1.0),
        (Direction::Better, 1.0, 0.5),
        (Direction::Better, 1.0, 0.9),
    ];
    let pasts = [(0.0, 0.0), (1.0, 30.0), (25.0, 30.0)];
    for (direction, tolerated, margin) in claims {
        let bernoulli = BernoulliDesign::try_new(&BernoulliSettings {
            direction,
            tolerated,
            margin,
            ..BernoulliSettings::default()
        })
        .expect("valid settings");
        let rate_ratio = RateRatioDesign::try_new(&RateRatioSettings {
            direction,
            tolerated,
            margin,
            ..RateRatioSettings::default()
        })
        .expect("valid settings");
        let edge = bernoulli.null_ratio();
        for past in pasts {
            for arms in [(3, 9), (8, 2), (5, 5)] {
                let (mut of_bernoulli, mut of_rates) =
                    (Bernoulli::new(&bernoulli), RateRatio::new(&rate_ratio));
                let past = Counts::new(past.0, past.1);
                of_bernoulli.update(&bernoulli, past, past).expect("valid counts");
                of_rates.update(&rate_ratio, past, past).expect("valid counts");
                for step in 1..20 {
                    let baseline = f64::from(step) / 20.0;
                    for depth in [1.0, 0.97, 0.6, 0.2] {
                        let canary = match direction {
                            Direction::Worse => edge * baseline * depth,
                            Direction::Better => edge * baseline / depth,
                        };
                        if canary > 1.0 {
                            continue;
                        }
                        let rates = (canary, baseline);
                        let before = of_bernoulli.log_e(&bernoulli);
                        let mean = mean_factor(arms, rates, before, |canary, baseline| {
                            let mut next = of_bernoulli;
                            next.update(&bernoulli, canary, baseline).expect("valid counts");
                            next.log_e(&bernoulli)
                        });
                        assert!(mean <= 1.0 + 1e-9, "{direction:?} {edge} {rates:?}: {mean}");
                        let before = of_rates.log_e(&rate_ratio);
                        let mean = mean_factor(arms, rates, before, |canary, baseline| {
                            let mut next = of_rates;
                            next.update(&rate_ratio, canary, baseline).expect("valid counts");
                            next.log_e(&rate_ratio)
                        });
                        assert!(mean <= 1.0 + 1e-9, "{direction:?} {edge} {rates:?}: {mean}");
                    }
                }
            }
        }
    }
}

#[test]
fn stat_1_latency_is_the_average_of_its_boundaries() {
    let ticks = [([40.0, 12.0, 3.0], 90.0, [300.0, 90.0, 8.0], 910.0); 4];
    for (direction, cap) in [(Direction::Worse, None), (Direction::Better, None)] {
        let design = LatencyDesign::try_new(&LatencySettings {
            direction,
            boundaries: 3,
            cap,
            grid: Some(hotfix_core::stats::latency::DEFAULT_GRID.to_vec()),
            ..LatencySettings::default()
        })
        .expect("valid settings");
        let single = BernoulliDesign::try_new(&BernoulliSettings {
            direction,
            grid: Some(hotfix_core::stats::latency::DEFAULT_GRID.to_vec()),
            prior_trials: 5.0,
            ..BernoulliSettings::default()
        })
        .expect("valid settings");
        let mut latency = Latency::new(&design);
        let mut boundaries = [Bernoulli::new(&single); 3];
        for (slow_c, n_c, slow_b, n_b) in &ticks {
            let (canary, baseline) = (SlowCounts::new(slow_c, *n_c), SlowCounts::new(slow_b, *n_b));
            latency.update(&design, canary, baseline).expect("valid counts");
            for (k, test) in boundaries.iter_mut().enumerate() {
                let (canary, baseline) =
                    (Counts::new(slow_c[k], *n_c), Counts::new(slow_b[k], *n_b));
                test.update(&single, canary, baseline).expect("valid counts");
                assert!(near(
                    latency.log_e_at(&design, k).expect("exists"),
                    test.log_e(&single),
                    1e-12
                ));
                assert_eq!(latency.totals(k).as_ref(), Some(test.totals()));
            }
            let parts = boundaries.map(|test| test.log_e(&single));
            assert!(near(latency.log_e(&design), log_sum_exp(&parts) - ln(3.0), 1e-12));
        }
        assert_eq!(latency.log_e_at(&design, 3), None);
    }
}

#[test]
fn stat_2_a_cap_bounds_what_one_burst_adds() {
    let capped = LatencySettings { boundaries: 1, cap: Some(0.6), ..LatencySettings::default() };
    let design = LatencyDesign::try_new(&capped).expect("valid settings");
    let mut test = Latency::new(&design);
    for tick in 1..=10 {
        let (canary, baseline) = (SlowCounts::new(&[90.0], 100.0), SlowCounts::new(&[5.0], 900.0));
        test.update(&design, canary, baseline).expect("valid counts");
        assert!(test.log_e(&design) <= 0.6 * f64::from(tick) + 1e-12);
        assert_eq!(test.decided(), test.log_e(&design) >= design.threshold());
    }
    assert!(test.decided());
}

#[test]
fn stat_2_evidence_of_several_metrics_adds_by_weight() {
    let combination = Combination::try_new(0.01, &[0.5, 0.3, 0.2]).expect("valid weights");
    let log_e = |log_e: &[f64]| combination.log_e(log_e).expect("one for each metric");
    // 0.5 e^4.9 + 0.3 + 0.2 e^4.4 is 83.6.
    assert!(near(log_e(&[4.9, 0.0, 4.4]), ln(83.6), 1e-3));
    // 0.5 e^5 + 0.3 + 0.2 e^5 is 104.2: together they cross, neither is a cause by itself.
    assert!(near(log_e(&[5.0, 0.0, 5.0]), 4.646_209_893_204_2, 1e-6));
    assert_eq!(combination.causes(&[5.0, 0.0, 5.0]).count(), 0);
    let causes: Vec<usize> = combination.causes(&[5.3, 0.0, 6.3]).collect();
    assert_eq!(causes, [0, 2]);
    assert_eq!(log_e(&[0.0; 3]), 0.0);
    let short = combination.log_e(&[0.0; 2]).expect_err("one is missing");
    assert_eq!(short.code(), "HF-STAT-022");
}

#[test]
fn field_4_a_wrong_split_and_swapped_arms_are_found() {
    let design = SplitDesign::try_new(&SplitSettings::default()).expect("valid settings");
    let mut right = Split::new(&design);
    let mut wrong = Split::new(&design);
    let mut shifting = Split::new(&design);
    let mut decided = false;
    for tick in 0..60 {
        assert_eq!(right.update(&design, 0.1, 17.0, 150.0), Ok(false), "tick {tick}");
        decided = wrong.update(&design, 0.1, 8.0, 159.0).expect("valid trials");
        let (share, canary) = if tick < 30 { (0.1, 17.0) } else { (0.5, 83.0) };
        assert_eq!(shifting.update(&design, share, canary, 167.0 - canary), Ok(false));
    }
    assert!(decided && wrong.log_e(&design) > -ln(0.001));
    assert_eq!(wrong.trials(), (480.0, 9540.0));
    // The definition: trials are binomial, odds w/(1 - w) times the tolerance times the grid's.
    let mut once = Split::new(&design);
    once.update(&design, 0.2, 30.0, 70.0).expect("valid trials");
    let mut terms = Vec::new();
    for g in hotfix_core::stats::split::DEFAULT_GRID {
        for (edge, ratio) in [(1.1, g), (1.0 / 1.1, 1.0 / g)] {
            let odds = 0.25 * edge;
            let (null, alternative) = (odds / (1.0 + odds), odds * ratio / (1.0 + odds * ratio));
            let (loud, quiet) = (alternative / null, (1.0 - alternative) / (1.0 - null));
            terms.push(30.0 * ln(loud) + 70.0 * ln(quiet) - ln(10.0));
        }
    }
    assert!(near(once.log_e(&design), log_sum_exp(&terms), 1e-12));
    // Swapped: 9 to 1 for the canary where 1 to 9 was planned; at one half there is nothing to tell.
    assert!(near(arms_swapped(0.1, 150.0, 17.0).expect("valid"), 133.0 * ln(9.0), 1e-12));
    assert!(arms_swapped(0.1, 17.0, 150.0).expect("valid") < 0.0);
    assert_eq!(arms_swapped(0.5, 150.0, 17.0), Ok(0.0));
    assert_eq!(arms_swapped(1.0, 1.0, 1.0).unwrap_err().code(), "HF-STAT-020");
}

#[test]
fn stat_4_wilson_agrees_with_references() {
    // mpmath 1.3.0, 50 digits: the textbook form with z = sqrt(2) erfinv(confidence).
    let table = [
        ((3.0, 1000.0), 0.95, (0.001_020_783_881_138_618_9, 0.008_783_014_053_503_174)),
        ((0.0, 50.0), 0.95, (0.0, 0.071_347_599_133_358_73)),
        ((50.0, 50.0), 0.99, (0.882_847_908_282_372, 1.0)),
        ((180.0, 90000.0), 0.99, (0.001_651_374_083_206_818_2, 0.002_422_046_693_186_041_8)),
    ];
    for ((events, trials), confidence, (low, high)) in table {
        let got = wilson(Counts::new(events, trials), confidence).expect("valid counts");
        assert!(
            (got.low - low).abs() < 1e-12 && (got.high - high).abs() < 1e-12,
            "{events}: {got:?}"
        );
    }
    assert_eq!(wilson(Counts::new(0.0, 0.0), 0.9), Ok(Interval { low: 0.0, high: 1.0 }));
    let rare = wilson(Counts::new(1000.0, 1e12), 0.95).expect("valid counts");
    assert!(rare.low > 0.93e-9 && rare.high < 1.07e-9 && rare.contains(1e-9));
}

#[test]
fn stat_4_the_ratio_interval_is_what_its_definition_says() {
    let stratum = |x_c, n_c, x_b, n_b| Totals {
        canary: Counts::new(x_c, n_c),
        baseline: Counts::new(x_b, n_b),
    };
    let strata = [stratum(12.0, 1000.0, 30.0, 9000.0), stratum(40.0, 5000.0, 15.0, 5000.0)];
    let log_likelihood = |r: f64| -> f64 {
        let of = |s: &Totals| {
            let m = s.canary.events + s.baseline.events;
            s.canary.events * ln(r) - m * ln(r * s.canary.trials + s.baseline.trials)
        };
        strata.iter().map(of).sum()
    };
    let points: Vec<f64> =
        (0..33).map(|j| log_likelihood(exp(ln(64.0) * (f64::from(j) / 16.0 - 1.0)))).collect();
    let evidence_against = |r: f64| log_sum_exp(&points) - ln(33.0) - log_likelihood(r);
    let interval = ratio_interval(&strata, 0.99).expect("valid counts");
    for end in [interval.low, interval.high] {
        assert!((evidence_against(end) - ln(100.0)).abs() < 1e-9, "{end}");
    }
    assert!(interval.contains(2.9) && interval.low > 1.0);
    // Strata in which an arm has no trials, and empty ones, say nothing.
    let more = [strata[0], strata[1], stratum(5.0, 10.0, 0.0, 0.0), Totals::default()];
    assert_eq!(ratio_interval(&more, 0.99), Ok(interval));
    // Zeros.
    let everything = Interval { low: 0.0, high: f64::INFINITY };
    assert_eq!(ratio_interval(&[], 0.95), Ok(everything));
    let no_canary = ratio_interval(&[stratum(0.0, 1000.0, 40.0, 1000.0)], 0.95).expect("valid");
    assert!(no_canary.low == 0.0 && no_canary.high < 0.4, "{no_canary:?}");
    let no_baseline = ratio_interval(&[stratum(40.0, 1000.0, 0.0, 1000.0)], 0.95).expect("valid");
    assert!(no_baseline.high == f64::INFINITY);
    assert!(near(no_baseline.low * no_canary.high, 1.0, 1e-12));
    // Large counts keep their digits, and a document its infinity.
    let huge = ratio_interval(&[stratum(1e9, 1e12, 1e9, 1e12)], 0.95).expect("valid");
    assert!(huge.contains(1.0) && huge.low > 0.999 && huge.high < 1.001, "{huge:?}");
    let text = serde_json::to_string(&no_baseline).expect("writes");
    assert_eq!(serde_json::from_str::<Interval>(&text).expect("reads"), no_baseline);
}
