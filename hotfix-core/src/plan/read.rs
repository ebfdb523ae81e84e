//! Reads the documents of which a plan is made: incident, release and traffic.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{PlanError, Subject};
use crate::document::{ValueFault, faults_of, read_object};

/// One of the documents of a subject.
pub(super) trait SubjectDocument {
    /// Reads it, or the parser's sentence.
    fn read<T: DeserializeOwned>(&self) -> Result<T, String>;

    /// Its JSON; None for other text.
    fn value(&self) -> Option<Value>;
}

impl SubjectDocument for &str {
    fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        read_object(self)
    }

    fn value(&self) -> Option<Value> {
        serde_json::from_str(self).ok()
    }
}

impl SubjectDocument for Value {
    fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        T::deserialize(self).map_err(|error| error.to_string())
    }

    fn value(&self) -> Option<Value> {
        Some(self.clone())
    }
}

/// Reads one of the documents; its faults are added to those of the others.
fn part<T: DeserializeOwned>(
    document: &impl SubjectDocument,
    name: &str,
    faults: &mut Vec<ValueFault>,
) -> Option<T> {
    let sentence = match document.read() {
        Ok(read) => return Some(read),
        Err(sentence) => sentence,
    };
    let found = document.value().map_or_else(Vec::new, faults_of::<T>);
    if found.is_empty() {
        let sentence = format!("the {name} cannot be read: {sentence}");
        faults.push(ValueFault { path: format!("/{name}"), sentence });
    }
    let placed = |fault: ValueFault| ValueFault { path: format!("/{name}{}", fault.path), ..fault };
    faults.extend(found.into_iter().map(placed));
    None
}

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
    /// let error = Subject::from_values(&incident, None, None).unwrap_err();
    /// assert_eq!((error.code(), error.path().as_str()), ("HF-PLAN-001", "/incident/sevrity"));
    /// assert!(error.to_string().contains("did you mean `severity`?"));
    /// ```
    pub fn from_values(
        incident: &Value,
        release: Option<&Value>,
        traffic: Option<&Value>,
    ) -> Result<Self, PlanError> {
        Self::from_documents(incident, release, traffic)
    }

    /// The same from texts or values.
    pub(super) fn from_documents<D: SubjectDocument>(
        incident: &D,
        release: Option<&D>,
        traffic: Option<&D>,
    ) -> Result<Self, PlanError> {
        let mut faults = Vec::new();
        let incident = part(incident, "incident", &mut faults);
        let release = release.and_then(|release| part(release, "release", &mut faults));
        let traffic = traffic.and_then(|traffic| part(traffic, "traffic", &mut faults));
        match incident {
            Some(incident) if faults.is_empty() => {
                Ok(Self { incident, release, traffic: traffic.unwrap_or_default() })
            }
            _ => Err(PlanError::Values { faults }),
        }
    }
}
