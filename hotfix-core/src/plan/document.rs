//! The whole plan as one document.

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::canonical::{pretty, tree_of};

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
        let mut document = serializer.serialize_struct("PlanDocument", 29)?;
        document.serialize_field("advice", &plan.advice())?;
        document.serialize_field("assessment", &plan.assessment())?;
        if !calibrations.is_empty() {
            document.serialize_field("calibration", calibrations)?;
        }
        if !commands.is_empty() {
            document.serialize_field("commands", &commands)?;
        }
        document.serialize_field("contacts", &plan.contacts())?;
        document.serialize_field("demands", &plan.demands())?;
        document.serialize_field("digest", &plan.digest())?;
        document.serialize_field("duration", &plan.duration())?;
        document.serialize_field("first_steps", &plan.first_steps())?;
        document.serialize_field("follow_up", &plan.follow_up())?;
        document.serialize_field("incident", incident)?;
        document.serialize_field("methods", &plan.methods())?;
        document.serialize_field("phases", &phases)?;
        document.serialize_field("policy", &policy)?;
        document.serialize_field("procedure", &plan.procedure())?;
        document.serialize_field("recommendation", &plan.recommendation())?;
        document.serialize_field("change_record", &plan.change_record())?;
        if let Some(release) = plan.release() {
            document.serialize_field("release", release)?;
        }
        document.serialize_field("findings", &plan.findings())?;
        document.serialize_field("risks", &plan.risks())?;
        document.serialize_field("rollback", &plan.rollback())?;
        document.serialize_field("scope", &plan.scope())?;
        if let Some(severity) = plan.severity() {
            document.serialize_field("severity", &severity)?;
        }
        document.serialize_field("slo", &plan.slo())?;
        document.serialize_field("strategy", &plan.strategy())?;
        document.serialize_field("thresholds", &plan.thresholds())?;
        document.serialize_field("timeline", &plan.offsets())?;
        document.serialize_field("traffic", traffic)?;
        document.end()
    }
}

impl Plan {
    /// The plan and all its views.
    ///
    /// `{"digest", "incident", "release", "traffic", "policy", "phases", "methods", "strategy",
    /// "recommendation", "rollback", "severity", "assessment", "demands", "scope", "findings",
    /// "change_record", "duration", "timeline", "slo", "procedure", "advice", "risks",
    /// "first_steps", "contacts", "thresholds", "follow_up", "commands", "calibration"}`; `release`,
    /// `severity`, `commands` and `calibration` only where there is one. Each is what the method of
    /// its name says, so `strategy` is an object with the member `strategy`.
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
