//! When the incident began and was detected, as its documents have it.

use crate::fact::Fact;
use crate::unit::Timestamp;

use super::{Plan, PlanError};

/// A time with its JSON Pointer.
type Placed = (&'static str, Timestamp);

impl Plan {
    /// When the incident began: its `began_at`, else the fact of this name.
    pub(crate) fn began_at(&self) -> Option<Timestamp> {
        self.began().map(|(_, at)| at)
    }

    /// When the incident was detected: its `detected_at`, else the fact of this name.
    pub(crate) fn detected_at(&self) -> Option<Timestamp> {
        self.detected().map(|(_, at)| at)
    }

    fn began(&self) -> Option<Placed> {
        let given = self.subject.incident.began_at.map(|at| ("/incident/began_at", at));
        given.or_else(|| Some(("/incident/facts/began_at", self.facts.time(Fact::BeganAt)?)))
    }

    fn detected(&self) -> Option<Placed> {
        let given = self.subject.incident.detected_at.map(|at| ("/incident/detected_at", at));
        given.or_else(|| Some(("/incident/facts/detected_at", self.facts.time(Fact::DetectedAt)?)))
    }

    /// Checks these times. Those of a plan that is restored are not checked: earlier logs have
    /// others.
    pub(super) fn in_order(self) -> Result<Self, PlanError> {
        let (began, detected) = (self.began(), self.detected());
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
