//! Which answers about duties are taken.

use super::Agenda;
use super::course::{Settled, Settlement};
use super::input::{DutyRefusal, Input};
use super::standing::{Awaits, Phase};
use super::terms::Source;
use crate::unit::{Name, Timestamp};

impl Agenda {
    /// Whether an input would be taken at this time.
    ///
    /// # Errors
    /// A [`DutyRefusal`] for an answer about a duty: `HF-TIME-001` where there is none, `002` where it is not asked for,
    /// `003` where its time has not begun, `004` where it is done, `005` where it is over, `006` where it calls nobody, `007`
    /// where no word settles it. Everything else is taken.
    ///
    /// Both answers are taken early, as soon as what the duty counts from has happened: what is done need not be asked
    /// for, and who is on it need not be called.
    pub fn check(&self, at: Timestamp, input: Input<'_>) -> Result<(), DutyRefusal> {
        match input {
            Input::Acknowledge { duty } => self.answer(duty, at, true).map(|_| ()),
            Input::Done { duty } => self.answer(duty, at, false).map(|_| ()),
            Input::Severity(_)
            | Input::Facts(_)
            | Input::StopGap(_)
            | Input::Moment { .. }
            | Input::TakenBack(_)
            | Input::Day { .. }
            | Input::Approval { .. } => Ok(()),
        }
    }

    /// What an id means at a time: of several that may bear it, at most one stands anywhere.
    pub(super) fn named(&self, id: Name, at: Timestamp) -> Option<usize> {
        let bear = || (0..self.terms.len()).filter(|index| self.terms[*index].id == id);
        bear().find(|index| self.standing(*index, at).is_some()).or_else(|| bear().next())
    }

    /// The duty that an answer is about, if it may be given.
    pub(super) fn answer(
        &self,
        duty: Name,
        at: Timestamp,
        acknowledge: bool,
    ) -> Result<usize, DutyRefusal> {
        let at = self.now.map_or(at, |now| now.max(at));
        let found = self.named(duty, at);
        let Some((index, terms)) = found.and_then(|index| Some((index, self.terms.get(index)?)))
        else {
            let known = self.terms.iter().map(|terms| terms.id.as_str());
            let nearest = crate::text::nearest(duty.as_str(), known).map(str::to_owned);
            return Err(DutyRefusal::Unknown { duty, nearest });
        };
        match terms.source {
            Source::Duty | Source::Report => {}
            Source::Objective => {
                let by = terms.settled_by.map_or_else(String::new, |moment| format!("`{moment}`"));
                return Err(DutyRefusal::SettledByItself { duty, by });
            }
            Source::Approval => {
                return Err(DutyRefusal::SettledByItself { duty, by: "the approval".to_owned() });
            }
        }
        if acknowledge && !terms.is_answered() {
            return Err(DutyRefusal::NotACall { duty, kind: terms.kind });
        }
        let course = self.courses.get(index);
        let Some(standing) = self.standing(index, at) else {
            // Who was called before the plan changed may answer by the old name.
            let was_called = course.is_some_and(|course| course.told.asked.is_some());
            let answered = acknowledge && terms.is_call() && was_called;
            return if answered { Ok(index) } else { Err(DutyRefusal::NotAsked { duty }) };
        };
        let own = course.and_then(|course| course.settled);
        match standing.phase {
            Phase::Later(Awaits::Moment(moment)) => Err(DutyRefusal::NotBegun { duty, moment }),
            Phase::Done(Settled { at, how: Settlement::Ended }) => {
                Err(DutyRefusal::Over { duty, at })
            }
            // A call that was made, or that another one answered for, may be answered still.
            Phase::Done(_)
                if acknowledge
                    && terms.is_call()
                    && own.is_none_or(|own| own.how != Settlement::Acknowledged) =>
            {
                Ok(index)
            }
            Phase::Done(settled) => {
                Err(DutyRefusal::AlreadyDone { duty, at: settled.at, next: None })
            }
            Phase::Next if terms.every.is_some() && own.is_some() => {
                let at = own.map_or(at, |own| own.at);
                Err(DutyRefusal::AlreadyDone { duty, at, next: standing.opens })
            }
            Phase::Next
            | Phase::Due
            | Phase::Overdue
            | Phase::Undated(_)
            | Phase::Later(Awaits::Day(_) | Awaits::Ladder) => Ok(index),
        }
    }
}
