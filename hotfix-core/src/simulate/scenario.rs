//! A scenario: what a rollout meets, as a document.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::judge::Reason;
use crate::plan::{Incident, Plan, Release, Subject};
use crate::policy::Policy;
use crate::rollout::{RollbackCause, State};
use crate::unit::{MetricName, PhaseName, Span, Timestamp};

use super::document::{Reader, parse, unknown_metric};
use super::error::{SimulationErrors, SimulationFault};
use super::fault::Fault;
use super::health::{Health, MetricSpec};
use super::people::{People, Platform};
use super::run::Run;
use super::traffic::Traffic;

/// What a rollout meets: traffic, faults and people, drawn from a seed. `docs/simulation.md` has its keys.
///
/// ```
/// use hotfix_core::simulate::Scenario;
///
/// let scenario = Scenario::read(r#"
///     name = "twice the errors"
///     [[faults]]
///     kind = "errors"
///     times = 2.0
///     after = "5min"
/// "#)?;
/// assert_eq!(scenario.name(), "twice the errors");
/// let errors = Scenario::read("[[faults]]\nkind = \"erors\"\nafter = -1").unwrap_err();
/// let places: Vec<&str> = errors.iter().map(|error| error.path()).collect();
/// assert_eq!(places, ["/faults/0/kind", "/faults/0/after"]);
/// # Ok::<(), hotfix_core::simulate::SimulationErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    name: String,
    pub(super) seed: u64,
    pub(super) from: Timestamp,
    pub(super) lasts: Span,
    pub(super) after_end: bool,
    incident: Option<Value>,
    release: Option<Value>,
    pub(super) traffic: Traffic,
    metrics: BTreeMap<MetricName, MetricSpec>,
    pub(super) faults: Vec<Fault>,
    pub(super) people: People,
    pub(super) platform: Platform,
    expect: Expect,
}

/// What a drill is to come to; what is absent may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
struct Expect {
    ended: Vec<State>,
    reasons: Vec<Reason>,
    passed: Option<Vec<PhaseName>>,
    turned_back_within: Option<Span>,
    completed_within: Option<Span>,
    asked: Option<bool>,
    duties_missed: Option<u64>,
}

const KEYS: &[&str] = &[
    "name",
    "seed",
    "from",
    "until",
    "after_end",
    "incident",
    "release",
    "traffic",
    "metrics",
    "faults",
    "people",
    "platform",
    "expect",
];

const EXPECT: &[&str] = &[
    "ended",
    "reasons",
    "passed",
    "turned_back_within",
    "completed_within",
    "asked",
    "duties_missed",
];

/// A working day, when nobody says.
const FROM: &str = "2026-03-03T14:00:00.000Z";

impl Scenario {
    /// Reads TOML, or JSON where the text begins with a brace.
    ///
    /// # Errors
    /// All that is wrong, each with its place: `HF-SIM-001` to `HF-SIM-006`, `HF-SIM-008` and `HF-SIM-009`.
    pub fn read(text: &str) -> Result<Self, SimulationErrors> {
        Self::from_value(&parse(text)?)
    }

