//! Sequential tests in simulated rollouts with fixed streams: error rates, delays, coverage.
//!
//! 1,000 requests a minute in ticks of 10 s, a tenth of them to the canary, 300 ticks. The figures to
//! compare with are those of the specification of the tests (statistics, sections 1 to 3 and 10).

use hotfix_core::stats::bernoulli::{Bernoulli, BernoulliDesign, BernoulliSettings};
use hotfix_core::stats::interval::ratio_interval;
use hotfix_core::stats::latency::{Latency, LatencyDesign, LatencySettings, SlowCounts};
use hotfix_core::stats::numeric::{exp, ln, normal_cdf, normal_quantile};
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::stats::{Counts, SplitTotals, Totals};
use rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64;

const TICKS: usize = 300;
const CANARY: f64 = 1000.0 / 6.0 * 0.1;
const BASELINE: f64 = 1000.0 / 6.0 * 0.9;

fn stream(seed: u64) -> Pcg64 {
    Pcg64::seed_from_u64(seed)
}

/// Events among `trials` requests.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
fn events(trials: f64, rate: f64, stream: &mut Pcg64) -> f64 {
    let law = Binomial::new(trials as u64, rate.clamp(0.0, 1.0)).expect("a proportion");
    law.sample(stream) as f64
}

/// One tick of both arms; canary rate `ratio` times `base`.
fn tick(base: f64, ratio: f64, stream: &mut Pcg64) -> (Counts, Counts) {
    let n_c = Poisson::new(CANARY).expect("positive").sample(stream);
    let n_b = Poisson::new(BASELINE).expect("positive").sample(stream);
    let canary = Counts::new(events(n_c, base * ratio, stream), n_c);
    (canary, Counts::new(events(n_b, base, stream), n_b))
}

/// The tick of the decision in each of `runs` rollouts, one past the end for none.
fn decisions(runs: u64, mut one: impl FnMut(&mut Pcg64) -> Option<usize>) -> Vec<usize> {
    let mut found: Vec<usize> =
        (0..runs).map(|run| one(&mut stream(run)).unwrap_or(TICKS + 1)).collect();
    found.sort_unstable();
    found
}

fn median(sorted: &[usize]) -> usize {
    sorted[sorted.len() / 2]
}

fn share_decided(sorted: &[usize]) -> f64 {
    sorted.partition_point(|tick| *tick <= TICKS) as f64 / sorted.len() as f64
}

fn rate_ratio_run(
    design: &RateRatioDesign,
    base: f64,
    ratio: f64,
    stream: &mut Pcg64,
) -> Option<usize> {
    let mut test = RateRatio::new(design);
    (1..=TICKS).find(|_| {
        let (canary, baseline) = tick(base, ratio, stream);
        test.update(design, canary, baseline).expect("valid counts")
    })
}

#[test]
fn stat_2_default_grid_finds_disasters_in_the_stated_time() {
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).expect("valid settings");
    for (ratio, stated) in [(5.0, 30.0), (10.0, 10.0), (20.0, 5.0)] {
        let found = decisions(1_000, |stream| rate_ratio_run(&design, 0.003, ratio, stream));
        let median = median(&found) as f64;
        assert!((median - stated).abs() <= (0.1 * stated).max(1.0), "r = {ratio}: {median}");
        assert!(share_decided(&found) > 0.99, "r = {ratio}");
    }
}

/// Ticks from the fault, which starts after `onset` ticks, to the decision; those decided before are left out.
fn change_point_delays(onset: usize, ratio: f64, horizon: Option<u32>) -> Vec<usize> {
    let settings = RateRatioSettings { horizon, ..RateRatioSettings::default() };
    let design = RateRatioDesign::try_new(&settings).expect("valid settings");
    let mut found = decisions(600, |stream| {
        let mut test = RateRatio::new(&design);
        (1..=TICKS).find(|at| {
            let ratio = if *at > onset { ratio } else { 1.0 };
            let (canary, baseline) = tick(0.003, ratio, stream);
            test.update(&design, canary, baseline).expect("valid counts")
        })
    });
    found.retain(|at| *at > onset);
    found.iter().map(|at| at - onset).collect()
}

#[test]
fn stat_2_a_horizon_pays_for_late_faults() {
    // Statistics, sections 4 and 5: 34 from the start, 46 and 8 from tick 120 on, for the default four.
    for (onset, ratio, stated) in [(0, 5.0, 34.0), (120, 5.0, 46.0), (120, 20.0, 8.0)] {
        let median = median(&change_point_delays(onset, ratio, Some(300))) as f64;
        assert!((median - stated).abs() <= (0.1 * stated).max(1.0), "{onset}, {ratio}: {median}");
    }
    let plain = median(&change_point_delays(120, 5.0, None)) as f64;
    assert!(plain > 1.2 * 46.0, "without a horizon: {plain}");
    let design = RateRatioDesign::try_new(&RateRatioSettings {
        horizon: Some(300),
        ..RateRatioSettings::default()
    })
    .expect("valid settings");
    let found = decisions(1_000, |stream| rate_ratio_run(&design, 0.003, 1.0, stream));
    assert!(share_decided(&found) <= 0.01, "{}", share_decided(&found));
}

