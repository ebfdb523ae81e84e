//! How inputs change an agenda.

use super::course::{Settled, Settlement};
use super::input::Input;
use super::replan::Cause;
use super::terms::{Source, Terms};
use super::{Agenda, Answered};
use crate::fact::Truth;
use crate::grade::{Calendar, Moment};
use crate::policy::Policy;
use crate::policy::section::Due;
use crate::unit::Timestamp;

impl Agenda {
    /// `answered` is the duty that an answer is about.
    pub(super) fn fold(
        &mut self,
        policy: &Policy,
        at: Timestamp,
        input: Input<'_>,
        answered: Option<usize>,
    ) -> Cause {
        match input {
            Input::Severity(severity) => {
                let was = std::mem::replace(&mut self.severity, severity);
                Cause::Severity { was, severity }
            }
            Input::Facts(facts) => {
                for (terms, course) in self.terms.iter().zip(&mut self.courses) {
                    let duty = policy.duties().get(terms.index).filter(|_| terms.conditional);
                    if let Some(when) = duty.and_then(|duty| duty.when.as_ref()) {
                        course.holds = when.holds(facts);
                    }
                }
                Cause::Facts
            }
            Input::StopGap(stop_gap) => {
                self.stop_gap = stop_gap;
                Cause::StopGap { stop_gap }
            }
            Input::Moment { moment, at: came } => {
                self.moments[moment as usize] = Some(came.min(at));
                if moment == Moment::RolledBack {
                    for undone in [Moment::Deployed, Moment::Verified, Moment::Resolved] {
                        self.take_back(undone, at);
                    }
                }
                self.bind_days(at);
                Cause::Moment { moment }
            }
            Input::TakenBack(moment) => {
                self.take_back(moment, at);
                self.bind_days(at);
                Cause::TakenBack { moment }
            }
            Input::Day { day, at: by } => {
                self.days[day as usize] = Some(by);
                self.bind_days(at);
                Cause::Day { day }
            }
            Input::Approval { demand, given } => {
                let of_demand =
                    |terms: &Terms| terms.source == Source::Approval && terms.index == demand;
                for (terms, course) in self.terms.iter().zip(&mut self.courses) {
                    if of_demand(terms) {
                        let settled = Settled { at, how: Settlement::Given };
                        course.settled = given.then(|| course.settled.unwrap_or(settled));
                        course.times = u64::from(given);
                    }
                }
                Cause::Approval { demand }
            }
            Input::Acknowledge { duty } => {
                self.settle(answered, at, Settlement::Acknowledged);
                Cause::Acknowledge { duty }
            }
            Input::Done { duty } => {
                self.settle(answered, at, Settlement::Done);
                Cause::Done { duty }
            }
        }
    }

    fn settle(&mut self, answered: Option<usize>, at: Timestamp, how: Settlement) {
        let Some(index) = answered else { return };
        let through = self.settles_through(index, at);
        let (Some(terms), Some(course)) = (self.terms.get(index), self.courses.get_mut(index))
        else {
            return;
        };
        course.through = through.max(course.through);
        course.settled = Some(Settled { at, how });
        course.times += 1;
        let ladder = terms.ladder.filter(|_| how == Settlement::Acknowledged);
        if let Some(answered) = ladder.and_then(|ladder| self.ladders.get_mut(ladder)) {
            let first = answered.map_or(at, |answered| answered.first);
            *answered = Some(Answered { first, last: at });
        }
    }

    /// Up to which occurrence something repeated is settled that is done now.
    fn settles_through(&self, index: usize, at: Timestamp) -> Option<Timestamp> {
        let (terms, course) = (self.terms.get(index)?, self.courses.get(index)?);
        let present = self.standing(index, at)?.due?;
        let last = self.grid(terms, course)?.last_up_to(at);
        last.filter(|last| *last > present).or(Some(present))
    }

    fn take_back(&mut self, moment: Moment, at: Timestamp) {
        if self.moments[moment as usize].take().is_none() {
            return;
        }
        let reopened = moment == Moment::Resolved;
        if reopened {
            self.reopened = Some(at);
            self.ladders.fill(None);
            self.calls.clear();
        }
        for (terms, course) in self.terms.iter().zip(&mut self.courses) {
            if terms.from == moment || (reopened && terms.while_open) {
                course.start_anew();
            }
            if terms.until == Some(moment) || (moment == Moment::Closed && terms.every.is_some()) {
                // What would have been due while it was over was not missed.
                course.since = Some(at);
            }
        }
    }

    fn bind_days(&mut self, at: Timestamp) {
        for (terms, course) in self.terms.iter().zip(&mut self.courses) {
            let Due::Next(day) = terms.within else { continue };
            let came = self.moments.get(terms.from as usize).copied().flatten();
            // A day of before the incident was opened again is over.
            let from = terms.counts_from(came, self.reopened);
            let fits = |day: &Timestamp| from.is_some_and(|from| *day > from);
            // One that has passed by now is of another time than this.
            let new = self.days[day as usize].filter(|day| fits(day) && *day > at);
            let old = course.day.filter(fits);
            let day = match (old, new) {
                // What was bound at this very time knew an older word: the order of equal times does not matter.
                (Some(_), Some(new)) if course.day_bound == Some(at) => Some(new),
                (Some(old), Some(new)) => Some(bound(day, old, new, at)),
                (old, new) => old.or(new),
            };
            if day != course.day {
                (course.day, course.day_bound) = (day, Some(at));
            }
        }
    }

    /// Works out what is asked for.
    pub(super) fn select(&mut self, at: Option<Timestamp>) {
        for (terms, course) in self.terms.iter().zip(&mut self.courses) {
            let on = terms.severities.contain(self.severity)
                && course.holds != Truth::No
                && !(terms.stop_gap && self.stop_gap == Truth::No);
            if on && !course.on {
                course.since = at;
            }
            course.on = on;
        }
    }
}

/// By which day something is due that was due by an old one when a new one is given.
fn bound(day: Calendar, old: Timestamp, new: Timestamp, at: Timestamp) -> Timestamp {
    match day {
        // Tomorrow's next day is no later time for what is due by today's.
        Calendar::NextDay | Calendar::NextBusinessDay => old.min(new),
        // Put off, unless it has gone out: then the new one is the one after.
        Calendar::NextRelease | Calendar::NextSprint if old <= at => old,
        Calendar::NextRelease | Calendar::NextSprint => new,
    }
}
