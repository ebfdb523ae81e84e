//! The rollout under the scenario's inputs (ROLL, FIELD).

use hotfix_core::grade::Signal;
use hotfix_core::judge::{Decision, Reason};
use hotfix_core::rollout::{Act, Command, Input, Recording, Rollout, State, audit};

use crate::story::Story;

#[test]
fn roll_1_a_good_fix_goes_from_10_to_100_and_completes() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    assert_eq!(story.state(), State::Monitoring);
    story.run(60, Story::healthy);
    assert_eq!(story.state(), State::Deploying, "{}", story.rollout.log());
    story.confirm_all();
    story.run(60, Story::healthy);
    story.confirm_all();
    assert_eq!(story.rollout.share().as_fraction(), 1.0);
    story.run(180, Story::healthy);
    assert_eq!(story.state(), State::FinalValidation, "{:?}", story.rollout.verdict());
    story.check_the_end();
    story.run(18, Story::healthy);
    assert_eq!(story.state(), State::Complete);
    assert!(audit(story.rollout.log().as_bytes(), story.rollout.head()).is_clean());
}

#[test]
fn roll_5_a_bad_fix_is_rolled_back_by_the_next_method_when_the_first_fails() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(12, Story::healthy);
    let outcome = story.run_until(30, Story::failing, State::RollingBack);
    assert!(outcome <= 6, "{outcome} ticks");
    assert_eq!(story.rollout.verdict().decision, Decision::RollBack);
    let first = story.pending();
    story
        .input(&format!(r#"{{"kind":"failed","by":"tool","action":"{first}","why":"no answer"}}"#));
    assert_eq!(story.state(), State::RollingBack);
    assert_ne!(story.pending(), first);
    story.confirm_all();
    assert_eq!(story.rollout.share().as_fraction(), 0.0);
    story.run(13, Story::after_rollback);
    assert_eq!(story.state(), State::RolledBack, "{}", story.rollout.log());
    assert!(audit(story.rollout.log().as_bytes(), story.rollout.head()).is_clean());
}

#[test]
fn roll_7_the_log_alone_rebuilds_the_rollout_at_every_line() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(12, Story::healthy);
    story.run_until(30, Story::failing, State::RollingBack);
    story.confirm_all();
    story.run(13, Story::after_rollback);
    let log = story.rollout.log().to_owned();
    for (line, (end, _)) in log.match_indices('\n').enumerate() {
        let mut again = Rollout::replay(&log.as_bytes()[..=end], Recording::Keep).unwrap();
        // The first line is the opening; every other one is an input.
        for (at, input) in &story.inputs[line..] {
            again.handle(*at, input).unwrap();
        }
        assert_eq!(again.log(), log);
    }
}

