//! The whole plan as one document.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::canonical::{Digest, pretty};
use crate::gate::{Demands, ScopeReport};
use crate::grade::Severity;
use crate::unit::MetricName;

use super::timeline::TimelineOffset;
use super::{
    Assessment, ChosenStrategy, Contacts, Duration, FirstStep, FollowUp, Incident, Method,
    MetricCalibration, Objectives, Plan, PlanChangeRecord, PlanFinding, PlannedAdvice,
    PlannedCommands, Procedure, Recommendation, Release, Risks, RollbackPlan, Thresholds, Traffic,
};

/// All views of a plan, which C gives as JSON and Python as a dict.
#[derive(Clone, Debug, Serialize)]
pub struct PlanDocument<'a> {
    advice: Vec<PlannedAdvice<'a>>,
    assessment: Assessment<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    calibration: &'a BTreeMap<MetricName, MetricCalibration>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<PlannedCommands<'a>>,
    contacts: Contacts<'a>,
    demands: Demands,
    digest: Digest,
    duration: Duration,
    first_steps: Vec<FirstStep<'a>>,
    follow_up: FollowUp<'a>,
    incident: &'a Incident,
    methods: &'a [Method],
    phases: serde_json::Value,
    policy: serde_json::Value,
    procedure: Procedure<'a>,
    recommendation: Recommendation,
    change_record: PlanChangeRecord<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a Release>,
    findings: Vec<PlanFinding>,
    risks: Risks<'a>,
    rollback: RollbackPlan,
    scope: ScopeReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    slo: Objectives,
    strategy: ChosenStrategy,
    thresholds: Vec<Thresholds<'a>>,
    timeline: Vec<TimelineOffset>,
    traffic: &'a Traffic,
}

impl Plan {
    /// The plan and all its views, computed now.
    ///
    /// `{"digest", "incident", "release", "traffic", "policy", "phases", "methods", "strategy",
    /// "recommendation", "rollback", "severity", "assessment", "demands", "scope", "findings",
    /// "change_record", "duration", "timeline", "slo", "procedure", "advice", "risks",
    /// "first_steps", "contacts", "thresholds", "follow_up", "commands",
    /// "calibration"}`; `release`, `severity`, `commands` and `calibration` only where there is one. Each is what the
    /// method of its name says, so `strategy` is an object with the member `strategy`.
    ///
    /// It does not contain [`power`](Self::power), which takes milliseconds, and
    /// [`source_control`](Self::source_control), which needs a time and may be refused.
    pub fn document(&self) -> PlanDocument<'_> {
        // JSON can represent every checked policy.
        let policy = serde_json::to_value(self.policy()).unwrap_or_default();
        let phases = policy.get("phases").cloned().unwrap_or_default();
        PlanDocument {
            advice: self.advice(),
            assessment: self.assessment(),
            calibration: self.calibrations(),
            commands: self.commands(),
            contacts: self.contacts(),
            demands: self.demands(),
            digest: self.digest(),
            duration: self.duration(),
            first_steps: self.first_steps(),
            follow_up: self.follow_up(),
            incident: &self.subject().incident,
            methods: self.methods(),
            phases,
            policy,
            procedure: self.procedure(),
            recommendation: self.recommendation(),
            change_record: self.change_record(),
            release: self.release(),
            findings: self.findings(),
            risks: self.risks(),
            rollback: self.rollback(),
            scope: self.scope(),
            severity: self.severity(),
            slo: self.slo(),
            strategy: self.strategy(),
            thresholds: self.thresholds(),
            timeline: self.offsets(),
            traffic: &self.subject().traffic,
        }
    }

    /// [`document`](Self::document) as indented JSON.
    pub fn to_json(&self) -> String {
        pretty(&self.document()).unwrap_or_default()
    }
}
