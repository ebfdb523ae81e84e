//! Escalation policies: levels in order, without gaps.

use super::fault::PeopleFault;
use super::finding::{Finding, put, put_once};
use crate::grade::{DutyKind, Severity};
use crate::policy::Policy;
use crate::policy::section::Duty;
use crate::sorting::sort_by_key;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    let anyone = policy.duties().iter().any(|duty| duty.kind == DutyKind::Escalate);
    for severity in severities(policy) {
        let levels = levels(policy, severity);
        let hotfix = |severity: &Severity| policy.severity(*severity).is_some_and(|l| l.hotfix);
        if let (true, true, Some(severity)) = (levels.is_empty(), anyone, severity.filter(hotfix)) {
            let path = format!("/severities/{severity}");
            let fault = PeopleFault::NoEscalation { severity };
            put(findings, path, fault);
        }
        level_faults(severity, &levels, findings);
    }
}

/// The severities of the policy; `None` alone where it has none.
pub(super) fn severities(policy: &Policy) -> Vec<Option<Severity>> {
    if policy.severities().is_empty() {
        return vec![None];
    }
    policy.severities().iter().map(|level| Some(level.severity)).collect()
}

/// Whether a duty is due for this severity or, without one, for all.
pub(super) fn is_for(duty: &Duty, severity: Option<Severity>) -> bool {
    severity.map_or(duty.severities.is_empty(), |severity| duty.is_for(severity))
}

/// An escalation level: its place in the policy, its number and its duty.
type EscalationLevel<'a> = (usize, u32, &'a Duty);

/// The levels for a severity by number, without those that are only for some incidents.
fn levels(policy: &Policy, severity: Option<Severity>) -> Vec<EscalationLevel<'_>> {
    let mut levels: Vec<EscalationLevel<'_>> = policy
        .duties()
        .iter()
        .enumerate()
        .filter(|(_, duty)| duty.kind == DutyKind::Escalate && is_for(duty, severity))
        .filter(|(_, duty)| duty.when.is_none())
        .filter_map(|(index, duty)| Some((index, duty.level?, duty)))
        .collect();
    sort_by_key(&mut levels, |&(index, step, _)| (step, index));
    levels
}

fn level_faults(
    severity: Option<Severity>,
    levels: &[EscalationLevel<'_>],
    findings: &mut Vec<Finding>,
) {
    let mut before: Option<EscalationLevel<'_>> = None;
    for &(index, step, duty) in levels {
        let reached = before.map_or(0, |(_, step, _)| step);
        if before.is_some() && step == reached {
            let first = before.map_or(duty.id, |(_, _, duty)| duty.id);
            let fault = PeopleFault::TwoOfOneLevel { severity, step, first, second: duty.id };
            put_once(findings, format!("/duties/{index}/level"), fault);
        } else if step > reached + 1 {
            let (duty, missing) = (duty.id, reached + 1);
            let fault = PeopleFault::MissingLevel { severity, duty, step, missing };
            put_once(findings, format!("/duties/{index}/level"), fault);
        }
        let earlier = before.filter(|(_, number, _)| *number < step).map(|(_, _, earlier)| earlier);
        if let Some(earlier) = earlier
            && earlier.from == duty.from
            && let (Some(first), Some(within)) = (earlier.within.within(), duty.within.within())
            && within <= first
        {
            let fault = PeopleFault::LevelTooEarly { severity, duty: duty.id, within };
            put_once(findings, format!("/duties/{index}/within"), fault);
        }
        before = Some((index, step, duty));
    }
}
