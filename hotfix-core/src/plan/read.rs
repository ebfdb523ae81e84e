//! Reads the documents of which a plan is made: incident, release and traffic.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Incident, PlanError, Subject};
use crate::document::{ValueFault, object_of, read_value};

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

    /// The same as texts.
    pub(super) fn from_texts(
        incident: &str,
        release: Option<&str>,
        traffic: Option<&str>,
    ) -> Result<Self, PlanError> {
        Self::read(object_of(incident), release.map(object_of), traffic.map(object_of))
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

/// Reads one of the documents; its faults are added to those of the others.
fn part<T: DeserializeOwned>(
    document: Result<Value, String>,
    name: &str,
    faults: &mut Vec<ValueFault>,
) -> Option<T> {
    match document.map(|value| read_value(&value)) {
        Ok(Ok(read)) => return Some(read),
        Ok(Err(found)) => faults.extend(
            found
                .into_iter()
                .map(|fault| ValueFault { path: format!("/{name}{}", fault.path), ..fault }),
        ),
        Err(sentence) => {
            let sentence = format!("the {name} cannot be read: {sentence}");
            faults.push(ValueFault { path: format!("/{name}"), sentence });
        }
    }
    None
}
