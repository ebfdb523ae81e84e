//! Errors that are not the release's, without a history (FIELD-17): connections that are reset when
//! instances are replaced, and clients of one instance. Healthy fixes are not rolled back, and faults
//! are found. All seeds are fixed.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]

use std::sync::Arc;

use hotfix_core::judge::{Decision, Judge, Reason, Use, Verdict};
use hotfix_core::metric::{Arms, Observation, Sample};
use hotfix_core::plan::{Plan, Subject};
use hotfix_core::policy::Policy;
use hotfix_core::unit::{Span, Timestamp};
use rand_core::SeedableRng;
use rand_distr::{Binomial, Distribution};
use rand_pcg::Pcg64;
use serde_json::{Value, json};

use crate::latency_worlds::moment;

/// Instances of the service; the canary has the first five.
const FLEET: usize = 50;
const CANARY: usize = 5;
/// Seconds of a tick, and ticks of a rollout, all at 10%.
const TICK: u32 = 10;
const TICKS: u32 = 180;
/// Of the requests of a healthy service.
const ERRORS: f64 = 0.003;

/// What fails, beside the errors of a healthy service.
#[derive(Clone, Copy, Debug)]
enum Failing {
    Nothing,
    /// So many times the errors, in the canary.
    Fault(f64),
    /// This share of the canary's requests at first, falling to 37% in so many seconds.
    Resets(f64, f64),
    /// Thirty requests a minute of a customer who retries for two minutes of each twelve, at another
    /// instance each time.
    Customer,
    /// The same for twenty seconds of each five minutes, always at one instance: a job.
    Job,
    /// Each request of one of the canary's instances.
    Instance,
}

struct World {
    plan: Plan,
    requests_per_minute: f64,
    by_instance: bool,
}

impl World {
    /// `standard`, changed, without a history.
    fn new(requests_per_minute: f64, by_instance: bool, change: impl Fn(&mut Value)) -> Self {
        let mut document: Value =
            serde_json::from_str(&Policy::preset("standard").unwrap().to_json()).unwrap();
        change(&mut document);
        let policy = Arc::new(Policy::from_json(&document.to_string()).unwrap());
        let subject: Subject = serde_json::from_value(json!({
            "incident": {"id": "INC-2041"},
            "release": {"version": "2.3.1", "previous": "2.3.0"},
        }))
        .unwrap();
        let plan = Plan::try_new(policy, subject).unwrap();
        Self { plan, requests_per_minute, by_instance }
    }

    /// The second in which a rollout has such a verdict for the first time; it ends with a rollback. The
    /// verdict comes with how many of its causes lead to it.
    fn first(
        &self,
        seed: u64,
        failing: Failing,
        is: impl Fn(&Verdict, usize) -> bool,
    ) -> Option<u32> {
        let mut random = Pcg64::seed_from_u64(seed);
        let mut judge = Judge::try_new(&self.plan).unwrap();
        let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
        let share = self.plan.policy().phases()[0].share;
        judge.move_traffic(start);
        judge.start_phase(start);
        // Twelve minutes are 72 ticks; customers come at other times in each rollout.
        let begins = (seed % 72) as u32;
        for tick in 0..TICKS {
            let visit = (tick + begins) / 72;
            let customer = ((seed * 31 + u64::from(visit) * 17) % FLEET as u64) as usize;
            let retries = (tick + begins) % 72 < 12;
            let mut arms = [Vec::new(), Vec::new()];
            for instance in 0..FLEET {
                let is_canary = instance < CANARY;
                let requests = self.requests_per_minute / 6.0 / FLEET as f64;
                let share = match failing {
                    Failing::Fault(times) if is_canary => ERRORS * times,
                    Failing::Resets(first, decay) if is_canary => {
                        ERRORS + first * (-f64::from(tick * TICK) / decay).exp()
                    }
                    Failing::Instance if instance == 0 => 1.0,
                    _ => ERRORS,
                };
                let mut counts = [draw(&mut random, requests, share), requests.round()];
                let is_client = match failing {
                    Failing::Customer => retries && instance == customer,
                    Failing::Job => (tick + begins) % 30 < 2 && instance == 0,
                    _ => false,
                };
                if is_client {
                    counts = counts.map(|count| count + 5.0);
                }
                arms[usize::from(!is_canary)].push((format!("pod-{instance:02}"), counts));
            }
            let at = start + Span::from_seconds((tick + 1) * TICK);
            let [canary, baseline] = arms.map(|arm| Some(self.sample(arm)));
            let mut observation = Observation::new();
            let arms = Arms { canary, baseline, ..Arms::default() };
            observation.set("error_rate".parse().unwrap(), arms);
            let readings = judge.prepare(at, share, &observation).unwrap();
            judge.take(readings, Use::Watch);
            let mut verdict = Verdict::default();
            let leading = judge.assess(&moment(&self.plan, at, share), &mut verdict);
            judge.note(at, &verdict);
            if is(&verdict, leading) {
                return Some((tick + 1) * TICK);
            }
            if verdict.decision == Decision::RollBack {
                return None;
            }
        }
        None
    }

