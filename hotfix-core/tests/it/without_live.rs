//! What judges a fix without a live version beside it: readings from before the start and from an earlier attempt, the
//! last figures of the live version, a volume's own level. Whole rollouts, tick by tick (MET-3, STAT-4, ROLL-3).

use std::sync::Arc;

use hotfix_core::grade::Strategy;
use hotfix_core::message::Request;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::own_policies::{ERRORS, smallest};
use crate::ready;

const STEP: u32 = 10;
const REST: &str = r#"
final_validation = { watch = "1min", gate = "automatic" }
watch = { cadence = "10s", window = "5min", stale = "1min", no_data = { after = "2min", then = "ask" } }
rollback = { watch = "2min", returned_within = "5min" }
"#;
const VOLUME: &str = r#"
[metrics.orders]
kind = "volume"
worse = "lower"
reference = "600/min"
"#;

fn policy(shares: &[&str], metrics: &str) -> Arc<Policy> {
    let strategy = if shares == ["100%"] { Strategy::Immediate } else { Strategy::Canary };
    let names = shares.iter().map(|share| format!("at_{}", share.trim_end_matches('%')));
    let names: Vec<String> = names.collect();
    let phases: Vec<_> = names.iter().map(String::as_str).zip(shares.iter().copied()).collect();
    smallest(strategy, &phases, &format!("{REST}{metrics}"))
}

/// A rollout and what people were asked, with the seconds since its start.
struct Run {
    rollout: Rollout,
    at: Timestamp,
    start: Timestamp,
    asked: Vec<(u64, String)>,
}

impl Run {
    /// `before`: seconds for which the live version is read.
    fn new(policy: Arc<Policy>, before: u32, live: impl Fn() -> Value) -> Self {
        let incident = r#"{"id": "INC-1", "severity": "P1"}"#;
        let release = r#"{"version": "2.3.1", "previous": "2.3.0"}"#;
        let traffic = r#"{"requests_per_minute": 1000}"#;
        let plan = Plan::from_json(policy, incident, release, traffic).expect("a plan");
        let rollout = Rollout::try_new(plan, Recording::Off, "").expect("a rollout");
        let at = "2026-03-03T14:40:00Z".parse().expect("a time");
        let mut run = Self { rollout, at, start: at, asked: Vec::new() };
        run.read(before, live);
        run
    }

    fn send(&mut self, input: Value) {
        let input = Input::from_value(input).expect("an input");
        let outcome = self.rollout.handle(self.at, &input).unwrap_or_else(|e| panic!("{e}"));
        let second = self.at.since(self.start).as_millis() / 1000;
        for action in outcome.actions {
            if let Act::AskDecision { question, .. } = &action.act {
                self.asked.push((second, question.clone()));
            }
        }
    }

    /// The live version alone for so many seconds.
    fn read(&mut self, seconds: u32, live: impl Fn() -> Value) {
        for _ in 0..seconds / STEP {
            self.send(json!({ "kind": "observe", "metrics": live() }));
            self.at = self.at + Span::from_seconds(STEP);
        }
    }

    fn start(&mut self) {
        ready::make(&mut self.rollout, self.at);
        self.send(json!({ "kind": "start", "by": "lena" }));
        (self.start, self.asked) = (self.at, Vec::new());
    }

    fn confirm(&mut self) {
        while let Some(action) = self.rollout.pending_actions().first().map(|action| action.id) {
            self.send(json!({ "kind": "confirm", "by": "tool", "action": action.to_string() }));
        }
    }

    /// Confirms what is pending and reads `world` of second and share, until so many seconds after
    /// the start.
    fn watch(&mut self, until: u64, world: impl Fn(u64, f64) -> Value) -> &mut Self {
        loop {
            self.at = self.at + Span::from_seconds(STEP);
            let second = self.at.since(self.start).as_millis() / 1000;
            if second > until || self.rollout.state() == State::RolledBack {
                return self;
            }
            self.confirm();
            let metrics = world(second, self.rollout.share().as_fraction());
            self.send(json!({ "kind": "observe", "metrics": metrics }));
        }
    }

    fn state(&self) -> State {
        self.rollout.state()
    }

    fn causes(&self) -> Vec<String> {
        let each = self.rollout.verdict().causes.iter().map(|cause| {
            let metric = cause.metric.map(|id| format!(" {id}"));
            format!("{}{}", cause.reason, metric.unwrap_or_default())
        });
        each.collect()
    }
}

/// Of 1,000 requests a minute, these parts failed of the canary and of the live version.
fn errors(share: f64, canary: f64, live: f64) -> Value {
    let of = |share: f64, part: f64| {
        let trials = (share * 1000.0 / 6.0).round();
        json!([(trials * part).round(), trials])
    };
    let mut arms = json!({});
    if share > 0.0 {
        arms["canary"] = of(share, canary);
    }
    if share < 1.0 {
        arms["baseline"] = of(1.0 - share, live);
    }
    arms
}

