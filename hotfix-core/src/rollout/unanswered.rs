//! Questions that nobody has answered: they are asked again.

use serde::{Deserialize, Serialize};

use crate::judge::Decision;
use crate::unit::Timestamp;

use super::input::Command;
use super::stage::Stage;
use super::state::RolloutState;

/// A question that nobody has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unanswered {
    /// When it was asked first.
    pub(super) since: Timestamp,
    /// When it was asked last.
    pub(super) asked_at: Timestamp,
    /// The question as it was asked first.
    pub(super) text: String,
}

impl RolloutState {
    /// Records a question. One that repeats the open one begins with its text.
    pub(super) fn note_question(&mut self, at: Timestamp, question: &str) {
        match &mut self.unanswered {
            Some(open) if question.starts_with(&open.text) => open.asked_at = at,
            open => {
                *open = Some(Unanswered { since: at, asked_at: at, text: question.to_owned() });
            }
        }
    }

    /// Whether an input answers the open question, whatever it is. A new stage does as well.
    pub(super) const fn is_settled_by(&self, command: &Command) -> bool {
        match command {
            Command::Release { .. }
            | Command::Start
            | Command::Promote { .. }
            | Command::Hold { .. }
            | Command::Pause { .. }
            | Command::Resume { .. }
            | Command::Abort { .. }
            | Command::RollBack { .. }
            | Command::Revert { .. }
            | Command::Supersede { .. }
            | Command::Retry { .. } => true,
            // The question was why the deployment takes so long.
            Command::Confirm { .. } | Command::Failed { .. } => {
                matches!(self.stage, Stage::Deploying(_))
            }
            Command::Approve { .. }
            | Command::Deny { .. }
            | Command::Withdraw { .. }
            | Command::CheckItem { .. }
            | Command::WaiveItem { .. }
            | Command::Observe { .. }
            | Command::Tick
            | Command::Report { .. }
            | Command::SetSeverity { .. }
            | Command::SetFacts { .. }
            | Command::Acknowledge { .. }
            | Command::Done { .. }
            | Command::SetTimes { .. }
            | Command::Note { .. } => false,
        }
    }

    /// Whether what was asked in this stage still needs an answer.
    pub(super) const fn needs_answer(&self) -> bool {
        let decision = self.verdict.decision;
        let is_bad = matches!(decision, Decision::Ask | Decision::RollBack);
        match &self.stage {
            // A question about the verdict ends with it; one about an objection does not.
            Stage::Monitoring(_) | Stage::Complete { ending: None, .. } => self.objected || is_bad,
            // At the end a person is asked although nothing is wrong.
            Stage::FinalValidation { .. } => {
                self.objected || is_bad || matches!(decision, Decision::Promote)
            }
            Stage::Preparing
            | Stage::Deploying(_)
            | Stage::Gate { .. }
            | Stage::Complete { ending: Some(_), .. }
            | Stage::Paused { .. }
            | Stage::Frozen { .. } => true,
            Stage::RollingBack(_)
            | Stage::Closed
            | Stage::RolledBack
            | Stage::Aborted
            | Stage::Failed => false,
        }
    }
}
