//! Deadlines, updates, follow-ups and escalations of one incident: what is due, overdue and next.
//!
//! An [`Agenda`] is folded from events, each with its time; it reads no clock, so the same inputs
//! give the same agenda. Besides the policy's duties it has the service level objective of the
//! change record, the approvals that may follow the start, and the report where no duty asks for
//! it.
//!
//! **Lists.** Each duty is in exactly one list at any time. `due`: to be done now; a duty is in
//! time at its due time itself. `overdue`: from a millisecond after its due time. `next`: its turn
//! has not come, such as an escalation level before its time, or an update before the previous one
//! was due. `later`: the moment that its time counts from has not happened, or its escalation was
//! stopped for good. `undated`: due by a day that the caller has not given. `done`: settled, with
//! how. A duty that waits for its moment is not `undated`, because nobody could supply anything.
//!
//! **No detection time.** What counts from `detected` counts from `declared` while the time of the
//! detection is not known, and what counts from `began` from either: otherwise a P0 would have no
//! escalation. An item that does so has a note.
//!
//! **Unknown is not no.** A duty whose condition cannot be judged yet applies, with a note;
//! likewise where nobody has stated whether the fix is a stop-gap, or how its release is branched.
//!
//! **Escalation policies.** The presets `enterprise`, `severity-matrix` and `emergency-command`
//! escalate by the time since detection while the incident lasts. A level is paged at its time, or
//! with the first input after it. An acknowledgement answers all levels paged by then and stops the
//! escalation. It holds as long as the policy gives for the fix: once the deadline of an open `fix`
//! duty has passed, the levels whose time has come are paged, and no later acknowledgement stops
//! them. Without such a deadline the escalation stays stopped until it begins again. A level with
//! `even_if_acknowledged` is paged at its time whatever was answered: so the escalations of
//! `severity-matrix` and `emergency-command` page at 15, 30 and 60 minutes. Once the fix is live,
//! levels that were not paged wait, whether or not anybody answered; after a rollback they are
//! paged at once. A level with another `until` goes on to that moment: so `enterprise` does not
//! page the lead after an acknowledgement, but pages the CTO after 4 hours if the incident is not
//! resolved. `done` for a level means that its call was made, by hand perhaps, and the escalation
//! continues. A page is made at once, and its time is the limit for an answer; at the start it is
//! answered like a level. The end of the incident ends escalations, pages and duties to act. If it
//! is reopened, or if the severity rises with the fix live above all that it was before, they begin
//! again and count from then. A role that nobody holds is replaced by its stand-in, and the item
//! has a note; without a stand-in the duty remains.
//!
//! **Events settle duties** where they mean the same: the deployment a `fix`, the approval an
//! `approve`; the beginning of the fix, the approval, the start or an answer to a page an `act` at the
//! beginning; the start, the deployment, the rollback and the end, of which the rollout notifies an
//! audience, an earlier notice to the same audience, if it applied then; the last item of a checklist
//! the duty that names the list; what somebody in a role does the page to the role; the deployment
//! after a rollback what was to follow from the failure of the same release, which is owed for each
//! release that failed. A rollback revokes the deployment, and what counts from it applies again
//! after the next one. What counts from a rollback applies again after each. But people's responses
//! and notices stay settled, at their first time. What counts from `ready` is about one fix, and
//! applies again once another one is ready.
//!
//! **Updates** keep to the promised times: a late one does not move the next. A notice to the same
//! audience that counts from the same moment is the first of them. `done` settles all
//! that are due by then; they are overdue once, with the number missed. A second one in the same
//! interval is refused. Each interval is announced once, also where nobody did what the last one
//! asked for.
//!
//! **A change of severity** makes a new plan: [`Replan`] has what was added, dropped and moved.
//! What was done stays done. Times still count from their moments, so a fix can be overdue at once.
//! A role that was paged is not paged again by levels of the new escalation policy whose time has
//! passed, nor by a page at its start, until `ask_again` after the last page to it, and its answer
//! holds. Updates that were due before they applied were not missed. A lower severity asks for no
//! notice that was sent under the higher one, and drops nothing that a deployment or rollback under
//! the higher one left to be done.
//!
//! **Days.** A day has to be after the moment that the duty counts from. The earliest day given
//! stays, so tomorrow's `next_day` hides no duty of today. A release or a sprint may be put off
//! while it is ahead; once it has passed, a later one is the one after.
//!
//! **Each announcement is given once**, that of a repeated duty once in each interval. A page that
//! nobody answers is given again after each `ask_again` of the policy, until somebody answers, the
//! incident ends or its [`until`](crate::policy::section::Duty::until) comes; a notice that is due
//! at once is given a second time after it, unless its audience was asked to read an update since.
//! [`Agenda::advance`] gives what became due or overdue since the last call, also where a late
//! timer skipped over it or several inputs have one time. A call before [`Agenda::next_moment`]
//! costs two comparisons.

