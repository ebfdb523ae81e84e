//! The answers to the last inputs that carried a key, so that repeated delivery changes nothing.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;

use super::action::Action;
use super::input::InputKind;

/// How many keys are remembered.
const REMEMBERED: usize = 256;

/// The last keys, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Keys {
    // Keys are kept as digests: their length is the sender's choice, and a quiet observation must not allocate.
    seen: VecDeque<(Digest, InputKind, Vec<Action>)>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { seen: VecDeque::with_capacity(REMEMBERED) }
    }

    /// With room for as many as are remembered; none where there are more.
    pub(super) fn restored(mut self) -> Option<Self> {
        let room = REMEMBERED.checked_sub(self.seen.len())?;
        self.seen.reserve(room);
        Some(self)
    }

    /// The kind and the actions that this key was answered with.
    pub(super) fn find(&self, key: &str) -> Option<(InputKind, &[Action])> {
        if self.seen.is_empty() {
            return None;
        }
        let digest = Digest::of(key.as_bytes());
        let known = self.seen.iter().rev().find(|(seen, ..)| *seen == digest)?;
        Some((known.1, &known.2))
    }

    pub(super) fn remember(&mut self, key: &str, kind: InputKind, actions: &[Action]) {
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back((Digest::of(key.as_bytes()), kind, actions.to_vec()));
    }
}
