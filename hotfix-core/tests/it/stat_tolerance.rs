//! The latency test of 'at most so many times as slow': its null by enumeration and by simulation,
//! the stretched baseline against an integral, blocks, restarts and documents.

use hotfix_core::stats::StatError;
use hotfix_core::stats::latency::{SlowCounts, Tolerance, ToleranceDesign, ToleranceSettings};
use hotfix_core::stats::numeric::{exp, ln, normal_cdf, normal_quantile};
use rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64;

/// Those of the presets, in seconds.
const BOUNDARIES: [f64; 6] = [0.1, 0.25, 0.3, 0.5, 1.0, 2.5];
/// Standard deviation of log times; with the median the p95 is 250 ms.
const SIGMA: f64 = 0.6;
const P95: f64 = 0.25;

fn design(tolerated: f64, boundaries: &[f64], block: f64) -> ToleranceDesign {
    ToleranceDesign::try_new(&ToleranceSettings {
        alpha: 0.01,
        tolerated,
        boundaries: boundaries.to_vec(),
        block,
    })
    .expect("valid settings")
}

/// Share of log-normal times, multiplied by `factor`, that exceed a time.
fn slower(time: f64, factor: f64) -> f64 {
    let median = ln(P95) - normal_quantile(0.95) * SIGMA;
    normal_cdf((median + ln(factor) - ln(time)) / SIGMA)
}

/// Requests slower than each boundary, of log-normal times.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
fn arm(mean: f64, factor: f64, random: &mut Pcg64) -> ([f64; 6], f64) {
    let trials = Poisson::new(mean).expect("a mean").sample(random);
    let (mut left, mut share) = (trials, 1.0);
    let slow = BOUNDARIES.map(|boundary| {
        let beyond = slower(boundary, factor);
        let law = Binomial::new(left as u64, (beyond / share).min(1.0)).expect("a share");
        (left, share) = (law.sample(random) as f64, beyond);
        left
    });
    (slow, trials)
}

/// Feeds one tick of 10 s; the canary has a tenth of `requests` a minute.
fn tick(
    test: &mut Tolerance,
    design: &ToleranceDesign,
    (requests, factor): (f64, f64),
    random: &mut Pcg64,
) -> bool {
    let (canary, of_canary) = arm(requests / 60.0, factor, random);
    let (baseline, of_baseline) = arm(requests * 9.0 / 60.0, 1.0, random);
    let canary = SlowCounts::new(&canary, of_canary);
    let baseline = SlowCounts::new(&baseline, of_baseline);
    test.update(design, canary, baseline).expect("valid counts");
    test.end_tick(design, 1.0)
}

/// Figures of a saved state.
fn saved(test: &Tolerance) -> serde_json::Value {
    serde_json::to_value(test).expect("a document")
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|n| n.as_f64().expect("a number")).collect()
}

#[test]
fn field_17_the_baseline_is_stretched_as_an_integral_over_its_buckets_says() {
    let (slow, trials) = ([420.0, 130.0, 96.0, 31.0, 12.0, 6.0], 900.0);
    let boundaries = BOUNDARIES;
    let score = |slow: f64| normal_quantile((trials - slow + 0.5) / (trials + 1.0));
    let scores = slow.map(score);
    // Share slower than a time: the score is linear in the logarithm of time between boundaries.
    let survival = |time: f64| {
        let k = boundaries[1..5].iter().filter(|b| **b <= time).count();
        let run = ln(boundaries[k + 1]) - ln(boundaries[k]);
        let part = (ln(time) - ln(boundaries[k])) / run;
        1.0 - normal_cdf(scores[k] + part * (scores[k + 1] - scores[k]))
    };
    for tolerated in [1.1, 1.3, 2.0, 4.0] {
        let design = design(tolerated, &boundaries, 3.0);
        let mut test = Tolerance::new(&design);
        let canary = [40.0, 12.0, 9.0, 3.0, 0.0, 0.0];
        let counts = SlowCounts::new(&slow, trials);
        test.update(&design, SlowCounts::new(&canary, 100.0), counts).expect("valid");
        test.end_tick(&design, 1.0);
        let stretched = numbers(&saved(&test)["lanes"][0]["slow"]);
        for (k, boundary) in boundaries.iter().enumerate() {
            // Each bucket is cut into thin slices, and those beyond the boundary after the stretch
            // are added up.
            let mut expected = 0.0;
            for bucket in 0..=6 {
                let from = if bucket == 0 { 1e-4 } else { boundaries[bucket - 1] };
                let to = if bucket == 6 { 1e3 } else { boundaries[bucket] };
                let above = if bucket == 0 { trials } else { slow[bucket - 1] };
                let count = above - if bucket == 6 { 0.0 } else { slow[bucket] };
                let (mut moved, mut all) = (0.0, 0.0);
                let slices = 20_000;
                let at =
                    |slice: i32| from * exp(f64::from(slice) / f64::from(slices) * ln(to / from));
                for slice in 0..slices {
                    let (low, high) = (at(slice), at(slice + 1));
                    let mass = survival(low) - survival(high);
                    all += mass;
                    if (low * high).sqrt() * tolerated > *boundary {
                        moved += mass;
                    }
                }
                expected += count * moved / all;
            }
            let got = stretched[k];
            assert!((got - expected).abs() < 0.5, "{tolerated} {boundary}: {got}, not {expected}");
        }
    }
}

