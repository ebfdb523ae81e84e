//! A rollback bound acts on what the release does, not on one instance, and where a test knows the
//! noise, only if that finds the canary worse (MET-4).

use std::sync::Arc;

use hotfix_core::judge::{Decision, Judge, Reason, Use, Verdict, Why};
use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::{Histories, Plan, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::unit::{MetricName, Share, Span, Timestamp};
use rand_distr::{Distribution, Poisson};
use serde_json::{Value, json};

use crate::latency_worlds::moment;
use crate::noise::stream;

/// `standard` with the error rate alone and a rollback bound that nothing suppresses.
fn policy(model: &str) -> Arc<Policy> {
    only(|_| json!({ "error_rate": metric(model) }))
}

fn metric(model: &str) -> Value {
    let weight = if model == "none" { 0.0 } else { 1.0 };
    json!({
        "title": "error rate", "kind": "proportion", "worse": "higher", "weight": weight,
        "model": model, "rollback": 0.05,
    })
}

/// `standard` with these metrics of its own, and no warm-up.
fn only(metrics: impl Fn(&Value) -> Value) -> Arc<Policy> {
    let mut document: Value =
        serde_json::from_str(&Policy::preset("standard").unwrap().to_json()).unwrap();
    document["metrics"] = metrics(&document["metrics"]);
    let table = document.as_object_mut().unwrap();
    table.remove("efficacy");
    table.remove("success");
    document["watch"]["warm_up"] = json!(0.0);
    Arc::new(Policy::from_json(&document.to_string()).unwrap())
}

fn subject() -> Subject {
    serde_json::from_value(json!({
        "incident": {"id": "INC-2041"},
        "release": {"version": "2.3.1", "previous": "2.3.0"},
    }))
    .unwrap()
}

fn error_rate() -> MetricName {
    "error_rate".parse().unwrap()
}

const PODS: usize = 5;

/// Shares of failed requests of the canary's pods and of the live version, at a tick.
type Failing = fn(usize) -> ([f64; PODS], f64);

/// Ticks of 10 s in which each pod has 20 requests and the live version 900; verdicts until one
/// rolls back.
fn run(plan: &Plan, by_instance: bool, failing: Failing) -> Vec<Verdict> {
    watch(plan, readings(by_instance, failing))
}

/// What is read at a tick.
fn readings(by_instance: bool, failing: Failing) -> impl Fn(usize) -> (MetricName, Arms) {
    move |tick| {
        let (canary, live) = failing(tick);
        let of = |pod: usize| [(20.0 * canary[pod]).round(), 20.0];
        let canary = if by_instance {
            Sample::Instances((0..PODS).map(|pod| (format!("pod-{pod}"), of(pod))).collect())
        } else {
            let events = (0..PODS).map(|pod| of(pod)[0]).sum();
            Sample::Pair(events, 20.0 * PODS as f64)
        };
        let baseline = Some(Sample::Pair((900.0 * live).round(), 900.0));
        (error_rate(), Arms { canary: Some(canary), baseline, ..Arms::default() })
    }
}

/// Verdicts on ten minutes of ticks of 10 s, until one rolls back.
fn watch(plan: &Plan, reading: impl Fn(usize) -> (MetricName, Arms)) -> Vec<Verdict> {
    let share = plan.policy().phases()[0].share;
    explained(plan, share, reading).into_iter().map(|(verdict, _)| verdict).collect()
}

/// The same at this share, each with its explanation.
fn explained(
    plan: &Plan,
    share: Share,
    reading: impl Fn(usize) -> (MetricName, Arms),
) -> Vec<(Verdict, Why)> {
    let mut judge = Judge::try_new(plan).unwrap();
    let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    judge.start_phase(start);
    let mut verdicts = Vec::new();
    for tick in 1..=60_usize {
        let at = start + Span::from_seconds(10 * u32::try_from(tick).unwrap());
        let (metric, arms) = reading(tick);
        let mut observation = Observation::new();
        observation.set(metric, arms);
        let readings = judge.prepare(at, share, &observation).unwrap();
        judge.take(readings, Use::Watch);
        let mut verdict = Verdict::default();
        judge.assess(&moment(plan, at, share), &mut verdict);
        judge.note(at, &verdict);
        let why = Why::of(&judge, &moment(plan, at, share), &verdict);
        let ends = verdict.decision == Decision::RollBack;
        verdicts.push((verdict, why));
        if ends {
            break;
        }
    }
    verdicts
}

/// The tick that rolls back; None if none does.
fn rolled_back(verdicts: &[Verdict]) -> Option<usize> {
    verdicts.iter().position(|verdict| verdict.decision == Decision::RollBack)
}

/// What is read at a tick of pods of the canary and of the live version, `of` each with so many requests,
/// where so many of the requests fail, independently.
fn fleet(
    seed: u64,
    of: [(usize, f64); 2],
    failing: impl Fn(usize) -> [f64; 2],
) -> impl Fn(usize) -> (MetricName, Arms) {
    move |tick| {
        let mut random = stream(1_000 * seed + u64::try_from(tick).unwrap());
        let rates = failing(tick);
        let [canary, baseline] = [0, 1].map(|arm: usize| {
            let (pods, requests) = of[arm];
            let failed = Poisson::new(requests * rates[arm]).unwrap();
            let mut pod = |pod| (format!("{arm}-{pod}"), [failed.sample(&mut random), requests]);
            Some(Sample::Instances((0..pods).map(&mut pod).collect()))
        });
        (error_rate(), Arms { canary, baseline, ..Arms::default() })
    }
}

/// `standard` with the error rate alone, usually 0.3%, and no bound.
fn by_evidence() -> Plan {
    let metric = json!({
        "title": "error rate", "kind": "proportion", "worse": "higher", "weight": 1.0,
        "reference": 0.003,
    });
    Plan::try_new(only(|_| json!({ "error_rate": metric })), subject()).unwrap()
}

/// An outage that both versions have is no evidence, whatever the pods' traffic: a bound on each pod at the
/// usual rate left the smaller pods of the canary with more failures for a request.
#[test]
fn stat_2_an_outage_of_both_versions_is_no_evidence_where_pods_differ_in_traffic() {
    let plan = by_evidence();
    for seed in 0..10 {
        let outage = |tick| [if tick >= 30 { 0.06 } else { 0.003 }; 2];
        let seen = watch(&plan, fleet(seed, [(5, 100.0), (20, 225.0)], outage));
        assert_eq!(rolled_back(&seen), None, "{seed}");
    }
}

/// In an incident each pod of the live version is beyond the usual rate, and so is the fix.
#[test]
fn stat_2_a_fix_that_is_worse_than_a_failing_live_version_is_rolled_back() {
    let plan = by_evidence();
    for seed in 0..10 {
        let seen = watch(&plan, fleet(seed, [(2, 250.0), (18, 250.0)], |_| [0.1, 0.02]));
        assert!(
            rolled_back(&seen).is_some_and(|tick| tick < 12),
            "{seed}: {:?}",
            rolled_back(&seen)
        );
    }
}

/// A customer on one pod retries for two minutes: 60% of its requests fail.
fn retrying(tick: usize) -> ([f64; PODS], f64) {
    ([if (10..22).contains(&tick) { 0.6 } else { 0.0 }, 0.0, 0.0, 0.0, 0.0], 0.003)
}

#[test]
fn met_4_a_burst_on_one_pod_is_not_rolled_back_by_a_bound() {
    let plan = Plan::try_new(policy("none"), subject()).unwrap();
    let seen = run(&plan, true, retrying);
    assert_eq!(rolled_back(&seen), None);
    let held = seen.iter().flat_map(|verdict| &verdict.causes);
    let named = held.filter(|cause| cause.reason == Reason::OneInstance);
    let named: Vec<&str> = named.filter_map(|cause| cause.instance.as_deref()).collect();
    assert!(!named.is_empty() && named.iter().all(|name| *name == "pod-0"), "{named:?}");
    // Without counts by instance nobody knows.
    assert!(rolled_back(&run(&plan, false, retrying)).is_some());
}

#[test]
fn met_4_a_release_that_fails_is_rolled_back_as_soon_as_without_instances() {
    let plan = Plan::try_new(policy("none"), subject()).unwrap();
    let all: Failing = |tick| ([if tick > 10 { 1.0 } else { 0.0 }; PODS], 0.003);
    let few: Failing = |tick| ([if tick > 10 { 0.15 } else { 0.0 }; PODS], 0.003);
    for failing in [all, few] {
        let whole = rolled_back(&run(&plan, false, failing)).unwrap();
        let by_instance = rolled_back(&run(&plan, true, failing)).unwrap();
        assert!(by_instance <= whole + 1, "{by_instance} ticks, not {whole}");
    }
    // Two of five pods are the release, one is not.
    let failing_pods = |pods: usize| -> Option<usize> {
        let two: Failing = |tick| {
            let of = if tick > 10 { 1.0 } else { 0.0 };
            ([of, of, 0.0, 0.0, 0.0], 0.003)
        };
        let one: Failing = |tick| ([if tick > 10 { 1.0 } else { 0.0 }, 0.0, 0.0, 0.0, 0.0], 0.003);
        rolled_back(&run(&plan, true, if pods == 2 { two } else { one }))
    };
    assert!(failing_pods(2).is_some_and(|tick| tick <= 16), "{:?}", failing_pods(2));
    assert_eq!(failing_pods(1), None);
}

/// The error rate with a history: six hours of ten pods with a few failures, and of 20 requests of a pod in
/// a tick these more.
fn calibrated(more: fn(usize, usize) -> f64) -> Plan {
    let ticks = |pod: usize| {
        let few = move |tick: usize| f64::from(u8::from((tick * 7 + pod * 13).is_multiple_of(17)));
        (0..2_160).map(move |tick| [few(tick) + more(pod, tick), 20.0]).collect::<Vec<_>>()
    };
    let pods = (0..10).map(|pod| (format!("pod-{pod:02}"), ticks(pod))).collect();
    let histories = Histories::from([(error_rate(), pods)]);
    Plan::calibrated(policy("poisson"), subject(), histories).unwrap()
}

#[test]
fn met_4_a_calibrated_test_has_to_confirm_a_rollback_bound() {
    let plan = calibrated(|_, _| 0.0);
    // A shock in both arms: the bound is crossed, and the arms do not differ.
    let shock: Failing = |tick| {
        let of = if tick > 10 { 0.1 } else { 0.0 };
        ([of; PODS], if tick > 10 { 0.1 } else { 0.003 })
    };
    let seen = run(&plan, false, shock);
    assert_eq!(rolled_back(&seen), None);
    assert!(seen.last().is_some_and(|verdict| verdict.has(Reason::NotConfirmed)));
    // The same in the canary alone.
    let fault: Failing = |tick| ([if tick > 10 { 0.1 } else { 0.0 }; PODS], 0.003);
    assert!(rolled_back(&run(&plan, false, fault)).is_some());
}

#[test]
fn field_17_a_rollback_bound_waits_for_the_end_of_a_burst_such_as_the_history_has() {
    // A customer of one pod after the other retries for two minutes of each twelve. In the rollout the
    // canary has such a burst before the live version has had any.
    let burst: Failing = |tick| ([if (10..22).contains(&tick) { 0.1 } else { 0.0 }; PODS], 0.003);
    let stays: Failing = |tick| ([if tick >= 10 { 0.1 } else { 0.0 }; PODS], 0.003);
    let customer =
        |pod: usize, tick: usize| if tick / 72 % 10 == pod && tick % 72 < 12 { 12.0 } else { 0.0 };
    let (quiet, known) = (calibrated(|_, _| 0.0), calibrated(customer));
    assert!(rolled_back(&run(&quiet, false, burst)).is_some());
    let seen = run(&known, false, burst);
    assert_eq!(rolled_back(&seen), None);
    assert!(seen.iter().any(|verdict| verdict.has(Reason::NotConfirmed)));
    let found = rolled_back(&run(&known, false, stays));
    assert!(found.is_some_and(|tick| (30..50).contains(&tick)), "{found:?}");
}

#[test]
fn field_17_a_slowdown_just_at_the_bound_does_not_roll_back_where_no_live_version_is_left() {
    // Of all requests about 5% take more than 0.5 s, the bound: chance decides whether the p95 is beyond it.
    let about = |over: f64| [0.3, 0.6, 0.7, 1.0 - over, 1.0, 1.0];
    let at_all = |over: f64| rolled_back(&run_latencies_at(Share::ALL, |_| [about(over); 2]));
    assert_eq!(at_all(0.055), None);
    assert!(at_all(0.08).is_some());
}

#[test]
fn field_11_the_sentence_says_what_holds_a_rollback_bound_back() {
    let with_alert = |model: &str| {
        only(|_| {
            let mut metric = metric(model);
            metric["alert"] = json!(0.03);
            metric["rollback"] = json!({ "value": 0.05, "unless_both_arms": true });
            json!({ "error_rate": metric })
        })
    };
    let last_sentence = |model: &str, by_instance: bool, failing: Failing| {
        let plan = Plan::try_new(with_alert(model), subject()).unwrap();
        let share = plan.policy().phases()[0].share;
        let seen = explained(&plan, share, readings(by_instance, failing));
        seen.last().unwrap().1.metrics[0].sentence.clone()
    };
    // Of both, and only the canary is beyond the bound.
    let shock: Failing = |tick| {
        let [most, rest, live] = if tick > 28 { [0.1, 0.05, 0.049] } else { [0.0; 3] };
        ([most, rest, rest, rest, rest], live)
    };
    let text = last_sentence("poisson", false, shock);
    assert!(text.contains("the rollback bound of 5%, but the test does not show"), "{text}");
    let text = last_sentence("none", true, |tick| {
        ([if tick > 10 { 0.6 } else { 0.0 }, 0.0, 0.0, 0.0, 0.0], 0.003)
    });
    assert!(text.contains("of 5%, but only with one of the canary's instances"), "{text}");
}

/// Ticks of 10 s in which the canary has 100 requests and the live version 900, under `standard`
/// with the latency alone. In the slow ticks, a fifth of the canary's take more than 0.5 s. The
/// verdicts until one rolls back.
fn run_latency(is_slow: fn(usize) -> bool) -> Vec<Verdict> {
    const SLOW: [f64; 6] = [0.4, 0.7, 0.75, 0.8, 0.9, 1.0];
    run_latencies(|tick| [if is_slow(tick) { SLOW } else { HEALTHY }, HEALTHY])
}

/// Shares of requests up to each boundary.
const HEALTHY: [f64; 6] = [0.5, 0.95, 0.97, 0.99, 1.0, 1.0];

/// The same with these shares of the canary and of the live version.
fn run_latencies(shares: impl Fn(usize) -> [[f64; 6]; 2]) -> Vec<Verdict> {
    run_latencies_at("10%".parse().unwrap(), shares)
}

/// The same with this share of the traffic, of which none is the live version's if it is all.
fn run_latencies_at(share: Share, shares: impl Fn(usize) -> [[f64; 6]; 2]) -> Vec<Verdict> {
    let policy = only(|metrics| {
        let mut latency = metrics["latency_p95"].clone();
        latency["weight"] = json!(1.0);
        json!({ "latency_p95": latency })
    });
    let plan = Plan::try_new(policy, subject()).unwrap();
    let histogram = |shares: [f64; 6], count: f64| {
        let counts = shares.iter().map(|share| (share * count).round()).collect();
        Some(Sample::Histogram(Histogram {
            count,
            counts,
            le: vec![0.1, 0.25, 0.3, 0.5, 1.0, 2.5],
        }))
    };
    let seen = explained(&plan, share, |tick| {
        let [canary, live] = shares(tick);
        let baseline = histogram(live, 900.0).filter(|_| share < Share::ALL);
        let arms = Arms { canary: histogram(canary, 100.0), baseline, ..Arms::default() };
        ("latency_p95".parse().unwrap(), arms)
    });
    seen.into_iter().map(|(verdict, _)| verdict).collect()
}

#[test]
fn met_4_a_pause_in_the_first_seconds_is_not_rolled_back_by_a_bound_of_latency() {
    let paused = run_latency(|tick| tick == 1);
    assert_eq!(rolled_back(&paused), None);
    assert_eq!(paused[0].decision, Decision::Hold);
    assert!(paused[0].has(Reason::WarmingUp), "{:?}", paused[0].causes);
    // What lasts is rolled back once a minute was read, and later within seconds.
    let slow = run_latency(|_| true);
    assert_eq!(rolled_back(&slow), Some(5));
    let later = run_latency(|tick| tick > 40);
    assert!(rolled_back(&later).is_some_and(|tick| (40..52).contains(&tick)), "{}", later.len());
}

#[test]
fn field_17_a_slowdown_that_both_arms_share_is_not_rolled_back_where_chance_tells_them_apart() {
    // Of both arms about 5% take more than 0.5 s, the bound: by chance the canary is beyond it and the
    // live version is not.
    let about = |over: f64| [0.3, 0.6, 0.7, 1.0 - over, 1.0, 1.0];
    let shared = run_latencies(|_| [about(0.07), about(0.049)]);
    assert_eq!(rolled_back(&shared), None, "{:?}", shared.last());
    assert!(shared[9].has(Reason::NotConfirmed), "{:?}", shared[9].causes);
    // The same canary beside a live version that is surely within it.
    let alone = run_latencies(|_| [about(0.07), about(0.03)]);
    assert!(rolled_back(&alone).is_some(), "{:?}", alone.last());
}