#[test]
fn roll_5_inputs_outcomes_and_refusals_are_documents_of_serde() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    let tick: Input = serde_json::from_str(r#"{"kind": "tick"}"#).unwrap();
    let outcome = story.rollout.handle(story.at, &tick).unwrap();
    let document = serde_json::to_value(outcome).unwrap();
    assert_eq!(document["events"], outcome.events);
    assert_eq!(document["repeated"], false);
    let actions = document["actions"].as_array().unwrap();
    let ids: Vec<_> = outcome.actions.iter().map(|action| action.id.to_string()).collect();
    assert!(!ids.is_empty() && actions.iter().map(|action| &action["id"]).eq(&ids));
    let promote: Input = serde_json::from_str(r#"{"kind": "promote", "by": "lena"}"#).unwrap();
    let refusal = story.rollout.handle(story.at, &promote).unwrap_err();
    let document = serde_json::to_value(&refusal).unwrap();
    let accepted: Vec<_> = refusal.accepted.iter().map(|kind| kind.as_str()).collect();
    let expected = serde_json::json!({
        "accepted": accepted,
        "code": "HF-ROLL-001",
        "got": "promote",
        "message": refusal.to_string(),
        "path": "",
        "state": "drafted",
    });
    assert_eq!(document, expected);
    let broken = serde_json::from_str::<Input>(r#"{"kind": "promot"}"#).unwrap_err();
    assert!(broken.to_string().contains("`promote`"), "{broken}");
}

#[test]
fn principle_5_a_key_is_remembered_across_a_replay() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.input(r#"{"kind":"pause","by":"lena","key":"pause-1"}"#);
    let log = story.rollout.log().to_owned();
    let again = Input::from_json(r#"{"kind":"pause","by":"lena","key":"pause-1"}"#).unwrap();
    let mut replayed = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
    for rollout in [&mut story.rollout, &mut replayed] {
        let outcome = rollout.handle(story.at, &again).unwrap();
        assert!(outcome.repeated && outcome.events.is_empty());
        assert_eq!(rollout.log(), log);
    }
    let other = Input::from_json(r#"{"kind":"resume","by":"lena","key":"pause-1"}"#).unwrap();
    assert_eq!(replayed.handle(story.at, &other).unwrap_err().code(), "HF-ROLL-011");
}

#[test]
fn field_4_swapped_arms_are_a_finding_and_not_evidence() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(6, Story::swapped);
    assert!(story.rollout.verdict().has(Reason::ArmsSwapped));
    assert_eq!(story.rollout.verdict().decision, Decision::Ask);
    assert_eq!(story.rollout.verdict().log_e, 0.0);
}

#[test]
fn roll_3_nothing_is_promoted_twice() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(60, Story::healthy);
    let refusal = story.refused(r#"{"kind":"promote","by":"lena"}"#);
    assert_eq!(refusal.code(), "HF-ROLL-001");
    assert!(!refusal.events.is_empty());
}

#[test]
fn principle_5_a_clock_that_steps_back_keeps_no_rollback_out() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(3, Story::healthy);
    let before = story.at - hotfix_core::unit::Span::from_seconds(3600);
    let input = Input::from_json(r#"{"kind":"roll_back","by":"lena","why":"in doubt"}"#).unwrap();
    let outcome = story.rollout.handle(before, &input).unwrap();
    assert!(outcome.events.contains(r#""claimed_at""#));
    assert!(outcome.actions.iter().any(|a| matches!(a.act, Act::RollBack { .. })));
}

/// A log with it could not be read again: it is refused as the document would be, and leaves no trace.
#[test]
fn principle_5_what_no_document_could_say_is_not_taken_as_a_value() {
    let why = || Some("w".repeat(4097));
    let role = "incident_commander".parse().unwrap();
    let long = |command: Command| Input::new(command).by("lena");
    let keyed = |key: &str| Input { key: Some(key.to_owned()), ..Input::new(Command::Tick) };
    let heard = Some("h".repeat(257));
    let cases = [
        ("HF-IN-005", long(Command::Note { text: "n".repeat(5000), why: None })),
        ("HF-IN-005", long(Command::Pause { why: why() })),
        ("HF-IN-005", long(Command::Deny { role, channel: None, heard_by: None, why: why() })),
        ("HF-IN-005", long(Command::Revert { version: "2".repeat(257), why: "w".to_owned() })),
        ("HF-IN-005", long(Command::Report { signal: Signal::Doubt, note: why() })),
        ("HF-IN-005", long(Command::Done { duty: "p0_fix".parse().unwrap(), evidence: why() })),
        (
            "HF-IN-005",
            long(Command::Approve {
                role,
                channel: None,
                heard_by: heard.clone(),
                plan_digest: None,
                why: None,
            }),
        ),
        (
            "HF-IN-005",
            long(Command::Withdraw { role, channel: None, heard_by: heard.clone(), why: None }),
        ),
        ("HF-IN-005", Input::new(Command::Start).by(&"b".repeat(257))),
        ("HF-IN-005", keyed(&"k".repeat(257))),
        ("HF-IN-006", keyed("")),
        ("HF-IN-003", Input::new(Command::Pause { why: None })),
        ("HF-IN-003", Input::new(Command::Start).by("")),
    ];
    let mut story = Story::new("phased-canary", Recording::Keep);
    for started in [false, true] {
        if started {
            story.start();
        }
        let (head, lines) = (story.rollout.head(), story.rollout.log().to_owned());
        for (code, input) in &cases {
            let refusal = story.rollout.handle(story.at, input).unwrap_err();
            assert_eq!((refusal.code(), refusal.events.as_str()), (*code, ""), "{input:?}");
        }
        assert_eq!((story.rollout.head(), story.rollout.log()), (head, lines.as_str()));
    }
    let most = Command::Note { text: "n".repeat(4096), why: None };
    story.rollout.handle(story.at, &Input::new(most).by(&"b".repeat(256))).unwrap();
    story.rollout.handle(story.at, &keyed(&"k".repeat(256))).unwrap();
    let again = Rollout::replay(story.rollout.log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.head(), story.rollout.head());
}

/// Which of two holds is not for us to choose. (A host's own map has each name once, so this is for texts alone.)
#[test]
fn field_5_a_text_that_names_a_member_twice_is_no_input() {
    let reading = |canary: &str| {
        format!(r#"{{"kind":"observe","metrics":{{"error_rate":{{"canary":{canary}}}}}}}"#)
    };
    let cases = [
        ("pod-7", reading(r#"{"pod-7":[1,9],"pod-8":[0,9],"pod-7":[0,9]}"#)),
        ("le", reading(r#"{"le":[0.1],"counts":[9],"count":9,"le":[0.5]}"#)),
        ("counts", reading(r#"{"le":[0.1],"counts":[9],"counts":[1],"count":9}"#)),
        ("count", reading(r#"{"count":9,"le":[0.1],"counts":[9],"count":9}"#)),
        ("samples", reading(r#"{"samples":[0.1],"samples":[0.1]}"#)),
        (
            "service_down",
            r#"{"kind":"set_facts","by":"lena","facts":{"service_down":true,"service_down":false}}"#
                .to_owned(),
        ),
        (
            "verified",
            r#"{"kind":"set_times","by":"lena","times":{"verified":null,"verified":null}}"#
                .to_owned(),
        ),
    ];
    for (name, text) in cases {
        let error = Input::from_json(&text).unwrap_err();
        assert_eq!(error.code(), "HF-IN-001", "{text}");
        assert!(error.to_string().contains(&format!("member `{name}` occurs twice")), "{error}");
    }
    // `null` is still none.
    let null = r#"{"kind":"note","by":"lena","text":"all is well","facts":null,"times":null}"#;
    Input::from_json(null).unwrap();
    let missing = Input::from_json(r#"{"kind":"set_facts","by":"lena","facts":null}"#).unwrap_err();
    assert_eq!(missing.code(), "HF-IN-003");
}

/// The process died while it appended the first two lines: nobody has been asked for anything.
#[test]
fn roll_7_a_log_of_the_opening_line_alone_asks_for_a_tick_at_once() {
    for preset in ["enterprise", "standard", "severity-matrix", "phased-canary"] {
        let mut story = Story::new(preset, Recording::Keep);
        story.input(r#"{"kind":"tick"}"#);
        let log = story.rollout.log().to_owned();
        let torn = &log.as_bytes()[..log.find('\n').unwrap() + 40];
        let mut again = Rollout::recover(torn, Recording::Keep).unwrap().rollout;
        assert_eq!(again.poll_at(), Some(story.at), "{preset}");
        again.handle(story.at, &Input::from_json(r#"{"kind":"tick"}"#).unwrap()).unwrap();
        assert_eq!(again.log(), log);
        assert!(again.poll_at() > Some(story.at) || again.poll_at().is_none(), "{preset}");
    }
}

#[test]
fn roll_7_what_may_not_have_been_done_is_known_after_a_crash() {
    let mut story = Story::new("phased-canary", Recording::Keep);
    story.input(r#"{"kind":"tick"}"#);
    let asked = story.rollout.last_actions().to_vec();
    assert!(asked.iter().any(|action| matches!(action.act, Act::RequestApproval { .. })));
    assert!(asked.iter().all(|action| !action.act.awaits()));
    assert!(story.rollout.pending_actions().is_empty());
    // A refusal that comes after the crash asks for nothing, and takes nothing away.
    story.refused(r#"{"kind":"promote","by":"lena"}"#);
    let log = story.rollout.log().as_bytes();
    let replayed = Rollout::replay(log, Recording::Keep).unwrap();
    let recovered = Rollout::recover(&[log, b"{\"at\":"].concat(), Recording::Keep).unwrap();
    let snapshot = story.rollout.snapshot().unwrap();
    let restored = Rollout::restore(&snapshot, b"", Recording::Keep).unwrap();
    for again in [&story.rollout, &replayed, &recovered.rollout, &restored] {
        assert_eq!(again.last_actions(), asked);
    }
}

/// The plan's release is known from the beginning: duties that it decides are listed as it decides them.
#[test]
fn post_4_before_the_first_input_the_release_decides_which_duties_there_are() {
    use hotfix_core::{plan::Plan, policy::Policy, unit::Timestamp};
    for (preset, release, duty) in [
        (
            "phased-canary",
            r#"{"version":"2","previous":"1","stop_gap":false}"#,
            "permanent_fix_ticket",
        ),
        ("enterprise", r#"{"version":"2","previous":"1","flow":"trunk"}"#, "merged_back"),
    ] {
        let policy = std::sync::Arc::new(Policy::preset(preset).unwrap());
        let plan = Plan::from_json(policy, r#"{"id":"I","severity":"P1"}"#, release, "").unwrap();
        let mut rollout = Rollout::try_new(plan, Recording::Keep, "pepper").unwrap();
        let at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
        let later = |rollout: &Rollout| {
            rollout.duties(at).later.iter().any(|item| item.id.as_str() == duty)
        };
        assert!(!later(&rollout), "{preset}");
        rollout.handle(at, &Input::from_json(r#"{"kind":"tick"}"#).unwrap()).unwrap();
        assert!(!later(&rollout), "{preset}");
    }
}
