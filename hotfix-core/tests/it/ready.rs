//! What a test sends so that the start waits for nothing more: the real thing, blocker by blocker (GATE-1, GATE-2).

use hotfix_core::policy::Policy;
use hotfix_core::rollout::{Blocker, BlockerKind, Input, Rollout, State};
use hotfix_core::unit::{Span, Timestamp};
use serde_json::{Value, json};

/// The input that clears the first thing that keeps the rollout from starting; none where no input clears anything.
pub(crate) fn next(rollout: &Rollout) -> Option<Value> {
    let policy = rollout.plan().policy();
    let blockers = rollout.blockers();
    let first = blockers.iter().find(|blocker| !blocker.clears.is_empty());
    first.map(|blocker| clearing(policy, blocker))
}

/// The input that clears a blocker.
pub(crate) fn clearing(policy: &Policy, blocker: &Blocker) -> Value {
    match blocker.kind {
        BlockerKind::Severity => {
            let severity = policy.severities()[0].severity;
            json!({"kind": "set_severity", "by": "amir", "severity": severity})
        }
        BlockerKind::Approval | BlockerKind::Denial => {
            let role = blocker.roles[0];
            let holders = policy.role(role).map(|role| role.holders.as_slice()).unwrap_or_default();
            // Two approvals are two people's.
            let somebody = format!("somebody else as {role}");
            let by = holders.first().map_or(&somebody, |holder| &holder.name);
            json!({"kind": "approve", "by": by, "role": role})
        }
        BlockerKind::NormalProcess | BlockerKind::ChangeWindow | BlockerKind::VolumeBound => {
            let role = blocker.roles.first().map_or("incident_commander", |role| role.as_str());
            let why = "it cannot wait";
            json!({"kind": "waive_item", "by": "ines", "item": blocker.item, "role": role, "why": why})
        }
        BlockerKind::Release => {
            json!({"kind": "release", "by": "lena", "release": {"version": "2", "previous": "1"}})
        }
        BlockerKind::Item if policy.rollback().point => {
            // One of the items names the rollback point.
            let evidence = "deployment 4711";
            json!({"kind": "check_item", "by": "omar", "item": blocker.item, "evidence": evidence})
        }
        BlockerKind::Item => json!({"kind": "check_item", "by": "omar", "item": blocker.item}),
        BlockerKind::Policy | BlockerKind::Traffic | BlockerKind::Readings => {
            panic!("{}", blocker.sentence)
        }
    }
}

/// The inputs that settle what the end of the final validation waits for.
pub(crate) fn at_the_end(rollout: &Rollout) -> Vec<Value> {
    let lists = rollout.plan().policy().checklists().iter();
    let items = lists.filter(|list| list.holds_completion()).flat_map(|list| &list.items);
    items.map(|item| json!({"kind": "check_item", "by": "omar", "item": item.id})).collect()
}

/// Sends them all at this time.
pub(crate) fn make(rollout: &mut Rollout, at: Timestamp) {
    while let Some(input) = next(rollout) {
        rollout.handle(at, &Input::from_value(input).unwrap()).unwrap();
    }
}

/// Confirms what is pending, until the next phase is watched.
pub(crate) fn confirm_all(rollout: &mut Rollout, mut at: Timestamp) -> Timestamp {
    while let Some(action) = rollout.pending_actions().first().map(|action| action.id) {
        at = at + Span::from_seconds(1);
        let done = json!({"kind": "confirm", "by": "tool", "action": action.to_string()});
        rollout.handle(at, &Input::from_json(&done.to_string()).unwrap()).unwrap();
    }
    assert_eq!(rollout.state(), State::Monitoring);
    at
}
