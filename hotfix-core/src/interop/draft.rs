//! The draft of an imported policy, and the policy that is read from it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::finding::ImportFinding;
use super::reader::At;
use crate::grade::{MetricKind, Strategy, Worse};
use crate::policy::{Policy, PolicyErrors};
use crate::text::time;
use crate::unit::Span;

/// The preset whose values are used if a source has none.
pub(super) const PRESET: &str = "standard";
const NAME_MOST: usize = 31;

#[derive(Clone, Copy)]
pub(super) enum Limit {
    /// In the unit of the metric's kind, as written in policies.
    Figure(f64),
    /// A ratio to the live arm.
    OfLive(f64),
}

/// A metric with one worse side.
pub(super) struct MetricDraft {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) kind: MetricKind,
    pub(super) worse: Worse,
    pub(super) watched: bool,
    pub(super) success: Option<Limit>,
    pub(super) alert: Option<Limit>,
    pub(super) rollback: Option<Limit>,
    /// For a latency: the quantile, and boundaries in seconds.
    pub(super) latency: Option<(f64, Vec<f64>)>,
}

impl MetricDraft {
    pub(super) fn gauge(id: String, title: &str, worse: Worse) -> Self {
        Self {
            id,
            title: title.to_owned(),
            kind: MetricKind::Gauge,
            worse,
            watched: false,
            success: None,
            alert: None,
            rollback: None,
            latency: None,
        }
    }

    fn written(&self) -> Value {
        let bound = |limit: Limit| match limit {
            Limit::Figure(figure) => json!(figure),
            Limit::OfLive(ratio) => json!({ "ratio": ratio, "of": "live" }),
        };
        let mut metric = json!({
            "title": self.title,
            "kind": self.kind.as_str(),
            "worse": self.worse.as_str(),
            "role": if self.watched { "watch" } else { "decide" },
            "model": "none",
        });
        let bounds =
            [("success", self.success), ("alert", self.alert), ("rollback", self.rollback)];
        for (name, limit) in bounds {
            if let Some(limit) = limit {
                metric[name] = bound(limit);
            }
        }
        if let Some((quantile, boundaries)) = &self.latency {
            metric["quantile"] = json!(quantile);
            metric["boundaries"] = json!(boundaries);
        }
        metric
    }
}

pub(super) struct PhaseDraft {
    pub(super) name: String,
    /// A fraction.
    pub(super) share: f64,
    /// In seconds.
    pub(super) watch: f64,
    /// Whether a person promotes it.
    pub(super) manual: bool,
    pub(super) objective: String,
}

/// A policy under construction.
#[derive(educe::Educe)]
#[educe(Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) title: String,
    #[educe(Default = Strategy::Canary)]
    pub(super) strategy: Strategy,
    /// The phases; if there are none, those of the preset are used.
    pub(super) phases: Vec<PhaseDraft>,
    /// For a source without phases: the watch of the first one in seconds, and the least of the others.
    pub(super) lifetime: Option<f64>,
    pub(super) metrics: Vec<MetricDraft>,
    /// The cadence of observations, in seconds.
    #[educe(Default = 60.0)]
    pub(super) cadence: f64,
    #[educe(Default = 60.0)]
    pub(super) window: f64,
    #[educe(Default = 120.0)]
    pub(super) stale: f64,
    pub(super) warm_up: f64,
    #[educe(Default = 1.0)]
    pub(super) consecutive_breaches: f64,
    #[educe(Default = (300.0, "ask"))]
    pub(super) no_data: (f64, &'static str),
    #[educe(Default = "hold")]
    pub(super) alert: &'static str,
    /// The response to a missed success bound.
    #[educe(Default = "hold")]
    pub(super) missed: &'static str,
    /// The response to a report that a health check has failed.
    #[educe(Default = "ask")]
    pub(super) failed_check: &'static str,
    /// Most time of a deployment, in seconds.
    pub(super) deploying: Option<f64>,
    /// The versions to which a person may revert.
    #[educe(Default = "any")]
    pub(super) revert: &'static str,
    /// Whether a person may promote before the end of a phase.
    pub(super) early: bool,
    /// Checklist items that the start waits for.
    pub(super) before: Vec<String>,
    pub(super) duties: Vec<Value>,
    /// The ids in use, each with the next number to try for a duplicate.
    names: BTreeMap<String, usize>,
}

impl Draft {
    pub(super) fn new(name: &str, title: String) -> Self {
        Self { name: legal(name, "imported"), title, ..Self::default() }
    }

