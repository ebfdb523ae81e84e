//! Logs of the scenario's runs, and all recorded logs.

use std::path::PathBuf;
use std::sync::Arc;

use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Act, Input, Recording, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

use crate::ready;
use crate::tree;

/// A run of the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    Good,
    Bad,
    Shock,
    Silent,
}

impl Run {
    pub(crate) const ALL: [Self; 4] = [Self::Good, Self::Bad, Self::Shock, Self::Silent];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Shock => "shock",
            Self::Silent => "silent",
        }
    }

    pub(crate) fn log(self) -> String {
        let mut run = Under::new();
        run.prepare();
        run.until(
            |run| run.is_over() || run.minutes() > 90,
            |run, minute| self.reading(run, minute),
        );
        if run.rollout.state() == State::Complete {
            run.aftermath();
        } else {
            run.note("the connection leak goes to the payments team");
        }
        run.rollout.log().to_owned()
    }

    /// What is read in a minute since the start.
    fn reading(self, run: &Under, minute: u64) -> Option<Value> {
        let share = run.rollout.share().as_fraction();
        match self {
            Self::Bad if minute >= 16 => Some(reading(share, 0.06, 0.003)),
            Self::Shock if (17..20).contains(&minute) => Some(reading(share, 0.03, 0.03)),
            Self::Silent if (16..26).contains(&minute) => None,
            _ => Some(reading(share, 0.002, 0.003)),
        }
    }
}

