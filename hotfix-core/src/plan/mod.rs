//! The plan of one hot-fix: a policy, an incident, a release and its traffic.

mod calibration;
mod timeline;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::{CanonicalError, Digest, digest};
use crate::grade::{EvidenceMode, RollbackMethod, Severity, Strategy};
use crate::policy::Policy;
use crate::policy::section::Efficacy;
use crate::stats::StatError;
use crate::unit::{MetricName, Span, Timestamp};

pub use calibration::{Histories, MetricCalibration, PhaseCalibration};
pub use timeline::TimelineStep;

/// What is to be done, agreed before anything is deployed. Immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    policy: Arc<Policy>,
    subject: Subject,
    methods: Vec<Method>,
    efficacy: Option<Efficacy>,
    calibrations: BTreeMap<MetricName, MetricCalibration>,
    digest: Digest,
}

/// What the plan is about, besides the policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What is broken.
    pub incident: Incident,
    /// What mends it.
    pub release: Release,
    /// How much traffic there is.
    #[serde(default)]
    pub traffic: Traffic,
}

/// An incident as far as it is known (SEV-2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// `INC-2041`.
    pub id: String,
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// One line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Facts by name; what is absent is unknown.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Timestamp>,
    /// When it was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    /// How bad it is, where that is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// The release that mends it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `2.3.1`.
    pub version: String,
    /// The version to go back to: `2.3.0`.
    pub previous: String,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The ways back at hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    /// The diff's figures, as `git diff --numstat` prints them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numstat: Option<String>,
    /// The metric that counts the bug itself; without it the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug_metric: Option<MetricName>,
}

/// A way back and how long it takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Which.
    pub kind: RollbackMethod,
    /// How long it takes; unknown ways are tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Span>,
}

/// The service's traffic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Requests a minute over all arms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<f64>,
    /// How many instances serve them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<u32>,
    /// How many of them run the canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_instances: Option<u32>,
    /// Feature flags are at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<bool>,
    /// The release changes a schema and cannot simply go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_change: Option<bool>,
}

/// A plan that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Incident, release or traffic cannot be read.
    #[error("the {document} cannot be read: {fault}")]
    Syntax {
        /// Which document.
        document: &'static str,
        /// What is wrong.
        fault: String,
    },
    /// A text that must be there is empty.
    #[error("`{field}` is empty: give it a value")]
    Empty {
        /// The field, as a JSON Pointer.
        field: &'static str,
    },
    /// The release is the version it would go back to.
    #[error(
        "`{version}` is both the release and the version to go back to: name the version before it"
    )]
    SameVersion {
        /// The version.
        version: String,
    },
    /// The bug's metric is not in the policy, or has no test.
    #[error(
        "the policy has no tested metric `{metric}` to show that the fix works: name one of {known}"
    )]
    BugMetric {
        /// What came.
        metric: MetricName,
        /// Tested metrics.
        known: String,
    },
    /// Facts that canonical JSON cannot hold: a whole number beyond 2^53.
    #[error("the plan cannot be recorded: {0}")]
    NotRecordable(#[from] CanonicalError),
    /// Traffic that cannot be.
    #[error("`{field}` is `{got}`: give {expected}")]
    Traffic {
        /// The field, as a JSON Pointer.
        field: &'static str,
        /// What came.
        got: String,
        /// What would do.
        expected: &'static str,
    },
    /// A history of a metric whose test cannot be calibrated.
    #[error(
        "`{metric}` has no test that a history calibrates: name a proportion or count with the model `poisson`, here {known}"
    )]
    HistoryMetric {
        /// What came.
        metric: MetricName,
        /// Metrics that would do.
        known: String,
    },
    /// What is no history.
    #[error("the history of `{metric}` is none: {fault}")]
    History {
        /// The metric.
        metric: MetricName,
        /// What is wrong.
        fault: StatError,
    },
    /// A history where the policy's mode uses none.
    #[error(
        "the policy's evidence mode is `{mode}`, which uses no history: leave it out, or write `mode = \"replay\"`"
    )]
    HistoryUnused {
        /// The mode.
        mode: EvidenceMode,
    },
}