    /// Reads a document that is already parsed.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_value(document: &Value) -> Result<Self, SimulationErrors> {
        let mut reader = Reader::new();
        let read = Self::from_document(&mut reader, document);
        reader.errors.or(read)
    }

    pub(super) fn from_document(reader: &mut Reader, document: &Value) -> Option<Self> {
        let table = reader.table(document, KEYS)?;
        let subject = |reader: &mut Reader, value: &Value| {
            reader.open_table(value).map(|table| Value::Object(table.clone()))
        };
        Some(Self {
            name: reader.key(table, "name", Reader::text).unwrap_or_default(),
            seed: reader.key(table, "seed", Reader::seed).unwrap_or_default(),
            from: reader.key(table, "from", Reader::time).or_else(|| FROM.parse().ok())?,
            lasts: reader
                .key(table, "until", Reader::lasting)
                .unwrap_or(Span::from_seconds(8 * 3600)),
            after_end: reader.key(table, "after_end", Reader::flag).unwrap_or_default(),
            incident: reader.key(table, "incident", subject),
            release: reader.key(table, "release", subject),
            traffic: reader.key(table, "traffic", Traffic::read).unwrap_or(Traffic::PLAIN),
            metrics: reader.key(table, "metrics", read_metrics).unwrap_or_default(),
            faults: reader.list(table, "faults", Fault::read),
            people: reader.key(table, "people", People::read).unwrap_or_else(People::prompt),
            platform: reader.key(table, "platform", Platform::read).unwrap_or(Platform::USUAL),
            expect: reader.key(table, "expect", Expect::read).unwrap_or_default(),
        })
    }

    /// What people call it; may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The seed of its runs where none is given.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// When the first input comes.
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// The plan of a policy that meets this scenario: with its incident and release, or made-up ones of the gravest severity
    /// that the policy has.
    ///
    /// # Errors
    /// `HF-SIM-009` with what keeps the plan from being made.
    pub fn plan(&self, policy: Arc<Policy>) -> Result<Plan, SimulationErrors> {
        let severity = policy.severities().first().map(|level| level.severity);
        let incident = self.incident.clone().unwrap_or_else(|| match severity {
            Some(severity) => json!({ "id": "simulated", "severity": severity.as_str() }),
            None => json!({ "id": "simulated" }),
        });
        let release = self.release.clone();
        let release = release.unwrap_or_else(|| json!({ "version": "2", "previous": "1" }));
        let read = |path: &'static str, detail: String| {
            SimulationErrors::of(path, SimulationFault::NotTaken { detail })
        };
        let incident: Incident = serde_json::from_value(incident)
            .map_err(|error| read("/incident", format!("the incident: {error}")))?;
        let release: Release = serde_json::from_value(release)
            .map_err(|error| read("/release", format!("the release: {error}")))?;
        let mut subject = Subject { incident, release, ..Subject::default() };
        subject.traffic.requests_per_minute = self.traffic.requests.filter(|known| *known > 0.0);
        subject.traffic.instances = self.traffic.instances;
        Plan::try_new(policy, subject)
            .map_err(|error| read("", format!("{}: {error}", error.code())))
    }

    /// How each metric of a policy behaves where nothing is wrong, in the order of their names.
    pub(super) fn health(&self, plan: &Plan) -> Result<Vec<Health>, SimulationErrors> {
        let policy = plan.policy();
        let bug = plan.efficacy().map(|efficacy| efficacy.metric);
        let mut errors = SimulationErrors::new();
        for (name, spec) in &self.metrics {
            let path = format!("/metrics/{name}");
            let Some(metric) = policy.metrics().iter().find(|metric| metric.id == *name) else {
                errors.push(&path, unknown_metric(policy, *name));
                continue;
            };
            for key in spec.out_of_place(metric.kind) {
                let detail = format!("`{name}` is a {}: leave `{key}` out", metric.kind);
                errors.push(&format!("{path}/{key}"), SimulationFault::Meaningless { detail });
            }
        }
        for (index, fault) in self.faults.iter().enumerate() {
            let path = format!("/faults/{index}/metric");
            let Some(name) = fault.metric else { continue };
            match policy.metrics().iter().find(|metric| metric.id == name) {
                None => errors.push(&path, unknown_metric(policy, name)),
                Some(metric) if !fault.kind.fits(metric.kind) => {
                    let detail = format!(
                        "`{}` says nothing of `{name}`, which is a {}: name another metric",
                        fault.kind, metric.kind
                    );
                    errors.push(&path, SimulationFault::Meaningless { detail });
                }
                Some(_) => {}
            }
        }
        let plain = MetricSpec::default();
        let mut health: Vec<Health> = policy
            .metrics()
            .iter()
            .map(|metric| {
                let spec = self.metrics.get(&metric.id).unwrap_or(&plain);
                Health::new(metric, spec, bug == Some(metric.id))
            })
            .collect();
        health.sort_by_key(|health| health.id);
        errors.or(Some(health))
    }

    /// What a run did not come to that it should have, in sentences; empty where all was met.
    pub fn unmet(&self, run: &Run) -> Vec<String> {
        self.expect.unmet(run)
    }
}

