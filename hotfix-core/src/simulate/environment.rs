//! The environment of a simulated rollout.

use serde::Serialize;

use crate::metric::Observation;
use crate::policy::Policy;
use crate::rollout::{Action, Refusal, Rollout};
use crate::unit::{Share, Span, Timestamp};

use super::answers::Answers;

/// One tick of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The end of the previous tick. The first tick of a rollout begins at its start.
    pub from: Timestamp,
    /// Its end, by a correct clock.
    pub to: Timestamp,
    /// The canary's share of the traffic at its end.
    pub share: Share,
}

/// Affected requests by version: those that failed, were too slow, or were harmed in another way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Impact {
    /// By the version under test.
    pub canary: f64,
    /// By the live version.
    pub live: f64,
}

/// The environment of a simulated rollout: traffic, platform and people.
///
/// It may be random or recorded. The same environment gives the same run.
pub trait Environment {
    /// Writes the readings of both arms in a tick into `into`, which still has the previous tick's
    /// readings, so that its memory is reused. Late readings are those of a later tick. If none has
    /// arrived, it is empty, and the driver sends a tick without readings.
    fn show(&mut self, tick: Tick, into: &mut Observation);

    /// Whether the metrics are read at this time before the answers of the same time arrive.
    fn reads_first(&self, _at: Timestamp) -> bool {
        false
    }

    /// Called when the canary's share of the traffic changes within a tick. The part ends with the
    /// change and has the share before it. The tick's readings cover all its parts.
    fn share_changed(&mut self, _part: Tick) {}

    /// Adds the responses to an action, if any: `confirm` or `failed`, or the input of the person
    /// who is asked or called. A response without delay has the time `at`. Questions about the severity
    /// and its facts, and those before the start, are left out.
    fn answer(&mut self, rollout: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers);

    /// Called for each new state of the rollout, and at the beginning. Adds inputs that nobody
    /// requests, such as approvals, items and the start.
    fn enter(&mut self, _rollout: &Rollout, _at: Timestamp, _answers: &mut Answers) {}

    /// Called when something may have become due: after time passed, an input, or a new state.
    fn look(&mut self, _rollout: &Rollout, _at: Timestamp, _answers: &mut Answers) {}

    /// Called after an input was accepted or refused, for example to record verdicts.
    fn taken(&mut self, _rollout: &Rollout, _at: Timestamp, _refused: Option<&Refusal>) {}

    /// The time that the driver's clock shows at this time. Every input has that time.
    fn clock(&self, at: Timestamp) -> Timestamp {
        at
    }

    /// The impact on users so far, observed or not.
    fn affected(&self) -> Impact {
        Impact::default()
    }
}

/// The time between two readings; at least 1 ms, so that every run ends.
pub(super) fn cadence(policy: &Policy) -> Span {
    policy.watch().cadence.max(Span::from_millis(1))
}
