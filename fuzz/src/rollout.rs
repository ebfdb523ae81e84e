//! Reads any bytes as a sequence of inputs to a rollout of a small policy: no law of the model
//! check may be broken.

use hotfix_core::grade::Strategy;
use hotfix_core::unit::Span;

use crate::model::alphabet::{Move, WORDS, start};
use crate::model::laws::{of_state, step, take};
use crate::model::machine::{Machine, Real};
use crate::model::past::Past;
use crate::model::policies;

/// How far a clock may be off, in seconds.
const OFF: [i64; 16] =
    [-86_400, -3_600, -61, -10, -1, 1, 5, 19, 21, 31, 39, 41, 59, 600, 86_400, 200_000];

/// Maximum length of a sequence.
const MOST: usize = 400;

/// Runs the bytes: the first is the strategy; each of the others is a move, or the first of three
/// with a time.
///
/// # Panics
/// Where a law is broken.
pub fn sequence(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let strategy = Strategy::ALL[usize::from(*first) % Strategy::ALL.len()];
    let mut machine = Real::new(policies::plan(strategy));
    let mut past = Past::default();
    let mut bytes = rest.iter().copied();
    for played in 0..MOST {
        let Some(byte) = bytes.next() else { break };
        let place = usize::from(byte & 7);
        let failed = byte & 8 != 0;
        let taken = match byte {
            0..=127 => step(&machine, &past, Move::Say(usize::from(byte) % WORDS.len())),
            128..=159 => step(&machine, &past, Move::Pending { place, failed }),
            160..=191 => step(&machine, &past, Move::Overtaken { place, failed }),
            192..=223 => step(&machine, &past, Move::AtPoll),
            224..=255 => {
                let word = usize::from(bytes.next().unwrap_or_default()) % WORDS.len();
                let off = OFF[usize::from(bytes.next().unwrap_or_default()) % OFF.len()];
                let Some((_, input)) = Move::Say(word).input(&machine, &past) else { break };
                let by = Span::from_millis(off.unsigned_abs() * 1_000);
                let now = machine.now().unwrap_or_else(start);
                let at = if off < 0 { now - by } else { now + by };
                take(&machine, &past, at, &input).map(Some)
            }
        };
        match taken {
            Ok(Some(taken)) => (machine, past) = (taken.machine, taken.past),
            Ok(None) => continue,
            Err(breach) => panic!("{strategy}, input {played}: {breach}"),
        }
        if let Err(breach) = of_state(&machine, &past) {
            panic!("{strategy}, after input {played}: {breach}");
        }
    }
}
