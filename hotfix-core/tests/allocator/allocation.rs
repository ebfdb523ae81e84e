//! What must not allocate does not.

use hotfix_core::canonical::{Digest, Encoder, verify_line};
use hotfix_core::deadline::{Agenda, Input as Happened};
use hotfix_core::grade::{Moment, Severity};
use hotfix_core::metric::{Observation, Sample};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Command, Input, Recording, Rollout, State};
use hotfix_core::stats::Counts;
use hotfix_core::stats::instances::BadInstance;
use hotfix_core::stats::randomisation::{
    Randomisation, RandomisationDesign, RandomisationSettings,
};
use hotfix_core::stats::rate_ratio::RateRatioSettings;
use hotfix_core::unit::Span;
use serde::Serialize;
use std::fmt::Write as _;

use crate::counting::{COUNT, LIVE, MOST};
use crate::story::Story;
use crate::time_common;

/// Allocations of this thread while `body` runs.
fn allocations(body: impl FnOnce()) -> usize {
    let before = COUNT.get();
    body();
    COUNT.get() - before
}

#[test]
fn roll_7_the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

/// Members out of order at every level, escapes, names beyond ASCII, text through `Display`.
#[derive(Serialize)]
struct Event<'a> {
    seq: u64,
    prev: Digest,
    personal: &'a str,
    metrics: [(&'a str, Metric); 5],
    host: std::net::Ipv4Addr,
    at: &'a str,
}

#[derive(Serialize)]
struct Metric {
    log_e: f64,
    band: &'static str,
    #[serde(rename = "é")]
    canary: [u64; 2],
}

#[test]
fn roll_7_a_warm_encoder_allocates_nothing() {
    let metric = || Metric { log_e: -0.273_019_3, band: "success", canary: [3, 1000] };
    let event = |seq| Event {
        seq,
        prev: Digest::ZERO,
        personal: "R. \"Oak\" Okafor\n",
        metrics: ["e", "p", "s", "v", "b"].map(|name| (name, metric())),
        host: [10, 0, 0, 7].into(),
        at: "2025-01-01T00:00:00.000Z",
    };
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    encoder.seal(&event(10), &mut out).unwrap();
    for seq in 11..20 {
        let count = allocations(|| {
            out.clear();
            encoder.seal(&event(seq), &mut out).unwrap();
            verify_line(&out).unwrap();
        });
        assert_eq!(count, 0, "event {seq}");
    }
}

/// The observation of a tick in which nothing is wrong.
fn healthy(story: &Story) -> Input {
    let share = story.rollout.share().as_fraction();
    Input::observe(serde_json::from_str(&Story::healthy(share, 0)).unwrap())
}

/// MET-5, ROLL-7: once windows and buffers are full, a look at five metrics that changes nothing allocates nothing,
/// its line of the log included.
#[test]
fn met_5_a_quiet_observation_allocates_nothing() {
    let mut story = Story::new("phased-canary", Recording::HandOut);
    story.start();
    let mut input = healthy(&story);
    let mut at = story.at;
    let mut look = |count: usize| {
        for _ in 0..count {
            at = at + Span::from_seconds(1);
            if let Command::Observe { metrics } = &mut input.command {
                for (_, reading) in metrics.iter_mut() {
                    if let Some(Sample::Pair(events, trials)) = &mut reading.whole_mut().baseline {
                        *trials += 1.0;
                        *events = (*events + 1.0) % 10.0;
                    }
                }
            }
            let outcome = story.rollout.handle(at, &input).unwrap();
            assert!(outcome.events.len() > 1000 && outcome.actions.is_empty());
        }
    };
    look(100);
    assert_eq!(allocations(|| look(400)), 0);
    assert_eq!(story.rollout.state(), State::Monitoring);
}

/// STAT-2: the same where each stratum has evidence of its own.
#[test]
fn stat_2_strata_allocate_nothing() {
    let mut story = Story::new("phased-canary", Recording::HandOut);
    story.start();
    let mut input = healthy(&story);
    let strata = r#"{"error_rate": [{"canary": [0, 50], "baseline": [1, 450]},
                                    {"canary": [0, 50], "baseline": [2, 450]}]}"#;
    let strata: Observation = serde_json::from_str(strata).unwrap();
    if let Command::Observe { metrics } = &mut input.command {
        strata.iter().for_each(|(id, reading)| metrics.set(id, reading.clone()));
    }
    let mut at = story.at;
    let mut look = |count: usize| {
        for _ in 0..count {
            at = at + Span::from_seconds(1);
            assert!(story.rollout.handle(at, &input).unwrap().actions.is_empty());
        }
    };
    look(100);
    assert_eq!(allocations(|| look(300)), 0);
    let evidence = story.rollout.evidence("error_rate".parse().unwrap()).unwrap();
    assert!(evidence.log_e < 0.0, "{evidence:?}");
}