mod answer;
mod fold;
mod input;
mod item;
mod item_state;
mod late;
mod obligations;
mod replan;
mod snapshot;
mod status;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::gate::{Holder, Who};
pub(crate) use input::ALREADY_DONE;
pub use input::{DutyRefusal, Input};
pub use item::{Applies, Duties, Item};
pub use item_state::{Settled, Settlement};
pub use obligations::Source;
pub use replan::{Cause, Change, Changed, Replan};
pub(crate) use snapshot::AgendaState;
pub use status::Awaits;

use crate::getters::getters;
use crate::grade::{Audience, DutyKind, Moment, closed_set};
use crate::policy::Policy;
use crate::unit::{Name, RoleName, Timestamp, is_default};

use item_state::{DutyState, Notified};
use obligations::Obligation;
use status::{DutyStatus, Phase};

closed_set! {
    /// What a duty became.
    Asked {
        /// It is to be done now.
        Due = "due",
        /// Its due time has passed.
        Overdue = "overdue",
        /// Nobody has answered: it is asked for once more.
        Again = "again",
    }
}

/// Something that became due or overdue; each is given once.
#[serde_with::skip_serializing_none]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// Its id.
    pub id: Name,
    /// Where it comes from.
    pub source: Source,
    /// Its place in the policy, among those of its source.
    pub index: usize,
    /// What is to be done.
    pub kind: DutyKind,
    /// What it became.
    pub asked: Asked,
    /// Whether nobody knows of it yet: it is its first announcement, of a repeated duty the first for
    /// the present interval.
    pub first: bool,
    /// When its role was paged for the first time; absent where this is the first page.
    pub called_at: Option<Timestamp>,
    /// Which occurrence, from 1.
    pub occurrence: u64,
    /// By when.
    pub due: Option<Timestamp>,
    /// The role that does it, or is paged: see [`Who::of`].
    pub role: Option<RoleName>,
    /// Who is notified.
    pub audience: Option<Audience>,
}

/// When a role was paged for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Call {
    role: RoleName,
    at: Timestamp,
}

/// The first and the last acknowledgement of an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Answered {
    first: Timestamp,
    last: Timestamp,
}

/// When the incident first was as severe as this, and whether a fix was live then that was given up since.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Reached {
    at: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    live: bool,
}

impl Reached {
    /// Whether that was after a fix went live.
    fn is_after(&self, live: Option<Timestamp>) -> bool {
        live.is_some_and(|live| live < self.at)
    }
}

impl Answered {
    /// When a page that was made at `called`, before the last answer, was answered: only the first and
    /// the last answer are known.
    fn since(self, called: Timestamp) -> Timestamp {
        if called <= self.first { self.first } else { self.last }
    }

    /// The answers of two escalations, of which an answer to one counts in the other.
    fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

type Moments = [Option<Timestamp>; Moment::ALL.len()];

fn origin(moments: &Moments, moment: Moment) -> Option<(Moment, Timestamp)> {
    let mut candidates = std::iter::successors(Some(moment), |moment| moment.fallback());
    candidates.find_map(|moment| Some((moment, moments.get(moment as usize).copied().flatten()?)))
}

/// The agenda of one incident. Its size depends on the policy, and on the number of releases that failed.
///
/// ```
/// use hotfix_core::deadline::{Agenda, Input};
/// use hotfix_core::grade::{Moment, Severity};
/// use hotfix_core::policy::Policy;
/// use hotfix_core::unit::Timestamp;
///
/// let policy = Policy::preset("enterprise")?;
/// let detected: Timestamp = "2026-03-03T14:06:00Z".parse()?;
/// let mut agenda = Agenda::new(&policy);
/// agenda.take(&policy, detected, Input::Severity(Some(Severity::P0)))?;
/// agenda.take(&policy, detected, Input::Moment { moment: Moment::Detected, at: detected })?;
/// assert_eq!(agenda.advance(detected)[0].id.as_str(), "p0_fix");
///
/// agenda.take(&policy, detected, Input::Acknowledge { duty: "p0_on_call".parse()? })?;
/// let at = "2026-03-03T14:20:00Z".parse()?;
/// let duties = agenda.duties(&policy, at);
/// assert_eq!(duties.due[0].id.as_str(), "p0_update");
/// assert_eq!(duties.due[0].left.map(|left| left.to_string()).as_deref(), Some("1min"));
/// assert_eq!(duties.overdue[0].id.as_str(), "p0_notice");
/// // The fix is due in 2 hours; until then the escalation waits after the acknowledgement.
/// assert_eq!(duties.next[0].due.map(|due| due.to_string()).as_deref(),
///     Some("2026-03-03T16:06:00.000Z"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, educe::Educe)]
#[educe(Clone)]
pub struct Agenda {
    obligations: Arc<[Obligation]>,
    state: AgendaState,
    announced: Vec<Announcement>,
}

impl Agenda {
    /// An agenda without inputs.
    pub fn new(policy: &Policy) -> Self {
        Self::with_release(policy, &[])
    }

