//! What a report holds: plain data, the same as JSON (POST-1, POST-2, POST-6).
//!
//! Keys are those of the fields, times RFC 3339 in UTC with milliseconds, durations seconds, shares fractions. What is not known is
//! absent, an empty list is there.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canonical::Digest;
use crate::grade::{DutyKind, MetricKind, Moment, Severity, Strategy, closed_set};
use crate::judge::{Cause, Comparison, Decision, Harm};
use crate::plan::Sight;
use crate::rollout::State;
use crate::unit::{MetricName, Name, PhaseName, RoleName, Share, Span, Timestamp};

use super::measures::Measures;
use super::series::Point;
use super::shortened::Shortened;

/// The incident report: everything that the log says of one hot-fix, in the order in which a reader asks.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this shape: 1.
    pub format: u32,
    /// As of when: the time of the log's last line.
    pub as_of: Timestamp,
    /// Whether nothing more is to come: the state is final and no duty is open.
    pub finished: bool,
    /// What the incident is.
    pub incident: IncidentPart,
    /// What was to mend it.
    pub release: ReleasePart,
    /// By which rules.
    pub policy: PolicyPart,
    /// Where it stands.
    pub state: State,
    /// What happened, in sentences.
    pub summary: Vec<String>,
    /// The moments that came, in order of time.
    pub moments: Vec<MomentPart>,
    /// Who was hit, and how many.
    pub impact: Impact,
    /// How it was noticed, in sentences.
    pub detection: Vec<String>,
    /// Every input and what followed.
    pub timeline: Shortened<TimelineEntry>,
    /// Each stretch in which a phase was deployed and watched.
    pub phases: Vec<PhaseVisit>,
    /// The comparison table of each attempt (MET-4).
    pub comparisons: Vec<AttemptComparison>,
    /// The verdicts at which something was decided, each with its evidence (STAT-4, FIELD-11).
    pub verdicts: Shortened<VerdictPart>,
    /// What each phase could see, as the plan foretold (PLAN-6).
    pub sight: Sight,
    /// Why it was not caught earlier, in sentences.
    pub not_caught_earlier: Vec<String>,
    /// What people said the root cause is.
    pub root_cause: Vec<Statement>,
    /// What people said led to it.
    pub conditions: Vec<Statement>,
    /// How it ended, how it was deployed and verified, in sentences.
    pub resolution: Vec<String>,
    /// What people said of the impact, the detection, the resolution and how it was verified.
    pub said: BTreeMap<&'static str, Vec<Statement>>,
    /// What went well: drawn from the log.
    pub went_well: Vec<String>,
    /// What is to be improved: drawn from the log.
    pub to_improve: Vec<String>,
    /// Each duty and whether it was kept.
    pub duties: Vec<DutyPart>,
    /// What is to be done.
    pub action_items: Vec<ActionItem>,
    /// What people said keeps it from coming back.
    pub prevention: Vec<Statement>,
    /// The questions of the policy's report.
    pub questions: Vec<QuestionPart>,
    /// Sections of the policy's report that this one has under no name of its own.
    pub house_sections: Vec<QuestionPart>,
    /// What is measured of the incident (POST-3).
    pub measures: Measures,
    /// The figures that the policy's report asks for, in its words.
    pub measures_asked: Vec<String>,
    /// What nobody has said yet, and what is still to be done.
    pub open: Vec<String>,
    /// Who did what, when, approved by whom (POST-6).
    pub audit_trail: AuditTrail,
    /// What the plots show.
    pub plots: Plots,
}

/// What the incident is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncidentPart {
    /// `INC-2041`.
    pub id: String,
    /// One line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How bad it is, as of now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What the house calls that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity_label: Option<String>,
}

/// What was to mend it: the last release that was tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReleasePart {
    /// The version.
    pub version: String,
    /// The version to go back to.
    pub previous: String,
    /// How it goes out.
    pub strategy: Strategy,
    /// How often the hot-fix was begun.
    pub attempts: u32,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// It stops the harm and is not the lasting fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_gap: Option<bool>,
    /// Where more is to be read, by what it is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<&'static str, String>,
}

/// The rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyPart {
    /// Its name.
    pub name: Name,
    /// What people call it.
    pub title: String,
    /// Its digest, without names of people only where they were taken out of the log.
    pub digest: Digest,
}

/// A moment that came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MomentPart {
    /// Which.
    pub moment: Moment,
    /// When.
    pub at: Timestamp,
}

/// Who was hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Impact {
    /// In sentences.
    pub sentences: Vec<String>,
    /// What is known of the incident, by fact.
    pub facts: BTreeMap<String, String>,
    /// Bad requests by version and metric, as far as they were read.
    pub hurt: Vec<MetricHurt>,
}

/// Bad requests of one version by one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricHurt {
    /// The version.
    pub version: String,
    /// The metric.
    pub metric: MetricName,
    /// What people call it.
    pub title: String,
    /// What its readings are.
    pub kind: MetricKind,
    /// How many.
    #[serde(flatten)]
    pub counted: Counted,
}

/// Bad requests of so many; of a count, events in so many seconds, of full traffic where it is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counted {
    /// Bad ones.
    pub bad: f64,
    /// Of so many.
    pub of: f64,
}

