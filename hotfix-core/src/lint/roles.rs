//! Roles: undeclared roles, roles without holders, approvals; escalation policies: levels in order, without gaps.

use std::collections::BTreeSet;

use super::fault;
use super::finding::{Finding, found, put_once, report};
use super::format::{names, of_a, time};
use crate::deadline::Who;
use crate::fact::Condition;
use crate::gate::approval::stand_ins_of;
use crate::gate::is_same_person;
use crate::grade::{DutyKind, Severity};
use crate::policy::Policy;
use crate::policy::section::{Approval, Duty, SeverityLevel, continuing};
use crate::sorting::sort_by_key;
use crate::unit::RoleName;

pub(super) fn find(policy: &Policy, findings: &mut Vec<Finding>) {
    holders(policy, findings);
    own_stand_ins(policy, findings);
    same_approvals(policy, findings);
    escalation(policy, findings);
    for severity in severities(policy) {
        one_approver(policy, severity, findings);
    }
    for level in policy.severities() {
        two_approvers(policy, level, findings);
        let severity = level.severity;
        let (kind, so) = match (level.hotfix, level.approvals.is_empty()) {
            (true, true) if policy.approvals().is_empty() => {
                (fault::NO_APPROVAL, "with a hot-fix, but needs no approval")
            }
            (false, false) => {
                (fault::IDLE_APPROVAL, "without a hot-fix, but names who approves one")
            }
            _ => continue,
        };
        report! { findings, format!("/severities/{severity}/approvals"), kind,
            "a {severity} is answered {so}"
        }
    }
}

/// Roles that stand in for themselves: nobody else is asked by that.
fn own_stand_ins(policy: &Policy, findings: &mut Vec<Finding>) {
    for role in policy.roles() {
        if let Some(index) = role.stand_ins.iter().position(|other| *other == role.id) {
            report! { findings, format!("/roles/{}/stand_ins/{index}", role.id), fault::IDLE_ENTRY,
                "`{}` is its own stand-in: nobody else is asked for it", role.id
            }
        }
    }
}

fn holders(policy: &Policy, findings: &mut Vec<Finding>) {
    let named = policy.roles_by_place();
    // A policy without any roles is probably shared without its people: that is reported once.
    let declares = !policy.roles().is_empty();
    let mut approves: BTreeSet<RoleName> = policy.waived_by().iter().copied().collect();
    for (_, of) in policy.demands_by_place() {
        approves.extend(of.any_of.iter().copied().chain(stand_ins_of(policy, &of.any_of)));
    }
    let is_held = |role| policy.role(role).is_some_and(|known| !known.holders.is_empty());
    let mut open = Vec::new();
    let mut seen = BTreeSet::new();
    for (place, role) in named {
        if !seen.insert(role) {
            continue;
        }
        if declares && policy.role(role).is_none() {
            report! { findings, place, fault::UNKNOWN_ROLE,
                "the role `{role}` is named here, but not declared under `roles`"
            }
        } else if !Who::of(policy, role).is_reached() || approves.contains(&role) && !is_held(role)
        {
            open.push(role);
        }
    }
    if !open.is_empty() {
        sort_by_key(&mut open, |role| *role);
        report! { findings, "/roles", fault::NOBODY_HOLDS,
            "the policy names roles without holders, so anybody may approve in them: {}",
            names(&open)
        }
    }
}

/// Approvals that are asked for twice, in one list, or by all incidents and by a severity.
fn same_approvals(policy: &Policy, findings: &mut Vec<Finding>) {
    let list =
        |place: &str| place.rsplit_once('/').map_or(String::new(), |(list, _)| list.to_owned());
    let all: Vec<_> =
        policy.demands_by_place().map(|(place, of)| (list(&place), place, of)).collect();
    for (index, (list, place, demand)) in all.iter().enumerate() {
        let mut others = all.iter().enumerate().filter(|(_, (_, _, other))| other == demand);
        let first = others.find(|(other, (of, ..))| {
            (of == list && *other < index) || (of != list && of == "/approvals")
        });
        if let Some((_, (_, first, _))) = first {
            report! { findings, place.clone(), fault::SAME_APPROVAL,
                "this approval is the same as the one at `{first}`, and one approval meets both"
            }
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
            let notified = telling.notified.iter().find(|role| asking.any_of.contains(role))?;
            Some((asking, *notified))
        });
        if let Some((asking, notified)) = found {
            let severity = level.severity;
            let path = format!("/severities/{severity}/approvals/{index}/notified");
            report! { findings, path, fault::TWO_APPROVERS,
                "two approvals for a {severity} contradict each other: one asks for {}, the other for {} and only notifies `{notified}`",
                names(&asking.any_of), names(&telling.any_of)
            }
        }
    }
}

