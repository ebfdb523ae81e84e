//! The form of the cases in `cases/train`, which `trains.toml` there describes. The runner of the C functions reads them
//! with this file, too.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) order: Vec<OrderCase>,
    pub(crate) case: Vec<Case>,
}

/// Services that make no train.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderCase {
    pub(crate) id: String,
    pub(crate) services: Vec<String>,
    #[serde(default)]
    pub(crate) after: String,
    pub(crate) error: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    says: String,
}

/// What happens to a train, and what must follow.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) services: Vec<String>,
    #[serde(default)]
    pub(crate) after: String,
    #[serde(default)]
    pub(crate) schema: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    at: i64,
    #[serde(default)]
    pub(crate) service: String,
    input: Option<Value>,
    to: Option<String>,
    result: Option<String>,
    #[serde(default)]
    tick: bool,
    #[serde(default)]
    settle: bool,
    refused: Option<String>,
    #[serde(default)]
    says: String,
    #[serde(default)]
    says_in_log: String,
    moves: Option<Vec<String>>,
    findings: Option<Vec<String>>,
    state: Option<String>,
    next: Option<Vec<String>>,
    #[serde(default)]
    places: BTreeMap<String, String>,
    #[serde(default)]
    waits: BTreeMap<String, Vec<String>>,
    poll: Option<i64>,
}

/// 2026-03-03T14:40:00Z, from which `at` counts.
pub(crate) const START_MS: i64 = 1_772_548_800_000;

/// What a call on a train shows, as JSON.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) refused: Option<String>,
    pub(crate) message: String,
    /// `moves` and `findings` as the core writes them.
    pub(crate) moves: Value,
    pub(crate) findings: Value,
}

/// A train as a runner drives it.
pub(crate) trait Driver {
    fn handle(&mut self, at_ms: i64, service: &str, input: &Value) -> Seen;
    fn tick(&mut self, at_ms: i64) -> Seen;
    fn settle(&mut self, at_ms: i64) -> Seen;
    /// The oldest action that a service waits for.
    fn pending(&self, service: &str) -> Option<String>;
    fn state(&self) -> String;
    /// The standings, as the core writes them.
    fn services(&self) -> Value;
    fn next(&self) -> Vec<String>;
    fn poll_at(&self) -> Option<i64>;
}

impl File {
    pub(crate) fn load(folder: &Path) -> Self {
        let path = folder.join("cases/train/trains.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl OrderCase {
    pub(crate) fn compare(&self, code: &str, path: &str, message: &str) -> Vec<String> {
        let path_fits = self.path.as_ref().is_none_or(|wanted| wanted == path);
        if code == self.error && path_fits && message.contains(&self.says) {
            return Vec::new();
        }
        vec![format!("{}: {code} at {path}: {message}", self.id)]
    }
}

impl Case {
    /// Incident, release and traffic of a service.
    pub(crate) fn parts(&self, service: &str) -> [String; 3] {
        let traffic = if self.schema.iter().any(|changed| changed == service) {
            json!({"schema_change": true})
        } else {
            json!({})
        };
        [
            json!({"id": "INC-2041", "service": service}).to_string(),
            json!({"version": "2.3.1", "previous": "2.3.0"}).to_string(),
            traffic.to_string(),
        ]
    }

    /// Runs every step.
    pub(crate) fn run<D: Driver>(&self, train: &mut D) -> Vec<String> {
        let mut faults = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            let seen = step.take(train);
            faults.extend(step.compare(&format!("{}, step {number}", self.id), &seen, train));
        }
        faults
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

impl Step {
    fn take<D: Driver>(&self, train: &mut D) -> Seen {
        let at = START_MS + self.at * 1_000;
        let service = &self.service;
        if self.tick {
            return train.tick(at);
        }
        if self.settle {
            return train.settle(at);
        }
        if let Some(input) = &self.input {
            return train.handle(at, service, input);
        }
        if let Some(result) = &self.result {
            let action = train.pending(service).unwrap_or_default();
            let input = json!({"kind": result, "by": "tool", "action": action});
            return train.handle(at, service, &input);
        }
        let to = self.to.as_deref().unwrap_or_else(|| panic!("a step that does nothing"));
        let mut seen = train.handle(at, service, &json!({"kind": "start", "by": "lena"}));
        while let Some(action) = train.pending(service) {
            let input = json!({"kind": "confirm", "by": "tool", "action": action});
            seen = train.handle(at, service, &input);
        }
        for look in 1..=if to == "complete" { 2 } else { 0 } {
            let healthy = json!({"error_rate": {"canary": [0, 100]}});
            let input = json!({"kind": "observe", "metrics": healthy});
            seen = train.handle(at + look * 60_000, service, &input);
        }
        let mut own = list(&seen.moves).iter().filter(|made| text(made, "service") == *service);
        let reached = own.next_back().map(|made| text(made, "state").to_owned());
        assert_eq!(reached.as_deref(), Some(to), "{service}: {seen:?}");
        seen
    }

    fn compare<D: Driver>(&self, place: &str, seen: &Seen, train: &D) -> Vec<String> {
        let mut faults = Vec::new();
        let mut differ = |what: &str, wanted: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            if format!("{wanted:?}") != format!("{got:?}") {
                faults.push(format!("{place}: {what} is {got:?}, expected {wanted:?}"));
            }
        };
        differ("refusal", &self.refused, &seen.refused);
        let told = |made: &Value| {
            let by_train = if made["by_train"] == true { " train" } else { "" };
            format!("{} {}{by_train}", text(made, "service"), text(made, "state"))
        };
        let moves: Vec<String> = list(&seen.moves).iter().map(told).collect();
        if let Some(wanted) = &self.moves {
            differ("moves", wanted, &moves);
        }
        let told =
            |finding: &Value| format!("{} {}", text(finding, "code"), text(finding, "service"));
        let findings: Vec<String> = list(&seen.findings).iter().map(told).collect();
        if let Some(wanted) = &self.findings {
            differ("findings", wanted, &findings);
        }
        let sentences: String =
            list(&seen.findings).iter().map(|finding| text(finding, "message")).collect();
        if !seen.message.contains(&self.says) && !sentences.contains(&self.says) {
            differ("says", &self.says, &(&seen.message, &sentences));
        }
        let lines: String = list(&seen.moves).iter().map(|made| text(made, "events")).collect();
        if !lines.contains(&self.says_in_log) {
            differ("log", &self.says_in_log, &lines);
        }
        if let Some(wanted) = &self.state {
            differ("state", wanted, &train.state());
        }
        if let Some(wanted) = &self.next {
            differ("next", wanted, &train.next());
        }
        if let Some(wanted) = self.poll {
            let poll = train.poll_at().map(|at| (at - START_MS) / 1_000);
            differ("poll", &Some(wanted), &poll);
        }
        let services = train.services();
        let of = |service: &str| {
            list(&services).iter().find(|s| text(s, "service") == service).cloned().unwrap()
        };
        for (service, wanted) in &self.places {
            differ(service, &wanted.as_str(), &text(&of(service), "place"));
        }
        for (service, wanted) in &self.waits {
            let mut waits: Vec<String> = list(&of(service)["waits_for"])
                .iter()
                .map(|w| w.as_str().unwrap().to_owned())
                .collect();
            waits.sort();
            let mut wanted = wanted.clone();
            wanted.sort();
            differ(service, &wanted, &waits);
        }
        faults
    }
}