impl PlanError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "HF-PLAN-001",
            Self::Empty { .. } => "HF-PLAN-002",
            Self::SameVersion { .. } => "HF-PLAN-003",
            Self::BugMetric { .. } => "HF-PLAN-004",
            Self::Traffic { .. } => "HF-PLAN-005",
            Self::HistoryMetric { .. } => "HF-PLAN-006",
            Self::History { .. } => "HF-PLAN-007",
            Self::HistoryUnused { .. } => "HF-PLAN-008",
            Self::NotRecordable(error) => error.code(),
        }
    }
}

impl Plan {
    /// Makes a plan.
    ///
    /// # Errors
    /// `HF-PLAN-002` to `HF-PLAN-005`; `HF-JSON-002` for a fact that is a whole number beyond 2^53.
    pub fn try_new(policy: Arc<Policy>, subject: Subject) -> Result<Self, PlanError> {
        Self::restored(policy, subject, BTreeMap::new())
    }

    /// Makes a plan whose tests are calibrated on the house's own history (statistics, section 4).
    ///
    /// Each metric with a history is calibrated for each phase below 100%, for as many ticks as the phase may take. The
    /// plan keeps the calibrations and the history's digest.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new), and `HF-PLAN-006` to `HF-PLAN-008` for histories.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Histories, Plan, Subject}, policy::Policy, unit::MetricName};
    ///
    /// // Ten pods over six hours, an error now and then.
    /// let pod = |n: usize| (0..2160).map(|tick| [f64::from(u8::from(tick % 100 == n)), 17.0]).collect();
    /// let pods = (0..10).map(|n| (format!("pod-{n}"), pod(n))).collect();
    /// let history = Histories::from([(MetricName::try_new("error_rate")?, pods)]);
    ///
    /// let mut subject = Subject::default();
    /// subject.incident.id = "INC-2041".to_owned();
    /// subject.release.version = "2.3.1".to_owned();
    /// subject.release.previous = "2.3.0".to_owned();
    /// let plan = Plan::calibrated(Arc::new(Policy::preset("standard")?), subject, history)?;
    /// let (metric, calibrated) = plan.calibrations().first_key_value().ok_or("calibrated")?;
    /// assert_eq!((metric.as_str(), calibrated.phases.len()), ("error_rate", 2));
    /// assert!(calibrated.phases[0].calibration.as_ref().is_some_and(|c| c.threshold >= 100_f64.ln()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn calibrated(
        policy: Arc<Policy>,
        subject: Subject,
        histories: Histories,
    ) -> Result<Self, PlanError> {
        let calibrations = calibration::calibrations(&policy, histories)?;
        Self::restored(policy, subject, calibrations)
    }

    /// A plan with calibrations that were made before: those of a log, or of another process.
    ///
    /// # Errors
    /// As [`try_new`](Self::try_new).
    pub fn restored(
        policy: Arc<Policy>,
        subject: Subject,
        calibrations: BTreeMap<MetricName, MetricCalibration>,
    ) -> Result<Self, PlanError> {
        let Subject { incident, release, traffic } = &subject;
        for (field, text) in [
            ("/incident/id", &incident.id),
            ("/release/version", &release.version),
            ("/release/previous", &release.previous),
        ] {
            if text.trim().is_empty() {
                return Err(PlanError::Empty { field });
            }
        }
        if release.version == release.previous {
            return Err(PlanError::SameVersion { version: release.version.clone() });
        }
        if let Some(requests) = traffic.requests_per_minute
            && !(requests.is_finite() && requests > 0.0)
        {
            return Err(PlanError::Traffic {
                field: "/traffic/requests_per_minute",
                got: requests.to_string(),
                expected: "a number above 0",
            });
        }
        if let (Some(canary), Some(all)) = (traffic.canary_instances, traffic.instances)
            && canary > all
        {
            return Err(PlanError::Traffic {
                field: "/traffic/canary_instances",
                got: canary.to_string(),
                expected: "at most `instances`",
            });
        }
        let efficacy = efficacy(&policy, release.bug_metric)?;
        let methods = ways_back(policy.strategy(), release.methods.clone());
        let digest = plan_digest(&policy, &subject, &calibrations)?;
        Ok(Self { policy, subject, methods, efficacy, calibrations, digest })
    }

    /// Makes a plan from JSON documents of design section 5; `traffic` may be empty text.
    ///
    /// # Errors
    /// `HF-PLAN-001` to `HF-PLAN-005`.
    pub fn from_json(
        policy: Arc<Policy>,
        incident: &str,
        release: &str,
        traffic: &str,
    ) -> Result<Self, PlanError> {
        Self::calibrated_from_json(policy, incident, release, traffic, "")
    }

    /// [`calibrated`](Self::calibrated) from JSON documents of design section 5; `traffic` and `calibration` may be empty
    /// texts. `calibration` is `{metric: {instance: [[events, trials], …]}}`.
    ///
    /// # Errors
    /// `HF-PLAN-001` to `HF-PLAN-008`.
    pub fn calibrated_from_json(
        policy: Arc<Policy>,
        incident: &str,
        release: &str,
        traffic: &str,
        calibration: &str,
    ) -> Result<Self, PlanError> {
        let subject = Subject {
            incident: read("incident", incident)?,
            release: read("release", release)?,
            traffic: if traffic.trim().is_empty() {
                Traffic::default()
            } else {
                read("traffic", traffic)?
            },
        };
        if calibration.trim().is_empty() {
            Self::try_new(policy, subject)
        } else {
            Self::calibrated(policy, subject, read("calibration", calibration)?)
        }
    }

    /// The policy it follows.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Incident, release and traffic.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The ways back, fastest first, but with blue-green a switch of sides before all others; at least one (PLAN-5).
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The claim that the fix works, on the release's own bug metric.
    pub const fn efficacy(&self) -> Option<Efficacy> {
        self.efficacy
    }

    /// What the house's own history asks of the tests, by metric; empty without a history.
    pub const fn calibrations(&self) -> &BTreeMap<MetricName, MetricCalibration> {
        &self.calibrations
    }

    /// The seed of what is drawn at random for this plan: it follows from incident, release and traffic, so the log has it.
    pub fn seed(&self) -> u64 {
        // What cannot be written in canonical JSON made no plan.
        let digest = digest(&self.subject).unwrap_or(Digest::ZERO);
        // 48 bits: every reader of JSON keeps them.
        digest.as_bytes()[..6].iter().fold(0, |seed, &byte| (seed << 8) | u64::from(byte))
    }

    /// SHA-256 of policy, subject and calibrations in canonical JSON; the same on every platform.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