/// FIELD-16: the same for running totals of arms that are read in turn.
#[test]
fn field_16_arms_read_at_different_times_allocate_nothing() {
    let mut story = Story::new("phased-canary", Recording::HandOut);
    story.start();
    let mut input = healthy(&story);
    let mut at = story.at;
    let mut look = |from: usize, count: usize| {
        for tick in from..from + count {
            at = at + Span::from_seconds(1);
            if let Command::Observe { metrics } = &mut input.command {
                for (id, reading) in metrics.iter_mut() {
                    if id.as_str() != "error_rate" {
                        continue;
                    }
                    let arms = reading.whole_mut();
                    arms.totals = true;
                    let (arm, more) = if tick % 2 == 0 {
                        (&mut arms.canary, 10.0)
                    } else {
                        (&mut arms.baseline, 90.0)
                    };
                    if let Some(Sample::Pair(_, trials)) = arm {
                        *trials += more;
                    }
                }
            }
            let outcome = story.rollout.handle(at, &input).unwrap();
            assert!(outcome.events.len() > 1000 && outcome.actions.is_empty());
        }
    };
    look(0, 100);
    assert_eq!(allocations(|| look(100, 400)), 0);
    assert_eq!(story.rollout.state(), State::Monitoring);
}

/// Most bytes that a rollout with its plan takes up beside its policy, which many may share: the figure that the README states.
const ROLLOUT_BYTES: isize = 168 * 1024;

/// Bytes that this rollout took, beside its policy.
fn bytes_of(rollout: Rollout) -> isize {
    let policy = rollout.plan().shared_policy();
    let before = LIVE.get();
    drop(rollout);
    let bytes = before - LIVE.get();
    drop(policy);
    bytes
}

