//! Rates of wrong decisions of the lab's policy in simulated rollouts, without processes.
//!
//! `LAB_RUNS=5000 cargo test --release -p hotfix-examples --test it lab_policy:: -- --nocapture`
//! for figures.

use std::collections::BTreeSet;
use std::sync::Arc;

use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::BoundValue;
use hotfix_core::rollout::{Act, Command, Input, Recording, Rollout, State};
use hotfix_core::unit::{MetricName, Span, Timestamp};
use hotfix_examples::stretch::stretched;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, LogNormal, Poisson};

/// Requests per second, and seconds per tick, for which the policy is written.
const RATE: f64 = 300.0;
const TICK: f64 = 0.5;
const EDGES: [f64; 12] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.275, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// Counts of one arm in one tick.
struct Arm {
    requests: f64,
    errors: f64,
    bugs: f64,
    slow: Histogram,
}

impl Arm {
    /// Draws one tick; at each stretch a tick has the same expected number of requests.
    fn draw(random: &mut StdRng, share: f64, error: f64, bug: f64) -> Self {
        let latency = LogNormal::new(0.12_f64.ln(), 0.38).expect("a distribution");
        let mean = RATE * TICK * share;
        let requests = if mean > 0.0 {
            Poisson::new(mean).expect("a distribution").sample(random)
        } else {
            0.0
        };
        let slow = Histogram { count: requests, counts: vec![0.0; EDGES.len()], le: EDGES.into() };
        let mut arm = Self { requests, errors: 0.0, bugs: 0.0, slow };
        let mut left = requests;
        while left > 0.0 {
            left -= 1.0;
            if random.random::<f64>() < error {
                arm.errors += 1.0;
            } else if random.random::<f64>() < bug {
                arm.bugs += 1.0;
            }
            let seconds = latency.sample(random);
            let first = EDGES.partition_point(|&edge| edge < seconds);
            for count in &mut arm.slow.counts[first..] {
                *count += 1.0;
            }
        }
        arm
    }
}

fn observation(canary: &Arm, baseline: &Arm, tick: f64) -> Observation {
    let mut seen = Observation::new();
    let mut set = |id: &str, value: &dyn Fn(&Arm) -> Sample| {
        let arms =
            Arms { canary: Some(value(canary)), baseline: Some(value(baseline)), totals: false };
        seen.set(MetricName::try_new(id).expect("a name"), arms);
    };
    set("bug", &|arm| Sample::Pair(arm.bugs, tick));
    set("error_rate", &|arm| Sample::Pair(arm.errors, arm.requests));
    set("latency_p95", &|arm| Sample::Histogram(arm.slow.clone()));
    set("payment_success", &|arm| Sample::Pair(arm.requests - arm.errors - arm.bugs, arm.requests));
    set("request_volume", &|arm| Sample::Level(arm.requests * 60.0 / tick));
    seen
}

