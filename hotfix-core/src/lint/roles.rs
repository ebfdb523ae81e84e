//! Roles: undeclared roles, roles without holders, approvals.

use std::collections::BTreeSet;

use super::fault::PeopleFault;
use super::finding::{Finding, put};
use crate::deadline::Who;
use crate::policy::Policy;
use crate::policy::section::{Approval, SeverityLevel};
use crate::sorting::sort_by_key;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    holders(policy, findings);
    approvers(policy, findings);
    for level in policy.severities() {
        two_approvers(policy, level, findings);
        if level.hotfix && level.approvals.is_empty() && policy.approvals().is_empty() {
            let severity = level.severity;
            let path = format!("/severities/{severity}/approvals");
            put(findings, path, PeopleFault::NoApproval { severity });
        }
    }
}

fn holders(policy: &Policy, findings: &mut Vec<Finding>) {
    let named = policy.roles_by_place();
    // A policy without any roles is shared without the people: that is reported once.
    let declares = !policy.roles().is_empty();
    let mut open = Vec::new();
    let mut seen = BTreeSet::new();
    for (place, role) in named {
        if !seen.insert(role) {
            continue;
        }
        if declares && policy.role(role).is_none() {
            put(findings, place, PeopleFault::UnknownRole { role });
        } else if !Who::of(policy, role).is_reached() {
            open.push(role);
        }
    }
    if !open.is_empty() {
        sort_by_key(&mut open, |role| *role);
        put(findings, "/roles".to_owned(), PeopleFault::NobodyHolds { roles: open });
    }
}

/// Approvals that the start waits for and nobody can give, in a policy with holders of roles.
fn approvers(policy: &Policy, findings: &mut Vec<Finding>) {
    if policy.roles().iter().all(|role| role.holders.is_empty()) {
        return;
    }
    for (place, demand) in policy.demands_by_place() {
        if demand.holds_start()
            && !demand.any_of.iter().any(|role| Who::of(policy, *role).is_reached())
        {
            let any_of = demand.any_of.clone();
            put(findings, place, PeopleFault::NobodyApproves { any_of });
        }
    }
}

/// Two approvals that the start waits for and that have no role in common, of which one only
/// notifies a role that the other asks for. A reader of the first would think that this role need
/// not approve. Approvals that only ask for different roles are both needed.
fn two_approvers(policy: &Policy, level: &SeverityLevel, findings: &mut Vec<Finding>) {
    let all = || level.approvals.iter().chain(policy.approvals()).filter(|d| d.holds_start());
    for (index, telling) in level.approvals.iter().enumerate().filter(|(_, d)| d.holds_start()) {
        let contradicts =
            |asking: &&Approval| !asking.any_of.iter().any(|role| telling.any_of.contains(role));
        let found = all().filter(contradicts).find_map(|asking| {
            let told = telling.notified.iter().find(|role| asking.any_of.contains(role))?;
            Some((asking, *told))
        });
        if let Some((asking, told)) = found {
            let (first, second) = (asking.any_of.clone(), telling.any_of.clone());
            let severity = level.severity;
            let path = format!("/severities/{severity}/approvals/{index}/notified");
            put(findings, path, PeopleFault::TwoApprovers { severity, first, second, told });
        }
    }
}