#[test]
fn field_17_log_normal_times_are_stretched_exactly() {
    let trials = 1e6;
    let slow = BOUNDARIES.map(|boundary| (trials * slower(boundary, 1.0)).round());
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut test = Tolerance::new(&design);
    let counts = SlowCounts::new(&slow, trials);
    test.update(&design, counts, counts).expect("valid");
    test.end_tick(&design, 1.0);
    let stretched = numbers(&saved(&test)["lanes"][0]["slow"]);
    let [known @ .., last] = BOUNDARIES;
    for (got, boundary) in stretched.iter().zip(known) {
        let expected = trials * slower(boundary, 1.3);
        // Half a request more or less is what is not known of the past.
        let off = (got - expected).abs();
        assert!(off < 3.0 + 1e-3 * expected, "{boundary}: {got}, not {expected}");
    }
    // Of the bucket before the last boundary, beyond which nothing was read, all may be at its end.
    assert!((stretched[5] - slow[4]).abs() < 1.0, "{last}: {}", stretched[5]);
}

/// All outcomes of a few requests over three buckets: those slower than each boundary, and their
/// chance.
fn outcomes(requests: u32, chances: [f64; 3]) -> Vec<([f64; 2], f64)> {
    let mut all = Vec::new();
    let choose = |n: u32, k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
    for slowest in 0..=requests {
        for middle in 0..=requests - slowest {
            let first = requests - slowest - middle;
            let ways = choose(requests, slowest) * choose(requests - slowest, middle);
            let chance = ways
                * chances[0].powi(first.cast_signed())
                * chances[1].powi(middle.cast_signed())
                * chances[2].powi(slowest.cast_signed());
            all.push(([f64::from(middle + slowest), f64::from(slowest)], chance));
        }
    }
    all
}

/// What a test knows of the baseline before a tick.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// Three ticks of both arms.
    Ticks,
    /// Readings of before the first tick.
    Before,
}

impl Known {
    fn warmed(self, design: &ToleranceDesign) -> Tolerance {
        let mut warmed = Tolerance::new(design);
        match self {
            Self::Ticks => {
                for _ in 0..3 {
                    let (few, many) = ([5.0, 1.0], [45.0, 11.0]);
                    let baseline = SlowCounts::new(&many, 90.0);
                    let canary = SlowCounts::new(&few, 10.0);
                    warmed.update(design, canary, baseline).expect("valid");
                    warmed.end_tick(design, 1.0);
                }
            }
            Self::Before => {
                // The last reading counts.
                for slow in [[1.0, 1.0], [135.0, 33.0]] {
                    warmed.learn_before(SlowCounts::new(&slow, 270.0)).expect("valid");
                }
            }
        }
        warmed
    }
}

/// Mean of the factor of one tick, over all outcomes of the tick.
fn mean_factor(known: Known, tolerated: f64, canary: impl Fn([f64; 3]) -> [f64; 3]) -> f64 {
    let design = design(tolerated, &[0.2, 0.4], 1.0);
    let warmed = known.warmed(&design);
    // The baseline of the tick is not what the past was like.
    let chances = [0.55, 0.28, 0.17];
    let mut mean = 0.0;
    for (of_canary, chance) in outcomes(4, canary(chances)) {
        for (of_baseline, other) in outcomes(6, chances) {
            let mut test = warmed;
            let baseline = SlowCounts::new(&of_baseline, 6.0);
            test.update(&design, SlowCounts::new(&of_canary, 4.0), baseline).expect("valid");
            test.end_tick(&design, 1.0);
            mean += chance * other * exp(test.log_e(&design) - warmed.log_e(&design));
        }
    }
    mean
}

