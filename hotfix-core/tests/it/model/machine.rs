//! What the laws look at: the real rollout, or a wrapper that breaks a rule.

use std::fmt::Write as _;

use hotfix_core::deadline::Duties;
use hotfix_core::judge::Verdict;
use hotfix_core::plan::Plan;
use hotfix_core::rollout::{Action, Input, InputKind, Recording, Rollout, Stage, State};
use hotfix_core::unit::{Share, Timestamp};

use super::key::KeyWriter;

/// An input that was not taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) accepted: Vec<InputKind>,
}

/// A machine under test. Whatever a wrapper does not change is the real thing.
pub(crate) trait Machine: Clone {
    /// The rollout inside.
    fn rollout(&self) -> &Rollout;

    /// Takes an input: the actions that follow, or why not.
    fn handle(&mut self, at: Timestamp, input: &Input) -> Result<Vec<Action>, Refused>;

    fn plan(&self) -> &Plan {
        self.rollout().plan()
    }

    fn state(&self) -> State {
        self.rollout().state()
    }

    fn stage(&self) -> &Stage {
        self.rollout().stage()
    }

    fn share(&self) -> Share {
        self.rollout().share()
    }

    fn verdict(&self) -> &Verdict {
        self.rollout().verdict()
    }

    fn now(&self) -> Option<Timestamp> {
        self.rollout().now()
    }

    fn pending(&self) -> &[Action] {
        self.rollout().pending_actions()
    }

    fn poll_at(&self) -> Option<Timestamp> {
        self.rollout().poll_at()
    }

    fn duties(&self, at: Timestamp) -> Duties<'_> {
        self.rollout().duties(at)
    }

    fn accepted(&self) -> Vec<InputKind> {
        self.rollout().accepted()
    }

    /// Writes what its further behaviour depends on.
    fn write(&self, into: &mut KeyWriter) {
        self.rollout().write_behaviour(into).expect("a string takes everything");
    }
}

/// The rollout as it is.
#[derive(Clone, Debug)]
pub(crate) struct Real(pub(crate) Rollout);

impl Real {
    pub(crate) fn new(plan: Plan) -> Self {
        Self(Rollout::try_new(plan, Recording::Off, "").expect("the small policies have tests"))
    }
}

impl Machine for Real {
    fn rollout(&self) -> &Rollout {
        &self.0
    }

    fn handle(&mut self, at: Timestamp, input: &Input) -> Result<Vec<Action>, Refused> {
        forward(&mut self.0, at, input)
    }
}

/// Hands an input to a rollout.
pub(crate) fn forward(
    rollout: &mut Rollout,
    at: Timestamp,
    input: &Input,
) -> Result<Vec<Action>, Refused> {
    match rollout.handle(at, input) {
        Ok(outcome) => Ok(outcome.actions.to_vec()),
        Err(refusal) => {
            let code = refusal.code().to_owned();
            // A refusal is for people, too: it has to be said without a panic.
            let mut sentence = String::new();
            write!(sentence, "{refusal}").expect("a string takes everything");
            Err(Refused { code, accepted: refusal.accepted })
        }
    }
}
