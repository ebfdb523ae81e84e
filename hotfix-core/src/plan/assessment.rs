//! The plan's severity with its reasons, and what should be known before it starts.

use serde::Serialize;

use crate::decision::DecisionOutcome;
use crate::fact::FactId;
use crate::grade::{Hotfix, Severity, closed_set};
use crate::metric::{BoundInBucket, Unjudged};
use crate::policy::section::SeverityLevel;
use crate::text::{counted, quoted};
use crate::unit::Name;

use super::{Batches, Kept, Plan, only_author};

/// The plan's severity with its reasons.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment<'a> {
    /// The severity that the plan is made for.
    pub severity: Option<Severity>,
    /// Whether the incident gives it. Otherwise it comes from the policy's rules.
    pub given: bool,
    /// The organisation's name for it.
    pub label: Option<&'a str>,
    /// The policy's definition of it.
    pub definition: Option<&'a str>,
    /// How its process differs from the normal one.
    pub process: Option<&'a str>,
    /// Whether the policy allows a hot-fix for that severity. None if the policy does not have it.
    pub answered_with_hotfix: Option<bool>,
    /// Whether the rules call for a hot-fix.
    pub hotfix: Hotfix,
    /// The severity that is certain from the rules.
    pub certain: Option<Severity>,
    /// The most severe one that is still possible.
    pub at_worst: Option<Severity>,
    /// Whether no unknown fact can change the result of the rules.
    pub settled: bool,
    /// The rules that apply, in the order of the policy.
    pub rules: Vec<FiredRule<'a>>,
    /// The unknown facts that can still change the result of the rules.
    pub ask: Vec<Ask<'a>>,
    /// The implications that the known facts violate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<Name>,
}

/// A rule that applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FiredRule<'a> {
    /// Its id.
    pub id: Name,
    /// Its title for people.
    pub title: &'a str,
}

/// A fact that somebody should find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ask<'a> {
    /// The fact.
    pub fact: FactId,
    /// The question.
    pub question: &'a str,
}

closed_set! {
    /// The kinds of findings of a plan.
    PlanFindingKind {
        NoHotfixForSeverity = "no_hotfix_for_severity",
        NoHotfixByRules = "no_hotfix_by_rules",
        /// Exclusions apply, and the policy lets a person decide about them.
        ExclusionToDecide = "exclusion_to_decide",
        OutOfScope = "out_of_scope",
        /// The policy does not have this severity.
        UnknownSeverity = "unknown_severity",
        NoSeverity = "no_severity",
        /// The rules give a more severe level than the incident.
        MoreSevere = "more_severe",
        /// The policy's tree answers with no hot-fix or another severity than the rules.
        TreeDisagrees = "tree_disagrees",
        /// Unknown facts can still change the result of the rules.
        NotSettled = "not_settled",
        Contradiction = "contradiction",
        /// An approval that the start waits for can only come from the author, who may not give it alone.
        AuthorOnly = "author_only",
        /// A time limit is missed, or may be missed.
        TimeShort = "time_short",
        NotJudged = "not_judged",
        /// The planned traffic does not meet a bound of a volume metric, or is far within all of them.
        VolumeBound = "volume_bound",
        /// The planned traffic is too low for the bounds of a phase to be evaluated.
        LowTraffic = "low_traffic",
        /// A phase waits for evidence of no harm that few healthy fixes give in its time.
        SlowEvidence = "slow_evidence",
        /// A histogram cannot decide a bound that lies below its first or above its last boundary.
        BoundBeyondBuckets = "bound_beyond_buckets",
        MissedByChance = "missed_by_chance",
        LargerBatches = "larger_batches",
        /// A history calibrates a test not at all, or badly.
        WeakHistory = "weak_history",
        /// The last phase does not have all of the traffic.
        HoldBack = "hold_back",
        NoDetectionTime = "no_detection_time",
        /// The release names no rollback method.
        NotReversible = "not_reversible",
        /// The release cannot simply be rolled back.
        SchemaChange = "schema_change",
        ChangeRecordIncomplete = "change_record_incomplete",
    }
}

