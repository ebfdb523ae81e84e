//! Incidents like one at hand, by their facts (POST-3).

use serde::Serialize;
use serde_json::{Map, Value};

use super::course::{Course, Incident};
use super::logs::first_line;
use super::{Figure, MeasureError, MeasureName, Measures, starts_with_an_opening};
use crate::fact::{Fact, FactId, FactKind, FactValue, Facts, Vocabulary};
use crate::policy::Policy;
use crate::rollout::{Rollout, State};
use crate::unit::Span;

/// What a pair of 'no' is worth beside a pair of 'yes': most incidents have most troubles not.
const BOTH_NO: f64 = 0.25;
/// What a fact that only one of the two knows is worth as a difference: it may agree or not.
const HALF_KNOWN: f64 = 0.5;

/// What came of an incident says nothing of what it is like.
const OUTCOMES: [&str; 3] = ["support_tickets", "coverage_before", "coverage_after"];

/// What is known of the incident at hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    facts: Facts,
    vocabulary: Vocabulary,
    /// Its log's first line, so that it is not compared with itself.
    opening: Option<Vec<u8>>,
}

/// How alike two incidents are, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Similar {
    /// Which of the logs, from 0.
    pub log: usize,
    /// The incident's id.
    pub incident: String,
    /// 0 to 1: the weight of what agrees of the weight of all that either knows.
    pub score: f64,
    /// Facts that agree, wholly or in part; the weightiest first.
    pub agree: Vec<Agreement>,
    /// Facts that differ.
    pub differ: Vec<String>,
    /// Facts that only one of the two knows.
    pub unknown: Vec<String>,
    /// Where it ended, or is.
    pub state: State,
    /// The version that was tried last.
    pub version: String,
    /// How long it took until it was over for users, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered_after: Option<Span>,
}

/// A fact that agrees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Its name.
    pub fact: String,
    /// How far, above 0 to 1.
    pub by: f64,
    /// What the other incident has.
    pub value: FactValue,
}

impl Known {
    /// From the facts of an incident, as `incident.facts` has them; `service` and `preceding_deploy` are facts, too. Without a
    /// policy the built-in facts are known alone.
    ///
    /// # Errors
    /// `HF-FACT-…` for a fact that the policy does not know, or of another type.
    pub fn from_facts(
        facts: &Map<String, Value>,
        policy: Option<&Policy>,
    ) -> Result<Self, MeasureError> {
        let vocabulary = policy.map(|policy| policy.vocabulary().clone()).unwrap_or_default();
        let facts = Facts::read(facts, &vocabulary).map_err(MeasureError::Facts)?;
        Ok(Self { facts, vocabulary, opening: None })
    }

    /// From a log: what was known at its end.
    ///
    /// # Errors
    /// What a broken log gives.
    pub fn from_log(log: &[u8]) -> Result<Self, MeasureError> {
        let (rollout, _) = Course::read(log).map_err(|error| MeasureError::of_log(0, error))?;
        let vocabulary = rollout.plan().policy().vocabulary().clone();
        Ok(Self { facts: facts(&rollout), vocabulary, opening: Some(first_line(log).to_owned()) })
    }

    /// From a log, or a JSON object of facts.
    ///
    /// # Errors
    /// As [`from_log`](Self::from_log) and [`from_facts`](Self::from_facts); `HF-REP-022` where it is neither.
    pub fn read(text: &[u8], policy: Option<&Policy>) -> Result<Self, MeasureError> {
        if starts_with_an_opening(text) {
            return Self::from_log(text);
        }
        let facts: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|error| MeasureError::Subject { fault: error.to_string() })?;
        Self::from_facts(&facts, policy)
    }
}

/// The incidents of these logs, the most alike first; of equal ones the earlier log. Its own log is left out.
///
/// Each fact that either knows has a weight: 1; a flag that is 'no' on both sides a quarter; one that only one of the two
/// knows a half, and it agrees by nothing. Flags and texts (without regard to case) agree or not. Numbers agree where the
/// other incident's policy has them in one class, since no rule of it tells them apart; else by the smaller over the larger.
/// Times and what came of an incident (`support_tickets`, `coverage_before`, `coverage_after`) are not compared. The score is the weight that agrees over the whole weight; 0 where neither knows anything.
///
/// ```
/// use std::sync::Arc;
/// use hotfix_core::{plan::Plan, policy::Policy, rollout::{Input, Recording, Rollout}};
/// use hotfix_core::report::measures::{Known, similar};
///
/// let plan = Plan::from_json(
///     Arc::new(Policy::preset("enterprise")?),
///     r#"{"id": "INC-2041", "service": "payments", "facts": {"payment_failure_share": 0.55, "service_down": false}}"#,
///     r#"{"version": "2.3.1", "previous": "2.3.0"}"#,
///     "",
/// )?;
/// let mut rollout = Rollout::try_new(plan, Recording::Keep, "")?;
/// let note = Input::from_json(r#"{"kind": "note", "by": "lena", "text": "payments fail"}"#)?;
/// rollout.handle("2026-03-03T14:08:00Z".parse()?, &note)?;
///
/// let now = br#"{"service": "payments", "payment_failure_share": 0.8, "service_down": false, "memory_leak": true}"#;
/// let found = similar(&Known::read(now, None)?, &[rollout.log().as_bytes()])?;
/// let names: Vec<&str> = found[0].agree.iter().map(|agreed| agreed.fact.as_str()).collect();
/// assert_eq!(names, ["payment_failure_share", "service", "service_down"]);
/// assert_eq!(found[0].unknown, ["memory_leak"]);
/// assert!((found[0].score - 2.25 / 2.75).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What a broken log gives, with its place.
///
/// Shows POST-3.
pub fn similar(known: &Known, logs: &[&[u8]]) -> Result<Vec<Similar>, MeasureError> {
    let mut found = Vec::with_capacity(logs.len());
    for (index, log) in logs.iter().enumerate() {
        if known.opening.as_deref() == Some(first_line(log)) {
            continue;
        }
        let (rollout, course) =
            Course::read(log).map_err(|error| MeasureError::of_log(index, error))?;
        found.push(compare(known, index, Incident { rollout: &rollout, course: &course }));
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.log.cmp(&b.log)));
    Ok(found)
}

