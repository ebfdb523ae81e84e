//! What an onlooker knows of a rollout from its inputs and actions alone. The laws judge the machine by this, and not by
//! what it says of itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hotfix_core::grade::{GateMode, OnFailure, Response};
use hotfix_core::judge::Decision;
use hotfix_core::rollout::{
    Act, Action, ActionId, Command, Input, ItemStatus, KnownTime, Stage, State,
};
use hotfix_core::unit::{Name, Share, Timestamp};
use serde_json::Value;

use super::key::KeyWriter;
use super::machine::Machine;

/// What a role said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Word {
    #[default]
    Nothing,
    Approved,
    Denied,
}

/// What has happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Past {
    lead: Word,
    owner: Word,
    item: bool,
    /// Since when a way back is asked for: by the judge, a report, a person, or an action that failed.
    pub(crate) back: Option<Timestamp>,
    /// Somebody was woken since.
    pub(crate) escalated: bool,
    /// A person objected to the promotion that is next.
    pub(crate) held: bool,
    /// A report said: ask a person; and nobody has answered.
    pub(crate) doubted: bool,
    /// The incident is resolved.
    resolved: bool,
    /// It is open again, or somebody stated after its end what it does; and nobody has answered.
    pub(crate) relapsed: bool,
    /// The version was deployed in a pause, and its traffic is still to be asked for.
    pub(crate) held_back: bool,
    /// When the veto window that is open ends.
    pub(crate) veto: Option<Timestamp>,
    /// The largest share that was asked for.
    pub(crate) top: Share,
    /// When readings came that are in the window: when they leave it a verdict can change.
    pub(crate) read: Vec<Timestamp>,
    /// Duties for which somebody was called or told.
    pub(crate) announced: BTreeSet<Name>,
    /// Actions that were pending when a way back overtook them.
    pub(crate) overtaken: Vec<ActionId>,
}

impl Past {
    /// Whether everything is there that the small policies want before the start.
    pub(crate) fn is_ready(&self) -> bool {
        self.lead == Word::Approved && self.owner != Word::Denied && self.item
    }

    /// Writes what the laws depend on.
    pub(crate) fn write(&self, into: &mut KeyWriter) {
        write!(into, "{self:?}").expect("a string takes everything");
    }

    /// The past after an input that was taken.
    pub(crate) fn and(
        &self,
        before: &impl Machine,
        input: &Input,
        actions: &[Action],
        after: &impl Machine,
    ) -> Self {
        let mut next = self.clone();
        let now = after.now();
        match &input.command {
            Command::Approve { role, .. } => *next.word(role.as_str()) = Word::Approved,
            Command::Deny { role, .. } => *next.word(role.as_str()) = Word::Denied,
            Command::Withdraw { role, .. } => *next.word(role.as_str()) = Word::Nothing,
            Command::CheckItem { status, .. } => next.item = *status != ItemStatus::Open,
            Command::WaiveItem { .. } => next.item = true,
            Command::Observe { metrics } if !metrics.is_empty() => next.read.extend(now),
            Command::Hold { .. } => next.held = true,
            Command::Release { .. } | Command::Supersede { .. } | Command::Retry { .. } => {
                // What was said is void; what was done for another release, too.
                let former = before.plan().release();
                let kept = former.is_none() || former == after.plan().release();
                let item = next.item && kept;
                let (announced, overtaken, read) = (next.announced, next.overtaken, next.read);
                // What a former release still has was asked for before.
                let top = after.share();
                let resolved = next.resolved;
                next = Self { item, resolved, top, read, announced, overtaken, ..Self::default() };
            }
            // A person has decided.
            Command::Promote { .. } => {
                (next.held, next.doubted, next.relapsed) = (false, false, false);
            }
            Command::SetTimes { times, .. } => {
                if let Some(at) = times.get(&KnownTime::Resolved) {
                    // Before the start it is as open as it was.
                    let is_out = is_under_way(before.state());
                    next.relapsed = at.is_none() && is_out && (next.resolved || next.relapsed);
                    next.resolved = at.is_some();
                }
            }
            Command::SetFacts { facts, .. } => {
                let is_down = facts.get("service_down").and_then(Value::as_bool);
                next.relapsed |= next.resolved && is_down == Some(true);
            }
            Command::Report { signal, .. } => {
                next.doubted |=
                    before.plan().policy().triggers().response(*signal) == Response::Ask;
            }
            _ => {}
        }
        let begins = after.state() == State::RollingBack && before.state() != State::RollingBack;
        let wants = wants_back(before, input, after);
        let ordered = matches!(
            input.command,
            Command::RollBack { .. } | Command::Revert { .. } | Command::Abort { .. }
        );
        if wants && !ordered && before.plan().on_failure() == OnFailure::Ask {
            // A person decides, and until then nothing passes.
            next.doubted = true;
        } else if begins || wants {
            next.back = next.back.or(now);
            // A fix that fails reopens the incident, and nothing is promoted any more.
            (next.resolved, next.relapsed) = (false, false);
        }
        for action in actions {
            if let Act::Page { duty: Some(duty), .. }
            | Act::Notify { duty: Some(duty), .. }
            | Act::UpdateStatusPage { duty: Some(duty), .. } = &action.act
            {
                next.announced.insert(*duty);
            }
        }
        let page = |action: &Action| matches!(action.act, Act::Page { duty: None, .. });
        next.escalated = next.back.is_some() && (next.escalated || actions.iter().any(page));
        for action in actions {
            if let Act::SetTraffic { share } = action.act {
                next.top = next.top.max(share);
            }
        }
        let window = before.plan().policy().watch().window;
        next.read.retain(|read| now.is_some_and(|now| *read + window > now));
        next.held_back =
            after.state() == State::Paused && (self.held_back || deploy_confirmed(before, input));
        next.note_gate(before, after);
        next.note_overtaken(before, input, after);
        next
    }

