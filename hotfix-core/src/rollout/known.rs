//! What is known of the incident: the worst of its facts, and how certain its severity is.

use crate::fact::Facts;
use crate::grade::{Audience, Severity};

use super::Rollout;

impl Rollout {
    /// Whether the severity is only assumed: nobody gave it, and by the facts that are known it may
    /// be a less severe one.
    pub(crate) fn severity_is_assumed(&self) -> bool {
        self.case.readiness.is_assumed(self.plan.policy())
    }

    /// The worst that was known of each fact, whatever is known now.
    pub(crate) const fn worst_facts(&self) -> &Facts {
        self.case.readiness.worst_facts()
    }

    /// The severity that an audience last read, where that is another one.
    pub(crate) fn severity_before(&self, audience: Audience) -> Option<Severity> {
        let before = self.case.people.reader(audience)?.before;
        before.filter(|before| Some(*before) != self.severity())
    }
}