fn read<T: serde::de::DeserializeOwned>(
    document: &'static str,
    text: &str,
) -> Result<T, PlanError> {
    // A list would be read as fields in order.
    if !text.trim_start().starts_with('{') {
        return Err(PlanError::Syntax { document, fault: "it is no JSON object".to_owned() });
    }
    serde_json::from_str(text).map_err(|e| PlanError::Syntax { document, fault: e.to_string() })
}

fn efficacy(policy: &Policy, bug: Option<MetricName>) -> Result<Option<Efficacy>, PlanError> {
    let Some(efficacy) = policy.efficacy() else { return Ok(None) };
    let metric = bug.unwrap_or(efficacy.metric);
    let tested: Vec<MetricName> =
        policy.metrics().iter().filter(|m| m.is_rate()).map(|m| m.id).collect();
    if tested.contains(&metric) {
        Ok(Some(Efficacy { metric, ..*efficacy }))
    } else {
        let known = tested.iter().map(MetricName::as_str).collect::<Vec<_>>().join(", ");
        Err(PlanError::BugMetric { metric, known })
    }
}

/// The ways back in the order in which they are tried: with two sides the switch to the idle one, which still has the
/// previous version, comes first; then the fastest. A stable sort keeps the release's order among equals.
fn ways_back(strategy: Strategy, mut methods: Vec<Method>) -> Vec<Method> {
    if methods.is_empty() {
        methods.push(Method { kind: RollbackMethod::Redeploy, seconds: None });
    }
    methods.sort_by_key(|method| {
        let switches = method.kind == RollbackMethod::BlueGreenSwitch;
        let first = strategy == Strategy::BlueGreen && switches;
        (!first, method.seconds.map_or(u64::MAX, Span::as_millis))
    });
    methods
}

fn plan_digest(
    policy: &Policy,
    subject: &Subject,
    calibration: &BTreeMap<MetricName, MetricCalibration>,
) -> Result<Digest, CanonicalError> {
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        calibration: &'a BTreeMap<MetricName, MetricCalibration>,
        policy: &'a Policy,
        subject: &'a Subject,
    }
    digest(&Whole { calibration, policy, subject })
}
