//! The scenario of the docs, driven tick by tick.

use std::sync::Arc;

use hotfix_core::metric::Observation;
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Input, Recording, Refusal, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};

use crate::ready;

pub(crate) const RELEASE: &str = r#"{"version":"2.3.1","previous":"2.3.0","methods":[{"kind":"redeploy","seconds":150},{"kind":"feature_flag","seconds":5}]}"#;

/// INC-2041 under a preset, 1,000 requests a minute, a look every ten seconds.
pub(crate) struct Story {
    pub(crate) rollout: Rollout,
    pub(crate) at: Timestamp,
    pub(crate) inputs: Vec<(Timestamp, Input)>,
    tick: u64,
}

impl Story {
    pub(crate) fn new(preset: &str, recording: Recording) -> Self {
        Self::of(Policy::preset(preset).unwrap(), recording)
    }

    pub(crate) fn of(policy: Policy, recording: Recording) -> Self {
        let incident = r#"{"id":"INC-2041","service":"payments","severity":"P1"}"#;
        Self::about(policy, recording, incident, RELEASE)
    }

    /// The same of another incident, and of another release.
    pub(crate) fn about(
        policy: Policy,
        recording: Recording,
        incident: &str,
        release: &str,
    ) -> Self {
        let traffic = r#"{"requests_per_minute":1000}"#;
        let plan = Plan::from_json(Arc::new(policy), incident, release, traffic).unwrap();
        Self {
            rollout: Rollout::try_new(plan, recording, "pepper").unwrap(),
            at: "2026-03-03T14:40:00Z".parse().unwrap(),
            inputs: Vec::new(),
            tick: 0,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.rollout.state()
    }

    pub(crate) fn input(&mut self, text: &str) {
        self.at = self.at + Span::from_millis(1);
        let input = Input::from_json(text).unwrap();
        self.rollout.handle(self.at, &input).unwrap();
        self.inputs.push((self.at, input));
    }

    pub(crate) fn refused(&mut self, text: &str) -> Refusal {
        self.rollout.handle(self.at, &Input::from_json(text).unwrap()).unwrap_err()
    }

    /// Goes through what the end of the final validation waits for.
    pub(crate) fn check_the_end(&mut self) {
        for input in ready::at_the_end(&self.rollout) {
            self.input(&input.to_string());
        }
    }

    /// Gives every approval and settles every item that the start waits for.
    pub(crate) fn make_ready(&mut self) {
        while let Some(input) = ready::next(&self.rollout) {
            self.input(&input.to_string());
        }
    }

    pub(crate) fn start(&mut self) {
        self.make_ready();
        self.input(r#"{"kind":"start","by":"lena"}"#);
        self.confirm_all();
    }

    pub(crate) fn pending(&self) -> String {
        self.rollout.pending_actions().first().map(|a| a.id.to_string()).unwrap_or_default()
    }

    pub(crate) fn confirm_all(&mut self) {
        while !self.pending().is_empty() {
            let id = self.pending();
            self.input(&format!(r#"{{"kind":"confirm","by":"tool","action":"{id}"}}"#));
        }
    }

    /// Confirms what is pending, at this time.
    pub(crate) fn confirm_all_at(&mut self, at: Timestamp) {
        while let Some(action) = self.rollout.pending_actions().first() {
            let text = format!(r#"{{"kind":"confirm","by":"tool","action":"{}"}}"#, action.id);
            self.rollout.handle(at, &Input::from_json(&text).unwrap()).unwrap();
        }
    }

    pub(crate) fn observe(&mut self, what: fn(f64, u64) -> String) {
        self.at = self.at + Span::from_seconds(10);
        self.tick += 1;
        let metrics: Observation =
            serde_json::from_str(&what(self.rollout.share().as_fraction(), self.tick)).unwrap();
        let input = Input::observe(metrics);
        self.rollout.handle(self.at, &input).unwrap();
        self.inputs.push((self.at, input));
    }

    pub(crate) fn run(&mut self, ticks: usize, what: fn(f64, u64) -> String) {
        for _ in 0..ticks {
            self.observe(what);
        }
    }

    /// Ticks until the state is reached.
    pub(crate) fn run_until(
        &mut self,
        most: usize,
        what: fn(f64, u64) -> String,
        state: State,
    ) -> usize {
        for tick in 1..=most {
            self.observe(what);
            if self.state() == state {
                return tick;
            }
        }
        panic!("{state} was not reached in {most} ticks: {:?}", self.rollout.verdict());
    }

    pub(crate) fn tick(share: f64, error: f64, bug: [u64; 2], slow: bool) -> String {
        let (canary, baseline) = ((2000.0 * share).round(), (2000.0 * (1.0 - share)).round());
        let errors = |n: f64, rate: f64| (n * rate).floor();
        let histogram = |n: f64, slow: bool| {
            let at = |q: f64| (n * q).floor();
            if slow {
                format!(
                    r#"{{"le":[0.1,0.25,0.3,0.5,1.0],"counts":[{},{},{},{},{}],"count":{n}}}"#,
                    at(0.2),
                    at(0.5),
                    at(0.6),
                    at(0.9),
                    n
                )
            } else {
                format!(
                    r#"{{"le":[0.1,0.25,0.3,0.5,1.0],"counts":[{},{},{},{},{}],"count":{n}}}"#,
                    at(0.7),
                    at(0.97),
                    at(0.98),
                    at(0.99),
                    n
                )
            }
        };
        let arms = |c: String, b: String| {
            if share >= 1.0 {
                format!(r#"{{"canary":{c}}}"#)
            } else {
                format!(r#"{{"canary":{c},"baseline":{b}}}"#)
            }
        };
        format!(
            r#"{{"error_rate":{},"payment_success":{},"latency_p95":{},"bug":{},"request_volume":{}}}"#,
            arms(
                format!("[{},{canary}]", errors(canary, error)),
                format!("[{},{baseline}]", errors(baseline, 0.003))
            ),
            arms(
                format!("[{},{canary}]", canary - errors(canary, error)),
                format!("[{},{baseline}]", errors(baseline, 0.45))
            ),
            arms(histogram(canary, slow), histogram(baseline, false)),
            arms(format!("[{},10]", bug[0]), format!("[{},10]", bug[1])),
            arms(format!("{}", 1000.0 * share), format!("{}", 1000.0 * (1.0 - share))),
        )
    }

    pub(crate) fn healthy(share: f64, _: u64) -> String {
        Self::tick(share, 0.002, [0, 12], false)
    }

    pub(crate) fn failing(share: f64, _: u64) -> String {
        Self::tick(share, 0.06, [0, 12], false)
    }

    pub(crate) fn swapped(share: f64, _: u64) -> String {
        Self::tick(1.0 - share, 0.06, [0, 12], false)
    }

    pub(crate) fn after_rollback(_: f64, _: u64) -> String {
        r#"{"error_rate":{"baseline":[6,2000]},"payment_success":{"baseline":[900,2000]},"bug":{"baseline":[13,10]}}"#.to_owned()
    }
}
