//! The seam to the library: everything that the driver needs from it, and nothing else.
//!
//! PROVISIONAL: until `hotfix_core::Rollout` is merged, a small stand-in with fixed thresholds
//! decides here, so that the rest of the lab can be tried.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::lines::Judged;

/// What one input led to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Log lines, each with its line end, to be stored before anything is done.
    pub(crate) lines: String,
    /// Actions to carry out: objects with `id` and `kind`.
    pub(crate) actions: Vec<Value>,
    /// Decisions for people: what, and why.
    pub(crate) decisions: Vec<(String, String)>,
}

/// What the library declined, and why.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// Stable code.
    pub(crate) code: String,
    /// The reason, and what would be accepted.
    pub(crate) why: String,
    /// Log lines, where the refusal is logged.
    pub(crate) lines: String,
}

/// How the rollout stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// State.
    pub(crate) state: String,
    /// Name of the phase; empty before the first.
    pub(crate) phase: String,
    /// The canary's confirmed share of the traffic.
    pub(crate) share: f64,
    /// Seconds of Unix time until which the phase is watched, if known.
    pub(crate) until: Option<f64>,
    /// The last decision, once there is one.
    pub(crate) decision: Option<String>,
    /// The last verdict on each metric.
    pub(crate) judged: BTreeMap<String, Judged>,
}

/// What a rollout starts from.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The policy document, TOML.
    pub(crate) policy: String,
    /// Version to be replaced.
    pub(crate) baseline: String,
    /// The fix.
    pub(crate) canary: String,
    /// Requests per second.
    pub(crate) rate: f64,
}

/// A rollout.
#[derive(Debug)]
pub(crate) struct Engine {
    canary: String,
    baseline: String,
    events: usize,
    stage: usize,
    state: &'static str,
    since: f64,
    share: f64,
    pending: Vec<Value>,
    before: BTreeMap<String, Value>,
    l: BTreeMap<(String, &'static str), Vec<f64>>,
    judged: BTreeMap<String, Judged>,
    decision: Option<String>,
    shown: bool,
    message: String,
}

const PHASES: [(&str, f64, f64); 3] =
    [("canary", 0.1, 10.0), ("partial", 0.5, 10.0), ("full", 1.0, 15.0)];
const GRID: [f64; 4] = [2.0, 4.0, 8.0, 20.0];

impl Engine {
    /// A rollout that has not begun.
    pub(crate) fn try_new(setup: &Setup) -> anyhow::Result<Self> {
        Ok(Self {
            canary: setup.canary.clone(),
            baseline: setup.baseline.clone(),
            events: 0,
            stage: 0,
            state: "ready",
            since: 0.0,
            share: 0.0,
            pending: vec![],
            before: BTreeMap::new(),
            l: BTreeMap::new(),
            judged: BTreeMap::new(),
            decision: None,
            shown: false,
            message: setup.policy.chars().take(0).collect(),
        })
    }

    /// The rollout that `log` tells of, and how many bytes of it are whole lines.
    pub(crate) fn recover(setup: &Setup, log: &str) -> anyhow::Result<(Self, usize)> {
        let mut engine = Self::try_new(setup)?;
        let whole = log.rfind('\n').map_or(0, |i| i + 1);
        for line in log[..whole].lines() {
            let line: Value = serde_json::from_str(line).context("the log is damaged")?;
            let at = line["at"].as_f64().context("a line without time")?;
            let _ = engine.handle(at, &line["input"]);
        }
        Ok((engine, whole))
    }

    /// Inputs that bring a fresh rollout to its start.
    pub(crate) fn opening(&self) -> Vec<Value> {
        vec![json!({"kind": "start", "by": "lab"})]
    }

    /// Number of events so far.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Actions asked for and not confirmed.
    pub(crate) fn pending(&self) -> Vec<Value> {
        self.pending.clone()
    }

    /// Whether the driver's work is done.
    pub(crate) fn finished(&self) -> bool {
        matches!(self.state, "complete" | "rolled_back") && self.pending.is_empty()
    }

    /// When time alone changes something next, in seconds of Unix time.
    pub(crate) fn poll_at(&self) -> Option<f64> {
        None
    }