/// A rollout under way, a minute at a time.
struct Under {
    rollout: Rollout,
    at: Timestamp,
    start: Timestamp,
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Under {
    fn new() -> Self {
        let plan: Value =
            serde_json::from_str(&example("scripts/canary_rollback.plan.json")).unwrap();
        let house = example("policies/payments.toml");
        // S2's report, which the example's house does without.
        let with_report =
            house.replace("\"facts\", \"implications\"", "\"report\", \"facts\", \"implications\"");
        assert_ne!(house, with_report, "the house takes its facts from enterprise");
        let part = |name: &str| plan[name].to_string();
        let policy = Arc::new(Policy::from_toml(&with_report).unwrap());
        let plan = Plan::from_json(policy, &part("incident"), &part("release"), &part("traffic"));
        Self {
            rollout: Rollout::try_new(plan.unwrap(), Recording::Keep, "pepper").unwrap(),
            at: time("2026-03-03T14:12:00Z"),
            start: time("2026-03-03T14:40:00Z"),
        }
    }

    fn send(&mut self, at: Timestamp, input: &Value) {
        self.at = at.max(self.at);
        let input = Input::from_value(input.clone()).unwrap();
        self.rollout.handle(self.at, &input).unwrap();
    }

    fn note(&mut self, text: &str) {
        let at = self.at + Span::from_seconds(60);
        self.send(at, &json!({"kind": "note", "by": "Lena", "text": text}));
    }

    fn minutes(&self) -> u64 {
        self.at.since(self.start).as_millis() / 60_000
    }

    fn is_over(&self) -> bool {
        self.rollout.state().is_final() || self.rollout.state() == State::Complete
    }

    fn prepare(&mut self) {
        self.send(
            self.at,
            &json!({"kind": "set_facts", "by": "Omar", "facts": {"authentication_down": false}}),
        );
        self.send(
            time("2026-03-03T14:13:00Z"),
            &json!({"kind": "acknowledge", "by": "Omar", "duty": "p1_on_call"}),
        );
        self.send(time("2026-03-03T14:14:00Z"), &json!({"kind": "done", "by": "Omar", "duty": "p1_notice", "evidence": "mail to stakeholders"}));
        self.send(time("2026-03-03T14:31:00Z"), &json!({"kind": "approve", "by": "Lena", "role": "engineering_lead", "channel": "chat", "why": "two files, reviewed"}));
        self.send(
            time("2026-03-03T14:34:00Z"),
            &json!({"kind": "approve", "by": "Noor", "role": "product_manager", "channel": "chat"}),
        );
        let early = Input::from_json(r#"{"kind":"start","by":"Lena"}"#).unwrap();
        self.rollout.handle(time("2026-03-03T14:36:00Z"), &early).unwrap_err();
        self.send(time("2026-03-03T14:37:00Z"), &json!({"kind": "waive_item", "by": "Noor", "item": "communication_status", "why": "the channel reaches everybody who is hit"}));
        ready::make(&mut self.rollout, time("2026-03-03T14:38:00Z"));
        self.send(self.start, &json!({"kind": "start", "by": "Lena"}));
    }

    /// Minute by minute: what is pending is done after two, the first flag call fails, and metrics are read.
    fn until(&mut self, over: impl Fn(&Self) -> bool, what: impl Fn(&Self, u64) -> Option<Value>) {
        let mut failed = false;
        let mut waited = 0;
        let mut checked = false;
        while !over(self) {
            let at = self.at + Span::from_seconds(60);
            // Nobody can check before the deployment that the bug is gone.
            if self.rollout.state() == State::FinalValidation && !checked {
                checked = true;
                for input in ready::at_the_end(&self.rollout) {
                    self.send(at, &input);
                }
            }
            if let Some(action) = self.rollout.pending_actions().first().cloned() {
                waited += 1;
                let id = action.id.to_string();
                let is_flag = matches!(action.act, Act::RollBack { .. }) && !failed;
                if is_flag {
                    failed = true;
                    self.send(at, &json!({"kind": "failed", "by": "deploy tool", "action": id, "why": "the flag service does not answer"}));
                    waited = 0;
                } else if waited >= 2 || matches!(action.act, Act::Deploy { .. }) {
                    self.send(at, &json!({"kind": "confirm", "by": "deploy tool", "action": id}));
                    waited = 0;
                }
            }
            let minute = at.since(self.start).as_millis() / 60_000;
            match what(self, minute) {
                Some(metrics) => self.send(at, &json!({"kind": "observe", "metrics": metrics})),
                None => self.send(at, &json!({"kind": "tick"})),
            }
        }
    }

    /// The day after: what people say.
    fn aftermath(&mut self) {
        for text in [
            "root cause: the payment method was read without asking whether there is one",
            "conditions: 2.3.0 made the method optional, and no test paid without one",
            "detection: an alert on payment failures",
            "prevention: the type of a missing payment method no longer compiles without an answer",
            "action: a test that pays without a stored method; owner: payments team; deadline: 2026-03-10; done when: it fails on 2.3.0",
            "action: alert on null pointers per minute",
            "which factors contributed? an optional field that nobody expected",
            "went well: two approvals within half an hour",
        ] {
            self.note(text);
        }
        self.send(time("2026-03-04T09:00:00Z"), &json!({"kind": "done", "by": "Lena", "duty": "p1_root_cause", "evidence": "the analysis is in the wiki"}));
    }
}

/// What a minute reads: 1,000 requests, split by the share.
fn reading(share: f64, canary: f64, live: f64) -> Value {
    let requests = [(1000.0 * share).round(), (1000.0 * (1.0 - share)).round()];
    let arm = |of: usize, value: Value| (["canary", "baseline"][of].to_owned(), value);
    let both = |each: &dyn Fn(usize, f64) -> Value| -> Value {
        let arms = (0..2).filter(|of| requests[*of] > 0.0);
        Value::Object(arms.map(|of| arm(of, each(of, requests[of]))).collect())
    };
    let rates = [canary, live];
    let bad = |of: usize, n: f64| (n * rates[of]).round();
    // A shock of the database fails no payment; the leak does.
    let unpaid = [if canary > 0.05 { canary } else { 0.002 }, 0.55];
    let failed = |of: usize, n: f64| (n * unpaid[of]).round();
    let slow = |of: usize| if rates[of] > 0.05 { 0.9 } else { 0.97 };
    json!({
        "error_rate": both(&|of, n| json!([bad(of, n), n])),
        "payment_success": both(&|of, n| json!([n - failed(of, n), n])),
        "latency_p95": both(&|of, n| json!({
            "le": [0.1, 0.25, 0.3, 0.5, 1.0],
            "counts": [(n * 0.7).floor(), (n * slow(of)).floor(), (n * 0.98).floor(), (n * 0.99).floor(), n],
            "count": n,
        })),
        "bug": both(&|of, _| json!([if of == 0 { 0 } else { 12 }, 60])),
        "request_volume": both(&|_, n| json!(n)),
    })
}

fn example(name: &str) -> String {
    tree::read(&tree::root().join("examples").join(name))
}

/// All recorded logs, by name.
pub(crate) fn logs() -> Vec<(String, String)> {
    let recorded = tree::files(&tree::root().join("hotfix-core/tests/logs"), &|path| {
        path.extension().is_some_and(|extension| extension == "jsonl")
    });
    let mut paths: Vec<PathBuf> = recorded;
    paths.push(tree::root().join("examples/expected/canary_rollback.jsonl"));
    let mut logs: Vec<(String, String)> =
        paths.iter().map(|path| (tree::shown(path), tree::read(path))).collect();
    logs.extend(Run::ALL.map(|run| (run.name().to_owned(), run.log())));
    logs
}

/// Every beginning of a log that ends with a line.
pub(crate) fn prefixes(log: &str) -> impl Iterator<Item = &str> {
    log.match_indices('\n').map(|(end, _)| &log[..=end])
}
