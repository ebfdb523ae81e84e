//! Faults of who does what, and who is told.

use super::super::finding::Level;
use super::super::words::{names, of_a, time};
use crate::grade::{AdviceCheck, Audience, CommitField, Severity};
use crate::unit::{Name, RoleName, Span};
use crate::vcs::OrderFault;

faults! {
    /// What the linter may find in who does what, and who is told.
    PeopleFault

    /// One demand only tells whom another one asks.
    #[error("who approves a {severity} has two answers: {} by one demand, {} by another, which only tells `{told}`", names(first), names(second))]
    "HF-LINT-044" Warn TwoApprovers {
        /// The severity.
        severity: Severity,
        /// The roles of the demand that asks for the role.
        first: Vec<RoleName>,
        /// The roles of the demand that tells it.
        second: Vec<RoleName>,
        /// The role.
        told: RoleName,
    }
    remedy "make it one demand, or do not tell a role that has to approve"
    /// Nobody is said to hold a role.
    #[error("the policy names roles that nobody is said to hold: {}", names(roles))]
    "HF-LINT-045" Note NobodyHolds {
        /// The roles.
        roles: Vec<RoleName>,
    }
    remedy "say under `roles` who holds them, or how they are reached"
    /// A role that is declared nowhere.
    #[error("the role `{role}` is named here and stands nowhere under `roles`")]
    "HF-LINT-046" Warn UnknownRole {
        /// The role.
        role: RoleName,
    }
    remedy "declare it, or correct the name"
    /// Nobody can approve.
    #[error("the start waits for {}, and nobody holds that role or stands in", names(any_of))]
    "HF-LINT-047" Deny NobodyApproves {
        /// The roles, any of which would do.
        any_of: Vec<RoleName>,
    }
    remedy "say who holds it, or ask somebody else"
    /// A hot-fix that nobody approves.
    #[error("a {severity} is answered with a hot-fix that nobody approves")]
    "HF-LINT-048" Warn NoApproval {
        /// The severity.
        severity: Severity,
    }
    remedy "name who approves it, if only afterwards"
    /// A rung is missing.
    #[error("the ladder{} has no rung {missing} before `{rung}`, its rung {step}", of_a(*severity))]
    "HF-LINT-049" Warn MissingRung {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// The rung after the hole.
        rung: Name,
        /// Its number.
        step: u32,
        /// The first number that is missing.
        missing: u32,
    }
    remedy "number the rungs from 1 without a gap"
    /// Somebody is to be told, and there is no text.
    #[error("`{duty}` tells {audience}, and no message is for that occasion and them{}", if severities.is_empty() { String::new() } else { format!(" in case of {}", names(severities)) })]
    "HF-LINT-055" Note NoMessage {
        /// The duty.
        duty: Name,
        /// Who is told.
        audience: Audience,
        /// For which severities; empty where the policy has none.
        severities: Vec<Severity>,
    }
    remedy "add a message of that kind for that audience"
    /// Advice that only people heed.
    #[error("nothing but people sees to this advice: {}", names(advice))]
    "HF-LINT-059" Note UnshownAdvice {
        /// Its ids.
        advice: Vec<Name>,
    }
    remedy "say in `shown_by` what sees to it, where something does"
    /// A rung that is no later than the one before.
    #[error("the rung `{rung}`{} comes after {}, no later than the rung before it", of_a(*severity), time(*within))]
    "HF-LINT-063" Warn RungTooEarly {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// The rung.
        rung: Name,
        /// Its time.
        within: Span,
    }
    remedy "let the times of the ladder rise"
    /// Two rungs with one number.
    #[error("`{first}` and `{second}` are both rung {step} of the ladder{}", of_a(*severity))]
    "HF-LINT-064" Warn TwoRungs {
        /// The severity; none where the policy has none.
        severity: Option<Severity>,
        /// The number.
        step: u32,
        /// One.
        first: Name,
        /// The other.
        second: Name,
    }
    remedy "number them one after the other"
    /// A severity without a ladder beside others that have one.
    #[error("a {severity} is answered with a hot-fix, and nobody is called in where it is not solved, as for other severities")]
    "HF-LINT-065" Note NoLadder {
        /// The severity.
        severity: Severity,
    }
    remedy "add rungs for it, or let those of another severity hold for it, too"
    /// A commit that is to say what is known after it.
    #[error("commits are to say {}, which may be known only after the deployment", names(fields))]
    "HF-LINT-067" Note KnownLater {
        /// The fields.
        fields: Vec<CommitField>,
    }
    remedy "leave them out: what comes later is written to the commit as a note, or is in the log"
    /// Steps of source control that cannot be taken in their order.
    #[error("no fix can go through source control in this order: {fault}")]
    "HF-LINT-068" Warn VcsOrder {
        /// Why.
        fault: OrderFault,
    }
    remedy "change the order, or leave it out: the flow has its own"
    /// Advice whose check the policy does not have.
    #[error("`{advice}` names the check `{check}`, and the policy has none")]
    "HF-LINT-070" Warn AdviceWithoutCheck {
        /// The advice.
        advice: Name,
        /// The check.
        check: AdviceCheck,
    }
    remedy "add what the check needs, or leave `shown_by` out"
}
