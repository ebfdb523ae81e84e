//! Latencies of replicas that wander, start cold and pause (FIELD-17): healthy releases are not
//! rolled back, and faults are found. All seeds are fixed.

use std::collections::BTreeMap;
use std::sync::Arc;

use hotfix_core::judge::{Decision, Judge, Reason, Use, Verdict};
use hotfix_core::metric::{Arms, Observation};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Command, Input, Recording, Rollout};
use hotfix_core::stats::numeric::ln;
use hotfix_core::unit::{MetricName, Span, Timestamp};

use crate::latency_worlds::{
    Noise, Outcome, PHASES, Recorded, Rollouts, Seen, World, moment, total,
};

const NOISE: [Noise; 5] = [
    Noise::None,
    Noise::Wander(0.05, 120.0),
    Noise::Wander(0.1, 900.0),
    Noise::Cold(0.6, 60.0),
    Noise::Pauses,
];

fn outcomes(world: World, runs: u64) -> Vec<Outcome> {
    let rollouts = Rollouts::new(world);
    (0..runs).map(|seed| rollouts.run(seed, |_| ())).collect()
}

/// How many are rolled back.
fn gone(world: World, runs: u64) -> usize {
    outcomes(world, runs).iter().filter(|outcome| outcome.rolled_back.is_some()).count()
}

#[test]
fn field_17_healthy_replicas_that_wander_start_cold_or_pause_are_not_rolled_back() {
    let (runs, mut all) = (60, 0);
    for noise in NOISE {
        for requests in [1_000.0, 6_000.0] {
            let gone = gone(World::new(noise, requests), runs);
            assert!(gone <= 3, "{noise:?} at {requests}: {gone} of {runs}");
            all += gone;
        }
    }
    assert!(all <= 6, "{all} of {}", runs * 10);
}

/// Times that lie closer together than the boundaries: how much slower a canary is, does not follow from how
/// many of its requests have crossed one of them.
const CLOSE: [Noise; 4] = [
    Noise::Close(1.0, 0.24, 0.05),
    Noise::Close(1.0, 0.099, 0.03),
    Noise::Close(1.0, 0.24, 0.03),
    Noise::Close(0.3, 0.24, 0.03),
];

#[test]
fn field_17_a_canary_slightly_slower_is_not_rolled_back_where_times_lie_close_together() {
    let runs = 15;
    for noise in CLOSE {
        for fault in [1.0, 1.05, 1.1] {
            let world = World { fault, ..World::new(noise, 6_000.0) };
            let outcomes = outcomes(world, runs);
            let gone = outcomes.iter().filter(|of| of.rolled_back.is_some()).count();
            let asked = outcomes.iter().filter(|of| of.asked > 0).count();
            println!("{noise:?}, {fault} times: {gone} of {runs} rolled back, {asked} asked");
            assert!(gone == 0, "{noise:?}, {fault} times: {gone} of {runs}");
        }
    }
}

#[test]
fn field_17_a_gross_fault_is_rolled_back_where_times_lie_close_together() {
    for noise in CLOSE {
        let found = delay(World { fault: 3.0, ..World::new(noise, 6_000.0) }, 9);
        println!("{noise:?}: {found} s");
        assert!(found <= 180, "{noise:?}: {found} s");
    }
}

/// The others are as fast as before, so the canary is not slower on the whole.
#[test]
fn field_17_a_part_of_the_requests_that_hangs_is_rolled_back() {
    for (share, seconds, requests, most) in
        [(0.04, 2.0, 6_000.0, 150), (0.03, 0.8, 6_000.0, 240), (0.08, 2.0, 1_000.0, 240)]
    {
        let found = delay(World::new(Noise::Hangs(share, seconds), requests), 9);
        println!("{share} take {seconds} s, {requests}: {found} s");
        assert!(found <= most, "{share} take {seconds} s, {requests}: {found} s");
    }
}

