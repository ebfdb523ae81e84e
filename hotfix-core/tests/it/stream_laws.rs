//! What holds of any stream of observations: gaps, repeated deliveries, old and future times, readings that are absent or
//! not finite (FIELD-2, FIELD-3, FIELD-5).

use hotfix_core::rollout::{Act, Input, InputKind, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::story::Story;

const METRICS: [&str; 5] =
    ["error_rate", "payment_success", "latency_p95", "bug", "request_volume"];

/// What comes next, and how far the sender's clock has gone.
#[derive(Clone, Debug)]
struct Coming {
    seconds: i64,
    what: What,
    /// Delivered once more, with the same key or at the same time.
    again: Option<bool>,
}

#[derive(Clone, Debug)]
enum What {
    Healthy,
    Failing,
    /// The healthy one without these metrics.
    Without(u8),
    /// The healthy one, this metric's canary not finite.
    NotFinite(usize),
    /// Of the canary nothing.
    LiveOnly,
    Nothing,
    Tick,
    /// Urgent or not, from whatever clock.
    Say(&'static str),
}

const SAID: [&str; 6] = [
    r#"{"kind":"roll_back","by":"lena"}"#,
    r#"{"kind":"report","by":"lena","signal":"doubt"}"#,
    r#"{"kind":"revert","by":"lena","version":"2.3.0","why":"known good"}"#,
    r#"{"kind":"abort","by":"lena"}"#,
    r#"{"kind":"pause","by":"lena"}"#,
    r#"{"kind":"resume","by":"lena"}"#,
];

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        12 => Just(What::Healthy),
        1 => Just(What::Failing),
        3 => any::<u8>().prop_map(What::Without),
        2 => (0..METRICS.len()).prop_map(What::NotFinite),
        1 => Just(What::LiveOnly),
        1 => Just(What::Nothing),
        2 => Just(What::Tick),
        1 => prop::sample::select(&SAID[..]).prop_map(What::Say),
    ]
}

fn coming() -> impl Strategy<Value = Coming> {
    let seconds = prop_oneof![
        12 => Just(10_i64),
        2 => 0_i64..5,
        2 => 11_i64..900,
        2 => -600_i64..0,
        1 => 100_000_i64..400_000,
    ];
    let again = prop_oneof![4 => Just(None), 1 => any::<bool>().prop_map(Some)];
    (seconds, what(), again).prop_map(|(seconds, what, again)| Coming { seconds, what, again })
}

fn readings(share: f64) -> Value {
    serde_json::from_str(&Story::healthy(share, 0)).unwrap()
}

fn document(what: &What, share: f64) -> Value {
    let mut metrics = readings(share);
    match what {
        What::Healthy => {}
        What::Failing => metrics = serde_json::from_str(&Story::failing(share, 0)).unwrap(),
        What::Without(mask) => {
            for (place, metric) in METRICS.iter().enumerate() {
                if mask & (1 << place) != 0 {
                    metrics.as_object_mut().unwrap().remove(*metric);
                }
            }
        }
        What::NotFinite(place) => {
            let reading = &mut metrics[METRICS[*place]]["canary"];
            match reading {
                Value::Array(counts) => counts[0] = json!("NaN"),
                Value::Object(histogram) => histogram["count"] = json!("NaN"),
                other => *other = json!("NaN"),
            }
        }
        What::LiveOnly => {
            for reading in metrics.as_object_mut().unwrap().values_mut() {
                reading.as_object_mut().unwrap().remove("canary");
            }
        }
        What::Nothing => metrics = json!({}),
        What::Tick => return json!({"kind": "tick"}),
        What::Say(text) => return serde_json::from_str(text).unwrap(),
    }
    json!({"kind": "observe", "metrics": metrics})
}

/// All that further inputs can tell.
fn behaviour(rollout: &Rollout) -> String {
    let mut text = String::new();
    rollout.write_behaviour(&mut text).unwrap();
    text
}

fn at(last: Timestamp, seconds: i64) -> Timestamp {
    let span = Span::from_millis(seconds.unsigned_abs() * 1_000);
    if seconds < 0 { last - span } else { last + span }
}

