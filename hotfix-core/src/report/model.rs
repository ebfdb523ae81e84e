//! Data of a report, with the same shape as its JSON form.
//!
//! Keys are the names of the fields, times are RFC 3339 in UTC with milliseconds, durations are
//! seconds, and shares are fractions. Unknown values are absent; empty lists are present.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canonical::Digest;
use crate::gate::ItemState;
use crate::grade::{DutyKind, MetricKind, Moment, Severity, Strategy, closed_set};
use crate::judge::{Cause, Comparison, Decision, Harm};
use crate::plan::Power;
use crate::rollout::State;
use crate::unit::{Date, MetricName, Name, PhaseName, RoleName, Share, Span, Timestamp};

use super::bounded_list::BoundedList;
use super::measures::Measures;
use super::series::Point;

/// The incident report of one hot-fix, from its log.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of the report's format: 1.
    pub format: u32,
    /// Time of the log's last line.
    pub as_of: Timestamp,
    /// Whether the report is final: the state is final and no duty is open.
    pub finished: bool,
    /// The incident.
    pub incident: IncidentPart,
    /// The release with the fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleasePart>,
    /// The policy in force.
    pub policy: PolicyPart,
    /// State of the rollout.
    pub state: State,
    /// Summary, in sentences.
    pub summary: Vec<String>,
    /// The recorded moments, by time.
    pub moments: Vec<MomentPart>,
    /// Impact on users and requests.
    pub impact: Impact,
    /// How the incident was detected, in sentences.
    pub detection: Vec<String>,
    /// All inputs with their results.
    pub timeline: BoundedList<TimelineEntry, 500>,
    /// Periods in which a phase was deployed and watched.
    pub phases: Vec<PhaseVisit>,
    /// The comparison table of each attempt.
    pub comparisons: Vec<AttemptComparison>,
    /// The verdicts that led to a decision, each with its evidence.
    pub verdicts: BoundedList<VerdictPart, 25>,
    /// Power analysis of the plan: the faults that each phase can detect.
    pub power: Power,
    /// Why the fault was not caught earlier, in sentences.
    pub not_caught_earlier: Vec<String>,
    /// Statements on the root cause.
    pub root_cause: Vec<Statement>,
    /// The root cause by the commit message of the fix, where its author gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause_by_author: Option<String>,
    /// Statements on contributing factors.
    pub conditions: Vec<Statement>,
    /// How the fix was deployed and verified and how the rollout ended, in sentences.
    pub resolution: Vec<String>,
    /// The policy's success criteria, each with its state.
    pub success_criteria: Vec<CriterionPart>,
    /// Further statements, by topic: impact, detection, resolution, verification and so on.
    pub statements: BTreeMap<&'static str, Vec<Statement>>,
    /// What went well, from the log.
    pub went_well: Vec<String>,
    /// What to improve, from the log.
    pub to_improve: Vec<String>,
    /// Each duty and its outcome.
    pub duties: Vec<DutyPart>,
    /// Action items.
    pub action_items: Vec<ActionItem>,
    /// Statements on how a recurrence is prevented.
    pub prevention: Vec<Statement>,
    /// The questions of the policy's report.
    pub questions: Vec<QuestionPart>,
    /// Sections of the policy's report that no built-in section covers.
    pub custom_sections: Vec<QuestionPart>,
    /// Measures of the incident.
    pub measures: Measures,
    /// Measures that the policy's report asks for, as written in the policy.
    pub measures_asked: Vec<String>,
    /// Open points: not yet stated or not yet done.
    pub open: Vec<String>,
    /// Inputs and approvals, with the names of people.
    pub audit_trail: AuditTrail,
    /// Data of the plots.
    pub plots: Plots,
}

/// The incident of a report.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncidentPart {
    /// Id of the incident, as `INC-2041`.
    pub id: String,
    /// Title, in one line.
    pub title: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// The current severity.
    pub severity: Option<Severity>,
    /// Whether it is only assumed: nobody gave it, and facts that would settle it are missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub severity_assumed: bool,
    /// The policy's label of the severity.
    pub severity_label: Option<String>,
}

/// The release of the last attempt.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReleasePart {
    /// The version.
    pub version: String,
    /// The version that a rollback restores.
    pub previous: String,
    /// Deployment strategy.
    pub strategy: Strategy,
    /// Number of attempts.
    pub attempts: u32,
    /// Description of the fix.
    pub description: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Whether it only limits the impact and is not the permanent fix.
    pub stop_gap: Option<bool>,
    /// Links to further information, by kind.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<&'static str, String>,
}

/// A success criterion of the policy.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CriterionPart {
    /// Its id.
    pub id: Name,
    /// The criterion in a sentence.
    pub text: String,
    /// Its state: `open` if nobody has confirmed it or set it aside.
    pub state: ItemState,
    /// When it got this state.
    pub at: Option<Timestamp>,
    /// The evidence, or why it was set aside.
    pub why: Option<String>,
    /// What the log has against it, where it answers the criterion: then it is not met.
    pub against: Option<String>,
}

