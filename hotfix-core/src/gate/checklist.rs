//! Checklists: which lists an incident has, and how their items stand (GATE-2, GATE-5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fact::{Facts, Truth};
use crate::grade::{ChecklistMoment, Severity, closed_set};
use crate::policy::Policy;
use crate::policy::section::{Checklist, ChecklistItem, ProcedureStep};
use crate::unit::{Name, RoleName, Span, Timestamp};

closed_set! {
    /// How an item of a checklist, or a step of the procedure, stands.
    ItemState {
        /// Nobody has gone through it, or what was said of it was taken back.
        Open = "open",
        /// It is done.
        Done = "done",
        /// Somebody decided to go on without it.
        Waived = "waived",
        /// It does not apply.
        NotApplicable = "not_applicable",
    }
}

closed_set! {
    /// What holds a start besides approvals and the lists of the policy. Nobody can check it: a role waives it, with a reason.
    Exception {
        /// The policy answers with the normal process and no hot-fix.
        NormalProcess = "normal_process",
        /// It is outside of the release's change window.
        ChangeWindow = "change_window",
    }
}

/// What was last said of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How it stands since.
    pub state: ItemState,
    /// Who said so; the digest of the name where that was taken out of the log.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What shows it, or why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What was last said of each item and each step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Marks(BTreeMap<Name, Mark>);

impl Marks {
    /// Puts a mark on an item or a step: the last one counts.
    pub(crate) fn put(&mut self, id: Name, mark: Mark) {
        self.0.insert(id, mark);
    }

    /// Whether somebody decided to go on all the same.
    pub(crate) fn is_waived(&self, exception: Exception) -> bool {
        self.0
            .iter()
            .any(|(id, mark)| id.as_str() == exception.as_str() && mark.state == ItemState::Waived)
    }

    /// The waiver does not count any more.
    pub(crate) fn reopen(&mut self, exception: Exception) {
        self.0.retain(|id, _| id.as_str() != exception.as_str());
    }

    /// How an item or a step stands.
    pub(crate) fn state(&self, id: Name) -> ItemState {
        self.0.get(&id).map_or(ItemState::Open, |mark| mark.state)
    }
}

/// A checklist, whether this incident has it, and its items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListStanding {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// When it is gone through.
    pub at: ChecklistMoment,
    /// Whether this incident has it, as far as severity and facts tell.
    pub applies: Truth,
    /// Whether the start waits for its required items: it is a `start` list, and it is not certain that it does not apply.
    pub holds_start: bool,
    /// The time that it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Its items.
    pub items: Vec<ItemStanding>,
}

/// An item and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemStanding {
    /// Its id.
    pub id: Name,
    /// What is to be done.
    pub text: String,
    /// Whether it must be settled.
    pub required: bool,
    /// Whether it is meant for some cases alone.
    pub if_applicable: bool,
    /// What whoever checks it notes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<String>,
    /// How it stands.
    pub state: ItemState,
    /// What was last said of it; absent where nobody has said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// A step of the procedure and how it stands (PLAN-8).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepStanding {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// How it stands.
    pub state: ItemState,
    /// What was last said of it; absent where nobody has said anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

/// Whether an incident has this list: both its severities and its condition must say so. What is unknown is no 'no'.
pub(crate) fn applies(list: &Checklist, severity: Option<Severity>, facts: &Facts) -> Truth {
    let by_severity = match severity {
        _ if list.severities.is_empty() => Truth::Yes,
        Some(severity) => list.severities.contains(&severity).into(),
        None => Truth::Unknown,
    };
    let by_facts = list.when.as_ref().map_or(Truth::Yes, |when| when.holds(facts));
    match (by_severity, by_facts) {
        (Truth::No, _) | (_, Truth::No) => Truth::No,
        (Truth::Yes, Truth::Yes) => Truth::Yes,
        _ => Truth::Unknown,
    }
}

/// The items for which something waits, as the start does: each with its list, and whether that applies. `holds` says which
/// lists hold it up.
pub(crate) fn holding<'a>(
    policy: &'a Policy,
    severity: Option<Severity>,
    facts: &Facts,
    marks: &Marks,
    holds: impl Fn(&Checklist) -> bool,
) -> impl Iterator<Item = (&'a Checklist, &'a ChecklistItem, Truth)> {
    let lists = policy.checklists().iter().filter(move |list| holds(list));
    let lists = lists.map(move |list| (list, applies(list, severity, facts)));
    lists.filter(|(_, applies)| *applies != Truth::No).flat_map(move |(list, applies)| {
        let required = list.items.iter().filter(|item| item.required);
        let open = required.filter(|item| marks.state(item.id) == ItemState::Open);
        open.map(move |item| (list, item, applies))
    })
}

/// How each list stands, in the order of the policy.
pub(crate) fn lists(
    policy: &Policy,
    severity: Option<Severity>,
    facts: &Facts,
    marks: &Marks,
) -> Vec<ListStanding> {
    let item = |item: &ChecklistItem| ItemStanding {
        id: item.id,
        text: item.text.clone(),
        required: item.required,
        if_applicable: item.if_applicable,
        records: item.records.clone(),
        state: marks.state(item.id),
        mark: marks.0.get(&item.id).cloned(),
    };
    let list = |list: &Checklist| {
        let applies = applies(list, severity, facts);
        ListStanding {
            id: list.id,
            title: list.title.clone(),
            at: list.at,
            applies,
            holds_start: list.holds_start() && applies != Truth::No,
            within: list.within,
            items: list.items.iter().map(item).collect(),
        }
    };
    policy.checklists().iter().map(list).collect()
}

/// How each step of the procedure stands, in its order.
pub(crate) fn steps(policy: &Policy, marks: &Marks) -> Vec<StepStanding> {
    let step = |step: &ProcedureStep| StepStanding {
        id: step.id,
        title: step.title.clone(),
        role: step.role,
        state: marks.state(step.id),
        mark: marks.0.get(&step.id).cloned(),
    };
    policy.procedure().iter().map(step).collect()
}

/// What an id of `check_item` and `waive_item` names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Known<'a> {
    /// An item of a checklist.
    Item(&'a ChecklistItem),
    /// A step of the procedure.
    Step(&'a ProcedureStep),
    /// Something that can only be waived.
    Exception(Exception),
}

/// The item, the step or the exception with this id.
pub(crate) fn find(policy: &Policy, id: Name) -> Option<Known<'_>> {
    let mut items = policy.checklists().iter().flat_map(|list| &list.items);
    let item = items.find(|item| item.id == id).map(Known::Item);
    item.or_else(|| policy.procedure().iter().find(|step| step.id == id).map(Known::Step))
        .or_else(|| id.as_str().parse().ok().map(Known::Exception))
}

/// Every id that `check_item` and `waive_item` know, the items' first.
pub(crate) fn ids(policy: &Policy) -> impl Iterator<Item = Name> {
    let items = policy.checklists().iter().flat_map(|list| &list.items).map(|item| item.id);
    let steps = policy.procedure().iter().map(|step| step.id);
    items.chain(steps).chain(Exception::ALL.iter().filter_map(|exception| exception.id()))
}

impl Exception {
    /// Its id in `waive_item`.
    pub(crate) fn id(self) -> Option<Name> {
        Name::try_new(self.as_str()).ok()
    }
}
