//! Impact and severity of the incident, who is affected, and who works on it, as values of message fields.

use crate::deadline::Who;
use crate::fact::{Fact, Impact};
use crate::gate::approval::{Demand, DemandState, Heard};
use crate::grade::Audience;
use crate::rollout::{Rollout, is_taken_out};
use crate::text::enumerated;
use crate::unit::RoleName;

impl Impact<'_> {
    /// The known facts that users or the business notice; else the share of users affected.
    pub(crate) fn sentence(self) -> Option<String> {
        let effects: Vec<String> = self.effects().collect();
        if effects.is_empty() { self.of_users() } else { Some(enumerated(&effects)) }
    }

    pub(crate) fn affected(self) -> Option<String> {
        if let Some(share) = self.users_affected() {
            return Some(format!("{share} of users"));
        }
        let is_down = self.facts.flag(Fact::ServiceDown) == Some(true);
        is_down.then(|| "all users".to_owned())
    }
}

/// The severity, marked where it is only assumed.
pub(super) fn severity(rollout: &Rollout) -> Option<String> {
    rollout.named_severity().map(|severity| severity.to_string())
}

/// The policy's name for the severity, or the severity where the policy has none; of one that is only
/// assumed, `possibly critical`.
pub(super) fn severity_label(rollout: &Rollout) -> Option<String> {
    let severity = rollout.severity()?;
    let label = rollout.plan().policy().severity(severity).map(|level| level.label.as_str());
    let label = label.filter(|label| !label.is_empty()).unwrap_or_else(|| severity.as_str());
    let possibly = if rollout.severity_is_assumed() { "possibly " } else { "" };
    Some(format!("{possibly}{label}"))
}

/// In the first alert or update to this audience after a change: what the severity is, and what the
/// audience read of it before.
pub(super) fn severity_change(rollout: &Rollout, audience: Audience) -> Option<String> {
    let before = rollout.severity_before(audience)?;
    severity(rollout).map(|now| format!("{now}, before that {before}"))
}

pub(super) fn commander(rollout: &Rollout) -> Option<String> {
    let role = RoleName::try_new("incident_commander").ok()?;
    let who = Who::of(rollout.plan().policy(), role);
    let names: Vec<String> = who.holders.iter().filter_map(|holder| person(holder.name)).collect();
    (!names.is_empty()).then(|| enumerated(&names))
}

/// The author of the fix.
pub(super) fn engineer(rollout: &Rollout) -> Option<String> {
    rollout.plan().release()?.author.as_deref().and_then(person)
}

pub(super) fn approvers(rollout: &Rollout) -> Vec<String> {
    let policy = rollout.plan().policy();
    let demands = rollout.approvals().demands;
    let count = demands.iter().filter(|demand| demand.state != DemandState::AuthorAlone);
    let mut approvers = Vec::new();
    for Heard { statement, .. } in count.flat_map(Demand::approvals) {
        let role = policy.role_title(statement.role);
        let line = person(&statement.by).map(|name| format!("{name} ({role})"));
        approvers.extend(line.filter(|line| !approvers.contains(line)));
    }
    approvers
}

/// The name of a person without the address; `None` where the name was redacted in the log.
fn person(name: &str) -> Option<String> {
    let called = match name.split_once(" <") {
        Some((called, _)) => called,
        None => name,
    };
    let called = called.trim();
    (!called.is_empty() && !is_taken_out(name)).then(|| called.to_owned())
}
