//! What must be there before the start: approvals and checklist items (GATE-1, GATE-2).

use std::collections::BTreeMap;

use crate::policy::Policy;
use crate::policy::section::{Approval, ChecklistItem};
use crate::text::quoted;
use crate::unit::{Name, RoleName};

use super::input::ItemStatus;
use super::state::State;

/// Who said what, and which items are settled.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Readiness {
    /// The last word of each role: true where it approved.
    said: BTreeMap<RoleName, bool>,
    items: BTreeMap<Name, Settled>,
}

/// How an item was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Checked(ItemStatus),
    Waived,
}

impl Readiness {
    pub(super) fn say(&mut self, role: RoleName, approved: bool) {
        self.said.insert(role, approved);
    }

    pub(super) fn withdraw(&mut self, role: RoleName) {
        self.said.remove(&role);
    }

    pub(super) fn has_approved(&self, role: RoleName) -> bool {
        self.said.get(&role) == Some(&true)
    }

    pub(super) fn settle(&mut self, item: Name, how: Settled) {
        self.items.insert(item, how);
    }

    fn open_items<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = &'a ChecklistItem> {
        let lists = policy.checklists().iter().filter(|list| list.holds_start());
        let items = lists.flat_map(|list| &list.items);
        items.filter(|item| item.required && !self.items.contains_key(&item.id))
    }

    /// `drafted` while an item is open, `awaiting_approval` while an approval is missing, else `ready`.
    pub(super) fn state(&self, policy: &Policy) -> State {
        if self.open_items(policy).next().is_some() {
            State::Drafted
        } else if self.is_denied() || self.lacks_approval(policy) {
            State::AwaitingApproval
        } else {
            State::Ready
        }
    }

    fn is_denied(&self) -> bool {
        self.said.values().any(|approved| !approved)
    }

    fn lacks_approval(&self, policy: &Policy) -> bool {
        self.open_approvals(policy).next().is_some()
    }

    fn open_approvals<'a>(&'a self, policy: &'a Policy) -> impl Iterator<Item = &'a Approval> {
        let demands = policy.approvals().iter().filter(|demand| demand.holds_start());
        demands.filter(|demand| !demand.any_of.iter().any(|role| self.has_approved(*role)))
    }

    /// What is missing, in a sentence.
    pub(super) fn missing(&self, policy: &Policy) -> String {
        let mut missing = Vec::new();
        for (role, _) in self.said.iter().filter(|(_, approved)| !**approved) {
            missing.push(format!("`{role}` denied it: ask again or abort"));
        }
        for demand in self.open_approvals(policy) {
            let roles = quoted(&demand.any_of, " or ");
            missing.push(format!("the approval of {roles} is missing"));
        }
        for item in self.open_items(policy) {
            missing.push(format!("`{}` is open ({}): check or waive it", item.id, item.text));
        }
        missing.join("; ")
    }
}
