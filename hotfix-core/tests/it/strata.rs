//! A fault in one stratum, such as an endpoint, and what finding it costs (STAT-2): simulated with fixed
//! streams, under `standard`, with 1,000 requests a minute in ticks of 10 s, a tenth of them to the canary.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::judge::{Judge, Use, Verdict};
use hotfix_core::metric::{Arms, Observation, Reading, Sample};
use hotfix_core::plan::{Plan, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::stats::Counts;
use hotfix_core::stats::numeric::ln;
use hotfix_core::stats::rate_ratio::{RateRatio, RateRatioDesign, RateRatioSettings};
use hotfix_core::unit::{MetricName, Share, Span, Timestamp};
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64;
use serde_json::{Value, json};

use crate::latency_worlds::moment;
use crate::noise::stream;

const PER_TICK: f64 = 1000.0 / 6.0;

/// A stratum: its share of the requests, its share of errors, and how many times as many the canary has.
type Stratum = (f64, f64, f64);

fn plan(tolerated: f64) -> (Plan, f64) {
    let mut policy: Value =
        serde_json::from_str(&Policy::preset("standard").unwrap().to_json()).unwrap();
    policy["metrics"]["error_rate"]["tolerated"] = json!(tolerated);
    policy["watch"]["warm_up"] = json!(0);
    policy["watch"].as_object_mut().unwrap().remove("new_instances");
    let subject: Subject = serde_json::from_value(json!({
        "incident": {"id": "INC-2041"},
        "release": {"version": "2.3.1", "previous": "2.3.0"},
    }))
    .unwrap();
    let policy = Policy::from_json(&policy.to_string()).unwrap();
    (Plan::try_new(Arc::new(policy), subject).unwrap(), tolerated)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a drawn count")]
fn drawn(requests: f64, rate: f64, random: &mut Pcg64) -> Counts {
    let trials = Poisson::new(requests).unwrap().sample(random);
    Counts::new(Binomial::new(trials as u64, rate).unwrap().sample(random) as f64, trials)
}

/// The tick in which the evidence rolls back: of a rollout, and of the test with one ratio for all
/// strata; one past the end for none.
fn decisions(
    (plan, tolerated): &(Plan, f64),
    strata: &[Stratum],
    ticks: usize,
    seed: u64,
) -> [usize; 2] {
    let (mut random, share) = (stream(seed), Share::try_from_fraction(0.1).unwrap());
    let (mut judge, mut verdict) = (Judge::try_new(plan).unwrap(), Verdict::default());
    let id: MetricName = "error_rate".parse().unwrap();
    let settings = RateRatioSettings { tolerated: *tolerated, ..RateRatioSettings::default() };
    let design = RateRatioDesign::try_new(&settings).unwrap();
    let mut common = RateRatio::new(&design);
    let needed = -ln(0.01 * plan.policy().metric("error_rate").unwrap().weight);
    let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    judge.move_traffic(at);
    judge.start_phase(at);
    let (mut found, mut observation) = ([ticks + 1; 2], Observation::new());
    for tick in 1..=ticks {
        at = at + Span::from_seconds(10);
        let counts: Vec<(Counts, Counts)> = strata
            .iter()
            .map(|&(part, rate, times)| {
                let canary = drawn(0.1 * PER_TICK * part, rate * times, &mut random);
                (canary, drawn(0.9 * PER_TICK * part, rate, &mut random))
            })
            .collect();
        let of = |counts: &Counts| Some(Sample::Pair(counts.events, counts.trials));
        let arms = |(canary, live): &(Counts, Counts)| Arms {
            canary: of(canary),
            baseline: of(live),
            ..Arms::default()
        };
        let named: BTreeMap<String, Arms> =
            counts.iter().enumerate().map(|(n, of)| (format!("s{n:02}"), arms(of))).collect();
        observation.set(id, Reading::by_stratum(named));
        let readings = judge.prepare(at, share, &observation).unwrap();
        judge.take(readings, Use::Watch);
        common.update_strata(&design, &counts).unwrap();
        judge.assess(&moment(plan, at, share), &mut verdict);
        judge.note(at, &verdict);
        let log_e = verdict.metric(id).and_then(|of| of.log_e);
        for (found, log_e) in found.iter_mut().zip([log_e, Some(common.log_e(&design))]) {
            if *found > tick && log_e.is_some_and(|log_e| log_e >= needed) {
                *found = tick;
            }
        }
        if found.iter().all(|found| *found <= tick) {
            break;
        }
    }
    found
}

/// Mean ticks to the decision of both, and the share of runs in which they decide.
fn measured(plan: &(Plan, f64), strata: &[Stratum], ticks: usize, runs: u64) -> [[f64; 2]; 2] {
    let found: Vec<[usize; 2]> =
        (0..runs).map(|seed| decisions(plan, strata, ticks, seed)).collect();
    [0, 1].map(|of| {
        let each = || found.iter().map(|found| found[of]);
        let decided = each().filter(|found| *found <= ticks).count();
        [each().sum::<usize>() as f64 / runs as f64, decided as f64 / runs as f64]
    })
}

#[test]
fn stat_2_a_fault_in_one_stratum_is_found_sooner_and_a_common_one_little_later() {
    let plan = plan(1.0);
    let fifths = |faults: [f64; 5]| faults.map(|times| (0.2, 0.003, times));
    for (strata, least, most) in [
        // 3% instead of 0.3% errors in a fifth of the requests; in two fifths.
        (fifths([10.0, 1.0, 1.0, 1.0, 1.0]), 0.5, 0.7),
        (fifths([10.0, 10.0, 1.0, 1.0, 1.0]), 0.9, 1.1),
        // Of all.
        (fifths([3.0; 5]), 1.0, 1.12),
        (fifths([5.0; 5]), 1.0, 1.12),
        (fifths([10.0; 5]), 1.0, 1.12),
    ] {
        let [[own, found], [common, _]] = measured(&plan, &strata, 1200, 300);
        let ratio = own / common;
        assert!((least..=most).contains(&ratio) && found > 0.99, "{strata:?}: {own}, {common}");
    }
}

#[test]
fn stat_2_healthy_strata_of_any_size_and_rate_are_rarely_rolled_back() {
    let worlds: [&[Stratum]; 3] = [
        &[(0.2, 0.003, 1.0); 5],
        &[
            (0.6, 0.001, 1.0),
            (0.2, 0.003, 1.0),
            (0.1, 0.01, 1.0),
            (0.08, 0.02, 1.0),
            (0.02, 0.1, 1.0),
        ],
        &[(0.05, 0.005, 1.0); 20],
    ];
    for (tolerated, times) in [(1.0, 1.0), (1.25, 1.25)] {
        let plan = plan(tolerated);
        for strata in worlds {
            let strata: Vec<Stratum> = strata.iter().map(|of| (of.0, of.1, times)).collect();
            let [[_, own], [_, common]] = measured(&plan, &strata, 180, 500);
            // The test's share of alpha, and three standard errors.
            let alpha = 0.01 * plan.0.policy().metric("error_rate").unwrap().weight;
            assert!(own <= alpha + 3.0 * (alpha / 500.0).sqrt(), "{strata:?}: {own}, {common}");
        }
    }
}
