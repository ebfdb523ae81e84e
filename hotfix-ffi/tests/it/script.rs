//! The scripted rollout of the examples: `examples/scripts/canary_rollback.*` and its log.
//!
//! The script is data that every language reads, so none can drift. It is made here, as the ids of actions depend on the
//! engine; `HOTFIX_BLESS=1` writes it anew together with the log that all must print.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers below a million"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotfix_core::judge::Reason;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State, audit};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

const PLAN: &str = r#"{
  "policy_file": "examples/policies/payments.toml",
  "salt": "pepper",
  "incident": {
    "id": "INC-2041",
    "service": "payments",
    "title": "customers cannot pay: null pointer where no payment method is stored",
    "severity": "P1",
    "began_at": "2026-03-03T14:02:00.000Z",
    "detected_at": "2026-03-03T14:06:00.000Z",
    "facts": {
      "payment_failure_share": 0.55,
      "revenue_impact": true,
      "service_down": false,
      "data_corruption": false,
      "security_vulnerability": false,
      "preceding_deploy": "2.3.0"
    }
  },
  "release": {
    "version": "2.3.1",
    "previous": "2.3.0",
    "branch": "hotfix/payment-null-check",
    "methods": [
      {"kind": "feature_flag", "seconds": 5},
      {"kind": "redeploy", "seconds": 150},
      {"kind": "git_revert", "seconds": 900}
    ]
  },
  "traffic": {"requests_per_minute": 1000, "flags": true, "schema_change": false}
}
"#;

fn file(path: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../examples").join(path)
}

/// The rollout that the script is recorded from.
struct Recorder {
    rollout: Rollout,
    at: Timestamp,
    lines: String,
    /// Requests and errors so far of canary and live arm, so that rates hold over time.
    seen: [u64; 2],
    errors: [u64; 2],
}

/// Seconds from one look to the next.
const LOOK: u32 = 60;

impl Recorder {
    fn new() -> Self {
        let plan: Value = serde_json::from_str(PLAN).unwrap();
        let part = |name: &str| plan[name].to_string();
        let house = std::fs::read_to_string(file("..").join(plan["policy_file"].as_str().unwrap()))
            .unwrap();
        let policy = Arc::new(Policy::from_toml(&house).unwrap());
        let plan_made =
            Plan::from_json(policy, &part("incident"), &part("release"), &part("traffic")).unwrap();
        let salt = plan["salt"].as_str().unwrap();
        Self {
            rollout: Rollout::try_new(plan_made, Recording::Keep, salt).unwrap(),
            at: "2026-03-03T14:12:00Z".parse().unwrap(),
            lines: String::new(),
            seen: [0; 2],
            errors: [0; 2],
        }
    }

    fn wait(&mut self, seconds: u32) {
        self.at = self.at + Span::from_seconds(seconds);
    }

    fn until(&mut self, time: &str) {
        self.at = format!("2026-03-03T{time}Z").parse().unwrap();
    }

    fn send(&mut self, input: &Value) {
        let parsed = Input::from_value(input.clone()).unwrap();
        self.rollout.handle(self.at, &parsed).unwrap_or_else(|refusal| panic!("{refusal}"));
        let at = self.at;
        writeln!(self.lines, "{{\"at\": \"{at}\", \"input\": {input}}}").unwrap();
    }

    /// What is refused is part of the story, too.
    fn refused(&mut self, input: &Value, part: &str) {
        let parsed = Input::from_value(input.clone()).unwrap();
        let refusal = self.rollout.handle(self.at, &parsed).unwrap_err().to_string();
        assert!(refusal.contains(part), "{refusal}");
        let at = self.at;
        writeln!(self.lines, "{{\"at\": \"{at}\", \"input\": {input}}}").unwrap();
    }

    /// The thirty items and the two approvals; the start waits for the one item that is left open until 14:38.
    fn prepare(&mut self) {
        self.until("14:20:00");
        let items = |rollout: &Rollout| -> Vec<String> {
            rollout.blockers().iter().filter_map(|b| b.item.map(|item| item.to_string())).collect()
        };
        for item in items(&self.rollout) {
            self.wait(10);
            match item.as_str() {
                "rollback_tested" => {}
                "communication_status" => self.send(&json!({
                    "by": "noor", "item": item, "kind": "waive_item", "why": "the channel reaches everybody who is hit"
                })),
                "environment_flags" | "environment_migrations" => self.send(&json!({
                    "by": "omar", "item": item, "kind": "check_item", "status": "not_applicable"
                })),
                _ => self.send(&json!({"by": "omar", "item": item, "kind": "check_item"})),
            }
        }
        self.until("14:31:00");
        self.send(&json!({
            "by": "lena", "channel": "chat", "kind": "approve", "role": "engineering_lead", "why": "two files, reviewed"
        }));
        self.until("14:34:00");
        self.send(
            &json!({"by": "noor", "channel": "chat", "kind": "approve", "role": "product_manager"}),
        );
        self.until("14:36:00");
        self.refused(&json!({"by": "lena", "kind": "start"}), "`rollback_tested` is open");
        self.until("14:38:00");
        self.send(&json!({
            "by": "omar", "evidence": "back on 2.3.0 in staging within 140 s", "item": "rollback_tested", "kind": "check_item"
        }));
        assert_eq!(self.state(), State::Ready, "{:?}", self.rollout.blockers());
    }

    fn pending(&self) -> String {
        self.rollout.pending_actions().first().unwrap().id.to_string()
    }