/// The volume of each version at this share, of a service with so much.
fn orders(share: f64, minute: f64) -> Value {
    let mut arms = json!({});
    if share > 0.0 {
        arms["canary"] = json!(minute * share);
    }
    if share < 1.0 {
        arms["baseline"] = json!(minute * (1.0 - share));
    }
    json!({ "orders": arms })
}

// ---- readings from before the start ----

/// The processor's load beside errors that a bound judges.
fn cpu(before: u32, load: f64, from: u64) -> Run {
    let cpu = "[metrics.cpu]\nkind = \"gauge\"\nworse = \"higher\"\nalert = { ratio = 1.3, of = \"live\" }\n";
    let policy = policy(&["100%"], &format!("{ERRORS}alert = \"2%\"\n{cpu}"));
    let live = || json!({ "error_rate": errors(0.0, 0.0, 0.005), "cpu": { "baseline": 0.5 } });
    let mut run = Run::new(policy, before, live);
    run.start();
    run.watch(1000, |second, share| match share {
        1.0 if second >= from => {
            json!({ "error_rate": errors(1.0, 0.005, 0.0), "cpu": { "canary": load } })
        }
        _ => json!({}),
    });
    run
}

#[test]
fn met_3_what_is_read_for_an_hour_before_lasts_until_the_end_of_the_phase_and_beyond() {
    for from in [STEP, 2 * STEP] {
        let healthy = cpu(3600, 0.5, from.into());
        assert_eq!((healthy.state(), healthy.asked.len()), (State::Complete, 0));
        let worse = cpu(3600, 0.75, from.into());
        assert_eq!((worse.state(), worse.asked.len()), (State::Monitoring, 1), "{:?}", worse.asked);
        let (_, question) = &worse.asked[0];
        let figures = "cpu: 0.75 with the fix, 0.5 before it (0.75 over the phase, above the alert \
                       bound of 0.65)";
        assert!(question.contains(figures), "{question}");
    }
}

#[test]
fn met_3_a_bound_that_is_crossed_when_the_readings_from_before_end_stays_crossed() {
    let worse = cpu(400, 0.75, 10);
    assert_eq!((worse.state(), worse.asked.len()), (State::Monitoring, 1), "{:?}", worse.asked);
    assert_eq!(worse.causes(), ["alert_band cpu", "criterion_missed cpu"]);
    let healthy = cpu(400, 0.5, 10);
    assert_eq!(healthy.state(), State::Monitoring);
    assert_eq!(healthy.causes(), ["not_judged cpu"], "a metric that nothing judges any more");
    assert_eq!(cpu(0, 0.75, 10).state(), State::Complete, "it was never judged");
}

// ---- the live version was beyond the bound itself ----

const BOTH: [&str; 2] = [
    "rollback = { value = \"5%\", unless_both_arms = true }\n",
    "rollback = { ratio = 2.0, of = \"live\" }\n",
];

#[test]
fn met_3_a_bound_that_the_live_version_exceeded_when_it_was_last_read_asks() {
    for bound in BOTH {
        for (late, ends) in [(0.15, State::Monitoring), (0.75, State::RolledBack)] {
            let policy = policy(&["100%"], &format!("{ERRORS}{bound}"));
            let before = || json!({ "error_rate": errors(0.0, 0.0, 0.3) });
            let mut run = Run::new(policy, 300, before);
            run.start();
            run.watch(900, |second, share| {
                let failed = if second < 450 { 0.15 } else { late };
                json!({ "error_rate": errors(share, failed, 0.3) })
            });
            assert_eq!(run.state(), ends, "{bound}, {late}: {:?}", run.causes());
            if late < 0.3 {
                let (_, question) = &run.asked[0];
                assert!(question.contains("with the fix, 29.94% before it (above"), "{question}");
                assert_eq!(run.asked.len(), 1, "{:?}", run.asked);
            }
        }
    }
}

#[test]
fn met_3_a_promotion_beside_a_worse_live_version_is_not_rolled_back_by_the_same_bound() {
    let policy = policy(&["10%", "100%"], &format!("{ERRORS}success = \"1%\"\n{}", BOTH[0]));
    let mut run = Run::new(policy, 0, || json!({}));
    run.start();
    let world = |_, share| json!({ "error_rate": errors(share, 0.15, 0.3) });
    run.watch(660, world);
    assert_eq!((run.state(), run.asked.len()), (State::Monitoring, 1), "{:?}", run.causes());
    run.send(json!({ "kind": "promote", "by": "lena", "why": "half is better than nothing" }));
    run.watch(900, world);
    assert_eq!((run.state(), run.rollout.share().as_fraction()), (State::Monitoring, 1.0));
    let (_, question) = &run.asked[1];
    assert!(question.contains("with the fix, 30"), "{question}");
}