/// The lab's plan with this strategy and six instances, for a policy stretched by `stretch`.
fn plan(policy: &Arc<Policy>, strategy: &str, stretch: f64) -> Plan {
    let requests = 60.0 * RATE / stretch;
    Plan::from_json(
        Arc::clone(policy),
        r#"{"id": "INC-2041", "severity": "P1"}"#,
        &format!(r#"{{"version": "2.3.1", "previous": "2.3.0", "strategy": "{strategy}"}}"#),
        &format!(r#"{{"requests_per_minute": {requests}, "instances": 6, "flags": true}}"#),
    )
    .expect("a plan")
}

fn policy(name: &str) -> Arc<Policy> {
    let read = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
        std::fs::read_to_string(format!("{folder}/{name}.toml")).ok()
    };
    Arc::new(Policy::from_toml_with(&read(name).expect("a file"), read).expect("a policy"))
}

/// Drives one rollout to its end and returns the last state and the length in ticks. The shock is
/// the share of requests that fail in addition from 17 to 20 s of the script, by arm.
fn drive(
    policy: &Arc<Policy>,
    strategy: &str,
    stretch: f64,
    seed: u64,
    [of_canary, of_both]: [f64; 2],
) -> (State, u32) {
    let mut rollout =
        Rollout::try_new(plan(policy, strategy, stretch), Recording::Off, "").expect("a rollout");
    let mut random = StdRng::seed_from_u64(seed);
    let begun: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
    rollout.handle(begun, &Input::new(Command::Start).by("test")).expect("starts");
    let tick = TICK * stretch;
    let mut ticks = 0;
    while !rollout.state().is_final() && ticks < 200 {
        ticks += 1;
        let at = begun + Span::try_from_seconds(f64::from(ticks) * tick).expect("a time");
        let share = rollout.share().as_fraction();
        let more = |shock: f64| if (34..40).contains(&ticks) { shock } else { 0.0 };
        let error = 0.003 + more(of_both);
        let canary = Arm::draw(&mut random, share, error + more(of_canary), 0.0);
        let baseline = Arm::draw(&mut random, 1.0 - share, error, 0.55);
        let metrics = observation(&canary, &baseline, tick);
        rollout.handle(at, &Input::observe(metrics)).expect("a legal reading");
        // Each requested action is done by the next tick.
        let pending: Vec<_> = rollout.pending_actions().to_vec();
        for action in pending {
            if matches!(
                action.act,
                Act::SetTraffic { .. } | Act::Deploy { .. } | Act::RollBack { .. }
            ) {
                let confirm =
                    Input::new(Command::Confirm { action: action.id, why: None }).by("test");
                rollout.handle(at, &confirm).expect("it is pending");
            }
        }
    }
    (rollout.state(), ticks)
}

/// Strategy, error rate added to both arms during the shock (0 for none), and number of runs.
fn cases() -> [(&'static str, f64, u64); 4] {
    let runs = std::env::var("LAB_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_u64);
    // A flag has the canary's shares; blue-green and rolling decide less often.
    [
        ("canary", 0.0, runs),
        ("canary", 0.07, runs),
        ("blue_green", 0.0, runs.div_ceil(4)),
        ("rolling", 0.0, runs.div_ceil(4)),
    ]
}

#[test]
fn a_healthy_fix_completes_with_and_without_a_shock() {
    let policy = policy("lab");
    for (strategy, shock, runs) in cases() {
        let ends: Vec<(State, u32)> =
            (0..runs).map(|seed| drive(&policy, strategy, 1.0, seed, [0.0, shock])).collect();
        let back = ends.iter().filter(|end| end.0 == State::RolledBack).count();
        let lost = ends.iter().filter(|end| end.0 != State::Closed).count();
        let late = ends.iter().filter(|end| end.1 > 128).count();
        println!(
            "{strategy}, shock {shock}: of {runs} {back} rolled back, {lost} not closed after 100 s, \
             {late} held by more than 3 s"
        );
        // At most one in 200 fails by chance.
        assert!(lost as u64 * 200 <= runs, "{lost} of {runs} were not closed");
    }
}

#[test]
fn a_stretched_policy_decides_as_the_one_that_is_written() {
    let written = policy("lab");
    let mut states = BTreeSet::new();
    for stretch in [0.4, 0.77, 3.0] {
        let policy = stretched(&written, stretch).expect("a policy");
        let cases = cases().map(|(strategy, shock, runs)| (strategy, [0.0, shock], runs));
        // A shock of the canary alone, so that there are rollbacks as well.
        for (strategy, shock, runs) in cases.into_iter().chain([("canary", [0.3, 0.0], 12)]) {
            for seed in 0..runs.div_ceil(5) {
                let as_written = drive(&written, strategy, 1.0, seed, shock);
                let ended = drive(&policy, strategy, stretch, seed, shock);
                assert_eq!(
                    ended, as_written,
                    "{strategy}, seed {seed}, shock {shock:?}, {stretch}"
                );
                states.insert(ended.0.to_string());
            }
        }
    }
    assert_eq!(states.into_iter().collect::<Vec<_>>(), ["closed", "rolled_back"]);
}

#[test]
fn each_window_and_tick_has_as_many_requests_at_each_stretch() {
    for name in ["lab", "lab-veto", "lab-new", "lab-wander"] {
        let written = policy(name);
        assert_eq!(stretched(&written, 1.0).expect("a policy").digest(), written.digest());
        for strategy in ["canary", "blue_green", "rolling", "feature_flag"] {
            let as_written = requests(&plan(&written, strategy, 1.0));
            for stretch in [0.4, 0.43, 2.0, 3.0] {
                let policy = stretched(&written, stretch).expect("a policy");
                let now = requests(&plan(&policy, strategy, stretch));
                assert_eq!(now.len(), as_written.len());
                for (now, then) in now.iter().zip(&as_written) {
                    assert!((now - then).abs() < 1e-9 * then, "{name}, {strategy}: {now} {then}");
                }
            }
        }
    }
}

/// Requests in each of the plan's times, and each figure of a metric as a share of all requests.
fn requests(plan: &Plan) -> Vec<f64> {
    let policy = plan.policy();
    let a_minute = plan.subject().traffic.requests_per_minute.expect("it is known");
    let of = |share: f64, span: Span| span.as_seconds() / 60.0 * a_minute * share;
    let watch = policy.watch();
    let completed = Timestamp::default();
    let watched_after =
        policy.watched_until(completed, completed).expect("an end").since(completed);
    let mut all = vec![
        of(1.0, watch.no_data.after),
        of(1.0, watch.stale),
        of(1.0, watch.warm_up),
        of(1.0, policy.final_validation().watch),
        of(1.0, watched_after),
        of(1.0, policy.rollback().watch),
        of(1.0, policy.rollback().returned_within),
    ];
    all.extend(watch.scrape.map(|scrape| of(1.0, scrape)));
    all.extend(watch.new_instances.map(|new| of(1.0, new.decay)));
    let warm_ups = policy.metrics().iter().map(|metric| policy.settings(metric).warm_up);
    all.extend(warm_ups.map(|warm_up| of(1.0, warm_up)));
    for phase in plan.phases() {
        let share = phase.share.as_fraction();
        let most = phase.watch_most.expect("a limit");
        let spans = [watch.cadence, watch.window, phase.watch, most];
        all.extend(spans.map(|span| of(share, span)));
        all.extend((!phase.veto.is_zero()).then(|| of(1.0, phase.veto)));
    }
    for id in ["bug", "request_volume"] {
        let metric = policy.metric(id).expect("the lab has it");
        let bounds = [&metric.bounds.success, &metric.bounds.alert, &metric.bounds.rollback];
        let figures = bounds.into_iter().flatten().filter_map(|bound| match bound.value {
            BoundValue::Absolute(figure) => Some(figure),
            BoundValue::Relative(..) => None,
        });
        let figures = figures.chain(metric.reference).filter(|figure| *figure > 0.0);
        all.extend(figures.map(|figure| figure / a_minute));
    }
    all
}

#[test]
fn plan_1_the_labs_strategies_have_the_phases_that_its_scenes_show() {
    let lab = policy("lab");
    let shares = |strategy: &str| -> Vec<String> {
        plan(&lab, strategy, 1.0).phases().iter().map(|phase| phase.share.to_string()).collect()
    };
    assert_eq!(shares("blue_green"), ["100%"]);
    assert_eq!(shares("rolling"), ["33.33%", "66.67%", "100%"]);
    assert_eq!(shares("feature_flag"), ["10%", "50%", "100%"]);
    let veto = policy("lab-veto");
    let gates: Vec<(&str, f64)> =
        veto.phases().iter().map(|p| (p.gate.as_str(), p.veto.as_seconds())).collect();
    assert_eq!(gates, [("veto", 5.0), ("veto", 5.0), ("automatic", 0.0)]);
}
