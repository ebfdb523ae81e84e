//! The whole plan as one document.

use serde::{Serialize, Serializer};

use crate::canonical::{pretty, tree_of};
use crate::getters::object;

use super::{Plan, Subject};

/// All views of a plan, which C gives as JSON and Python as a dict, computed when it is written.
#[derive(Clone, Copy, Debug)]
pub struct PlanDocument<'a>(&'a Plan);

impl Serialize for PlanDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(plan) = self;
        let Subject { incident, traffic, .. } = plan.subject();
        // JSON can represent every checked policy.
        let policy = tree_of(plan.policy());
        let phases = policy.get("phases").cloned().unwrap_or_default();
        let (calibrations, commands) = (plan.calibrations(), plan.commands());
        object!(serializer, PlanDocument:
            advice = plan.advice(), assessment = plan.assessment(), calibration if_any = calibrations,
            commands if_any = commands, contacts = plan.contacts(), demands = plan.demands(),
            digest = plan.digest(), duration = plan.duration(), first_steps = plan.first_steps(),
            follow_up = plan.follow_up(), incident = incident, methods = plan.methods(), phases = phases,
            policy = policy, procedure = plan.procedure(), recommendation = plan.recommendation(),
            change_record = plan.change_record(), release if_some = plan.release(),
            findings = plan.findings(), risks = plan.risks(), rollback = plan.rollback(),
            scope = plan.scope(), severity if_some = plan.severity(), slo = plan.slo(),
            strategy = plan.strategy(), thresholds = plan.thresholds(), timeline = plan.offsets(),
            traffic = traffic
        )
    }
}

impl Plan {
    /// The plan and all its views.
    ///
    /// Each member is what the method of its name says, so `strategy` is an object with the member
    /// `strategy`; `timeline` is [`offsets`](Self::offsets). `release`, `severity`, `commands` and
    /// `calibration` are there only where there is one.
    ///
    /// It does not contain [`power`](Self::power), which takes tens of milliseconds, and
    /// [`source_control`](Self::source_control), which needs a time and may be refused.
    pub const fn document(&self) -> PlanDocument<'_> {
        PlanDocument(self)
    }

    /// [`document`](Self::document) as indented JSON.
    pub fn to_json(&self) -> String {
        pretty(&self.document()).unwrap_or_default()
    }
}
