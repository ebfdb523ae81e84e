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

    /// Two multiplications a word: made for this, where chance collisions are all that is feared.
    pub(crate) fn key(&self) -> Key {
        let (mut one, mut two) = (0x9e37_79b9_7f4a_7c15_u64, 0xc2b2_ae3d_27d4_eb4f_u64);
        for chunk in self.text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let word = u64::from_le_bytes(word);
            one = (one ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(29);
            two = (two.rotate_left(31) ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
        }
        two ^= self.text.len() as u64;
        two = (two ^ (two >> 32)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        (u128::from(one) << 64) | u128::from(two)
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
