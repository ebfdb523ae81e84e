//! Whole rollouts judged by the Bernoulli test, with and without a history of the service: shares of
//! failed requests whose instances wander, or vary more than independent requests. All seeds are
//! fixed.

use std::sync::Arc;

use hotfix_core::grade::EvidenceMode;
use hotfix_core::judge::Guarantee;
use hotfix_core::metric::{Arms, Observation, Sample};
use hotfix_core::plan::{Histories, Plan};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, State, audit};
use hotfix_core::simulate::recorded::{Format, Mapping, RecordedMetrics};
use hotfix_core::stats::Counts;
use hotfix_core::stats::numeric::ln;
use hotfix_core::stats::replay::CountModel;
use hotfix_core::unit::{MetricName, Span, Timestamp};
use serde_json::{Value, json};

use crate::noise::sum;
use crate::ready;
use crate::share_worlds::{Noise, SIX_HOURS, Service, World};

/// A tenth of the payments is declined.
const WORLD: World = World {
    noise: Noise::Wanders(0.3, 180.0),
    instances: 20,
    canary: 2,
    requests: 6_000.0,
    base: 0.1,
};

const POLICY: &str = r#"
format = 1
name = "declined-payments"
title = "Payments that are declined"
strategy = "canary"

[evidence]
mode = "replay"
otherwise = "plain"

[watch]
cadence = "10s"
window = "5min"
stale = "5min"
no_data = { after = "10min", then = "ask" }
scrape = "0s"

[[phases]]
name = "few"
share = "10%"
deploy = "1min"
watch = "10min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[[phases]]
name = "half"
share = "50%"
deploy = "1min"
watch = "10min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[[phases]]
name = "all"
share = "100%"
deploy = "1min"
watch = "5min"
promotion = "no_evidence_of_harm"
criteria_missed = "hold"
gate = "automatic"

[final_validation]
watch = "3min"
gate = "automatic"

[metrics.declined]
kind = "proportion"
worse = "higher"
model = "bernoulli"
reference = "10%"
success = "20%"
alert = "30%"
rollback = "50%"
weight = 1

[rollback]
methods = [{ kind = "redeploy", most = "15min" }]
watch = "2min"
returned_within = "5min"
"#;

fn declined() -> MetricName {
    MetricName::try_new("declined").unwrap()
}

fn policy() -> Arc<Policy> {
    Arc::new(Policy::from_toml(POLICY).unwrap_or_else(|errors| panic!("{errors}")))
}

fn plan(history: &Value) -> Plan {
    let (incident, release) = (r#"{"id":"INC-2041"}"#, r#"{"version":"2.3.1","previous":"2.3.0"}"#);
    let traffic = r#"{"requests_per_minute":6000}"#;
    Plan::calibrated_from_json(policy(), incident, release, traffic, &history.to_string()).unwrap()
}

fn histories(world: World) -> Histories {
    Histories::from([(declined(), Service::new(world, 900).recorded(SIX_HOURS))])
}

fn with_history(world: World) -> Plan {
    plan(&json!(histories(world)))
}

/// How the counts of an arm are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    Sums,
    ByInstance,
}

impl Sent {
    fn sample(self, from: usize, counts: &[Counts]) -> Option<Sample> {
        if counts.is_empty() {
            return None;
        }
        if self == Self::Sums {
            let Counts { events, trials } = sum(counts);
            return Some(Sample::Pair(events, trials));
        }
        let named = counts
            .iter()
            .enumerate()
            .map(|(at, counts)| (format!("pod-{:02}", from + at), [counts.events, counts.trials]));
        Some(Sample::Instances(named.collect()))
    }
}

