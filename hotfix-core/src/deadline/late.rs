//! Counts of missed duties.

use super::Agenda;
use super::item_state::{Settled, Settlement};
use super::status::{DutyStatus, Phase, first_due};
use crate::unit::{Name, Timestamp};

impl Agenda {
    /// The number of missed duties: overdue at this time, settled or ended late, and missed
    /// occurrences. What was due as soon as it was asked for is not late once it is done, and an
    /// escalation level is missed only where its role was called and nobody answered.
    pub(crate) fn missed(&self, at: Timestamp) -> u64 {
        (0..self.obligations.len()).filter_map(|index| self.missed_of(index, at)).sum()
    }

    fn missed_of(&self, index: usize, at: Timestamp) -> Option<u64> {
        let obligation = self.obligations.get(index)?;
        let status = self.status(index, at)?;
        let Settled { at: settled, how } = match status.phase {
            Phase::Done(settled) => settled,
            Phase::Overdue => return Some(status.missed.max(1)),
            Phase::Due | Phase::Next | Phase::Later(_) | Phase::Undated(_) => return None,
        };
        if obligation.every.is_some() {
            return Some(status.missed);
        }
        if obligation.is_level() {
            return status.due.map(|due| u64::from(how == Settlement::Ended && settled > due));
        }
        let (opens, due) = self.times(index, &status)?;
        Some(u64::from(settled > due && (how == Settlement::Ended || due > opens)))
    }

    /// From when on a settled duty could be done, and by when, by the present time of the moment that it
    /// counts from. None where that moment was revoked; where it was settled before it could be done,
    /// because the moment has come again or another severity settled it (a moment of the incident comes
    /// once, so there its time was corrected); and of a checklist that this severity does not ask for.
    fn times(&self, index: usize, status: &DutyStatus) -> Option<(Timestamp, Timestamp)> {
        let (obligation, course) = self.pair(index)?;
        let Phase::Done(settled) = status.phase else { return None };
        if settled.how == Settlement::Checklist && !course.on {
            return None;
        }
        let (from, since) = (self.from(obligation)?, self.since(course));
        let opens = self.not_before(course, from);
        let due = status.due.or_else(|| first_due(obligation, course, from).ok())?;
        let is_corrected = obligation.from.is_early() && since.is_none();
        (opens <= settled.at || is_corrected).then_some((opens, due))
    }

    /// The [times](Self::times) of a settled duty that is due once; an escalation level has those of
    /// its call.
    pub(crate) fn times_of(&self, duty: Name, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let index = self.named(duty, at)?;
        let obligation = self.obligations.get(index)?;
        let is_once = obligation.every.is_none() && !obligation.is_level();
        self.times(index, &self.status(index, at)?).filter(|_| is_once)
    }

    /// How many past occurrences of a repeated duty an answer at this time would settle. They are
    /// no longer known once it is given.
    pub(crate) fn passed(&self, duty: Name, at: Timestamp) -> u64 {
        let answered = self.named(duty, at).and_then(|index| self.status(index, at));
        answered.map_or(0, |status| status.missed)
    }
}