/// The log is handed out and not kept, so 100,000 ticks, each with a key of its own, leave a rollout as large as 1,000
/// did. (256 keys are remembered.)
fn stays_small(preset: &str) {
    let mut story = Story::new(preset, Recording::HandOut);
    story.start();
    story.input(r#"{"kind":"pause","by":"lena","why":"another team deploys"}"#);
    let mut input = healthy(&story);
    input.key = Some("scrape-000000".to_owned());
    let (mut at, mut count) = (story.at, 0);
    let mut look = |rollout: &mut Rollout, until: u32| {
        while count < until {
            count += 1;
            at = at + Span::from_seconds(10);
            if let Some(key) = &mut input.key {
                key.clear();
                write!(key, "scrape-{count:06}").unwrap();
            }
            let outcome = rollout.handle(at, &input).unwrap();
            assert!(!outcome.repeated && outcome.events.len() > 1000);
        }
    };
    look(&mut story.rollout, 1_000);
    let live = LIVE.get();
    look(&mut story.rollout, 100_000);
    assert_eq!(LIVE.get() - live, 0, "bytes more");
    assert_eq!(story.state(), State::Paused);
    let bytes = bytes_of(story.rollout);
    assert!(bytes < ROLLOUT_BYTES, "{bytes} bytes");
}

#[test]
fn roll_7_memory_is_bounded_under_100_000_ticks_of_standard() {
    stays_small("standard");
}

#[test]
fn roll_7_memory_is_bounded_under_100_000_ticks_of_phased_canary() {
    stays_small("phased-canary");
}

/// Reading a log takes as much memory as its longest line asks for, however many lines there are.
#[test]
fn roll_7_a_replay_takes_no_more_memory_for_a_longer_log() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.input(r#"{"kind":"pause","by":"lena","why":"another team deploys"}"#);
    let most = |log: &str| {
        let before = LIVE.get();
        MOST.set(before);
        let rollout = Rollout::replay(log.as_bytes(), Recording::HandOut).unwrap();
        assert_eq!(rollout.state(), State::Paused);
        MOST.get() - before
    };
    story.run(300, Story::healthy);
    let short = most(story.rollout.log());
    story.run(2_700, Story::healthy);
    let long = most(story.rollout.log());
    assert_eq!(long, short, "{} lines", story.rollout.log().lines().count());
}

#[test]
fn stat_2_tests_of_instances_allocate_nothing_once_made() {
    let names: Vec<String> = (0..20).map(|pod| format!("pod-{pod:02}")).collect();
    let settings = RandomisationSettings::new(names.clone(), names[..10].to_vec(), 3);
    let design = RandomisationDesign::try_new(&settings).unwrap();
    let mut drawn = Randomisation::new(&design);
    let mut bad = BadInstance::try_new(&RateRatioSettings::default(), names).unwrap();
    let mut found = false;
    let count = allocations(|| {
        for tick in 0..300_u32 {
            // From tick 20 on the canary's instances are worse; looks come before and after.
            let events = |pod: u32| {
                f64::from((pod + tick).is_multiple_of(7)) + f64::from(tick > 20 && pod < 10)
            };
            let counts: [Counts; 20] =
                std::array::from_fn(|pod| Counts::new(events(u32::try_from(pod).unwrap()), 90.0));
            found |= drawn.update(&design, &counts).unwrap();
            bad.update(&counts).unwrap();
        }
    });
    assert_eq!((count, found, bad.found().next()), (0, true, Some(0)));
}

/// TIME-3: while nothing becomes due, moving the clock costs no heap.
#[test]
fn time_3_a_quiet_advance_allocates_nothing() {
    for name in Policy::presets() {
        let policy = Policy::preset(name).unwrap();
        let mut agenda = Agenda::new(&policy);
        let mut at = time_common::start();
        let moment = |moment| Happened::Moment { moment, at };
        agenda.take(&policy, at, Happened::Severity(Some(Severity::P0))).unwrap();
        agenda.take(&policy, at, moment(Moment::Detected)).unwrap();
        assert!(agenda.next_moment(at).is_none() || !agenda.advance(at).is_empty(), "{name}");
        let mut said = 0;
        let count = allocations(|| {
            // Ten hours, in which ladders climb and updates are missed.
            for _ in 0..3_600 {
                at = at + Span::from_seconds(10);
                said += usize::from(!agenda.advance(at).is_empty());
                assert!(agenda.next_moment(at).is_none_or(|next| next > at));
            }
        });
        // A role is called for the first time at most once.
        assert!(count <= said, "{name}: {count} allocations, {said} times something was said");
    }
}

/// TIME-3: the size of an agenda depends on the policy alone.
#[test]
fn time_3_memory_is_bounded_under_100_000_inputs() {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let policy = time_common::policy().new_tree(&mut runner).unwrap().current();
    let course = time_common::happenings(400).new_tree(&mut runner).unwrap().current();
    let mut agenda = Agenda::new(&policy);
    let mut at = time_common::start();
    let mut run = |count: usize| {
        for (minutes, happening) in course.iter().cycle().take(count) {
            at = at + Span::from_seconds(60 * minutes);
            let _ = happening.take(&mut agenda, &policy, at);
            agenda.advance(at);
        }
    };
    run(2_000);
    let before = LIVE.get();
    run(100_000);
    assert!(LIVE.get() - before <= 0, "{} bytes more", LIVE.get() - before);
}