    fn word(&mut self, role: &str) -> &mut Word {
        if role == "lead" { &mut self.lead } else { &mut self.owner }
    }

    fn note_gate(&mut self, before: &impl Machine, after: &impl Machine) {
        let at_gate = |machine: &Stage| matches!(machine, Stage::Gate { .. });
        match (after.stage(), after.now()) {
            (Stage::Gate { step, .. }, Some(now)) if !at_gate(before.stage()) => {
                let phase = &after.plan().phases()[step.index];
                self.veto = (phase.gate == GateMode::Veto).then(|| now + phase.veto);
            }
            (Stage::Gate { .. }, _) => {}
            _ => self.veto = None,
        }
        // The next phase has a promotion of its own.
        let index = |stage: &Stage| stage.step().map(|step| step.index);
        if index(after.stage()).is_some() && index(after.stage()) > index(before.stage()) {
            (self.held, self.doubted) = (false, false);
        }
    }

    fn note_overtaken(&mut self, before: &impl Machine, input: &Input, after: &impl Machine) {
        let ended = match input.command {
            Command::Confirm { action, .. } | Command::Failed { action, .. } => Some(action),
            _ => None,
        };
        self.overtaken.retain(|id| Some(*id) != ended);
        let is_pending = |id: ActionId| after.pending().iter().any(|action| action.id == id);
        let gone = before.pending().iter().map(|action| action.id);
        self.overtaken.extend(gone.filter(|id| Some(*id) != ended && !is_pending(*id)));
    }
}

/// Whether the fix has traffic, or is about to: there is something to take back.
pub(crate) const fn is_under_way(state: State) -> bool {
    match state {
        State::Deploying
        | State::Monitoring
        | State::Gate
        | State::FinalValidation
        | State::Complete
        | State::Paused
        | State::Frozen => true,
        State::Drafted
        | State::AwaitingApproval
        | State::Ready
        | State::Closed
        | State::RollingBack
        | State::RolledBack
        | State::Aborted
        | State::Failed => false,
    }
}

/// Whether this input says that the version was deployed.
pub(crate) fn deploy_confirmed(before: &impl Machine, input: &Input) -> bool {
    let Command::Confirm { action, .. } = input.command else { return false };
    let mut pending = before.pending().iter();
    pending.any(|a| a.id == action && matches!(a.act, Act::Deploy { .. }))
}

/// Whether this input, which was taken, asks for the way back.
fn wants_back(before: &impl Machine, input: &Input, after: &impl Machine) -> bool {
    if !is_under_way(before.state()) {
        return false;
    }
    let pending = |id: ActionId| before.pending().iter().find(|action| action.id == id);
    match &input.command {
        Command::RollBack { .. } | Command::Revert { .. } | Command::Abort { .. } => true,
        Command::Report { signal, .. } => {
            before.plan().policy().triggers().response(*signal) == Response::RollBack
        }
        Command::Observe { .. } | Command::Tick => {
            before.state() != State::Frozen && after.verdict().decision == Decision::RollBack
        }
        Command::Failed { action, .. } => pending(*action).is_some_and(|action| match action.act {
            // What is left of the hold-back stays as it is, and a person is asked.
            Act::SetTraffic { .. } => before.state() != State::Complete,
            // Nothing has moved yet: there is nothing to take back.
            Act::Deploy { .. } => before.share() > Share::NONE,
            _ => false,
        }),
        _ => false,
    }
}
