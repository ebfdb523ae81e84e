//! Evidence modes in a whole rollout: calibrated plans, their logs, and what noise does to them (STAT-2, STAT-4).

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::grade::EvidenceMode;
use hotfix_core::judge::{Guarantee, Reason};
use hotfix_core::metric::{Arms, Observation, Sample};
use hotfix_core::plan::{Histories, Plan, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, State, audit};
use hotfix_core::stats::Counts;
use hotfix_core::stats::numeric::ln;
use hotfix_core::unit::{MetricName, Span, Timestamp};
use serde_json::{Value, json};

use crate::noise::{Law, Service};
use crate::ready;

const PODS: usize = 20;
/// Of the canary: a tenth.
const CANARY: usize = 2;
/// Ten minutes.
pub(crate) const TICKS: usize = 60;

pub(crate) fn error_rate() -> MetricName {
    MetricName::try_new("error_rate").unwrap()
}

/// `standard`, with error rate alone, which only the test judges.
pub(crate) fn policy(changes: &[(&str, Value)]) -> Arc<Policy> {
    let mut document: Value =
        serde_json::from_str(&Policy::preset("standard").unwrap().to_json()).unwrap();
    document["metrics"] = json!({"error_rate": {
        "title": "error rate", "kind": "proportion", "worse": "higher", "weight": 1.0,
        "success": 0.97, "alert": 0.98, "rollback": 0.99,
    }});
    let table = document.as_object_mut().unwrap();
    table.remove("efficacy");
    table.remove("success"); // names metrics of the preset
    document["watch"]["warm_up"] = json!(0.0);
    document["watch"]["new_instances"]["ratio"] = json!(1.0);
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        match parent {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
            other => other[key] = value.clone(),
        }
    }
    Arc::new(Policy::from_json(&document.to_string()).unwrap())
}

pub(crate) fn subject() -> Subject {
    serde_json::from_value(json!({
        "incident": {"id": "INC-2041"},
        "release": {"version": "2.3.1", "previous": "2.3.0", "methods": [{"kind": "feature_flag", "seconds": 5}]},
    }))
    .unwrap()
}

/// What a service did for so many ticks, as a plan takes it.
fn history(law: Law, ticks: usize, seed: u64) -> Histories {
    let mut service = Service::new(law, PODS, 1_000.0, 0.003, seed);
    let mut pods: BTreeMap<String, Vec<[f64; 2]>> = BTreeMap::new();
    let mut now = vec![Counts::default(); PODS];
    for _ in 0..ticks {
        service.tick(0, 1.0, &mut now);
        for (pod, counts) in now.iter().enumerate() {
            pods.entry(format!("pod-{pod:02}")).or_default().push([counts.events, counts.trials]);
        }
    }
    Histories::from([(error_rate(), pods)])
}

fn six_hours(law: Law) -> Histories {
    history(law, 2_160, 7)
}