/// What a stretch by this factor makes of a baseline, as the past above says: each bucket's share
/// that comes to be beyond each boundary.
fn stretched(chances: [f64; 3], factor: f64) -> [f64; 3] {
    // What was fitted to after the second tick, which has a quarter more requests.
    let score = |slow: f64, trials: f64| normal_quantile((trials - slow + 0.5) / (trials + 1.0));
    let z = [score(135.0, 270.0), score(33.0, 270.0)];
    let slope = (z[1] - z[0]) / ln(2.0);
    let beyond = |time: f64| normal_cdf(-(z[0] + slope * ln(time / 0.2)));
    let (first, second) = (beyond(0.2), beyond(0.4));
    let from_first = |time: f64| ((beyond(time / factor) - first) / (1.0 - first)).clamp(0.0, 1.0);
    let from_second = ((beyond(0.4 / factor) - second) / (first - second)).clamp(0.0, 1.0);
    let last = chances[2] + chances[1] * from_second + chances[0] * from_first(0.4);
    let beyond_first = chances[1] + chances[2] + chances[0] * from_first(0.2);
    [1.0 - beyond_first, beyond_first - last, last]
}

#[test]
fn field_17_factors_have_mean_one_at_most_where_the_canary_is_as_slow_as_tolerated() {
    for known in [Known::Ticks, Known::Before] {
        let mean_of =
            |tolerated, factor| mean_factor(known, tolerated, |chances| stretched(chances, factor));
        for tolerated in [1.0, 1.15, 1.3, 1.7, 2.5] {
            let mean = mean_of(tolerated, tolerated);
            assert!(mean <= 1.0 + 1e-12, "{known:?}, {tolerated}: {mean}");
            // What is lost is the fractions and the cap, not more.
            assert!(mean > 0.9, "{known:?}, {tolerated}: {mean}");
            let faster = mean_of(tolerated, 0.5 + 0.5 * tolerated);
            assert!(faster <= 1.0 + 1e-12, "{known:?}, {tolerated}: {faster}");
        }
        let slower = mean_of(1.3, 3.0);
        assert!(slower > 1.0, "{known:?}, a slower canary: {slower}");
    }
}

#[test]
fn field_17_a_long_reading_adds_as_much_as_two_blocks() {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut test = Tolerance::new(&design);
    let mut random = Pcg64::seed_from_u64(7);
    let (live, trials) = arm(6_000.0, 1.0, &mut random);
    test.learn_before(SlowCounts::new(&live, trials)).expect("valid");
    // Five minutes in one reading, and then in another.
    let mut evidence = Vec::new();
    for _ in 0..2 {
        let (canary, of_canary) = arm(3_000.0, 1.9, &mut random);
        let (baseline, of_baseline) = arm(27_000.0, 1.0, &mut random);
        let baseline = SlowCounts::new(&baseline, of_baseline);
        test.update(&design, SlowCounts::new(&canary, of_canary), baseline).expect("valid");
        evidence.push((test.end_tick(&design, 30.0), test.log_e(&design)));
    }
    let [(alone, first), (together, second)] = evidence[..] else { panic!("two readings") };
    assert!(!alone && first > 0.5 * design.threshold(), "one reading does not decide: {first}");
    assert!(together && second > design.threshold(), "two do: {second}");
}

#[test]
fn field_17_a_canary_exactly_as_slow_as_tolerated_decides_in_one_of_a_hundred_runs_at_most() {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let (runs, ticks) = (400, 240);
    let (mut decided, mut mean) = (0, 0.0);
    for run in 0..runs {
        let mut random = Pcg64::seed_from_u64(run);
        let mut test = Tolerance::new(&design);
        let crossed = (0..ticks).any(|_| tick(&mut test, &design, (1_000.0, 1.3), &mut random));
        decided += u32::from(crossed);
        mean += exp(test.log_e(&design)) / runs as f64;
    }
    // With a chance of 0.01 there are more than 9 in one of a hundred such tests.
    assert!(decided <= 9, "{decided} of {runs}");
    assert!(mean <= 1.0, "mean of E: {mean}");
}

/// Median ticks to the decision; all runs have to decide.
fn median_ticks(requests: f64, factor: f64) -> usize {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut found: Vec<usize> = (0..41)
        .map(|run| {
            let mut random = Pcg64::seed_from_u64(run);
            let mut test = Tolerance::new(&design);
            (1..=600)
                .find(|_| tick(&mut test, &design, (requests, factor), &mut random))
                .expect("a decision")
        })
        .collect();
    found.sort_unstable();
    found[found.len() / 2]
}

