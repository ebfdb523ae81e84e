//! The cases of `cases/train`: who starts when, who goes back when, and that the logs alone bring a train back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::Format;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::report::report as report_of;
use hotfix_core::rollout::{
    Act, Input, InputKind, Recording, Redaction, Rollout, State, audit, redact,
};
use hotfix_core::train::{Move, Order, Place, Train, TrainOutcome, TrainState};
use hotfix_core::unit::{Span, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shared::train_common::{Case, Driver, File, START_MS, Seen};

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
}

fn policy() -> Arc<Policy> {
    let text = std::fs::read_to_string(folder().join("policies/small.toml")).unwrap();
    Arc::new(Policy::from_toml(&text).unwrap())
}

fn time(at_ms: i64) -> Timestamp {
    Timestamp::try_from_millis(at_ms).unwrap()
}

/// A train and the logs that its host has appended.
struct Host {
    policy: Arc<Policy>,
    case: Case,
    train: Train,
    logs: BTreeMap<String, String>,
    /// After each call the process dies, and the logs alone bring the train back.
    dies: bool,
}

fn rollout(policy: &Arc<Policy>, [incident, release, traffic]: &[String; 3]) -> Box<Rollout> {
    let plan = Plan::from_json(policy.clone(), incident, release, traffic).unwrap();
    Box::new(Rollout::try_new(plan, Recording::Keep, "pepper").unwrap())
}

impl Host {
    fn new(case: Case, dies: bool) -> Self {
        let policy = policy();
        let order = Order::from_json(&case.services, &case.after).unwrap();
        let rollouts = case.services.iter().map(|name| rollout(&policy, &case.parts(name)));
        let train = Train::try_new(order, rollouts.collect()).unwrap();
        Self { policy, case, train, logs: BTreeMap::new(), dies }
    }

    fn append(&mut self, moves: &[Move]) {
        for made in moves {
            self.logs.entry(made.service.clone()).or_default().push_str(&made.events);
        }
    }

    /// The train that these logs give.
    fn replayed(&self) -> Train {
        let order = self.train.order().clone();
        let again = self.case.services.iter().map(|name| match self.logs.get(name) {
            Some(log) => Box::new(Rollout::replay(log.as_bytes(), Recording::Keep).unwrap()),
            None => rollout(&self.policy, &self.case.parts(name)),
        });
        Train::try_new(order, again.collect()).unwrap()
    }

    fn seen(&mut self, outcome: &TrainOutcome) -> Seen {
        self.append(&outcome.moves);
        if self.dies {
            self.train = self.replayed();
        }
        let (moves, findings) = (json!(outcome.moves), json!(outcome.findings));
        Seen { moves, findings, ..Seen::default() }
    }
}

impl Driver for Host {
    fn handle(&mut self, at_ms: i64, service: &str, input: &Value) -> Seen {
        let input = Input::from_value(input.clone()).unwrap();
        match self.train.handle(time(at_ms), service, &input) {
            Ok(outcome) => self.seen(&outcome),
            Err(refusal) => {
                self.append(&refusal.moves);
                self.logs.entry(service.to_owned()).or_default().push_str(&refusal.events);
                self.logs.retain(|_, log| !log.is_empty());
                assert!(!refusal.accepted.contains(&refusal.got), "{refusal}");
                Seen {
                    refused: Some(refusal.code().to_owned()),
                    message: refusal.to_string(),
                    moves: json!(refusal.moves),
                    findings: json!(refusal.findings),
                }
            }
        }
    }

    fn tick(&mut self, at_ms: i64) -> Seen {
        let outcome = self.train.tick(time(at_ms));
        self.seen(&outcome)
    }

    fn settle(&mut self, at_ms: i64) -> Seen {
        let outcome = self.train.settle(time(at_ms));
        self.seen(&outcome)
    }

    fn pending(&self, service: &str) -> Option<String> {
        let pending = self.train.pending_actions();
        let (_, actions) = pending.iter().find(|(name, _)| *name == service)?;
        actions.first().map(|action| action.id.to_string())
    }