/// The policy of a report.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyPart {
    /// Name of the policy.
    pub name: Name,
    /// Title of the policy.
    pub title: String,
    /// Digest of the policy; it differs where names of people were redacted in the log.
    pub digest: Digest,
    /// What it is based on.
    pub document: Option<String>,
    /// Who maintains it.
    pub owner: Option<String>,
    /// The day of its last change.
    pub changed: Option<Date>,
    /// What starts its procedure.
    pub trigger: Option<String>,
}

/// A recorded moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MomentPart {
    /// The moment.
    pub moment: Moment,
    /// Its time.
    pub at: Timestamp,
}

/// Impact of the incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Impact {
    /// The impact in sentences.
    pub sentences: Vec<String>,
    /// Known facts of the incident, each with its development: `55% → 1% (2026-03-03 14:20:00)`.
    pub facts: BTreeMap<String, String>,
    /// Failed requests by version and metric, as far as the readings count them.
    pub affected: Vec<MetricImpact>,
}

/// Failed requests of one version, as counted by one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricImpact {
    /// The version.
    pub version: String,
    /// The metric.
    pub metric: MetricName,
    /// Title of the metric.
    pub title: String,
    /// Kind of the metric.
    pub kind: MetricKind,
    /// The count.
    #[serde(flatten)]
    pub counted: Counted,
}

/// Failed requests among all that were counted. For a count metric: events in a number of seconds,
/// at full traffic where the metric is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counted {
    /// Failed requests, or events.
    pub bad: f64,
    /// All requests, or seconds.
    pub of: f64,
}

/// One input, or several readings or equal refusals in a row, with the result. A tick without a result has
/// no entry.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// Line of the log, from 0.
    pub seq: u64,
    /// Time of the input.
    pub at: Timestamp,
    /// For several in a row: time of the last one.
    pub until: Option<Timestamp>,
    /// Number of readings or refusals in this entry; else 1.
    pub count: u64,
    /// Time that the sender gave, where it was not possible.
    pub claimed_at: Option<Timestamp>,
    /// Kind of the input; also `opened`, `refused` and `observe`.
    pub kind: &'static str,
    /// Title of the role in which the sender acted; never a name.
    pub role: Option<String>,
    /// The event.
    pub what: String,
    /// Reason, where a person or a verdict gave one; of a refusal what its code means.
    pub why: Option<String>,
    /// Decisions and requested actions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<String>,
    /// The new state, where it changed.
    pub state: Option<State>,
}

closed_set! {
    /// How a period of a phase ended.
    PhaseEnd {
        /// The phase passed: it had met its criteria.
        Passed = "passed",
        /// A person passed it: it had not met its criteria, or was not judged.
        Overridden = "overridden",
        RolledBack = "rolled_back",
        /// It was to be rolled back, and no method worked: it kept its traffic.
        RollbackFailed = "rollback_failed",
        /// The rollout was aborted or frozen.
        Stopped = "stopped",
        /// The deployment failed.
        Failed = "failed",
        /// Another attempt replaced this one.
        BegunAnew = "begun_anew",
        UnderWay = "under_way",
    }
    /// Outcome of a duty.
    DutyOutcome {
        /// Done in time, each time.
        Kept = "kept",
        /// Done, but not in time.
        Late = "late",
        /// Not done in time.
        Missed = "missed",
        /// Not due yet, or its time has not begun.
        Open = "open",
        /// No longer needed: the event that ends it came first.
        Over = "over",
        /// Done, without a time by which: what was due as soon as it was asked for cannot be late.
        Done = "done",
    }
}

/// A period in which a phase was deployed and watched.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PhaseVisit {
    /// The phase.
    pub phase: PhaseName,
    /// Index of the phase in the plan, from 0.
    pub index: usize,
    /// Number of the attempt.
    pub attempt: u32,
    /// The new version's share of the traffic.
    pub share: Share,
    /// Start of the deployment.
    pub deployed_since: Timestamp,
    /// Start of the watch.
    pub watched_since: Option<Timestamp>,
    /// End of the period.
    pub until: Option<Timestamp>,
    /// Number of readings during the watch.
    pub readings: u64,
    /// The longest time without a reading during the watch.
    pub longest_silence: Span,
    /// How long the watch was paused, which does not count. Absent if it was not.
    pub paused: Option<Span>,
    /// How the period ended.
    pub end: PhaseEnd,
    /// Why a person had to pass it.
    pub passed_without: Option<&'static str>,
}

/// The comparison table of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttemptComparison {
    /// Number of the attempt.
    pub attempt: u32,
    /// The version that was compared.
    pub version: String,
    /// The table.
    pub table: Comparison,
}

/// A verdict that led to a decision.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VerdictPart {
    /// Line of the log.
    pub seq: u64,
    /// Time of the verdict.
    pub at: Timestamp,
    /// The phase.
    pub phase: Option<PhaseName>,
    /// The decision.
    pub decision: Decision,
    /// The causes, the gravest first.
    pub causes: Vec<Cause>,
    /// The causes as text.
    pub why: Option<String>,
    /// Combined log e-value of all rollback tests.
    pub log_e: f64,
    /// Log e-value that rolls back; absent where no test decides.
    pub threshold: Option<f64>,
    /// One sentence for each metric, with the smallest change of the last reading that would have
    /// changed the decision.
    pub sentences: Vec<String>,
    /// Estimated failed requests per minute of each version.
    pub harm: Option<Harm>,
}

