//! The pending inputs of an environment, in the order of their times.

use crate::rollout::{Command, Input};
use crate::unit::{Name, Span, Timestamp};

/// Pending inputs to the driver. Inputs with the same time keep their order.
#[derive(Debug, Default, educe::Educe)]
#[educe(Clone)]
pub struct Answers {
    /// In reverse order, so that the next one is at the end.
    waiting: Vec<(Timestamp, Input)>,
}

impl Answers {
    /// Adds an input that reaches the driver at this time.
    pub fn at(&mut self, at: Timestamp, input: Input) {
        let place = self.waiting.partition_point(|(other, _)| *other > at);
        self.waiting.insert(place, (at, input));
    }

    /// Adds an input that reaches the driver after a delay.
    pub fn after(&mut self, at: Timestamp, span: Span, input: Input) {
        self.at(at + span, input);
    }

    /// The next input with its time.
    pub fn next(&self) -> Option<(Timestamp, &Input)> {
        self.waiting.last().map(|(at, input)| (*at, input))
    }

    /// Whether an input that completes a duty is pending.
    pub(super) fn will_settle(&self, duty: Name) -> bool {
        self.waiting.iter().any(|(_, input)| match &input.command {
            Command::Done { duty: other, .. } => *other == duty,
            _ => false,
        })
    }

    /// Whether a decision of this person is pending.
    pub(super) fn will_decide(&self, by: &str) -> bool {
        self.waiting.iter().any(|(_, input)| {
            let decides =
                matches!(input.command, Command::Promote { .. } | Command::RollBack { .. });
            decides && input.by.as_deref() == Some(by)
        })
    }

    pub(super) fn take(&mut self) -> Option<(Timestamp, Input)> {
        self.waiting.pop()
    }
}
