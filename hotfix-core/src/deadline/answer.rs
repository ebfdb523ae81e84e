//! Checks of answers about duties.

use super::Agenda;
use super::input::{DutyRefusal, Input};
use super::item_state::{Settled, Settlement};
use super::obligations::Source;
use super::status::{Awaits, Phase};
use crate::text::quoted;
use crate::unit::{Name, Timestamp};

impl Agenda {
    /// Checks whether an input would be accepted at this time.
    ///
    /// # Errors
    /// A [`DutyRefusal`] for an answer about a duty. Every other input is accepted.
    ///
    /// Both answers are accepted early, as soon as the moment that the duty counts from has
    /// happened; that something was watched for a time, once this time is over. Where that moment
    /// was revoked after the duty was announced, an answer is recorded and settles nothing: the
    /// duty is due again after the next such moment.
    pub fn check(&self, at: Timestamp, input: Input<'_>) -> Result<(), DutyRefusal> {
        self.answered(at, input).map(|_| ())
    }

    /// The duty that an input answers, if it is an answer.
    pub(super) fn answered(
        &self,
        at: Timestamp,
        input: Input<'_>,
    ) -> Result<Option<usize>, DutyRefusal> {
        match input {
            Input::Acknowledge { duty } => self.answer(duty, at, true).map(Some),
            Input::Done { duty } => self.answer(duty, at, false).map(Some),
            _ => Ok(None),
        }
    }

    /// The obligation that an id names at a time: of several with this id the one that is in a list,
    /// which at most one is, or else the first.
    pub(super) fn named(&self, id: Name, at: Timestamp) -> Option<usize> {
        let with_id =
            || (0..self.obligations.len()).filter(|index| self.obligations[*index].id == id);
        with_id().find(|index| self.status(*index, at).is_some()).or_else(|| with_id().next())
    }

    /// The duty that an answer is about, if the answer is accepted.
    fn answer(&self, duty: Name, at: Timestamp, acknowledge: bool) -> Result<usize, DutyRefusal> {
        let at = self.state.now.map_or(at, |now| now.max(at));
        let found = self.named(duty, at).and_then(|index| Some((index, self.pair(index)?)));
        let Some((index, (obligation, course))) = found else {
            let known = self.obligations.iter().map(|obligation| obligation.id.as_str());
            let nearest = crate::text::nearest(duty.as_str(), known).map(str::to_owned);
            return Err(DutyRefusal::Unknown { duty, nearest });
        };
        let settled_by = match obligation.source {
            Source::Duty | Source::Report => None,
            Source::Objective => Some(quoted(&obligation.settled_by, " or ")),
            Source::Approval => Some("the approval".to_owned()),
            Source::Checklist => Some("the last required item of the list".to_owned()),
        };
        if let Some(by) = settled_by {
            return Err(DutyRefusal::SettledByItself { duty, by });
        }
        if acknowledge && !obligation.is_answered() {
            return Err(DutyRefusal::NotACall { duty, kind: obligation.kind });
        }
        let Some(status) = self.status(index, at) else {
            // Whoever was asked before the plan changed may answer by the old id.
            let was_asked = course.told.asked.is_some();
            return if was_asked { Ok(index) } else { Err(DutyRefusal::NotAsked { duty }) };
        };
        let own = course.settled.or_else(|| self.first_update(obligation, course));
        let watched = self.from(obligation).map(|from| from + obligation.lasts);
        if let (Phase::Due, Some(until)) = (status.phase, watched.filter(|until| at < *until)) {
            return Err(DutyRefusal::TooEarly { duty, until });
        }
        match status.phase {
            // What was asked before a rollback may have been done: the log keeps the answer.
            Phase::Later(Awaits::Moment(_)) if course.announced_before => Ok(index),
            Phase::Later(Awaits::Moment(moment)) => Err(DutyRefusal::NotBegun { duty, moment }),
            Phase::Done(Settled { at, how: Settlement::Ended }) => {
                Err(DutyRefusal::Over { duty, at })
            }
            // A page may be answered after it was made, or after another level was acknowledged.
            Phase::Done(_)
                if acknowledge
                    && obligation.kind.is_call()
                    && own.is_none_or(|own| own.how != Settlement::Acknowledged) =>
            {
                Ok(index)
            }
            Phase::Done(settled) => {
                Err(DutyRefusal::AlreadyDone { duty, at: settled.at, next: None })
            }
            Phase::Next if obligation.every.is_some() && own.is_some() => {
                let at = own.map_or(at, |own| own.at);
                Err(DutyRefusal::AlreadyDone { duty, at, next: status.opens })
            }
            Phase::Next
            | Phase::Due
            | Phase::Overdue
            | Phase::Undated(_)
            | Phase::Later(Awaits::Day(_) | Awaits::Escalation) => Ok(index),
        }
    }
}
