//! Checklists and their items.

use super::command::CommandLine;
use super::list::{Entries, none, texts};
use super::severity::NamedSeverities;
use crate::document::Node;
use crate::fact::Condition;
use crate::grade::{ChecklistMoment, Moment, Severity, closed_set};
use crate::policy::error::Problem;
use crate::policy::field::{Lasting, List};
use crate::policy::reader::{Narrowed, PolicyReader, section};
use crate::unit::{Name, RoleName, Span};

closed_set! {
    /// A blocker of the start besides approvals and checklists. It cannot be checked: a role waives
    /// it, with a reason. No item, step or success criterion has its id.
    Exception {
        /// The policy calls for the normal process instead of a hot-fix.
        NormalProcess = "normal_process",
        /// The time is outside of the release's change window.
        ChangeWindow = "change_window",
        /// At the planned traffic a bound of a volume rolls every fix back.
        VolumeBound = "volume_bound",
    }
}

impl Checklist {
    /// Whether it is for incidents of this severity.
    pub(crate) fn is_for(&self, severity: Severity) -> bool {
        self.severities.is_empty() || self.severities.contains(&severity)
    }

    /// Whether the start waits for its required items, if the list is due for the incident.
    pub fn holds_start(&self) -> bool {
        self.at == ChecklistMoment::Start && self.holds != Some(false)
    }

    /// Whether the end of the final validation waits for its required items, if the list is due for
    /// the incident.
    pub fn holds_completion(&self) -> bool {
        matches!(self.at, ChecklistMoment::Verified | ChecklistMoment::FinalValidation)
            && self.holds == Some(true)
    }

    /// Whether its items are about one attempt to deploy, so that they are open again for the next.
    pub fn is_of_attempt(&self) -> bool {
        self.each_attempt.unwrap_or(self.at.is_live())
    }

    /// The moment from which the time of `within` counts.
    pub(crate) const fn due_from(&self) -> Moment {
        match self.at {
            ChecklistMoment::Start | ChecklistMoment::Before => Moment::Declared,
            ChecklistMoment::Deployed
            | ChecklistMoment::Verified
            | ChecklistMoment::FinalValidation => Moment::Deployed,
            ChecklistMoment::RolledBack => Moment::RolledBack,
            ChecklistMoment::After => Moment::Resolved,
        }
    }

    /// The moment from which a check of its items counts, because nobody could look before. None for
    /// lists about the incident and the code, and for those of a rollback, whose items are open
    /// again when it begins.
    pub(crate) fn counts_from(&self) -> Option<Moment> {
        counts_from(self.at, self.each_attempt)
    }

    /// Whether an item of this list is a review of the change: the id of the item or of the list
    /// has the word `review` or `reviewed`, and the list is checked until the deployment or right
    /// after it.
    pub(crate) fn reviews(&self, item: &ChecklistItem) -> bool {
        let has_word = |name: Name| {
            name.as_str().split(['_', '-']).any(|word| matches!(word, "review" | "reviewed"))
        };
        self.at <= ChecklistMoment::Deployed && (has_word(item.id) || has_word(self.id))
    }

    /// Whether it is a review of the change and nothing else.
    pub(crate) fn is_review(&self) -> bool {
        !self.items.is_empty() && self.items.iter().all(|item| self.reviews(item))
    }
}

fn counts_from(at: ChecklistMoment, each_attempt: Option<bool>) -> Option<Moment> {
    match at {
        ChecklistMoment::Start | ChecklistMoment::Before | ChecklistMoment::RolledBack => None,
        ChecklistMoment::Deployed
        | ChecklistMoment::Verified
        | ChecklistMoment::FinalValidation => {
            each_attempt.unwrap_or(true).then_some(Moment::Deployed)
        }
        ChecklistMoment::After => Some(Moment::Resolved),
    }
}

