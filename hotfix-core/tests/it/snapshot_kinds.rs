//! What a snapshot is, what it refuses, and how large it is (ROLL-7).

use hotfix_core::canonical::Digest;
use hotfix_core::judge::Reason;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Rollout, SNAPSHOT_FORMAT, SnapshotError, State};
use hotfix_core::unit::Span;

use crate::random_rollout::{Dice, Drawn, Kind};
use crate::story::Story;
use crate::tree::{read, root};

/// Where the content of a snapshot begins: after magic, format, number, head and length.
const CONTENT: usize = 8 + 4 + 8 + 32 + 8;

/// The snapshot with other content, and a digest that fits it.
fn resealed(snapshot: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = snapshot[..CONTENT - 8].to_vec();
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(content);
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

fn content(snapshot: &[u8]) -> &[u8] {
    &snapshot[CONTENT..snapshot.len() - 32]
}

fn code(snapshot: &[u8]) -> &'static str {
    Rollout::restore(snapshot, &[], Recording::Keep).map_or_else(|error| error.code(), |_| "ok")
}

/// A rollout with a little of everything.
fn drawn(kind: Kind, seed: u64, events: usize) -> Drawn {
    let mut drawn = Drawn::of(kind, Dice::new(seed));
    for _ in 0..events {
        let (at, input) = drawn.draw();
        let _ = drawn.rollout.handle(at, &input);
    }
    drawn
}

#[test]
fn roll_7_a_snapshot_cut_or_changed_anywhere_is_refused() {
    let snapshot = drawn(Kind::Failures, 3, 12).rollout.snapshot().unwrap();
    assert_eq!(code(&snapshot), "ok");
    for length in (0..snapshot.len()).filter(|length| *length < 100 || length % 37 == 0) {
        let expected = if length < 8 { "HF-SNAP-001" } else { "HF-SNAP-003" };
        assert_eq!(code(&snapshot[..length]), expected, "cut at {length}");
    }
    for place in (0..snapshot.len()).filter(|place| *place < 100 || place % 37 == 0) {
        let mut changed = snapshot.clone();
        changed[place] ^= 4;
        let expected = match place {
            0..8 => "HF-SNAP-001",
            8..12 => "HF-SNAP-002",
            52..60 => "HF-SNAP-003",
            _ => "HF-SNAP-004",
        };
        assert_eq!(code(&changed), expected, "changed at {place}");
        assert_eq!(Rollout::snapshot_head(&changed).map_err(|e| e.code()), Err(expected));
    }
    let mut longer = snapshot;
    longer.push(0);
    assert_eq!(code(&longer), "HF-SNAP-003");
}

#[test]
fn roll_7_a_snapshot_of_another_format_is_refused_and_says_what_to_do() {
    let mut snapshot = Story::new("phased-canary", Recording::Keep).rollout.snapshot().unwrap();
    let of = snapshot.len() - 32;
    snapshot[8..12].copy_from_slice(&(SNAPSHOT_FORMAT + 1).to_le_bytes());
    let digest = Digest::of(&snapshot[..of]);
    snapshot[of..].copy_from_slice(digest.as_bytes());
    let error = Rollout::restore(&snapshot, &[], Recording::Keep).unwrap_err();
    assert_eq!(error, SnapshotError::Format { found: SNAPSHOT_FORMAT + 1 });
    assert!(error.to_string().ends_with("replay the log"), "{error}");
}

#[test]
fn roll_7_the_page_on_versions_has_the_snapshot_format() {
    let page = read(&root().join("docs/explanation/versions.md"));
    assert!(page.contains(&format!("| snapshot format | {SNAPSHOT_FORMAT} |")));
}

#[test]
fn roll_7_content_that_anybody_wrote_does_no_harm() {
    let kinds = [(Kind::Failures, 3), (Kind::Latency, 5), (Kind::Tolerance, 5), (Kind::Levels, 1)];
    for (kind, seed) in kinds {
        let mut drawn = drawn(kind, seed, 14);
        let snapshot = drawn.rollout.snapshot().unwrap();
        let good = content(&snapshot).to_vec();
        // The opening's text is a log line's: what is in there is refused as it is there.
        let state = good.iter().position(|b| *b == b'\n').unwrap();
        let next: Vec<_> = (0..12).map(|_| drawn.draw()).collect();
        let mut dice = Dice::new(seed);
        let mut taken = 0;
        for _ in 0..250 {
            let mut bad = good.clone();
            for _ in 0..=dice.below(2) {
                let place =
                    state + usize::try_from(dice.below((good.len() - state) as u64)).unwrap();
                // Most are another digit, which is read; the rest is anything.
                if dice.one_in(4) {
                    bad[place] = u8::try_from(dice.below(256)).unwrap();
                } else if let Some(digit) = bad[place..].iter_mut().find(|b| b.is_ascii_digit()) {
                    *digit = b'0' + u8::try_from(dice.below(10)).unwrap();
                }
            }
            // Either it is refused, or it is a state, and goes on.
            if let Ok(mut odd) = Rollout::restore(&resealed(&snapshot, &bad), &[], Recording::Keep)
            {
                taken += 1;
                for (at, input) in &next {
                    let _ = odd.handle(*at, input);
                    let _ =
                        (odd.why(), odd.harm(), odd.forecast(), odd.comparison(), odd.blockers());
                }
                odd.snapshot().unwrap();
            }
        }
        assert!((10..240).contains(&taken), "{taken} of 250 were taken: {kind:?}");
    }
}

