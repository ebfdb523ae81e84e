//! The status of one duty at one time, computed from the folded inputs.

use serde::Serialize;

use super::item_state::{DutyState, Settled, Settlement};
use super::obligations::{BegunAgain, Obligation, Source};
use super::{Agenda, Answered, Reached};
use crate::fact::Truth;
use crate::grade::{Calendar, DutyKind, Moment};
use crate::policy::section::Due;
use crate::unit::{Span, Timestamp};

/// What a duty without a time waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaits {
    /// The moment that its time counts from.
    Moment(Moment),
    /// A day that the caller has to give, later than the moment that the duty counts from.
    Day(Calendar),
    /// The escalation was stopped: the fix is live, or somebody acknowledged it and no deadline of
    /// the fix restarts it.
    Escalation,
}

/// The list that a duty is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Done(Settled),
    Later(Awaits),
    Undated(Awaits),
    Next,
    Due,
    Overdue,
}

/// What stopped an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Somebody acknowledged it.
    Acknowledged,
    /// The moment has come until which its levels are called.
    Until(Moment),
}

/// The status of one duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DutyStatus {
    pub(super) phase: Phase,
    /// From when on it applies.
    pub(super) opens: Option<Timestamp>,
    pub(super) due: Option<Timestamp>,
    /// From 1.
    pub(super) occurrence: u64,
    /// Occurrences that were missed.
    pub(super) missed: u64,
    /// Its role was paged before the duty came into the plan, and is not paged again.
    pub(super) called_before: bool,
    /// What stopped the escalation; `opens` and `due` have the time at which it continues.
    pub(super) held: Option<Held>,
    /// When the present interval of something repeated ends: then it is asked for again.
    interval_ends: Option<Timestamp>,
}

impl DutyStatus {
    const fn without_time(phase: Phase) -> Self {
        Self {
            phase,
            opens: None,
            due: None,
            occurrence: 1,
            missed: 0,
            called_before: false,
            held: None,
            interval_ends: None,
        }
    }

    pub(super) const fn done(settled: Settled) -> Self {
        Self::without_time(Phase::Done(settled))
    }

    fn timed(opens: Timestamp, due: Timestamp, at: Timestamp) -> Self {
        let phase = if at < opens {
            Phase::Next
        } else if at <= due {
            Phase::Due
        } else {
            Phase::Overdue
        };
        Self { opens: Some(opens), due: Some(due), ..Self::without_time(phase) }
    }

    fn settled(self, at: Timestamp, how: Settlement) -> Self {
        Self { phase: Phase::Done(Settled { at, how }), ..self }
    }

    fn unless_ended(self, end: Option<Timestamp>) -> Self {
        end.map_or(self, |end| self.settled(end, Settlement::Ended))
    }

    /// The interval for which it is asked for, from 1: a repeated duty is asked for once in each,
    /// also while earlier ones are missed.
    pub(super) const fn interval(&self) -> u64 {
        self.occurrence.saturating_add(self.missed)
    }

    /// Whether it is to be done now.
    pub(super) const fn is_asked(&self) -> bool {
        matches!(self.phase, Phase::Due | Phase::Overdue)
    }

    /// The next time at which it moves to another list, or is asked for again, if nothing happens.
    pub(super) fn changes_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Next => self.opens,
            Phase::Due => self.due.and_then(just_after),
            Phase::Overdue => self.interval_ends.and_then(just_after),
            Phase::Done(_) | Phase::Later(_) | Phase::Undated(_) => None,
        }
    }
}

/// A duty is overdue a millisecond after its time.
fn just_after(due: Timestamp) -> Option<Timestamp> {
    Timestamp::try_from_millis(due.as_millis().saturating_add(1)).ok()
}

impl Agenda {
    /// A duty with its state.
    pub(super) fn pair(&self, index: usize) -> Option<(&Obligation, &DutyState)> {
        Some((self.obligations.get(index)?, self.state.courses.get(index)?))
    }