section! {
    plain
    /// A checklist: items that people check at a moment of the rollout.
    pub Checklist from ChecklistDraft, checklist_rules {
        /// The id of the checklist, unique.
        id: Name, [required];
        /// The name of the checklist for people.
        title: String, [required];
        /// When it is due. The start waits for the required items of the lists at `start`. What was
        /// checked earlier is open again once a list at `deployed`, `verified` (when the last phase
        /// has its traffic), `after` (when the incident is resolved) or `rolled_back` (when a
        /// rollback begins) is due.
        at: ChecklistMoment, [default "start"];
        /// By when it has to be complete, above 0: a duty with the id of the list, settled by its last
        /// required item. The time counts from the declaration of the incident at `start` and `before`,
        /// from the moment when all traffic has the fix at `deployed`, `verified` and
        /// `final_validation`, from the end of a rollback at `rolled_back`, and from the end of the
        /// incident at `after`. Without this key there is no limit.
        within: Span as Lasting, [optional];
        /// The role that goes through it, and has the duty of `within`. Without this key anybody.
        role: RoleName, [optional];
        /// The severities for which it is due; empty: all.
        severities: Vec<Severity> as NamedSeverities, [default none()];
        /// The condition under which it is due. Without this key always. While the condition is
        /// unknown, the start waits for a list at `start`, and the end of the validation for none.
        when: Condition, [optional];
        /// Whether the rollout waits for its required items: at `start` the start, at `verified` and
        /// `final_validation` the end of the validation. Default: true at `start`, false elsewhere.
        holds: bool, [optional];
        /// Whether its items are open again where the same release is tried again. Default: true at
        /// `deployed`, `verified` and `final_validation`, false elsewhere. False at `deployed` and
        /// `verified` also keeps what was checked before the list was due. At `rolled_back`, false keeps
        /// items until the next rollback begins, true those that were checked since the start.
        each_attempt: bool, [optional];
        /// Whether its items are about the incident, which stays the same: another release does not open
        /// them again.
        of_incident: bool, [default false];
        /// The items.
        items: Vec<ChecklistItem> as List<ChecklistItem>, [required];
    }
}

fn checklist_rules(list: &ChecklistDraft, reader: &mut PolicyReader) {
    let can_hold = list.at.is_none_or(|at| {
        use ChecklistMoment::{FinalValidation, Start, Verified};
        matches!(at, Start | Verified | FinalValidation)
    });
    if list.holds.flatten() == Some(true) && !can_hold {
        let at = list.at.map_or("", ChecklistMoment::as_str);
        reader.fail_at::<()>("holds", Problem::HoldsNothing { at });
    }
    let each_attempt = list.each_attempt.flatten();
    if counts_from(list.at.unwrap_or(ChecklistMoment::Start), each_attempt).is_none() {
        let of = list.at.map_or("start", ChecklistMoment::as_str);
        let problem = || Problem::NoMeaning { key: "lasts", what: "list at", of };
        let items = list.items.iter().flatten().enumerate();
        reader.within("items", |reader| {
            for (place, _) in items.filter(|(_, item)| item.lasts.is_some()) {
                reader
                    .within(&place.to_string(), |reader| reader.fail_at::<()>("lasts", problem()));
            }
        });
    }
}

section! {
    plain
    /// One item of a checklist.
    pub ChecklistItem: Eq from ChecklistItemDraft {
        /// The id of the item, unique in the policy. With the word `review` or `reviewed` in it or in
        /// the id of its list, as in `code_reviewed`, it is a review of the change in a list at
        /// `start`, `before` or `deployed`: its first check ends the time to review, and the author
        /// of the fix cannot check it.
        id: Name, [required];
        /// What has to be done or true.
        text: String, [required];
        /// Whether it has to be checked, waived or marked as not applicable; only required items
        /// hold up the rollout.
        required: bool, [default true];
        /// Whether it applies only to some cases, so that 'not applicable' needs no reason.
        if_applicable: bool, [default false];
        /// How long what it states has to have lasted, above 0: a check counts from this long after the
        /// deployment, in a list at `after` after the end of the incident. An earlier one verifies
        /// nothing and settles no duty, as one before the deployment. Only in lists at `deployed`,
        /// `verified`, `final_validation` and `after`.
        lasts: Span as Lasting, [optional];
        /// The name of a value that is noted as the evidence of the check, such as "branch". Where
        /// nobody gave another one, `branch`, `build` and `artifact` are in the change record,
        /// `rollback_minutes`, a number or a duration such as `7min`, is how long a
        /// rollback takes in messages, `rollback_point` is what `rollback.point` asks for, and
        /// `status_page`, `cause`, `channel`, `dashboard` and `url` are the fields of messages.
        records: String, [optional];
        /// The commands that do or show it, for people: a line of a POSIX shell each. Values of the
        /// plan are in double braces and get their quotes: `version`, `previous`, `tag`, `branch`,
        /// `commit`, `service`, `incident`.
        commands: Vec<String> as List<CommandLine<false>>, [default none()];
    }
}

/// The checklists: their ids are unique, and so are the ids of all items.
pub(super) struct Checklists;

impl Narrowed for Checklists {
    type Of = Entries<Checklist>;

    fn look(node: &Node, reader: &mut PolicyReader) {
        let mut items = Vec::new();
        for (i, list) in node.items().iter().enumerate() {
            if let Some(list) = list.key("items") {
                items.extend(texts(list, &format!("{}/{i}/items", reader.path()), "id"));
            }
        }
        reader.unique("item", &items);
    }
}
