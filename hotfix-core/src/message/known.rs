//! Impact of the incident, who is affected, and who works on it, as values of message fields.

use crate::deadline::Who;
use crate::fact::{Fact, FactId, FactValue};
use crate::gate::approval::Answer;
use crate::rollout::{Rollout, is_taken_out};
use crate::text::{enumerated, figure, time};
use crate::unit::RoleName;

/// Impact: the known facts that users or the business notice; else the share of users affected.
pub(super) fn impact(rollout: &Rollout) -> Option<String> {
    let effects: Vec<String> =
        rollout.facts().iter().filter_map(|(id, value)| effect(id, value)).collect();
    if effects.is_empty() {
        return users_affected(rollout).map(|share| format!("{share} of users are affected"));
    }
    Some(enumerated(&effects))
}

fn effect(id: FactId, value: &FactValue) -> Option<String> {
    let FactId::BuiltIn(fact) = id else { return None };
    let percent = || some(value);
    Some(match (fact, value) {
        (Fact::PaymentFailureShare, _) => format!("{} of payments fail", percent()?),
        (Fact::ErrorRate, _) => format!("{} of requests fail", percent()?),
        (Fact::LatencyP95, FactValue::Duration(span)) => {
            format!("5% of requests take {} or longer", time(*span))
        }
        (fact, FactValue::Flag(true)) => flag(fact)?.to_owned(),
        _ => return None,
    })
}

/// What a fact that holds means to people; `None` for facts that are no impact.
const fn flag(fact: Fact) -> Option<&'static str> {
    Some(match fact {
        Fact::ServiceDown => "the service is down",
        Fact::DataCorruption => "data is corrupted or lost",
        Fact::DataIntegrityAtRisk => "data is at risk",
        Fact::SecurityVulnerability => "there is a security vulnerability",
        Fact::SecurityExploited => "a vulnerability is being exploited",
        Fact::AuthenticationDown => "nobody can log in",
        Fact::PaymentsDown => "all payments fail",
        Fact::PaymentWebhooksFailing => "payment notifications are lost",
        Fact::DatabaseDown => "the database cannot be reached",
        Fact::CoreFeatureBroken => "a core feature is broken",
        Fact::SearchEmpty => "search returns no results",
        Fact::EndpointsFailing => "the main endpoints return errors",
        Fact::CrashAtStart => "the app crashes at start",
        Fact::FeatureDegraded => "a feature is slow or unreliable",
        Fact::WrongDataShown => "users see wrong data",
        Fact::WrongReporting => "reports are wrong",
        Fact::CriticalThirdPartyFailing => "a third-party service that we depend on fails",
        Fact::MemoryLeak => "the service leaks memory",
        Fact::Deadlock => "the service deadlocks",
        Fact::Cosmetic => "something is displayed wrongly",
        Fact::RevenueImpact => "revenue is lost",
        Fact::CustomerImpacting => "customers are affected",
        Fact::Confirmed
        | Fact::NewFeature
        | Fact::Refactoring
        | Fact::Optimisation
        | Fact::Documentation
        | Fact::WorkaroundExists
        | Fact::SmallIsolatedChange
        | Fact::QuickToValidate
        | Fact::FixRiskierThanIssue
        | Fact::Tested
        | Fact::UsersAffected
        | Fact::PaymentFailureShare
        | Fact::ErrorRate
        | Fact::LatencyP95
        | Fact::BeganAt
        | Fact::DetectedAt
        | Fact::PrecedingDeploy
        | Fact::Service => return None,
    })
}

/// `55%`.
fn percent(fraction: f64) -> String {
    format!("{}%", figure(fraction * 100.0, 3))
}

/// Share of the users that are affected: `55%`.
pub(super) fn users_affected(rollout: &Rollout) -> Option<String> {
    let value = rollout.facts().get(FactId::BuiltIn(Fact::UsersAffected))?;
    some(value)
}

/// A share in percent; None for zero, which is no impact.
fn some(share: &FactValue) -> Option<String> {
    share.as_number().filter(|share| *share > 0.0).map(percent)
}

/// Who is affected.
pub(super) fn affected(rollout: &Rollout) -> Option<String> {
    if let Some(share) = users_affected(rollout) {
        return Some(format!("{share} of users"));
    }
    let is_down = rollout.facts().flag(Fact::ServiceDown) == Some(true);
    is_down.then(|| "all users".to_owned())
}

/// The policy's name for the severity.
pub(super) fn severity_label(rollout: &Rollout) -> Option<String> {
    let level = rollout.plan().policy().severity(rollout.severity()?)?;
    Some(level.label.clone()).filter(|label| !label.is_empty())
}

/// Who holds the role `incident_commander`.
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

/// Each person who approved, with the role.
pub(super) fn approvers(rollout: &Rollout) -> Vec<String> {
    let policy = rollout.plan().policy();
    let approvals = rollout.approvals();
    let mut approvers = Vec::new();
    for received in approvals.demands.iter().flat_map(|demand| &demand.statements) {
        let statement = &received.statement;
        if statement.answer != Answer::Approved {
            continue;
        }
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