    fn confirm(&mut self) {
        let action = self.pending();
        self.send(&json!({"action": action, "by": "deploy-tool", "kind": "confirm"}));
    }

    /// One look: 1,000 requests a minute, the live arm fails 0.3% besides the bug and 55% of payments.
    fn look(&mut self, canary_errors: f64, slow: bool) {
        self.wait(LOOK);
        let share = self.rollout.share().as_fraction();
        let all = 1_000.0 * f64::from(LOOK) / 60.0;
        let requests = [(all * share).round() as u64, (all * (1.0 - share)).round() as u64];
        let mut failed = [0; 2];
        for (arm, rate) in [canary_errors, 0.003].into_iter().enumerate() {
            self.seen[arm] += requests[arm];
            let expected = (self.seen[arm] as f64 * rate) as u64;
            failed[arm] = expected.saturating_sub(self.errors[arm]).min(requests[arm]);
            self.errors[arm] = expected.max(self.errors[arm]);
        }
        let [canary, live] = requests;
        let quick = if slow { [38, 76, 88, 97, 99, 100] } else { [72, 97, 98, 99, 100, 100] };
        let histogram = |n: u64, parts: [u64; 6]| {
            let counts: Vec<u64> = parts.iter().map(|part| n * part / 100).collect();
            json!({"count": n, "counts": counts, "le": [0.1, 0.25, 0.3, 0.5, 1.0, 2.5]})
        };
        let mut metrics = json!({
            "error_rate": {"baseline": [failed[1], live]},
            "payment_success": {"baseline": [live * 45 / 100, live]},
            "latency_p95": {"baseline": histogram(live, [72, 97, 98, 99, 100, 100])},
            "bug": {"baseline": [live * 8 / 100, LOOK]},
            "request_volume": {"baseline": live * 60 / u64::from(LOOK)},
        });
        if canary > 0 {
            metrics["error_rate"]["canary"] = json!([failed[0], canary]);
            // The payments go through, their answers get lost: the provider counts them as paid.
            metrics["payment_success"]["canary"] = json!([canary, canary]);
            metrics["latency_p95"]["canary"] = histogram(canary, quick);
            metrics["bug"]["canary"] = json!([0, LOOK]);
            metrics["request_volume"]["canary"] = json!(canary * 60 / u64::from(LOOK));
        }
        self.send(&json!({"kind": "observe", "metrics": metrics}));
    }

    fn healthy(&mut self) {
        self.look(0.003, false);
    }

    /// The fix leaks connections under load.
    fn failing(&mut self) {
        self.errors[0] = (self.seen[0] as f64 * 0.06) as u64;
        self.look(0.06, true);
    }

    fn state(&self) -> State {
        self.rollout.state()
    }
}

/// The bad run of the scenario: good at 10%, bad at 50%, back.
fn record() -> Recorder {
    let mut r = Recorder::new();
    r.send(&json!({
        "by": "amir", "facts": {"authentication_down": false}, "kind": "set_facts", "why": "customers can log in"
    }));
    r.prepare();
    r.until("14:40:00");
    r.send(&json!({"by": "lena", "kind": "start"}));
    r.until("14:41:30");
    r.confirm();
    r.until("14:42:00");
    r.confirm();
    assert_eq!(r.state(), State::Monitoring);
    for _ in 0..10 {
        r.healthy();
    }
    assert_eq!(r.state(), State::Deploying, "{:?}", r.rollout.verdict());
    // The traffic moves while the canary is watched on.
    r.healthy();
    r.until("14:54:00");
    r.confirm();
    for _ in 0..2 {
        r.healthy();
    }
    assert_eq!(
        (r.state(), r.at.to_string().as_str()),
        (State::Monitoring, "2026-03-03T14:56:00.000Z")
    );
    while r.state() == State::Monitoring {
        r.failing();
    }
    assert_eq!(r.state(), State::RollingBack);
    assert!(r.rollout.verdict().has(Reason::Evidence), "{:?}", r.rollout.verdict());
    r.wait(10);
    let action = r.pending();
    r.send(&json!({
        "action": action, "by": "deploy-tool", "kind": "failed", "why": "the flag service does not answer"
    }));
    let method = r.rollout.pending_actions().first().unwrap().act.clone();
    assert!(matches!(method, Act::RollBack { .. }));
    for _ in 0..2 {
        r.failing();
    }
    r.wait(30);
    r.confirm();
    for _ in 0..12 {
        if r.state() == State::RollingBack {
            r.healthy();
        }
    }
    assert_eq!(r.state(), State::RolledBack, "{:?}", r.rollout.verdict());
    r.wait(60);
    r.send(&json!({"by": "lena", "kind": "note", "text": "the connection leak goes to the payments team"}));
    r
}

#[test]
fn roll_5_the_script_of_the_examples_is_what_the_engine_asks_for() {
    let recorded = record();
    let files = [
        ("scripts/canary_rollback.plan.json", PLAN),
        ("scripts/canary_rollback.jsonl", &recorded.lines),
        ("expected/canary_rollback.jsonl", recorded.rollout.log()),
    ];
    for (path, new) in files {
        let path = file(path);
        if std::env::var_os("HOTFIX_BLESS").is_some() {
            std::fs::write(&path, new).unwrap();
        }
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(old == new, "{} is not current: HOTFIX_BLESS=1 rewrites it", path.display());
    }
    let log = recorded.rollout.log().as_bytes();
    assert!(audit(log, recorded.rollout.head()).is_clean());
}