    /// The second in which a rollout is rolled back.
    fn rolled_back(&self, seed: u64, failing: Failing) -> Option<u32> {
        self.first(seed, failing, |verdict, _| verdict.decision == Decision::RollBack)
    }

    /// The second in which a person is asked about an instance that alone is beyond the rollback bound.
    fn asked(&self, seed: u64, failing: Failing) -> Option<u32> {
        self.first(seed, failing, |verdict, leading| {
            let mut led = verdict.causes[..leading].iter();
            verdict.decision == Decision::Ask
                && led.any(|cause| cause.reason == Reason::OneInstance)
        })
    }

    fn sample(&self, arm: Vec<(String, [f64; 2])>) -> Sample {
        if self.by_instance {
            return Sample::Instances(arm.into_iter().collect());
        }
        let sum = |part: usize| arm.iter().map(|(_, counts)| counts[part]).sum();
        Sample::Pair(sum(0), sum(1))
    }

    /// How many of 100 rollouts are rolled back.
    fn gone(&self, failing: Failing) -> usize {
        (0..100).filter(|seed| self.rolled_back(*seed, failing).is_some()).count()
    }

    /// Median seconds until a rollback, over 60 rollouts.
    fn delay(&self, failing: Failing) -> u32 {
        let found = |seed| self.rolled_back(seed, failing).unwrap_or(u32::MAX);
        let mut delays: Vec<u32> = (0..60).map(found).collect();
        delays.sort_unstable();
        delays[30]
    }
}

fn draw(random: &mut Pcg64, requests: f64, share: f64) -> f64 {
    let requests = requests.round() as u64;
    Binomial::new(requests, share.min(1.0)).unwrap().sample(random) as f64
}

/// `standard` without what is allowed to new instances.
fn strict(document: &mut Value) {
    document["watch"].as_object_mut().unwrap().remove("new_instances");
}

#[test]
fn field_17_connections_that_are_reset_at_the_start_do_not_roll_back() {
    let resets = [Failing::Resets(0.1, 20.0), Failing::Resets(0.2, 15.0)];
    for requests in [1_000.0, 6_000.0] {
        for by_instance in [false, true] {
            let world = World::new(requests, by_instance, |_| ());
            for failing in resets {
                let gone = world.gone(failing);
                assert!(gone <= 6, "{failing:?} at {requests}, {by_instance}: {gone} of 100");
            }
        }
    }
    // Without the allowance most are.
    assert!(World::new(6_000.0, false, strict).gone(resets[0]) > 50);
}

#[test]
fn field_17_a_client_of_one_instance_does_not_roll_back() {
    for requests in [1_000.0, 6_000.0] {
        let gone = World::new(requests, true, |_| ()).gone(Failing::Customer);
        assert!(gone <= 3, "{gone} of 100 at {requests}");
        // In sums it often looks like the release.
        let of_sums = World::new(requests, false, |_| ()).gone(Failing::Customer);
        assert!(of_sums > gone, "{of_sums} of 100 at {requests}");
    }
}

#[test]
fn field_17_an_instance_that_always_fails_is_asked_about_and_bursts_are_not() {
    for requests in [1_000.0, 6_000.0] {
        let world = World::new(requests, true, |_| ());
        let asked = |failing| (0..100).filter_map(|seed| world.asked(seed, failing)).collect();
        let times: Vec<u32> = asked(Failing::Instance);
        assert_eq!(times.len(), 100, "at {requests}");
        assert!(times.iter().all(|time| (300..=420).contains(time)), "{times:?} at {requests}");
        for failing in [Failing::Nothing, Failing::Customer, Failing::Job] {
            let times: Vec<u32> = asked(failing);
            assert!(times.len() <= 1, "{failing:?} at {requests}: {times:?}");
        }
    }
}

#[test]
fn field_17_faults_are_found_although_new_instances_may_fail() {
    for (requests, times, most) in
        [(1_000.0, 5.0, 700), (6_000.0, 5.0, 180), (1_000.0, 50.0, 90), (6_000.0, 300.0, 50)]
    {
        for by_instance in [false, true] {
            let world = World::new(requests, by_instance, |_| ());
            let delay = world.delay(Failing::Fault(times));
            let before = World::new(requests, by_instance, strict).delay(Failing::Fault(times));
            eprintln!("{requests} {times} {by_instance}: {delay} s, {before} s without");
            assert!(delay <= most, "{times} times at {requests}, {by_instance}: {delay} s");
        }
    }
}

#[test]
fn stat_1_healthy_fixes_are_not_rolled_back() {
    let world = World::new(6_000.0, true, |_| ());
    let gone = world.gone(Failing::Nothing);
    assert!(gone <= 3, "{gone} of 100");
}