/// A rollout from the first input to its end, and the seconds that it took.
fn run(plan: &Plan, world: World, (fault, seed, sent): (f64, u64, Sent)) -> (Rollout, u32) {
    let mut service = Service::new(world, seed);
    let mut rollout = Rollout::try_new(plan.clone(), Recording::Keep, "pepper").unwrap();
    let begin: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    ready::make(&mut rollout, begin);
    let start = Input::from_json(r#"{"kind":"start","by":"lena"}"#).unwrap();
    rollout.handle(begin, &start).unwrap();
    let mut now = Vec::new();
    for clock in (10..4_000).step_by(10) {
        let at = begin + Span::from_seconds(clock);
        while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
            let done = json!({"kind": "confirm", "by": "tool", "action": action.to_string()});
            rollout.handle(at, &Input::from_value(done).unwrap()).unwrap();
        }
        service.serve_canary(rollout.share().as_fraction());
        service.tick(fault, &mut now);
        let (canary, baseline) = now.split_at(service.canary());
        let mut seen = Observation::new();
        let canary = sent.sample(0, canary);
        let baseline = sent.sample(service.canary(), baseline);
        seen.set(declined(), Arms { canary, baseline, totals: false });
        rollout.handle(at, &Input::observe(seen)).unwrap();
        if matches!(rollout.state(), State::RolledBack | State::Complete) {
            return (rollout, clock);
        }
    }
    (rollout, u32::MAX)
}

/// How so many rollouts end.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    complete: usize,
    rolled_back: usize,
    /// Is held, and waits for a person.
    held: usize,
}

fn ends(plan: &Plan, world: World, fault: f64, runs: u64) -> Ends {
    let mut ends = Ends::default();
    for seed in 0..runs {
        let (rollout, _) = run(plan, world, (fault, seed, Sent::Sums));
        match rollout.state() {
            State::Complete => ends.complete += 1,
            State::RolledBack => ends.rolled_back += 1,
            _ => ends.held += 1,
        }
    }
    ends
}

#[test]
fn field_17_a_history_spares_healthy_releases_whose_instances_wander_or_vary() {
    for (noise, least) in [(WORLD.noise, 36), (Noise::Varies(4.0), 38)] {
        let world = World { noise, ..WORLD };
        let (unknown, known) = (plan(&json!({})), with_history(world));
        let without = ends(&unknown, world, 1.0, 40);
        let with = ends(&known, world, 1.0, 40);
        let bad = ends(&known, world, 2.0, 10);
        println!("{noise:?}: {without:?}, {with:?}; bad {bad:?}");
        assert!(without.rolled_back >= 10, "{noise:?}: {without:?}");
        assert!(with.rolled_back <= 2 && with.complete >= least, "{noise:?}: {with:?}");
        assert_eq!(bad.rolled_back, 10, "{noise:?}: {bad:?}");
    }
}

