//! How one thing stands at one time, worked out from what was folded.

use serde::Serialize;

use super::Agenda;
use super::course::{Course, Settled, Settlement};
use super::terms::Terms;
use crate::grade::{Calendar, Moment};
use crate::policy::section::Due;
use crate::unit::{Span, Timestamp};

/// What something waits for that has no time yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaits {
    /// The moment that its time counts from.
    Moment(Moment),
    /// A day that the host has to give, later than the moment it counts from.
    Day(Calendar),
    /// The ladder was stopped by somebody who took it on, and no deadline of the fix starts it again.
    Ladder,
}

/// In which list something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Done(Settled),
    Later(Awaits),
    Undated(Awaits),
    Next,
    Due,
    Overdue,
}

/// How one thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) phase: Phase,
    /// When it is asked for.
    pub(super) opens: Option<Timestamp>,
    pub(super) due: Option<Timestamp>,
    /// From 1.
    pub(super) occurrence: u64,
    /// Occurrences that went by undone.
    pub(super) missed: u64,
    /// Its role was called before it came into the plan: not again.
    pub(super) called_before: bool,
    /// The ladder was stopped: its time is when it goes on.
    pub(super) held: bool,
}

impl Standing {
    const fn without_time(phase: Phase) -> Self {
        let (opens, due) = (None, None);
        Self { phase, opens, due, occurrence: 1, missed: 0, called_before: false, held: false }
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

    /// The next time at which it stands in another list, if nothing happens.
    pub(super) fn changes_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Next => self.opens,
            // It is overdue a millisecond after its time.
            Phase::Due => self
                .due
                .and_then(|due| Timestamp::try_from_millis(due.as_millis().saturating_add(1)).ok()),
            Phase::Overdue | Phase::Done(_) | Phase::Later(_) | Phase::Undated(_) => None,
        }
    }
}

impl Agenda {
    /// How one thing stands; none where it is not asked for and was not done, or where a duty stands under its id.
    pub(super) fn standing(&self, index: usize, at: Timestamp) -> Option<Standing> {
        let (terms, course) = (self.terms.get(index)?, self.courses.get(index)?);
        let duty = terms.yields_to.and_then(|duty| self.courses.get(duty));
        if duty.is_some_and(|duty| duty.on || duty.settled.is_some()) {
            return None;
        }
        let last = course.settled.map(|settled| Standing::without_time(Phase::Done(settled)));
        if !course.on || (terms.every.is_none() && last.is_some()) {
            return last;
        }
        if let Some(settled_at) = terms.settled_by.and_then(|moment| self.came(moment)) {
            let phase = Phase::Done(Settled { at: settled_at, how: Settlement::Moment });
            return Some(Standing::without_time(phase));
        }
        let end = self.end(terms);
        let Some(from) = self.from(terms) else {
            let phase = match end {
                Some(at) => Phase::Done(Settled { at, how: Settlement::Ended }),
                None => Phase::Later(Awaits::Moment(terms.from)),
            };
            return Some(Standing::without_time(phase));
        };
        let due = match first_due(terms, course, from) {
            Ok(due) => due,
            Err(day) => return Some(Standing::without_time(Phase::Undated(Awaits::Day(day)))),
        };
        Some(match terms.every {
            Some(every) => self.repeated(course, Grid { from, first: due, every }, end, at),
            None if terms.is_call() => self.call(terms, course, due, end, at),
            None => Standing::timed(from, due, at).unless_ended(end),
        })
    }

    /// The times of something repeated, once they are known.
    pub(super) fn grid(&self, terms: &Terms, course: &Course) -> Option<Grid> {
        let from = self.from(terms)?;
        let first = first_due(terms, course, from).ok()?;
        Some(Grid { from, first, every: terms.every? })
    }

    pub(super) fn from(&self, terms: &Terms) -> Option<Timestamp> {
        terms.counts_from(self.came(terms.from), self.reopened)
    }

    /// When it is no longer asked for, done or not: the end of what is repeated, and of the incident.
    fn end(&self, terms: &Terms) -> Option<Timestamp> {
        let own = match terms.every {
            Some(_) => terms.until,
            None if terms.while_open => Some(Moment::Resolved),
            None => return None,
        };
        let own = own.and_then(|moment| self.came(moment));
        let closed = self.came(Moment::Closed);
        own.into_iter().chain(closed).min()
    }

    /// Since when it has been asked for, where that is not from the beginning.
    fn since(&self, course: &Course) -> Option<Timestamp> {
        course.since.filter(|since| self.opened.is_some_and(|opened| *since > opened))
    }

