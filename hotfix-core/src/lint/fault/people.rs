//! Faults of roles, approvals, escalation, notifications and source control.

use super::super::format::{names, of_a, time};
use crate::grade::{AdviceCheck, CommitField, Severity};
use crate::unit::{Name, RoleName, Span};
use crate::vcs::OrderFault;

findings! {
    /// A finding about roles, approvals, escalation, notifications or source control.
    pub enum PeopleFault;

    #[error(
        "two approvals for a {severity} contradict each other: one asks for {}, the other for {} and only notifies `{}`",
        names(first), names(second), told
    )]
    TwoApprovers { severity: Severity, first: Vec<RoleName>, second: Vec<RoleName>, told: RoleName }
        => "HF-LINT-044" Warn, "merge the two approvals, or remove the role from `notified`";
    #[error("the policy names roles without holders, so anybody may approve in them: {}", names(roles))]
    NobodyHolds { roles: Vec<RoleName> }
        => "HF-LINT-045" Note, "set `holders` for them under `roles`; `reach` is enough for a role in which nobody approves or waives";
    #[error("the role `{role}` is named here, but not declared under `roles`")]
    UnknownRole { role: RoleName } => "HF-LINT-046" Warn, "declare it, or correct the name";
    #[error("the start waits for {} and for {}, and {person} alone holds these roles: two approvals need two people", names(first), names(second))]
    OneApprover {
        first: Vec<RoleName>,
        second: Vec<RoleName>,
        person: String,
    } => "HF-LINT-100" Deny, "name another person for one of the roles, or ask for one approval";
    #[error("this approval is the same as the one at `{first}`, and one approval meets both")]
    SameApproval { first: String }
        => "HF-LINT-106" Warn, "delete it; where two people have to approve, ask for two roles that different people hold";
    #[error("a {severity} is answered without a hot-fix, but names who approves one")]
    IdleApproval { severity: Severity }
        => "HF-LINT-101" Note, "remove the approval, or answer the severity with a hot-fix";
    #[error("a {severity} demands {demand}, but no checklist for it has an item that asks for that in time: one with {item}")]
    NoList {
        severity: Severity,
        demand: &'static str,
        /// The word in its id, and the lists that are in time.
        item: &'static str,
    } => "HF-LINT-103" Note, "add such an item, or delete the demand";
    #[error("a {severity} is answered with a hot-fix, but needs no approval")]
    NoApproval { severity: Severity }
        => "HF-LINT-048" Warn, "add an approval, with `after_the_fact` if it may follow the start";
    #[error(
        "the escalation policy{} has no level {missing} before `{}`, its level {}",
        of_a(*severity), duty, step
    )]
    MissingLevel { severity: Option<Severity>, duty: Name, step: u32, missing: u32 }
        => "HF-LINT-049" Warn, "number the levels from 1 without a gap";
    #[error(
        "the escalation level `{}`{} is due after {}, no later than the level before it",
        duty, of_a(*severity), time(*within)
    )]
    LevelTooEarly { severity: Option<Severity>, duty: Name, within: Span }
        => "HF-LINT-063" Warn, "let the times rise from level to level";
    #[error("`{first}` and `{second}` are both level {step} of the escalation policy{}", of_a(*severity))]
    TwoOfOneLevel { severity: Option<Severity>, step: u32, first: Name, second: Name }
        => "HF-LINT-064" Warn, "give them different levels";
    #[error("a {severity} is answered with a hot-fix, but has no escalation policy, unlike other severities")]
    NoEscalation { severity: Severity }
        => "HF-LINT-065" Note, "add duties of kind `escalate` for it, or add it to the `severities` of existing ones";
    #[error("the commit message has {}, which may be known only after the deployment", names(fields))]
    KnownLater { fields: Vec<CommitField> }
        => "HF-LINT-067" Note, "remove them: later facts are added to the commit as a git note, or are in the log";
    #[error("this order of source-control steps is impossible: {fault}")]
    VcsOrder { fault: OrderFault }
        => "HF-LINT-068" Warn, "name the branch, or change the order or delete it: the flow has its own";
    #[error("the policy says how to open a pull request, but no order of its steps has `pull_request`")]
    NoPullRequest {}
        => "HF-LINT-104" Warn, "add `pull_request` to `order` after `push`, or delete this table";
    #[error("`{message}` is never used: `{by}` comes before it, and is for the same occasion and audience, for its severities, and without a condition")]
    HiddenMessage { message: Name, by: Name }
        => "HF-LINT-105" Note, "put it first, give the other one a condition or severities, or remove it";
    #[error("`{advice}` is shown by `{check}`, but the policy has nothing of that kind")]
    AdviceWithoutCheck { advice: Name, check: AdviceCheck }
        => "HF-LINT-070" Warn, "add what the check needs, or delete `shown_by`";
}
