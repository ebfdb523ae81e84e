//! What a rollout is played against.

use serde::Serialize;

use crate::metric::Observation;
use crate::rollout::{Action, Refusal, Rollout};
use crate::unit::{Share, Timestamp};

use super::answers::Answers;

/// One tick of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The end of the tick before; the first one of a rollout begins at its start.
    pub from: Timestamp,
    /// When it ends, by a clock that is right.
    pub to: Timestamp,
    /// The canary's share of the traffic at its end.
    pub share: Share,
}

/// What came of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// No reading came: the host looks on without one.
    Nothing,
    /// The readings came in time.
    Readings,
    /// The readings came, and the host's clock said this.
    At(Timestamp),
}

/// Requests that failed or were too slow, or whatever else the world counts as harm, by the version that did it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Hurt {
    /// By the version under test.
    pub canary: f64,
    /// By the live version.
    pub live: f64,
}

/// What a rollout is played against: traffic, platform and people.
///
/// All of it may be drawn at random or read from a record; the same world gives the same run.
pub trait World {
    /// What both arms show in a tick. `into` comes as the tick before left it, so that its memory can be used again; what is
    /// in it afterwards is what the host reads. Readings that come late are shown by a later tick.
    fn show(&mut self, tick: Tick, into: &mut Observation) -> Shown;

    /// What is answered to an action, if anything: `confirm` or `failed` of what awaits it, the word of whoever is asked or
    /// called. What has to be taken in with no delay is answered at `at` itself.
    fn answer(&mut self, rollout: &Rollout, at: Timestamp, action: &Action, answers: &mut Answers);

    /// The rollout is in another state than before, or is looked at for the first time: who has something to say without
    /// being asked says it, as the approvals, items and the start.
    fn enter(&mut self, _rollout: &Rollout, _at: Timestamp, _answers: &mut Answers) {}

    /// Something may have become due: time alone has changed something, somebody said something, or the state is another.
    fn look(&mut self, _rollout: &Rollout, _at: Timestamp, _answers: &mut Answers) {}

    /// An input was taken, or refused: who keeps an account of verdicts reads them here.
    fn taken(&mut self, _rollout: &Rollout, _at: Timestamp, _refused: Option<&Refusal>) {}

    /// What users had to bear so far, seen by the host or not.
    fn hurt(&self) -> Hurt {
        Hurt::default()
    }
}
