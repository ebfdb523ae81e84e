//! Checklists and their items (GATE-2, GATE-5).

use schemars::{Schema, SchemaGenerator};

use super::entries::{Entries, Entry, texts};
use super::phase::no_rules;
use super::severity::NamedSeverities;
use crate::fact::Condition;
use crate::grade::ChecklistMoment;
use crate::policy::error::Problem;
use crate::policy::field::{Lasting, List};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::{Checklist, ChecklistItem};
use crate::unit::Name;

section! {
    plain
    /// A group of items to be gone through at a moment (GATE-2, GATE-5).
    Checklist from ChecklistDraft, checklist_rules {
        /// The group's id, unique.
        id: Name, [required];
        /// What people call it.
        title: String, [required];
        /// When it is gone through; the start waits for the required items of `start` lists.
        at: ChecklistMoment, [default "start"];
        /// The time that it may take, above 0. Without it there is no limit.
        within: Lasting, [optional];
        /// The severities that it is for; empty: for all.
        severities: NamedSeverities, [default Node::List(Vec::new())];
        /// It is for incidents where this holds; without it for all. While that is not known the start waits for a `start`
        /// list.
        when: Condition, [optional];
        /// Whether its required items hold up what it stands before: the start, or with `final_validation` its end. Without it
        /// a `start` list does, and no other.
        holds: bool, [optional];
        /// Its items.
        items: List<ChecklistItem>, [required];
    }
}

fn checklist_rules(list: &ChecklistDraft, reader: &mut Reader) {
    let stands_before =
        matches!(list.at, None | Some(ChecklistMoment::Start | ChecklistMoment::FinalValidation));
    if list.holds.flatten() == Some(true) && !stands_before {
        let at = list.at.map_or("", ChecklistMoment::as_str);
        reader.fail_at::<()>("holds", Problem::HoldsNothing { at });
    }
}

section! {
    plain
    /// One item of a checklist.
    ChecklistItem from ChecklistItemDraft, no_rules {
        /// Its id, unique in the policy.
        id: Name, [required];
        /// What is to be done.
        text: String, [required];
        /// Whether it must be settled; in a `start` list the start waits for it.
        required: bool, [default true];
        /// Whether it is meant for some cases alone, so that 'not applicable' needs no explanation.
        if_applicable: bool, [default false];
        /// The value that whoever checks it notes with it, as in "branch".
        records: String, [optional];
    }
}

impl Entry for Checklist {
    const WHAT: &'static str = "checklist";
}

/// The checklists: ids of groups are unique, and those of items over all groups.
pub(super) struct Checklists;

impl Field for Checklists {
    type Out = Vec<Checklist>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Vec<Checklist>> {
        let lists = Entries::<Checklist>::read(node, reader);
        let mut items = Vec::new();
        for (i, list) in node.items().iter().enumerate() {
            if let Some(list) = list.key("items") {
                items.extend(texts(list, &format!("{}/{i}/items", reader.path()), "id"));
            }
        }
        reader.unique("item", &items);
        lists
    }
    fn write(value: &Vec<Checklist>, style: Style) -> Node {
        Entries::<Checklist>::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        Entries::<Checklist>::schema(generator)
    }
    fn example() -> &'static str {
        Entries::<Checklist>::example()
    }
}
