//! The subject of a plan: the incident, the release with the fix, and the traffic.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::canonical::if_any;
use crate::gate::Change;
use crate::grade::{Flow, RollbackMethod, Severity, Strategy, closed_set};
use crate::unit::{MetricName, Span, Timestamp};

/// The subject of a plan, besides the policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The incident.
    pub incident: Incident,
    /// The release with the fix. None while there is no fix yet: the input `release` gives it later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// The traffic.
    #[serde(default, deserialize_with = "if_any")]
    pub traffic: Traffic,
}

/// Text in place of a version while there is no release.
const NO_RELEASE: &str = "no release yet";

impl Subject {
    /// The release's version, for a text.
    pub(crate) fn version(&self) -> &str {
        self.release.as_ref().map_or(NO_RELEASE, |release| &release.version)
    }

    /// The version that a rollback restores, for a text.
    pub(crate) fn previous(&self) -> &str {
        self.release.as_ref().map_or(NO_RELEASE, |release| &release.previous)
    }

    /// How a text calls a restored version: "live again", or "live" for one that only a `revert` names.
    pub(crate) fn live(&self, version: &str) -> &'static str {
        if version == self.previous() { "live again" } else { "live" }
    }

    pub(super) fn chosen_strategy(&self) -> Option<Strategy> {
        self.release.as_ref().and_then(|release| release.strategy)
    }

    pub(super) fn chosen_batch(&self) -> Option<u32> {
        self.release.as_ref().and_then(|release| release.batch)
    }

    pub(super) fn named_methods(&self) -> &[Method] {
        self.release.as_ref().map_or(&[], |release| &release.methods)
    }

    /// Whether the release is a stop-gap; None where that is not known.
    pub(crate) fn stop_gap(&self) -> Option<bool> {
        self.release.as_ref().and_then(|release| release.stop_gap)
    }
}

/// The known data of an incident.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// The id, such as `INC-2041`.
    pub id: String,
    /// The service.
    pub service: Option<String>,
    /// The title, in one line.
    pub title: Option<String>,
    /// Facts by name. Absent ones are unknown.
    #[serde(default, deserialize_with = "if_any", skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
    /// When it began.
    pub began_at: Option<Timestamp>,
    /// When it was detected.
    pub detected_at: Option<Timestamp>,
    /// The severity, if it is given.
    pub severity: Option<Severity>,
}

/// The release with the fix.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The version, such as `2.3.1`.
    pub version: String,
    /// The previous version, for a rollback: `2.3.0`.
    pub previous: String,
    /// The branch.
    pub branch: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Its author.
    pub author: Option<String>,
    /// The available rollback methods.
    #[serde(default, deserialize_with = "if_any", skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    /// The diff's figures, as `git diff --numstat` prints them.
    pub numstat: Option<String>,
    /// The metric that counts the bug itself. Default: the policy's.
    pub bug_metric: Option<MetricName>,
    /// What the fix does, in one line, for the name of the branch and the commit's subject.
    /// Default: the incident's title.
    pub description: Option<String>,
    /// What the commit message of the fix says, besides what the plan knows.
    pub commit_text: Option<CommitText>,
    /// The strategy, if it is not the policy's.
    pub strategy: Option<Strategy>,
    /// With `rolling`: the instances per batch, if they are not the policy's.
    pub batch: Option<u32>,
    /// The source-control flow, if it is not the policy's first.
    pub flow: Option<Flow>,
    /// The policy's source-control alternative, by its id, if it is not the first.
    pub way: Option<String>,
    /// Branches that have to get the fix besides those of the policy, such as an open release branch.
    /// It is merged into a branch that has what the fix is based on, and else only its commits are picked.
    #[serde(default, deserialize_with = "if_any", skip_serializing_if = "Vec::is_empty")]
    pub merge_back: Vec<String>,
    /// The content of the change, as stated by its author.
    pub change: Option<Change>,
    /// Whether it stops the impact but is not the permanent fix.
    pub stop_gap: Option<bool>,
    /// The change record: who prepared it, when, and its links.
    pub change_record: Option<ChangeRecord>,
    /// The rollback point: data of the previous version.
    pub point: Option<RollbackPoint>,
}

/// What only the author can say for the commit message. People who approve or deploy are not
/// named here: the log has them.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitText {
    /// The root cause.
    pub cause: Option<String>,
    /// What was changed.
    pub change: Option<String>,
    /// How the change solves the issue.
    pub solution: Option<String>,
    /// How the fix was tested.
    pub tested: Option<String>,
}

/// Data of the previous version, recorded before anything is deployed, for a rollback.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackPoint {
    /// Its commit.
    pub commit: Option<String>,
    /// The location of its artifact, or the platform's id of its deployment.
    pub artifact: Option<String>,
}

closed_set! {
    /// Who prepared a plan.
    Preparer {
        Person = "person",
        Agent = "agent",
    }
    /// The links of a plan.
    Link {
        Diagnosis = "diagnosis",
        Patch = "patch",
        Tests = "tests",
        Cause = "cause",
    }
}

/// The change record of a release: who prepared it, when, and its links.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRecord {
    /// Who prepared the plan.
    pub prepared_by: Option<PreparedBy>,
    /// When the plan was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub changed: Option<Timestamp>,
    /// The deployment window. Absent: immediately.
    pub window: Option<Window>,
    /// The build number.
    pub build: Option<String>,
    /// The location of the artifact.
    pub artifact: Option<String>,
    /// Links to further documents.
    #[serde(default, deserialize_with = "if_any", skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<Link, String>,
}

/// Who prepared a plan: a person, or a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedBy {
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: Preparer,
}

/// The deployment window of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub until: Timestamp,
}

/// A rollback method and its duration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Its kind.
    pub kind: RollbackMethod,
    /// Its duration. Methods without one are tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Span>,
}

/// The service's traffic.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Requests per minute over all arms.
    pub requests_per_minute: Option<f64>,
    /// The number of instances.
    pub instances: Option<u32>,
    /// The number of instances with the canary.
    pub canary_instances: Option<u32>,
    /// Whether feature flags are available.
    pub flags: Option<bool>,
    /// Whether the release changes a schema, so that it cannot simply be rolled back.
    pub schema_change: Option<bool>,
}