fn read_metrics(reader: &mut Reader, value: &Value) -> Option<BTreeMap<MetricName, MetricSpec>> {
    let table = reader.open_table(value)?;
    let mut metrics = BTreeMap::new();
    for (name, value) in table {
        reader.within(name, |reader| {
            let name = reader.metric(&Value::from(name.as_str()))?;
            metrics.insert(name, MetricSpec::read(reader, value)?);
            Some(())
        });
    }
    Some(metrics)
}

impl Expect {
    fn read(reader: &mut Reader, value: &Value) -> Option<Self> {
        let table = reader.table(value, EXPECT)?;
        Some(Self {
            ended: reader.list(table, "ended", |reader, value| {
                reader.one_of(value, State::ALL, State::as_str)
            }),
            reasons: reader.list(table, "reasons", |reader, value| {
                reader.one_of(value, Reason::ALL, Reason::as_str)
            }),
            passed: table.contains_key("passed").then(|| {
                reader.list(table, "passed", |reader, value| {
                    let text = reader.text(value)?;
                    PhaseName::try_new(&text).map_or_else(
                        |error| {
                            reader.fail(SimulationFault::NotTaken { detail: error.to_string() })
                        },
                        Some,
                    )
                })
            }),
            turned_back_within: reader.key(table, "turned_back_within", Reader::span),
            completed_within: reader.key(table, "completed_within", Reader::span),
            asked: reader.key(table, "asked", Reader::flag),
            duties_missed: reader.key(table, "duties_missed", Reader::seed),
        })
    }

    fn unmet(&self, run: &Run) -> Vec<String> {
        let mut unmet = Vec::new();
        if !self.ended.is_empty() && !self.ended.contains(&run.ended) {
            unmet.push(format!("it ended `{}`, not {}", run.ended, listed(&self.ended)));
        }
        let causes = match &run.why {
            Some(RollbackCause::Verdict { causes }) => causes.as_slice(),
            _ => &[],
        };
        for reason in &self.reasons {
            if causes.iter().all(|cause| cause.reason != *reason) {
                unmet.push(format!("`{reason}` was not among the reasons to go back"));
            }
        }
        let passed: Vec<PhaseName> = run.passed.iter().map(|passed| passed.phase).collect();
        if self.passed.as_ref().is_some_and(|expected| *expected != passed) {
            unmet.push(format!("it passed {}", listed(&passed)));
        }
        let mut within = |what, wanted: Option<Span>, came: Option<Timestamp>| {
            let Some(wanted) = wanted else { return };
            let took = came.zip(run.started_at).map(|(came, start)| came.since(start));
            match took {
                Some(took) if took <= wanted => {}
                Some(took) => unmet.push(format!("{what} after {took}, not within {wanted}")),
                None => unmet.push(format!("it was never {what}")),
            }
        };
        within("turned back", self.turned_back_within, run.turned_back_at);
        within("complete", self.completed_within, run.completed_at);
        if self.asked.is_some_and(|wanted| wanted != (run.asked > 0)) {
            unmet.push(format!("people were asked {} times", run.asked));
        }
        if self.duties_missed.is_some_and(|wanted| wanted != u64::from(run.duties_missed)) {
            unmet.push(format!("{} duties were missed", run.duties_missed));
        }
        unmet
    }
}

fn listed<T: std::fmt::Display>(names: &[T]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { crate::text::quoted(names, ", ") }
}
