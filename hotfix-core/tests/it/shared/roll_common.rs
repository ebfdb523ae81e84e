//! The form of the cases in `cases/roll`, which `readings.toml` there describes. The runner of the C functions reads them
//! with this file, too.

#![allow(clippy::cast_possible_truncation, reason = "milliseconds of a few days")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::preset_common;

/// What happens to one rollout, and what must follow.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    #[serde(default = "preset")]
    pub(crate) policy: String,
    #[serde(default)]
    pub(crate) set: Vec<(String, Value)>,
    /// Keeps the policy's approvals and lists; else nothing holds the start, as most cases are about what comes after it.
    #[serde(default)]
    pub(crate) gates: bool,
    #[serde(default)]
    pub(crate) incident: Option<Value>,
    #[serde(default)]
    pub(crate) release: Option<Value>,
    #[serde(default)]
    pub(crate) traffic: Option<Value>,
    #[serde(default)]
    pub(crate) history: Option<History>,
    #[serde(default)]
    pub(crate) after: Option<String>,
    pub(crate) steps: Vec<Step>,
}

/// A made-up history: now and then one instance has a burst of events.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    metric: String,
    instances: usize,
    ticks: usize,
    trials: f64,
    every: usize,
    burst: f64,
}

impl History {
    /// As `plan` takes it.
    fn document(&self) -> Value {
        let of_instance = |n: usize| -> Value {
            let burst = |tick: usize| (tick + 7 * n).is_multiple_of(self.every);
            let events = |tick| if burst(tick) { self.burst } else { 0.0 };
            (0..self.ticks).map(|tick| json!([events(tick), self.trials])).collect()
        };
        let instances: serde_json::Map<String, Value> =
            (0..self.instances).map(|n| (format!("pod-{n}"), of_instance(n))).collect();
        json!({ self.metric.clone(): instances })
    }
}

/// One input, or the same one several times, and what follows from the last.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) at: f64,
    #[serde(default = "once")]
    pub(crate) times: u32,
    #[serde(default)]
    pub(crate) every: f64,
    pub(crate) input: Option<Value>,
    pub(crate) json: Option<String>,
    pub(crate) observe: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) refused: Option<String>,
    pub(crate) says: Option<String>,
    #[serde(default)]
    pub(crate) accepts: Vec<String>,
    pub(crate) state: Option<String>,
    pub(crate) phase: Option<String>,
    pub(crate) share: Option<f64>,
    pub(crate) decision: Option<String>,
    pub(crate) causes: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) modes: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) why: BTreeMap<String, String>,
    pub(crate) harm: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) actions: Option<Vec<String>>,
    pub(crate) pending: Option<Vec<String>>,
    pub(crate) lines: Option<usize>,
    #[serde(default)]
    pub(crate) repeated: bool,
    pub(crate) poll_at: Option<Value>,
    pub(crate) attempt: Option<u32>,
    pub(crate) takes: Option<Vec<String>>,
    pub(crate) asked_at: Option<f64>,
    pub(crate) shows: Option<preset_common::Case>,
    /// What messages are asked for; `shows` looks at them under `/messages`.
    #[serde(default)]
    pub(crate) messages: Vec<Value>,
    /// Parts of the report's page.
    #[serde(default)]
    pub(crate) report: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    observations: BTreeMap<String, Value>,
    #[serde(default)]
    preludes: BTreeMap<String, Vec<Step>>,
    case: Vec<Case>,
}

fn preset() -> String {
    "phased-canary".to_owned()
}

const fn once() -> u32 {
    1
}

/// 2026-03-03T14:40:00Z, from which `at` counts.
pub(crate) const START_MS: i64 = 1_772_548_800_000;

