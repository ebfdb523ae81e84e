//! Rollouts with a history: at more traffic than it has, and in a backtest of their own log (STAT-2, FIELD-12).

use std::sync::Arc;

use hotfix_core::metric::Sample;
use hotfix_core::plan::{Histories, Plan, PlanFindingKind, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Recording, Rollout, State};
use hotfix_core::simulate::backtest::backtest;
use hotfix_core::simulate::recorded::{Assumptions, Format, Mapping, RecordedMetrics};
use hotfix_core::stats::Counts;
use hotfix_core::unit::{Span, Timestamp};
use serde_json::json;

use crate::modes::{TICKS, error_rate, policy, seen, subject, watched};
use crate::noise::{Law, Service, sum};

const PODS: usize = 20;
const CANARY: usize = 2;
const PER_MINUTE: f64 = 6_000.0;

/// The rate of each instance wanders, over ten minutes.
fn service(per_minute: f64, seed: u64) -> Service {
    Service::new(Law::Wandering(0.5, 0.983), PODS, per_minute, 0.005, seed)
}

fn quick() -> Arc<Policy> {
    policy(&[("/phases/0/watch_most", json!(600.0))])
}

/// With six hours of so many requests a minute.
fn plan(of_history: f64) -> Plan {
    let history = service(of_history, 7).history(2_160).into();
    let mut subject: Subject = subject();
    subject.traffic.requests_per_minute = Some(PER_MINUTE);
    Plan::calibrated(quick(), subject, Histories::from([(error_rate(), history)])).unwrap()
}

/// The rollout, and when it went back.
fn run(
    plan: &Plan,
    (ratio, seed): (f64, u64),
    by_instance: bool,
    recording: Recording,
) -> (Rollout, Option<Timestamp>) {
    let mut service = service(PER_MINUTE, seed);
    let (mut rollout, mut at) = watched(plan.clone(), recording);
    let mut now = vec![Counts::default(); PODS];
    for _ in 0..TICKS {
        service.tick(CANARY, ratio, &mut now);
        at = at + Span::from_seconds(10);
        let arm = |from: usize, counts: &[Counts]| {
            if by_instance {
                let each = counts.iter().enumerate();
                let each = each
                    .map(|(pod, of)| (format!("pod-{:02}", from + pod), [of.events, of.trials]));
                Sample::Instances(each.collect())
            } else {
                let Counts { events, trials } = sum(counts);
                Sample::Pair(events, trials)
            }
        };
        let (canary, baseline) = (arm(0, &now[..CANARY]), arm(CANARY, &now[CANARY..]));
        rollout.handle(at, &seen(canary, baseline)).unwrap();
        if rollout.state() != State::Monitoring {
            break;
        }
    }
    let gone = (rollout.state() == State::RollingBack).then_some(at);
    (rollout, gone)
}

#[test]
fn stat_2_at_more_traffic_than_in_the_history_limits_are_as_much_higher() {
    const RUNS: u64 = 100;
    let (same, tenth) = (plan(PER_MINUTE), plan(0.1 * PER_MINUTE));
    let limits = |plan: &Plan| {
        plan.calibrations()[&error_rate()].of("canary".parse().unwrap()).unwrap().clone()
    };
    let (of_same, of_tenth) = (limits(&same), limits(&tenth));
    let about = of_tenth.threshold / of_same.threshold;
    assert!((0.5..2.0).contains(&about), "{} and {}", of_tenth.threshold, of_same.threshold);
    for by_instance in [false, true] {
        let gone = |ratio: f64, seeds: std::ops::Range<u64>| {
            let went = |seed: &u64| run(&tenth, (ratio, *seed), by_instance, Recording::Off).1;
            seeds.filter(|seed| went(seed).is_some()).count()
        };
        let (healthy, faulty) = (gone(1.0, 1_000..1_000 + RUNS), gone(20.0, 0..20));
        assert!(healthy <= 4, "by instance {by_instance}: {healthy} of {RUNS}");
        assert!(faulty >= 18, "by instance {by_instance}: {faulty} of 20");
    }
    let texts = |plan: &Plan| -> Vec<String> {
        let weak = plan.findings().into_iter();
        let weak = weak.filter(|of| of.kind == PlanFindingKind::WeakHistory);
        weak.map(|of| of.text).collect()
    };
    let says = "has less traffic: the traffic is 10.0 times the history's";
    assert!(texts(&tenth).iter().any(|text| text.contains(says)), "{:?}", texts(&tenth));
    assert!(!texts(&same).iter().any(|text| text.contains("less traffic")), "{:?}", texts(&same));
}

/// What a backtest of a rollout's own log finds: when it goes back, and the codes of its findings.
fn again(rollout: &Rollout, policy: Arc<Policy>) -> (Option<Timestamp>, Vec<String>) {
    let log = rollout.log();
    let recorded = RecordedMetrics::read(Format::JsonLines, log, &Mapping::default()).unwrap();
    let found = backtest(&[policy], &recorded, &Assumptions::default()).unwrap();
    let found = &found.policies[0];
    (found.first_rollback, found.findings.iter().map(|of| of.code.clone()).collect())
}

#[test]
fn field_12_a_backtest_of_an_own_log_has_the_calibrations_of_the_rollout() {
    let calibrated = plan(PER_MINUTE);
    let mut of_plain = 0;
    for seed in 0..40 {
        let ratio = if seed % 4 == 0 { 6.0 } else { 1.0 };
        let (rollout, gone) = run(&calibrated, (ratio, seed), false, Recording::Keep);
        let (found, findings) = again(&rollout, quick());
        assert_eq!(found, gone, "{seed}");
        assert!(!findings.iter().any(|code| code == "HF-REC-050"), "{findings:?}");
        // Under a policy with other tests it has none, and that is said.
        let other =
            policy(&[("/phases/0/watch_most", json!(600.0)), ("/evidence/alpha", json!(0.02))]);
        let (found, findings) = again(&rollout, other);
        assert!(findings.iter().any(|code| code == "HF-REC-050"), "{findings:?}");
        of_plain += u32::from(gone.is_none() && found.is_some());
    }
    assert!(of_plain > 0, "the noise is too tame to show anything");
}