/// One input, or a run of readings, and what followed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// The log's line, from 0.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The last of a run of readings: when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many readings, or looks at the time, this one stands for; else 1.
    pub count: u64,
    /// What the sender said the time was, where that could not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// The kind of the input; `opened`, `refused` and `observe` among them.
    pub kind: &'static str,
    /// In which role somebody acted, as people call it; never a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What happened.
    pub what: String,
    /// Why, where somebody or a verdict said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What was decided or asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<String>,
    /// The state that it led to, where it led to another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

closed_set! {
    /// How a stretch of a phase ended.
    PhaseEnd {
        /// It was passed.
        Passed = "passed",
        /// It was taken back.
        RolledBack = "rolled_back",
        /// Everything stopped there, or traffic stays until a person acts.
        Stopped = "stopped",
        /// Another release began anew.
        BegunAnew = "begun_anew",
        /// It is still under way.
        UnderWay = "under_way",
    }
    /// Whether a duty was kept.
    DutyStanding {
        /// It was done in time, each time.
        Kept = "kept",
        /// It was done, but not in time.
        Late = "late",
        /// It was not done by its time.
        Missed = "missed",
        /// Its time is not up, or has not begun.
        Open = "open",
        /// What ended it came first.
        Over = "over",
        /// It is done; when it was due is not known.
        Done = "done",
    }
}

/// A stretch in which a phase was deployed and watched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PhaseVisit {
    /// The phase.
    pub phase: PhaseName,
    /// Its place in the plan, from 0.
    pub index: usize,
    /// Which attempt.
    pub attempt: u32,
    /// The share that it gives the new version.
    pub share: Share,
    /// Since when it was deployed.
    pub deployed_since: Timestamp,
    /// Since when it was watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watched_since: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Readings while it was watched.
    pub readings: u64,
    /// The longest time without a reading while it was watched.
    pub longest_silence: Span,
    /// How it ended.
    pub end: PhaseEnd,
}

/// The comparison table of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttemptComparison {
    /// Which attempt.
    pub attempt: u32,
    /// The version that was compared.
    pub version: String,
    /// The table.
    pub table: Comparison,
}

/// A verdict at which something was decided.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VerdictPart {
    /// The log's line.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<PhaseName>,
    /// What it asked for.
    pub decision: Decision,
    /// Why, the gravest first.
    pub causes: Vec<Cause>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Log e-value of all rollback tests together.
    pub log_e: f64,
    /// At which that goes back; absent where no test decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Each metric in a sentence, with the least change of the last reading that would have turned it.
    pub sentences: Vec<String>,
    /// Whom each version hurt a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harm: Option<Harm>,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statement {
    /// When.
    pub at: Timestamp,
    /// In which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What.
    pub text: String,
}

/// A question or section of the house, and what was said to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuestionPart {
    /// The question.
    pub question: String,
    /// The answers; empty: nobody has answered it.
    pub answers: Vec<Statement>,
}

/// A duty and whether it was kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DutyPart {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// What is to be done.
    pub kind: DutyKind,
    /// Whose it is, as people call the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it was kept.
    pub standing: DutyStanding,
    /// When its time began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When it was due; of something repeated, the next or last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When it was done, or over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Timestamp>,
    /// Of something repeated: how often it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Of something repeated: how often its time passed before it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
    /// What shows that it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// What is to be done after the incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionItem {
    /// What.
    pub task: String,
    /// Whose it is: a role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// By when: a time, or in words where its time has not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// What shows that it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_criterion: Option<String>,
    /// Whether it is.
    pub done: bool,
    /// The duty that it comes from; absent where a note asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duty: Option<Name>,
}

/// Who did what, and what shows it (POST-6). The only part that names people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditTrail {
    /// How many lines the log has.
    pub lines: u64,
    /// The hash of the last one.
    pub head: Digest,
    /// The plan's digest, as of now.
    pub plan_digest: Digest,
    /// Whether names were taken out of the log.
    pub redacted: bool,
    /// Who approved or denied.
    pub approvals: Vec<ApprovalPart>,
    /// Everything that people and tools did, readings and ticks left out.
    pub entries: Shortened<AuditEntry>,
}

/// A word on the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalPart {
    /// When.
    pub at: Timestamp,
    /// `approve`, `deny` or `withdraw`.
    pub kind: &'static str,
    /// In which role.
    pub role: RoleName,
    /// Who; absent where the name was taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Who heard it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The plan that it is about.
    pub plan_digest: Digest,
}

/// A line of the audit trail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditEntry {
    /// The log's line.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who; absent where nobody was named, the name was taken out, or the input was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What kind of input.
    pub kind: &'static str,
    /// What.
    pub what: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Which of its consequences change what runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// What the plots show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plots {
    /// Each metric over time, by arm, in its unit; thinned, see [`Points`](super::Points).
    pub metrics: Vec<MetricPlot>,
    /// Evidence over time.
    pub evidence: Vec<EvidencePlot>,
    /// What was decided, to be marked.
    pub marks: Vec<Mark>,
}

/// A metric over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricPlot {
    /// The metric.
    pub metric: MetricName,
    /// What people call it.
    pub title: String,
    /// What its readings are.
    pub kind: MetricKind,
    /// The new version.
    pub new_version: Vec<Point>,
    /// The live version.
    pub live_version: Vec<Point>,
    /// The figure beyond which it goes back, where it is one for all shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_bound: Option<f64>,
}

/// Evidence over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidencePlot {
    /// The question: `worse` or `works`.
    pub question: &'static str,
    /// The log e-value at which it is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Log e-values.
    pub points: Vec<Point>,
}

/// A moment that a plot marks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// The state that was entered.
    pub state: State,
}
