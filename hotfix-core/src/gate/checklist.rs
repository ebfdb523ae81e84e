//! Checklists: which lists apply to an incident, and the state of their items.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fact::{Facts, Truth};
use crate::grade::{ChecklistMoment, Moment, Severity, closed_set};
use crate::policy::Policy;
use crate::policy::section::{
    Checklist, ChecklistItem, Exception, ProcedureStep, SuccessCriterion,
};
use crate::sorting::{remove, retain};
use crate::unit::{Name, RoleName, Span, Timestamp};

closed_set! {
    /// The state of a checklist item or a step of the procedure.
    ItemState {
        /// Nobody has checked it, or it was reopened.
        Open = "open",
        /// It is done.
        Done = "done",
        /// Somebody decided to continue without it.
        Waived = "waived",
        /// It does not apply.
        NotApplicable = "not_applicable",
    }
}

/// The last mark on an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The state since then.
    pub state: ItemState,
    /// Who set it; the digest of the name where that is redacted in the log.
    pub by: String,
    /// When it was set.
    pub at: Timestamp,
    /// The evidence, or the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The last mark on each item and each step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Marks(BTreeMap<Name, Mark>);

impl Marks {
    /// Sets the mark of an item or a step; the last one counts.
    pub(crate) fn put(&mut self, id: Name, mark: Mark) {
        self.0.insert(id, mark);
    }

    pub(crate) fn is_waived(&self, exception: Exception) -> bool {
        self.0
            .iter()
            .any(|(id, mark)| id.as_str() == exception.as_str() && mark.state == ItemState::Waived)
    }

    pub(crate) fn reopen(&mut self, exception: Exception) {
        retain(&mut self.0, |id, _| id.as_str() != exception.as_str());
    }

    /// Keeps the marks that count for another attempt: of lists about the incident and of those after a
    /// rollback. Where the `same` release is tried again, also those about its code, but none of what was
    /// seen in production or is about the deployment: a step is, if it was marked after `started`.
    pub(crate) fn keep(&mut self, policy: &Policy, same: bool, started: Option<Timestamp>) {
        retain(&mut self.0, |id, mark| match find(policy, *id) {
            Some(Known::Item(item)) => {
                let lists = policy.checklists().iter();
                let mut of_item = lists.filter(|list| list.items.contains(item));
                let is_kept = |list: &Checklist| {
                    same || list.of_incident || list.at == ChecklistMoment::RolledBack
                };
                of_item.any(|list| !list.is_of_attempt() && is_kept(list))
            }
            _ if !same => false,
            Some(Known::Step(_)) => started.is_none_or(|started| mark.at < started),
            Some(Known::Criterion(_) | Known::RollbackPoint) => false,
            Some(Known::Exception(_)) | None => true,
        });
    }

    /// Opens the items of these lists that were checked before this time, when nobody could have
    /// looked. A waiver is a decision and stays.
    pub(crate) fn reopen_checked(
        &mut self,
        policy: &Policy,
        before: Timestamp,
        of: impl Fn(&Checklist) -> bool,
    ) {
        for item in policy.checklists().iter().filter(|list| of(list)).flat_map(|list| &list.items)
        {
            if self.is_early(item, Some(before)) {
                remove(&mut self.0, &item.id);
            }
        }
    }

    /// Opens the items of reviews that were checked; a waiver stays.
    pub(crate) fn reopen_reviews(&mut self, policy: &Policy) {
        retain(&mut self.0, |id, mark| mark.state != ItemState::Done || !is_review(policy, *id));
    }

    /// Opens the items that record the branch of the fix, where they were checked.
    pub(crate) fn reopen_branch(&mut self, policy: &Policy) {
        let records_it = |item: &ChecklistItem| item.records.as_deref() == Some("branch");
        let is_of_it = |id| matches!(find(policy, id), Some(Known::Item(item)) if records_it(item));
        retain(&mut self.0, |id, mark| mark.state != ItemState::Done || !is_of_it(*id));
    }