    /// Facts on the log for the report.
    pub(crate) fn facts(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("events".into(), self.events.to_string())])
    }

    /// How the rollout stands.
    pub(crate) fn view(&self) -> View {
        View {
            state: self.state.into(),
            phase: PHASES.get(self.stage).map_or("", |p| p.0).into(),
            share: self.share,
            until: (self.state == "monitoring")
                .then(|| self.since + PHASES.get(self.stage).map_or(0.0, |p| p.2)),
            decision: self.decision.clone(),
            judged: self.judged.clone(),
        }
    }

    fn act(&mut self, out: &mut Outcome, kind: &str, more: &Value) {
        let id = format!("{}-{}", self.events, out.actions.len());
        let mut action = json!({"id": id, "kind": kind});
        if let (Some(a), Some(m)) = (action.as_object_mut(), more.as_object()) {
            a.extend(m.clone());
        }
        out.actions.push(action.clone());
        if kind != "notify" {
            self.pending.push(action);
        }
    }

    /// Takes one input at `at` seconds of Unix time.
    pub(crate) fn handle(&mut self, at: f64, input: &Value) -> Result<Outcome, Refusal> {
        self.events += 1;
        let mut out = Outcome {
            lines: format!("{}\n", json!({"at": at, "input": input})),
            ..Outcome::default()
        };
        match input["kind"].as_str() {
            Some("start") => {
                self.state = "deploying";
                self.act(&mut out, "deploy", &json!({"version": self.canary}));
                self.act(
                    &mut out,
                    "notify",
                    &json!({"audience": "responders", "message": "deployment started"}),
                );
            }
            Some("confirm") => {
                let id = input["action"].clone();
                let Some(i) = self.pending.iter().position(|a| a["id"] == id) else {
                    return Err(Refusal {
                        code: "HF-X".into(),
                        why: "not pending".into(),
                        lines: String::new(),
                    });
                };
                let action = self.pending.remove(i);
                match action["kind"].as_str() {
                    Some("deploy") => {
                        let share = PHASES[self.stage].1;
                        self.act(&mut out, "set_traffic", &json!({"share": share}));
                    }
                    Some("set_traffic") => {
                        self.share = action["share"].as_f64().unwrap_or(0.0);
                        self.state = "monitoring";
                        self.since = at;
                    }
                    _ => {
                        self.share = 0.0;
                        self.state = "rolled_back";
                    }
                }
            }
            Some("observe") => self.observe(at, &input["metrics"], &mut out),
            _ => {}
        }
        Ok(out)
    }

    fn observe(&mut self, at: f64, metrics: &Value, out: &mut Outcome) {
        for (id, band_at) in [("error_rate", 0.05), ("bug", 1e9)] {
            let now = metrics[id].clone();
            let before = self.before.insert(id.into(), now.clone()).unwrap_or(Value::Null);
            let d = |arm: &str, i: usize| {
                now[arm][i].as_f64().unwrap_or(0.0) - before[arm][i].as_f64().unwrap_or(0.0)
            };
            let (xc, nc, xb, nb) =
                (d("canary", 0), d("canary", 1), d("baseline", 0), d("baseline", 1));
            let question = if id == "bug" { "efficacy" } else { "harm" };
            let l = self.l.entry((id.into(), question)).or_insert_with(|| vec![0.0; 4]);
            if nc > 0.0 && nb > 0.0 && self.state == "monitoring" {
                for (l, g) in l.iter_mut().zip(GRID) {
                    let (r0, g) = if question == "efficacy" { (0.5, 1.0 / g) } else { (1.0, g) };
                    *l += xc * g.ln() + (xc + xb) * ((r0 * nc + nb).ln() - (r0 * g * nc + nb).ln());
                }
            }
            let log_e = (l.iter().map(|l| 0.25 * l.exp()).sum::<f64>()).ln();
            let band = if nc > 0.0 && xc / nc > band_at { "rollback" } else { "success" };
            self.judged.insert(
                id.into(),
                Judged {
                    band: band.into(),
                    evidence: BTreeMap::from([(question.into(), log_e)]),
                    thresholds: BTreeMap::from([(question.into(), 100f64.ln())]),
                },
            );
            if self.state == "monitoring" && log_e > 100f64.ln() {
                if question == "efficacy" && !self.shown {
                    self.shown = true;
                    out.decisions.push(("efficacy_shown".into(), format!("bug log e {log_e:.1}")));
                } else if question == "harm" {
                    self.state = "rolling_back";
                    self.decision = Some("roll_back".into());
                    out.decisions.push(("roll_back".into(), format!("{id} log e {log_e:.1}")));
                    let version = self.baseline.clone();
                    self.act(
                        out,
                        "roll_back",
                        &json!({"method": "feature_flag", "version": version}),
                    );
                }
            }
        }
        if self.state == "monitoring" {
            self.decision = Some("continue".into());
            if at > self.since + PHASES[self.stage].2 {
                self.decision = Some("promote".into());
                self.stage += 1;
                if self.stage == 3 {
                    self.stage = 2;
                    self.state = "complete";
                    out.decisions.push(("complete".into(), self.message.clone()));
                } else {
                    self.state = "deploying";
                    out.decisions.push(("promote".into(), "no evidence of harm".into()));
                    self.act(out, "deploy", &json!({"version": self.canary}));
                }
            }
        }
    }
}