/// Two approvals that the start waits for, with no role in common, where one person holds all of their
/// roles: an approval counts for one role, and a person approves in one.
fn one_approver(policy: &Policy, severity: Option<Severity>, findings: &mut Vec<Finding>) {
    let of_level = severity.map_or_else(String::new, |severity| format!("/severities/{severity}/"));
    let applies = |place: &str| place.starts_with("/approvals/") || place.starts_with(&of_level);
    let roles = |of: &Approval| [of.any_of.clone(), stand_ins_of(policy, &of.any_of)].concat();
    let demands =
        policy.demands_by_place().filter(|(place, of)| applies(place) && of.holds_start());
    let demands: Vec<(String, Vec<RoleName>)> =
        demands.map(|(place, of)| (place, roles(of))).collect();
    // Where a role has no holders, anybody may approve in it.
    let holders = |role: &RoleName| {
        let known = policy.role(*role).filter(|known| !known.holders.is_empty());
        known.map(|known| known.holders.iter().map(|holder| holder.name.as_str()))
    };
    for (index, (place, first)) in demands.iter().enumerate() {
        for (_, second) in &demands[index + 1..] {
            let both = first.iter().chain(second);
            let people: Option<Vec<&str>> = both
                .map(holders)
                .collect::<Option<Vec<_>>>()
                .map(|of| of.into_iter().flatten().collect());
            let Some([person, others @ ..]) = people.as_deref() else { continue };
            if others.iter().all(|other| is_same_person(person, other))
                && !first.iter().any(|role| second.contains(role))
            {
                let fault = found! { fault::ONE_APPROVER,
                    "the start waits for {} and for {}, and {person} alone holds these roles: two approvals need two people",
                    names(first), names(second)
                };
                put_once(findings, place.clone(), fault);
            }
        }
    }
}

fn escalation(policy: &Policy, findings: &mut Vec<Finding>) {
    let anyone = policy.duties().iter().any(|duty| duty.kind == DutyKind::Escalate);
    let continuing = continuing(policy.duties());
    for severity in severities(policy) {
        let levels = levels(policy, severity);
        let hotfix = |severity: &Severity| policy.severity(*severity).is_some_and(|l| l.hotfix);
        if let (true, true, Some(severity)) = (levels.is_empty(), anyone, severity.filter(hotfix)) {
            report! { findings, format!("/severities/{severity}"), fault::NO_ESCALATION,
                "a {severity} is answered with a hot-fix, but has no escalation policy, unlike other severities"
            }
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

/// Those that are answered with a hot-fix; `None` alone where the policy has no severities.
pub(super) fn hotfixes(policy: &Policy) -> impl Iterator<Item = Option<Severity>> {
    let level = |severity: Option<Severity>| policy.severity(severity?);
    severities(policy).into_iter().filter(move |of| level(*of).is_none_or(|level| level.hotfix))
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
    let of = of_a(severity);
    for (place, &(index, step, duty)) in levels.iter().enumerate() {
        let id = duty.id;
        let before = levels.get(..place).unwrap_or_default();
        let reached = before.last().map_or(0, |&(_, step, _)| step);
        let mut same = before.iter().rev().filter(|(_, number, _)| *number == step);
        if let Some((_, _, first)) = same.find(|(_, _, other)| other.when == duty.when) {
            let fault = found! { fault::TWO_OF_ONE_LEVEL,
                "`{}` and `{id}` are both level {step} of the escalation policy{of}", first.id
            };
            put_once(findings, format!("/duties/{index}/level"), fault);
        } else if step > reached + 1 {
            let fault = found! { fault::MISSING_LEVEL,
                "the escalation policy{of} has no level {} before `{id}`, its level {step}",
                reached + 1
            };
            put_once(findings, format!("/duties/{index}/level"), fault);
        }
        let mut lower = before.iter().rev().filter(|(_, number, _)| *number < step);
        if let Some((_, _, earlier)) = lower.find(|(_, _, other)| is_one(continuing, duty, other))
            && earlier.from == duty.from
            && let (Some(first), Some(within)) = (earlier.within.within(), duty.within.within())
            && within <= first
        {
            let fault = found! { fault::LEVEL_TOO_EARLY,
                "the escalation level `{id}`{of} is due after {}, no later than the level before it",
                time(within)
            };
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
