//! What was missed, for whoever counts it (POST-5).

use super::Agenda;
use super::course::{Settled, Settlement};
use super::standing::{Phase, first_due};
use crate::unit::{Name, Timestamp};

impl Agenda {
    /// Duties that are overdue at this time, that were settled or ended after theirs, and occurrences that went by undone. A
    /// call that was answered is none: nobody is called before its time.
    pub(crate) fn missed(&self, at: Timestamp) -> u64 {
        (0..self.terms.len()).filter_map(|index| self.missed_of(index, at)).sum()
    }

    fn missed_of(&self, index: usize, at: Timestamp) -> Option<u64> {
        let (terms, course) = (self.terms.get(index)?, self.courses.get(index)?);
        let standing = self.standing(index, at)?;
        let Settled { at: settled, how } = match standing.phase {
            Phase::Done(settled) => settled,
            Phase::Overdue => return Some(standing.missed.max(1)),
            Phase::Due | Phase::Next | Phase::Later(_) | Phase::Undated(_) => return None,
        };
        if terms.every.is_some() {
            return Some(standing.missed);
        }
        if terms.is_call() && how != Settlement::Ended {
            return None;
        }
        // What is done has no time in the lists any more; what it counts from is known as long as that holds.
        let due = standing.due.or_else(|| first_due(terms, course, self.from(terms)?).ok());
        due.map(|due| u64::from(settled > due))
    }

    /// How many occurrences of something repeated an answer at this time would settle that were due before it. They are no
    /// longer known once it is given.
    pub(crate) fn passed(&self, duty: Name, at: Timestamp) -> u64 {
        let answered = self.named(duty, at).and_then(|index| self.standing(index, at));
        answered.map_or(0, |standing| standing.missed)
    }
}