#[test]
fn field_17_a_fault_beyond_what_is_tolerated_is_found_in_minutes() {
    for (requests, factor, most) in [
        (1_000.0, 1.5, 40),
        (6_000.0, 1.5, 19),
        (1_000.0, 2.0, 16),
        (6_000.0, 2.0, 13),
        (1_000.0, 3.0, 5),
        (6_000.0, 3.0, 3),
    ] {
        let ticks = median_ticks(requests, factor);
        println!("{requests} a minute, {factor} times as slow: {ticks} ticks");
        assert!(ticks <= most, "{requests} a minute, {factor} times as slow: {ticks} ticks");
    }
}

#[test]
fn field_17_a_block_adds_no_more_than_its_part() {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut random = Pcg64::seed_from_u64(7);
    let mut test = Tolerance::new(&design);
    for _ in 0..30 {
        tick(&mut test, &design, (6_000.0, 1.0), &mut random);
    }
    // As much as one block adds, whatever is in it.
    let cap = design.cap();
    assert!((cap - 0.4 * design.threshold()).abs() < 1e-12);
    let terms = |test: &Tolerance| numbers(&saved(test)["lanes"][0]["terms"]);
    while saved(&test)["elapsed"] != 0.0 {
        tick(&mut test, &design, (6_000.0, 1.0), &mut random);
    }
    let before = terms(&test);
    for _ in 0..3 {
        assert_eq!(terms(&test), before, "terms change where a block ends");
        tick(&mut test, &design, (6_000.0, 1.9), &mut random);
    }
    let gained = terms(&test).iter().zip(&before).fold(0.0_f64, |most, (t, b)| most.max(t - b));
    assert!((gained - cap).abs() < 1e-9, "{gained} of {cap}");
}

#[test]
fn field_17_evidence_begins_again_with_a_smaller_stake() {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut random = Pcg64::seed_from_u64(11);
    let mut test = Tolerance::new(&design);
    assert!(test.log_e(&design).abs() < 1e-12, "no data, no evidence");
    for i in 1..40 {
        for _ in 0..4 {
            tick(&mut test, &design, (1_000.0, 2.0), &mut random);
        }
        test.restart();
        assert_eq!(test.restarts(), i);
        // The stake of this part, and those of all that follow.
        let wealth = 0.2 / f64::from(i);
        assert!((exp(test.log_e(&design)) - wealth).abs() < 1e-12, "after restart {i}");
        if i == 1 {
            assert!((exp(test.log_e_slightly()) - 0.1).abs() < 1e-12);
        }
    }
    // It is still found, from what comes after the last restart.
    let found = (0..200).any(|_| tick(&mut test, &design, (6_000.0, 2.0), &mut random));
    assert!(found);
}

#[test]
fn field_17_evidence_that_has_lost_its_stake_gets_a_new_one() {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut random = Pcg64::seed_from_u64(13);
    let mut test = Tolerance::new(&design);
    let found = |mut test: Tolerance, mut random: Pcg64| {
        (1..=600).find(|_| tick(&mut test, &design, (6_000.0, 2.0), &mut random)).expect("found")
    };
    for _ in 0..90 {
        tick(&mut test, &design, (6_000.0, 1.0), &mut random);
    }
    let late = found(test, random.clone());
    let lost = test.log_e(&design);
    test.renew();
    // What is left are the stakes of the parts to come.
    assert!(lost < -1.5 && (exp(test.log_e(&design)) - 0.2).abs() < 1e-12, "{lost}");
    let soon = found(test, random.clone());
    assert!(soon <= 18 && late >= 2 * soon, "{soon} ticks, {late} without");
    // More than a new stake is kept.
    for _ in 0..9 {
        tick(&mut test, &design, (6_000.0, 1.6), &mut random);
    }
    let (before, restarts) = (test.log_e(&design), test.restarts());
    test.renew();
    assert!(before > 0.0);
    // All but what the other lane had left: less than its new stake of 0.2/(2 · 3), in a mean of two.
    let lost = exp(before) - exp(test.log_e(&design));
    assert!((0.0..0.2 / 6.0 / 2.0).contains(&lost), "{lost}");
    assert_eq!(test.restarts(), restarts);
}