#[test]
fn roll_7_content_without_an_end_or_with_more_after_it_is_refused() {
    let snapshot = drawn(Kind::Failures, 3, 12).rollout.snapshot().unwrap();
    let good = content(&snapshot);
    for place in (0..good.len()).step_by(401) {
        assert_eq!(code(&resealed(&snapshot, &good[..place])), "HF-SNAP-005");
    }
    for nested in [&b"["[..], br#"{"stage":"#] {
        assert_eq!(code(&resealed(&snapshot, &nested.repeat(1 << 20))), "HF-SNAP-005");
        let at = good.windows(8).position(|w| w == br#""stage":"#).unwrap() + 8;
        let bad = [&good[..at], &nested.repeat(1 << 20)].concat();
        assert_eq!(code(&resealed(&snapshot, &bad)), "HF-SNAP-005");
    }
    for more in [&b" "[..], b"{}", b"\0"] {
        assert_eq!(code(&resealed(&snapshot, &[good, more].concat())), "HF-SNAP-005");
    }
}

#[test]
fn roll_7_a_snapshot_that_does_not_fit_its_own_plan_is_refused() {
    let drawn = drawn(Kind::Latency, 5, 14);
    let snapshot = drawn.rollout.snapshot().unwrap();
    assert!(!drawn.rollout.verdict().metrics.is_empty(), "there is a state to misfit");
    let good = content(&snapshot);
    for (is, instead) in [
        // Another metric, another phase, other boundaries.
        (&br#""slow":{"#[..], &br#""soft":{"#[..]),
        (br#""name":"first""#, br#""name":"other""#),
        (b"[0.1,0.3,1]", b"[0.2,0.3,1]"),
    ] {
        let place = good.windows(is.len()).position(|w| w == is);
        let place = place.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(is)));
        let mut bad = good.to_vec();
        bad[place..place + is.len()].copy_from_slice(instead);
        assert_eq!(
            code(&resealed(&snapshot, &bad)),
            "HF-SNAP-006",
            "{}",
            String::from_utf8_lossy(is)
        );
    }
}

#[test]
fn roll_7_a_tail_has_to_follow_its_snapshot() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.make_ready();
    let begin = story.rollout.log().len();
    let snapshot = story.rollout.snapshot().unwrap();
    story.input(r#"{"kind":"start","by":"lena"}"#);
    story.confirm_all();
    let tail = story.rollout.log()[begin..].to_owned();
    let second = tail.find('\n').unwrap() + 1;
    let of = |tail: &[u8]| match Rollout::restore(&snapshot, tail, Recording::Keep) {
        Err(SnapshotError::Tail(error)) => (error.line, error.code()),
        other => panic!("{other:?}"),
    };
    assert_eq!(of(&tail.as_bytes()[second..]), (1, "HF-LOG-003"));
    assert_eq!(of(story.rollout.log().as_bytes()), (1, "HF-LOG-006"));
    assert_eq!(of(&tail.as_bytes()[..tail.len() - 3]).1, "HF-LOG-002");
    let (first, rest) = tail.split_at(second);
    let changed = first.replace("deploy", "destroy") + rest;
    assert_eq!(of(changed.as_bytes()), (1, "HF-JSON-013"));
}

#[test]
fn roll_7_a_snapshot_from_before_the_first_line_takes_a_whole_log() {
    let story = Story::new("phased-canary", Recording::Keep);
    let snapshot = story.rollout.snapshot().unwrap();
    let mut begun = Rollout::restore(&snapshot, &[], Recording::Keep).unwrap();
    let note = Input::from_json(r#"{"kind":"note","by":"lena","text":"hm"}"#).unwrap();
    begun.handle(story.at, &note).unwrap();
    assert!(begun.log().contains(r#""salt":"pepper""#), "the salt is that of the plan's maker");
    let again = Rollout::restore(&snapshot, begun.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!((again.head(), again.log()), (begun.head(), begun.log()));
    let mut other = Story::new("standard", Recording::Keep);
    other.make_ready();
    let error = Rollout::restore(&snapshot, other.rollout.log().as_bytes(), Recording::Keep);
    assert_eq!(error.unwrap_err().code(), "HF-SNAP-006");
}

#[test]
fn roll_7_without_a_log_there_is_no_snapshot() {
    let story = Story::new("phased-canary", Recording::Off);
    assert_eq!(story.rollout.snapshot(), Err(SnapshotError::NoLog));
}

#[test]
fn roll_7_a_repeated_key_gets_its_first_answer_after_a_restore_too() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.make_ready();
    let start = Input::from_json(r#"{"kind":"start","by":"lena","key":"go"}"#).unwrap();
    let first = story.rollout.handle(story.at, &start).unwrap().actions.to_vec();
    assert!(!first.is_empty());
    let keyed = |n: u32| {
        Input::from_json(&format!(r#"{{"kind":"note","by":"a","text":"b","key":"{n}"}}"#)).unwrap()
    };
    // 255 more: the first is the oldest that is remembered.
    for n in 0..255 {
        story.rollout.handle(story.at, &keyed(n)).unwrap();
    }
    let snapshot = story.rollout.snapshot().unwrap();
    let mut again = Rollout::restore(&snapshot, &[], Recording::Keep).unwrap();
    let repeated = again.handle(story.at + Span::from_seconds(60), &start).unwrap();
    assert!(repeated.repeated && repeated.events.is_empty());
    assert_eq!(repeated.actions, first);
    // One more, and it is forgotten, as it would have been.
    again.handle(story.at, &keyed(255)).unwrap();
    assert!(again.handle(story.at, &start).is_err(), "a second start");
}

#[test]
fn roll_7_a_rollout_by_instances_is_taken_up_with_its_subsets() {
    let mut before = (0..100)
        .map(|seed| drawn(Kind::Instances, seed, 14))
        .find(|drawn| drawn.rollout.state() == State::Monitoring)
        .unwrap();
    let snapshot = before.rollout.snapshot().unwrap();
    let mut again = Rollout::restore(&snapshot, &[], Recording::HandOut).unwrap();
    for _ in 0..12 {
        let (at, input) = before.draw();
        let said = before.rollout.handle(at, &input).map(|o| o.events.to_owned());
        assert_eq!(again.handle(at, &input).map(|o| o.events.to_owned()), said);
    }
    assert!(again.snapshot().unwrap() == before.rollout.snapshot().unwrap());
}

#[test]
fn roll_7_a_question_that_nobody_answers_for_a_month_does_not_grow_a_snapshot() {
    let mut story = Story::new("phased-canary", Recording::HandOut);
    story.start();
    let mut sizes = Vec::new();
    for _ in 0..2 {
        for _ in 0..15 * 24 * 4 {
            story.at = story.at + Span::from_seconds(900);
            story.input(r#"{"kind":"tick"}"#);
        }
        sizes.push(story.rollout.snapshot().unwrap().len());
    }
    assert!(sizes[1] < sizes[0] + 2_000, "{sizes:?}");
}

/// The largest that the presets' snapshots are in the story of the docs; the figures are in `docs/log.md`.
#[test]
fn roll_7_a_snapshot_is_small() {
    for (preset, started, watched) in
        [("standard", 76_600, 127_500), ("phased-canary", 45_500, 86_000)]
    {
        let mut story = Story::new(preset, Recording::Keep);
        story.start();
        let at_start = story.rollout.snapshot().unwrap().len();
        story.run(40, Story::healthy);
        for n in 0..256 {
            story.input(&format!(r#"{{"kind":"note","by":"lena","text":"hm","key":"{n}"}}"#));
        }
        let later = story.rollout.snapshot().unwrap().len();
        eprintln!("{preset}: {at_start} bytes at the start, {later} watched and with all keys");
        assert!(at_start < started && later < watched, "{preset}: {at_start}, {later}");
    }
}

#[test]
fn roll_7_a_finding_about_running_totals_outlives_a_restore() {
    let policy = r#"
        extends = "phased-canary"
        [metrics.cache_misses]
        kind = "proportion"
        worse = "higher"
        model = "none"
    "#;
    let mut story = Story::of(Policy::from_toml(policy).unwrap(), Recording::Keep);
    story.start();
    let latency = r#"{"canary":{"le":[0.1,0.25],"counts":[80,98],"count":100}}"#;
    let mut total = 0;
    while !story.rollout.verdict().has(Reason::ArmsSwapped) {
        total += 100;
        assert!(total < 10_000, "{:?}", story.rollout.verdict());
        // The canary's share is 10%: it has the traffic of the other arm.
        let (canary, baseline) = (9 * total, total);
        story.at = story.at + Span::from_seconds(10);
        story.input(&format!(
            r#"{{"kind":"observe","metrics":{{"cache_misses":
            {{"canary":[0,{canary}],"baseline":[0,{baseline}],"totals":true}},
            "latency_p95":{latency}}}}}"#
        ));
    }
    let snapshot = story.rollout.snapshot().unwrap();
    let mut restored = Rollout::restore(&snapshot, &[], Recording::HandOut).unwrap();
    let input = format!(r#"{{"kind":"observe","metrics":{{"latency_p95":{latency}}}}}"#);
    let (at, input) = (story.at + Span::from_seconds(10), Input::from_json(&input).unwrap());
    for rollout in [&mut story.rollout, &mut restored] {
        rollout.handle(at, &input).unwrap();
        assert!(rollout.verdict().has(Reason::ArmsSwapped), "no reading says that it is over");
    }
    assert_eq!(story.rollout.head(), restored.head());
}