    /// Opens these success criteria where they were confirmed.
    pub(crate) fn reopen_criteria(
        &mut self,
        policy: &Policy,
        of: impl Fn(&SuccessCriterion) -> bool,
    ) {
        let opens =
            |id| policy.success().iter().any(|criterion| criterion.id == id && of(criterion));
        retain(&mut self.0, |id, mark| mark.state != ItemState::Done || !opens(*id));
    }

    /// Whether the item was checked before this time, or before what it states can have lasted from
    /// then on.
    fn is_early(&self, item: &ChecklistItem, since: Option<Timestamp>) -> bool {
        let from = since.map(|since| since + item.lasts.unwrap_or_default());
        let is_before = |mark: &Mark| from.is_some_and(|from| mark.at < from);
        self.0.get(&item.id).is_some_and(|mark| mark.state == ItemState::Done && is_before(mark))
    }

    /// Whether an item of the list is settled and no required one is open, by checks from `since` on. A
    /// review after the deployment is complete, too, where one before it was made in full.
    pub(crate) fn is_complete(
        &self,
        policy: &Policy,
        list: &Checklist,
        since: Option<Timestamp>,
    ) -> bool {
        let is_settled = |item: &&ChecklistItem| {
            self.state(item.id) != ItemState::Open && !self.is_early(item, since)
        };
        let mut required = list.items.iter().filter(|item| item.required);
        let is_done = |item: &ChecklistItem| self.state(item.id) == ItemState::Done;
        let is_full = |of: &&Checklist| of.at != ChecklistMoment::Deployed && of.is_review();
        let mut before = policy.checklists().iter().filter(is_full);
        list.items.iter().any(|item| is_settled(&item)) && required.all(|item| is_settled(&item))
            || list.at == ChecklistMoment::Deployed
                && list.is_review()
                && before.any(|list| list.items.iter().all(is_done))
    }

    /// The value that was noted last with an item that records something of this name.
    pub(crate) fn recorded(&self, policy: &Policy, name: &str) -> Option<&str> {
        let items = policy.checklists().iter().flat_map(|list| &list.items);
        let of_name = items.filter(|item| item.records.as_deref() == Some(name));
        let marks = of_name.filter_map(|item| self.0.get(&item.id));
        let done = marks.filter(|mark| mark.state == ItemState::Done);
        let noted = done.filter_map(|mark| Some((mark.at, mark.why.as_deref()?.trim())));
        let noted = noted.filter(|(_, value)| !value.is_empty());
        noted.max_by_key(|(at, _)| *at).map(|(_, value)| value)
    }

    /// The evidence of an item that is done.
    pub(crate) fn noted(&self, id: Name) -> Option<&str> {
        let mark = self.0.get(&id).filter(|mark| mark.state == ItemState::Done)?;
        mark.why.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    pub(crate) fn state(&self, id: Name) -> ItemState {
        self.0.get(&id).map_or(ItemState::Open, |mark| mark.state)
    }

    /// The status of an item of a checklist, or of what people check without one.
    fn status(&self, id: Name, text: &str, item: Option<&ChecklistItem>) -> ItemStatus {
        ItemStatus {
            id,
            text: text.to_owned(),
            required: item.is_some_and(|item| item.required),
            if_applicable: item.is_some_and(|item| item.if_applicable),
            records: item.and_then(|item| item.records.clone()),
            from: None,
            state: self.state(id),
            mark: self.0.get(&id).cloned(),
        }
    }
}

/// A checklist, whether it applies to this incident, and its items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListStatus {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// When it is checked.
    pub at: ChecklistMoment,
    /// Whether it applies to this incident, as far as severity and facts are known.
    pub applies: Truth,
    /// Whether the start waits for its required items: it is a `start` list, and it is not certain
    /// that it does not apply.
    pub holds_start: bool,
    /// The time that it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Its items.
    pub items: Vec<ItemStatus>,
}

impl ListStatus {
    /// A list that applies to every incident.
    fn always(id: Name, title: &str, at: ChecklistMoment, items: Vec<ItemStatus>) -> Self {
        let holds_start = at == ChecklistMoment::Start;
        let title = title.to_owned();
        Self { id, title, at, applies: Truth::Yes, holds_start, within: None, items }
    }
}

