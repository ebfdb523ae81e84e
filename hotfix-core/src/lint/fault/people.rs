//! Faults of roles, approvals, escalation, notifications and source control.

use super::super::finding::Level;
use super::super::format::{names, of_a, time};
use crate::grade::{AdviceCheck, Audience, CommitField, Severity};
use crate::unit::{Name, RoleName, Span};
use crate::vcs::OrderFault;

faults! {
    /// A finding about roles, approvals, escalation, notifications or source control.
    PeopleFault

    /// One approval only notifies a role that another one asks for.
    #[error(
        "two approvals for a {severity} contradict each other: one asks for {}, the other for {} and only notifies `{}`",
        names(first), names(second), told
    )]
    "HF-LINT-044" Warn TwoApprovers {
        /// The severity.
        severity: Severity,
        /// The roles of the approval that asks for the role.
        first: Vec<RoleName>,
        /// The roles of the approval that notifies it.
        second: Vec<RoleName>,
        /// The role.
        told: RoleName,
    }
    remedy "merge the two approvals, or remove the role from `notified`"
    /// Roles without holders.
    #[error("the policy names roles without holders: {}", names(roles))]
    "HF-LINT-045" Note NobodyHolds {
        /// The roles.
        roles: Vec<RoleName>,
    }
    remedy "set `holders` or `reach` for them under `roles`"
    /// A role that is not declared.
    #[error("the role `{role}` is named here, but not declared under `roles`")]
    "HF-LINT-046" Warn UnknownRole {
        /// The role.
        role: RoleName,
    }
    remedy "declare it, or correct the name"
    /// Nobody can approve.
    #[error("the start waits for {}, but neither that role nor a substitute has a holder", names(any_of))]
    "HF-LINT-047" Deny NobodyApproves {
        /// The roles of which any one may approve.
        any_of: Vec<RoleName>,
    }
    remedy "name holders of the role, or ask for another role"
    /// A severity with a hot-fix and without an approval.
    #[error("a {severity} is answered with a hot-fix, but needs no approval")]
    "HF-LINT-048" Warn NoApproval {
        /// The severity.
        severity: Severity,
    }
    remedy "add an approval, with `after_the_fact` if it may follow the start"
    /// An escalation level is missing.
    #[error(
        "the escalation policy{} has no level {missing} before `{}`, its level {}",
        of_a(*severity), duty, step
    )]
    "HF-LINT-049" Warn MissingLevel {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// The duty after the gap.
        duty: Name,
        /// Its level.
        step: u32,
        /// The first level that is missing.
        missing: u32,
    }
    remedy "number the levels from 1 without a gap"
    /// A notification without a message template.
    #[error("`{duty}` notifies {audience}, but no message has that kind and audience{}", if severities.is_empty() { String::new() } else { format!(" for {}", names(severities)) })]
    "HF-LINT-055" Note NoMessage {
        /// The duty.
        duty: Name,
        /// The audience.
        audience: Audience,
        /// For which severities; empty where the policy has none.
        severities: Vec<Severity>,
    }
    remedy "add a message of that kind for that audience"
    /// Advice that nothing checks.
    #[error("nothing checks this advice automatically: {}", names(advice))]
    "HF-LINT-059" Note UnshownAdvice {
        /// Its ids.
        advice: Vec<Name>,
    }
    remedy "set `shown_by` if a part of the policy checks it"
    /// An escalation level that is due no later than the one before.
    #[error(
        "the escalation level `{}`{} is due after {}, no later than the level before it",
        duty, of_a(*severity), time(*within)
    )]
    "HF-LINT-063" Warn LevelTooEarly {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// The duty.
        duty: Name,
        /// When it is due.
        within: Span,
    }
    remedy "let the times rise from level to level"
    /// Two duties with the same escalation level.
    #[error("`{first}` and `{second}` are both level {step} of the escalation policy{}", of_a(*severity))]
    "HF-LINT-064" Warn TwoOfOneLevel {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// The level.
        step: u32,
        /// One.
        first: Name,
        /// The other.
        second: Name,
    }
    remedy "give them different levels"
    /// A severity without an escalation policy, while others have one.
    #[error("a {severity} is answered with a hot-fix, but has no escalation policy, unlike other severities")]
    "HF-LINT-065" Note NoEscalation {
        /// The severity.
        severity: Severity,
    }
    remedy "add duties of kind `escalate` for it, or add it to the `severities` of existing ones"
    /// Commit fields that are known only later.
    #[error("the commit message has {}, which may be known only after the deployment", names(fields))]
    "HF-LINT-067" Note KnownLater {
        /// The fields.
        fields: Vec<CommitField>,
    }
    remedy "remove them: later facts are added to the commit as a git note, or are in the log"
    /// Steps of source control in an impossible order.
    #[error("this order of source-control steps is impossible: {fault}")]
    "HF-LINT-068" Warn VcsOrder {
        /// Why.
        fault: OrderFault,
    }
    remedy "change the order, or delete it: the flow has its own"
    /// Advice whose check the policy does not have.
    #[error("`{advice}` has `shown_by = \"{check}\"`, but the policy has nothing of that kind")]
    "HF-LINT-070" Warn AdviceWithoutCheck {
        /// The advice.
        advice: Name,
        /// The check.
        check: AdviceCheck,
    }
    remedy "add what the check needs, or delete `shown_by`"
}