    /// States the version that has the canary's traffic, or is to get it: the one that is deployed, rolled
    /// back or reverted next.
    pub(crate) fn name_canary(&mut self, version: &str) {
        version.clone_into(&mut self.state.canary);
    }

    /// An agenda with these inputs about the release, which come before the incident's first input.
    pub(crate) fn with_release(policy: &Policy, release: &[Input<'_>]) -> Self {
        let (obligations, ladders) = Obligation::of(policy);
        let courses = obligations.iter().map(|o| DutyState::new(o.conditional)).collect();
        let mut agenda = Self {
            announced: Vec::with_capacity(obligations.len()),
            obligations: obligations.into(),
            state: AgendaState { courses, ladders: vec![None; ladders], ..AgendaState::default() },
        };
        for input in release {
            agenda.fold(policy, Timestamp::default(), *input, None);
        }
        agenda.select(None);
        agenda.compare(Timestamp::default());
        agenda
    }

    /// When a moment happened; None where it has not, or was revoked.
    pub fn came(&self, moment: Moment) -> Option<Timestamp> {
        self.state.moments.get(moment as usize).copied().flatten()
    }

    /// When a moment happened; None where only a fact gives its time.
    pub(crate) fn stated(&self, moment: Moment) -> Option<Timestamp> {
        self.came(moment).filter(|_| !self.state.by_fact.contains(&moment))
    }

    /// The moment that times from `moment` count from, with its time: `moment` itself, or its
    /// [fallback](Moment::fallback) where its time is not known.
    pub fn origin(&self, moment: Moment) -> Option<(Moment, Timestamp)> {
        origin(&self.state.moments, moment)
    }

    /// When a page was first answered, of those whose answer holds.
    pub(crate) fn first_answer(&self) -> Option<Timestamp> {
        let settled = self.state.courses.iter().filter_map(|course| course.settled);
        let settled = settled.filter(|settled| settled.how.is_answer()).map(|settled| settled.at);
        settled.chain(self.state.ladders.iter().flatten().map(|answered| answered.first)).min()
    }

    /// Whether a notice to this audience, other than an alert, was asked for.
    pub(crate) fn has_notified(&self, audience: Audience) -> bool {
        let mut all = self.obligations.iter().zip(&self.state.courses);
        all.any(|(of, course)| {
            (of.kind, of.audience) == (DutyKind::Notify, Some(audience))
                && !of.is_alert()
                && (course.told.asked.is_some() || course.announced_before)
        })
    }

    /// Whether somebody was paged who is still called, and nobody has answered or begun a fix.
    pub(crate) fn waits_for_responders(&self) -> bool {
        let all = || {
            let all = self.obligations.iter().zip(&self.state.courses);
            all.filter(|(of, _)| of.kind.is_call())
        };
        let is_answered = all().any(|(_, course)| course.settled.is_some());
        let works =
            is_answered || self.first_answer().is_some() || self.came(Moment::FixStarted).is_some();
        let called = |role| self.state.calls.iter().any(|call| Some(call.role) == role);
        !works && all().any(|(of, course)| course.on && called(of.role))
    }

    /// The last time known.
    pub const fn now(&self) -> Option<Timestamp> {
        self.state.now
    }

    /// Moves the clock to `at`, but never back, and returns its time.
    fn reach(&mut self, at: Timestamp) -> Timestamp {
        let at = self.state.now.map_or(at, |now| now.max(at));
        self.state.now = Some(at);
        at
    }

    /// Accepts an input and returns what it changes in the plan. An input earlier than the last one
    /// counts as simultaneous with it.
    ///
    /// `policy` is the one that the agenda was made from.
    ///
    /// # Errors
    /// As [`check`](Self::check); nothing has changed then.
    pub fn take(
        &mut self,
        policy: &Policy,
        at: Timestamp,
        input: Input<'_>,
    ) -> Result<Replan, DutyRefusal> {
        let answered = self.answered(at, input)?;
        let at = self.reach(at);
        self.state.opened.get_or_insert(at);
        let before = self.begun_again().at();
        let cause = Cause::of(&input, self.state.severity);
        self.fold(policy, at, input, answered);
        self.select(Some(at));
        self.begin_again(before, at);
        self.state.fix_by = self.open_fix_deadline(at);
        self.state.next_holds = false;
        Ok(Replan { cause, changes: self.compare(at) })
    }

    /// Moves the clock and gives what became due or overdue since the last call, in the order of
    /// the policy, each once.
    ///
    /// Call it after [`take`](Self::take), and at [`next_moment`](Self::next_moment). Where nothing
    /// came it costs two comparisons and no allocation.
    pub fn advance(&mut self, at: Timestamp) -> &[Announcement] {
        self.announced.clear();
        let at = self.reach(at);
        if self.state.next_holds && self.state.next.is_none_or(|next| at < next) {
            return &self.announced;
        }
        for index in 0..self.state.courses.len() {
            let Some(status) = self.status(index, at) else { continue };
            let again_at = self.asked_again_at(index, &status);
            self.announce(index, at, &status, again_at.is_some_and(|again| at >= again));
        }
        // After all of them: an update that was asked for ends the repetition of a notice.
        (self.state.next, self.state.next_holds) = (self.next_change(at), true);
        &self.announced
    }

    /// Announces that a duty is due or overdue, unless that was announced before; `again`: nobody has
    /// answered in time, so it is asked for once more.
    fn announce(&mut self, index: usize, at: Timestamp, status: &DutyStatus, again: bool) {
        let waited = self.waits_since(index, status);
        let (Some(obligation), Some(course)) =
            (self.obligations.get(index), self.state.courses.get_mut(index))
        else {
            return;
        };
        let asked = match status.phase {
            Phase::Due => Some(Asked::Due),
            Phase::Overdue => Some(Asked::Overdue),
            // What was announced is kept: the role that was paged may still answer, and a plan that
            // changes back does not page again.
            Phase::Done(_) => return,
            Phase::Later(_) | Phase::Undated(_) | Phase::Next => None,
        };
        let interval = status.interval();
        let told = course.told;
        let before = told.asked.filter(|_| told.interval == interval);
        let is_call = obligation.kind.is_call();
        let waits_since = match (asked, before) {
            (None, _) => None,
            (Some(_), None) => waited.filter(|_| !again).or(Some(at)),
            // A notice is asked for again once: a deploy tool may send it without a `done`.
            (Some(_), Some(_)) if again => Some(at).filter(|_| is_call),
            (Some(_), Some(_)) => told.waits_since,
        };
        course.told = Notified { interval, asked, waits_since };
        let Some(asked) = asked else { return };
        let is_known = before.is_some_and(|before| obligation.every.is_some() || before >= asked);
        let asked = match before {
            Some(_) if again => Asked::Again,
            // It was not asked for before, so this is no repetition.
            None if again => asked,
            // A role that was paged before the plan changed is not paged at once, and nothing is
            // announced twice.
            _ if status.called_before || is_known => return,
            _ => asked,
        };
        let role = obligation.role.filter(|_| is_call);
        let call = self.state.calls.iter().find(|call| Some(call.role) == role).copied();
        if let (Some(role), None) = (role, call) {
            self.state.calls.push(Call { role, at });
        }
        self.announced.push(Announcement {
            id: obligation.id,
            source: obligation.source,
            index: obligation.index,
            kind: obligation.kind,
            asked,
            first: before.is_none(),
            called_at: call.map(|call| call.at),
            occurrence: status.occurrence,
            due: status.due,
            role: obligation.role,
            audience: obligation.audience,
        });
    }

    /// The next time at which something becomes due or overdue if nothing else happens; later than
    /// `at`.
    ///
    /// Between `at` and that time no duty moves to another list.
    pub fn next_moment(&self, at: Timestamp) -> Option<Timestamp> {
        if self.state.next_holds && self.state.now == Some(at) {
            return self.state.next;
        }
        self.next_change(at)
    }

    /// [`next_moment`](Self::next_moment), computed from all duties.
    fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        let moments = (0..self.state.courses.len()).flat_map(|index| {
            let status = self.status(index, at);
            let again = status.and_then(|status| self.asked_again_at(index, &status));
            status.and_then(|status| status.changes_at()).into_iter().chain(again)
        });
        moments.filter(|moment| *moment > at).min()
    }
}

getters! {
    pub(crate) fn Agenda: self;

    /// Whether the incident was resolved once, and is not now.
    is_reopened: bool = self.state.reopened.is_some() && self.came(Moment::Resolved).is_none();
    /// When the statement that the incident is resolved was last revoked.
    reopened_at: Option<Timestamp> = self.state.reopened;
    /// When the fix of the present attempt went live, if that was revoked.
    was_live: Option<Timestamp> = self.state.was_live;
    /// The time of the first input.
    opened: Option<Timestamp> = self.state.opened;
    /// What the last [`advance`](Self::advance) gave.
    announced: &[Announcement] = &self.announced;
}
