//! A snapshot and the log after it are a replay of the whole log, byte for byte (ROLL-7).

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Action, Input, Recording, Refusal, Rollout, SnapshotHead, State};
use hotfix_core::simulate::{Campaign, Scenario};
use hotfix_core::unit::Span;
use serde_json::{Value, json};

use crate::random_rollout::{self, Dice, Drawn};
use crate::story::Story;

/// What a host asks at every step.
fn told(rollout: &Rollout) -> impl PartialEq + Debug {
    let stage = (rollout.state(), rollout.stage().clone(), rollout.share(), rollout.now());
    let next = (rollout.poll_at(), rollout.head(), rollout.accepted());
    let actions = [rollout.pending_actions(), rollout.last_actions()].map(<[Action]>::to_vec);
    (stage, next, rollout.verdict().clone(), actions)
}

/// What it asks now and then.
fn explained(rollout: &Rollout) -> impl PartialEq + Debug {
    let asked = (format!("{:?}", rollout.blockers()), rollout.interventions());
    let duties = rollout.now().map(|now| format!("{:?}", rollout.duties(now)));
    (asked, duties, rollout.attempt(), rollout.comparison(), rollout.forecast(), rollout.harm())
}

/// What came of an input.
fn outcome(
    rollout: &mut Rollout,
    (at, input): &random_rollout::Next,
) -> Result<(String, Vec<Action>, bool), Refusal> {
    let outcome = rollout.handle(*at, input)?;
    Ok((outcome.events.to_owned(), outcome.actions.to_vec(), outcome.repeated))
}

/// Where two snapshots differ.
fn different(one: &[u8], other: &[u8]) -> Vec<(String, Value, Value)> {
    fn walk(at: &str, one: &Value, other: &Value, found: &mut Vec<(String, Value, Value)>) {
        match (one, other) {
            (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
                a.iter().for_each(|(key, one)| walk(&format!("{at}/{key}"), one, &b[key], found));
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                let pairs = a.iter().zip(b).enumerate();
                pairs.for_each(|(n, (one, other))| walk(&format!("{at}/{n}"), one, other, found));
            }
            _ if one == other => {}
            _ => found.push((at.to_owned(), one.clone(), other.clone())),
        }
    }
    let read = |bytes: &[u8]| -> Value {
        let text = std::str::from_utf8(&bytes[60..bytes.len() - 32]).unwrap();
        // Infinities, which other readers refuse.
        let text = text.replace("-1e999", "\"-inf\"").replace("1e999", "\"inf\"");
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        Value::Array(lines.collect())
    };
    let mut found = Vec::new();
    walk("", &read(one), &read(other), &mut found);
    found
}

/// One rollout, interrupted at every event in three ways.
fn interrupt(seed: u64) -> BTreeSet<State> {
    let mut drawn = Drawn::new(seed);
    let mut dice = Dice::new(!seed);
    // Where each event's lines end, and the snapshot there.
    let mut lengths = vec![0];
    let mut snapshots = vec![drawn.rollout.snapshot().unwrap()];
    let mut restored: Option<Rollout> = None;
    let mut states = BTreeSet::new();
    for event in 0..if dice.one_in(10) { 36 } else { 6 } {
        let here = || format!("seed {seed}, event {event}");
        let next = drawn.draw();
        let came = outcome(&mut drawn.rollout, &next);
        // Whoever was restored before this input says the same to it, byte for byte.
        if let Some(restored) = &mut restored {
            assert_eq!(outcome(restored, &next), came, "{}", here());
        }
        let log = drawn.rollout.log();
        let snapshot = drawn.rollout.snapshot().unwrap();
        if log.len() == lengths[lengths.len() - 1] {
            assert!(snapshots.last() == Some(&snapshot), "{}: nothing was recorded", here());
        } else {
            lengths.push(log.len());
            snapshots.push(snapshot.clone());
        }
        // The last snapshot without a tail, or an older one with what came since.
        let from = match dice.below(3) {
            0 => usize::try_from(dice.below(lengths.len() as u64)).unwrap(),
            1 => lengths.len().saturating_sub(2),
            _ => lengths.len() - 1,
        };
        let tail = &log.as_bytes()[lengths[from]..];
        let again = Rollout::restore(&snapshots[from], tail, Recording::HandOut).unwrap();
        // A crash without a snapshot.
        let crashed =
            (!log.is_empty()).then(|| Rollout::replay(log.as_bytes(), Recording::HandOut).unwrap());
        for again in [Some(&again), crashed.as_ref()].into_iter().flatten() {
            assert_eq!(told(again), told(&drawn.rollout), "{}", here());
            let again = again.snapshot().unwrap();
            assert!(again == snapshot, "{}: {:?}", here(), different(&again, &snapshot));
        }
        if event % 4 == 3 {
            assert_eq!(explained(&again), explained(&drawn.rollout), "{}", here());
            assert_eq!(again.why(), drawn.rollout.why(), "{}", here());
        }
        let lines = log.bytes().filter(|b| *b == b'\n').count() as u64;
        let head = SnapshotHead { seq: lines, head: drawn.rollout.head().unwrap() };
        assert_eq!(Rollout::snapshot_head(&snapshot), Ok(head));
        states.insert(drawn.rollout.state());
        if drawn.rollout.state().is_final() && dice.one_in(2) {
            break;
        }
        restored = Some(again);
    }
    states
}