    /// The status of one duty; None where it does not apply, and was not done while it did.
    pub(super) fn status(&self, index: usize, at: Timestamp) -> Option<DutyStatus> {
        let (obligation, course) = self.pair(index)?;
        let last = course.settled.map(DutyStatus::done);
        if !course.on || (obligation.every.is_none() && last.is_some()) {
            return last.filter(|_| !course.apart);
        }
        if let Some(settled) = self.settled_otherwise(obligation, course) {
            return Some(DutyStatus::done(settled));
        }
        let end = self.end(obligation).or_else(|| self.over_before(obligation, course));
        let without_time = |phase| {
            let ended = |at| DutyStatus::done(Settled { at, how: Settlement::Ended });
            Some(end.map_or_else(|| DutyStatus::without_time(phase), ended))
        };
        let Some(from) = self.from(obligation) else {
            return without_time(Phase::Later(Awaits::Moment(obligation.from)));
        };
        let due = match first_due(obligation, course, from) {
            Ok(due) => due,
            Err(day) => return without_time(Phase::Undated(Awaits::Day(day))),
        };
        Some(match obligation.every {
            Some(every) => {
                let grid = Grid { from, first: due, every };
                self.repeated(course, grid, self.first_update(obligation, course), end, at)
            }
            None if obligation.kind.is_call() => {
                self.call(obligation, course, (from, due), end, at)
            }
            None => {
                let opens = self.not_before(course, from);
                DutyStatus::timed(opens, due, at).unless_ended(end)
            }
        })
    }

    /// When it is asked for again, if nobody answers until then; None once the moment has come that ends
    /// its pages. A notice is asked for again when it is overdue, as an update is that is due at the same
    /// time: its audience gets one of the two.
    pub(super) fn asked_again_at(&self, index: usize, status: &DutyStatus) -> Option<Timestamp> {
        let obligation = self.obligations.get(index)?;
        let is_over = self.over(obligation, self.from(obligation)?).is_some();
        let asked = self.waits_since(index, status).filter(|_| status.is_asked() && !is_over)?;
        let again = asked + obligation.ask_again?;
        if obligation.kind.is_call() {
            return Some(again);
        }
        just_after(again).filter(|_| !self.is_updated(index, asked))
    }

    /// Since when it waits for an answer; a page since the last one to its role, also where that was for
    /// another severity.
    pub(super) fn waits_since(&self, index: usize, status: &DutyStatus) -> Option<Timestamp> {
        let (obligation, course) = self.pair(index)?;
        let own = course.told.waits_since.filter(|_| course.told.interval == status.interval());
        if !obligation.kind.is_call() || own.is_none() && !status.called_before {
            return own;
        }
        let all = self.obligations.iter().zip(&self.state.courses);
        let dropped = all.filter(|(other, course)| {
            other.kind.is_call() && other.role == obligation.role && !course.on
        });
        dropped.filter_map(|(_, course)| course.told.waits_since).chain(own).max()
    }

    /// Whether an update to the audience of a notice was asked for after the notice.
    fn is_updated(&self, notice: usize, asked: Timestamp) -> bool {
        let mut all = self.obligations.iter().zip(&self.state.courses);
        let audience = self.obligations.get(notice).and_then(|notice| notice.audience);
        all.any(|(update, course)| {
            let is_later = course.told.waits_since.is_some_and(|at| at > asked);
            (update.kind, update.audience) == (DutyKind::Update, audience) && course.on && is_later
        })
    }

    /// How it was settled without an answer to it: of a notice that was sent at a higher severity by that
    /// one, or else by a moment.
    pub(super) fn settled_otherwise(
        &self,
        obligation: &Obligation,
        course: &DutyState,
    ) -> Option<Settled> {
        let sent = self.sent_before(obligation, course);
        sent.or_else(|| self.settled_by(obligation, course))
    }

    /// How a moment, or the answer to a page, settled it.
    fn settled_by(&self, obligation: &Obligation, course: &DutyState) -> Option<Settled> {
        let from = match obligation.kind {
            // What came before the incident was reopened does not count.
            DutyKind::Act => Some(self.from(obligation)?),
            // Nor does what came when the notice did not apply: nobody was notified of it.
            DutyKind::Notify => Some(self.from(obligation)?).max(self.since(course)),
            _ => None,
        };
        let is_over = obligation.ends_undone(|moment| self.came(moment).is_some());
        let how = if is_over { Settlement::Ended } else { Settlement::Moment };
        let came = obligation.settled_by.iter().filter_map(|moment| self.came(*moment));
        let came = came.map(|at| Settled { at, how });
        // Whoever answered a page has responded.
        let responds = obligation.kind == DutyKind::Act && obligation.while_open;
        let ladders = if responds { self.state.ladders.as_slice() } else { &[] };
        let answers = ladders
            .iter()
            .flatten()
            .map(|of| Settled { at: of.first, how: Settlement::Acknowledged });
        let all = came.chain(answers).filter(|of| from.is_none_or(|from| of.at >= from));
        all.min_by_key(|of| of.at)
    }

