//! The watched phase, and what is new, for exports that follow a log.

use crate::rollout::{Rollout, Step};
use crate::unit::Timestamp;

/// A phase of an attempt, from its first entry. A pause does not end it, but shifts the time from
/// which it counts.
#[derive(Clone, Copy)]
pub(super) struct Watched {
    pub(super) attempt: u32,
    pub(super) step: Step,
}

impl Watched {
    pub(super) fn new(rollout: &Rollout, step: Step) -> Self {
        Self { attempt: rollout.attempt(), step }
    }

    pub(super) fn is_same(self, other: Self) -> bool {
        (self.attempt, self.step.index) == (other.attempt, other.step.index)
    }
}

/// Stores a time; returns it if it was not known before or has changed.
pub(super) fn news(known: &mut Option<Timestamp>, now: Option<Timestamp>) -> Option<Timestamp> {
    let before = std::mem::replace(known, now);
    now.filter(|_| now != before)
}
