//! Findings without a search: severities that nothing gives, and leaves that differ from the severity that they set.

use super::super::fault::Fault;
use super::super::finding::{Finding, put};
use super::super::format::hotfix;
use crate::policy::Policy;
use crate::policy::section::{Effect, Target, Tree};
use crate::sorting::set_of;

pub(super) fn findings(policy: &Policy, found: &mut Vec<Finding>) {
    severities(policy, found);
    leaves(policy, found);
}

/// Severities that no rule and no leaf gives; none if the policy gives no severity at all, because
/// the incident then has it.
fn severities(policy: &Policy, found: &mut Vec<Finding>) {
    let by_rule = policy.rules.iter().filter_map(|rule| match rule.effect() {
        Effect::Severity(severity) => Some(severity),
        Effect::Admit | Effect::Exclude => None,
    });
    let leaves = policy.tree.iter().flat_map(|tree| &tree.leaves);
    let given = set_of(by_rule.chain(leaves.filter_map(|leaf| leaf.severity)));
    if given.is_empty() {
        return;
    }
    for level in policy.severities.iter().filter(|level| !given.contains(&level.severity)) {
        let severity = level.severity;
        put(found, format!("/severities/{severity}"), Fault::UnusedSeverity { severity });
    }
}

fn leaves(policy: &Policy, found: &mut Vec<Finding>) {
    for (index, leaf) in policy.tree.iter().flat_map(|tree| &tree.leaves).enumerate() {
        let level = leaf.severity.and_then(|severity| policy.severity(severity));
        if let Some(level) = level.filter(|level| level.hotfix != leaf.hotfix) {
            let fault = Fault::LeafHotfix {
                leaf: leaf.id,
                hotfix: hotfix(leaf.hotfix),
                severity: level.severity,
                answered: hotfix(level.hotfix),
            };
            put(found, format!("{}/hotfix", Tree::path(Target::Leaf(index))), fault);
        }
        if let (Some(severity), Some(deadline)) = (leaf.severity, leaf.deadline)
            && let Some(due) = policy.fix_due(severity).filter(|due| *due != deadline)
        {
            let fault = Fault::LeafDeadline { leaf: leaf.id, deadline, severity, due };
            put(found, format!("{}/deadline", Tree::path(Target::Leaf(index))), fault);
        }
    }
}
