//! The watched phase, for exports.

use crate::rollout::{Rollout, Step};

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