#[test]
fn field_17_slow_requests_of_one_client_are_not_rolled_back_unless_they_stay() {
    // For one and three minutes of a canary that was good; then the evidence begins again.
    for (per_minute, requests) in [(6.0, 1_000.0), (8.0, 6_000.0), (40.0, 6_000.0)] {
        for lasts in [60, 180] {
            let world = World::new(Noise::Client(per_minute, 200, 200 + lasts), requests);
            let rollouts = Rollouts::new(world);
            let (mut gone, mut waits, mut long) = (0, 0, 0);
            for seed in 0..20 {
                let mut last = 0;
                let outcome = rollouts.run(seed, |seen| {
                    let waits = seen.verdict.has(Reason::Burst) && seen.clock <= PHASES[0];
                    last = if waits { seen.clock } else { last };
                });
                gone += usize::from(outcome.rolled_back.is_some());
                waits += usize::from(last > 0);
                long += usize::from(last == PHASES[0]);
            }
            println!(
                "{per_minute} for {lasts} s, {requests}: {gone}, {waits} wait, {long} for long"
            );
            assert!(
                gone <= 2 && long <= 2,
                "{per_minute} for {lasts} s, {requests}: {gone}, {long}"
            );
            assert!(waits >= if requests < 6_000.0 { 5 } else { 12 }, "{waits} wait");
        }
    }
    // What stays is found, later than from the start.
    for (per_minute, begins, most) in [(24.0, 0, 150), (24.0, 200, 280)] {
        let world = World::new(Noise::Client(per_minute, begins, u32::MAX), 6_000.0);
        let found = delay(World { from: begins, ..world }, 15);
        println!("{per_minute} from {begins} s: {found} s");
        assert!(found <= most && (begins == 0 || found >= 200), "from {begins} s: {found} s");
    }
}

#[test]
fn field_17_a_part_that_is_slow_is_named() {
    let world = World::new(Noise::Hangs(0.02, 5.0), 6_000.0);
    let found = sentences(world, 3);
    println!("{found:?}");
    assert!(found.values().any(|(_, decision, text)| {
        *decision == Decision::RollBack
            && text
                .contains("% of its requests took longer than 2500 ms in the last minute, 0.0% of")
            && text.contains("version's. On the whole it was ")
            && !text.contains("is tolerated")
    }));
}

#[test]
fn field_17_without_a_tolerance_most_of_them_are() {
    let strict = |noise| World { tolerated: 1.0, ..World::new(noise, 6_000.0) };
    assert!(gone(strict(Noise::Wander(0.1, 900.0)), 30) > 10);
    assert!(gone(strict(Noise::Cold(0.6, 60.0)), 30) > 25);
}

/// Median seconds from the fault to the rollback, over all rollouts.
fn delay(world: World, runs: u64) -> u32 {
    let delay = |outcome: &Outcome| {
        outcome.rolled_back.and_then(|at| at.checked_sub(world.from)).unwrap_or(u32::MAX)
    };
    let mut delays: Vec<u32> = outcomes(world, runs).iter().map(delay).collect();
    delays.sort_unstable();
    delays[delays.len() / 2]
}

#[test]
fn field_17_a_fault_beyond_the_tolerance_is_rolled_back_whenever_it_begins() {
    // With the beginning of a phase, or within the second: seconds of the fault, of the delay.
    for (noise, requests, fault, from, most) in [
        (Noise::None, 1_000.0, 1.5, 0, 420),
        (Noise::None, 6_000.0, 1.5, 0, 180),
        (Noise::None, 1_000.0, 2.0, 0, 150),
        (Noise::None, 6_000.0, 2.0, 0, 150),
        (Noise::None, 6_000.0, 3.0, 0, 130),
        (Noise::None, 1_000.0, 1.5, 600, 300),
        (Noise::None, 6_000.0, 1.5, 600, 240),
        (Noise::None, 6_000.0, 2.0, 600, 200),
        (Noise::None, 6_000.0, 2.0, 1_500, 600),
        (Noise::Wander(0.05, 120.0), 6_000.0, 1.5, 0, 240),
        (Noise::Wander(0.1, 900.0), 1_000.0, 2.0, 600, 300),
        (Noise::Wander(0.1, 900.0), 6_000.0, 2.0, 1_500, 600),
        (Noise::Cold(0.6, 60.0), 1_000.0, 1.5, 0, 300),
        (Noise::Cold(0.6, 60.0), 6_000.0, 1.5, 0, 190),
        (Noise::Cold(1.0, 30.0), 6_000.0, 1.5, 0, 240),
        (Noise::Cold(0.6, 60.0), 6_000.0, 2.0, 600, 420),
        (Noise::Pauses, 6_000.0, 2.0, 0, 180),
        (Noise::Pauses, 6_000.0, 1.5, 600, 240),
    ] {
        let found = delay(World { fault, from, ..World::new(noise, requests) }, 15);
        println!("{noise:?} at {requests}, {fault} times from {from} s: {found} s");
        assert!(found <= most, "{noise:?} at {requests}, {fault} times from {from}: {found} s");
    }
}

