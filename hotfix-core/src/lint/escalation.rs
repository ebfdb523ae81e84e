//! Escalation policies: levels in order, without gaps.

use super::fault::PeopleFault;
use super::finding::{Finding, put, put_once};
use crate::fact::Condition;
use crate::grade::{DutyKind, Severity};
use crate::policy::Policy;
use crate::policy::section::{Duty, continuing};
use crate::sorting::sort_by_key;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    let anyone = policy.duties().iter().any(|duty| duty.kind == DutyKind::Escalate);
    let continuing = continuing(policy.duties());
    for severity in severities(policy) {
        let levels = levels(policy, severity);
        let hotfix = |severity: &Severity| policy.severity(*severity).is_some_and(|l| l.hotfix);
        if let (true, true, Some(severity)) = (levels.is_empty(), anyone, severity.filter(hotfix)) {
            let path = format!("/severities/{severity}");
            let fault = PeopleFault::NoEscalation { severity };
            put(findings, path, fault);
        }
        level_faults(&continuing, severity, &levels, findings);
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

/// The levels for a severity by number, with those that are only for some incidents.
fn levels(policy: &Policy, severity: Option<Severity>) -> Vec<EscalationLevel<'_>> {
    let mut levels: Vec<EscalationLevel<'_>> = policy
        .duties()
        .iter()
        .enumerate()
        .filter(|(_, duty)| duty.kind == DutyKind::Escalate && is_for(duty, severity))
        .filter_map(|(index, duty)| Some((index, duty.level?, duty)))
        .collect();
    sort_by_key(&mut levels, |&(index, step, _)| (step, index));
    levels
}

fn level_faults(
    continuing: &[&Condition],
    severity: Option<Severity>,
    levels: &[EscalationLevel<'_>],
    findings: &mut Vec<Finding>,
) {
    for (place, &(index, step, duty)) in levels.iter().enumerate() {
        let before = levels.get(..place).unwrap_or_default();
        let reached = before.last().map_or(0, |&(_, step, _)| step);
        let mut same = before.iter().rev().filter(|(_, number, _)| *number == step);
        if let Some((_, _, first)) = same.find(|(_, _, other)| other.when == duty.when) {
            let (first, second) = (first.id, duty.id);
            let fault = PeopleFault::TwoOfOneLevel { severity, step, first, second };
            put_once(findings, format!("/duties/{index}/level"), fault);
        } else if step > reached + 1 {
            let (duty, missing) = (duty.id, reached + 1);
            let fault = PeopleFault::MissingLevel { severity, duty, step, missing };
            put_once(findings, format!("/duties/{index}/level"), fault);
        }
        let mut lower = before.iter().rev().filter(|(_, number, _)| *number < step);
        if let Some((_, _, earlier)) = lower.find(|(_, _, other)| is_one(continuing, duty, other))
            && earlier.from == duty.from
            && let (Some(first), Some(within)) = (earlier.within.within(), duty.within.within())
            && within <= first
        {
            let fault = PeopleFault::LevelTooEarly { severity, duty: duty.id, within };
            put_once(findings, format!("/duties/{index}/within"), fault);
        }
    }
}

/// Whether two levels are of one escalation: they have one condition, or the one with a condition
/// continues the other.
fn is_one(continuing: &[&Condition], level: &Duty, other: &Duty) -> bool {
    match (&level.when, &other.when) {
        (None, Some(when)) | (Some(when), None) => continuing.contains(&when),
        (level, other) => level == other,
    }
}
