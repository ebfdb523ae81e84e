//! Similar incidents, by their facts.

use serde::Serialize;
use serde_json::{Map, Value};

use super::incident_history::{Incident, IncidentHistory};
use super::logs::opening;
use super::{Figure, MeasureError, MeasureName, Measures, starts_with_an_opening};
use crate::canonical::Digest;
use crate::document::{ValueFault, read_json};
use crate::fact::{Fact, FactId, FactKind, FactValue, Facts, OUTCOMES, Vocabulary};
use crate::policy::Policy;
use crate::rollout::{Recording, Rollout, State};
use crate::sorting::sort_by;
use crate::unit::Span;

/// Weight of a flag that is false in both incidents: most flags are false in most incidents.
const BOTH_NO: f64 = 0.25;
/// Weight of a fact that is known of only one of the two incidents: it may agree or not.
const HALF_KNOWN: f64 = 0.5;

/// The known facts of an incident, to be compared with logs.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    facts: Facts,
    vocabulary: Vocabulary,
    /// Hash of its log's opening line, so that it is not compared with itself.
    opening: Option<Digest>,
}

/// Similarity of a logged incident, and the facts it is based on.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Similar {
    /// Index of the log, from 0.
    pub log: usize,
    /// The incident's id.
    pub incident: String,
    /// Weight of the facts that agree, divided by the weight of all facts known of either: 0 to 1.
    pub score: f64,
    /// Facts that agree, fully or partly, the highest weight first.
    pub agree: Vec<Agreement>,
    /// Facts that differ.
    pub differ: Vec<String>,
    /// Facts that are known of only one of the two.
    pub unknown: Vec<String>,
    /// Last state of the rollout.
    pub state: State,
    /// Version of the last attempt; None where there was no release.
    pub version: Option<String>,
    /// Time until the incident was resolved for users, where it is known.
    pub recovered_after: Option<Span>,
}

/// A fact that agrees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Name of the fact.
    pub fact: String,
    /// Degree of agreement: above 0, at most 1.
    pub by: f64,
    /// Value in the logged incident: the worst that was known.
    pub value: FactValue,
}

impl Known {
    /// Reads the facts of an incident, in the form of `incident.facts`; `service` and
    /// `preceding_deploy` are facts, too. Without a policy, only the built-in facts are known.
    ///
    /// # Errors
    /// [`MeasureError::Facts`] for a fact that the policy does not declare, or of another type.
    pub fn from_facts(
        facts: &Map<String, Value>,
        policy: Option<&Policy>,
    ) -> Result<Self, MeasureError> {
        let vocabulary = policy.map(|policy| policy.vocabulary().clone()).unwrap_or_default();
        let facts = Facts::read(facts, &vocabulary)?;
        Ok(Self { facts, vocabulary, opening: None })
    }

    /// Reads the facts of a log: of each the worst that was known.
    ///
    /// # Errors
    /// [`MeasureError::Log`] for a log that cannot be read.
    pub fn from_log(log: &[u8]) -> Result<Self, MeasureError> {
        let rollout = Rollout::replay(log, Recording::HandOut)
            .map_err(|error| MeasureError::Log { index: 0, error })?;
        let vocabulary = rollout.plan().policy().vocabulary().clone();
        Ok(Self { facts: facts(&rollout), vocabulary, opening: opening(log) })
    }

    /// Reads a log, or a JSON object of facts.
    ///
    /// # Errors
    /// Those of [`from_log`](Self::from_log) and [`from_facts`](Self::from_facts);
    /// [`MeasureError::Subject`] for a text that is neither.
    pub fn read(text: &[u8], policy: Option<&Policy>) -> Result<Self, MeasureError> {
        if starts_with_an_opening(text) {
            return Self::from_log(text);
        }
        let neither = |fault| MeasureError::Subject { fault };
        let text = std::str::from_utf8(text).map_err(|error| neither(error.to_string()))?;
        let facts: Map<String, Value> =
            read_json(text).map_err(|faults| neither(ValueFault::list(&faults)))?;
        Self::from_facts(&facts, policy)
    }
}

/// Compares an incident with those of the logs. The most similar comes first; among equal ones, the
/// earlier log. The incident's own log is left out.
///
/// Of a log, the worst that was known of each fact is compared, because at the end all is well: yes
/// for a flag that ever held, the largest number. Of a text the last one is.
///
/// The score is the weight of the facts that agree, divided by the weight of all facts known of
/// either incident; 0 if no fact is known. A fact has the weight 1; a flag that is false in both
/// incidents 0.25; a fact that is known of only one of the two 0.5, without agreement. Flags and
/// texts (ignoring case) agree or do not. Numbers agree where no rule of the other incident's
/// policy distinguishes them; else the agreement is the smaller divided by the larger. Times and
/// outcomes (`support_tickets`, `coverage_before`, `coverage_after`) are not compared.
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
/// [`MeasureError::Log`] for a log that cannot be read.
pub fn similar(known: &Known, logs: &[&[u8]]) -> Result<Vec<Similar>, MeasureError> {
    let mut found = Vec::with_capacity(logs.len());
    for (index, log) in logs.iter().enumerate() {
        if known.opening.is_some_and(|own| opening(log) == Some(own)) {
            continue;
        }
        let (rollout, history) = IncidentHistory::of(log, index)?;
        found.push(compare(known, index, Incident { rollout: &rollout, history: &history }));
    }
    sort_by(&mut found, |a, b| b.score.total_cmp(&a.score).then(a.log.cmp(&b.log)));
    Ok(found)
}

/// The worst known facts of an incident, with its service.
fn facts(rollout: &Rollout) -> Facts {
    let mut facts = rollout.worst_facts().clone();
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
    let (mut agreed, mut whole) = (0.0, 0.0);
    let (mut agree, mut differ, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
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
            unknown.push(name.to_owned());
            continue;
        };
        let both_no = matches!((ours, other), (FactValue::Flag(false), FactValue::Flag(false)));
        let weight = if both_no { BOTH_NO } else { 1.0 };
        let by = other_id.map_or(0.0, |id| agreement(ours, other, id, policy));
        whole += weight;
        agreed += weight * by;
        if by > 0.0 {
            let agreement = Agreement { fact: name.to_owned(), by, value: other.clone() };
            agree.push((weight * by, agreement));
        } else {
            differ.push(name.to_owned());
        }
    }
    sort_by(&mut agree, |(a, _), (b, _)| b.total_cmp(a));
    Similar {
        log: index,
        incident: measures.incident,
        score: if whole > 0.0 { agreed / whole } else { 0.0 },
        agree: agree.into_iter().map(|(_, agreement)| agreement).collect(),
        differ,
        unknown,
        state: measures.state,
        version: measures.version,
        recovered_after: match (recovered_after.status, recovered_after.figure) {
            (super::MeasureStatus::Known, Some(Figure::Seconds(span))) => Some(span),
            _ => None,
        },
    }
}

/// The facts of both vocabularies: first ours, then the further ones of theirs.
fn names<'a>(ours: &'a Vocabulary, theirs: &'a Vocabulary) -> Vec<&'a str> {
    let new = theirs.names().filter(|name| ours.find(name).is_none());
    ours.names().chain(new).filter(|name| !OUTCOMES.contains(name)).collect()
}

/// Degree of agreement of two values, 0 to 1.
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
            // A single class does not distinguish values.
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
