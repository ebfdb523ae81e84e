//! Checklists and their items.

use crate::fact::Condition;
use crate::grade::{ChecklistMoment, Severity};
use crate::unit::{Name, Span};

/// A checklist: items that people check at a moment of the rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Checklist {
    /// The id of the checklist, unique.
    pub id: Name,
    /// The name of the checklist for people.
    pub title: String,
    /// When it is due. Default start: the start waits for the required items.
    pub at: ChecklistMoment,
    /// The time that it may take. None: no limit.
    pub within: Option<Span>,
    /// The severities for which it is due; empty: all.
    pub severities: Vec<Severity>,
    /// The condition under which it is due. None: always. While it is unknown, the start waits for
    /// a list at `start`.
    pub when: Option<Condition>,
    /// Whether the rollout waits for its required items: at `start` the start, at
    /// `final_validation` the end of the validation. None: true at `start`, false elsewhere.
    pub holds: Option<bool>,
    /// The items.
    pub items: Vec<ChecklistItem>,
}

impl Checklist {
    /// Whether the start waits for its required items, if the list is due for the incident.
    pub fn holds_start(&self) -> bool {
        self.at == ChecklistMoment::Start && self.holds != Some(false)
    }

    /// Whether the end of the final validation waits for its required items, if the list is due for
    /// the incident.
    pub fn holds_completion(&self) -> bool {
        self.at == ChecklistMoment::FinalValidation && self.holds == Some(true)
    }
}

/// One item of a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistItem {
    /// The id of the item, unique in the policy.
    pub id: Name,
    /// What has to be done or true.
    pub text: String,
    /// Whether it has to be checked, waived or marked as not applicable. Default true.
    pub required: bool,
    /// Whether it applies only to some cases, so that `not applicable` needs no reason. Default
    /// false.
    pub if_applicable: bool,
    /// The name of a value that is noted when the item is checked, such as `branch`. None: nothing
    /// is noted.
    pub records: Option<String>,
    /// The commands that do or show it, with placeholders; see [`CommandField`](super::CommandField).
    pub commands: Vec<String>,
}
