//! The plan of one hot-fix: a policy, an incident, a release and its traffic.

mod timeline;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::{CanonicalError, Digest, digest};
use crate::grade::{RollbackMethod, Severity};
use crate::policy::Policy;
use crate::policy::section::Efficacy;
use crate::unit::{MetricName, Span, Timestamp};

pub use timeline::TimelineStep;

/// What is to be done, agreed before anything is deployed. Immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    policy: Arc<Policy>,
    subject: Subject,
    methods: Vec<Method>,
    efficacy: Option<Efficacy>,
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
        let mut methods = release.methods.clone();
        if methods.is_empty() {
            methods.push(Method { kind: RollbackMethod::Redeploy, seconds: None });
        }
        // The fastest first; a stable sort keeps the release's order among equals.
        methods.sort_by_key(|m| m.seconds.map_or(u64::MAX, Span::as_millis));
        let digest = plan_digest(&policy, &subject)?;
        Ok(Self { policy, subject, methods, efficacy, digest })
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
        let subject = Subject {
            incident: read("incident", incident)?,
            release: read("release", release)?,
            traffic: if traffic.trim().is_empty() {
                Traffic::default()
            } else {
                read("traffic", traffic)?
            },
        };
        Self::try_new(policy, subject)
    }

    /// The policy it follows.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Incident, release and traffic.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The ways back, fastest first; at least one (PLAN-5).
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The claim that the fix works, on the release's own bug metric.
    pub const fn efficacy(&self) -> Option<Efficacy> {
        self.efficacy
    }

    /// SHA-256 of policy and subject in canonical JSON; the same on every platform.
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

fn plan_digest(policy: &Policy, subject: &Subject) -> Result<Digest, CanonicalError> {
    #[derive(Serialize)]
    struct Whole<'a> {
        policy: &'a Policy,
        subject: &'a Subject,
    }
    digest(&Whole { policy, subject })
}