/// A finding that everybody who starts the plan should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanFinding {
    /// Its kind.
    pub kind: PlanFindingKind,
    /// The finding in a sentence.
    pub text: String,
}

/// How many facts a finding names; `ask` has all, in the same order.
const MOST_NAMED: usize = 5;

impl Plan {
    /// The policy's entry for the plan's severity, if it has both.
    pub(crate) fn level(&self) -> Option<&SeverityLevel> {
        self.severity().and_then(|severity| self.policy().severity(severity))
    }

    /// The plan's severity with its reasons.
    pub fn assessment(&self) -> Assessment<'_> {
        let policy = self.policy();
        let answer = policy.classify(self.facts());
        let level = self.level();
        let rules = answer.rules().into_iter();
        Assessment {
            severity: self.severity(),
            given: self.subject().incident.severity.is_some(),
            label: level.map(|level| level.label.as_str()).filter(|label| !label.is_empty()),
            definition: level.and_then(SeverityLevel::definition),
            process: level.map(|level| level.process.as_str()).filter(|text| !text.is_empty()),
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

    /// The findings that everybody who starts the plan should know, most important first.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use hotfix_core::{plan::{Plan, PlanFindingKind}, policy::Policy};
    ///
    /// let policy = Arc::new(Policy::preset("enterprise")?);
    /// let incident = r#"{"id": "INC-1", "facts": {"cosmetic": true}, "severity": "P2"}"#;
    /// let plan = Plan::from_json(policy, incident, r#"{"version": "2", "previous": "1"}"#, "")?;
    /// assert_eq!(plan.findings()[0].kind, PlanFindingKind::NoHotfixForSeverity);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn findings(&self) -> Vec<PlanFinding> {
        use PlanFindingKind as Kind;
        let (policy, assessment) = (self.policy(), self.assessment());
        let mut findings = self.normal_at_first();
        let mut put = |kind, texts: Vec<String>| {
            findings.extend(texts.into_iter().map(|text| PlanFinding { kind, text }));
        };
        match (self.severity(), assessment.answered_with_hotfix) {
            _ if policy.severities().is_empty() => {}
            (Some(severity), None) => {
                put(Kind::UnknownSeverity, vec![self.lacks_severity(severity)]);
            }
            (None, _) => {
                let text = "the severity is unknown, and so are its demands: set the severity or the missing facts";
                put(Kind::NoSeverity, vec![text.to_owned()]);
            }
            (Some(_), Some(_)) => {}
        }
        if !assessment.contradictions.is_empty() {
            let broken = quoted(&assessment.contradictions, ", ");
            let text = "the facts of the incident contradict each other: they violate ";
            put(Kind::Contradiction, vec![format!("{text}{broken}")]);
        }
        if let (Some(severity), Some(certain)) = (self.severity(), assessment.certain)
            && certain < severity
        {
            let text = format!("the rules give {certain}, but the plan is for {severity}");
            put(Kind::MoreSevere, vec![text]);
        }
        put(Kind::TreeDisagrees, self.tree_disagrees(&assessment).into_iter().collect());
        if !assessment.settled && !policy.rules().is_empty() {
            let facts: Vec<&str> = assessment.ask.iter().map(|ask| ask.fact.as_str()).collect();
            let (first, others) = facts.split_at(facts.len().min(MOST_NAMED));
            let mut find_out = quoted(first, ", ");
            if !others.is_empty() {
                find_out += " and ";
                find_out += &counted(others.len(), "more fact", "more facts");
            }
            let text = if assessment.certain == assessment.at_worst {
                format!("whether the rules call for a hot-fix is open: find out {find_out}")
            } else {
                let worst = assessment.at_worst.map(|worst| format!(", {worst} at worst"));
                let worst = worst.unwrap_or_default();
                format!("the severity by the rules is not final{worst}: find out {find_out}")
            };
            put(Kind::NotSettled, vec![text]);
        }
        let stuck = self.only_for_author(self.severity);
        put(Kind::AuthorOnly, stuck.map(|(_, asked)| only_author(&asked.any_of)).collect());
        let slo = self.slo();
        let short = slo.slo.iter().chain(&slo.deadlines).filter(|objective| {
            matches!(objective.verdict, Some(Kept::Missed | Kept::MayBeMissed))
        });
        let short = short.map(|of| format!("{}: {}", of.name, of.sentence));
        put(Kind::TimeShort, short.chain(self.short_change_window()).collect());
        put(Kind::NotJudged, Unjudged::of(policy).iter().map(Unjudged::to_string).collect());
        let beyond = self.volumes_beyond().into_iter().map(|of| of.sentence);
        put(Kind::VolumeBound, beyond.chain(self.volumes_far_within()).collect());
        put(Kind::LowTraffic, self.low_traffic().into_iter().collect());
        put(Kind::SlowEvidence, self.slow_evidence());
        let beyond = policy.deciding().flat_map(BoundInBucket::of).filter(BoundInBucket::is_beyond);
        put(Kind::BoundBeyondBuckets, beyond.map(|fault| fault.to_string()).collect());
        put(Kind::MissedByChance, self.missed_by_chance());
        if let Some(batches) = self.strategy().batches.filter(|batches| batches.grown) {
            let Batches { asked, size, count, instances, .. } = batches;
            let text = format!(
                "batches of {asked} of {instances} instances would be too many to watch: there are {count} of up to {size}"
            );
            put(Kind::LargerBatches, vec![text]);
        }
        put(Kind::WeakHistory, self.weak_histories());
        if let (Some(last), Some(rest)) = (policy.phases().last(), policy.held_back()) {
            let (name, share) = (last.name, last.share);
            let text = format!(
                "the last phase, `{name}`, has {share} of the traffic: the other {rest} gets the fix when the last watch is over, at once and unwatched"
            );
            put(Kind::HoldBack, vec![text]);
        }
        if self.lacks_detection() {
            let text = "the incident has no `detected_at`: times count from the first input";
            put(Kind::NoDetectionTime, vec![text.to_owned()]);
        }
        if self.release().is_some_and(|release| release.methods.is_empty()) {
            let ways: Vec<&str> = self.methods().iter().map(|way| way.kind.as_str()).collect();
            let ways = quoted(&ways, ", then ");
            let text = format!("the release names no rollback method: the rollout tries {ways}");
            put(Kind::NotReversible, vec![text]);
        }
        if self.subject().traffic.schema_change == Some(true) {
            let text = "the release changes a schema and cannot simply be rolled back";
            put(Kind::SchemaChange, vec![text.to_owned()]);
        }
        let missing = self.change_record().missing;
        if !missing.is_empty() {
            let text = format!("the change record lacks {}", quoted(&missing, ", "));
            put(Kind::ChangeRecordIncomplete, vec![text]);
        }
        findings
    }