    fn repeated(
        &self,
        course: &Course,
        grid: Grid,
        end: Option<Timestamp>,
        at: Timestamp,
    ) -> Standing {
        let since = self.since(course);
        let settled = course.through.map_or(Some(0), |through| grid.after(through));
        // What fell due before it was asked for at all was not missed.
        let skipped = since.map_or(Some(0), |since| grid.at_or_after(since));
        let present = settled.zip(skipped).map(|(settled, skipped)| settled.max(skipped));
        let present = present.and_then(|number| Some((number, grid.due(number)?)));
        let Some((number, due)) = present else {
            // The end of time comes first.
            let at = end.or(course.through).unwrap_or(grid.from);
            return Standing::without_time(Phase::Done(Settled { at, how: Settlement::Ended }));
        };
        let before = number.checked_sub(1).and_then(|before| grid.due(before));
        let opens = before.unwrap_or(grid.from);
        let opens = since.map_or(opens, |since| since.max(opens));
        let missed = |until: Timestamp| {
            if until <= due { 0 } else { grid.passed(until).saturating_sub(number) }
        };
        let standing = Standing { occurrence: number + 1, ..Standing::timed(opens, due, at) };
        match end {
            Some(end) => {
                Standing { missed: missed(end), ..standing }.settled(end, Settlement::Ended)
            }
            None => Standing { missed: missed(at), ..standing },
        }
    }

    fn call(
        &self,
        terms: &Terms,
        course: &Course,
        due: Timestamp,
        end: Option<Timestamp>,
        at: Timestamp,
    ) -> Standing {
        let since = self.since(course);
        let opens = since.map_or(due, |since| since.max(due));
        if !terms.is_rung() {
            return Standing::timed(opens, due, at).unless_ended(end);
        }
        let answered = terms.ladder.and_then(|ladder| self.ladders.get(ladder).copied().flatten());
        let called = self.called_before(terms, since, due);
        let called_before = called.is_some();
        let mut standing = Standing { called_before, ..Standing::timed(opens, due, at) };
        let mut called = called.or(Some(opens));
        if let Some(answered) = answered {
            if !called_before && opens > answered.first {
                standing.held = true;
                called = self.fix_by.map(|fix_by| fix_by.max(opens));
                if let (Some(opens), Some(fix_by)) = (called, self.fix_by) {
                    let held = Standing::timed(opens, fix_by.max(due), at);
                    standing = Standing { held: fix_by > due, ..held };
                }
            }
            if let Some(called) = called.filter(|called| *called <= answered.last) {
                let at = if called <= answered.first { answered.first } else { answered.last };
                return standing.settled(at, Settlement::Acknowledged);
            }
        }
        match (end, called) {
            (Some(end), _) => standing.settled(end, Settlement::Ended),
            (None, Some(_)) => standing,
            (None, None) => {
                Standing { held: true, ..Standing::without_time(Phase::Later(Awaits::Ladder)) }
            }
        }
    }

    /// When its role was called, where that was before it came into the plan and its time had passed by then.
    fn called_before(
        &self,
        terms: &Terms,
        since: Option<Timestamp>,
        due: Timestamp,
    ) -> Option<Timestamp> {
        let since = since.filter(|since| due <= *since)?;
        let called = self.calls.iter().find(|call| Some(call.role) == terms.role)?;
        Some(called.at).filter(|called| *called < since)
    }

    /// By when the fix has to be live, as far as that is open: what lets a stopped ladder go on.
    pub(super) fn open_fix_deadline(&self, at: Timestamp) -> Option<Timestamp> {
        let open = |(index, _): (usize, &Terms)| {
            let standing = self.standing(index, at)?;
            match standing.phase {
                Phase::Next | Phase::Due | Phase::Overdue => standing.due,
                Phase::Done(_) | Phase::Later(_) | Phase::Undated(_) => None,
            }
        };
        self.terms
            .iter()
            .enumerate()
            .filter(|(_, terms)| terms.sets_deadline())
            .filter_map(open)
            .min()
    }
}

/// When something is due, the first time where it is repeated; or the day that is lacking.
pub(super) fn first_due(
    terms: &Terms,
    course: &Course,
    from: Timestamp,
) -> Result<Timestamp, Calendar> {
    match terms.within {
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
    /// When the occurrence of this number, from 0, is due; none beyond the end of time.
    pub(super) fn due(&self, number: u64) -> Option<Timestamp> {
        let offset = i128::from(self.every.as_millis()) * i128::from(number);
        let at = i64::try_from(i128::from(self.first.as_millis()) + offset).ok()?;
        Timestamp::try_from_millis(at).ok()
    }

    /// How many were due up to this time and at it.
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

    /// The first that is due after this time.
    fn after(&self, at: Timestamp) -> Option<u64> {
        let number = self.up_to(at);
        self.due(number).map(|_| number)
    }

    /// The first that is due at this time or later.
    fn at_or_after(&self, at: Timestamp) -> Option<u64> {
        let number = self.passed(at);
        self.due(number).map(|_| number)
    }

    /// The last that is due at this time or before.
    pub(super) fn last_up_to(&self, at: Timestamp) -> Option<Timestamp> {
        self.due(self.up_to(at).checked_sub(1)?)
    }
}
