//! What the world is going to say, in the order of its times.

use crate::rollout::{Command, Input};
use crate::unit::{Name, Span, Timestamp, clone_in_place};

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

    /// Whether somebody is about to say that a duty is done.
    pub(super) fn will_settle(&self, duty: Name) -> bool {
        self.waiting.iter().any(|(_, input)| match &input.command {
            Command::Done { duty: other, .. } => *other == duty,
            _ => false,
        })
    }

    pub(super) fn take(&mut self) -> Option<(Timestamp, Input)> {
        self.waiting.pop()
    }
}