    /// How the notice was settled that counts as the first of these updates, while no update was sent: by
    /// hand, or by the message that a moment brings.
    pub(super) fn first_update(&self, update: &Obligation, course: &DutyState) -> Option<Settled> {
        if !course.on || course.settled.is_some() {
            return None;
        }
        let opens = |of, course| Some(self.not_before(course, self.from(of)?));
        let (opened, end) = (opens(update, course)?, self.end(update));
        let notices = update.begun_by.iter().filter_map(|notice| self.pair(*notice));
        let notices = notices.filter(|(of, course)| opens(of, course) == Some(opened));
        let by_moment = |of, course: &DutyState| {
            let is_open = course.on && self.sent_before(of, course).is_none();
            self.settled_by(of, course).filter(|_| is_open)
        };
        let sent =
            notices.filter_map(|(of, course)| course.settled.or_else(|| by_moment(of, course)));
        let counts = |sent: &Settled| sent.at >= opened && end.is_none_or(|end| sent.at <= end);
        sent.filter(counts).min_by_key(|sent| sent.at)
    }

    /// How the same notice was settled at a higher severity: a lower one does not ask for it again.
    fn sent_before(&self, obligation: &Obligation, course: &DutyState) -> Option<Settled> {
        let since = self.since(course).filter(|_| obligation.kind == DutyKind::Notify)?;
        let (severity, courses) = (self.state.severity, &self.state.courses);
        let same = self.obligations.iter().zip(courses).filter(|(other, _)| {
            other.kind == DutyKind::Notify
                && (other.audience, other.from) == (obligation.audience, obligation.from)
                && other.severities.exceed(severity)
        });
        // Whoever was asked to send it reads an update that names the new severity.
        let updated = Settled { at: since, how: Settlement::Moment };
        let mut sent = same.filter_map(|(_, other)| {
            let settled = other.settled.filter(|settled| settled.at < since);
            settled.or(other.told.asked.filter(|_| !other.on).map(|_| updated))
        });
        sent.next()
    }

    /// The times of something repeated, once they are known.
    pub(super) fn grid(&self, index: usize) -> Option<Grid> {
        let (obligation, course) = self.pair(index)?;
        let from = self.from(obligation)?;
        let first = first_due(obligation, course, from).ok()?;
        Some(Grid { from, first, every: obligation.every? })
    }

    pub(super) fn from(&self, obligation: &Obligation) -> Option<Timestamp> {
        let origin = self.origin(obligation.from).map(|(_, at)| at);
        // Who approved another attempt has not approved this one, which has not started.
        let is_former = |came: &Timestamp| self.state.attempt.is_some_and(|begun| *came < begun);
        let origin =
            origin.filter(|came| obligation.source != Source::Approval || !is_former(came));
        obligation.counts_from(origin, self.begun_again())
    }

    /// Since when calls and responses have begun again.
    pub(super) fn begun_again(&self) -> BegunAgain {
        let end = self.came(Moment::Resolved);
        let live = self.held_since(Moment::Deployed);
        let risen = self
            .reached()
            .filter(|risen| risen.live || risen.is_after(live))
            .filter(|risen| end.is_none_or(|end| risen.at < end));
        BegunAgain {
            reopened: self.state.reopened,
            risen: (self.state.severity, risen.map(|risen| risen.at)),
            live: risen.is_some_and(|risen| risen.is_after(live)),
        }
    }

    /// Since when the incident is as severe as it is now, where it was not at first.
    pub(crate) fn risen(&self) -> Option<Timestamp> {
        self.reached().map(|risen| risen.at)
    }

    fn reached(&self) -> Option<Reached> {
        let reached = self.state.reached[self.state.severity? as usize];
        reached.filter(|reached| Some(reached.at) > self.state.opened)
    }

    /// When it no longer applies, done or not: the end of its repetition, or of the incident.
    fn end(&self, obligation: &Obligation) -> Option<Timestamp> {
        let own = match obligation.every {
            Some(_) => obligation.until,
            None if obligation.while_open || obligation.ends_with_incident() => {
                Some(Moment::Resolved)
            }
            // The version that it is about has no traffic any more.
            None if obligation.watches_previous() && self.came(Moment::RolledBack).is_some() => {
                Some(Moment::Deployed)
            }
            // There is no stop-gap: nothing was deployed.
            None if obligation.stop_gap && self.came(Moment::Deployed).is_none() => {
                Some(Moment::Resolved)
            }
            None => return None,
        };
        obligation.ends(own).filter_map(|moment| self.came(moment)).min()
    }

    /// The end of the incident, where a notice came into the plan after it: whoever has read nothing of the
    /// incident reads neither of its beginning nor of its end.
    fn over_before(&self, obligation: &Obligation, course: &DutyState) -> Option<Timestamp> {
        let since = self.since(course).filter(|_| obligation.kind == DutyKind::Notify)?;
        self.came(Moment::Resolved).filter(|resolved| *resolved <= since)
    }