/// A statement of a person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    /// Time of the statement.
    pub at: Timestamp,
    /// Role of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Text of the statement.
    pub text: String,
}

/// A question or section of the policy's report, with the statements on it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuestionPart {
    /// The question.
    pub question: String,
    /// The answers; empty where nobody has answered.
    pub answers: Vec<Statement>,
    /// The section of the report that answers it from the log. Absent: none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_in: Option<&'static str>,
}

/// A duty and its outcome.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DutyPart {
    /// Id of the duty.
    pub id: Name,
    /// Title of the duty.
    pub title: String,
    /// Kind of the duty.
    pub kind: DutyKind,
    /// Title of the role that owns it.
    pub role: Option<String>,
    /// The outcome.
    pub status: DutyOutcome,
    /// When its time began.
    pub from: Option<Timestamp>,
    /// When it was due; for a repeated duty, the next or last time.
    pub due: Option<Timestamp>,
    /// When it was done or ended.
    pub settled: Option<Timestamp>,
    /// For a repeated duty: how often it was done.
    pub times: Option<u64>,
    /// For a repeated duty: how often it was not done in time.
    pub missed: Option<u64>,
    /// Evidence that it was done.
    pub evidence: Option<String>,
}

impl DutyPart {
    /// When it was done: one that was missed or is over ended without an answer.
    pub(super) fn done_at(&self) -> Option<Timestamp> {
        let is_once =
            matches!(self.status, DutyOutcome::Kept | DutyOutcome::Late | DutyOutcome::Done);
        let is_done = self.times.is_some() || is_once;
        self.settled.filter(|_| is_done)
    }
}

/// An action item after the incident.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionItem {
    /// The task.
    pub task: String,
    /// The role that owns it.
    pub owner: Option<String>,
    /// Deadline: a time, or a text where its time has not begun.
    pub deadline: Option<String>,
    /// Condition under which it counts as done.
    pub success_criterion: Option<String>,
    /// Whether it is done.
    pub done: bool,
    /// The duty that it comes from; absent for an action item from a note.
    pub duty: Option<Name>,
}

/// Audit trail: inputs and approvals. The only part of the report that names people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditTrail {
    /// Number of lines of the log.
    pub lines: u64,
    /// Hash of the last line.
    pub head: Digest,
    /// Digest of the current plan.
    pub plan_digest: Digest,
    /// Whether names were redacted in the log.
    pub redacted: bool,
    /// Approvals, denials and withdrawals.
    pub approvals: Vec<ApprovalPart>,
    /// All inputs of people and tools, except readings and ticks.
    pub entries: BoundedList<AuditEntry, 500>,
}

/// An approval, denial or withdrawal.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalPart {
    /// Time of the input.
    pub at: Timestamp,
    /// `approve`, `deny` or `withdraw`.
    pub kind: &'static str,
    /// Role of the person.
    pub role: RoleName,
    /// Name of the person; absent where it was redacted.
    pub who: Option<String>,
    /// Channel of the statement.
    pub channel: Option<String>,
    /// Who heard a verbal statement.
    pub heard_by: Option<String>,
    /// The reason.
    pub why: Option<String>,
    /// Digest of the plan that it is about.
    pub plan_digest: Digest,
}

/// A line of the audit trail, or several equal refusals in a row.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// Line of the log.
    pub seq: u64,
    /// Time of the input.
    pub at: Timestamp,
    /// For several refusals: time of the last one.
    pub until: Option<Timestamp>,
    /// Number of refusals in this entry; else 1.
    pub count: u64,
    /// The sender; absent where no name was given or it was redacted.
    pub who: Option<String>,
    /// Kind of the input.
    pub kind: &'static str,
    /// The event.
    pub what: String,
    /// The reason.
    pub why: Option<String>,
    /// Requested actions that change versions or traffic.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// Data of the plots.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plots {
    /// Each metric over time, by arm, in its unit; thinned, see [`Points`](super::Points).
    pub metrics: Vec<MetricPlot>,
    /// Evidence over time.
    pub evidence: Vec<EvidencePlot>,
    /// State changes, to be marked.
    pub marks: Vec<Mark>,
}

/// A metric over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricPlot {
    /// The metric.
    pub metric: MetricName,
    /// Title of the metric.
    pub title: String,
    /// Kind of the metric.
    pub kind: MetricKind,
    /// Values of the new version.
    pub new_version: Vec<Point>,
    /// Values of the live version.
    pub live_version: Vec<Point>,
    /// Rollback bound, where it is one absolute value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_bound: Option<f64>,
}

/// Evidence over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidencePlot {
    /// The question: `worse` or `works`.
    pub question: &'static str,
    /// Log e-value that decides the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Log e-values over time.
    pub points: Vec<Point>,
}

/// A state change that a plot marks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// Time of the change.
    pub at: Timestamp,
    /// The new state.
    pub state: State,
}