#[test]
fn stat_2_limits_of_shares_are_in_force_in_each_phase_and_for_sums_alone() {
    let known = with_history(WORLD);
    let of = &known.calibrations()[&declined()];
    let limits = |phase: &str| of.of(phase.parse().unwrap()).expect("limits");
    let (few, half) = (limits("few"), limits("half"));
    for limits in [few, half] {
        assert_eq!((limits.by_instance, limits.leave_one_out), (None, false));
        assert_eq!(limits.settings.model, CountModel::Bernoulli);
        assert!(limits.threshold > ln(100.0) && limits.hold < limits.threshold);
    }
    let begin = |plan: &Plan| {
        let rollout = Rollout::try_new(plan.clone(), Recording::Off, "pepper").unwrap();
        rollout.evidence(declined()).unwrap()
    };
    let (without, with) = (begin(&plan(&json!({}))), begin(&known));
    assert_eq!((without.mode, without.guarantee), (EvidenceMode::Plain, Guarantee::Assumed));
    assert_eq!((without.threshold, without.cap), (ln(100.0), None));
    assert_eq!((with.mode, with.guarantee), (EvidenceMode::Replay, Guarantee::Calibrated));
    assert_eq!((with.threshold, with.cap, with.hold), (few.threshold, Some(few.cap), few.hold));
    // Counts by instance are summed: nothing is clipped. The evidence without each one is there beside it.
    let [sums, mut by_instance] = [Sent::Sums, Sent::ByInstance].map(|sent| {
        let (rollout, _) = run(&known, WORLD, (1.0, 1, sent));
        assert_eq!(rollout.state(), State::Complete);
        assert!(rollout.log().contains(r#""model":"bernoulli""#));
        rollout.evidence(declined()).unwrap()
    });
    assert!(by_instance.log_e_without_any.take().is_some());
    assert_eq!(sums, by_instance);
    assert_eq!((sums.threshold, sums.log_e_without_any), (half.threshold, None));
    assert_eq!(sums.guarantee, Guarantee::Calibrated);
}

#[test]
fn roll_7_a_calibrated_rollout_of_shares_is_the_same_from_its_log_and_snapshot() {
    let (rollout, seconds) = run(&with_history(WORLD), WORLD, (2.0, 3, Sent::ByInstance));
    assert_eq!(rollout.state(), State::RolledBack);
    assert!(seconds < 1_200, "{seconds}");
    let log = rollout.log().as_bytes();
    assert_eq!(audit(log, rollout.head()).findings, []);
    let again = Rollout::replay(log, Recording::Keep).unwrap();
    let restored = Rollout::restore(&rollout.snapshot().unwrap(), b"", Recording::Keep).unwrap();
    for other in [&again, &restored] {
        assert_eq!(other.plan(), rollout.plan());
        assert_eq!(other.head(), rollout.head());
        assert_eq!(other.evidence(declined()), rollout.evidence(declined()));
    }
}

#[test]
fn stat_2_logs_of_rollouts_are_a_history_of_shares() {
    let (rollout, _) = run(&with_history(WORLD), WORLD, (1.0, 1, Sent::ByInstance));
    let log = rollout.log();
    let read = RecordedMetrics::read(Format::JsonLines, log, &Mapping::default()).unwrap();
    let history = read.history(&policy()).unwrap();
    let codes: Vec<&str> = history.findings.iter().map(|of| of.code.as_str()).collect();
    assert_eq!(codes, ["HF-REC-043"], "half an hour is short");
    let plan = plan(&json!(history.history));
    let few = plan.calibrations()[&declined()].of("few".parse().unwrap()).expect("limits");
    assert_eq!(few.settings.model, CountModel::Bernoulli);
    let power = serde_json::to_string(&plan.power()).unwrap();
    assert!(
        power.contains("A history calibrates its test: the variance of errors is at most"),
        "{power}"
    );
    assert!(power.contains("2 times the reference rate is found after"), "{power}");
}

#[test]
fn plan_7_a_history_of_shares_has_no_more_events_than_trials() {
    let standard = || Arc::new(Policy::preset("standard").unwrap());
    let (incident, release) = (r#"{"id":"INC-2041"}"#, r#"{"version":"2","previous":"1"}"#);
    // Of both tests of counts; where successes count, the figures are named as they came.
    for (policy, metric, pods, names) in [
        (policy(), "declined", json!({"a": [[11, 10]], "b": [[0, 10]]}), "`a`, tick `0`: `11`"),
        (
            standard(),
            "error_rate",
            json!({"a": [[0, 10], [10, 1]], "b": [[0, 10], [0, 10]]}),
            "`a`, tick `1`: `10` events exceed `1` trials",
        ),
        (
            standard(),
            "payment_success",
            json!({"a": [[9, 10]], "b": [[10, 9]]}),
            "`b`, tick `0`: `10` events exceed `9` trials",
        ),
    ] {
        let text = json!({ metric: pods }).to_string();
        let error = Plan::calibrated_from_json(policy, incident, release, "", &text).unwrap_err();
        assert_eq!(error.code(), "HF-PLAN-007", "{error}");
        assert!(error.to_string().contains(names), "{error}");
    }
    let bug = json!({"bug": {"a": [[30, 10]], "b": [[0, 10]]}}).to_string();
    Plan::calibrated_from_json(standard(), incident, release, "", &bug).expect("a count");
}