#[test]
fn field_17_what_lies_below_the_tolerated_is_seen_as_slightly_slower() {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut random = Pcg64::seed_from_u64(3);
    let mut test = Tolerance::new(&design);
    for _ in 0..120 {
        tick(&mut test, &design, (6_000.0, 1.2), &mut random);
    }
    assert!(!test.decided());
    assert!(test.log_e_slightly() >= design.threshold(), "{}", test.log_e_slightly());
}

#[test]
fn field_17_the_estimate_has_the_error_that_it_states() {
    let design = design(1.3, &BOUNDARIES, 3.0);
    let mut random = Pcg64::seed_from_u64(5);
    let mut test = Tolerance::new(&design);
    for _ in 0..30 {
        tick(&mut test, &design, (6_000.0, 1.0), &mut random);
    }
    for (factor, requests) in [(1.0, 1_000.0), (1.3, 1_000.0), (2.0, 1_000.0), (1.3, 6_000.0)] {
        let (runs, mut sum, mut squares, mut stated) = (500.0, 0.0, 0.0, 0.0);
        for _ in 0..500 {
            let (canary, of_canary) = arm(requests * 0.1, factor, &mut random);
            let (baseline, of_baseline) = arm(requests * 0.9, 1.0, &mut random);
            let canary = SlowCounts::new(&canary, of_canary);
            let found = test.slowdown(canary, SlowCounts::new(&baseline, of_baseline));
            let found = found.expect("boundaries tell");
            sum += found.ln_ratio / runs;
            squares += found.ln_ratio * found.ln_ratio / runs;
            stated += found.error / runs;
        }
        let spread = (squares - sum * sum).sqrt();
        println!("{factor} at {requests}: {:.3}, {spread:.4} (stated {stated:.4})", exp(sum));
        assert!((sum - ln(factor)).abs() < 0.035, "{factor}: {}", exp(sum));
        assert!((0.6..=1.4).contains(&(spread / stated)), "{factor}: {spread}, not {stated}");
    }
}

#[test]
fn field_17_a_state_of_another_design_is_refused() {
    let mut test = Tolerance::new(&design(1.3, &BOUNDARIES, 3.0));
    let none = [0.0; 6];
    let counts = SlowCounts::new(&none, 10.0);
    let other = design(1.2, &BOUNDARIES, 3.0);
    assert_eq!(test.update(&other, counts, counts), Err(StatError::DesignMismatch));
}

#[test]
fn field_17_settings_out_of_range_are_refused() {
    let settings = ToleranceSettings {
        alpha: 0.01,
        tolerated: 1.3,
        boundaries: BOUNDARIES.to_vec(),
        block: 1.0,
    };
    let refused = |change: fn(&mut ToleranceSettings)| {
        let mut settings = settings.clone();
        change(&mut settings);
        ToleranceDesign::try_new(&settings).is_err()
    };
    assert!(refused(|s| s.alpha = 0.0));
    assert!(refused(|s| s.tolerated = 0.9));
    assert!(refused(|s| s.block = 0.0));
    assert!(refused(|s| s.block = f64::NAN));
    assert!(refused(|s| s.boundaries = Vec::new()));
    assert!(refused(|s| s.boundaries = vec![0.2, 0.1]));
    assert!(!refused(|_| ()));
}

#[test]
fn field_17_a_reading_of_a_minute_adds_the_same_in_a_tick_of_a_minute_as_in_six_of_ten_seconds() {
    let (short, long) = (design(1.3, &BOUNDARIES, 3.0), design(1.3, &BOUNDARIES, 0.5));
    let mut random = Pcg64::seed_from_u64(17);
    let (mut in_short, mut in_long) = (Tolerance::new(&short), Tolerance::new(&long));
    let mut found = None;
    for minute in 0..8 {
        let (canary, of_canary) = arm(100.0, 2.0, &mut random);
        let (baseline, of_baseline) = arm(900.0, 1.0, &mut random);
        let (canary, baseline) =
            (SlowCounts::new(&canary, of_canary), SlowCounts::new(&baseline, of_baseline));
        for (test, design, ticks) in [(&mut in_short, &short, 6.0), (&mut in_long, &long, 1.0)] {
            test.update(design, canary, baseline).expect("valid counts");
            test.end_tick(design, ticks);
        }
        assert_eq!(in_short.log_e(&short), in_long.log_e(&long), "{minute}");
        found = found.or(in_long.decided().then_some(minute));
    }
    // The first minute is learnt from.
    assert_eq!(found, Some(2));
}
