//! Whether an input is taken at all. Changes nothing that is folded.

use crate::canonical::digest;
use crate::unit::{Name, Timestamp};

use super::input::{Command, Input, InputKind};
use super::refusal::RefusalReason;
use super::state::State;
use super::{Rollout, Stage};

/// An input that is taken.
pub(super) enum Passed {
    /// At this time; `claimed_at` where the sender's could not be.
    At { at: Timestamp, claimed_at: Option<Timestamp> },
    /// Its key is known: it was taken before.
    Repeated,
}

impl Rollout {
    pub(super) fn check(&mut self, at: Timestamp, input: &Input) -> Result<Passed, RefusalReason> {
        let kind = input.command.kind();
        if let Some((known, _)) = input.key.as_deref().and_then(|key| self.case.keys.find(key)) {
            return if known == kind {
                Ok(Passed::Repeated)
            } else {
                Err(RefusalReason::KeyReused { first: known })
            };
        }
        if let Some(expected) = input.expected_head {
            match self.head() {
                None => return Err(RefusalReason::NoLog),
                Some(head) if head != expected => {
                    return Err(RefusalReason::StaleHead { head, expected });
                }
                Some(_) => {}
            }
        }
        let (at, claimed_at) = self.check_time(at, kind)?;
        self.check_state(kind, input)?;
        self.check_command(at, &input.command)?;
        Ok(Passed::At { at, claimed_at })
    }

    /// A clock that steps back, or far ahead, keeps nothing urgent out: it is taken at the last time known.
    fn check_time(
        &self,
        at: Timestamp,
        kind: InputKind,
    ) -> Result<(Timestamp, Option<Timestamp>), RefusalReason> {
        let Some(last) = self.case.at else { return Ok((at, None)) };
        let most = self.plan.policy().clock().most_ahead;
        let (past, future) = (at < last, at.since(last) > most && kind != InputKind::Tick);
        if (past || future) && kind.is_urgent() {
            Ok((last, Some(at)))
        } else if past {
            Err(RefusalReason::Past { at, last })
        } else if future {
            Err(RefusalReason::Future { at, last, most })
        } else {
            Ok((at, None))
        }
    }

    fn check_state(&self, kind: InputKind, input: &Input) -> Result<(), RefusalReason> {
        let state = self.state();
        match (&input.command, state) {
            // The result of an action is taken wherever the action is pending.
            (Command::Confirm { action } | Command::Failed { action, .. }, _) => {
                if self.case.may_end(*action) {
                    return Ok(());
                }
                let pending: Vec<String> =
                    self.pending_actions().iter().map(|a| a.id.to_string()).collect();
                let pending =
                    if pending.is_empty() { "none".to_owned() } else { pending.join(", ") };
                Err(RefusalReason::NoSuchAction { action: *action, pending })
            }
            (Command::Start, State::Drafted | State::AwaitingApproval) => {
                let missing = self.case.readiness.missing(self.plan.policy());
                Err(RefusalReason::NotReady { missing })
            }
            _ if state.accepts().contains(&kind) => Ok(()),
            _ => Err(RefusalReason::State { accepted: state.accepts() }),
        }
    }

    fn check_command(&mut self, at: Timestamp, command: &Command) -> Result<(), RefusalReason> {
        match command {
            Command::Observe { metrics } => {
                self.case.judge.prepare(at, self.case.share, metrics)?;
                Ok(())
            }
            Command::CheckItem { item, .. } | Command::WaiveItem { item, .. } => {
                self.check_item(*item)
            }
            Command::Withdraw { role, .. } if !self.case.readiness.has_approved(*role) => {
                Err(RefusalReason::NoSuchApproval { role: role.to_string() })
            }
            Command::Promote { .. } => self.check_promotion(),
            Command::Start => match self.plan.policy().denials() {
                [] => Ok(()),
                [first, more @ ..] => {
                    Err(RefusalReason::PolicyDenied { finding: first.clone(), more: more.len() })
                }
            },
            Command::SetFacts { facts, .. } => {
                digest(facts).map(|_| ()).map_err(RefusalReason::Facts)
            }
            _ => Ok(()),
        }
    }

    fn check_item(&self, item: Name) -> Result<(), RefusalReason> {
        let known =
            self.plan.policy().checklists().iter().flat_map(|list| &list.items).map(|i| i.id);
        if known.clone().any(|id| id == item) {
            return Ok(());
        }
        let nearest = known
            .min_by_key(|id| strsim::damerau_levenshtein(id.as_str(), item.as_str()))
            .map_or_else(|| "-".to_owned(), |id| id.to_string());
        Err(RefusalReason::NoSuchItem { item: item.to_string(), nearest })
    }

    /// A person passes a phase at its gate; before it only where the policy says so, or the engine has asked.
    fn check_promotion(&self) -> Result<(), RefusalReason> {
        let allowed = match &self.case.stage {
            Stage::Gate { .. } => true,
            Stage::Monitoring(step) => {
                self.case.asked
                    || self
                        .plan
                        .policy()
                        .phases()
                        .get(step.index)
                        .is_some_and(|p| p.early_promotion)
            }
            Stage::FinalValidation { .. } => self.case.asked,
            _ => false,
        };
        if allowed { Ok(()) } else { Err(RefusalReason::TooEarly) }
    }
}