    /// That the policy does not have the severity of the incident, and which it has.
    fn lacks_severity(&self, severity: Severity) -> String {
        let name = self.policy().name();
        let known = self.policy().severities().iter().map(|level| level.severity);
        let known = quoted(&known.collect::<Vec<_>>(), " or ");
        format!(
            "the policy `{name}` has no severity {severity}: the start waits until you set {known}"
        )
    }

    /// A sentence if the policy's own tree answers with no hot-fix although the rules call for one, or
    /// with another severity.
    fn tree_disagrees(&self, by_rules: &Assessment<'_>) -> Option<String> {
        let policy = self.policy();
        policy.tree()?;
        let DecisionOutcome { id, severity, hotfix, .. } = policy.decide(self.facts()).outcome()?;
        let settled = by_rules.certain.filter(|_| by_rules.settled);
        let differ = settled.zip(severity).filter(|(by_rules, by_tree)| by_rules != by_tree);
        let differ = match differ {
            _ if by_rules.hotfix == Hotfix::Yes && !hotfix => format!(
                "the rules call for a hot-fix, but the decision tree ends at `{id}`, which is no hot-fix"
            ),
            Some((by_rules, by_tree)) => {
                format!(
                    "the rules give {by_rules}, but the decision tree ends at `{id}` with {by_tree}"
                )
            }
            None => return None,
        };
        Some(format!("{differ}: decide which is right, and change the policy"))
    }
}