    /// Since when it applies, where that is not from the beginning.
    pub(super) fn since(&self, course: &DutyState) -> Option<Timestamp> {
        course.since.filter(|since| self.state.opened.is_some_and(|opened| *since > opened))
    }

    /// The later one of this time and the time when the duty came into the plan.
    pub(super) fn not_before(&self, course: &DutyState, time: Timestamp) -> Timestamp {
        self.since(course).map_or(time, |since| since.max(time))
    }

    fn repeated(
        &self,
        course: &DutyState,
        grid: Grid,
        first: Option<Settled>,
        end: Option<Timestamp>,
        at: Timestamp,
    ) -> DutyStatus {
        let since = self.since(course);
        // Occurrences that were due before the duty applied were not missed.
        let number = since.map_or(0, |since| grid.passed(since));
        let number = match (course.through, first) {
            (Some(through), _) => number.max(grid.up_to(through)),
            (None, Some(first)) => (number + 1).max(grid.up_to(first.at)),
            (None, None) => number,
        };
        let Some(due) = grid.due(number) else {
            // The end of time comes first.
            let at = end.or(course.through).unwrap_or(grid.from);
            return DutyStatus::done(Settled { at, how: Settlement::Ended });
        };
        let before = number.checked_sub(1).and_then(|before| grid.due(before));
        let opens = before.unwrap_or(grid.from);
        let opens = self.not_before(course, opens);
        let missed = |until: Timestamp| {
            if until <= due { 0 } else { grid.passed(until).saturating_sub(number) }
        };
        let status = DutyStatus { occurrence: number + 1, ..DutyStatus::timed(opens, due, at) };
        if let Some(end) = end {
            DutyStatus { missed: missed(end), ..status }.settled(end, Settlement::Ended)
        } else {
            let interval_ends = grid.due(grid.passed(at));
            DutyStatus { missed: missed(at), interval_ends, ..status }
        }
    }

    fn call(
        &self,
        obligation: &Obligation,
        course: &DutyState,
        (from, due): (Timestamp, Timestamp),
        end: Option<Timestamp>,
        at: Timestamp,
    ) -> DutyStatus {
        let since = self.since(course);
        let answered = self.answer_for(obligation);
        // An answer covers only what was called before it: a page whose time has come is made first, also
        // where the answer comes before the timer, or where the time was corrected since.
        let asked = course.told.waits_since;
        let since_call = |called: Timestamp| asked.map_or(called, |asked| asked.max(called));
        if !obligation.is_level() {
            // A page is made at once; its time is the limit. Who was paged at another severity is
            // not paged again. An answer to that holds, and so does that of a level: somebody is at work.
            let opens = self.not_before(course, from);
            let status = DutyStatus::timed(opens, due, at);
            let is_same = obligation.ladder.is_some() && !obligation.conditional;
            let before = self.called_before(obligation, since, from).filter(|_| is_same);
            let called = since_call(before.unwrap_or(opens));
            let was_called = before.is_some() || asked.is_some();
            return match answered {
                Some(answered) if called <= answered.last && was_called => {
                    status.settled(answered.since(called), Settlement::Acknowledged)
                }
                _ => DutyStatus { called_before: before.is_some(), ..status }.unless_ended(end),
            };
        }
        let opens = self.not_before(course, due);
        let called = self.called_before(obligation, since, due);
        let called_before = called.is_some();
        let was_called = called_before || asked.is_some();
        let mut status = DutyStatus { called_before, ..DutyStatus::timed(opens, due, at) };
        let mut called = called.or(Some(opens));
        let unanswered = !called_before && answered.is_none_or(|answered| opens > answered.first);
        // Who was paged may still answer; nobody else is paged.
        let over = self.over(obligation, from);
        if let Some(until) = over.filter(|_| !was_called) {
            status.held = Some(Held::Until(until));
            called = None;
        } else if let Some(answered) = answered {
            if unanswered && !obligation.even_if_acknowledged {
                let held = Some(Held::Acknowledged);
                status.held = held;
                called = self.state.fix_by.map(|fix_by| fix_by.max(opens));
                if let (Some(opens), Some(fix_by)) = (called, self.state.fix_by) {
                    let status_then = DutyStatus::timed(opens, fix_by.max(due), at);
                    let waits = fix_by > due && at < opens;
                    status = DutyStatus { held: held.filter(|_| waits), ..status_then };
                }
            }
            let answerable = called.map(since_call).filter(|_| was_called);
            if let Some(called) = answerable.filter(|called| *called <= answered.last) {
                return status.settled(answered.since(called), Settlement::Acknowledged);
            }
        }
        match (end, called) {
            (Some(end), called) => {
                // A level that nobody was called for was not due before the end.
                if called.is_none_or(|called| called > end) {
                    status.due = status.due.filter(|due| *due >= end);
                }
                status.settled(end, Settlement::Ended)
            }
            (None, Some(_)) => status,
            (None, None) => DutyStatus {
                held: status.held,
                ..DutyStatus::without_time(Phase::Later(Awaits::Escalation))
            },
        }
    }

