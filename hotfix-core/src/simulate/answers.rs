//! What the world is going to say, in the order of its times.

use crate::rollout::Input;
use crate::unit::{Span, Timestamp, clone_in_place};

/// Inputs that are on their way to the host. Of those with one time, the one that was said first comes first.
#[derive(Debug, Default)]
pub struct Answers {
    /// The last to come first, so that the next one is taken off the end.
    waiting: Vec<(Timestamp, Input)>,
}

clone_in_place!(Answers { waiting });

impl Answers {
    /// An input that reaches the host at this time.
    pub fn at(&mut self, at: Timestamp, input: Input) {
        let place = self.waiting.partition_point(|(other, _)| *other > at);
        self.waiting.insert(place, (at, input));
    }

    /// An input that reaches the host so long after a time.
    pub fn after(&mut self, at: Timestamp, span: Span, input: Input) {
        self.at(at + span, input);
    }

    /// The input that comes next, and when.
    pub fn next(&self) -> Option<(Timestamp, &Input)> {
        self.waiting.last().map(|(at, input)| (*at, input))
    }

    pub(super) fn take(&mut self) -> Option<(Timestamp, Input)> {
        self.waiting.pop()
    }
}
