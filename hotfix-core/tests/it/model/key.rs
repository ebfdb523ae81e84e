//! When two machines count as one state.
//!
//! The key is all that `write_behaviour` writes, with two changes. Times are written relative to the last time known:
//! the machine only ever compares and subtracts times, and the calendar has no part in these policies. The number of the
//! event that asked for an action is replaced by the order in which actions are first named: ids are only ever compared
//! for equality, and the alphabet names actions by their place. So two machines with one key answer every further
//! sequence alike, up to a shift of all times and the numbers of events. `model_0_the_key_is_sound` does not take our
//! word for it.

use std::fmt;

use hotfix_core::unit::Timestamp;
use sha2::{Digest as _, Sha256};

/// A digest of 128 bits.
pub(crate) type Key = u128;

/// Collects what is written with `Debug`, times and ids replaced.
pub(crate) struct KeyWriter {
    now: i64,
    text: String,
    next: Next,
    /// Events that asked for actions, in the order of their mention.
    events: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Next {
    Anything,
    Time,
    Event,
}

impl KeyWriter {
    pub(crate) fn new(now: Option<Timestamp>) -> Self {
        let now = now.map_or(0, Timestamp::as_millis);
        Self { now, text: String::with_capacity(8192), next: Next::Anything, events: Vec::new() }
    }

    /// SHA-256, because that crate is optimised also in the tests.
    pub(crate) fn key(&self) -> Key {
        let digest = Sha256::digest(&self.text);
        Key::from_le_bytes(digest[..16].try_into().expect("a digest has 32 bytes"))
    }
}

impl fmt::Write for KeyWriter {
    // `Debug` writes names and numbers in pieces of their own.
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let number = || piece.parse::<i64>().ok();
        match self.next {
            Next::Anything => {
                self.next = match piece {
                    "Timestamp" => Next::Time,
                    "ActionId" => Next::Event,
                    _ => Next::Anything,
                };
                self.text.push_str(piece);
            }
            Next::Time => {
                if let Some(millis) = number() {
                    self.next = Next::Anything;
                    // Memory that was never written to holds the year 1970.
                    if millis == 0 {
                        self.text.push('-');
                    } else {
                        self.text.push_str(&(millis - self.now).to_string());
                    }
                }
            }
            Next::Event => {
                if let Ok(event) = piece.parse::<u64>() {
                    self.next = Next::Anything;
                    let known = self.events.iter().position(|known| *known == event);
                    let place = known.unwrap_or_else(|| {
                        self.events.push(event);
                        self.events.len() - 1
                    });
                    self.text.push_str(&place.to_string());
                }
            }
        }
        Ok(())
    }
}