/// The sentences of one rollout by reason, the first of each.
fn sentences(world: World, seed: u64) -> BTreeMap<&'static str, (u32, Decision, String)> {
    let rollouts = Rollouts::new(world);
    let mut found = BTreeMap::new();
    rollouts.run(seed, |seen: &Seen<'_>| {
        for (reason, name) in [(Reason::WarmingUp, "warming_up"), (Reason::Evidence, "evidence")] {
            if seen.verdict.causes.first().is_some_and(|cause| cause.reason == reason) {
                found
                    .entry(name)
                    .or_insert_with(|| (seen.clock, seen.verdict.decision, seen.sentence()));
            }
        }
    });
    found
}

#[test]
fn field_17_cold_starts_that_decay_slower_than_is_assumed_are_seldom_rolled_back() {
    // An excess that falls to 37% in 75 s or sooner is what is assumed.
    for (noise, most) in
        [(Noise::Cold(1.0, 90.0), 0), (Noise::Cold(2.0, 60.0), 0), (Noise::Cold(2.0, 120.0), 6)]
    {
        let gone = gone(World::new(noise, 6_000.0), 60);
        println!("{noise:?}: {gone} of 60");
        assert!(gone <= most, "{noise:?}: {gone} of 60");
    }
}

#[test]
fn field_17_new_instances_that_warm_up_are_said_to() {
    let found = sentences(World::new(Noise::Cold(0.6, 60.0), 6_000.0), 1);
    let (_, decision, sentence) = &found["warming_up"];
    assert_eq!(*decision, Decision::Hold);
    assert!(sentence.contains("New instances are warming up: 1."), "{sentence}");
    assert!(sentence.contains("times as slow at first, 1."), "{sentence}");
    assert!(!found.contains_key("evidence"), "{found:?}");
}

#[test]
fn field_17_evidence_of_the_first_two_minutes_waits() {
    let world = World { fault: 3.0, ..World::new(Noise::None, 6_000.0) };
    let found = sentences(world, 1);
    let (held, decision, sentence) = &found["warming_up"];
    assert!(*held < 60 && *decision == Decision::Hold, "{found:?}");
    assert!(sentence.contains("does not roll back while instances are new"), "{sentence}");
    let (back, decision, sentence) = &found["evidence"];
    assert_eq!((*back, *decision), (120, Decision::RollBack));
    assert!(
        sentence.contains("times as slow in the last minute, up to 1.3 is tolerated"),
        "{sentence}"
    );
}

#[test]
fn field_17_a_slightly_slower_canary_holds_and_asks() {
    let world = World { fault: 1.2, ..World::new(Noise::None, 6_000.0) };
    let rollouts = Rollouts::new(world);
    let (mut said, mut since, mut asked) = (false, None, None);
    let outcome = rollouts.run(5, |seen: &Seen<'_>| {
        if !seen.verdict.has(Reason::SlightlySlower) {
            since = None;
            return;
        }
        let since = *since.get_or_insert(seen.clock);
        if !said {
            said = true;
            let sentence = seen.sentence();
            assert!(sentence.contains("Between 1.1 and 1.3 times as slow (1.2"), "{sentence}");
            assert!(sentence.contains("± 0.0"), "{sentence}");
        }
        let lasts = seen.clock - since;
        assert_eq!(seen.verdict.decision == Decision::Ask, lasts >= 300, "after {lasts} s");
        if seen.verdict.decision == Decision::Ask {
            asked = Some(seen.clock);
        }
    });
    assert_eq!(outcome.rolled_back, None);
    assert!(said && asked.is_some(), "{outcome:?}");
}

/// A history spares healthy releases: without one at least so many of 60 are rolled back, with it at
/// most so many. A canary that is 3 times as slow is found with it, within so many seconds.
fn a_history_spares(world: World, history: Recorded, (least, most, seconds): (usize, usize, u32)) {
    let known = World { history, ..world };
    let (without, with) = (gone(world, 60), gone(known, 60));
    println!("{without} and {with} of 60");
    assert!(without >= least && with <= most, "{without} and {with} of 60");
    let found = delay(World { fault: 3.0, from: 600, ..known }, 15);
    println!("3 times as slow: {found} s");
    assert!(found <= seconds, "{found} s");
}

#[test]
fn field_17_a_history_of_instances_that_are_slow_at_times_spares_healthy_releases() {
    let bursts = World::new(Noise::Bursts(4.0, 120, 900.0), 6_000.0);
    a_history_spares(bursts, Recorded::Instances, (10, 2, 900));
}

#[test]
fn field_17_a_history_of_both_arms_spares_releases_whose_arms_wander_apart() {
    let apart = World::new(Noise::Wander(0.15, 900.0), 6_000.0);
    a_history_spares(apart, Recorded::Arms, (6, 2, 600));
}