/// An item with its state.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemStatus {
    /// Its id.
    pub id: Name,
    /// What is to be done.
    pub text: String,
    /// Whether it is required.
    pub required: bool,
    /// Whether it is only for some cases.
    pub if_applicable: bool,
    /// What to note when checking it.
    pub records: Option<String>,
    /// When what it states can have lasted long enough: a check before that does not count. Absent
    /// where any time will do, and before its time begins.
    pub from: Option<Timestamp>,
    /// Its state.
    pub state: ItemState,
    /// Its last mark; absent where it has none.
    pub mark: Option<Mark>,
}

/// A step of the procedure with its state.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepStatus {
    /// Its id.
    pub id: Name,
    /// What people call it.
    pub title: String,
    /// Who does it.
    pub role: Option<RoleName>,
    /// Its state.
    pub state: ItemState,
    /// Its last mark; absent where it has none.
    pub mark: Option<Mark>,
}

/// What decides whether a list applies to an incident.
#[derive(Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// The severity in force.
    pub(crate) severity: Option<Severity>,
    /// What is known now.
    pub(crate) now: &'a Facts,
    /// The worst that was known.
    pub(crate) worst: &'a Facts,
    /// The rollout has started.
    pub(crate) started: bool,
}

impl Situation<'_> {
    /// Whether a list applies, by severity and condition; unknown is not no. A condition holds by the
    /// worst facts that were known or by those of now, each with what follows from them. Lists of the
    /// start are not judged by the facts of now once it is over: what was rightly skipped then stays so.
    pub(crate) fn asks_for(self, policy: &Policy, list: &Checklist) -> Truth {
        let by_severity = match self.severity {
            Some(severity) => list.is_for(severity).into(),
            None if list.severities.is_empty() => Truth::Yes,
            None => Truth::Unknown,
        };
        let by_facts = list.when.as_ref().map_or(Truth::Yes, |when| {
            let is_of_start = matches!(list.at, ChecklistMoment::Start | ChecklistMoment::Before);
            let by = |facts| match when.holds(facts) {
                Truth::Unknown => policy.classify(facts).informed().holds(when),
                known => known,
            };
            let now = if self.started && is_of_start { Truth::No } else { by(self.now) };
            Truth::of([by(self.worst), now], Truth::Yes)
        });
        Truth::of([by_severity, by_facts], Truth::No)
    }
}

/// What became of the checks of the fix, such as those for which the end of the final validation waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks<'a> {
    /// Those that were made, without the early ones.
    made: usize,
    /// Those that were made too early: before the deployment, when nobody could have seen the fix in
    /// production, or before what they state can have lasted.
    pub(crate) early: Vec<&'a ChecklistItem>,
    waived: usize,
    /// All required items of the lists that apply.
    all: usize,
}

impl<'a> Checks<'a> {
    pub(crate) fn of(
        policy: &'a Policy,
        situation: Situation<'_>,
        marks: &Marks,
        deployed: Option<Timestamp>,
        of: impl Fn(&Checklist) -> bool,
    ) -> Self {
        let mut checks = Self::default();
        for (_, item, _) in required(policy, situation, of) {
            checks.all += 1;
            match marks.state(item.id) {
                ItemState::Done if marks.is_early(item, deployed) => checks.early.push(item),
                ItemState::Done => checks.made += 1,
                ItemState::Waived => checks.waived += 1,
                ItemState::NotApplicable | ItemState::Open => {}
            }
        }
        checks
    }

    /// Whether any check is required.
    pub(crate) const fn are_asked_for(&self) -> bool {
        self.all > 0
    }

    /// Whether a check was made, perhaps too early.
    pub(crate) const fn are_recorded(&self) -> bool {
        self.made > 0 || !self.early.is_empty()
    }

    /// Whether they verify the fix: none was waived or made too early, and one was made.
    pub(crate) const fn verify(&self) -> bool {
        self.waived == 0 && self.early.is_empty() && self.made > 0
    }

