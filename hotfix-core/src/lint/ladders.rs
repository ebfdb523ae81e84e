//! Ladders of escalation: rungs in order, without holes.

use super::fault::PeopleFault;
use super::finding::{Finding, put};
use crate::grade::{DutyKind, Severity};
use crate::policy::Policy;
use crate::policy::section::Duty;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    let anyone = policy.duties().iter().any(|duty| duty.kind == DutyKind::Escalate);
    let mut told: Vec<(String, &'static str)> = Vec::new();
    for severity in severities(policy) {
        let rungs = rungs(policy, severity);
        let hotfix = |severity: &Severity| policy.severity(*severity).is_some_and(|l| l.hotfix);
        if let (true, true, Some(severity)) = (rungs.is_empty(), anyone, severity.filter(hotfix)) {
            let path = format!("/severities/{severity}");
            let fault = PeopleFault::NoLadder { severity };
            put(findings, path, fault);
        }
        for (path, fault) in of_ladder(severity, &rungs) {
            // The same rung of another severity has the same fault: it is said once.
            let key = (path.clone(), fault.code());
            if !told.contains(&key) {
                told.push(key);
                put(findings, path, fault);
            }
        }
    }
}

/// The severities of the policy; none where a duty is due whatever the severity, as in a policy that has none.
pub(super) fn severities(policy: &Policy) -> Vec<Option<Severity>> {
    if policy.severities().is_empty() {
        return vec![None];
    }
    policy.severities().iter().map(|level| Some(level.severity)).collect()
}

/// Whether a duty is due for this severity, or, without one, for all.
pub(super) fn is_for(duty: &Duty, severity: Option<Severity>) -> bool {
    severity.map_or(duty.severities.is_empty(), |severity| duty.is_for(severity))
}

/// A rung: where it stands in the policy, its number and what it is.
type Rung<'a> = (usize, u32, &'a Duty);

/// The rungs for a severity by their numbers. Those that are only for some incidents belong to ladders of their own.
fn rungs(policy: &Policy, severity: Option<Severity>) -> Vec<Rung<'_>> {
    let mut rungs: Vec<Rung<'_>> = policy
        .duties()
        .iter()
        .enumerate()
        .filter(|(_, duty)| duty.kind == DutyKind::Escalate && is_for(duty, severity))
        .filter(|(_, duty)| duty.when.is_none())
        .filter_map(|(index, duty)| Some((index, duty.step?, duty)))
        .collect();
    rungs.sort_by_key(|&(index, step, _)| (step, index));
    rungs
}

fn of_ladder(severity: Option<Severity>, rungs: &[Rung<'_>]) -> Vec<(String, PeopleFault)> {
    let mut faults = Vec::new();
    let mut before: Option<Rung<'_>> = None;
    for &(index, step, duty) in rungs {
        let reached = before.map_or(0, |(_, step, _)| step);
        if before.is_some() && step == reached {
            let first = before.map_or(duty.id, |(_, _, duty)| duty.id);
            let fault = PeopleFault::TwoRungs { severity, step, first, second: duty.id };
            faults.push((format!("/duties/{index}/step"), fault));
        } else if step > reached + 1 {
            let (rung, missing) = (duty.id, reached + 1);
            let fault = PeopleFault::MissingRung { severity, rung, step, missing };
            faults.push((format!("/duties/{index}/step"), fault));
        }
        let earlier = before.filter(|(_, number, _)| *number < step).map(|(_, _, earlier)| earlier);
        if let Some(earlier) = earlier
            && earlier.from == duty.from
            && let (Some(first), Some(within)) = (earlier.within.within(), duty.within.within())
            && within <= first
        {
            let fault = PeopleFault::RungTooEarly { severity, rung: duty.id, within };
            faults.push((format!("/duties/{index}/within"), fault));
        }
        before = Some((index, step, duty));
    }
    faults
}
