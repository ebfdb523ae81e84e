//! Deadlines, updates, follow-ups and ladders of one incident: what is due, overdue and next (TIME-1 to TIME-4, POST-2,
//! POST-4, SEV-6).
//!
//! An [`Agenda`] is folded from what happened, each with its time; it reads no clock, so the same inputs give the same
//! agenda. Beside the policy's duties it has the objective of its record, the approvals that may be given afterwards,
//! and the report where no duty asks for it.
//!
//! **Lists.** What is asked for stands in exactly one of these at any time. `due`: to be done now, its time not yet up; a
//! duty is in time at its due time itself. `overdue`: a millisecond later and from then on. `next`: its turn has not come:
//! a rung of a ladder before its time, an update before the one before it was due. `later`: what its time counts from
//! has not happened, or its ladder was stopped for good. `undated`: due by a day that the host has not given. `done`:
//! settled, by whom or what is said. That a duty waits for its moment is no lack that anybody could mend, so it does
//! not stand among the `undated`.
//!
//! **Unknown is not no.** A duty whose condition cannot be judged yet is asked for, and says so; likewise where nobody has
//! said whether the fix is a stop-gap.
//!
//! **Ladders.** S2 (29), S4 (640–645) and S5 (263–266) climb by the time since detection while the incident lasts; S2 calls
//! the CTO where it is *not resolved* by then. A rung is called at its time. An acknowledgement says 'I have it': it
//! answers for all rungs called so far and stops the ladder. How long is that to be believed? As long as the policy gives for
//! the fix: once the deadline of an open `fix` duty has passed, who took it on has not solved it, and rungs whose time
//! has come are called; no later acknowledgement stops them. So S4's P0 ladder climbs at 15, 30 and 60 minutes, as S4 has
//! it, for its fix is due in 15; S2's lead is left alone when somebody acknowledges, and the CTO is called after 4 hours all
//! the same, for its fix is due in 2. Where there is no such deadline (S5) it is stopped until the incident is opened
//! again. `done` for a rung says that its call was made, by hand perhaps, and the ladder goes on. A page at the start is
//! answered like a rung. The end of the incident ends ladders, pages and duties to act; where it is opened again they
//! count from then. A role that nobody holds goes to its stand-in, and the item says so; where there is none
//! either it stands all the same, for somebody has to be found.
//!
//! **What happens settles a duty** where it says the same: the deployment a `fix`, the approval an `approve`. A way back takes
//! that away again, and what counts from the deployment is asked for anew after the next one.
//!
//! **Updates** keep to the times that were promised: a late one does not move the next. `done` settles what is due by then,
//! be it several; they are overdue once, and how many were missed is said. A second one in the same interval is declined.
//!
//! **A change of severity** plans anew: [`Replan`] says what was added, dropped and moved. What was done stays done. Times
//! still count from their moments, so a fix can be overdue at once. Who was called stays called: the rungs of the new
//! ladder whose time has passed do not call them again. Updates that fell due before they were asked for were not missed.
//!
//! **Days.** A day has to lie after the moment that the duty counts from. The earliest that was given stays, so tomorrow's
//! `next_day` hides no duty of today. A release or a sprint may be put off while it lies ahead; once it has passed, a
//! later one is the one after.
//!
//! **What is said once.** [`Agenda::advance`] gives what became due or overdue since it was last called, each once, also where
//! a late timer skipped over it or several inputs have one time. (Asking for what fell due between two times could not:
//! an input may add a duty whose time has passed.) A call before [`Agenda::next_moment`] costs two comparisons.

mod answer;
mod course;
mod fold;
mod input;
mod item;
mod late;
mod replan;
mod snapshot;
mod standing;
mod terms;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use course::{Settled, Settlement};
pub use input::{DutyRefusal, Input};
pub use item::{Applies, Duties, Holder, Item, Who};
pub use replan::{Cause, Change, Changed, Replan};
pub(crate) use snapshot::AgendaState;
pub use standing::Awaits;
pub use terms::Source;

use crate::fact::Truth;
use crate::grade::{Audience, Calendar, DutyKind, Moment, Severity, closed_set};
use crate::policy::Policy;
use crate::unit::{Name, RoleName, Timestamp, clone_in_place};

use course::{Course, Told};
use standing::Phase;
use terms::Terms;

closed_set! {
    /// That something is asked for.
    Asked {
        /// Its time runs.
        Due = "due",
        /// Its time is up.
        Overdue = "overdue",
    }
}

/// Something that became due or overdue; each is given once.
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
    /// Whether it was not announced as due before: then who is to do it does not know of it yet.
    pub first: bool,
    /// Which occurrence, from 1.
    pub occurrence: u64,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Who does it, or is woken: see [`Who::of`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// Who is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

/// When a role was called, the first time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    role: RoleName,
    at: Timestamp,
}

/// The first and the last answer to a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    first: Timestamp,
    last: Timestamp,
}