    /// How many were made, where they do not verify the fix: `3 of 4 checks made, 1 too early`.
    pub(crate) fn described(&self) -> String {
        let early = match self.early.len() {
            0 => String::new(),
            early => format!(", {early} too early"),
        };
        format!("{} of {} checks made{early}", self.made, self.all)
    }
}

/// The items that hold something up, such as the start: each with its list, and whether the list
/// applies. `holds` selects the lists.
pub(crate) fn holding<'a>(
    policy: &'a Policy,
    situation: Situation<'_>,
    marks: &Marks,
    holds: impl Fn(&Checklist) -> bool,
) -> impl Iterator<Item = (&'a Checklist, &'a ChecklistItem, Truth)> {
    required(policy, situation, holds)
        .filter(|(_, item, _)| marks.state(item.id) == ItemState::Open)
}

/// The required items of these lists. A list for which the end of the final validation waits has to apply
/// for certain; another counts unless it certainly does not apply.
fn required<'a>(
    policy: &'a Policy,
    situation: Situation<'_>,
    holds: impl Fn(&Checklist) -> bool,
) -> impl Iterator<Item = (&'a Checklist, &'a ChecklistItem, Truth)> {
    let lists = policy.checklists().iter().filter(move |list| holds(list));
    let lists = lists.map(move |list| (list, situation.asks_for(policy, list)));
    let counts = |(list, applies): &(&Checklist, Truth)| match applies {
        Truth::Yes => true,
        Truth::Unknown => !list.holds_completion(),
        Truth::No => false,
    };
    lists.filter(counts).flat_map(|(list, applies)| {
        let required = list.items.iter().filter(|item| item.required);
        required.map(move |item| (list, item, applies))
    })
}

/// The status of each list, in the order of the policy. `point_is_known`: the release names the
/// rollback point. `came`: when a moment came.
pub(crate) fn lists(
    policy: &Policy,
    situation: Situation<'_>,
    marks: &Marks,
    point_is_known: bool,
    came: impl Fn(Moment) -> Option<Timestamp>,
) -> Vec<ListStatus> {
    let list = |list: &Checklist| {
        let since = list.counts_from().and_then(&came);
        let item = |item: &ChecklistItem| ItemStatus {
            from: since.zip(item.lasts).map(|(since, lasts)| since + lasts),
            ..marks.status(item.id, &item.text, Some(item))
        };
        let applies = situation.asks_for(policy, list);
        ListStatus {
            id: list.id,
            title: list.title.clone(),
            at: list.at,
            applies,
            holds_start: list.holds_start() && applies != Truth::No,
            within: list.within,
            items: list.items.iter().map(item).collect(),
        }
    };
    let lists = policy.checklists().iter().map(list);
    let point = list_of_point(policy, marks).filter(|_| !point_is_known);
    lists.chain(point).chain(list_of_criteria(policy, marks)).collect()
}

/// The rollback point as a checklist, where the policy asks for it and no list of the policy has it.
fn list_of_point(policy: &Policy, marks: &Marks) -> Option<ListStatus> {
    let id =
        point_item(policy).filter(|id| matches!(find(policy, *id), Some(Known::RollbackPoint)))?;
    let text = "the commit, artifact or deployment to roll back to is named";
    let records = Some(ROLLBACK_POINT.to_owned());
    let item = ItemStatus { required: true, records, ..marks.status(id, text, None) };
    Some(ListStatus::always(id, "Rollback point", ChecklistMoment::Start, vec![item]))
}

/// What the item records that names the rollback point; where no item records it, the id of a further item.
const ROLLBACK_POINT: &str = "rollback_point";

/// The item that names the rollback point: the first that records it, or else one that is on no list of
/// the policy. None where the policy asks for no rollback point.
pub(crate) fn point_item(policy: &Policy) -> Option<Name> {
    if !policy.rollback().point {
        return None;
    }
    let mut items = policy.checklists().iter().flat_map(|list| &list.items);
    let item = items.find(|item| item.records.as_deref() == Some(ROLLBACK_POINT));
    item.map(|item| item.id).or_else(|| Name::try_new(ROLLBACK_POINT).ok())
}

