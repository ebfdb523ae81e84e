//! Reads the documents of which a plan is made: incident, release and traffic.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Incident, PlanError, Release, Subject};
use crate::document::{ValueFault, read_part, value_of};
use crate::text::shown;

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

    /// The same as texts. `release` is an empty text or `null` while there is no fix yet.
    pub(super) fn from_json(
        incident: &str,
        release: &str,
        traffic: &str,
    ) -> Result<Self, PlanError> {
        let release = Some(release).filter(|text| !matches!(text.trim(), "" | "null"));
        let traffic = Some(traffic).filter(|text| !text.trim().is_empty());
        Self::read(value_of(incident), release.map(value_of), traffic.map(value_of))
    }

    /// Refuses names with control characters, which logs of earlier releases may have.
    pub(super) fn check_names(&self) -> Result<(), PlanError> {
        let Self { incident, release, .. } = self;
        is_one_line("/incident/id", &incident.id)?;
        is_one_line("/incident/service", incident.service.as_deref().unwrap_or_default())?;
        release.as_ref().map_or(Ok(()), Release::check_names)
    }

    /// Each document is its value, or the parser's sentence.
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
                // Of a variable that is not set.
                incident.service = incident.service.filter(|service| !service.trim().is_empty());
                Ok(Self { incident, release, traffic: traffic.unwrap_or_default() })
            }
            _ => Err(PlanError::Values { faults }),
        }
    }
}

impl Release {
    /// Refuses versions with control characters, which logs of earlier releases may have.
    pub(crate) fn check_names(&self) -> Result<(), PlanError> {
        is_one_line("/release/version", &self.version)?;
        is_one_line("/release/previous", &self.previous)
    }
}

fn is_one_line(field: &'static str, text: &str) -> Result<(), PlanError> {
    if text.chars().any(char::is_control) {
        return Err(PlanError::ControlCharacter { field, got: shown(text) });
    }
    Ok(())
}

/// Reads one of the documents; its faults are added to those of the others.
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