impl Case {
    /// Every case of a folder, with preludes and observations put in.
    pub(crate) fn load(folder: &Path) -> Vec<Self> {
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "toml"))
            .collect();
        paths.sort();
        paths
            .into_iter()
            .flat_map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                let file: File = toml::from_str(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                file.cases()
            })
            .collect()
    }

    /// The policy's document, changed as the case says.
    pub(crate) fn change(&self, document: &mut Value) {
        if !self.gates {
            open_gates(document);
        }
        for (pointer, value) in &self.set {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match document.pointer_mut(parent) {
                Some(Value::Object(table)) => {
                    table.insert(key.to_owned(), value.clone());
                }
                Some(Value::Array(list)) if key == "-" => list.push(value.clone()),
                Some(Value::Array(list)) => list[key.parse::<usize>().unwrap()] = value.clone(),
                _ => panic!("{}: nothing at `{parent}` to set `{key}` in", self.id),
            }
        }
    }

    /// The incident, the release and the traffic.
    pub(crate) fn subject(&self) -> [Value; 3] {
        // An empty text: there is no release.
        let release =
            self.release.clone().map(|release| if release == "" { Value::Null } else { release });
        let release = release.unwrap_or_else(|| {
            json!({
                "version": "2.3.1",
                "previous": "2.3.0",
                "methods": [{"kind": "feature_flag", "seconds": 5}, {"kind": "redeploy", "seconds": 150}],
            })
        });
        [
            self.incident.clone().unwrap_or_else(
                || json!({"id": "INC-2041", "service": "payments", "severity": "P1"}),
            ),
            release,
            self.traffic.clone().unwrap_or_else(|| json!({"requests_per_minute": 1000})),
        ]
    }

    /// The history that the plan is calibrated on; empty without one.
    pub(crate) fn calibration(&self) -> String {
        self.history.as_ref().map(|history| history.document().to_string()).unwrap_or_default()
    }
}

/// Takes out of a policy's document what holds the start and the end: the approvals, the rollback point, the moment of start
/// lists, and what lists of the final validation hold.
fn open_gates(document: &mut Value) {
    document["approvals"] = json!([]);
    document["rollback"]["point"] = json!(false);
    for level in document["severities"].as_object_mut().into_iter().flatten() {
        level.1["approvals"] = json!([]);
    }
    for list in document["checklists"].as_array_mut().into_iter().flatten() {
        if list["at"] == "start" {
            list["at"] = json!("before");
        }
        list.as_object_mut().unwrap().remove("holds");
    }
}

impl File {
    fn cases(self) -> Vec<Case> {
        let Self { observations, preludes, case } = self;
        let mut cases = case;
        for case in &mut cases {
            if let Some(name) = &case.after {
                let prelude = preludes.get(name).unwrap_or_else(|| panic!("no prelude {name}"));
                case.steps.splice(0..0, prelude.iter().cloned());
            }
            for step in &mut case.steps {
                if let Some(name) = step.observe.take() {
                    let metrics = observations.get(&name);
                    let metrics = metrics.unwrap_or_else(|| panic!("no observation {name}"));
                    step.input = Some(json!({"kind": "observe", "metrics": metrics}));
                }
            }
        }
        cases
    }
}

impl Step {
    /// When each of its inputs comes, in milliseconds since 1970.
    pub(crate) fn moments(&self) -> impl Iterator<Item = i64> {
        let millis = |seconds: f64| (seconds * 1e3).round() as i64;
        let (at, every) = (millis(self.at), millis(self.every));
        (0..i64::from(self.times)).map(move |n| START_MS + at + n * every)
    }

    /// As of when the duties are read.
    pub(crate) fn asked_at(&self, at: i64) -> i64 {
        self.asked_at.map_or(at, |seconds| START_MS + (seconds * 1e3).round() as i64)
    }

    /// The input's text; `head` stands for "$head".
    pub(crate) fn text(&self, head: &str) -> String {
        match (&self.json, &self.input) {
            (Some(json), _) => json.clone(),
            (None, Some(input)) => input.to_string().replace("$head", head),
            (None, None) => panic!("a step has `input`, `json` or `observe`"),
        }
    }
}

/// What was seen after a step, to be compared with what it says.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) error: Option<String>,
    pub(crate) refused: Option<String>,
    pub(crate) message: String,
    pub(crate) accepts: Vec<String>,
    pub(crate) state: String,
    pub(crate) phase: String,
    pub(crate) share: f64,
    pub(crate) verdict: Value,
    pub(crate) why: Value,
    pub(crate) harm: Value,
    pub(crate) table: String,
    pub(crate) actions: Value,
    pub(crate) pending: Value,
    pub(crate) lines: usize,
    pub(crate) repeated: bool,
    /// Milliseconds since 1970; none where nothing waits for time.
    pub(crate) poll_at: Option<i64>,
    pub(crate) attempt: u32,
    /// The kinds that the rollout takes afterwards.
    pub(crate) takes: Vec<String>,
    /// The last log line of this call.
    pub(crate) line: Value,
    pub(crate) duties: Value,
    /// The messages that are asked for: a text, a document, or the error's code and sentence.
    pub(crate) messages: Value,
    /// The report as Markdown, where the step has a part of it.
    pub(crate) report: String,
    /// What is on record for the start and after it, besides the actions.
    pub(crate) gates: Value,
}

/// The last line of a text of log lines; null where there is none.
pub(crate) fn last_line(lines: &str) -> Value {
    lines.lines().last().map_or(Value::Null, |line| serde_json::from_str(line).unwrap())
}

