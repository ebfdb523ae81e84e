//! What is known of the incident and of the people: impact, who is affected, who works on it.

use crate::deadline::Who;
use crate::fact::{Fact, FactId, FactValue};
use crate::gate::approval::Said;
use crate::rollout::{Rollout, is_taken_out};
use crate::text::{enumerated, figure, time};
use crate::unit::RoleName;

/// What is broken: of the facts that are known, those that users or the business feel.
pub(super) fn impact(rollout: &Rollout) -> Option<String> {
    let told: Vec<String> =
        rollout.facts().iter().filter_map(|(id, value)| felt(id, value)).collect();
    (!told.is_empty()).then(|| enumerated(&told))
}

fn felt(id: FactId, value: &FactValue) -> Option<String> {
    let FactId::BuiltIn(fact) = id else { return None };
    let percent = || value.as_number().map(percent);
    Some(match (fact, value) {
        (Fact::PaymentFailureShare, _) => format!("{} of payments fail", percent()?),
        (Fact::ErrorRate, _) => format!("{} of requests fail", percent()?),
        (Fact::LatencyP95, FactValue::Duration(span)) => {
            format!("one request in twenty takes {} or more", time(*span))
        }
        (fact, FactValue::Flag(true)) => flag(fact)?.to_owned(),
        _ => return None,
    })
}

/// What a fact that holds means to people; none for what says nothing of the harm.
const fn flag(fact: Fact) -> Option<&'static str> {
    Some(match fact {
        Fact::ServiceDown => "the service is down",
        Fact::DataCorruption => "data are corrupted or lost",
        Fact::DataIntegrityAtRisk => "data are at risk",
        Fact::SecurityVulnerability => "there is a vulnerability",
        Fact::SecurityExploited => "a vulnerability is being exploited",
        Fact::AuthenticationDown => "nobody can log in",
        Fact::PaymentsDown => "no payment goes through",
        Fact::PaymentWebhooksFailing => "notices of payments get lost",
        Fact::DatabaseDown => "the database cannot be reached",
        Fact::CoreFeatureBroken => "a core feature is broken",
        Fact::SearchEmpty => "search finds nothing",
        Fact::EndpointsFailing => "the main pages answer with errors",
        Fact::CrashAtStart => "the app crashes when it starts",
        Fact::FeatureDegraded => "a feature is slow or works badly",
        Fact::WrongDataShown => "users see wrong data",
        Fact::WrongReporting => "reports are wrong",
        Fact::CriticalThirdPartyFailing => "a service that we depend on fails",
        Fact::MemoryLeak => "memory runs out over time",
        Fact::Deadlock => "work gets stuck",
        Fact::Cosmetic => "it looks wrong",
        Fact::RevenueImpact => "revenue is lost",
        Fact::CustomerImpacting => "customers are hurt",
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

/// The share of users affected: `55%`.
pub(super) fn users_affected(rollout: &Rollout) -> Option<String> {
    let value = rollout.facts().get(FactId::BuiltIn(Fact::UsersAffected))?;
    value.as_number().map(percent)
}

/// Who is affected.
pub(super) fn affected(rollout: &Rollout) -> Option<String> {
    if let Some(share) = users_affected(rollout) {
        return Some(format!("{share} of users"));
    }
    holds(rollout, Fact::ServiceDown).filter(|down| *down).map(|_| "all users".to_owned())
}

/// Whether a fact is known to hold.
pub(super) fn holds(rollout: &Rollout, fact: Fact) -> Option<bool> {
    match rollout.facts().get(FactId::BuiltIn(fact)) {
        Some(FactValue::Flag(holds)) => Some(*holds),
        _ => None,
    }
}

/// The house's name for a severity.
pub(super) fn severity_label(rollout: &Rollout) -> Option<String> {
    let level = rollout.plan().policy().severity(rollout.severity()?)?;
    Some(level.label.clone()).filter(|label| !label.is_empty())
}

/// Who holds the role of the incident's commander.
pub(super) fn commander(rollout: &Rollout) -> Option<String> {
    let role = RoleName::try_new("incident_commander").ok()?;
    let who = Who::of(rollout.plan().policy(), role);
    let names: Vec<String> = who.holders.iter().filter_map(|holder| person(holder.name)).collect();
    (!names.is_empty()).then(|| enumerated(&names))
}

/// Who wrote the fix.
pub(super) fn engineer(rollout: &Rollout) -> Option<String> {
    rollout.plan().subject().release.author.as_deref().and_then(person)
}

/// Who approved, each once, with the role.
pub(super) fn approvers(rollout: &Rollout) -> Vec<String> {
    let policy = rollout.plan().policy();
    let approvals = rollout.approvals();
    let mut told = Vec::new();
    for heard in approvals.demands.iter().flat_map(|demand| &demand.words) {
        let word = &heard.word;
        if word.said != Said::Approved {
            continue;
        }
        let role = policy.role_title(word.role);
        let line = person(&word.by).map(|name| format!("{name} ({role})"));
        told.extend(line.filter(|line| !told.contains(line)));
    }
    told
}

/// A person as people call them: without the address; none where the name was taken out of the log.
fn person(name: &str) -> Option<String> {
    let called = match name.split_once(" <") {
        Some((called, _)) => called,
        None => name,
    };
    let called = called.trim();
    (!called.is_empty() && !is_taken_out(name)).then(|| called.to_owned())
}
