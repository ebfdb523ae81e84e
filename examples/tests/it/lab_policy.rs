//! How the lab's policy errs by chance: simulated rollouts of its service, without processes.
//!
//! `LAB_RUNS=5000 cargo test --release -p hotfix-examples --test it lab_policy:: -- --nocapture` for figures.

use std::sync::Arc;

use hotfix_core::metric::{Arms, Histogram, Observation, Sample};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Command, Input, Recording, Rollout, State};
use hotfix_core::unit::{MetricName, Span, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, LogNormal, Poisson};

const RATE: f64 = 300.0;
const TICK: f64 = 0.5;
const EDGES: [f64; 12] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.275, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// What one arm did in one tick.
struct Arm {
    requests: f64,
    errors: f64,
    bugs: f64,
    slow: Histogram,
}

impl Arm {
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

fn observation(canary: &Arm, baseline: &Arm) -> Observation {
    let mut seen = Observation::new();
    let mut set = |id: &str, value: &dyn Fn(&Arm) -> Sample| {
        let arms =
            Arms { canary: Some(value(canary)), baseline: Some(value(baseline)), totals: false };
        seen.set(MetricName::try_new(id).expect("a name"), arms);
    };
    set("bug", &|arm| Sample::Pair(arm.bugs, TICK));
    set("error_rate", &|arm| Sample::Pair(arm.errors, arm.requests));
    set("latency_p95", &|arm| Sample::Histogram(arm.slow.clone()));
    set("payment_success", &|arm| Sample::Pair(arm.requests - arm.errors - arm.bugs, arm.requests));
    set("request_volume", &|arm| Sample::Level(arm.requests * 60.0 / TICK));
    seen
}

/// The lab's plan with this strategy and six instances.
fn plan(policy: &Arc<Policy>, strategy: &str) -> Plan {
    Plan::from_json(
        Arc::clone(policy),
        r#"{"id": "INC-2041", "severity": "P1"}"#,
        &format!(r#"{{"version": "2.3.1", "previous": "2.3.0", "strategy": "{strategy}"}}"#),
        r#"{"requests_per_minute": 18000, "instances": 6, "flags": true}"#,
    )
    .expect("a plan")
}

fn policy(name: &str) -> Policy {
    let read = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
        std::fs::read_to_string(format!("{folder}/{name}.toml")).ok()
    };
    Policy::from_toml_with(&read(name).expect("a file"), read).expect("a policy")
}

/// Drives one rollout to a final state and gives it with its length in seconds. Both arms have the
/// shock's error share from 17 to 20 s.
fn drive(policy: &Arc<Policy>, strategy: &str, seed: u64, shock: f64) -> (State, f64) {
    let mut rollout =
        Rollout::try_new(plan(policy, strategy), Recording::Off, "").expect("a rollout");
    let mut random = StdRng::seed_from_u64(seed);
    let begun: Timestamp = "2026-03-03T14:40:00Z".parse().expect("a time");
    rollout.handle(begun, &Input::new(Command::Start).by("test")).expect("starts");
    let mut millis = 0;
    while !rollout.state().is_final() && millis < 100_000 {
        millis += 500;
        let at = begun + Span::from_millis(millis);
        let share = rollout.share().as_fraction();
        let seconds = Span::from_millis(millis).as_seconds();
        let error = if (17.0..20.0).contains(&seconds) { 0.003 + shock } else { 0.003 };
        let canary = Arm::draw(&mut random, share, error, 0.0);
        let baseline = Arm::draw(&mut random, 1.0 - share, error, 0.55);
        let metrics = observation(&canary, &baseline);
        rollout.handle(at, &Input::observe(metrics)).expect("a legal reading");
        // What is asked for is done by the next tick.
        let pending: Vec<_> = rollout.pending_actions().to_vec();
        for action in pending {
            if matches!(
                action.act,
                Act::SetTraffic { .. } | Act::Deploy { .. } | Act::RollBack { .. }
            ) {
                let confirm = Input::new(Command::Confirm { action: action.id }).by("test");
                rollout.handle(at, &confirm).expect("it is pending");
            }
        }
    }
    (rollout.state(), Span::from_millis(millis).as_seconds())
}

#[test]
fn a_healthy_fix_completes_with_and_without_a_shock() {
    let runs = std::env::var("LAB_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_u64);
    let policy = Arc::new(policy("lab"));
    // A flag's shares are the canary's; a fix that goes out otherwise has fewer chances to err.
    for (strategy, shock, runs) in [
        ("canary", 0.0, runs),
        ("canary", 0.07, runs),
        ("blue_green", 0.0, runs.div_ceil(4)),
        ("rolling", 0.0, runs.div_ceil(4)),
    ] {
        let ends: Vec<(State, f64)> =
            (0..runs).map(|seed| drive(&policy, strategy, seed, shock)).collect();
        let back = ends.iter().filter(|end| end.0 == State::RolledBack).count();
        let lost = ends.iter().filter(|end| end.0 != State::Closed).count();
        let late = ends.iter().filter(|end| end.1 > 64.0).count();
        println!(
            "{strategy}, shock {shock}: of {runs} {back} rolled back, {lost} not closed after 100 s, \
             {late} held by more than 3 s"
        );
        // At most one in 200 fails by chance.
        assert!(lost as u64 * 200 <= runs, "{lost} of {runs} were not closed");
    }
}

#[test]
fn plan_1_the_labs_strategies_have_the_phases_that_its_scenes_show() {
    let lab = Arc::new(policy("lab"));
    let shares = |strategy: &str| -> Vec<String> {
        plan(&lab, strategy).phases().iter().map(|phase| phase.share.to_string()).collect()
    };
    assert_eq!(shares("blue_green"), ["100%"]);
    assert_eq!(shares("rolling"), ["33.33%", "66.67%", "100%"]);
    assert_eq!(shares("feature_flag"), ["10%", "50%", "100%"]);
    let veto = policy("lab-veto");
    let gates: Vec<(&str, f64)> =
        veto.phases().iter().map(|p| (p.gate.as_str(), p.veto.as_seconds())).collect();
    assert_eq!(gates, [("veto", 5.0), ("veto", 5.0), ("automatic", 0.0)]);
}
