//! The plan's severity with its reasons, and what should be known before it starts (SEV-5, SEV-6).

use serde::Serialize;

use crate::fact::FactId;
use crate::grade::{Hotfix, Severity, closed_set};
use crate::metric::Unjudged;
use crate::policy::section::SeverityLevel;
use crate::text::quoted;
use crate::unit::Name;

use super::{Kept, Plan};

/// The plan's severity with its reasons (SEV-5).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment<'a> {
    /// The severity that the plan is made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Whether it came with the incident; else the policy's rules say so.
    pub given: bool,
    /// What the house calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'a str>,
    /// How its process departs from the normal one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<&'a str>,
    /// Whether the policy answers that severity with a hot-fix; none where it does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_with_hotfix: Option<bool>,
    /// Whether the rules call for a hot-fix.
    pub hotfix: Hotfix,
    /// The severity that is certain by the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certain: Option<Severity>,
    /// The most severe one that is still possible by the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_worst: Option<Severity>,
    /// Whether no unknown fact can change what the rules say.
    pub settled: bool,
    /// The rules that fired, in the order of the policy.
    pub rules: Vec<FiredRule<'a>>,
    /// The unknown facts that can still change what the rules say.
    pub ask: Vec<Ask<'a>>,
    /// The implications that what is known breaks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<Name>,
}

/// A rule that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FiredRule<'a> {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub title: &'a str,
}

/// A fact worth asking for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ask<'a> {
    /// The fact.
    pub fact: FactId,
    /// The question.
    pub question: &'a str,
}

closed_set! {
    /// What is remarkable in a plan.
    RemarkKind {
        /// The policy answers this severity with the normal process.
        NoHotfixForSeverity = "no_hotfix_for_severity",
        /// The policy's rules call for no hot-fix.
        NoHotfixByRules = "no_hotfix_by_rules",
        /// The change is more than the policy lets a hot-fix have.
        OutOfScope = "out_of_scope",
        /// The policy does not have this severity.
        UnknownSeverity = "unknown_severity",
        /// There is no severity.
        NoSeverity = "no_severity",
        /// The rules are certain of a more severe one than was given.
        MoreSevere = "more_severe",
        /// What is not known can still change what the rules say.
        NotSettled = "not_settled",
        /// What is known contradicts itself.
        Contradiction = "contradiction",
        /// A time that is allowed may be missed, or is.
        TimeShort = "time_short",
        /// Nothing judges a metric that is to decide.
        NotJudged = "not_judged",
        /// No way back is named.
        NoWayBack = "no_way_back",
        /// The release cannot simply go back.
        SchemaChange = "schema_change",
        /// The record lacks something.
        RecordIncomplete = "record_incomplete",
    }
}

/// Something that whoever starts the plan should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Which.
    pub kind: RemarkKind,
    /// What, in a sentence.
    pub text: String,
}

impl Plan {
    /// What the plan's severity has in the policy; none where the plan has no severity, or the policy not this one.
    pub(crate) fn level(&self) -> Option<&SeverityLevel> {
        self.severity().and_then(|severity| self.policy().severity(severity))
    }

    /// The plan's severity with its reasons.
    ///
    /// Shows SEV-5.
    pub fn assessment(&self) -> Assessment<'_> {
        let policy = self.policy();
        let answer = policy.classify(self.facts());
        let level = self.level();
        let said = |text: &'_ str| !text.is_empty();
        let rules = answer.rules().into_iter();
        Assessment {
            severity: self.severity(),
            given: self.subject().incident.severity.is_some(),
            label: level.map(|level| level.label.as_str()).filter(|label| said(label)),
            process: level.map(|level| level.process.as_str()).filter(|process| said(process)),
            answered_with_hotfix: level.map(|level| level.hotfix),
            hotfix: answer.hotfix(),
            certain: answer.severity(),
            at_worst: answer.at_worst(),
            settled: answer.settled(),
            rules: rules
                .map(|verdict| FiredRule { id: verdict.rule.id, title: &verdict.rule.title })
                .collect(),
            ask: answer
                .decisive()
                .into_iter()
                .map(|fact| Ask { question: policy.vocabulary().question(fact), fact })
                .collect(),
            contradictions: answer.contradictions().into_iter().map(|i| i.id).collect(),
        }
    }

    /// What whoever starts the plan should know, the weightiest first.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Plan, RemarkKind}, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("enterprise")?);
    /// let incident = r#"{"id": "INC-1", "facts": {"cosmetic": true}, "severity": "P2"}"#;
    /// let plan = Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// assert_eq!(plan.remarks()[0].kind, RemarkKind::NoHotfixForSeverity);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        let mut put = |kind, text: String| remarks.push(Remark { kind, text });
        let assessment = self.assessment();
        let policy = self.policy().name();
        for reason in self.normal_process(self.severity(), self.facts()) {
            put(reason.kind, reason.text);
        }
        match (self.severity(), assessment.answered_with_hotfix) {
            (Some(severity), None) if !self.policy().severities().is_empty() => put(
                RemarkKind::UnknownSeverity,
                format!("`{policy}` has no {severity}, so the start waits for one that it has"),
            ),
            (None, _) if !self.policy().severities().is_empty() => put(
                RemarkKind::NoSeverity,
                "the severity is not known, so what it asks for is not either".to_owned(),
            ),
            _ => {}
        }
        if !assessment.contradictions.is_empty() {
            let broken = quoted(&assessment.contradictions, ", ");
            put(
                RemarkKind::Contradiction,
                format!("no incident can have these facts: they break {broken}"),
            );
        }
        if let (Some(severity), Some(certain)) = (self.severity(), assessment.certain)
            && certain < severity
        {
            put(
                RemarkKind::MoreSevere,
                format!("by the rules it is a {certain}, and the plan is for a {severity}"),
            );
        }
        if !assessment.settled && !self.policy().rules().is_empty() {
            let facts: Vec<&str> = assessment.ask.iter().map(|ask| ask.fact.as_str()).collect();
            let worst = assessment
                .at_worst
                .map_or_else(String::new, |worst| format!(", at worst a {worst}"));
            let text =
                format!("the rules are not settled{worst}: ask for {}", quoted(&facts, ", "));
            put(RemarkKind::NotSettled, text);
        }
        let slo = self.slo();
        for objective in slo.slo.iter().chain(&slo.deadlines) {
            if matches!(objective.verdict, Some(Kept::Missed | Kept::MayBeMissed)) {
                put(RemarkKind::TimeShort, format!("{}: {}", objective.name, objective.sentence));
            }
        }
        for unjudged in Unjudged::of(self.policy()) {
            put(RemarkKind::NotJudged, unjudged.to_string());
        }
        if self.subject().release.methods.is_empty() {
            let ways: Vec<&str> = self.methods().iter().map(|way| way.kind.as_str()).collect();
            let text =
                format!("the release names no way back: {} is tried", quoted(&ways, ", then "));
            put(RemarkKind::NoWayBack, text);
        }
        if self.subject().traffic.schema_change == Some(true) {
            let text = "the release changes a schema and cannot simply go back";
            put(RemarkKind::SchemaChange, text.to_owned());
        }
        let missing = self.record().missing;
        if !missing.is_empty() {
            put(RemarkKind::RecordIncomplete, format!("not on record: {}", quoted(&missing, ", ")));
        }
        remarks
    }
}
