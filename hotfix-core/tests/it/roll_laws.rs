//! What holds of every rollout, whatever comes in.

use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, InputKind, Recording, Rollout, State, audit};
use hotfix_core::unit::{Share, Span, Timestamp};
use proptest::prelude::*;

use crate::ready;
use crate::story;

/// One thing that may happen.
#[derive(Clone, Debug)]
enum Happening {
    Input(&'static str),
    Observe { canary: u32, baseline: u32, trials: u32, latency: bool },
    Confirm { failed: bool, which: usize },
    Wait(u32),
    StepBack(u32),
}

const INPUTS: &[&str] = &[
    r#"{"kind":"start","by":"lena"}"#,
    r#"{"kind":"tick"}"#,
    r#"{"kind":"promote","by":"lena"}"#,
    r#"{"kind":"hold","by":"lena"}"#,
    r#"{"kind":"pause","by":"lena"}"#,
    r#"{"kind":"resume","by":"lena"}"#,
    r#"{"kind":"abort","by":"lena"}"#,
    r#"{"kind":"roll_back","by":"lena"}"#,
    r#"{"kind":"revert","by":"lena","version":"2.2.9","why":"known good"}"#,
    r#"{"kind":"report","by":"lena","signal":"doubt"}"#,
    r#"{"kind":"report","by":"lena","signal":"fix_does_not_work"}"#,
    r#"{"kind":"note","by":"lena","text":"hm"}"#,
    r#"{"kind":"approve","by":"lena","role":"engineering_lead"}"#,
    r#"{"kind":"deny","by":"omar","role":"product_manager"}"#,
    r#"{"kind":"set_severity","by":"omar","severity":"P0"}"#,
    r#"{"kind":"tick","key":"k1"}"#,
];

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => prop::sample::select(INPUTS).prop_map(Happening::Input),
        8 => (0u32..60, 0u32..60, 60u32..2000, any::<bool>()).prop_map(
            |(canary, baseline, trials, latency)| Happening::Observe { canary, baseline, trials, latency }
        ),
        4 => (any::<bool>(), 0usize..4).prop_map(|(failed, which)| Happening::Confirm { failed, which }),
        3 => (1u32..900).prop_map(Happening::Wait),
        1 => (1u32..900).prop_map(Happening::StepBack),
    ]
}

fn rollout(policy: &str) -> Rollout {
    let policy = Arc::new(Policy::preset(policy).unwrap());
    let plan = Plan::from_json(
        policy,
        r#"{"id":"INC-2041"}"#,
        r#"{"version":"2.3.1","previous":"2.3.0","methods":[{"kind":"feature_flag","seconds":5},{"kind":"redeploy"}]}"#,
        "",
    )
    .unwrap();
    Rollout::try_new(plan, Recording::Keep, "pepper").unwrap()
}