// ---- a volume at 100% ----

#[test]
fn field_19_at_all_of_the_traffic_a_volume_has_all_of_its_bounds() {
    let success = "success = { ratio = 0.8, of = \"live\" }\n";
    let figure = "success = \"480/min\"\n";
    let mixed = "success = \"480/min\"\nrollback = { ratio = 0.4, of = \"live\" }\n";
    for bounds in [success, figure, mixed] {
        for (all, asks) in [(600.0, 0), (270.0, 1)] {
            let policy = policy(&["10%", "100%"], &format!("{VOLUME}{bounds}"));
            let mut run = Run::new(policy, 1200, || orders(0.0, 600.0));
            run.start();
            run.watch(1400, |_, share| orders(share, if share < 1.0 { 600.0 } else { all }));
            assert_eq!(run.asked.len(), asks, "{bounds}, {all}: {:?}", run.asked);
        }
    }
    // A figure is one before the level is known.
    let mut run = Run::new(policy(&["100%"], &format!("{VOLUME}{mixed}")), 0, || json!({}));
    run.start();
    run.watch(1400, |_, share| orders(share, 360.0));
    assert_eq!((run.state(), run.asked.len()), (State::Monitoring, 1), "{:?}", run.asked);
    let (_, question) = &run.asked[0];
    let figures =
        "orders: 360/min with the fix (360/min over the phase, below the success bound of 480/min)";
    assert!(question.contains(figures), "{question}");
}

// ---- another attempt ----

#[test]
fn roll_3_another_attempt_is_compared_with_what_the_live_version_had_before() {
    let release = json!({ "version": "2.3.2", "previous": "2.3.0" });
    let live = || json!({ "error_rate": errors(0.0, 0.0, 0.01) });
    let world = |failed: f64| move |_, share| json!({ "error_rate": errors(share, failed, 0.01) });
    for attempt in ["supersede", "retry"] {
        let mut run = Run::new(policy(&["100%"], ERRORS), 900, live);
        if attempt == "retry" {
            run.start();
            run.watch(900, world(0.2));
            assert_eq!(run.state(), State::RolledBack);
        }
        run.send(
            json!({ "kind": attempt, "by": "lena", "why": "a better fix", "release": release }),
        );
        run.start();
        run.watch(120, world(0.05));
        assert_eq!(run.state(), State::RollingBack, "{attempt}: {:?}", run.causes());
        assert_eq!(run.causes(), ["evidence error_rate"], "{attempt}");
    }
}

// ---- a fix that breaks after a good phase ----

#[test]
fn stat_4_a_phase_whose_last_minutes_are_worse_than_before_asks_with_their_figures() {
    let policy = policy(&["100%"], ERRORS);
    let mut run = Run::new(policy, 1200, || json!({ "error_rate": errors(0.0, 0.0, 0.3) }));
    run.start();
    run.watch(640, |second, share| {
        json!({ "error_rate": errors(share, if second < 350 { 0.006 } else { 0.6 }, 0.3) })
    });
    assert_eq!(run.state(), State::Monitoring);
    let (_, question) = &run.asked[0];
    let figures = "% with the fix, 29.94% before it (the evidence shows that the canary is worse)";
    assert!(question.contains(figures), "{question}");
    assert_eq!(run.causes(), ["evidence error_rate"]);
    let why = run.rollout.why().expect("an explanation").metrics[0].sentence.clone();
    assert!(
        why.contains("which has risen by 4.61 and more within the phase. Decision: ask"),
        "{why}"
    );
    run.send(json!({ "kind": "promote", "by": "lena", "why": "the queue is drained" }));
    let request = json!({ "kind": "phase_passed", "audience": "responders" });
    let message = run.rollout.message_for(&Request::from_value(&request).expect("a request"));
    let message = message.expect("a message").to_string();
    assert!(message.contains("with the fix (60% at the end), 30% before it"), "{message}");
}

// ---- after the completion ----

#[test]
fn met_3_a_service_without_one_request_after_the_completion_asks_once() {
    let policy = policy(&["100%"], &format!("{ERRORS}alert = \"2%\"\nrollback = \"5%\"\n"));
    let mut run = Run::new(policy, 0, || json!({}));
    run.start();
    run.watch(2700, |second, share| match second {
        0..1800 => json!({ "error_rate": errors(share, 0.005, 0.005) }),
        _ => json!({ "error_rate": { "canary": [0, 0] } }),
    });
    assert_eq!(run.state(), State::Complete);
    let asked: Vec<u64> = run.asked.iter().map(|(second, _)| *second).collect();
    assert!(matches!(asked[..], [1900..=1920]), "{:?}", run.asked);
}