/// The policy's success criteria as a checklist of the final validation, for which nothing waits.
fn list_of_criteria(policy: &Policy, marks: &Marks) -> Option<ListStatus> {
    let items = success_criteria(policy, marks);
    let id = Name::try_new("success_criteria").ok()?;
    let at = ChecklistMoment::FinalValidation;
    (!items.is_empty()).then(|| ListStatus::always(id, "Success criteria", at, items))
}

pub(crate) fn success_criteria(policy: &Policy, marks: &Marks) -> Vec<ItemStatus> {
    let criteria = policy.success().iter();
    criteria.map(|criterion| marks.status(criterion.id, &criterion.text, None)).collect()
}

/// The success criteria that nobody has confirmed or set aside, without those that the log answers
/// once the rollout is complete.
pub(crate) fn open_criteria(policy: &Policy, marks: &Marks) -> Vec<Name> {
    let of_people = policy.success().iter().filter(|criterion| criterion.answered_by.is_none());
    let criteria = of_people.map(|criterion| criterion.id);
    criteria.filter(|id| marks.state(*id) == ItemState::Open).collect()
}

pub(crate) fn steps(policy: &Policy, marks: &Marks) -> Vec<StepStatus> {
    let step = |step: &ProcedureStep| StepStatus {
        id: step.id,
        title: step.title.clone(),
        role: step.role,
        state: marks.state(step.id),
        mark: marks.0.get(&step.id).cloned(),
    };
    policy.procedure().iter().map(step).collect()
}

/// What an id of `check_item` or `waive_item` names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Known<'a> {
    /// An item of a checklist.
    Item(&'a ChecklistItem),
    /// A step of the procedure.
    Step(&'a ProcedureStep),
    /// A success criterion.
    Criterion(&'a SuccessCriterion),
    /// The rollback point, where the policy asks for it and no item of a list records it.
    RollbackPoint,
    /// An exception, which can only be waived.
    Exception(Exception),
}

/// The item, the step, the success criterion or the exception with this id.
pub(crate) fn find(policy: &Policy, id: Name) -> Option<Known<'_>> {
    let mut items = policy.checklists().iter().flat_map(|list| &list.items);
    let item = items.find(|item| item.id == id).map(Known::Item);
    let criterion = || policy.success().iter().find(|criterion| criterion.id == id);
    item.or_else(|| policy.procedure().iter().find(|step| step.id == id).map(Known::Step))
        .or_else(|| criterion().map(Known::Criterion))
        .or_else(|| (point_item(policy) == Some(id)).then_some(Known::RollbackPoint))
        .or_else(|| id.as_str().parse().ok().map(Known::Exception))
}

/// The reviews of the change: each item with its list.
pub(crate) fn reviews(policy: &Policy) -> impl Iterator<Item = (&Checklist, &ChecklistItem)> {
    policy.checklists().iter().flat_map(|list| {
        let reviews = list.items.iter().filter(|item| list.reviews(item));
        reviews.map(move |item| (list, item))
    })
}

pub(crate) fn is_review(policy: &Policy, id: Name) -> bool {
    reviews(policy).any(|(_, item)| item.id == id)
}

/// Every id that `check_item` and `waive_item` accept, items first.
pub(crate) fn ids(policy: &Policy) -> impl Iterator<Item = Name> {
    let items = policy.checklists().iter().flat_map(|list| &list.items).map(|item| item.id);
    let steps = policy.procedure().iter().map(|step| step.id);
    let criteria = policy.success().iter().map(|criterion| criterion.id);
    items
        .chain(steps)
        .chain(criteria)
        .chain(point_item(policy))
        .chain(Exception::ALL.iter().filter_map(|exception| exception.id()))
}

impl Exception {
    /// Its id in `waive_item`.
    pub(crate) fn id(self) -> Option<Name> {
        Name::try_new(self.as_str()).ok()
    }
}
