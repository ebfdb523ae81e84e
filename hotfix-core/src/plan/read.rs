//! Reads the documents of which a plan is made, and the times that they state.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Incident, Plan, PlanError, Release, Subject};
use crate::document::{ValueFault, read_part, value_of};
use crate::fact::{Fact, Facts};
use crate::text::{LONGEST, pointer_step, shown};
use crate::unit::{Span, Timestamp};

impl Subject {
    /// Reads the JSON of `docs/inputs.md`, as values.
    ///
    /// # Errors
    /// [`PlanError::Values`] with all faults of the three documents.
    ///
    /// ```
    /// use hotfix_core::plan::Subject;
    /// use serde_json::json;
    ///
    /// let incident = json!({"id": "INC-1", "sevrity": "P1"});
    /// let error = Subject::from_values(incident, None, None).unwrap_err();
    /// assert_eq!((error.code(), error.path().as_str()), ("HF-PLAN-001", "/incident/sevrity"));
    /// assert!(error.to_string().contains("did you mean `severity`?"));
    /// ```
    pub fn from_values(
        incident: Value,
        release: Option<Value>,
        traffic: Option<Value>,
    ) -> Result<Self, PlanError> {
        Self::read(Ok(incident), release.map(Ok), traffic.map(Ok))
    }

    /// [`from_values`](Self::from_values) of JSON texts. `release` and `traffic` may be empty or `null`.
    pub(super) fn from_json(
        incident: &str,
        release: &str,
        traffic: &str,
    ) -> Result<Self, PlanError> {
        let [release, traffic] = [release, traffic]
            .map(|text| Some(text).filter(|text| !matches!(text.trim(), "" | "null")));
        Self::read(value_of(incident), release.map(value_of), traffic.map(value_of))
    }

    /// Refuses names with control characters and texts that are too long. Not called for a restored
    /// plan, because logs of earlier versions may have such texts.
    pub(super) fn check_texts(&self) -> Result<(), PlanError> {
        let Self { incident, release, .. } = self;
        is_one_line("/incident/id", &incident.id)?;
        is_one_line("/incident/service", incident.service.as_deref().unwrap_or_default())?;
        no_long_text("/incident", incident)?;
        release.as_ref().map_or(Ok(()), Release::check_texts)
    }

    /// Reads the three documents, each given as its value or the parser's error message.
    fn read(
        incident: Result<Value, String>,
        release: Option<Result<Value, String>>,
        traffic: Option<Result<Value, String>>,
    ) -> Result<Self, PlanError> {
        let mut faults = Vec::new();
        let incident = part::<Incident>(incident, "incident", &mut faults);
        let release = release.and_then(|release| part(release, "release", &mut faults));
        let traffic = traffic.and_then(|traffic| part(traffic, "traffic", &mut faults));
        match incident {
            Some(mut incident) if faults.is_empty() => {
                // A blank service comes from a variable that is not set.
                incident.service = incident.service.filter(|service| !service.trim().is_empty());
                Ok(Self { incident, release, traffic: traffic.unwrap_or_default() })
            }
            _ => Err(PlanError::Values { faults }),
        }
    }
}

impl Subject {
    fn began(&self, facts: &Facts) -> Option<Placed> {
        let given = self.incident.began_at.map(|at| ("/incident/began_at", at));
        given.or_else(|| Some(("/incident/facts/began_at", facts.time(Fact::BeganAt)?)))
    }

    fn detected(&self, facts: &Facts) -> Option<Placed> {
        let given = self.incident.detected_at.map(|at| ("/incident/detected_at", at));
        given.or_else(|| Some(("/incident/facts/detected_at", facts.time(Fact::DetectedAt)?)))
    }

    /// How long the incident was not detected. None if unknown.
    pub(super) fn undetected(&self, facts: &Facts) -> Option<Span> {
        Some(self.detected(facts)?.1.since(self.began(facts)?.1))
    }
}

impl Release {
    /// Refuses versions with control characters and texts that are too long, as [`Subject::check_texts`] does.
    pub(crate) fn check_texts(&self) -> Result<(), PlanError> {
        is_one_line("/release/version", &self.version)?;
        is_one_line("/release/previous", &self.previous)?;
        no_long_text("/release", self)
    }
}

fn is_one_line(field: &'static str, text: &str) -> Result<(), PlanError> {
    if text.chars().any(char::is_control) {
        return Err(PlanError::ControlCharacter { field, got: shown(text) });
    }
    Ok(())
}

/// Refuses a text that is too long for the log; `numstat` has a limit of its own.
pub(crate) fn no_long_text(document: &str, of: &impl Serialize) -> Result<(), PlanError> {
    let found = serde_json::to_value(of).ok().and_then(|value| long_text(document, &value));
    found.map_or(Ok(()), |(field, bytes)| Err(PlanError::TooLong { field, bytes, most: LONGEST }))
}

/// The JSON Pointer of the first text that is too long, and its length in bytes.
fn long_text(place: &str, value: &Value) -> Option<(String, usize)> {
    let within = |step: &str, value| long_text(&format!("{place}/{}", pointer_step(step)), value);
    match value {
        Value::String(text) => (text.len() > LONGEST).then(|| (place.to_owned(), text.len())),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| within(&at.to_string(), item))
        }
        Value::Object(members) => {
            let mut members = members.iter().filter(|(key, _)| *key != "numstat");
            members.find_map(|(key, value)| within(key, value))
        }
        _ => None,
    }
}

/// Reads one document; None if it has faults, which are added to `faults`.
fn part<T: DeserializeOwned>(
    document: Result<Value, String>,
    name: &str,
    faults: &mut Vec<ValueFault>,
) -> Option<T> {
    match document.map(|value| read_part(name, &value)) {
        Ok(Ok(read)) => return Some(read),
        Ok(Err(found)) => faults.extend(found),
        Err(sentence) => {
            let sentence = format!("the {name} cannot be read: {sentence}");
            faults.push(ValueFault { path: format!("/{name}"), sentence });
        }
    }
    None
}

/// A time with its JSON Pointer.
type Placed = (&'static str, Timestamp);

impl Plan {
    /// When the incident began: its `began_at`, else the fact of this name.
    pub(crate) fn began_at(&self) -> Option<Timestamp> {
        self.subject.began(&self.facts).map(|(_, at)| at)
    }

    /// When the incident was detected: its `detected_at`, else the fact of this name.
    pub(crate) fn detected_at(&self) -> Option<Timestamp> {
        self.subject.detected(&self.facts).map(|(_, at)| at)
    }

    /// Refuses times of the incident that are too early or in the wrong order. Not called for a
    /// restored plan, because logs of earlier versions may have such times.
    pub(super) fn in_order(self) -> Result<Self, PlanError> {
        let subject = &self.subject;
        let (began, detected) = (subject.began(&self.facts), subject.detected(&self.facts));
        for (field, got) in began.into_iter().chain(detected) {
            if got < Timestamp::EARLIEST {
                let fault = Timestamp::TOO_EARLY.to_owned();
                return Err(PlanError::Time { field, got, fault });
            }
        }
        match (began, detected) {
            (Some((field, got)), Some((_, detected))) if got > detected => {
                let fault = format!("after it was detected ({detected}): correct one of them");
                Err(PlanError::Time { field, got, fault })
            }
            _ => Ok(self),
        }
    }
}
