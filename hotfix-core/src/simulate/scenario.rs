//! A scenario: the environment of a rollout as a document.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::canonical::tree_of;
use crate::document::{DocumentErrors, Node, ValueFault, document_table};
use crate::getters::getters;
use crate::judge::Reason;
use crate::plan::{Plan, PlanError, Subject};
use crate::policy::Policy;
use crate::rollout::{RollbackCause, State};
use crate::sorting::{map_of, sort_by_key};
use crate::text::{did_you_mean, nearest};
use crate::unit::{MetricName, PhaseName, Span, Timestamp};

use super::document::{ScenarioReader, parse, unknown_metric};
use super::environment::cadence;
use super::error::{SimulationErrors, SimulationFault};
use super::fault::Fault;
use super::feed::Feed;
use super::healthy_service::{HealthyService, MetricSpec};
use super::people::{People, Platform};
use super::run::Run;
use super::traffic::Traffic;

document_table! {
    ScenarioReader;
    /// A synthetic environment: traffic, faults and people, drawn from a random seed.
    /// `docs/simulation.md` has its keys.
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
        name: String = ScenarioReader::text, or String::new();
        pub(super) seed: u64 = ScenarioReader::seed, or 0;
        pub(super) from: Timestamp = ScenarioReader::time, or FROM.parse().unwrap_or_default();
        pub(super) lasts as "until": Span = ScenarioReader::lasting, or Span::from_seconds(8 * 3600);
        pub(super) after_end: bool = ScenarioReader::flag, or false;
        incident: Option<Value> = subject;
        release: Option<Value> = subject;
        pub(super) traffic: Traffic = Traffic::read, or Traffic::default();
        pub(super) feed: Option<Feed> = Feed::read;
        metrics: BTreeMap<MetricName, MetricSpec> = metrics, or BTreeMap::new();
        pub(super) faults: Vec<Fault> = Fault::read, list;
        pub(super) people: People = People::from_node, or_empty;
        pub(super) platform: Platform = Platform::from_node, or_empty;
        expect: Expect = Expect::from_node, or Expect::default();
    }
    /// The expected result of a drill. Absent members accept anything.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Expect {
        ended: Vec<State> = ScenarioReader::one_of, list;
        reasons: Vec<Reason> = ScenarioReader::one_of, list;
        passed: Option<Vec<PhaseName>> = phases;
        rolled_back_within: Option<Span> = ScenarioReader::span;
        completed_within: Option<Span> = ScenarioReader::span;
        asked: Option<bool> = ScenarioReader::flag;
        duties_missed: Option<u64> = ScenarioReader::seed;
    }
}

/// The default start, on a working day.
const FROM: &str = "2026-03-03T14:00:00.000Z";

getters! {
    pub Scenario: self;

    /// Its title. May be empty.
    name: &str = self.name.as_str();
    /// The default seed of its runs.
    seed: u64 = self.seed;
    /// The time of the first input.
    from: Timestamp = self.from;
}

impl Scenario {
    /// Reads TOML, or JSON if the text begins with a brace.
    ///
    /// # Errors
    /// All errors, each with its place.
    pub fn read(text: &str) -> Result<Self, SimulationErrors> {
        Self::from_document(&parse(text)?)
    }

