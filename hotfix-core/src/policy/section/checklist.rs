//! What is gone through item by item, and when (GATE-2, GATE-5).

use crate::fact::Condition;
use crate::grade::{ChecklistMoment, Severity};
use crate::unit::{Name, Span};

/// A group of items to be gone through at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Checklist {
    /// The group's id, unique.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// When it is gone through. Default start: the start waits for its required items.
    pub at: ChecklistMoment,
    /// The time that it may take. None: no limit.
    pub within: Option<Span>,
    /// The severities that it is for; empty: for all.
    pub severities: Vec<Severity>,
    /// It is for incidents where this holds. None: for all. While that is not known the start waits for a start list.
    pub when: Option<Condition>,
    /// Whether what it stands before waits for its required items: the start, or the end of the final validation (GATE-2,
    /// MET-7). None: a `start` list does, and no other.
    pub holds: Option<bool>,
    /// Its items.
    pub items: Vec<ChecklistItem>,
}

impl Checklist {
    /// Whether the start waits for its required items, where the incident has it.
    pub fn holds_start(&self) -> bool {
        self.at == ChecklistMoment::Start && self.holds != Some(false)
    }

    /// Whether the end of the final validation waits for its required items, where the incident has it.
    pub fn holds_completion(&self) -> bool {
        self.at == ChecklistMoment::FinalValidation && self.holds == Some(true)
    }
}

/// One item of a checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistItem {
    /// Its id, unique in the policy.
    pub id: Name,
    /// What is to be done.
    pub text: String,
    /// Whether it must be settled: done, waived, or marked as not applicable. Default true.
    pub required: bool,
    /// Whether it is meant for some cases alone, so that `not applicable` needs no explanation. Default false.
    pub if_applicable: bool,
    /// The value that whoever checks it notes with it, as `branch` or `minutes`. None: nothing is noted.
    pub records: Option<String>,
}