/// A quarter of the thousand, so that they run beside each other.
fn quarter(number: u64) {
    let states: BTreeSet<State> = (number * 250..(number + 1) * 250).flat_map(interrupt).collect();
    let rare =
        [State::Drafted, State::Closed, State::Complete, State::Frozen, State::FinalValidation];
    let missed: Vec<&State> =
        State::ALL.iter().filter(|s| !states.contains(s) && !rare.contains(s)).collect();
    assert!(missed.is_empty(), "{missed:?} was never interrupted");
}

#[test]
fn roll_7_a_snapshot_with_its_tail_is_a_replay_at_every_event_1() {
    quarter(0);
}

#[test]
fn roll_7_a_snapshot_with_its_tail_is_a_replay_at_every_event_2() {
    quarter(1);
}

#[test]
fn roll_7_a_snapshot_with_its_tail_is_a_replay_at_every_event_3() {
    quarter(2);
}

#[test]
fn roll_7_a_snapshot_with_its_tail_is_a_replay_at_every_event_4() {
    quarter(3);
}

/// One reading is late. In the phase that follows, ticks have something to compare on one alignment only.
#[test]
fn roll_7_a_restart_in_the_phase_after_a_late_reading_changes_no_verdict() {
    let preset = Policy::preset("standard").unwrap().to_json();
    let mut document: Value = serde_json::from_str(&preset).unwrap();
    document["watch"]["scrape"] = json!("60s");
    let policy = Policy::from_json(&document.to_string()).unwrap();
    let mut story = Story::of(policy, Recording::HandOut);
    story.start();
    let reading = |canary: [u32; 2], live: [u32; 2]| {
        let arms = json!({"canary": canary, "baseline": live});
        json!({"kind": "observe", "metrics": {"error_rate": arms}}).to_string()
    };
    let observe = |story: &mut Story, seconds: u32, reading: &str| {
        story.at = story.at + Span::from_seconds(seconds);
        story.input(reading);
    };
    (0..6).for_each(|_| observe(&mut story, 10, &reading([0, 100], [3, 900])));
    observe(&mut story, 70, &reading([0, 700], [20, 6300]));
    observe(&mut story, 20, r#"{"kind":"promote","by":"lena","why":"enough"}"#);
    story.confirm_all();
    observe(&mut story, 30, &reading([0, 500], [2, 500]));
    let snapshot = story.rollout.snapshot().unwrap();
    let mut restored = Rollout::restore(&snapshot, &[], Recording::HandOut).unwrap();
    while story.state() == State::Monitoring {
        story.at = story.at + Span::from_seconds(10);
        let next = (story.at, Input::from_json(&reading([35, 500], [2, 500])).unwrap());
        assert_eq!(outcome(&mut restored, &next), outcome(&mut story.rollout, &next));
    }
    assert_eq!(story.state(), State::RollingBack);
}

/// JSON of the log has no −0, so neither has what is kept of a reading.
/// The header promises that 256 KiB are enough for a thread that calls the library.
#[test]
fn roll_7_a_watched_rollout_of_every_preset_is_restored_on_a_small_stack() {
    for name in Policy::presets() {
        let scenario = Scenario::read("").unwrap();
        let plan = scenario.plan(Arc::new(Policy::preset(name).unwrap())).unwrap();
        let (driver, _) = Campaign::try_new(plan, &scenario, 1).unwrap().drill(0).unwrap();
        let mut watched = None;
        Rollout::replay_each(driver.rollout().log().as_bytes(), |rollout, _| {
            if rollout.state() == State::Monitoring {
                watched = Some((rollout.snapshot().unwrap(), rollout.head()));
            }
        })
        .unwrap();
        let (snapshot, head) = watched.unwrap();
        let restore = move || {
            let restored = Rollout::restore(&snapshot, &[], Recording::Keep).unwrap();
            assert_eq!(restored.head(), head);
        };
        std::thread::Builder::new().stack_size(256 << 10).spawn(restore).unwrap().join().unwrap();
    }
}

#[test]
fn roll_7_a_reading_of_minus_zero_is_kept_as_it_is_recorded() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    for reading in [
        r#"{"bug": {"canary": [-0.0, 60], "baseline": [-0.0, 60]}, "request_volume": {"canary": -0.0, "baseline": 900}}"#,
        r#"{"error_rate": {"canary": [-0.0, 100]}, "request_volume": {"baseline": -0.0}}"#,
    ] {
        story.at = story.at + Span::from_seconds(10);
        story.input(&format!(r#"{{"kind":"observe","metrics":{reading}}}"#));
    }
    let replayed = Rollout::replay(story.rollout.log().as_bytes(), Recording::Keep).unwrap();
    let [live, again] = [&story.rollout, &replayed].map(|of| of.snapshot().unwrap());
    assert_eq!(different(&live, &again), []);
}
