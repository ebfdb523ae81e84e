//! Messages: duties without a template, and advice that nothing checks.

use super::fault::PeopleFault;
use super::finding::{Finding, put};
use crate::grade::{DutyKind, MessageKind, Moment, Severity};
use crate::plan::has_check;
use crate::policy::Policy;
use crate::policy::section::{Duty, Message};

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
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

/// Duties that notify an audience and have no message template.
fn occasions(policy: &Policy, findings: &mut Vec<Finding>) {
    for (index, duty) in policy.duties().iter().enumerate() {
        let (Some(audience), kinds) = (duty.audience, kinds(duty)) else { continue };
        if kinds.is_empty() {
            continue;
        }
        let fits = |message: &Message, severity: Option<Severity>| {
            message.audience == audience
                && kinds.contains(&message.kind)
                && severity.is_none_or(|severity| message.is_for_severity(severity))
        };
        let any = |severity| policy.messages().iter().any(|message| fits(message, severity));
        let levels = policy.severities().iter();
        let concerned = levels.filter(|level| level.hotfix && duty.is_for(level.severity));
        let severities = concerned.map(|level| level.severity);
        let severities: Vec<Severity> = severities.filter(|of| !any(Some(*of))).collect();
        // A duty for severities without a hot-fix belongs to the normal process.
        let lacks =
            if policy.severities().is_empty() { !any(None) } else { !severities.is_empty() };
        if lacks {
            let fault = PeopleFault::NoMessage { duty: duty.id, audience, severities };
            let path = format!("/duties/{index}/audience");
            put(findings, path, fault);
        }
    }
}

/// The kinds of message that fit a duty; empty for one that does not report on the hot-fix.
fn kinds(duty: &Duty) -> &'static [MessageKind] {
    match duty.kind {
        DutyKind::Update => &[MessageKind::Update],
        DutyKind::Notify => match duty.from {
            from if from < Moment::DeployStarted => {
                &[MessageKind::Alert, MessageKind::DeploymentStarted, MessageKind::Update]
            }
            Moment::DeployStarted => &[MessageKind::DeploymentStarted],
            Moment::RolledBack => &[MessageKind::RolledBack, MessageKind::RollingBack],
            _ => &[MessageKind::Deployed, MessageKind::Resolved],
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