fn started() -> Story {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn field_5_a_refused_input_changes_nothing_and_an_urgent_one_is_never_late(
        stream in prop::collection::vec(coming(), 1..50),
    ) {
        let mut story = started();
        let mut clock = story.at;
        for (number, Coming { seconds, what, again }) in stream.iter().enumerate() {
            clock = at(clock, *seconds);
            let mut document = document(what, story.rollout.share().as_fraction());
            if again == &Some(true) {
                document["key"] = json!(format!("key {number}"));
            }
            // A reading that cannot be read is no input at all.
            let Ok(input) = Input::from_value(document) else { continue };
            let kind = input.command.kind();
            let (before, accepted) = (behaviour(&story.rollout), story.rollout.accepted());
            let state = story.rollout.state();
            let taken = story.rollout.handle(clock, &input).map(|outcome| outcome.actions.to_vec());
            if taken.is_err() {
                prop_assert_eq!(&before, &behaviour(&story.rollout), "{}", kind);
                prop_assert!(!(kind.is_urgent() && accepted.contains(&kind)), "{} is late", kind);
                prop_assert_eq!(state, story.rollout.state());
                continue;
            }
            let now = story.rollout.now().unwrap();
            let after = (behaviour(&story.rollout), story.rollout.verdict().clone());
            match again {
                Some(true) => {
                    let again = story.rollout.handle(at(clock, 3), &input).unwrap();
                    prop_assert!(again.repeated && again.events.is_empty());
                    prop_assert_eq!(again.actions.to_vec(), taken.unwrap());
                    prop_assert_eq!(&after.0, &behaviour(&story.rollout));
                }
                // Without a key the time tells that nothing new was read, unless the first one led elsewhere.
                Some(false)
                    if kind == InputKind::Observe
                        && [state, story.rollout.state()] == [State::Monitoring; 2] =>
                {
                    let stage = story.rollout.stage().clone();
                    if story.rollout.handle(now, &input).is_ok() && story.rollout.stage() == &stage {
                        prop_assert_eq!(&after.1, story.rollout.verdict());
                    }
                }
                _ => {}
            }
            story.confirm_all_at(now);
            clock = clock.max(at(now, -900));
        }
    }

    /// Healthy readings, then silence of one kind or another, for hours: no phase passes by itself.
    #[test]
    fn field_3_traffic_that_stops_midway_never_promotes(
        heard in 0_usize..55,
        what in prop_oneof![
            Just(What::Nothing),
            Just(What::LiveOnly),
            Just(What::Tick),
            (0..METRICS.len()).prop_map(What::NotFinite),
            // A metric that decides is left out.
            (0_u8..3).prop_map(|place| What::Without(1 << place)),
        ],
        step in 10_i64..600,
    ) {
        let mut story = started();
        story.run(heard, Story::healthy);
        prop_assert_eq!(story.rollout.phase().map(|phase| phase.to_string()), Some("canary".to_owned()));
        let mut clock = story.at;
        for _ in 0..60 {
            clock = at(clock, step);
            let document = document(&what, story.rollout.share().as_fraction());
            let Ok(input) = Input::from_value(document) else { return Ok(()) };
            let Ok(outcome) = story.rollout.handle(clock, &input) else { continue };
            let moves = outcome.actions.iter().any(|a| matches!(a.act, Act::SetTraffic { .. }));
            prop_assert!(!moves, "{:?} after {} looks", what, heard);
            let state = story.rollout.state();
            prop_assert!(matches!(state, State::Monitoring | State::RollingBack), "{}", state);
        }
    }

    /// A metric that is absent is neither good nor bad: it is missing, and the verdict says so.
    #[test]
    fn field_3_absent_is_never_zero(missing in 0..METRICS.len(), heard in 0_usize..30) {
        let mut story = started();
        for _ in 0..=heard {
            let clock = at(story.at, 10);
            let share = story.rollout.share().as_fraction();
            let input = Input::from_value(document(&What::Without(1 << missing), share)).unwrap();
            story.rollout.handle(clock, &input).unwrap();
            story.at = clock;
        }
        let metrics = &story.rollout.verdict().metrics;
        let (_, seen) = metrics.iter().find(|(id, _)| id.as_str() == METRICS[missing]).unwrap();
        prop_assert_eq!(seen.canary, None);
        prop_assert_eq!(seen.band.as_str(), "no_data");
    }
}