#[test]
fn field_17_a_history_without_noise_changes_nothing() {
    for requests in [1_000.0, 6_000.0] {
        let quiet = World::new(Noise::None, requests);
        let known = World { history: Recorded::Instances, ..quiet };
        for world in [quiet, known] {
            assert_eq!(gone(world, 20), 0, "{world:?}");
        }
        let delays = [quiet, known].map(|world| delay(World { fault: 1.5, ..world }, 15));
        assert_eq!(delays[0], delays[1], "{requests}");
        let plan = known.plan();
        let (_, of) = plan.calibrations().first_key_value().expect("a calibration");
        let slow = of.slow.as_deref().expect("limits");
        assert_eq!((slow.tolerated, slow.limits.gross_less), (1.3, 0.0));
        assert_eq!(slow.limits.threshold, ln(100.0));
    }
}

#[test]
fn field_17_a_history_of_times_is_in_the_log_and_in_snapshots() {
    let world = World::new(Noise::Bursts(4.0, 120, 900.0), 6_000.0);
    let plan = World { history: Recorded::Instances, ..world }.plan();
    let mut rollout = Rollout::try_new(plan, Recording::Keep, "a salt of one rollout").unwrap();
    let at = "2026-03-03T14:40:00Z".parse().unwrap();
    rollout.handle(at, &Input::new(Command::Tick)).unwrap();
    let again = Rollout::replay(rollout.log().as_bytes(), Recording::Keep).unwrap();
    let restored = Rollout::restore(&rollout.snapshot().unwrap(), b"", Recording::Keep).unwrap();
    let (_, of) = rollout.plan().calibrations().first_key_value().unwrap();
    assert!(of.slow.as_ref().is_some_and(|slow| slow.limits.gross_less > 0.0), "{of:?}");
    for other in [&again, &restored] {
        assert_eq!(other.plan().calibrations(), rollout.plan().calibrations());
        assert_eq!(
            (other.plan().digest(), other.head()),
            (rollout.plan().digest(), rollout.head())
        );
    }
}

/// Seconds until `standard` rolls back a canary that is so many times as slow. Totals are scraped each
/// 60 s, the canary's 30 s after the live version's, which has run for so long and is read from the start
/// on.
fn found_by_scrapes(requests: f64, factor: f64, lived: u32) -> Option<u32> {
    let plan = Plan::from_json(
        Arc::new(Policy::preset("standard").unwrap()),
        r#"{"id":"INC-2041","severity":"P1"}"#,
        r#"{"version":"2.3.1","previous":"2.3.0"}"#,
        &format!(r#"{{"requests_per_minute":{requests}}}"#),
    )
    .unwrap();
    let metric = MetricName::try_new("latency_p95").unwrap();
    let start: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
    let share = plan.policy().phases()[0].share;
    let (mut judge, mut verdict) = (Judge::try_new(&plan).unwrap(), Verdict::default());
    judge.move_traffic(start);
    judge.enter_phase(0);
    judge.start_phase(start);
    (10..=900).step_by(10).find(|&second| {
        let at = start + Span::from_seconds(second);
        let of_canary = (second + 30) / 60 * 60;
        let canary = total(0.1 * requests * f64::from(of_canary.saturating_sub(30)) / 60.0, factor);
        let live = total(0.9 * requests * f64::from(lived + second / 60 * 60) / 60.0, 1.0);
        let mut observation = Observation::new();
        observation.set(metric, Arms { canary: Some(canary), baseline: Some(live), totals: true });
        let readings = judge.prepare(at, share, &observation).unwrap();
        judge.take(readings, Use::Watch);
        judge.assess(&moment(&plan, at, share), &mut verdict);
        judge.note(at, &verdict);
        verdict.decision == Decision::RollBack
    })
}

#[test]
fn field_17_two_scrapes_of_each_arm_decide_where_nothing_was_read_before() {
    for (requests, factor) in [(1_000.0, 2.0), (6_000.0, 1.5), (6_000.0, 2.0)] {
        let what = format!("{factor} times as slow at {requests}");
        assert_eq!(found_by_scrapes(requests, factor, 3_600), Some(180), "{what}");
        // A live version that has counted nothing yet has to be read first.
        let unknown = found_by_scrapes(requests, factor, 0).unwrap();
        assert!((190..=270).contains(&unknown), "{what}: {unknown}");
    }
    assert_eq!(found_by_scrapes(6_000.0, 1.0, 3_600), None);
    assert_eq!(found_by_scrapes(6_000.0, 1.25, 3_600), None);
}