/// The agenda of one incident. Its size depends on the policy alone.
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
/// // The fix is due in 2 hours; until then the ladder waits for whoever took it on.
/// assert_eq!(duties.next[0].due.map(|due| due.to_string()).as_deref(), Some("2026-03-03T16:06:00.000Z"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Shows TIME-1, TIME-2 and TIME-3.
#[derive(Debug, PartialEq)]
pub struct Agenda {
    terms: Arc<[Terms]>,
    courses: Vec<Course>,
    ladders: Vec<Option<Answered>>,
    moments: [Option<Timestamp>; Moment::ALL.len()],
    days: [Option<Timestamp>; Calendar::ALL.len()],
    severity: Option<Severity>,
    stop_gap: Truth,
    /// The time of the first input.
    opened: Option<Timestamp>,
    /// The last time known.
    now: Option<Timestamp>,
    /// When the incident was opened again.
    reopened: Option<Timestamp>,
    calls: Vec<Call>,
    fix_by: Option<Timestamp>,
    /// When something changes next; worked out at the last `advance`.
    next: Option<Timestamp>,
    /// Nothing was folded since then.
    next_holds: bool,
    announced: Vec<Announcement>,
}

clone_in_place!(Agenda {
    terms,
    courses,
    ladders,
    moments,
    days,
    severity,
    stop_gap,
    opened,
    now,
    reopened,
    calls,
    fix_by,
    next,
    next_holds,
    announced
});

impl Agenda {
    /// An agenda to which nothing has happened: nothing counts yet.
    pub fn new(policy: &Policy) -> Self {
        let (terms, ladders) = Terms::of(policy);
        let mut agenda = Self {
            courses: terms.iter().map(|terms| Course::new(terms.conditional)).collect(),
            announced: Vec::with_capacity(terms.len()),
            terms: terms.into(),
            ladders: vec![None; ladders],
            moments: [None; Moment::ALL.len()],
            days: [None; Calendar::ALL.len()],
            severity: None,
            stop_gap: Truth::Unknown,
            opened: None,
            now: None,
            reopened: None,
            calls: Vec::new(),
            fix_by: None,
            next: None,
            next_holds: false,
        };
        agenda.select(None);
        agenda.compare(Timestamp::default());
        agenda
    }

    /// When a moment came; none where it has not, or was taken back.
    pub fn came(&self, moment: Moment) -> Option<Timestamp> {
        self.moments.get(moment as usize).copied().flatten()
    }

    /// The last time known.
    pub const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// Moves the clock, never back.
    fn reach(&mut self, at: Timestamp) -> Timestamp {
        let at = self.now.map_or(at, |now| now.max(at));
        self.now = Some(at);
        at
    }

    /// Takes an input and says what it does to the plan. An input that is earlier than the last one counts as if it came
    /// with it.
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
        let answered = match input {
            Input::Acknowledge { duty } => Some(self.answer(duty, at, true)?),
            Input::Done { duty } => Some(self.answer(duty, at, false)?),
            _ => None,
        };
        let at = self.reach(at);
        self.opened.get_or_insert(at);
        let cause = self.fold(policy, at, input, answered);
        self.select(Some(at));
        self.fix_by = self.open_fix_deadline(at);
        self.next_holds = false;
        Ok(Replan { cause, changes: self.compare(at) })
    }

    /// Moves the clock and gives what became due or overdue since the last call, in the order of the policy, each once.
    ///
    /// To be called after [`take`](Self::take), and at [`next_moment`](Self::next_moment). Where nothing came it
    /// costs two comparisons and no allocation.
    pub fn advance(&mut self, at: Timestamp) -> &[Announcement] {
        self.announced.clear();
        let at = self.reach(at);
        if self.next_holds && self.next.is_none_or(|next| at < next) {
            return &self.announced;
        }
        let mut next: Option<Timestamp> = None;
        for index in 0..self.courses.len() {
            let Some(standing) = self.standing(index, at) else { continue };
            next = next.into_iter().chain(standing.changes_at()).min();
            let (Some(terms), Some(course)) = (self.terms.get(index), self.courses.get_mut(index))
            else {
                continue;
            };
            let asked = match standing.phase {
                Phase::Due => Some(Asked::Due),
                Phase::Overdue => Some(Asked::Overdue),
                Phase::Done(_) | Phase::Later(_) | Phase::Undated(_) | Phase::Next => None,
            };
            let told = course.told;
            let before = told.asked.filter(|_| told.occurrence == standing.occurrence);
            if asked.is_none() && matches!(standing.phase, Phase::Done(_)) {
                // Kept: who was called may still answer, and a plan that changes back does not call again.
                continue;
            }
            course.told = Told { occurrence: standing.occurrence, asked };
            let (Some(asked), false) = (asked, standing.called_before) else {
                continue;
            };
            if before.is_some_and(|before| before >= asked) {
                continue;
            }
            let new_call = terms
                .role
                .filter(|role| terms.is_call() && self.calls.iter().all(|call| call.role != *role));
            self.calls.extend(new_call.map(|role| Call { role, at }));
            self.announced.push(Announcement {
                id: terms.id,
                source: terms.source,
                index: terms.index,
                kind: terms.kind,
                asked,
                first: before.is_none(),
                occurrence: standing.occurrence,
                due: standing.due,
                role: terms.role,
                audience: terms.audience,
            });
        }
        (self.next, self.next_holds) = (next, true);
        &self.announced
    }

    /// The next time at which something becomes due or overdue if nothing else happens; later than `at`.
    ///
    /// Strictly between the two nothing moves from one list to another.
    pub fn next_moment(&self, at: Timestamp) -> Option<Timestamp> {
        if self.next_holds && self.now == Some(at) {
            return self.next;
        }
        let moments =
            (0..self.courses.len()).filter_map(|index| self.standing(index, at)?.changes_at());
        moments.filter(|moment| *moment > at).min()
    }
}