    /// Reads a document that is already parsed.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_value(document: &Value) -> Result<Self, SimulationErrors> {
        let document = Node::from_value(document);
        document.check_depth().map_err(DocumentErrors::of_family)?;
        Self::from_document(&document)
    }

    pub(super) fn from_document(document: &Node) -> Result<Self, SimulationErrors> {
        ScenarioReader::new().read(document, Self::from_node)
    }

    /// The plan of a policy for this scenario: with its incident and release, or synthetic ones of
    /// the policy's most severe level.
    ///
    /// # Errors
    /// An error with the reason why the plan cannot be made.
    pub fn plan(&self, policy: Arc<Policy>) -> Result<Plan, SimulationErrors> {
        let severity = policy.severities().first().map(|level| level.severity);
        let incident = self.incident.clone().unwrap_or_else(|| match severity {
            Some(severity) => json!({ "id": "simulated", "severity": severity.as_str() }),
            None => json!({ "id": "simulated" }),
        });
        let release = self.release.clone();
        let release = release.unwrap_or_else(|| json!({ "version": "2", "previous": "1" }));
        let not_taken = |error: PlanError| match error {
            PlanError::Values { faults } => {
                let mut errors = SimulationErrors::new();
                for ValueFault { path, sentence: detail } in faults {
                    errors.push(&path, SimulationFault::NotTaken { detail });
                }
                errors
            }
            error => {
                let detail = format!("{}: {error}", error.code());
                SimulationErrors::of(&error.path(), SimulationFault::NotTaken { detail })
            }
        };
        let mut subject = Subject::from_values(incident, Some(release), None).map_err(not_taken)?;
        subject.traffic.requests_per_minute = self.traffic.requests.filter(|known| *known > 0.0);
        subject.traffic.instances = self.traffic.instances;
        Plan::try_new(policy, subject).map_err(not_taken)
    }

    /// The number of instances that serve the traffic, if known.
    pub(super) fn instances(&self, plan: &Plan) -> Option<u32> {
        self.traffic.instances.or(plan.subject().traffic.instances)
    }

    /// The behaviour of each metric of a policy without faults, in the order of their names.
    pub(super) fn health(&self, plan: &Plan) -> Result<Vec<HealthyService>, SimulationErrors> {
        let policy = plan.policy();
        let bug = plan.efficacy().map(|efficacy| efficacy.metric);
        let mut errors = SimulationErrors::new();
        for (name, spec) in &self.metrics {
            let path = format!("/metrics/{name}");
            let Some(metric) = policy.metric(name.as_str()) else {
                errors.push(&path, unknown_metric(policy, *name));
                continue;
            };
            for key in spec.out_of_place(metric.kind) {
                let detail = format!("`{name}` is a {}: omit `{key}`", metric.kind);
                errors.push(&format!("{path}/{key}"), SimulationFault::Meaningless { detail });
            }
        }
        for (index, fault) in self.faults.iter().enumerate() {
            let path = format!("/faults/{index}/metric");
            let Some(name) = fault.metric else { continue };
            match policy.metric(name.as_str()) {
                None => errors.push(&path, unknown_metric(policy, name)),
                Some(metric) if !fault.kind.fits(metric.kind) => {
                    let detail = format!(
                        "a fault `{}` does not change `{name}`, which is a {}: name another metric",
                        fault.kind, metric.kind
                    );
                    errors.push(&path, SimulationFault::Meaningless { detail });
                }
                Some(metric) if fault.to.is_some() && !metric.kind.is_fraction() => {
                    let detail =
                        format!("`to` is a share, and `{name}` is a {}: use `times`", metric.kind);
                    let path = format!("/faults/{index}/to");
                    errors.push(&path, SimulationFault::Meaningless { detail });
                }
                Some(_) => {}
            }
        }
        // A fault acts in whole ticks, or from scrape to scrape: a shorter one may fall between two.
        let tick = self.feed.map_or(cadence(policy), |feed| feed.every.min(cadence(policy)));
        let faults = (0..).zip(&self.faults);
        let lasting = faults.filter_map(|(n, of)| Some((format!("/faults/{n}/lasts"), of.lasts?)));
        let bursts = self.traffic.bursts.map(|of| ("/traffic/bursts/lasts".to_owned(), of.lasts));
        for (path, lasts) in lasting.chain(bursts).filter(|(_, lasts)| *lasts < tick) {
            let detail = format!(
                "{lasts} is shorter than a tick of {tick}, and it acts in whole ticks: give at least {tick}"
            );
            errors.push(&path, SimulationFault::Meaningless { detail });
        }
        for (index, phase) in self.expect.passed.iter().flatten().enumerate() {
            let phases = policy.phases().iter().map(|of| of.name.as_str());
            if !phases.clone().any(|known| known == phase.as_str()) {
                let did_you_mean = did_you_mean(nearest(phase.as_str(), phases));
                let detail = format!(
                    "the policy has no phase `{phase}`: {did_you_mean}correct it, or omit it"
                );
                let path = format!("/expect/passed/{index}");
                errors.push(&path, SimulationFault::NotTaken { detail });
            }
        }
        let plain = MetricSpec::default();
        let mut health: Vec<HealthyService> = policy
            .metrics()
            .iter()
            .map(|metric| {
                let spec = self.metrics.get(&metric.id).unwrap_or(&plain);
                HealthyService::new(metric, spec, bug == Some(metric.id), self.instances(plan))
            })
            .collect();
        sort_by_key(&mut health, |health| health.id);
        errors.or(Some(health))
    }

    /// The unmet expectations of a run, in sentences. Empty if all were met.
    pub fn unmet(&self, run: &Run) -> Vec<String> {
        self.expect.unmet(run)
    }
}

/// An incident or a release.
fn subject(reader: &mut ScenarioReader, value: &Node) -> Option<Value> {
    reader.table(value)?;
    Some(tree_of(value))
}

fn metrics(reader: &mut ScenarioReader, value: &Node) -> Option<BTreeMap<MetricName, MetricSpec>> {
    let metrics = reader.each_named(value, |reader, key, node| {
        Some((reader.metric_name(&Node::from(key))?, MetricSpec::from_node(reader, node)?))
    })?;
    Some(map_of(metrics))
}

fn phases(reader: &mut ScenarioReader, value: &Node) -> Option<Vec<PhaseName>> {
    reader.items(value, |reader, phase| {
        let phase = PhaseName::try_new(&reader.text(phase)?).map_err(|error| error.to_string());
        phase.map_or_else(|detail| reader.fail(SimulationFault::NotTaken { detail }), Some)
    })
}

impl Expect {
    fn unmet(&self, run: &Run) -> Vec<String> {
        let mut unmet = Vec::new();
        if !self.ended.is_empty() && !self.ended.contains(&run.ended) {
            unmet.push(format!("the run ended in `{}`, not in {}", run.ended, listed(&self.ended)));
        }
        let causes = match &run.why {
            Some(RollbackCause::Verdict { causes }) => causes.as_slice(),
            _ => &[],
        };
        for reason in &self.reasons {
            if causes.iter().all(|cause| cause.reason != *reason) {
                unmet.push(format!("`{reason}` was not among the reasons of the rollback"));
            }
        }
        let passed: Vec<PhaseName> = run.passed.iter().map(|passed| passed.phase).collect();
        if self.passed.as_ref().is_some_and(|expected| *expected != passed) {
            unmet.push(format!("the passed phases are {}", listed(&passed)));
        }
        let mut within = |what, wanted: Option<Span>, came: Option<Timestamp>| {
            let Some(wanted) = wanted else { return };
            let took = came.zip(run.started_at).map(|(came, start)| came.since(start));
            match took {
                Some(took) if took <= wanted => {}
                Some(took) => unmet.push(format!("{what} after {took}, not within {wanted}")),
                None => unmet.push(format!("the run was never {what}")),
            }
        };
        within("rolled back", self.rolled_back_within, run.rolled_back_at);
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
