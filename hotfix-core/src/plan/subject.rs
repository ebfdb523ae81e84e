//! What a plan is about: the incident, the release that mends it, and the traffic it meets (SEV-2, PLAN-7).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::each_once;
use crate::gate::Change;
use crate::grade::{Flow, RollbackMethod, Severity, Strategy, closed_set};
use crate::unit::{MetricName, Span, Timestamp};

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
    #[serde(default, deserialize_with = "each_once", skip_serializing_if = "Map::is_empty")]
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
    /// What the fix does, in one line: the branch and the commit's subject are named after it. Without it the incident's
    /// title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The strategy, where it is not the policy's (PLAN-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// With `rolling`: how many instances at a time, where it is not as many as the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// The flow of source control, where it is not the policy's first (VCS-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
    /// The policy's other way through source control, by its id, where it is not the first (VCS-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// What the change has in it, as its author says (GATE-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// It stops the harm and is not the lasting fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_gap: Option<bool>,
    /// Who made it, when, and where it is (PLAN-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<ReleaseRecord>,
    /// What is recorded of the version to go back to (PLAN-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<RollbackPoint>,
}

/// What is recorded of the previous version before anything is deployed, so that it can be gone back to (PLAN-5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackPoint {
    /// Its commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Where its artifact lies, or the platform's id of its deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
}

closed_set! {
    /// Who prepared a plan.
    Preparer {
        /// A person.
        Person = "person",
        /// A program.
        Agent = "agent",
    }
    /// What a plan links to.
    Link {
        /// What was found out about the fault.
        Diagnosis = "diagnosis",
        /// The change.
        Patch = "patch",
        /// The test report.
        Tests = "tests",
        /// The root cause.
        Cause = "cause",
    }
}

/// Who made the release, when, and where it is (PLAN-7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRecord {
    /// Who prepared the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared_by: Option<PreparedBy>,
    /// When the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Timestamp>,
    /// The window in which it is deployed; without it, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The number of the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Where the artifact lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// Where more is to be read.
    #[serde(default, deserialize_with = "each_once", skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<Link, String>,
}

/// Who prepared a plan: a person, or a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedBy {
    /// The name.
    pub name: String,
    /// Which of the two.
    pub kind: Preparer,
}

/// From when to when a plan may be deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
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