/// The interventions by their kind.
pub(crate) fn by_kind(interventions: &Value) -> Value {
    let interventions = interventions.as_array().map(Vec::as_slice).unwrap_or_default();
    let entry = |intent: &Value| (intent["kind"].as_str().unwrap().to_owned(), intent.clone());
    Value::Object(interventions.iter().map(entry).collect())
}

fn acts(actions: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = actions.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|a| format!("{} {}", text(&a["id"]), text(&a["kind"]))).collect()
}

fn causes(verdict: &Value) -> Vec<String> {
    let list = verdict["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|cause| {
            let parts = ["reason", "metric", "instance"].map(|part| cause[part].as_str());
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

impl Step {
    /// What does not come out as the step says.
    pub(crate) fn compare(&self, place: &str, seen: &Seen) -> Vec<String> {
        let mut faults = Vec::new();
        let mut differ = |what: &str, wanted: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            if format!("{wanted:?}") != format!("{got:?}") {
                faults.push(format!("{place}: {what} is {got:?}, expected {wanted:?}"));
            }
        };
        differ("error", &self.error, &seen.error);
        differ("refusal", &self.refused, &seen.refused);
        differ("repeated", &self.repeated, &seen.repeated);
        if let Some(state) = &self.state {
            differ("state", state, &seen.state);
        }
        if let Some(phase) = &self.phase {
            differ("phase", phase, &seen.phase);
        }
        if let Some(share) = self.share {
            differ("share", &share, &seen.share);
        }
        if let Some(decision) = &self.decision {
            differ("decision", decision, &seen.verdict["decision"].as_str().unwrap_or_default());
        }
        if let Some(wanted) = &self.causes {
            differ("causes", wanted, &causes(&seen.verdict));
        }
        for (metric, wanted) in &self.why {
            let metrics = seen.why["metrics"].as_array().map(Vec::as_slice).unwrap_or_default();
            let of_metric = metrics.iter().find(|m| m["metric"].as_str() == Some(metric));
            let said = of_metric.and_then(|m| m["sentence"].as_str()).unwrap_or_default();
            differ(metric, &wanted.as_str(), &said);
        }
        if let Some(harm) = &self.harm {
            differ("harm", &harm.as_str(), &seen.harm["lesser"].as_str().unwrap_or_default());
        }
        if let Some(table) = &self.table {
            differ("table", table, &seen.table);
        }
        for (metric, wanted) in &self.modes {
            let seen = &seen.verdict["metrics"][metric];
            let parts = ["mode", "guarantee"].map(|part| seen[part].as_str().unwrap_or_default());
            differ(&format!("mode of {metric}"), wanted, &parts.join(" "));
        }
        if let Some(wanted) = &self.actions {
            differ("actions", wanted, &acts(&seen.actions));
        }
        if let Some(wanted) = &self.pending {
            differ("pending", wanted, &acts(&seen.pending));
        }
        if let Some(lines) = self.lines {
            differ("lines", &lines, &seen.lines);
        }
        if let Some(wanted) = &self.poll_at {
            let seconds = |ms: i64| json!((ms - START_MS) as f64 / 1e3);
            let got = seen.poll_at.map_or_else(|| json!("never"), seconds);
            let wanted = wanted.as_f64().map_or_else(|| wanted.clone(), |seconds| json!(seconds));
            differ("poll_at", &wanted, &got);
        }
        if let Some(attempt) = self.attempt {
            differ("attempt", &attempt, &seen.attempt);
        }
        if let Some(takes) = &self.takes {
            differ("takes", takes, &seen.takes);
        }
        if let Some(shows) = &self.shows {
            let mut document = seen.gates.clone();
            document["actions"] = seen.actions.clone();
            document["line"] = seen.line.clone();
            document["verdict"] = seen.verdict.clone();
            document["duties"] = seen.duties.clone();
            document["messages"] = seen.messages.clone();
            faults.extend(shows.faults(&document).into_iter().map(|f| format!("{place}{f}")));
        }
        for part in &self.report {
            if !seen.report.contains(part.as_str()) {
                faults.push(format!("{place}: the report does not say {part:?}"));
            }
        }
        for kind in &self.accepts {
            if !seen.accepts.contains(kind) {
                faults.push(format!("{place}: `{kind}` is not among {:?}", seen.accepts));
            }
        }
        if let Some(part) = &self.says
            && !seen.message.contains(part.as_str())
        {
            faults.push(format!("{place}: {:?} does not say {part:?}", seen.message));
        }
        faults
    }
}