    /// A valid id that no other metric has.
    pub(super) fn id(&mut self, name: &str) -> String {
        let stem = legal(name, "metric");
        let Some(mut number) = self.names.get(&stem).copied() else {
            self.names.insert(stem.clone(), 2);
            return stem;
        };
        // Continues from the last duplicate, so that thousands of them are not a quadratic search.
        let id = loop {
            let id = ended(&stem, &format!("_{number}"));
            number += 1;
            if !self.names.contains_key(&id) {
                break id;
            }
        };
        self.names.insert(stem, number);
        self.names.insert(id.clone(), 2);
        id
    }

    /// Two gauges for a metric with bounds on both sides, with the finding about it.
    pub(super) fn two_gauges(&mut self, at: &At<'_>, name: &str) -> [MetricDraft; 2] {
        let stem = legal(name, "metric");
        let sides = [("low", Worse::Lower), ("high", Worse::Higher)].map(|(side, worse)| {
            let id = self.id(&ended(&stem, &format!("_{side}")));
            MetricDraft::gauge(id, &format!("{name} ({side})"), worse)
        });
        let [below, above] = [&sides[0], &sides[1]].map(|side| side.id.clone());
        at.remark(ImportFinding::TwoSided { name: crate::text::shown(name), below, above });
        sides
    }

    /// A valid id that no other metric has. Adds a finding if it differs from the name.
    pub(super) fn id_at(&mut self, at: &At<'_>, name: &str) -> String {
        let id = self.id(name);
        if id != name {
            let is_taken = self.names.contains_key(name);
            let why = if is_taken { "is another metric's id" } else { "cannot be a metric's id" };
            let from = crate::text::shown(name);
            at.remark(ImportFinding::Renamed { from, why, to: id.clone() });
        }
        id
    }

    /// The shortest watch of a phase that no person ends, in seconds.
    pub(super) fn shortest_watch(&self) -> f64 {
        if self.phases.is_empty() {
            let preset = Policy::preset(PRESET);
            let phases = preset.as_ref().map_or(&[][..], Policy::phases);
            let watches = phases.iter().map(|phase| phase.watch.as_seconds());
            watches.fold(f64::INFINITY, f64::min)
        } else {
            let by_itself = self.phases.iter().filter(|phase| !phase.manual);
            by_itself.map(|phase| phase.watch).fold(f64::INFINITY, f64::min)
        }
    }

    /// The last phase for a tool that does not watch all traffic.
    pub(super) fn last_phase(&mut self, at: &At<'_>, tool: &'static str) {
        let before = self.phases.last().map_or(0.0, |phase| phase.share);
        if before >= 1.0 {
            return;
        }
        // At least one evaluation after the warm-up.
        let watch = self.warm_up + self.cadence;
        let before = percent(before);
        at.remark(ImportFinding::LastPhase { tool, before, watch: seconds(watch) });
        self.phase(1.0, watch, false, "it reaches all users");
    }

    pub(super) fn phase(&mut self, share: f64, watch: f64, manual: bool, objective: &str) {
        let name = format!("step_{}", self.phases.len() + 1);
        let objective = objective.to_owned();
        self.phases.push(PhaseDraft { name, share, watch, manual, objective });
    }

    pub(super) fn decides(&self) -> bool {
        self.metrics.iter().any(|metric| !metric.watched)
    }

    /// Adds one finding for each setting that a policy needs and no tool has.
    pub(super) fn complete(&mut self, at: &At<'_>) {
        if self.metrics.is_empty() {
            at.remark(ImportFinding::NothingDecides {});
            let mut metric = MetricDraft::gauge(self.id("error_rate"), "error rate", Worse::Higher);
            metric.watched = true;
            self.metrics.push(metric);
        } else if !self.decides() {
            at.differs("no metric decides", "a person is asked at the end of each phase");
        }
        let put = |what, value: &str| {
            at.remark(ImportFinding::Completed { what, value: value.to_owned() });
        };
        if self.phases.is_empty() {
            put("the phases of the rollout", "those of `standard`");
        } else {
            let steps = match self.deploying {
                Some(_) => "the deployment time of a further step",
                None => "the deployment time of a step",
            };
            put(steps, "that of `standard`'s first phase");
        }
        put("the watch after a rollback and the final validation", "those of `standard`");
        put("approvals and severities", "none: combine it with a policy that has them");
        if self.rolls_back() {
            at.differs(
                "only the new version is measured",
                "somebody is paged after a rollback, because no reading shows that the live version is as before: send its readings as `baseline`, also before the start",
            );
        }
    }

    /// Whether a reading of the new version alone can roll back.
    fn rolls_back(&self) -> bool {
        let alone = |metric: &MetricDraft| matches!(metric.rollback, Some(Limit::Figure(_)));
        self.metrics.iter().any(|metric| !metric.watched && alone(metric))
    }

