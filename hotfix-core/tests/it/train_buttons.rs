//! What a service of a train offers while the train is being rolled back.

use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, InputKind, Recording, Rollout, State};
use hotfix_core::train::{Order, Train};

/// Its plan leaves the rollback to a person, so the train pauses it.
#[test]
fn field_6_a_paused_service_has_no_button_that_its_train_refuses() {
    let small = include_str!("../policies/small.toml");
    let policy = Arc::new(Policy::from_toml(small).unwrap());
    let rollout = |service: &str| {
        let incident = format!(r#"{{"id":"INC-9","severity":"P1","service":"{service}"}}"#);
        let release = r#"{"version":"2.3.1","previous":"2.3.0"}"#;
        let plan =
            Plan::from_json(Arc::clone(&policy), &incident, release, r#"{"schema_change":true}"#);
        Box::new(Rollout::try_new(plan.unwrap(), Recording::Keep, "pepper").unwrap())
    };
    let order = Order::from_json(["ledger", "mail"], r#"{"ledger":[],"mail":[]}"#);
    let services = vec![rollout("ledger"), rollout("mail")];
    let mut train = Train::try_new(order.unwrap(), services).unwrap();
    let at = "2026-03-03T14:40:00Z".parse().unwrap();
    let send = |train: &mut Train<_>, service: &str, input: &str| {
        train.handle(at, service, &Input::from_json(input).unwrap()).unwrap();
    };
    for service in ["ledger", "mail"] {
        send(&mut train, service, r#"{"kind":"start","by":"lena"}"#);
    }
    send(&mut train, "mail", r#"{"kind":"roll_back","by":"omar","why":"in doubt"}"#);
    let ledger = train.rollout("ledger").unwrap();
    assert_eq!(ledger.state(), State::Paused);
    assert!(!ledger.accepted().contains(&InputKind::Resume), "{:?}", ledger.accepted());
    let [question] = &ledger.questions()[..] else { panic!("{:?}", ledger.questions()) };
    assert_eq!(question.answers, [InputKind::RollBack], "{}", question.text);
}