fn input(rollout: &Rollout, happening: &Happening) -> Option<Input> {
    let text = match happening {
        Happening::Input(text) => (*text).to_owned(),
        Happening::Observe { canary, baseline, trials, latency } => {
            let histogram = format!(
                r#"{{"le":[0.1,0.3,1],"counts":[{canary},{canary},{trials}],"count":{trials}}}"#
            );
            let latency = if *latency {
                format!(r#","latency_p95":{{"canary":{histogram},"baseline":{histogram}}}"#)
            } else {
                String::new()
            };
            format!(
                r#"{{"kind":"observe","metrics":{{"error_rate":{{"canary":[{canary},{trials}],"baseline":[{baseline},{}]}}{latency}}}}}"#,
                trials * 9
            )
        }
        Happening::Confirm { failed, which } => {
            let id = rollout.pending_actions().get(*which)?.id;
            let kind = if *failed { "failed" } else { "confirm" };
            format!(r#"{{"kind":"{kind}","by":"tool","action":"{id}"}}"#)
        }
        Happening::Wait(_) | Happening::StepBack(_) => return None,
    };
    Some(Input::from_json(&text).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn roll_1_no_input_in_any_order_breaks_a_law(
        happenings in prop::collection::vec(happening(), 1..80),
        standard in any::<bool>(),
    ) {
        let mut rollout = rollout(if standard { "standard" } else { "phased-canary" });
        let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
        ready::make(&mut rollout, at);
        let mut lines = rollout.log().to_owned();
        let mut went_back = false;
        for happening in &happenings {
            match happening {
                Happening::Wait(seconds) => at = at + Span::from_seconds(*seconds),
                Happening::StepBack(seconds) => at = at - Span::from_seconds(*seconds),
                _ => at = at + Span::from_seconds(1),
            }
            let Some(input) = input(&rollout, happening) else { continue };
            let (before, state, head) = (rollout.share(), rollout.state(), rollout.head());
            match rollout.handle(at, &input) {
                Ok(outcome) => {
                    lines.push_str(outcome.events);
                    for action in outcome.actions {
                        if let Act::SetTraffic { share } = action.act {
                            prop_assert!(share > before, "traffic rises phase by phase");
                            prop_assert!(!went_back, "no traffic after the way back began");
                        }
                    }
                }
                Err(refusal) => {
                    lines.push_str(&refusal.events);
                    prop_assert_eq!(rollout.state(), state);
                    prop_assert_eq!(refusal.events.is_empty(), rollout.head() == head);
                }
            }
            if let Some(now) = rollout.now().filter(|now| rollout.poll_at() != Some(*now)) {
                let mut again = rollout.clone();
                let tick = Input::from_json(r#"{"kind":"tick"}"#).unwrap();
                let actions = again.handle(now, &tick).unwrap().actions;
                let asks = actions.iter().any(|action| matches!(action.act, Act::AskDecision { .. }));
                prop_assert!(!asks && again.state() == rollout.state(), "a tick that acts is due: {input:?}");
            }
            went_back |= matches!(rollout.state(), State::RollingBack | State::RolledBack | State::Aborted);
            if state.is_final() {
                prop_assert_eq!(rollout.state(), state, "what is over stays over");
            }
            if went_back {
                prop_assert!(rollout.share() <= before);
            }
        }
        prop_assert_eq!(rollout.log(), &lines);
        if !lines.is_empty() {
            let again = Rollout::replay(lines.as_bytes(), Recording::Keep).unwrap();
            prop_assert_eq!(again.head(), rollout.head());
            prop_assert_eq!(again.stage(), rollout.stage());
            prop_assert_eq!(again.verdict(), rollout.verdict());
            prop_assert_eq!(again.poll_at(), rollout.poll_at());
            let found = audit(lines.as_bytes(), rollout.head());
            prop_assert!(found.is_clean(), "{:?}", found.findings);
        }
    }

    #[test]
    fn field_2_one_more_bad_event_never_promotes(extra in 1u32..40, ticks in 20usize..70) {
        let run = |more: u32| {
            let mut rollout = rollout("phased-canary");
            let mut at: Timestamp = "2026-03-03T14:40:00Z".parse().unwrap();
            ready::make(&mut rollout, at);
            rollout.handle(at, &Input::from_json(INPUTS[0]).unwrap()).unwrap();
            while let Some(input) = input(&rollout, &Happening::Confirm { failed: false, which: 0 }) {
                rollout.handle(at, &input).unwrap();
            }
            for _ in 0..ticks {
                at = at + Span::from_seconds(10);
                let seen = format!(
                    r#"{{"kind":"observe","metrics":{{"error_rate":{{"canary":[{more},200],"baseline":[5,1800]}},"payment_success":{{"canary":[200,200],"baseline":[1795,1800]}},"latency_p95":{{"canary":{{"samples":[0.1]}},"baseline":{{"samples":[0.1]}}}},"bug":{{"canary":[0,10],"baseline":[9,10]}},"request_volume":{{"canary":100,"baseline":900}}}}}}"#
                );
                rollout.handle(at, &Input::from_json(&seen).unwrap()).unwrap();
            }
            (rollout.share() > Share::from_percent(10) || rollout.pending_actions().first().is_some_and(|a| matches!(a.act, Act::SetTraffic { .. })), rollout.state())
        };
        prop_assert!(!run(extra).0 || run(extra - 1).0);
    }
}

#[test]
fn roll_1_every_state_has_an_answer_to_every_input() {
    // The table has a row for each state, and no input that no state takes.
    for kind in InputKind::ALL {
        assert!(
            State::ALL.iter().any(|state| state.accepts().contains(kind)),
            "{kind} is taken nowhere"
        );
    }
    for state in State::ALL {
        let accepted = state.accepts();
        assert!(accepted.contains(&InputKind::Note), "{state} takes no note");
        let way_out = [InputKind::Abort, InputKind::RollBack, InputKind::Confirm];
        assert!(
            state.is_final() || way_out.iter().any(|kind| accepted.contains(kind)),
            "{state} has no way out"
        );
        for kind in accepted {
            assert_eq!(accepted.iter().filter(|k| *k == kind).count(), 1);
        }
    }
}

#[test]
fn roll_7_every_flip_swap_and_drop_is_found() {
    let mut story = story::Story::new("phased-canary", Recording::Keep);
    story.start();
    story.run(8, story::Story::healthy);
    let log = story.rollout.log().to_owned();
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    let head = story.rollout.head();
    assert!(audit(log.as_bytes(), head).is_clean());
    // A flip anywhere outside the personal values, in a line or in two.
    let mut bytes = log.clone().into_bytes();
    for place in (0..bytes.len()).step_by(97) {
        let (before, line) =
            (bytes[place], bytes[..place].iter().filter(|b| **b == b'\n').count() + 1);
        bytes[place] ^= 1;
        let found = audit(&bytes, head);
        // A value may have two spellings, as 0.1 and 0.10: values are hashed, not their spelling.
        let value = |text: &[u8]| {
            serde_json::from_slice::<serde_json::Value>(text.split(|b| *b == b'\n').nth(line - 1)?)
                .ok()
        };
        let same = value(&bytes).is_some_and(|flipped| Some(flipped) == value(log.as_bytes()));
        let personal = log[..place]
            .rfind(r#""personal":{"#)
            .is_some_and(|from| !log[from..place].contains('}'));
        let named = found.findings.first().is_some_and(|f| f.line == line || f.line == line + 1);
        assert!(same || personal || named, "byte {place}, line {line}: {:?}", found.findings);
        bytes[place] = before;
    }
    for drop in 0..lines.len() - 1 {
        let cut: String =
            lines.iter().enumerate().filter(|(i, _)| *i != drop).map(|(_, l)| *l).collect();
        let found = audit(cut.as_bytes(), head);
        assert_eq!(found.findings[0].line, drop + 1, "{:?}", found.findings);
        assert!(Rollout::replay(cut.as_bytes(), Recording::Keep).is_err());
    }
    for swap in 0..lines.len() - 1 {
        let mut swapped = lines.clone();
        swapped.swap(swap, swap + 1);
        assert_eq!(audit(swapped.concat().as_bytes(), head).findings[0].line, swap + 1);
    }
    let tail = audit(lines[..lines.len() - 1].concat().as_bytes(), head);
    assert_eq!(tail.findings[0].code, "HF-LOG-008");
}

#[test]
fn roll_7_names_can_be_taken_out_and_the_chain_still_holds() {
    let mut story = story::Story::new("phased-canary", Recording::Keep);
    story.start();
    let log = story.rollout.log().to_owned();
    assert!(log.contains("lena"));
    let mut redacted = String::new();
    for line in log.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("personal");
        redacted.push_str(&line.to_string());
        redacted.push('\n');
    }
    assert!(!redacted.contains("lena") && !redacted.contains("pepper"));
    assert!(audit(redacted.as_bytes(), story.rollout.head()).is_clean());
    let again = Rollout::replay(redacted.as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.head(), story.rollout.head());
}

#[test]
fn roll_7_a_torn_last_line_is_dropped_and_said_so() {
    let mut story = story::Story::new("phased-canary", Recording::Keep);
    story.start();
    let log = story.rollout.log().to_owned();
    let whole = log.trim_end().rfind('\n').unwrap() + 1;
    let torn = &log.as_bytes()[..log.len() - 20];
    let error = Rollout::replay(torn, Recording::Keep).unwrap_err();
    assert_eq!(error.code(), "HF-LOG-002");
    let recovered = Rollout::recover(torn, Recording::Keep).unwrap();
    assert!(recovered.dropped);
    assert_eq!((recovered.length, recovered.rollout.log()), (whole, &log[..whole]));
}