    fn state(&self) -> String {
        self.train.state().to_string()
    }

    fn services(&self) -> Value {
        json!(self.train.services())
    }

    fn next(&self) -> Vec<String> {
        self.train.next().into_iter().map(ToOwned::to_owned).collect()
    }

    fn poll_at(&self) -> Option<i64> {
        self.train.poll_at().map(Timestamp::as_millis)
    }
}

#[test]
fn roll_5_what_makes_no_train_says_why() {
    let cases = File::load(&folder()).order;
    let faults: Vec<String> = cases
        .iter()
        .flat_map(|case| match Order::from_json(&case.services, &case.after) {
            Err(error) => case.compare(error.code(), &error.path(), &error.to_string()),
            Ok(order) => vec![format!("{}: {order:?}", case.id)],
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let order = Order::sequence(["ledger", "payments"]).unwrap();
    let error = Train::<Box<Rollout>>::try_new(order, Vec::new()).unwrap_err();
    assert_eq!((error.code(), error.path().as_str()), ("HF-TRAIN-007", "/services"));
}

/// Every case, once in one process and once with one that dies after every call.
#[test]
fn roll_5_every_train_comes_out_as_its_case_says() {
    let mut faults = Vec::new();
    for dies in [false, true] {
        for case in File::load(&folder()).case {
            let mut host = Host::new(case.clone(), dies);
            faults.extend(case.run(&mut host).into_iter().map(|f| format!("dies {dies}: {f}")));
            for (service, log) in &host.logs {
                let audit = audit(log.as_bytes(), None);
                assert!(audit.is_clean(), "{}: {service}: {audit:?}", case.id);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A call of the host.
type Call = (i64, &'static str, Value);

/// `ledger` is complete, two that wait for it are under way, and one of them turns out bad.
fn calls(host: &mut Host) -> Vec<Call> {
    let start = json!({"kind": "start", "by": "lena"});
    host.handle(START_MS, "ledger", &start);
    host.confirm_all("ledger", START_MS);
    for look in 1..3 {
        let healthy = json!({"kind": "observe", "metrics": {"error_rate": {"canary": [0, 100]}}});
        host.handle(START_MS + look * 60_000, "ledger", &healthy);
    }
    for service in ["payments", "mail"] {
        host.handle(START_MS + 200_000, service, &start);
        host.confirm_all(service, START_MS + 200_000);
    }
    let bad = json!({"kind": "report", "by": "probe", "signal": "health_check_failed"});
    let confirm = json!({"kind": "confirm", "by": "tool"});
    vec![
        (300_000, "mail", bad),
        (310_000, "mail", confirm.clone()),
        (320_000, "payments", confirm.clone()),
        (330_000, "ledger", confirm),
    ]
}

impl Host {
    fn confirm_all(&mut self, service: &str, at_ms: i64) {
        while let Some(action) = self.pending(service) {
            let input = json!({"kind": "confirm", "by": "tool", "action": action});
            self.handle(at_ms, service, &input);
        }
    }

    fn call(&mut self, (at, service, input): &Call) -> TrainOutcome {
        let mut input = input.clone();
        if input["kind"] == "confirm" {
            input["action"] = json!(self.pending(service).unwrap());
        }
        let input = Input::from_value(input).unwrap();
        self.train.handle(time(START_MS + at), service, &input).unwrap()
    }
}

/// Who reads of a rollback that the train requested does not look for the person who decided it.
#[test]
fn comm_1_a_rollback_by_the_train_is_no_person_s_decision() {
    let case = Case {
        services: ["ledger", "payments", "mail"].map(ToOwned::to_owned).to_vec(),
        after: r#"{"payments": ["ledger"], "mail": ["ledger"]}"#.to_owned(),
        ..Case::default()
    };
    let mut host = Host::new(case, false);
    for call in calls(&mut host) {
        host.call(&call);
    }
    let ledger = host.train.rollout("ledger").unwrap();
    let told = |audience| {
        ledger.message(MessageKind::RollingBack, audience, Format::Text).unwrap().to_string()
    };
    let reason = "Reason: a service that belongs with it had to be rolled back: mail";
    assert!(told(Audience::Responders).contains(reason), "{}", told(Audience::Responders));
    let plain = "Reason: a service that belongs with it had to be rolled back";
    assert!(told(Audience::Business).contains(plain), "{}", told(Audience::Business));
    let report = ledger.report("markdown").unwrap();
    assert!(!report.contains("a person requested"), "{report}");
    let detection = "triggered the rollback: a service that belongs with it had to be rolled back";
    assert!(report.contains(detection), "{report}");
    let archive = redact(ledger.log().as_bytes(), &Redaction::Everything).unwrap();
    assert!(report_of(archive.as_bytes(), "markdown").unwrap().contains(detection));
    host.tick(START_MS + 1_200_000);
    let next = |service| {
        let rollout = host.train.rollout(service).unwrap();
        assert_eq!(rollout.state(), State::RolledBack);
        rollout
            .message(MessageKind::Update, Audience::Responders, Format::Text)
            .unwrap()
            .to_string()
    };
    let again = "deploy the services that belong together again once the cause is found";
    assert!(next("ledger").contains(again), "{}", next("ledger"));
    assert!(next("mail").contains("find out why it failed"), "{}", next("mail"));
}

/// Who waits for others, started or not, promises no start and no end; nor does it after a rollback.
#[test]
fn comm_1_a_service_that_waits_in_its_train_promises_no_start() {
    let case = Case {
        services: ["ledger", "payments"].map(ToOwned::to_owned).to_vec(),
        ..Case::default()
    };
    let mut host = Host::new(case, false);
    let note = json!({"kind": "note", "by": "lena", "text": "how is it?"});
    let read = |host: &mut Host, at: i64| {
        host.handle(START_MS + at, "payments", &note);
        let payments = host.train.rollout("payments").unwrap();
        let text = payments.message(MessageKind::Update, Audience::Responders, Format::Text);
        text.unwrap().to_string()
    };
    let before = read(&mut host, 0);
    let promises = |text: &str| text.contains("about to deploy") || text.contains("Expected");
    assert!(before.contains("waits for the services") && !promises(&before), "{before}");
    host.handle(START_MS + 1_000, "ledger", &json!({"kind": "start", "by": "lena"}));
    host.confirm_all("ledger", START_MS + 2_000);
    let waits = read(&mut host, 3_000);
    for part in [
        "waits for the services that are deployed before it",
        "waiting for the services before it",
        "the deployment starts once the services before it are complete",
    ] {
        assert!(waits.contains(part) && !promises(&waits), "{waits}");
    }
    let back = json!({"kind": "roll_back", "by": "lena", "why": "in doubt"});
    host.handle(START_MS + 4_000, "ledger", &back);
    let held = read(&mut host, 5_000);
    assert!(held.contains("a service that belongs with it had to be rolled back"), "{held}");
    assert!(!promises(&held), "{held}");
    host.confirm_all("ledger", START_MS + 6_000);
    host.tick(START_MS + 1_200_000);
    let retry = json!({"kind": "retry", "by": "lena", "why": "the cause is found"});
    host.handle(START_MS + 1_300_000, "ledger", &retry);
    let again = read(&mut host, 1_301_000);
    assert!(again.contains("waits for the services") && !promises(&again), "{again}");
}

/// The host dies between any two lines: what it replays and goes on with ends in the same logs, byte for byte.
#[test]
fn roll_7_a_train_goes_on_where_a_crash_stopped_it() {
    let case = Case {
        id: "a crash".to_owned(),
        services: ["ledger", "payments", "mail"].map(ToOwned::to_owned).to_vec(),
        after: r#"{"payments": ["ledger"], "mail": ["ledger"]}"#.to_owned(),
        ..Case::default()
    };
    let mut whole = Host::new(case.clone(), false);
    let mut lines = 0;
    for call in calls(&mut whole) {
        let outcome = whole.call(&call);
        lines += outcome.moves.len();
        whole.append(&outcome.moves);
    }
    assert_eq!(lines, 7, "the train asks two, and lets one know of it");
    let roll_backs = |host: &Host| -> usize {
        host.logs.values().map(|log| log.matches(r#""kind":"roll_back","method""#).count()).sum()
    };
    assert_eq!(roll_backs(&whole), 3, "one way back each");
    for dies_after in 0..lines {
        let mut host = Host::new(case.clone(), false);
        let mut left = dies_after;
        for call in calls(&mut host) {
            let outcome = host.call(&call);
            let stands = outcome.moves.len().min(left);
            left -= stands;
            host.append(&outcome.moves[..stands]);
            if stands == outcome.moves.len() {
                continue;
            }
            left = usize::MAX;
            // The rest of the call is lost; what was not logged was not taken and is delivered again.
            let lost_its_own = outcome.moves[stands..].iter().any(|made| !made.by_train);
            host.train = host.replayed();
            let outcome = host.train.settle(time(START_MS + call.0));
            host.append(&outcome.moves);
            let again = host.train.settle(time(START_MS + call.0));
            assert!(again.moves.is_empty(), "again it changes nothing");
            if lost_its_own {
                let outcome = host.call(&call);
                host.append(&outcome.moves);
            }
        }
        assert_eq!(host.logs, whole.logs, "after {dies_after} lines");
    }
}

/// A rollout that is not its own is a train's as well, and its moves show in it.
#[test]
fn roll_1_a_train_borrows_rollouts() {
    let policy = policy();
    let case = Case { services: vec!["ledger".to_owned()], ..Case::default() };
    let mut ledger = rollout(&policy, &case.parts("ledger"));
    let order = Order::sequence(["ledger"]).unwrap();
    let mut train = Train::try_new(order, vec![&mut *ledger]).unwrap();
    let start = Input::from_json(r#"{"kind": "start", "by": "lena"}"#).unwrap();
    train.handle(time(START_MS), "ledger", &start).unwrap();
    assert_eq!(train.state(), TrainState::Running);
    assert_eq!(ledger.state(), State::Deploying);
}

/// What the train says to a service is in that service's log, however many names there are to tell.
#[test]
fn roll_5_many_long_names_leave_a_log_that_replays() {
    let services: Vec<String> = (0..20).map(|number| format!("{number:0>256}")).collect();
    let policy = policy();
    let case = Case { services: services.clone(), ..Case::default() };
    let mut rollouts: Vec<Box<Rollout>> =
        services.iter().map(|name| rollout(&policy, &case.parts(name))).collect();
    let start = Input::from_json(r#"{"kind": "start", "by": "lena"}"#).unwrap();
    let back = Input::from_json(r#"{"kind": "roll_back", "by": "lena"}"#).unwrap();
    for (number, rollout) in rollouts.iter_mut().enumerate() {
        rollout.handle(time(START_MS), &start).unwrap();
        if number > 0 {
            rollout.handle(time(START_MS + 1000), &back).unwrap();
        }
    }
    let order = Order::from_json(&services, "{}").unwrap();
    let mut train = Train::try_new(order, rollouts.iter_mut().map(|one| &mut **one).collect());
    let outcome = train.as_mut().unwrap().settle(time(START_MS + 2000));
    let asked: Vec<&str> = outcome.moves.iter().map(|made| made.service.as_str()).collect();
    assert_eq!(asked, [services[0].as_str()]);
    let line: Value = serde_json::from_str(outcome.moves[0].events.trim_end()).unwrap();
    let why = line["why"].as_str().unwrap();
    assert!(why.len() <= 4096 && why.len() > 3700, "{} bytes", why.len());
    assert!(why.ends_with("15 and 4 more"), "{why}");
    let again = Rollout::replay(rollouts[0].log().as_bytes(), Recording::Keep).unwrap();
    assert_eq!(again.state(), State::RollingBack);
}

const INPUTS: &[&str] = &[
    r#"{"kind":"start","by":"lena"}"#,
    r#"{"kind":"start","by":"lena"}"#,
    r#"{"kind":"promote","by":"lena"}"#,
    r#"{"kind":"pause","by":"lena"}"#,
    r#"{"kind":"resume","by":"lena"}"#,
    r#"{"kind":"note","by":"lena","text":"hm"}"#,
];

const ENDS: &[&str] = &[
    r#"{"kind":"abort","by":"lena"}"#,
    r#"{"kind":"roll_back","by":"lena"}"#,
    r#"{"kind":"report","by":"probe","signal":"health_check_failed"}"#,
    r#"{"kind":"revert","by":"lena","version":"0.9","why":"known good"}"#,
];

/// One thing that may happen to one service.
#[derive(Clone, Debug)]
enum Happening {
    Input(&'static str),
    Observe { errors: u32 },
    Result { failed: bool },
    Tick,
    Dies,
}

fn happening() -> impl Strategy<Value = (usize, i64, Happening)> {
    let what = prop_oneof![
        6 => prop::sample::select(INPUTS).prop_map(Happening::Input),
        1 => prop::sample::select(ENDS).prop_map(Happening::Input),
        8 => prop_oneof![9 => Just(0u32), 1 => Just(60)].prop_map(|errors| Happening::Observe { errors }),
        9 => prop::bool::weighted(0.1).prop_map(|failed| Happening::Result { failed }),
        2 => Just(Happening::Tick),
        1 => Just(Happening::Dies),
    ];
    (0usize..4, prop_oneof![6 => 1i64..90, 1 => 300i64..900, 1 => -60i64..0], what)
}

impl Host {
    fn stands(&self, service: &str) -> Place {
        self.train.services().iter().find(|s| s.service == service).unwrap().place
    }

    /// What holds of the moves of one call. `before` is the train as it was.
    fn check(&self, before: &Train, at: Timestamp, moves: &[Move], given: Option<InputKind>) {
        let names = &self.case.services;
        let went_back = |train: &Train| {
            matches!(
                train.state(),
                TrainState::RollingBack | TrainState::Frozen | TrainState::RolledBack
            )
        };
        for made in moves {
            let was = before.rollout(&made.service).unwrap();
            if !made.by_train && given == Some(InputKind::Start) {
                for other in before.order().after(&made.service) {
                    let state = before.rollout(other).unwrap().state();
                    assert!(matches!(state, State::Complete | State::Closed), "{other} is {state}");
                }
                assert!(!went_back(before), "nothing starts once one went back");
            }
            if went_back(before) {
                let moves = |a: &Act| matches!(a, Act::SetTraffic { .. } | Act::Deploy { .. });
                assert!(!made.actions.iter().any(|a| moves(&a.act)), "{made:?}");
            }
            if !made.by_train {
                continue;
            }
            // They close together.
            let says = |why: &str| made.events.contains(why);
            if says("its services close together") || says("are watched to their end") {
                assert!(matches!(was.state(), State::Complete), "{made:?}");
                continue;
            }
            // A note moves nothing.
            if says(r#""kind":"note""#) {
                let waits = [State::Drafted, State::AwaitingApproval, State::Ready, State::Frozen];
                let concerns = made.state == State::Complete || waits.contains(&made.state);
                assert!(concerns, "{made:?}");
                assert!(made.actions.is_empty(), "{made:?}");
                continue;
            }
            let one = says("a service that belongs with it had to be rolled back:");
            let many = says("services that belong with it had to be rolled back:");
            assert!(one || many, "{made:?}");
            if was.state() != State::Complete {
                continue;
            }
            // Those that wait for it are off their new version, or it could wait no longer.
            let closes = matches!(given, Some(InputKind::Observe | InputKind::Tick));
            let mut later: Vec<&str> = vec![&made.service];
            for name in names.iter().chain(names).chain(names) {
                if before.order().after(name).any(|other| later.contains(&other)) {
                    later.push(name);
                }
            }
            for name in later.into_iter().skip(1) {
                let place = self.stands(name);
                let rollout = self.train.rollout(name).unwrap();
                let waited = rollout
                    .turned_back_at()
                    .is_some_and(|since| at >= since + Span::from_seconds(600));
                // One that was superseded waits from the turn of the first.
                let is_former = rollout.turned_back_at().is_none()
                    && matches!(place, Place::Frozen | Place::RollingBack);
                assert!(
                    matches!(place, Place::Held | Place::Restored | Place::Closed)
                        || is_former
                        || waited
                        || closes,
                    "{name} is {place}: {made:?}"
                );
            }
        }
        if went_back(&self.train) {
            for name in names {
                assert_ne!(self.stands(name), Place::Running, "{name} is asked at once");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn roll_5_no_input_in_any_order_breaks_a_law_of_trains(
        count in 2usize..5,
        waits in prop::collection::vec(any::<bool>(), 6),
        happenings in prop::collection::vec(happening(), 20..140),
    ) {
        let services: Vec<String> = (0..count).map(|n| format!("s{n}")).collect();
        let mut after: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut waits = waits.into_iter();
        for later in 0..count {
            for earlier in 0..later {
                if waits.next() == Some(true) {
                    after.entry(services[later].clone()).or_default().push(services[earlier].clone());
                }
            }
        }
        let after = serde_json::to_string(&after).unwrap();
        let mut host = Host::new(Case { services: services.clone(), after, ..Case::default() }, false);
        let mut at = START_MS;
        for (which, seconds, happening) in happenings {
            at += seconds * 1_000;
            let service = &services[which % count];
            let before = host.train.clone();
            let (moves, given) = match happening {
                Happening::Dies => {
                    host.train = host.replayed();
                    prop_assert_eq!(host.train.services(), before.services());
                    (host.train.settle(time(at)).moves, None)
                }
                Happening::Tick => (host.train.tick(time(at)).moves, Some(InputKind::Tick)),
                happening => {
                    let text = match happening {
                        Happening::Input(text) => text.to_owned(),
                        Happening::Observe { errors } => format!(
                            r#"{{"kind":"observe","metrics":{{"error_rate":{{"canary":[{errors},100]}}}}}}"#
                        ),
                        Happening::Result { failed } => {
                            let Some(action) = host.pending(service) else { continue };
                            let kind = if failed { "failed" } else { "confirm" };
                            format!(r#"{{"kind":"{kind}","by":"tool","action":"{action}"}}"#)
                        }
                        Happening::Tick | Happening::Dies => continue,
                    };
                    let input = Input::from_json(&text).unwrap();
                    match host.train.handle(time(at), service, &input) {
                        Ok(outcome) => (outcome.moves, Some(input.command.kind())),
                        Err(refusal) => {
                            host.append(&refusal.moves);
                            if !refusal.events.is_empty() {
                                host.logs.entry(service.clone()).or_default().push_str(&refusal.events);
                            }
                            continue;
                        }
                    }
                }
            };
            host.append(&moves);
            host.check(&before, time(at), &moves, given);
        }
        // Whatever happened, time and confirmations bring it to an end.
        if host.train.services().iter().any(|s| matches!(s.place, Place::RollingBack | Place::InTurn | Place::Restored | Place::Frozen)) {
            at = at.max(host.train.now().unwrap().as_millis());
            for _ in 0..4 * count {
                for service in &services {
                    host.confirm_all(service, at);
                }
                at += 700_000;
                let outcome = host.train.tick(time(at));
                host.append(&outcome.moves);
            }
            prop_assert!(
                matches!(host.train.state(), TrainState::RolledBack | TrainState::Frozen),
                "{:?}", host.train.services()
            );
            for standing in host.train.services() {
                prop_assert!(
                    !matches!(standing.place, Place::InTurn | Place::RollingBack | Place::Running),
                    "{:?}", standing
                );
            }
        }
        for service in &services {
            if let Some(log) = host.logs.get(service) {
                prop_assert_eq!(host.train.rollout(service).unwrap().log(), log);
            }
        }
    }
}