    pub(super) fn policy(&self) -> Result<Policy, PolicyErrors> {
        let preset = Policy::preset(PRESET)?;
        let rollback = preset.rollback();
        let deploy = preset.phases().first().map_or(120.0, |phase| phase.deploy.as_seconds());
        let mut phases: Vec<Value> = Vec::new();
        let mut phase = |name: &str, objective: &str, share: f64, deploy: f64, watch, gate| {
            phases.push(json!({
                "name": name, "objective": objective, "share": share, "deploy": deploy,
                "watch": watch, "criteria_missed": self.missed,
                "promotion": "no_evidence_of_harm", "gate": gate, "early_promotion": self.early,
            }));
        };
        for (index, own) in self.phases.iter().enumerate() {
            let gate = if own.manual { "manual" } else { "automatic" };
            // Whoever deploys is asked after twice the expected time.
            let deadline = self.deploying.filter(|_| index == 0);
            let deploy = deadline.map_or(deploy, |deadline| deadline / 2.0);
            phase(&own.name, &own.objective, own.share, deploy, own.watch, gate);
        }
        for (index, known) in preset.phases().iter().enumerate().filter(|_| self.phases.is_empty())
        {
            let watch = known.watch.as_seconds();
            let least = if index == 0 { 0.0 } else { watch };
            let watch = self.lifetime.map_or(watch, |lifetime| lifetime.max(least));
            // At least one evaluation after the warm-up.
            let watch = watch.max(self.warm_up + self.cadence);
            let (share, deploy) = (known.share.as_fraction(), known.deploy.as_seconds());
            phase(known.name.as_str(), &known.objective, share, deploy, watch, "automatic");
        }
        let metrics: Map<String, Value> =
            self.metrics.iter().map(|metric| (metric.id.clone(), metric.written())).collect();
        let mut document = json!({
            "format": 1,
            "name": self.name,
            "title": self.title,
            "strategy": self.strategy.as_str(),
            "phases": phases,
            "final_validation": {
                "watch": preset.final_validation().watch,
                "gate": preset.final_validation().gate.as_str(),
            },
            "watch": {
                "cadence": self.cadence,
                "window": self.window.max(self.cadence),
                "stale": self.stale.max(self.cadence),
                "warm_up": self.warm_up,
                // The tools judge any number of trials.
                "least_trials": 1,
                "consecutive_breaches": self.consecutive_breaches.max(1.0),
                "alert": self.alert,
                "no_data": { "after": self.no_data.0, "then": self.no_data.1 },
            },
            "rollback": {
                "watch": rollback.watch,
                "returned_within": rollback.returned_within,
                "revert": self.revert,
            },
            "metrics": metrics,
            "triggers": { "health_check_failed": self.failed_check },
            "duties": self.duties,
        });
        if let Some(most) = self.deploying {
            document["deploying"] = json!({ "most": most });
        }
        if !self.before.is_empty() {
            let item = |(index, text): (usize, &String)| json!({ "id": format!("before_{}", index + 1), "text": text });
            let items: Vec<Value> = self.before.iter().enumerate().map(item).collect();
            document["checklists"] = json!([{ "id": "before", "title": "Before the start", "at": "start", "items": items }]);
        }
        Policy::from_value(&document)
    }
}

/// A valid name in a policy: lower-case letters, digits, `_` and `-`, a letter first.
fn legal(name: &str, otherwise: &str) -> String {
    let mut legal: String = name
        .chars()
        .take(NAME_MOST)
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if matches!(c, 'a'..='z' | '0'..='9' | '-') { c } else { '_' })
        .collect();
    if legal.trim_matches(['_', '-']).is_empty() {
        otherwise.clone_into(&mut legal);
    } else if !legal.starts_with(|c: char| c.is_ascii_lowercase()) {
        legal.insert_str(0, "m_");
        legal.truncate(NAME_MOST);
    }
    legal
}

/// A name with a suffix, cut so that it stays valid.
fn ended(name: &str, ending: &str) -> String {
    let most = NAME_MOST.saturating_sub(ending.len());
    format!("{}{ending}", name.chars().take(most).collect::<String>())
}

/// A figure computed from decimals, without rounding noise.
pub(super) fn decimal(figure: f64) -> f64 {
    let rounded = (figure * 1e12).round() / 1e12;
    // Larger figures have no such noise.
    if rounded.is_finite() && figure.abs() < 1e3 { rounded } else { figure }
}

pub(super) fn percent(fraction: f64) -> String {
    crate::text::figure(fraction * 100.0, 6)
}

/// Seconds as a readable duration.
pub(super) fn seconds(seconds: f64) -> String {
    Span::try_from_seconds(seconds).map_or_else(|_| format!("{seconds}s"), time)
}
