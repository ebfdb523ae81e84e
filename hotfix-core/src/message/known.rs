//! Impact of the incident, who is affected, and who works on it, as values of message fields.

use crate::deadline::Who;
use crate::fact::{Fact, FactId, FactValue, Facts};
use crate::gate::approval::Answer;
use crate::grade::{Audience, MessageKind};
use crate::rollout::{Rollout, is_taken_out};
use crate::text::{enumerated, figure, time};
use crate::unit::RoleName;

/// What is known of the impact: now, or at worst once the incident is over.
#[derive(Clone, Copy)]
pub(super) struct Impact<'r> {
    facts: &'r Facts,
    /// It is over.
    is_past: bool,
}

impl<'r> Impact<'r> {
    /// For a message of this kind: the end of an incident is announced with the worst that was known,
    /// because by then the facts say that all is well.
    pub(super) fn of(rollout: &'r Rollout, kind: MessageKind) -> Self {
        let is_past = kind == MessageKind::Resolved;
        let facts = if is_past { rollout.worst_facts() } else { rollout.facts() };
        Self { facts, is_past }
    }

    /// The known facts that users or the business notice; else the share of users affected.
    pub(super) fn sentence(self) -> Option<String> {
        let effects: Vec<String> =
            self.facts.iter().filter_map(|(id, value)| self.effect(id, value)).collect();
        if effects.is_empty() {
            let are = self.tense(["are", "were"]);
            return self.users_affected().map(|share| format!("{share} of users {are} affected"));
        }
        Some(enumerated(&effects))
    }

    /// The form for the present or the past.
    const fn tense(self, [now, past]: [&'static str; 2]) -> &'static str {
        if self.is_past { past } else { now }
    }

    fn effect(self, id: FactId, value: &FactValue) -> Option<String> {
        let FactId::BuiltIn(fact) = id else { return None };
        let percent = || some(value);
        let fail = self.tense(["fail", "failed"]);
        Some(match (fact, value) {
            (Fact::PaymentFailureShare, _) => format!("{} of payments {fail}", percent()?),
            (Fact::ErrorRate, _) => format!("{} of requests {fail}", percent()?),
            (Fact::LatencyP95, FactValue::Duration(span)) => {
                let take = self.tense(["take", "took"]);
                format!("5% of requests {take} {} or longer", time(*span))
            }
            (fact, FactValue::Flag(true)) => self.tense(flag(fact)?).to_owned(),
            _ => return None,
        })
    }

    /// Share of the users that are affected: `55%`.
    pub(super) fn users_affected(self) -> Option<String> {
        some(self.facts.get(FactId::BuiltIn(Fact::UsersAffected))?)
    }

    /// Who is affected.
    pub(super) fn affected(self) -> Option<String> {
        if let Some(share) = self.users_affected() {
            return Some(format!("{share} of users"));
        }
        let is_down = self.facts.flag(Fact::ServiceDown) == Some(true);
        is_down.then(|| "all users".to_owned())
    }
}

/// What a fact that holds means to people, and what it meant; `None` for facts that are no impact.
const fn flag(fact: Fact) -> Option<[&'static str; 2]> {
    Some(match fact {
        Fact::ServiceDown => ["the service is down", "the service was down"],
        Fact::DataCorruption => ["data is corrupted or lost", "data was corrupted or lost"],
        Fact::DataIntegrityAtRisk => ["data is at risk", "data was at risk"],
        Fact::SecurityVulnerability => {
            ["there is a security vulnerability", "there was a security vulnerability"]
        }
        Fact::SecurityExploited => {
            ["a vulnerability is being exploited", "a vulnerability was exploited"]
        }
        Fact::AuthenticationDown => ["nobody can log in", "nobody could log in"],
        Fact::PaymentsDown => ["all payments fail", "all payments failed"],
        Fact::PaymentWebhooksFailing => {
            ["payment notifications are lost", "payment notifications were lost"]
        }
        Fact::DatabaseDown => {
            ["the database cannot be reached", "the database could not be reached"]
        }
        Fact::CoreFeatureBroken => ["a core feature is broken", "a core feature was broken"],
        Fact::SearchEmpty => ["search returns no results", "search returned no results"],
        Fact::EndpointsFailing => {
            ["the main endpoints return errors", "the main endpoints returned errors"]
        }
        Fact::CrashAtStart => ["the app crashes at start", "the app crashed at start"],
        Fact::FeatureDegraded => {
            ["a feature is slow or unreliable", "a feature was slow or unreliable"]
        }
        Fact::WrongDataShown => ["users see wrong data", "users saw wrong data"],
        Fact::WrongReporting => ["reports are wrong", "reports were wrong"],
        Fact::CriticalThirdPartyFailing => [
            "a third-party service that we depend on fails",
            "a third-party service that we depend on failed",
        ],
        Fact::MemoryLeak => ["the service leaks memory", "the service leaked memory"],
        Fact::Deadlock => ["the service deadlocks", "the service deadlocked"],
        Fact::Cosmetic => ["something is displayed wrongly", "something was displayed wrongly"],
        Fact::RevenueImpact => ["revenue is lost", "revenue was lost"],
        Fact::CustomerImpacting => ["customers are affected", "customers were affected"],
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

/// A share in percent; None for zero, which is no impact.
fn some(share: &FactValue) -> Option<String> {
    share.as_number().filter(|share| *share > 0.0).map(percent)
}

/// The severity, marked where it is only assumed.
pub(super) fn severity(rollout: &Rollout) -> Option<String> {
    let assumed = if rollout.severity_is_assumed() { " (assumed)" } else { "" };
    rollout.severity().map(|severity| format!("{severity}{assumed}"))
}

/// The policy's name for the severity; of one that is only assumed, `possibly critical`.
pub(super) fn severity_label(rollout: &Rollout) -> Option<String> {
    let level = rollout.plan().policy().severity(rollout.severity()?)?;
    let possibly = if rollout.severity_is_assumed() { "possibly " } else { "" };
    Some(&level.label).filter(|label| !label.is_empty()).map(|label| format!("{possibly}{label}"))
}

/// What the severity is after a change, and what this audience read of it before.
pub(super) fn severity_change(rollout: &Rollout, audience: Audience) -> Option<String> {
    let before = rollout.severity_before(audience)?;
    severity(rollout).map(|now| format!("{now}, before that {before}"))
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
