//! Messages: their fields, who reads them, and the occasions that have none.

use super::fault::PeopleFault;
use super::finding::{Finding, put};
use crate::grade::{Audience, DutyKind, MessageKind, Moment, Severity};
use crate::plan::has_check;
use crate::policy::Policy;
use crate::policy::section::{Duty, MESSAGE_FIELDS, Message};

/// Fields that name people or the inside of a service.
const INTERNAL: &[&str] =
    &["commander", "engineer", "approvers", "cause", "channel", "dashboard", "metrics", "timeline"];

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, message) in policy.messages().iter().enumerate() {
        let unknown = fields(message, |field| !MESSAGE_FIELDS.contains(&field));
        let internal = fields(message, |field| INTERNAL.contains(&field));
        let path = format!("/messages/{index}/text");
        let id = message.id;
        if !unknown.is_empty() {
            let fault = PeopleFault::UnknownFields { message: id, fields: unknown };
            put(findings, path.clone(), fault);
        }
        if message.audience == Audience::Public && !internal.is_empty() {
            let fault = PeopleFault::Internals { message: id, fields: internal };
            put(findings, path, fault);
        }
    }
    if !policy.messages().is_empty() {
        occasions(policy, findings);
    }
    let advice: Vec<_> = policy.advice().iter().filter(|a| a.shown_by.is_none()).collect();
    if !advice.is_empty() {
        let advice = advice.iter().map(|advice| advice.id).collect();
        let fault = PeopleFault::UnshownAdvice { advice };
        put(findings, "/advice", fault);
    }
    for (index, advice) in policy.advice().iter().enumerate() {
        if let Some(check) = advice.shown_by.filter(|check| !has_check(policy, *check)) {
            let fault = PeopleFault::AdviceWithoutCheck { advice: advice.id, check };
            put(findings, format!("/advice/{index}/shown_by"), fault);
        }
    }
}

/// The fields of a text that are so, each once, in its order.
fn fields(message: &Message, is_so: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for field in message.fields() {
        if is_so(field) && !found.iter().any(|known| known == field) {
            found.push(field.to_owned());
        }
    }
    found
}

/// Duties to tell somebody for which there is no text.
fn occasions(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, duty) in policy.duties().iter().enumerate() {
        let (Some(audience), kinds) = (duty.audience, kinds(duty)) else { continue };
        if kinds.is_empty() {
            continue;
        }
        let fits = |message: &Message, severity: Option<Severity>| {
            message.audience == audience
                && kinds.contains(&message.kind)
                && severity.is_none_or(|severity| {
                    message.severities.is_empty() || message.severities.contains(&severity)
                })
        };
        let any = |severity| policy.messages().iter().any(|message| fits(message, severity));
        let concerned: Vec<Severity> = policy
            .severities()
            .iter()
            .filter(|level| level.hotfix && duty.is_for(level.severity))
            .map(|level| level.severity)
            .collect();
        let severities: Vec<Severity> =
            concerned.iter().copied().filter(|severity| !any(Some(*severity))).collect();
        // A duty for severities that get no hot-fix is the normal process's.
        let lacks =
            if policy.severities().is_empty() { !any(None) } else { !severities.is_empty() };
        if lacks {
            let fault = PeopleFault::NoMessage { duty: duty.id, audience, severities };
            let path = format!("/duties/{index}/audience");
            put(findings, path, fault);
        }
    }
}

/// The kinds of message that would do for a duty; empty for one that tells nobody how a hot-fix goes.
const fn kinds(duty: &Duty) -> &'static [MessageKind] {
    match duty.kind {
        DutyKind::Update => &[MessageKind::Update],
        DutyKind::Tell => match duty.from {
            Moment::Began
            | Moment::Detected
            | Moment::Declared
            | Moment::Approved
            | Moment::FixStarted => {
                &[MessageKind::Alert, MessageKind::DeploymentStarted, MessageKind::Update]
            }
            Moment::DeployStarted => &[MessageKind::DeploymentStarted],
            Moment::Deployed | Moment::Verified | Moment::Resolved | Moment::Closed => {
                &[MessageKind::Deployed, MessageKind::Resolved]
            }
            Moment::RolledBack => &[MessageKind::RolledBack, MessageKind::RollingBack],
        },
        DutyKind::Act
        | DutyKind::Fix
        | DutyKind::Approve
        | DutyKind::Review
        | DutyKind::Page
        | DutyKind::Escalate
        | DutyKind::Meet
        | DutyKind::Write
        | DutyKind::Watch
        | DutyKind::FollowUp => &[],
    }
}