/// Its facts, with the service that the incident names.
fn facts(rollout: &Rollout) -> Facts {
    let mut facts = rollout.facts().clone();
    let service = FactId::BuiltIn(Fact::Service);
    if let (None, Some(name)) =
        (facts.get(service), rollout.plan().subject().incident.service.as_ref())
    {
        facts.set(service, FactValue::Text(name.clone()));
    }
    facts
}

fn compare(known: &Known, index: usize, incident: Incident<'_>) -> Similar {
    let theirs = facts(incident.rollout);
    let policy = incident.rollout.plan().policy();
    let measures = Measures::of(incident);
    let recovered_after = measures.get(MeasureName::TimeToRecover);
    let mut similar = Similar {
        log: index,
        incident: measures.incident,
        score: 0.0,
        agree: Vec::new(),
        differ: Vec::new(),
        unknown: Vec::new(),
        state: measures.state,
        version: measures.version,
        recovered_after: match (recovered_after.standing, recovered_after.figure) {
            (super::Standing::Known, Some(Figure::Seconds(span))) => Some(span),
            _ => None,
        },
    };
    let (mut agreed, mut whole) = (0.0, 0.0);
    let mut weights = Vec::new();
    for name in names(&known.vocabulary, policy.vocabulary()) {
        let ours = known.vocabulary.find(name).and_then(|id| known.facts.get(id));
        let other_id = policy.vocabulary().find(name);
        let other = other_id.and_then(|id| theirs.get(id));
        let is_time = |value: &FactValue| matches!(value, FactValue::Time(_));
        if ours.or(other).is_none_or(is_time) {
            continue;
        }
        let (Some(ours), Some(other)) = (ours, other) else {
            whole += HALF_KNOWN;
            similar.unknown.push(name.to_owned());
            continue;
        };
        let both_no = matches!((ours, other), (FactValue::Flag(false), FactValue::Flag(false)));
        let weight = if both_no { BOTH_NO } else { 1.0 };
        let by = other_id.map_or(0.0, |id| agreement(ours, other, id, policy));
        whole += weight;
        agreed += weight * by;
        if by > 0.0 {
            weights.push(weight * by);
            similar.agree.push(Agreement { fact: name.to_owned(), by, value: other.clone() });
        } else {
            similar.differ.push(name.to_owned());
        }
    }
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    similar.agree = order.into_iter().map(|place| similar.agree[place].clone()).collect();
    similar.score = if whole > 0.0 { agreed / whole } else { 0.0 };
    similar
}

/// The names that either has, in the order of ours, then theirs.
fn names<'a>(ours: &'a Vocabulary, theirs: &'a Vocabulary) -> Vec<&'a str> {
    let new = theirs.names().filter(|name| ours.find(name).is_none());
    ours.names().chain(new).filter(|name| !OUTCOMES.contains(name)).collect()
}

/// How far two values agree, 0 to 1.
fn agreement(ours: &FactValue, other: &FactValue, id: FactId, policy: &Policy) -> f64 {
    match (ours, other) {
        (FactValue::Flag(a), FactValue::Flag(b)) => f64::from(u8::from(a == b)),
        (FactValue::Text(a), FactValue::Text(b)) => {
            f64::from(u8::from(a.trim().to_lowercase() == b.trim().to_lowercase()))
        }
        _ if ours.kind() != other.kind() || ours.kind() == FactKind::Time => 0.0,
        _ => {
            let (Some(a), Some(b)) = (ours.as_number(), other.as_number()) else { return 0.0 };
            let space = &policy.reasoning().space;
            // One class is no cut.
            let place = space.variable(id).filter(|place| space.classes(*place) > 1);
            let class = |value| place.and_then(|place| space.class(place, value));
            let same_class = class(ours).is_some() && class(ours) == class(other);
            if a == b || same_class {
                1.0
            } else if a * b <= 0.0 {
                0.0
            } else {
                a.abs().min(b.abs()) / a.abs().max(b.abs())
            }
        }
    }
}