#[test]
fn stat_2_looking_every_tick_keeps_false_rollbacks_below_alpha() {
    let design = RateRatioDesign::try_new(&RateRatioSettings::default()).expect("valid settings");
    let found = decisions(2_000, |stream| rate_ratio_run(&design, 0.003, 1.0, stream));
    assert!(share_decided(&found) <= 0.01, "{}", share_decided(&found));
    // A ten-fold shock in both arms for three minutes changes nothing.
    let found = decisions(500, |stream| {
        let mut test = RateRatio::new(&design);
        (1..=TICKS).find(|at| {
            let base = if (100..118).contains(at) { 0.03 } else { 0.003 };
            let (canary, baseline) = tick(base, 1.0, stream);
            test.update(&design, canary, baseline).expect("valid counts")
        })
    });
    assert!(share_decided(&found) <= 0.01, "{}", share_decided(&found));
}

#[test]
fn stat_3_twice_as_bad_is_rarely_called_not_worse() {
    let design = RateRatioDesign::try_new(&RateRatioSettings::better(2.0)).expect("valid settings");
    let found = decisions(500, |stream| rate_ratio_run(&design, 0.003, 2.0, stream));
    assert!(share_decided(&found) <= 0.05, "{}", share_decided(&found));
    let found = decisions(300, |stream| rate_ratio_run(&design, 0.003, 0.05, stream));
    let minutes = median(&found) as f64 / 6.0;
    assert!((7.0..=9.0).contains(&minutes), "a fix that cuts to a twentieth: {minutes}");
}

fn bernoulli_run(
    design: &BernoulliDesign,
    base: f64,
    ratio: f64,
    stream: &mut Pcg64,
) -> Option<usize> {
    let mut test = Bernoulli::new(design);
    (1..=TICKS).find(|_| {
        let (canary, baseline) = tick(base, ratio, stream);
        test.update(design, canary, baseline).expect("valid counts")
    })
}

#[test]
fn stat_2_bernoulli_is_faster_at_common_rates() {
    let design = BernoulliDesign::try_new(&BernoulliSettings::default()).expect("valid settings");
    for (base, stated) in [(0.1, 33.0), (0.4, 7.0)] {
        let found = decisions(300, |stream| bernoulli_run(&design, base, 1.5, stream));
        let median = median(&found) as f64;
        assert!((median - stated).abs() <= (0.15 * stated).max(1.0), "base {base}: {median}");
    }
    let found = decisions(300, |stream| bernoulli_run(&design, 0.4, 1.0, stream));
    assert!(share_decided(&found) <= 0.01, "{}", share_decided(&found));
}

#[test]
fn stat_5_a_canary_that_cut_nothing_is_not_called_a_cure() {
    // 92% errors against 94%: a bet on rates above the cap would call it 'cut to 0.9' nearly always.
    let design = BernoulliDesign::try_new(&BernoulliSettings::better(0.9)).expect("valid settings");
    let found = decisions(300, |stream| bernoulli_run(&design, 0.94, 0.92 / 0.94, stream));
    assert!(share_decided(&found) <= 0.05, "{}", share_decided(&found));
    let found = decisions(300, |stream| bernoulli_run(&design, 0.94, 0.05 / 0.55, stream));
    assert!(share_decided(&found) > 0.99 && median(&found) <= 2, "a real cure is seen at once");
}

/// Request times in seconds: log-normal, 95% below 0.25, standard deviation of the logarithm 0.8.
///
/// The stated figures do not say from which law they are. The 250 ms are the policies'; 0.8 was chosen
/// here as the spread that gives the rows for scale changes, so the rows for delays are the check.
struct Times {
    median: f64,
}

impl Times {
    const SPREAD: f64 = 0.8;

    fn new() -> Self {
        Self { median: 0.25 * exp(-Self::SPREAD * normal_quantile(0.95)) }
    }

    /// Chance that a request takes longer than `seconds`.
    fn slower(&self, seconds: f64) -> f64 {
        let log = |seconds: f64| ln(seconds / self.median) / Self::SPREAD;
        if seconds > 0.0 { normal_cdf(-log(seconds)) } else { 1.0 }
    }

    /// Near p50, p75, p90, p95, p99 and at twice p99.
    fn boundaries(&self) -> [f64; 6] {
        let at = |p: f64| self.median * exp(Self::SPREAD * normal_quantile(p));
        [at(0.5), at(0.75), at(0.9), at(0.95), at(0.99), 2.0 * at(0.99)]
    }
}

/// Requests slower than each boundary, from the chances to be slower.
fn slow_counts(trials: f64, chances: &[f64; 6], stream: &mut Pcg64) -> [f64; 6] {
    let (mut left, mut before) = (trials, 1.0);
    chances.map(|chance| {
        left = events(left, chance / before, stream);
        before = chance;
        left
    })
}