/// A rollout that is watched at a tenth of the traffic.
pub(crate) fn watched(plan: Plan, recording: Recording) -> (Rollout, Timestamp) {
    let mut rollout = Rollout::try_new(plan, recording, "pepper").unwrap();
    let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    ready::make(&mut rollout, at);
    let start = Input::from_json(r#"{"kind":"start","by":"lena"}"#).unwrap();
    rollout.handle(at, &start).unwrap();
    at = ready::confirm_all(&mut rollout, at);
    (rollout, at)
}

fn sum(counts: &[Counts]) -> Sample {
    let (mut events, mut trials) = (0.0, 0.0);
    for counts in counts {
        events += counts.events;
        trials += counts.trials;
    }
    Sample::Pair(events, trials)
}

fn by_pod(counts: &[Counts], from: usize) -> Sample {
    let name = |(at, counts): (usize, &Counts)| {
        (format!("pod-{:02}", from + at), [counts.events, counts.trials])
    };
    Sample::Instances(counts.iter().enumerate().map(name).collect())
}

pub(crate) fn seen(canary: Sample, baseline: Sample) -> Input {
    let arms = Arms { canary: Some(canary), baseline: Some(baseline), totals: false };
    let mut seen = Observation::new();
    seen.set(error_rate(), arms);
    Input::observe(seen)
}

/// At which tick of a phase a rollout goes back, if it does.
fn goes_back(plan: &Plan, law: Law, ratio: f64, seed: u64, ticks: usize) -> Option<usize> {
    let mut service = Service::new(law, PODS, 1_000.0, 0.003, seed);
    let (mut rollout, mut at) = watched(plan.clone(), Recording::Off);
    let mut now = vec![Counts::default(); PODS];
    for tick in 1..=ticks {
        service.tick(CANARY, ratio, &mut now);
        at = at + Span::from_seconds(10);
        rollout.handle(at, &seen(sum(&now[..CANARY]), sum(&now[CANARY..]))).unwrap();
        match rollout.state() {
            State::Monitoring => {}
            State::RollingBack => return Some(tick),
            _ => return None,
        }
    }
    None
}

#[test]
fn stat_2_bursts_roll_back_healthy_releases_but_not_where_history_has_them() {
    const RUNS: u64 = 300;
    let law = Law::NegativeBinomial(10.0);
    let policy = policy(&[("/phases/0/watch_most", json!(600.0))]);
    let plain = Plan::try_new(Arc::clone(&policy), subject()).unwrap();
    let replay = Plan::calibrated(policy, subject(), six_hours(law)).unwrap();
    let false_ones = |plan: &Plan| {
        (0..RUNS).filter(|run| goes_back(plan, law, 1.0, 1_000 + run, TICKS).is_some()).count()
    };
    let (of_plain, of_replay) = (false_ones(&plain), false_ones(&replay));
    // At 1% there are 3 expected, and 9 or more in 4 of 1,000 cases.
    assert!(of_replay <= 8, "{of_replay} of {RUNS} in replay");
    assert!(
        of_plain >= 30,
        "{of_plain} of {RUNS} in plain: the noise is too tame to show anything"
    );
    // What is broken is still found.
    let found = (0..40).filter(|run| goes_back(&replay, law, 20.0, *run, TICKS).is_some()).count();
    assert!(found >= 36, "{found} of 40");
}

#[test]
fn stat_2_bursts_name_no_instance_bad_where_history_has_them() {
    const RUNS: u64 = 100;
    const CANARY: usize = 10;
    let law = Law::NegativeBinomial(3.0);
    let half = ("/phases/0/share", json!(0.5));
    let plain = Plan::try_new(policy(std::slice::from_ref(&half)), subject()).unwrap();
    let replay = Plan::calibrated(policy(&[half]), subject(), six_hours(law)).unwrap();
    // Whether one was named, and whether only the bad one was.
    let named = |plan: &Plan, ratio: f64, seed: u64| {
        let mut service = Service::new(law, PODS, 1_000.0, 0.003, seed);
        let (mut rollout, mut at) = watched(plan.clone(), Recording::Off);
        let mut now = vec![Counts::default(); PODS];
        for _ in 0..TICKS {
            service.tick(1, ratio, &mut now);
            at = at + Span::from_seconds(10);
            let input = seen(by_pod(&now[..CANARY], 0), by_pod(&now[CANARY..], CANARY));
            rollout.handle(at, &input).unwrap();
            if rollout.verdict().has(Reason::BadInstance) {
                let named = rollout.verdict().causes.iter().find_map(|c| c.instance.clone());
                return (true, named.as_deref() == Some("pod-00"));
            }
            if rollout.state() != State::Monitoring {
                break;
            }
        }
        (false, false)
    };
    let wrongly = |plan| (0..RUNS).filter(|run| named(plan, 1.0, 500 + run).0).count();
    let (of_plain, of_replay) = (wrongly(&plain), wrongly(&replay));
    // 1 in 100 is expected at most, and 5 or more then in 4 of 1,000 cases.
    assert!(of_replay <= 4 && of_plain >= 15, "{of_replay} in replay, {of_plain} in plain");
    let found = (0..30).filter(|run| named(&replay, 20.0, *run).1).count();
    assert!(found >= 15, "{found} of 30");
}

#[test]
fn stat_2_a_late_fault_is_found_sooner_with_a_change_point() {
    let law = Law::Independent;
    let long = ("/phases/0/watch_most", json!(3_000.0));
    let watch = ("/phases/0/watch", json!(3_000.0));
    let plan = |change_point: bool| {
        let form = ("/evidence/change_point", json!(change_point));
        Plan::try_new(policy(&[long.clone(), watch.clone(), form]), subject()).unwrap()
    };
    let (without, with) = (plan(false), plan(true));
    // Healthy for 1,200 s, then five times as bad.
    let ticks = |plan: &Plan, seed: u64| {
        let mut service = Service::new(law, PODS, 1_000.0, 0.003, seed);
        let (mut rollout, mut at) = watched(plan.clone(), Recording::Off);
        let mut now = vec![Counts::default(); PODS];
        (0..300).find(|tick| {
            service.tick(CANARY, if *tick < 120 { 1.0 } else { 5.0 }, &mut now);
            at = at + Span::from_seconds(10);
            rollout.handle(at, &seen(sum(&now[..CANARY]), sum(&now[CANARY..]))).unwrap();
            rollout.state() == State::RollingBack
        })
    };
    let mean = |plan: &Plan| {
        let found = (0..60).map(|seed| f64::from(ticks(plan, seed).unwrap_or(300)) - 119.0);
        found.sum::<f64>() / 60.0
    };
    let (late, soon) = (mean(&without), mean(&with));
    assert!(soon < 0.85 * late, "{soon} against {late} ticks");
    let horizon = with.policy().planned_ticks();
    assert_eq!(horizon, 300 + 246, "both phases below 100%, each for as long as it may take");
}

/// A rollout in the mode `both`, with a history, instances and a bad release.
fn story() -> (Plan, Vec<(Timestamp, Input)>) {
    let law = Law::NegativeBinomial(3.0);
    let canary = PODS / 2;
    let mode = ("/evidence/mode", json!("both"));
    let half = ("/phases/0/share", json!(0.5));
    let plan = Plan::calibrated(policy(&[mode, half]), subject(), six_hours(law)).unwrap();
    let (rollout, mut at) = watched(plan.clone(), Recording::Keep);
    assert_eq!(rollout.share().as_fraction(), 0.5);
    let mut service = Service::new(law, PODS, 1_000.0, 0.003, 3);
    let mut now = vec![Counts::default(); PODS];
    let inputs = (0..40).map(|tick| {
        service.tick(canary, if tick < 5 { 1.0 } else { 20.0 }, &mut now);
        at = at + Span::from_seconds(10);
        (at, seen(by_pod(&now[..canary], 0), by_pod(&now[canary..], canary)))
    });
    (plan, inputs.collect())
}

#[test]
fn roll_7_a_calibrated_rollout_is_the_same_after_a_crash_at_any_line() {
    let (plan, inputs) = story();
    let (mut rollout, _) = watched(plan.clone(), Recording::Keep);
    let mut logs = Vec::new();
    for (at, input) in &inputs {
        logs.push(rollout.log().len());
        rollout.handle(*at, input).unwrap();
    }
    assert_eq!(rollout.state(), State::RollingBack);
    let whole = rollout.log().to_owned();
    assert!(whole.contains(r#""mode":"both""#) && !whole.contains("pod-00\":[["));
    assert_eq!(audit(whole.as_bytes(), rollout.head()).findings, []);
    for (done, length) in logs.iter().enumerate() {
        let mut again = Rollout::replay(&whole.as_bytes()[..*length], Recording::Keep).unwrap();
        assert_eq!(again.plan(), &plan);
        for (at, input) in &inputs[done..] {
            again.handle(*at, input).unwrap();
        }
        assert_eq!(again.log(), whole, "after a crash at input {done}");
        assert_eq!(again.evidence(error_rate()), rollout.evidence(error_rate()));
    }
}

#[test]
fn roll_7_a_calibration_that_was_changed_is_found() {
    let (plan, inputs) = story();
    let (mut rollout, _) = watched(plan, Recording::Keep);
    for (at, input) in &inputs[..3] {
        rollout.handle(*at, input).unwrap();
    }
    let log = rollout.log().replacen("\"cap\":", "\"cap\":1", 1);
    assert_eq!(audit(log.as_bytes(), None).findings[0].line, 1);
}

#[test]
fn stat_4_evidence_says_all_that_it_rests_on() {
    let (plan, inputs) = story();
    let (mut rollout, _) = watched(plan, Recording::Off);
    assert_eq!(rollout.evidence(MetricName::try_new("request_volume").unwrap()), None);
    for (at, input) in &inputs[..12] {
        rollout.handle(*at, input).unwrap();
    }
    let known = rollout.evidence(error_rate()).unwrap();
    let calibration = rollout.plan().calibrations()[&error_rate()].phases[0].calibration.clone();
    let calibration = calibration.unwrap();
    assert_eq!((known.mode, known.guarantee), (EvidenceMode::Both, Guarantee::Guaranteed));
    // The readings are by instance.
    let limits = calibration.by_instance.unwrap();
    assert_eq!((known.threshold, known.cap), (limits.threshold, Some(limits.cap)));
    assert_eq!((known.hold, known.weight, known.alpha), (limits.hold, 1.0, 0.01));
    let seen = rollout.verdict().metric(error_rate()).unwrap();
    assert_eq!((Some(known.log_e), known.ratio), (seen.log_e, seen.ratio));
    assert!(known.log_e_without_any.unwrap() < known.log_e);
    let (totals, interval) = (known.totals.unwrap(), known.interval.unwrap());
    assert!(totals.canary.trials > 800.0 && interval.contains(known.ratio.unwrap()));
    assert!(interval.low > 1.0, "{interval:?}");
    let arms = known.not_sequential.unwrap();
    assert!(arms.canary.low > arms.baseline.high);
    // Its document reads back, also with an end that is infinite.
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(serde_json::from_str::<hotfix_core::judge::MetricEvidence>(&text).unwrap(), known);
}

#[test]
fn stat_4_where_both_have_to_agree_the_p_value_is_the_larger_one() {
    let (plan, inputs) = story();
    let (mut rollout, _) = watched(plan, Recording::Off);
    let mut taken = inputs[5..].iter();
    let mut tick = |rollout: &mut Rollout| {
        let (at, input) = taken.next().unwrap();
        rollout.handle(*at, input).unwrap();
        rollout.evidence(error_rate()).unwrap()
    };
    // Two bad ticks speak to the plain test, and come before the first at which the canary is compared.
    tick(&mut rollout);
    let known = tick(&mut rollout);
    assert_eq!((known.mode, known.guarantee), (EvidenceMode::Both, Guarantee::Guaranteed));
    assert!(known.log_e > 2.0, "{known:?}");
    assert_eq!(known.p_value, 1.0);
    while rollout.state() == State::Monitoring {
        let known = tick(&mut rollout);
        assert!(known.p_value < 0.01 || rollout.state() == State::Monitoring, "{known:?}");
    }
    assert_eq!(rollout.state(), State::RollingBack);
}

/// Six hours in which a client of one pod fails for a minute, every ten minutes, at another pod each
/// time.
fn with_a_client() -> Histories {
    let mut histories = six_hours(Law::Independent);
    let pods = histories.get_mut(&error_rate()).unwrap();
    for (pod, series) in pods.values_mut().enumerate() {
        for (tick, counts) in series.iter_mut().enumerate() {
            if tick % 60 < 6 && tick / 60 * 7 % PODS == pod {
                *counts = counts.map(|count| count + 8.0);
            }
        }
    }
    histories
}

/// A quarter of the pods, so that each can be left out.
fn with_a_client_in_the_history() -> Plan {
    let quarter = ("/phases/0/share", json!(0.25));
    let long = ("/phases/0/watch_most", json!(3_000.0));
    Plan::calibrated(policy(&[quarter, long]), subject(), with_a_client()).unwrap()
}

const FIVE: usize = 5;

/// Ticks of a rollout: the counts of each pod, with the client at `visited` in each tick for which
/// that is some pod.
fn ticks_of(ratio: f64, seed: u64, visited: impl Fn(usize) -> Option<usize>) -> Vec<Vec<Counts>> {
    let mut service = Service::new(Law::Independent, PODS, 1_000.0, 0.003, seed);
    let tick = |tick: usize| {
        let mut now = vec![Counts::default(); PODS];
        service.tick(FIVE, ratio, &mut now);
        if let Some(pod) = visited(tick) {
            now[pod] = Counts::new(now[pod].events + 8.0, now[pod].trials + 8.0);
        }
        now
    };
    (0..300).map(tick).collect()
}

/// At which tick it rolls back.
fn rolls_back(plan: &Plan, ticks: &[Vec<Counts>]) -> Option<usize> {
    let (mut rollout, mut at) = watched(plan.clone(), Recording::Off);
    ticks.iter().position(|now| {
        at = at + Span::from_seconds(10);
        let input = seen(by_pod(&now[..FIVE], 0), by_pod(&now[FIVE..], FIVE));
        rollout.handle(at, &input).unwrap();
        rollout.state() == State::RollingBack
    })
}

#[test]
fn stat_2_a_client_of_one_pod_is_no_release() {
    let plan = with_a_client_in_the_history();
    for seed in 0..20 {
        // The client comes to one pod of the canary again and again.
        let visited = |tick: usize| (tick % 90 < 6).then_some(2);
        assert_eq!(rolls_back(&plan, &ticks_of(1.0, seed, visited)), None, "{seed}");
    }
    // A release that is five times as bad is found all the same.
    let found = |seed| rolls_back(&plan, &ticks_of(5.0, seed, |_| None));
    let mut found: Vec<usize> = (0..40).map(|seed| found(seed).unwrap_or(300)).collect();
    found.sort_unstable();
    assert!(found[38] < 300, "{found:?}");
}

#[test]
fn stat_2_limits_by_instance_need_all_counts_by_instance() {
    let plan = with_a_client_in_the_history();
    let calibration = plan.calibrations()[&error_rate()].phases[0].calibration.clone().unwrap();
    let by_instance = calibration.by_instance.unwrap();
    assert!(by_instance.threshold < calibration.threshold, "{calibration:?}");
    let ticks = ticks_of(1.0, 3, |_| None);
    let (mut rollout, mut at) = watched(plan, Recording::Off);
    // By instance, with a sum over one arm, by instance again.
    for (tick, expected) in
        [(0, by_instance.threshold), (1, calibration.threshold), (2, calibration.threshold)]
    {
        let (canary, baseline) = ticks[tick].split_at(FIVE);
        let baseline = if tick == 1 { sum(baseline) } else { by_pod(baseline, FIVE) };
        at = at + Span::from_seconds(10);
        rollout.handle(at, &seen(by_pod(canary, 0), baseline)).unwrap();
        assert_eq!(rollout.evidence(error_rate()).unwrap().threshold, expected, "{tick}");
    }
}

#[test]
fn stat_4_what_is_shown_is_not_clipped() {
    let plan = with_a_client_in_the_history();
    let ticks = ticks_of(1.0, 5, |tick| (3..9).contains(&tick).then_some(2));
    let (mut rollout, mut at) = watched(plan, Recording::Off);
    let mut sent = [Counts::default(); 2];
    for now in &ticks[..20] {
        at = at + Span::from_seconds(10);
        let input = seen(by_pod(&now[..FIVE], 0), by_pod(&now[FIVE..], FIVE));
        rollout.handle(at, &input).unwrap();
        for (pod, counts) in now.iter().enumerate() {
            let sum = &mut sent[usize::from(pod >= FIVE)];
            *sum = Counts::new(sum.events + counts.events, sum.trials + counts.trials);
        }
    }
    let known = rollout.evidence(error_rate()).unwrap();
    let totals = known.totals.unwrap();
    assert_eq!((totals.canary, totals.baseline), (sent[0], sent[1]));
    assert!(known.ratio.unwrap() > 5.0 && known.log_e < known.threshold, "{known:?}");
}

#[test]
fn stat_2_a_client_of_one_pod_is_clipped_where_the_arms_are_read_in_turn() {
    let plan = with_a_client_in_the_history();
    let ticks = ticks_of(1.0, 5, |tick| (4..10).contains(&tick).then_some(2));
    let (mut rollout, mut at) = watched(plan, Recording::Off);
    for (tick, now) in ticks[..50].iter().enumerate() {
        let mut now = now.clone();
        let (canary, baseline) = now.split_at_mut(FIVE);
        let other = if tick % 2 == 0 { baseline } else { canary };
        other.fill(Counts::default());
        at = at + Span::from_seconds(10);
        let input = seen(by_pod(&now[..FIVE], 0), by_pod(&now[FIVE..], FIVE));
        rollout.handle(at, &input).unwrap();
        assert_eq!(rollout.state(), State::Monitoring, "{tick}");
    }
    let known = rollout.evidence(error_rate()).unwrap();
    assert!(known.why.contains("read at different times"), "{}", known.why);
    // Three readings of the pod with eight failures each are compared, and shown as they are.
    assert!(known.totals.unwrap().canary.events >= 24.0, "{known:?}");
    assert!(known.ratio.unwrap() > 5.0 && known.log_e < known.threshold, "{known:?}");
}

#[test]
fn stat_3_a_promotion_under_noise_is_tempered() {
    let law = Law::NegativeBinomial(10.0);
    let rule = ("/phases/0/promotion", json!("evidence_of_no_harm"));
    let plain = Plan::try_new(policy(std::slice::from_ref(&rule)), subject()).unwrap();
    let replay = Plan::calibrated(policy(&[rule]), subject(), six_hours(law)).unwrap();
    let temper = replay.calibrations()[&error_rate()].phases.iter();
    let temper = temper.map(|p| p.calibration.as_ref().unwrap().promotion_temper());
    assert!(temper.fold(1.0, f64::min) < 0.6);
    // Counts that speak for it: 3 of 1,000 against 45 of 9,000.
    let log_e_safe = |plan: Plan| {
        let (mut rollout, mut at) = watched(plan, Recording::Off);
        for _ in 0..30 {
            at = at + Span::from_seconds(10);
            let (canary, baseline) = (Sample::Pair(1.0, 1_000.0), Sample::Pair(27.0, 9_000.0));
            rollout.handle(at, &seen(canary, baseline)).unwrap();
        }
        (rollout.evidence(error_rate()).unwrap().log_e_safe.unwrap(), rollout.state())
    };
    let ((of_plain, _), (of_replay, _)) = (log_e_safe(plain), log_e_safe(replay));
    assert!(of_plain > ln(20.0), "{of_plain}");
    assert!(of_replay < 0.7 * of_plain && of_replay > 0.0, "{of_replay} of {of_plain}");
}

#[test]
fn stat_2_a_replaced_instance_is_left_out_and_a_new_one_waits_for_the_next_phase() {
    let (plan, inputs) = story();
    let (mut rollout, _) = watched(plan, Recording::Off);
    let mut last = None;
    for (number, (at, input)) in inputs.iter().enumerate() {
        // Half of the canary restarts under other names in the middle.
        let text =
            serde_json::to_string(&json!({"kind": "observe", "metrics": match &input.command {
                hotfix_core::rollout::Command::Observe { metrics } => json!(metrics),
                _ => unreachable!("only observations"),
            }}));
        let mut text = text.unwrap();
        if number > 6 {
            for pod in 0..3 {
                text = text.replace(&format!("pod-{pod:02}"), &format!("pod-{pod:02}-again"));
            }
        }
        rollout.handle(*at, &Input::from_json(&text).unwrap()).unwrap();
        if rollout.state() != State::Monitoring {
            last = Some(number);
            break;
        }
    }
    // Seven of ten are enough, and nothing was mistaken for a single bad instance.
    assert!(last.is_some());
    assert!(rollout.verdict().has(Reason::Evidence) && !rollout.verdict().has(Reason::BadInstance));
}

#[test]
fn stat_2_a_comparison_that_has_no_look_left_says_so() {
    let mode = ("/evidence/mode", json!("randomised"));
    let half = ("/phases/0/share", json!(0.5));
    let watch = ("/phases/0/watch", json!(3_000.0));
    let long = ("/phases/0/watch_most", json!(3_000.0));
    let plan = Plan::try_new(policy(&[mode, half, long, watch]), subject()).unwrap();
    let looks = plan.policy().ticks_of(&plan.policy().phases()[0]);
    let (mut rollout, mut at) = watched(plan, Recording::Off);
    let mut service = Service::new(Law::Independent, PODS, 1_000.0, 0.003, 3);
    let mut now = vec![Counts::default(); PODS];
    // A host that looks twice as often as the policy says.
    for tick in 1..=looks + 1 {
        service.tick(0, 1.0, &mut now);
        at = at + Span::from_seconds(5);
        rollout.handle(at, &seen(by_pod(&now[..10], 0), by_pod(&now[10..], 10))).unwrap();
        let known = rollout.evidence(error_rate()).unwrap();
        assert_eq!(known.mode, EvidenceMode::Randomised);
        let is_last = known.why.contains("no further interim analysis");
        assert_eq!(is_last, tick >= looks, "{tick}: {}", known.why);
    }
    assert_eq!(rollout.state(), State::Monitoring);
}

#[test]
fn plan_7_histories_are_checked_and_go_into_the_digest() {
    let make = |policy: &Arc<Policy>, calibration: Value| {
        let subject = json!(subject());
        let part = |name: &str| subject[name].to_string();
        Plan::calibrated_from_json(
            Arc::clone(policy),
            &part("incident"),
            &part("release"),
            "",
            &calibration.to_string(),
        )
    };
    let standard = Arc::new(Policy::preset("standard").unwrap());
    let pods = json!({"a": [[0, 10], [1, 10]], "b": [[0, 10], [0, 10]], "c": [[0, 9], [0, 0]]});
    let cases = [
        (json!({"cpu": pods}), "HF-PLAN-006", "error_rate"),
        (json!({"latency_p95": pods}), "HF-PLAN-006", "payment_success"),
        (json!({"latency_p95": {"a": [[1, 2, 3]], "b": [[0, 1, 2]]}}), "HF-PLAN-007", "`2` lat"),
        (json!({"latency_p95": {"a": [["x"]]}}), "HF-PLAN-001", "calibration"),
        (json!({"error_rate": {"a": [[0, 10]]}}), "HF-PLAN-007", "1` instances"),
        (json!({"error_rate": {"a": [[0, 10]], "b": []}}), "HF-PLAN-007", "`b`"),
        (json!({"error_rate": {"a": [[-1, 10]], "b": [[0, 1]]}}), "HF-PLAN-007", "-1"),
        (json!({"error_rate": [1, 2]}), "HF-PLAN-001", "calibration"),
        (json!({"error_rate": {"a": [[1]]}}), "HF-PLAN-001", "calibration"),
    ];
    for (calibration, code, names) in cases {
        let error = make(&standard, calibration).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(names), "{error}");
    }
    let plain = policy(&[("/evidence/mode", json!("plain"))]);
    assert_eq!(make(&plain, json!({"error_rate": pods})).unwrap_err().code(), "HF-PLAN-008");
    // A history that is shorter than a phase gives no limits, and says so.
    let short = make(&standard, json!({"error_rate": pods})).unwrap();
    let phases = &short.calibrations()[&error_rate()].phases;
    assert!(phases.iter().all(|p| p.calibration.is_none()));
    assert!(phases[0].without.as_ref().unwrap().starts_with("HF-STAT-033"));
    let none = make(&standard, json!({})).unwrap();
    assert_ne!(short.digest(), none.digest());
    assert_eq!(none, Plan::try_new(standard, subject()).unwrap());
    // It is read back from what the log keeps.
    let kept = serde_json::to_string(short.calibrations()).unwrap();
    let restored = Plan::restored(
        Arc::new(short.policy().clone()),
        subject(),
        serde_json::from_str(&kept).unwrap(),
    );
    assert_eq!(restored.unwrap(), short);
}
