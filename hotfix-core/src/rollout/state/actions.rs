//! The actions of a rollout: those of the last inputs, those that await their result, and
//! superseded ones.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::getters::getters;
use crate::rollout::action::{Act, Action, ActionId};
use crate::rollout::event::Event;
use crate::rollout::input::{Input, InputKind};
use crate::rollout::intervention::is_of_a_train;
use crate::unit::{Share, Timestamp};

/// Actions of the last inputs, pending and superseded.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize, educe::Educe)]
#[educe(Clone)]
pub(crate) struct Actions {
    /// Actions that await their result, oldest first.
    pub(super) pending: Vec<Action>,
    /// Since when an action is pending.
    pub(super) pending_since: Option<Timestamp>,
    /// The actions of the last accepted input, and of those that a train sent after it.
    pub(super) last: Vec<Action>,
    /// Superseded actions, with the share of the traffic that a change asked for: a late result is
    /// recorded and changes nothing.
    pub(super) overtaken: Vec<(ActionId, Option<Share>)>,
    /// Changes of traffic that were superseded or failed: they may have moved it. Until a later one
    /// or a rollback is confirmed.
    pub(super) unsettled: Vec<(ActionId, Share)>,
    /// The answers to the last inputs that carried a key, oldest first, so that repeated delivery
    /// changes nothing.
    // Keys are kept as digests: their length is the sender's choice, and a quiet observation must
    // not allocate.
    pub(super) keys: VecDeque<Keyed>,
}

impl Actions {
    pub(super) fn new() -> Self {
        Self { keys: VecDeque::with_capacity(REMEMBERED), ..Self::default() }
    }

    /// The input with this key; None for a key that is unknown or no longer remembered.
    #[inline]
    pub(crate) fn of_key(&self, key: Option<&str>) -> Option<&Keyed> {
        let key = key.filter(|_| !self.keys.is_empty())?;
        let digest = Digest::of(key.as_bytes());
        self.keys.iter().rev().find(|seen| seen.row.0 == digest)
    }

    /// Whether the result of this action is awaited.
    pub(crate) fn is_pending(&self, id: ActionId) -> bool {
        self.pending.iter().any(|action| action.id == id)
    }

    /// Whether a result is accepted: the action is pending, or was superseded and has no result yet.
    pub(crate) fn may_end(&self, id: ActionId) -> bool {
        self.is_pending(id) || self.overtaken.iter().any(|(of, _)| *of == id)
    }

    /// The share that a superseded change of traffic asked for, until its result has come.
    pub(crate) fn superseded_share(&self, id: ActionId) -> Option<Share> {
        self.overtaken.iter().find(|(of, _)| *of == id)?.1
    }

    /// Whether this is a superseded or failed change of traffic, which may have moved it.
    pub(crate) fn is_unsettled(&self, id: ActionId) -> bool {
        self.unsettled.iter().any(|(of, _)| *of == id)
    }

    /// Removes an action from the pending ones; None where it was superseded.
    pub(super) fn resolve(&mut self, id: ActionId) -> Option<Act> {
        let place = self.pending.iter().position(|action| action.id == id)?;
        Some(self.pending.remove(place).act)
    }

    /// Removes an action that failed, as [`resolve`](Self::resolve): a change of traffic may have moved a
    /// part of it.
    pub(super) fn fail(&mut self, id: ActionId) -> Option<Act> {
        let act = self.resolve(id)?;
        self.unsettled.extend(act.share().map(|share| (id, share)));
        Some(act)
    }

    /// Notes the result of a superseded action: no further result is accepted.
    pub(super) fn end(&mut self, id: ActionId) {
        self.overtaken.retain(|(overtaken, _)| *overtaken != id);
    }

    /// Supersedes the pending actions, except changes of traffic where `keep_traffic`.
    pub(super) fn supersede(&mut self, keep_traffic: bool) {
        let Self { pending, overtaken, unsettled, .. } = self;
        pending.retain(|Action { id, act }| match act {
            Act::SetTraffic { .. } if keep_traffic => true,
            act => {
                overtaken.push((*id, act.share()));
                unsettled.extend(act.share().map(|share| (*id, share)));
                false
            }
        });
    }

    /// The shares that the canary may have instead of the confirmed one.
    pub(super) fn unsettled(&self) -> impl Iterator<Item = Share> {
        self.unsettled.iter().map(|(_, share)| *share)
    }

    /// Adds the actions of an input.
    pub(super) fn add(&mut self, at: Timestamp, input: &Input, actions: &[Action]) {
        if let Some(key) = &input.key {
            if self.keys.len() == REMEMBERED {
                self.keys.pop_front();
            }
            let (key, content) = (Digest::of(key.as_bytes()), Event::content(input));
            let row = (key, content, input.command.kind(), actions.to_vec());
            self.keys.push_back(Keyed { row });
        }
        // A train sends an input of its own in the same call, before the caller has acted on the
        // actions of the one before.
        if !is_of_a_train(input) {
            self.last.clear();
        }
        self.last.extend_from_slice(actions);
        for action in actions.iter().filter(|action| action.act.awaits()) {
            self.pending.push(action.clone());
            self.pending_since = Some(at);
        }
        if self.pending.is_empty() {
            self.pending_since = None;
        }
    }

    /// Makes room for the keys after a snapshot was read; `Err` where it has more than are remembered.
    pub(crate) fn resume(&mut self) -> Result<(), &'static str> {
        self.keys.reserve(REMEMBERED.checked_sub(self.keys.len()).ok_or("the keys")?);
        Ok(())
    }
}

/// How many keys are remembered.
const REMEMBERED: usize = 256;

/// An input that carried a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Keyed {
    // A tuple, because a snapshot may have 256 of them: digests of key and content, kind, and the
    // actions of its outcome.
    row: (Digest, u64, InputKind, Vec<Action>),
}

impl Keyed {
    /// The kind of the input.
    pub(crate) const fn kind(&self) -> InputKind {
        self.row.2
    }

    /// The actions of its outcome.
    pub(crate) fn actions(&self) -> &[Action] {
        &self.row.3
    }

    /// Whether this is the same input, delivered again.
    pub(crate) fn is(&self, input: &Input) -> bool {
        self.kind() == input.command.kind() && self.row.1 == Event::content(input)
    }
}

getters! {
    pub(crate) fn Actions: self;

    pending: &[Action] = &self.pending;
    pending_since: Option<Timestamp> = self.pending_since;
    last: &[Action] = &self.last;
    /// The last superseded or failed change of traffic, which may have moved it.
    last_unsettled: Option<(ActionId, Share)> = self.unsettled.last().copied();
}