fn latency_run(
    design: &LatencyDesign,
    canary: &[f64; 6],
    baseline: &[f64; 6],
    stream: &mut Pcg64,
) -> Option<usize> {
    let mut test = Latency::new(design);
    (1..=TICKS).find(|_| {
        let n_c = Poisson::new(CANARY).expect("positive").sample(stream);
        let n_b = Poisson::new(BASELINE).expect("positive").sample(stream);
        let slow_c = slow_counts(n_c, canary, stream);
        let slow_b = slow_counts(n_b, baseline, stream);
        let (slow_c, slow_b) = (SlowCounts::new(&slow_c, n_c), SlowCounts::new(&slow_b, n_b));
        test.update(design, slow_c, slow_b).expect("valid counts")
    })
}

#[test]
fn stat_1_latency_regressions_are_found_in_the_stated_time() {
    let design = LatencyDesign::try_new(&LatencySettings::default()).expect("valid settings");
    let times = Times::new();
    let baseline = times.boundaries().map(|seconds| times.slower(seconds));
    let scaled = |factor: f64| times.boundaries().map(|seconds| times.slower(seconds / factor));
    let delayed = |extra: f64| {
        let of = |s: f64| 0.95 * times.slower(s) + 0.05 * times.slower(s - extra);
        times.boundaries().map(of)
    };
    // Stated for a test at each boundary; the joint bet needs no more, with room for the medians of so few runs.
    let rows = [
        ("1.1 times", scaled(1.1), 95.0),
        ("1.25 times", scaled(1.25), 18.0),
        ("1.5 times", scaled(1.5), 6.0),
        ("twice", scaled(2.0), 3.0),
        ("5% and 300 ms", delayed(0.3), 22.0),
        ("5% and 2 s", delayed(2.0), 6.0),
    ];
    let mut found = Vec::new();
    for (row, canary, stated) in rows {
        let decided = decisions(100, |stream| latency_run(&design, &canary, &baseline, stream));
        found.push((row, median(&decided) as f64, stated));
    }
    let soon =
        |&(_, median, stated): &(&str, f64, f64)| median <= (1.2_f64 * stated).max(stated + 1.0);
    assert!(found.iter().all(soon), "{found:?}");
    let sooner = found.iter().filter(|(_, median, stated)| *median <= 0.85 * stated).count();
    assert!(sooner >= 3, "{found:?}");
    let decided = decisions(150, |stream| latency_run(&design, &baseline, &baseline, stream));
    assert!(share_decided(&decided) <= 0.01, "{}", share_decided(&decided));
}

#[test]
fn stat_4_the_ratio_interval_covers_at_every_look() {
    for (base, ratio) in [(0.003, 1.0), (0.003, 5.0), (0.05, 1.5)] {
        let runs = 100;
        let missed = (0..runs)
            .filter(|&run| {
                let mut stream = stream(run);
                let mut total = Totals::default();
                (1..=TICKS).any(|at| {
                    let (canary, baseline) = tick(base, ratio, &mut stream);
                    total.canary.events += canary.events;
                    total.canary.trials += canary.trials;
                    total.baseline.events += baseline.events;
                    total.baseline.trials += baseline.trials;
                    at % 10 == 0
                        && !ratio_interval(&[total], 0.99).expect("valid counts").contains(ratio)
                })
            })
            .count();
        assert!(missed <= 3, "base {base}, r = {ratio}: missed in {missed} of {runs}");
    }
}

#[test]
fn stat_4_the_interval_of_a_ramp_under_a_shock_covers_at_every_look() {
    // A tenth, then a half of the traffic; ten times the errors in both arms from the step on.
    let (runs, ticks, ratio) = (150, 60, 1.5);
    let mut pooled_missed = 0;
    let missed = (0..runs)
        .filter(|&run| {
            let mut stream = stream(run);
            let (mut sums, mut pooled) = (SplitTotals::new(), SplitTotals::new());
            let mut outside = false;
            let mut pooled_outside = false;
            for at in 0..ticks {
                let (share, base) = if at < 30 { (0.1, 0.003) } else { (0.5, 0.03) };
                let mut arm = |share: f64, rate: f64| {
                    let law = Poisson::new(1000.0 / 6.0 * share).expect("positive");
                    let trials = law.sample(&mut stream);
                    Counts::new(events(trials, rate, &mut stream), trials)
                };
                let (canary, baseline) = (arm(share, base * ratio), arm(1.0 - share, base));
                sums.add(share, canary, baseline).expect("valid counts");
                pooled.add(0.5, canary, baseline).expect("valid counts");
                let misses = |of: &SplitTotals| {
                    let totals: Vec<Totals> = of.totals().copied().collect();
                    let interval = ratio_interval(&totals, 0.99).expect("a level");
                    !interval.contains(ratio)
                };
                outside |= misses(&sums);
                pooled_outside |= misses(&pooled);
            }
            pooled_missed += u32::from(pooled_outside);
            outside
        })
        .count();
    // At 99% one or two in 150 may miss; the simulation's own error is one more.
    assert!(missed <= 3, "missed in {missed} of {runs}");
    assert!(pooled_missed > 100, "pooled over splits it covers hardly ever: {pooled_missed}");
}