    /// The answers that count for a call: those of its escalation, and of the others that it continues or
    /// that continue it, while their conditions may hold.
    fn answer_for(&self, obligation: &Obligation) -> Option<Answered> {
        let answered = |ladder: usize| self.state.ladders.get(ladder).copied().flatten();
        let may_hold = |first: usize| {
            self.state.courses.get(first).is_some_and(|course| course.holds != Truth::No)
        };
        let others = obligation
            .hears
            .iter()
            .filter_map(|(ladder, first)| answered(*ladder).filter(|_| may_hold(*first)));
        obligation.ladder.and_then(answered).into_iter().chain(others).reduce(Answered::with)
    }

    /// The moment that ended calls to its role which count `from` this time; None while they go on.
    fn over(&self, obligation: &Obligation, from: Timestamp) -> Option<Moment> {
        let has_come = |until: &Moment| self.held_since(*until).is_some_and(|over| from <= over);
        obligation.until.filter(has_come)
    }

    /// When a moment came until which roles are called. `deployed` counts no more once the fix is to be
    /// rolled back: it mends nothing then, whether or not the rollback succeeds.
    pub(super) fn held_since(&self, until: Moment) -> Option<Timestamp> {
        let is_over = |came: &Timestamp| {
            until != Moment::Deployed || self.state.turned_back.is_none_or(|back| back < *came)
        };
        self.came(until).filter(is_over)
    }

    /// When its role was paged, where that was before the duty came into the plan and its time had
    /// passed.
    fn called_before(
        &self,
        obligation: &Obligation,
        since: Option<Timestamp>,
        due: Timestamp,
    ) -> Option<Timestamp> {
        let since = since.filter(|since| due <= *since)?;
        let called = self.state.calls.iter().find(|call| Some(call.role) == obligation.role)?;
        Some(called.at).filter(|called| *called < since)
    }

    /// The deadline of an open fix: at that time a stopped escalation continues.
    pub(super) fn open_fix_deadline(&self, at: Timestamp) -> Option<Timestamp> {
        let fixes = (0..self.obligations.len()).filter(|at| self.obligations[*at].sets_deadline());
        let open = fixes.filter_map(|index| self.status(index, at));
        open.filter(|status| !matches!(status.phase, Phase::Done(_)))
            .filter_map(|fix| fix.due)
            .min()
    }
}

/// When a duty is due, a repeated one for the first time; `Err` names the day that was not given.
pub(super) fn first_due(
    obligation: &Obligation,
    course: &DutyState,
    from: Timestamp,
) -> Result<Timestamp, Calendar> {
    match obligation.within {
        Due::Within(span) => Ok(from + span),
        Due::Next(day) => course.day.ok_or(day),
    }
}

/// The times at which something repeated is due.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) from: Timestamp,
    pub(super) first: Timestamp,
    pub(super) every: Span,
}

impl Grid {
    /// When the occurrence of this number, from 0, is due; None beyond the last valid time.
    pub(super) fn due(&self, number: u64) -> Option<Timestamp> {
        let offset = i128::from(self.every.as_millis()) * i128::from(number);
        let at = i64::try_from(i128::from(self.first.as_millis()) + offset).ok()?;
        Timestamp::try_from_millis(at).ok()
    }

    /// How many were due up to and including this time.
    fn up_to(&self, at: Timestamp) -> u64 {
        if at < self.first {
            return 0;
        }
        at.since(self.first).as_millis() / self.every.as_millis().max(1) + 1
    }

    /// How many were due before this time.
    pub(super) fn passed(&self, at: Timestamp) -> u64 {
        if at <= self.first {
            return 0;
        }
        (at.since(self.first).as_millis() - 1) / self.every.as_millis().max(1) + 1
    }

    /// The last that is due at this time or before.
    pub(super) fn last_up_to(&self, at: Timestamp) -> Option<Timestamp> {
        self.due(self.up_to(at).checked_sub(1)?)
    }
}
