//! What a service of a train offers while the train is being rolled back.

use std::sync::Arc;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::Format;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, InputKind, Recording, Rollout, State};
use hotfix_core::train::{Order, Train};

const SMALL: &str = include_str!("../policies/small.toml");

/// Two services, each with this traffic.
fn of_two(after: &str, traffic: &str) -> Train {
    of_two_under(SMALL, after, traffic)
}

fn of_two_under(policy: &str, after: &str, traffic: &str) -> Train {
    let policy = Arc::new(Policy::from_toml(policy).unwrap());
    let rollout = |service: &str| {
        let incident = format!(r#"{{"id":"INC-9","severity":"P1","service":"{service}"}}"#);
        let release = r#"{"version":"2.3.1","previous":"2.3.0"}"#;
        let plan = Plan::from_json(Arc::clone(&policy), &incident, release, traffic);
        Box::new(Rollout::try_new(plan.unwrap(), Recording::Keep, "pepper").unwrap())
    };
    let order = Order::from_json(["ledger", "mail"], after);
    let services = vec![rollout("ledger"), rollout("mail")];
    Train::try_new(order.unwrap(), services).unwrap()
}

/// Two side by side, whose plans leave the rollback to a person; both have started.
fn train() -> Train {
    let mut train = of_two(r#"{"ledger":[],"mail":[]}"#, r#"{"schema_change":true}"#);
    for service in ["ledger", "mail"] {
        send(&mut train, service, r#"{"kind":"start","by":"lena"}"#);
    }
    train
}

fn send(train: &mut Train, service: &str, input: &str) {
    send_at(train, "14:40", service, input);
}

fn send_at(train: &mut Train, at: &str, service: &str, input: &str) {
    let at = format!("2026-03-03T{at}:00Z").parse().unwrap();
    train.handle(at, service, &Input::from_json(input).unwrap()).unwrap();
}

/// A message of `ledger`, where it is true.
fn read(train: &Train, kind: MessageKind, audience: Audience) -> Option<String> {
    let ledger = train.rollout("ledger").unwrap();
    ledger.message(kind, audience, Format::Text).ok().map(|message| message.to_string())
}

fn update_has(train: &Train, parts: [&str; 3]) {
    let update = read(train, MessageKind::Update, Audience::Responders).unwrap();
    assert!(parts.iter().all(|part| update.contains(part)), "{update}");
    let public = read(train, MessageKind::Update, Audience::Public).unwrap();
    assert!(public.contains("we are still working on it"), "{public}");
}

/// The first call pages for both services, and then notes that one of them waits. Whoever stops between
/// writing the log and acting still finds the pages.
#[test]
fn roll_7_a_note_of_the_train_leaves_the_actions_before_it() {
    let standard = Policy::preset("standard").unwrap().to_toml();
    let mut train = of_two_under(&standard, "", "");
    let at = "2026-03-03T14:31:00Z".parse().unwrap();
    let outcome = train.tick(at);
    assert!(outcome.moves.iter().any(|made| made.by_train));
    for made in &outcome.moves {
        let log = train.rollout(&made.service).unwrap().log();
        let after_a_crash = Rollout::replay(log.as_bytes(), Recording::Keep).unwrap();
        let kept = after_a_crash.last_actions();
        assert!(!kept.is_empty() && made.actions.iter().all(|action| kept.contains(action)));
    }
}

/// Its plan leaves the rollback to a person, so the train pauses it.
#[test]
fn field_6_a_paused_service_has_no_button_that_its_train_refuses() {
    let mut train = train();
    send(&mut train, "mail", r#"{"kind":"roll_back","by":"omar","why":"in doubt"}"#);
    let ledger = train.rollout("ledger").unwrap();
    assert_eq!(ledger.state(), State::Paused);
    assert!(!ledger.accepted().contains(&InputKind::Resume), "{:?}", ledger.accepted());
    let [question] = &ledger.questions()[..] else { panic!("{:?}", ledger.questions()) };
    assert_eq!(question.answers, [InputKind::RollBack], "{}", question.text);
    // Nor does a message promise that it goes on.
    let parts = [
        ", and a service that belongs with it had to be rolled back",
        "Now: deciding whether it is rolled back, too",
        "Next: the fix stays until a person rolls it back",
    ];
    update_has(&train, parts);
    assert_eq!(read(&train, MessageKind::DeploymentStarted, Audience::Public), None);
}

/// Nothing has started, and it is not the first.
#[test]
fn comm_1_a_service_that_waits_for_another_announces_no_start() {
    let mut train = of_two(r#"{"ledger":["mail"]}"#, "{}");
    send(&mut train, "ledger", r#"{"kind":"note","by":"lena","text":"soon"}"#);
    assert_eq!(read(&train, MessageKind::DeploymentStarted, Audience::Public), None);
}

/// A complete service that is rolled back in its turn does not announce the end.
#[test]
fn comm_1_a_service_that_waits_for_its_rollback_says_so() {
    let mut train = of_two(r#"{"mail":["ledger"]}"#, "{}");
    let start = r#"{"kind":"start","by":"lena"}"#;
    send(&mut train, "ledger", start);
    for action in ["1.2", "2.0"] {
        let confirm = format!(r#"{{"kind":"confirm","by":"tool","action":"{action}"}}"#);
        send(&mut train, "ledger", &confirm);
    }
    let healthy = r#"{"kind":"observe","metrics":{"error_rate":{"canary":[0,100]}}}"#;
    for at in ["14:41", "14:42"] {
        send_at(&mut train, at, "ledger", healthy);
    }
    let resolved =
        r#"{"kind":"set_times","by":"lena","times":{"resolved":"2026-03-03T14:42:00Z"}}"#;
    send_at(&mut train, "14:43", "ledger", resolved);
    send_at(&mut train, "14:43", "mail", start);
    assert!(read(&train, MessageKind::Resolved, Audience::Public).is_some());
    send_at(&mut train, "14:44", "mail", r#"{"kind":"roll_back","by":"lena","why":"in doubt"}"#);
    assert_eq!(read(&train, MessageKind::Resolved, Audience::Public), None);
    let parts = [
        "2.3.1 is live, and we are monitoring it, and a service that belongs with it had to be rolled back",
        "Now: waiting until the services that were deployed after it are rolled back",
        "Next: the fix is rolled back in its turn",
    ];
    update_has(&train, parts);
}

/// The train refuses `supersede` of it only while others are rolled back.
#[test]
fn field_6_a_frozen_service_has_no_button_that_its_train_refuses() {
    use InputKind::{Abort, RollBack, Supersede};
    let mut train = train();
    for action in ["1.2", "2.0"] {
        let confirm = format!(r#"{{"kind":"confirm","by":"tool","action":"{action}"}}"#);
        send(&mut train, "ledger", &confirm);
    }
    send(&mut train, "ledger", r#"{"kind":"report","by":"omar","signal":"health_check_failed"}"#);
    let offers = |train: &Train, wanted: &[InputKind], text: &str| {
        let ledger = train.rollout("ledger").unwrap();
        assert_eq!(ledger.state(), State::Frozen);
        let [question] = &ledger.questions()[..] else { panic!("{:?}", ledger.questions()) };
        assert_eq!(question.answers, wanted, "{}", question.text);
        assert!(question.text.contains(text), "{}", question.text);
    };
    offers(&train, &[RollBack, Supersede, Abort], "`roll_back`, `supersede` or `abort`.");
    send(&mut train, "mail", r#"{"kind":"roll_back","by":"omar","why":"in doubt"}"#);
    offers(&train, &[RollBack, Abort], "`roll_back` or `abort`.");
}

/// `hold` keeps nothing open once what was held back has the fix, so the train sends none.
#[test]
fn roll_5_one_that_a_person_ends_with_its_hold_back_is_no_finding() {
    let policy = SMALL.replace("share = \"100%\"", "share = \"90%\"");
    let policy = policy.replace("\"immediate\"", "\"canary\"");
    let mut train = of_two_under(&policy, r#"{"mail":["ledger"]}"#, "{}");
    let confirm = |train: &mut Train, at: &str| {
        let mut findings = Vec::new();
        while let Some((_, actions)) = train.pending_actions().first() {
            let action = actions[0].id;
            let input = format!(r#"{{"kind":"confirm","by":"tool","action":"{action}"}}"#);
            let at = format!("2026-03-03T{at}:00Z").parse().unwrap();
            let outcome = train.handle(at, "ledger", &Input::from_json(&input).unwrap()).unwrap();
            findings.extend(outcome.findings);
        }
        findings
    };
    send(&mut train, "ledger", r#"{"kind":"start","by":"lena"}"#);
    assert_eq!(confirm(&mut train, "14:40"), []);
    let healthy =
        r#"{"kind":"observe","metrics":{"error_rate":{"canary":[0,900],"baseline":[0,100]}}}"#;
    for at in ["14:41", "14:42", "14:43"] {
        send_at(&mut train, at, "ledger", healthy);
    }
    // Its watch is over, and the train keeps it open.
    send_at(&mut train, "15:45", "ledger", healthy);
    assert_eq!(train.rollout("ledger").unwrap().state(), State::Complete);
    send_at(&mut train, "15:46", "ledger", r#"{"kind":"promote","by":"lena","why":"enough"}"#);
    assert_eq!(confirm(&mut train, "15:47"), []);
    assert_eq!(train.rollout("ledger").unwrap().state(), State::Closed);
}
